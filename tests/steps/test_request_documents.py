"""Request documents: what is asked for, of whom, and what a person may do in its place."""

from typing import Any

import pytest
from pydantic import ValidationError

from console import steps
from console.core.errors import Invalid
from console.core.run.step_requests import Awaited
from console.steps.base import AsksPerson, FormNeeded
from tests.papers import REQUEST
from tests.steps.walk import complete, context, prepare, view
from tests.tables import cases

SMALLEST: dict[str, Any] = {
    "documents": [{"id": "paper", "label": "Paper"}],
    "to": "'a@b.example'",
    "text": "Please.",
}

ADA = context(
    record={"email": "ada@example.org", "display_name": "Ada *Lovelace*", "desk": "retail"},
    steps={"before": {"list": ["proof_of_address", {"id": "id", "label": "ID card"}]}},
)
FILE = {
    "file": "fil_00000000000000000000000001",
    "name": "a.pdf",
    "media_type": "application/pdf",
    "sha256": "0" * 64,
    "bytes": 5,
}


def by_itself(made: Any = ADA, **config: Any) -> Any:
    return steps.get("request_documents").complete_by_itself(
        view("request_documents", {**REQUEST, **config}), made
    )


def test_it_waits_for_what_was_asked() -> None:
    done = by_itself()
    assert isinstance(done.awaits, Awaited)
    assert (done.awaits.kind, done.awaits.key[:4], done.awaits.until, done.outcome) == (
        "documents",
        "req_",
        None,
        "received",
    )
    asked = done.values["request"]
    assert [(one["id"], one["required"], one["types"]) for one in asked["documents"]] == [
        ("extract", True, ["pdf"]),
        ("photos", False, ["jpeg", "png"]),
    ]
    assert (asked["to"], asked["subject"], asked["days"], asked["remind_after_days"]) == (
        "ada@example.org",
        "Papers of Ada *Lovelace*",
        21,
        [5, 12],
    )
    assert asked["text"] == "Dear **Ada \\*Lovelace\\***, please send us these."
    assert done.output == {
        "iban": None,
        "staff": None,
        "received": [],
        "lacking": ["extract"],
        "documents": {"extract": [], "photos": []},
        "sender": None,
    }


@cases(("sender", "found"), [("ada@example.org", "LT45"), ("other@example.org", None)])
def test_asked_again_they_find_what_they_had_typed_and_nobody_else_does(
    sender: str, found: str | None
) -> None:
    again = context(
        **{
            **ADA.roots,
            "steps": {**ADA.roots["steps"], "here": {"unsent": {"iban": "LT45"}, "sender": sender}},
        }
    )
    asked = by_itself(again).values["request"]["form"]
    assert {field["name"]: field.get("value") for field in asked}["iban"] == found
    form = prepare("request_documents", REQUEST, again).fields  # whoever enters by hand what came another way
    assert {field.name: field.value for field in form}["iban"] == "LT45"


@cases("also", ["null", "'text'", "[]", "[null, 1, '']", "['extract']", "steps.nothing.there"])
def test_what_names_no_document_asks_for_none(also: str) -> None:
    asked = by_itself(also=also).values["request"]["documents"]
    assert {"extract", "photos"} <= {one["id"] for one in asked} <= {"extract", "photos", "1", "document_2"}


@cases("address", [None, "", "nobody", 5, "a@b", "x@y.example, z@y.example"])
def test_without_an_address_a_person_is_asked(address: Any) -> None:
    with pytest.raises(AsksPerson) as asked:
        by_itself(context(record={"email": address}))
    assert asked.value.code == "no_address"


def test_a_person_may_be_asked_before_anything_goes_out() -> None:
    kind, first = steps.get("request_documents"), {**REQUEST, "asks_first": True}
    assert [kind.by_itself(config) for config in (REQUEST, first)] == [True, False]
    assert [kind.asks(kind.Config.model_validate(config)) for config in (REQUEST, first)] == [False, True]
    prompt = prepare("request_documents", first, ADA)
    assert [option.value for option in prompt.outcomes] == ["write", "received", "expired"]
    assert "The letter asks for:\n\n- " in (prompt.text or "")
    assert complete("request_documents", first, ADA, {"to": "b@example.org"}, "write").awaits is not None
    shut = {**first, "without_if": "record.desk == 'legal'", "why_not": "Only the lawyers go on without."}
    prompt = prepare("request_documents", shut, ADA)
    assert ([option.value for option in prompt.outcomes], prompt.withheld[0].label) == (
        ["write", "received"],
        "Continue without",
    )
    assert "reason" not in [field.name for field in prompt.fields]
    with pytest.raises(Invalid, match="outcome") as refused:
        complete("request_documents", shut, ADA, {"reason": "No"}, "expired")
    assert "Only the lawyers go on without." in refused.value.details[0]["reason"]
    came = {
        **REQUEST,
        "by_hand": "record.email == 'ada@example.org'",
    }  # somebody said so before: no letter is offered
    prompt = prepare("request_documents", came, ADA)
    assert [option.value for option in prompt.outcomes] == ["received", "expired"]
    assert (prompt.fields[0].name, "Nobody is written to" in (prompt.text or "")) == ("sender", True)
    with pytest.raises(FormNeeded):
        by_itself(by_hand=came["by_hand"])
    with pytest.raises(Invalid):
        complete("request_documents", came, ADA, {"to": "b@example.org"}, "write")


def test_a_person_may_write_hand_in_or_go_on_without() -> None:
    prompt = prepare("request_documents", REQUEST, ADA)
    assert [(option.value, option.required) for option in prompt.outcomes] == [
        ("write", ("to",)),
        ("received", ("sender",)),
        ("expired", ("reason",)),
    ]
    assert [(field.name, field.type) for field in prompt.fields][:4] == [
        ("to", "email"),
        ("sender", "text"),
        ("extract", "files"),
        ("photos", "files"),
    ]
    assert prompt.fields[0].value == "ada@example.org"
    assert complete("request_documents", REQUEST, ADA, {"to": "b@example.org"}, "write").awaits is not None
    rule = {"if": "iban(steps.here.iban)", "message": "No IBAN."}
    strict = {**REQUEST, "form": [{**field, "must": [rule]} for field in REQUEST["form"][:1]]}
    handed = complete(
        "request_documents", strict, ADA, {"sender": "by post", "extract": [FILE], "iban": "LT1"}, "received"
    )
    assert handed.output is not None
    assert (handed.awaits, handed.output["received"], handed.output["documents"]["extract"]) == (
        None,
        ["extract"],
        [FILE],
    )
    assert (
        complete("request_documents", REQUEST, ADA, {"reason": "They closed"}, "expired").outcome == "expired"
    )


@cases(
    ("config", "words"),
    [
        ({"documents": [], "form": []}, "nothing is asked for"),
        ({"documents": [{"id": "iban", "label": "x"}]}, "more than one document or field is named iban"),
        ({"documents": [{"id": "sender", "label": "x"}]}, "the step itself has sender"),
        ({"remind_after_days": [21]}, "would not come before"),
        ({"form": [{"name": "scan", "label": "x", "type": "file"}]}, "files belong among the documents"),
        ({"documents": [{"id": "a", "label": "x", "types": ["exe"]}]}, "types"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        view("request_documents", {**REQUEST, **config})
