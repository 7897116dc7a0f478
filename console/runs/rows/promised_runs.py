"""Runs whose id somebody was told before they began, such as the sender of a webhook: who asks for one first begins it."""

from collections.abc import Callable

from console.runs.rows.recent_runs import Loaded
from console.runs.rows.run_store import load

begins: list[Callable[[str], bool]] = []
"""What begins the run of this id where one was promised, and says whether there was one. Who promises runs adds it."""


def load_begun(run_id: str, *, whole: bool, shown: bool, cleared: frozenset[str]) -> Loaded | None:
    """The run as `load` gives it, begun now where it was promised."""
    loaded = load(run_id, whole=whole, shown=shown, cleared=cleared)
    if loaded is None and any(begin(run_id) for begin in begins):
        loaded = load(run_id, whole=whole, shown=shown, cleared=cleared)
    return loaded
