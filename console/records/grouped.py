"""Figures over the records of a collection told apart by values and periods: one statement, within the scope like every other read.

Periods of moments are those of the reader's zone; a week begins on Monday. Amounts of several
currencies are never added up: the currency is then one more group.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from console.core import expressions
from console.core.counted_moments import is_counted
from console.core.documents.collections import Field
from console.core.errors import Malformed
from console.core.expressions import Expression
from console.core.expressions.search_syntax import Sought
from console.core.filters import Filter
from console.core.scopes import Scope
from console.records import catalogue, periods, time_limit, values
from console.records.dialects import Condition
from console.records.record_pages import list_conditions, read
from console.records.sql_tables import Chosen, Table, table_of
from console.records.totals import sound_column, sum_of, total_of

MOST_GROUPS = 2_000
SECONDS = 5.0
"""A figure that takes longer is given up: a page of figures must not occupy the database."""

ADDED = frozenset({"integer", "decimal"})


@dataclass(frozen=True, slots=True)
class By:
    """A field whose values are told apart; with a period, the first day of each period of a date."""

    field: str
    period: str | None = None
    first: date = date(1970, 1, 1)
    """The first day that the caller looks at."""


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its keys in the order of `by` (days as `2026-11-02`), the currency of its amounts or None, and the figure as JSON; None of no values."""

    keys: tuple[Any, ...]
    currency: str | None
    value: Any


@dataclass(frozen=True, slots=True)
class Together:
    """Several conditions of which all must hold, as one segment of a list: expressions over `record` and segments that are a SELECT."""

    parts: Sequence[Chosen]
    attributes: Mapping[str, Any]
    roots: Mapping[str, Any] | None = None

    def condition(self, table: Table) -> Condition:
        """True for the records that meet them all."""
        return sa.and_(sa.true(), *(_met(table, each, self.attributes, self.roots) for each in self.parts))


@dataclass(frozen=True, slots=True)
class Listed:
    """What is in a list: its scope, filter, segment and search, as one segment of figures."""

    collection: str
    scope: Scope
    where: Filter | None
    segment: Chosen | None
    sought: Sought | None

    def condition(self, table: Table) -> Condition:
        """True for the records of the list."""
        return sa.and_(*list_conditions(table, self.scope, self.where, self.segment, self.sought))


def grouped(
    collection_id: str,
    scope: Scope,
    *,
    measure: str,
    field: str | None = None,
    by: Sequence[By] = (),
    where: Sequence[Chosen] = (),
    roots: Mapping[str, Any] | None = None,
    zone: str = "UTC",
) -> list[Group]:
    """The figure of each group, at most `MOST_GROUPS`, the largest first where there are no periods.

    `measure` is count, sum, average, lowest, highest or distinct (different values). The caller has judged the fields.
    Raises Malformed for a field that cannot be measured so, TooSlow, SourceDown.
    """
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    measured = collection.by_name[field] if field is not None else None
    currency = (
        _currency_column(table, measured, scope)
        if measure in ("sum", "average", "lowest", "highest")
        else None
    )
    figure = _figure(table, measure, measured)
    told_apart = [_bucket(table, each, zone) for each in by]
    keys = [*told_apart, *([table.columns[currency]] if currency else [])]
    statement = sa.select(
        *(key.label(f"key_{number}") for number, key in enumerate(keys)), figure.label("figure")
    ).select_from(table.table)
    statement = statement.where(*_conditions(table, scope, where, roots)).limit(MOST_GROUPS)
    if keys:
        statement = statement.group_by(*(sa.literal_column(str(number + 1)) for number in range(len(keys))))
        largest: Any = sa.literal_column(str(len(keys) + 1)).desc()
        if table.dialect.name == "postgresql":  # the others put figures of no values last by themselves
            largest = largest.nulls_last()
        statement = statement.order_by(sa.literal_column("1") if any(each.period for each in by) else largest)

    def fetch(connection: Connection) -> Sequence[Any]:
        with time_limit.limit(connection, SECONDS):
            return connection.execute(statement).all()

    rows = read(collection, fetch)
    return [
        Group(
            tuple(_key(table, each, row[number]) for number, each in enumerate(by)),
            str(row[len(by)]) if currency and row[len(by)] is not None else None,
            _value(table, measure, measured, row[-1]),
        )
        for row in rows
    ]


def staged(
    collection_id: str,
    scope: Scope,
    stages: Sequence[Expression],
    where: Sequence[Chosen] = (),
    roots: Mapping[str, Any] | None = None,
) -> list[int]:
    """How many records reach each stage: those for which its condition and all before it hold. One statement."""
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    held = [table.holds(stage, scope.attributes, roots) for stage in stages]
    reached = [
        sa.func.sum(sa.case((sa.and_(*held[: number + 1]), 1), else_=0)) for number in range(len(held))
    ]
    statement = sa.select(*reached).select_from(table.table).where(*_conditions(table, scope, where, roots))

    def fetch(connection: Connection) -> Any:
        with time_limit.limit(connection, SECONDS):
            return connection.execute(statement).one()

    return [int(number or 0) for number in read(collection, fetch)]


def refused(reason: str) -> Malformed:
    """The error for a figure that cannot be made."""
    return Malformed(reason, at="figures")


def since(field: str, root: str) -> Expression:
    """The condition that the field is not before the value `input.<root>`."""
    return expressions.parse(f"record[{json.dumps(field, ensure_ascii=False)}] >= input.{root}")


def _conditions(
    table: Table, scope: Scope, where: Sequence[Chosen], roots: Mapping[str, Any] | None
) -> list[Condition]:
    return [table.in_scope(scope), *(_met(table, each, scope.attributes, roots) for each in where)]


def _met(
    table: Table, part: Chosen, attributes: Mapping[str, Any], roots: Mapping[str, Any] | None
) -> Condition:
    return table.holds(part, attributes, roots) if isinstance(part, Expression) else part.condition(table)


def _currency_column(table: Table, field: Field | None, scope: Scope) -> str | None:
    """The column of the amounts' currency. Raises Malformed where the reader may not see it: its groups would tell it, and without them amounts add up to nonsense."""
    if field is None or field.currency not in table.collection.by_name:
        return None
    if field.currency in scope.hidden:
        raise refused(f"{field.label} cannot be added up for you: you may not read in which currency it is.")
    return field.currency


def _figure(table: Table, measure: str, field: Field | None) -> ColumnElement[Any]:
    if measure == "count" or field is None:
        return sa.func.count()
    column = sound_column(table, field)
    if measure == "distinct":
        return sa.func.count(sa.distinct(table.told_apart(field.name)))
    if field.stored not in ADDED:
        raise refused(f"{field.label} is no number: count its different values instead.")
    match measure:
        case "sum":
            return sum_of(table, field)
        case "average":
            return sa.func.avg(column)
        case "lowest":
            return sa.func.min(column)
    return sa.func.max(column)


def _value(table: Table, measure: str, field: Field | None, value: Any) -> Any:
    if measure in ("count", "distinct") or field is None:
        return int(value or 0)
    if measure == "sum":
        return total_of(table, field, value)
    if value is None:
        return None
    if measure == "average":
        places = 0 if field.minor else max(field.scale or 0, 2)
        return format(round(Decimal(str(value)), places), "f")
    return values.read(table.readers[field.name], value)


def _bucket(table: Table, by: By, zone: str) -> ColumnElement[Any]:
    """The value, or the first day of its period as text."""
    field = table.collection.by_name[by.field]
    if by.period is None:
        return table.told_apart(by.field)
    if field.stored not in ("date", "datetime") and not is_counted(field):
        raise refused(f"{field.label} is no day and no moment.")
    return periods.period_of(table, periods.local(table, field, zone, by.first), by.period)


def _key(table: Table, by: By, value: Any) -> Any:
    if by.period is None:
        return table.told(by.field, value)
    return None if value is None else str(value)[:10]
