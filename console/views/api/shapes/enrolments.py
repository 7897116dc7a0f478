"""Enrolments: who is in a workflow, those who are enrolled many at once, and counts."""

from typing import Literal

from pydantic import Field

from console.views.api.shapes.base import Anything, BackgroundWork, Moment, Shape


class Reason(Shape):
    """Why somebody was not enrolled."""

    field: str
    reason: str


class EnrolledLead(Shape):
    """What became of one lead of a request; `row` is its place in it, from 0."""

    row: int
    status: Literal["enrolled", "already_enrolled", "refused"]
    lead_id: str | None
    run_id: str | None
    reasons: list[Reason]


class EnrolledLeads(Shape):
    """What became of the leads, in their order."""

    data: list[EnrolledLead]


class LeadStep(Shape):
    """A step that a lead came to; `outcome` is null while it is there, and where it broke off."""

    node_id: str
    outcome: str | None
    at: Moment


class EnrolmentLead(Shape):
    """Somebody in a workflow: the values that they came with or the key of their record, where they are, and how they came there."""

    id: str
    values: dict[str, Anything]
    record: str | None
    status: Literal["waiting", "active", "paused", "left", "refused"] = Field(
        description="paused: the workflow is"
    )
    node_id: str | None
    run_id: str | None
    version: int | None
    at: Moment
    left_at: Moment | None
    reason: str | None
    tags: list[str] = Field(
        description="What steps put on somebody without a record; the tags of a record are the record's"
    )
    history: list[LeadStep]


class EnrolmentCounts(Shape):
    """What became of those read so far."""

    enrolled: int
    already_enrolled: int
    refused: int


class Unreached(Shape):
    """So many are not reached for this reason."""

    reason: str
    count: int


class ReachOfChannel(Shape):
    """How many a channel of the workflow reaches, how many of these only `later` (hours, caps; `over_cap` for the second), and `why` not the others."""

    channel: Literal["email", "sms", "call", "ai_call", "chat"]
    reached: int
    later: int
    over_cap: int
    why: list[Unreached]


class Reach(Shape):
    """Whom the messages of a workflow would reach, of those who would be enrolled and were looked at. `unreached`: by no channel; `more`: others were not looked at."""

    looked: int
    unreached: int
    more: bool
    channels: list[ReachOfChannel]


class LeavesAtOnce(Shape):
    """So many would leave again as soon as they have come in, by an exit of this reason."""

    reason: str
    count: int


class EnrolmentBatch(BackgroundWork):
    """Many who are enrolled at once; `total` is null until it is known, `why` says why it failed. `exits` is that of a preview, and `reach` where the workflow has messages."""

    status: Literal["running", "done", "cancelled", "failed"]
    preview: bool
    counts: EnrolmentCounts
    reach: Reach | None
    exits: list[LeavesAtOnce] | None


class TakeOutPlan(Shape):
    """What taking them out would do. `partly`: only those whose records the caller may see are taken out."""

    total: int
    waiting: int
    active: int
    steps: dict[str, int] = Field(description="Step → how many stand there")
    pending: dict[str, int] = Field(description="Channel → messages that would not be sent any more")
    partly: bool


class TakeOut(BackgroundWork):
    """Many who are taken out. `done` have left so far; `why` says why it failed."""

    status: Literal["running", "done", "failed"]
    reason: str
    by: str
    made_at: Moment
    ended_at: Moment | None


class EnrolmentRow(Shape):
    """One of a batch. `row` counts from 1 (rows sent as JSON from 0, lines of a file with its heading); `record` is null where the caller may not see it."""

    row: int
    record: str | None
    title: str | None
    status: Literal["enrolled", "already_enrolled", "refused"]
    reasons: list[Reason]
    lead_id: str | None
    run_id: str | None


class WorkflowCounts(Shape):
    """How many are in a workflow. Who waits to begin counts at the start step, so that the steps add up to `enrolled`; versions count those who have begun."""

    enrolled: int
    waiting: int
    active: int
    steps: dict[str, int]
    versions: dict[str, int]
