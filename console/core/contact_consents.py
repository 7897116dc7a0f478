"""Consent that a change of a record gives or takes back: in a field of a contact, or in a row of a table of consents."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.core.documents.collections import Collection
from console.core.documents.collections.contact_document import ConsentDocument, column_of, consents_relation, means_given

GIVEN, WITHDRAWN = "consent_given", "consent_withdrawn"
BY_RECORD = "record"
"""Source of a consent that was taken back by a change of a record, whoever made it."""
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConsentMove:
    """Channels that a contact agreed to, or no longer agrees to. `whose` are the values of the contact's fields by which it is found."""

    kind: str
    contacts: Collection
    whose: Values
    channels: tuple[str, ...]

    @property
    def told(self) -> dict[str, Any]:
        """The open values of its event."""
        withdrawn = {"source": BY_RECORD, "message_id": None} if self.kind == WITHDRAWN else {}
        return {"channels": list(self.channels), **withdrawn}


def holders(changed: Collection, every: Sequence[Collection]) -> list[Collection]:
    """Collections of contacts whose consents stand in records of this one."""
    return [
        contacts
        for contacts in every
        if contacts.contact is not None
        and any(_place(contacts, source, changed) is not None for source in contacts.contact.consent.values())
    ]


def consent_moves(changed: Collection, contacts: Collection, before: Values | None, after: Values) -> Iterator[ConsentMove]:
    """What a record with these values tells now that it did not tell before; `before` is None for a record that was added."""
    found: dict[tuple[str, tuple[tuple[str, Any], ...]], list[str]] = {}
    for channel, source in contacts.contact.consent.items() if contacts.contact is not None else ():
        link = _place(contacts, source, changed)
        if link is None:
            continue
        was, now = (_given(changed, source, channel, values) for values in (before, after))
        if now is None or now == was or (now is False and was is None and source.table is None):
            continue
        whose = tuple((own, after.get(there)) for own, there in link)
        found.setdefault((GIVEN if now else WITHDRAWN, whose), []).append(channel)
    for (kind, whose), channels in found.items():
        yield ConsentMove(kind, contacts, dict(whose), tuple(channels))


def _place(contacts: Collection, source: ConsentDocument, changed: Collection) -> Sequence[tuple[str, str]] | None:
    """(field of the contact, field of the changed record) that say whose the consent is; None where it does not stand there."""
    if source.table is None:
        return [(name, name) for name in contacts.key] if contacts.id == changed.id else None
    relation = consents_relation(contacts, source.table)
    return relation.columns if relation is not None and relation.collection == changed.id else None


def _given(changed: Collection, source: ConsentDocument, channel: str, values: Values | None) -> bool | None:
    """Whether the record with these values says that consent to the channel is given; None where it says nothing of it."""
    if values is None:
        return None
    if source.table is None:
        gone = values.get(source.withdrawn_at) if source.withdrawn_at is not None else None
        return means_given(source, values.get(source.field or "")) and gone is None
    named, state, gone_at = (column_of(source, part, changed) for part in ("channel", "state", "withdrawn_at"))
    if str(values.get(named or "")).casefold() != (source.is_ or channel).casefold():
        return None
    return means_given(source, values.get(state or "")) and values.get(gone_at or "") is None
