"""The rows go into their databases: COPY into PostgreSQL, one transaction into SQLite, keys and views when the rows are in."""

import json
import sqlite3
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from console.demo.world import Row, Tables, columns

JSON_COLUMNS = frozenset(
    {
        "address",
        "conditions",
        "checks",
        "ids",
        "list_versions",
        "matched_on",
        "points",
        "metadata",
        "attachments",
        "evidence",
    }
)
IDENTITIES = (
    "customer",
    "kyc_document",
    "party",
    "beneficial_owner",
    "screening_run",
    "screening_hit",
    "risk_assessment",
    "credit",
    "ticket",
    "fiu.sar_case",
)


def schema(name: str) -> str:
    """The text of `schema/<name>.sql`."""
    return (resources.files("console.demo") / "schema" / f"{name}.sql").read_text(encoding="utf-8")


def fill_postgresql(url: str, tables: Tables, awaited: Callable[[], None]) -> None:
    """Make tables, rows, keys and views in an empty database, in one transaction; then ANALYZE.

    `awaited` is called before the rows of kyc_document go in: by then their papers must be drawn.
    """
    with psycopg.connect(url) as connection:
        connection.execute("set timezone to 'UTC'")
        connection.execute(schema("tables"))
        for name, rows in sorted(tables.items(), key=lambda item: item[0] == "kyc_document"):
            if name == "kyc_document":
                awaited()
            _copy(connection, name, rows)
        connection.execute(schema("keys"))
        connection.execute("analyze")
        connection.execute(schema("views"))
        for name in IDENTITIES:
            connection.execute(
                sql.SQL("select setval(pg_get_serial_sequence({}, 'id'), (select max(id) from {}))").format(
                    sql.Literal(name), sql.Identifier(*name.split("."))
                )
            )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("analyze charge, customer")


def _copy(connection: psycopg.Connection[Any], name: str, rows: list[Row]) -> None:
    names = columns(rows)
    target = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(*name.split(".")), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    as_json = [name in JSON_COLUMNS for name in names]
    with connection.cursor().copy(target) as copy:
        for row in rows:
            copy.write_row(
                [_json(value) if flag else value for flag, value in zip(as_json, row.values(), strict=True)]
            )


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def fill_sqlite(path: Path, tables: Tables) -> None:
    """Make the database anew beside its place and move it there, so that nobody meets half of it."""
    made = path.with_suffix(".new")
    made.unlink(missing_ok=True)
    with sqlite3.connect(made) as connection:
        connection.execute("pragma journal_mode = off")
        connection.execute("pragma synchronous = off")
        connection.executescript(schema("supply"))
        for name, rows in tables.items():
            names = columns(rows)
            marks = ", ".join("?" * len(names))
            statement = f"insert into {name} ({', '.join(names)}) values ({marks})"  # noqa: S608 - our own names
            connection.executemany(statement, ([_plain(value) for value in row.values()] for row in rows))
        connection.executescript(schema("supply_keys"))
    connection.close()
    made.replace(path)


def _plain(value: Any) -> Any:
    """As SQLite keeps it: JSON, dates and decimals as text, booleans as 0 and 1."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if hasattr(value, "hour"):
        return f"{value:%Y-%m-%d %H:%M:%S.%f}"
    if hasattr(value, "year"):
        return value.isoformat()
    return value
