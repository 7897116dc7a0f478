"""Adding a record with one INSERT. The scope judges the record as it would be, and a record added by an earlier attempt is found again."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from console.core.documents.collections import Collection, Field
from console.core.errors import Conflict, Invalid, NotAllowed
from console.core.filters import Group, Test
from console.core.plain_words import uncapitalised
from console.core.scopes import Scope
from console.records import (
    broken_rules,
    catalogue,
    changes_made,
    connect,
    filter_conditions,
    governing,
    mysql_clock,
    values,
    write_checks,
)
from console.records.dialects import value
from console.records.read_back import read_back
from console.records.reader import Reader, Record
from console.records.record_reads import page
from console.records.related_values import leading, unseen_references
from console.records.sql_tables import Table, table_of
from console.records.write import commit, rejected, same_words

DECLARED = sa.text("select * from pragma_table_info(:table)")
"""Query: the columns of a table of SQLite with their types as they were declared: `int` and `integer` are not the same for a key."""
NOTHING = sa.text("select null where false")
LEFT_OUT = "The database took this without keeping it: a trigger or rule of its own leaves such a record out. Nothing was saved."
MORE_DEFAULTS = {
    "mysql": sa.text(
        "select column_name from information_schema.columns where table_schema = coalesce(:schema, database()) and table_name = :table"
        " and column_default is not null and column_default <> 'NULL'"
    )
}
"""Queries: columns with a default, of which the library does not read all: bits, functions."""
BEFORE_INSERT = {
    "postgresql": sa.text(
        "select f.prosrc from pg_trigger t join pg_proc f on f.oid = t.tgfoid join pg_class c on c.oid = t.tgrelid"
        " where c.relname = :table and c.relnamespace::regnamespace::text = quote_ident(:schema) and t.tgtype & 7 = 7 and t.tgenabled <> 'D'"
    ),
    "mysql": sa.text(
        "select action_statement from information_schema.triggers where event_object_schema = coalesce(:schema, database())"
        " and event_object_table = :table and action_timing = 'BEFORE' and event_manipulation = 'INSERT'"
    ),
}
"""Queries: the bodies of the triggers that may fill in columns of a new row (1: for each row, 2: before, 4: INSERT)."""
CODE = re.compile(r"\(?'([A-Z]{3})'(?:::[a-z ]+)?\)?")
"""A default that is a code: `'JPY'::bpchar`."""
ASSIGNED = re.compile(r"""\bnew\s*\.\s*["`]?(\w+)["`]?\s*:?=(?!=)""", re.IGNORECASE)


def insert(
    collection_id: str, given: Mapping[str, Any], scope: Scope, *, workflow: str | None = governing.BY_HAND
) -> Record:
    """The record with these values (field → JSON) as it is kept after it was added.

    `workflow`: the id of the one whose run adds it; fields that workflows govern are left to these.

    Raises Invalid per field with an impossible value, NotAllowed if the new record would be out of scope or a field is read-only for the actor,
    Conflict `exists` if the database has such a record, SourceDown, WriteUnknown.
    """
    collection = catalogue.collection(collection_id)
    catalogue.require_writable(collection)
    fields = require_new_fields(collection, given, scope, workflow=workflow)
    reader = Reader(table_of(collection), scope, None)
    with connect.transaction(catalogue.engine_of(collection), collection.source) as connection:
        [made] = inserted_records(connection, reader, [put(connection, reader, fields, given)], fields)
        what = "the record was saved. Look whether it is there"
        commit(
            connection,
            collection,
            collection.id,
            what,
            lambda error: _refused(error, collection, fields, scope),
        )
    changes_made.note_change(
        changes_made.Changed(collection.id, made.key, None, {name: made.values[name] for name in given})
    )
    return reader.finished([made])[0]


def require_new_fields(
    collection: Collection,
    given: Mapping[str, Any],
    scope: Scope,
    *,
    workflow: str | None = governing.BY_HAND,
    filled: Callable[[], Mapping[str, str]] | None = None,
) -> list[Field]:
    """The fields of a new record of these values. Raises Invalid and NotAllowed for a record that may not be added.

    `filled` answers as `filled_by_database`; whoever judges many asks the database once.
    """
    fields = _fields(collection, given, scope, workflow)
    _require_key(collection, given, filled or (lambda: filled_by_database(collection)))
    if details := unseen_references(collection, given, {}, scope):
        raise Invalid(
            f"The {uncapitalised(collection.label_one)} cannot be saved: {details[0]['reason']}",
            details=details,
        )
    _require_in_scope(collection, given, scope)
    if details := violations_of_new(collection, given, scope):
        raise Invalid(
            f"The {uncapitalised(collection.label_one)} cannot be saved: {details[0]['reason']}",
            details=details,
        )
    return fields


def _require_key(
    collection: Collection, given: Mapping[str, Any], filled: Callable[[], Mapping[str, str]]
) -> None:
    """Raises Invalid for an empty key, which SQLite alone would take: nobody could open such a record."""
    empty = [name for name in collection.key if given.get(name) is None and collection.dialect == "sqlite"]
    if empty and (missing := [name for name in empty if name not in filled()]):
        details = [
            {"field": name, "reason": f"{collection.by_name[name].label} is needed."} for name in missing
        ]
        raise Invalid(
            f"The {uncapitalised(collection.label_one)} cannot be saved: {details[0]['reason']}",
            details=details,
        )


def put(connection: sa.Connection, reader: Reader, fields: list[Field], given: Mapping[str, Any]) -> Record:
    """The record that was added, not committed yet. Raises what the database's refusal means."""
    table, collection = reader.table, reader.table.collection
    row = {
        table.table.columns[field.name]: value(values.written(collection.dialect, field, given[field.name]))
        for field in fields
    }
    row |= {
        table.table.columns[name]: value(now)
        for name, now in mysql_clock.now_of(connection, collection, given, "insert").items()
    }
    statement = sa.insert(table.table).values(row)
    try:
        if connection.dialect.insert_returning:
            made = connection.execute(
                statement.returning(*(table.columns[name] for name in reader.names))
            ).one_or_none()
        else:
            done = connection.execute(statement)
            made = connection.execute(_last(table, reader.names, given, done.lastrowid)).one_or_none()
    except sa.exc.DBAPIError as error:
        raise _refused(error, collection, fields, reader.scope) from error
    if made is None:
        raise Invalid(LEFT_OUT)
    return reader.record(made)


def inserted_records(
    connection: sa.Connection, reader: Reader, made: Sequence[Record], fields: list[Field]
) -> list[Record]:
    """The records that were `put` as the database keeps them. Raises what its refusal means."""
    try:
        return read_back(connection, reader, made)
    except sa.exc.DBAPIError as error:
        raise _refused(error, reader.table.collection, fields, reader.scope) from error


def violations_of_new(collection: Collection, given: Mapping[str, Any], scope: Scope) -> list[dict[str, str]]:
    """What is wrong with a new record of these values (field → JSON) by its formats and rules: a detail `{"field", "reason"}` for each."""
    blank = {field.name: None for field in collection.stored_fields}
    return write_checks.violations(collection, scope, blank, given, new=True)


def filled_by_database(collection: Collection) -> Mapping[str, str]:
    """Columns that the database fills in where an INSERT leaves them out: with a default, a number of its own, a computed value, or in a trigger.

    Each with the code that stands there then, such as that of a currency, where its default is one; else with "".
    """
    columns, numbered, more, bodies = connect.read(
        catalogue.engine_of(collection),
        collection.source,
        lambda connection: (
            sa.inspect(connection).get_columns(collection.table, schema=collection.schema),
            [
                row[1]
                for row in connection.execute(DECLARED, {"table": collection.table})
                if row[2].upper() == "INTEGER"
            ]
            if collection.dialect == "sqlite"
            else (),
            *(
                connection.scalars(query, {"schema": collection.schema, "table": collection.table}).all()
                for query in (
                    MORE_DEFAULTS.get(collection.dialect, NOTHING),
                    BEFORE_INSERT.get(collection.dialect, NOTHING),
                )
            ),
        ),
    )
    filled = {
        column["name"]
        for column in columns
        if column.get("default") is not None
        or column.get("identity")
        or column.get("computed")
        or column.get("autoincrement") is True
    }
    set_there = {name.lower() for body in bodies for name in ASSIGNED.findall(str(body))}
    filled |= {*more, *(column["name"] for column in columns if column["name"].lower() in set_there)}
    if len(collection.key) == 1 and collection.key[0] in numbered:
        filled.add(
            collection.key[0]
        )  # such a key is the number of the row. Source: https://www.sqlite.org/lang_createtable.html#rowid
    said = {column["name"]: CODE.fullmatch(str(column.get("default"))) for column in columns}
    return {
        name: found[1] if (found := said.get(name)) is not None and name.lower() not in set_there else ""
        for name in filled
    }


def distinct_together(collection: Collection) -> frozenset[str]:
    """Columns whose values tell records apart together with those of others alone: parts of a key or of a unique rule. Raises SourceDown."""

    def look(connection: sa.Connection) -> list[list[str | None]]:
        inspector, place = sa.inspect(connection), (collection.table, collection.schema)
        rules: list[Any] = [
            *inspector.get_unique_constraints(*place),
            *(index for index in inspector.get_indexes(*place) if index["unique"]),
        ]
        return [list(rule["column_names"]) for rule in rules]

    found: list[list[str | None]] = [
        list(collection.key),
        *connect.read(catalogue.engine_of(collection), collection.source, look),
    ]
    alone = {names[0] for names in found if len(names) == 1}
    return frozenset(name for names in found for name in names if name and name not in alone)


def find_same(collection_id: str, given: Mapping[str, Any], scope: Scope) -> Record | None:
    """The record with all these values; None if none is in the scope. Raises SourceDown."""
    tests = Group(
        "and",
        tuple(Test(name, "eq", wanted) for name, wanted in given.items()),
    )
    found = page(collection_id, scope, where=tests, limit=1).rows
    return found[0] if found else None


def _fields(
    collection: Collection, given: Mapping[str, Any], scope: Scope, workflow: str | None
) -> list[Field]:
    """The fields of the new record. Raises Invalid for impossible names and values, NotAllowed for read-only fields."""
    details, fields = [], []
    for name, wanted in given.items():
        field = collection.visible(name, scope.hidden)
        if field is None or field.computed is not None:
            details.append({"field": name, "reason": f"{collection.label_one} has no field {name}."})
            continue
        try:
            values.written(collection.dialect, field, wanted)
        except values.Unfit as reason:
            details.append({"field": name, "reason": f"{field.label}: {reason}"})
        fields.append(field)
    details += governing.refused(fields, workflow)
    if details:
        raise Invalid(
            f"The {uncapitalised(collection.label_one)} cannot be saved: {details[0]['reason']}",
            details=details,
        )
    if kept := [field for field in fields if field.name in scope.fixed]:
        named = ", ".join(field.label for field in kept)
        raise NotAllowed(
            f"You may not fill in {named}. An admin can grant it.",
            need=(f"field:{collection.id}/{kept[0].name}", "update"),
        )
    return fields


def _require_in_scope(collection: Collection, given: Mapping[str, Any], scope: Scope) -> None:
    """Raise NotAllowed if the actor may not add such a record."""
    if scope.unlimited:
        return
    record = {field.name: given.get(field.name) for field in collection.stored_fields}
    if scope.nothing or not scope.allows(leading(collection.id, record), datetime.now(UTC)):
        raise NotAllowed(
            f"You may not add such a record to {collection.label}. An admin can grant it.",
            need=(f"collection:{collection.id}", "create"),
        )


def _last(table: Table, names: list[str], given: Mapping[str, Any], number: int) -> sa.Select[Any]:
    """The row just added, by its given or generated key, for databases that do not return it."""
    fields = [table.collection.by_name[name] for name in table.collection.key]
    key = [
        filter_conditions.filter_condition(
            Test(field.name, "eq", given.get(field.name, number)), table.collection, table.columns
        )
        for field in fields
    ]
    return sa.select(*(table.columns[name] for name in names)).select_from(table.table).where(*key)


def _refused(
    error: sa.exc.DBAPIError, collection: Collection, fields: list[Field], scope: Scope
) -> Exception:
    """The error to raise: a violated unique constraint means that the record exists, any other refusal concerns a field."""
    if not isinstance(error, sa.exc.IntegrityError) or not broken_rules.is_duplicate(error.orig):
        return rejected(error, collection, fields, scope)
    named = broken_rules.concerned(error.orig, collection, fields)
    words = (
        same_words(
            collection,
            error.orig,
            [item for item in collection.stored_fields if collection.visible(item.name, scope.hidden)],
        )
        if named
        else ""
    )
    return Conflict(
        f"There is such a record in {collection.label} already. {words}".rstrip(),
        code="exists",
        details=[(field.name, words) for field in named],
    )
