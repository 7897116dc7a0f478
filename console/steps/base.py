"""The contract of a step type: what it reads, what a person sees, what it does with what was submitted.

A step type never commits, sends, sleeps or reads the clock. The service (`console.runs`) performs its reads under the
person's scopes before `prepare` and `complete`, and does the effects that `complete` asks for.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from console.core import expressions
from console.core.documents.action_document import Action, ActionEffect
from console.core.documents.fields import Located, Use
from console.core.documents.workflow import NAME_PATTERN
from console.core.forms import FormField, clean, refusal
from console.core.run import FORM_NEEDED, Run
from console.core.run.step_requests import ApprovalAsked, Awaited, Handover
from console.errors import ConsoleError
from console.steps.proposable import Proposable, of_form

if TYPE_CHECKING:
    from console.steps.document_check_settings import Checked

MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>&~])")
BLOCK = re.compile(r"^( ?)(-(?=[-\s]|$)|=)|^( ?[0-9]{1,9})(\.(?=\s|$))")  # would begin a list, a rule or a heading where a line begins

Values: TypeAlias = dict[str, Any]
Family: TypeAlias = Literal["start", "action", "llm", "condition", "loop", "output"]


class StepConfig(BaseModel):
    """Settings of a step; unknown ones are refused, so that a typing error is never silently nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Total(StepConfig):
    """One figure over all records of a read, however many there are."""

    name: str = Field(pattern=NAME_PATTERN, description="Where it is found: `steps.<id>.<name>`")
    label: str | None = Field(None, min_length=1, max_length=100, description="What people read; the name without it")
    function: Literal["count", "sum", "max"]
    field: str | None = Field(None, min_length=1, max_length=100, description="The column, for sum (0 of none) and max (null of none)")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.function == "count") != (self.field is None):
            raise ValueError("count takes no field" if self.function == "count" else f"{self.function} needs the field")
        return self

    @property
    def words(self) -> str:
        """What people read."""
        return self.label or self.name.replace("_", " ").capitalize()


class Related(StepConfig):
    """Records that a relation of the run's record leads to, or those of a collection, read for the step and shown as a table."""

    name: str = Field(pattern=NAME_PATTERN, description="Where they are found: `steps.<id>.<name>`")
    relation: str | None = Field(None, min_length=1, max_length=100, description="A relation of the run's collection")
    collection: str | None = Field(
        None, min_length=1, max_length=200, description="In place of a relation: any collection; narrow it with `where`"
    )
    fields: list[str] = Field(
        default_factory=list, max_length=40, description="Columns, in the order shown; none where only totals are wanted"
    )
    totals: list[Total] = Field(default_factory=list, max_length=12, description="Figures over all the records, not only those shown")
    where: str | None = Field(
        None, description="Expression over `record`, the one that is read, and what the step knows; only those for which it holds"
    )
    sort: str | None = Field(None, max_length=100, description="Column to sort by, `-` before it for descending")
    limit: int = Field(20, ge=1, le=200)
    one: bool = Field(False, description="Only the first: the output holds an object (or null) instead of a list")
    hidden: bool = Field(False, description="Read for expressions, not shown")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.relation is None) == (self.collection is None):
            raise ValueError("name a relation or a collection, one of the two")
        if not self.fields and not self.totals:
            raise ValueError("nothing is read: name fields or totals")
        if self.one and not self.fields:
            raise ValueError("one reads a record: name its fields")
        return self

    def read(self) -> "Read":
        """What the service has to read for it."""
        limit = 1 if self.one else self.limit
        return Read(self.name, self.relation, tuple(self.fields), self.where, self.sort, limit, self.collection, tuple(self.totals))


class AsksPerson(ConsoleError):
    """A step that would have gone on by itself leaves it to a person; the message says why."""

    default_code = "asks_person"


class FormNeeded(AsksPerson):
    """Nothing went wrong: here the step has something for a person."""

    default_code = FORM_NEEDED


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

    `name` is where the answer stands in `Context.reads`. Without `relation` and `collection` it reads the run's own record; else the
    records that the relation leads to, or those of the collection, at most `limit`, optionally those for which `where` (an expression
    over `record`, the one that is read) holds. `totals` are over all of them. `fields` () means every field that the reader may read,
    and no rows where there are totals.
    """

    name: str = "record"
    relation: str | None = None
    fields: tuple[str, ...] = ()
    where: str | None = None
    sort: str | None = None
    limit: int = 50
    collection: str | None = None
    totals: tuple[Total, ...] = ()


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
    totals: Mapping[str, Any] = field(default_factory=dict)  # by their names
    figures: Sequence[Mapping[str, Any]] = ()  # the totals as columns: name, label, type


@dataclass(frozen=True, slots=True)
class Act:
    """An action as it stands before a person: its document, the record that it would be done to, and what its expressions look at.

    `may` is what the person may do with it: `execute`, `request` (others have to approve), or nothing. `seen` are the record's values as they are now.
    """

    action: Action
    collection: str | None
    record: str | None
    title: str
    roots: Mapping[str, Any]
    may: Literal["execute", "request", ""]
    seen: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""  # why there is no such record before the person
    limits: str = ""  # up to where the person may execute it, as sentences
    titles: Mapping[str, str] = field(default_factory=dict)  # what actions are called, by id
    judge: Callable[[Mapping[str, Any]], tuple[Literal["execute", "request", ""], str]] | None = None

    def judged(self, values: Mapping[str, Any]) -> tuple[Literal["execute", "request", ""], str]:
        """What the person may do with it when the form holds these values, and the limits that keep them from more, as sentences."""
        return (self.may, "") if self.judge is None else self.judge(values)


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
    acts: Mapping[str, Act] = field(default_factory=dict)  # by the id of the action
    key: str = ""  # under which the first effect of the step would be done
    chosen: str | None = None  # of a step that goes through a list: the key of the item that the person turned to
    proposal: Mapping[str, Any] | None = None  # what was proposed and shown for what is handed in; None where a person did without
    answered: bool = False  # what is handed in is the answer itself, and nobody looked at it
    asks_ai: bool = False  # whether the document lets the AI be asked at the step
    done_before: bool = False  # the step made a change before it was struck out: a person says first what becomes of that
    foretold: bool = False  # nothing is handed in: it is asked what would come of the form as it stands, filled in or not


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the list that a step goes through. `state` is todo, done, failed, or second (somebody else has to confirm it)."""

    key: str
    title: str
    state: Literal["todo", "done", "failed", "second"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is in its list. `key` is the item that the form is for (None: nothing is left to do); `rows` shows what is known of it.

    `items` are those around it, `earlier` and `later` the keys beside them where the list is longer; `collection` is theirs.
    """

    key: str | None
    items: tuple[Item, ...]
    total: int
    done: int
    rows: Rows | None = None
    collection: str | None = None
    earlier: str | None = None
    later: str | None = None


@dataclass(frozen=True, slots=True)
class AtHand:
    """The item of a list that the form is for: what it is called, which of how many it is, and what is known of it. A proposal is about it alone.

    `collection` is None where the run knows the list; `documents` names its papers where the settings say which these are. `roots` have it as `item`.
    """

    key: str
    title: str
    values: Mapping[str, Any]
    number: int
    total: int
    collection: str | None
    roots: Mapping[str, Any]
    documents: Any = None


@dataclass(frozen=True, slots=True)
class Focus:
    """Another record than the run's whose fields the step may change: `Context.forms` are made of it."""

    collection: str
    key: str
    title: str
    values: Mapping[str, Any]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a person is shown. `text` is Markdown with its templates filled in; `tables` name reads to show as tables."""

    text: str | None = None
    tables: tuple[str, ...] = ()
    fields: tuple[FormField, ...] = ()
    outcomes: tuple[Option, ...] = ()
    button: str = "Done"
    withheld: tuple[Withheld, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()  # what is to be known before: (label, text)
    progress: Progress | None = None
    picks: str | None = None  # the read whose records the field `key` chooses from: drawn as a table


@dataclass(frozen=True, slots=True)
class People:
    """Who is meant: persons by id or e-mail address, everybody with one of the roles, everybody in a team."""

    persons: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    team: str | None = None


@dataclass(frozen=True, slots=True)
class TaskWanted:
    """A piece of work beside the run, by a person or a team. `waits`: the step is done when it is closed, with `done` or `not_done`."""

    title: str
    text: str | None = None
    assignee: str | None = None
    team: str | None = None
    due: date | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class NoticeWanted:
    """Something that people are told, in the console and (`mail`) by mail."""

    text: str
    to: People
    mail: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """A form for other people; the step is done when `needs` of them gave the same outcome. At `until` it is done with `otherwise`."""

    to: People
    title: str
    text: str | None
    fields: tuple[FormField, ...]
    outcomes: tuple[Option, ...]
    needs: int = 1
    until: datetime | None = None
    otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """A wished change of the run's record: field → {"old", "new"}. It is a compare-and-set: what moved meanwhile is a conflict.

    With `collection` and `key` it is that record, whatever the run is about.
    """

    changes: Mapping[str, Mapping[str, Any]]
    collection: str | None = None
    key: str | None = None
    kind: ClassVar[str] = "sql_write"

    def request(self, run: Run) -> dict[str, Any]:
        """What is asked for, as it is kept and performed."""
        collection, key = (run.collection, run.record) if self.collection is None else (self.collection, self.key)
        return {"collection": collection, "key": key, "changes": {name: dict(change) for name, change in self.changes.items()}}

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
    effects: tuple[WriteRecord | ActionEffect, ...] = ()
    awaits: Awaited | None = None  # the step is done when this has come; without effects
    hands_over: Handover | None = None  # into an inbox, where others go on
    approval: ApprovalAsked | None = None  # the effects are asked for when others have approved
    task: TaskWanted | None = None
    notice: NoticeWanted | None = None
    question: Question | None = None  # the step is done when it is answered; without effects
    until: datetime | None = None  # the step is done then (aware), and the run waits; automatic types only, without effects
    asks_ai: bool = False  # the step is done when the AI has answered; without effects
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
    by_items: ClassVar[bool] = False  # goes through a list: what is handed in names its item as `item`
    ai: ClassVar[bool] = False  # whether something may be proposed at a step of this type
    ai_alone: ClassVar[bool] = False  # also where the step completes without a click
    purpose: ClassVar[str] = "propose"  # what a proposal is asked for: propose, decide or text
    Config: ClassVar[type[StepConfig]] = StepConfig

    def by_itself(self, settings: Mapping[str, Any]) -> bool:
        """Whether a step with these settings (as they are written) goes on without a person, until it asks for one."""
        return self.automatic

    def asks(self, config: Any) -> bool:
        """Whether a person has something to fill in or to choose: such a step is never completed by itself, whatever `completion` says."""
        return False

    def outcomes(self, config: Any) -> tuple[str, ...]:
        """Outcomes that a document must lead on from; an edge `default` serves for all that have none of their own."""
        return ("default",)

    def reads(self, step: StepView) -> list[Read]:
        """What is to be read before `prepare` and `complete`."""
        return []

    def edits(self, step: StepView) -> tuple[str, ...]:
        """Fields of the run's record that the step may change: the right `update` is judged for them."""
        return ()

    def acts(self, step: StepView, roots: Mapping[str, Any]) -> dict[str, str | None]:
        """Actions that the step has done, by their ids, each with the key of its record; None: the run's own record."""
        return {}

    def changes(self, step: StepView) -> bool:
        """Whether it may change something outside the run, or tell somebody of it: people are told before it comes to such a step by itself."""
        return bool(self.edits(step) or self.actions(step.config))

    def focus(self, step: StepView, context: Context) -> Focus | None:
        """The record whose fields the step may change, where that is known only once its reads are: `Context.forms` are not there yet."""
        return None

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """What the person sees."""
        return Prompt()

    def checked(self, step: StepView, context: Context) -> "Checked | None":
        """The documents that are to be checked beside the form, and by what; None where there are none to check."""
        return None

    def at_hand(self, step: StepView, context: Context) -> AtHand | None:
        """The item that the form is for, where the step goes through a list."""
        return None

    def complete(self, step: StepView, context: Context, submitted: Values, outcome: str | None) -> Completion:
        """What comes of what was submitted; raises `Invalid` with one detail per field that is wrong."""
        return Completion("default", submitted)

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """What comes of an automatic step with one way on that could not be done, when a person says to go on."""
        return self.complete(step, context, {}, None)

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """What comes of the step when nobody is asked; raises `AsksPerson` where somebody has to be."""
        return self.complete(step, context, {}, None)

    def proposes(self, step: StepView, context: Context, prompt: Prompt) -> Proposable:
        """What may be proposed to the person who is shown this: what they may type, and the choice."""
        return of_form(prompt.fields, prompt.outcomes, [field.name for field in self.tick_lists(step.config)])

    def tick_lists(self, config: Any) -> tuple[FormField, ...]:
        """Tick lists of the step's own form: each tick is asked for by itself, and comes with what it rests on."""
        entries = [entry for part in ("output", "form") for entry in getattr(config, part, None) or ()]
        return tuple(entry.field() for entry in entries if entry.type == "checklist")

    def instruction(self, step: StepView, context: Context, written: str) -> str:
        """What the author tells the AI about the step; `written` is what stands in the settings of the AI."""
        return written

    def ai_fields(self, config: Any) -> tuple[str, ...] | None:
        """Names of the fields that may be proposed, in order; None where they cannot be told beforehand."""
        return None

    def expressions(self, config: Any) -> list[Located]:
        """Every expression in the settings with its place, for the check before publishing."""
        return []

    def templates(self, config: Any) -> list[Located]:
        """Every template in the settings with its place."""
        return []

    def item_names(self, config: Any) -> frozenset[str] | None:
        """Names that its expressions find under `item`: None where there is no item, `ANY_NAME` alone where they cannot be told."""
        return None

    def uses(self, config: Any) -> list[Use]:
        """Columns and relations of the run's collection that the settings name."""
        return []

    def actions(self, config: Any) -> list[Use]:
        """Actions that the settings name (`column` is the id): as every type calls them, `action` and `compensation`."""
        named = [(name, getattr(config, name, None)) for name in ("action", "compensation")]
        return [Use(name, action) for name, action in named if isinstance(action, str)]

    def outputs(self, config: Any) -> frozenset[str] | None:
        """Names that are found under `steps.<id>` later; None where they cannot be told beforehand."""
        return frozenset()


def related_texts(where: str, related: Sequence[Related]) -> list[Located]:
    """The conditions of related reads, with their place."""
    return [
        Located(f"{where}[{number}].where", entry.where, entry.relation, entry.collection)
        for number, entry in enumerate(related)
        if entry.where is not None
    ]


def related_uses(where: str, related: Sequence[Related]) -> list[Use]:
    """The relations that related reads name, and the columns of their rows."""
    found = []
    for number, entry in enumerate(related):
        at = f"{where}[{number}]"
        named: list[tuple[str, str | None, bool]] = [(f"{at}.{'relation' if entry.relation else 'collection'}", None, False)]
        named += [(f"{at}.fields[{place}]", column, False) for place, column in enumerate(entry.fields)]
        named += [(f"{at}.sort", entry.sort.removeprefix("-"), False)] if entry.sort else []
        named += [
            (f"{at}.totals[{place}].field", total.field, total.function == "sum") for place, total in enumerate(entry.totals) if total.field
        ]
        found += [Use(place, column, entry.relation, collection=entry.collection, number=adds) for place, column, adds in named]
    return found


def rows_of(related: Sequence[Related], reads: Mapping[str, Rows]) -> Values:
    """The rows of related reads by name: a list of values, or with `one` the first or null; and their totals by theirs."""
    found: Values = {}
    for entry in related:
        read = reads.get(entry.name)
        values = [dict(row["values"]) for row in (read.rows if read else ())]
        if entry.fields:
            found[entry.name] = (values[0] if values else None) if entry.one else values
        found |= {total.name: read.totals.get(total.name) if read else None for total in entry.totals}
    return found


def refused_fields(reads: Mapping[str, Rows]) -> list[str]:
    """Columns that were asked for and may not be read, `<read>.<column>`, the record's own without a prefix."""
    return [column if name == "record" else f"{name}.{column}" for name, rows in reads.items() for column in rows.denied]


def fill_template(template: str, roots: Mapping[str, Any]) -> str:
    """Markdown with its expressions filled in. Values are data: what looks like Markdown or HTML in them is shown, not obeyed.

    Raises ExpressionError where the template cannot be read.
    """
    expressions.templates(template)
    return expressions.TEMPLATE.sub(lambda match: _literally(expressions.shown(expressions.parse(match[1].strip()).value(roots))), template)


def _literally(value: str) -> str:
    escaped = MARKDOWN.sub(r"\\\1", re.sub(r"[ \t\r\n\f\v]+", " ", value))
    return BLOCK.sub(lambda match: f"{match[1] or match[3] or ''}\\{match[2] or match[4]}", escaped)


def require_right(context: Context, details: Sequence[Mapping[str, Any]], lacking: Sequence[Mapping[str, Any]] = ()) -> None:
    """Raises Invalid with what is wrong in a form that is handed in; while it is filled in, only with what nobody can fill in (`lacking`)."""
    details = [*([] if context.foretold else details), *lacking]
    if details:
        raise refusal(details)


def nothing_typed(submitted: Mapping[str, Any]) -> None:
    """Raises Invalid when something was submitted to a step without a form."""
    clean((), submitted)
