"""Notes on a record: written by people who work on it, read by whoever may see it, with people named who are told. A note is never changed;
its author may remove it, which leaves a mark.

The text and the files are under the key of whom the record is about, the text in its row and in the log. Named people must be able to see the
record themselves.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from console import log, records
from console.auth import access, accounts, notify
from console.browse.naming import title_in_log
from console.browse.record_lists import about_record, browsed_collection, note_on, subjects_of
from console.core import media
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import ConsoleError, Invalid, NotAllowed, NotFound
from console.core.list_addresses import id_of_cursor
from console.infra import files, settings, subjects
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.infra.files import Stored

LONGEST = 4_000
MOST_NAMED = 10
MOST_FILES = 5
MOST_OFFERED = 8
MOST_ASKED = 40
"""People of whom it is asked for one offer of names whether they may see the record."""
MOST_LOOKED_AT = 1_000
"""Notes that a search looks at for one page; where fewer of them may be seen, the page is short and goes on."""
ONLY_READ = "You may read notes here, but not write them. An admin can grant it."
PREFIX = "rnt_"
WORKING = ("update", "create", "act")
"""Acts on a collection of which one lets a person write notes on its records."""
_MENTION = re.compile(r"(?<![\w@.])@([\w][\w.\-']{0,79})")
_PEOPLE = "select id, name, email from console.person where kind <> 'service' and disabled_at is null and removed_at is null"


@dataclass(frozen=True, slots=True)
class Note:
    """A note. `text` None: removed by its author, or erased with its subject; `mine`: the reader wrote it. `people` are the ids of those named."""

    id: str
    by: str
    at: datetime
    text: str | None
    removed: bool
    mine: bool
    collection: str = ""
    record: str = ""
    by_id: str = ""
    people: tuple[str, ...] = ()
    files: tuple[Stored, ...] = ()

    @property
    def names_nobody(self) -> bool:
        """Whether somebody was meant to be named, as by `@monna`, and nobody was told."""
        return not self.people and bool(_MENTION.search(self.text or ""))


def may_write(actor: Actor, collection_id: str) -> bool:
    """Whether the actor works on records of the collection, and so may write notes on those that they see."""
    return any(access.can(actor, None, f"collection:{collection_id}", act) for act in WORKING)


def notes_of(
    actor: Actor, collection_id: str, key: str, limit: int, before: str | None = None
) -> tuple[list[Note], str | None]:
    """The newest notes on the record, before the note of this id, and the id to go on with (None: no more). Raises NotFound, SourceDown."""
    collection, scope = browsed_collection(actor, collection_id)
    records.get(collection_id, key, scope, fields=())
    table = tables.record_note
    wanted = sa.select(table).where(
        table.c.collection == collection_id, table.c.record == records.log_reference(collection, key)
    )
    if before is not None:
        wanted = wanted.where(table.c.id < id_of_cursor(before, PREFIX))
    with transaction() as connection:
        rows = connection.execute(wanted.order_by(table.c.id.desc()).limit(limit + 1)).all()
    return _read(actor, [(row, key) for row in rows[:limit]]), rows[limit - 1].id if len(
        rows
    ) > limit else None


def search(
    actor: Actor, where: Mapping[str, str | datetime], limit: int, after: str | None = None
) -> tuple[list[Note], str | None]:
    """The newest notes that fit on records which the actor sees, before the note `after`, and the id to go on with (None: no more).

    `where` has `user`, `collection`, `record` (a key, with its collection), and `gt`, `gte`, `lt`, `lte` for the moment. Raises NotAllowed for who
    may not read the activity log, SourceDown.
    """
    access.require(actor, None, "activity", "read")
    table = tables.record_note
    wanted = sa.select(table).order_by(table.c.id.desc()).limit(MOST_LOOKED_AT + 1)
    named = str(where.get("collection") or "")
    if record := where.get("record"):
        wanted = wanted.where(
            table.c.record == records.log_reference(browsed_collection(actor, named)[0], str(record))
        )
    for name, test in (("user", table.c.by), ("collection", table.c.collection)):
        wanted = wanted.where(test == where[name]) if name in where else wanted
    for name, method in (("gt", "__gt__"), ("gte", "__ge__"), ("lt", "__lt__"), ("lte", "__le__")):
        wanted = wanted.where(getattr(table.c.at, method)(where[name])) if name in where else wanted
    if after is not None:
        wanted = wanted.where(table.c.id < id_of_cursor(after, PREFIX))
    with transaction() as connection:
        rows = connection.execute(wanted).all()
    seen = _seen(actor, rows[:MOST_LOOKED_AT])
    found = _read(actor, seen[:limit])
    if len(seen) > limit:
        return found, found[-1].id
    return found, rows[MOST_LOOKED_AT - 1].id if len(rows) > MOST_LOOKED_AT else None


def note_of(actor: Actor, note_id: str) -> Note:
    """One note. Raises NotFound where the actor may not see its record."""
    _, key, row = _visible_note(actor, note_id)
    [note] = _read(actor, [(row, key)])
    return note


def _seen(actor: Actor, rows: Sequence[sa.Row[Any]]) -> list[tuple[sa.Row[Any], str]]:
    """The notes on records that the actor sees, each with the key of its record: one question for each collection."""
    by_collection: dict[str, dict[str, str]] = {}
    for collection_id in {row.collection for row in rows}:
        try:
            collection, scope = browsed_collection(actor, collection_id)
        except NotFound:
            continue
        references = {row.record for row in rows if row.collection == collection_id}
        keys = {
            reference: subjects.record_behind(collection_id, reference)
            if collection.personal_key
            else reference
            for reference in references
        }
        visible = records.visible_keys(
            collection_id, [key for key in keys.values() if key is not None], scope
        )
        by_collection[collection_id] = {reference: key for reference, key in keys.items() if key in visible}
    return [
        (row, by_collection[row.collection][row.record])
        for row in rows
        if row.record in by_collection.get(row.collection, {})
    ]


def _read(actor: Actor, rows: Sequence[tuple[sa.Row[Any], str]]) -> list[Note]:
    names = accounts.names({row.by for row, _ in rows})
    attached = files.of_runs([row.id for row, _ in rows if row.removed_at is None])
    return [
        Note(
            row.id,
            names.get(row.by, "Somebody"),
            row.at,
            _text(row),
            row.removed_at is not None,
            row.by == actor.id,
            row.collection,
            key,
            row.by,
            tuple(row.mentions),
            tuple(file for file in attached if file.run == row.id),
        )
        for row, key in rows
    ]


def add(
    actor: Actor, collection_id: str, key: str, text: str, attached: Sequence[tuple[str, bytes]] = ()
) -> str:
    """Add a note with files (name, bytes) and tell the people that it names (`@mona`, `@mona.keller`, an e-mail address after the @); its id.

    Raises NotFound, NotAllowed for who only reads, Invalid for a text that is empty or long, a name that is not clear or of somebody who may not see
    the record, and a file that is not taken; then nothing is kept.
    """
    collection, scope = browsed_collection(actor, collection_id)
    about = records.get(collection_id, key, scope, fields=collection.title_fields)
    if not may_write(actor, collection_id):
        raise NotAllowed(ONLY_READ, need=(f"collection:{collection_id}", "update"))
    said = text.strip()
    if not said or len(said) > LONGEST or "\x00" in said:
        raise _wrong(f"A note has 1 to {LONGEST:,} characters.")
    named = _named(actor, collection, key, said)
    note_id, now, ref = new_id(PREFIX.rstrip("_")), log.now(), records.log_reference(collection, key)
    subject = subjects_of(collection, [key])[key]
    kept = _keep(actor, subject, note_id, attached, now)
    kid, nonce, ciphertext = subjects.seal(subject, f"note|{note_id}", said)
    row = {
        "id": note_id,
        "collection": collection_id,
        "record": ref,
        "by": actor.id,
        "at": now,
        "mentions": named,
    }
    with transaction() as connection:
        connection.execute(
            sa.insert(tables.record_note).values(**row, subject=subject, kid=kid, nonce=nonce, ct=ciphertext)
        )
        note_on(
            actor,
            "note_added",
            collection,
            open={"note": note_id, "people": named, "attached": [file.id for file in kept]},
            record=ref,
            subject=subject,
            sealed={"text": said}
            | ({"files": [file.name for file in kept]} if kept else {})
            | title_in_log(about),
            connection=connection,
        )
    if named:
        notify.notify(named, "note_mention", note_id, by=actor.id, link=f"/notes/{note_id}")
    return note_id


def _keep(
    actor: Actor, subject: str, note_id: str, attached: Sequence[tuple[str, bytes]], now: datetime
) -> list[Stored]:
    """Keep the files of a new note, all or none. Raises Invalid for one that is not taken."""
    most = settings.current().request_mb
    if len(attached) > MOST_FILES:
        raise _wrong(f"A note takes at most {MOST_FILES} files.", "file")
    if sum(len(content) for _, content in attached) > most * 1_000_000:
        raise _wrong(
            f"All files together would be larger than {most} MB. Take one away, or send them smaller.", "file"
        )
    kept: list[Stored] = []
    try:
        for name, content in attached:
            kept.append(
                files.put(
                    subject, content, name, tuple(media.MEDIA), run=note_id, slot="note", now=now, by=actor.id
                )
            )
    except Invalid as wrong:
        _drop(kept)
        raise _wrong(wrong.message, "file") from None
    except ConsoleError:
        _drop(kept)
        raise
    return kept


def _drop(kept: Sequence[Stored]) -> None:
    for file in kept:
        files.remove(file.id)


def visible_file(actor: Actor, stored: Stored) -> tuple[Collection, str]:
    """The collection of the record that the file's note is on, and the record's reference in the log. Raises NotFound where the actor may not see it."""
    collection_id, _, row = _visible_note(actor, stored.run)
    return browsed_collection(actor, collection_id)[0], row.record


def remove(actor: Actor, note_id: str) -> tuple[str, str]:
    """Take the text and files of one's own note away; a mark stays. Answers (collection, key) of its record. Raises NotFound for anybody else's."""
    collection_id, key, row = _visible_note(actor, note_id)
    if row.by != actor.id:
        raise NotFound(hidden=True)
    collection, _ = browsed_collection(actor, collection_id)
    table, about = tables.record_note, about_record(collection, key)
    with transaction() as connection:
        gone = {"kid": None, "nonce": None, "ct": None, "removed_at": log.now()}
        if connection.execute(
            sa.update(table).where(table.c.id == note_id, table.c.removed_at.is_(None)).values(**gone)
        ).rowcount:
            note_on(actor, "note_removed", collection, open={"note": note_id}, **about, connection=connection)
    _drop(files.of_run(note_id))
    return collection_id, key


def place_of(actor: Actor, note_id: str) -> tuple[str, str]:
    """(collection, key) of the record that the note is on. Raises NotFound where the actor may not see it."""
    collection_id, key, _ = _visible_note(actor, note_id)
    return collection_id, key


def _visible_note(actor: Actor, note_id: str) -> tuple[str, str, sa.Row[Any]]:
    table = tables.record_note
    with transaction() as connection:
        row = (
            connection.execute(sa.select(table).where(table.c.id == note_id)).first()
            if "\x00" not in note_id
            else None
        )
    if row is None:
        raise NotFound
    collection, scope = browsed_collection(actor, row.collection)
    key = subjects.record_behind(row.collection, row.record) if collection.personal_key else row.record
    if key is None:
        raise NotFound
    records.get(row.collection, key, scope, fields=())
    return row.collection, key, row


def _text(row: sa.Row[Any]) -> str | None:
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
            raise _wrong(
                f"Several people are called @{word}. Write @ and the first part of their e-mail address."
            )
        found |= dict(fitting)
    found.pop(actor.id, None)
    if len(found) > MOST_NAMED:
        raise _wrong(f"A note names at most {MOST_NAMED} people.")
    for ident, name in found.items():
        if not _sees(ident, collection, key):
            raise _wrong(
                f"{name} may not see this record, and so cannot be told. Take the @ away, or ask for the right."
            )
    return sorted(found)


def people_to_name(actor: Actor, collection_id: str, key: str, begun: str) -> list[tuple[str, str]]:
    """(what to write after the @, whole name) of the first people whom a note on the record may name and whose name, or a part of it, begins so.

    Raises NotFound, and NotAllowed for who may write no notes there.
    """
    collection, scope = browsed_collection(actor, collection_id)
    records.get(collection_id, key, scope, fields=())
    if not may_write(actor, collection_id):
        raise NotAllowed(ONLY_READ, need=(f"collection:{collection_id}", "update"))
    people = fetch(_PEOPLE)
    often = Counter(way for _, name, email in people for way in _ways(name, email))
    start, fitting = begun.casefold(), []
    for ident, name, email in people:
        way = next(
            (
                each
                for each in _ways(name, email)
                if often[each] == 1 and _MENTION.fullmatch(f"@{each}") and each[-1] != "."
            ),
            None,
        )
        if (
            ident != actor.id
            and way
            and any(each.startswith(start) for each in (*_ways(name, email), *name.casefold().split()))
        ):
            fitting.append((name, way, ident))
    seen = ((way, name) for name, way, ident in sorted(fitting)[:MOST_ASKED] if _sees(ident, collection, key))
    return list(islice(seen, MOST_OFFERED))


def _ways(name: str, email: str) -> list[str]:
    """The ways to write a person after an @, each once: first name, both names, the first part of the address."""
    parts = name.casefold().split()
    return list(
        dict.fromkeys([*parts[:1], ".".join(parts), "".join(parts), email.casefold().partition("@")[0]])
    )


def _sees(person: str, collection: Collection, key: str) -> bool:
    try:
        theirs = accounts.actor_of_person(person, "sys:engine")
        browsed, scope = browsed_collection(theirs, collection.id)
        return key in records.visible_keys(browsed.id, [key], scope)
    except ConsoleError:
        return False


def _wrong(reason: str, field: str = "text") -> Invalid:
    return Invalid(reason, at=field)
