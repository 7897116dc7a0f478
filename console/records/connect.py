"""Connections to the users' databases: few, with time limits, and restored after a restart of the database.

A read on a connection that died while idle is repeated once on a new one; a write never is. A source that does not answer is left to its
circuit breaker, so that nobody waits for it.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url

from console.core.errors import Invalid, SourceDown
from console.records import connection_terms, rehearsal, sqlite_schema
from console.records.connection_terms import USUAL, Terms, keep_all, silent
from console.records.refusals import LOCKED, NOT_THERE, changed, driver_refusal
from console.records.source_breaker import Breaker, limit_places, wait_once
from console.records.sqlite_schema import Declared

__all__ = [
    "Terms",
    "address",
    "commit",
    "create",
    "dispose",
    "driver_refusal",
    "engine",
    "keep_all",
    "limit_places",
    "plain_moment",
    "read",
    "since",
    "stream",
    "transaction",
    "wait_once",
]

WATCHES_CLIENT = 14_00_00
DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "sqlite": "sqlite+pysqlite",
}
OPTIONS = {
    "postgresql": {
        "host",
        "hostaddr",
        "port",
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "sslcrl",
        "sslsni",
        "ssl_min_protocol_version",
        "sslnegotiation",
        "channel_binding",
        "gssencmode",
        "krbsrvname",
        "options",
        "application_name",
        "target_session_attrs",
        "load_balance_hosts",
        "connect_timeout",
        "keepalives",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "require_auth",
    },
    "mysql": {
        "unix_socket",
        "charset",
        "ssl",
        "ssl_ca",
        "ssl_cert",
        "ssl_key",
        "ssl_capath",
        "ssl_check_hostname",
        "ssl_verify_cert",
        "ssl_verify_identity",
    },
}
"""Allowed options after the `?` of an address. Drivers accept more, and some of those read files of this machine."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept:
    process: int
    url: str
    terms: Terms
    engine: Engine
    breaker: Breaker
    declared: Callable[[], Declared]


_engines: dict[str, _Kept] = {}
_lock = threading.Lock()


def address(url: str) -> URL:
    """The URL with our driver; a SQLite file by its absolute path. Raises Invalid for an unreadable or unsupported address."""
    try:
        parsed = make_url(url.strip())
    except (sa.exc.ArgumentError, ValueError):
        raise _unusable(
            "This is no database URL. It looks like postgresql://user:password@host/database or sqlite:///file.db."
        ) from None
    driver = DRIVERS.get(parsed.get_backend_name()) if "+" not in parsed.drivername else parsed.drivername
    if driver not in DRIVERS.values():
        raise _unusable(
            f"There is no driver for {parsed.drivername}. Databases may be PostgreSQL, MySQL, MariaDB or SQLite."
        )
    if driver == DRIVERS["sqlite"]:
        if not parsed.database or parsed.database == ":memory:":
            raise _unusable("A SQLite database is a file: sqlite:////absolute/path/file.db.")
        return parsed.set(drivername=driver, database=str(Path(parsed.database).absolute()), query={})
    strange = sorted(set(parsed.query) - OPTIONS[parsed.get_backend_name()])
    if strange:
        raise _unusable(
            f"The option {strange[0]} of the URL is none that the console passes on. Leave it out."
        )
    return parsed.set(drivername=driver)


def _unusable(reason: str) -> Invalid:
    return Invalid(reason, at="url")


def engine(
    name: str,
    url: str,
    terms: Terms = USUAL,
    note: Callable[[str, datetime | None], None] | None = None,
    declared: Callable[[], Declared] = dict,
) -> Engine:
    """The engine of a data source in this process, created on first use, and again after its URL or terms changed or after a fork.

    `note` is called with the time when the source stops answering, and with None when it answers again; `declared` says the types
    of the columns of a SQLite file that the console keeps.
    """
    kept = _engines.get(name)
    if kept is not None and kept.process == os.getpid() and kept.url == url and kept.terms == terms:
        return kept.engine
    with _lock:
        kept = _engines.get(name)
        if kept is not None and kept.process == os.getpid():
            if kept.url == url and kept.terms == terms:
                return kept.engine
            _let_go(kept)
        parsed = address(url)
        made = create(parsed, terms)
        server = f"{parsed.host or parsed.query.get('host') or parsed.database}:{parsed.port}"
        breaker = Breaker(
            name,
            lambda: _probe(made),
            note or (lambda *_: None),
            server=server,
            at_once=made.dialect.name == "sqlite",
        )
        _engines[name] = _Kept(os.getpid(), url, terms, made, breaker, declared)
        return made


def _declared(name: str) -> Callable[[], Declared]:
    kept = _engines.get(name)
    return dict if kept is None else kept.declared


def _probe(made: Engine) -> None:
    with made.connect() as connection:
        connection.exec_driver_sql("select 1")


def _let_go(kept: _Kept) -> None:
    """Close what nobody uses now, and the rest when it comes back: it would go to a pool that nobody has, and stay open until it is collected."""
    kept.breaker.end()
    sa.event.listen(kept.engine, "checkin", lambda _, record: record.invalidate())
    kept.engine.dispose()


def dispose(name: str | None = None) -> None:
    """Close all connections to a data source (None: to all of them); the next use reconnects."""
    with _lock:
        for each in [name] if name is not None else list(_engines):
            kept = _engines.pop(each, None)
            if kept is not None and kept.process == os.getpid():
                _let_go(kept)


def create(url: URL, terms: Terms = USUAL) -> Engine:
    """A new engine over `url` (from `address`) with these limits on every connection."""
    return connection_terms.engine(url, terms)


def since(name: str) -> datetime | None:
    """Since when this process knows that the source does not answer; None if it answers or was not tried."""
    breaker = _breaker(name)
    return breaker.since if breaker is not None else None


def _breaker(name: str, made: Engine | None = None) -> Breaker | None:
    kept = _engines.get(name)
    known = kept is not None and kept.process == os.getpid() and (made is None or kept.engine is made)
    return kept.breaker if kept is not None and known else None


@contextlib.contextmanager
def _connected(made: Engine, name: str) -> Iterator[Connection]:
    """A connection of the pool, or a new one. Raises SourceDown."""
    breaker = _breaker(name, made)
    if breaker is None:
        with _opened(made, name, None) as connection:
            yield connection
        return
    breaker.require()
    with breaker.place(), _opened(made, name, breaker) as connection:
        yield connection


def _opened(made: Engine, name: str, breaker: Breaker | None) -> Connection:
    try:
        connection = made.connect()
    except sa.exc.DBAPIError as error:
        if breaker is None:
            raise driver_refusal(error, name) from error
        since = breaker.opened()
        refusal = driver_refusal(error, name) if made.dialect.name == "sqlite" else breaker.down(since)
        if refusal.message.endswith(NOT_THERE):  # a file may be put back, as a server may be started again
            refusal.extra["since"] = since.isoformat(timespec="seconds")
        raise refusal from error
    except sa.exc.TimeoutError as error:
        raise SourceDown(
            f"All connections to the data source {name} are busy. Try again in a moment.",
            passing=True,
            source=name,
        ) from error
    if breaker is not None:
        breaker.answered()
    return connection


def read(engine: Engine, name: str, work: Callable[[Connection], T]) -> T:
    """The result of `work` on a connection without a transaction. Retried once if the connection was dead. Raises SourceDown."""
    if (trying := rehearsal.current()) is not None and (found := trying.read(name, work)) is not None:
        return found[0]
    if (known := _breaker(name, engine)) is not None:
        known.spare()
    for last in (False, True):
        with _connected(engine, name) as connection:
            try:
                if known is not None and engine.dialect.name == "sqlite":
                    sqlite_schema.require_same_types(connection, name, _declared(name))
                return work(connection)
            except sa.exc.NoSuchTableError as error:
                raise changed(name) from error
            except sa.exc.DBAPIError as error:
                breaker = _breaker(name, engine)
                if breaker is not None and silent(error.orig):
                    raise breaker.down(breaker.opened()) from error
                if last or not error.connection_invalidated:
                    refusal = driver_refusal(error, name)
                    if (
                        breaker is not None
                        and isinstance(refusal, SourceDown)
                        and refusal.message.endswith(LOCKED)
                    ):
                        breaker.waited(refusal)
                    raise refusal from error
    raise AssertionError("unreachable")  # pragma: no cover


def stream(
    engine: Engine, name: str, statement: sa.Select[Any], size: int
) -> Iterator[Sequence[sa.Row[Any]]]:
    """The rows of one statement of PostgreSQL, at most `size` at a time, through a cursor of the server: each piece has the time of a statement.

    Never retried. Raises SourceDown.
    """
    with _connected(engine, name) as opened:
        try:
            connection = opened.execution_options(
                isolation_level="READ COMMITTED", stream_results=True, max_row_buffer=size
            )
            with connection.execute(statement) as found:
                yield from found.partitions(size)
        except sa.exc.DBAPIError as error:
            raise driver_refusal(error, name) from error


@contextlib.contextmanager
def transaction(engine: Engine, name: str) -> Iterator[Connection]:
    """A transaction for a write, which `commit` ends; SQLite takes the write lock at once. Raises SourceDown if none can be opened."""
    trying = rehearsal.current()
    with (
        _begun(engine, name)
        if trying is None
        else trying.writing(name, lambda: _begun(engine, name)) as connection
    ):
        yield connection


def commit(connection: Connection) -> bool:
    """Commit the transaction; in a rehearsal only keep it for what follows. Whether it was committed. Raises the driver's errors."""
    if (trying := rehearsal.current()) is not None:
        trying.keep(connection)
        return False
    connection.commit()
    return True


@contextlib.contextmanager
def _begun(engine: Engine, name: str) -> Iterator[Connection]:
    with _connected(engine, name) as opened:
        try:
            if engine.dialect.name == "sqlite":
                opened.exec_driver_sql("BEGIN IMMEDIATE")
                connection = opened
            else:
                connection = opened.execution_options(isolation_level="READ COMMITTED")
        except sa.exc.DBAPIError as error:
            raise driver_refusal(error, name) from error
        yield connection


def plain_moment(value: date | datetime) -> str:
    """A day or moment in SQLite's form: `2026-11-20` or `2026-11-20 09:00:00.000` in UTC."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"
    return value.isoformat()
