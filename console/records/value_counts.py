"""How often each value of a field stands in a list, among its first `CAP` records."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from console.core.expressions.search_syntax import Sought
from console.core.filters import Filter
from console.core.scopes import Scope
from console.records import catalogue
from console.records.record_pages import list_conditions, read
from console.records.sql_tables import Chosen, table_of
from console.records.totals import sound_column

CAP = 10_000
MOST_VALUES = 12


@dataclass(frozen=True, slots=True)
class ValueCounts:
    """Values of one field as JSON with their numbers, the most frequent first. `cut`: only the first `CAP` records were counted."""

    field: str
    counts: tuple[tuple[Any, int], ...]
    cut: bool


def value_counts(
    collection_id: str,
    scope: Scope,
    field: str,
    where: Filter | None = None,
    q: Sought | None = None,
    *,
    segment: Chosen | None = None,
    most: int = MOST_VALUES,
) -> ValueCounts:
    """How often each of the `most` frequent values of the field stands in the list: one statement. The caller has checked that the field is readable.

    Raises SourceDown.
    """
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    item = collection.by_name[field]
    column = sound_column(table, item) if item.comparable else table.columns[field]
    conditions = list_conditions(table, scope, where, segment, q)
    first = (
        sa.select(column.label("value"))
        .select_from(table.table)
        .where(*conditions)
        .limit(CAP + 1)
        .subquery("listed")
    )
    number = sa.func.count().label("number")
    value = table.told_apart(field, first.c.value).label("told")
    every = sa.func.sum(sa.func.count()).over()
    by: Any = sa.literal_column("1")
    counted = sa.select(value, number, every).group_by(by).order_by(number.desc(), by).limit(most)
    rows = read(collection, lambda connection: connection.execute(counted).all())
    found = tuple((table.told(field, row[0]), int(row[1])) for row in rows)
    return ValueCounts(field, found, bool(rows) and int(rows[0][2]) > CAP)
