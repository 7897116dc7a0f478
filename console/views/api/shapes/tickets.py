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
    reason: str | None


class Tickets(Listed[TicketRow]):
    """A page of tickets; `down` says why records are missing from it."""

    down: str | None


class Given(Shape):
    """What came of one ticket: `run` is null, and `reason` says why, where it could not be done."""

    ticket: str
    run: str | None
    reason: str | None
