"""Conditions of segments as rows and as expressions, and two people's changes of one document."""

from typing import Any

import pytest

from console.core import expressions
from console.core.documents.collections import Field
from console.core.documents.collections.condition_rows import (
    FITTING,
    ConditionRow,
    comparisons,
    digits_of,
    in_whole_units,
    offered,
    path_of,
    rows_of,
    text_of,
    together,
)
from console.core.documents.collections.document_merge import compare, merged

FIELDS = {
    "name": Field("name", "Name", "text", "text"),
    "odd name": Field("odd name", "Odd name", "text", "text"),
    "amount": Field("amount", "Amount", "decimal", "decimal"),
    "on": Field("on", "On", "date", "date"),
    "at": Field("at", "At", "datetime", "datetime"),
    "vip": Field("vip", "VIP", "boolean", "boolean"),
    "blob": Field("blob", "Blob", "json", "json"),
}
VALUES = {
    "name": 'a"b',
    "odd name": "x",
    "amount": "12.50",
    "on": "2026-01-31",
    "at": "2026-01-31",
    "vip": "",
    "blob": "",
}


def test_every_comparison_of_every_field_is_read_back_as_it_was_made() -> None:
    for joined in ("all", "any"):
        rows = [
            ConditionRow(
                name,
                comparison,
                "7"
                if comparison in ("last", "older", "next")
                else ""
                if comparison in ("empty", "filled", "yes", "no", "past", "ahead")
                else VALUES[name],
            )
            for name, field in FIELDS.items()
            for comparison in comparisons(field)
        ]
        text = together([text_of(row, FIELDS) for row in rows], joined)
        expressions.parse(text)
        assert rows_of(text) == (joined, rows)
    assert {kind for _, _, kinds in offered() for kind in kinds.split()} == set(FITTING)


AMOUNTS = {
    "euros": Field("euros", "Euros", "money", "integer", currency="EUR", minor=True),
    "yen": Field("yen", "Yen", "money", "integer", currency="JPY", minor=True),
    "dinars": Field("dinars", "Dinars", "money", "integer", currency="KWD", minor=True),
    "plain": Field("plain", "Plain", "money", "decimal", currency="EUR"),
}


@pytest.mark.parametrize(
    ("name", "typed", "held"),
    [
        ("euros", "-0.01", "-1"),
        ("euros", "90071992547409.93", "9007199254740993"),
        ("yen", "1000", "1000"),
        ("dinars", "1.234", "1234"),
        ("plain", "12.50", "12.50"),
    ],
)
def test_an_amount_is_typed_in_whole_units_and_held_in_the_smallest(name: str, typed: str, held: str) -> None:
    field = AMOUNTS[name]
    text = text_of(ConditionRow(name, ">=", typed), AMOUNTS)
    assert text == f"record.{name} >= {held}"
    found = rows_of(text)
    assert found is not None
    assert in_whole_units(found[1][0], digits_of(field)) == ConditionRow(name, ">=", typed)
    assert rows_of(text, AMOUNTS) == ("all", [ConditionRow(name, ">=", typed)])


def test_several_amounts_of_a_row_are_converted_one_by_one_and_a_person_is_left_alone() -> None:
    assert text_of(ConditionRow("euros", "in", "1, 2.50,3"), AMOUNTS) == "record.euros in [100, 250, 300]"
    assert in_whole_units(ConditionRow("euros", "in", "100, 250, 300"), 2).value == "1, 2.5, 3"
    for row in (
        ConditionRow("euros", "empty"),
        ConditionRow("euros", "==", "$currentUser.tags.limit"),
        ConditionRow("euros", "==", "x"),
    ):
        assert in_whole_units(row, 2) == row
    assert (
        text_of(ConditionRow("euros", "==", "$currentUser.tags.limit"), AMOUNTS)
        == "record.euros == $currentUser.tags.limit"
    )


def test_rows_of_a_workflow_name_whole_paths() -> None:
    text = 'input.amount > 500 && steps.ask.reason == "late" && record.vip == true'
    assert rows_of(text) is None
    assert rows_of(text, named=path_of) == (
        "all",
        [
            ConditionRow("input.amount", ">", "500"),
            ConditionRow("steps.ask.reason", "==", "late"),
            ConditionRow("record.vip", "yes"),
        ],
    )
    for other in ("$currentUser.name == 'a'", "now > 1", "steps.a[0].b == 1", "record == 1"):
        assert rows_of(other, named=path_of) is None, other


BASE: dict[str, Any] = {
    "label": "A",
    "columns": ["a", "b"],
    "fields": {"a": {"label": "x"}},
    "segments": [{"id": "one", "label": "1"}, {"id": "two", "label": "2"}],
    "summary": {"sections": [{"label": "S", "fields": ["a"]}]},
}


def test_changes_of_different_places_come_together() -> None:
    mine = BASE | {
        "label": "Mine",
        "segments": [BASE["segments"][1], BASE["segments"][0]],
        "fields": {"a": {"label": "x", "help": "h"}},
    }
    theirs = BASE | {
        "columns": ["b"],
        "segments": [*BASE["segments"], {"id": "three", "label": "3"}],
        "fields": {"a": {"label": "y"}},
    }
    rows = compare(BASE, mine, theirs)
    assert {(row.path, row.by, row.disputed) for row in rows} >= {
        ("label", "me", False),
        ("columns", "them", False),
        ("fields.a.help", "me", False),
    }
    both = merged(BASE, mine, theirs, [])
    assert (both["label"], both["columns"], both["fields"]) == (
        "Mine",
        ["b"],
        {"a": {"label": "y", "help": "h"}},
    )
    assert [entry["id"] for entry in both["segments"]] == ["two", "one", "three"]
    assert both["summary"] == BASE["summary"]


def test_what_a_form_leaves_as_it_is_changes_nothing_and_each_field_is_a_place_of_its_own() -> None:
    mine = {
        "label": "Mine",
        "fields": {"a": {}, "b": {"hidden": False}, "c": {"label": "x", "options": []}},
        "summary": {},
    }
    rows = compare({}, mine, {"label": "Theirs", "fields": {"c": {"help": "h"}}})
    assert {(row.path, row.by, row.disputed) for row in rows} == {
        ("label", "both", True),
        ("fields.b.hidden", "me", False),
        ("fields.c.label", "me", False),
        ("fields.c.help", "them", False),
    }
    assert merged({}, mine, {"fields": {"c": {"help": "h"}}}, [])["fields"] == {
        "b": {"hidden": False},
        "c": {"label": "x", "help": "h"},
    }


def test_a_disputed_place_is_theirs_unless_mine_wins() -> None:
    mine = BASE | {"columns": ["a"], "fields": {}}
    theirs = BASE | {"columns": ["b", "a"], "fields": {"a": {"label": "x", "hidden": True}}}
    disputed = {row.path for row in compare(BASE, mine, theirs) if row.disputed}
    assert "columns" in disputed
    assert merged(BASE, mine, theirs, [])["columns"] == ["b", "a"]
    won = merged(BASE, mine, theirs, disputed)
    assert won["columns"] == ["a"]
    assert "fields" not in won
    assert merged(BASE, BASE, theirs, disputed) == theirs
    same = compare(BASE, theirs, theirs)
    assert not any(row.disputed for row in same)
    assert merged(BASE, theirs, theirs, []) == theirs
