"""Action documents: what is wrong with them is said all at once, and their bytes are the same however they were laid out."""

import json
from pathlib import Path
from typing import Any

import pytest

from console.core.documents.action_check import check
from console.core.documents.action_document import read
from console.core.documents.collections import Collection
from tests.core.test_collections import column, one
from tests.tables import cases

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "actions").glob("*.json"))
THIRTEEN = {
    "customer.request_documents",
    "screening.run",
    "account.restrict",
    "account.release",
    "kyc.apply_decision",
    "charge.refund",
    "credit.grant",
    "ticket.close",
    "supplier.create",
    "supplier.propose_bank",
    "supplier.activate_bank",
    "supplier.retire_bank",
    "invoice.hold",
    "invoice.release",
    "supplier.activate",
    "contract.record_signature",
}


def document(**more: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "id": "thing.mend",
        "title": "Mend",
        "collection": "thing",
        "effects": [
            {"kind": "sql_write", "name": "thing", "summary": "Mends it", "set": {"state": "'mended'"}}
        ],
        **more,
    }


def http(**more: Any) -> dict[str, Any]:
    return {
        "kind": "http",
        "name": "call",
        "summary": "Calls",
        "target": "bank",
        "path": "/x",
        "idempotent": True,
        **more,
    }


FORM = [{"name": "amount", "label": "Amount", "type": "integer"}]


def reasons(told: dict[str, Any], **known: Any) -> list[tuple[str, str]]:
    return [(problem.field, problem.reason) for problem in check(told, **known)]


@cases("file", FILES, ids=lambda file: file.stem)
def test_the_examples_are_sound_and_canonical(file: Path) -> None:
    assert check(file.read_bytes()) == []
    action = read(file.read_bytes())
    assert action.canonical() == file.read_bytes()
    assert action.id == file.stem
    undo = action.compensation
    assert undo is None or (ROOT / "actions" / f"{undo.action}.json").exists()
    assert undo is None or {*undo.values} <= {
        entry.name for entry in read((ROOT / "actions" / f"{undo.action}.json").read_bytes()).form
    }


def test_every_action_of_the_house_is_there_and_somebody_may_do_it() -> None:
    assert {file.stem for file in FILES} >= THIRTEEN
    policy = (ROOT / "policies" / "fernwick.csv").read_text(encoding="utf-8")
    assert [file.stem for file in FILES if file.stem not in policy] == []


@cases(
    ("more", "field", "reason"),
    [
        ({"id": "mend"}, "id", "form asked for"),
        ({"colour": "red"}, "colour", "no setting colour"),
        ({"effects": []}, "effects", "may not be empty"),
        ({"effects": [http(kind="telex")]}, "effects[0]", "telex"),
        ({"effects": [http(path="x")]}, "effects[0].path", "form asked for"),
        ({"effects": [http(headers={"Host": "'x'"})]}, "effects[0]", "set by the console itself: Host"),
        (
            {"effects": [http(key_header="authorization")]},
            "effects[0]",
            "set by the console itself: authorization",
        ),
        ({"effects": [http(method="GET", body={"a": "1"})]}, "effects[0]", "GET has no body"),
        ({"effects": [http(), http()]}, "", "Two effects have the same name"),
        (
            {"irreversible": True, "compensation": {"action": "thing.undo"}},
            "",
            "cannot be recalled has no compensation",
        ),
        ({"collection": None}, "", "no record of its own to write"),
        ({"why_not": "No."}, "", "never shown"),
        (
            {"require": [{"if": "1 == 1", "message": "No.", "field": "colour"}]},
            "",
            "fields that the form does not have: colour",
        ),
        ({"if": "steps.a.b == 1"}, "if", "does not know steps"),
        ({"if": "1 +"}, "if", "ends too early"),
        ({"if": "input.amount > 1"}, "if", "asks for no amount"),
        ({"form": FORM, "if": "input.amounts > 1"}, "if", "is amount meant?"),
        ({"text": "{{ related.x.y }}"}, "text", "Nothing is read under the name x"),
        ({"if": "results.thing.x == 1"}, "if", "no results here"),
        ({"if": "approver.email != null"}, "if", "Nobody has approved yet"),
        (
            {"effects": [http(body={"a": "results.call.id"})]},
            "effects[0].body.a",
            "No effect before has the name call",
        ),
        ({"if": "key == 'x'"}, "if", "no key here"),
        ({"effects": [http(body={"a": "answer.id"})]}, "effects[0].body.a", "no answer here"),
        ({"effects": [http(body={"a": "item.id"})]}, "effects[0].body.a", "no item here"),
        ({"done": "{{ results.things.x }}"}, "done", "is thing meant?"),
        ({"if": "variables.limit > 1"}, "if", "There is no variable limit"),
        ({"if": "run.colour == 1"}, "if", "run has no colour"),
        ({"if": "$currentUser.age > 1"}, "if", "$currentUser has no age"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(more: dict[str, Any], field: str, reason: str) -> None:
    told = reasons(document(**more))
    assert any(field in where and reason in why for where, why in told), told


@pytest.mark.parametrize(
    ("more", "field", "reason"),
    [
        ({"collection": "nowhere"}, "collection", "There is no collection nowhere"),
        (
            {"effects": [{**document()["effects"][0], "set": {"colour": "1"}}]},
            "effects[0].set.colour",
            "no field colour",
        ),
        (
            {"effects": [{**document()["effects"][0], "collection": "else", "record": "1"}]},
            "effects[0].collection",
            "no collection else",
        ),
        ({"if": "record.colour == 1"}, "if", "no field colour"),
        (
            {"related": [{"name": "x", "relation": "others", "fields": ["a"]}]},
            "related[0].relation",
            "no relation others",
        ),
    ],
)
def test_names_of_the_sources_are_judged_where_they_are_known(
    more: dict[str, Any], field: str, reason: str
) -> None:
    known: dict[str, Collection] = {
        "thing": one(column("id"), column("state"), document={"id": "thing", "label": "Things"})
    }
    told = reasons(document(**more), collections=known)
    assert any(where == field and reason in why for where, why in told), told


def test_others_are_warnings_where_they_may_come_later_and_errors_where_not() -> None:
    told = check(
        document(
            compensation={"action": "thing.undo"},
            approval=[{"roles": ["lead", "boss"]}],
            effects=[
                {"kind": "python", "name": "call", "summary": "Calls", "function": "a.b"},
                http(name="web", idempotent=False),
            ],
        ),
        actions=["thing.mend"],
        functions=["a.c"],
        roles=["lead"],
    )
    assert [(problem.field, problem.severity) for problem in told] == [
        ("compensation.action", "warning"),
        ("effects[0].function", "warning"),
        ("effects[1].look_up", "warning"),
        ("approval[0].roles[1]", "error"),
    ]


def test_bytes_are_the_same_for_the_same_action() -> None:
    told = document(most=100, form=FORM)
    assert read(told).canonical() == read(json.dumps(told, indent=8)).canonical()
    assert read(told).hash != read(document(most=7, form=FORM)).hash
    assert b"most" not in read(told).canonical()
    assert read(document()).slug == "action-thing-mend"
