"""Columns of a SQLite file that change their type while nobody looks: each declared type is known again after a restart, and noticed once where it is another."""

import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from console import records, sources
from console.core.errors import SourceChanged
from console.core.scopes import unrestricted
from console.infra.db import tables
from console.infra.db.engine import hot_engine
from console.records import connect, sqlite_schema

pytestmark = pytest.mark.slow

VALUES: dict[str, list[Any]] = {
    "": [1, "a", None],
    "any": ["x", 2],
    "boolean": [0, 1],
    "bool": [1],
    "INTEGER": [1],
    "int": [5],
    "BigInt Unsigned": [7],
    "tinyint(1)": [0, 1],
    "TEXT": ["a"],
    "text ": ["2026-05-31"],
    "VARCHAR(20)": ["b"],
    "native character(70)": ["c"],
    "clob": ["d"],
    "string": ["e"],
    "memo": [1, "f"],
    "real": [1.5],
    "double precision": [2.5],
    "float": [3],
    "NUMERIC(12, 2)": [4.25],
    "decimal(5)": [1],
    "money": [9],
    "date": ["2026-05-31"],
    "datetime": ["2026-05-31 00:00:00"],
    "timestamp": [700000000, 700000001],
    "timestamp with time zone": ["2026-05-31T10:00:00Z"],
    "time": ["10:00"],
    "json": ['{"a": 1}'],
    "JSONB": ["[]"],
    "uuid": ["6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e"],
    "guid": ["x"],
    "blob": [b"\x00"],
    "Ärger": ["x"],
    "mixed": ["x"],
    "xml": ["<a/>"],
    "point": ["1,2"],
    "int generated always as (id * 2)": [],
    "text collate nocase": ["Q"],
}
"""Declared type → values of a column so declared, each in a table of its own; 30 of each, that a sample says what it can."""


def table_of(at: int) -> str:
    return f"t{at}"


def column_of(declared: str) -> str:
    return f"v {declared}".strip()


def make(connection: sqlite3.Connection, at: int, declared: str) -> None:
    connection.execute(f"create table {table_of(at)} (id integer primary key, {column_of(declared)})")
    values = VALUES[declared]
    if values:
        connection.executemany(
            f"insert into {table_of(at)} (v) values (?)", [(values[n % len(values)],) for n in range(30)]
        )


def restart() -> None:
    """As in a process that has just been started."""
    connect.dispose()
    records.catalogue.forget()
    sqlite_schema._seen.clear()


def alarms(several: list[str]) -> int:
    """How many reads of these tables say that a column may be of another type."""
    found = 0
    for table in several:
        try:
            records.page(f"kinds.{table}", unrestricted("x"))
        except SourceChanged:
            found += 1
    return found


@pytest.fixture
def file(clean: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source with a table for each declared type."""
    monkeypatch.setattr(sys.modules[sources.difference.__module__], "AGAIN_S", 0)
    path = tmp_path / "kinds.db"
    with sqlite3.connect(path) as connection:
        for at, declared in enumerate(VALUES):
            make(connection, at, declared)
        connection.execute("create view seen as select id, v from t1")
        connection.execute("create virtual table looked using fts5 (words)")
    connection.close()
    sources.add("kinds", f"sqlite:///{path}")
    return path


def test_no_type_is_taken_for_another_at_a_start(file: Path) -> None:
    every = [table_of(at) for at in range(len(VALUES))]
    for _ in range(2):
        restart()
        assert alarms(every) == 0
        sources.refresh("kinds")


def test_a_type_that_is_another_after_a_stop_is_noticed_once_and_taken_over(file: Path) -> None:
    for at, declared in enumerate(VALUES):
        table = table_of(at)
        native = next(column["native"] for column in stored(table)["columns"] if column["name"] == "v")
        restart()
        other = "varchar(7)" if declared != "VARCHAR(20)" else "integer"
        with sqlite3.connect(file) as connection:
            connection.execute(f"drop table {table}")
            connection.execute(f"create table {table} (id integer primary key, v {other})")
        connection.close()
        if native == sqlite_schema.MIXED:  # how it was declared is not known
            continue
        assert alarms([table, table, table_of(3)]) == 1, declared
        again = sources.look_again("kinds")
        assert again is not None, declared
        assert again.taken, declared
        restart()
        assert alarms([table, table_of(3)]) == 0, declared


def stored(table: str) -> dict[str, Any]:
    with hot_engine().connect() as connection:
        return dict(
            connection.execute(
                sa.select(tables.collection.c.structure).where(tables.collection.c.id == f"kinds.{table}")
            ).scalar_one()
        )
