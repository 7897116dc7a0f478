"""Stored collection documents: the rows of the tables collection, collection_draft and collection_version."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from console.core import former_documents
from console.core.actor import Actor
from console.core.documents.collections import Stored
from console.core.documents.collections.collection_document import CollectionDocument, cleansed, read
from console.core.documents.json_shape import model_errors
from console.core.errors import DefinitionError, NotFound
from console.core.former_documents import FormerDocument
from console.infra.db import tables
from console.records import catalogue

COMMAND_LINE = Actor("system", "sys_cli", "Command line", session="sys:config")
MOST_FORMER = 50


@dataclass(frozen=True, slots=True)
class Draft:
    """The draft of a collection; `document` None: there is none. `revision` grows with each change, also across drafts.

    `former` are the previous documents of the draft, oldest first.
    """

    document: CollectionDocument | None
    revision: int
    changed_by: str
    changed_at: datetime | None
    former: Sequence[FormerDocument] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A published version. `origin`: found (before the first change on a page), page or file."""

    number: int
    document: CollectionDocument
    hash: str
    origin: str
    made_by: str
    made_at: datetime


def read_stored(
    connection: Connection, collection_id: str, *, lock: bool = False
) -> tuple[list[Stored], Stored]:
    """(all stored collections, this one). Raises NotFound. `lock`: hold a lock until the transaction ends."""
    table = tables.collection
    if lock:
        connection.execute(
            sa.text("select pg_advisory_xact_lock(hashtext('console.collection'), hashtext(:id))"),
            {"id": collection_id},
        )
    rows = connection.execute(sa.select(table).order_by(table.c.position, table.c.id)).all()
    every = catalogue.stored(rows, catalogue.sources(connection))
    own = next((item for item in every if item.id == collection_id), None)
    if own is None:
        raise NotFound(f"There is no collection {collection_id}: connect its data source first.")
    return every, own


def live_document(own: Stored) -> CollectionDocument:
    """The published document; a collection that nobody has described yet has one too."""
    schema = own.structure["schema"]
    base = {"id": own.id, "source": own.source, "table": own.structure["table"]} | (
        {"schema": schema} if schema else {}
    )
    try:
        return read({**base, **cleansed(own.document)})
    except ValidationError as error:
        details = [
            {"field": spot.path, "reason": spot.reason} for spot in model_errors(error, CollectionDocument)
        ]
        message = f"What was said of {own.id} when its data source was added cannot be read here. Mend its file, and give it to `console source refresh`."
        raise DefinitionError(message, details=details) from None


def read_draft(connection: Connection, collection_id: str) -> Draft:
    """The draft of the collection."""
    table = tables.collection_draft
    row = connection.execute(sa.select(table).where(table.c.collection == collection_id)).one_or_none()
    if row is None:
        return Draft(None, 0, "", None)
    document = None if row.document is None else read(row.document)
    return Draft(document, row.revision, row.changed_by, row.changed_at, former_documents.loaded(row.former))


def read_versions(connection: Connection, collection_id: str) -> list[Version]:
    """The versions of the collection, newest first."""
    table = tables.collection_version
    rows = connection.execute(
        sa.select(table).where(table.c.collection == collection_id).order_by(table.c.number.desc())
    )
    return [
        Version(row.number, read(row.document), row.hash, row.origin, row.made_by, row.made_at)
        for row in rows
    ]


def newest_number(connection: Connection, collection_id: str) -> int:
    """The number of the newest version, 0 without one."""
    table = tables.collection_version
    found = connection.execute(
        sa.select(sa.func.max(table.c.number)).where(table.c.collection == collection_id)
    ).scalar()
    return int(found or 0)


def add_version(
    connection: Connection,
    collection_id: str,
    live: CollectionDocument,
    document: CollectionDocument,
    origin: str,
    actor: Actor,
) -> int:
    """Keep the document as a version, and before it the `live` one where it is not the newest version; returns the number."""
    number, known = newest_number(connection, collection_id), read_versions(connection, collection_id)[:1]
    rows = (
        []
        if known and known[0].hash == live.hash
        else [version_row(collection_id, number + 1, live, "found", COMMAND_LINE)]
    )
    rows.append(version_row(collection_id, number + len(rows) + 1, document, origin, actor))
    connection.execute(sa.insert(tables.collection_version), rows)
    return int(rows[-1]["number"])


def add_refreshed(connection: Connection, former: Stored, own: Stored, actor: Actor) -> None:
    """Keep what a refresh of the source says otherwise of a collection as a version, so that its events keep their names."""
    with suppress(DefinitionError):  # a document that its own page cannot read either
        live, made = live_document(former), live_document(own)
        if live.hash != made.hash:
            add_version(connection, own.id, live, made, "file", actor)


def version_row(
    collection_id: str, number: int, document: CollectionDocument, origin: str, actor: Actor
) -> dict[str, Any]:
    """The row of a new version."""
    return {
        "collection": collection_id,
        "number": number,
        "document": document.canonical().decode(),
        "hash": document.hash,
        "origin": origin,
        "made_by": actor.id,
    }


def add_draft(
    connection: Connection, own: Stored, draft: Draft, document: CollectionDocument, actor: Actor
) -> int:
    """Store the document as the draft and remember the previous one; returns the draft's revision."""
    present = (draft.document or live_document(own)).canonical().decode()
    former = [*draft.former, FormerDocument(present, actor.id)][-MOST_FORMER:]
    return write_draft(connection, own.id, document, former, draft.revision + 1, actor)


def write_draft(
    connection: Connection,
    collection_id: str,
    document: CollectionDocument | None,
    former: Sequence[FormerDocument],
    revision: int,
    actor: Actor,
) -> int:
    """Store the draft; returns its revision."""
    table = tables.collection_draft
    text = document.canonical().decode() if document else None
    values = {
        "document": text,
        "former": former_documents.stored(former),
        "revision": revision,
        "changed_by": actor.id,
        "changed_at": sa.func.now(),
    }
    insert = postgresql.insert(table).values(collection=collection_id, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=["collection"], set_=values))
    return revision
