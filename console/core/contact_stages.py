"""The stage of a contact: the field with options that the collection's document names. Every change of it is an event beside that of the change."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.core.documents.collections import Collection, Field

STAGE = "contact.stage"
"""The field of the stage in the settings of a step, whatever its name is in the collection."""


def stage_field(collection: Collection) -> Field | None:
    """The field of the stage; None where the collection has no contacts, or they have no stages."""
    name = collection.contact.stage if collection.contact is not None else None
    return collection.field(name) if name is not None else None


def named_fields(collection: Collection, names: Sequence[str]) -> list[str]:
    """The names, with that of the stage's field for `STAGE`; without it where the collection has no stage."""
    field = stage_field(collection)
    return [
        field.name if name == STAGE and field is not None else name
        for name in names
        if name != STAGE or field is not None
    ]


def stage_move(
    collection: Collection, old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The open values of the event `stage_changed` for a change of these fields; None where the stage is as it was."""
    field = stage_field(collection)
    if field is None or field.name not in new or old.get(field.name) == new[field.name]:
        return None
    return {"field": field.name, "former": old.get(field.name), "stage": new[field.name]}
