"""Which lines of the outline, and which steps of the picture, differ from what a page shows: the answer to a change carries only these."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from console import workflows
from console.core.documents import graph
from console.core.documents.json_shape import loaded
from console.core.drafting import same
from console.core.errors import NotFound

DEEPEST = 5
IN_NO_LINE = frozenset({"steps", "title", "description", "team", "triggers", "tests"})
"""Parts of a document that no line shows; after a change of any other the whole page is answered."""


@dataclass(frozen=True, slots=True)
class Part:
    """`since`: the revision that the page shows. `steps`: those whose line differs. `moved`: the order of the steps differs. `told`:
    the sum of the problems that the page lists.
    """

    since: int
    steps: frozenset[str]
    moved: bool
    told: str


@dataclass(frozen=True, slots=True)
class Place:
    """How far in a step stands in the outline, and to which steps its ways lead back."""

    depth: int
    back: tuple[str, ...]


def since_shown(draft: workflows.Draft, marks: Mapping[str, str]) -> Part | None:
    """What differs from the page that asks; None where it is to be drawn as a whole.

    `shown` is the revision of that page, `marks` the steps that it marks: step → severity (left out where it only shows another step).
    """
    shown = request.values.get("shown", -1, int)
    marked = (
        loaded(request.form["marks"])[0]
        if "marks" in request.form
        else marks
        if shown == draft.revision
        else None
    )
    if marked is None or not 0 <= shown <= draft.revision:
        return None
    try:
        before = workflows.draft_before(draft, shown)
    except NotFound:
        return None
    after = draft.document
    if any(not same(before.get(name), after.get(name)) for name in {*before, *after} - IN_NO_LINE):
        return None
    steps = frozenset(step for step in {*marked, *marks} if marked.get(step) != marks.get(step))
    ids = [[step["id"] for step in each["steps"]] for each in (before, after)]
    if before is not after:
        old = {step["id"]: step for step in before["steps"]}
        steps |= {step["id"] for step in after["steps"] if not same(step, old.get(step["id"]))}
        if ids[0] != ids[1] or any(
            _targets(old[step["id"]]) != _targets(step) for step in after["steps"] if step["id"] in steps
        ):
            stood, stands = places(before), places(after)
            steps |= {step for step, place in stands.items() if place != stood.get(step)}
    return Part(shown, steps, ids[0] != ids[1], request.values.get("told", ""))


def places(document: Mapping[str, Any]) -> dict[str, Place]:
    """Where each step stands. A branch stands further in than the step at which it begins, and ends where branches meet."""
    ways = {step["id"]: _targets(step) for step in document["steps"]}
    back = set(graph.ways_back(ways))
    before: dict[str, list[str]] = {}
    for step, targets in ways.items():
        for to in dict.fromkeys(targets):
            if (step, to) not in back:
                before.setdefault(to, []).append(step)
    found: dict[str, Place] = {}
    for step, targets in ways.items():
        known = [other for other in before.get(step, ()) if other in found]
        if len(before.get(step, ())) > 1:
            forked = any(len(set(ways[other])) > 1 for other in known)
            depth = max(0, min((found[other].depth for other in known), default=0) - (0 if forked else 1))
        else:
            depth = found[known[0]].depth + (1 if len(set(ways[known[0]])) > 1 else 0) if known else 0
        found[step] = Place(min(depth, DEEPEST), tuple(to for to in targets if (step, to) in back))
    return found


def _targets(step: Mapping[str, Any]) -> list[str]:
    ways = step.get("next")
    return [to for to in ways.values() if isinstance(to, str)] if isinstance(ways, Mapping) else []
