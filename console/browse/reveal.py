"""Masked values: readers of a collection see dots instead of sensitive values, and may reveal one value with a reason.

Masking starts when the right `reveal` on the collection is granted to anybody: from then on lists, record pages, the log and replay mask its
sensitive fields for everybody whom no line allows to read the field. Steps show them in their form, because people work with them there.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console import log, records
from console.auth import access
from console.browse import record_lists
from console.core.actor import Actor
from console.core.documents.collections import Field
from console.core.errors import Invalid, NotAllowed, NotFound

SHOWN_S = 60
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Revealed:
    """A revealed value, to be shown until a moment (aware UTC)."""

    field: Field
    value: Any
    until: datetime


def may_reveal(actor: Actor, collection: str) -> bool:
    """Whether the actor may reveal values of some records of the collection."""
    return access.can(actor, None, f"collection:{collection}", "reveal")


def reveal(actor: Actor, collection_id: str, key: str, name: str, reason: str) -> Revealed:
    """The masked value, after the log has recorded who reveals it and why.

    Raises NotFound for a record or field that is invisible or not masked, NotAllowed without the right, Invalid without a reason.
    """
    collection, scope = record_lists.browsed_collection(actor, collection_id)
    records.get(collection_id, key, scope, fields=())
    field = collection.field(name)
    if field is None or name not in scope.masked:
        raise NotFound(f"{collection.label_one} has no masked field of this name.")
    need = (f"collection:{collection_id}", "reveal")
    access.require(actor, None, *need)
    said = reason.strip()
    if not said or len(said) > LONGEST or "\x00" in said:
        details = [
            {"field": "reason", "reason": "Say why, in at most 2,000 characters; it is kept in the log."}
        ]
        raise Invalid("Nothing is shown without a reason.", details=details)
    whole = access.scope_for(actor, collection_id, "reveal")
    try:
        value = records.get(collection_id, key, whole, fields=(name,)).values.get(name)
    except NotFound:
        raise NotAllowed(
            "You may see this record, but not uncover its values. An admin can grant it.", need=need
        ) from None
    about = record_lists.about_record(collection, key)
    about["sealed"] = {"reason": said} | about["sealed"]
    record_lists.note_on(actor, "value_revealed", collection, open={"field": name}, **about)
    return Revealed(field, value, log.now() + timedelta(seconds=SHOWN_S))
