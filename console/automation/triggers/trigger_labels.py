"""What triggers wait for, whom they let in, and how those who are in leave and come again: in words."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from console import records
from console.auth.access import policy_words
from console.core import expressions, schedule
from console.core.documents.collections import Field
from console.core.documents.condition_words import CALLS, CHANNELS
from console.core.documents.triggers import Trigger
from console.core.documents.triggers_check import EVENTS
from console.core.documents.workflow import AfterDays, Exit, Workflow
from console.core.errors import NotFound
from console.core.expressions import ExpressionError
from console.core.expressions.nodes import Compare, Items, Junction, Literal, Node, Path, Within
from console.core.plain_words import humanised

ASKED = {
    "manual": "When somebody starts it by hand",
    "record": "When somebody starts it from a record",
    "api": "When a program asks, with a key",
    "mcp": "When an assistant asks, with a key",
}
PLACEHOLDER = "…"
HAPPENED = {
    "record.created": "the record was added",
    "record.updated": "the record was changed",
    "record.deleted": "the record was deleted",
    "contact.created": "the contact was added",
    "tag.added": "a tag was added",
    "tag.removed": "a tag was removed",
    "stage.changed": "the stage was changed",
    "message.received": "a message came in from them",
    "message.failed": "a message to them could not be sent",
    "call.ended": "a call with them ended",
    "run.completed": "a run about them was completed",
    "run.failed": "a run about them failed",
    "consent.given": "they gave a consent",
    "consent.withdrawn": "they withdrew a consent",
}
"""Events inside a sentence about somebody who is enrolled."""

TOLD: Mapping[str, Mapping[str, str]] = {"channel": dict(CHANNELS), "outcome": dict(CALLS)}
"""What events tell by a code → the code → its words."""


def trigger_words(definition: Trigger) -> str:
    """What the trigger waits for, in words."""
    match definition.kind:
        case "schedule":
            return (
                schedule.spoken(definition.fields) if definition.fields else None
            ) or "At the times of a schedule"
        case "event":
            return EVENTS.get(definition.on or "", "An event") + _of_collection(definition.collection)
        case "webhook":
            return "When another program calls an address"
    return ASKED[definition.kind]


def whom_words(definition: Trigger, collection: str | None) -> list[str]:
    """Whom the trigger lets in, a sentence each: the segment of a schedule, and its filter. `collection` is the workflow's own."""
    found = []
    if definition.segment is not None and collection is not None:
        name = (definition.sort or "").removeprefix("-")
        order = (
            f", by {_label_of(collection)(name)}, {'highest' if definition.sort != name else 'lowest'} first"
            if definition.sort
            else ""
        )
        found.append(
            f"Everybody in the segment {_segment(collection, definition.segment)} is enrolled{order}."
        )
    if definition.find_by is not None and collection is not None:
        found.append(
            f"The record is found by its {_label_of(collection)(definition.find_by)}; where none or several have what was sent, nothing starts."
        )
    if definition.filter is not None:
        said = condition_words(definition.filter, definition.collection or collection)
        found.append(
            f"Only where {said}." if said else "Only where a condition holds that is written in the file."
        )
    return found


def example_body(definition: Trigger, document: Workflow) -> dict[str, Any]:
    """What the body of a webhook holds, as far as its expressions and the fields of the start tell; “…” stands for each value, the record first."""
    texts = [text for text in (definition.record, definition.filter, *definition.input.values()) if text]
    fields = (
        []
        if definition.input
        else [
            str(field["name"]) for field in document.start.config.get("fields", ()) if field.get("required")
        ]
    )
    own = ["record"] if document.collection is not None and definition.record is None else []
    read = [
        path[1:]
        for text in texts
        for path in sorted(expressions.paths(expressions.parse(text)))
        if path[0] == "input" and len(path) > 1
    ]
    body: dict[str, Any] = {}
    for *way, last in [*((name,) for name in (*own, *fields)), *read]:
        place = body
        for name in way:
            if not isinstance(place.get(name), dict):
                place[name] = {}
            place = place[name]
        place.setdefault(last, PLACEHOLDER)
    return body


def exit_words(given: Exit, collection: str | None) -> str:
    """When somebody leaves early: “they wrote to us: when a message came in from them”."""
    said = condition_words(given.if_, collection)
    reason = given.reason[:1].upper() + given.reason[1:]
    return f"{reason}: when {said}." if said else f"{reason}."


def again_words(document: Workflow) -> str:
    """Whether whoever was enrolled may be enrolled again."""
    match document.reenrol:
        case "never":
            return "Nobody is enrolled twice: whoever was in it once is left out."
        case AfterDays(days=days):
            return f"Whoever has left may be enrolled again {days} day{'' if days == 1 else 's'} later, not before."
    return "Whoever has left may be enrolled again at once."


def condition_words(text: str, collection: str | None) -> str | None:
    """An expression as the middle of a sentence; None where it has no simple words."""
    try:
        node = expressions.parse(text).node
    except ExpressionError:
        return None
    return _words(_labelled(node, _fields_of(collection)), _label_of(collection))


def _labelled(node: Node, fields: Mapping[str, Field]) -> Node:
    """The condition with the labels of choices in place of what is stored for them."""
    match node:
        case Junction(items=items):
            return replace(node, items=tuple(_labelled(item, fields) for item in items))
        case Compare(left=Path(root="record" | "former", steps=(str() as name,)), right=right) if (
            name in fields
        ):
            return replace(node, right=_choice(right, fields[name]))
        case Within(
            item=Path(root="record" | "former", steps=(str() as name,)), list=Items(items=items) as found
        ) if name in fields:
            return replace(
                node, list=replace(found, items=tuple(_choice(item, fields[name]) for item in items))
            )
        case Compare(left=Path(root="event", steps=(str() as name,)), right=right) if name in TOLD:
            return replace(node, right=_named(right, TOLD[name]))
        case Within(item=Path(root="event", steps=(str() as name,)), list=Items(items=items) as found) if (
            name in TOLD
        ):
            return replace(node, list=replace(found, items=tuple(_named(item, TOLD[name]) for item in items)))
    return node


def _choice(node: Node, field: Field) -> Node:
    return _named(node, {one.value: one.label for one in field.options or ()})


def _named(node: Node, labels: Mapping[str, str]) -> Node:
    return (
        replace(node, value=labels[str(node.value)])
        if isinstance(node, Literal) and str(node.value) in labels
        else node
    )


def _words(node: Node, label: Callable[[str], str]) -> str | None:
    match node:
        case Junction(kind=kind, items=items):
            parts = [_words(item, label) for item in items]
            if any(part is None for part in parts):
                return None
            joined = " and " if kind == "all" else " or "
            return joined.join(
                f"({part})" if isinstance(item, Junction) else str(part)
                for part, item in zip(parts, items, strict=True)
            )
        case Compare(
            operator="==", left=Path(root="event", steps=("on",)), right=Literal(value=str() as name)
        ):
            return HAPPENED.get(name)
        case Compare(operator="==", left=Path(root="event", steps=("run",)), right=Literal(value=None)):
            return "no run has done it"
        case Within(item=Path(root="event", steps=("on",)), list=Items(items=items)):
            names = [HAPPENED.get(str(item.value)) if isinstance(item, Literal) else None for item in items]
            return None if any(name is None for name in names) else " or ".join(map(str, names))
    return policy_words.condition_words(node, label)


def _label_of(collection: str | None) -> Callable[[str], str]:
    """Name of a field → how people call it."""
    known = _fields_of(collection)
    return lambda name: known[name].label if name in known else humanised(name)


def _fields_of(collection: str | None) -> Mapping[str, Field]:
    """Name → field; none of a collection that is not there."""
    if collection is None:
        return {}
    try:
        return records.collection(collection).by_name
    except NotFound:
        return {}


def _segment(collection: str, segment: str) -> str:
    try:
        found = records.collection(collection)
    except NotFound:
        return f"“{segment}”"
    label = next((one.label for one in found.segments if one.id == segment), segment)
    return f"“{label}” of {found.label}"


def _of_collection(collection: str | None) -> str:
    if collection is None:
        return ""
    try:
        return f": {records.collection(collection).label}"
    except NotFound:
        return ""
