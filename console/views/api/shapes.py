"""What calls of the API answer, as models: the description of the API is made of them, and tests compare every answer with them.

A name without a default is always there; one with a default may be missing. Decimals are text, moments RFC 3339 in UTC.
"""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Row = TypeVar("Row")

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Anything = Annotated[Any, WithJsonSchema({"description": "Any JSON value"})]
Values = Annotated[dict[str, Anything], Field(description="Values by field name; what the reader may not see is missing or null")]
Cursor = Annotated[str | None, Field(description="Give it as `after` for the following page; null: this is the last")]
Status = Literal[
    "running", "waiting_person", "waiting_time", "waiting_event", "saved", "completed", "aborted", "failed", "cancelled", "timed_out"
]


class Shape(BaseModel):
    """A JSON object with these names and no others."""

    model_config = ConfigDict(extra="forbid")


class Open(BaseModel):
    """A JSON object with these names at least; others may stand beside them."""

    model_config = ConfigDict(extra="allow")


class ErrorDetail(Open):
    """One thing that is wrong."""

    field: str = Field("", description="The field or parameter, `input.reason` for one within")
    reason: str = Field("", description="What is wrong, and the way out")


class Error(Open):
    """What went wrong. Beside these names there may be `run_id` of a live run, `retry_after` in seconds, `request_id` to tell whoever runs the console."""

    code: str = Field(description="For programs; it is never renamed")
    message: str = Field(description="For the person who can act on it: what happened, to what, what to do next")
    details: list[ErrorDetail]


class Listed(Shape, Generic[Row]):
    """A page of a list."""

    data: list[Row]
    next: Cursor


class Me(Shape):
    """The person whose rights the key has."""

    id: str
    email: str
    name: str
    roles: list[str]
    teams: list[str]


# ------------------------------------------------------------------------------------------------ collections and records


class CollectionHead(Shape):
    """A collection as one of a list. `key` are the columns of its key; empty: its records can be listed only."""

    id: str
    label: str
    source: str
    kind: Literal["table", "view"]
    key: list[str]


class Option(Open):
    """A value that can be chosen, and how it is called."""

    value: Anything
    label: str


class CollectionField(Open):
    """A field of a collection."""

    name: str
    label: str
    type: str
    nullable: bool
    options: list[Option] | None
    readonly: bool
    sensitive: bool
    references: str | None = Field(description="The collection whose key it holds")
    max_length: int | None
    help: str | None


class Relation(Open):
    """A way from a record to others."""

    name: str
    label: str
    collection: str
    kind: Literal["to_one", "to_many"]


class Labelled(Open):
    """Something with an id, and how it is called."""

    id: str
    label: str


class Collection(Open):
    """A table or view as the console shows it, as the caller may see it."""

    id: str
    label: str
    source: str
    kind: Literal["table", "view"]
    key: list[str]
    label_one: str
    help: str | None
    fields: list[CollectionField]
    relations: list[Relation]
    segments: list[Labelled]
    actions: list[Labelled]


class Record(Shape):
    """A record. `key` is opaque, null where the collection has none; hidden fields are missing from `values`."""

    collection: str
    key: str | None
    title: str
    values: dict[str, Anything]


class Records(Shape):
    """A page of records."""

    data: list[Record]
    next: Cursor
    total: int = Field(0, description="How many there are, with `count=1`", ge=0)


# --------------------------------------------------------------------------------------------------------------- runs


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


class Proposal(Open):
    """What is proposed for the open step. A person decides."""

    status: Literal["pending", "ready", "declined", "failed", "off"]
    call: str | None
    origin: str | None = Field(description="`rules`, or the model")
    code: str | None = Field(description="Why there is none, for programs")
    message: str | None = Field(description="Why there is none, and what to do")
    deadline_at: Moment
    fields: list[ProposedValue]
    outcome: str | None = Field(description="The proposed choice")
    flags: list[str]
    banner: str | None


class Waiting(Open):
    """What the run waits for."""

    for_: str = Field(alias="for", description="time, event, approval, run, effect, retry, or what the step's type waits for")
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
    outcome: str | None
    values: dict[str, Anything] | None
    handled_manually: bool
    revised: bool
    effects: list[Effect]
    approvals: list[ApprovalShort]


class Run(RunHead):
    """A run as the caller may see it."""

    rerun_of: str | None = Field(description="The ended run that this one does again")
    ticket: Ticket | None
    current: Current | None = Field(description="null once the run has ended")
    context: dict[str, Anything] = Field(description="What each step left that stands, by step")
    attempts: list[Attempt] = Field(
        description="In the order taken: the latest 100, and of those before them the last of each step that came to something"
    )
    left_out: int = Field(description="How many attempts are not among them; `?attempts=all` of `GET` has every one")


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


# ------------------------------------------------------------------------------------------------- events and the log


class EventActor(Shape):
    """Who did it."""

    kind: Literal["user", "key", "system", "webhook"]
    id: str
    name: str | None


class Event(Shape):
    """An event of the log."""

    n: int | None = Field(description="Its number in the run")
    pos: int | None = Field(description="Its place in the whole log, null for the first second")
    id: str
    kind: str
    created_at: Moment = Field(alias="createdAt")
    run: str | None
    step: str | None
    attempt: int | None
    actor: EventActor
    team: str | None
    collection: str | None
    record: str | None
    sentence: str = Field(description="The event in words")
    data: dict[str, Anything]
    leaf: str = Field(description="Its hash")
    masked: list[str] = Field(description="Paths of what was left out for this reader")


class Screen(Shape):
    """What was on the screen."""

    record: Record | None


class Looked(Shape):
    """A document beside a run, and which of its pages were opened by then."""

    document: str
    title: str
    pages: int | None = Field(description="How many it has, where that is known")
    opened: list[int]
    never_opened: list[int] | None = Field(description="null: not known, because nobody opened it")


class Replay(Shape):
    """The run as it was answered after event `at`."""

    at: int
    last: int
    run: Run
    event: Event
    screen: Screen
    read_only: Literal[True]
    masked: list[str]
    documents: list[Looked] = Field(description="Documents beside the run, those of its records as of today")


class ActivityPage(Shape):
    """A page of the activity log, newest first."""

    data: list[Event]
    has_more: bool = Field(alias="hasMore")
    next: Cursor


# ---------------------------------------------------------------------------------------- approvals, inboxes and files


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


class AiCall(Shape):
    """A call to the AI. `status` is pending until it was answered, off where nobody was asked; `code` says why there is no proposal.

    `handled_manually`, `submitted_at`, `seconds` (from the proposal to handing in) and `opened` (sources opened before) say what became of it.
    """

    id: str
    at: Moment
    run: str | None
    step: str | None
    attempt: int | None
    workflow: str | None
    version: int | None
    team: str | None
    person: str | None
    purpose: str
    provider: str | None
    model: str | None
    ms: int | None
    status: Literal["pending", "ok", "declined", "failed", "off"]
    code: str | None
    flags: list[str]
    mode: Literal["shadow", "assist", "blind", "auto"]
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    cost: str | None
    price_version: str | None
    prompt_version: str | None
    schema_mode: str | None
    prompt_sha256: str | None
    request_id: str | None
    from_cache: bool
    answered_at: Moment | None
    outcome: str | None
    submitted_at: Moment | None
    submitted_by: str | None
    submitted_outcome: str | None
    handled_manually: bool | None
    seconds: str | None
    opened: int | None


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


class FileValue(Shape):
    """A file, as it is handed in as the value of a field."""

    file: str
    name: str
    media_type: str
    sha256: str
    bytes: int


class File(FileValue):
    """What is known of a file."""

    run: str
    slot: str
    pages: int | None
    scanned: bool | None
    by: str | None
    sender: str | None
    at: Moment


class Place(Shape):
    """Where something was seen: the page, and a box on it in parts of the page (left, top, right, bottom) from its upper left corner."""

    page: int
    box: list[float]


class Check(Shape):
    """What came of a check."""

    id: str
    label: str
    result: Literal["pass", "fail", "unsure", "not_applicable"]
    message: str | None
    places: list[Place]


class Paper(Shape):
    """A document with its checks."""

    document: str = Field(description="Its reference")
    title: str
    pages: int | None
    sha256: str
    status: Literal["reading", "ready"]
    message: str | None = Field(description="Why there are no checks")
    checks: list[Check]


class Checklist(Shape):
    """The checklist of the open step."""

    step: str
    item: str | None = Field(description="At a list: the item that it is about")
    status: Literal["reading", "ready"] = Field(description="reading: ask again in a moment")
    documents: list[Paper]
    checks: list[Check] = Field(description="Those that need no document")


# ------------------------------------------------------------------------------------------------------------ workflows


class Workflow(Shape):
    """A workflow. `version` is the number of the version that runs start with, null where none was published."""

    id: str
    organization_id: str
    slug: str
    title: str
    description: str
    status: Literal["draft", "active", "paused", "completed", "cancelled"]
    team: str | None
    collection: str | None
    version: int | None
    created_at: Moment
    updated_at: Moment


class Definition(Open):
    """The document of a workflow, as in its file; `/schema/workflow.json` is its whole schema."""

    format: int
    slug: str
    title: str
    steps: list[dict[str, Anything]]


class VersionHead(Shape):
    """A published version as one of a list."""

    number: int
    hash: str = Field(description="SHA-256 of its canonical bytes")
    published_at: Moment
    published_by: str
    live: bool


class VersionWhole(VersionHead):
    """A published version with its document."""

    definition: Definition
