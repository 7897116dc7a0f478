"""Edits of drafts: the changes that made each revision, and those that undo it."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.engine import Connection, Row

from console import steps
from console.auth import access
from console.core import drafting
from console.core.actor import Actor
from console.core.documents.draft_shape import in_shape
from console.core.drafting import ChangeError
from console.core.errors import Invalid, NotFound
from console.infra.db import tables
from console.workflows.store import OBJECT, note_event, update_row

LONGEST_TITLE = 200
MOST_EDITS = 2_000
"""How many of its newest edits a workflow keeps."""
EDIT, UNDO, REDO = "edit", "undo", "redo"
Document = Mapping[str, Any]


@functools.cache
def _settings_of_steps() -> dict[str, type[BaseModel]]:
    return {name: kind.Config for name, kind in steps.all_types().items()}


def stored_document(stored: Document) -> dict[str, Any]:
    """The document of a stored draft, in order and in shape: what is misshapen, as an earlier release took it, is left out."""
    return drafting.ordered(in_shape(stored, _settings_of_steps()))


def record_edit(
    connection: Connection,
    actor: Actor,
    row: Row[Any],
    before: Document,
    document: Document,
    *,
    kind: str = EDIT,
    of: int | None = None,
) -> dict[str, Any]:
    """Keep what turns the draft of this locked row, `before`, into the document; the columns to update then, none where nothing differs.

    Raises Invalid, with the place, where a value is of another kind than what belongs there: a draft may be unfinished, but everybody can read it.
    """
    try:
        drafting.require_shape(document, _settings_of_steps())
    except ChangeError as error:
        raise Invalid(error.reason, code="wrong_change", at=error.field) from None
    changes = drafting.difference(before, document)
    if not changes:
        return {}
    revision = row.draft_revision + 1
    values = {
        "changes": drafting.to_json(changes),
        "inverse": drafting.to_json(drafting.difference(document, before)),
    }
    made = tables.workflow_edit
    connection.execute(
        sa.insert(made).values(workflow=row.id, revision=revision, by=actor.id, kind=kind, of=of, **values)
    )
    connection.execute(
        sa.delete(made).where(made.c.workflow == row.id, made.c.revision <= revision - MOST_EDITS)
    )
    return {"draft": dict(document), "draft_revision": revision}


def draft_at_revision(
    connection: Connection, workflow: str, now: dict[str, Any], newest: int, revision: int
) -> dict[str, Any]:
    """The draft as it was at a revision; `now` is it at the newest, with its keys in order. Raises NotFound where that is not kept any more."""
    if not 0 <= revision <= newest:
        raise NotFound("There is no such revision of this draft.")
    made = tables.workflow_edit.c
    wanted = sa.select(made.inverse).where(
        made.workflow == workflow, made.revision > revision, made.revision <= newest
    )
    found = connection.scalars(wanted.order_by(made.revision.desc())).all() if revision < newest else []
    if len(found) < newest - revision:
        raise NotFound(f"Revision {revision} of this draft is not kept.")
    try:
        for inverse in found:
            now = drafting.apply(now, drafting.read_changes(inverse))
    except ChangeError:  # what an earlier release took, and is left out by now
        raise NotFound(f"Revision {revision} of this draft cannot be read any more.") from None
    return now


def newest_edit(connection: Connection, row: Row[Any], actor: Actor, kind: str) -> Row[Any] | None:
    """The edit of the actor that an undo (or a redo) is about: their newest that stands, or the oldest undone one after it."""
    made = tables.workflow_edit.c
    own = sa.select(tables.workflow_edit).where(
        made.workflow == row.id, made.by == actor.id, made.kind == EDIT
    )
    newest = connection.execute(own.where(~made.undone).order_by(made.revision.desc()).limit(1)).first()
    if kind == UNDO:
        return newest
    undone = own.where(made.undone, made.revision > (newest.revision if newest else 0))
    return connection.execute(undone.order_by(made.revision).limit(1)).first()


def store_draft(
    connection: Connection,
    actor: Actor,
    row: Row[Any],
    before: Document,
    document: Document,
    fields: Sequence[str],
    *,
    kind: str = EDIT,
    of: int | None = None,
    **more: Any,
) -> Row[Any]:
    """Store the document as the draft of a locked row, which is `before`, with what lists show of it and an event; return the row.

    Where it is the draft already, nothing is written. `fields` are what the event calls changed; `more` stands there beside what the workflow is now.
    Raises Invalid for a value of another kind than what belongs there, NotAllowed for a team in which the actor may not edit.
    """
    edited = record_edit(connection, actor, row, before, document, kind=kind, of=of)
    if not edited:
        return row
    head = _head(row, document)
    if head["team"] != row.team:
        access.require(actor, head["team"] or None, f"{OBJECT}:{row.slug}", "edit")
    after = update_row(connection, row, **head, **edited)
    sealed = {"before": changed_body(row), "after": changed_body(after) | more}
    note_event(
        actor,
        "workflow_changed",
        after,
        connection,
        sealed,
        team=row.team,
        status=row.status,
        fields=list(fields),
    )
    return after


def _head(row: Row[Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """What lists show of the draft, as far as it is fit to be shown; else what they showed before."""

    def text(name: str, longest: int, former: Any) -> Any:
        value = document.get(name)
        if value is None:
            return former if name == "title" else "" if name != "collection" else None
        return value if isinstance(value, str) and value.strip() and len(value) <= longest else former

    head = {
        "title": text("title", LONGEST_TITLE, row.title),
        "description": text("description", 4000, row.description),
        "team": text("team", 100, row.team),
        "collection": text("collection", 200, row.collection),
    }
    if row.live_version is None and isinstance(document.get("clearance"), str | None):
        head["label"] = document.get("clearance")
    return head


def changed_body(row: Row[Any]) -> dict[str, Any]:
    """What an event keeps of a workflow as it was."""
    kept = {
        name: getattr(row, name)
        for name in ("title", "description", "status", "team", "collection", "live_version")
    }
    return kept | ({"owner": row.owner} if row.owner else {})
