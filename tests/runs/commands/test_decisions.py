"""Decisions in a run: by a person with the fields of one option, by a rule without one, and what the log says of both."""

from typing import Any

import pytest

from console import log, runs, workflows
from console.core.errors import Invalid
from tests.company import Company

CODES = [{"value": "sanctions", "label": "Sanctions"}, {"value": "documents", "label": "Papers missing"}]
DOCUMENT: dict[str, Any] = {
    "format": 1,
    "slug": "care-choice",
    "title": "Care choice",
    "collection": "customer",
    "team": "operations",
    "roles": ["operator"],
    "variables": {"easy": {"dated": [{"value": "low"}, {"valid_from": "2100-01-01", "value": "medium"}]}},
    "tables": {
        "weight": {
            "keys": ["risk"],
            "columns": [{"name": "risk"}, {"name": "points", "type": "integer"}],
            "rows": [
                {"risk": "low", "points": 1},
                {"risk": "high", "points": 9},
                {"valid_from": "2100-01-01", "risk": "low", "points": 5},
            ],
        }
    },
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "next": {"default": "rate"}},
        {
            "id": "rate",
            "type": "update_data",
            "title": "Rate",
            "config": {"form": [{"name": "risk", "label": "Risk"}]},
            "next": {"default": "sift"},
        },
        {
            "id": "sift",
            "type": "decision",
            "title": "Sift",
            "config": {
                "maker": "rule",
                "rules": [
                    {
                        "if": "steps.rate.risk == variables.easy && lookup(tables.weight.points, steps.rate.risk) == 1",
                        "option": "pass",
                    },
                    {"if": "lookup(tables.weight.points, steps.rate.risk) >= 9", "option": "look"},
                ],
                "options": [
                    {"value": "pass", "label": "Let pass"},
                    {"value": "look", "label": "Look closer"},
                ],
            },
            "next": {"pass": "done", "look": "decide"},
        },
        {
            "id": "decide",
            "type": "decision",
            "title": "Decide",
            "config": {
                "text": "By {{ steps.sift.maker }}: {{ steps.sift.rule }}",
                "form": [
                    {"name": "code", "label": "Reason code", "type": "enum", "options": CODES},
                    {
                        "name": "detail",
                        "label": "Detail",
                        "type": "long_text",
                        "required_if": "steps.decide.code == 'documents'",
                    },
                    {"name": "due", "label": "Due", "type": "date"},
                    {"name": "note", "label": "Note"},
                ],
                "options": [
                    {
                        "value": "approve",
                        "label": "Approve",
                        "if": "steps.rate.risk != 'high'",
                        "why_not": "The risk is {{ steps.rate.risk }}.",
                    },
                    {"value": "later", "label": "Approve later", "fields": ["due"]},
                    {"value": "reject", "label": "Reject", "fields": ["code"], "optional": ["detail"]},
                ],
            },
            "next": {"default": "done"},
        },
        {"id": "done", "type": "end", "title": "Done", "config": {"label": "done"}},
    ],
}


@pytest.fixture
def at_rate(company: Company) -> str:
    """A run that stands at "Rate"."""
    workflows.import_file(DOCUMENT, publish=True)
    return runs.start(company.olivia, "care-choice", "customer", "1", {})


def events(run_id: str, kind: str) -> list[dict[str, Any]]:
    """What the events of a kind say openly, without the revision."""
    return [
        {k: v for k, v in event.body["data"]["open"].items() if k != "revision"}
        for event in log.events_of(run_id)
        if event.type == kind
    ]


def hand_in(
    company: Company, run_id: str, values: dict[str, Any], outcome: str | None = None
) -> dict[str, Any]:
    told = company.told(run_id)
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(
            step=told["current"]["step"], revision=told["revision"], values=values, outcome=outcome
        ),
    )
    return company.told(run_id)


def test_a_rule_decides_and_the_log_says_which(company: Company, at_rate: str) -> None:
    told = hand_in(company, at_rate, {"risk": "low"})
    assert (told["status"], told["ending"]) == ("completed", "done")
    rule = DOCUMENT["steps"][2]["config"]["rules"][0]["if"]
    assert events(at_rate, "outcome_chosen") == [
        {"outcome": "pass", "label": "Let pass", "maker": "rule", "rule": rule}
    ]
    sift = next(each for each in told["attempts"] if each["step"] == "sift")
    assert (sift["by"], sift["outcome"]) == (None, "pass")
    assert told["context"]["sift"]["maker"] == "rule"
    assert told["context"]["sift"]["compared"] == {
        "steps.rate.risk": "low",
        "variables.easy": "low",
        "tables.weight.points": 1,
    }
    chosen = next(event for event in log.events_of(at_rate) if event.type == "outcome_chosen")
    assert chosen.body["actor"]["kind"] == "system"
    replayed = runs.replay(company.ada, at_rate).json["run"]
    assert replayed["context"]["sift"] == told["context"]["sift"]


def test_where_no_rule_applies_a_person_decides_may_revise_and_try_the_rules_again(
    company: Company, at_rate: str
) -> None:
    told = hand_in(company, at_rate, {"risk": "odd"})
    assert (told["status"], told["current"]["step"], told["current"]["take_over"]["code"]) == (
        "waiting_person",
        "sift",
        "no_rule",
    )
    assert [option["value"] for option in told["current"]["outcomes"]] == ["pass", "look"]
    assert "retry" in runs.get(company.olivia, at_rate).can
    runs.retry(company.olivia, at_rate, revision=told["revision"])
    assert company.told(at_rate)["current"]["take_over"]["code"] == "no_rule"
    with pytest.raises(Invalid, match="outcome"):
        hand_in(company, at_rate, {})
    told = hand_in(company, at_rate, {}, "look")
    assert events(at_rate, "outcome_chosen") == [{"outcome": "look", "label": "Look closer", "maker": "user"}]
    assert (told["context"]["sift"]["maker"], told["context"]["sift"]["rule"]) == ("user", None)
    assert next(one for one in runs.get(company.olivia, at_rate).steps if one["step"] == "sift")["revisable"]
    runs.revise(
        company.olivia, at_rate, revision=told["revision"], step="sift", attempt=None, reason="Too hasty."
    )
    assert company.told(at_rate)["current"]["step"] == "sift"


def test_revising_what_a_rule_decided_goes_back_to_what_it_looked_at(company: Company, at_rate: str) -> None:
    told = hand_in(company, at_rate, {"risk": "high"})
    assert told["current"]["step"] == "decide"
    assert runs.preview(company.olivia, at_rate, "sift").json["step"] == "rate"
    assert [one["step"] for one in runs.get(company.olivia, at_rate).steps if one.get("revisable")] == [
        "rate"
    ]
    runs.revise(
        company.olivia, at_rate, revision=told["revision"], step="sift", attempt=None, reason="Misread."
    )
    assert company.told(at_rate)["current"]["step"] == "rate"
    assert hand_in(company, at_rate, {"risk": "low"})["status"] == "completed"
