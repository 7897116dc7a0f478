"""Search: the text from the box above a list as a condition.

In a table of ordinary size text fields must contain it, ignoring case; lists, UUIDs and numbers must equal it; other fields are not searched. In a
large table only what its indexes find is looked at (`indexed_search`), unless `Words.everywhere` asks for every row. Hidden fields are never
searched, because their values could be guessed letter by letter.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from console.core.documents.collections import Collection, Field
from console.core.expressions import search_syntax
from console.core.expressions.operands import number_of, uuid_of
from console.core.expressions.search_syntax import Several, Sought, Through, Without, Words
from console.records import catalogue, filter_conditions, indexed_search, indexes, values
from console.records.dialects import Condition, without_blanks
from console.records.sql_tables import Table, table_of

LONGEST = 200


def searched_fields(
    collection: Collection, hidden: frozenset[str], shown: frozenset[str] = frozenset()
) -> list[Field]:
    """The searched fields, without hidden ones: those named by the document and those `shown` that take no scan, else all."""
    seen = indexes.indexes_of(collection) if collection.search and shown else None
    fields = (
        [
            field
            for field in collection.stored_fields
            if field.name in collection.search
            or (seen is not None and field.name in shown and (not seen.large or seen.ways(field.name)))
        ]
        if collection.search
        else list(collection.stored_fields)
    )
    return [
        field
        for field in fields
        if field.name not in hidden
        and not field.hidden
        and (field.stored in {"text", "integer", "decimal", "uuid"} or field.widget == "translations")
    ]


def begun_fields(collection: Collection, hidden: frozenset[str]) -> list[Field]:
    """The searched texts of which the indexes find at least the beginning."""
    return indexed_search.beginning_fields(
        searched_fields(collection, hidden), indexes.indexes_of(collection)
    )


def telling_fields(collection: Collection, hidden: frozenset[str]) -> list[Field]:
    """The searched fields that say which record it is: all that the document names, else without long texts."""
    return [
        field
        for field in searched_fields(collection, hidden)
        if collection.search or field.type != "long_text"
    ]


def reach(collection: Collection, hidden: frozenset[str], sought: Sought | None) -> str:
    """How the words of a search are looked for: `rows` one by one, or through the indexes of a large table, which then find `everything`, the
    `beginnings` of some texts, or only `exact` values; "" for a search without words.
    """
    texts = search_syntax.words(sought) if search_syntax.worded(sought) else []
    if not texts or search_syntax.is_everywhere(sought):
        return ""
    seen = indexes.indexes_of(collection)
    fields = searched_fields(collection, hidden, search_syntax.shown_fields(sought))
    if (
        not seen.large
        or not collection.key
        or not indexed_search.ways(table_of(collection), fields, seen, texts)
    ):
        return "rows"
    if indexed_search.complete(collection, fields, seen, texts):
        return "everything"
    return "beginnings" if indexed_search.beginning_fields(fields, seen) else "exact"


def sought_condition(
    table: Table,
    sought: Sought,
    hidden: frozenset[str],
    depth: int = 0,
    *,
    within: Sequence[Condition] | None = None,
) -> Condition:
    """True for records that match the search; unknown counts as no match.

    `within`: the other conditions of the list; with them, words are looked for through the indexes of a large table.
    """
    match sought:
        case Words():
            return _words_condition(table, [sought], hidden, within)
        case Without():
            return sa.not_(sa.func.coalesce(sought_condition(table, sought.item, hidden, depth), sa.false()))
        case Through():
            return _led(table, sought, depth)
        case Several(kind="and"):
            words = [item for item in sought.items if isinstance(item, Words)]
            rest = [
                sought_condition(table, item, hidden, depth)
                for item in sought.items
                if not isinstance(item, Words)
            ]
            among = None if within is None else [*within, *rest]
            return sa.and_(
                sa.true(), *rest, *([_words_condition(table, words, hidden, among)] if words else [])
            )
        case Several():
            reached = [
                item for item in sought.items if within is None or _reached(table, item, hidden)
            ] or sought.items
            return sa.or_(
                sa.false(), *(sought_condition(table, item, hidden, depth, within=within) for item in reached)
            )
    return filter_conditions.filter_condition(sought, table.collection, table.columns)


def _words_condition(
    table: Table, words: Sequence[Words], hidden: frozenset[str], within: Sequence[Condition] | None
) -> Condition:
    """True for records in which each of these texts is found."""
    shown = frozenset().union(*(item.shown for item in words))
    everywhere = [search_condition(table, item.text, hidden, shown) for item in words]
    if within is None or any(item.everywhere for item in words):
        return sa.and_(*everywhere)
    seen = indexes.indexes_of(table.collection)
    if not seen.large or not table.key:
        return sa.and_(*everywhere)
    texts = [item.text.strip()[:LONGEST] for item in words]
    found = indexed_search.ways(table, searched_fields(table.collection, hidden, shown), seen, texts)
    if not found:
        return sa.and_(*everywhere)
    return indexed_search.among(
        table,
        [[way.condition, *everywhere[: way.place], *everywhere[way.place + 1 :], *within] for way in found],
    )


def _reached(table: Table, sought: Sought, hidden: frozenset[str]) -> bool:
    """Whether these words are found without looking at every row of a large table. Beside others that are, such words are left out."""
    items = sought.items if isinstance(sought, Several) and sought.kind == "and" else [sought]
    words = [item for item in items if isinstance(item, Words)]
    seen = indexes.indexes_of(table.collection)
    if not words or not seen.large or not table.key or any(item.everywhere for item in words):
        return True
    texts = [item.text.strip()[:LONGEST] for item in words]
    fields = searched_fields(table.collection, hidden, search_syntax.shown_fields(sought))
    return bool(indexed_search.ways(table, fields, seen, texts))


def _led(table: Table, sought: Through, depth: int) -> Condition:
    """Condition that a related record in the reader's scope matches."""
    there = table_of(catalogue.collection(sought.relation.collection)).aliased(f"led_{depth}")
    joined = [table.columns[here] == there.columns[column] for here, column in sought.relation.columns]
    wanted = sought_condition(there, sought.item, sought.scope.hidden, depth + 1)
    return sa.exists(
        sa.select(sa.literal_column("1"))
        .select_from(there.table)
        .where(*joined, there.in_scope(sought.scope), wanted)
    )


def search_condition(
    table: Table, q: str, hidden: frozenset[str], shown: frozenset[str] = frozenset()
) -> Condition:
    """True for records that match `q`, cut after 200 characters; `shown` as in `searched_fields`."""
    return sa.or_(sa.false(), *field_conditions(table, q, searched_fields(table.collection, hidden, shown)))


def field_conditions(table: Table, q: str, fields: Sequence[Field]) -> list[Condition]:
    """For each of the fields in which `q` can be found, that it is."""
    wanted = q.strip()[:LONGEST]
    if not values.storable(wanted):
        return []
    return [
        condition for field in fields if (condition := _field_condition(table, field, wanted)) is not None
    ]


def _field_condition(table: Table, field: Field, wanted: str) -> Condition | None:
    """Condition for one field; None if it cannot match."""
    column = table.columns[field.name]
    if field.options is not None and field.stored in ("text", "integer"):
        chosen = indexed_search.option_condition(table, field, wanted)
        return (
            chosen if chosen is not None or field.stored == "text" else equal_condition(table, field, wanted)
        )
    if field.type == "phone" and (number := indexed_search.telephone_number(wanted)):
        return sa.or_(
            table.dialect.finds(column, field, wanted),
            table.dialect.finds(without_blanks(column), field, number),
        )
    if field.stored == "text":
        return table.dialect.finds(column, field, wanted)
    if field.widget == "translations":
        return table.dialect.finds(sa.cast(column, sa.Text), field, wanted)
    return equal_condition(table, field, wanted)


def equal_condition(table: Table, field: Field, wanted: str) -> Condition | None:
    """Condition that a number or UUID equals the text; None if the text is none."""
    typed: Any = uuid_of(wanted) if field.stored == "uuid" else number_of(wanted)
    return (
        None
        if typed is None
        else table.dialect.equals(
            table.columns[field.name], field, values.driver_form(table.collection.dialect, typed)
        )
    )
