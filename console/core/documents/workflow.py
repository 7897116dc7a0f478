"""Workflow documents: model, canonical bytes, hash.

The same JSON document is used in `workflows/*.json`, the table of versions, the API and exports. Reading accepts every format ever used and
returns the newest; writing uses the newest. `console.core.documents.workflow_check` reports all errors in branches, targets and expressions.
"""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from console.core.documents.document_parts import (
    Name,
    NodeType,
    Part,
    Slug,
    StoredDocument,
    Title,
    sorted_keys,
)
from console.core.documents.fields import FieldDefinition
from console.core.documents.findings import Finding
from console.core.documents.saved_tests import MOST_TESTS, SavedTest
from console.core.documents.triggers import MOST_TRIGGERS, Trigger
from console.core.documents.variables import Table, Variable, table_json, variable_json

FORMAT = 1
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 40
MAX_STEPS = 1_000
HANDS_OFF_LIMIT_MS = 300_000
"""How long the console works on a run that nobody holds, if its workflow sets no limit."""


Place = Literal["record", "list", "search", "assistant"]
"""Where a workflow is offered to who may start it."""


class Settings(Part):
    """How runs of the workflow behave."""

    visit_limit: int = Field(
        50, ge=1, le=100_000, description="How often a run may enter the same step before it stops and asks"
    )
    idle_save_minutes: int = Field(
        30, ge=1, le=1440, description="Minutes without a sign of the holder after which the run is saved"
    )
    exclusive: bool = Field(True, description="One live run of this workflow per record")
    on_error: Literal["ask", "fail"] = Field(
        "ask", description="What an automatic step does that cannot go on: ask a person, or end the run"
    )
    max_automatic_steps: int = Field(
        50, ge=1, le=1000, description="Automatic steps in a row before the run stops and asks"
    )
    retries: int = Field(
        3,
        ge=0,
        le=20,
        description="How often an automatic step or a change is tried again, with growing pauses, when it fails for a reason that may pass",
    )
    step_seconds: int = Field(
        300,
        ge=1,
        le=3600,
        description="Seconds that an automatic step or a change may take before a person is asked",
    )
    inbox: str | None = Field(
        None,
        min_length=1,
        max_length=60,
        description="Inbox in which a run waits that needs a person and that nobody holds; none: one of the team's",
    )
    backoff_ms: int = Field(
        1_000,
        ge=100,
        le=3_600_000,
        description="Milliseconds before the first of these tries; each further pause is twice as long, an hour at most",
    )
    questions_in_case_file: bool = Field(
        False, description="Questions about a run and their answers stand in its case file"
    )
    parallel: int | None = Field(
        None,
        ge=1,
        le=1_000,
        description="How many runs of the workflow that nobody holds are worked on at once; none: 10",
    )
    per_minute: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="How many runs that nobody holds begin within a minute, of those enrolled and of triggers; none: no limit",
    )
    per_day: int | None = Field(
        None, ge=1, le=1_000_000, description="The same within 24 hours; none: no limit"
    )
    timeout_ms: int | None = Field(
        None,
        ge=1_000,
        le=30 * 24 * 3_600_000,
        description="How long the console may work on a run, in milliseconds, before it ends as timed out; time that it waits or is saved is not counted. None: no limit, and five minutes for a run that nobody holds",
    )
    hidden_in: list[Place] = Field(
        default_factory=list,
        max_length=4,
        description="Where the workflow is not offered although the reader may start it: on pages of records, in lists, in the search, to assistants; none: everywhere",
    )
    only_in: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=list,
        max_length=20,
        description="Segments of the collection: runs start, and records are enrolled, for records in one of them alone; none: for all records",
    )


Stake = Literal["money", "restriction", "irreversible"]
Evidence = Literal["record", "steps", "related", "documents"]
EVIDENCE: tuple[Evidence, ...] = ("record", "steps", "related")


class StepAI(Part):
    """What the AI may propose at a step; a person decides. Whatever it answers, these settings say what is possible."""

    instruction: str = Field(
        "",
        max_length=4000,
        description="What the author tells the AI about this step; it has the authority of the workflow",
    )
    fields: Annotated[list[Name], Field(max_length=60)] | None = Field(
        None,
        description="Fields that may be proposed; without it all that a person may fill in, an empty list: none of them",
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
    threshold: Literal["high", "medium", "low"] = Field(
        "low", description="The least confidence at which a value is shown at all"
    )
    fill: Literal["high", "medium", "low"] = Field(
        "medium",
        description="The least confidence at which a value fills its field; below, it is offered beside the empty field",
    )
    sources: Annotated[list[Evidence], Field(min_length=1)] = Field(
        default_factory=lambda: [*EVIDENCE],
        description="What the AI is given, as far as the person may see it",
    )
    ocr: bool = Field(
        False, description="Read pages without text by character recognition, where that is installed"
    )
    mode: Literal["off", "shadow", "assist"] = Field(
        "assist",
        description="off: never asked; shadow: asked and recorded, not shown; assist: shown, a person decides",
    )
    second_look: bool = Field(
        False,
        description="Ask once more, critically, whether a model's proposal is right; where that look differs, the person reads it beside the field",
    )


class Step(Part):
    """A node of the graph. `next` maps an outcome to the step that follows it, `default` every outcome not named."""

    id: Name = Field(
        description="Name of the step in expressions (`steps.<id>`); never changed once runs exist"
    )
    type: Name = Field(description="The step type")
    title: Title = Field(description="What people read")
    description: str | None = Field(
        None, max_length=2000, description="A note for who edits the workflow; operators do not see it"
    )
    button: str | None = Field(
        None,
        min_length=1,
        max_length=1_000,
        description="Label of the button that completes the step; {{ expressions }} are filled in",
    )
    completion: Literal["manual", "automatic"] = Field(
        "manual", description="automatic: completes without a click when it asks for nothing"
    )
    roles: list[str] | None = Field(
        None, description="Only these roles may complete the step; none: the workflow's"
    )
    not_by: Annotated[list[str], Field(max_length=20)] | None = Field(
        None,
        description="Who may not do the step: `starter`, `step:<id>` (who did that step), `step:<id>.<field>` (who filled in that field there)",
    )
    ai: StepAI | None = Field(None, description="What the AI proposes here")
    finding: Finding | None = Field(
        None, description="What was found here, in a few words for the list of steps"
    )
    flag: Finding | None = Field(None, description="What to be aware of in what was found, in a few words")
    stakes: Annotated[list[Stake], Field(max_length=3)] | None = Field(
        None,
        description="What is at stake at this step: nothing that is proposed here is filled in. None: judged by the actions that it does or leads to; an empty list: nothing",
    )
    config: dict[str, Any] = Field(default_factory=dict, description="Settings of the step type")
    content: Annotated[list[dict[str, Any]], Field(max_length=40)] | None = Field(
        None, description="Blocks that are drawn above the form: what was found, in figures and pictures"
    )
    next: dict[Name, Name] = Field(
        default_factory=dict, description="Outcome to step id; `default` for every outcome not named"
    )
    at: Annotated[list[int], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Place in the editor: [x, y] in pixels"
    )
    node: NodeType | None = Field(
        None,
        description="The type under which a program added the step as a node; the API names it so while its settings still fit",
    )


class Group(Part):
    """A phase: a frame around steps in the editor, and a line in the list of steps. It is no step."""

    title: Title
    steps: list[Name]
    screen: Literal["one"] | None = Field(
        None,
        description="`one`: a person sees these steps, which follow each other without a fork, on one screen, and completes them together",
    )


class Note(Part):
    """A text on the canvas for who edits the workflow; operators do not see it. It is no step."""

    text: str = Field(min_length=1, max_length=2000)
    at: Annotated[list[int], Field(min_length=2, max_length=2)] = Field(
        description="Place in the editor: [x, y] in pixels"
    )


class Report(Part):
    """How somebody reports what they will not see again: from the menu of a record a form is filled in, which makes the record that the run is about."""

    collection: str = Field(
        max_length=200, description="Collection of the records from whose menu it is reported"
    )
    title: Title = Field(description="What the menu says; the same words for everybody")
    text: str | None = Field(None, max_length=2000, description="What stands above the form")
    values: dict[str, str] = Field(
        description="Field of the new record to the expression that gives its value; `record` is the one it is reported from, `input` the form"
    )


class Exit(Part):
    """A reason for which whoever is enrolled leaves the workflow early. Its run then ends as completed."""

    if_: str = Field(
        alias="if",
        min_length=1,
        max_length=2000,
        description="Expression over `record`, `input`, `event` and `variables`, judged at each event about whoever is enrolled",
    )
    reason: str = Field(min_length=1, max_length=200, description="What people read: `exited: <reason>`")


class AfterDays(Part):
    """Who has left may be enrolled again after so many days."""

    days: int = Field(ge=1, le=36_500)


class Workflow(StoredDocument):
    """A workflow document of the newest format. Steps are in the order in which a person would tell them."""

    schema_: str | None = Field(
        None,
        alias="$schema",
        max_length=500,
        description="Where the JSON Schema of this file is, for editors",
    )
    format: Literal[1] = Field(description="Format of the document")
    slug: Slug = Field(description="Name of the workflow in addresses; never changed")
    title: Title
    description: str | None = Field(None, max_length=4000)
    run_as: str | None = Field(
        None,
        min_length=3,
        max_length=254,
        description="E-mail address of the service account as which runs act; nobody holds them then",
    )
    collection: str | None = Field(
        None,
        max_length=200,
        description="Collection whose records the runs are about; null: runs without a record",
    )
    team: str | None = Field(None, max_length=100, description="Team whose runs these are")
    clearance: Name | None = Field(
        None,
        description="Clearance, such as confidential: for whoever is not cleared for it the workflow and its runs do not exist",
    )
    report: Report | None = Field(
        None, description="How people report into a workflow that they are not cleared for"
    )
    roles: list[str] = Field(
        default_factory=list, description="Roles meant to work in it; the rights of the policy decide"
    )
    segments: list[str] = Field(
        default_factory=list,
        description="Segments of the collection that it is made for: a note, `settings.only_in` restricts its runs to some",
    )
    settings: Settings = Field(default_factory=lambda: Settings.model_validate({}))
    triggers: Annotated[list[Trigger], Field(max_length=MOST_TRIGGERS)] = Field(
        default_factory=list,
        description="What starts runs by itself; one firing is one run, which names its trigger",
    )
    variables: dict[Name, Variable] = Field(
        default_factory=dict,
        description='Variables by name, found as `variables.<name>`; decimals as strings. `{"dated": [{"value"}, {"valid_from", "value"}]}` changes on a day',
    )
    tables: dict[Name, Table] = Field(
        default_factory=dict, description="Policy tables, read by `lookup(tables.<name>.<column>, key, …)`"
    )
    steps: Annotated[list[Step], Field(min_length=1, max_length=MAX_STEPS)]
    groups: list[Group] = Field(default_factory=list)
    notes: Annotated[list[Note], Field(max_length=100)] = Field(
        default_factory=list, description="Texts on the canvas"
    )
    exits: Annotated[list[Exit], Field(max_length=20)] = Field(
        default_factory=list,
        description="When whoever is enrolled leaves before the end; the first that holds counts",
    )
    reenrol: Literal["never", "after_end"] | AfterDays | None = Field(
        None,
        description='Whether who was enrolled once may be enrolled again: `never`, `after_end` (as without it), or `{"days": 180}` after they left',
    )
    tests: Annotated[list[SavedTest], Field(max_length=MOST_TESTS)] = Field(
        default_factory=list,
        description="Dry runs that are kept: all are run before the workflow is published",
    )

    @model_validator(mode="before")
    @classmethod
    def _fails_alone(cls, given: Any) -> Any:
        """Runs that nobody holds end on an error unless the document says otherwise: there is nobody to be asked."""
        if isinstance(given, Mapping) and given.get("run_as") is not None:
            settings = given.get("settings")
            if settings is None or (isinstance(settings, Mapping) and "on_error" not in settings):
                return {**given, "settings": {**(settings or {}), "on_error": "fail"}}
        return given

    def step(self, step_id: str) -> Step:
        """The step of that id; KeyError without one."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    @property
    def step_names(self) -> dict[str, str]:
        """Each step's id → its title; where several have one title, with the number that the workflow's page gives it."""
        titles = [step.title for step in self.steps]
        return {
            step.id: step.title if titles.count(step.title) == 1 else f"{step.title} (step {number})"
            for number, step in enumerate(self.steps, 1)
        }

    @property
    def start(self) -> Step:
        """The only step of type `start`; KeyError without one."""
        for step in self.steps:
            if step.type == "start":
                return step
        raise KeyError("start")

    @property
    def start_fields(self) -> list[FieldDefinition]:
        """What the start asks for. Raises ValidationError for a draft in which it cannot be read."""
        return [FieldDefinition.model_validate(field) for field in self.start.config.get("fields") or ()]

    def target(self, step_id: str, outcome: str) -> str | None:
        """The next step: by the outcome's own edge, else by `default`, else None (the end)."""
        ways = self.step(step_id).next
        return ways.get(outcome, ways.get("default"))

    def gathered_after(self, step_id: str) -> tuple[str, ...]:
        """The steps that are drawn on one screen below this one, in their order; none where it is the last of its screen, or alone."""
        screen, below = self.screen_of(step_id), list[str]()
        while screen is not None:
            ways = [target for outcome, target in self.step(step_id).next.items() if outcome != "error"]
            if len(ways) != 1 or ways[0] not in screen.steps or ways[0] in below:
                break
            step_id = ways[0]
            below.append(step_id)
        return tuple(below)

    def screen_of(self, step_id: str) -> Group | None:
        """The group whose steps are drawn on one screen with this one."""
        screens = (each for each in self.groups if each.screen == "one" and step_id in each.steps)
        return next(screens, None)

    def time_limit_ms(self, *, hands_off: bool) -> int | None:
        """Milliseconds that the console may work on a run; None: as long as it takes."""
        limit = self.settings.timeout_ms
        return HANDS_OFF_LIMIT_MS if limit is None and hands_off else limit

    def to_json(self) -> dict[str, Any]:
        """The document in canonical order: model fields in the model's order, free keys by name, without default values."""
        full = self.model_dump(mode="json", by_alias=True)
        document = {key: value for key, value in full.items() if key in ALWAYS or value not in (None, [], {})}
        document["settings"] = {
            key: value for key, value in full["settings"].items() if key not in LATER or value != LATER[key]
        }
        if self.groups:
            document["groups"] = [group.model_dump(exclude_none=True) for group in self.groups]
        if self.triggers:
            document["triggers"] = [each.to_json() for each in self.triggers]
        document["variables"] = {name: variable_json(self.variables[name]) for name in sorted(self.variables)}
        if full["report"]:
            document["report"] = full["report"] | {"values": sorted_keys(full["report"]["values"])}
        if full["tables"]:
            document["tables"] = {name: table_json(full["tables"][name]) for name in sorted(full["tables"])}
        document["steps"] = [_step_json(step) for step in full["steps"]]
        return document | ({"tests": [each.to_json() for each in self.tests]} if self.tests else {})


ALWAYS = ("format", "slug", "title", "collection", "team", "roles", "settings", "variables", "steps")
LATER: Mapping[str, Any] = {
    "retries": 3,
    "backoff_ms": 1_000,
    "parallel": None,
    "per_minute": None,
    "per_day": None,
    "step_seconds": 300,
    "inbox": None,
    "timeout_ms": None,
    "hidden_in": [],
    "only_in": [],
    "questions_in_case_file": False,
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
            kept[name] = [
                {key: value for key, value in case.items() if value is not None} for case in kept[name]
            ]
    if "ai" in kept:
        usual = StepAI.model_validate({}).model_dump(mode="json")
        kept["ai"] = {key: value for key, value in kept["ai"].items() if value != usual[key]}
    content = {"content": sorted_keys(step["content"])} if step["content"] is not None else {}
    return {**kept, "config": sorted_keys(step["config"]), **content, "next": sorted_keys(step["next"])}
