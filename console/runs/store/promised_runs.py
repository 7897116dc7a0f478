"""Runs whose id somebody was told before they began, such as the sender of a webhook: who asks for one first begins it."""

from console.core.actor import Actor
from console.core.errors import Conflict
from console.infra.subscribers import Subscribers
from console.runs.store.loaded_runs import Loaded
from console.runs.store.run_store import load

begins = Subscribers[[str], bool]("runs.promised")
"""What begins the run of this id where one was promised, and says whether there was one. Who promises runs adds it."""
waits = Subscribers[[Actor, str], str | None]("runs.promised_waits")
"""Why the run of this id, which was promised, has not begun, for an actor who may see it; None for any other. Who promises runs adds it."""


def load_begun(run_id: str, *, whole: bool, shown: bool, cleared: frozenset[str]) -> Loaded | None:
    """The run as `load` gives it, begun now where it was promised."""
    loaded = load(run_id, whole=whole, shown=shown, cleared=cleared)
    if loaded is None and any(begins(run_id)):
        loaded = load(run_id, whole=whole, shown=shown, cleared=cleared)
    return loaded


def require_not_promised(actor: Actor, run_id: str) -> None:
    """Raise Conflict `not_begun` where the run was promised, and waits for its turn."""
    for why in filter(None, waits(actor, run_id)):
        raise Conflict(f"This run has not begun. {why}", code="not_begun", retry_after=60)
