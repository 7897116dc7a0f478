"""Rows of conditions in the builder of workspaces, and the expressions that they stand for."""

from dataclasses import replace

import pytest

from console.core import expressions
from console.core.documents.collections import Field
from console.core.documents.collections.condition_rows import (
    DAYS,
    EXPRESSION,
    OPERATORS,
    VALUELESS,
    ConditionRow,
    comparisons,
    parts_of,
    row_of,
    text_of,
    together,
)
from console.core.documents.collections.model import Option
from console.views.workspaces import links

FIELDS = {
    field.name: field
    for field in (
        Field("name", "Name", "text", "text"),
        Field("odd name", "Odd name", "text", "text"),
        Field("state", "State", "enum", "text", options=(Option("open", "Open"), Option("shut", "Shut"))),
        Field("amount", "Amount", "decimal", "decimal"),
        Field("cents", "Cents", "money", "integer", currency="EUR", minor=True),
        Field("own", "Own", "money", "integer", currency="code", minor=True),
        Field("on", "On", "date", "date"),
        Field("at", "At", "datetime", "datetime"),
        Field("vip", "VIP", "boolean", "boolean"),
        Field("blob", "Blob", "json", "json"),
    )
}
VALUES = {
    "name": 'a"b',
    "odd name": "input.x",
    "state": "open",
    "amount": "12.50",
    "cents": "12.5",
    "own": "12.5",
    "on": "2026-01-31",
    "at": "2026-01-31",
}
WRITTEN = (
    "record.name == 1 && record.amount == 2",
    "record.gone == 1",
    "record.at >= addDays(now, -365)",
    "record.name ==",
    "record.vip",
    '"a" == record.name',
    "record.team.name == input.x",
    "record.name.contains(input.x)",
    'record.amount == "12"',
    "record.amount == record.cents",
    'record.name in ["a, b"]',
    'record.on < "tomorrow"',
    'record.name == " a"',
    "record.name == steps.a.b",
    "record.amount == null || input.free",
)


def test_every_row_comes_back_from_its_expression() -> None:
    for field in FIELDS.values():
        for comparison in comparisons(field):
            value = "" if comparison in VALUELESS else "7" if comparison in DAYS else VALUES[field.name]
            lines = [ConditionRow(field.name, comparison, value)]
            lines += [
                ConditionRow(field.name, comparison, "", path)
                for path in ("input.x", "selected.y.z", "me.email")
                if comparison in OPERATORS
            ]
            for line in lines:
                text = text_of(line, FIELDS)
                assert replace(row_of(text, FIELDS), was="") == line, text


def test_every_row_over_the_workspace_comes_back_too() -> None:
    for root in ("selected.x", "selected.x.team", "input"):
        fields = {f"{root}.{name}": field for name, field in FIELDS.items()}
        for key, field in fields.items():
            for comparison in comparisons(field):
                line = ConditionRow(
                    key,
                    comparison,
                    "" if comparison in VALUELESS else "7" if comparison in DAYS else VALUES[field.name],
                )
                text = text_of(line, fields)
                assert text.startswith(root)
                assert replace(row_of(text, fields), was="") == line, text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("all", [])),
        ("input.a", ("all", ["input.a"])),
        ("input.a && me.b == '&&'", ("all", ["input.a", "me.b == '&&'"])),
        ("input.a && input.b || input.c", ("any", ["input.a && input.b", "input.c"])),
        ("(input.a || input.b) && input.c", ("all", ["(input.a || input.b)", "input.c"])),
    ],
)
def test_an_expression_is_rows_by_what_joins_it(text: str, parts: tuple[str, list[str]]) -> None:
    assert parts_of(text) == parts
    assert together(parts[1], parts[0]) == text
    assert together([part.replace(" ", "  ") for part in parts[1]], parts[0], text) in (
        text,
        text.replace(" ", "  "),
    )


def test_a_row_of_text_that_holds_an_or_stays_one_condition() -> None:
    assert together(["input.a || input.b", "input.c"], "all") == "(input.a || input.b) && input.c"
    assert together(["input.a || input.b"], "all") == "input.a || input.b"


@pytest.mark.parametrize("text", WRITTEN)
def test_what_no_row_says_stays_as_it_was_written(text: str) -> None:
    line = row_of(text, FIELDS)
    assert (line.field, line.value) == (EXPRESSION, text)
    assert text_of(line, FIELDS) == text


def test_a_row_that_nobody_touched_keeps_the_writing_of_its_expression() -> None:
    line = row_of('record.name=="a"', FIELDS)
    assert (line.field, text_of(line, FIELDS)) == ("name", 'record.name=="a"')
    assert text_of(replace(line, value="b"), FIELDS) == 'record.name == "b"'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (ConditionRow("name", "==", ""), "Say what Name is compared with."),
        (ConditionRow("amount", "<", "much"), "Amount is a number: much is none."),
        (ConditionRow("on", "<", "tomorrow"), "Write a day as 2026-12-31: tomorrow is none."),
        (ConditionRow("at", "last", "a few"), "Say a number of days."),
        (ConditionRow("gone", "==", "1"), "There is no field gone any more: choose another one."),
        (ConditionRow("blob", "==", "1"), "Blob cannot be compared so: choose how."),
        (ConditionRow("name", "==", "", "input.x || true"), "Choose what it is compared with."),
    ],
)
def test_a_row_that_lacks_something_says_what(line: ConditionRow, reason: str) -> None:
    with pytest.raises(ValueError, match="^" + reason.replace(".", r"\.") + "$"):
        text_of(line, FIELDS)


def test_the_list_behind_a_figure_has_the_amount_of_each_currency() -> None:
    (made,) = links.filters_of([expressions.parse("record.own >= minor(12.5, record.code)")], {}) or [None]
    amounts = {of["and"][0]["value"][0]: of["and"][1]["value"] for of in made["or"]}
    assert (amounts["BIF"], amounts["AED"], amounts["BHD"]) == (13, 1250, 12500)
    assert links.filters_of([expressions.parse("record.own >= minor(record.cents, record.code)")], {}) is None
