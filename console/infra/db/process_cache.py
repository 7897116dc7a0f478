"""A value that every process keeps and reads from the database again once a second."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy.engine import Engine

from console.infra.db.engine import hot_engine

MAX_AGE_S = 1.0
T = TypeVar("T")


class ProcessCache(Generic[T]):
    """The value that `read` returns, at most a second old, read anew through another engine. `read` is given the former value, None without one."""

    def __init__(self, read: Callable[[T | None], T]) -> None:
        self._read = read
        self._held: tuple[Engine, float, T] | None = None

    def get(self) -> T:
        """Return the value."""
        held, engine, now = self._held, hot_engine(), time.monotonic()
        if held is None or held[0] is not engine or now - held[1] >= MAX_AGE_S:
            former = held[2] if held is not None and held[0] is engine else None
            held = self._held = (engine, now, self._read(former))
        return held[2]

    def forget(self) -> None:
        """Read it again at the next use, because this process changed it."""
        self._held = None
