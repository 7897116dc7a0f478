"""What waits for people: approvals, inboxes and their tickets."""

from typing import Literal

from pydantic import Field

from console.views.api.shapes.base import Listed, Moment, Shape, Values
from console.views.api.shapes.runs import Decided


class Approval(Shape):
    """A request for approval."""

    id: str
    run: str
    step: str
    attempt: int
    action: str
    label: str
    collection: str | None
    record: str | None
    team: str
    status: Literal["open", "approved", "rejected", "void", "expired"]
    requested_by: str
    requested_at: Moment
    until: Moment | None
    values: Values
    decided: list[Decided]
    needs: int
    roles: list[str]
    not_by: list[str]
    why: str | None


class ApprovalRemark(Shape):
    """A question about a request for approval, or a reply to one."""

    by: str
    at: Moment
    reply: bool = Field(description="Said by whoever asked for the approval")
    text: str | None = Field(description="Null where it was erased")


class Inbox(Shape):
    """An inbox of the caller, with how many tickets they could take."""

    id: str
    title: str
    help: str | None
    team: str
    collection: str | None
    workflow: str | None
    to_do: int
    more: bool = Field(description="There are more than were counted")
    down: bool = Field(description="The records were not counted: their source does not answer")


class TicketRow(Shape):
    """One entry of an inbox."""

    id: str
    kind: Literal["handed_on", "saved", "record", "in_hand"]
    title: str
    priority: str
    collection: str | None
    record: str | None
    run: str | None
    step: str | None
    holder: str | None
    since: Moment | None
    due: str | None = Field(description="A day, or a moment in UTC")
    reason: str | None


class Tickets(Listed[TicketRow]):
    """A page of tickets; `down` says why records are missing from it."""

    down: str | None


class Given(Shape):
    """What came of one ticket: `run` is null, and `reason` says why, where it could not be done."""

    ticket: str
    run: str | None
    reason: str | None


class WorkItem(Shape):
    """A live run, a ticket (a run in an inbox), an open approval or an open task."""

    kind: Literal["run", "ticket", "approval", "task"]
    id: str
    title: str
    state: Literal["in_progress", "inbox", "snoozed", "saved", "waiting", "approval", "task"]
    run: str
    revision: int = Field(description="That of the run")
    workflow: str
    team: str
    collection: str | None
    record: str | None
    step: str | None
    inbox: str | None
    holder: str | None = Field(description="Id of who has it; null: nobody")
    away: str | None = Field(description="Until when the holder is away, and who stands in")
    since: Moment = Field(description="When the run last changed, or when it was asked for")
    waits_for: str | None
    due: str | None = Field(description="A day, or a moment in UTC")


class WorkRef(Shape):
    """Work as it was shown, or as a move left it: `former` and `inbox` are where `undo` puts it back."""

    id: str
    revision: int = Field(0, description="Of a run", ge=0)
    holder: str = Field("", description="Id of who has a task or approval")
    former: str = ""
    inbox: str = ""


class WorkMoved(Shape):
    """What came of one: `undo` is null, and `reason` says why, where it stayed."""

    title: str
    undo: WorkRef | None
    reason: str | None


class WorkMove(Shape):
    """What somebody moved together, as far as the caller may see it."""

    id: str
    by: str
    at: Moment
    do: Literal["reassign", "release", "hand_over", "undo"]
    to: str = Field(description="Name of the person or inbox")
    reason: str
    items: list[WorkRef]


class WorkGroup(Shape):
    """How much work has the same value; null is all of it."""

    value: str | None
    count: int | None = Field(
        description="Null for a caller who sees only a part of the records: a count would tell of the others"
    )
    more: bool = Field(description="There are more than were counted")


class Work(Listed[WorkItem]):
    """A page of work, and how much there is by each value of `by`; the last group is all of it."""

    groups: list[WorkGroup] | None
