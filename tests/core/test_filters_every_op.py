"""Every operator against every kind of field: what is read, and that whatever is not is refused by the name of what is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from console.core import filters
from console.core.documents.collections import Collection, Stored, assemble
from console.core.errors import Malformed
from tests.tables import cases

UUID_TEXT = "6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e"
SAMPLES: dict[str, Any] = {
    "integer": 5,
    "decimal": "12.50",
    "text": "a",
    "boolean": True,
    "date": "2026-01-31",
    "datetime": "2026-01-31T10:00:00Z",
    "time": "09:00",
    "uuid": UUID_TEXT,
    "array": "a",
    "json": {"a": 1},
    "binary": "AAAA",
    "other": "x",
}
COLUMNS = [
    {"name": kind, "stored": kind, "nullable": True} | ({"items": "text"} if kind == "array" else {})
    for kind in SAMPLES
]
STRUCTURE = {
    "schema": None,
    "table": "t",
    "kind": "table",
    "dialect": "sqlite",
    "key": ["integer"],
    "columns": COLUMNS,
    "foreign_keys": [],
}
THING: Collection = assemble([Stored("t", "x", STRUCTURE, {})])["t"]
PLAIN = {"integer", "decimal", "text", "boolean", "date", "datetime", "time", "uuid", "array"}
TAKES: dict[str, set[str]] = {
    "eq": PLAIN,
    "ne": PLAIN,
    "in": PLAIN,
    "gt": {"integer", "decimal", "date", "datetime", "time"},
    "gte": {"integer", "decimal", "date", "datetime", "time"},
    "lt": {"integer", "decimal", "date", "datetime", "time"},
    "lte": {"integer", "decimal", "date", "datetime", "time"},
    "contains": {"text", "array"},
    "starts_with": {"text"},
    "is_null": set(SAMPLES),
}


def value_for(op: str, kind: str) -> Any:
    return True if op == "is_null" else [SAMPLES[kind]] if op == "in" else SAMPLES[kind]


def wrong(given_: Any) -> dict[str, Any]:
    """The one detail of the refusal."""
    with pytest.raises(Malformed) as error:
        filters.read(given_, THING)
    assert error.value.status == 400
    (detail,) = error.value.details
    assert detail["reason"] == error.value.message
    return dict(detail)


def test_the_table_has_every_op() -> None:
    assert set(TAKES) == set(filters.OPS)


@cases("kind", SAMPLES)
@cases("op", TAKES)
def test_an_op_is_taken_or_refused_by_the_kind_of_its_field(op: str, kind: str) -> None:
    sent = {"field": kind, "op": op, "value": value_for(op, kind)}
    if kind in TAKES[op]:
        assert filters.read(sent, THING).to_json() == sent
        assert filters.parse(json.dumps(sent), THING).to_json() == sent
    else:
        detail = wrong(sent)
        assert detail["field"] == kind
        assert kind in detail["reason"].lower(), "by its label"


@cases("kind", sorted(PLAIN))
def test_null_stands_for_nothing_in_equality_and_lists_alone(kind: str) -> None:
    for op in ("eq", "ne"):
        assert filters.read({"field": kind, "op": op, "value": None}, THING).to_json()["value"] is None
    assert filters.read({"field": kind, "op": "in", "value": [None]}, THING).to_json()["value"] == [None]
    for op in ("gt", "contains", "starts_with", "is_null", "in"):
        assert wrong({"field": kind, "op": op, "value": None})["field"] == kind


OTHERS = {
    kind: [value for other, value in SAMPLES.items() if other in others]
    for kind, others in {
        "integer": {"text", "boolean", "date", "uuid", "json"},
        "decimal": {"text", "boolean", "time", "json"},
        "text": {"integer", "boolean", "json"},
        "boolean": {"integer", "text", "decimal", "json"},
        "date": {"integer", "text", "time", "datetime", "boolean"},
        "datetime": {"integer", "text", "time", "boolean"},
        "time": {"integer", "text", "date", "boolean"},
        "uuid": {"integer", "text", "date", "boolean"},
        "array": {"integer", "boolean", "json"},
    }.items()
}


@cases(("kind", "value"), [(kind, value) for kind, many in OTHERS.items() for value in many], ids=str)
def test_a_value_of_another_kind_is_refused_alone_and_in_a_list(kind: str, value: Any) -> None:
    for op, given_ in (("eq", value), ("ne", value), ("in", [SAMPLES[kind], value])):
        detail = wrong({"field": kind, "op": op, "value": given_})
        assert detail["field"] == kind
        assert f"which {kind} needs" in detail["reason"].lower()


@cases("value", [5, "a", {}, True, {"0": "a"}, ["a"] * 501], ids=lambda item: str(item)[:20])
def test_in_takes_a_list_of_not_too_many(value: Any) -> None:
    assert wrong({"field": "text", "op": "in", "value": value}) == {
        "field": "text",
        "reason": "text in takes a list of at most 500 values.",
    }


@cases("value", ["true", 1, 0, [], "", {}])
def test_is_null_takes_true_or_false(value: Any) -> None:
    assert (
        wrong({"field": "json", "op": "is_null", "value": value})["reason"]
        == "json is_null takes true or false."
    )


@cases("op", ["EQ", "==", "like", "not_in", "", " eq", "eq ", None, 5, ["eq"], {"eq": 1}, True])
def test_an_unknown_op_is_refused(op: Any) -> None:
    detail = wrong({"field": "text", "op": op, "value": "a"})
    assert detail["field"] in {"op", "text"}


@cases("name", ["nope", "TEXT", "text ", "", "record.text", "text; drop", None, 5, ["text"], {"text": 1}])
def test_an_unknown_field_is_refused(name: Any) -> None:
    wrong({"field": name, "op": "eq", "value": "a"})


@cases("field", list(SAMPLES))
def test_a_field_that_the_reader_may_not_see_is_as_unknown_as_one_that_is_not_there(field: str) -> None:
    reasons = []
    for name, hidden in ((field, frozenset({field})), ("gone", frozenset[str]())):
        with pytest.raises(Malformed) as error:
            filters.read({"field": name, "op": "is_null", "value": True}, THING, hidden)
        reasons.append(error.value.message.replace(name, "?"))
    assert reasons[0] == reasons[1]


@cases(
    "text",
    [
        "",
        " ",
        "{",
        "[]",
        "null",
        "5",
        '"text"',
        "{}",
        "NaN",
        '{"and": 5}',
        '{"and": "text"}',
        '{"or": {}}',
        '{"and": [], "or": []}',
        '{"and": [5]}',
        '{"and": [[]]}',
        '{"not": []}',
        '{"and": [{"field": "text"}]}',
        '{"and": [], "field": "text"}',
        "[" * 50_001,
        "[" * 49_999,
        '{"field": "text", "op": "eq", "value": "a", "more": 1}',
    ],
    ids=lambda text: text[:30],
)
def test_what_is_no_filter_is_malformed(text: str) -> None:
    with pytest.raises(Malformed) as error:
        filters.parse(text, THING)
    assert error.value.details


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.sampled_from([*SAMPLES, *filters.OPS]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["and", "or", "field", "op", "value", "x"]), inner, max_size=3)
        ),
        max_leaves=10,
    )
)
def test_any_json_is_a_filter_that_reads_back_or_malformed(value: Any) -> None:
    try:
        made = filters.read(value, THING)
    except Malformed:
        return
    assert filters.read(made.to_json(), THING) == made
