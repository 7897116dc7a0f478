"""Errors of the triggers of a workflow document, each with the field to mend."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from console.core import expressions, schedule
from console.core.documents.collections import fields_of
from console.core.documents.fields import Located
from console.core.documents.references import Known, roots_of, suggestion, wrong_references
from console.core.documents.triggers import Trigger
from console.core.documents.workflow_sketch import Problem, Sketch

EVENTS: Mapping[str, str] = {
    "record.created": "A record was added",
    "record.updated": "A record was changed",
    "record.deleted": "A record was deleted",
    "contact.created": "A contact was added",
    "tag.added": "A tag was added",
    "tag.removed": "A tag was removed",
    "stage.changed": "A stage was changed",
    "message.received": "A message came in",
    "message.failed": "A message could not be sent",
    "call.ended": "A call ended",
    "consent.given": "Consent was given",
    "consent.withdrawn": "Consent was withdrawn",
    "run.completed": "A run was completed",
    "run.failed": "A run failed",
}
"""What a trigger may wait for, in the words of people."""

FORMER_EVENTS: Mapping[str, str] = {"message.opened": "An e-mail was opened"}
"""Events that no longer happen; versions that wait for one can still be read."""

SAME: Mapping[str, str] = {"contact.created": "record.created"}
"""Event of contacts → the event of records that it is, where the collection is one of contacts."""

OF_RECORDS = tuple(name for name in EVENTS if name.startswith("record."))
HOUSE = frozenset({"variables", "tables", "now"})
ROOTS: Mapping[str, frozenset[str]] = {
    "schedule": HOUSE,
    "event": HOUSE | {"record", "former", "event"},
    "webhook": HOUSE | {"input"},
}
"""What the expressions of a kind may look at."""

TAKEN: Mapping[str, frozenset[str]] = {
    "schedule": frozenset(
        {"cron", "preset", "zone", "missed", "filter", "input", "record", "segment", "sort"}
    ),
    "event": frozenset({"on", "collection", "filter", "input", "record"}),
    "webhook": frozenset({"signed", "signature", "filter", "input", "record", "find_by", "zone"}),
}
"""The settings that a kind takes beside those of all; the others take none."""

FOUND_BY = frozenset({"text", "email", "phone", "integer", "uuid"})
OF_ALL = frozenset({"id", "kind", "enabled", "title"})
UNATTENDED = frozenset({"schedule", "event"})


def problems(raw: Mapping[str, Any], house: Known) -> list[Problem]:
    """Everything wrong in `triggers` that the shape of the document does not show. `house`: what every expression of the workflow knows."""
    given, collections = raw.get("triggers"), house.collections
    found: list[Problem] = []
    first: dict[str, int] = {}
    for number, each in enumerate(given if isinstance(given, list) else ()):
        try:
            trigger = Trigger.model_validate(each)
        except ValidationError:
            continue  # the shape is reported already
        place = f"triggers[{number}]"
        if trigger.id in first:
            found.append(
                Problem(None, f"{place}.id", f"Two triggers have the id {trigger.id}: give this one another.")
            )
        first.setdefault(trigger.id, number)
        found += [
            Problem(None, f"{place}.{field}", reason) for field, reason in _of_kind(trigger, raw, collections)
        ]
        found += [Problem(None, f"{place}.{field}", reason) for field, reason in _texts(trigger, raw, house)]
        if reason := nobody_acts(trigger, raw.get("run_as")):
            found.append(Problem(None, "run_as", reason))
        found += unseen(trigger, raw, collections, place)
        found += _misspelt(trigger, house.input, place)
    return found


def _of_kind(
    trigger: Trigger, raw: Mapping[str, Any], collections: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    taken = TAKEN.get(trigger.kind, frozenset())
    for name in type(trigger).model_fields:
        if name not in taken | OF_ALL and getattr(trigger, name) not in (None, {}):
            yield name, f"A trigger of kind {trigger.kind} takes no {name}: remove it."
    if trigger.kind == "schedule":
        yield from _of_schedule(trigger)
    if trigger.zone is not None and (wrong := schedule.wrong_zone(trigger.zone)) is not None:
        yield "zone", wrong
    if trigger.kind == "event":
        yield from _of_event(trigger, raw, collections)
    own = raw.get("collection")
    if trigger.sort is not None and trigger.segment is None:
        yield "sort", "Only a segment has an order: name one, or remove this."
    if trigger.segment is not None:
        yield from _of_segment(trigger, own, collections)
    elif isinstance(own, str) and trigger.record is None:
        if trigger.kind == "schedule":
            yield (
                "record",
                f"The workflow is about a record of {getattr((collections or {}).get(own), 'label', own)}, and a time names none: say which, or name a segment, or leave the workflow without a collection.",
            )
        elif trigger.kind == "event" and trigger.collection not in (None, own):
            yield (
                "record",
                f"The runs are about records of {own}: say which one, by an expression over the record of {trigger.collection}.",
            )
    if trigger.kind == "webhook" and trigger.find_by is not None:
        yield from _of_find_by(trigger.find_by, own, collections)
    if trigger.signature is not None and not trigger.signed:
        yield "signature", "It is not signed: say `signed`, or remove this."
    if own is None and trigger.record is not None:
        yield "record", "The workflow is about no record: remove this, or name a collection."


def _of_find_by(name: str, own: Any, collections: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    if not isinstance(own, str):
        yield "find_by", "The workflow is about no record: remove this, or name a collection."
        return
    collection = (collections or {}).get(own)
    if collection is None:
        return
    field = collection.by_name.get(name)
    if field is None:
        yield "find_by", f"{own} has no field {name}{suggestion(name, list(collection.by_name))}"
    elif not finds(field):
        yield (
            "find_by",
            f"{field.label} tells no record from others: name a field such as an e-mail address or a number.",
        )


def finds(field: Any) -> bool:
    """Whether a record may be looked for by this field: text and whole numbers that the database holds."""
    return (
        field.computed is None
        and field.options is None
        and (field.stored in FOUND_BY or field.type in FOUND_BY)
    )


def _of_segment(
    trigger: Trigger, own: Any, collections: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    if not isinstance(own, str):
        yield "segment", "The workflow is about no record: remove this, or name a collection."
        return
    if trigger.record is not None:
        yield "record", "The trigger names a segment already: keep one of the two."
    collection = (collections or {}).get(own)
    known = [segment.id for segment in collection.segments] if collection is not None else []
    if collection is not None and trigger.segment not in known:
        yield "segment", f"{own} has no segment {trigger.segment}{suggestion(trigger.segment or '', known)}"
    if (
        collection is not None
        and trigger.sort is not None
        and (name := trigger.sort.removeprefix("-")) not in collection.by_name
    ):
        yield "sort", f"{own} has no field {name}{suggestion(name, list(collection.by_name))}"


def _of_schedule(trigger: Trigger) -> Iterator[tuple[str, str]]:
    if trigger.preset is not None:
        if trigger.cron is not None:
            yield "cron", "The preset says when already: keep one of the two."
        yield from ((f"preset.{part}", reason) for part, reason in trigger.preset.wrong())
    wrong = (
        "This is missing: say when, such as 30 2 * * *, or name a preset."
        if trigger.cron is None
        else schedule.wrong_cron(trigger.cron)
    )
    if wrong is not None and trigger.preset is None:
        yield "cron", wrong
    if (
        trigger.preset is not None
        and (fields := trigger.preset.cron)
        and (wrong := schedule.wrong_cron(fields))
    ):
        yield "preset.day", wrong


def _of_event(
    trigger: Trigger, raw: Mapping[str, Any], collections: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    if trigger.on is None:
        yield "on", f"This is missing: say which event, one of {', '.join(EVENTS)}."
        return
    if trigger.on not in EVENTS:
        yield "on", f"There is no event {trigger.on}{suggestion(trigger.on, EVENTS)}"
        return
    name = collection_of(trigger, raw)
    if name is None and not trigger.on.startswith("run."):
        yield "collection", "The workflow has no collection: say of which collection the records are."
    if name is not None and collections is not None and name not in collections:
        yield "collection", f"There is no collection {name}{suggestion(name, collections)}"


def collection_of(trigger: Trigger, raw: Mapping[str, Any]) -> str | None:
    """The collection of the records whose events it waits for."""
    own = raw.get("collection")
    return trigger.collection or (own if isinstance(own, str) else None)


def _texts(trigger: Trigger, raw: Mapping[str, Any], house: Known) -> Iterator[tuple[str, str]]:
    """Unreadable expressions, unknown names in them, and inputs that the start does not ask for."""
    roots = ROOTS.get(trigger.kind, HOUSE)
    of = collection_of(trigger, raw) if trigger.kind == "event" else None
    known = replace(house, input=None, collection=of)
    texts = [
        ("filter", trigger.filter),
        ("record", trigger.record),
        *((f"input.{name}", text) for name, text in trigger.input.items()),
    ]
    for field, text in texts:
        if text is None:
            continue
        wrong = _strange_roots(text, roots) or wrong_references(
            Located(field, text, event=True), template=False, known=known
        )
        wrong = wrong or _wrong_former(text, of, house.collections)
        yield from ((field, reason) for reason in wrong)
    for name in trigger.input:
        if house.input is not None and name not in house.input:
            yield f"input.{name}", f"The start asks for no {name}{suggestion(name, house.input)}"


def _strange_roots(text: str, roots: frozenset[str]) -> list[str]:
    try:
        strange = sorted(roots_of(text) - roots)
    except expressions.ExpressionError:
        return []
    return [f"{root} is not known here: it may look at {', '.join(sorted(roots))}." for root in strange]


def _wrong_former(text: str, of: str | None, collections: Mapping[str, Any] | None) -> list[str]:
    collection = (collections or {}).get(of or "")
    if collection is None:
        return []
    names = [field.name for field in collection.fields]
    return [
        f"{collection.label} has no field {name}{suggestion(name, names)}"
        for name in sorted(fields_of(text, root="former"))
        if name not in names
    ]


def nobody_acts(trigger: Trigger, run_as: Any) -> str:
    """Why the trigger can start nothing where the document names this account (None: no account); empty where it can."""
    if run_as or not (trigger.kind in UNATTENDED or (trigger.kind == "webhook" and trigger.signed)):
        return ""
    what = {"schedule": "A schedule", "event": "An event"}.get(trigger.kind, "A signed webhook")
    return f"{what} starts runs while nobody is there: name the service account that acts, such as robot@example.com."


def unseen(
    trigger: Trigger, raw: Mapping[str, Any], collections: Mapping[str, Any] | None, place: str
) -> list[Problem]:
    """A warning where changes that other programs make are not seen."""
    collection = (
        (collections or {}).get(collection_of(trigger, raw) or "") if trigger.kind == "event" else None
    )
    reason = _unseen_changes(SAME.get(trigger.on or "", trigger.on or ""), collection)
    return [Problem(None, f"{place}.on", reason, "warning")] if reason else []


def unseen_by_waits(
    sketches: Sequence[Sketch], raw: Mapping[str, Any], collections: Mapping[str, Any] | None
) -> list[Problem]:
    """The same for steps that wait for a change of the record."""
    collection = (collections or {}).get(str(raw.get("collection")))
    waits = [
        (sketch.id, name)
        for sketch in sketches
        if sketch.type == "wait" and sketch.config is not None and sketch.config.event is not None
        for name in (sketch.config.event, *sketch.config.also)
    ]
    return [
        Problem(step, "config.event", reason, "warning")
        for step, name in waits
        if (reason := _unseen_changes(name, collection))
    ]


def _unseen_changes(on: str, collection: Any) -> str:
    """Which changes of this kind are not seen, and the way out; empty where all are."""
    if on not in OF_RECORDS or collection is None:
        return ""
    changes = getattr(collection, "changes", None)
    if changes is None:
        return f"Only changes made in the console are seen: name a column of {collection.label} under `changes`, that other programs' are too."
    if (
        on == "record.updated"
        and changes.column is not None
        and changes.column == changes.created
        and not changes.listen
    ):
        label = next(
            (field.label for field in collection.fields if field.name == changes.column), changes.column
        )
        return (
            f"Other programs' changes to {collection.label} are not seen, only their new rows: {label} says when a row was made."
            " Name a column that each change sets under `changes`."
        )
    if on == "record.deleted" and not (changes.deleted or changes.listen):
        return f"No deletion in {collection.label} is seen: name `deleted` under `changes`, or let the database tell by `listen`."
    return ""


def _misspelt(trigger: Trigger, input_names: frozenset[str] | None, place: str) -> list[Problem]:
    """A warning where the filter or the record of a webhook reads what the start does not ask for, and something very like it does."""
    if trigger.kind != "webhook" or trigger.input or not input_names:
        return []
    found = []
    for field, text in (("filter", trigger.filter), ("record", trigger.record)):
        for name in sorted(fields_of(text, root="input")) if text else ():
            meant = suggestion(name, input_names)
            if name not in input_names and meant != ".":
                reason = f"The start asks for no {name}{meant} Whoever calls has to send {name}, or nothing starts."
                found.append(Problem(None, f"{place}.{field}", reason, "warning"))
    return found
