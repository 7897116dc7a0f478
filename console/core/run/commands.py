"""The commands of a run, one class each, and the plan by which they are judged. New ids come with the command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from console.core.documents.workflow import Workflow
from console.core.run.causes import Causes
from console.core.run.origin import Fork, Parent, StartedBy
from console.core.run.state import Attempt, Effect
from console.core.run.step_requests import ApprovalAsked, Awaited, Handover, SideRow, Wish


@dataclass(frozen=True, slots=True)
class Plan:
    """A version of a workflow as the rules need it: the graph, and which steps are done without a person (`automatic`).

    `asks`: automatic steps that have a form, for the case that a person must decide. `skips`: steps of a person that the document completes
    without a click. `waits`: steps that wait for something outside.
    """

    workflow: Workflow
    automatic: frozenset[str]
    asks: frozenset[str] = frozenset()
    skips: frozenset[str] = frozenset()
    waits: frozenset[str] = frozenset()

    def status_at(self, step_id: str) -> str:
        """The status of a run that has just come to the step."""
        return "running" if step_id in self.automatic else "waiting_person"


class Command(Protocol):
    """A command to a run. `by` is the person, None for the engine."""

    @property
    def by(self) -> str | None:
        """Who gives the command."""
        ...


@dataclass(frozen=True, slots=True)
class OfPerson:
    """A command that a person gives, who saw the run at this revision."""

    by: str
    revision: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A completed step of an ended run that a new run takes over, so that it starts where the old one failed."""

    step: str
    outcome: str
    values: Mapping[str, Any]
    output: Mapping[str, Any]
    handled_manually: bool = False
    loaded: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Start:
    """Start a run. `exclusive`: only one live run may have this key (None: no limit). `label`: the clearance that its readers need.

    `linked_to` is the ended run that is repeated, `taken` the steps that are taken over from it, in order. `acts_for` is the account with whose
    rights a hands-off run acts: nobody holds it, and its first events are by `by`, a person who started it (None: the engine). `origin`: what started it. `key`: two
    starts with the same key are one run. `parent`: the run whose step starts it, `fork`: as a branch of its workflow. `wrong`: what is wrong with the
    input of a start that nobody can be told of; the run fails at its first step.
    """

    by: str | None
    id: str
    team: str
    version: int
    workflow: str
    collection: str | None
    record: str | None
    exclusive: str | None
    input: Mapping[str, Any]
    output: Mapping[str, Any]
    trigger: str = "record"
    title: str = ""
    titled: Mapping[str, Any] = field(default_factory=dict)
    label: str | None = None
    linked_to: str | None = None
    taken: Sequence["Taken"] = ()
    acts_for: str | None = None
    origin: StartedBy | None = None
    caused_by: Causes = ()
    key: str | None = None
    test: bool = False
    parent: Parent | None = None
    fork: Fork | None = None
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Complete:
    """Complete the current step. `by` None completes an automatic step."""

    by: str | None
    step: str
    revision: int
    outcome: str
    values: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] | None = None
    effects: Sequence[Wish] = ()
    ends: str | None = None
    handled_manually: bool = False
    reason: str = ""
    chosen: str | None = None  # label of the outcome that a person or a rule chose
    choice: str | None = None  # the option that a person chose; None: the outcome
    rule: str | None = None  # the rule that chose it, as it is written
    repeat: str | None = None  # what to do about a change that was made before: keep, again or compensate
    compensations: Sequence[Wish] = ()  # effects that take back the changes made before, where an action can
    awaits: Awaited | None = None
    hands_over: Handover | None = None
    approval: ApprovalAsked | None = None
    side_rows: Sequence[SideRow] = ()
    former: "FormerRuns | None" = None  # what runs made that the step started before it was cancelled
    proposal: Mapping[str, Any] | None = None  # the proposal that was shown, and what the person made of it
    proposed: str | None = None  # the outcome that was proposed
    by_ai: bool = False  # completed without a person: the step was promoted, and the proposal was certain


@dataclass(frozen=True, slots=True)
class FormerRuns:
    """What runs made that a step had started before it was cancelled. `result`: the attempt whose result can be kept, because it would start the same again."""

    effects: Sequence[Effect]
    result: Attempt | None = None


@dataclass(frozen=True, slots=True)
class Save:
    """Save the run for later. `draft` is the unfinished form. `by` None: the engine, after idle minutes."""

    by: str | None
    revision: int
    draft: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Resume(OfPerson):
    """Resume a saved run."""


@dataclass(frozen=True, slots=True)
class TakeOver(OfPerson):
    """Become the holder of a run that another person or nobody holds. `idle`: the holder was inactive for `TAKE_OVER_AFTER`."""

    entitled: bool
    idle: bool
    draft: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Release(OfPerson):
    """Stop holding the run, so that another person can take it. `entitled`: also where another person holds it.

    `ticket`: its former place in an inbox, as `Run.ticket`, which it has again.
    """

    draft: Mapping[str, Any] | None = None
    reason: str = ""
    entitled: bool = False
    ticket: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Escalate(OfPerson):
    """Put the run into an inbox. Nobody holds it until a person takes it from there. `entitled`: whoever holds it.

    `at`: since when it counts as waiting there; None: since now.
    """

    inbox: str
    reason: str
    priority: str = "normal"
    draft: Mapping[str, Any] | None = None
    entitled: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snooze(OfPerson):
    """Take the run out of its inbox's queue until a moment, after which it is there again; None: now."""

    until: datetime | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Assign(OfPerson):
    """Make the person `to` the holder; `stands_in_for` is the person who was meant and is away."""

    to: str
    reason: str = ""
    draft: Mapping[str, Any] | None = None
    stands_in_for: str | None = None


@dataclass(frozen=True, slots=True)
class Abort(OfPerson):
    """End the run before its end, after the `compensations` are done. `entitled`: the person may end runs that nobody holds."""

    reason: str
    compensations: Sequence[Wish] = ()
    entitled: bool = False


@dataclass(frozen=True, slots=True)
class Cancel(OfPerson):
    """End the run, whoever holds it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Revise(OfPerson):
    """Go back to the attempt number `n`."""

    n: int
    reason: str
    compensations: Sequence[Wish] = ()


@dataclass(frozen=True, slots=True)
class Retry(OfPerson):
    """Try an automatic step again after it failed."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The engine: an automatic step failed. Ends the run if the workflow says so, else a person gets it.

    `asks`: nothing went wrong, so a person gets it in any case. `edge`: the step's edge for errors is taken, if it has one.
    """

    step: str
    code: str
    message: str
    asks: bool = False
    edge: bool = False
    by: None = None


@dataclass(frozen=True, slots=True)
class TimeOut:
    """The engine: the run took longer than its workflow allows."""

    by: None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The engine: an automatic step is done at the moment `until` (aware UTC, ISO 8601) with this outcome and output."""

    step: str
    until: str
    outcome: str
    output: Mapping[str, Any] | None = None
    by: None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """The engine: an automatic step failed for a reason that may pass. It is tried again at `until` (aware UTC, ISO 8601).

    `source`: the data source that did not answer; when it does, the step is tried before `until`.
    """

    step: str
    code: str
    message: str
    until: str
    source: str | None = None
    by: None = None


@dataclass(frozen=True, slots=True)
class Fire:
    """The engine: the timer of attempt number `n` is due."""

    n: int
    by: None = None


@dataclass(frozen=True, slots=True)
class Arrive:
    """The thing named `key` that the run waits for is there. `values` and `output` None: keep what was submitted. `by` None: a system answered. `caused_by` is what led to it, where an event of the log did."""

    key: str
    outcome: str = "default"
    values: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None
    by: str | None = None
    proposal: Mapping[str, Any] | None = None
    caused_by: Causes = ()
    chosen: str | None = None  # label of the outcome that the AI chose


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The engine: the thing named `key` will not come. A person gets the step, or the document's rule for errors applies.

    `asks`: a person gets it whatever the workflow says about errors.
    """

    key: str
    code: str
    message: str
    asks: bool = False
    by: None = None


@dataclass(frozen=True, slots=True)
class Supply(OfPerson):
    """Add values that a step handled manually left out of the context. `n` is the number of its attempt."""

    n: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StepIn(OfPerson):
    """Stop waiting: the holder does the step by hand. `kept` is what came so far; the form begins with it."""

    reason: str = ""
    kept: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Approve:
    """Approve what the run waits for. `counted` are the earlier approvers who are still entitled. `changed` are the fields of the record that
    changed since the request, as this person has seen them: `{"field", "old", "now"}` each, with the `wish` that would overwrite the field.
    `stands_in_for` are people who are away and could answer, in whose place this person does. `behind` are the people behind service accounts.
    """

    by: str
    approval: str
    reason: str = ""
    counted: frozenset[str] = frozenset()
    changed: Sequence[Mapping[str, Any]] = ()
    email: str = ""
    stands_in_for: Sequence[str] = ()
    behind: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reject:
    """Reject it, with a reason. `name` is the person, for the form that is opened again."""

    by: str
    approval: str
    reason: str
    name: str = ""
    email: str = ""
    stands_in_for: Sequence[str] = ()
    behind: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Void:
    """The requested change is no longer possible. The form is opened again and shows `message` and `errors`."""

    approval: str
    code: str
    message: str
    errors: Sequence[Mapping[str, Any]] = ()
    by: None = None


@dataclass(frozen=True, slots=True)
class Renew:
    """The request for approval is replaced by a new one, for other values or under a stricter rule."""

    approval: str
    code: str
    message: str
    asked: ApprovalAsked
    wishes: Sequence[Wish] = ()
    by: None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The engine: the result of an effect. `status` is succeeded, failed or unknown.

    `passing`: nothing was done, and another try may succeed. `unsure`: only the other side says that nothing was done, so without another try
    the result is unknown. `side_rows`: side rows to create if the run no longer waits for the effect. `asks`: a person gets it, whatever the workflow
    says about errors. `source`: as in `Delay`. `wait_s`: how long the other side asks to wait before another try.
    """

    effect: str
    status: str
    code: str = ""
    message: str = ""
    errors: Sequence[Mapping[str, Any]] = ()
    result: Mapping[str, Any] | None = None
    passing: bool = False
    unsure: bool = False
    side_rows: Sequence[SideRow] = ()
    asks: bool = False
    source: str | None = None
    wait_s: float | None = None
    by: None = None


@dataclass(frozen=True, slots=True)
class Postpone:
    """The engine: an effect failed for a reason that may pass. It is tried again at `until`, under the same idempotency key.

    `unsure`: before the next try the other side is asked whether it was made after all. `source`: as in `Delay`.
    """

    effect: str
    code: str
    message: str
    until: str
    unsure: bool = False
    source: str | None = None
    by: None = None


@dataclass(frozen=True, slots=True)
class StopTrying(OfPerson):
    """Stop the automatic tries; a person gets the form."""


@dataclass(frozen=True, slots=True)
class Check(OfPerson):
    """The other system was asked about an unknown effect. `result` is done, not_done or unclear."""

    effect: str
    result: str
    code: str = ""
    message: str = ""
    found: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Settle(OfPerson):
    """A person states whether an unknown effect happened. `left`: a compensation that failed is given up."""

    effect: str
    done: bool
    reason: str
    left: bool = False


@dataclass(frozen=True, slots=True)
class MoveVersion:
    """Move the run to another version of its workflow, at the step `to` of that version. `former_type` is the type of the step at which it stands."""

    by: str
    version: int
    to: str
    former_type: str
    reason: str
    revision: int | None = None
