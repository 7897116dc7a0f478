"""Jobs that wait for somebody outside: they hold none of the threads that other jobs need, and no target holds all that is kept for them.

A job of a pool that has room for them takes a place before it asks for anything outside (`take`) and says while it waits (`waiting`). So does a thread that
makes a change beside those that serve people. Anywhere else, in a command or in a pool without such room, there is always a place.
"""

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MOST = 64
"""How many jobs of a process wait for somebody outside at once: each holds a thread, and no connection to the database."""
EACH = 16
"""How many of them wait for the same target."""
SILENT, SILENT_S = 4, 5.0
"""A target that let so many in a row wait for so long in vain is asked by one job at a time, until it answers: what is not asked is not in doubt afterwards."""
APART_S, LONGEST_S = 0.05, 30.0

_mutex = threading.Lock()
_inside, _silent = Counter[str](), defaultdict[str, int](int)
_lines: dict[str, float] = {}


@dataclass(slots=True)
class Waiter:
    """What a thread that does jobs is told when its job begins to wait (`out`) and when it goes on (`back`), and the place that it has."""

    out: Callable[[], None] = lambda: None
    back: Callable[[], None] = lambda: None
    target: str = ""
    silent: bool | None = None
    """Whether the target let it wait in vain; None where it was not asked."""
    refused: str = ""
    """The target for which there was no place."""


class _Here(threading.local):
    waiter: Waiter | None = None


_here = _Here()


@contextmanager
def doing(waiter: Waiter) -> Iterator[None]:
    """While the block lasts this thread does one job, which may take places; the one that it still has at the end is given back."""
    _here.waiter = waiter
    try:
        yield
    finally:
        leave()
        _here.waiter = None


def take(target: str, *, anyway: bool = False) -> bool:
    """Whether this job may now ask the target (empty: nobody); until `leave` it has a place. `anyway`: it has to, because others cannot."""
    waiter = _here.waiter
    if waiter is None or waiter.target == target:
        return True
    leave()
    with _mutex:
        most = 1 if _silent[target] >= SILENT else EACH
        if target and not anyway and (_inside[target] >= most or _inside.total() >= MOST):
            waiter.refused = target
            return False
        if target:
            _inside[target] += 1
    waiter.target, waiter.refused = target, ""
    return True


def leave() -> None:
    """The target has been asked, or is not going to be."""
    waiter = _here.waiter
    if waiter is None or not waiter.target:
        return
    with _mutex:
        _inside[waiter.target] -= 1
        if waiter.silent is not None:
            _silent[waiter.target] = _silent[waiter.target] + 1 if waiter.silent else 0
        if not _inside[waiter.target]:
            del _inside[waiter.target]
            if not _silent[waiter.target]:
                del _silent[waiter.target]
    waiter.target, waiter.silent = "", None


def refused() -> str:
    """The target for which this job found no place; empty where it found all that it looked for."""
    return _here.waiter.refused if _here.waiter is not None else ""


@contextmanager
def waiting() -> Iterator[Callable[[], None]]:
    """While the block lasts this thread waits for somebody outside and others may work in its stead. Call what is given where the answer was a good one."""
    waiter, begun, good = _here.waiter, time.monotonic(), list[bool]()
    if waiter is None:
        yield lambda: None
        return
    waiter.out()
    try:
        yield lambda: good.append(True)
    finally:
        waiter.silent = not good and time.monotonic() - begun > SILENT_S
        waiter.back()


def pause_s(about: str, apart_s: float = APART_S) -> float:
    """Seconds after which one who found no place looks again: about one, longer where many do, so that they come one after another."""
    now = time.monotonic()
    with _mutex:
        at = min(max(now + random.uniform(0.5, 1.5), _lines.get(about, 0.0) + apart_s), now + LONGEST_S)  # noqa: S311 (spread, not secrecy)
        _lines[about] = at
        if len(_lines) > 1000:
            for each in [each for each, last in _lines.items() if last < now]:
                del _lines[each]
    return at - now
