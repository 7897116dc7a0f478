"""The consents that a change of a record has given or taken back, with the contacts whose they are."""

from collections.abc import Mapping
from typing import Any

from console.core.contact_consents import ConsentMove, consent_moves, holders
from console.core.scopes import whole
from console.errors import ConsoleError
from console.records import catalogue, record_keys, record_reads

Told = tuple[ConsentMove, str]


def consents_told(collection_id: str, key: str, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[Told]:
    """(what changed, key of the contact). `old` and `new` are the values of the changed fields; `old` is None for a record that was added.

    What the change leaves out is read from the record as it stands.
    """
    changed = catalogue.find(collection_id)
    contacts = holders(changed, catalogue.collections()) if changed is not None else []
    if changed is None or not contacts:
        return []
    try:
        stands = record_reads.get(changed.id, key, whole(changed.id)).values
    except ConsoleError:  # gone by now, or its database does not answer
        stands = {}
    after = {**stands, **new}
    before = None if old is None else {**after, **old}
    found = [
        (move, record_keys.key_of(move.contacts, move.whose)) for each in contacts for move in consent_moves(changed, each, before, after)
    ]
    return [(move, whose) for move, whose in found if whose is not None]
