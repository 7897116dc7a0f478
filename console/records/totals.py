"""Figures over many records: counts, sums, maxima; exact, and within the scope like every other read.

Nulls and values of another kind than the column's are ignored; the sum of no values is 0, the maximum null.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from console.core.documents.collections import Field
from console.core.errors import Malformed
from console.core.expressions import Expression
from console.core.scopes import Scope
from console.records import catalogue, values
from console.records.dialects import Condition
from console.records.record_pages import read
from console.records.record_reads import relation_target
from console.records.sql_tables import Table, table_of

SAFE_INTEGER = 2**53 - 1
MOST_SCALE = 9  # decimals of SQLite numbers that are summed as integers


@dataclass(frozen=True, slots=True)
class Figure:
    """A named figure; `field` for sum and max."""

    name: str
    function: Literal["count", "sum", "max"]
    field: str | None = None


def totals(
    collection_id: str,
    scope: Scope,
    wanted: Sequence[Figure],
    *,
    led_from: tuple[str, str, str] | None = None,
    where: Expression | None = None,
    roots: Mapping[str, Any] | None = None,
    known: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Name → figure as JSON, over the records in the scope; with `led_from` (collection, key, relation) over the related records.

    `known` are values of that record that the caller has just read, as in `related`.

    Raises Malformed for a field that is hidden, unknown or not numeric, NotFound, SourceDown.
    """
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    linked = relation_target(*led_from, known)[1] if led_from is not None else []
    conditions = [
        table.in_scope(scope),
        *([table.holds(where, scope.attributes, roots)] if where is not None else []),
        *(linked or []),
    ]
    fields = {figure.name: _field(table, scope, figure) for figure in wanted}
    if linked is None:
        return {figure.name: _of_nothing(figure, fields[figure.name]) for figure in wanted}

    return read(collection, lambda connection: compute_figures(connection, table, wanted, fields, conditions))


def compute_figures(
    connection: Connection,
    table: Table,
    wanted: Sequence[Figure],
    fields: Mapping[str, Field | None],
    conditions: Sequence[Condition],
) -> dict[str, Any]:
    """The figures over the records that meet the conditions; `fields`: figure name → field, None for a count."""
    found: dict[str, Any] = {}
    if summed := [figure for figure in wanted if figure.function != "max"]:
        columns = [
            sa.func.count() if (field := fields[figure.name]) is None else sum_of(table, field)
            for figure in summed
        ]
        row = connection.execute(sa.select(*columns).select_from(table.table).where(*conditions)).one()
        for figure, value in zip(summed, row, strict=True):
            field = fields[figure.name]
            found[figure.name] = int(value) if field is None else total_of(table, field, value)
    for figure in wanted:
        if (field := fields[figure.name]) is not None and figure.function == "max":
            found[figure.name] = _largest(connection, table, field, conditions)
    return found


def _field(table: Table, scope: Scope, figure: Figure) -> Field | None:
    """The field of a figure; None for a count."""
    if figure.field is None:
        return None
    field = table.collection.by_name.get(figure.field)
    if field is None or field.name in scope.hidden or field.hidden:
        raise _refused(f"There is no field {figure.field} in {table.collection.label} that you may read.")
    if not field.comparable or (figure.function == "sum" and field.stored not in ("integer", "decimal")):
        raise _refused(
            f"{field.name} cannot be {'added up' if figure.function == 'sum' else 'put in order'}."
        )
    return field


def _refused(reason: str) -> Malformed:
    return Malformed(reason, at="totals")


def _of_nothing(figure: Figure, field: Field | None) -> Any:
    if figure.function == "max":
        return None
    return 0 if field is None or field.stored == "integer" else _written(Decimal(0), field)


def sound_column(table: Table, field: Field) -> ColumnElement[Any]:
    """The column, null where its value is of another kind, or no finite number, which would swallow every sum."""
    column, sound = table.columns[field.name], table.dialect.sound(table.columns[field.name], field)
    if table.dialect.name == "postgresql" and field.native in ("float4", "float8"):
        sound = sa.func.abs(column) < sa.literal_column("'Infinity'")
    return column if sound is None else sa.case((sound, column))


FLOAT_DIGITS = 15
"""Digits that a floating number keeps: behind them a sum has rests such as 0.0000000005."""


def _as_whole(table: Table, field: Field) -> bool:
    """Whether decimals are summed as integers: SQLite stores them in binary, and would be wrong in the last digit."""
    return (
        table.dialect.name == "sqlite"
        and field.stored == "decimal"
        and field.scale is not None
        and field.scale <= MOST_SCALE
    )


def sum_of(table: Table, field: Field) -> ColumnElement[Any]:
    """The exact sum of the column."""
    column = sound_column(table, field)
    if _as_whole(table, field):
        return sa.func.sum(sa.cast(sa.func.round(column * 10 ** (field.scale or 0)), sa.Integer))
    return (
        sa.func.sum(sa.cast(column, sa.Numeric))
        if field.native in ("float4", "float8")
        else sa.func.sum(column)
    )


def total_of(table: Table, field: Field, value: Any) -> Any:
    """A sum as JSON: 0 for no values."""
    if value is None:
        return 0 if field.stored == "integer" else _written(Decimal(0), field)
    exact = Decimal(f"{value:.{FLOAT_DIGITS}g}") if isinstance(value, float) else Decimal(value)
    if _as_whole(table, field):
        exact = exact.scaleb(-(field.scale or 0))
    if field.stored == "integer" and exact == exact.to_integral_value():
        return int(exact) if abs(exact) <= SAFE_INTEGER else str(int(exact))
    return _written(exact, field)


def _written(number: Decimal, field: Field) -> str:
    """The number with at least the decimals of its column."""
    places = -int(number.as_tuple().exponent)
    return (
        format(number, f".{field.scale}f") if field.scale and places <= field.scale else format(number, "f")
    )


def _largest(connection: Connection, table: Table, field: Field, conditions: Sequence[Condition]) -> Any:
    """The maximum by sort order, so that an index is used and the value reads as in a record."""
    column, sound = table.columns[field.name], table.dialect.sound(table.columns[field.name], field)
    wanted = [*conditions, column.is_not(None), *([sound] if sound is not None else [])]
    statement = (
        sa.select(column).where(*wanted).order_by(table.dialect.comparable(column, field).desc()).limit(1)
    )
    row = connection.execute(statement).first()
    return None if row is None else values.read(table.readers[field.name], row[0])
