"""The first records of a table that is not connected yet, as they would look."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.documents.collections import Collection
from console.core.scopes import whole
from console.records import record_keys
from console.records.reader import Reader, Record
from console.records.sql_tables import Table

READER = "preview"


def first_records(
    connection: Connection, made: Mapping[str, Collection], wanted: str, limit: int
) -> tuple[list[Record], dict[tuple[str, str], str]]:
    """(records, titles of the records that they refer to, by collection and key): one statement for the table and one for each referred one.

    Nothing where the database refuses to read them.
    """
    try:
        return _read(connection, made, wanted, limit)
    except sa.exc.DBAPIError:
        return [], {}


def _read(
    connection: Connection, made: Mapping[str, Collection], wanted: str, limit: int
) -> tuple[list[Record], dict[tuple[str, str], str]]:
    collection = made[wanted]
    reader = Reader(Table(collection), whole(READER), [*collection.columns, *collection.currencies.values()])
    rows = [reader.record(row) for row in connection.execute(reader.select().limit(limit))]
    titles: dict[tuple[str, str], str] = {}
    for name in collection.columns:
        target = made.get(collection.by_name[name].references or "") if name in collection.by_name else None
        if target is not None and len(target.key) == 1 and (keys := {row.values.get(name) for row in rows} - {None}):
            titles |= _titles(connection, target, keys)
    return rows, titles


def _titles(connection: Connection, target: Collection, keys: set[Any]) -> dict[tuple[str, str], str]:
    reader = Reader(Table(target), whole(READER), target.key)
    named = [record_keys.decode(target, record_keys.key_of_value(str(key))) for key in sorted(keys, key=str)]
    found = reader.select().where(sa.or_(*map(reader.table.is_key, named)))
    return {(target.id, str(record.values[target.key[0]])): record.title for record in map(reader.record, connection.execute(found))}
