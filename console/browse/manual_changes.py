"""Changing a record by hand: judged, compared with what the reader saw, and logged, also where the result is unknown."""

from collections.abc import Mapping
from typing import Any

from console import records
from console.auth import access
from console.browse import evidence
from console.browse.change_intents import intended
from console.browse.governors import require_ungoverned
from console.browse.record_lists import browsed_collection, may_update_record, subject_of
from console.core.actor import Actor
from console.core.errors import Invalid, NotAllowed
from console.core.forms import refusal
from console.infra import faults
from console.records import Record


def change(
    actor: Actor, collection_id: str, key: str, values: Mapping[str, Any], expected: Mapping[str, Any]
) -> Record:
    """The record after `values` were set, if all fields of `expected` (name → old value) still have that value.

    Raises NotFound, NotAllowed, Conflict `record_changed` with `theirs` per changed field, Invalid with a detail per wrong field, SourceDown;
    WriteUnknown if the result is unknown, which is logged too.
    """
    collection, scope = browsed_collection(actor, collection_id)
    before = records.get(collection_id, key, scope)
    obj = f"collection:{collection_id}"
    access.require(actor, None, obj, "update")
    if not may_update_record(actor, collection_id, key):
        raise NotAllowed(
            "You may see this record, but not change it. An admin can grant it.", need=(obj, "update")
        )
    strange = [name for name in expected if name not in before.values]
    if strange:
        raise Invalid(
            f"There is no field {', '.join(strange)}.",
            details=[(name, f"{collection.label_one} has no field {name}.") for name in strange],
        )
    require_ungoverned(actor, collection, values)
    wanted = {
        name: {"old": expected.get(name, before.values.get(name)), "new": new} for name, new in values.items()
    }
    unchanged = {
        name: {"old": old, "new": before.values[name]} for name, old in expected.items() if name not in values
    }
    records.compare(collection, unchanged, before.values)
    led = {name: new for name, new in values.items() if before.values.get(name) != new}
    if details := evidence.wrong_columns(actor, collection, led):
        raise refusal(details, collection.fields)
    old, whose = {name: change["old"] for name, change in wanted.items()}, subject_of(collection, key)
    with intended(
        actor, collection, "updated", key, old=old, new=values, whose=whose, about=before
    ) as intent:
        allowed = access.scope_for(actor, collection_id, "update", sensitive=collection.sensitive)
        after = records.write(collection_id, key, wanted, allowed)
        faults.point("browse.note.before")
        moved = {
            name: new
            for name, new in after.values.items()
            if name in values and new != before.values.get(name)
        }
        if moved:
            intent.settle("succeeded", old={name: before.values.get(name) for name in moved}, new=moved)
        else:
            intent.drop()
    return after
