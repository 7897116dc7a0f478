"""My work: the runs that a person holds or can continue, and the inboxes that they work in."""

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
    """What waits for a person. `inboxes` are those that they work in, with the number of tickets that they could take."""

    in_hand: list[RunHead]
    to_continue: list[RunHead]
    inboxes: list[tuple[Inbox, Count]]


def work_of(actor: Actor) -> Work:
    """The person's work now. Held runs that wait for the person come before those that wait for something else."""
    held = runs.held_by(actor, limit=MOST)
    saved = [head for head in runs.to_continue(actor, limit=MOST) if head.holder is None]
    working = [inbox for inbox in inboxes.known() if inboxes.may(actor, inbox, "work")]
    counts = tickets.count(actor, working)
    held.sort(key=lambda head: (head.status != "waiting_person", head.active_at))
    return Work(held, saved, [(inbox, counts[inbox.id]) for inbox in working])
