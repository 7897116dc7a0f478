"""The runs that this process wrote last: the step that follows need not read its run again.

The database compares the revision before it writes, so an outdated copy costs a second try and nothing else. Without it a completed step takes
a third longer and misses its bar against viewflow (`bench/viewflow.py`).
"""

import time
from collections import OrderedDict
from dataclasses import replace

from sqlalchemy.engine import Engine

from console.infra.db.engine import hot_engine
from console.runs.store.loaded_runs import Loaded, open_attempt_only, trim_to_shown, with_attempts

MAX_AGE_S = 60.0
"""As long as the key of an erased person may be held."""
MAX_RUNS = 32

_recent: OrderedDict[str, tuple[float, Engine, Loaded]] = OrderedDict()
"""Monotonic time of writing, the engine that wrote, and the run, by id; the newest last."""


def remember(loaded: Loaded) -> None:
    """Hold the run for the next change, unless it has ended."""
    forget(loaded.run.id)
    if not loaded.run.ended:
        _recent[loaded.run.id] = (time.monotonic(), hot_engine(), trim_to_shown(loaded))
        if len(_recent) > MAX_RUNS:
            _recent.popitem(last=False)


def forget(run_id: str) -> None:
    """Read the run again before the next change."""
    _recent.pop(run_id, None)


def recent_run(run_id: str, revision: int | None, *, shown: bool) -> Loaded | None:
    """Return the run as this process wrote it last, with the attempts of a page (`shown`) or the open one alone.

    None where it is not held, is too old, or `revision` is another: then another process changed it, or the form is an old one.
    """
    held = _recent.get(run_id)  # once: another thread may forget it meanwhile
    if held is None:
        return None
    written_at, source, loaded = held
    outdated = source is not hot_engine() or time.monotonic() - written_at >= MAX_AGE_S
    if outdated or (shown and not loaded.shows) or revision not in (None, loaded.run.revision):
        return None
    if shown or not loaded.shows:
        return loaded
    return with_attempts(replace(loaded, left=None), open_attempt_only(loaded.run))
