"""Looking at collection documents and editing their drafts.

Each collection has at most one draft, shared by all editors. It takes effect when it is published. The structure of the table itself comes
from `console.sources` and is not edited here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from console import records
from console.auth import access
from console.core import expressions, former_documents
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.documents.collections.collection_document import CollectionDocument, read
from console.core.documents.collections.document_changes import Change, changes, loosened, warnings
from console.core.documents.collections.document_check import check
from console.core.documents.json_shape import Spot
from console.core.errors import Conflict, DefinitionError, Invalid, Malformed, NotFound, SourceDown
from console.infra.db import tables
from console.infra.db.engine import hot_engine, transaction
from console.records import function_fields, sql_conditions
from console.sources import mending
from console.sources.collections.collection_checks import (
    assembled_with,
    checked_document,
    is_cleared,
    may_shape,
    may_shape_any,
    require_manager,
    require_revision,
    require_selects,
    require_shaped_only,
    require_shaper,
    try_select,
)
from console.sources.collections.collection_store import (
    MOST_FORMER,
    Draft,
    Version,
    add_draft,
    live_document,
    newest_number,
    read_draft,
    read_stored,
    read_versions,
    write_draft,
)


@dataclass(frozen=True, slots=True)
class Head:
    """A collection in the list of those that can be customised. `version` is 0 if nothing was published yet."""

    collection: Collection
    said: bool
    version: int
    changed_at: datetime | None
    draft_by: str | None


@dataclass(frozen=True, slots=True)
class Editing:
    """A collection in the editor: `live` as published, `becoming` as the draft would make it (the same without a draft)."""

    live: CollectionDocument
    draft: Draft
    structure: Mapping[str, Any]
    collection: Collection
    becoming: Collection
    version: int
    changes: Sequence[Change] = ()
    warnings: Sequence[str] = ()
    problems: Sequence[Spot] = ()

    @property
    def document(self) -> CollectionDocument:
        """The document that the editor continues from."""
        return self.draft.document or self.live

    @property
    def changers(self) -> Mapping[str, int]:
        """Who made the changes of the draft, the newest first, and how many."""
        return former_documents.changers(self.draft.former, self.draft.changed_by)


def list_collections(actor: Actor) -> list[Head]:
    """The collections that the actor may shape, in order. Raises NotAllowed where there is none."""
    if not may_shape_any(actor):
        require_manager(actor)
    version, draft, kept = tables.collection_version.c, tables.collection_draft.c, tables.collection.c
    newest = sa.select(
        version.collection, sa.func.max(version.number), sa.func.max(version.made_at)
    ).group_by(version.collection)
    with hot_engine().connect() as connection:
        numbers = {row[0]: (row[1], row[2]) for row in connection.execute(newest)}
        drafts = {
            row[0]: row[1]
            for row in connection.execute(
                sa.select(draft.collection, draft.changed_by).where(draft.document.is_not(None))
            )
        }
        said = {
            row[0]
            for row in connection.execute(sa.select(kept.id).where(kept.document != sa.text("'{}'::jsonb")))
        }
    manages = access.can(actor, None, "source", "manage")
    seen = [
        item
        for item in records.collections()
        if (is_cleared(actor, item.id) if manages else may_shape(actor, item.id))
    ]
    return [
        Head(item, item.id in said, *numbers.get(item.id, (0, None)), drafts.get(item.id)) for item in seen
    ]


def open_collection(actor: Actor, collection_id: str, revision: int | None = None) -> Editing:
    """The collection as published and as the draft would make it, or as it was at an earlier `revision`. Raises NotAllowed, NotFound."""
    require_shaper(actor, collection_id)
    with hot_engine().connect() as connection:
        every, own = read_stored(connection, collection_id)
        live = live_document(own)
        draft = _at(read_draft(connection, collection_id), revision)
        version = newest_number(connection, collection_id)
    collection = records.collection(collection_id)
    if draft.document is None:
        return Editing(live, draft, own.structure, collection, collection, version)
    found = check(draft.document.to_json(), own.structure, function_fields.names(own.id, own.structure))
    try:
        becoming = assembled_with(every, own, draft.document)
    except (
        DefinitionError
    ) as error:  # the table has lost a column: the page names it, and shows the published collection
        becoming, found = collection, found or [Spot((), error.message)]
    changed = changes(live.to_json(), draft.document.to_json())
    said = [*warnings(collection, becoming), *loosened(live.to_json(), draft.document.to_json())]
    return Editing(live, draft, own.structure, collection, becoming, version, changed, said, found)


def _at(draft: Draft, revision: int | None) -> Draft:
    """The draft as it was at this revision; where that is not kept any more, as if there were none."""
    back = 0 if revision is None else draft.revision - revision
    if back <= 0:
        return draft
    before = read(draft.former[-back].text) if back <= len(draft.former) else None
    return replace(draft, document=before, revision=revision or 0)


def versions(actor: Actor, collection_id: str) -> list[Version]:
    """The published versions, newest first. Raises NotAllowed, NotFound."""
    require_shaper(actor, collection_id)
    records.collection(collection_id)
    with hot_engine().connect() as connection:
        return read_versions(connection, collection_id)


def preview(actor: Actor, collection_id: str, document: Mapping[str, Any]) -> Collection:
    """The collection as this document would make it; nothing is stored. Raises Invalid, NotAllowed, NotFound."""
    require_shaper(actor, collection_id)
    with hot_engine().connect() as connection:
        every, own = read_stored(connection, collection_id)
    try:
        return assembled_with(every, own, checked_document(document, own))
    except DefinitionError as error:
        raise Invalid(error.message, details=error.details) from None


def save(
    actor: Actor, collection_id: str, revision: int, document: Mapping[str, Any] | CollectionDocument
) -> int:
    """Store the document as the draft; returns the draft's new revision. `revision` is the one the editor started from, 0 without a draft.

    Raises Invalid with a detail per problem, Conflict `stale_revision` with another editor's changes, NotAllowed, NotFound.
    """
    require_shaper(actor, collection_id)
    with hot_engine().connect() as connection:
        own = read_stored(connection, collection_id)[1]
        known = read_draft(connection, collection_id).document or live_document(own)
    require_selects(actor, collection_id, known, checked_document(document, own))
    with transaction() as connection:
        _, own = read_stored(connection, collection_id, lock=True)
        made = checked_document(document, own)
        draft, live = read_draft(connection, collection_id), live_document(own)
        require_revision(draft, revision, live, actor)
        require_shaped_only(actor, collection_id, draft.document or live, made)
        if made.canonical() != (draft.document or live).canonical():
            return add_draft(connection, own, draft, made, actor)
        return draft.revision


def undo(actor: Actor, collection_id: str, revision: int) -> int:
    """Undo the last change of the draft; returns the new revision. Raises as `save`."""
    require_shaper(actor, collection_id)
    with transaction() as connection:
        _, own = read_stored(connection, collection_id, lock=True)
        draft, live = read_draft(connection, collection_id), live_document(own)
        require_revision(draft, revision, live, actor)
        if draft.document is None:
            raise Conflict("There is nothing to undo: no draft is there.", code="not_possible")
        standing = former_documents.standing(draft.former)
        before = read(standing[-1].text) if standing else live
        require_shaped_only(actor, collection_id, draft.document, before)
        nothing = before.canonical() == live.canonical()
        taken = former_documents.FormerDocument(draft.document.canonical().decode(), actor.id, undone=True)
        former = [] if nothing and len(standing) > 1 else [*draft.former, taken][-MOST_FORMER:]
        return write_draft(
            connection, collection_id, None if nothing else before, former, draft.revision + 1, actor
        )


def discard(actor: Actor, collection_id: str, revision: int) -> None:
    """Delete the draft. Raises as `save`."""
    require_shaper(actor, collection_id)
    with transaction() as connection:
        _, own = read_stored(connection, collection_id, lock=True)
        draft, live = read_draft(connection, collection_id), live_document(own)
        require_revision(draft, revision, live, actor)
        require_shaped_only(actor, collection_id, draft.document or live, live)
        write_draft(connection, collection_id, None, [], draft.revision + 1, actor)


def restore(actor: Actor, collection_id: str, number: int, revision: int) -> int:
    """Make an earlier version the draft, to be reviewed and published, without what its database no longer has; returns the draft's revision.

    Raises as `save`.
    """
    require_shaper(actor, collection_id)
    with hot_engine().connect() as connection:
        found = next(
            (version for version in read_versions(connection, collection_id) if version.number == number),
            None,
        )
    if found is None:
        raise NotFound
    return _save_fitted(actor, collection_id, revision, found.document)


def mend(actor: Actor, collection_id: str, revision: int) -> int:
    """Leave out of the draft what its database no longer has; returns the draft's revision. Raises as `save`."""
    require_shaper(actor, collection_id)
    with hot_engine().connect() as connection:
        draft = read_draft(connection, collection_id)
    if draft.document is None:
        raise Conflict("There is nothing to mend: no draft is there.", code="not_possible")
    return _save_fitted(actor, collection_id, revision, draft.document)


def _save_fitted(actor: Actor, collection_id: str, revision: int, document: CollectionDocument) -> int:
    with hot_engine().connect() as connection:
        every, own = read_stored(connection, collection_id)
    columns = {item.id: frozenset(column["name"] for column in item.structure["columns"]) for item in every}
    made = mending.fitted(document.to_json(), own.structure, columns)
    bare = assembled_with(every, own, read({**made, "segments": []}))
    made["segments"] = [segment for segment in made.get("segments", ()) if not _misfit(actor, bare, segment)]
    return save(actor, collection_id, revision, made)


def _misfit(actor: Actor, collection: Collection, segment: Mapping[str, Any]) -> bool:
    """Whether the conditions of the segment, or its SELECT, mean nothing for these records."""
    try:
        if "sql" not in segment:
            sql_conditions.check(expressions.parse(segment["filter"]), collection)
        else:
            try_select(actor, collection.id, segment["sql"])
    except SourceDown:
        return False
    except (DefinitionError, Malformed):
        return True
    return False
