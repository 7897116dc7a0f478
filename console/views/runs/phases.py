"""The list of steps by phase: what was found in each, its steps, and automatic steps in one line. Nothing here decides anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from console import steps as step_types, workflows
from console.core.documents.fields import FieldDefinition
from console.core.errors import ConsoleError
from console.views import formats
from console.views.formats import Kind, Look

STATE_WORDS = {"done": "Done", "now": "Now", "todo": "To do"}


@dataclass(frozen=True, slots=True)
class Phase:
    """A line of the list. `steps` are those of people, `folded` the automatic ones; `findings` and `flags` are words of what was found."""

    title: str
    state: str
    number: int
    findings: Sequence[str]
    flags: Sequence[str]
    steps: Sequence[Mapping[str, Any]]
    folded: Sequence[Mapping[str, Any]]

    @property
    def word(self) -> str:
        """Return the state in a word, for those who hear the page."""
        return STATE_WORDS[self.state]


UNDONE = frozenset({"todo", "cancelled"})
"""States of steps that do not make a phase done: what was cancelled is still to do."""


def phases(
    run: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], look: Look, kinds: Mapping[str, Kind]
) -> list[Phase]:
    """Return the phases in the order of the run's version; none where it has no groups. `entries` are the steps of the path and the next ones.

    A step without a group belongs to the phase before it. `kinds` are those of the record's fields.
    """
    plan = _plan(run["workflow"]["id"], run["version"])
    if plan is None or not plan.titles:
        return []
    members: dict[int, list[Mapping[str, Any]]] = {}
    place = plan.first
    for entry in entries:
        place = plan.places.get(entry["step"], place)
        members.setdefault(place, []).append(entry)
    current = next((entry["step"] for entry in entries if entry["state"] == "now"), None)
    ahead = plan.reached(current) if current is not None else frozenset()
    order = sorted({*members, *ahead})
    here = next((each for each in members if any(entry["state"] == "now" for entry in members[each])), None)
    made = []
    for number, each in enumerate(order, 1):
        steps = members.get(each, [])
        state = (
            "now"
            if each == here
            else "done"
            if any(entry["state"] not in UNDONE for entry in steps)
            else "todo"
        )
        made.append(_phase(plan, each, number, state, steps, look, kinds))
    return made


def _phase(
    plan: "Plan",
    place: int,
    number: int,
    state: str,
    entries: Sequence[Mapping[str, Any]],
    look: Look,
    kinds: Mapping[str, Kind],
) -> Phase:
    folded = [entry for entry in entries if _by_itself(entry)]
    folded = folded if len(folded) > 1 or len(folded) < len(entries) else []
    found = {
        name: [
            finding_words(entry[name], {**plan.kinds, **kinds}, look) for entry in entries if entry.get(name)
        ]
        for name in ("finding", "flag")
    }
    cancelled = sum(entry["state"] == "cancelled" for entry in entries)
    return Phase(
        plan.titles.get(place, plan.start),
        state,
        number,
        [
            *found["finding"][-1:],
            *([f"{cancelled} earlier {'attempt' if cancelled == 1 else 'attempts'}"] if cancelled else []),
        ],
        list(dict.fromkeys(found["flag"])),
        [entry for entry in entries if not folded or not _by_itself(entry)],
        folded,
    )


def _by_itself(entry: Mapping[str, Any]) -> bool:
    """Whether the engine did the step, or will."""
    if entry["state"] in ("now", "failed") or entry.get("handled_manually"):
        return False
    return bool(entry.get("automatic")) or entry["state"] == "skipped"


def finding_words(pieces: Sequence[tuple[str | None, Any]], kinds: Mapping[str, Kind], look: Look) -> str:
    """Return the words of a finding, each value as its field shows it."""
    return "".join(
        str(value) if field is None else _value(field, value, kinds, look) for field, value in pieces
    )


def _value(field: str, value: Any, kinds: Mapping[str, Kind], look: Look) -> str:
    name = field.rpartition(".")[2]
    what = kinds.get(field) or kinds.get(name) or Kind(name, name, _type_of(value))
    return formats.text(what, value, look)


def _type_of(value: Any) -> str:
    """The type that shows a value whose field is not known."""
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case list():
            return "multi_enum"
    return "text"


@dataclass(frozen=True, slots=True)
class Plan:
    """The phases of a version: titles by place, the place of each step, the steps that follow each step, and the kinds of the forms' fields."""

    titles: Mapping[int, str]
    places: Mapping[str, int]
    ways: Mapping[str, Sequence[str]]
    kinds: Mapping[str, Kind]
    start: str
    first: int

    def reached(self, step: str) -> frozenset[int]:
        """Return the places of phases to which a way leads from the step."""
        seen, left = set[str](), [step]
        while left:
            name = left.pop()
            if name not in seen:
                seen.add(name)
                left += self.ways.get(name, ())
        return frozenset(self.places[name] for name in seen if name in self.places and name != step)


@lru_cache(maxsize=256)
def _plan(workflow: str, version: int) -> Plan | None:
    try:
        document = workflows.version(workflow, version).document
    except (ConsoleError, ValueError):
        return None
    titles = {number: group.title for number, group in enumerate(document.groups)}
    places = {
        step: number for number, group in reversed(list(enumerate(document.groups))) for step in group.steps
    }
    loops = {step.id for step in document.steps if step.type == "go_to"}
    ways = {step.id: list(step.next.values()) if step.id not in loops else [] for step in document.steps}
    kinds = {}
    for step in document.steps:
        config = step_types.view(step).config
        for entry in [*(getattr(config, "form", None) or ()), *(getattr(config, "output", None) or ())]:
            if isinstance(entry, FieldDefinition):
                kinds[f"{step.id}.{entry.name}"] = formats.kind(entry.field())
    start = document.start.id
    return Plan(titles, places, ways, kinds, document.start.title, places.get(start, -1))
