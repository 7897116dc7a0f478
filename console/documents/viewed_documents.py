"""Documents to look at: files that were handed in with a run, and files that a column of a record names, in one folder per collection.

What a browser shows of them are pictures of their pages, drawn by a process of its own; the file itself is only ever given out to be kept.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from console import log, records, runs
from console.auth import access
from console.browse import notes
from console.core import media
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field, Relation
from console.core.errors import Invalid, NotFound, SourceDown
from console.infra import files, settings
from console.infra.files import Stored
from console.records import Record
from console.runs.commands import attachments
from console.steps.answer_request import KINDS, SLOT

EMPTY = "The file is empty: ask for it again."
ARCHIVE = "In the archive, ask Records"
MISSING = "The file is not where the record says it is"
MOST_ROWS = 30
MOST_BYTES = 50_000_000
WIDTHS = (800, 1200, 1800, 2400)
"""Widths in pixels that a page is drawn in, by zoom from 0."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document as a list names it. `ref` leads to it, `kind` and `detail` are words, `why_not` says why it cannot be opened.

    `collection`, `record` and `column` name the file of a record, `slot` what a file was handed in for; `pages` how many it has, where that is known.
    """

    ref: str
    title: str
    kind: str
    detail: str = ""
    status: str = ""
    why_not: str = ""
    collection: str | None = None
    record: str | None = None
    column: str | None = None
    slot: str | None = None
    pages: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A document that was opened: its bytes, and `pages` where they can be shown, else in a sentence why not, if that is known."""

    document: Document
    name: str
    media_type: str
    content: bytes
    pages: int | None
    why_not: str = ""

    @property
    def sha256(self) -> str:
        """The hash of the bytes."""
        return hashlib.sha256(self.content).hexdigest()


def documents_of_run(actor: Actor, run_id: str, collection: str | None, key: str | None) -> list[Document]:
    """What can be looked at beside a run: what was handed in with it, newest first, then the files of its record and of those related to it."""
    sent = [_of_file(stored) for stored in reversed(attachments.files_of_draft(actor, run_id))]
    return [*sent, *(of_records(actor, collection, key) if collection and key else [])]


def _of_file(stored: Stored) -> Document:
    kind = media.label_of(stored.media_type)
    detail = f"{kind}, {media.size(stored.bytes)}" + (
        f", {stored.pages} pages" if (stored.pages or 0) > 1 else ""
    )
    status = KINDS[stored.slot.removeprefix(SLOT)] if stored.slot.startswith(SLOT) else ""
    return Document(
        stored.id, stored.name, kind, detail, status, slot=stored.slot, pages=stored.pages, at=stored.at
    )


def of_records(actor: Actor, collection_id: str, key: str) -> list[Document]:
    """Files that columns of the record, and of records which relations lead to, name."""
    try:
        scope = access.scope_for(actor, collection_id, "read")
        own = records.collection(collection_id)
        found = _named(actor, own, _columns(actor, own), [records.get(collection_id, key, scope)])
    except (SourceDown, NotFound):
        return []
    for relation in own.relations:
        with suppress(
            SourceDown, NotFound
        ):  # what one table does not answer keeps nothing of the others back
            found += _led_to(actor, own, key, relation)
    return found


def _led_to(actor: Actor, own: Collection, key: str, relation: Relation) -> list[Document]:
    """Files that the records name which a relation to many leads to. Raises NotFound, SourceDown."""
    target = records.collection(relation.collection)
    columns = _columns(actor, target)
    if relation.kind != "to_many" or not columns:
        return []
    scope = access.scope_for(actor, target.id, "read")
    return _named(
        actor,
        target,
        columns,
        records.related(own.id, key, relation.name, scope, limit=MOST_ROWS, sort=target.sort).rows,
    )


def _columns(actor: Actor, collection: Collection) -> list[Field]:
    """Columns that name files and that the actor may read; none where they may not read such records at all."""
    if not access.can(actor, None, f"collection:{collection.id}", "read"):
        return []
    return [
        column
        for column in collection.readable(access.scope_for(actor, collection.id, "read"))
        if column.type == "file"
    ]


def _named(
    actor: Actor, collection: Collection, columns: Sequence[Field], rows: Sequence[Record]
) -> list[Document]:
    badge = str(collection.summary.get("badge") or "")
    words = {
        str(option.value): str(option.label)
        for field in collection.fields
        if field.name == badge
        for option in field.options or ()
    }
    labelled = [(row, str(row.values.get(badge) or "")) for row in rows]
    return [
        _of_column(actor, collection, column, row, words.get(state, state))
        for row, state in labelled
        for column in columns
    ]


def title_for(actor: Actor, collection: Collection, row: Record) -> str:
    """The record's title without values that are masked for the actor."""
    masked = access.scope_for(actor, collection.id, "read", sensitive=collection.sensitive).masked & {
        *collection.title_fields
    }
    shown = {name: value for name, value in row.values.items() if name not in masked}
    return collection.title_of(shown, row.key, actor.locale) if masked else row.title


def _of_column(
    actor: Actor, collection: Collection, column: Field, row: Record, status: str = ""
) -> Document:
    path = row.values.get(column.name)
    kind = Path(str(path)).suffix.removeprefix(".").upper() if path else ""
    ref = f"{collection.id}:{column.name}:{row.key}"
    return Document(
        ref,
        title_for(actor, collection, row),
        kind,
        kind or collection.label_one,
        status.replace("_", " "),
        "" if path else ARCHIVE,
        collection.id,
        row.key,
        column.name,
    )


def open_document(actor: Actor, ref: str) -> Opened:
    """The document with its bytes. Raises NotFound where there is none for this actor, or it is no longer there; Invalid where it cannot be opened."""
    found = content_of(actor, ref)
    if ref.startswith("fil_"):
        return found
    try:
        _, media_type, pages = files.examine(found.content, found.name, tuple(media.MEDIA))
    except Invalid as error:  # what others put there and cannot be shown is still given out
        drawn = error.message.partition("”: ")[2].partition(". ")[0]  # what follows is for who sends the file
        why = EMPTY if not found.content else f"{drawn}." if drawn else ""
        return replace(found, media_type="application/octet-stream", why_not=why)
    return replace(found, media_type=media_type, pages=pages)


def content_of(actor: Actor, ref: str) -> Opened:
    """As `opened`, of a record's file with the media type that its first bytes tell (empty: none of ours), and without having opened it."""
    if ref.startswith("fil_"):
        stored = _visible_file(actor, ref)
        return Opened(_of_file(stored), stored.name, stored.media_type, files.content(stored), stored.pages)
    collection, column, row = _record(actor, ref)
    document = _of_column(actor, collection, column, row)
    if document.why_not:
        raise NotFound(f"{ARCHIVE}.")
    file = _below(collection.id, str(row.values[column.name]))
    if file.stat().st_size > MOST_BYTES:
        raise Invalid(f"The file is larger than {media.size(MOST_BYTES)}: open it where it lies.")
    content = file.read_bytes()
    return Opened(document, file.name, files.media_type_of(content, file.name) or "", content, None)


def _visible_file(actor: Actor, ref: str) -> Stored:
    """A file of a run, or of a note on a record, that the actor may see. Raises NotFound."""
    stored = files.find(ref)
    if stored.run.startswith(notes.PREFIX):
        notes.visible_file(actor, stored)
        return stored
    return attachments.visible_in_any_run(actor, ref)


def _record(actor: Actor, ref: str) -> tuple[Collection, Field, Record]:
    """The record, its collection and its column that a reference names, as far as the actor may read them."""
    collection_id, _, rest = ref.partition(":")
    name, _, key = rest.partition(":")
    collection = records.collection(collection_id)
    column = next((one for one in _columns(actor, collection) if one.name == name), None)
    if column is None:
        raise NotFound(hidden=True)
    return collection, column, records.get(collection_id, key, access.scope_for(actor, collection_id, "read"))


def _below(collection_id: str, path: str) -> Path:
    """The file of a record, which may lie nowhere but in the folder of its collection. Raises NotFound."""
    base = settings.current().record_files
    if base is None or "\x00" in path:
        raise NotFound(
            "Files of records are not connected here: CONSOLE_RECORD_FILES names the folder that they lie in."
        )
    folder = (base / collection_id).resolve()
    file = (folder / path).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        raise NotFound(f"{MISSING}. Ask who keeps the files.")
    return file


def page(
    actor: Actor, ref: str, number: int, *, zoom: int = 0, turn: int = 0, run_id: str | None = None
) -> bytes:
    """Page `number` (from 1) as a PNG. That it was opened is an event of the run beside which it is shown, else of its own.

    Raises NotFound where there is no such page or document, Invalid where it cannot be drawn.
    """
    shown = open_document(actor, ref)
    if shown.pages is None or not 1 <= number <= shown.pages:
        raise NotFound("There is no such page.")
    picture = files.page(
        shown.content,
        shown.media_type,
        number,
        WIDTHS[max(0, min(zoom, len(WIDTHS) - 1))],
        turn % 360 // 90 * 90,
    )
    if not zoom and not turn:  # the same page, larger or turned, was opened already
        _note(actor, ref, shown, run_id, number)
    return picture


def first_page(actor: Actor, ref: str) -> tuple[str, bytes]:
    """(SHA-256 of the file, its first page as a PNG: empty where it cannot be drawn). Nobody is noted to have opened it. Raises as `open_document`."""
    found = open_document(actor, ref)
    drawn = files.page(found.content, found.media_type, 1, WIDTHS[0]) if found.pages else b""
    return found.sha256, drawn


def download(actor: Actor, ref: str, run_id: str | None = None) -> Opened:
    """The file itself; that it was taken is an event."""
    shown = open_document(actor, ref)
    _note(actor, ref, shown, run_id, None)
    return shown


def _note(actor: Actor, ref: str, shown: Opened, run_id: str | None, number: int | None) -> None:
    if ref.startswith("fil_"):
        stored = files.find(ref)
        told: dict[str, Any] = {"sealed": {"fields": {"document": shown.name}}, "subject": stored.subject}
        if stored.run.startswith(notes.PREFIX):
            of, reference = notes.visible_file(actor, stored)
            told |= {"source": of.source, "collection": of.id, "record": reference}
            log.note(actor, "record_viewed", open={"tab": "document"}, **told)
        elif not attachments.record_opening(actor, stored.run, stored, number):
            log.note(actor, "record_viewed", open={"tab": "document", "run": stored.run}, **told)
        return
    collection, column, row = _record(actor, ref)
    if run_id is not None:
        runs.source_opened(
            actor,
            run_id,
            source="document",
            collection=collection.id,
            key=records.log_reference(collection, row.key or ""),
            name=column.name,
            page=number,
            pages=shown.pages,
            digest=shown.sha256,
            what=row.title,
        )
        return
    log.note(
        actor,
        "record_viewed",
        open={"tab": "document"},
        source=collection.source,
        collection=collection.id,
        record=records.log_reference(collection, row.key or ""),
    )
