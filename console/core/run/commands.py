"""What may be asked of a run, as values: one class per command, and the plan that it is judged by. New ids come with the command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from console.core.documents.workflow import Workflow
from console.core.run.step_requests import ApprovalAsked, Awaited, Handover, SideRow, Wish


@dataclass(frozen=True, slots=True)
class Plan:
    """A version of a workflow as the rules need it: the graph, and which steps go on without a person.

    `asks` are those of them that have a form of their own for a person whom they have to ask after all, `skips` those that a person would do and
    that the document lets go by without a click.
    """

    workflow: Workflow
    automatic: frozenset[str]
    asks: frozenset[str] = frozenset()
    skips: frozenset[str] = frozenset()

    def status_at(self, step_id: str) -> str:
        """The status of a run that has just come to the step."""
        return "running" if step_id in self.automatic else "waiting_person"


class Command(Protocol):
    """Something asked of a run; `by` is the person, None for the engine."""

    @property
    def by(self) -> str | None:
        """Who asks."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that stands in an ended run and is taken over into the one that begins again from where it failed."""

    step: str
    outcome: str
    values: Mapping[str, Any]
    output: Mapping[str, Any]
    handled_manually: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a run. `exclusive` is the key of which only one run may live, None where several may; `label` what its readers have to be cleared for.

    `linked_to` is the ended run that this one does again, `taken` what it takes over of it, in the order taken.
    """

    by: str
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
    label: str | None = None
    linked_to: str | None = None
    taken: Sequence["Taken"] = ()


@dataclass(frozen=True, slots=True)
class Complete:
    """Hand in the step that the run stands at. `by` None completes an automatic step."""

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
    chosen: str | None = None  # label of the outcome that a person, or a rule, chose
    rule: str | None = None  # the rule that chose it, as it is written
    repeat: str | None = None  # what to do about a change that was made before: keep, again or compensate
    compensations: Sequence[Wish] = ()  # what takes back the changes that were made before, as far as there is something
    awaits: Awaited | None = None
    hands_over: Handover | None = None
    approval: ApprovalAsked | None = None
    told: Sequence[SideRow] = ()
    proposal: Mapping[str, Any] | None = None  # which call's proposal was there, and what became of it
    proposed: str | None = None  # the outcome that was proposed
    by_ai: bool = False  # nobody looked: the step was promoted to that, and everything was certain


@dataclass(frozen=True, slots=True)
class Save:
    """Put the run aside; `draft` is what was typed so far. `by` None: the engine, after idle minutes."""

    by: str | None
    revision: int
    draft: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """Take a saved run up again."""

    by: str
    revision: int


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Become the holder of a run that another person, or nobody, holds. `idle`: the holder has given no sign for `TAKE_OVER_AFTER`."""

    by: str
    revision: int
    entitled: bool
    idle: bool
    draft: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """Let the run go; whoever may, takes it."""

    by: str
    revision: int
    draft: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Escalate:
    """Put the run into an inbox, where nobody holds it until somebody takes it."""

    by: str
    revision: int
    inbox: str
    reason: str
    priority: str = "normal"
    draft: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Assign:
    """Give the run to the person `to`."""

    by: str
    revision: int
    to: str
    reason: str = ""
    draft: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Abort:
    """Break the run off, once the `compensations` are done."""

    by: str
    revision: int
    reason: str
    compensations: Sequence[Wish] = ()


@dataclass(frozen=True, slots=True)
class Cancel:
    """End the run from outside; needs no holding."""

    by: str
    revision: int
    reason: str


@dataclass(frozen=True, slots=True)
class Revise:
    """Send the run back to the standing attempt at place `n`."""

    by: str
    revision: int
    n: int
    reason: str
    compensations: Sequence[Wish] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """Begin the open step anew, after an automatic step could not be done."""

    by: str
    revision: int


@dataclass(frozen=True, slots=True)
class Fail:
    """The engine: an automatic step cannot be done. Ends the run where the workflow says so, else a person is asked.

    `asks`: it is nothing that went wrong, a person is asked whatever the workflow says. `edge`: the step's way for errors, where it has one, comes first.
    """

    step: str
    code: str
    message: str
    asks: bool = False
    edge: bool = False
    by: None = None


@dataclass(frozen=True, slots=True)
class TimeOut:
    """The engine: the run has taken longer than its workflow allows."""

    by: None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The engine: an automatic step is done at a moment, with this outcome and output. `until` is aware UTC as programs read it."""

    step: str
    until: str
    outcome: str
    output: Mapping[str, Any] | None = None
    by: None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """The engine: an automatic step cannot be done now, and may be later. It is tried again at `until`."""

    step: str
    code: str
    message: str
    until: str
    by: None = None


@dataclass(frozen=True, slots=True)
class Fire:
    """The engine: the moment has come that the attempt at place `n` waited for."""

    n: int
    by: None = None


@dataclass(frozen=True, slots=True)
class Arrive:
    """What the run waited for under `key` is there. `values` and `output` None: as they were handed in. `by` is who answered, None for a system."""

    key: str
    outcome: str = "default"
    values: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None
    by: str | None = None
    proposal: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The engine: what the run waited for under `key` will not come. A person is asked, or what the document says of errors is done."""

    key: str
    code: str
    message: str
    by: None = None


@dataclass(frozen=True, slots=True)
class Supply:
    """Values that the context of a step lacks which was handled manually: `n` is the place of its attempt."""

    by: str
    revision: int
    n: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StepIn:
    """Wait no longer: the holder does the step by hand."""

    by: str
    revision: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Approve:
    """Say yes to what the run waits for. `counted` are those who said so before and still may; `changed` is what has moved in the record since it
    was asked for, as this person has seen it: `{"field", "old", "now"}` each, with the `wish` that would overwrite it.
    """

    by: str
    approval: str
    reason: str = ""
    counted: frozenset[str] = frozenset()
    changed: Sequence[Mapping[str, Any]] = ()
    email: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """Say no, with a reason. `name` is who says it, for the form that is open again."""

    by: str
    approval: str
    reason: str
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Void:
    """What was asked for cannot be done any more as it was asked: `message` and `errors` say why at the form, which is open again."""

    approval: str
    code: str
    message: str
    errors: Sequence[Mapping[str, Any]] = ()
    by: None = None


@dataclass(frozen=True, slots=True)
class Renew:
    """The request does not count any more, and is made anew: for other values, or under a rule that asks for more."""

    approval: str
    code: str
    message: str
    asked: ApprovalAsked
    wishes: Sequence[Wish] = ()
    by: None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The engine: what came of an effect. `status` is succeeded, failed or unknown; `passing`: nothing was done, and asked again it may be.
    `unsure`: that nothing was done is the other side's word alone, and it is unknown where it is not asked again. `told` happens beside the run where
    it no longer waits for this. `asks`: a person is asked whatever the workflow says of errors.
    """

    effect: str
    status: str
    code: str = ""
    message: str = ""
    errors: Sequence[Mapping[str, Any]] = ()
    result: Mapping[str, Any] | None = None
    passing: bool = False
    unsure: bool = False
    told: Sequence[SideRow] = ()
    asks: bool = False
    by: None = None


@dataclass(frozen=True, slots=True)
class Postpone:
    """The engine: an effect was not made for a reason that may pass. It is tried again at `until`, under the same key.

    `unsure`: before that it is looked whether it was made after all.
    """

    effect: str
    code: str
    message: str
    until: str
    unsure: bool = False
    by: None = None


@dataclass(frozen=True, slots=True)
class StopTrying:
    """Do not try again by itself what failed for a reason that may pass: a person has the form."""

    by: str
    revision: int


@dataclass(frozen=True, slots=True)
class Check:
    """The other side was asked about an unknown effect. `result` is done, not_done or unclear."""

    by: str
    revision: int
    effect: str
    result: str
    code: str = ""
    message: str = ""
    found: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """A person looked and states whether an unknown effect happened. `left`: a compensation that could not be made is given up."""

    by: str
    revision: int
    effect: str
    done: bool
    reason: str
    left: bool = False
