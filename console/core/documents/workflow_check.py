"""All errors of a workflow document at once: listed by the editor, and blocking publication.

`check` accepts any input and continues as far as possible: an unknown setting in one step and a missing branch in another are both
reported. It raises nothing.
"""

from collections.abc import Collection as Many, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from console.core.documents import (
    ai_check,
    approval_check,
    duties_check,
    enrolment_check,
    environment_check,
    findings,
    graph,
    reporting_check,
    tests_check,
    triggers_check,
)
from console.core.documents.document_parts import RESERVED
from console.core.documents.draft_shape import in_shape
from console.core.documents.environment_check import Surroundings
from console.core.documents.fields import Located
from console.core.documents.json_shape import loaded, newer_format, problems_of_values
from console.core.documents.references import ANY_NAME, Known, roots_of, wrong_references
from console.core.documents.variables import Table
from console.core.documents.workflow import FORMAT, upgraded
from console.core.documents.workflow_sketch import (
    UNFINISHED,
    UNKNOWN,
    Problem,
    Severity,
    Sketch,
    StepKind,
    placed,
    shape,
    sketches as sketches_of,
)
from console.core.expressions import ExpressionError

__all__ = ["Problem", "Severity", "StepKind", "Surroundings", "check"]

ERRORS = "error"
"""The outcome of a step that failed; every step except the start may have it."""
FINDING_ROOTS = frozenset({"steps", "input", "variables", "tables"})
START, END, GO_TO, LOOP = "start", "end", "go_to", "loop"
DEFAULT = "default"
NO_START = "There is no step of type start: a run would not know where to begin."
NO_END = "There is no step of type end: no run could be completed."
NO_WAY_ON = "There is no way on from here: name the step that follows as default."


def check(
    document: bytes | str | Mapping[str, Any],
    step_types: Mapping[str, StepKind],
    surroundings: Surroundings | Mapping[str, Any] | None = None,
    read_steps: list[Sketch] | None = None,
) -> list[Problem]:
    """All errors of the document, in the order of its steps, after those of the whole document; its steps as they were read are added to `read_steps`.

    `surroundings` is its environment: collections, rights, actions; or only collections (id → Collection). What is not given is not checked.
    """
    around = surroundings if isinstance(surroundings, Surroundings) else Surroundings(surroundings)
    raw, problems_found = loaded(document)
    if raw is None:
        return [Problem(None, spot.path, spot.reason) for spot in problems_found]
    problems = [placed(spot, raw) for spot in [*problems_found, *problems_of_values(raw)]]
    if (newer := newer_format(raw, FORMAT)) is not None:
        return [*problems, placed(newer, raw)]
    raw = upgraded(raw)
    problems += shape(raw)
    raw = in_shape(raw) if problems else raw
    sketches = sketches_of(raw, step_types, problems)
    if read_steps is not None:
        read_steps += sketches
    problems += _identity(sketches)
    problems += _ways(sketches, raw)
    problems += _paths(sketches)
    before = graph.reaching(_edges(sketches))
    house = _house(sketches, raw, around.collections)
    problems += _references(sketches, raw, before, house)
    problems += environment_check.problems(sketches, raw, around)
    problems += duties_check.problems(sketches, raw, before, around.rights)
    problems += approval_check.problems(sketches, raw, around)
    problems += approval_check.unheard(sketches, raw)
    problems += ai_check.problems(sketches)
    problems += triggers_check.problems(raw, house)
    problems += triggers_check.unseen_by_waits(sketches, raw, around.collections)
    problems += _groups(raw, sketches)
    problems += tests_check.problems(raw, sketches)
    return _in_order(problems, sketches)


# ------------------------------------------------------------------------------------------------------------------- graph


def _identity(sketches: Sequence[Sketch]) -> list[Problem]:
    """Duplicate or reserved ids, and the number of starts."""
    problems = []
    first: dict[str, int] = {}
    for sketch in sketches:
        if sketch.id in first:
            problems.append(
                Problem(
                    sketch.id,
                    "id",
                    f"Two steps have the id {sketch.id}: numbers {first[sketch.id] + 1} and {sketch.place + 1}.",
                )
            )
        first.setdefault(sketch.id, sketch.place)
        if sketch.id in RESERVED:
            problems.append(
                Problem(
                    sketch.id, "id", f"{sketch.id} is a word of the expression language: choose another id."
                )
            )
    starts = [sketch.id for sketch in sketches if sketch.type == START]
    if not starts:
        problems.append(Problem(None, "steps", NO_START))
    if len(starts) > 1:
        problems.append(
            Problem(
                None, "steps", f"There are {len(starts)} steps of type start ({', '.join(starts)}): keep one."
            )
        )
    return problems


def _ways(sketches: Sequence[Sketch], raw: Mapping[str, Any]) -> list[Problem]:
    """Edges without target or outcome, and outcomes without an edge."""
    steps = raw.get("steps")
    known_outcomes = {
        step["id"]
        for step in (steps if isinstance(steps, list) else [])
        if isinstance(step, dict) and isinstance(step.get("id"), str)
    }
    problems = []
    for sketch in sketches:
        for outcome, target in sketch.next.items():
            if target not in known_outcomes:
                problems.append(
                    Problem(sketch.id, f"next.{outcome}", f"There is no step {target}.", kind=UNKNOWN)
                )
            elif sketch.config is not None:
                problems += _edge(sketch, outcome, target)
        problems += [
            Problem(sketch.id, "config", f"There is no step {target}.", kind=UNKNOWN)
            for target in sketch.begins
            if target not in known_outcomes
        ]
        if sketch.config is None:
            continue
        options = {each.value: each.label for each in getattr(sketch.config, "options", ())}
        parts = not sketch.next.keys().isdisjoint(options)
        for outcome in sketch.outcomes:
            if outcome not in sketch.next and DEFAULT not in sketch.next:
                problems.append(Problem(sketch.id, f"next.{outcome}", _no_branch(sketch, outcome)))
            elif outcome not in sketch.next and outcome in options and parts:
                reason = f"“{options[outcome]}” has no way of its own: it takes Otherwise."
                problems.append(Problem(sketch.id, f"next.{outcome}", reason, "warning"))
    return problems


def _edge(sketch: Sketch, outcome: str, target: str) -> list[Problem]:
    """The error of an edge with an existing target."""
    if not sketch.outcomes:
        return [
            Problem(
                sketch.id,
                f"next.{outcome}",
                f"Nothing follows a step of type {sketch.type}: remove the edge to {target}.",
            )
        ]
    if outcome not in (*sketch.outcomes, *sketch.rare, DEFAULT) and (
        outcome != ERRORS or sketch.type == "start"
    ):
        offered = ", ".join((*sketch.outcomes, *sketch.rare))
        return [
            Problem(sketch.id, f"next.{outcome}", f"The step has no outcome {outcome}: it has {offered}.")
        ]
    if target == sketch.id:
        return [
            Problem(
                sketch.id, f"next.{outcome}", "The step leads to itself: only a Go to step may lead back."
            )
        ]
    return []


def _no_branch(sketch: Sketch, outcome: str) -> str:
    if outcome == DEFAULT:
        return NO_WAY_ON
    return f"The outcome {outcome} of {sketch.id} leads nowhere: give it a step, or give a default."


def _paths(sketches: Sequence[Sketch]) -> list[Problem]:
    """Unreachable steps, steps that never reach an end, and cycles."""
    edges = _edges(sketches)
    starts = [sketch.id for sketch in sketches if sketch.type == START]
    ends = [sketch.id for sketch in sketches if sketch.type == END]
    reached = graph.reachable(edges, starts)
    problems = []
    if starts:
        problems += [
            Problem(sketch.id, "id", "No way leads to this step from the start.", kind=UNFINISHED)
            for sketch in sketches
            if sketch.id not in reached
        ]
    ending = graph.reachable(graph.reversed_edges(edges), ends)
    if not ends:
        problems.append(Problem(None, "steps", NO_END, kind=UNFINISHED))
    elif starts and not reached & set(ends):
        problems.append(Problem(None, "steps", "No end is reached from the start.", kind=UNFINISHED))
    else:
        stuck = [sketch for sketch in sketches if sketch.id in reached and sketch.id not in ending]
        problems += [
            Problem(
                sketch.id,
                "next",
                "No way leads from this step to an end: a run that comes here never completes.",
            )
            for sketch in stuck
        ]
    return problems + _circles(sketches, edges)


def _circles(sketches: Sequence[Sketch], edges: Mapping[str, Sequence[str]]) -> list[Problem]:
    """Edges that close a cycle without a Go to step, and cycles without a question to a person. A cycle that passes a wait is allowed: call, wait, call again."""
    kinds = {sketch.id: sketch for sketch in sketches}
    waits = {sketch.id for sketch in sketches if sketch.kind is not None and sketch.kind.waits}
    edges = {
        name: [target for target in targets if target not in waits]
        for name, targets in edges.items()
        if name not in waits
    }
    plain = {name: targets for name, targets in edges.items() if kinds[name].type != GO_TO}
    problems = []
    for source, target in graph.back_edges(plain):
        outcome = next((outcome for outcome, to in kinds[source].next.items() if to == target), "default")
        if source != target:
            reason = f"This leads back to {target}, an earlier step: only a Go to step may lead back, or a way that passes a wait."
            problems.append(Problem(source, f"next.{outcome}", reason))
    alone = {
        sketch.id
        for sketch in sketches
        if sketch.kind is not None and (sketch.completion == "automatic" or sketch.by_itself)
    }
    unattended = {
        name: [target for target in targets if target in alone]
        for name, targets in edges.items()
        if name in alone
    }
    for source, target in graph.back_edges(unattended):
        if kinds[source].type == GO_TO:
            problems.append(
                Problem(
                    source,
                    "next.default",
                    f"The way back to {target} goes round without asking a person: it would never end.",
                )
            )
    return problems


def _edges(sketches: Sequence[Sketch]) -> dict[str, list[str]]:
    """Step id → the existing steps after it."""
    ids = {sketch.id for sketch in sketches}
    return {
        sketch.id: list(
            dict.fromkeys(target for target in (*sketch.begins, *sketch.next.values()) if target in ids)
        )
        for sketch in sketches
    }


# -------------------------------------------------------------------------------------------------------------- references


def _house(
    sketches: Sequence[Sketch], raw: Mapping[str, Any], collections: Mapping[str, Any] | None
) -> Known:
    """The names that every expression of the workflow can use."""
    start = next((sketch for sketch in sketches if sketch.type == START), None)
    variables, collection = raw.get("variables"), raw.get("collection")
    return Known(
        outputs={},
        before=frozenset(),
        variables=frozenset(variables) if isinstance(variables, dict) else frozenset(),
        tables=_tables(raw),
        input=start.outputs if start is not None else None,
        collection=collection if isinstance(collection, str) else None,
        collections=collections,
    )


def _references(
    sketches: Sequence[Sketch], raw: Mapping[str, Any], before: Mapping[str, Many[str]], house: Known
) -> list[Problem]:
    """Unreadable expressions and templates, and unknown names in them. `before`: step id → the steps that lead to it."""
    outputs = {sketch.id: sketch.outputs for sketch in sketches}
    with_item = graph.reachable(
        _edges(sketches), [step for sketch in sketches if sketch.type == LOOP for step in sketch.begins]
    )
    problems = reporting_check.problems(raw, house)
    if house.input is not None and raw.get("report"):
        house = replace(house, input=house.input | reporting_check.REPORTED)
    problems += enrolment_check.problems(raw, house)
    for sketch in sketches:
        found = [text for name in ("finding", "flag") for text in findings.texts(name, sketch.raw.get(name))]
        conditions = list(ai_check.conditions(sketch))
        button = sketch.raw.get("button")
        button = [Located("button", button)] if isinstance(button, str) and "{{" in button else []
        if not (sketch.texts or sketch.content or found or conditions or button):
            continue
        names_known = replace(
            house,
            outputs=outputs,
            before={*before.get(sketch.id, ()), sketch.id}
            if sketch.kind is not None and sketch.kind.own_values
            else before.get(sketch.id, ()),
            own=sketch.id,
            item=_item_names(sketch, within=sketch.id in with_item),
        )
        for text, template in sketch.texts:
            problems += [
                Problem(sketch.id, f"config.{text.field}", reason)
                for reason in wrong_references(text, template=template, known=names_known)
            ]
        problems += [
            Problem(sketch.id, "button", reason)
            for text in button
            for reason in wrong_references(text, template=True, known=names_known)
        ]
        own = {sketch.id: _with_reads(sketch)}  # the blocks and findings of a step see what it reads
        shows = bool(sketch.content or found)
        seen = (
            replace(names_known, before={*names_known.before, sketch.id}, outputs={**outputs, **own})
            if shows
            else names_known
        )
        for place, words, template in found:
            wrong = _wrong_finding(Located(place, words), template=template, known=seen)
            problems += [Problem(sketch.id, place, reason) for reason in wrong]
        for text, template in sketch.content:
            kind = sketch.blocks[int(text.field.partition("]")[0].removeprefix("content["))]
            wrong = [
                *wrong_references(text, template=template, known=seen),
                *_unknown_at_end(sketch, text, template=template),
            ]
            problems += [
                Problem(sketch.id, text.field, f"{reason} (In the block {kind}.)") for reason in wrong
            ]
        for place, condition in conditions:
            problems += [
                Problem(sketch.id, place, reason)
                for reason in wrong_references(Located(place, condition), template=False, known=names_known)
            ]
    return problems


def _item_names(sketch: Sketch, *, within: bool) -> frozenset[str] | None:
    """Names under `item`: those of the step itself, else any within the body of a loop."""
    own = (
        sketch.kind.item_names(sketch.config)
        if sketch.kind is not None and sketch.config is not None
        else None
    )
    return frozenset({ANY_NAME}) if own is None and within else own


def _with_reads(sketch: Sketch) -> frozenset[str] | None:
    """The names of what a step gives and of what it reads beside its form."""
    if sketch.outputs is None:
        return None
    reads = getattr(sketch.config, "related", None) or ()
    return (
        sketch.outputs
        | {read.name for read in reads}
        | {total.name for read in reads for total in read.totals}
    )


def _wrong_finding(text: Located, *, template: bool, known: Known) -> list[str]:
    """The errors in a text of what a step finds. It is read again in replay, so it may use nothing but what the run holds."""
    reasons = wrong_references(text, template=template, known=known)
    if reasons:
        return reasons
    return [
        f"{root} is not known here: what was found is told from steps, input, variables and tables."
        for root in sorted(roots_of(text.text, template=template) - FINDING_ROOTS)
    ]


def _unknown_at_end(sketch: Sketch, text: Located, *, template: bool) -> list[str]:
    """The error of a block of an end that names the record: it would be the record of today, not what the run came to."""
    try:
        named = "record" in roots_of(text.text, template=template)
    except ExpressionError:
        return []
    return (
        ["record is not known at an end: take what an earlier step has loaded."]
        if named and sketch.type == END
        else []
    )


def _tables(raw: Mapping[str, Any]) -> dict[str, tuple[frozenset[str], int] | None]:
    """Each policy table with its value columns and number of keys, as far as it is readable."""
    given = raw.get("tables")
    by_name: dict[str, tuple[frozenset[str], int] | None] = {}
    for name, table in given.items() if isinstance(given, dict) else ():
        try:
            read = Table.model_validate(table)
        except ValidationError:
            by_name[name] = None
        else:
            by_name[name] = frozenset(column.name for column in read.answers), len(read.keys)
    return by_name


def _groups(raw: Mapping[str, Any], sketches: Sequence[Sketch]) -> list[Problem]:
    """Groups that name missing steps, and steps that cannot stand on one screen."""
    groups = raw.get("groups")
    ids: Many[str] = {sketch.id for sketch in sketches}
    problems = []
    for number, group in enumerate(groups if isinstance(groups, list) else []):
        members = group.get("steps") if isinstance(group, dict) else None
        for place, name in enumerate(members if isinstance(members, list) else []):
            if isinstance(name, str) and name not in ids:
                problems.append(
                    Problem(
                        None, f"groups[{number}].steps[{place}]", f"There is no step {name}.", kind=UNKNOWN
                    )
                )
        if isinstance(group, dict) and group.get("screen") == "one" and isinstance(members, list):
            by_id = {sketch.id: sketch for sketch in sketches}
            gathered = [by_id[name] for name in members if isinstance(name, str) and name in by_id]
            problems += _gathered(f"groups[{number}].steps", gathered)
    return problems


def _gathered(path: str, members: Sequence[Sketch]) -> list[Problem]:
    """What keeps these steps from being drawn on one screen."""
    if len(members) < 2:
        return [Problem(None, path, "A screen gathers at least two steps: add one, or draw it alone.")]
    ways = {
        sketch.id: [target for outcome, target in sketch.next.items() if outcome != ERRORS]
        for sketch in members
    }
    first = [each for each in ways if not any(each in targets for targets in ways.values())]
    problems = []
    for place, sketch in enumerate(members):
        title, inside = sketch.raw.get("title") or sketch.id, [to for to in ways[sketch.id] if to in ways]
        if sketch.kind is None:
            continue
        reason = None
        if sketch.type == START or sketch.by_itself or sketch.completion == "automatic":
            reason = "nobody fills it in there"
        elif sketch.kind.by_items or sketch.kind.waits:
            reason = "it goes through a list" if sketch.kind.by_items else "it waits"
        elif inside and len(ways[sketch.id]) > 1:
            reason = "its ways part, and only the last step of a screen may do that"
        elif [sketch.id] == first[1:2] or not first:
            reason = "the steps of a screen follow each other"
        elif sketch.id not in first and _takes_files(sketch.config):
            reason = "it takes files, which only the first step of a screen may do"
        if reason is not None:
            words = f"“{title}” cannot stand on this screen: {reason}."
            problems.append(Problem(None, f"{path}[{place}]", words))
        elif sketch.id not in first and sketch.raw.get("ai"):
            words = f"The AI proposes nothing at “{title}”: only at the first step of a screen."
            problems.append(Problem(None, f"{path}[{place}]", words, "warning"))
    return problems


def _takes_files(config: Any) -> bool:
    forms = (getattr(config, part, None) or () for part in ("form", "fields", "output"))
    return any(getattr(entry, "type", None) in ("file", "files") for form in forms for entry in form)


def _in_order(problems: Sequence[Problem], sketches: Sequence[Sketch]) -> list[Problem]:
    """Without duplicates, the document's own first, then by step."""
    places = {sketch.id: sketch.place for sketch in reversed(sketches)}
    return sorted(
        dict.fromkeys(problems),
        key=lambda problem: -1 if problem.step is None else places.get(problem.step, len(places)),
    )
