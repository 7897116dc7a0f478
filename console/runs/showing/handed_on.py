"""Why a run was handed on, to a person or into an inbox: said to whoever takes it, until a person has done a step since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console import log

HANDING = ("run_assigned", "run_escalated")
DOING = ("step_completed", "step_submitted")


@dataclass(frozen=True, slots=True)
class HandedOn:
    """The last hand-over of a run: by which person (None: by the workflow), why, when."""

    by: str | None
    reason: str
    at: datetime


def handed_on(runs: Sequence[str]) -> dict[str, HandedOn]:
    """Run id → its last hand-over that gave a reason; none for a run in which a person has done a step since. One statement."""
    found = {}
    for run, event in log.newest_by_people(runs, HANDING, DOING).items():
        reason = str(event.values.get("reason") or "").strip()
        if event.type in HANDING and reason:
            actor = event.body["actor"]
            found[run] = HandedOn(None if actor.get("kind") == "system" else actor.get("id"), reason, event.at)
    return found
