"""Engines over the console's own database, made on first use in each process (a fork must not inherit a connection)."""

import functools
import re
import select
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from console.infra import postgres, settings
from console.infra.db import release, request_writes, timelines
from console.infra.db.named_locks import NamedLocks

POOL, OVERFLOW = 6, 4
RESTING, RESTED_S = "resting since", 1.0
MOST_ROOM = 14


@functools.cache
def _embedded() -> "postgres.Embedded":
    return postgres.Embedded(settings.current().data_dir).acquire()


def app_url() -> URL:
    """The address for web and worker processes, with the role that may read and call the log's functions."""
    given = settings.current().database_url
    return _psycopg(given or _embedded().url("console"))


def admin_url() -> URL | None:
    """The superuser of the embedded server; None when the server is the user's own."""
    return None if settings.current().database_url else _psycopg(_embedded().url("postgres"))


def replica_url() -> URL | None:
    """A standby that may be read for lists and figures of the past; None where none is set."""
    given = settings.current().database_replica_url
    return _psycopg(given) if given else None


def migration_url() -> URL:
    """The role that may migrate: the embedded server's superuser acting as `console_owner`, or the user's own choice."""
    given = settings.current()
    if given.database_url:
        return _psycopg(given.database_migration_url or given.database_url)
    return _psycopg(_embedded().url("postgres")).update_query_dict({"options": "-crole=console_owner"})


def _psycopg(url: str) -> URL:
    """The address for SQLAlchemy, libpq and asyncpg alike: several hosts, as libpq writes them, stand in its query."""
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    if "," in hosts:
        places = [_HOST.fullmatch(each) for each in hosts.split(",")]
        names = ",".join(quote(place["host"]) for place in places if place)
        ports = ",".join(place["port"] or "5432" for place in places if place)
        query = f"host={names}&port={ports}&{parts.query}".rstrip("&")
        url = urlunsplit(parts._replace(netloc=f"{login}{at}", query=query))
    address = make_url(url).set(drivername="postgresql+psycopg")
    return address if _elsewhere is None else address.set(database=_elsewhere)


_elsewhere: str | None = None
_HOST = re.compile(r"\[?(?P<host>[^][]*?)\]?(?::(?P<port>\d+))?")


@contextmanager
def elsewhere(database: str) -> Iterator[None]:
    """While the block lasts this process works on another database of the same server: for who restores, one thread, nobody else."""
    global _elsewhere  # noqa: PLW0603 (as the engines are: one per process)
    dispose()
    _elsewhere = database
    try:
        yield
    finally:
        dispose()
        _elsewhere = None


_made: dict[str, Engine] = {}
_making = (
    threading.RLock()
)  # two first requests at once make one engine: the loser's connections would never be closed


def engine() -> Engine:
    """For transactions of several statements; asks a connection that has rested whether it is alive before it is used."""
    return _made.get("transactions") or _make("transactions", asks=True)


def hot_engine() -> Engine:
    """For single statements, each its own transaction: no BEGIN, no roll-back on return."""
    return _made.get("hot") or _make("hot", isolation_level="AUTOCOMMIT", pool_reset_on_return=None)


def replica_engine() -> Engine:
    """For single statements on the standby of `replica_url`, which must be set: `replica` knows when it may be read."""
    return _made.get("replica") or _make("replica", replica_url(), isolation_level="AUTOCOMMIT")


def _make(name: str, url: URL | None = None, *, asks: bool = False, **more: Any) -> Engine:
    with _making:
        if name not in _made:
            common: dict[str, Any] = {
                "pool_size": POOL + _room,
                "max_overflow": OVERFLOW,
                "pool_timeout": 10,
                "connect_args": {
                    "connect_timeout": 10,
                    "prepare_threshold": 1,
                },  # what comes twice in a connection is planned once
            }
            engine = timelines.create_engine(url or app_url(), **common, **more)
            if name == "hot":
                sa.event.listen(engine, "checkout", lambda driver, *_: _refuse_ended(driver))
            if release.refusing:
                sa.event.listen(engine, "first_connect", lambda connection, _: _refuse_newer(connection))
            if asks:
                sa.event.listen(engine, "checkin", _note_rest)
                sa.event.listen(
                    engine, "checkout", lambda driver, record, _: _ask_rested(engine, driver, record)
                )
            _made[name] = engine
        return _made[name]


def _note_rest(_driver: Any, record: ConnectionPoolEntry) -> None:
    record.info[RESTING] = time.monotonic()


def _ask_rested(engine: Engine, driver: "psycopg.Connection[Any]", record: ConnectionPoolEntry) -> None:
    """As `pool_pre_ping` does, where the connection has rested or something came over it (a server that ends says so): to ask each time is a round trip for
    each transaction.
    """
    since = record.info.get(RESTING)
    if since is not None and (
        time.monotonic() - since > RESTED_S or driver.closed or _has_come(driver.fileno())
    ):
        try:
            engine.dialect.do_ping(driver)  # type: ignore[arg-type]
        except psycopg.Error as error:
            raise sa.exc.InvalidatePoolError from error


def _refuse_ended(driver: "psycopg.Connection[Any]") -> None:
    """Nothing was asked: what has come is that the server has ended it, and so perhaps all of the pool."""
    if driver.closed or _has_come(driver.fileno()):
        raise sa.exc.InvalidatePoolError


def _has_come(descriptor: int) -> bool:
    looking = select.poll()
    looking.register(descriptor, select.POLLIN)
    return bool(looking.poll(0))


def _refuse_newer(connection: "psycopg.Connection[Any]") -> None:
    version_table = connection.execute("select to_regclass('console.alembic_version')").fetchone()
    if version_table and version_table[0]:
        row = connection.execute("select version_num from console.alembic_version").fetchone()
        release.refuse_newer(row[0] if row else None)
    connection.rollback()


def make_room(threads: int) -> None:
    """For a process of so many threads beside its own: more connections, also where something was read before; at most `MOST_ROOM`, for which threads
    wait in turn, because a server has room for a hundred or so and a statement takes a thousandth of a second.
    """
    global _room  # noqa: PLW0603 (as the engines are: one per process)
    if min(threads, MOST_ROOM) != _room:
        _room = min(threads, MOST_ROOM)
        dispose()  # a pool that was made keeps its size


_room = 0


def dispose() -> None:
    """Close what this process holds; the next use connects anew (tests, a restored database)."""
    with _making:
        while _made:
            _made.popitem()[1].dispose()


@contextmanager
def transaction() -> Iterator[Connection]:
    """One transaction on a connection that answers: a connection that died while idle is replaced before anything is sent."""
    ready = False
    with engine().connect() as connection:
        try:
            with connection.begin() as begun:
                yield connection
                ready = begun.is_active  # else whoever had it took everything back
        except BaseException as error:
            request_writes.ended(
                connection,
                "unknown"
                if ready and isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated
                else "nothing",
            )
            raise
        request_writes.ended(connection, "done" if ready else "nothing")


def driver_of(connection: Connection) -> "psycopg.Connection[Any]":
    """Psycopg's own connection of the transaction, for the hot path: a statement costs a third of what it does through SQLAlchemy, and raises psycopg's errors."""
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    return driver


def fetch(
    statement: str, parameters: Mapping[str, Any] | Sequence[Any] = (), *, binary: bool = False
) -> list[Any]:
    """Rows of one statement (psycopg's placeholders) that is its own transaction, by psycopg's own cursor: for the hot path. `binary` is for many bytes.

    A connection that died while idle (the server restarted) is replaced and the statement sent again: only for statements that may run twice.
    """
    for attempt in (1, 2):
        with borrowed() as driver:
            try:
                return driver.execute(statement, parameters, binary=binary).fetchall()
            except psycopg.OperationalError:
                if not driver.closed or attempt == 2:
                    raise
        hot_engine().dispose()
    raise AssertionError("unreachable")


def read_rows(statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
    """Return the rows of one statement of SQLAlchemy, which is its own transaction."""
    with hot_engine().connect() as connection:
        return connection.execute(statement, parameters).all()


def read_row(statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Any:
    """Return its first row, if it has one."""
    with hot_engine().connect() as connection:
        return connection.execute(statement, parameters).first()


def read_value(statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Any:
    """Return the first column of its first row, if it has one."""
    with hot_engine().connect() as connection:
        return connection.execute(statement, parameters).scalar()


@contextmanager
def borrowed() -> Iterator["psycopg.Connection[Any]"]:
    """Psycopg's own connection out of the hot engine's pool, each statement its own transaction; a dead one does not go back."""
    hot = hot_engine().raw_connection()
    driver: psycopg.Connection[Any] = hot.driver_connection  # type: ignore[assignment]
    try:
        yield driver
    finally:
        if driver.closed:
            hot.invalidate()
        hot.close()


_locks = NamedLocks(lambda: hot_engine().raw_connection())


@contextmanager
def alone(*about: str) -> Iterator[bool]:
    """Whether nobody else in any process is at any of `about` now; while the block lasts, nobody else is. A process that dies lets go at once."""
    mine = _locks.take_all(about)
    try:
        yield mine
    finally:
        if mine:
            _locks.let_go(*about)


@contextmanager
def place_among(about: str, most: int) -> Iterator[bool]:
    """Whether fewer than `most` others in any process are at `about` now; while the block lasts, this one counts. A process that dies lets go at once."""
    place = _locks.take(f"{about}:{number}" for number in range(1, most + 1))
    try:
        yield place is not None
    finally:
        if place is not None:
            _locks.let_go(place)
