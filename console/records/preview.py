"""The first records of a table that is not connected yet, as they would look."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.documents.collections import Collection
from console.core.scopes import unrestricted
from console.records import record_keys
from console.records.reader import Reader, Record
from console.records.sql_tables import Table

READER = "preview"


def first_records(
    connection: Connection, made: Mapping[str, Collection], wanted: str, limit: int
) -> tuple[list[Record], dict[tuple[str, str], str]]:
    """(records, titles of the records that they refer to, by collection and value): one statement for the table and one for each referred one.

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
    reader = Reader(
        Table(collection), unrestricted(READER), [*collection.columns, *collection.currencies.values()]
    )
    rows = [reader.record(row) for row in connection.execute(reader.select().limit(limit))]
    titles: dict[tuple[str, str], str] = {}
    for name in collection.columns:
        field = collection.field(name)
        target = made.get(field.references or "") if field is not None else None
        if target is not None and target.key and (keys := {row.values.get(name) for row in rows} - {None}):
            titles |= _titles(connection, target, keys)
    return rows, titles


def _titles(connection: Connection, target: Collection, keys: set[Any]) -> dict[tuple[str, str], str]:
    reader = Reader(Table(target), unrestricted(READER), target.key)
    by_key = {
        record_keys.key_of_value(str(key)) if len(target.key) == 1 else str(key): str(key) for key in keys
    }
    found = reader.select().where(
        sa.or_(*(reader.table.is_key(record_keys.decode(target, key)) for key in sorted(by_key)))
    )
    return {
        (target.id, by_key.get(record.key or "", str(record.key))): record.title
        for record in map(reader.record, connection.execute(found))
    }
