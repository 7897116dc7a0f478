"""Publishing collection documents, from a draft or from a file. A published document takes effect in every process within a second."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log, records
from console.auth import access
from console.auth.access import PolicyError, subject_scope
from console.auth.access.own_rights import OwnRights
from console.core import expressions
from console.core.actor import Actor
from console.core.documents import governance
from console.core.documents.collections import Collection, Stored, contact_document
from console.core.documents.collections.collection_document import CollectionDocument, read
from console.core.documents.collections.document_changes import changes
from console.core.documents.collections.document_check import check
from console.core.documents.json_shape import Spot
from console.core.errors import Conflict, DefinitionError, Invalid, Malformed, NotAllowed, NotFound
from console.infra.db import tables
from console.infra.db.engine import hot_engine, transaction
from console.permissions import second_admin
from console.records import catalogue, sql_conditions, sql_segments
from console.sources.collections.collection_checks import (
    assembled_with,
    checked_document,
    refuse,
    require_manager,
    require_revision,
    require_shaped_only,
    require_shaper,
)
from console.sources.collections.collection_store import (
    COMMAND_LINE,
    add_draft,
    add_version,
    live_document,
    read_draft,
    read_stored,
    write_draft,
)

CHAIN = "sys:config"
MOST_BYTES = 1024 * 1024
MOST_NAMED = 100


def publish(actor: Actor, collection_id: str, revision: int, live: str | None = None) -> int:
    """Publish the draft; returns the version number. `live` is the hash of the published document that the editor compared with.

    Raises Conflict `stale_revision` if the draft or the published document changed since, Invalid for columns that no longer exist, NotAllowed,
    NotFound.
    """
    require_shaper(actor, collection_id)
    with hot_engine().connect() as connection:
        drafted = read_draft(connection, collection_id).document
    _read_selects(collection_id, drafted)
    with transaction() as connection:
        _, own = read_stored(connection, collection_id, lock=True)
        draft, present = read_draft(connection, collection_id), live_document(own)
        require_revision(draft, revision, present, actor)
        if draft.document is None:
            raise Conflict("There is nothing to publish: no draft is there.", code="not_possible")
        if live is not None and live != present.hash:
            raise Conflict(
                "Another version was published in the meantime. Look at the changes again, which now compare with it; nothing was published.",
                code="stale_revision",
            )
        require_shaped_only(actor, collection_id, present, draft.document)
        number = _publish(connection, own, present, draft.document, actor, "page")
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
            if read_draft(connection, collection_id).document is not None:
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
        made, live, draft = (
            checked_document(document, own),
            live_document(own),
            read_draft(connection, document.id),
        )
        if made.canonical() == live.canonical():
            return document.id, "unchanged"
        if not published:
            add_draft(connection, own, draft, made, actor)
            return document.id, "draft"
        number = _publish(connection, own, live, made, actor, "file")
    _forget()
    return document.id, f"version {number}"


def read_file(source: Path) -> bytes:
    """The content of the file, at most one byte more than allowed. Raises Invalid if it cannot be read."""
    try:
        with source.open("rb") as opened_file:
            return opened_file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = f"{source} cannot be read: {error.strerror}."
        raise Invalid(reason, details=[{"field": "", "reason": str(error.strerror)}]) from None


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
        raise Invalid(error.message, details=[{"field": "clearance", "reason": error.message}]) from None


def _judge_subject(actor: Actor, becoming: Collection, every: Mapping[str, Collection]) -> None:
    """Changing the subject changes who may see records, so it requires the right to manage the policy. Raises NotAllowed, Invalid."""
    before = records.collection(becoming.id)
    if subject_scope.way(before, catalogue.current().collections) == subject_scope.way(becoming, every):
        return
    if wrong := subject_scope.problem(becoming, every):
        raise Invalid(wrong, details=[{"field": "subject", "reason": wrong}])
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
    write_draft(connection, own.id, None, [], read_draft(connection, own.id).revision + 1, actor)
    catalogue.touch(connection)
    if made.clearance != live.clearance:
        access.touch_labels(connection, actor.id)
    if opened and actor.kind != "system" and access.can(actor, None, f"collection:{own.id}", "browse"):
        second_admin.note_given(connection, OwnRights(actor.id, opened, ()), access.current_version())
    changed = changes(live.to_json(), made.to_json())
    log.note(
        actor,
        "collection_changed",
        open={
            "collection": own.id,
            "version": number,
            "origin": origin,
            "hash": made.hash,
            "former": live.hash,
            "changes": [change.path for change in changed[:MOST_NAMED]],
        },
        sealed={
            "old": {change.path: change.before for change in changed},
            "new": {change.path: change.after for change in changed},
        },
        chain=CHAIN,
        connection=connection,
    )
    return number


def _forget() -> None:
    """Make the published document take effect in this process at once."""
    records.forget()
    access.refresh()
