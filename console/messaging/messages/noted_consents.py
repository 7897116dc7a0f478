"""Somebody told one of us that they agree to be reached: noted in the table of consents that their collection's document names."""

from collections.abc import Mapping
from typing import Any

from console import log, records
from console.actions import record_changes
from console.auth import access
from console.core.actor import Actor
from console.core.documents.collections import Field
from console.core.documents.collections.consent_places import column_of, consents_relation
from console.core.errors import Invalid, NotAllowed
from console.core.moments import moment_text
from console.messaging.imports import consent_columns
from console.messaging.imports.consent_columns import Place
from console.messaging.messages.stop_requests import require_seen


def place(actor: Actor, collection_id: str) -> Place:
    """Where it is noted. Raises NotAllowed with the reason where it cannot be noted here, or not by this actor; NotFound, SourceDown."""
    collection = records.collection(collection_id)
    asked = dict(collection.contact.consent) if collection.contact is not None else {}
    if not asked:
        raise NotAllowed(
            f"Nothing says where {collection.spoken} note what they agreed to: whoever shapes the collection says it under Settings, Collections."
        )
    relation = next(
        (
            found
            for each in asked.values()
            if each.table and (found := consents_relation(collection, each.table))
        ),
        None,
    )
    if relation is None:
        fields = [
            collection.by_name[name].label
            for each in asked.values()
            if (name := each.field) is not None and name in collection.by_name
        ]
        raise NotAllowed(
            f"What they agreed to stands in {' and '.join(f'“{label}”' for label in dict.fromkeys(fields))} of this record."
        )
    need = (f"collection:{relation.collection}", "create")
    if not access.can(actor, None, *need):
        raise NotAllowed(
            "You may not note that they agreed: whoever may add consents does that. An admin can grant it.",
            need=need,
        )
    return consent_columns.required_place(actor, collection)


def when(where: Place) -> Field | None:
    """The field that says when it was given."""
    column = column_of(next(iter(where.documents.values())), "at", where.table)
    return next((each for each in where.fields if each.name == column), None)


def note(actor: Actor, collection_id: str, key: str, channel: str, told: Mapping[str, Any]) -> None:
    """Add the consent to a channel, with what is `told` about it (field → value). When is now where that is not told.

    Raises Invalid with a detail per field, NotFound for what is no contact or not seen, NotAllowed, Conflict, SourceDown, WriteUnknown.
    """
    require_seen(actor, collection_id, key)
    where = place(actor, collection_id)
    if channel not in where.documents:
        reason = "Choose what they agreed to."
        raise Invalid(reason, at="agreed")
    values = {each.name: told.get(each.name) for each in where.fields}
    at = when(where)
    if at is not None and values[at.name] in (None, ""):
        values[at.name] = log.now().date().isoformat() if at.type == "date" else moment_text(log.now())
    empty = [each for each in where.fields if each.name in where.needed and values[each.name] in (None, "")]
    if empty:
        details = [(each.name, f"{each.label} is needed.") for each in empty]
        raise Invalid(details[0][1], details=details)
    for reason in where.reasons(values):
        raise Invalid(reason)
    record_changes.create(
        actor, where.table.id, {**where.row(channel, values), **consent_columns.link_of(where, key)}
    )
