"""Masked values: whoever may read a collection sees dots in the place of its sensitive fields, and may uncover one of them with a reason.

Masking begins where the right `reveal` is granted on the collection to somebody: then lists, record pages, the log and replay mask its sensitive
fields for everybody, those who may uncover them too. In a step they stand in the form that they are worked on in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console import access, log, records
from console.browse import record_lists
from console.core.actor import Actor
from console.core.documents.collections import Field
from console.errors import Invalid, NotAllowed, NotFound

SHOWN_S = 60
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Revealed:
    """A value that somebody may look at until a moment (aware UTC)."""

    field: Field
    value: Any
    until: datetime


def may(actor: Actor, collection: str) -> bool:
    """Whether the actor may uncover values of some records there."""
    return access.can(actor, None, f"collection:{collection}", "reveal")


def reveal(actor: Actor, collection_id: str, key: str, name: str, reason: str) -> Revealed:
    """The masked value, once it is in the log who looked at it and why.

    Raises NotFound for a record or field out of the actor's sight, or one that is not masked; NotAllowed without the right; Invalid without a reason.
    """
    collection, scope = record_lists.looked_at(actor, collection_id)
    records.get(collection_id, key, scope, fields=())
    field = collection.field(name)
    if field is None or name not in scope.masked:
        raise NotFound(f"{collection.label_one} has no masked field of this name.")
    need = (f"collection:{collection_id}", "reveal")
    access.require(actor, None, *need)
    said = reason.strip()
    if not said or len(said) > LONGEST or "\x00" in said:
        details = [{"field": "reason", "reason": "Say why, in at most 2,000 characters; it is kept in the log."}]
        raise Invalid("Nothing is shown without a reason.", details=details)
    whole = access.scope_for(actor, collection_id, "reveal")
    try:
        value = records.get(collection_id, key, whole, fields=(name,)).values.get(name)
    except NotFound:
        raise NotAllowed("You may see this record, but not uncover its values. An admin can grant it.", need=need) from None
    log.note(
        actor,
        "value_revealed",
        open={"field": name},
        sealed={"reason": said},
        source=collection.source,
        collection=collection_id,
        record=record_lists.ref(collection, key),
        label=access.label_of(f"collection:{collection_id}"),
    )
    return Revealed(field, value, log.now() + timedelta(seconds=SHOWN_S))
