"""Inboxes and their tickets as JSON."""

from typing import Annotated, Any, Literal

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field, StringConstraints

from console import runs
from console.core.errors import Malformed
from console.views.api import listing
from console.views.api.operation import (
    Done,
    Example,
    Nothing,
    Paged,
    Sent,
    operation,
    page_of,
    parse_query,
    read,
)
from console.views.api.shapes import Given, Inbox, Listed, Run, Tickets
from console.work import ticket_assignment, tickets
from console.work.ticket_assignment import Given as Came
from console.workflows import inboxes

blueprint = Blueprint("api_inbox", __name__, url_prefix="/api/v1")

Text = Annotated[str, StringConstraints(min_length=1)]
DESK = {"name": "desk"}


class Looked(Paged):
    """Filter of tickets: `todo` those the caller can take, in order; `doing` those the caller has; `backlog` those of everybody."""

    view: Literal["todo", "doing", "backlog"] = "todo"


class Take(Sent):
    """A ticket."""

    ticket: Text


class Unassign(Sent):
    """Tickets by their ids, at most 100."""

    tickets: list[str]


class Assign(Unassign):
    """Tickets, and the person who gets them."""

    user: Text = Field(description="Id of the person")
    reason: str | None = ""


def taken(done: Done) -> dict[str, Any] | None:
    """Return the taken run as it is now."""
    return runs.get(g.actor, done.chain).json if done.chain else None


@blueprint.get("/inboxes")
@operation("listInboxes", "inbox.work", Listed[Inbox], query=Paged)
def every() -> ResponseReturnValue:
    """The caller's inboxes, each with the number of tickets they can take; `more` if there are more than that."""
    inboxes_here = inboxes.inboxes_of(g.actor)
    counts = tickets.count(g.actor, inboxes_here)
    return page_of([inbox.to_json() | counts[inbox.id].to_json() for inbox in inboxes_here])


@blueprint.get("/inboxes/<name>/tickets")
@operation(
    "listTickets",
    "inbox.work",
    Tickets,
    query=Looked,
    refuses=(403,),
    example=Example(DESK, {"view": "todo"}),
)
def listed(name: str) -> ResponseReturnValue:
    """Tickets of an inbox: those the caller can take, those the caller has, or those of everybody (with the right `manage`)."""
    looked = parse_query(Looked)
    if looked.view == "todo":
        page = tickets.to_do(g.actor, name, limit=looked.limit, after=looked.after or None)
        return listing([ticket.to_json() for ticket in page.tickets], page.next, down=page.down)
    held = tickets.doing if looked.view == "doing" else tickets.backlog
    lines, following = held(g.actor, name, limit=looked.limit, after=looked.after or None)
    return listing([line.to_json() for line in lines], following, down=None)


@blueprint.post("/inboxes/<name>/next")
@operation(
    "takeNextTicket",
    "inbox.work",
    Run,
    body=Nothing,
    again=taken,
    example=Example(DESK, body={}),
)
def take_next(name: str) -> ResponseReturnValue:
    """Take the next ticket; returns its run, which the caller now holds. 409 `inbox_empty`."""
    read(Nothing, Malformed)
    return runs.get(g.actor, tickets.take_next(g.actor, name)).json


@blueprint.post("/inboxes/<name>/take")
@operation(
    "takeTicket",
    "inbox.work",
    Run,
    body=Take,
    again=taken,
    example=Example(DESK, body={"ticket": "run_01j0000000000000000000000a"}),
)
def take(name: str) -> ResponseReturnValue:
    """Take one ticket; returns its run, which the caller now holds. 409 `ticket_taken` if somebody else has taken it."""
    return runs.get(g.actor, tickets.take(g.actor, name, read(Take).ticket)).json


@blueprint.post("/inboxes/<name>/assign")
@operation(
    "assignTickets",
    "inbox.manage",
    Listed[Given],
    body=Assign,
    example=Example(
        DESK,
        body={
            "tickets": ["run_01j0000000000000000000000a"],
            "user": "usr_01j0000000000000000000000a",
            "reason": "Knows the customer.",
        },
    ),
)
def assign(name: str) -> ResponseReturnValue:
    """Assign tickets to a person; returns the result for each."""
    sent = read(Assign)
    return _results_json(ticket_assignment.assign(g.actor, name, sent.tickets, sent.user, sent.reason or ""))


@blueprint.post("/inboxes/<name>/unassign")
@operation(
    "unassignTickets",
    "inbox.manage",
    Listed[Given],
    body=Unassign,
    example=Example(DESK, body={"tickets": ["run_01j0000000000000000000000a"]}),
)
def unassign(name: str) -> ResponseReturnValue:
    """Release tickets from their holders; returns the result for each."""
    return _results_json(ticket_assignment.unassign(g.actor, name, read(Unassign).tickets))


def _results_json(given: list[Came]) -> ResponseReturnValue:
    return listing(
        [{"ticket": result.ticket, "run": result.run, "reason": result.reason or None} for result in given]
    )
