"""Stored collection documents: the rows of the tables collection, collection_draft and collection_version."""

from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.engine import Connection

from console.authoring.versioned_documents import Documents
from console.core.actor import COMMAND_LINE, Actor
from console.core.documents.collections import Stored
from console.core.documents.collections.collection_document import CollectionDocument, cleansed, read
from console.core.documents.json_shape import model_errors
from console.core.errors import DefinitionError, NotFound
from console.infra.db import tables
from console.records import catalogue


def _parts(document: CollectionDocument | None) -> dict[str, Any]:
    return document.to_json() if document else {}


DOCUMENTS: Documents[CollectionDocument] = Documents(
    "collection", tables.collection_draft, tables.collection_version, read, _parts
)


def read_stored(
    connection: Connection, collection_id: str, *, lock: bool = False
) -> tuple[list[Stored], Stored]:
    """(all stored collections, this one). Raises NotFound. `lock`: hold a lock until the transaction ends."""
    table = tables.collection
    if lock:
        DOCUMENTS.lock(connection, collection_id)
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
    number, known = (
        newest_number(connection, collection_id),
        DOCUMENTS.versions(connection, collection_id)[:1],
    )
    if not known or known[0].hash != live.hash:
        number += 1
        DOCUMENTS.add_version(connection, collection_id, number, live, "found", COMMAND_LINE)
    DOCUMENTS.add_version(connection, collection_id, number + 1, document, origin, actor)
    return number + 1


def add_refreshed(connection: Connection, former: Stored, own: Stored, actor: Actor) -> None:
    """Keep what a refresh of the source says otherwise of a collection as a version, so that its events keep their names."""
    with suppress(DefinitionError):  # a document that its own page cannot read either
        live, made = live_document(former), live_document(own)
        if live.hash != made.hash:
            add_version(connection, own.id, live, made, "file", actor)
