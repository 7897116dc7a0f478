"""Approval: asks by itself, for what the run holds so far; and not at all where its condition says so."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from console import steps
from console.core.errors import Invalid
from tests.steps.walk import NOW, complete, context, prepare, rows, view
from tests.tables import cases

SMALLEST: dict[str, Any] = {"text": "May it go on?", "roles": ["lead"]}

ASK: dict[str, Any] = {"text": "May **{{ record.name }}** go on?", "roles": ["lead", "mlro"]}
READ = rows({"name": "Ana & <b>", "limit": "10.00"})
MADE = context(
    reads={"record": READ}, record={"name": "Ana & <b>"}, steps={"score": {"band": "high", "points": 7}}
)


def by_itself(config: dict[str, Any], made: Any = MADE) -> Any:
    kind = steps.get("approval")
    return kind.complete_by_itself(view("approval", config), made)


def test_it_asks_for_what_the_run_holds_and_does_nothing() -> None:
    config = {
        **ASK,
        "needs": 2,
        "not_by": ["requester", "step:score"],
        "fields": ["name"],
        "values": {"points": "steps.score.points", "none": "steps.score.nothing"},
        "hours": 48,
    }
    done = by_itself(config)
    asked = done.approval
    assert (done.outcome, done.effects, done.values) == ("approved", (), {"points": 7, "none": None})
    assert (asked.action, asked.needs, asked.roles, asked.not_by) == (
        "here",
        2,
        ("lead", "mlro"),
        ("requester", "step:score"),
    )
    assert (asked.decides, asked.values, asked.until) == (True, done.values, NOW + timedelta(hours=48))
    assert asked.shown["text"] == "May **Ana \\& \\<b\\>** go on?"
    assert asked.shown["record"] == {"name": "Ana & <b>", "limit": "10.00"}


@pytest.mark.parametrize(
    ("condition", "asks"),
    [
        (None, True),
        ("steps.score.band == 'high'", True),
        ("steps.score.band == 'low'", False),
        ("steps.score.nothing > 3", True),  # unknown: rather one question too many
        ("1 == 1", True),
    ],
)
def test_somebody_is_asked_only_where_it_may_hold(condition: str | None, asks: bool) -> None:
    done = by_itself(ASK | ({"if": condition} if condition else {}))
    assert (done.approval is not None) == asks
    assert done.outcome == "approved"
    if not asks:
        assert done.output == {"decision": "approved", "by": [], "reason": "", "decided_at": None}


def test_only_a_time_limit_makes_it_expire() -> None:
    kind = steps.get("approval")
    assert kind.outcomes(kind.Config.model_validate(ASK)) == ("approved", "rejected")
    assert kind.outcomes(kind.Config.model_validate({**ASK, "hours": 1})) == (
        "approved",
        "rejected",
        "expired",
    )
    assert by_itself(ASK).approval.until is None
    assert kind.by_itself(ASK)


def test_by_hand_it_is_asked_again_and_nobody_approves_there() -> None:
    shown = prepare("approval", {**ASK, "fields": ["name"]}, MADE)
    assert shown.outcomes == ()
    assert (shown.button, [field.readonly for field in shown.fields]) == ("Ask for approval", [True, True])
    assert complete("approval", ASK, MADE).approval is not None
    with pytest.raises(Invalid):
        complete("approval", ASK, MADE, {"name": "another", "approved": True})


@cases(
    "wrong",
    [
        {"text": ""},
        {"roles": []},
        {"needs": 0},
        {"needs": 10},
        {"not_by": ["starter"]},
        {"not_by": ["step:"]},
        {"hours": 0},
        {"hours": 9000},
        {"approvers": ["lead"]},
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        steps.get("approval").Config.model_validate({**ASK, **wrong})


def test_what_it_names_is_checked_before_publishing() -> None:
    kind = steps.get("approval")
    config = kind.Config.model_validate(
        {**ASK, "if": "1 == 1", "values": {"a": "steps.x.y"}, "fields": ["name"]}
    )
    assert [(one.field, one.text) for one in kind.expressions(config)] == [
        ("if", "1 == 1"),
        ("values.a", "steps.x.y"),
    ]
    assert [one.text for one in kind.templates(config)] == [ASK["text"]]
    assert [use.field for use in kind.uses(config)] == ["fields[0]"]
    assert kind.outputs(config) == frozenset({"a", "decision", "by", "reason", "decided_at"})
