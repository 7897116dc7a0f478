"""Everything that is wrong with a workflow document, all of it at once: what an editor lists and what keeps it from being published.

`check` reads what it is given, whatever it is, and goes on as far as it can: a document with an unknown setting in one step and
a missing branch in another is told of both. It raises nothing.
"""

from collections.abc import Collection as Many, Iterable, Mapping, Sequence
from dataclasses import dataclass, field as default
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ValidationError

from console.core import graph
from console.core.fields import Located, Use
from console.core.references import Known, wrong_references
from console.core.shape import Spot, loaded, problems_of_values, said_of
from console.core.workflow import FORMAT, RESERVED, Table, Workflow, upgraded

Severity = Literal["error", "warning"]
START, END, GO_TO = "start", "end", "go_to"
DEFAULT = "default"
NEVER_OUTPUT = "missing"  # what a step handled manually leaves in the context


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `step` is None where it is the document's; `field` is a path inside the step, else inside the document."""

    step: str | None
    field: str
    reason: str
    severity: Severity = "error"

    def to_json(self) -> dict[str, Any]:
        """For the API and for details of errors."""
        return {"step": self.step, "field": self.field, "reason": self.reason, "severity": self.severity}


class StepKind(Protocol):
    """What the check asks of a step type; `console.steps.base.StepType` is one."""

    automatic: ClassVar[bool]
    own_values: ClassVar[bool]
    Config: ClassVar[Any]

    def by_itself(self, settings: Mapping[str, Any]) -> bool:
        """Whether it goes on without a person."""

    def outcomes(self, config: Any) -> tuple[str, ...]:
        """Outcomes that must lead on."""

    def expressions(self, config: Any) -> list[Located]:
        """Expressions in the settings."""

    def templates(self, config: Any) -> list[Located]:
        """Templates in the settings."""

    def uses(self, config: Any) -> list[Use]:
        """Columns and relations in the settings."""

    def outputs(self, config: Any) -> frozenset[str] | None:
        """Names found under `steps.<id>`."""


@dataclass(slots=True)
class Sketch:
    """A step as far as it can be read. `place` is its index in the list; `config` None where the settings are wrong."""

    place: int
    id: str
    type: str
    kind: StepKind | None
    config: Any
    next: dict[str, str]
    completion: str
    outcomes: tuple[str, ...] = ()
    outputs: frozenset[str] | None = None
    texts: list[tuple[Located, bool]] = default(default_factory=list)  # (text, it is a template)
    by_itself: bool = False


def check(
    document: bytes | str | Mapping[str, Any], step_types: Mapping[str, StepKind], collections: Mapping[str, Any] | None = None
) -> list[Problem]:
    """Every problem of the document, in the order of its steps, those of the whole document first.

    `collections` (id → Collection) are those that are known here; without them names of fields and relations are not judged.
    """
    raw, found = loaded(document)
    if raw is None:
        return [Problem(None, spot.path, spot.reason) for spot in found]
    problems = [_placed(spot, raw) for spot in [*found, *problems_of_values(raw)]]
    written = raw.get("format")
    if isinstance(written, int) and not isinstance(written, bool) and written > FORMAT:
        return [
            *problems,
            Problem(None, "format", f"This file has format {written}; this console reads formats up to {FORMAT}: use a newer release."),
        ]
    raw = upgraded(raw)
    problems += _shape(raw)
    sketches = _sketches(raw, step_types, problems)
    problems += _identity(sketches)
    problems += _ways(sketches, raw)
    problems += _paths(sketches)
    problems += _references(sketches, raw, collections)
    problems += _collection(sketches, raw, collections)
    problems += _groups(raw, sketches)
    return _in_order(problems, sketches)


# ------------------------------------------------------------------------------------------------------------------- shape


def _shape(raw: Mapping[str, Any]) -> list[Problem]:
    """What the document's model refuses."""
    try:
        Workflow.model_validate(raw)
    except ValidationError as error:
        return [_placed(spot, raw) for spot in said_of(error, Workflow)]
    return []


def _placed(spot: Spot, raw: Mapping[str, Any]) -> Problem:
    """The problem with its step's id, where the place is inside a step that has one."""
    if len(spot.place) > 2 and spot.place[0] == "steps" and isinstance(spot.place[1], int):
        step = raw["steps"][spot.place[1]]
        name = step.get("id") if isinstance(step, dict) else None
        if isinstance(name, str) and spot.place[2] != "id":
            return Problem(name, Spot(spot.place[2:], "").path, spot.reason)
    return Problem(None, spot.path, spot.reason)


def _sketches(raw: Mapping[str, Any], step_types: Mapping[str, StepKind], problems: list[Problem]) -> list[Sketch]:
    """The steps as far as they can be read; what their types say of the settings is added to `problems`."""
    steps = raw.get("steps")
    sketches = []
    for place, step in enumerate(steps if isinstance(steps, list) else []):
        if not isinstance(step, dict) or not isinstance(step.get("id"), str) or not isinstance(step.get("type"), str):
            continue
        ways = step.get("next")
        edges = {str(outcome): target for outcome, target in ways.items() if isinstance(target, str)} if isinstance(ways, dict) else {}
        kind = step_types.get(step["type"])
        sketch = Sketch(place, step["id"], step["type"], kind, None, edges, str(step.get("completion", "manual")))
        if kind is None:
            problems.append(Problem(sketch.id, "type", f"There is no step type {sketch.type}: known are {', '.join(step_types)}."))
        else:
            _configure(sketch, kind, step.get("config", {}), problems)
        sketches.append(sketch)
    return sketches


def _configure(sketch: Sketch, kind: StepKind, config: Any, problems: list[Problem]) -> None:
    """The settings parsed by the step's type, and what follows from them."""
    sketch.by_itself = kind.automatic
    if not isinstance(config, dict):
        return
    sketch.by_itself = kind.by_itself(config)
    model: type[BaseModel] = kind.Config
    try:
        sketch.config = model.model_validate(config)
    except ValidationError as error:
        problems += [Problem(sketch.id, Spot(("config", *spot.place), "").path, spot.reason) for spot in said_of(error, model)]
        sketch.config = _without_unknown(config, error, model)
    if sketch.config is None:
        return
    sketch.outcomes, sketch.outputs = kind.outcomes(sketch.config), kind.outputs(sketch.config)
    sketch.texts = [(text, False) for text in kind.expressions(sketch.config)] + [(text, True) for text in kind.templates(sketch.config)]
    if sketch.outputs and NEVER_OUTPUT in sketch.outputs:
        problems.append(
            Problem(sketch.id, "config", f"No field can be named {NEVER_OUTPUT}: it marks what a step handled manually leaves out.")
        )


def _without_unknown(config: Mapping[str, Any], error: ValidationError, model: type[BaseModel]) -> Any:
    """The settings without unknown keys, so that the rest of the step is judged too; None where that is not all that is wrong."""
    unknown = {detail["loc"][0] for detail in error.errors() if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1}
    try:
        return model.model_validate({name: value for name, value in config.items() if name not in unknown})
    except ValidationError:
        return None


# ------------------------------------------------------------------------------------------------------------------- graph


def _identity(sketches: Sequence[Sketch]) -> list[Problem]:
    """Ids that are taken twice or reserved, and how many starts there are."""
    problems = []
    first: dict[str, int] = {}
    for sketch in sketches:
        if sketch.id in first:
            problems.append(
                Problem(sketch.id, "id", f"Two steps have the id {sketch.id}: numbers {first[sketch.id] + 1} and {sketch.place + 1}.")
            )
        first.setdefault(sketch.id, sketch.place)
        if sketch.id in RESERVED:
            problems.append(Problem(sketch.id, "id", f"{sketch.id} is a word of the expression language: choose another id."))
    starts = [sketch.id for sketch in sketches if sketch.type == START]
    if not starts:
        problems.append(Problem(None, "steps", "There is no step of type start: a run would not know where to begin."))
    if len(starts) > 1:
        problems.append(Problem(None, "steps", f"There are {len(starts)} steps of type start ({', '.join(starts)}): keep one."))
    return problems


def _ways(sketches: Sequence[Sketch], raw: Mapping[str, Any]) -> list[Problem]:
    """Edges that lead nowhere or that no outcome takes, and outcomes without an edge."""
    steps = raw.get("steps")
    known = {
        step["id"] for step in (steps if isinstance(steps, list) else []) if isinstance(step, dict) and isinstance(step.get("id"), str)
    }
    problems = []
    for sketch in sketches:
        for outcome, target in sketch.next.items():
            if target not in known:
                problems.append(Problem(sketch.id, f"next.{outcome}", f"There is no step {target}."))
            elif sketch.config is not None:
                problems += _edge(sketch, outcome, target)
        if sketch.config is None or DEFAULT in sketch.next:
            continue
        for outcome in sketch.outcomes:
            if outcome not in sketch.next:
                problems.append(Problem(sketch.id, f"next.{outcome}", _no_branch(sketch, outcome)))
    return problems


def _edge(sketch: Sketch, outcome: str, target: str) -> list[Problem]:
    """What is wrong with an edge whose target exists."""
    if not sketch.outcomes:
        return [Problem(sketch.id, f"next.{outcome}", f"Nothing follows a step of type {sketch.type}: remove the edge to {target}.")]
    if outcome not in (*sketch.outcomes, DEFAULT):
        return [Problem(sketch.id, f"next.{outcome}", f"The step has no outcome {outcome}: it has {', '.join(sketch.outcomes)}.")]
    if target == sketch.id:
        return [Problem(sketch.id, f"next.{outcome}", "The step leads to itself: only a Go to step may lead back.")]
    return []


def _no_branch(sketch: Sketch, outcome: str) -> str:
    if outcome == DEFAULT:
        return "There is no way on from here: name the step that follows as default."
    return f"The outcome {outcome} of {sketch.id} leads nowhere: give it a step, or give a default."


def _paths(sketches: Sequence[Sketch]) -> list[Problem]:
    """Steps that no run reaches, steps from which no end is reached, and circles."""
    edges = _edges(sketches)
    starts = [sketch.id for sketch in sketches if sketch.type == START]
    ends = [sketch.id for sketch in sketches if sketch.type == END]
    reached = graph.reachable(edges, starts)
    problems = []
    if starts:
        problems += [
            Problem(sketch.id, "id", "No way leads to this step from the start.") for sketch in sketches if sketch.id not in reached
        ]
    ending = graph.reachable(graph.turned(edges), ends)
    if not ends:
        problems.append(Problem(None, "steps", "There is no step of type end: no run could be completed."))
    elif starts and not reached & set(ends):
        problems.append(Problem(None, "steps", "No end is reached from the start."))
    else:
        stuck = [sketch for sketch in sketches if sketch.id in reached and sketch.id not in ending]
        problems += [
            Problem(sketch.id, "next", "No way leads from this step to an end: a run that comes here never completes.") for sketch in stuck
        ]
    return problems + _circles(sketches, edges)


def _circles(sketches: Sequence[Sketch], edges: Mapping[str, Sequence[str]]) -> list[Problem]:
    """Edges that close a circle without a Go to step, and circles in which nobody ever is asked."""
    kinds = {sketch.id: sketch for sketch in sketches}
    plain = {name: targets for name, targets in edges.items() if kinds[name].type != GO_TO}
    problems = []
    for source, target in graph.back_edges(plain):
        outcome = next(outcome for outcome, to in kinds[source].next.items() if to == target)
        if source != target:
            reason = f"This leads back to {target}, an earlier step: only a Go to step may lead back."
            problems.append(Problem(source, f"next.{outcome}", reason))
    alone = {sketch.id for sketch in sketches if sketch.kind is not None and (sketch.completion == "automatic" or sketch.by_itself)}
    unattended = {name: [target for target in targets if target in alone] for name, targets in edges.items() if name in alone}
    for source, target in graph.back_edges(unattended):
        if kinds[source].type == GO_TO:
            problems.append(
                Problem(source, "next.default", f"The way back to {target} goes round without asking a person: it would never end.")
            )
    return problems


def _edges(sketches: Sequence[Sketch]) -> dict[str, list[str]]:
    """Step id → the steps that follow it, those that exist."""
    known = {sketch.id for sketch in sketches}
    return {sketch.id: list(dict.fromkeys(target for target in sketch.next.values() if target in known)) for sketch in sketches}


# -------------------------------------------------------------------------------------------------------------- references


def _references(sketches: Sequence[Sketch], raw: Mapping[str, Any], collections: Mapping[str, Any] | None) -> list[Problem]:
    """Expressions and templates that cannot be read, and names in them that nothing stands behind."""
    before = graph.reaching(_edges(sketches))
    variables = raw.get("variables")
    start = next((sketch for sketch in sketches if sketch.type == START), None)
    collection = raw.get("collection")
    tables = _tables(raw)
    problems = []
    for sketch in sketches:
        known = Known(
            outputs={other.id: other.outputs for other in sketches},
            before=frozenset(before.get(sketch.id, ()))
            | (frozenset({sketch.id}) if sketch.kind is not None and sketch.kind.own_values else frozenset()),
            variables=frozenset(variables) if isinstance(variables, dict) else frozenset(),
            tables=tables,
            input=start.outputs if start is not None else None,
            collection=collection if isinstance(collection, str) else None,
            collections=collections,
        )
        for text, template in sketch.texts:
            problems += [
                Problem(sketch.id, f"config.{text.field}", reason) for reason in wrong_references(text, template=template, known=known)
            ]
    return problems


def _tables(raw: Mapping[str, Any]) -> dict[str, tuple[frozenset[str], int] | None]:
    """Each policy table with its columns that can be looked up and the number of its keys, as far as it can be read."""
    given = raw.get("tables")
    found: dict[str, tuple[frozenset[str], int] | None] = {}
    for name, table in given.items() if isinstance(given, dict) else ():
        try:
            read = Table.model_validate(table)
        except ValidationError:
            found[name] = None
        else:
            found[name] = frozenset(column.name for column in read.answers), len(read.keys)
    return found


def _collection(sketches: Sequence[Sketch], raw: Mapping[str, Any], collections: Mapping[str, Any] | None) -> list[Problem]:
    """Fields and relations that the collection does not have, and segments."""
    name = raw.get("collection")
    uses = [
        (sketch, use)
        for sketch in sketches
        if sketch.kind is not None and sketch.config is not None
        for use in sketch.kind.uses(sketch.config)
    ]
    if name is None:
        reason = "The workflow has no collection, so there is no record to read or change here."
        return [Problem(sketch.id, f"config.{use.field}", reason) for sketch, use in uses]
    if collections is None or not isinstance(name, str):
        return []
    if name not in collections:
        return [Problem(None, "collection", f"There is no collection {name}: connect its data source first.")]
    here = collections[name]
    problems = [
        Problem(sketch.id, f"config.{use.field}", wrong)
        for sketch, use in uses
        if (wrong := _use_wrong(use, here, collections)) is not None
    ]
    segments = raw.get("segments")
    offered = {segment.id for segment in here.segments}
    for place, segment in enumerate(segments if isinstance(segments, list) else []):
        if isinstance(segment, str) and segment not in offered:
            problems.append(Problem(None, f"segments[{place}]", f"The collection {name} has no segment {segment}.", "warning"))
    return problems


def _use_wrong(use: Use, here: Any, collections: Mapping[str, Any]) -> str | None:
    """What is wrong with a column or relation that settings name; None where nothing is."""
    target = here
    if use.relation is not None:
        relation = next((entry for entry in here.relations if entry.name == use.relation), None)
        if relation is None:
            return (
                None
                if use.column is not None
                else f"{here.label} has no relation {use.relation}: it has {_listed(entry.name for entry in here.relations)}."
            )
        target = collections.get(relation.collection)
    if use.column is None or target is None:
        return None
    column = next((entry for entry in target.fields if entry.name == use.column), None)
    if column is None:
        return f"{target.label} has no field {use.column}: it has {_listed(entry.name for entry in target.fields)}."
    if use.changed and column.readonly:
        return f"{target.label}: {use.column} is read-only and cannot be changed by a step."
    return None


def _listed(names: Iterable[str]) -> str:
    """The names, the first fifteen when there are many."""
    every = list(names)
    return ", ".join(every[:15]) + (f" and {len(every) - 15} more" if len(every) > 15 else "") if every else "none"


def _groups(raw: Mapping[str, Any], sketches: Sequence[Sketch]) -> list[Problem]:
    """Groups that name steps which are not there."""
    groups = raw.get("groups")
    known: Many[str] = {sketch.id for sketch in sketches}
    problems = []
    for number, group in enumerate(groups if isinstance(groups, list) else []):
        members = group.get("steps") if isinstance(group, dict) else None
        for place, name in enumerate(members if isinstance(members, list) else []):
            if isinstance(name, str) and name not in known:
                problems.append(Problem(None, f"groups[{number}].steps[{place}]", f"There is no step {name}."))
    return problems


def _in_order(problems: Sequence[Problem], sketches: Sequence[Sketch]) -> list[Problem]:
    """Each once, the document's own first, then step by step."""
    places = {sketch.id: sketch.place for sketch in reversed(sketches)}
    return sorted(dict.fromkeys(problems), key=lambda problem: -1 if problem.step is None else places.get(problem.step, len(places)))
