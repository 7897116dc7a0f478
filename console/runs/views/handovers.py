"""Why a run was handed on, to a person or into an inbox: said to whoever takes it, until a person has done a step since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console import log

HANDING = ("run_assigned", "run_escalated")
DOING = ("step_completed", "step_submitted")
LATEST = 200
"""So many events of a run are looked at, however many it has: steps that no person did can be thousands."""


def _one_of(kinds: Sequence[str]) -> str:
    return "(" + " or ".join(f"""position('"type":"{kind}"'::bytea in body) > 0""" for kind in kinds) + ")"


WAS_HANDED_ON = f"""(select {_one_of(HANDING)} from (select run_seq, body from console.event where run = r.id order by run_seq desc limit {LATEST}) latest where
    {_one_of(HANDING)} or (position('"kind":"system"'::bytea in body) = 0 and {_one_of(DOING)}) order by run_seq desc limit 1)"""  # noqa: S608 (a text of ours)
"""Whether the newest of these events of the run `r` is a hand-over: a part of another statement, which spares most runs one of their own."""


@dataclass(frozen=True, slots=True)
class HandedOn:
    """The last hand-over of a run: by which person (None: by the workflow), why, when."""

    by: str | None
    reason: str
    at: datetime


def handed_on(runs: Sequence[str]) -> dict[str, HandedOn]:
    """Run id → its last hand-over that gave a reason; none for a run in which a person has done a step since. One statement."""
    found = {}
    for run, event in log.newest_by_people(runs, HANDING, DOING, LATEST).items():
        reason = str(event.values.get("reason") or "").strip()
        if event.type in HANDING and reason:
            actor = event.body["actor"]
            found[run] = HandedOn(
                None if actor.get("kind") == "system" else actor.get("id"), reason, event.at
            )
    return found


@dataclass(frozen=True, slots=True)
class LastTicket:
    """With what a run last waited in an inbox."""

    reason: str
    priority: str
    at: datetime


def last_ticket(run: str, inbox: str) -> LastTicket | None:
    """With what the run last came into this inbox; None where it was put into none, or last into another one."""
    event = log.newest_by_people([run], ("run_escalated",), (), LATEST).get(run)
    if event is None or event.open.get("inbox") != inbox:
        return None
    return LastTicket(
        str(event.values.get("reason") or "").strip(),
        event.open["priority"],
        datetime.fromisoformat(event.open["at"]),
    )


def assigned_by_others(person: str, runs: Sequence[str]) -> set[str]:
    """Those of the runs that another person assigned to this one, and in which no person has done a step since. One statement."""
    newest = log.newest_by_people(runs, ("run_assigned",), DOING, LATEST)
    return {
        run
        for run, event in newest.items()
        if event.type == "run_assigned" and event.body["actor"].get("id") != person
    }
