"""How often each value of a field stands in a list: one statement for a field, over at most `CAP` records."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from console.core.expressions.search_syntax import Sought
from console.core.filters import Filter
from console.core.scopes import Scope
from console.records import catalogue, values
from console.records.record_pages import list_conditions, read
from console.records.sql_tables import Chosen, table_of

CAP = 10_000
MOST_VALUES = 12


@dataclass(frozen=True, slots=True)
class ValueCounts:
    """Values of one field as JSON with their numbers, the most frequent first. `cut`: only the first `CAP` records were counted."""

    field: str
    counts: tuple[tuple[Any, int], ...]
    cut: bool


def value_counts(
    collection_id: str, scope: Scope, field: str, where: Filter | None = None, q: Sought | None = None, *, segment: Chosen | None = None
) -> ValueCounts:
    """How often each value of the field stands in the list. The caller has checked that the field is readable. Raises SourceDown."""
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    wanted = list_conditions(table, scope, where, segment, q)
    listed = sa.select(table.columns[field].label("value")).select_from(table.table).where(*wanted).limit(CAP + 1).subquery("listed")
    number = sa.func.count().label("number")
    counted = sa.select(listed.c.value, number).group_by(listed.c.value).order_by(number.desc(), listed.c.value)
    rows = read(collection, lambda connection: list(connection.execute(counted).all()))
    found = tuple((values.read(table.readers[field], row[0]), int(row[1])) for row in rows)
    return ValueCounts(field, found[:MOST_VALUES], sum(count for _, count in found) > CAP)
