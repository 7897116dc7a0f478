"""A shorter time limit for a few statements on a connection, kept by the database itself."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.errors import TooSlow

T = TypeVar("T")
MYSQL_STOPPED = frozenset({1969, 3024})
TOO_SLOW = "The data source took too long to answer, so the question was withdrawn."


@contextlib.contextmanager
def limit(connection: Connection, seconds: float) -> Iterator[None]:
    """Statements within stop after so many seconds; the connection's own limit holds again afterwards. Raises TooSlow."""
    kind = connection.dialect.name
    former = connection.info.get("statement_s")
    try:
        if kind == "sqlite":
            connection.info["limit_s"] = seconds
        else:
            connection.exec_driver_sql(_telling(connection, seconds))
        yield
    except sa.exc.DBAPIError as error:
        if not stopped(error):
            raise
        raise TooSlow(TOO_SLOW) from error
    finally:
        _restore(connection, kind, former)


def run_within(connection: Connection, seconds: float, work: Callable[[Connection], T]) -> T:
    """The result of `work` in so many seconds. Raises TooSlow."""
    with limit(connection, seconds):
        return work(connection)


def _restore(connection: Connection, kind: str, former: float | None) -> None:
    if kind == "sqlite":
        connection.info.pop("limit_s", None)
    elif connection.invalidated or former is None:
        connection.invalidate()
    else:
        try:
            connection.exec_driver_sql(_telling(connection, former))
        except sa.exc.DBAPIError:
            connection.invalidate()  # nobody else may get the short limit


def _telling(connection: Connection, seconds: float) -> str:
    if connection.dialect.name == "postgresql":
        return f"set statement_timeout = {max(1, round(seconds * 1000))}"
    dialect: Any = connection.dialect
    if getattr(dialect, "is_mariadb", False):
        return f"set session max_statement_time = {seconds:.3f}"
    return f"set session max_execution_time = {max(1, round(seconds * 1000))}"


def stopped(error: sa.exc.DBAPIError) -> bool:
    """Whether the database stopped the statement because its time was over."""
    original = error.orig
    if isinstance(original, psycopg.Error):
        return original.sqlstate == "57014"
    if isinstance(original, sqlite3.Error):
        return "interrupted" in str(original)
    return original is not None and bool(original.args) and original.args[0] in MYSQL_STOPPED
