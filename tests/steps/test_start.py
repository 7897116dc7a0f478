"""Start: the input of a run, made canonical or refused field by field."""

from typing import Any

import pytest
from pydantic import ValidationError

from console.core.errors import Invalid
from console.steps.start import StartConfig
from tests.steps.walk import complete, context, prepare
from tests.tables import cases

SMALLEST: dict[str, Any] = {}

REVIEW: dict[str, Any] = {
    "fields": [
        {
            "name": "reason",
            "label": "Reason",
            "type": "enum",
            "required": True,
            "options": [{"value": "new", "label": "New"}, {"value": "event", "label": "Event"}],
        },
        {
            "name": "event_note",
            "label": "What happened",
            "type": "long_text",
            "required_if": 'input.reason == "event"',
        },
        {"name": "desk", "label": "Desk", "value": "$currentUser.tags.desks[0]"},
    ]
}


def test_the_form_starts_with_defaults_and_what_was_given() -> None:
    fields = {
        field.name: field for field in prepare("start", REVIEW, context(input={"reason": "event"})).fields
    }
    assert fields["reason"].value == "event"
    assert fields["event_note"].required
    assert fields["desk"].value == "retail"
    fields = {field.name: field for field in prepare("start", REVIEW, context()).fields}
    assert (fields["reason"].required, fields["event_note"].required) == (True, False)
    assert prepare("start", REVIEW, context()).button == "Start"


def test_the_input_is_the_output() -> None:
    done = complete("start", REVIEW, context(), {"reason": "event", "event_note": "A letter\r\ncame"})
    assert (done.outcome, done.values, done.output) == (
        "default",
        {"reason": "event", "event_note": "A letter\ncame", "desk": "retail"},
        None,
    )


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, ["reason"]),
        ({"reason": "old"}, ["reason"]),
        ({"reason": "event"}, ["event_note"]),
        ({"reason": "event", "event_note": "  "}, ["event_note"]),
        ({"reason": "new", "resaon": "x", "event_note": 1}, ["resaon", "event_note"]),
    ],
)
def test_bad_input_names_every_field(given: dict[str, Any], wrong: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        complete("start", REVIEW, context(), given)
    assert [detail["field"] for detail in caught.value.details] == wrong


@cases(
    ("field", "said"),
    [
        ({"type": "enum"}, "needs options"),
        ({"type": "reference"}, "needs the collection"),
        ({"type": "file"}, "there is no run yet that files could be kept with"),
        ({"type": "integer", "default": "three"}, "the default does not fit"),
        ({"readonly": True}, "needs a value"),
        (
            {"type": "enum", "options": [{"value": "a", "label": "A"}, {"value": "a", "label": "B"}]},
            "same value",
        ),
        ({"min": 1.5}, "min"),
    ],
)
def test_a_field_that_cannot_work_is_refused(field: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        StartConfig.model_validate({"fields": [{"name": "x", "label": "X", **field}]})
