"""My work: everything that waits for one person, each with its age, where it stands, and where to open it; what is due first in front."""

from dataclasses import dataclass

from console import inboxes, runs
from console.core.actor import Actor
from console.inboxes import Inbox
from console.runs import RunHead
from console.work import tickets
from console.work.tickets import Count

MOST = 50


@dataclass(frozen=True, slots=True)
class Work:
    """What waits for a person. `inboxes` are those they work in, with how many tickets they could take."""

    in_hand: list[RunHead]
    to_continue: list[RunHead]
    inboxes: list[tuple[Inbox, Count]]


def work_of(actor: Actor) -> Work:
    """The person's work now: runs in hand first that wait for them, then those that wait for something else."""
    held = runs.held_by(actor, limit=MOST)
    saved = [head for head in runs.to_continue(actor, limit=MOST) if head.holder is None]
    here = [one for one in inboxes.known() if inboxes.may(actor, one, "work")]
    counts = tickets.count(actor, here)
    held.sort(key=lambda head: (head.status != "waiting_person", head.active_at))
    return Work(held, saved, [(one, counts[one.id]) for one in here])
