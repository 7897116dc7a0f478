"""The JSON Schema of workflow files, for editors anywhere."""

from pathlib import Path

from flask.testing import FlaskClient

from console.core.documents import workflow


def test_anybody_may_read_the_schema(client: FlaskClient) -> None:
    answer = client.get("/schema/workflow.json")
    assert answer.status_code == 200
    assert answer.mimetype == "application/schema+json"
    assert answer.data == (Path(workflow.__file__).parent.parent / "workflow.schema.json").read_bytes()
    assert answer.json is not None
    assert answer.json["title"] == "A workflow of Handrail"
    assert client.get("/schema/workflow.json", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_nobody_writes_it(client: FlaskClient) -> None:
    assert client.post("/schema/workflow.json").status_code in (403, 405)
