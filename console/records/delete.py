"""Deleting a record with one DELETE, with the scope in its WHERE, if the record is still as it was seen."""

from collections.abc import Mapping
from typing import Any, Literal

import sqlalchemy as sa

from console.core.documents.collections import Collection, Relation
from console.core.errors import Conflict
from console.core.plain_words import uncapitalised
from console.core.scopes import Scope
from console.infra import faults
from console.infra.db import request_writes
from console.infra.db.engine import fetch
from console.records import catalogue, changes_made, connect, record_keys, reflect_sqlite, refusals, values
from console.records.log_references import log_reference
from console.records.sql_tables import Table, table_of
from console.records.write import Stale, WriteUnknown, compare, left_out, locked

Follows = Literal["deleted", "emptied", "refused"]
_TAGS_GONE = "delete from console.record_tag where collection = %s and record = %s returning 1"
"""The tags of a record go with it: else they count where a list is filtered by them, and the next record with its key has them."""
_RULES: Mapping[str, Follows] = {"CASCADE": "deleted", "SET NULL": "emptied", "SET DEFAULT": "emptied"}


def on_delete(collection: Collection, relation: Relation) -> Follows | None:
    """What the database does with the records that a to-many relation leads to when this one is deleted; None without a foreign key."""
    target = catalogue.collection(relation.collection)
    if target.source != collection.source or target.kind != "table":
        return None
    ours = {there: here for here, there in relation.columns}
    for table, columns, rule in connect.read(
        catalogue.engine_of(target), target.source, lambda connection: _keys(connection, target)
    ):
        if table == collection.table and columns == ours:
            return _RULES.get(rule.upper(), "refused")
    return None


def _keys(connection: sa.Connection, target: Collection) -> list[tuple[str, dict[str, str], str]]:
    """(table, our column → theirs, what deleting does) of the foreign keys of a table."""
    if connection.dialect.name == "sqlite":
        keys = reflect_sqlite.foreign_keys(connection, target.table, ruled=True)
        return [
            (key["table"], dict(zip(key["columns"], key["target"], strict=True)), key["rule"]) for key in keys
        ]
    return [
        (
            key["referred_table"],
            dict(zip(key["constrained_columns"], key["referred_columns"], strict=True)),
            str(key.get("options", {}).get("ondelete", "")),
        )
        for key in sa.inspect(connection).get_foreign_keys(target.table, schema=target.schema)
    ]


def delete(collection_id: str, key: str, expected: Mapping[str, Any], scope: Scope) -> None:
    """Delete the record if every field of `expected` (name → JSON) still has that value.

    Raises Conflict `record_changed` with `theirs` per changed field, `in_use` if other records refer to it, NotFound out of scope, SourceDown,
    WriteUnknown.
    """
    collection = catalogue.collection(collection_id)
    catalogue.require_writable(collection)
    for last in (False, True):
        try:
            _delete(table_of(collection), key, expected, scope)
            return
        except Stale as error:
            if last:
                raise connect.driver_refusal(error.cause, collection.source) from error.cause


def _delete(table: Table, key: str, expected: Mapping[str, Any], scope: Scope) -> None:
    collection, target = table.collection, f"{table.collection.id}/{key}"
    is_key = table.is_key(record_keys.decode(collection, key))
    with connect.transaction(catalogue.engine_of(collection), collection.source) as connection:
        former = locked(connection, table, key, is_key, list(expected), scope)
        theirs = {name: values.read(table.readers[name], former[name]) for name in expected}
        compare(collection, {name: {"old": old} for name, old in expected.items()}, theirs)
        try:
            gone = connection.execute(sa.delete(table.table).where(is_key, table.in_scope(scope))).rowcount
            if gone != 1:
                raise left_out(connection, table, is_key, table.in_scope(scope), done="deleted")
            faults.point("records.commit.before")
            committed = connect.commit(connection)
        except sa.exc.DBAPIError as error:
            if (reason := refusals.raised(error.orig)) is not None:
                raise Conflict(
                    f"The database refuses this: {reason} Nothing was deleted.", code="not_possible"
                ) from error
            if not isinstance(error, sa.exc.IntegrityError):
                raise _failed(error, collection, target) from error
            message = (
                f"Other records refer to this {uncapitalised(collection.label_one)}, or to what would be deleted with it: delete or change"
                " them first. Nothing was deleted."
            )
            raise Conflict(message, code="in_use") from error
    if committed:
        request_writes.written(target)
        changes_made.note_change(changes_made.Changed(collection.id, key, theirs, None))
        fetch(_TAGS_GONE, (collection.id, log_reference(collection, key)))


def _failed(error: sa.exc.DBAPIError, collection: Collection, target: str) -> Exception:
    """What became of a deletion that failed on its way."""
    if error.connection_invalidated:
        request_writes.unknown(target)
        return WriteUnknown(
            f"The connection to {collection.source} was lost while the record was deleted. Look whether it is gone."
        )
    return connect.driver_refusal(error, collection.source)
