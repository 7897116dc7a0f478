"""Figures told apart by values and periods: the same in PostgreSQL and SQLite as reckoned from the rows, within the scope."""

import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from console import records
from console.core import expressions
from console.core.scopes import Scope, whole
from console.errors import Malformed, TooSlow
from console.records import grouped, time_limit
from console.records.grouped import By
from console.records.value_counts import steps_between
from console.workspaces.workspace_figures import end_of, starts
from tests.tables import cases

SOURCES = ["shop", "file"]


def everyone(source: str) -> Scope:
    return whole(f"{source}.customer")


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
    assert grouped.grouped(of, everyone(source), measure="distinct", field="kind")[0].value == len({row["kind"] for row in known})
    persons = replace(everyone(source), everything=False, allow=(expressions.parse("record.kind == 'person'"),))
    assert [each.keys for each in grouped.grouped(of, persons, measure="count", by=[By("kind")])] == [("person",)]
    assert grouped.grouped(of, everyone(source), measure="count", where=[expressions.parse("record.id < 0")])[0].value == 0
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
    found = grouped.grouped(f"{source}.customer", everyone(source), measure="count", by=[By("seen_at", period)], zone=zone)
    expected: dict[str | None, int] = {}
    for at in [
        row["seen_at"] for row in rows(source) if row["seen_at"] is None or row["seen_at"][0].isdigit()
    ]:  # the shop has infinite moments
        key = starts(period, 1, datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).date())[0].isoformat() if at else None
        expected[key] = expected.get(key, 0) + 1
    assert {each.keys[0]: each.value for each in found if each.keys[0] is None or each.keys[0][0].isdigit()} == expected


@pytest.mark.parametrize("source", SOURCES)
def test_a_stage_counts_those_that_passed_all_before_it(shops: None, source: str) -> None:
    stages = [expressions.parse(text) for text in ("record.id > 0", "record.kind == 'person'", "record.balance > 0")]
    known = rows(source)
    persons = [row for row in known if row["kind"] == "person"]
    rich = [row for row in persons if row["balance"] is not None and Decimal(row["balance"]) > 0]
    assert grouped.staged(f"{source}.customer", everyone(source), stages) == [len(known), len(persons), len(rich)]


@cases("period", ["day", "week", "month", "quarter", "year"])
def test_periods_follow_one_another_without_a_gap(period: str) -> None:
    for day in (date(2024, 2, 29), date(2026, 1, 1), date(2026, 12, 31), date(2026, 3, 31)):
        found = starts(period, 9, day)
        assert [end_of(period, one) for one in found[:-1]] == found[1:]
        assert found[-1] <= day < end_of(period, found[-1])
        assert end_of(period, found[-1]) - found[-1] >= timedelta(days=1)


@pytest.mark.parametrize("source", SOURCES)
def test_a_column_is_counted_whole_and_only_begun_where_that_takes_too_long(
    shops: None, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, known = f"{source}.customer", rows(source)
    monkeypatch.setattr(sys.modules["console.records.value_counts"], "CAP", 2)
    begun, found = (records.value_counts(of, everyone(source), "id", whole=every, most=3) for every in (False, True))
    assert (begun.cut, sum(number for _, number in begun.counts)) == (True, 3)
    assert (found.cut, found.others) == (False, len(known) - 3)
    for every in (False, True):
        spread = records.value_ranges(of, everyone(source), "id", whole=every)
        assert (spread.cut, sum(each.number for each in spread.ranges)) == (not every, len(known) if every else 3)

    def slow(*_: object) -> None:
        raise TooSlow("Too long.")

    monkeypatch.setattr(time_limit, "within", slow)
    assert records.value_counts(of, everyone(source), "id", whole=True).cut
    assert records.value_ranges(of, everyone(source), "id", whole=True).cut


@pytest.mark.parametrize("source", SOURCES)
def test_numbers_and_dates_fall_into_ranges_that_hold_them_all(shops: None, source: str) -> None:
    of, known = f"{source}.customer", rows(source)
    for name in ("balance", "seen_at", "id"):
        found = records.value_ranges(of, everyone(source), name)
        finite = [row[name] for row in known if row[name] is not None and str(row[name])[-1] not in "yN"]
        empty = sum(row[name] is None for row in known)
        assert sum(one.number for one in found.ranges) + found.unplaced == len(known)
        assert sum(one.number for one in found.ranges if one.low is None) == empty
        assert found.unplaced == len(known) - len(finite) - empty
        for one in found.ranges:
            if one.low is not None and not found.period:
                assert one.number == sum(Decimal(one.low) <= Decimal(value) < Decimal(one.below) for value in finite), (name, one)
    assert records.value_ranges(of, everyone(source), "seen_at").period in ("day", "week", "month", "quarter", "year")


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Tokyo", "UTC"])
@pytest.mark.parametrize("source", SOURCES)
def test_days_of_moments_are_those_of_the_readers_zone(shops: None, source: str, zone: str) -> None:
    seen = [row["seen_at"] for row in rows(source)]
    days = [datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).date() for at in seen if at and at[0].isdigit()]
    found = records.value_ranges(f"{source}.customer", everyone(source), "seen_at", zone=zone)
    told = [(date.fromisoformat(one.low), date.fromisoformat(one.below), one.number) for one in found.ranges if one.low is not None]
    assert [sum(low <= day < below for day in days) for low, below, _ in told] == [number for _, _, number in told]
    assert sum(number for _, _, number in told) + found.unplaced + seen.count(None) == len(seen)


@cases(
    ("low", "high", "whole", "first", "steps"),
    [
        ("0", "0", True, "0", 1), ("1", "12", True, "1", 12), ("3", "4199", True, "0", 9), ("-7.5", "12", False, "-8", 11), ("0.35", "0.35", False, "0", 1),
        ("0.01", "0.09", False, "0.01", 9),
    ],
)  # fmt: skip
def test_steps_are_round_and_few(low: str, high: str, whole: bool, first: str, steps: int) -> None:
    found = steps_between(Decimal(low), Decimal(high), whole=whole)
    assert (found[0], len(found) - 1) == (Decimal(first), steps)
    assert found[0] <= Decimal(low)
    assert found[-1] > Decimal(high)
