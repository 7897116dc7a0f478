"""The contract of a step type: what it reads, what a person sees, what happens with what was submitted.

A step type never commits, sends, sleeps or reads the clock. The service (`console.runs`) performs its reads under the person's scopes
before `prepare` and `complete`, and then does the effects that `complete` asks for. All names that a step type needs are in `__all__`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from console.core.documents.action_document import Action
from console.core.documents.fields import Located, Use
from console.core.errors import ConsoleError
from console.core.forms import FormField, clean, refusal
from console.core.mcp_tools import Tool
from console.core.run import FORM_NEEDED
from console.steps.completion import (
    BEFORE,
    NEXT,
    Child,
    Completion,
    MessageWanted,
    NoticeWanted,
    Option,
    People,
    Question,
    TagWanted,
    TaskWanted,
    Values,
    WriteRecord,
    joined,
)
from console.steps.filled_text import fill_template
from console.steps.proposable import Proposable, of_form
from console.steps.related_reads import (
    Read,
    Related,
    Rows,
    StepConfig,
    Total,
    refused_fields,
    refused_words,
    related_texts,
    related_uses,
    rows_of,
)

if TYPE_CHECKING:
    from console.steps.document_check_settings import Checked

__all__ = [
    "BEFORE",
    "NEXT",
    "Act",
    "AsksPerson",
    "AtHand",
    "Child",
    "Completion",
    "Context",
    "Family",
    "Focus",
    "FormNeeded",
    "Item",
    "MessageWanted",
    "NoticeWanted",
    "Option",
    "People",
    "Progress",
    "Prompt",
    "Question",
    "Read",
    "Related",
    "Rows",
    "StepConfig",
    "StepType",
    "StepView",
    "TagWanted",
    "TaskWanted",
    "Total",
    "Unopened",
    "Values",
    "Withheld",
    "WriteRecord",
    "fill_template",
    "joined",
    "nothing_typed",
    "refused_fields",
    "refused_words",
    "related_texts",
    "related_uses",
    "require_right",
    "rows_of",
]

Family: TypeAlias = Literal["start", "action", "llm", "condition", "loop", "output"]


class AsksPerson(ConsoleError):
    """A step that could have completed by itself needs a person; the message says why."""

    default_code = "asks_person"


class FormNeeded(AsksPerson):
    """Nothing is wrong: the step has a form for a person."""

    default_code = FORM_NEEDED


@dataclass(frozen=True, slots=True)
class Withheld:
    """An option that is not offered now, with the reason as a sentence."""

    value: str
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unopened:
    """A document that somebody accepted and of which not every page was opened. `opened` of `pages`; `pages` is None where nobody counted them."""

    key: str
    title: str
    collection: str | None
    opened: int
    pages: int | None


@dataclass(frozen=True, slots=True)
class Act:
    """An action as it is offered to a person: its document, the record that it would change, and the roots of its expressions.

    `may` is what the person may do with it: `execute`, `request` (others have to approve), or "". `seen` are the current values of the record.
    """

    action: Action
    collection: str | None
    record: str | None
    title: str
    roots: Mapping[str, Any]
    may: Literal["execute", "request", ""]
    seen: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""  # why the record cannot be shown to the person
    limits: str = ""  # the limits up to which the person may execute it, as sentences
    titles: Mapping[str, str] = field(default_factory=dict)  # id of an action → its title
    judge: Callable[[Mapping[str, Any]], tuple[Literal["execute", "request", ""], str]] | None = None

    def judged(self, values: Mapping[str, Any]) -> tuple[Literal["execute", "request", ""], str]:
        """What the person may do with these values of the form (as `may`), and the limits that apply, as sentences."""
        return (self.may, "") if self.judge is None else self.judge(values)


@dataclass(frozen=True, slots=True)
class Context:
    """What a step may use.

    `roots` are those of the expression language: record, input, steps, variables, run, currentUser, now.
    `forms` are form fields for the columns of the run's record (`value` and `now` are the record's), for step types that edit it.
    `former` are the values of the attempt that this one replaces (Revise), else empty.
    `shown` are the values of the record's fields as this person last saw them in this attempt (field name → `now`), or None: a write
    compares with these, so that a value that somebody else changed meanwhile is a conflict and not overwritten.
    """

    roots: Mapping[str, Any]
    reads: Mapping[str, Rows] = field(default_factory=dict)
    forms: Mapping[str, FormField] = field(default_factory=dict)
    former: Values = field(default_factory=dict)
    shown: Mapping[str, Any] | None = None
    titles: Mapping[str, str] = field(default_factory=dict)  # step id → title, for texts about other steps
    manual: frozenset[str] = frozenset()  # ids of steps that were handled manually: `steps.<id>` is missing
    acts: Mapping[str, Act] = field(default_factory=dict)  # by id of the action
    key: str = ""  # idempotency key of the first effect of the step
    chosen: str | None = (
        None  # in a step that goes through a list: the key of the item that the person selected
    )
    proposal: Mapping[str, Any] | None = (
        None  # the proposal that was shown with the submitted form; None where there was none
    )
    answered: bool = False  # the AI's answer is submitted as it is, and no person looked at it
    asks_ai: bool = False  # whether the document allows to ask the AI at the step
    done_before: bool = (
        False  # a cancelled attempt of the step made a change: a person first decides what happens with it
    )
    opened: Mapping[str, tuple[int, int | None]] = field(
        default_factory=dict
    )  # key of a document → (pages opened, how many it has)
    loaded: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict
    )  # rows of other records that the step has read (loaded_rows)
    gone: frozenset[str] = (
        frozenset()
    )  # of the columns that the step edits: those that the table no longer has
    state: Callable[[], str | None] = lambda: (
        None
    )  # which state the record was in when it was read (records.change_state)
    tool: Tool | None = None  # the tool that the step calls, as an administrator accepted it
    no_tool: str = ""  # why there is none
    foretold: bool = (
        False  # nothing is submitted: this is a preview of what the form would result in, complete or not
    )


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the list that a step goes through. `state` is todo, done, failed, or second (somebody else has to confirm it)."""

    key: str
    title: str
    state: Literal["todo", "done", "failed", "second"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is in its list. `key` is the item that the form is for (None: nothing is left to do); `rows` shows its values.

    `items` are that item and those near it; where the list is longer, `earlier` and `later` are the keys of the items next to them.
    `collection` is that of the items.
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
    """The item of a list that the form is for: its title, its values, and that it is item `number` of `total`. A proposal is about it alone.

    `collection` is None where the list is a value of the run. `documents` names the item's documents where the settings have such an
    expression. `roots` contain the item as `item`.
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
    """A record other than the run's whose fields the step may change: `Context.forms` are made from it."""

    collection: str
    key: str
    title: str
    values: Mapping[str, Any]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a person is shown. `text` is Markdown with its templates filled in; `tables` are names of reads to show as tables."""

    text: str | None = None
    tables: tuple[str, ...] = ()
    fields: tuple[FormField, ...] = ()
    outcomes: tuple[Option, ...] = ()
    button: str = "Done"
    withheld: tuple[Withheld, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()  # (label, text) of what the person should know first
    progress: Progress | None = None
    unopened: tuple[Unopened, ...] = ()
    instruction: str | None = None  # Markdown behind an icon at the title of the item
    chosen: str | None = None  # the outcome that is chosen unless the person chooses another
    picks: str | None = None  # the read whose records the field `key` chooses from: drawn as a table

    def label_of(self, outcome: str) -> str | None:
        """The label of the chosen option; None if there was no choice."""
        return next((option.label for option in self.outcomes if option.value == outcome), None)


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of a document with its parsed settings, as step types get it."""

    id: str
    type: str
    title: str
    config: Any
    outcomes: tuple[str, ...]  # those that `next` names, `default` included when it is there
    button: str | None = None
    completion: Literal["manual", "automatic"] = "manual"


ANSWERED_BEFORE = "This is judged anew here, and starts with what the record says from another time: leave value out. People see it as “last time”."


class StepType:
    """One kind of step. Subclasses live one to a file in `console/steps/`, or in packages under the entry point `console.steps`."""

    name: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[Family]
    icon: ClassVar[str]
    gist: ClassVar[str] = ""  # a description in one line, for pickers
    automatic: ClassVar[bool] = False  # never shown to a person unless it asks for a take-over
    waits: ClassVar[bool] = (
        False  # it always waits for a time or for somebody outside: no due time runs, a way back needs no Go to step
    )
    by_others: ClassVar[bool] = (
        False  # a model or somebody outside wrote what it leaves: these are claims, for a model that is asked later
    )
    asks_others: ClassVar[bool] = False  # other people answer before the run goes on
    own_values: ClassVar[bool] = (
        False  # its expressions and texts find the step's own values so far as `steps.<id>` (a start: `input`)
    )
    by_items: ClassVar[bool] = (
        False  # goes through a list: the submitted values contain the key of the item as `item`
    )
    ai: ClassVar[bool] = False  # whether the AI may propose something at a step of this type
    ai_alone: ClassVar[bool] = False  # also where the step completes without a person
    purpose: ClassVar[str] = "propose"  # what the AI is asked for: propose, decide or text
    tags: ClassVar[bool] = (
        False  # puts tags on the record or takes them away: whoever does the step needs the right to change the record
    )
    technical: ClassVar[frozenset[str]] = frozenset(
        {"key", "collection"}
    )  # names of its values that only programs need
    alone: ClassVar[bool] = False  # completes without a person, unless it raises `AsksPerson`, and is shown
    always_changes: ClassVar[bool] = False
    computes: ClassVar[tuple[str, ...]] = ()  # settings that are an expression
    texts: ClassVar[tuple[str, ...]] = ()  # settings that are a template
    leaves: ClassVar[frozenset[str]] = frozenset()  # what later steps find under `steps.<id>`
    Config: ClassVar[type[StepConfig]] = StepConfig

    def by_itself(self, settings: Mapping[str, Any]) -> bool:
        """Whether a step with these settings (unparsed) completes without a person, unless it raises `AsksPerson`."""
        return self.automatic or self.alone

    def is_foreign(self, settings: Mapping[str, Any]) -> bool:
        """Whether a model or somebody outside writes what a step with these settings (unparsed) leaves."""
        return self.by_others

    def form_settings(self, settings: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Names of the settings that the editor's form shows for these (unparsed), in order; None: all."""
        return None

    def says(self, config: Any) -> str:
        """What a step with these settings does, in a few words for a picture; empty where the settings themselves say it."""
        return ""

    def doubts(self, config: Any) -> list[tuple[str, str]]:
        """(setting, reason) of what works and is not wise: warnings of the check."""
        parts = [
            (name, place, entry)
            for name in ("form", "output")
            for place, entry in enumerate(getattr(config, name, None) or ())
        ]
        return [
            (f"{name}[{place}].value", ANSWERED_BEFORE)
            for name, place, entry in parts
            if getattr(entry, "copies_earlier", False)
        ]

    def asks(self, config: Any) -> bool:
        """Whether a person has something to fill in or to choose: such a step never completes by itself, whatever `completion` says."""
        return False

    def outcomes(self, config: Any) -> tuple[str, ...]:
        """Outcomes for which a document must name a next step; `default` stands for all that are not named."""
        return ("default",)

    def choices(self, config: Any) -> tuple[str, ...]:
        """What a person may choose from, where that is not an outcome."""
        return ()

    def chosen(self, outcome: str | None, output: Mapping[str, Any]) -> str | None:
        """What was chosen, of an attempt with this outcome and output."""
        return outcome

    def form_names(self, config: Any, names: frozenset[str]) -> frozenset[str]:
        """The names of values in the output, with those that they have in the form."""
        return names

    def begins(self, config: Any) -> tuple[str, ...]:
        """Ids of steps to which the settings lead besides `next`: where branches or the body of a loop begin."""
        return ()

    def rare_outcomes(self, config: Any) -> tuple[str, ...]:
        """Further outcomes for which a document may name a next step. Where it names none of its own, a person is asked."""
        return ()

    def reads(self, step: StepView) -> list[Read]:
        """What the service reads before `prepare` and `complete`; the record's own fields come as `Context.forms`."""
        return [entry.read() for entry in getattr(step.config, "related", ())]

    def edits(self, step: StepView) -> tuple[str, ...]:
        """Fields of the run's record that the step may change; the person needs the right `update` for them."""
        return ()

    def acts(self, step: StepView, roots: Mapping[str, Any]) -> dict[str, str | None]:
        """Id of an action that the step executes → key of its record, or None for the run's own record."""
        return {}

    def tool(self, config: Any) -> tuple[str, str] | None:
        """The tool that the step calls, (MCP server, tool); None for all other types."""
        return None

    def technical_inputs(self, config: Any) -> frozenset[str]:
        """Fields of the run's start that only programs read, because the step shows what they say."""
        return frozenset()

    def changes(self, step: StepView) -> bool:
        """Whether the step may change something outside the run or notify somebody: people are warned before a run reaches such a step by itself."""
        return self.always_changes or bool(self.edits(step) or self.actions(step.config))

    def focus(self, step: StepView, context: Context) -> Focus | None:
        """The record whose fields the step may change, where that depends on its reads. `Context.forms` is still empty."""
        return None

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """What a person sees."""
        return Prompt()

    def checked(self, step: StepView, context: Context) -> "Checked | None":
        """The documents to check beside the form, and the rules for it; None where there are none."""
        return None

    def at_hand(self, step: StepView, context: Context) -> AtHand | None:
        """The item that the form is for; None where the step does not go through a list."""
        return None

    def each_item(self, step: StepView, context: Context) -> Sequence[tuple[Item, Mapping[str, Any]]]:
        """Every item of the list that a person goes through, in its order, each with the roots that contain it as `item`; else none."""
        return ()

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The result of the submitted values. Raises `Invalid` with one detail per wrong field."""
        return Completion("default", submitted)

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """The result of an automatic step with one outcome that could not be done, when a person decides to continue."""
        return self.complete(step, context, {}, None)

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """The result of the step without a person. Raises `AsksPerson` where a person is needed."""
        return self.complete(step, context, {}, None)

    def proposes(self, step: StepView, context: Context, prompt: Prompt) -> Proposable:
        """What the AI may propose to a person who sees this prompt: the fields of the form, and the outcome."""
        return of_form(prompt.fields, prompt.outcomes, [field.name for field in self.tick_lists(step.config)])

    def tick_lists(self, config: Any) -> tuple[FormField, ...]:
        """Tick lists of the step's own form. The AI proposes each tick on its own, with its sources."""
        entries = [entry for part in ("output", "form") for entry in getattr(config, part, None) or ()]
        return tuple(entry.field() for entry in entries if entry.type == "checklist")

    def instruction(self, step: StepView, context: Context, written: str) -> str:
        """The author's instruction to the AI for this step; `written` is the instruction in the AI settings."""
        return written

    def ai_fields(self, config: Any) -> tuple[str, ...] | None:
        """Names of the fields that may be proposed, in order; None where they are not known before the run."""
        return None

    def expressions(self, config: Any) -> list[Located]:
        """Every expression in the settings with its place; they are checked before publishing."""
        return _located(config, self.computes)

    def templates(self, config: Any) -> list[Located]:
        """Every template in the settings with its place."""
        return _located(config, self.texts)

    def item_names(self, config: Any) -> frozenset[str] | None:
        """Names that its expressions find under `item`: None where there is no item, `ANY_NAME` alone where they are not known."""
        return None

    def uses(self, config: Any) -> list[Use]:
        """Columns and relations of the run's collection that the settings name."""
        return []

    def actions(self, config: Any) -> list[Use]:
        """Actions in the settings `action` and `compensation`, which have these names in every type (`column` is the action's id)."""
        named = [(name, getattr(config, name, None)) for name in ("action", "compensation")]
        return [Use(name, action) for name, action in named if isinstance(action, str)]

    def outputs(self, config: Any) -> frozenset[str] | None:
        """Names that later steps find under `steps.<id>`; None where they are not known before the run."""
        return self.leaves

    def answered(self, config: Any) -> frozenset[str]:
        """Names in the output that come from outside, and may repeat what the step sent there."""
        return frozenset()


def _located(config: Any, names: Sequence[str]) -> list[Located]:
    return [Located(name, text) for name in names if (text := getattr(config, name)) is not None]


def require_right(
    context: Context, details: Sequence[Mapping[str, Any]], lacking: Sequence[Mapping[str, Any]] = ()
) -> None:
    """Raises Invalid with what is wrong in a submitted form; in a preview only with what nobody can fill in (`lacking`)."""
    details = [*([] if context.foretold else details), *lacking]
    if details:
        raise refusal(details)


def nothing_typed(submitted: Mapping[str, Any]) -> None:
    """Raises Invalid if values were submitted to a step without a form."""
    clean((), submitted)
