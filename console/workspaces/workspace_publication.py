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
from console.core import former_documents
from console.core.actor import Actor
from console.core.documents.collections.document_changes import Change, changes
from console.core.documents.json_shape import Spot
from console.core.documents.workspaces import KINDS, Workspace, check, read
from console.core.errors import Conflict, Invalid, NotFound
from console.core.former_documents import FormerDocument
from console.infra.db import tables
from console.infra.db.engine import hot_engine, transaction
from console.workspaces import builders, workspace_list
from console.workspaces.workspace_store import (
    MOST_FORMER,
    Draft,
    Version,
    lock,
    read_draft,
    read_live,
    read_versions,
    write_draft,
    write_version,
)

COMMAND_LINE = Actor("system", "sys_cli", "Command line", session="sys:config")
CHAIN = "sys:config"
MOST_BYTES = 1024 * 1024
MOST_NAMED = 100


@dataclass(frozen=True, slots=True)
class Editing:
    """A workspace in the builder. `live` is None if nothing was published; `version` is then 0."""

    id: str
    live: Workspace | None
    version: int
    draft: Draft

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
        return changes(_flat(self.live), _flat(self.draft.document))

    @property
    def changers(self) -> Mapping[str, int]:
        """Who made the changes of the draft, the newest first, and how many."""
        return former_documents.changers(self.draft.former, self.draft.changed_by)


def _require(actor: Actor, editing: Editing) -> None:
    """Raises NotAllowed unless the actor may edit the workspace as it is published and as it is drafted."""
    builders.require(actor, editing.live, editing.draft.document)


def open_workspace(actor: Actor, workspace_id: str) -> Editing:
    """The workspace as published and as drafted. Raises NotAllowed, NotFound."""
    builders.require(actor)
    with hot_engine().connect() as connection:
        live, version = read_live(connection, workspace_id)
        editing = Editing(workspace_id, live, version, read_draft(connection, workspace_id))
    _require(actor, editing)
    return editing


def versions(actor: Actor, workspace_id: str) -> list[Version]:
    """The published versions, newest first. Raises NotAllowed, NotFound."""
    open_workspace(actor, workspace_id)
    with hot_engine().connect() as connection:
        return read_versions(connection, workspace_id)


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
        lock(connection, made.id)
        if connection.execute(
            sa.select(tables.workspace.c.id).where(tables.workspace.c.id == made.id)
        ).first():
            reason = f"There is a workspace called {made.id} already: choose another name for the address."
            raise Invalid(reason, details=[{"field": "id", "reason": reason}])
        write_draft(connection, made.id, made, [], 1, actor)
    return made.id


def save(actor: Actor, workspace_id: str, revision: int, document: Mapping[str, Any]) -> int:
    """Store the document as the draft; returns the draft's new revision. `revision` is the one the editor started from, 0 without a draft.

    Raises Invalid with a detail per problem, Conflict `stale_revision` with another editor's changes, NotAllowed, NotFound.
    """
    builders.require(actor)
    made = checked(document, workspace_id)
    with transaction() as connection:
        editing = _locked(connection, workspace_id)
        _require(actor, editing)
        builders.require_within(actor, made)
        require_revision(editing, revision, actor)
        if made.canonical() != editing.document.canonical():
            return _add_draft(connection, editing, made, actor)
        return editing.draft.revision


@contextmanager
def _edited(actor: Actor, workspace_id: str, revision: int) -> Iterator[tuple[Connection, Editing]]:
    """The workspace, locked for somebody who may edit it and has seen its present draft."""
    builders.require(actor)
    with transaction() as connection:
        editing = _locked(connection, workspace_id)
        _require(actor, editing)
        require_revision(editing, revision, actor)
        yield connection, editing


def undo(actor: Actor, workspace_id: str, revision: int) -> int:
    """Undo the last change of the draft; returns the new revision. Raises as `save`."""
    with _edited(actor, workspace_id, revision) as (connection, editing):
        draft, standing = editing.draft, former_documents.standing(editing.draft.former)
        if draft.document is None or not standing:
            raise Conflict("There is nothing to undo.", code="not_possible")
        before = read(standing[-1].text)
        same = editing.live is not None and before.canonical() == editing.live.canonical()
        taken = FormerDocument(draft.document.canonical().decode(), actor.id, undone=True)
        former = [] if same and len(standing) > 1 else [*draft.former, taken][-MOST_FORMER:]
        return write_draft(
            connection, workspace_id, None if same else before, former, draft.revision + 1, actor
        )


def discard(actor: Actor, workspace_id: str, revision: int) -> bool:
    """Delete the draft, and a workspace that was never published with it; returns whether the workspace is still there. Raises as `save`."""
    with _edited(actor, workspace_id, revision) as (connection, editing):
        if editing.live is None:
            connection.execute(sa.delete(tables.workspace).where(tables.workspace.c.id == workspace_id))
            return False
        write_draft(connection, workspace_id, None, [], editing.draft.revision + 1, actor)
    return True


def restore(actor: Actor, workspace_id: str, number: int, revision: int) -> int:
    """Make an earlier version the draft, to be reviewed and published; returns the draft's revision. Raises as `save`."""
    found = next((version for version in versions(actor, workspace_id) if version.number == number), None)
    if found is None:
        raise NotFound("There is no such version.")
    return save(actor, workspace_id, revision, found.document.to_json())


def publish(actor: Actor, workspace_id: str, revision: int, live: str | None = None) -> int:
    """Publish the draft; returns the version number. `live` is the hash of the published document that the editor compared with, "" for none.

    Raises Conflict `stale_revision` if the draft or the published document changed since, NotAllowed, NotFound.
    """
    with _edited(actor, workspace_id, revision) as (connection, editing):
        if editing.draft.document is None:
            raise Conflict("There is nothing to publish: no draft is there.", code="not_possible")
        if live is not None and live != (editing.live.hash if editing.live else ""):
            raise Conflict(
                "Another version was published in the meantime. Look at the changes again, which now compare with it; nothing was published.",
                code="stale_revision",
            )
        number = publish_within(
            connection, editing, checked(editing.draft.document.to_json(), workspace_id), actor, "page"
        )
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
        live, version = read_live(connection, workspace_id)
        return (
            live or Editing(workspace_id, live, version, read_draft(connection, workspace_id)).document
        ).canonical()


def read_file(source: Path) -> bytes:
    """The content of the file, at most one byte more than allowed. Raises Invalid if it cannot be read."""
    try:
        with source.open("rb") as opened_file:
            return opened_file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = f"{source} cannot be read: {error.strerror}."
        raise Invalid(reason, details=[{"field": "", "reason": str(error.strerror)}]) from None


def import_file(source: Path, *, published: bool = False) -> tuple[str, str]:
    """Import a file as the draft of its workspace, or publish it: (workspace id, `unchanged`, `draft` or `version N`).

    For the trusted command line. Raises Invalid with all problems and then changes nothing.
    """
    content = read_file(source)
    refuse(str(source), check(content))
    made = read(content.decode("utf-8-sig"))
    with transaction() as connection:
        lock(connection, made.id)
        try:
            live, version = read_live(connection, made.id)
        except NotFound:
            live, version = None, 0
        editing = Editing(made.id, live, version, read_draft(connection, made.id))
        if live is not None and made.canonical() == live.canonical():
            return made.id, "unchanged"
        if not published:
            _add_draft(connection, editing, made, COMMAND_LINE)
            return made.id, "draft"
        number = publish_within(connection, editing, made, COMMAND_LINE, "file")
    workspace_list.forget()
    return made.id, f"version {number}"


def checked(document: Mapping[str, Any], workspace_id: str | None = None) -> Workspace:
    """The document, if it is valid. Raises Invalid with all problems."""
    refuse(str(document.get("title") or "The workspace"), check(document), document)
    made = read(document)
    if workspace_id is not None and made.id != workspace_id:
        reason = f"This is the document of {made.id}, not of {workspace_id}."
        raise Invalid(reason, details=[{"field": "id", "reason": reason}])
    return made


def refuse(what: str, found: list[Spot], document: Mapping[str, Any] | None = None) -> None:
    """Raises Invalid if there are problems; the message shows the first one, with the component of the `document` in words where that is given."""
    details = [{"field": spot.path, "reason": spot.reason} for spot in found]
    if details:
        place = details[0]["field"] if document is None else _component_words(document, details[0]["field"])
        named = f"{place}: {details[0]['reason']}" if place else details[0]["reason"]
        more = f" And {len(details) - 1} more." if len(details) > 1 else ""
        raise Invalid(f"{what} was not saved. {named}{more}", details=details)


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


def seen(editing: Editing, revision: int) -> Workspace | None:
    """The document as somebody has it open who started from this revision of the draft; None if nothing was there."""
    back = editing.draft.revision - revision
    if back == 0:
        return editing.document
    return read(editing.draft.former[-back].text) if 0 < back <= len(editing.draft.former) else editing.live


def changed_since(editing: Editing, revision: int) -> list[Change]:
    """What was changed since that revision of the draft."""
    return (
        []
        if revision == editing.draft.revision
        else changes(_flat(seen(editing, revision)), _flat(editing.draft.document or editing.live))
    )


def require_revision(editing: Editing, revision: int, actor: Actor) -> None:
    """Raises Conflict `stale_revision` with the changes made since that revision of the draft, if there are any that were not undone."""
    draft, back = editing.draft, editing.draft.revision - revision
    if back == 0 or (0 < back <= len(draft.former) and not changed_since(editing, revision)):
        return
    by, words = former_documents.overtaken(
        draft.former, draft.changed_by, draft.revision - revision, actor.id, gone=draft.document is None
    )
    reason = "Changed by you." if by == actor.id else "Changed by somebody else."
    raise Conflict(
        words,
        code="stale_revision",
        details=[
            {"field": change.path, "reason": reason, "theirs": change.after}
            for change in changed_since(editing, revision)
        ],
        by=by,
        revision=editing.draft.revision,
    )


def _locked(connection: Connection, workspace_id: str) -> Editing:
    lock(connection, workspace_id)
    live, version = read_live(connection, workspace_id)
    return Editing(workspace_id, live, version, read_draft(connection, workspace_id))


def _add_draft(connection: Connection, editing: Editing, made: Workspace, actor: Actor) -> int:
    """Store the document as the draft and remember the previous one; returns the draft's revision."""
    present = editing.draft.document or editing.live
    former = [
        *editing.draft.former,
        *([FormerDocument(present.canonical().decode(), actor.id)] if present else []),
    ][-MOST_FORMER:]
    return write_draft(connection, editing.id, made, former, editing.draft.revision + 1, actor)


def publish_within(
    connection: Connection, editing: Editing, made: Workspace, actor: Actor, origin: str
) -> int:
    """Publish the document within the transaction, with its event; returns the version number."""
    number = editing.version + 1
    write_version(connection, made, number, origin, actor)
    write_draft(connection, editing.id, None, [], editing.draft.revision + 1, actor)
    changed = changes(_flat(editing.live), _flat(made))
    former = {"former": editing.live.hash} if editing.live else {}
    log.note(
        actor,
        "workspace_changed",
        open={
            "workspace": editing.id,
            "version": number,
            "origin": origin,
            "hash": made.hash,
            **former,
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


def _flat(document: Workspace | None) -> dict[str, Any]:
    """The document with its components by id, so that a difference names the component and not its number: `components.refunds.limit`.

    Where a component stands is `in` and its place among the others there.
    """
    if document is None:
        return {"components": {}}
    fields = {name: value for name, value in document.to_json().items() if name not in ("format", "id")}
    by_id: dict[str, Any] = {}
    _flatten(fields.pop("components"), "", by_id)
    return {**fields, "components": by_id}


def _flatten(components: list[dict[str, Any]], parent: str, into: dict[str, Any]) -> None:
    for number, each in enumerate(components):
        own = {name: value for name, value in each.items() if name not in ("id", "components", "tabs")}
        into[each["id"]] = {**own, "place": [parent, number] if parent else [number]}
        _flatten(each.get("components", []), each["id"], into)
        for tab in each.get("tabs", ()):
            own.setdefault("tabs", []).append(tab["title"])
            into[each["id"]]["tabs"] = own["tabs"]
            _flatten(tab.get("components", []), f"{each['id']}.{tab['id']}", into)
