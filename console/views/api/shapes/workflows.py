"""Workflows and their versions."""

from typing import Literal

from pydantic import Field

from console.views.api.shapes.base import Anything, ErrorDetail, Moment, Open, Shape, Status


class Workflow(Shape):
    """A workflow. `version` is the number of the version that runs start with, null where none was published."""

    id: str
    organization_id: str
    slug: str
    title: str
    description: str
    status: Literal["draft", "active", "paused", "completed", "cancelled"]
    team: str | None
    whose: Literal["organisation", "personal"] = Field(
        description="personal: only its owner sees and starts it"
    )
    owner: str | None = Field(description="The id of the person whose it is; null for the organisation's")
    collection: str | None
    version: int | None
    created_at: Moment
    updated_at: Moment
    status_at: Moment = Field(description="Since when it has its status")
    archived_at: Moment | None


class Timer(Shape):
    """A live run that goes on by itself at a moment."""

    run: str
    record: str | None
    at: Moment


class Firing(Shape):
    """A moment at which a trigger starts a run."""

    trigger: str = Field(description="Its id in the document")
    at: Moment


class DeliveryRepeat(Shape):
    """What would become of a further message like it, asked for as it leaves."""

    number: int
    status: str
    at: Moment
    code: str
    reason: str


class DeliveryWait(Shape):
    """A message waits until this moment."""

    until: Moment
    code: str
    reason: str


class Delivery(Shape):
    """What the rules for reaching people say of a message, or of one try of a call."""

    channel: str
    contact: str = Field(
        description="Whom it would reach, empty: nobody of the users' databases, or not for this reader"
    )
    to: str | None = Field(description="The address, as the reader may see it")
    status: Literal["sent", "skipped", "expired"]
    code: str
    reason: str
    at: Moment = Field(description="When it would leave, or be given up")
    waits: list[DeliveryWait] = Field(description="What it would wait for before that, in order")
    repeats: list[DeliveryRepeat] = Field(
        description="What the caps would do to the second and the tenth such message to the same contact"
    )


class OverCap(Shape):
    """How many of the contacts that were `looked` at have had as many messages as the caps allow; `more`: there are others."""

    looked: int
    over: int
    more: bool


class LetIn(Shape):
    """Records that the schedules and events of a workflow would let in now, as far as the caller sees them."""

    count: int
    more: bool = Field(description="There are others, who were not looked at")
    inside: int = Field(description="Not counted: they are in it, or were too lately")
    leaving: int = Field(description="Not counted: an exit would take them out at once")
    notes: list[str] = Field(description="What cannot be said, in words")


class Activation(Shape):
    """What activating a workflow would do. `publishes` is the number that the draft would get, null where its live version stays."""

    publishes: int | None
    problems: list[ErrorDetail] = Field(
        description="What keeps the draft from being published; empty: nothing"
    )
    triggers: list[str] = Field(description="What starts runs, in words")
    channels: list[str] = Field(description="Through which its steps reach people, in words")
    matching: int | None = Field(
        description="Records that a start may be about now, counted up to 10,000; null where there are none"
    )
    overdue: int = Field(
        description="Live runs whose timer came due while it was paused: they go on at once, the longest due first"
    )
    due: int = Field(description="Live runs whose timer comes due in the next 24 hours")
    timers: list[Timer] = Field(description="The first of these")
    firings: list[Firing] = Field(description="Schedules in the next 24 hours, at most 20")
    over_cap: OverCap | None = Field(
        description="Of the first 1,000 contacts, whom the caps hold back now; null without messages to contacts"
    )
    let_in: LetIn | None = Field(
        description="Whom its triggers would let in now; null where none says whom, or that cannot be told"
    )


class Ended(Shape):
    """A run that would end."""

    id: str
    title: str
    status: Status
    record: str | None
    holder: str | None
    step: str | None


class Cancellation(Shape):
    """The live runs that cancelling a workflow would end."""

    live: int
    statuses: dict[str, int] = Field(description="How many of them by status")
    under_way: int = Field(description="Of them with a change under way, which is finished first")
    runs: list[Ended] = Field(description="The first 50")


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
    note: str = Field(description="What was said of it when it was published")
    live: bool


class VersionWhole(VersionHead):
    """A published version with its document."""

    definition: Definition


class DraftProblem(Shape):
    """Something that is wrong with a draft. `step` null: of the whole document; `field` is a path in the step, or in the document."""

    step: str | None
    field: str
    severity: Literal["error", "warning"]
    message: str
    mend: dict[str, Anything] | None = Field(
        None, description="A change that mends it, where that is certain"
    )


class WorkflowDraft(Shape):
    """A draft. It may be unfinished; a problem of severity error stops publishing."""

    document: dict[str, Anything]
    revision: int
    problems: list[DraftProblem]


class DryRunStep(Shape):
    """A step of the path of a dry run. `input` is what was answered, `output` what later steps read; null: the step has not ended."""

    step: str = Field(
        description="Its id; of another workflow that a step runs, behind that step and a slash"
    )
    attempt: int
    outcome: str | None
    input: dict[str, Anything]
    output: dict[str, Anything] | None
    type: str
    title: str
    status: str
    branch: str = Field(description="The run beside this one to which it belongs, empty: this one")
    at: Moment = Field(description="When it would be entered; time jumps to the end of each wait")


class WouldSend(Shape):
    """Something that a real run would have sent or written."""

    step: str
    attempt: int
    kind: str
    summary: str
    request: dict[str, Anything]
    deliveries: list[Delivery] = Field(
        description="Of a message: whom it would reach and when, for each try; none of anything else"
    )


class DryRunQuestion(Shape):
    """What has to be chosen before the dry run can go on; the answer goes into `answers` (of kind event also into `effects`)."""

    step: str
    attempt: int
    kind: Literal["form", "approval", "question", "task", "documents", "event", "model", "unknown", "stuck"]
    title: str
    text: str | None
    fields: list[dict[str, Anything]]
    outcomes: list[dict[str, Anything]]
    why: str
    errors: list[dict[str, Anything]]


class DryRun(Shape):
    """What would come of a run. Nothing was written or sent. `outcome` is the label of the end that was reached."""

    status: Status
    outcome: str | None
    path: list[DryRunStep]
    would_send: list[WouldSend]
    stopped_at: str | None = Field(description="The step that needs an answer, null: the run ended")
    question: DryRunQuestion | None
    notes: list[str] = Field(description="Where a real run could differ")


class TrialCount(Shape):
    """How many messages share a reason."""

    reason: str
    count: int


class TrialGap(Shape):
    """A merge field that is empty for some contacts."""

    field: str
    count: int


class TrialStep(Shape):
    """What the messages of one step would come to if they left now."""

    step: str
    title: str
    channel: str
    leave: int
    wait: list[TrialCount]
    skip: list[TrialCount]
    missing: list[TrialGap]


class Trial(Shape):
    """A workflow's messages tried on contacts; nothing was written or sent. `more`: there are contacts that were not tried."""

    tried: int
    more: bool
    steps: list[TrialStep]


class BuilderTurnRef(Shape):
    """A question to the builder of workflows."""

    id: str


class BuilderTurn(Shape):
    """What came of a question to the builder of workflows. Of one that failed `text` says why; `problems` are those of the draft after the changes."""

    status: Literal["pending", "ready", "failed"]
    text: str
    changes: list[dict[str, Anything]] = Field(
        description="Changes as `PATCH …/draft` takes them, with the revision that was asked about"
    )
    assumptions: list[str]
    problems: list[DraftProblem]


class WorkflowNode(Shape):
    """A step as a node; its step has the same id without `node_`."""

    id: str
    workflow_id: str
    type: str = Field(
        description="The type with which it was added, while its settings can be said so; else the step type"
    )
    title: str
    name: str = Field(description="The same as `title`")
    config: dict[str, Anything] = Field(description="The settings, as the type takes them")
    created_at: Moment | None = Field(description="null: it was in the draft from its beginning")


class WorkflowEdge(Shape):
    """A way from one step to another. `label` null: every outcome that no other edge is for."""

    id: str
    source: str
    target: str
    label: str | None


class DraftDifference(Shape):
    """Something in which two documents of a workflow differ, in words. `step` null: not about one step."""

    kind: Literal["added", "changed", "removed", "moved"]
    what: str
    where: str
    old: str
    new: str
    step: str | None


class RunsOfVersion(Shape):
    """Live runs of one version, as far as the caller may see them."""

    version: int
    live: int
    saved: int = Field(description="How many of them are saved")


class EnrolledNow(Shape):
    """Who is in the workflow."""

    waiting: int = Field(description="Who waits and begins with the version that is live then")
    versions: dict[str, int] = Field(description="Who is inside, by version")


class TriggerFirings(Shape):
    """A trigger of the draft that starts runs by itself; `count` and `first` null where that depends on what happens."""

    trigger: str
    kind: str
    words: str = Field(description="What people call it")
    whom: list[str] = Field(
        description="Whom it lets in, a sentence each: the segment that is enrolled, and its filter"
    )
    count: int | None = Field(description="How often it fires within 24 hours")
    first: Moment | None


class MissingRight(Shape):
    """A right that is needed and that somebody lacks, with the names of who lacks and who has it."""

    need: dict[str, str] = Field(description="`object` and `act`")
    right: str
    steps: list[str] = Field(description="Titles of the steps that need it; empty: publishing needs it")
    missing: list[str]
    have: list[str]


class ChannelUse(Shape):
    """A channel through which steps reach people."""

    channel: str
    steps: list[str]
    new: bool = Field(description="The live version does not use it")
    reaches: int | None = Field(
        description="Records with such an address, counted up to 10,000; null where that cannot be told"
    )


class PublishingImpact(Shape):
    """What publishing a draft would do. `publishes` is the number that the version would get, `live` the version that is live now."""

    revision: int = Field(description="The revision of the draft that this is about")
    live: int | None
    publishes: int
    same: bool = Field(description="The draft is what is live already")
    differences: list[DraftDifference]
    problems: list[DraftProblem]
    runs: list[RunsOfVersion] = Field(description="They keep their version")
    enrolments: EnrolledNow
    firings: list[TriggerFirings]
    rights: list[MissingRight]
    channels: list[ChannelUse]
    case_mail: list[str] = Field(
        description="Titles of the steps whose messages are about a case: their e-mail leaves at any hour and counts for no cap"
    )
    matching: int | None = Field(
        description="Records that a start may be about, counted up to 10,000; null where there are none"
    )
    tests: list[str] | None = Field(
        description="Names of the tests that the document has; null where it has none"
    )


class PublishingReview(Shape):
    """A request to publish a workflow as its draft was then, which a second person approves. `base` is the version that was live, null without one."""

    id: str
    workflow: str
    slug: str
    title: str
    team: str | None
    revision: int = Field(description="The revision of the draft that is pinned")
    hash: str = Field(description="SHA-256 of the canonical bytes of what was asked for")
    base: int | None
    note: str
    status: Literal["waiting", "changes_requested", "approved", "withdrawn", "void"]
    requested_by: str
    requested_at: Moment
    decided_by: str | None
    decided_at: Moment | None
    reason: str
    version: int | None = Field(description="The version that it became")


class PublishingReviewWhole(PublishingReview):
    """A request with what it changes: the pinned document, the differences to `base`, and what approving it would do, or would have done."""

    document: dict[str, Anything]
    differences: list[DraftDifference]
    impact: PublishingImpact | None = Field(
        description="As whoever approved had it, for others without numbers of runs and records; of a waiting one, as the caller has it; else null"
    )


class MovedStep(Shape):
    """A step at which runs of the former version stand. `target` is where they go on, null where nobody has said yet."""

    step: str
    title: str
    runs: int
    movable: int
    target: str | None
    fits: bool = Field(description="The other version has the same step")


class MoveRefusal(Shape):
    """Why runs cannot be moved, and how many."""

    reason: str
    runs: int


class RunMovePlan(Shape):
    """What moving runs from one version to another would do, as far as the caller may count them."""

    from_: int = Field(alias="from")
    to: int
    steps: list[MovedStep]
    total: int
    movable: int
    refused: list[MoveRefusal]
    waiting: int = Field(description="Who is enrolled and begins later, with the version that is live then")


class RunMove(Shape):
    """A move that was begun. `done` of `total` runs were looked at."""

    id: str
    from_: int = Field(alias="from")
    to: int
    status: Literal["running", "done"]
    total: int
    done: int
    moved: int
    refused: dict[str, str] = Field(description="Run → why it was not moved")
    by: str
    reason: str
    made_at: Moment
    ended_at: Moment | None
