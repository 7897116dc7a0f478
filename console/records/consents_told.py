"""The consents that changes of records have given or taken back, with the contacts whose they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.core.contact_consents import (
    GIVEN,
    WITHDRAWN,
    ConsentMove,
    consent_moves,
    current_consent,
    holders,
    moved,
    place_of,
)
from console.core.documents.collections import Collection
from console.core.documents.collections.consent_places import column_of
from console.core.errors import ConsoleError, NotFound
from console.core.filters import Group, Test
from console.core.scopes import unrestricted
from console.records import catalogue, record_keys, record_reads
from console.records.changes_made import Changed

if TYPE_CHECKING:
    from console.core.documents.collections.contact_document import ConsentDocument

Told = tuple[ConsentMove, str]
Values = Mapping[str, Any]
Whose = Mapping[str, Any]
MOST_ROWS = 200
"""Newest rows of a table of consents that are looked at for one contact."""


@dataclass(frozen=True, slots=True)
class _Row:
    """The changed record as a row of its table, before and after; None where it was not there. `key` may be unknown.

    `written` are the fields that were changed where it is not known what they held before.
    """

    table: Collection
    key: str | None
    before: Values | None
    after: Values | None
    written: frozenset[str] | None


def consents_told(changed: Changed) -> list[Told]:
    """(what changed, key of the contact). What the change leaves out is read from its record, and from the contact's other rows, as they stand."""
    table = catalogue.find(changed.collection)
    contacts = holders(table, catalogue.collections()) if table is not None else []
    if table is None or not contacts:
        return []
    row = _row(table, changed)
    found = [(move, _contact(move.contacts, move.whose)) for each in contacts for move in _moves(row, each)]
    return [(move, whose) for move, whose in found if whose is not None]


def consents_of_new(collection_id: str, key: str, values: Values) -> list[Told]:
    """The same of a record that was just added, and that no other record of its contact is newer than: nothing is read."""
    table = catalogue.collection(collection_id)
    after = {**dict(zip(table.key, record_keys.decode(table, key), strict=True)), **values}
    moves = [
        move
        for each in holders(table, catalogue.collections())
        for move in consent_moves(table, each, None, after)
    ]
    found = [(move, record_keys.key_of(move.contacts, move.whose)) for move in moves]
    return [(move, whose) for move, whose in found if whose is not None]


def _row(table: Collection, changed: Changed) -> _Row:
    try:
        stands = (
            record_reads.get(table.id, changed.key, unrestricted(table.id)).values
            if changed.key is not None and changed.new is not None
            else {}
        )
    except ConsoleError:  # gone by now, or its database does not answer
        stands = {}
    after = None if changed.new is None else {**changed.new, **stands}
    before = None if changed.old is None else {**(after or {}), **changed.old}
    unknown = before is None and not changed.certain
    return _Row(table, changed.key, before, after, frozenset(changed.new or ()) if unknown else None)


def _moves(row: _Row, contacts: Collection) -> Iterator[ConsentMove]:
    """What the change of the row means for these contacts: by itself where consent stands in their own fields, else beside their other rows."""
    if row.table.id == contacts.id and row.after is not None:
        yield from consent_moves(row.table, contacts, row.before, row.after, written=row.written)
    by_table = {
        channel: source
        for channel, source in _sources(contacts)
        if source.table is not None and place_of(contacts, source, row.table)
    }
    if not by_table:
        return
    [link, *_] = [place_of(contacts, source, row.table) or () for source in by_table.values()]
    values = [each for each in (row.after, row.before) if each is not None]
    for whose in {tuple((own, each.get(there)) for own, there in link): None for each in values}:
        found: dict[str, list[str]] = {}
        for channel, kind in _in_rows(
            row, by_table, {there: value for (_, there), (_, value) in zip(link, whose, strict=True)}
        ):
            found.setdefault(kind, []).append(channel)
        yield from (
            ConsentMove(kind, contacts, dict(whose), tuple(channels)) for kind, channels in found.items()
        )


def _in_rows(row: _Row, sources: Mapping[str, "ConsentDocument"], link: Values) -> Iterator[tuple[str, str]]:
    """(channel, kind of its event) of each consent of the contact that this link leads to."""
    there = _rows(row.table, link, [column_of(source, "at", row.table) for source in sources.values()])
    for channel, source in sources.items():
        own = current_consent(source, channel, row.table, [row.after]) if row.after is not None else None
        if there is None or row.written is not None:
            # how it was before is not known: what the record says is told where it holds now
            now = current_consent(source, channel, row.table, there) if there is not None else own
            kind = (
                (GIVEN if own.given else WITHDRAWN)
                if own is not None and now is not None and own.given == now.given
                else None
            )
        else:
            before = _before(row, there, link, column_of(source, "at", row.table))
            kind = moved(source, channel, row.table, (before, there), deleted=row.after is None)
        if kind is not None:
            yield channel, kind


def _rows(table: Collection, link: Values, at: Sequence[str | None]) -> list[Values] | None:
    """The contact's rows, newest first; None where they cannot be read."""
    sort = f"-{at[0]}" if at and at[0] else None
    tests = Group("and", tuple(Test(name, "eq", value) for name, value in link.items()))
    if None in link.values():
        return []
    try:
        return [
            each.values
            for each in record_reads.page(
                table.id, unrestricted(table.id), where=tests, sort=sort, limit=MOST_ROWS
            ).rows
        ]
    except ConsoleError:
        return None


def _before(row: _Row, there: Sequence[Values], link: Values, at: str | None) -> list[Values]:
    """The contact's rows as they were before the change, newest first."""
    others = [each for each in there if row.key is None or record_keys.key_of(row.table, each) != row.key]
    was = row.before
    if was is None or any(was.get(name) != value for name, value in link.items()):
        return others
    place = next(
        (n for n, each in enumerate(others) if at is not None and str(each.get(at)) <= str(was.get(at))),
        len(others),
    )
    return [*others[:place], was, *others[place:]]


def _sources(contacts: Collection) -> Sequence[tuple[str, "ConsentDocument"]]:
    return [*contacts.contact.consent.items()] if contacts.contact is not None else []


def _contact(contacts: Collection, whose: Whose) -> str | None:
    """The key of the contact; of one that its consents name by another field, an address, the one that has it."""
    if all(whose.get(name) is not None for name in contacts.key):
        return record_keys.key_of(contacts, whose)
    tests = Group("and", tuple(Test(name, "eq", value) for name, value in whose.items()))
    if not whose or None in whose.values():
        return None
    try:
        return next(
            (
                each.key
                for each in record_reads.page(
                    contacts.id, unrestricted(contacts.id), where=tests, limit=1
                ).rows
            ),
            None,
        )
    except (NotFound, ConsoleError):
        return None
