"""What several jobs are about to read, read for all of them by a few statements: kept for the thread that does them one after another, for a moment.

Each value is given once: whoever looks again asks the database. What was read so may be a moment old, as anything may be that was read before it is used;
what is written says from where it goes on, and is refused where that has moved. Source: docs/adr/0031-jobs-that-are-done-together.md.
"""

import threading
import time
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

KEPT_S = 2.0
"""Behind somebody slow nothing is taken for what it was before."""


class _Kept(threading.local):
    """What this thread has at hand; `until` (monotonic seconds) is 0 outside of a block."""

    until = 0.0

    def __init__(self) -> None:
        self.values: dict[tuple[str, Hashable], Any] = {}
        self.locks: set[str] = set()


_kept = _Kept()


@contextmanager
def kept() -> Iterator[set[str]]:
    """While the block lasts, what is read ahead is kept for this thread. Gives the locks that it holds and nobody has used."""
    _kept.until = time.monotonic() + KEPT_S
    try:
        yield _kept.locks
    finally:
        _kept.until = 0.0
        _kept.values.clear()
        _kept.locks.clear()


def keep(kind: str, values: Mapping[Any, Any]) -> None:
    """Have these values of the kind at hand, by their keys; nothing outside of a block."""
    if _kept.until:
        _kept.values.update({(kind, key): value for key, value in values.items()})


def take(kind: str, key: Hashable) -> Any | None:
    """The value, which is gone then; None where none is at hand."""
    return _kept.values.pop((kind, key), None) if _kept.values and time.monotonic() < _kept.until else None


def look(kind: str, key: Hashable) -> Any | None:
    """The value, which stays at hand; None where none is."""
    return _kept.values.get((kind, key)) if _kept.values and time.monotonic() < _kept.until else None


def keep_locks(names: Iterable[str]) -> None:
    """These locks are held by this process for what this thread does in the block."""
    _kept.locks.update(names)


def take_lock(name: str) -> bool:
    """Whether this thread holds the lock already; whoever asks lets go of it then."""
    held = name in _kept.locks
    _kept.locks.discard(name)
    return held
