"""What may be asked of a run, as values: one class per command, and the plan that it is judged by. New ids come with the command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from console.core.workflow import Workflow


@dataclass(frozen=True, slots=True)
class Plan:
    """A version of a workflow as the rules need it: the graph, and which steps go on without a person.

    `asks` are those of them that have a form of their own for a person whom they have to ask after all.
    """

    workflow: Workflow
    automatic: frozenset[str]
    asks: frozenset[str] = frozenset()

    def status_at(self, step_id: str) -> str:
        """The status of a run that has just come to the step."""
        return "running" if step_id in self.automatic else "waiting_person"


@dataclass(frozen=True, slots=True)
class Wish:
    """An effect that a step asks for."""

    id: str
    kind: str
    summary: str
    request: Mapping[str, Any]


class Command(Protocol):
    """Something asked of a run; `by` is the person, None for the engine."""

    @property
    def by(self) -> str | None:
        """Who asks."""
        ...


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a run. `exclusive` is the key of which only one run may live, None where several may."""

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
class Abort:
    """Break the run off."""

    by: str
    revision: int
    reason: str


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


@dataclass(frozen=True, slots=True)
class Retry:
    """Begin the open step anew, after an automatic step could not be done."""

    by: str
    revision: int


@dataclass(frozen=True, slots=True)
class Fail:
    """The engine: an automatic step cannot be done. Ends the run where the workflow says so, else a person is asked.

    `asks`: it is nothing that went wrong, a person is asked whatever the workflow says.
    """

    step: str
    code: str
    message: str
    asks: bool = False
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
class Report:
    """The engine: what came of an effect. `status` is succeeded, failed or unknown."""

    effect: str
    status: str
    code: str = ""
    message: str = ""
    errors: Sequence[Mapping[str, Any]] = ()
    result: Mapping[str, Any] | None = None
    by: None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """A person looked and states whether an unknown effect happened."""

    by: str
    revision: int
    effect: str
    done: bool
    reason: str
