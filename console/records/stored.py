"""Stored values of records, for the console's own use; never shown to anybody."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from console.core.scopes import Scope
from console.records import catalogue, record_keys, values
from console.records.record_pages import read
from console.records.record_reads import MOST_ROWS
from console.records.related_values import foreign_form, named_by
from console.records.sql_tables import table_of


def stored(
    scope: Scope,
    names: Iterable[str],
    where: Sequence[Sequence[tuple[str, Any]]] = (),
    *,
    key: str | None = None,
    limit: int = MOST_ROWS,
) -> list[dict[str, Any]]:
    """Stored values, including hidden columns. The reader is the console itself (`core.scopes.unrestricted`).

    Either of the record with this `key`, or of records that match all (column, value) pairs of one entry of `where`. Raises SourceDown, and
    ValueError for a person's scope.
    """
    if not scope.unlimited or scope.hidden:
        raise ValueError("the console alone reads what nobody is shown")
    collection = catalogue.collection(scope.collection)
    table, wanted = (
        table_of(collection),
        [name for name in dict.fromkeys(names) if name in collection.by_name],
    )
    alternatives = [
        sa.and_(*(named_by(table, column, foreign_form(collection, column, part)) for column, part in pairs))
        for pairs in where
    ]
    alternatives += [table.is_key(record_keys.decode(collection, key))] if key is not None else []
    if not wanted or not alternatives:
        return []
    statement = (
        sa.select(*(table.columns[name] for name in wanted))
        .select_from(table.table)
        .where(sa.or_(*alternatives))
        .limit(limit)
    )
    rows = read(collection, lambda connection: list(connection.execute(statement).all()))
    return [
        {name: values.read(table.readers[name], item) for name, item in zip(wanted, row, strict=True)}
        for row in rows
    ]
