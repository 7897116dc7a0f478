"""Workflow documents: model, canonical bytes, hash.

The same JSON document is used in `workflows/*.json`, the table of versions, the API and exports. Reading accepts every format ever used and
returns the newest; writing uses the newest. `console.core.documents.workflow_check` reports all errors in branches, targets and expressions.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, model_validator

from console.core.documents.findings import Finding
from console.core.expressions.operands import date_of, number_of

FORMAT = 1
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 40
MAX_STEPS = 500

SLUG_PATTERN = r"^[a-z][a-z0-9-]{0,62}[a-z0-9]$"
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,63}$"
RESERVED = frozenset(
    {"record", "input", "steps", "variables", "tables", "item", "run", "now", "default", "error", "settle", "true", "false", "null", "in"}
)

Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=False)]
DATED = "dated"
VALID_FROM = "valid_from"
MAX_KEYS = 4


def _day(text: str) -> str:
    if date_of(text) is None:
        raise ValueError("this must be a day of the calendar such as 2027-07-10")
    return text


Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_day)]


class Part(BaseModel):
    """A part of a document; unknown keys are refused, so that a typing error is never silently nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Settings(Part):
    """How runs of the workflow behave."""

    visit_limit: int = Field(50, ge=1, le=100_000, description="How often a run may enter the same step before it stops and asks")
    idle_save_minutes: int = Field(30, ge=1, le=1440, description="Minutes without a sign of the holder after which the run is saved")
    exclusive: bool = Field(True, description="One live run of this workflow per record")
    on_error: Literal["ask", "fail"] = Field(
        "ask", description="What an automatic step does that cannot go on: ask a person, or end the run"
    )
    max_automatic_steps: int = Field(50, ge=1, le=1000, description="Automatic steps in a row before the run stops and asks")
    retries: int = Field(
        3,
        ge=0,
        le=20,
        description="How often an automatic step or a change is tried again, with growing pauses, when it fails for a reason that may pass",
    )
    step_seconds: int = Field(
        300, ge=1, le=3600, description="Seconds that an automatic step or a change may take before a person is asked"
    )
    inbox: str | None = Field(
        None,
        min_length=1,
        max_length=60,
        description="Inbox in which a run waits that needs a person and that nobody holds; none: one of the team's",
    )
    timeout_ms: int | None = Field(
        None,
        ge=1_000,
        le=30 * 24 * 3_600_000,
        description="How long the console may work on a run, in milliseconds, before it ends as timed out; time that it waits or is saved is not counted",
    )


Stake = Literal["money", "restriction", "irreversible"]
Evidence = Literal["record", "steps", "related", "documents"]
EVIDENCE: tuple[Evidence, ...] = ("record", "steps", "related")


class StepAI(Part):
    """What the AI may propose at a step; a person decides. Whatever it answers, these settings say what is possible."""

    instruction: str = Field(
        "", max_length=4000, description="What the author tells the AI about this step; it has the authority of the workflow"
    )
    fields: Annotated[list[Name], Field(max_length=60)] | None = Field(
        None, description="Fields that may be proposed; without it all that a person may fill in, an empty list: none of them"
    )
    outcome: bool = Field(True, description="Propose the choice too, where the step asks for one")
    trusted_only: list[Name] = Field(
        default_factory=list,
        max_length=60,
        description="Fields whose value must stand literally in something that our staff or our code wrote",
    )
    quotes: list[Name] = Field(
        default_factory=list,
        max_length=60,
        description="Fields that quote: what does not stand word for word in a source that was given is dropped",
    )
    supports: dict[Name, str | dict[str, str]] = Field(
        default_factory=dict,
        max_length=60,
        description="What makes a choice certain: field (`outcome`: the choice) to an expression, or option to expression. It looks at what staff and the console wrote alone; without it no choice is more than medium",
    )
    threshold: Literal["high", "medium", "low"] = Field("low", description="The least confidence at which a value is shown at all")
    fill: Literal["high", "medium", "low"] = Field(
        "medium", description="The least confidence at which a value fills its field; below, it is offered beside the empty field"
    )
    sources: Annotated[list[Evidence], Field(min_length=1)] = Field(
        default_factory=lambda: [*EVIDENCE], description="What the AI is given, as far as the person may see it"
    )
    ocr: bool = Field(False, description="Read pages without text by character recognition, where that is installed")
    mode: Literal["off", "shadow", "assist"] = Field(
        "assist", description="off: never asked; shadow: asked and recorded, not shown; assist: shown, a person decides"
    )
    second_look: bool = Field(
        False,
        description="Ask once more, critically, whether a model's proposal is right; where that look differs, the person reads it beside the field",
    )


class Step(Part):
    """A node of the graph. `next` maps an outcome to the step that follows it, `default` every outcome not named."""

    id: Name = Field(description="Name of the step in expressions (`steps.<id>`); never changed once runs exist")
    type: Name = Field(description="The step type")
    title: Title = Field(description="What people read")
    description: str | None = Field(None, max_length=2000, description="A note for who edits the workflow; operators do not see it")
    button: str | None = Field(None, min_length=1, max_length=60, description="Label of the button that completes the step")
    completion: Literal["manual", "automatic"] = Field(
        "manual", description="automatic: completes without a click when it asks for nothing"
    )
    roles: list[str] | None = Field(None, description="Only these roles may complete the step; none: the workflow's")
    not_by: Annotated[list[str], Field(max_length=20)] | None = Field(
        None,
        description="Who may not do the step: `starter`, `step:<id>` (who did that step), `step:<id>.<field>` (who filled in that field there)",
    )
    ai: StepAI | None = Field(None, description="What the AI proposes here")
    finding: Finding | None = Field(None, description="What was found here, in a few words for the list of steps")
    flag: Finding | None = Field(None, description="What to be aware of in what was found, in a few words")
    stakes: Annotated[list[Stake], Field(max_length=3)] | None = Field(
        None,
        description="What is at stake at this step: nothing that is proposed here is filled in. None: judged by the actions that it does or leads to; an empty list: nothing",
    )
    config: dict[str, Any] = Field(default_factory=dict, description="Settings of the step type")
    content: Annotated[list[dict[str, Any]], Field(max_length=40)] | None = Field(
        None, description="Blocks that are drawn above the form: what was found, in figures and pictures"
    )
    next: dict[Name, Name] = Field(default_factory=dict, description="Outcome to step id; `default` for every outcome not named")
    at: Annotated[list[int], Field(min_length=2, max_length=2)] | None = Field(None, description="Place in the editor: [x, y] in pixels")


class Phase(Part):
    """The value of a house rule from one day until the next value."""

    valid_from: Day | None = Field(None, description="First day, in UTC; none: since ever")
    value: Any


class Dated(Part):
    """A house rule that changes on given days. A run keeps what was valid when it began."""

    dated: Annotated[list[Phase], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = [phase.valid_from or "" for phase in self.dated]
        if "" in days[1:]:
            raise ValueError("only the first value may do without valid_from")
        if twice := sorted({day for day in days if days.count(day) > 1}):
            raise ValueError(f"two values are valid from {twice[0]}: keep one")
        if days != sorted(days):
            raise ValueError("the values must stand in the order of their valid_from")
        if len({_kind(phase.value) for phase in self.dated if phase.value is not None}) > 1:
            raise ValueError("the values are of different kinds: an expression could not use them alike")
        return self


def _of_variable(given: Any) -> str:
    """Which of the two kinds a variable is. The returned words cannot occur in a place of the document."""
    return "dict[dated]" if isinstance(given, Dated) or (isinstance(given, Mapping) and DATED in given) else "none"


Variable = Annotated[Annotated[Dated, Tag("dict[dated]")] | Annotated[Any, Tag("none")], Discriminator(_of_variable)]


class Column(Part):
    """A column of a policy table."""

    name: Name
    type: Literal["text", "integer", "decimal", "boolean", "date"] = "text"
    label: str | None = Field(None, min_length=1, max_length=200, description="What people read; the name without it")

    def value(self, given: Any) -> Any:
        """The value in the column's type. Raises ValueError for another type; null stays null."""
        match self.type, given:
            case _, None:
                return None
            case ("text", str()) | ("boolean", bool()):
                return given
            case "integer", int() if not isinstance(given, bool):
                return given
            case "decimal", int() | str() if (number := number_of(given)) is not None:
                return Decimal(number)
            case "date", str() if (day := date_of(given)) is not None:
                return day
        raise ValueError(f"{self.name} is of type {self.type}: {json.dumps(given, ensure_ascii=False)[:60]} is not")


class Table(Part):
    """A policy table: found by `lookup(tables.<name>.<column>, key, …)`. A row is valid until a later one has the same keys."""

    description: str | None = Field(None, max_length=2000, description="Where the rule comes from; operators do not see it")
    keys: Annotated[list[Name], Field(min_length=1, max_length=MAX_KEYS)] = Field(
        description="Columns that a row is looked up by, in the order in which lookup takes them"
    )
    columns: Annotated[list[Column], Field(min_length=2, max_length=40)]
    rows: Annotated[list[dict[str, Any]], Field(max_length=5_000)] = Field(
        description="Column to value, and `valid_from` for the first day (in UTC) of the row; decimals and days as text"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        names = [column.name for column in self.columns]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two columns are named {twice[0]}")
        if VALID_FROM in names:
            raise ValueError("no column can be named valid_from: every row has one")
        if unknown := sorted(set(self.keys) - set(names)):
            raise ValueError(f"keys names what is no column: {', '.join(unknown)}")
        if len(set(self.keys)) < len(self.keys):
            raise ValueError("keys names a column twice")
        if not self.answers:
            raise ValueError("every column is a key: there is nothing to look up")
        self._sound_rows()
        return self

    def _sound_rows(self) -> None:
        """Raises ValueError for a row with an unknown column, a wrong type, no key, or keys and first day of another row."""
        by_name = {column.name: column for column in self.columns}
        first: dict[tuple[Any, ...], int] = {}
        for number, row in enumerate(self.rows, 1):
            try:
                if unknown := sorted(set(row) - {*by_name, VALID_FROM}):
                    raise ValueError(f"there is no column {unknown[0]}")
                if missing := [name for name in self.keys if row.get(name) is None]:
                    raise ValueError(f"the key {missing[0]} is missing")
                values = {name: column.value(row.get(name)) for name, column in by_name.items()}
                if row.get(VALID_FROM) is not None and date_of(row[VALID_FROM]) is None:
                    raise ValueError("valid_from must be a day such as 2027-07-10")
            except ValueError as error:
                raise ValueError(f"row {number}: {error}") from None
            place = (row.get(VALID_FROM), *(values[name] for name in self.keys))
            if place in first:
                raise ValueError(f"rows {first[place]} and {number} overlap: the same keys, valid from the same day")
            first[place] = number

    @property
    def answers(self) -> list[Column]:
        """The columns that are not keys."""
        return [column for column in self.columns if column.name not in self.keys]

    def valid(self, day: date) -> dict[tuple[Any, ...], dict[str, Any]]:
        """The rows valid on that day: keys → typed values of all columns."""
        by_key: dict[tuple[Any, ...], tuple[str, dict[str, Any]]] = {}
        for row in self.rows:
            since = row.get(VALID_FROM) or ""
            values = {column.name: column.value(row.get(column.name)) for column in self.columns}
            keys = tuple(values[name] for name in self.keys)
            if since <= day.isoformat() and (keys not in by_key or since > by_key[keys][0]):
                by_key[keys] = (since, values)
        return {keys: values for keys, (_, values) in by_key.items()}


class Group(Part):
    """A phase: a frame around steps in the editor, and a line in the list of steps. It is no step."""

    title: Title
    steps: list[Name]


class Report(Part):
    """How somebody reports what they will not see again: from the menu of a record a form is filled in, which makes the record that the run is about."""

    collection: str = Field(max_length=200, description="Collection of the records from whose menu it is reported")
    title: Title = Field(description="What the menu says; the same words for everybody")
    text: str | None = Field(None, max_length=2000, description="What stands above the form")
    values: dict[str, str] = Field(
        description="Field of the new record to the expression that gives its value; `record` is the one it is reported from, `input` the form"
    )


class Workflow(Part):
    """A workflow document of the newest format. Steps are in the order in which a person would tell them."""

    schema_: str | None = Field(None, alias="$schema", max_length=500, description="Where the JSON Schema of this file is, for editors")
    format: Literal[1] = Field(description="Format of the document")
    slug: Slug = Field(description="Name of the workflow in addresses; never changed")
    title: Title
    description: str | None = Field(None, max_length=4000)
    collection: str | None = Field(
        None, max_length=200, description="Collection whose records the runs are about; null: runs without a record"
    )
    team: str | None = Field(None, max_length=100, description="Team whose runs these are")
    clearance: Name | None = Field(
        None, description="Clearance, such as confidential: for whoever is not cleared for it the workflow and its runs do not exist"
    )
    report: Report | None = Field(None, description="How people report into a workflow that they are not cleared for")
    roles: list[str] = Field(default_factory=list, description="Roles meant to work in it; the rights of the policy decide")
    segments: list[str] = Field(default_factory=list, description="Segments of the collection in which the workflow is offered first")
    settings: Settings = Field(default_factory=lambda: Settings.model_validate({}))
    variables: dict[Name, Variable] = Field(
        default_factory=dict,
        description='House rules by name, found as `variables.<name>`; decimals as strings. `{"dated": [{"value"}, {"valid_from", "value"}]}` changes on a day',
    )
    tables: dict[Name, Table] = Field(default_factory=dict, description="Policy tables, read by `lookup(tables.<name>.<column>, key, …)`")
    steps: Annotated[list[Step], Field(min_length=1, max_length=MAX_STEPS)]
    groups: list[Group] = Field(default_factory=list)

    def step(self, step_id: str) -> Step:
        """The step of that id; KeyError without one."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    @property
    def start(self) -> Step:
        """The only step of type `start`; KeyError without one."""
        for step in self.steps:
            if step.type == "start":
                return step
        raise KeyError("start")

    def target(self, step_id: str, outcome: str) -> str | None:
        """The next step: by the outcome's own edge, else by `default`, else None (the end)."""
        ways = self.step(step_id).next
        return ways.get(outcome, ways.get("default"))

    def to_json(self) -> dict[str, Any]:
        """The document in canonical order: model fields in the model's order, free keys by name, without default values."""
        full = self.model_dump(mode="json", by_alias=True)
        document = {key: value for key, value in full.items() if key in ALWAYS or value not in (None, [], {})}
        document["settings"] = {key: value for key, value in full["settings"].items() if key not in LATER or value != LATER[key]}
        document["variables"] = {name: _variable_json(self.variables[name]) for name in sorted(self.variables)}
        if full["tables"]:
            document["tables"] = {name: _table_json(full["tables"][name]) for name in sorted(full["tables"])}
        document["steps"] = [_step_json(step) for step in full["steps"]]
        return document

    def canonical(self) -> bytes:
        """The document as bytes, identical for equal workflows whatever the layout of their file. UTF-8, two spaces, final newline."""
        return (json.dumps(self.to_json(), ensure_ascii=False, indent=2) + "\n").encode()

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical bytes, hexadecimal."""
        return hashlib.sha256(self.canonical()).hexdigest()


ALWAYS = ("format", "slug", "title", "collection", "team", "roles", "settings", "variables", "steps")
LATER: Mapping[str, Any] = {
    "retries": 3,
    "step_seconds": 300,
    "inbox": None,
    "timeout_ms": None,
}  # newer settings: left out if default, so that older documents keep their bytes
STEP_ALWAYS = ("id", "type", "title", "config", "next")


def read(document: bytes | str | Mapping[str, Any]) -> Workflow:
    """The workflow from a document that was checked before (a stored version), in any format.

    Raises ValueError for invalid JSON or a wrong shape. For unchecked documents use `workflow_check.check`, which reports all errors.
    """
    raw = json.loads(document) if isinstance(document, bytes | str) else dict(document)
    return Workflow.model_validate(upgraded(raw) if isinstance(raw, dict) else raw)


def upgraded(raw: dict[str, Any]) -> dict[str, Any]:
    """The document in the newest format, converted step by step. Unknown formats stay, for the check to report."""
    while isinstance(raw.get("format"), int) and (forward := UPGRADES.get(raw["format"])) is not None:
        raw = forward(raw)
    return raw


UPGRADES: Mapping[
    int, Callable[[dict[str, Any]], dict[str, Any]]
] = {}  # format → function that converts to the next format; 1 is the first


def _step_json(step: dict[str, Any]) -> dict[str, Any]:
    """A step without default values; settings and edges sorted by name, because JSON columns keep no order."""
    kept = {key: value for key, value in step.items() if key in STEP_ALWAYS or value is not None}
    if kept.get("completion") == "manual":
        del kept["completion"]
    for name in ("finding", "flag"):
        if isinstance(kept.get(name), list):
            kept[name] = [{key: value for key, value in case.items() if value is not None} for case in kept[name]]
    if "ai" in kept:
        usual = StepAI.model_validate({}).model_dump(mode="json")
        kept["ai"] = {key: value for key, value in kept["ai"].items() if value != usual[key]}
    content = {"content": _sorted(step["content"])} if step["content"] is not None else {}
    return {**kept, "config": _sorted(step["config"]), **content, "next": _sorted(step["next"])}


def _variable_json(variable: Any) -> Any:
    """A house rule without default values."""
    if not isinstance(variable, Dated):
        return _sorted(variable)
    phases = [{VALID_FROM: phase.valid_from, "value": _sorted(phase.value)} for phase in variable.dated]
    return {DATED: [phase if phase[VALID_FROM] is not None else {"value": phase["value"]} for phase in phases]}


def _kind(value: Any) -> str:
    """The JSON type of a value; numbers as text count as numbers."""
    return "number" if number_of(value) is not None else type(value).__name__


def _table_json(table: dict[str, Any]) -> dict[str, Any]:
    """A table without default values."""
    kept = {key: value for key, value in table.items() if value is not None}
    kept["columns"] = [{key: value for key, value in column.items() if value is not None} for column in table["columns"]]
    return {**kept, "rows": _sorted(table["rows"])}


def _sorted(value: Any) -> Any:
    """The same value with sorted object keys at every depth."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(entry) for entry in value]
    return value
