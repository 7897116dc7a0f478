"""The contract of a step type: what it reads, what a person sees, what it does with what was submitted.

A step type never commits, sends, sleeps or reads the clock. The service (`console.runs`) performs its reads under the
person's scopes before `prepare` and `complete`, and does the effects that `complete` asks for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from console.core import expressions
from console.core.fields import Located, Use
from console.core.forms import FormField, clean
from console.core.workflow import NAME_PATTERN
from console.errors import ConsoleError

MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>&~])")
BLOCK = re.compile(r"^( ?)(-(?=[-\s]|$)|=)|^( ?[0-9]{1,9})(\.(?=\s|$))")  # would begin a list, a rule or a heading where a line begins

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"
Values: TypeAlias = dict[str, Any]
Family: TypeAlias = Literal["start", "action", "llm", "condition", "loop", "output"]


class StepConfig(BaseModel):
    """Settings of a step; unknown ones are refused, so that a typing error is never silently nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Related(StepConfig):
    """Records that a relation of the run's record leads to, read for the step and shown as a table."""

    name: str = Field(pattern=NAME_PATTERN, description="Where they are found: `steps.<id>.<name>`")
    relation: str = Field(min_length=1, max_length=100, description="A relation of the collection")
    fields: list[str] = Field(min_length=1, max_length=40, description="Columns, in the order shown")
    where: str | None = Field(None, description="Expression over `record`, the related one; only those for which it holds")
    sort: str | None = Field(None, max_length=100, description="Column to sort by, `-` before it for descending")
    limit: int = Field(20, ge=1, le=200)
    one: bool = Field(False, description="Only the first: the output holds an object (or null) instead of a list")
    hidden: bool = Field(False, description="Read for expressions, not shown")

    def read(self) -> "Read":
        """What the service has to read for it."""
        return Read(self.name, self.relation, tuple(self.fields), self.where, self.sort, 1 if self.one else self.limit)


class AsksPerson(ConsoleError):
    """A step that would have gone on by itself leaves it to a person; the message says why."""

    default_code = "asks_person"


@dataclass(frozen=True, slots=True)
class Option:
    """A button of a step that asks for a choice. `fields` belong to it (and to no option that does not name them), `required` are needed."""

    value: str
    label: str
    fields: tuple[str, ...] = ()
    required: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The option in the shape of the API; without the fields where it has none of its own."""
        own = {"fields": list(self.fields), "required": list(self.required)} if self.fields or self.required else {}
        return {"value": self.value, "label": self.label, **own}


@dataclass(frozen=True, slots=True)
class Withheld:
    """An option that is not offered now, and the sentence that says why."""

    value: str
    label: str
    reason: str


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
    `shown` are the values of the record's fields as this person last saw them in this attempt (field name → `now`), or None: a write
    compares with these, so that what moved while somebody was typing is a conflict and not overwritten.
    """

    roots: Mapping[str, Any]
    reads: Mapping[str, Rows] = field(default_factory=dict)
    forms: Mapping[str, FormField] = field(default_factory=dict)
    former: Values = field(default_factory=dict)
    shown: Mapping[str, Any] | None = None
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
    withheld: tuple[Withheld, ...] = ()


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
    until: datetime | None = None  # the step is done then (aware), and the run waits; automatic types only, without effects
    ends: str | None = None  # label of the end that was reached: the run completes
    chosen: str | None = None  # label of the outcome that a rule chose
    rule: str | None = None  # the rule, as it is written


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
    own_values: ClassVar[bool] = (
        False  # its expressions and texts find what the step itself holds so far as `steps.<id>` (a start: `input`)
    )
    Config: ClassVar[type[StepConfig]] = StepConfig

    def by_itself(self, settings: Mapping[str, Any]) -> bool:
        """Whether a step with these settings (as they are written) goes on without a person, until it asks for one."""
        return self.automatic

    def outcomes(self, config: Any) -> tuple[str, ...]:
        """Outcomes that a document must lead on from; an edge `default` serves for all that have none of their own."""
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

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """What comes of an automatic step with one way on that could not be done, when a person says to go on."""
        return self.complete(step, context, {}, None)

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """What comes of the step when nobody is asked; raises `AsksPerson` where somebody has to be."""
        return self.complete(step, context, {}, None)

    def expressions(self, config: Any) -> list[Located]:
        """Every expression in the settings with its place, for the check before publishing."""
        return []

    def templates(self, config: Any) -> list[Located]:
        """Every template in the settings with its place."""
        return []

    def uses(self, config: Any) -> list[Use]:
        """Columns and relations of the run's collection that the settings name."""
        return []

    def outputs(self, config: Any) -> frozenset[str] | None:
        """Names that are found under `steps.<id>` later; None where they cannot be told beforehand."""
        return frozenset()


def related_texts(where: str, related: Sequence[Related]) -> list[Located]:
    """The conditions of related reads, with their place."""
    return [
        Located(f"{where}[{number}].where", entry.where, entry.relation) for number, entry in enumerate(related) if entry.where is not None
    ]


def related_uses(where: str, related: Sequence[Related]) -> list[Use]:
    """The relations that related reads name, and the columns of their rows."""
    found = []
    for number, entry in enumerate(related):
        found.append(Use(f"{where}[{number}].relation", None, entry.relation))
        found += [Use(f"{where}[{number}].fields[{place}]", column, entry.relation) for place, column in enumerate(entry.fields)]
        found += [Use(f"{where}[{number}].sort", entry.sort.removeprefix("-"), entry.relation)] if entry.sort else []
    return found


def rows_of(related: Sequence[Related], reads: Mapping[str, Rows]) -> Values:
    """The rows of related reads by name: a list of values, or with `one` the first or null."""
    found: Values = {}
    for entry in related:
        rows = reads[entry.name].rows if entry.name in reads else ()
        values = [dict(row["values"]) for row in rows]
        found[entry.name] = (values[0] if values else None) if entry.one else values
    return found


def refused_fields(reads: Mapping[str, Rows]) -> list[str]:
    """Columns that were asked for and may not be read, `<read>.<column>`, the record's own without a prefix."""
    return [column if name == "record" else f"{name}.{column}" for name, rows in reads.items() for column in rows.denied]


def said(template: str, roots: Mapping[str, Any]) -> str:
    """Markdown with its expressions filled in. Values are data: what looks like Markdown or HTML in them is shown, not obeyed.

    Raises ExpressionError where the template cannot be read.
    """
    expressions.templates(template)
    return expressions.TEMPLATE.sub(lambda match: _literally(expressions.shown(expressions.parse(match[1].strip()).value(roots))), template)


def _literally(value: str) -> str:
    escaped = MARKDOWN.sub(r"\\\1", re.sub(r"[ \t\r\n\f\v]+", " ", value))
    return BLOCK.sub(lambda match: f"{match[1] or match[3] or ''}\\{match[2] or match[4]}", escaped)


def nothing_typed(submitted: Mapping[str, Any]) -> None:
    """Raises Invalid when something was submitted to a step without a form."""
    clean((), submitted)
