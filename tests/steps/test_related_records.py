"""The record that a run goes on with: one is taken, several are chosen from, none has a reason."""

from typing import Any

import pytest

from console import runs, workflows
from console.core.errors import Invalid
from tests.company import Company
from tests.runs.commands.test_midway import denied, ruled
from tests.support.engine import whole

ACCOUNT: dict[str, Any] = {"items": {"relation": "account", "fields": ["iban", "status"], "sort": "iban"}}
OPEN: dict[str, Any] = {"items": {**ACCOUNT["items"], "where": "record.status == 'open'"}}
NOWHERE: dict[str, Any] = {"items": {**ACCOUNT["items"], "where": "record.status == 'lost'"}}


def begin(company: Company, config: dict[str, Any], record: str = "1") -> dict[str, Any]:
    document = {
        "format": 1,
        "slug": "find-one",
        "title": "Find one",
        "collection": "customer",
        "team": "operations",
        "roles": ["operator"],
        "steps": [
            {"id": "start", "type": "start", "title": "Start", "next": {"default": "find"}},
            {
                "id": "find",
                "type": "load_related",
                "title": "Which account?",
                "config": config,
                "next": {"found": "fine", "none": "sorry"},
            },
            {
                "id": "fine",
                "type": "guidance",
                "title": "Fine",
                "config": {"text": "It is {{ steps.find.record.iban }}, {{ steps.find.record.status }}."},
                "next": {"default": "end"},
            },
            {
                "id": "sorry",
                "type": "guidance",
                "title": "Sorry",
                "config": {"text": "None: {{ steps.find.reason }}"},
                "next": {"default": "end"},
            },
            {"id": "end", "type": "end", "title": "End"},
        ],
    }
    workflows.import_file(document, publish=True)
    return company.told(runs.start(company.olivia, "find-one", "customer", record, {}))


def choose(company: Company, told: dict[str, Any], **values: Any) -> dict[str, Any]:
    runs.complete(
        company.olivia, told["id"], runs.Submission(step="find", revision=told["revision"], values=values)
    )
    return company.told(told["id"])


def test_the_only_one_is_taken(company: Company) -> None:
    told = begin(company, OPEN)
    assert told["current"]["step"] == "fine"
    assert told["context"]["find"] == {
        "collection": "account",
        "record": {"iban": "LT459999900012345678", "status": "open"},
        "key": "LT459999900012345678",
        "title": "LT45 9999 9000 1234 5678",
        "reason": None,
    }
    assert "open" in str(runs.get(company.olivia, told["id"]).screen)


def test_of_several_a_person_chooses_one_or_none(company: Company) -> None:
    told = begin(company, ACCOUNT)
    screen = runs.get(company.olivia, told["id"]).screen
    assert screen is not None
    assert [row["key"][-1] for row in screen["picks"]["rows"]] == ["8", "9"]
    for wrong, place in [
        ({}, "key"),
        ({"key": "NL559999900012345670"}, "key"),
        ({"key": "-"}, "reason"),
        ({"key": "-", "reason": " "}, "reason"),
    ]:
        with pytest.raises(Invalid) as caught:
            choose(company, told, **wrong)
        assert [detail["field"] for detail in caught.value.details] == [place]
    told = choose(company, told, key="LT459999900012345679")
    assert (told["current"]["step"], told["context"]["find"]["record"]["status"]) == ("fine", "closed")
    runs.revise(company.olivia, told["id"], revision=None, step="find", attempt=None, reason="Wrong one")
    told = company.told(told["id"])
    assert told["current"]["form"]["fields"][0]["value"] == "LT459999900012345679"
    told = choose(company, told, key="-", reason="The customer named another bank")
    assert (told["current"]["step"], told["context"]["find"]["record"]) == ("sorry", None)
    whole(told["id"])


def test_none_has_a_reason_or_an_outcome(company: Company) -> None:
    told = begin(company, NOWHERE)
    assert [field["name"] for field in told["current"]["form"]["fields"]] == ["reason"]
    with pytest.raises(Invalid):
        choose(company, told)
    assert choose(company, told, reason="Not there yet")["context"]["find"]["reason"] == "Not there yet"
    told = begin(company, {**NOWHERE, "none": "outcome"}, record="3")
    assert (told["current"]["step"], told["context"]["find"]["key"]) == ("sorry", None)


def test_what_may_not_be_read_is_neither_offered_nor_taken(company: Company) -> None:
    with ruled(denied(company.olivia.id, "collection:account", "read")):
        told = begin(company, OPEN)
        assert told["current"]["step"] == "find"
        assert "not permitted" in str(runs.get(company.olivia, told["id"]).screen)
