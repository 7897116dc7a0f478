"""Search: the text from the box above a list as a condition.

Text fields must contain it, ignoring case; lists, UUIDs and numbers must equal it; other fields are not searched. Hidden fields are never
searched, because their values could be guessed letter by letter.
"""

from typing import Any

import sqlalchemy as sa

from console.core.documents.collections import Collection, Field
from console.core.expressions.operands import number_of, uuid_of
from console.core.expressions.search_syntax import Several, Sought, Through, Without, Words
from console.records import catalogue, filter_conditions, values
from console.records.dialects import Condition
from console.records.sql_tables import Table, table_of

LONGEST = 200


def searched_fields(collection: Collection, hidden: frozenset[str]) -> list[Field]:
    """The searched fields: those named by the document, else all, without hidden ones."""
    fields = [collection.by_name[name] for name in collection.search] if collection.search else list(collection.stored_fields)
    return [
        field
        for field in fields
        if field.name not in hidden and not field.hidden and field.stored in {"text", "integer", "decimal", "uuid"}
    ]


def sought_condition(table: Table, sought: Sought, hidden: frozenset[str], depth: int = 0) -> Condition:
    """True for records that match the search; unknown counts as no match."""
    match sought:
        case Words():
            return search_condition(table, sought.text, hidden)
        case Without():
            return sa.not_(sa.func.coalesce(sought_condition(table, sought.item, hidden, depth), sa.false()))
        case Through():
            return _led(table, sought, depth)
        case Several():
            parts = [sought_condition(table, item, hidden, depth) for item in sought.items]
            return sa.and_(sa.true(), *parts) if sought.kind == "and" else sa.or_(sa.false(), *parts)
    return filter_conditions.filter_condition(sought, table.collection, table.columns)


def _led(table: Table, sought: Through, depth: int) -> Condition:
    """Condition that a related record in the reader's scope matches."""
    there = table_of(catalogue.collection(sought.relation.collection)).aliased(f"led_{depth}")
    joined = [table.columns[here] == there.columns[column] for here, column in sought.relation.columns]
    wanted = sought_condition(there, sought.item, sought.scope.hidden, depth + 1)
    return sa.exists(sa.select(sa.literal_column("1")).select_from(there.table).where(*joined, there.in_scope(sought.scope), wanted))


def search_condition(table: Table, q: str, hidden: frozenset[str]) -> Condition:
    """True for records that match `q`, cut after 200 characters."""
    wanted = q.strip()[:LONGEST]
    if not values.storable(wanted):
        return sa.false()
    found = [
        condition
        for field in searched_fields(table.collection, hidden)
        if (condition := _field_condition(table, field, wanted)) is not None
    ]
    return sa.or_(sa.false(), *found)


def _field_condition(table: Table, field: Field, wanted: str) -> Condition | None:
    """Condition for one field; None if it cannot match."""
    column = table.columns[field.name]
    if field.options is not None and field.stored == "text":
        names = [option.value for option in field.options if wanted.lower() in {option.value.lower(), option.label.lower()}]
        return table.dialect.one_of(column, field, names) if names else None
    if field.stored == "text":
        return table.dialect.finds(column, field, wanted)
    typed: Any = uuid_of(wanted) if field.stored == "uuid" else number_of(wanted)
    if typed is None:
        return None
    return table.dialect.equals(column, field, values.driver_form(table.collection.dialect, typed))
