"""Drafts and versions of workspaces, by page or from a file: as with collections, a draft counts for nobody until it is published.

Who may edit which is told by `builders`: a workspace decides what everybody's pages read, and a SELECT reaches a whole source.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.authoring.versioned_documents import CHAIN, Draft, Version, read_file, refuse, version_numbered
from console.core.actor import COMMAND_LINE, Actor
from console.core.documents.collections import Collection
from console.core.documents.collections.document_changes import Change
from console.core.documents.workspaces import KINDS, Workspace, check, read
from console.core.documents.workspaces.new_names import Names, with_columns
from console.core.errors import Invalid, NotFound
from console.infra.db import tables
from console.infra.db.engine import hot_engine, transaction
from console.workflows import inboxes
from console.workspaces import builders, workspace_list
from console.workspaces.workspace_store import DOCUMENTS, add_row, read_live, write_version


@dataclass(frozen=True, slots=True)
class Editing:
    """A workspace in the builder. `live` is None if nothing was published; `version` is then 0."""

    id: str
    live: Workspace | None
    version: int
    draft: Draft[Workspace]

    @property
    def document(self) -> Workspace:
        """The document that the builder continues from."""
        found = self.draft.document or self.live
        if found is None:
            raise NotFound("There is no such workspace, or it is not yours to see.")
        return found

    @property
    def changes(self) -> list[Change]:
        """What publishing the draft would change."""
        if self.draft.document is None:
            return []
        return DOCUMENTS.changes(self.live, self.draft.document)


def _require(actor: Actor, editing: Editing) -> None:
    """Raises NotAllowed unless the actor may edit the workspace as it is published and as it is drafted."""
    builders.require(actor, editing.live, editing.draft.document)


def open_workspace(actor: Actor, workspace_id: str) -> Editing:
    """The workspace as published and as drafted. Raises NotAllowed, NotFound."""
    builders.require(actor)
    with hot_engine().connect() as connection:
        editing = read_editing(connection, workspace_id)
    _require(actor, editing)
    return editing


def versions(actor: Actor, workspace_id: str) -> list[Version[Workspace]]:
    """The published versions, newest first. Raises NotAllowed, NotFound."""
    open_workspace(actor, workspace_id)
    with hot_engine().connect() as connection:
        return DOCUMENTS.versions(connection, workspace_id)


def free_id(wanted: str) -> str:
    """The id, or with the first number that makes it one no workspace has: `workspace-2`."""
    with hot_engine().connect() as connection:
        there = {*connection.execute(sa.select(tables.workspace.c.id)).scalars(), "new"}
    return next(
        name
        for name in (wanted, *(f"{wanted}-{number}" for number in range(2, len(there) + 3)))
        if name not in there
    )


def create(actor: Actor, document: Mapping[str, Any]) -> str:
    """A new workspace as a draft; returns its id. Raises Invalid, also where the name is taken; NotAllowed."""
    builders.require(actor)
    made = checked(document)
    builders.require_within(actor, made)
    with transaction() as connection:
        DOCUMENTS.lock(connection, made.id)
        if connection.execute(
            sa.select(tables.workspace.c.id).where(tables.workspace.c.id == made.id)
        ).first():
            raise Invalid(
                f"There is a workspace called {made.id} already: choose another name for the address.",
                at="id",
            )
        _add_draft(connection, Editing(made.id, None, 0, Draft(None, 0)), made, actor)
    return made.id


def save(actor: Actor, workspace_id: str, revision: int, document: Mapping[str, Any]) -> int:
    """Store the document as the draft; returns the draft's new revision. `revision` is the one the editor started from, 0 without a draft.

    Raises Invalid with a detail per problem, Conflict `stale_revision` with another editor's changes, NotAllowed, NotFound.
    """
    made = checked(document, workspace_id)
    with _edited(actor, workspace_id, revision, made) as (connection, editing):
        if made.canonical() != editing.document.canonical():
            return _add_draft(connection, editing, made, actor)
        return editing.draft.revision


@contextmanager
def _edited(
    actor: Actor, workspace_id: str, revision: int, made: Workspace | None = None
) -> Iterator[tuple[Connection, Editing]]:
    """The workspace, locked for somebody who may edit it, and build what they `made` of it, and has seen its present draft."""
    builders.require(actor)
    with transaction() as connection:
        DOCUMENTS.lock(connection, workspace_id)
        editing = read_editing(connection, workspace_id)
        _require(actor, editing)
        if made is not None:
            builders.require_within(actor, made)
        DOCUMENTS.require_revision(editing.draft, revision, editing.live, actor)
        yield connection, editing


def undo(actor: Actor, workspace_id: str, revision: int) -> int:
    """Undo the last change of the draft; returns the new revision. Raises as `save`."""
    with _edited(actor, workspace_id, revision) as (connection, editing):
        before, former = DOCUMENTS.undone(editing.draft, editing.live, actor)
        return DOCUMENTS.store(connection, workspace_id, before, former, editing.draft.revision + 1, actor)


def discard(actor: Actor, workspace_id: str, revision: int) -> bool:
    """Delete the draft, and a workspace that was never published with it; returns whether the workspace is still there. Raises as `save`."""
    with _edited(actor, workspace_id, revision) as (connection, editing):
        if editing.live is None:
            connection.execute(sa.delete(tables.workspace).where(tables.workspace.c.id == workspace_id))
            return False
        DOCUMENTS.drop(connection, workspace_id, actor)
    return True


def restore(actor: Actor, workspace_id: str, number: int, revision: int) -> int:
    """Make an earlier version the draft, to be reviewed and published; returns the draft's revision. Raises as `save`."""
    found = version_numbered(versions(actor, workspace_id), number)
    return save(actor, workspace_id, revision, found.to_json())


def publish(actor: Actor, workspace_id: str, revision: int, live: str | None = None) -> int:
    """Publish the draft; returns the version number. `live` is the hash of the published document that the editor compared with, "" for none.

    Raises Conflict `stale_revision` if the draft or the published document changed since, NotAllowed, NotFound.
    """
    with _edited(actor, workspace_id, revision) as (connection, editing):
        made = checked(DOCUMENTS.to_publish(editing.draft, editing.live, live).to_json(), workspace_id)
        number = publish_within(connection, editing, made, actor, "page")
    workspace_list.forget()
    return number


def delete(actor: Actor, workspace_id: str, revision: int) -> None:
    """Delete the workspace with its versions. Raises as `save`."""
    with _edited(actor, workspace_id, revision) as (connection, editing):
        connection.execute(sa.delete(tables.workspace).where(tables.workspace.c.id == workspace_id))
        log.note(
            actor,
            "workspace_changed",
            open={"workspace": workspace_id, "version": editing.version, "origin": "page", "deleted": True},
            sealed={"old": editing.document.to_json()},
            chain=CHAIN,
            connection=connection,
        )
    workspace_list.forget()


def export(workspace_id: str) -> bytes:
    """The canonical bytes of what counts, else of the draft. Raises NotFound. Checks no rights: for the trusted command line."""
    with hot_engine().connect() as connection:
        editing = read_editing(connection, workspace_id)
        return (editing.live or editing.document).canonical()


def import_file(source: Path, *, published: bool = False) -> tuple[str, str]:
    """Import a file as the draft of its workspace, or publish it: (workspace id, `unchanged`, `draft` or `version N`).

    For the trusted command line. Raises Invalid with all problems and then changes nothing.
    """
    content = read_file(source)
    refuse(str(source), check(content))
    made = read(content.decode("utf-8-sig"))
    with transaction() as connection:
        DOCUMENTS.lock(connection, made.id)
        try:
            editing = read_editing(connection, made.id)
        except NotFound:
            editing = Editing(made.id, None, 0, Draft(None, 0))
        if editing.live is not None and made.canonical() == editing.live.canonical():
            return made.id, "unchanged"
        if not published:
            _add_draft(connection, editing, made, COMMAND_LINE)
            return made.id, "draft"
        number = publish_within(connection, editing, made, COMMAND_LINE, "file")
    workspace_list.forget()
    return made.id, f"version {number}"


def checked(document: Mapping[str, Any], workspace_id: str | None = None) -> Workspace:
    """The document, if it is valid. Raises Invalid with all problems."""
    refuse(
        str(document.get("title") or "The workspace"),
        check(document),
        lambda path: _component_words(document, path),
    )
    made = read(document)
    if workspace_id is not None and made.id != workspace_id:
        raise Invalid(f"This is the document of {made.id}, not of {workspace_id}.", at="id")
    return made


def _component_words(document: Mapping[str, Any], path: str) -> str:
    """The innermost component on the path, as its card is called: "Metric “Open”"; the path itself where it leads to none."""
    held: Any = document
    component: Any = None
    for name, number in re.findall(r"(\w+)\[(\d+)\]", path):
        try:
            held = held[name][int(number)]
        except (LookupError, TypeError):
            break
        component = held if name == "components" else component
    if not isinstance(component, Mapping) or component.get("type") not in KINDS:
        return path
    title = component.get("title") or component.get("label") or component.get("text")
    kind = KINDS[str(component["type"])].kind_label
    return f"{kind} “{str(title)[:60]}”" if title else kind


def opened_document(editing: Editing, revision: int) -> Workspace | None:
    """The document as somebody has it open who started from this revision of the draft; None if nothing was there."""
    return DOCUMENTS.at(editing.draft, revision).document or editing.live


def changed_since(editing: Editing, revision: int) -> list[Change]:
    """What was changed since that revision of the draft."""
    return DOCUMENTS.changed_since(editing.draft, revision, editing.live)


def read_editing(connection: Connection, workspace_id: str) -> Editing:
    """The workspace as published and as drafted. Raises NotFound."""
    live, version = read_live(connection, workspace_id)
    return Editing(workspace_id, live, version, DOCUMENTS.draft(connection, workspace_id))


def _add_draft(connection: Connection, editing: Editing, made: Workspace, actor: Actor) -> int:
    """Store the document as the draft, and the workspace if it is new; returns the draft's revision."""
    add_row(connection, editing.id)
    return DOCUMENTS.change(connection, editing.id, editing.draft, editing.live, made, actor)


def publish_within(
    connection: Connection, editing: Editing, made: Workspace, actor: Actor, origin: str
) -> int:
    """Publish the document within the transaction, with its event; returns the version number."""
    number = editing.version + 1
    write_version(connection, made, number, origin, actor)
    DOCUMENTS.drop(connection, editing.id, actor)
    DOCUMENTS.note_published(connection, actor, editing.id, number, origin, editing.live, made)
    return number


def follow_renamed_columns(
    connection: Connection,
    columns: Mapping[str, Mapping[str, str]],
    before: Mapping[str, Collection],
    after: Mapping[str, Collection],
    actor: Actor,
) -> None:
    """Publish each workspace again under the new names of `columns` (collection → former → new), and put them into its draft, whose revision stays:
    whoever has it open goes on in it.

    `before` and `after` are all collections by id. One that the new names would make invalid stays as it is and says what it misses.
    """
    names = {ident: found for ident in before if (found := _names(ident, columns, before, after)) != Names()}
    if not names:
        return
    of_inbox = {each.id: each.source.collection for each in inboxes.all_inboxes() if each.source is not None}

    def way(collection: str, relation: str) -> str | None:
        known = before[collection].relation(relation) if collection in before else None
        return known.collection if known is not None else None

    def renamed(document: Workspace) -> Workspace:
        made = with_columns(document, names, way, of_inbox)
        return document if check(made) else read(made)

    for workspace_id in connection.execute(sa.select(tables.workspace.c.id)).scalars().all():
        DOCUMENTS.lock(connection, workspace_id)
        editing = read_editing(connection, workspace_id)
        live, draft = editing.live, editing.draft
        if live is not None and (made := renamed(live)).canonical() != live.canonical():
            publish_within(connection, editing, made, actor, "page")
        elif draft.document is None or renamed(draft.document).canonical() == draft.document.canonical():
            continue
        if draft.document is not None:
            former = [
                each._replace(text=renamed(read(each.text)).canonical().decode()) for each in draft.former
            ]
            DOCUMENTS.store(connection, workspace_id, renamed(draft.document), former, draft.revision, actor)
    workspace_list.forget()


def _names(
    ident: str,
    columns: Mapping[str, Mapping[str, str]],
    before: Mapping[str, Collection],
    after: Mapping[str, Collection],
) -> Names:
    """What is called otherwise in a collection now: its columns, and relations over the same columns as before."""
    own, now = columns.get(ident, {}), after.get(ident)
    relations = {}
    for relation in before[ident].relations if now is not None else ():
        there = columns.get(relation.collection, {})
        pairs = tuple((own.get(mine, mine), there.get(other, other)) for mine, other in relation.columns)
        same = [
            each
            for each in now.relations  # type: ignore[union-attr]
            if (each.collection, each.kind, each.columns) == (relation.collection, relation.kind, pairs)
        ]
        if pairs != relation.columns and len(same) == 1 and same[0].name != relation.name:
            relations[relation.name] = same[0].name
    return Names(own, relations)
