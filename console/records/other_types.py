"""Noticing that a column is of another type than the console knows, where the database answers all the same: a number that is a text now is
compared and sorted as a text, so that a list of the largest would show others.

SQLite stores any value in any column, so that a value says nothing there.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from console.core.documents.collections import Collection, Field
from console.records.refusals import OTHER_TYPE, changed

FOREIGN: Mapping[str, frozenset[type]] = {
    "integer": frozenset({str, date, datetime}),
    "decimal": frozenset({str, date, datetime}),
    "datetime": frozenset({date}),
    "text": frozenset({int, float, Decimal, date, datetime}),
}
"""How a column is stored → types of values that a driver never returns for it."""
NUMERIC = frozenset({"numeric", "float4", "float8"})
NONE: frozenset[type] = frozenset()


def foreign(field: Field, dialect: str) -> frozenset[type]:
    """Types whose values say that this column is another one now; empty where none do."""
    if dialect == "sqlite" or (field.stored == "decimal" and field.native not in NUMERIC):
        return NONE
    return FOREIGN.get(field.stored, NONE)


def refuse(collection: Collection, name: str, values: Iterable[Any]) -> None:
    """Raise SourceChanged if the first of the values that is not null is of a type that this column did not have."""
    kinds = foreign(collection.by_name[name], collection.dialect)
    if kinds and type(next((value for value in values if value is not None), None)) in kinds:
        raise changed(collection.source, OTHER_TYPE)
