"""What comes of a proposal that was asked for: its answer, as a fact of the run."""

from collections.abc import Mapping
from typing import Any, Literal

from console import log, workflows
from console.core.run import Event
from console.db.engine import fetch
from console.runs.store import ENGINE, load, retried, write

_PENDING = "select run, n from console.ai_call where id = %s and status = 'pending'"


def proposed(call: str, kind: Literal["proposal_made", "proposal_failed"], told: Mapping[str, Any], sealed: Mapping[str, Any]) -> None:
    """Note what came of a call; a run that has gone on meanwhile keeps it as a fact of the call, and nothing else of it changes. Once: a second answer is dropped."""
    rows = fetch(_PENDING, (call,))
    if not rows:
        return
    run_id, n = rows[0]

    def once() -> None:
        loaded = load(run_id, whole=True)
        if loaded is None or not fetch(_PENDING, (call,)):
            return
        at = loaded.run.attempts[n]
        event = Event(kind, log.now(), {**told, "call": call, "n": n}, dict(sealed), (at.step, at.attempt))
        definition = workflows.version(loaded.run.workflow, loaded.run.version)
        write(ENGINE, definition, loaded, [event], keep_draft=True)

    retried(once)
