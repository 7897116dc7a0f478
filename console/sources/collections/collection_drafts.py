"""Collection documents: their drafts, which take effect when they are published, their versions, and files.

Each collection has at most one draft, shared by all editors. A published document takes effect in every process within a second. The structure
of the table itself comes from `console.sources` and is not edited here.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import records
from console.auth import access
from console.auth.access import PolicyError, subject_scope
from console.auth.access.own_rights import OwnRights
from console.authoring.versioned_documents import Draft, Version, read_file, refuse, version_numbered
from console.core import expressions
from console.core.actor import COMMAND_LINE, Actor
from console.core.documents import governance
from console.core.documents.collections import Collection, Stored, contact_document
from console.core.documents.collections.collection_document import CollectionDocument, read
from console.core.documents.collections.document_changes import Change, loosened, warnings
from console.core.documents.collections.document_check import check
from console.core.documents.json_shape import Spot
from console.core.errors import (
    Conflict,
    DefinitionError,
    Invalid,
    Malformed,
    NotAllowed,
    NotFound,
    SourceDown,
)
from console.infra.db import tables
from console.infra.db.engine import hot_engine, transaction
from console.permissions import second_admin
from console.records import catalogue, function_fields, sql_conditions, sql_segments
from console.sources import repairs
from console.sources.collections.collection_checks import (
    assembled_with,
    checked_document,
    edited,
    is_cleared,
    may_shape,
    may_shape_any,
    require_manager,
    require_selects,
    require_shaped_only,
    require_shaper,
    try_select,
)
from console.sources.collections.collection_store import (
    DOCUMENTS,
    add_version,
    live_document,
    newest_number,
    read_stored,
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
    draft: Draft[CollectionDocument]
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
        draft = DOCUMENTS.draft(connection, collection_id)
        draft = draft if revision is None else DOCUMENTS.at(draft, revision)
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
    changed = DOCUMENTS.changes(live, draft.document)
    said = [*warnings(collection, becoming), *loosened(live.to_json(), draft.document.to_json())]
    return Editing(live, draft, own.structure, collection, becoming, version, changed, said, found)


def versions(actor: Actor, collection_id: str) -> list[Version[CollectionDocument]]:
    """The published versions, newest first. Raises NotAllowed, NotFound."""
    require_shaper(actor, collection_id)
    records.collection(collection_id)
    with hot_engine().connect() as connection:
        return DOCUMENTS.versions(connection, collection_id)


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
        known = DOCUMENTS.draft(connection, collection_id).document or live_document(own)
    require_selects(actor, collection_id, known, checked_document(document, own))
    with edited(actor, collection_id, revision) as (connection, own, draft, live):
        made = checked_document(document, own)
        require_shaped_only(actor, collection_id, draft.document or live, made)
        if made.canonical() != (draft.document or live).canonical():
            return DOCUMENTS.change(connection, collection_id, draft, live, made, actor)
        return draft.revision


def undo(actor: Actor, collection_id: str, revision: int) -> int:
    """Undo the last change of the draft; returns the new revision. Raises as `save`."""
    with edited(actor, collection_id, revision) as (connection, _, draft, live):
        before, former = DOCUMENTS.undone(draft, live, actor)
        require_shaped_only(actor, collection_id, draft.document or live, before or live)
        return DOCUMENTS.store(connection, collection_id, before, former, draft.revision + 1, actor)


def discard(actor: Actor, collection_id: str, revision: int) -> None:
    """Delete the draft. Raises as `save`."""
    with edited(actor, collection_id, revision) as (connection, _, draft, live):
        require_shaped_only(actor, collection_id, draft.document or live, live)
        DOCUMENTS.drop(connection, collection_id, actor)


def restore(actor: Actor, collection_id: str, number: int, revision: int) -> int:
    """Make an earlier version the draft, to be reviewed and published, without what its database no longer has; returns the draft's revision.

    Raises as `save`.
    """
    return _save_fitted(
        actor, collection_id, revision, version_numbered(versions(actor, collection_id), number)
    )


def mend(actor: Actor, collection_id: str, revision: int) -> int:
    """Leave out of the draft what its database no longer has; returns the draft's revision. Raises as `save`."""
    require_shaper(actor, collection_id)
    with hot_engine().connect() as connection:
        draft = DOCUMENTS.draft(connection, collection_id)
    if draft.document is None:
        raise Conflict("There is nothing to mend: no draft is there.", code="not_possible")
    return _save_fitted(actor, collection_id, revision, draft.document)


def _save_fitted(actor: Actor, collection_id: str, revision: int, document: CollectionDocument) -> int:
    with hot_engine().connect() as connection:
        every, own = read_stored(connection, collection_id)
    columns = {item.id: frozenset(column["name"] for column in item.structure["columns"]) for item in every}
    made = repairs.adapt_document(document.to_json(), own.structure, columns)
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


def publish(actor: Actor, collection_id: str, revision: int, live: str | None = None) -> int:
    """Publish the draft; returns the version number. `live` is the hash of the published document that the editor compared with.

    Raises Conflict `stale_revision` if the draft or the published document changed since, Invalid for columns that no longer exist, NotAllowed,
    NotFound.
    """
    require_shaper(actor, collection_id)
    with hot_engine().connect() as connection:
        drafted = DOCUMENTS.draft(connection, collection_id).document
    _read_selects(collection_id, drafted)
    with edited(actor, collection_id, revision) as (connection, own, draft, present):
        document = DOCUMENTS.to_publish(draft, present, live)
        require_shaped_only(actor, collection_id, present, document)
        number = _publish(connection, own, present, document, actor, "page")
    _forget()
    return number


def relate(actor: Actor, relations: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Publish these further relations of collections; returns those left as they are, because a draft of them is there. Raises NotAllowed, NotFound."""
    require_manager(actor)
    left = []
    with transaction() as connection:
        for collection_id in sorted(relations):
            _, own = read_stored(connection, collection_id, lock=True)
            live = live_document(own)
            if DOCUMENTS.draft(connection, collection_id).document is not None:
                left.append(collection_id)
                continue
            said = live.to_json()
            made = read({**said, "relations": [*said.get("relations", ()), *relations[collection_id]]})
            _publish(connection, own, live, made, actor, "page")
    _forget()
    return left


def export(collection_id: str) -> bytes:
    """The canonical bytes of the published document. Raises NotFound. Checks no rights: for the trusted command line."""
    with hot_engine().connect() as connection:
        return live_document(read_stored(connection, collection_id)[1]).canonical()


def check_file(source: Path) -> list[Spot]:
    """All problems of the file that can be found without a database."""
    return check(read_file(source))


def check_governed(files: Iterable[Path], beside: Iterable[Path]) -> list[tuple[str, str]]:
    """(collection and column, reason) for each governed column that none of the workflows and actions `beside` writes."""
    found = [
        path for place in beside for path in (sorted(place.glob("*.json")) if place.is_dir() else [place])
    ]
    others = [said for path in found if isinstance(said := _read_file(path), dict)]
    own = [said for path in files if isinstance(said := _read_file(path), dict)]
    acts = [each for each in others if "effects" in each]
    warnings = governance.warnings(own, [each for each in others if each not in acts], acts)
    return [(f"{collection}, governed.{column}", reason) for collection, column, reason in warnings]


def _read_file(path: Path) -> Any:
    """The JSON of a file; None where it cannot be read, which its own check says."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def import_file(source: Path | bytes, *, published: bool = False, by: Actor | None = None) -> tuple[str, str]:
    """Import a file as the draft of its collection, or publish it: (collection id, `unchanged`, `draft` or `version N`).

    `by` None is the trusted command line. Raises Invalid with all problems and then changes nothing; NotFound, NotAllowed.
    """
    if by is not None:
        require_manager(by)
    actor, content = by or COMMAND_LINE, read_file(source) if isinstance(source, Path) else source
    named = str(source) if isinstance(source, Path) else "The file"
    refuse(named, check(content))
    document = read(content.decode("utf-8-sig"))
    _read_selects(document.id, document)
    with transaction() as connection:
        _, own = read_stored(connection, document.id, lock=True)
        made, live = checked_document(document, own), live_document(own)
        if made.canonical() == live.canonical():
            return document.id, "unchanged"
        if not published:
            DOCUMENTS.change(connection, own.id, DOCUMENTS.draft(connection, own.id), live, made, actor)
            return document.id, "draft"
        number = _publish(connection, own, live, made, actor, "file")
    _forget()
    return document.id, f"version {number}"


def _judge_clearance(actor: Actor, live: CollectionDocument, made: CollectionDocument) -> None:
    """Changing the clearance of records requires being cleared and the right to manage the policy. Raises NotAllowed, Invalid."""
    if made.clearance == live.clearance:
        return
    if actor.kind != "system":
        access.require(actor, None, "policy", "manage")
        if live.clearance is not None and live.clearance.label not in access.clearance(actor):
            raise NotAllowed(
                f"You are not cleared for {live.clearance.label}, which these records need.",
                need=(f"label:{live.clearance.label}", "see"),
            )
    try:
        access.check_clearance(made.to_json().get("clearance"))
    except PolicyError as error:
        raise Invalid(error.message, at="clearance") from None


def _judge_subject(actor: Actor, becoming: Collection, every: Mapping[str, Collection]) -> None:
    """Changing the subject changes who may see records, so it requires the right to manage the policy. Raises NotAllowed, Invalid."""
    before = records.collection(becoming.id)
    if subject_scope.way(before, catalogue.current().collections) == subject_scope.way(becoming, every):
        return
    if wrong := subject_scope.problem(becoming, every):
        raise Invalid(wrong, at="subject")
    if actor is not COMMAND_LINE:
        access.require(actor, None, "policy", "manage")


def _opened(becoming: Collection, every: Mapping[str, Collection]) -> list[tuple[str, str]]:
    """What the document opens of its records to whoever may browse them already: fields that were hidden or masked, and those of other people's."""
    before = records.collection(becoming.id)
    fields = [(before.by_name[each.name], each) for each in becoming.fields if each.name in before.by_name]
    seen = [
        new.name
        for old, new in fields
        if (old.sensitive and not new.sensitive) or (old.hidden and not new.hidden)
    ]
    moved = subject_scope.way(before, catalogue.current().collections) != subject_scope.way(becoming, every)
    return [(f"field:{becoming.id}/{name}", "read") for name in seen] + (
        [(f"collection:{becoming.id}", "read")] if moved else []
    )


def _read_selects(collection_id: str, document: CollectionDocument | None) -> None:
    """Read the SELECTs of segments once before the transaction: loading the parser may take longer than a transaction may be idle."""
    for segment in document.segments if document is not None else ():
        if segment.sql is not None:
            with suppress(Malformed, NotFound):
                sql_segments.reads(segment.sql, records.collection(collection_id))


def _publish(
    connection: Connection,
    own: Stored,
    live: CollectionDocument,
    document: CollectionDocument,
    actor: Actor,
    origin: str,
) -> int:
    """Publish the document within the transaction, with its event; returns the version number. The document before is kept as a version."""
    made = checked_document(document, own)
    _judge_clearance(actor, live, made)
    every, _ = read_stored(connection, own.id)
    becoming = assembled_with(every, own, made)
    present = catalogue.load(connection).collections
    among = {**present, becoming.id: becoming}
    opened = _opened(becoming, among)
    _judge_subject(actor, becoming, among)
    refuse(own.id, contact_document.wrong_tables(becoming, among))
    for contact in among.values():  # whose consents may stand in this table
        refuse(
            own.id,
            set(contact_document.wrong_tables(contact, among))
            - set(contact_document.wrong_tables(contact, present)),
        )
    for segment in becoming.segments:
        try:
            if segment.sql is not None:
                sql_segments.reads(segment.sql, becoming)
            else:
                sql_conditions.check(expressions.parse(segment.filter), becoming)
        except (DefinitionError, Malformed) as error:
            raise Invalid(
                f"{segment.label}: {error.message}", at=(f"segments.{segment.id}", error.message)
            ) from None
    number = add_version(connection, own.id, live, made, origin, actor)
    connection.execute(
        sa.update(tables.collection).where(tables.collection.c.id == own.id).values(document=made.to_json())
    )
    DOCUMENTS.drop(connection, own.id, actor)
    catalogue.touch(connection)
    if made.clearance != live.clearance:
        access.touch_labels(connection, actor.id)
    if opened and actor.kind != "system" and access.can(actor, None, f"collection:{own.id}", "browse"):
        second_admin.note_given(connection, OwnRights(actor.id, opened, ()), access.current_version())
    DOCUMENTS.note_published(connection, actor, own.id, number, origin, live, made)
    return number


def _forget() -> None:
    """Make the published document take effect in this process at once."""
    records.forget()
    access.refresh()
