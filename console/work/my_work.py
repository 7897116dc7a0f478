"""My work: what waits for a person, and the inboxes that they work in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from console import runs, workflows
from console.auth.accounts import absences
from console.core.actor import Actor
from console.permissions import second_admin
from console.permissions.second_admin import Request
from console.runs import RunHead
from console.runs.views import lists
from console.work import approvals, questions, substitutions, tasks, tickets
from console.work.approvals import Line
from console.work.questions import Asked
from console.work.tasks import Task
from console.work.tickets import Count
from console.work.waiting_reasons import Reason, reasons
from console.workflows import Review, inboxes
from console.workflows.inboxes import Inbox

MOST = 50


@dataclass(frozen=True, slots=True)
class Work:
    """What waits for a person. `inboxes` are those that they work in, with the number of tickets that they could take.

    `to_decide` are approvals, `publishing` requests to publish a workflow, `questions` and `tasks` what colleagues and runs ask. `why` is run id → reason. `more`: lists end at `MOST`.
    `instead` are runs of people who are away, with their names, in whose place the person stands. `rights` are rights on records that administrators ask for roles of their own.
    """

    in_hand: list[RunHead]
    to_continue: list[RunHead]
    inboxes: list[tuple[Inbox, Count]]
    to_decide: list[Line] = field(default_factory=list)
    questions: list[Asked] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    why: Mapping[str, Reason] = field(default_factory=dict)
    more: bool = False
    publishing: list[Review] = field(default_factory=list)
    instead: list[tuple[RunHead, str]] = field(default_factory=list)
    rights: list[Request] = field(default_factory=list)


def work_of(actor: Actor) -> Work:
    """The person's work now. Held runs that wait for the person come before those that wait for something else."""
    held = runs.held_by(actor, limit=MOST + 1)
    saved = [head for head in runs.to_continue(actor, limit=MOST + 1) if head.holder is None]
    decide = list(approvals.to_review(actor, limit=MOST + 1).lines)
    absent = absences.stood_in_for(actor.id)
    instead = substitutions.held_by_absent(actor, absent, limit=MOST)
    more = max(len(held), len(saved), len(decide)) > MOST
    held, saved, decide = held[:MOST], saved[:MOST], decide[:MOST]
    held.sort(key=lambda head: (head.status != "waiting_person", head.active_at))
    why = reasons(
        actor,
        [
            *held,
            *saved,
            *(head for head, _ in instead),
            *lists.with_ids(actor, [line.run for line in decide]),
        ],
    )
    open_questions, to_do = questions.open_for(actor, absent), tasks.tasks_of(actor, absent)
    return Work(
        held,
        saved,
        inbox_counts(actor),
        decide,
        open_questions,
        to_do,
        why,
        more,
        workflows.to_decide(actor),
        instead,
        second_admin.to_confirm(actor),
    )


def inbox_counts(actor: Actor) -> list[tuple[Inbox, Count]]:
    """The inboxes that the person works in, each with what they could take."""
    working = [inbox for inbox in inboxes.all_inboxes() if inboxes.may(actor, inbox, "work")]
    counts = tickets.count(actor, working)
    return [(inbox, counts[inbox.id]) for inbox in working]
