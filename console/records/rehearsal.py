"""Writes that are never committed, for a dry run: one open transaction for each data source, in which later reads find what was written.

While it lasts every statement of this context on such a source goes through that transaction, each in a savepoint of its own, so that what is refused
undoes itself alone. It ends with a rollback, and by itself after `HELD_S`: others wait for the locks.
"""

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from contextvars import ContextVar
from typing import TypeVar

from sqlalchemy.engine import Connection

from console.core.errors import Conflict
from console.infra import settings

T = TypeVar("T")
CODE = "not_rehearsed"
HELD_S = 4.0
LIMITS = {
    "postgresql": "set local lock_timeout = '1s'; set local idle_in_transaction_session_timeout = '10s'"
}
_KEEPS = """
select 1 from information_schema.tables where table_type = 'BASE TABLE' and engine not in ('InnoDB', 'ROCKSDB', 'ndbcluster')
and table_schema not in ('mysql', 'sys', 'information_schema', 'performance_schema') limit 1
"""
"""Tables of MySQL and MariaDB that keep what is written whether it is committed or not."""


class NotRehearsed(Conflict):
    """What would be written to this source cannot, or must not, be tried and taken back."""

    default_code = CODE


class Rehearsal:
    """The transactions that are open for one dry run, by data source."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._sources: dict[str, Connection] = {}
        self._until = 0.0
        self._numbers = itertools.count()
        self._kept = False

    @contextlib.contextmanager
    def writing(
        self, name: str, begin: Callable[[], AbstractContextManager[Connection]]
    ) -> Iterator[Connection]:
        """The transaction of the source, opened by `begin` at its first write; what is not kept by `keep` is undone at the end.

        Raises NotRehearsed, and what opening raises.
        """
        if name not in self._sources:
            if name in settings.current().dry_run_reads_only:
                raise NotRehearsed(
                    f"The setting CONSOLE_DRY_RUN_READS_ONLY keeps dry runs from trying changes in {name}."
                )
            self._sources[name] = self._begun(name, self._open.enter_context(begin()))
        connection, self._kept = self._sources[name], False
        with self._savepoint(connection) as savepoint:
            yield connection
            if not self._kept:
                connection.exec_driver_sql(f"rollback to savepoint {savepoint}")

    def keep(self, connection: Connection) -> None:
        """Let what was written stand until the end; checks that the database puts off to the commit are done now."""
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("set constraints all immediate")
            connection.exec_driver_sql("set constraints all deferred")
        self._kept = True

    def read(self, name: str, work: Callable[[Connection], T]) -> tuple[T] | None:
        """The result of `work` in the transaction of the source; None where nothing was written there."""
        connection = self._sources.get(name)
        if connection is None:
            return None
        with self._savepoint(connection):
            return (work(connection),)

    def end(self) -> None:
        """Undo everything, and let the connections go."""
        for connection in self._sources.values():
            connection.rollback()
        self._open.close()

    def _begun(self, name: str, connection: Connection) -> Connection:
        dialect = connection.dialect.name
        if dialect == "mysql" and connection.exec_driver_sql(_KEEPS).first() is not None:
            raise NotRehearsed(
                f"{name} has tables that keep every change at once, so a dry run tries none there."
            )
        if dialect in LIMITS:
            connection.exec_driver_sql(LIMITS[dialect])
        self._until = self._until or time.monotonic() + HELD_S
        return connection

    @contextlib.contextmanager
    def _savepoint(self, connection: Connection) -> Iterator[str]:
        if time.monotonic() > self._until:
            raise Conflict(
                f"The dry run was ended: what it changes is held open for {HELD_S:.0f} s at most.",
                code="too_slow",
            )
        savepoint = f"rehearsed_{next(self._numbers)}"
        connection.exec_driver_sql(f"savepoint {savepoint}")
        try:
            yield savepoint
        except BaseException:
            connection.exec_driver_sql(f"rollback to savepoint {savepoint}")
            raise
        connection.exec_driver_sql(f"release savepoint {savepoint}")


_current: ContextVar[Rehearsal | None] = ContextVar("rehearsal", default=None)


def current() -> Rehearsal | None:
    """The rehearsal of this context; None where writes are real."""
    return _current.get()


@contextlib.contextmanager
def rehearsed() -> Iterator[None]:
    """Until the end, write to the users' databases only for what is read meanwhile."""
    made = Rehearsal()
    token = _current.set(made)
    try:
        yield
    finally:
        _current.reset(token)
        made.end()
