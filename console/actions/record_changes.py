"""Records added and deleted by hand: judged first, done in the actor's scope, noted in the log."""

from collections.abc import Mapping
from typing import Any

from console import browse, log, records
from console.auth import access
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.core.plain_words import uncapitalised
from console.core.scopes import Scope
from console.infra import faults
from console.log import Stored
from console.records import Record
from console.records.write import alike


class NotKnown(Conflict):
    """A record may have been added or not, and sending the same request again tells no more."""

    default_code = "write_unknown"

    def __init__(self, collection: Collection) -> None:
        super().__init__(
            f"It is not known whether this {uncapitalised(collection.label_one)} was added: the console stopped, or lost its connection to {collection.source},"
            f" while it was saved. Look for it in {collection.label}. If it is not there, send it once more under a new X-Idempotency-Key."
        )


def create(actor: Actor, collection_id: str, values: Mapping[str, Any]) -> Record:
    """The record that was added with these values (name → JSON), as far as the actor may read it.

    Raises NotFound, NotAllowed, Invalid with a detail per field that is wrong, Conflict `exists`, SourceDown; WriteUnknown when it cannot be said
    whether it was made, which is noted as well, and NotKnown where a process died over the same request before.
    """
    collection, scope = browse.browsed_collection(actor, collection_id)
    access.require(actor, None, f"collection:{collection_id}", "create")
    fixed = [
        field
        for field in collection.fields
        if field.name in values and field.readonly and field.name not in collection.key
    ]
    if fixed and not scope.hidden & {field.name for field in fixed}:
        details = [
            {"field": field.name, "reason": f"{field.label} cannot be filled in here."} for field in fixed
        ]
        raise Invalid(
            f"The {uncapitalised(collection.label_one)} was not added: {details[0]['reason']}",
            details=details,
        )
    browse.require_ungoverned(actor, collection, [name for name in values if name not in scope.hidden])
    allowed = access.scope_for(actor, collection_id, "create")
    with browse.intended(actor, collection, "added", None, old={}, new=values, whose=None) as intent:
        try:
            with log.reserved() as repeated:
                made = (_made_before(collection, values, allowed) if repeated else None) or records.insert(
                    collection_id, values, allowed
                )
        except NotKnown:
            intent.settle("unknown")
            raise
        faults.point("by_hand.note.before")
        intent.about = made
        kept = {name: made.values[name] for name in values}
        intent.settle(
            "succeeded", key=made.key, new=kept, whose=browse.subject_of(collection, made.key or "")
        )
    return _as_read(actor, collection, made.key or "")


def _made_before(collection: Collection, values: Mapping[str, Any], allowed: Scope) -> Record | None:
    """The record that an earlier try of the same request has added, where its key was sent; None where there is none. Raises NotKnown without a key."""
    if not collection.key or any(values.get(name) is None for name in collection.key):
        raise NotKnown(collection)
    there = records.find_same(collection.id, {name: values[name] for name in collection.key}, allowed)
    if there is None or any(name not in there.values for name in values):
        return None
    return (
        there
        if all(
            alike(collection, collection.by_name[name], there.values[name], values[name]) for name in values
        )
        else None
    )


def added(actor: Actor, collection_id: str, event: Stored) -> Record:
    """The record that this event says was added, as far as the actor may read it now.

    Raises NotFound, NotAllowed as `create` does, NotFound too where the person it was of is erased, SourceDown; NotKnown when the event says that nobody knows whether it was made.
    """
    collection, _ = browse.browsed_collection(actor, collection_id)
    access.require(actor, None, f"collection:{collection_id}", "create")
    if event.open["result"] != "succeeded":
        raise NotKnown(collection)
    key = browse.key_of_reference(collection, str(event.body["target"]["key"]))
    if key is None:
        raise NotFound("This record is not there any more.")
    return _as_read(actor, collection, key)


def _as_read(actor: Actor, collection: Collection, key: str) -> Record:
    """The record as the actor reads it; without values where it lies outside of what they see."""
    try:
        return records.get(collection.id, key, browse.view_scope(actor, collection))
    except NotFound:
        return Record(collection.id, key, key, {})


def delete(actor: Actor, collection_id: str, key: str, expected: Mapping[str, Any]) -> None:
    """Delete the record, if all fields of `expected` (name → value) still are what they were.

    Raises NotFound, NotAllowed, Conflict `record_changed` with `theirs` per field that moved or `in_use` where others refer to it, Invalid, SourceDown;
    WriteUnknown when it cannot be said whether it is gone, which is noted as well.
    """
    collection, scope = browse.browsed_collection(actor, collection_id)
    before = records.get(collection_id, key, scope)
    obj = f"collection:{collection_id}"
    access.require(actor, None, obj, "delete")
    allowed = access.scope_for(actor, collection_id, "delete")
    if allowed.nothing or (
        not allowed.unlimited and key not in records.visible_keys(collection_id, [key], allowed)
    ):
        raise NotAllowed(
            "You may see this record, but not delete it. An admin can grant it.", need=(obj, "delete")
        )
    strange = [name for name in expected if name not in before.values]
    if strange:
        details = [
            {"field": name, "reason": f"{collection.label_one} has no field {name}."} for name in strange
        ]
        raise Invalid(f"There is no field {', '.join(strange)}.", details=details)
    whose = browse.subject_of(collection, key)  # told before it is gone: afterwards nothing leads there
    with browse.intended(
        actor, collection, "deleted", key, old=before.values, new={}, whose=whose, about=before
    ) as intent:
        records.delete(collection_id, key, expected, allowed)
        faults.point("by_hand.note.before")
        intent.settle("succeeded")
