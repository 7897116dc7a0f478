"""Fields and segments that the company's own functions add to collections; those that do not fit are left out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from console.core import expressions
from console.core.documents.collections import Collection, Field, Segment, polymorphic_references
from console.core.documents.collections.assembling import STORED_AS
from console.core.errors import DefinitionError
from console.core.plain_words import humanised
from console.records import hooks, sql_conditions


def fields() -> Mapping[str, Sequence[Field]]:
    """The fields from functions, by collection."""
    made: dict[str, list[Field]] = {}
    for hook in hooks.hooks_of("computed"):
        stored = STORED_AS.get(hook.type, hook.type)
        label = hook.label or humanised(hook.name)
        field = Field(
            hook.name, label, hook.type, stored, readonly=True, computed="", inputs=frozenset(hook.inputs)
        )
        made.setdefault(hook.collection, []).append(field)
    return made


def names(collection_id: str, structure: Mapping[str, Any]) -> frozenset[str]:
    """Names of the fields that a collection with this structure has without a word of its document: of functions, and of what its columns together lead to."""
    from console.records import catalogue  # which asks for `fields`

    known = catalogue.find(collection_id)
    led = (
        [
            item.name
            for item in known.computed_fields
            if item.pair is not None and polymorphic_references.is_led(item, structure)
        ]
        if known
        else []
    )
    return frozenset([*led, *(hook.name for hook in hooks.hooks_of("computed", collection_id))])


def with_hooks(made: dict[str, Collection]) -> dict[str, Collection]:
    """The collections with the segments from functions. Invalid ones are left out, and their hook gives the reason."""
    for hook in (*hooks.hooks_of("computed"), *hooks.hooks_of("segment")):
        collection = made.get(hook.collection)
        if collection is None:
            hooks.fail(hook, LookupError(f"there is no collection {hook.collection}"))
        elif hook.kind == "computed" and not any(
            item.name == hook.name and item.computed == "" for item in collection.computed_fields
        ):
            hooks.fail(hook, LookupError(_why_not(hook, collection)))
        elif hook.kind == "segment" and (added := _segment(hook, collection)) is not None:
            made[hook.collection] = replace(collection, segments=(*collection.segments, added))
    return made


def _why_not(hook: hooks.Hook, collection: Collection) -> str:
    """Why a computed field is left out."""
    absent = [name for name in hook.inputs if name not in collection.by_name]
    if absent:
        return f"{collection.id} has no column {', '.join(absent)}"
    if any(collection.by_name[name].hidden for name in hook.inputs):
        return "it is made of a column that is hidden from everybody"
    return f"{collection.id} has a field {hook.name} already"


def _segment(hook: hooks.Hook, collection: Collection) -> Segment | None:
    text = hooks.called(hook)
    if text is None:
        return None
    try:
        if collection.segment(hook.name) is not None:
            raise DefinitionError(f"{collection.id} has a segment {hook.name} already")
        sql_conditions.check(expressions.parse(str(text)), collection)
    except DefinitionError as error:
        hooks.fail(hook, ValueError(error.message))
        return None
    return Segment(hook.name, hook.label or humanised(hook.name), str(text))
