"""Checks before a collection document is kept: rights, revision, and whether the document fits its table."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy.engine import Connection

from console import browse, records
from console.auth import access
from console.authoring.versioned_documents import Draft, refuse
from console.core.actor import Actor
from console.core.documents.collections import Collection, Stored, assemble, fields_of
from console.core.documents.collections.collection_document import CollectionDocument, read
from console.core.documents.collections.document_changes import changes
from console.core.documents.collections.document_check import check
from console.core.documents.json_shape import Spot
from console.core.errors import Invalid, Malformed, NotFound, SourceDown, TooSlow
from console.infra.db.engine import transaction
from console.records import KeySelect, function_fields, sql_segments
from console.sources.collections.collection_store import DOCUMENTS, live_document, read_stored

SHAPED = frozenset(
    {"columns", "details", "form", "help", "label", "label_one", "new", "segments", "sort", "summary"}
)
SHAPED_OF_FIELDS = frozenset({"default", "help", "label", "lines"})
"""What the right to shape covers: how records are named, laid out, filtered and typed in. The rest says what is seen or kept at all."""


def may_shape(actor: Actor, collection_id: str) -> bool:
    """Whether the actor may shape the collection."""
    return is_cleared(actor, collection_id) and browse.may_shape(actor, collection_id)


def may_shape_any(actor: Actor) -> bool:
    """Whether there is a collection that the actor may shape."""
    if access.can(actor, None, "source", "manage"):
        return True
    return access.somewhere(actor, None, "collection", "shape") and any(
        may_shape(actor, item.id) for item in records.collections()
    )


def require_manager(actor: Actor) -> None:
    """Raises NotAllowed unless the actor manages sources."""
    access.require(actor, None, "source", "manage")


def require_shaper(actor: Actor, collection_id: str) -> None:
    """Raises NotAllowed unless the actor may shape the collection; NotFound for one with a label that they are not cleared for."""
    if not browse.may_shape(actor, collection_id):
        if access.can(actor, None, f"collection:{collection_id}", "browse"):
            access.require(actor, None, f"collection:{collection_id}", "shape")
        require_manager(actor)
    if not is_cleared(actor, collection_id):
        raise NotFound(hidden=True)


def require_shaped_only(
    actor: Actor, collection_id: str, before: CollectionDocument, made: CollectionDocument
) -> None:
    """Raises Invalid, naming each place, where an actor who may only shape changes more than `SHAPED`, or filters by what they may not read."""
    if access.can(actor, None, "source", "manage"):
        return
    hidden = unread(actor, records.collection(collection_id))
    details = []
    for change in changes(before.to_json(), made.to_json()):
        head, *rest = change.place
        if head == "fields":
            name = rest[1] if len(rest) > 1 else None
            said = {name} if name else {*(change.before or {}), *(change.after or {})}
            within = said <= SHAPED_OF_FIELDS
        else:
            within = head in SHAPED
        if not within:
            details.append(
                {"field": change.path, "reason": "To change this you need the right to manage data sources."}
            )
        elif head == "sort" and (made.sort or "").removeprefix("-") in hidden:
            details.append({"field": change.path, "reason": "It names a field that you may not read."})
    known = {item.id: item for item in before.segments}
    for item in (
        *made.segments,
        *(known[gone] for gone in known.keys() - {item.id for item in made.segments}),
    ):
        kept = item.id in known and known[item.id] == item and item in made.segments
        reason = None
        if not kept and (item.sql is not None or (item.id in known and known[item.id].sql is not None)):
            reason = "To change a segment made of a SELECT you need the right to manage data sources."
        elif not kept and (fields_of(item.filter or "") | {(item.sort or "").removeprefix("-")}) & hidden:
            reason = "It names a field that you may not read."
        if reason:
            details.append({"field": f"segments.{item.id}", "reason": reason})
    if details:
        raise Invalid(f"Not saved. {details[0]['field']}: {details[0]['reason']}", details=details)


def unread(actor: Actor, collection: Collection) -> frozenset[str]:
    """Fields by which this actor may neither filter nor sort: hidden from them, and hidden from everybody unless they may say otherwise."""
    hidden = browse.view_scope(actor, collection).hidden
    if access.can(actor, None, "source", "manage"):
        return hidden
    return hidden | {field.name for field in collection.stored_fields if field.hidden}


def is_cleared(actor: Actor, collection_id: str) -> bool:
    """Whether the collection has no label, or one that the actor is cleared for."""
    label = access.label_of(f"collection:{collection_id}")
    return label is None or label in access.clearance(actor)


@contextmanager
def edited(
    actor: Actor, collection_id: str, revision: int
) -> Iterator[tuple[Connection, Stored, Draft[CollectionDocument], CollectionDocument]]:
    """The collection, its draft and its published document, locked for somebody who may shape it and has seen its present draft."""
    require_shaper(actor, collection_id)
    with transaction() as connection:
        _, own = read_stored(connection, collection_id, lock=True)
        draft, live = DOCUMENTS.draft(connection, collection_id), live_document(own)
        DOCUMENTS.require_revision(draft, revision, live, actor)
        yield connection, own, draft, live


def checked_document(document: Mapping[str, Any] | CollectionDocument, own: Stored) -> CollectionDocument:
    """The document, if it is valid for the collection and its table. Raises Invalid with all problems."""
    raw = document.to_json() if isinstance(document, CollectionDocument) else document
    refuse(own.id, check(raw, own.structure, function_fields.names(own.id, own.structure)))
    made = read(raw)
    place = {"source": own.source, "table": own.structure["table"], "schema": own.structure["schema"]}
    said = {"source": made.source, "table": made.table, "schema": made.schema_ or own.structure["schema"]}
    refuse(
        own.id,
        [
            Spot((name,), f"{own.id} is about {place[name] or 'no schema'}, not {said[name]}.")
            for name in place
            if said[name] != place[name]
        ],
    )
    return made


def require_selects(
    actor: Actor, collection_id: str, before: CollectionDocument, made: CollectionDocument
) -> None:
    """Run each new SELECT of a segment once, as the actor. Raises Invalid for one that is not allowed, that the database refuses, or that is slow.

    Nothing is run for the command line, which has no rights on records.
    """
    known = {item.sql for item in before.segments}
    for number, item in enumerate(made.segments):
        if item.sql is None or item.sql in known or actor.kind == "system":
            continue
        try:
            try_select(actor, collection_id, item.sql)
        except (Malformed, TooSlow) as error:
            raise Invalid(
                f"{item.label}: {error.message}", at=(f"segments[{number}].sql", error.message)
            ) from None
        except SourceDown:
            continue  # what cannot be asked now is asked again when the list is opened


def try_select(actor: Actor, collection_id: str, sql: str) -> int:
    """How many records the SELECT of a segment gives the actor, 10 001 for more than 10 000.

    Raises Malformed if it is not allowed or refused, TooSlow, SourceDown.
    """
    collection = records.collection(collection_id)
    scope = browse.reach(actor, collection)
    if scope is None:
        raise Malformed(
            f"You may not browse {collection.label}, so that a SELECT over them cannot be tried by you."
        )
    return sql_segments.count(KeySelect(sql, partial(browse.reach, actor)), collection, scope)


def assembled_with(every: Sequence[Stored], own: Stored, document: CollectionDocument) -> Collection:
    """The collection as this document would make it, among all others. Raises DefinitionError."""
    changed = Stored(own.id, own.source, own.structure, document.to_json(), own.position)
    return assemble([changed if item.id == own.id else item for item in every], function_fields.fields())[
        own.id
    ]
