"""What the console says of collections: drafts, versions, files. The database's own structure stays as `sources` found it.

A draft is one per collection, shared by who may edit; it counts from the moment it is published, in every process within a second.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from console import access, log, records
from console.access import PolicyError, subject_scope
from console.core import expressions
from console.core.actor import Actor
from console.core.documents.collections import Collection, Stored, assemble
from console.core.documents.collections.collection_document import CollectionDocument, cleansed, read
from console.core.documents.collections.document_changes import Change, changes, loosened, warnings
from console.core.documents.collections.document_check import check
from console.core.documents.json_shape import Spot, said_of
from console.db import tables
from console.db.engine import hot_engine, transaction
from console.errors import Conflict, DefinitionError, Invalid, NotAllowed, NotFound
from console.records import catalogue, hooked, sql_conditions

COMMAND_LINE = Actor("system", "sys_cli", "Command line", session="sys:config")
CHAIN = "sys:config"
MOST_FORMER = 50
MOST_BYTES = 1024 * 1024
MOST_NAMED = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody is about to say. `revision` grows with each change, and does not start anew with the next draft; `former` are the documents
    before, oldest first; `document` is None where nobody is about to say anything.
    """

    document: CollectionDocument | None
    revision: int
    changed_by: str
    changed_at: datetime | None
    former: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """What was said from a moment on. `origin`: found (before the first change here), page or file."""

    number: int
    document: CollectionDocument
    hash: str
    origin: str
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Head:
    """A collection in the list of those that can be customised; `version` 0 where nothing was published here yet."""

    collection: Collection
    said: bool
    version: int
    changed_at: datetime | None
    draft_by: str | None


@dataclass(frozen=True, slots=True)
class Editing:
    """A collection under the hands of an editor: as it counts, and as the draft would make it (the same where there is none)."""

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
        """What an editor goes on from."""
        return self.draft.document or self.live


# ---------------------------------------------------------------------------------------------------------------- looking


def listed(actor: Actor) -> list[Head]:
    """Every collection, in order. Raises NotAllowed."""
    require_manager(actor)
    version, draft, kept = tables.collection_version.c, tables.collection_draft.c, tables.collection.c
    newest = sa.select(version.collection, sa.func.max(version.number), sa.func.max(version.made_at)).group_by(version.collection)
    with hot_engine().connect() as connection:
        numbers = {row[0]: (row[1], row[2]) for row in connection.execute(newest)}
        drafts = {
            row[0]: row[1] for row in connection.execute(sa.select(draft.collection, draft.changed_by).where(draft.document.is_not(None)))
        }
        said = {row[0] for row in connection.execute(sa.select(kept.id).where(kept.document != sa.text("'{}'::jsonb")))}
    seen = [item for item in records.collections() if is_cleared(actor, item.id)]
    return [Head(item, item.id in said, *numbers.get(item.id, (0, None)), drafts.get(item.id)) for item in seen]


def opened(actor: Actor, collection_id: str) -> Editing:
    """The collection as it counts and as it would become. Raises NotAllowed, NotFound."""
    require_manager(actor, collection_id)
    with hot_engine().connect() as connection:
        every, own = read_stored(connection, collection_id)
        live, draft = live_document(own), read_draft(connection, collection_id)
        version = newest_number(connection, collection_id)
    collection = records.collection(collection_id)
    if draft.document is None:
        return Editing(live, draft, own.structure, collection, collection, version)
    found = check(draft.document.to_json(), own.structure, hooked.names(own.id))
    try:
        becoming = assembled_with(every, own, draft.document)
    except DefinitionError as error:  # the table lost a column since: the page names it, and shows what counts
        becoming, found = collection, found or [Spot((), error.message)]
    told = changes(live.to_json(), draft.document.to_json())
    said = [*warnings(collection, becoming), *loosened(live.to_json(), draft.document.to_json())]
    return Editing(live, draft, own.structure, collection, becoming, version, told, said, found)


def versions(actor: Actor, collection_id: str) -> list[Version]:
    """What was published, newest first. Raises NotAllowed, NotFound."""
    require_manager(actor, collection_id)
    records.collection(collection_id)
    with hot_engine().connect() as connection:
        return read_versions(connection, collection_id)


def tried(actor: Actor, collection_id: str, document: Mapping[str, Any]) -> Collection:
    """The collection as this document would make it; nothing is kept. Raises Invalid, NotAllowed, NotFound."""
    require_manager(actor, collection_id)
    with hot_engine().connect() as connection:
        every, own = read_stored(connection, collection_id)
    try:
        return assembled_with(every, own, checked_document(document, own))
    except DefinitionError as error:
        raise Invalid(error.message, details=error.details) from None


# --------------------------------------------------------------------------------------------------------------- drafting


def save(actor: Actor, collection_id: str, revision: int, document: Mapping[str, Any] | CollectionDocument) -> int:
    """Keep what is about to be said; answers the draft's new revision. `revision` is that which the editor began with, 0 for no draft.

    Raises Invalid with a detail per place that is wrong, Conflict `stale_revision` with what another editor changed meanwhile, NotAllowed, NotFound.
    """
    require_manager(actor, collection_id)
    with transaction() as connection:
        _, own = read_stored(connection, collection_id, lock=True)
        made = checked_document(document, own)
        draft, live = read_draft(connection, collection_id), live_document(own)
        require_revision(draft, revision, live)
        if made.canonical() != (draft.document or live).canonical():
            return add_draft(connection, own, draft, made, actor)
    return revision


def undo(actor: Actor, collection_id: str, revision: int) -> int:
    """Take the last change of the draft back; answers the new revision. Raises as `save`."""
    require_manager(actor, collection_id)
    with transaction() as connection:
        _, own = read_stored(connection, collection_id, lock=True)
        draft, live = read_draft(connection, collection_id), live_document(own)
        require_revision(draft, revision, live)
        if draft.document is None:
            raise Conflict("There is nothing to undo: no draft is there.", code="not_possible")
        former = list(draft.former)
        before = read(former.pop()) if former else live
        nothing = before.canonical() == live.canonical()
        return write_draft(connection, collection_id, None if nothing else before, [] if nothing else former, revision + 1, actor)


def discard(actor: Actor, collection_id: str, revision: int) -> None:
    """Throw the draft away. Raises as `save`."""
    require_manager(actor, collection_id)
    with transaction() as connection:
        _, own = read_stored(connection, collection_id, lock=True)
        require_revision(read_draft(connection, collection_id), revision, live_document(own))
        write_draft(connection, collection_id, None, [], revision + 1, actor)


def restore(actor: Actor, collection_id: str, number: int, revision: int) -> int:
    """Make a former version the draft, to be looked at and published; answers the draft's revision. Raises as `save`."""
    require_manager(actor, collection_id)
    with hot_engine().connect() as connection:
        found = next((one for one in read_versions(connection, collection_id) if one.number == number), None)
    if found is None:
        raise NotFound
    return save(actor, collection_id, revision, found.document)


def publish(actor: Actor, collection_id: str, revision: int, live: str | None = None) -> int:
    """Let the draft count; answers the number of the version. `live` is the hash of what counted when the editor looked at the changes.

    Raises Conflict `stale_revision` where draft or what counts moved since, Invalid for what the table no longer has, NotAllowed, NotFound.
    """
    require_manager(actor, collection_id)
    with transaction() as connection:
        _, own = read_stored(connection, collection_id, lock=True)
        draft, present = read_draft(connection, collection_id), live_document(own)
        require_revision(draft, revision, present)
        if draft.document is None:
            raise Conflict("There is nothing to publish: no draft is there.", code="not_possible")
        if live is not None and live != present.hash:
            raise Conflict(
                "Somebody else published in the meantime. Look at the changes again, which now compare with theirs; nothing was published.",
                code="stale_revision",
            )
        number = _publish(connection, own, present, draft.document, actor, "page")
    _forget()
    return number


# ------------------------------------------------------------------------------------------------------------------ files


def export(collection_id: str) -> bytes:
    """The canonical bytes of what counts. Raises NotFound. Without rights: for the command line, which is trusted."""
    with hot_engine().connect() as connection:
        return live_document(read_stored(connection, collection_id)[1]).canonical()


def check_file(source: Path) -> list[Spot]:
    """Every problem of the file that can be told without a database."""
    return check(read_file(source))


def import_file(source: Path | bytes, *, published: bool = False, by: Actor | None = None) -> tuple[str, str]:
    """Take a file as the draft of its collection, or publish it: (id, what came of it: `unchanged`, `draft`, `version N`).

    `by` None is the command line, which is trusted. Raises Invalid with every problem, and then nothing is changed; NotFound, NotAllowed.
    """
    if by is not None:
        require_manager(by)
    actor, content = by or COMMAND_LINE, read_file(source) if isinstance(source, Path) else source
    named = str(source) if isinstance(source, Path) else "The file"
    refuse(named, check(content))
    document = read(content.decode("utf-8-sig"))
    with transaction() as connection:
        _, own = read_stored(connection, document.id, lock=True)
        made, live, draft = checked_document(document, own), live_document(own), read_draft(connection, document.id)
        if made.canonical() == live.canonical():
            return document.id, "unchanged"
        if not published:
            add_draft(connection, own, draft, made, actor)
            return document.id, "draft"
        number = _publish(connection, own, live, made, actor, "file")
    _forget()
    return document.id, f"version {number}"


def read_file(source: Path) -> bytes:
    try:
        with source.open("rb") as opened_file:
            return opened_file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = f"{source} cannot be read: {error.strerror}."
        raise Invalid(reason, details=[{"field": "", "reason": str(error.strerror)}]) from None


# ----------------------------------------------------------------------------------------------------------------- inside


def require_manager(actor: Actor, collection_id: str | None = None) -> None:
    """Raises NotAllowed; NotFound for a collection whose label the actor is not cleared for."""
    access.require(actor, None, "source", "manage")
    if collection_id is not None and not is_cleared(actor, collection_id):
        raise NotFound(hidden=True)


def is_cleared(actor: Actor, collection_id: str) -> bool:
    label = access.label_of(f"collection:{collection_id}")
    return label is None or label in access.clearance(actor)


def _judge_clearance(actor: Actor, live: CollectionDocument, made: CollectionDocument) -> None:
    """Who changes what records have to be cleared for needs to be cleared, and may change rights. Raises NotAllowed, Invalid."""
    if made.clearance == live.clearance:
        return
    if actor.kind != "system":
        access.require(actor, None, "policy", "manage")
        if live.clearance is not None and live.clearance.label not in access.clearance(actor):
            raise NotAllowed(
                f"You are not cleared for {live.clearance.label}, which these records need.", need=(f"label:{live.clearance.label}", "see")
            )
    try:
        access.check_clearance(made.to_json().get("clearance"))
    except PolicyError as error:
        raise Invalid(error.message, details=[{"field": "clearance", "reason": error.message}]) from None


def read_stored(connection: Connection, collection_id: str, *, lock: bool = False) -> tuple[list[Stored], Stored]:
    """(every collection as it is kept, this one). Raises NotFound. `lock`: nobody else changes it until the transaction ends."""
    table = tables.collection
    if lock:
        connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('console.collection'), hashtext(:id))"), {"id": collection_id})
    rows = connection.execute(sa.select(table).order_by(table.c.position, table.c.id)).all()
    every = [Stored(row.id, row.source, row.structure, row.document, row.position) for row in rows]
    own = next((item for item in every if item.id == collection_id), None)
    if own is None:
        raise NotFound(f"There is no collection {collection_id}: connect its data source first.")
    return every, own


def live_document(own: Stored) -> CollectionDocument:
    """What counts, as a document; a collection that nothing is said of has one too."""
    schema = own.structure["schema"]
    base = {"id": own.id, "source": own.source, "table": own.structure["table"]} | ({"schema": schema} if schema else {})
    try:
        return read({**base, **cleansed(own.document)})
    except ValidationError as error:
        details = [{"field": spot.path, "reason": spot.reason} for spot in said_of(error, CollectionDocument)]
        message = f"What was said of {own.id} when its data source was added cannot be read here. Mend its file, and give it to `console source refresh`."
        raise DefinitionError(message, details=details) from None


def read_draft(connection: Connection, collection_id: str) -> Draft:
    table = tables.collection_draft
    row = connection.execute(sa.select(table).where(table.c.collection == collection_id)).one_or_none()
    if row is None:
        return Draft(None, 0, "", None)
    return Draft(None if row.document is None else read(row.document), row.revision, row.changed_by, row.changed_at, tuple(row.former))


def read_versions(connection: Connection, collection_id: str) -> list[Version]:
    table = tables.collection_version
    rows = connection.execute(sa.select(table).where(table.c.collection == collection_id).order_by(table.c.number.desc()))
    return [Version(row.number, read(row.document), row.hash, row.origin, row.made_by, row.made_at) for row in rows]


def newest_number(connection: Connection, collection_id: str) -> int:
    table = tables.collection_version
    found = connection.execute(sa.select(sa.func.max(table.c.number)).where(table.c.collection == collection_id)).scalar()
    return int(found or 0)


def require_revision(draft: Draft, revision: int, live: CollectionDocument) -> None:
    """Raises Conflict with what was changed since that revision of the draft."""
    back = draft.revision - revision
    if back == 0:
        return
    before = read(draft.former[-back]) if 0 < back <= len(draft.former) else live
    told = changes(before.to_json(), (draft.document or live).to_json())
    raise Conflict(
        "Somebody else changed this draft in the meantime; yours was not saved.",
        code="stale_revision",
        details=[{"field": one.path, "reason": "Changed by somebody else.", "theirs": one.after} for one in told],
        by=draft.changed_by,
    )


def checked_document(document: Mapping[str, Any] | CollectionDocument, own: Stored) -> CollectionDocument:
    """The document, when it fits the collection and its table. Raises Invalid with everything that is wrong."""
    raw = document.to_json() if isinstance(document, CollectionDocument) else document
    refuse(own.id, check(raw, own.structure, hooked.names(own.id)))
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


def refuse(what: str, found: Iterable[Spot]) -> None:
    details = [{"field": spot.path, "reason": spot.reason} for spot in found]
    if details:
        named = f"{details[0]['field']}: {details[0]['reason']}" if details[0]["field"] else details[0]["reason"]
        more = f" And {len(details) - 1} more." if len(details) > 1 else ""
        raise Invalid(f"{what} was not saved. {named}{more}", details=details)


def assembled_with(every: Sequence[Stored], own: Stored, document: CollectionDocument) -> Collection:
    """The collection as this document would make it, beside all others. Raises DefinitionError."""
    changed = Stored(own.id, own.source, own.structure, document.to_json(), own.position)
    return assemble([changed if item.id == own.id else item for item in every], hooked.fields())[own.id]


def _judge_subject(actor: Actor, becoming: Collection, every: Mapping[str, Collection]) -> None:
    """Whose data a collection holds decides who may see it: who says otherwise manages the rights too. Raises NotAllowed, Invalid."""
    before = records.collection(becoming.id)
    if subject_scope.way(before, catalogue.current().collections) == subject_scope.way(becoming, every):
        return
    if wrong := subject_scope.problem(becoming, every):
        raise Invalid(wrong, details=[{"field": "subject", "reason": wrong}])
    if actor is not COMMAND_LINE:
        access.require(actor, None, "policy", "manage")


def _publish(connection: Connection, own: Stored, live: CollectionDocument, document: CollectionDocument, actor: Actor, origin: str) -> int:
    """Make the document count within the transaction, with its event; answers the version. What counted before is kept as a version too."""
    made = checked_document(document, own)
    _judge_clearance(actor, live, made)
    every, _ = read_stored(connection, own.id)
    becoming = assembled_with(every, own, made)
    _judge_subject(actor, becoming, {**catalogue.load(connection).collections, becoming.id: becoming})
    for segment in becoming.segments:
        try:
            sql_conditions.check(expressions.parse(segment.filter), becoming)
        except DefinitionError as error:
            raise Invalid(
                f"{segment.label}: {error.message}", details=[{"field": f"segments.{segment.id}", "reason": error.message}]
            ) from None
    table = tables.collection_version
    number, known = newest_number(connection, own.id), read_versions(connection, own.id)[:1]
    rows = []
    if not known or known[0].hash != live.hash:
        number += 1
        rows.append(_row(own.id, number, live, "found", COMMAND_LINE))
    number += 1
    rows.append(_row(own.id, number, made, origin, actor))
    connection.execute(sa.insert(table), rows)
    connection.execute(sa.update(tables.collection).where(tables.collection.c.id == own.id).values(document=made.to_json()))
    write_draft(connection, own.id, None, [], read_draft(connection, own.id).revision + 1, actor)
    catalogue.touch(connection)
    if made.clearance != live.clearance:
        access.relabelled(connection, actor.id)
    told = changes(live.to_json(), made.to_json())
    log.note(
        actor,
        "collection_changed",
        open={
            "collection": own.id, "version": number, "origin": origin, "hash": made.hash, "former": live.hash,
            "changes": [one.path for one in told[:MOST_NAMED]],
        },
        sealed={"old": {one.path: one.before for one in told}, "new": {one.path: one.after for one in told}},
        chain=CHAIN,
        connection=connection,
    )  # fmt: skip
    return number


def _row(collection_id: str, number: int, document: CollectionDocument, origin: str, actor: Actor) -> dict[str, Any]:
    return {
        "collection": collection_id,
        "number": number,
        "document": document.canonical().decode(),
        "hash": document.hash,
        "origin": origin,
        "made_by": actor.id,
    }


def add_draft(connection: Connection, own: Stored, draft: Draft, document: CollectionDocument, actor: Actor) -> int:
    """Keep the document as the draft, with what the draft was before; answers its revision."""
    former = [*draft.former, (draft.document or live_document(own)).canonical().decode()][-MOST_FORMER:]
    return write_draft(connection, own.id, document, former, draft.revision + 1, actor)


def write_draft(
    connection: Connection, collection_id: str, document: CollectionDocument | None, former: Sequence[str], revision: int, actor: Actor
) -> int:
    table = tables.collection_draft
    text = document.canonical().decode() if document else None
    values = {"document": text, "former": list(former), "revision": revision, "changed_by": actor.id, "changed_at": sa.func.now()}
    insert = postgresql.insert(table).values(collection=collection_id, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=["collection"], set_=values))
    return revision


def _forget() -> None:
    """So that what was published counts in this process at once."""
    records.forget()
    access.refresh()
