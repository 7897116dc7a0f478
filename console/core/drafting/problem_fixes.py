"""How a problem of a draft can be mended by one change, where that is certain."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from console.core.documents.approval_check import UNHEARD
from console.core.documents.document_parts import RESERVED
from console.core.documents.workflow_check import NO_END, NO_START, Problem
from console.core.documents.workflow_sketch import UNKNOWN
from console.core.drafting.applying import ENDS, free_id
from console.core.drafting.changes import (
    AddStep,
    Change,
    Connect,
    Disconnect,
    RenameStep,
    Set,
    SetDocument,
    parts,
)
from console.core.expressions import ExpressionError, parse

LONGEST_TITLE = 200
AS_TEXT = "Use as text"
VALUES = frozenset({"value", "values"})
"""Settings whose expressions may be a text alone."""
END = {"type": "end", "title": "End", "config": {}, "next": {}}


class Mending(NamedTuple):
    """What the button says, and the change."""

    label: str
    change: Change


def mend(document: Mapping[str, Any], problem: Problem) -> Mending | None:
    """The change that mends the problem; None where a person has to decide, or an ill-formed name has to be mended first."""
    try:
        return _mend(document, problem)
    except ValidationError:
        return None


def _mend(document: Mapping[str, Any], problem: Problem) -> Mending | None:
    place = parts(problem.field) if problem.field and ".." not in problem.field else ("",)
    step = next((each for each in document["steps"] if each["id"] == problem.step), None)
    if step is None:
        return _of_document(document, problem, place)
    if problem.reason.startswith("There is no setting ") and not problem.reason.endswith(" meant?"):
        return Mending("Remove it", Set(step=step["id"], field=list(place)))
    if place[0] == "at":
        return Mending("Let it be arranged", Set(step=step["id"], field="at"))
    if place == ("id",) and step["id"] in RESERVED:
        return _well_named(document, step)
    if place[0] == "completion":
        return Mending("Let a person complete it", Set(step=step["id"], field="completion"))
    if place[0] == "next" and len(place) == 2:
        return _way(document, step, str(place[1]), problem.reason)
    if VALUES.intersection(map(str, place)) and (text := _unreadable(step, place)):
        return Mending(
            AS_TEXT, Set(step=step["id"], field=list(place), value=json.dumps(text, ensure_ascii=False))
        )
    return None


def _unreadable(step: Mapping[str, Any], place: Sequence[str | int]) -> str:
    """Return the text at the place where it is no expression; else nothing."""
    held: Any = step
    try:
        for part in place:
            held = held[part]
        parse(held)
    except ExpressionError:
        return str(held)
    except (KeyError, IndexError, TypeError):
        return ""
    return ""


def _way(document: Mapping[str, Any], step: Mapping[str, Any], outcome: str, reason: str) -> Mending | None:
    ids = {each["id"] for each in document["steps"]}
    to = step.get("next", {}).get(outcome)
    if to is not None and to in ids:
        if reason.startswith("This leads back to "):
            title = next(each.get("title") or to for each in document["steps"] if each["id"] == to)
            back = {"type": "go_to", "title": f"Back to {title}"[:LONGEST_TITLE], "config": {}, "next": {}}
            return Mending(
                "Put a Go to in between", AddStep(step=back, after=step["id"], outcome=outcome, place=None)
            )
        wrong = ("Nothing follows", "The step has no outcome", "The step leads to itself")
        return (
            Mending("Remove this way", Disconnect(step=step["id"], outcome=outcome))
            if reason.startswith(wrong)
            else None
        )
    if reason == UNHEARD:
        own = AddStep(
            step={**END, "title": "Rejected"}, after=step["id"], outcome=outcome, place=len(document["steps"])
        )
        return Mending("Add an End for a no", own)
    ends = [each for each in document["steps"] if each["type"] in ENDS]
    if not ends:
        return Mending(
            "Add an End",
            AddStep(step=dict(END), after=step["id"], outcome=outcome, place=len(document["steps"])),
        )
    if len(ends) > 1:
        return None
    return Mending(
        f"Connect to {ends[0].get('title') or ends[0]['id']}",
        Connect(step=step["id"], outcome=outcome, to=ends[0]["id"]),
    )


def _of_document(
    document: Mapping[str, Any], problem: Problem, place: tuple[str | int, ...]
) -> Mending | None:
    if problem.reason == NO_END:
        open_ended = [each for each in document["steps"] if not each.get("next") and each["type"] not in ENDS]
        after = open_ended[-1]["id"] if open_ended else None
        return Mending("Add an End", AddStep(step=dict(END), after=after, place=len(document["steps"])))
    if problem.reason == NO_START:
        return Mending(
            "Add a Start",
            AddStep(step={"type": "start", "title": "Start", "config": {}, "next": {}}, place=0),
        )
    if problem.reason.startswith("There is no setting ") and not problem.reason.endswith(" meant?"):
        return Mending("Remove it", SetDocument(field=list(place)))
    if place[0] == "steps" and place[2:] == ("id",) and isinstance(place[1], int):
        return _well_named(document, document["steps"][place[1]])
    if place[0] == "groups" and problem.kind == UNKNOWN:
        return Mending("Remove it from the group", SetDocument(field=list(place)))
    return None


def _well_named(document: Mapping[str, Any], step: Mapping[str, Any]) -> Mending:
    """A name that expressions can take, as near to the step's own as may be."""
    plain = unicodedata.normalize("NFKD", step["id"]).encode("ascii", "ignore").decode().strip("_- ")
    name = free_id(plain or step["type"], {each["id"] for each in document["steps"]})
    return Mending("Give it another name", RenameStep(step=step["id"], id=name))
