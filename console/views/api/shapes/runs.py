"""Runs: the step at which one stands, its attempts and effects, and what a command would do."""

from typing import Literal

from pydantic import Field

from console.core.run.causes import CauseKind
from console.core.run.origin import StartKind
from console.views.api.shapes.base import Anything, ErrorDetail, Moment, Open, Shape, Status
from console.views.api.shapes.records import Option


class WorkflowRef(Shape):
    """A workflow as a run names it."""

    id: str
    slug: str
    title: str


class Ticket(Shape):
    """Where a run waits in an inbox for somebody."""

    inbox: str
    priority: str
    reason: str | None
    at: Moment | None
    by: str | None
    until: Moment | None = Field(None, description="Snoozed until then; null or missing: it is offered")


class Trigger(Shape):
    """What started a run."""

    id: str | None = Field(description="Of the workflow's trigger, where one of its own started it")
    kind: StartKind
    event: dict[str, Anything] | None = Field(
        None, description="The event that started it, without values of records"
    )


class Parent(Shape):
    """The run whose step started another one, and which branch of that step it is."""

    run: str
    branch: str


class RunHead(Shape):
    """A run as one of a list."""

    id: str
    workflow: WorkflowRef
    version: int
    status: Status
    revision: int = Field(description="Counts the run's moves; send it back with a command")
    last_event: int = Field(description="Number of the run's last event")
    collection: str | None
    record: str | None
    team: str
    trigger: Trigger
    mode: Literal["guided", "hands_off"] = Field(
        description="`hands_off`: nobody holds it unless it asks a person"
    )
    test: bool = Field(description="Whether it is a trial, marked as one")
    started_by: str
    holder: str | None = Field(description="The one person who may act on it now")
    reason: str | None
    ending: str | None = Field(description="Label of the end that it reached")
    created_at: Moment
    ended_at: Moment | None


class FormField(Open):
    """A field of a form. `value` is what it starts with, `now` what the record holds today."""

    name: str
    label: str
    type: str
    required: bool
    readonly: bool
    value: Anything
    now: Anything
    options: Anything
    min: Anything
    max: Anything
    max_length: int | None
    help: str | None


class Form(Shape):
    """What the step asks for."""

    fields: list[FormField]


class Draft(Open):
    """What was typed and not handed in."""

    values: dict[str, Anything]
    outcome: str | None = Field(description="The choice, where one was made")
    saved_at: Moment
    by: str


class TakeOver(Open):
    """Why an automatic step asks a person."""

    code: str
    message: str | None


class ProposalSource(Open):
    """Where a proposed value comes from."""

    id: str = Field(description="s1, s2 … within this proposal")
    title: str
    collection: str | None = None
    record: str | None = None
    field: str | None = None


class ProposedValue(Open):
    """A proposed value; what rests on something that the reader may not see is null."""

    name: str = Field(description="The field")
    value: Anything
    confidence: Literal["high", "medium", "low"]
    reason: str | None
    sources: list[ProposalSource] | None
    preselected: bool = Field(
        description="Whether a form holds it before a person has put it there; false: it is only offered"
    )


class ProposedChoice(Open):
    """What is said of the proposed choice."""

    confidence: Literal["high", "medium", "low"]
    preselected: bool = Field(
        description="Whether it is chosen before a person has chosen it; false: it is only offered"
    )


class Proposal(Open):
    """What is proposed for the open step. A person decides."""

    status: Literal["pending", "ready", "declined", "failed", "off"]
    call: str | None
    origin: str | None = Field(description="`rules`, or the model")
    code: str | None = Field(description="Why there is none, for programs")
    message: str | None = Field(description="Why there is none, and what to do")
    deadline_at: Moment
    fields: list[ProposedValue]
    outcome: str | None = Field(
        description="The proposed choice; chosen beforehand only where `choice.preselected` says so"
    )
    choice: ProposedChoice | None
    flags: list[str]
    banner: str | None


class Waiting(Open):
    """What the run waits for."""

    for_: str = Field(
        alias="for",
        description="time, event, approval, run, effect, retry, or what the step's type waits for",
    )
    until: Moment | None


class Effect(Shape):
    """A change outside the console's own tables."""

    id: str
    kind: str
    status: Literal["requested", "succeeded", "failed", "unknown"]
    summary: str
    at: Moment | None = Field(description="When it was settled")
    compensates: str | None = Field(description="The effect that this one takes back")
    keeps: str | None = Field(description="The earlier effect whose result stands for this one")


class EffectAtStake(Effect):
    """The change that the run waits for, or that a person has to settle."""

    requested_at: Moment | None
    key: str | None
    action: str | None
    collection: str | None
    record: str | None
    values: dict[str, Anything] | None
    sent: dict[str, Anything] | None


class Current(Shape):
    """The step at which the run stands."""

    step: str
    type: str = Field(description="`settle` where a person has to say what came of a change")
    title: str
    attempt: int
    button: str
    form: Form | None = Field(description="null while nothing is asked of a person")
    outcomes: list[Option] = Field(description="Where there are any, `complete` needs one")
    ways: list[dict[str, Anything]] | None = Field(
        None,
        description="What handing in would come to as the form starts, for each choice: effects, what follows by itself, why it would be refused",
    )
    content: list[dict[str, Anything]] | None = Field(
        None,
        description="Data of the blocks that the step shows, each with its kind as `block`; a value that the reader may not see is `hidden`",
    )
    progress: dict[str, Anything] | None = None
    not_offered: list[Option] | None = None
    errors: list[ErrorDetail] | None
    draft: Draft | None
    proposal: Proposal | None
    take_over: TakeOver | None
    waiting: Waiting | None
    effect: EffectAtStake | None


class Decided(Shape):
    """One answer to a request for approval."""

    by: str
    at: Moment
    decision: Literal["approve", "reject"]
    reason: str | None
    stands_in_for: list[str] = Field(
        default=[],
        description="People who were away, in whose place it was given; only there where somebody was",
    )


class ApprovalShort(Shape):
    """A request for approval as an attempt names it."""

    id: str
    action: str
    status: Literal["open", "approved", "rejected", "void", "expired"]
    needs: int
    decided: list[Decided]


class Attempt(Shape):
    """One entry into a step."""

    step: str
    type: str
    title: str
    attempt: int
    status: Literal["open", "performing", "done", "cancelled", "skipped", "failed"]
    entered_at: Moment | None
    completed_at: Moment | None
    by: str | None = Field(description="null for the engine")
    outcome: str | None = Field(description="null until it has ended with one")
    values: dict[str, Anything] | None
    handled_manually: bool
    revised: bool
    effects: list[Effect]
    approvals: list[ApprovalShort]


class Cause(Shape):
    """One link of what caused a run."""

    kind: CauseKind = Field(description="`outside`: made outside the console, by nobody that it knows")
    person: str | None = Field(
        description="Who acted; for a key its owner. Who caused a run does not approve in it"
    )
    key: str | None
    trigger: str | None = Field(description="The trigger that it fired")
    event: int | None = Field(description="The place in the log of the change or tag")
    run: str | None = Field(description="The run that made it")
    address: str | None = Field(
        description="The client's; null where it was erased, or is kept with the event"
    )
    signed: bool | None = Field(description="Of a delivery: whether it was signed")


class Run(RunHead):
    """A run as the caller may see it."""

    caused_by: list[Cause] = Field(
        description="What caused the run, the nearest first, at most eight; empty where the log of an old one does not tell"
    )
    simulated: bool = Field(
        description="Whether the sandbox held back something that the run shows as done: it was not really sent"
    )
    parent: Parent | None = Field(description="The run that started this one with a step of its own")
    rerun_of: str | None = Field(description="The ended run that this one does again")
    ticket: Ticket | None
    current: Current | None = Field(description="null once the run has ended")
    context: dict[str, Anything] = Field(description="What each step left that stands, by step")
    attempts: list[Attempt] = Field(
        description="In the order taken: every one from `GET`; after a command the latest 100, and of those before them the last of each step that came to something"
    )
    left_out: int = Field(description="How many attempts are not among them")


class Checked(Run):
    """The run, and what the other side said of the effect: `done` and `not_done` settled it, `unclear` moved nothing."""

    checked: Literal["done", "not_done", "unclear"]


class Saved(Shape):
    """When the draft was kept."""

    saved_at: Moment


class Compensation(Shape):
    """The action that takes an effect back."""

    action: str
    label: str
    ticked: bool


class EffectDone(Shape):
    """An effect that stands."""

    id: str
    step: str
    kind: str
    summary: str
    compensation: Compensation | None


class Cancelled(Shape):
    """An attempt that revising would cancel."""

    step: str
    attempt: int
    title: str
    by: str | None
    completed_at: Moment | None


class Void(Shape):
    """A request for approval that revising would make void."""

    id: str
    step: str
    action: str
    status: str


class RevisePreview(Shape):
    """What revising would cancel, newest first, and what it cannot undo."""

    step: str
    attempt: int
    cancels: list[Cancelled]
    effects_done: list[EffectDone]
    approvals_void: list[Void]


class AbortPreview(Shape):
    """What the run did outside, newest first, and what takes it back."""

    effects_done: list[EffectDone]
