"""Filters as data: malformed ones, their bounds, and days from the reader's today. Each operator: test_filters_every_op.py."""

import json
from datetime import date
from typing import Any

import pytest

from console.core import filters
from console.core.documents.collections import Collection, Stored, assemble
from console.core.errors import Malformed
from console.core.filters import Group
from tests.tables import cases

Single = filters.Test
KINDS = (
    "integer",
    "decimal",
    "text",
    "boolean",
    "date",
    "datetime",
    "time",
    "uuid",
    "json",
    "array",
    "binary",
    "other",
)
COLUMNS = [
    {"name": f"a_{kind}", "stored": kind, "nullable": True} | ({"items": "text"} if kind == "array" else {})
    for kind in KINDS
]
STRUCTURE = {
    "schema": None,
    "table": "thing",
    "kind": "table",
    "dialect": "sqlite",
    "key": ["a_integer"],
    "columns": COLUMNS,
    "foreign_keys": [],
}
THING: Collection = assemble([Stored("thing", "x", STRUCTURE, {"fields": {"a_time": {"hidden": True}}})])[
    "thing"
]


@cases(
    ("sent", "named"),
    [
        (5, "filter"),
        (None, "filter"),
        ([], "filter"),
        ({}, "filter"),
        ({"field": "nope", "op": "eq", "value": 1}, "nope"),
        ({"field": ["a_text"], "op": "eq", "value": 1}, "['a_text']"),
        ({"field": "secret", "op": "eq", "value": 1}, "secret"),
        ({"field": "a_text", "op": "regex", "value": "x"}, "a_text"),
        ({"field": "a_text", "op": None, "value": "x"}, "a_text"),
        ({"field": "a_text", "op": ["eq"], "value": "x"}, "a_text"),
        ({"field": "a_text", "op": "eq"}, "a_text"),
        ({"field": "a_text", "op": "in", "value": "abc"}, "a_text"),
        ({"field": "a_text", "op": "in", "value": ["a"] * 501}, "a_text"),
        ({"field": "a_text", "op": "eq", "value": "x" * 2001}, "a_text"),
        ({"and": [], "or": []}, "and"),
        ({"and": {}}, "and"),
        ({"or": "ab"}, "or"),
        ({"not": {}}, "not"),
        ({"and": [{"field": "a_text", "op": "is_null"}] * 101}, "filter"),
    ],
)
def test_what_is_no_filter_is_named(sent: Any, named: str) -> None:
    with pytest.raises(Malformed) as error:
        filters.read(sent, THING, frozenset({"secret"}))
    assert error.value.details[0]["field"] == named


def test_depth_and_length_are_bounded() -> None:
    nested: Any = {"field": "a_text", "op": "is_null"}
    for _ in range(9):
        nested = {"and": [nested]}
    filters.read(nested, THING)
    with pytest.raises(Malformed, match="levels"):
        filters.read({"or": [nested]}, THING)
    for text in (
        "{" * 20_000,
        " " * 50_001,
        "{'field': 1}",
        "",
        '{"field": "a_integer", "op": "eq", "value": Infinity}',
    ):
        with pytest.raises(Malformed):
            filters.parse(text, THING)


def test_a_filter_is_what_was_sent() -> None:
    sent = {
        "and": [
            {"field": "a_decimal", "op": "gte", "value": "12.50"},
            {
                "or": [
                    {"field": "a_text", "op": "eq", "value": None},
                    {"field": "a_boolean", "op": "ne", "value": True},
                ]
            },
        ]
    }
    made = filters.parse(json.dumps(sent), THING)
    assert made.to_json() == sent
    assert [test.field for test in filters.tests(made)] == ["a_decimal", "a_text", "a_boolean"]
    assert filters.tests(None) == []
    assert isinstance(made, Group)
    assert filters.parse('{"field": "a_decimal", "op": "eq", "value": 0.10}', THING) == Single(
        "a_decimal", "eq", "0.10"
    )


def test_days_are_counted_from_the_reader_s_today() -> None:
    today = filters.Today(date(2026, 11, 21), "Europe/Vilnius")
    sent = {"field": "a_datetime", "op": "lt", "value": {"days": -30}}
    made = filters.read(sent, THING, today=today)
    assert made == Single("a_datetime", "lt", "2026-10-21T21:00:00Z", -30), (
        "the beginning of that day in the reader's zone, which was on summer time"
    )
    assert made.to_json() == sent, "a link stays relative"
    assert filters.read({**sent, "field": "a_date"}, THING, today=today) == Single(
        "a_date", "lt", "2026-10-22", -30
    )
    for value in ({"days": "1"}, {"days": True}, {"days": 40_000}, {"weeks": 1}, {"days": 1, "x": 2}):
        with pytest.raises(Malformed):
            filters.read({**sent, "value": value}, THING, today=today)
    for field in ("a_text", "a_integer"):
        with pytest.raises(Malformed):
            filters.read({**sent, "field": field}, THING, today=today)
    with pytest.raises(Malformed):
        filters.read(sent, THING)
