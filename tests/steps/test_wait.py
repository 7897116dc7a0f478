"""Wait: works out a moment, in one of three ways, or says why there is none."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from console import steps
from console.core.errors import Invalid
from tests.steps.walk import NOW, complete, context, view
from tests.tables import cases

SMALLEST: dict[str, Any] = {"days": 1}

WAYS: list[tuple[dict[str, Any], datetime]] = [
    ({"minutes": 1}, NOW + timedelta(minutes=1)),
    ({"minutes": 30, "hours": 2, "days": 1}, NOW + timedelta(days=1, minutes=150)),
    ({"duration": "days(variables.reminder_days)"}, NOW + timedelta(days=5)),
    ({"duration": "minutes(90)"}, NOW + timedelta(minutes=90)),
    ({"duration": "days(0)"}, NOW),
    ({"until": "record.due_on"}, datetime(2027, 1, 31, tzinfo=UTC)),
    ({"until": "record.call_at"}, datetime(2026, 11, 24, 14, 0, tzinfo=UTC)),
    ({"until": "now + hours(2)"}, NOW + timedelta(hours=2)),
    ({"until": "steps.ask.day"}, datetime(2020, 2, 29, tzinfo=UTC)),
]
CONTEXT = context(
    record={"due_on": "2027-01-31", "call_at": "2026-11-24T16:00:00+02:00", "name": "Ada"},
    variables={"reminder_days": 5, "word": "soon"},
    steps={"ask": {"day": "2020-02-29"}},
)


@cases(("config", "moment"), WAYS)
def test_the_moment_is_worked_out(config: dict[str, Any], moment: datetime) -> None:
    done = complete("wait", config, CONTEXT)
    assert (done.until, done.outcome, done.ends) == (moment, "default", None)
    assert done.output is not None
    assert datetime.fromisoformat(done.output["until"]) == moment


@cases(
    ("config", "code"),
    [
        ({"duration": "record.name"}, "no_moment"),
        ({"duration": "5"}, "no_moment"),
        ({"duration": "record.nothing"}, "no_moment"),
        ({"duration": "days(99999)"}, "wait_too_long"),
        ({"duration": "days(999999999)"}, "wait_too_long"),
        ({"until": "record.name"}, "no_moment"),
        ({"until": "record.nothing"}, "no_moment"),
        ({"until": "minutes(5)"}, "no_moment"),
        ({"until": "'9999-12-31T23:59:59-10:00'"}, "no_moment"),
        ({"until": "'9999-12-31T23:59:59Z'"}, "wait_too_long"),
    ],
)
def test_what_gives_no_moment_is_said(config: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        complete("wait", config, CONTEXT)
    assert refused.value.code == code


@cases(
    ("config", "ways", "until"),
    [
        ({"event": "message.received", "timeout": "P4D"}, ("event", "timeout"), NOW + timedelta(days=4)),
        (
            {"event": "record.updated", "filter": "record.risk == event.by || variables.reminder_days > 1"},
            ("event",),
            None,
        ),
    ],
)
def test_an_event_is_waited_for(
    config: dict[str, Any], ways: tuple[str, ...], until: datetime | None
) -> None:
    kind, done = steps.get("wait"), complete("wait", config, CONTEXT)
    assert done.awaits is not None
    assert (done.outcome, done.until, done.awaits.kind, done.awaits.until) == ("event", None, "event", until)
    assert done.awaits.outcome == (None if until is None else "timeout")
    read = kind.Config.model_validate(config)
    assert (kind.outcomes(read), kind.outputs(read)) == (ways, frozenset({"until", "event", "at"}))
    assert [(text.field, text.event) for text in kind.expressions(read)] == (
        [("filter", True)] if "filter" in config else []
    )
    assert kind.by_hand(view("wait", config), CONTEXT).outcome == "event"
    if config["event"].startswith("message."):
        assert complete("wait", config, context(record=None)).awaits is not None, "to whom the run wrote"
        return
    with pytest.raises(Invalid) as refused:
        complete("wait", config, context(record=None))
    assert refused.value.code == "no_record"


@cases(
    ("config", "said"),
    [
        ({"event": "message.recieved"}, "is message.received meant?"),
        ({"event": "tag.added", "timeout": "4 days"}, "takes a duration such as P2D"),
        ({"event": "tag.added", "timeout": "P999W"}, "takes a second to ten years"),
        ({"event": "tag.added", "filter": "steps.ask.day == input.x"}, "input, steps is not known here"),
        ({"event": "tag.added", "days": 1}, "in one way"),
        ({"days": 1, "timeout": "P4D"}, "only beside event"),
        ({"days": 1, "also": ["call.ended"]}, "only beside event"),
        ({"event": "tag.added", "also": ["call.end"]}, "call.ended"),
        ({"until": "now", "filter": "true"}, "only beside event"),
    ],
)
def test_what_is_wrong_about_an_event_is_said(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        steps.get("wait").Config.model_validate(config)


@cases(
    "config",
    [
        {},
        {"days": 0},
        {"days": 1.5},
        {"days": 4000},
        {"days": 1, "until": "now"},
        {"duration": "days(1)", "until": "now"},
        {"weeks": 1},
    ],
)
def test_one_way_has_to_be_said(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        steps.get("wait").Config.model_validate(config)


def test_versions_that_wait_for_what_no_longer_happens_are_read() -> None:
    config = steps.get("wait").Config.model_validate(
        {"event": "message.received", "also": ["message.opened"]}
    )
    assert steps.get("wait").says(config) == "Until: a message came in or an e-mail was opened"
