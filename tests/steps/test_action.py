"""One operation that is done by itself."""

from typing import Any

import pytest
from pydantic import ValidationError

from console import steps
from tests.steps.acts import SMALL
from tests.steps.walk import complete, context, view

SMALLEST: dict[str, Any] = {"effect": SMALL["effects"][0]}

ASK: dict[str, Any] = {
    "effect": None,
    "operation": "http",
    "url": "https://api.bank.example/v1/{{ record.id }}",
    "headers": {"X-Desk": "{{ record.desk }}"},
    "body": {"name": "{{ record.name }}", "list": [1, "{{ input.a }}"]},
}
UPDATE: dict[str, Any] = {
    "effect": None,
    "operation": "update",
    "collection": "customer",
    "record": "input.key",
    "values": {"risk": "'low'", "note": "By {{ run.id }}"},
}
FURTHER: list[dict[str, Any]] = [
    {
        "effect": None,
        "operation": "connector",
        "connector": "rest",
        "call": "post",
        "connection": "crm",
        "path": "/customers/{{ record.id }}",
        "values": {"body.name": "record.name"},
        "timeout_s": 30,
    },
    ASK
    | {
        "method": "PUT",
        "secret": "bank",
        "secret_header": "X-Key",
        "success": [200, 404],
        "idempotent": True,
        "timeout_s": 30,
    },
    UPDATE,
    {
        "effect": None,
        "operation": "create",
        "collection": "account",
        "values": {"iban": "'x'"},
        "unique": ["iban"],
    },
    {"effect": None, "operation": "delete"},
]
TEXTS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    (ASK, [], ["url", "headers", "body", "body"]),
    (UPDATE, ["record", "values.risk"], ["values.note"]),
]

WRITE = {"kind": "sql_write", "name": "thing", "summary": "Mends it", "set": {"state": "input.to"}}


def test_it_asks_for_the_effect_with_what_it_is_given() -> None:
    done = complete(
        "action",
        {"effect": WRITE, "values": {"to": "steps.a.state"}},
        context(steps={"a": {"state": "mended"}}),
    )
    told = dict(done.effects[0].told)  # type: ignore[union-attr]
    assert (done.outcome, done.output, told["input"], told["index"]) == (
        "succeeded",
        {"to": "mended"},
        {"to": "mended"},
        0,
    )
    assert "record" not in told


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"effect": {**WRITE, "set": {"state": "steps.a.state"}}}, "does not know steps"),
        ({"effect": WRITE}, "values has no to"),
        ({"effect": {**WRITE, "set": {"state": "1 +"}}}, "ends too early"),
        (
            {
                "effect": WRITE,
                "values": {"to": "1"},
                "outcomes": [{"if": "results.other.x == 1", "outcome": "odd"}],
            },
            "results.thing",
        ),
        ({"effect": {**WRITE, "kind": "smoke_signal"}}, "smoke_signal"),
        ({}, "nothing is done"),
        ({"operation": "update"}, "update needs values"),
        ({"operation": "create", "values": {"a": "1"}}, "create needs collection"),
        ({"operation": "update", "collection": "thing", "values": {"a": "1"}}, "give record"),
        ({"operation": "delete", "url": "https://a.example"}, "url: not a setting of delete"),
        ({"operation": "http"}, "http needs url"),
        ({"operation": "http", "url": "https://{{ record.host }}/x"}, "the host is fixed"),
        ({"operation": "http", "url": "https://me:pass@a.example/x"}, "no address"),
        ({"operation": "http", "url": "https://a.example", "method": "GET", "body": {}}, "GET has no body"),
        (
            {"operation": "http", "url": "https://a.example", "headers": {"Authorization": "x"}},
            "set by the console itself",
        ),
        (
            {
                "operation": "http",
                "url": "https://a.example",
                "outcomes": [{"if": "results.other.x == 1", "outcome": "odd"}],
            },
            "results.http",
        ),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_written(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        steps.get("action").Config.model_validate(config)


def test_its_rules_name_outcomes() -> None:
    kind = steps.get("action")
    config = kind.Config.model_validate(
        {
            "effect": WRITE,
            "values": {"to": "1"},
            "outcomes": [{"if": "results.thing.changed", "outcome": "changed"}],
        }
    )
    assert kind.outcomes(config) == ("succeeded", "changed")
    assert kind.by_hand(view("action", {"effect": WRITE, "values": {"to": "1"}}), context()).effects == ()
