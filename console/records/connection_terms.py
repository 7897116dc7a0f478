"""Limits and settings of every database connection.

The database itself stops a statement that exceeds its time; if the database no longer answers, the client gives up a little later.
Sessions of a read-only source are read-only as far as the database supports it.
"""

import contextlib
import math
import os
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

import psycopg
import sqlalchemy as sa
from psycopg.abc import RV, PQGen
from psycopg.adapt import Loader
from psycopg.types.datetime import TimeLoader, TimetzLoader
from psycopg.types.json import set_json_loads
from psycopg.types.string import TextLoader
from sqlalchemy.engine import URL, Connection, Engine
from typing_extensions import override

from console.core.errors import SourceDown
from console.records import source_zones
from console.records.exact_json import exact_json

LOCK_S = 3
GRACE_S = 2
TURN_S = 2
RECYCLE_S = 1800
IDLE_S = 2
"""A connection that nobody used for so long is tried before its next use: its server may have died, or frozen, meanwhile."""
MOST_SQLITE_BYTES = 100_000_000
"""Of one value: SQLite works in this process, and a value that a statement makes could fill its memory."""
SQLITE_WORDS = {"nothing", "returning"}
"""Words that SQLite takes as names in quotation marks alone, and that SQLAlchemy does not know."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The limits of a source in one process: connections kept, extra connections under load, seconds to connect, seconds per statement.

    `zone` is where the clocks stand that its moments without a zone show, "" for UTC.
    """

    pool: int = 4
    overflow: int = 4
    connect_s: int = 5
    statement_s: int = 15
    read_only: bool = False
    zone: str = ""

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Terms":
        """From the stored form; missing values are the defaults."""
        return cls(**{name: kept[name] for name in cls.__slots__ if name in kept})

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return asdict(self)


USUAL = Terms()
_keeps_all = False


def keep_all() -> None:
    """Let this process keep the connections that it opened under load too: one that works all day would open and close them again and again."""
    global _keeps_all  # noqa: PLW0603 (one per process, set when it starts)
    _keeps_all = True


class NoAnswer(psycopg.OperationalError):
    """The server received the query and does not answer."""


def engine(url: URL, terms: Terms) -> Engine:
    """An engine over `url` (with our driver) whose connections all have these terms."""
    options: dict[str, Any] = {
        "pool_size": terms.pool + (terms.overflow if _keeps_all else 0),
        "max_overflow": 0 if _keeps_all else terms.overflow,
        "pool_timeout": terms.connect_s,
        "pool_recycle": RECYCLE_S,
        "isolation_level": "AUTOCOMMIT",  # reads are single statements; `connect.transaction` asks for more
    }
    kind = url.get_backend_name()
    if kind == "sqlite":
        made = sa.create_engine(
            url, creator=lambda: _open_file(str(url.database)), poolclass=sa.pool.QueuePool, **options
        )
        named = made.dialect.identifier_preparer
        named.reserved_words = named.reserved_words | SQLITE_WORDS
        sa.event.listen(made, "connect", lambda connection, record: _tell_sqlite(connection, record, terms))
        sa.event.listen(
            made, "checkout", lambda connection, *_: _require_same_file(connection, str(url.database))
        )
        sa.event.listen(made, "before_cursor_execute", lambda connection, *_: _start_clock(connection, terms))
        return made
    made = sa.create_engine(url, skip_autocommit_rollback=True, **options)
    turn = threading.Lock()
    connect, tell = (
        (_connect_mysql, _tell_mysql) if kind == "mysql" else (_connect_postgresql, _tell_postgresql)
    )

    def in_turn(_dialect: Any, _record: Any, given: Any, named: dict[str, Any]) -> Any:
        """One at a time, so that a server that takes no connections holds up one thread of this process and not all."""
        if not turn.acquire(timeout=TURN_S):
            raise SourceDown(
                "The data source takes no new connections at the moment. Try again in a moment.", passing=True
            )
        try:
            return connect(given, named, terms)
        finally:
            turn.release()

    sa.event.listen(made, "do_connect", in_turn)

    def told(connection: Any, record: Any) -> None:
        try:
            tell(connection, terms)
        except BaseException:
            with contextlib.suppress(Exception):  # it may be closed already
                connection.close()  # nobody else has it: the pool forgets a connection that could not be told
            raise
        record.info["statement_s"] = terms.statement_s

    sa.event.listen(made, "connect", told)
    sa.event.listen(made, "checkin", lambda _, record: record.info.update(unused_since=time.monotonic()))
    sa.event.listen(
        made,
        "checkout",
        lambda connection, record, _: _try_unused(
            connection, record, "_read_timeout" if kind == "mysql" else "answer_s", terms
        ),
    )
    return made


def _try_unused(connection: Any, record: Any, limit: str, terms: Terms) -> None:
    """Ask a connection that was not used for `IDLE_S` something that takes no time; `limit` is the attribute that says how long it waits for an answer.

    It waits as long as a new connection may: who is the first to meet a server that froze would else wait for as long as a statement may take.
    """
    since = record.info.pop("unused_since", None)
    if since is None or time.monotonic() - since < IDLE_S:
        return
    usual = getattr(connection, limit)
    setattr(connection, limit, terms.connect_s)
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except Exception as error:
        if silent(error):
            raise
        raise sa.exc.DisconnectionError from error  # it was ended: the pool makes a new one
    setattr(connection, limit, usual)


def silent(error: BaseException | None) -> bool:
    """Whether this error of a driver says that the database received the query and does not answer: then it is not asked again."""
    import pymysql

    lost = (
        isinstance(error, pymysql.err.OperationalError)
        and error.args[0] == 2013
        and "timed out" in str(error)
    )
    return lost or isinstance(error, NoAnswer)


# ---------------------------------------------------------------------------------------------------------- PostgreSQL


class Bounded(psycopg.Connection[Any]):
    """A connection that waits at most `answer_s` for an answer. The server's own limit is shorter, unless the server is dead."""

    answer_s: float | None = None

    @override
    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        limit = self.answer_s if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError as error:
            if timeout is not None or not isinstance(error, psycopg.errors._WaitTimeout):
                raise
            self.close()  # it must not return to the pool: the answer could still arrive
            raise NoAnswer("no answer") from error


def _connect_postgresql(given: Any, named: dict[str, Any], terms: Terms) -> Any:
    options = {
        "application_name": "handrail",
        **named,
        "connect_timeout": terms.connect_s,
        "client_encoding": "utf-8",
    }
    made = Bounded.connect(*given, **options)
    made.answer_s = terms.statement_s + GRACE_S
    return made


class _Date(Loader):
    """`date`; values outside Python's calendar (`infinity`, years BC) stay text."""

    @override
    def load(self, data: Any) -> Any:
        text = str(data, "ascii")
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text


class _Moment(Loader):
    """`timestamp` and `timestamptz`, likewise; our sessions use ISO format, in UTC unless the source has a zone."""

    @override
    def load(self, data: Any) -> Any:
        text = str(data, "ascii")
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return text


def _lenient(usual: type[Loader]) -> type[Loader]:
    """Values outside Python's types (`24:00`, an infinite interval) stay text."""

    class Lenient(usual):  # type: ignore[misc, valid-type]
        def load(self, data: Any) -> Any:
            try:
                return super().load(data)
            except (psycopg.DataError, ValueError, OverflowError):
                return bytes(data).decode()

    return Lenient


LENIENT = {"time": _lenient(TimeLoader), "timetz": _lenient(TimetzLoader)}
SPANS = ("int4", "int8", "num", "ts", "tstz", "date")
AS_TEXT = ("interval", *(f"{kind}{span}" for kind in SPANS for span in ("range", "multirange")))
"""Types that text represents better than Python does: intervals with months, unbounded ranges."""


def _tell_postgresql(connection: Any, terms: Terms) -> None:
    for kind, loader in (("date", _Date), ("timestamp", _Moment), ("timestamptz", _Moment), *LENIENT.items()):
        connection.adapters.register_loader(kind, loader)
    for kind in AS_TEXT:
        connection.adapters.register_loader(kind, TextLoader)
    set_json_loads(exact_json, connection)
    autocommit = connection.autocommit
    connection.autocommit = True
    settings_ = [
        f"set statement_timeout = '{terms.statement_s}s'",
        f"set lock_timeout = '{LOCK_S}s'",
        "set idle_in_transaction_session_timeout = '30s'",
        f"set time zone '{terms.zone or 'UTC'}'",  # what the database takes a moment without a zone for
        "set datestyle = 'ISO'",
        "set intervalstyle = 'postgres'",
        f"set default_transaction_read_only = {'on' if terms.read_only else 'off'}",
    ]
    with connection.cursor() as cursor:
        cursor.execute("; ".join(settings_))
    connection.autocommit = autocommit


# --------------------------------------------------------------------------------------------------------------- MySQL


def _connect_mysql(given: Any, named: dict[str, Any], terms: Terms) -> Any:
    import pymysql

    options = {
        **named,
        "connect_timeout": terms.connect_s,
        "read_timeout": terms.connect_s,
        "charset": "utf8mb4",
    }
    if isinstance(password := options.get("password"), str):
        options["password"] = (
            password.encode()
        )  # a text would be sent as Latin-1, which no server takes for the same password
    made = pymysql.connect(*given, **options)
    setattr(made, "_read_timeout", terms.statement_s + GRACE_S)  # noqa: B010 - the greeting has its own limit: a server that is frozen never greets
    return made


def _tell_mysql(connection: Any, terms: Terms) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select version()")
        mariadb = "mariadb" in str(cursor.fetchone()[0]).lower()
        cursor.execute(
            f"set session max_statement_time = {terms.statement_s}"
            if mariadb
            else f"set session max_execution_time = {terms.statement_s * 1000}"
        )
        cursor.execute(f"set session innodb_lock_wait_timeout = {LOCK_S}")
        cursor.execute("set session time_zone = '+00:00'")
        cursor.execute("set session sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES')")
        cursor.execute(f"set session transaction read {'only' if terms.read_only else 'write'}")


# -------------------------------------------------------------------------------------------------------------- SQLite


class _OpenedFile(sqlite3.Connection):
    """A connection that knows which file it opened."""

    file: tuple[int, int] | None = None


def _open_file(path: str) -> sqlite3.Connection:
    """The existing file; opening a missing one would create an empty database."""
    file = _file_at(path)
    address = f"file:{quote(path)}?mode=rw"
    made = sqlite3.connect(
        address, uri=True, timeout=LOCK_S, check_same_thread=False, isolation_level=None, factory=_OpenedFile
    )
    made.file = file
    return made


def _file_at(path: str) -> tuple[int, int] | None:
    """The file that stands at this path now; None without one."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _require_same_file(connection: Any, path: str) -> None:
    """Makes the pool open the path anew once the file was moved, deleted or replaced: the old one would be read, and written to, for nobody."""
    if connection.file != _file_at(path):
        raise sa.exc.DisconnectionError


def _tell_sqlite(connection: sqlite3.Connection, record: Any, terms: Terms) -> None:
    connection.text_factory = _text  # a file may contain any bytes: one row must not break the list
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_SQLITE_BYTES)
    record.info["until"] = math.inf
    connection.set_progress_handler(lambda: record.info["until"] < time.monotonic(), 20_000)
    connection.create_function("console_lower", 1, _lower, deterministic=True)
    connection.create_function(
        "console_utc", 2, lambda raw, zone: source_zones.utc_text(_text(raw), zone), deterministic=True
    )
    connection.execute("pragma foreign_keys = on")
    if terms.read_only:
        connection.execute("pragma query_only = on")


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "replace")


def _lower(raw: bytes | None) -> str | None:
    """Lower case in all scripts; SQLite's `lower` knows only A to Z."""
    text = _text(raw)
    return None if text is None else text.lower()


def _start_clock(connection: Connection, terms: Terms) -> None:
    connection.info["until"] = time.monotonic() + connection.info.get("limit_s", terms.statement_s)
