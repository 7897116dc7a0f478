"""Records added and deleted by hand: judged first, done in the actor's scope, noted in the log."""

from collections.abc import Mapping
from typing import Any

from console import access, browse, records
from console.core.actor import Actor
from console.core.collections import Collection
from console.errors import Invalid, NotAllowed, NotFound
from console.records import Record, WriteUnknown


def create(actor: Actor, collection_id: str, values: Mapping[str, Any]) -> Record:
    """The record that was added with these values (name → JSON), as far as the actor may read it.

    Raises NotFound, NotAllowed, Invalid with a detail per field that is wrong, Conflict `exists`, SourceDown; WriteUnknown when it cannot be said
    whether it was made, which is noted as well.
    """
    collection, scope = browse.browsed(actor, collection_id)
    access.require(actor, None, f"collection:{collection_id}", "create")
    fixed = [field for field in collection.fields if field.name in values and field.readonly and field.name not in collection.key]
    if fixed and not scope.hidden & {field.name for field in fixed}:
        details = [{"field": field.name, "reason": f"{field.label} cannot be filled in here."} for field in fixed]
        raise Invalid(f"The {collection.label_one.lower()} was not added: {details[0]['reason']}", details=details)
    try:
        made = records.insert(collection_id, values, access.scope_for(actor, collection_id, "create"))
    except WriteUnknown:
        browse.note_change(actor, collection, None, {}, values, result="unknown", effect="added")
        raise
    browse.note_change(actor, collection, made.key, {}, values, result="succeeded", effect="added")
    return _as_read(actor, collection, made)


def _as_read(actor: Actor, collection: Collection, made: Record) -> Record:
    """The record as the actor reads it; without values where it lies outside of what they see."""
    try:
        return records.get(collection.id, made.key or "", browse.looking(actor, collection))
    except NotFound:
        return Record(collection.id, made.key, made.key or "", {})


def delete(actor: Actor, collection_id: str, key: str, expected: Mapping[str, Any]) -> None:
    """Delete the record, if all fields of `expected` (name → value) still are what they were.

    Raises NotFound, NotAllowed, Conflict `record_changed` with `theirs` per field that moved or `in_use` where others refer to it, Invalid, SourceDown;
    WriteUnknown when it cannot be said whether it is gone, which is noted as well.
    """
    collection, scope = browse.browsed(actor, collection_id)
    before = records.get(collection_id, key, scope)
    obj = f"collection:{collection_id}"
    access.require(actor, None, obj, "delete")
    allowed = access.scope_for(actor, collection_id, "delete")
    if allowed.nothing or (not allowed.unlimited and key not in records.visible(collection_id, [key], allowed)):
        raise NotAllowed("You may see this record, but not delete it. An admin can grant it.", need=(obj, "delete"))
    strange = [name for name in expected if name not in before.values]
    if strange:
        details = [{"field": name, "reason": f"{collection.label_one} has no field {name}."} for name in strange]
        raise Invalid(f"There is no field {', '.join(strange)}.", details=details)
    whose = browse.subject_of(collection, key)  # told before it is gone: afterwards nothing leads there
    try:
        records.delete(collection_id, key, expected, allowed)
    except WriteUnknown:
        browse.note_change(actor, collection, key, before.values, {}, result="unknown", effect="deleted", whose=whose)
        raise
    browse.note_change(actor, collection, key, before.values, {}, result="succeeded", effect="deleted", whose=whose)
