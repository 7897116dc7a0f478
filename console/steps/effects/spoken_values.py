"""How values are written in the texts of a run (labels, currencies): from the fields of forms, of actions and of collections."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from console import records, steps
from console.core.documents.collections import Collection
from console.core.documents.fields import FieldDefinition
from console.core.documents.workflow import Workflow
from console.core.errors import ConsoleError
from console.core.speaking import Say, Saying
from console.formats import CODED, code_choices
from console.steps.base import StepView
from console.steps.effects import action_cache

SAID = frozenset({"money", "person", *CODED})
"""Widgets of fields whose values are said otherwise than they are stored."""
WRITTEN = ("record", "new", "old")
"""Under which names an effect's result keeps values of the record that it wrote or added."""


_cached: dict[tuple[str, int], tuple[Sequence[Collection], Saying, Mapping[str, Saying]]] = {}
KEPT_MOST = 200


def of_run(workflow: str, version: int, document: Workflow, step: str | None = None) -> Saying:
    """Path → how its value is written, for texts at this step of the workflow's version. Cached until a collection changes."""
    now = records.collections()
    cached = _cached.get((workflow, version))
    if (
        cached is None
        or len(cached[0]) != len(now)
        or any(before is not current for before, current in zip(cached[0], now, strict=True))
    ):
        if len(_cached) >= KEPT_MOST:
            _cached.clear()
        cached = _cached[workflow, version] = (now, dict(_of_steps(document)), _of_items(document))
    return {**cached[1], **cached[2].get(step or "", {})}


def labels_in(document: Workflow) -> Mapping[str, str]:
    """Code → label, for values that are apart from their field, such as those of variables: of options for which all fields of the workflow have one label.

    Of a draft, the steps that cannot be read yet, or by this release, say nothing.
    """
    document = document.model_copy(
        update={"steps": [step for step in document.steps if steps.is_readable(step)]}
    )
    found: dict[str, set[str]] = {}
    names = [_names_of_codes(widget) for widget in CODED]
    items = (said for saying in _of_items(document).values() for said in saying.values())
    for say in (*items, *(said for _, said in _of_steps(document))):
        for code, label in say.labels.items() if say.labels not in names else ():
            found.setdefault(code, set()).add(label)
    return {code: next(iter(labels)) for code, labels in found.items() if len(labels) == 1}


def _of_steps(document: Workflow) -> Iterator[tuple[tuple[str, ...], Say]]:
    own = _collection(document.collection)
    yield from _of_collection(("record",), own)
    for step in document.steps:
        view = steps.view(step)
        place = ("steps", step.id)
        yield from _of_reads(place, view, own)
        yield from _of_collection((*place, "record"), _shown_record(view, own))
        for name, labels in _choices(view):
            yield (*place, name), Say(labels)
        for effect, collection in _effects(view, own):
            for word in WRITTEN:
                yield from _of_collection((*place, "results", effect, word), collection)
                yield from _of_collection((*place, "result", word), collection)
        yield from _of_definitions(place, _definitions(view.config))
        if step.type == "start":
            yield from _of_definitions(("input",), _definitions(view.config))


def _of_reads(
    place: tuple[str, ...], view: StepView, own: Collection | None
) -> Iterator[tuple[tuple[str, ...], Say]]:
    for read in steps.get(view.type).reads(view):
        led = own.relation(read.relation) if own is not None and read.relation else None
        yield from _of_collection(
            (*place, read.name), _collection(read.collection or (led.collection if led else None))
        )


def _shown_record(view: StepView, own: Collection | None) -> Collection | None:
    """The collection of the record that the step puts under `record`."""
    items = getattr(view.config, "items", None)
    relation, collection = getattr(items, "relation", None), getattr(items, "collection", None)
    led = own.relation(relation) if own is not None and relation else None
    return _collection(collection or (led.collection if led else None)) or own


def _of_items(document: Workflow) -> Mapping[str, Saying]:
    """Step → how the values of the item are said: of a step that goes through a list, and of those that are done for each item of one."""
    own = _collection(document.collection)
    views = [steps.view(step) for step in document.steps if steps.get(step.type).by_items]
    found = {
        view.id: dict(
            [
                *_of_collection(("item",), _shown_record(view, own)),
                *_of_definitions(("item",), _definitions(view.config)),
            ]
        )
        for view in views
    }
    return {step: found[loop] for step, loop in steps.loops_around(document).items()} | found


def of_action(named: str | None) -> Saying:
    """Path → how its value is written, for texts of an action."""
    try:
        action = action_cache.get(named) if named is not None else None
    except ConsoleError:
        action = None
    if action is None:
        return {}
    about = _collection(action.collection)
    saying = dict([*_of_collection(("record",), about), *_of_definitions(("input",), action.form)])
    for effect in action.effects:
        target = getattr(effect, "collection", None)
        for word in WRITTEN:
            saying |= dict(
                _of_collection(("results", effect.name, word), _collection(target) if target else about)
            )
    return saying


def _of_collection(
    place: tuple[str, ...], collection: Collection | None
) -> Iterator[tuple[tuple[str, ...], Say]]:
    for field in collection.fields if collection is not None else ():
        if field.options is not None or field.widget in SAID or field.references:
            labels = {option.value: option.label for option in field.options or ()} or _names_of_codes(
                field.widget
            )
            yield (
                (*place, field.name),
                Say(
                    labels,
                    field.currency,
                    field.minor,
                    field.widget == "money",
                    field.references,
                    field.widget == "person",
                ),
            )


def _names_of_codes(widget: str | None) -> Mapping[str, str]:
    """Code → name in English, the language of texts that are made before their reader is known."""
    return dict(code_choices(widget, "en")) if widget in CODED else {}


def _of_definitions(
    place: tuple[str, ...], entries: Iterable[FieldDefinition]
) -> Iterator[tuple[tuple[str, ...], Say]]:
    for entry in entries:
        labels = {option.value: option.label for option in entry.options or ()}
        if labels or entry.fixed_currency or entry.collection:
            yield (
                (*place, entry.name),
                Say(labels, entry.currency, entry.minor, entry.fixed_currency, entry.collection),
            )


def _definitions(config: Any) -> list[FieldDefinition]:
    """The fields of a step's forms: its own, and those of the actions that it does."""
    own = [
        entry
        for part in ("fields", "form", "output")
        for entry in getattr(config, part, None) or ()
        if isinstance(entry, FieldDefinition)
    ]
    return own + [entry for action in _actions(config) for entry in action.form]


def _choices(view: StepView) -> Iterator[tuple[str, Mapping[str, str]]]:
    options = getattr(view.config, "options", None)
    if options:
        yield "option", {str(option.value): str(option.label) for option in options}


def _effects(view: StepView, own: Collection | None) -> Iterator[tuple[str, Collection | None]]:
    effect = getattr(view.config, "effect", None)
    every = [
        (_collection(action.collection), each) for action in _actions(view.config) for each in action.effects
    ]
    for about, each in [*every, *([(own, effect)] if effect is not None else [])]:
        named = getattr(each, "collection", None)
        yield each.name, _collection(named) if named else about


def _actions(config: Any) -> Iterator[Any]:
    """The actions that the step does."""
    for offered in getattr(config, "offered", (config,)):
        if isinstance(named := getattr(offered, "action", None), str):
            with suppress(ConsoleError):
                yield action_cache.get(named)


def _collection(named: str | None) -> Collection | None:
    try:
        return records.collection(named) if named else None
    except ConsoleError:
        return None
