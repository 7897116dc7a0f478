"""Filters as data: what is read, and what is named when it cannot be."""

import json
from datetime import date
from typing import Any

import pytest

from console.core import filters
from console.core.documents.collections import Collection, Stored, assemble
from console.core.filters import Group
from console.errors import Malformed
from tests.tables import cases

Single = filters.Test
KINDS = ("integer", "decimal", "text", "boolean", "date", "datetime", "time", "uuid", "json", "array", "binary", "other")
COLUMNS = [{"name": f"a_{kind}", "stored": kind, "nullable": True} | ({"items": "text"} if kind == "array" else {}) for kind in KINDS]
STRUCTURE = {
    "schema": None,
    "table": "thing",
    "kind": "table",
    "dialect": "sqlite",
    "key": ["a_integer"],
    "columns": COLUMNS,
    "foreign_keys": [],
}
THING: Collection = assemble([Stored("thing", "x", STRUCTURE, {"fields": {"a_time": {"hidden": True}}})])["thing"]
GOOD: dict[str, list[Any]] = {
    "integer": [1, "-5", "2.5", 10**40],
    "decimal": ["12.50", 3, "1" * 40],
    "text": ["", "a", "ä%"],
    "boolean": [True, False],
    "date": ["2026-01-31"],
    "datetime": ["2026-01-31T00:00:00Z", "2026-01-31", "2026-01-31 10:00"],
    "uuid": ["6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e"],
    "array": ["a"],
}
BAD: dict[str, list[Any]] = {
    "integer": ["many", True, [], {}, "NaN", "1e5"],
    "decimal": ["x", False, "Infinity"],
    "text": [5, True, [], {}],
    "boolean": ["true", 1, 0],
    "date": ["2026-02-30", "soon", 5, "2026-1-1"],
    "datetime": ["now", 5],
    "uuid": ["6f1c", 5],
    "array": [5, ["a"]],
    "json": ["x", {}],
    "binary": ["x"],
    "other": ["x"],
}


@cases(("kind", "value"), [(kind, value) for kind, values in GOOD.items() for value in values])
def test_values_that_a_field_can_be_compared_with(kind: str, value: Any) -> None:
    assert filters.read({"field": f"a_{kind}", "op": "eq", "value": value}, THING) == Single(f"a_{kind}", "eq", value)
    assert filters.read({"field": f"a_{kind}", "op": "in", "value": [value, None]}, THING) == Single(f"a_{kind}", "in", [value, None])


@cases(("kind", "value"), [(kind, value) for kind, values in BAD.items() for value in values])
def test_values_that_it_cannot_be_compared_with(kind: str, value: Any) -> None:
    for sent in ({"op": "in", "value": [value, 5.5]}, {"op": "contains" if kind in {"text", "array"} else "gt", "value": value}):
        with pytest.raises(Malformed) as error:
            filters.read({"field": f"a_{kind}", **sent}, THING)
        assert error.value.details[0]["field"] == f"a_{kind}"


@cases(
    ("kind", "op", "fits"),
    [
        *((kind, "gt", kind in {"integer", "decimal", "date", "datetime"}) for kind in GOOD),
        *((kind, "contains", kind in {"text", "array"}) for kind in GOOD),
        *((kind, "starts_with", kind == "text") for kind in GOOD),
        *((kind, "ne", True) for kind in GOOD),
    ],
)
def test_which_op_fits_which_kind(kind: str, op: str, fits: bool) -> None:
    sent = {"field": f"a_{kind}", "op": op, "value": GOOD[kind][0]}
    if fits:
        assert filters.read(sent, THING).to_json() == sent
        return
    with pytest.raises(Malformed, match="means nothing"):
        filters.read(sent, THING)


@cases("kind", KINDS)
def test_every_field_may_be_asked_whether_it_is_null(kind: str) -> None:
    if kind == "time":
        with pytest.raises(Malformed, match="no field"):
            filters.read({"field": "a_time", "op": "is_null"}, THING)
        return
    assert filters.read({"field": f"a_{kind}", "op": "is_null"}, THING) == Single(f"a_{kind}", "is_null", True)
    with pytest.raises(Malformed):
        filters.read({"field": f"a_{kind}", "op": "is_null", "value": "yes"}, THING)


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
    for text in ("{" * 20_000, " " * 50_001, "{'field': 1}", "", '{"field": "a_integer", "op": "eq", "value": Infinity}'):
        with pytest.raises(Malformed):
            filters.parse(text, THING)


def test_a_filter_is_what_was_sent() -> None:
    sent = {
        "and": [
            {"field": "a_decimal", "op": "gte", "value": "12.50"},
            {"or": [{"field": "a_text", "op": "eq", "value": None}, {"field": "a_boolean", "op": "ne", "value": True}]},
        ]
    }
    made = filters.parse(json.dumps(sent), THING)
    assert made.to_json() == sent
    assert [test.field for test in filters.tests(made)] == ["a_decimal", "a_text", "a_boolean"]
    assert filters.tests(None) == []
    assert isinstance(made, Group)
    assert filters.parse('{"field": "a_decimal", "op": "eq", "value": 0.10}', THING) == Single("a_decimal", "eq", "0.10")


def test_days_are_counted_from_the_reader_s_today() -> None:
    today = filters.Today(date(2026, 11, 21), "Europe/Vilnius")
    sent = {"field": "a_datetime", "op": "lt", "value": {"days": -30}}
    made = filters.read(sent, THING, today=today)
    assert made == Single("a_datetime", "lt", "2026-10-21T21:00:00Z", -30), (
        "the beginning of that day in the reader's zone, which was on summer time"
    )
    assert made.to_json() == sent, "a link stays relative"
    assert filters.read({**sent, "field": "a_date"}, THING, today=today) == Single("a_date", "lt", "2026-10-22", -30)
    for value in ({"days": "1"}, {"days": True}, {"days": 40_000}, {"weeks": 1}, {"days": 1, "x": 2}):
        with pytest.raises(Malformed):
            filters.read({**sent, "value": value}, THING, today=today)
    for field in ("a_text", "a_integer"):
        with pytest.raises(Malformed):
            filters.read({**sent, "field": field}, THING, today=today)
    with pytest.raises(Malformed):
        filters.read(sent, THING)
