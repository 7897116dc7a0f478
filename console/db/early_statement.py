"""A statement that is on its way while the process does something else: sent at once, its answer fetched later.

Psycopg's cursors wait for their answers, and what waits for the disk (a commit) keeps a page waiting that could be drawn meanwhile. So the
statement goes out through libpq itself, prepared once per connection, on a connection of the hot pool that nobody else has until then.
"""

import select
from collections.abc import Sequence
from typing import Any, Self

import psycopg
from psycopg.pq.abc import PGconn, PGresult

from console.db import prepared_statement
from console.db.engine import borrowed, give_hot, hot_engine, take_hot
from console.db.prepared_statement import Parameter


class Ahead:
    """One statement, a transaction of its own. It has to be asked for its `rows`, which gives the connection back; leaving its block gives up what was not asked for."""

    def __init__(self, statement: str, parameters: Sequence[Parameter]) -> None:
        """Send it, with `$1` and on, or `%s` and `%b`, as placeholders. Raises psycopg's errors."""
        self._given_back = False
        self._statement, self._parameters = statement, parameters
        self._held = take_hot()
        self._driver: psycopg.Connection[Any] = self._held.driver_connection  # type: ignore[assignment]
        self._libpq = self._driver.pgconn
        try:
            self._told, self._forms = prepared_statement.encoded(parameters)
            self._send()
        except BaseException:
            self._give_back(whole=False)
            raise

    def rows(self) -> list[tuple[Any, ...]]:
        """The rows of the answer. Waits for it; raises psycopg's errors, OperationalError if the connection broke."""
        whole = False
        try:
            answer = self._answer()
            if answer is not None and prepared_statement.forgotten(self._driver, self._statement, answer):
                self._send()
                answer = self._answer()
            whole = True
            return prepared_statement.loaded(self._driver, answer)
        finally:
            self._give_back(whole=whole)

    def sure(self) -> list[tuple[Any, ...]]:
        """The rows of a statement that may run twice: where the connection broke, it is sent once more. Raises psycopg's errors."""
        try:
            return self.rows()
        except psycopg.OperationalError:
            return fetch(self._statement, self._parameters)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._given_back:
            self._give_back(whole=False)

    def _send(self) -> None:
        self._libpq.send_query_prepared(prepared_statement.prepared(self._driver, self._statement), self._told, self._forms)
        while self._libpq.flush():
            _ready(self._libpq, select.POLLIN | select.POLLOUT)
            self._libpq.consume_input()

    def _answer(self) -> PGresult | None:
        result = self._next()
        while result is not None and (more := self._next()) is not None:
            result = more
        return result

    def _next(self) -> PGresult | None:
        while self._libpq.is_busy():
            _ready(self._libpq, select.POLLIN)
            self._libpq.consume_input()
        return self._libpq.get_result()

    def _give_back(self, *, whole: bool) -> None:
        """To the pool, if the connection can be used again: not with a statement half asked or half answered."""
        self._given_back = True
        give_hot(self._held, whole=whole)


def fetch(statement: str, parameters: Sequence[Parameter]) -> list[tuple[Any, ...]]:
    """Rows of a statement that every page asks, prepared as `Ahead` has it: a third of what a cursor costs. Where the connection was dead, once more."""
    try:
        return _fetched(statement, parameters)
    except psycopg.OperationalError:
        hot_engine().dispose()
        return _fetched(statement, parameters)


def _fetched(statement: str, parameters: Sequence[Parameter]) -> list[tuple[Any, ...]]:
    with borrowed() as driver:
        return prepared_statement.rows(driver, statement, parameters)


def _ready(libpq: PGconn, events: int) -> None:
    poll = select.poll()
    poll.register(libpq.socket, events)
    poll.poll()
