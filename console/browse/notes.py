"""Notes on a record: written by people who work on it, read by whoever may see it, with people named who are told. A note is never changed;
its author may remove it, which leaves a mark.

The text is under the key of whom the record is about, in its row and in the log. Named people must be able to see the record themselves.
"""

import re
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from console import access, accounts, log, records, subjects
from console.browse.change_intents import log_reference
from console.browse.record_lists import browsed_collection, label_on_collection, subject_of
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.db import tables
from console.db.engine import fetch, transaction
from console.db.ids import new_id
from console.errors import ConsoleError, Invalid, NotAllowed, NotFound

LONGEST = 4_000
MOST_NAMED = 10
WORKING = ("update", "create", "act")
"""Acts on a collection of which one lets a person write notes on its records."""
_MENTION = re.compile(r"(?<![\w@.])@([\w][\w.\-']{0,79})")
_PEOPLE = "select id, name, email from console.person where disabled_at is null and removed_at is null"


@dataclass(frozen=True, slots=True)
class Note:
    """A note. `text` None: removed by its author, or erased with its subject; `mine`: the reader wrote it."""

    id: str
    by: str
    at: datetime
    text: str | None
    removed: bool
    mine: bool


def may_write(actor: Actor, collection_id: str) -> bool:
    """Whether the actor works on records of the collection, and so may write notes on those that they see."""
    return any(access.can(actor, None, f"collection:{collection_id}", act) for act in WORKING)


def notes_of(actor: Actor, collection_id: str, key: str, limit: int, before: str | None = None) -> tuple[list[Note], str | None]:
    """The newest notes on the record, before the note of this id, and the id to go on with (None: no more). Raises NotFound, SourceDown."""
    collection, scope = browsed_collection(actor, collection_id)
    records.get(collection_id, key, scope, fields=())
    table = tables.record_note
    wanted = sa.select(table).where(table.c.collection == collection_id, table.c.record == log_reference(collection, key))
    if before is not None:
        wanted = wanted.where(table.c.id < before)
    with transaction() as connection:
        rows = connection.execute(wanted.order_by(table.c.id.desc()).limit(limit + 1)).all()
    names = accounts.names({row.by for row in rows})
    notes = [
        Note(row.id, names.get(row.by, "Somebody"), row.at, _text(row), row.removed_at is not None, row.by == actor.id)
        for row in rows[:limit]
    ]
    return notes, rows[limit - 1].id if len(rows) > limit else None


def add(actor: Actor, collection_id: str, key: str, text: str) -> str:
    """Add a note and tell the people that it names (`@mona`, `@mona.keller`, an e-mail address after the @); its id.

    Raises NotFound, NotAllowed for who only reads, Invalid for an empty or long text and for a name that is not clear or may not see the record.
    """
    from console.work import notices

    collection, scope = browsed_collection(actor, collection_id)
    records.get(collection_id, key, scope, fields=())
    if not may_write(actor, collection_id):
        raise NotAllowed(
            "You may read notes here, but not write them. An admin can grant it.", need=(f"collection:{collection_id}", "update")
        )
    said = text.strip()
    if not said or len(said) > LONGEST or "\x00" in said:
        raise _wrong(f"A note has 1 to {LONGEST:,} characters.")
    named = _named(actor, collection, key, said)
    note_id, now, ref = new_id("rnt"), log.now(), log_reference(collection, key)
    subject = subject_of(collection, key) or subjects.subject_of(collection_id, key)
    kid, nonce, ciphertext = subjects.seal(subject, f"note|{note_id}", said)
    row = {"id": note_id, "collection": collection_id, "record": ref, "by": actor.id, "at": now, "mentions": named}
    with transaction() as connection:
        connection.execute(sa.insert(tables.record_note).values(**row, subject=subject, kid=kid, nonce=nonce, ct=ciphertext))
        log.note(
            actor,
            "note_added",
            open={"note": note_id, "people": named},
            sealed={"text": said},
            source=collection.source,
            collection=collection_id,
            record=ref,
            subject=subject,
            label=label_on_collection(collection),
            connection=connection,
        )
    if named:
        notices.tell(named, "note_mention", note_id, by=actor.id, link=f"/notes/{note_id}")
    return note_id


def remove(actor: Actor, note_id: str) -> tuple[str, str]:
    """Take the text of one's own note away; a mark stays. Answers (collection, key) of its record. Raises NotFound for anybody else's."""
    collection_id, key, row = _visible_note(actor, note_id)
    if row.by != actor.id:
        raise NotFound(hidden=True)
    collection, _ = browsed_collection(actor, collection_id)
    table = tables.record_note
    with transaction() as connection:
        gone = {"kid": None, "nonce": None, "ct": None, "removed_at": log.now()}
        if connection.execute(sa.update(table).where(table.c.id == note_id, table.c.removed_at.is_(None)).values(**gone)).rowcount:
            log.note(
                actor,
                "note_removed",
                open={"note": note_id},
                source=collection.source,
                collection=collection_id,
                record=row.record,
                subject=row.subject,
                label=label_on_collection(collection),
                connection=connection,
            )
    return collection_id, key


def place_of(actor: Actor, note_id: str) -> tuple[str, str]:
    """(collection, key) of the record that the note is on. Raises NotFound where the actor may not see it."""
    collection_id, key, _ = _visible_note(actor, note_id)
    return collection_id, key


def _visible_note(actor: Actor, note_id: str) -> tuple[str, str, sa.Row[tuple[object, ...]]]:
    table = tables.record_note
    with transaction() as connection:
        row = connection.execute(sa.select(table).where(table.c.id == note_id)).first() if "\x00" not in note_id else None
    if row is None:
        raise NotFound
    collection, scope = browsed_collection(actor, row.collection)
    key = subjects.record_behind(row.collection, row.record) if collection.personal_key else row.record
    if key is None:
        raise NotFound
    records.get(row.collection, key, scope, fields=())
    return row.collection, key, row


def _text(row: sa.Row[tuple[object, ...]]) -> str | None:
    """The text; None where it was removed, or erased with its subject."""
    if row.ct is None:
        return None
    try:
        return str(subjects.unseal(row.subject, f"note|{row.id}", row.nonce, row.ct))
    except subjects.Unreadable:
        return None


def _named(actor: Actor, collection: Collection, key: str, text: str) -> list[str]:
    """The people whom the text names, without its author. Raises Invalid for a name that several have, or of somebody who may not see the record."""
    words = {word.rstrip(".").casefold() for word in _MENTION.findall(text)}
    if not words:
        return []
    people = fetch(_PEOPLE)
    found: dict[str, str] = {}
    for word in sorted(words):
        fitting = [(ident, name) for ident, name, email in people if word in _ways(name, email)]
        if len(fitting) > 1:
            raise _wrong(f"Several people are called @{word}. Write @ and the first part of their e-mail address.")
        found |= dict(fitting)
    found.pop(actor.id, None)
    if len(found) > MOST_NAMED:
        raise _wrong(f"A note names at most {MOST_NAMED} people.")
    for ident, name in found.items():
        if not _sees(ident, collection, key):
            raise _wrong(f"{name} may not see this record, and so cannot be told. Take the @ away, or ask for the right.")
    return sorted(found)


def _ways(name: str, email: str) -> set[str]:
    """The ways to write a person after an @: first name, both names, the first part of the address."""
    parts = name.casefold().split()
    return {*parts[:1], ".".join(parts), "".join(parts), email.casefold().partition("@")[0]}


def _sees(person: str, collection: Collection, key: str) -> bool:
    try:
        theirs = accounts.actor_of_person(person, "sys:engine")
        browsed, scope = browsed_collection(theirs, collection.id)
        return key in records.visible_keys(browsed.id, [key], scope)
    except ConsoleError:
        return False


def _wrong(reason: str) -> Invalid:
    return Invalid(reason, details=[{"field": "text", "reason": reason}])
