"""The contract of a step type: what it reads, what a person sees, what it does with what was submitted.

A step type never commits, sends, sleeps or reads the clock. The service (`console.runs`) performs its reads under the
person's scopes before `prepare` and `complete`, and does the effects that `complete` asks for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from console.core.forms import FormField

type Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
type Values = dict[str, Any]
type Family = Literal["start", "action", "llm", "condition", "loop", "output"]


class StepConfig(BaseModel):
    """Settings of a step; unknown ones are refused, so that a typing error is never silently nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Option:
    """A button of a step that asks for a choice."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Read:
    """Something that the service reads before the step, under the person's scopes.

    `name` is where the answer stands in `Context.reads`. `relation` None reads the run's own record; else the records that
    the named relation leads to, at most `limit`, optionally those for which `where` (an expression over `record`) holds.
    `fields` () means every field that the reader may read.
    """

    name: str = "record"
    relation: str | None = None
    fields: tuple[str, ...] = ()
    where: str | None = None
    sort: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Rows:
    """The answer to a `Read`: rows of one collection, as the reader may see them.

    `fields` describe the columns (name, label, type, options), `rows` hold `{"key", "title", "values"}`.
    `denied` names fields that were asked for and may not be read.
    """

    collection: str
    label: str
    fields: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, Any]]
    denied: tuple[str, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What a step may look at.

    `roots` are those of the expression language: record, input, steps, variables, run, currentUser, now.
    `forms` are form fields for the columns of the run's record (`value` and `now` are the record's), for step types that edit it.
    `former` are the values of the attempt that this one replaces (Revise), else empty.
    `shown` are the values of the tables last shown to this person for this attempt, by read name, or None.
    """

    roots: Mapping[str, Any]
    reads: Mapping[str, Rows] = field(default_factory=dict)
    forms: Mapping[str, FormField] = field(default_factory=dict)
    former: Values = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)  # step id → title, for texts about other steps
    manual: frozenset[str] = frozenset()  # steps that were handled manually: their context is missing


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a person is shown. `text` is Markdown with its templates filled in; `tables` name reads to show as tables."""

    text: str | None = None
    tables: tuple[str, ...] = ()
    fields: tuple[FormField, ...] = ()
    outcomes: tuple[Option, ...] = ()
    button: str = "Done"


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """A wished change of the run's record: field → {"old", "new"}. It is a compare-and-set: what moved meanwhile is a conflict."""

    changes: Mapping[str, Mapping[str, Any]]
    kind: ClassVar[str] = "sql_write"

    @property
    def summary(self) -> str:
        """Named in lists and previews; field names only, never values."""
        return "Update " + ", ".join(sorted(self.changes))


@dataclass(frozen=True, slots=True)
class Completion:
    """What a step came to. `values` is what was submitted, `output` what later steps find as `steps.<id>` (None: the values)."""

    outcome: str
    values: Values = field(default_factory=dict)
    output: Values | None = None
    effects: tuple[WriteRecord, ...] = ()
    ends: str | None = None  # label of the end that was reached: the run completes


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of a document with its parsed settings, as step types receive it."""

    id: str
    type: str
    title: str
    config: Any
    outcomes: tuple[str, ...]  # those that `next` names, `default` included when it is there
    button: str | None = None
    completion: Literal["manual", "automatic"] = "manual"


class StepType:
    """One kind of step. Subclasses live one to a file in `console/steps/`, or in packages under the entry point `console.steps`."""

    name: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[Family]
    icon: ClassVar[str]
    gist: ClassVar[str] = ""  # the type in one line, for pickers
    automatic: ClassVar[bool] = False  # never shown to a person unless it asks for a take-over
    Config: ClassVar[type[StepConfig]] = StepConfig

    def outcomes(self, config: Any) -> tuple[str, ...]:
        """Outcomes that a document must lead on from, `default` for the plain way on."""
        return ("default",)

    def reads(self, step: StepView) -> list[Read]:
        """What is to be read before `prepare` and `complete`."""
        return []

    def edits(self, step: StepView) -> tuple[str, ...]:
        """Fields of the run's record that the step may change: the right `update` is judged for them."""
        return ()

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """What the person sees."""
        return Prompt()

    def complete(self, step: StepView, context: Context, submitted: Values, outcome: str | None) -> Completion:
        """What comes of what was submitted; raises `Invalid` with one detail per field that is wrong."""
        return Completion("default", submitted)

    def expressions(self, config: Any) -> list[tuple[str, str]]:
        """(field path, expression text) of every expression in the settings, for the check before publishing."""
        return []

    def templates(self, config: Any) -> list[tuple[str, str]]:
        """(field path, template text) of every template in the settings."""
        return []
