"""`/workflows/<slug>/edit`: the outline of a draft, the settings of a step, its problems, its text. Each change is saved as it is made."""

import json
import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, request

from console import steps, workflows
from console.auth import accounts
from console.authoring import diagrams
from console.authoring.diagrams import Node
from console.core import drafting, outcome_words
from console.core.documents import graph
from console.core.documents.json_shape import loaded
from console.core.documents.workflow_check import Problem
from console.core.documents.workflow_sketch import Sketch, StepKind, sketches
from console.core.drafting import Change, ChangeError
from console.core.errors import Conflict, Invalid
from console.views import frame
from console.views.editor import changed_lines, proposal_form, start_form, step_form
from console.views.editor.value_form import written
from console.views.editor.values_in_words import problem_words, trigger_named, words_of
from console.views.formats import label_of
from console.views.workflows import tabs
from console.views.workflows.tabs import Section, may_edit

blueprint = Blueprint("workflow_editor", __name__, url_prefix="/workflows")

tabs.register(Section("Editor", 10, "edit", "Steps", "/edit", may_edit))

ACTS_AS = "What runs by itself acts as an account of its own: then people are enrolled, and schedules and events start it."
USES_NONE = "You may use none: an admin makes one under Settings, People, and lets you use it."
FAMILIES = {
    "start": "Start",
    "action": "Action",
    "llm": "LLM",
    "condition": "Condition",
    "loop": "Loop",
    "output": "Output",
}
UNNAMED = frozenset({"config", "default"})
"""Parts of a step that have no name on the page."""


@dataclass(frozen=True, slots=True)
class Line:
    """A step in the outline. `wrong` is the severity of its worst problem, empty without one."""

    node: Node
    depth: int
    wrong: str


@dataclass(frozen=True, slots=True)
class Told:
    """A problem with the title of its step and the change that mends it."""

    step: str | None
    title: str
    field: str
    message: str
    severity: str
    label: str = ""
    mend: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A way on from a step: what the select is called, its outcome, where it leads."""

    label: str
    outcome: str
    to: str
    error: str


@blueprint.get("/<slug>/edit")
def edit(slug: str) -> Response:
    """Show the editor; `step` is the step whose settings stand at the right, `view=text` shows the document as text.

    With `seen`, the revision that a page shows, nothing is answered (204) while that is still the newest. With `shown`, that revision, only what
    differs from the page is answered.
    """
    draft = workflows.open_draft(frame.actor(), slug)
    return Response(status=204) if request.args.get("seen", -1, int) == draft.revision else _editor(draft)


@blueprint.get("/<slug>/edit/fields")
def fields(slug: str) -> Response:
    """Return the fields, as JSON, of the record that the relations in `of` (`record.customer.`) lead to."""
    document = workflows.open_draft(frame.actor(), slug).document
    return jsonify(step_form.names_over(frame.actor(), document, request.args.get("of", "")))


@blueprint.post("/<slug>/edit")
def change(slug: str) -> Response:
    """Change the draft: `do` is change (a JSON list), text (the whole document), undo or redo. Answers the editor as it is then, with `shown` as `edit`."""
    actor, form = frame.actor(), request.form
    try:
        match form.get("do"):
            case "undo":
                draft = workflows.undo(actor, slug)
            case "redo":
                draft = workflows.redo(actor, slug)
            case "text":
                draft = _typed_text(slug)
            case _:
                draft = workflows.edit(
                    actor, slug, form.get("revision", 0, int), _changes(form.get("changes", ""))
                )
    except (Conflict, Invalid) as wrong:
        return _refused(slug, wrong)
    return _editor(draft)


def _changes(text: str) -> list[Change]:
    given, spots = loaded(f'{{"changes": {text or "[]"}}}')
    if given is None:
        raise Invalid(spots[0].reason)
    for each in given["changes"] if isinstance(given["changes"], list) else ():
        if isinstance(each, dict) and each.pop("typed", False):  # a value of which nobody chose a kind
            each["value"] = written(str(each.get("value")))
    try:
        return drafting.read_changes(given["changes"])
    except ChangeError as error:
        raise workflows.wrong_change(error) from None


def _typed_text(slug: str) -> workflows.Draft:
    """The draft after its text was typed over: what differs from the text that the page had before (`since`) is changed, but for the address."""
    form = request.form
    before, typed = ({**_read_text(form.get(name, "")), "slug": slug} for name in ("since", "text"))
    return workflows.edit(
        frame.actor(), slug, form.get("revision", 0, int), drafting.difference(before, typed)
    )


def _read_text(text: str) -> dict[str, Any]:
    document, spots = loaded(text)
    if document is None or spots:
        raise Invalid(spots[0].reason, at="text")
    try:
        drafting.require_shape(document)
    except ChangeError as error:
        raise Invalid(error.reason, at=error.field) from None
    return document


def _refused(slug: str, wrong: Conflict | Invalid) -> Response:
    """What was not saved and why; of a conflict mine and theirs."""
    titles = {
        step["id"]: step.get("title") or step["id"]
        for step in workflows.open_draft(frame.actor(), slug).document["steps"]
    }
    conflicts = [
        {
            "title": titles.get(each["step"] or "", each["step"])
            if each["step"]
            else str(each["field"] or "The workflow").capitalize(),
            "lines": _differences(each["mine"], each["theirs"], titles),
        }
        for each in wrong.extra.get("conflicts", ())
    ]
    context = {"wrong": wrong, "conflicts": conflicts, "stale": wrong.code == "stale_revision"}
    answer = make_response(frame.render("editor/refused.html", context), wrong.status)
    answer.headers["Draft-Revision"] = str(wrong.extra.get("revision", ""))
    return answer


def _differences(
    mine: Any, theirs: Any, titles: Mapping[str, str], name: str = ""
) -> list[tuple[str, str, str]]:
    """(what, mine, theirs) of what differs, setting by setting, in words; `titles`: step → its title."""
    named, lists = (
        [each for each in (mine, theirs) if isinstance(each, Mapping)],
        [each for each in (mine, theirs) if isinstance(each, list)],
    )
    parts: list[tuple[str, Any, Any]] = []
    if named and all(each is None or isinstance(each, Mapping) for each in (mine, theirs)):
        parts = [
            (each, *((side or {}).get(each) for side in (mine, theirs)))
            for each in dict.fromkeys(key for side in named for key in side)
        ]
    elif lists and any(isinstance(entry, Mapping) for side in lists for entry in side):
        longest = max(len(side) for side in lists)
        parts = [
            (str(number + 1), *(_entry(side, number) for side in (mine, theirs))) for number in range(longest)
        ]
    if not parts:
        return [(name, _short(mine, titles), _short(theirs, titles))]
    return [
        line
        for part, ours, others in parts
        if ours != others
        for line in _differences(
            ours,
            others,
            titles,
            ", ".join(each for each in (name, label_of(part) if part not in UNNAMED else "") if each),
        )
    ]


def _entry(given: Any, number: int) -> Any:
    return given[number] if isinstance(given, list) and number < len(given) else None


def _short(value: Any, titles: Mapping[str, str]) -> str:
    text = (
        "removed"
        if value is None
        else titles.get(value, value)
        if isinstance(value, str)
        else words_of(value)
    )
    return text if len(text) <= 200 else text[:199] + "…"


def _editor(draft: workflows.Draft) -> Response:
    document = draft.document
    sketched: list[Sketch] = []
    problems = _problems(document, workflows.problems(draft, sketched))
    chosen = request.values.get("step", "")
    step = next((each for each in document["steps"] if each["id"] == chosen), None)
    view = "text" if request.values.get("view") == "text" else "outline"
    marks = _marks(problems)
    part = changed_lines.since_shown(draft, marks) if view == "outline" else None
    readable = workflows.readable(document) if part is None or part.steps else None
    picture = (
        diagrams.picture_of(readable, workflows.connected() or {}, only=part.steps if part else None)
        if readable
        else diagrams.Picture([])
    )
    alike = Counter((each.step, each.severity, each.message) for each in problems)
    listed = (
        problems
        if view == "text"
        else list({(each.step, each.severity, each.message): each for each in reversed(problems)}.values())[
            ::-1
        ]
    )
    context: dict[str, Any] = {
        "draft": draft,
        "document": document,
        "view": view,
        "url": f"/workflows/{draft.slug}/edit",
        "title": document.get("title") or draft.slug,
        "lines": _outline(document, picture.nodes, marks),
        "problems": listed,
        "part": part,
        "order": [each["id"] for each in document["steps"]],
        "alike": {
            each: f" In {count} places." for each, count in alike.items() if count > 1 and view != "text"
        },
        "errors": sum(1 for each in listed if each.severity == "error"),
        "families": _families(document),
        "nodes": picture.nodes,
        "groups": picture.groups,
        "changed_by": accounts.names({draft.changed_by}).get(draft.changed_by, "the command line")
        if draft.changed_by
        else "",
        "step": step,
        "section": request.values.get("open", ""),
        "text": drafting.written(document).decode() if view == "text" else "",
    }
    found = {sketch.id: sketch for sketch in sketched or sketches(document, steps.all_types(), [])}
    context["told"] = str(zlib.crc32(repr((listed, context["alike"])).encode()))
    context["outcomes"] = {
        each["id"]: [
            (way.outcome, way.label if way.label != "Leads to" else "")
            for way in _ways(found.get(each["id"]), each, {})
        ]
        for each in document["steps"]
        if part is None or each["id"] in part.steps
    }
    context["notes"] = {
        each["id"]: str(each["description"]) for each in document["steps"] if each.get("description")
    }
    context["wrong"] = marks
    context |= _panel(draft, step, problems, found) if step is not None else _about(document, problems)
    if frame.wants_fragment():
        answer = make_response(frame.render("editor/page.html", context, "editor"))
        answer.headers["Vary"] = "HX-Request, HX-Target"
        return answer
    context |= tabs.context(tabs.known_of(draft.slug), "edit") | {"workflow_title": context["title"]}
    return frame.page("editor/page.html", context)


def _panel(
    draft: workflows.Draft, step: Mapping[str, Any], problems: Sequence[Told], found: Mapping[str, Sketch]
) -> dict[str, Any]:
    """The settings of a step."""
    actor, document = frame.actor(), draft.document
    kind = steps.all_types().get(step["type"])
    errors = {each.field: _field_sentence(each) for each in problems if each.step == step["id"]}
    edges = {each: [to for to in sketch.next.values() if to in found] for each, sketch in found.items()}
    before = {each: found[each].outputs for each in graph.before_node(edges, step["id"]) if each in found}
    shown = {box for box in errors if box.partition(".")[0] in ("config", "next", "title", *step_form.OFTEN)}
    place = [each["id"] for each in document["steps"]].index(step["id"])
    section = request.values.get("open", "")
    return {
        "kind": kind,
        "boxes": [
            *step_form.boxes(actor, document, step, errors, before, section),
            *proposal_form.boxes(kind, step, errors),
        ],
        "common": step_form.common(actor, document, step, errors, section),
        "ways": _ways(found.get(step["id"]), step, errors),
        "titles": {each["id"]: each.get("title") or each["id"] for each in document["steps"]},
        "names": step_form.names(actor, document, before, step),
        "rest": [text for box, text in errors.items() if box not in shown or box == "config"],
        "title_error": errors.get("title", ""),
        "place": place,
        "last": place == len(document["steps"]) - 1,
    }


def _field_sentence(problem: Told, prefix: str = "") -> str:
    """What stands at the field, drawn as what it is: what stops publishing, or a remark."""
    return (str if problem.severity == "error" else step_form.Remark)(problem.message.removeprefix(prefix))


def _about(document: Mapping[str, Any], problems: Sequence[Told]) -> dict[str, Any]:
    """The settings of the workflow as a whole."""
    errors = {
        each.field: _field_sentence(each, trigger_named(document, each.field))
        for each in problems
        if each.step is None
    }
    actor = frame.actor()
    start = start_form.start_of(actor, document, errors)
    usable = accounts.usable(actor)

    def box(
        name: str, label: str, control: str, options: step_form.Options = (), help_text: str = ""
    ) -> step_form.Box:
        value, place = str(document.get(name) or ""), json.dumps([name])
        offered = [*options, *([(value, value)] if options and value and value not in dict(options) else [])]
        control = control if offered or control != "choice" else "text"
        return step_form.Box(
            label, control, place, f"d-{name}", value, help_text, errors.get(name, ""), offered
        )

    collections = [(each.id, each.label) for each in step_form.collections_of(actor)]
    acts = [("", "The holder of the run"), *usable]
    about = [
        box("title", "Title", "title"),
        box("description", "What it is for", "area"),
        box("collection", "Collection", "choice", [("", "None"), *collections] if collections else ()),
        box(
            "team",
            "Team",
            "choice",
            [
                *([] if document.get("team") else [("", "None")]),
                *((team.id, team.name) for team in accounts.teams()),
            ],
        ),
    ]
    if usable or document.get("run_as") or errors.get("run_as"):
        about.append(
            box("run_as", "Runs as", "choice", acts, ACTS_AS if usable else f"{ACTS_AS} {USES_NONE}")
        )
    return {
        "start": start,
        "names": start.names,
        "about": about,
    }


def _ways(sketch: Sketch | None, step: Mapping[str, Any], errors: Mapping[str, str]) -> list[Way]:
    """The ways on, in the order of the outcomes; none after an end."""
    given = {outcome: to for outcome, to in (step.get("next") or {}).items() if isinstance(to, str)}
    outcomes = list(sketch.outcomes) if sketch is not None and sketch.config is not None else []
    if sketch is not None and sketch.kind is not None and sketch.config is None and step["type"] != "end":
        outcomes = _foreseen(sketch.kind, step)
    if len(outcomes) > 1 and "default" not in outcomes:
        outcomes.append("default")
    if (
        len(outcomes) == 1 and outcomes[0] not in given and "options" not in step.get("config", {})
    ):  # of options more may come
        outcomes = ["default"]
    outcomes += [outcome for outcome in given if outcome not in outcomes]
    alone = outcomes == ["default"]
    return [
        Way(
            "Leads to" if alone else outcome_words.words(step, outcome),
            outcome,
            given.get(outcome, ""),
            errors.get(f"next.{outcome}", ""),
        )
        for outcome in outcomes
    ]


def _foreseen(kind: StepKind, step: Mapping[str, Any]) -> list[str]:
    """The outcomes of a step whose settings are not complete, where what is there says so."""
    try:
        return list(kind.outcomes(kind.Config.model_construct(**(step.get("config") or {})))) or ["default"]
    except (AttributeError, TypeError):
        return ["default"]


def _problems(document: Mapping[str, Any], found: Sequence[Problem]) -> list[Told]:
    titles = {step["id"]: str(step.get("title") or step["id"]) for step in document["steps"]}
    problems = []
    for problem in found:
        mending = drafting.mend(document, problem)
        label, change = (mending.label, drafting.to_json([mending.change])[0]) if mending else ("", None)
        words = problem_words(problem.field, problem.reason, document, problem.step)
        ill_named = re.fullmatch(r"steps\[(\d+)\]\.id", problem.field)
        step = document["steps"][int(ill_named[1])]["id"] if ill_named else problem.step
        problems.append(
            Told(step, titles.get(step or "", ""), problem.field, words, problem.severity, label, change)
        )
    return problems


def _marks(problems: Sequence[Told]) -> dict[str, str]:
    """Step → the severity of its worst problem, of those that have one."""
    worst: dict[str, str] = {}
    for each in problems:
        if each.step is not None:
            worst[each.step] = "error" if "error" in (each.severity, worst.get(each.step)) else "warning"
    return worst


def _outline(document: Mapping[str, Any], nodes: Sequence[Node], marks: Mapping[str, str]) -> list[Line]:
    """The lines of these steps."""
    standing = changed_lines.places(document) if nodes else {}
    return [
        Line(node, standing[node.id].depth if node.id in standing else 0, marks.get(node.id, ""))
        for node in nodes
    ]


def _families(document: Mapping[str, Any]) -> list[tuple[str, str, list[Any]]]:
    """The step types that can be added, by family; a second start cannot."""
    started = any(step["type"] == "start" for step in document["steps"])
    kinds = [kind for kind in steps.all_types().values() if not (started and kind.name == "start")]
    return [
        (family, title, [kind for kind in kinds if kind.family == family])
        for family, title in FAMILIES.items()
    ]
