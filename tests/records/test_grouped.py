"""Figures told apart by values and periods: the same in PostgreSQL and SQLite as reckoned from the rows, within the scope."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from console import records
from console.core import expressions
from console.core.errors import Malformed
from console.core.scopes import Scope, unrestricted
from console.records import grouped
from console.records.grouped import By
from console.workspaces.workspace_figures import starts

SOURCES = ["shop", "file"]


def everyone(source: str) -> Scope:
    return unrestricted(f"{source}.customer")


def rows(source: str) -> list[dict[str, Any]]:
    return [row.values for row in records.page(f"{source}.customer", everyone(source), limit=200).rows]


@pytest.mark.parametrize("source", SOURCES)
def test_values_are_counted_and_added_as_by_hand(shops: None, source: str) -> None:
    known, of = rows(source), f"{source}.customer"
    found = grouped.grouped(of, everyone(source), measure="count", by=[By("kind")])
    assert {each.keys[0]: each.value for each in found} == {
        kind: sum(row["kind"] == kind for row in known) for kind in {row["kind"] for row in known}
    }
    assert [each.value for each in found] == sorted((each.value for each in found), reverse=True)
    total = grouped.grouped(of, everyone(source), measure="sum", field="balance")[0].value
    assert Decimal(total) == sum(Decimal(row["balance"]) for row in known if row["balance"] is not None)
    assert grouped.grouped(of, everyone(source), measure="distinct", field="kind")[0].value == len(
        {row["kind"] for row in known}
    )
    persons = replace(
        everyone(source), everything=False, allow=(expressions.parse("record.kind == 'person'"),)
    )
    assert [each.keys for each in grouped.grouped(of, persons, measure="count", by=[By("kind")])] == [
        ("person",)
    ]
    assert (
        grouped.grouped(of, everyone(source), measure="count", where=[expressions.parse("record.id < 0")])[
            0
        ].value
        == 0
    )
    by_id = grouped.grouped(of, everyone(source), measure="sum", field="ratio", by=[By("id")])
    assert [each.keys[0] for each in by_id][:2] == [4, 1], "what is empty or no finite number leads nobody"
    with pytest.raises(Malformed, match="no number"):
        grouped.grouped(of, everyone(source), measure="sum", field="name")
    with pytest.raises(Malformed, match="no day"):
        grouped.grouped(of, everyone(source), measure="count", by=[By("name", "day")])


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("period", ["day", "week", "month", "quarter", "year"])
def test_periods_begin_on_the_same_day_everywhere(shops: None, source: str, period: str, zone: str) -> None:
    found = grouped.grouped(
        f"{source}.customer", everyone(source), measure="count", by=[By("seen_at", period)], zone=zone
    )
    expected: dict[str | None, int] = {}
    for at in [
        row["seen_at"] for row in rows(source) if row["seen_at"] is None or row["seen_at"][0].isdigit()
    ]:  # the shop has infinite moments
        key = (
            starts(period, 1, datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).date())[0].isoformat()
            if at
            else None
        )
        expected[key] = expected.get(key, 0) + 1
    assert {
        each.keys[0]: each.value for each in found if each.keys[0] is None or each.keys[0][0].isdigit()
    } == expected


@pytest.mark.parametrize("source", SOURCES)
def test_a_stage_counts_those_that_passed_all_before_it(shops: None, source: str) -> None:
    stages = [
        expressions.parse(text) for text in ("record.id > 0", "record.kind == 'person'", "record.balance > 0")
    ]
    known = rows(source)
    persons = [row for row in known if row["kind"] == "person"]
    rich = [row for row in persons if row["balance"] is not None and Decimal(row["balance"]) > 0]
    assert grouped.staged(f"{source}.customer", everyone(source), stages) == [
        len(known),
        len(persons),
        len(rich),
    ]
