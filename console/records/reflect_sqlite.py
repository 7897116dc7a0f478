"""The structure of a SQLite file. Declared types are not binding, so values are sampled too: if all texts are days, the column has days."""

import contextlib
import re
from collections.abc import Callable, Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError, OperationalError

from console.core.documents.collections import field_guesses
from console.core.expressions.operands import DATE, MOMENT, moment_of
from console.records import check_lists, sampling, unique_keys
from console.records.sqlite_schema import MIXED

SAMPLE = 200
DECLARED = (
    (re.compile(r"BOOL"), "boolean"),
    (re.compile(r"DATETIME|TIMESTAMP"), "datetime"),
    (re.compile(r"^DATE"), "date"),
    (re.compile(r"^TIME"), "time"),
    (re.compile(r"JSON"), "json"),
    (re.compile(r"UUID|GUID"), "uuid"),
    (re.compile(r"INT"), "integer"),
    (re.compile(r"CHAR|CLOB|TEXT|STRING|MEMO|NOTE|XML"), "text"),
    (re.compile(r"BLOB"), "binary"),
    (re.compile(r"REAL|FLOA|DOUB|NUM|DEC|MONEY|CURRENCY|PERCENT"), "decimal"),
)


OWN_CLOCK = re.compile(r"current_timestamp|'now'(?!.*localtime)", re.IGNORECASE)
"""Defaults that are the present moment in UTC, whatever zone the file's other moments are in."""
COUNTED_CLOCK = re.compile(r"unixepoch\(\)|strftime\('%s'", re.IGNORECASE)
"""Defaults that are the seconds since 1970."""
SCHEMA = (
    "select s.name, s.type, s.sql from sqlite_schema s join pragma_table_list t on t.name = s.name and t.schema = 'main'"
    " where s.type in ('table', 'view') and t.type <> 'shadow' and s.name not like 'sqlite\\_%' escape '\\' order by s.name"
)


def names(connection: Connection) -> list[tuple[str | None, str, bool]]:
    """Like `console.records.reflect.names`."""
    return [(None, name, kind == "view") for name, kind, _ in connection.exec_driver_sql(SCHEMA)]


def structures(
    connection: Connection, wanted: Collection[str], told: Callable[[int], None]
) -> list[dict[str, Any]]:
    """Like `console.records.reflect.structures`. Views over missing tables and tables of unknown modules are left out."""
    found = connection.exec_driver_sql(SCHEMA).all()
    made: list[dict[str, Any]] = []
    for name, kind, sql in found:
        if name in wanted:
            told(len(made))
            with contextlib.suppress(OperationalError, DatabaseError):
                made.append(_structure(connection, name, kind, sql or ""))
    return made


def _structure(connection: Connection, table: str, kind: str, sql: str) -> dict[str, Any]:
    rows = connection.exec_driver_sql(
        'select name, type, "notnull", pk, hidden, dflt_value from pragma_table_xinfo(?)', (table,)
    ).all()
    lists = {
        name.lower(): values
        for name, values in check_lists.listed_values(*check_lists.checks_of(sql)).items()
    }
    sample, sampled = _sample(connection, table)
    key = [row[0] for row in sorted((row for row in rows if row[3]), key=lambda row: row[3])]
    empty = {row[0] for row in rows if row[3] and not row[2] and _holds_null(connection, table, row[0])}
    columns = [
        _column(row, lists.get(row[0].lower()), sample.get(row[0], []), row[0] in empty)
        for row in rows
        if row[4] != 1
    ]
    for column in columns:
        if column["stored"] == "datetime" and _only_days(
            connection, table, column["name"], sample.get(column["name"], [])
        ):
            column["stored"] = "date"
        held = sample.get(column["name"], [])
        sampling.note(column, [*held, *[None] * (sampled - len(held))])
    structure = {
        "schema": None,
        "table": table,
        "kind": kind,
        "comment": None,
        "dialect": "sqlite",
        "key": key or (unique_keys.of_sqlite(connection, table, columns) if kind == "table" else []),
        "columns": columns,
        "foreign_keys": foreign_keys(connection, table),
    }
    unique_keys.single_in_sqlite(connection, structure)
    sampling.keep_days(connection, structure)
    sampling.note_kinds(connection, structure)
    sampling.note_secrets(connection, structure)
    return structure


def _column(row: Any, listing: list[str] | None, sample: list[Any], empty: bool) -> dict[str, Any]:
    name, declared, required, key, hidden, default = row
    stored = _stored(str(declared).upper(), sample)
    if stored == "integer" and field_guesses.form_of(sample, name) == "flag":
        stored = "boolean"
    limit = re.search(r"CHAR[A-Z ]*\(\s*(\d+)\s*\)", str(declared).upper())
    digits = re.search(r"(?:NUM|DEC)[A-Z ]*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)", str(declared).upper())
    return {
        "name": name,
        "stored": stored,
        "native": MIXED
        if stored == "text" and any(not isinstance(value, str) for value in sample)
        else str(declared).lower(),
        "nullable": not required and (empty or not key),
        "generated": hidden in {2, 3},
        **({"utc": True} if stored == "datetime" and OWN_CLOCK.search(default or "") else {}),
        **({"form": "unix"} if stored == "integer" and COUNTED_CLOCK.search(default or "") else {}),
        **({"options": listing} if listing and stored == "text" else {}),
        **({"max_length": int(limit[1])} if limit and stored == "text" else {}),
        **(
            {"precision": int(digits[1]), "scale": int(digits[2] or 0)}
            if digits and stored == "decimal"
            else {}
        ),
    }


def _stored(declared: str, sample: list[Any]) -> str:
    stored = next((kind for pattern, kind in DECLARED if pattern.search(declared)), "")
    if stored == "text" and sample and all(isinstance(value, str) for value in sample):
        return _calendar(sample) or "text"
    kinds = {type(value) for value in sample}
    if kinds and kinds <= {int, float} and stored in ("", "date", "datetime"):
        return "integer" if kinds == {int} else "decimal"
    if stored:
        return stored
    if kinds == {str}:
        return _calendar(sample) or "text"
    return "text" if bytes not in kinds and (kinds or declared in ("", "ANY")) else "other"


def _calendar(sample: list[str]) -> str | None:
    """Days or moments, if every text of the sample is one."""
    if all(DATE.fullmatch(value) and moment_of(value) for value in sample):
        return "date"
    return "datetime" if all(MOMENT.fullmatch(value) and moment_of(value) for value in sample) else None


def _only_days(connection: Connection, table: str, column: str, sample: list[Any]) -> bool:
    """Whether a column that is declared to hold moments holds days without a time, in all rows: `2016-07-04`."""
    if not sample or not all(isinstance(value, str) and DATE.fullmatch(value) for value in sample):
        return False
    here: sa.ColumnClause[Any] = sa.column(column)
    return (
        connection.execute(
            sa.select(1).select_from(sa.table(table)).where(sa.func.length(here) > len("2016-07-04")).limit(1)
        ).first()
        is None
    )


def _sample(connection: Connection, table: str) -> tuple[dict[str, list[Any]], int]:
    """Values of the first rows by column, without nulls; and how many rows these are."""
    quoted = table.replace('"', '""')
    result = connection.exec_driver_sql(f'select * from "{quoted}" limit {SAMPLE}')  # noqa: S608 - the name is quoted, and comes from the database
    names = list(result.keys())
    found: dict[str, list[Any]] = {name: [] for name in names}
    rows = result.all()
    for row in rows:
        for name, value in zip(names, row, strict=True):
            if value is not None:
                found[name].append(value)
    return found, len(rows)


def _holds_null(connection: Connection, table: str, column: str) -> bool:
    """Whether a key column has nulls, which only this database allows."""
    table, column = (name.replace('"', '""') for name in (table, column))
    return (
        connection.exec_driver_sql(f'select 1 from "{table}" where "{column}" is null limit 1').first()  # noqa: S608 - quoted
        is not None
    )


def foreign_keys(connection: Connection, table: str, *, ruled: bool = False) -> list[dict[str, Any]]:
    """The foreign keys of a table; `ruled`: with what deleting does, which the library reads of keys alone that stand on a line of their own."""
    statement = 'select id, "table", "from", "to", on_delete from pragma_foreign_key_list(?) order by id, seq'
    keys: dict[int, dict[str, Any]] = {}
    for number, target, here, there, rule in connection.exec_driver_sql(statement, (table,)).all():
        key = keys.setdefault(
            number,
            {"columns": [], "schema": None, "table": target, "target": []}
            | ({"rule": rule} if ruled else {}),
        )
        key["columns"].append(here)
        key["target"].append(there)
    for key in keys.values():
        if None in key["target"]:  # a foreign key that names only the table refers to its primary key
            found = connection.exec_driver_sql(
                "select name from pragma_table_info(?) where pk > 0 order by pk", (key["table"],)
            )
            key["target"] = [row[0] for row in found]
    return [key for key in keys.values() if len(key["target"]) == len(key["columns"])]
