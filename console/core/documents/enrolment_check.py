"""Errors in the exits of a workflow: expressions that cannot be read, and names that are not known when somebody may leave."""

from collections.abc import Mapping
from typing import Any

from console.core import expressions
from console.core.documents.fields import Located
from console.core.documents.references import Known, roots_of, suggestion, wrong_references
from console.core.documents.triggers_check import EVENTS
from console.core.documents.workflow_sketch import Problem
from console.core.expressions.nodes import Compare, Items, Literal, Path, Within, walk

KNOWN_ROOTS = frozenset({"record", "input", "event", "variables", "now"})
"""What an exit may name. The steps of a run are left out: whoever waits to begin has none."""


def problems(raw: Mapping[str, Any], known: Known) -> list[Problem]:
    """Every error of `exits`, in their order."""
    exits = raw.get("exits")
    found = []
    for number, entry in enumerate(exits if isinstance(exits, list) else []):
        text = entry.get("if") if isinstance(entry, dict) else None
        if not isinstance(text, str) or not text.strip():
            continue  # the shape of the document says so
        place = f"exits[{number}].if"
        reasons = wrong_references(Located(place, text, event=True), template=False, known=known)
        if not reasons:
            roots = sorted(roots_of(text) - KNOWN_ROOTS)
            reasons = [
                f"{root} is not known here: an exit looks at record, input, event and variables."
                for root in roots
            ]
        found += [Problem(None, place, reason) for reason in reasons or _strange_events(text)]
    return found


def _strange_events(text: str) -> list[str]:
    """What is said about names compared with `event.on` that no event has: such an exit would never apply."""
    names: list[str] = []
    for node in walk(expressions.parse(text).node):
        match node:
            case Compare(left=Path(root="event", steps=("on",)), right=Literal(value=str() as name)):
                names.append(name)
            case Within(item=Path(root="event", steps=("on",)), list=Items(items=items)):
                names += [str(item.value) for item in items if isinstance(item, Literal)]
    return [f"There is no event {name}{suggestion(name, EVENTS)}" for name in names if name not in EVENTS]
