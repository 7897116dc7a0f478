"""The JSON Schemas of the files that people write, for editors anywhere."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from console.workflows.file_schemas import SCHEMAS

FOLDER = Path(__file__).parents[2] / "docs" / "reference" / "schemas"


@pytest.mark.parametrize("name", SCHEMAS)
def test_anybody_may_read_the_schema_which_is_that_of_the_reference(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/schema/{name}.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/schema+json")
    assert answer.data == (FOLDER / f"{name}.schema.json").read_bytes(), "run bin/fix: it writes the schemas"
    assert (
        client.get(f"/schema/{name}.json", headers={"If-None-Match": answer.headers["ETag"]}).status_code
        == 304
    )


def test_there_are_no_others_and_nobody_writes_them(client: FlaskClient) -> None:
    assert client.get("/schema/people.json").status_code == 404
    assert client.post("/schema/workflow.json").status_code in (403, 405)
