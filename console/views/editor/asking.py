"""`/workflows/<slug>/ask`: the talk about a draft beside its picture. What is proposed is shown as a difference and taken whole, in part or not at all."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, make_response, request

from console import workflows
from console.ai.proposals import options
from console.authoring import builder, diagrams
from console.authoring.builder import Part, Turn
from console.authoring.diagrams import Node
from console.core import drafting
from console.core.errors import Conflict, Invalid
from console.views import frame
from console.views.editor import step_form
from console.views.editor.values_in_words import problem_words
from console.views.workflows import tabs

blueprint = Blueprint("workflow_asking", __name__, url_prefix="/workflows")

EXAMPLES = (
    "Ask for a second person above 500.",
    "Why can a step not be reached?",
    "Remind people after two days.",
)
WORDS = {"added": "Added", "changed": "Changed", "removed": "Removed"}
LEADS = "Leads to"
MOST_SHOWN = 400


@dataclass(frozen=True, slots=True)
class Line:
    """What changes in a part, in words; without values where these are settings that only the editor can show."""

    where: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A part of the proposal as a row that can be ticked."""

    key: str
    kind: str
    word: str
    title: str
    gist: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Edge:
    """A way in the picture of the difference. `state` is fresh, lost or empty."""

    to: str
    label: str
    outcome: str
    back: bool
    state: str = ""


@blueprint.route("/<slug>/ask", methods=["GET", "POST"])
def ask(slug: str) -> Response:
    """Show the talk; a POST asks (`message`), takes (`do=take`, `part`), leaves (`do=leave`) or stops (`do=stop`) the turn that it names."""
    draft = workflows.open_draft(frame.actor(), slug)
    if request.method != "POST":
        return _talk(draft)
    try:
        match request.form.get("do"):
            case "take":
                _take(draft)
            case "leave":
                builder.note_taken(_named(draft).id, "none")
            case "stop":
                builder.stop(frame.actor(), slug, request.form.get("turn", ""))
            case _:
                builder.ask(frame.actor(), slug, request.form.get("message", ""), draft.revision)
    except (Conflict, Invalid) as wrong:
        return _talk(workflows.open_draft(frame.actor(), slug), wrong=wrong)
    return frame.redirect_to(f"/workflows/{draft.slug}/ask")


@blueprint.get("/<slug>/ask/<turn_id>/state")
def state(slug: str, turn_id: str) -> Response:
    """The lines of what the pending turn proposes so far, empty where there are none; then the page is told to load itself anew."""
    turn = builder.turn(frame.actor(), slug, turn_id)
    if turn.status == "pending":
        lines = turn.answer.text.splitlines()
        return make_response(
            frame.render("editor/growing.html", {"lines": lines}) if lines else "", 200 if lines else 204
        )
    answer = make_response("")
    answer.headers["HX-Refresh"] = "true"
    return answer


def _named(draft: workflows.Draft) -> Turn:
    return builder.turn(frame.actor(), draft.slug, request.form.get("turn", ""))


def _take(draft: workflows.Draft) -> None:
    """Change the draft by the chosen parts. Raises Conflict where others changed the same since, Invalid where nothing was chosen."""
    turn = _named(draft)
    every = [part.key for part in builder.parts(turn.document, turn.after)] if turn.answer.changes else []
    chosen = [key for key in every if request.form.get("all") or key in request.form.getlist("part")]
    if not chosen:
        raise Invalid("Choose what you want to take.", at=("part", "Nothing is chosen."))
    after = (
        turn.after if len(chosen) == len(every) else builder.apply_parts(turn.document, turn.after, chosen)
    )
    workflows.edit(frame.actor(), draft.slug, turn.revision, drafting.difference(turn.document, after))
    builder.note_taken(turn.id, "all" if len(chosen) == len(every) else "some")
    flash(f"Taken into the draft: {len(chosen)} of {len(every)} changes. Undo in the editor takes them back.")


def _talk(draft: workflows.Draft, *, wrong: Conflict | Invalid | None = None) -> Response:
    turns = builder.latest(frame.actor(), draft)
    last = turns[-1] if turns else None
    open_turn = (
        builder.turn(frame.actor(), draft.slug, last.id)
        if last and last.status == "ready" and last.answer.changes
        else None
    )
    proposal = open_turn if open_turn is not None and open_turn.taken is None else None
    before = proposal.document if proposal else draft.document
    after = proposal.after if proposal else draft.document
    union = _both(before, after)
    nodes = diagrams.picture_of(workflows.readable(union), workflows.connected() or {})
    found = builder.parts(before, after) if proposal else []
    states = {part.step: part.kind for part in found if part.step}
    gists, by_id = {node.id: node.gist for node in nodes.nodes}, {node.id: node for node in nodes.nodes}
    ways = [_ways(before)] * 2 if before is after else [_ways(before), _ways(after)]
    context: dict[str, Any] = {
        "draft": draft,
        "title": draft.document.get("title") or draft.slug,
        "turns": turns,
        "proposal": proposal,
        "pending": last if last and last.status == "pending" else None,
        "choices": [_choice(part, gists, after) for part in found],
        "counts": _counts(found),
        "words": WORDS,
        "nodes": nodes.nodes,
        "groups": nodes.groups,
        "states": states,
        "edges": {node.id: _edges(node, ways, by_id) for node in nodes.nodes},
        "problems": _fresh_problems(draft, proposal) if proposal else [],
        "off": options.current().chosen("build").rules,
        "examples": EXAMPLES,
        "wrong": wrong,
        "typed": request.form.get("message", "") if wrong else "",
        "seconds": round(options.current().chosen("build").seconds),
    }
    context |= tabs.context(tabs.known_of(draft.slug), "edit") | {"workflow_title": context["title"]}
    return frame.page("editor/ask.html", context, error=wrong)


def _counts(found: Sequence[Part]) -> list[tuple[str, int, str]]:
    """(kind, how many, in words), without those of which there is none."""
    counted = [(kind, sum(1 for part in found if part.kind == kind)) for kind in WORDS]
    return [(kind, count, f"{count} {WORDS[kind].lower()}") for kind, count in counted if count]


def _choice(part: Part, gists: Mapping[str, str], after: Mapping[str, Any]) -> Choice:
    labels = (
        {each.id: each.label for each in step_form.collections_of(frame.actor())} if part.step is None else {}
    )
    lines = [
        Line(
            each.where,
            *(_shown(labels.get(value, value), ways=each.where == LEADS) for value in (each.old, each.new)),
        )
        for each in part.lines
    ]
    if (
        part.kind == "added"
        and (step := next((each for each in after["steps"] if each["id"] == part.step), None)) is not None
    ):
        lines += [
            Line(label, "", _shown(text, ways=False))
            for label, text in step_form.settings_in_words(frame.actor(), after, step)
        ]
    return Choice(
        part.key,
        part.kind,
        WORDS[part.kind],
        part.title,
        gists.get(part.step or "", "") if part.kind == "added" else "",
        lines,
    )


def _shown(value: str, *, ways: bool) -> str:
    """The value as people read it; empty for one that is written for programs. `ways`: it is a list of outcomes and steps."""
    if value[:1] in ("{", "["):
        return ""
    if ways:
        value = re.sub(r"\bdefault: ", "otherwise: " if ", " in value else "", value)
    return value if len(value) <= MOST_SHOWN else value[: MOST_SHOWN - 1] + "…"


def _both(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The changed document with the removed steps where they stood."""
    kept = {step["id"] for step in after["steps"]}
    behind: dict[str | None, list[Any]] = {}
    former = None
    for step in before["steps"]:
        if step["id"] in kept:
            former = step["id"]
        else:
            behind.setdefault(former, []).append(step)
    return {
        **after,
        "steps": [
            *behind.get(None, ()),
            *(each for step in after["steps"] for each in (step, *behind.get(step["id"], ()))),
        ],
    }


def _edges(
    node: Node, ways: Sequence[Mapping[str, Mapping[str, str]]], there: Mapping[str, Node]
) -> list[Edge]:
    """The ways of a step after the changes, then those that go. `ways`: step → outcome → step, before and after; `there` are all steps, those that go too."""
    old, new = (each.get(node.id, {}) for each in ways)
    gone = node.id not in ways[1]
    made = [
        Edge(
            way.to,
            way.label,
            way.outcome,
            way.back,
            "lost" if gone else "" if old.get(way.outcome) == way.to or ways[0] is ways[1] else "fresh",
        )
        for way in node.ways
    ]
    lost = [
        Edge(to, "", outcome, back=False, state="lost")
        for outcome, to in old.items()
        if not gone and new.get(outcome) != to and to in there
    ]
    return [*made, *lost]


def _ways(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Step → outcome → step."""
    return {
        step["id"]: {outcome: to for outcome, to in (step.get("next") or {}).items() if isinstance(to, str)}
        for step in document["steps"]
    }


def _fresh_problems(draft: workflows.Draft, proposal: Turn) -> list[tuple[str, str]]:
    """(title of the step, what is wrong) of what the changes bring with them."""
    former = {(each.step, each.reason) for each in workflows.problems(draft)}
    titles = {step["id"]: str(step.get("title") or step["id"]) for step in proposal.after["steps"]}
    return [
        (
            titles.get(each["step"] or "", ""),
            problem_words(str(each["field"]), str(each["message"]), proposal.after, each["step"]),
        )
        for each in proposal.problems
        if (each["step"], each["message"]) not in former
    ]
