"""Giving tickets to people and taking them away, for those who manage the inbox."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from console import runs
from console.auth import access
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.log import idempotency_note
from console.work.tickets import start_ticket, ticket_by_id
from console.workflows import inboxes
from console.workflows.inboxes import Inbox

MOST_ASSIGNED = 100


@dataclass(frozen=True, slots=True)
class Given:
    """The result for one ticket: its run, or None and the `reason` why it could not be done."""

    ticket: str
    run: str | None
    reason: str = ""


def assign(
    actor: Actor, inbox_id: str, ticket_ids: Sequence[str], user: str, reason: str = ""
) -> list[Given]:
    """Give tickets to a person. One that cannot be given does not stop the others. Raises NotFound, NotAllowed, Invalid."""
    inbox = _managed_inbox(actor, inbox_id, ticket_ids)
    return [
        _result(actor, ticket_id, partial(_give, actor, inbox, ticket_id, user, reason))
        for ticket_id in dict.fromkeys(ticket_ids)
    ]


def unassign(actor: Actor, inbox_id: str, ticket_ids: Sequence[str]) -> list[Given]:
    """Take runs away from those who hold them: they are to do again, with what was typed. Raises as `assign` does."""
    inbox = _managed_inbox(actor, inbox_id, ticket_ids)
    return [
        _result(actor, ticket_id, partial(_let_go, actor, inbox, ticket_id))
        for ticket_id in dict.fromkeys(ticket_ids)
    ]


def _managed_inbox(actor: Actor, inbox_id: str, ticket_ids: Sequence[str]) -> Inbox:
    inbox = inboxes.visible_inbox(actor, inbox_id)
    access.require(actor, inbox.team, f"inbox:{inbox.id}", "manage")
    if not 1 <= len(ticket_ids) <= MOST_ASSIGNED:
        reason = f"Choose 1 to {MOST_ASSIGNED} tickets."
        raise Invalid(reason, at="tickets")
    return inbox


def _result(actor: Actor, ticket_id: str, act: Callable[[], str]) -> Given:
    """Do one ticket of several. What was done under the same idempotency key before is not done again."""
    try:
        with idempotency_note.part(ticket_id) as key:
            if (done := idempotency_note.finished(key)) is None:
                return Given(ticket_id, act())
            if runs.head(actor, done[0]) is None:
                raise NotFound
            return Given(ticket_id, done[0])
    except (Conflict, NotAllowed, NotFound) as error:
        return Given(ticket_id, None, error.message)
    except Invalid as error:
        return Given(ticket_id, None, str(error.details[0]["reason"]) if error.details else error.message)


def _give(actor: Actor, inbox: Inbox, ticket_id: str, user: str, reason: str) -> str:
    ticket = ticket_by_id(actor, inbox, ticket_id)
    if ticket.run is None and user == actor.id:
        return start_ticket(actor, inbox, ticket)
    with idempotency_note.before():
        run_id = ticket.run.id if ticket.run else start_ticket(actor, inbox, ticket)
    runs.assign(actor, run_id, revision=None, user=user, reason=reason)
    return run_id


def _let_go(actor: Actor, inbox: Inbox, ticket_id: str) -> str:
    run = ticket_by_id(actor, inbox, ticket_id).run
    if run is None or run.holder is None:
        raise Conflict("This ticket is unassigned.", code="not_possible")
    if run.holder != actor.id:
        with idempotency_note.before():
            runs.take_over(actor, run.id, revision=run.revision)
    runs.release(actor, run.id, revision=None)
    return run.id
