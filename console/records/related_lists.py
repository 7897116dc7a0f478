"""The first records of several relations of one record, with how many each has: one statement for the record, one a relation, one a source for the numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from console.core.documents.collections import Collection, Relation
from console.core.errors import SourceChanged, SourceDown, TooSlow
from console.core.scopes import Scope
from console.records import catalogue, time_limit
from console.records.dialects import Condition
from console.records.record_pages import Page, list_conditions, order_of, read, read_page
from console.records.record_reads import linking_values
from console.records.related_values import named_by
from console.records.sql_tables import table_of

COUNT_S = 0.4


@dataclass(frozen=True, slots=True)
class Wanted:
    """A relation to read: the reader's scope of its target, the fields of the list, and its order (None: that of the target's own list)."""

    relation: Relation
    scope: Scope
    fields: Sequence[str]
    sort: str | None


def related_lists(
    collection_id: str, key: str, scope: Scope, wanted: Sequence[Wanted], limit: int, cap: int
) -> list[tuple[Page | SourceDown, int | None]]:
    """(first page, number of records) of each relation; for one into another data source that does not answer the reason. A number of `cap + 1` means more; None: counting took too long.

    Raises NotFound for a record out of the scope, SourceDown.
    """
    collection = catalogue.collection(collection_id)
    names = list(
        dict.fromkeys(
            [*(here for relation in wanted for here, _ in relation.relation.columns), *collection.key]
        )
    )
    here = dict(zip(names, linking_values(collection, key, names, scope), strict=True))
    conditions = [_conditions(relation, here) for relation in wanted]
    numbers = _numbers(wanted, conditions, cap)
    return [
        (Page([], None, None) if linked is None else _first(collection, relation, linked, limit), number)
        for relation, linked, number in zip(wanted, conditions, numbers, strict=True)
    ]


def related_numbers(
    collection_id: str, key: str, scope: Scope, wanted: Sequence[Wanted], cap: int
) -> list[int | None]:
    """How many records each relation leads to, counted as `related_lists` does. Raises NotFound for a record out of the scope, SourceDown."""
    collection = catalogue.collection(collection_id)
    names = list(
        dict.fromkeys(
            [*(here for relation in wanted for here, _ in relation.relation.columns), *collection.key]
        )
    )
    here = dict(zip(names, linking_values(collection, key, names, scope), strict=True))
    return _numbers(wanted, [_conditions(relation, here) for relation in wanted], cap)


def _conditions(related: Wanted, here: Mapping[str, Any]) -> list[Condition] | None:
    """The conditions on the related records; None if there can be none."""
    target = catalogue.collection(related.relation.collection)
    parts = [here[column] for column, _ in related.relation.columns]
    if any(part is None for part in parts):
        return None
    there = table_of(target)
    theirs = [
        *zip((column for _, column in related.relation.columns), parts, strict=True),
        *related.relation.only,
    ]
    return [
        *list_conditions(there, related.scope, None, None, None),
        *(named_by(there, column, part) for column, part in theirs),
    ]


def _first(
    collection: Collection, related: Wanted, conditions: list[Condition], limit: int
) -> Page | SourceDown:
    target = catalogue.collection(related.relation.collection)
    order = order_of(target, related.scope, related.sort)
    try:
        return read_page(
            target,
            related.scope,
            order,
            lambda: conditions,
            limit=limit,
            after=None,
            before=None,
            fields=related.fields,
        )
    except SourceDown as down:
        if target.source == collection.source and not isinstance(down, SourceChanged):
            raise
        return down


def _numbers(
    wanted: Sequence[Wanted], conditions: Sequence[list[Condition] | None], cap: int
) -> list[int | None]:
    """How many records each relation has, by one statement for each source."""
    found: list[int | None] = [0 if linked is None else None for linked in conditions]
    by_source: dict[str, list[int]] = {}
    for number, (related, linked) in enumerate(zip(wanted, conditions, strict=True)):
        if linked is not None:
            by_source.setdefault(catalogue.collection(related.relation.collection).source, []).append(number)
    for places in by_source.values():
        targets = [(place, catalogue.collection(wanted[place].relation.collection)) for place in places]
        counted = _counted(
            targets[0][1], [_capped(target, conditions[place] or [], place, cap) for place, target in targets]
        )
        for place, number in counted.items():
            found[place] = number
    return found


def _capped(target: Collection, conditions: Sequence[Condition], place: int, cap: int) -> sa.Select[Any]:
    inner: sa.Select[Any] = (
        sa.select(sa.literal_column("1").label("one"))
        .select_from(table_of(target).table)
        .where(*conditions)
        .limit(cap + 1)
    )
    numbered: Any = sa.select(sa.literal_column(str(place)).label("place"), sa.func.count().label("number"))
    counted: sa.Select[Any] = numbered.select_from(inner.subquery())
    return counted


def _counted(collection: Collection, counts: Sequence[sa.Select[Any]]) -> dict[int, int]:
    """Place → number; nothing where the statement takes too long."""

    def run(connection: sa.Connection) -> dict[int, int]:
        with time_limit.limit(connection, COUNT_S):
            return {int(place): int(number) for place, number in connection.execute(sa.union_all(*counts))}

    try:
        return read(collection, run)
    except SourceChanged:  # one of the tables is not there any more: the others are counted by themselves
        return (
            {place: number for one in counts for place, number in _counted(collection, [one]).items()}
            if len(counts) > 1
            else {}
        )
    except (TooSlow, SourceDown):
        return {}
