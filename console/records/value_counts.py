"""How often each value of a field stands in a list, or how many values stand in each of some ranges: over all records where the database counts them
in time, else over the first `CAP`.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.documents.collections import Collection, Field
from console.core.expressions.search_syntax import Sought
from console.core.filters import Filter
from console.core.scopes import Scope
from console.errors import TooSlow
from console.records import catalogue, other_types, periods, time_limit
from console.records.record_pages import list_conditions, read
from console.records.sql_tables import Chosen, Table, table_of
from console.records.totals import sound_column

T = TypeVar("T")
CAP = 10_000
WHOLE_S = 2.0
"""For how long the database may count all records of a list, before the first `CAP` are counted instead."""

MOST_VALUES = 12
MOST_BARS = 12
PLACES = 700  # the longest floating number has 309 digits before the point and 324 behind it
SPREAD = frozenset({"integer", "decimal", "date", "datetime"})
PERIODS = (("day", 31), ("week", 26 * 7), ("month", 36 * 31), ("quarter", 12 * 366))
"""A period and the days that its bars may span together; beyond the last one, years."""


@dataclass(frozen=True, slots=True)
class ValueCounts:
    """Values of one field as JSON with their numbers, the most frequent first. `cut`: only the first `CAP` records were counted.

    `others` records have one of the less frequent values.
    """

    field: str
    counts: tuple[tuple[Any, int], ...]
    cut: bool
    others: int = 0


def value_counts(
    collection_id: str,
    scope: Scope,
    field: str,
    where: Filter | None = None,
    q: Sought | None = None,
    *,
    segment: Chosen | None = None,
    whole: bool = False,
    most: int = MOST_VALUES,
) -> ValueCounts:
    """How often each of the `most` frequent values of the field stands in the list: one statement. The caller has checked that the field is readable.

    `whole`: over all records where that takes less than `WHOLE_S`, which costs one statement more where it does not. Raises SourceDown.
    """
    collection, table, listed = _listed(collection_id, scope, field, where, q, segment)

    def counted(connection: Connection, among: Any) -> Sequence[Any]:
        number = sa.func.count().label("number")
        value = table.told_apart(field, among.c.value).label("told")
        every = sa.func.sum(sa.func.count()).over()
        first: Any = sa.literal_column("1")
        return connection.execute(sa.select(value, number, every).group_by(first).order_by(number.desc(), first).limit(most)).all()

    rows, whole = _counted(collection, listed, counted, whole=whole)
    found = tuple((table.told(field, row[0]), int(row[1])) for row in rows)
    every = int(rows[0][2]) if rows else 0
    return ValueCounts(field, found, not whole and every > CAP, every - sum(count for _, count in found))


@dataclass(frozen=True, slots=True)
class Range:
    """Values from `low` on and below `below` (None: no end), as JSON, with their number. Of the empty values both are None."""

    low: Any
    below: Any
    number: int


@dataclass(frozen=True, slots=True)
class Ranges:
    """Numbers in steps of one size, or dates by `period` (of moments in the reader's zone), in order; empty values last. `cut`: only the first `CAP` records were counted.

    `unplaced` values are in no range: infinite, no day of a calendar, or of another kind than the field.
    """

    field: str
    ranges: tuple[Range, ...]
    cut: bool
    period: str = ""
    unplaced: int = 0


def value_ranges(
    collection_id: str,
    scope: Scope,
    field: str,
    where: Filter | None = None,
    q: Sought | None = None,
    *,
    segment: Chosen | None = None,
    whole: bool = False,
    zone: str = "UTC",
) -> Ranges:
    """How the values of a number, day or moment are spread in the list: two statements. The caller has checked that the field is readable.

    `whole` as in `value_counts`; days of moments begin and end in `zone`. Raises SourceDown.
    """
    collection, table, listed = _listed(collection_id, scope, field, where, q, segment, zone)

    def spread(connection: Connection, among: Any) -> Ranges:
        value = among.c.value
        ends = sa.select(sa.func.min(value), sa.func.max(value), sa.func.count(value), sa.func.count(among.c.given), sa.func.count())
        low, high, some, given, every = connection.execute(ends).one()
        empty = [Range(None, None, int(every - given))] if every > given else []
        unplaced, cut = int(given - some), every > CAP
        if not some:
            return Ranges(field, tuple(empty), cut, unplaced=unplaced)
        if collection.by_name[field].stored in ("date", "datetime"):
            period, ranges = _periods(connection, table, among, low, high)
            return Ranges(field, (*ranges, *empty), cut, period, unplaced)
        other_types.refuse(collection, field, [low])
        return Ranges(field, (*_steps(connection, collection.by_name[field], among, low, high), *empty), cut, unplaced=unplaced)

    found, whole = _counted(collection, listed, spread, whole=whole)
    return replace(found, cut=found.cut and not whole)


def _periods(connection: Connection, table: Table, among: Any, low: Any, high: Any) -> tuple[str, list[Range]]:
    """(the period, how many values there are in each that has some)."""
    first, last = (date.fromisoformat(str(end)[:10]) for end in (low, high))
    period = next((name for name, most in PERIODS if (last - first).days < most), "year")
    value = among.c.value
    one: Any = sa.literal_column("1")
    key: Any = periods.period_of(table, value, period)
    rows = connection.execute(sa.select(key.label("key"), sa.func.count()).where(value.is_not(None)).group_by(one).order_by(one)).all()
    days = [date.fromisoformat(str(key)[:10]) for key, _ in rows]
    return period, [
        Range(day.isoformat(), after(day, period).isoformat(), int(number)) for day, (_, number) in zip(days, rows, strict=True)
    ]


def _steps(connection: Connection, item: Field, among: Any, low: Any, high: Any) -> list[Range]:
    """How many numbers there are in each of some steps."""
    steps = steps_between(Decimal(str(low)), Decimal(str(high)), whole=item.stored == "integer")
    form = "e" if item.native in ("float4", "float8") else "f"  # MySQL takes no more than 65 digits
    written: list[Any] = [sa.literal_column(format(step, form)) for step in steps]  # as numbers: not every driver takes decimals
    tests = [sa.and_(among.c.value >= step, among.c.value < following) for step, following in pairwise(written)]
    numbers = connection.execute(sa.select(*(sa.func.sum(sa.case((test, 1), else_=0)) for test in tests)).select_from(among)).one()
    return [Range(_plain(step), _plain(after), int(number or 0)) for (step, after), number in zip(pairwise(steps), numbers, strict=True)]


def steps_between(low: Decimal, high: Decimal, *, whole: bool) -> list[Decimal]:
    """Round numbers from at most `low` to above `high`, at most `MOST_BARS` steps of one size: 1, 2 or 5 times a power of ten."""
    with localcontext(prec=PLACES):
        size = (high - low) / MOST_BARS
        power = Decimal(10) ** (size.adjusted() if size else 0)
        size_found = next(
            power * times
            for times in (1, 2, 5, 10, 20)
            if power * times >= size and (high // (power * times) - low // (power * times)) < MOST_BARS
        )
        step = max(size_found, Decimal(1)) if whole else size_found
        first = (low // step - (1 if low < 0 and low % step else 0)) * step
        found = [first]
        while found[-1] <= high:
            found.append(found[-1] + step)
        return found


def after(day: date, period: str) -> date:
    """The first day of the period after the one that begins on this day."""
    match period:
        case "day" | "week":
            return date.fromordinal(day.toordinal() + (1 if period == "day" else 7))
        case "year":
            return date(day.year + 1, 1, 1)
    months = day.year * 12 + day.month - 1 + (3 if period == "quarter" else 1)
    return date(months // 12, months % 12 + 1, 1)


def _plain(number: Decimal) -> Any:
    """A number as a filter has it."""
    return int(number) if number == number.to_integral_value() else format(number.normalize(), "f")


def _counted(
    collection: Collection, listed: sa.Select[Any], work: Callable[[Connection, sa.Subquery], T], *, whole: bool
) -> tuple[T, bool]:
    """(what `work` made of the list, whether all of it was counted): all records where the database does that in time, else the first `CAP`."""
    if whole:
        with suppress(TooSlow):
            every = listed.subquery("listed")
            return read(collection, lambda connection: time_limit.within(connection, WHOLE_S, lambda limited: work(limited, every))), True
    first = listed.limit(CAP + 1).subquery("listed")
    return read(collection, lambda connection: work(connection, first)), False


def _listed(
    collection_id: str, scope: Scope, field: str, where: Filter | None, q: Sought | None, segment: Chosen | None, zone: str = "UTC"
) -> tuple[Collection, Table, sa.Select[Any]]:
    """The values of the field in the list, as `value`, moments as clocks in the zone show them; null where one has no place in it, and `given` as it is stored."""
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    wanted = list_conditions(table, scope, where, segment, q)
    item = collection.by_name[field]
    given = table.columns[field]
    column = sound_column(table, item) if item.comparable else given
    if item.comparable and item.stored in SPREAD:
        column = sa.case((table.dialect.on_axis(given, item), periods.on_clocks(table, item, table.dialect.even(column, item), zone)))
    listed = sa.select(column.label("value"), given.label("given")).select_from(table.table).where(*wanted)
    return collection, table, listed
