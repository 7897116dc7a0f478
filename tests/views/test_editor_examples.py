"""Results of rules and texts on an example, a run or a record: with the rights of whoever looks, and noted."""

import json
from typing import Any

from console import workflows
from console.auth import access
from console.auth.access import policy_store
from console.infra.db import transaction
from console.runs.simulation import examples
from tests.company import Company
from tests.conftest import web_app
from tests.views.conftest import signed_in
from tests.views.test_looks import looks
from tests.views.test_workflow_editor import CARE, post

EXAMPLE = f"{CARE}/edit/example"


def told(client: Any, example: str, *texts: tuple[str, str]) -> Any:
    given = [{"id": str(number), "kind": kind, "text": text} for number, (kind, text) in enumerate(texts)]
    return post(client, EXAMPLE, example=example, texts=json.dumps(given))


def words(client: Any, example: str, *texts: tuple[str, str]) -> list[str]:
    return [each["words"] for each in told(client, example, *texts).json["results"]]


def test_rules_and_texts_come_to_what_the_run_held(company: Company) -> None:
    run_id = company.at("decide")
    mona = signed_in(web_app(), "mona")
    assert run_id in mona.get(EXAMPLE).text
    found = words(
        mona,
        run_id,
        ("expression", "steps.note.note == 'Looked at it.'"),
        ("template", "They wrote: {{ steps.note.note }}"),
        ("lines", "input.why\n5 * 2"),
        ("expression", "answer.amount > 5"),
        ("expression", "steps.nowhere.x"),
        ("expression", "record.("),
        ("template", "{{ steps.nowhere.x }}!"),
        ("template", "Nothing is filled in here."),
    )
    assert found[:3] == ["Yes", "They wrote: Looked at it.", "periodic\n10"]
    assert found[3].startswith("Known only at the step itself")
    assert found[4] == "Known once “nowhere” is done, which it is not in this example."
    assert found[5] == "It cannot be read yet."
    assert "is empty on this example" in found[6]
    assert found[7] == ""


def test_an_example_shows_nothing_that_its_reader_may_not_see_and_each_look_is_noted_once(
    company: Company,
) -> None:
    run_id = company.at("decide")
    access.grant("operator", "workflow:care-review", ["edit"], team="operations")
    access.refresh()
    olivia = signed_in(web_app(), "olivia")
    examples._noted.clear()
    asked = [
        ("expression", f"{root}.{name}")
        for root in ("record", "steps.load.record")
        for name in ("display_name", "tax_id")
    ]
    for example in (run_id, "record:1", run_id):
        found = words(olivia, example, *asked)
        assert found[0] == company.sql("select display_name from customer where id = 1")[0][0]
        assert found[1].startswith("Nothing")
        assert found[3].startswith(("Nothing", "A record alone"))
    assert looks().count("record_viewed") == 1


def test_an_example_that_is_gone_or_of_another_workflow_is_refused_in_words(company: Company) -> None:
    mona = signed_in(web_app(), "mona")
    for gone in ("record:no-such", "run_none", ""):
        answer = told(mona, gone, ("expression", "record.name"))
        assert answer.status_code == 404
    assert post(mona, EXAMPLE, example="record:1", texts="[").status_code == 422
    assert workflows.open_draft(company.mona, "care-review").revision == 0


def test_fields_over_a_relation_are_told_to_those_who_edit_and_only_of_collections_that_they_see(
    company: Company,
) -> None:
    head = {"format": 1, "slug": "of-accounts", "title": "Of accounts", "team": "operations"}
    start = {"id": "start", "type": "start", "title": "Start"}
    workflows.create(
        company.mona, "Of accounts", document={**head, "collection": "account", "steps": [start]}
    )
    fields = "/workflows/of-accounts/edit/fields?of=record.customer."
    mona = signed_in(web_app(), "mona")
    told_fields = {each["value"]: each["label"] for each in mona.get(fields).json or ()}
    assert told_fields["record.customer.display_name"] == "Customer › Display name"
    assert mona.get(f"{fields}nothing.").json == []
    assert signed_in(web_app(), "stan").get(fields).status_code in (403, 404)
    with transaction() as connection:
        policy_store.write(
            connection,
            removed=[row for row in policy_store.rows_of(connection) if row.obj == "collection:customer"],
        )
    access.refresh()
    assert mona.get(fields).json == []
