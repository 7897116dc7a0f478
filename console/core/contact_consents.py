"""Consent that a change of a record gives or takes back: in a field of a contact, or in a row of a table of consents, of which the newest counts."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from console.core.documents.collections import Collection
from console.core.documents.collections.consent_places import column_of, consents_relation, means_given

if TYPE_CHECKING:
    from console.core.documents.collections.contact_document import ConsentDocument

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


class Standing(NamedTuple):
    """What a table of consents says of a contact and a channel: its newest row, and whether that gives consent."""

    given: bool
    row: Values
    at: Any


def holders(changed: Collection, every: Sequence[Collection]) -> list[Collection]:
    """Collections of contacts whose consents stand in records of this one."""
    return [
        contacts
        for contacts in every
        if contacts.contact is not None
        and any(
            place_of(contacts, source, changed) is not None for source in contacts.contact.consent.values()
        )
    ]


def place_of(
    contacts: Collection, source: "ConsentDocument", changed: Collection
) -> Sequence[tuple[str, str]] | None:
    """(field of the contact, field of the changed record) that say whose the consent is; None where it does not stand there."""
    if source.table is None:
        return [(name, name) for name in contacts.key] if contacts.id == changed.id else None
    relation = consents_relation(contacts, source.table)
    return relation.columns if relation is not None and relation.collection == changed.id else None


def consent_moves(
    changed: Collection,
    contacts: Collection,
    before: Values | None,
    after: Values,
    *,
    written: Container[str] | None = None,
) -> Iterator[ConsentMove]:
    """What a record with these values tells now that it did not tell before, by itself; `before` is None for a record that was added.

    `written`: nobody knows what it held before, so what these fields say is told.
    """
    found: dict[tuple[str, tuple[tuple[str, Any], ...]], list[str]] = {}
    for channel, source in contacts.contact.consent.items() if contacts.contact is not None else ():
        link = place_of(contacts, source, changed)
        if link is None:
            continue
        was, now = (_given(changed, source, channel, values) for values in (before, after))
        if (
            now is None
            or now == was
            or (written is not None and source.table is None and source.field not in written)
        ):
            continue
        if written is None and now is False and was is None and source.table is None:
            continue
        whose = tuple((own, after.get(there)) for own, there in link)
        found.setdefault((GIVEN if now else WITHDRAWN, whose), []).append(channel)
    for (kind, whose), channels in found.items():
        yield ConsentMove(kind, contacts, dict(whose), tuple(channels))


def current_consent(
    source: "ConsentDocument", channel: str, table: Collection, rows: Sequence[Values]
) -> Standing | None:
    """What these rows of a table of consents, newest first, say of the channel; None where they say nothing. Of several of one moment one that withdraws counts."""
    named, state, at, gone = (
        column_of(source, part, table) for part in ("channel", "state", "at", "withdrawn_at")
    )
    own = [row for row in rows if str(row.get(named or "")).casefold() == (source.is_ or channel).casefold()]
    newest = [row for row in own if row.get(at) == own[0].get(at)] if at else own[:1]
    if not newest:
        return None
    ended = next(
        (
            row
            for row in newest
            if not means_given(source, row.get(state or "")) or row.get(gone or "") is not None
        ),
        None,
    )
    row = ended if ended is not None else newest[0]
    return Standing(ended is None, row, row.get(at) if at else None)


def moved(
    source: "ConsentDocument",
    channel: str,
    table: Collection,
    rows: tuple[Sequence[Values], Sequence[Values]],
    *,
    deleted: bool,
) -> str | None:
    """What became of a consent by a change of the rows that tell of it, (before, after): the kind of its event; None where it stands as it did.

    Given again at a later moment is given: it may open what was withdrawn elsewhere. A row that is older than the newest changes nothing.
    """
    was, now = (current_consent(source, channel, table, each) for each in rows)
    if now is None:
        return WITHDRAWN if was is not None and was.given else None
    if was is None or was.given != now.given:
        return GIVEN if now.given else WITHDRAWN
    renewed = not deleted and was.at != now.at and str(now.at) > str(was.at)
    return (GIVEN if now.given else WITHDRAWN) if renewed else None


def _given(
    changed: Collection, source: "ConsentDocument", channel: str, values: Values | None
) -> bool | None:
    """Whether the record with these values says that consent to the channel is given; None where it says nothing of it."""
    if values is None:
        return None
    if source.table is None:
        gone = values.get(source.withdrawn_at) if source.withdrawn_at is not None else None
        return means_given(source, values.get(source.field or "")) and gone is None
    found = current_consent(source, channel, changed, [values])
    return found.given if found is not None else None
