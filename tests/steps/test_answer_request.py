"""Answer a request: its settings, the form of the schema, and what is left. Over the API: tests/views/test_api_requests.py."""

import json
from typing import Any

import pytest

from console.core.errors import Invalid
from console.formats import schema_fields
from tests.steps.walk import complete, context, prepare

SCHEMA = {
    "type": "object",
    "properties": {
        "ok": {"type": "boolean"},
        "amount": {"type": "number"},
        "to": {"type": "string", "readOnly": True},
    },
    "required": ["ok"],
}
QUOTED = json.dumps(SCHEMA).join("''")
SMALLEST: dict[str, Any] = {"schema": QUOTED}
HANDED_IN: tuple[dict[str, Any], str | None] = ({"rejected_because": "No"}, "rejected")
FURTHER: list[dict[str, Any]] = [{"context": "'[]'", "tool_call": "'{}'", "text": "Look."}]
TEXTS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    (
        {"context": "record.email", "tool_call": "record.email", "text": "For {{ record.email }}"},
        ["schema", "context", "tool_call"],
        ["text"],
    )
]
MASKED: dict[str, Any] = {
    "schema": "record.tax_id",
    "context": "record.tax_id",
    "tool_call": "record.tax_id",
    "text": "Of {{ record.tax_id }}",
}
CALL = {"name": "pay", "arguments": {"ok": True, "amount": 42.5, "to": "LT1"}}
CONFIG: dict[str, Any] = {"schema": "input.schema", "tool_call": "input.call", "context": "input.context"}


def asked(call: Any = None, beside: Any = None) -> Any:
    sent = {"schema": SCHEMA, "call": call, "context": beside}
    return context(input={name: json.dumps(value) for name, value in sent.items() if value})


def test_the_form_is_the_schema_and_starts_with_the_arguments() -> None:
    prompt = prepare(
        "answer_request", CONFIG, asked(CALL, [{"label": "Says", "value": "x" * 9000, "kind": "claim"}])
    )
    assert [(field.name, field.type, field.value, field.readonly) for field in prompt.fields] == [
        ("ok", "boolean", True, False),
        ("amount", "decimal", "42.5", False),
        ("to", "long_text", "LT1", True),
        ("rejected_because", "long_text", None, False),
    ]
    assert [(option.label, option.required) for option in prompt.outcomes] == [
        ("Approve", ("ok",)),
        ("Reject", ("rejected_because",)),
    ]
    assert not any(field.readonly for field in prepare("answer_request", CONFIG, asked()).fields)
    assert prompt.notes[0] == ("Tool", "pay")
    assert len(prompt.notes[1][1]) == 2001


def test_what_is_left_is_as_the_schema_says_with_what_was_edited() -> None:
    done = complete(
        "answer_request", CONFIG, asked(CALL), {"ok": True, "amount": "40", "to": "LT2"}, "answered"
    )
    assert done.output is not None
    assert json.loads(done.output["answer"]) == {"ok": True, "amount": 40.0, "to": "LT1"}
    assert done.output["changed"] == ["amount"]
    rejected = complete(
        "answer_request", CONFIG, asked(CALL), {"ok": True, "rejected_because": "No"}, "rejected"
    )
    assert (rejected.outcome, rejected.values) == ("rejected", {"rejected_because": "No"})


@pytest.mark.parametrize(
    ("values", "outcome", "field"),
    [
        ({}, "answered", "ok"),
        ({"ok": True, "amount": "much"}, "answered", "amount"),
        ({"ok": True, "other": 1}, "answered", "other"),
        ({}, "rejected", "rejected_because"),
        ({"ok": True}, "perhaps", "outcome"),
        ({"ok": True}, None, "outcome"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(values: Any, outcome: str | None, field: str) -> None:
    with pytest.raises(Invalid) as wrong:
        complete("answer_request", CONFIG, asked(), values, outcome)
    assert [each["field"] for each in wrong.value.details] == [field]


@pytest.mark.parametrize(
    ("schema", "sent", "told"),
    [
        ({"type": "number"}, "1.5", 1.5),
        ({"type": "string"}, "1.5", "1.5"),
        ({"type": "array", "items": {"type": "number"}}, ["1.5", "x"], [1.5, "x"]),
        (
            {"type": "object", "properties": {"a": {"type": "number"}}},
            {"a": "2.0", "b": "2.0"},
            {"a": 2.0, "b": "2.0"},
        ),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "1.5", 1.5),
        ({}, "1.5", "1.5"),
    ],
)
def test_numbers_that_a_run_has_as_texts_are_numbers_again(schema: Any, sent: Any, told: Any) -> None:
    assert schema_fields.typed(schema, sent) == told


@pytest.mark.parametrize(
    "sent",
    [
        {"schema": "["},
        {"schema": {"type": "object", "properties": {"x": {"type": "string", "maxLength": "5"}}}},
        {"schema": {"type": "object", "properties": {"x": {"anyOf": 5}}}},
        {"schema": {"type": "object", "properties": {"x": {"$ref": "#"}}}},
        {"schema": {"properties": {"x": {}}, "$defs": [1]}, "call": [1]},
        {"schema": SCHEMA, "call": {"arguments": [1]}, "context": [1, {"label": "x"}, {"kind": []}]},
        {"schema": {"type": "object", "properties": {"n": {"type": "integer", "maximum": 1e999}}}},
    ],
    ids=str,
)
def test_whatever_stands_there_can_be_shown_and_rejected_and_is_answered_only_by_its_form(sent: Any) -> None:
    """Not only the API fills the start: whoever may start the workflow types there, or another step has what a model said."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in sent.items()}
    at = context(input={"call": None, "context": None} | texts)
    fields = [field.name for field in prepare("answer_request", CONFIG, at).fields]
    rejected = complete("answer_request", CONFIG, at, {"rejected_because": "No"}, "rejected")
    assert rejected.outcome == "rejected"
    if fields == ["rejected_because"]:
        with pytest.raises(Invalid):
            complete("answer_request", CONFIG, at, {}, "answered")
