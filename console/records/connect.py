"""Connections to the users' databases: few, bounded in time, and mended by themselves after a restart.

A statement that runs longer than `STATEMENT_S` is stopped by the database itself, so that the console never hurts the operator's
own system. A read on a connection that died while idle is repeated once on a new one; a write never is.
"""

import contextlib
import logging
import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import psycopg
import sqlalchemy as sa
from psycopg.adapt import Loader
from sqlalchemy.engine import URL, Connection, Engine, make_url

from console.errors import ConsoleError, Invalid, SourceDown

STATEMENT_S = 15
LOCK_S = 3
CONNECT_S = 5
POOL = 4
RECYCLE_S = 1800
DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "sqlite": "sqlite+pysqlite",
}
log = logging.getLogger(__name__)
T = TypeVar("T")

_engines: dict[str, tuple[int, str, Engine]] = {}
_lock = threading.Lock()


def address(url: str) -> URL:
    """The URL with the driver that we use; a file of SQLite by its absolute path. Raises Invalid for a kind of database we cannot read."""
    try:
        parsed = make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise _unusable("This is no database URL. It looks like postgresql://user:password@host/database or sqlite:///file.db.") from None
    driver = DRIVERS.get(parsed.get_backend_name()) if "+" not in parsed.drivername else parsed.drivername
    if driver not in DRIVERS.values():
        raise _unusable(f"There is no driver for {parsed.drivername}. Databases may be PostgreSQL, MySQL, MariaDB or SQLite.")
    if driver == DRIVERS["sqlite"]:
        if not parsed.database or parsed.database == ":memory:":
            raise _unusable("A SQLite database is a file: sqlite:////absolute/path/file.db.")
        return parsed.set(drivername=driver, database=str(Path(parsed.database).absolute()), query={})
    return parsed.set(drivername=driver)


def _unusable(reason: str) -> Invalid:
    return Invalid(reason, details=[{"field": "url", "reason": reason}])


def engine(name: str, url: str) -> Engine:
    """The engine of a data source in this process, made on first use and again when its URL changed or after a fork."""
    with _lock:
        kept = _engines.get(name)
        if kept and kept[:2] == (os.getpid(), url):
            return kept[2]
        made = create(address(url))
        if kept and kept[0] == os.getpid():
            kept[2].dispose()
        _engines[name] = (os.getpid(), url, made)
        return made


def dispose() -> None:
    """Close every connection to a data source; the next use connects anew."""
    with _lock:
        for process, _, made in _engines.values():
            if process == os.getpid():
                made.dispose()
        _engines.clear()


def create(url: URL) -> Engine:
    """An engine over `url` (of `address`) with our limits on every connection."""
    options: dict[str, Any] = {"pool_size": POOL, "max_overflow": POOL, "pool_timeout": CONNECT_S, "pool_recycle": RECYCLE_S}
    options["isolation_level"] = "AUTOCOMMIT"  # reads are single statements; `transaction` asks for more
    kind = url.get_backend_name()
    if kind == "sqlite":
        made = sa.create_engine(url, creator=lambda: _open_file(str(url.database)), poolclass=sa.pool.QueuePool, **options)
        sa.event.listen(made, "connect", _limit_sqlite)
        sa.event.listen(made, "before_cursor_execute", _start_clock)
        return made
    if kind == "mysql":
        options["connect_args"] = {"connect_timeout": CONNECT_S, "read_timeout": 2 * STATEMENT_S, "charset": "utf8mb4"}
        made = sa.create_engine(url, **options)
        sa.event.listen(made, "connect", _limit_mysql)
        return made
    options["connect_args"] = {"connect_timeout": CONNECT_S, "application_name": "handrail"}
    made = sa.create_engine(url, **options)
    sa.event.listen(made, "connect", _limit_postgresql)
    return made


def read(engine: Engine, name: str, work: Callable[[Connection], T]) -> T:
    """What `work` answers on a connection without a transaction; once more when the connection turned out to be dead. Raises SourceDown."""
    for last in (False, True):
        try:
            with engine.connect() as connection:
                return work(connection)
        except sa.exc.DBAPIError as error:
            if last or not error.connection_invalidated:
                raise refused(error, name) from error
        except sa.exc.TimeoutError as error:
            raise SourceDown(f"All connections to the data source {name} are busy. Try again in a moment.", passing=True) from error
    raise AssertionError("unreachable")  # pragma: no cover


@contextlib.contextmanager
def transaction(engine: Engine, name: str) -> Iterator[Connection]:
    """A transaction for a write; on SQLite it takes the write lock at once. Raises SourceDown when none can be opened."""
    try:
        connection = engine.connect()
    except sa.exc.DBAPIError as error:
        raise refused(error, name) from error
    except sa.exc.TimeoutError as error:
        raise SourceDown(f"All connections to the data source {name} are busy. Try again in a moment.", passing=True) from error
    with connection:
        try:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection = connection.execution_options(isolation_level="READ COMMITTED")
        except sa.exc.DBAPIError as error:
            raise refused(error, name) from error
        yield connection


IN_A_MOMENT = "Try again in a moment."
POSTGRESQL_REFUSALS = {
    "57014": f"took longer than {STATEMENT_S} s to answer, so the question was withdrawn. Narrow it by a filter.",
    "55P03": "has this record locked for another program. Try again in a moment.",
    "40P01": "has this record locked for another program. Try again in a moment.",
    "42P01": "no longer has this table. Run `console source refresh` for it.",
    "42703": "no longer has one of the columns. Run `console source refresh` for it.",
    "42501": "does not let the console's user do this. Ask its administrator for the right.",
    "25006": "is read-only.",
    "28P01": "refuses the console's password. Its URL has to be given anew.",
    "28000": "refuses the console's user. Its URL has to be given anew.",
    "3D000": "has no such database any more.",
}
MYSQL_REFUSALS = {
    1146: POSTGRESQL_REFUSALS["42P01"],
    1054: POSTGRESQL_REFUSALS["42703"],
    1142: POSTGRESQL_REFUSALS["42501"],
    1143: POSTGRESQL_REFUSALS["42501"],
    1044: POSTGRESQL_REFUSALS["42501"],
    1045: POSTGRESQL_REFUSALS["28P01"],
    1049: POSTGRESQL_REFUSALS["3D000"],
    1205: POSTGRESQL_REFUSALS["55P03"],
    1969: POSTGRESQL_REFUSALS["57014"],
    3024: POSTGRESQL_REFUSALS["57014"],
}
SQLITE_REFUSALS = {
    "interrupted": POSTGRESQL_REFUSALS["57014"],
    "database is locked": POSTGRESQL_REFUSALS["55P03"],
    "no such table": POSTGRESQL_REFUSALS["42P01"],
    "no such column": POSTGRESQL_REFUSALS["42703"],
    "unable to open": "is a file that is not there, or that the console may not open.",
    "readonly": POSTGRESQL_REFUSALS["25006"],
    "not a database": "is no SQLite database.",
}


def refused(error: sa.exc.DBAPIError, name: str) -> ConsoleError:
    """The error of a driver as a person is told it: never SQL, never a value."""
    original = error.orig
    told: str | None = None
    if isinstance(original, psycopg.Error):
        told = POSTGRESQL_REFUSALS.get(original.sqlstate or "")
    elif isinstance(original, sqlite3.Error):
        told = next((text for part, text in SQLITE_REFUSALS.items() if part in str(original)), None)
    elif original is not None and original.args and isinstance(original.args[0], int):
        told = MYSQL_REFUSALS.get(original.args[0])
    code = getattr(original, "sqlstate", None)
    log.warning("data source %s: %s %s", name, type(original).__name__, code or "")
    if told is None:
        broken = isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError))
        told = "does not answer. Try again in a moment." if broken else "could not answer this question."
    return SourceDown(f"The data source {name} {told}", passing=told.endswith(IN_A_MOMENT), source=name)


# ------------------------------------------------------------------------------------------------------- limits by kind


class _Date(Loader):
    """`date`; what Python's calendar cannot hold (`infinity`, years before Christ) stays the text that the database shows."""

    def load(self, data: Any) -> Any:
        """The day, or the text."""
        text = str(data, "ascii")
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text


class _Moment(Loader):
    """`timestamp` and `timestamptz`, likewise; our sessions write ISO in UTC."""

    def load(self, data: Any) -> Any:
        """The moment, aware where the column is, or the text."""
        text = str(data, "ascii")
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return text


def _limit_postgresql(connection: Any, _: Any) -> None:
    for kind, loader in (("date", _Date), ("timestamp", _Moment), ("timestamptz", _Moment)):
        connection.adapters.register_loader(kind, loader)
    autocommit = connection.autocommit
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"set statement_timeout = '{STATEMENT_S}s'")
        cursor.execute(f"set lock_timeout = '{LOCK_S}s'")
        cursor.execute("set idle_in_transaction_session_timeout = '30s'")
        cursor.execute("set time zone 'UTC'")
        cursor.execute("set datestyle = 'ISO'")
    connection.autocommit = autocommit


def _limit_mysql(connection: Any, _: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select version()")
        mariadb = "mariadb" in str(cursor.fetchone()[0]).lower()
        cursor.execute(
            f"set session max_statement_time = {STATEMENT_S}" if mariadb else f"set session max_execution_time = {STATEMENT_S * 1000}"
        )
        cursor.execute(f"set session innodb_lock_wait_timeout = {LOCK_S}")
        cursor.execute("set session time_zone = '+00:00'")
        cursor.execute("set session sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES')")


def _open_file(path: str) -> sqlite3.Connection:
    """The file, which must be there: opening it otherwise would make an empty database."""
    return sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, timeout=LOCK_S, check_same_thread=False, isolation_level=None)


def _limit_sqlite(connection: sqlite3.Connection, record: Any) -> None:
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")  # a file may hold any bytes: one row must not close the list
    record.info["until"] = math.inf
    connection.set_progress_handler(lambda: record.info["until"] < time.monotonic(), 20_000)
    connection.create_function("console_lower", 1, _lower, deterministic=True)
    connection.execute("pragma foreign_keys = on")


def _lower(value: Any) -> Any:
    """Small letters of every script; the database's own `lower` knows only A to Z."""
    return value.lower() if isinstance(value, str) else value


def _start_clock(connection: Connection, *_: Any) -> None:
    connection.info["until"] = time.monotonic() + STATEMENT_S


def plain_moment(value: date | datetime) -> str:
    """A day or moment as SQLite keeps it: `2026-11-20` or `2026-11-20 09:00:00.000` in UTC."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"
    return value.isoformat()
