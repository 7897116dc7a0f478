"""Fields that a workflow governs: every way of writing a record is refused but that of the workflow, and the page says which it is."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from console import browse, records, runs, workflows
from console.actions import bulk, record_changes
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.documents.collections import document_check
from console.core.errors import ConsoleError, DefinitionError
from console.operations import doctor
from console.steps.effects import python
from tests.company import DOCUMENT, Company
from tests.conftest import web_app
from tests.sources.collections.test_collections_said import say
from tests.support.acting import RATE, go_on, hand_in, imported, run_of
from tests.views.conftest import Pages

OTHER: dict[str, Any] = {
    **DOCUMENT,
    "slug": "other-review",
    "title": "Other review",
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "rate"}},
        {
            "id": "rate",
            "type": "update_data",
            "title": "Rate",
            "config": {"fields": ["risk", "email"]},
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
    ],
}
REASON = "is changed by Care review alone: start it on the record."


@pytest.fixture
def house(company: Company) -> Company:
    for role in ("operator", "lead", "admin"):
        access.grant(role, "collection:customer", ["browse", "read", "create", "update", "act"], team="*")
    workflows.import_file(OTHER, publish=True)
    imported(RATE)
    access.refresh()
    say({"governed": {"risk": "care-review"}})
    return company


def inline(house: Company) -> None:
    browse.change(house.ines, "customer", "1", {"risk": "high"}, {})


def added(house: Company) -> None:
    record_changes.create(house.ines, "customer", {"display_name": "New", "desk": "retail", "risk": "high"})


def by_function(house: Company) -> None:
    python.Door(house.ines).write("customer", "1", {"risk": {"new": "high"}})


def added_by_function(house: Company) -> None:
    python.Door(house.ines).insert("customer", {"display_name": "New", "desk": "retail", "risk": "high"})


def by_action(house: Company) -> None:
    told = hand_in(house, run_of(house, RATE), risk="high")
    assert "Risk is changed by a workflow alone" in json.dumps(told)


def in_bulk(house: Company) -> None:
    action = next(one for one in bulk.offered(house.olivia, "customer") if one.id == "customer.rate")
    items = bulk.refusal_reasons(
        house.olivia,
        "customer",
        action,
        bulk.chosen(house.olivia, "customer", action, ["1", "2"], None),
        {"risk": "high"},
    )
    bulk_id = bulk.begin(house.olivia, "customer", action, items, {"risk": "high"})
    while go_on(house.olivia, bulk_id).count(bulk.WAITING):
        continue


def by_another_workflow(house: Company) -> None:
    run_id = runs.start(house.olivia, "other-review", "customer", "1", {})
    told = house.told(run_id)
    asked = {field["name"]: field["readonly"] for field in told["current"]["form"]["fields"]}
    assert asked == {"risk": True, "email": False}
    runs.complete(
        house.olivia,
        run_id,
        runs.Submission(
            step="rate", revision=told["revision"], values={"risk": "high", "email": "new@customers.example"}
        ),
    )


def by_program(house: Company) -> None:
    key = accounts.create_key("a program", house.ines.id).text
    answer = (
        web_app()
        .test_client()
        .patch(
            "/api/v1/collections/customer/records/1",
            json={"values": {"risk": "high"}},
            headers={"Authorization": f"Bearer {key}"},
        )
    )
    assert answer.json is not None
    assert (answer.status_code, answer.json["details"]) == (
        422,
        [{"field": "risk", "reason": f"Risk {REASON}"}],
    )


def by_page(house: Company) -> None:
    pages = Pages(house, web_app())
    page = pages.ines.get("/c/customer/1?tab=details")
    assert "Changed by Care review" in page.text
    assert 'href="/c/customer/1/edit/risk"' not in page.text
    told = {"csrf_token": pages.ines.token, "v.risk": "high", "t.risk": "enum", "old": "null"}
    refused = pages.ines.post("/c/customer/1/edit/risk", told, status=403)
    assert REASON in refused.text


def by_duplicate(house: Company) -> None:
    pages = Pages(house, web_app())
    assert 'name="v.risk"' not in pages.ines.get("/new/c/customer?like=1").html
    told = {
        "v.display_name": "Twin",
        "t.display_name": "text",
        "v.desk": "retail",
        "t.desk": "enum",
        "v.risk": "high",
        "t.risk": "enum",
    }
    pages.ines.post("/new/c/customer?like=1", {"csrf_token": pages.ines.token, **told}, status=303)
    assert house.sql("select risk from customer where display_name = 'Twin'") == [(None,)]


WAYS: list[Callable[[Company], None]] = [
    inline,
    added,
    by_function,
    added_by_function,
    by_action,
    in_bulk,
    by_another_workflow,
    by_program,
    by_page,
    by_duplicate,
]


def test_no_way_but_the_workflow_writes_the_field(house: Company) -> None:
    for way in WAYS:
        try:
            way(house)
        except ConsoleError as error:
            assert "risk" in json.dumps(error.details), way  # noqa: PT017 (some ways are refused, some only change nothing)
        assert house.sql("select count(*) from customer where risk = 'high'") == [(0,)], way


def test_the_workflow_writes_it(house: Company) -> None:
    run_id = house.at("rate", record="2")
    assert [field["readonly"] for field in house.told(run_id)["current"]["form"]["fields"]] == [False, False]
    house.answer(run_id, risk="high")
    assert house.sql("select risk from customer where id = 2") == [("high",)]


def test_an_action_of_its_own_may_be_named(house: Company) -> None:
    say({"governed": {"risk": ["care-review", "action-customer-rate"]}})
    hand_in(house, run_of(house, RATE), risk="high")
    assert house.sql("select risk from customer where id = 1") == [("high",)]


def test_a_workflow_that_the_reader_may_not_see_is_not_named(house: Company) -> None:
    told = browse.governors(Actor("user", "usr_stranger"), records.collection("customer").fields)
    assert told["risk"] == browse.Governor("a workflow")
    assert browse.governors(house.olivia, records.collection("customer").fields)["risk"].slugs == (
        "care-review",
    )


def test_publishing_another_workflow_that_writes_it_is_refused(house: Company) -> None:
    with pytest.raises(DefinitionError, match="risk is changed by care-review alone"):
        workflows.import_file({**OTHER, "slug": "third-review"}, publish=True)


@pytest.mark.parametrize(
    "step",
    [
        {"type": "trigger_action", "config": {"action": "customer.rate"}},
        {
            "type": "action",
            "config": {
                "effect": {"kind": "sql_write", "name": "rate", "summary": "Rate", "set": {"risk": "'high'"}}
            },
        },
        {"type": "action", "config": {"operation": "update", "values": {"risk": "'high'"}}},
    ],
)
def test_publishing_a_step_whose_effect_writes_it_is_refused(house: Company, step: dict[str, Any]) -> None:
    start, _, end = OTHER["steps"]
    rate = {"id": "rate", "title": "Rate", "next": {"default": "end", "succeeded": "end"}, **step}
    if step["type"] == "action":
        rate["next"] = {"succeeded": "end"}
    with pytest.raises(DefinitionError, match="risk is changed by care-review alone"):
        workflows.import_file({**OTHER, "slug": "third-review", "steps": [start, rate, end]}, publish=True)


def test_a_report_that_would_set_it_is_a_problem(house: Company) -> None:
    report = {"collection": "customer", "values": {"risk": "'high'"}}
    found = workflows.check(
        {**OTHER, "slug": "third-review", "report": report}, workflows.validation_context()
    )
    assert (
        "risk is changed by care-review alone" in {each.field: each.reason for each in found}["report.values"]
    )


def test_doctor_says_which_governor_is_not_there_or_never_writes(house: Company) -> None:
    def told() -> doctor.Check:
        return doctor._governed_fields()

    assert told().ok
    say({"governed": {"risk": "care-review", "email": "gone-review", "desk": "care-review"}})
    assert told().message == (
        "customer, desk: The workflow care-review never writes this: name the workflow that does.; "
        "customer, email: There is no workflow gone-review: nobody can change this any more."
    )


def test_a_document_governs_columns_that_there_are(house: Company) -> None:
    structure = {"columns": [{"name": "risk", "stored": "text"}]}
    document = {"id": "c", "source": "s", "table": "t", "governed": {"ris": "a-review", "risk": []}}
    reasons = {spot.path: spot.reason for spot in document_check.check(document)}
    assert "governed.risk" in str(reasons)
    fine = {**document, "governed": {"ris": "a-review"}}
    assert [spot.reason for spot in document_check.check(fine, structure)] == [
        "There is no column ris: is risk meant?"
    ]
