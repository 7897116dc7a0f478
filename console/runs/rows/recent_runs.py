"""A run as a process holds it, and the runs that this process changed last.

A step that is handed in usually follows one that the same process wrote. Keeping the run in memory saves reading it again; the database
compares its revision before it writes, so an outdated copy costs a second try and nothing else.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from console.core.run import Attempt, Run, copied
from console.db.engine import hot_engine
from console.runs.rows.latest import Left, latest

KEPT_S = 60.0  # as long as the key of an erased subject may be kept
KEPT_MOST = 128
KEPT_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class Loaded:
    """A run with the hash of its last event (`head`) and the person whose values it holds (`subject`).

    `whole`: every attempt is there. `left` counts the attempts of a long run that are left out. With neither, only the open attempt is there.
    `until` (monotonic seconds) is when this process must read the run again.
    """

    run: Run
    head: bytes
    subject: str | None
    whole: bool = True
    left: Left | None = None
    until: float = field(default=0.0, compare=False)

    @property
    def shows(self) -> bool:
        """Whether it has the attempts that a page shows."""
        return self.whole or self.left is not None


def trim_to_shown(loaded: Loaded) -> Loaded:
    """The run with only the attempts that a page shows."""
    if not loaded.shows:
        return loaded
    attempts, left = latest(loaded.run, loaded.left)
    return loaded if left is loaded.left else _with_attempts(replace(loaded, left=left), attempts)


def _with_attempts(loaded: Loaded, attempts: dict[int, Attempt]) -> Loaded:
    run = copied(loaded.run)
    run.attempts = attempts
    return replace(loaded, run=run, whole=False)


def open_attempt_only(run: Run) -> dict[int, Attempt]:
    """The open attempt alone, as commands need it."""
    return {n: attempt for n, attempt in run.attempts.items() if n == run.current}


_recent: OrderedDict[str, tuple[object, Loaded]] = OrderedDict()
"""Runs as this process wrote them, each with the engine through which it did; the newest last."""


def remember(loaded: Loaded) -> None:
    """Keep the run for the next change, unless it has ended or is too large."""
    forget(loaded.run.id)
    if not loaded.run.ended and time.monotonic() < loaded.until:
        _recent[loaded.run.id] = (hot_engine(), loaded)
        if len(_recent) > KEPT_MOST:
            _recent.popitem(last=False)


def forget(run_id: str) -> None:
    """Read the run again before the next change."""
    _recent.pop(run_id, None)


def remembered(run_id: str, revision: int | None, *, shown: bool) -> Loaded | None:
    """The run as this process wrote it last, with the attempts of a page (`shown`) or the open one alone.

    None where it is not kept, or `revision` is another: then another process changed it, or the form is an old one.
    """
    source, loaded = _recent.get(run_id, (None, None))
    if loaded is None or source is not hot_engine() or time.monotonic() >= loaded.until or (shown and not loaded.shows):
        return None
    if revision is not None and revision != loaded.run.revision:
        return None
    if shown or not loaded.shows:
        return loaded
    return _with_attempts(replace(loaded, left=None), open_attempt_only(loaded.run))
