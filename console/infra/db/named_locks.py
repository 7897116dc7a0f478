"""Locks that one process in all holds by a name, the server's advisory locks: a process that dies lets go at once."""

import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import sqlalchemy as sa

TAKEN_AT_ONCE = 8
"""Places are taken from the first on, so that one of the first that this process does not hold is nearly always free."""
_LET_GO = "select pg_advisory_unlock(hashtextextended(name, 0)) from unnest(%s::text[]) name"
_TAKE = "select name from unnest(%s::text[]) name where pg_try_advisory_lock(hashtextextended(name, 0))"


class NamedLocks:
    """The advisory locks of this process, all on one connection: who holds one while others are waited for needs none of its own, so that no number of
    them can use up a pool whose connections they need to go on. The connection goes back as soon as nothing is held.

    Threads take turns on it. Who lets go waits for nobody: whoever is at the connection lets go of all such names with one statement.
    """

    def __init__(self, connect: Callable[[], sa.PoolProxiedConnection]) -> None:
        self._connect = connect
        self._mutex, self._held, self._process = threading.Lock(), set[str](), os.getpid()
        self._left = deque[str]()
        self._hot: sa.PoolProxiedConnection | None = None

    def take(self, names: Iterable[str]) -> str | None:
        """The first of these names that nobody in any process holds; then this process does. None where all are held. A few are asked for at a time."""
        with self._turn():
            free = (name for name in names if name not in self._held)
            while asked := list(itertools.islice(free, TAKEN_AT_ONCE)):
                if got := self._driver().execute(f"{_TAKE} limit 1", (asked,)).fetchall():
                    self._held.update(got[0])
                    return str(got[0][0])
            return None

    def take_all(self, names: Sequence[str]) -> bool:
        """Whether nobody in any process holds one of these names; then this process holds all of them, else none."""
        with self._turn():
            if not self._held.isdisjoint(names):
                return False
            got = [name for (name,) in self._driver().execute(_TAKE, (list(names),)).fetchall()]
            self._held.update(got)
            if len(got) < len(names):
                self._left.extend(got)
            return len(got) == len(names)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The connection, with what others left let go of; afterwards what was left meanwhile."""
        try:
            with self._mutex:
                self._after_fork()
                self._unlock()
                try:
                    yield
                finally:
                    self._rest()
        finally:
            self._let_others_go()

    def let_go(self, *names: str) -> None:
        """Nobody holds them any more. Where the connection was lost, so were the locks."""
        self._left.extend(names)
        self._let_others_go()

    def _let_others_go(self) -> None:
        """Let go of what was left while another thread was at the connection; whoever is there now does it in our place."""
        while self._left and self._mutex.acquire(blocking=False):
            try:
                self._unlock()
                self._rest()
            finally:
                self._mutex.release()

    def _unlock(self) -> None:
        names = [self._left.popleft() for _ in range(len(self._left))]
        self._held.difference_update(names)
        if names and self._hot is not None and not self._driver().closed:
            with suppress(psycopg.OperationalError):  # it was lost, and the locks with it
                self._driver().execute(_LET_GO, (names,))

    def _after_fork(self) -> None:
        if self._process != os.getpid():
            self._process, self._held, self._hot = os.getpid(), set(), None
            self._left.clear()

    def _driver(self) -> "psycopg.Connection[Any]":
        if self._hot is None:
            self._hot = self._connect()
        driver: psycopg.Connection[Any] = self._hot.driver_connection  # type: ignore[assignment]
        return driver

    def _rest(self) -> None:
        """Give back a connection that is dead, or with which nothing is held."""
        if self._hot is None:
            return
        dead = self._driver().closed
        if dead:
            self._hot.invalidate()
        if dead or not self._held:
            self._hot.close()
            self._hot = None
