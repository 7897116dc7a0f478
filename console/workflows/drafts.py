"""The draft of a workflow: a document with a revision, changed by several editors at once.

Every change is kept with its inverse (`workflow_edit`), so that changes made on an older revision can be merged, each editor can undo their
own, and an earlier draft can be looked at and restored. A draft may be unfinished; what is wrong with it is told and stops publishing.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from json import loads
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from console import connectors
from console.auth import access
from console.core import drafting
from console.core.actor import Actor
from console.core.documents.workflow import Workflow, read
from console.core.documents.workflow_check import Problem
from console.core.documents.workflow_sketch import Sketch
from console.core.drafting import Change, ChangeError, MisshapenError
from console.core.errors import Conflict, Invalid, NotFound
from console.core.plain_words import named_reason
from console.infra.db import tables
from console.infra.db.engine import hot_engine, transaction
from console.workflows.draft_edits import (
    EDIT,
    REDO,
    UNDO,
    Document,
    draft_at_revision,
    newest_edit,
    store_draft,
    stored_document,
)
from console.workflows.queries import forget
from console.workflows.store import OBJECT, locked_row, visible_row
from console.workflows.versions import check, validation_context, version


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as its editors see it. `changed_by` is the id of who made its newest change, None without any."""

    id: str
    slug: str
    status: str
    team: str
    live: int | None
    document: dict[str, Any]
    revision: int
    changed_by: str | None = None
    changed_at: datetime | None = None
    can_undo: bool = False
    can_redo: bool = False

    def to_json(self, problems: Sequence[Problem]) -> dict[str, Any]:
        """The shape of the API."""
        return {
            "document": self.document,
            "revision": self.revision,
            "problems": [_problem_json(self.document, problem) for problem in problems],
        }


@dataclass(frozen=True, slots=True)
class Edit:
    """The edits of one person within one hour, newest first in lists. `revision` is the newest of them."""

    revision: int
    first: int
    at: datetime
    by: str
    count: int


def open_draft(actor: Actor, slug_or_id: str) -> Draft:
    """The draft. Raises NotFound, NotAllowed for who may not edit the workflow."""
    with hot_engine().connect() as connection:
        return _draft(connection, _editable_row(connection, actor, slug_or_id), actor)


def problems(draft: Draft, sketches: list[Sketch] | None = None) -> list[Problem]:
    """Everything that is wrong with the draft, as `console workflow check --sources` tells it; the steps as they were read are added to `sketches`."""
    return check(draft.document, validation_context(), sketches)


def edit(actor: Actor, slug_or_id: str, revision: int, changes: Sequence[Change]) -> Draft:
    """Change the draft. `revision` is the one on which the changes were made: changes of others since then are merged.

    Raises Invalid for a change that cannot be made, Conflict `conflicting_changes` with `conflicts` where others changed the same step,
    NotFound, NotAllowed.
    """
    with transaction() as connection:
        row = locked_row(connection, actor, slug_or_id, "edit")
        try:
            now = stored_document(row.draft)
            base = draft_at_revision(connection, row.id, now, row.draft_revision, revision)
            after, collisions = drafting.merge(base, now, changes)
        except NotFound:
            reason = "Not saved: the draft has changed too much since. Open it again; what you typed is still here to be copied."
            raise Conflict(reason, code="stale_revision", conflicts=[], revision=row.draft_revision) from None
        except ChangeError as error:
            raise wrong_change(error) from None
        if collisions:
            raise _collided(connection, actor, row, collisions)
        after = _with_chosen_tools(now, after)
        draft = _draft(connection, store(connection, actor, row, now, after), actor, after)
    forget()
    return draft


def undo(actor: Actor, slug_or_id: str) -> Draft:
    """Undo the newest change of the draft that the actor made and did not undo. Raises Conflict where others have changed the same since."""
    return _step_back(actor, slug_or_id, UNDO)


def redo(actor: Actor, slug_or_id: str) -> Draft:
    """Do again what the actor undid last. Raises Conflict where there is nothing, or others have changed the same since."""
    return _step_back(actor, slug_or_id, REDO)


def history(actor: Actor, slug_or_id: str, *, limit: int = 50) -> list[Edit]:
    """Who changed the draft in which hour, the newest first."""
    made = tables.workflow_edit.c
    hour = sa.func.date_trunc("hour", made.at)
    with hot_engine().connect() as connection:
        row = _editable_row(connection, actor, slug_or_id)
        found = (
            sa.select(
                sa.func.max(made.revision),
                sa.func.min(made.revision),
                sa.func.max(made.at),
                made.by,
                sa.func.count(),
            )
            .where(made.workflow == row.id)
            .group_by(hour, made.by)
            .order_by(sa.func.max(made.revision).desc())
        )
        return [Edit(*each) for each in connection.execute(found.limit(limit))]


def draft_at(actor: Actor, slug_or_id: str, revision: int) -> dict[str, Any]:
    """The document of the draft as it was at a revision. Raises NotFound where that is not kept, NotAllowed."""
    with hot_engine().connect() as connection:
        row = _editable_row(connection, actor, slug_or_id)
        return draft_at_revision(connection, row.id, stored_document(row.draft), row.draft_revision, revision)


def draft_before(draft: Draft, revision: int) -> dict[str, Any]:
    """The document of an opened draft as it was at a revision; what is as it was is the same object. Raises NotFound where that is not kept."""
    with hot_engine().connect() as connection:
        return draft_at_revision(connection, draft.id, draft.document, draft.revision, revision)


def restore(actor: Actor, slug_or_id: str, revision: int, document: Mapping[str, Any]) -> Draft:
    """Make an earlier document (of a version, or of the draft) the draft.

    `revision` is the one that it was compared with: Conflict `stale_revision` where the draft was changed since, as what goes away was not seen.
    Else raises as `edit`.
    """
    draft = open_draft(actor, slug_or_id)
    if draft.revision != revision:
        reason = "Not restored: the draft was changed in the meantime. Look at what differs now, then restore it again."
        raise Conflict(reason, code="stale_revision", conflicts=[], revision=draft.revision)
    return edit(
        actor, slug_or_id, revision, drafting.difference(draft.document, {**document, "slug": draft.slug})
    )


def store(
    connection: Connection,
    actor: Actor,
    row: Row[Any],
    before: Document,
    document: Document,
    *,
    kind: str = EDIT,
    of: int | None = None,
) -> Row[Any]:
    """Store the document as the draft of a locked row, which is `before`, with what lists show of it, as an edit of its own; the row as it is then.

    Where it is the draft already, nothing is written. Raises Invalid for another slug, NotAllowed for a team in which the actor may not edit.
    """
    if document.get("slug") != row.slug:
        reason = f"It never changes: {row.slug}."
        raise Invalid(
            f"The document is of the workflow {document.get('slug')}, this is {row.slug}.",
            at=("slug", reason),
        )
    parts = {step or part for step, part in drafting.touched(before, document)}
    more = {"changed": sorted(parts)[:40]}
    return store_draft(connection, actor, row, before, document, ["definition"], kind=kind, of=of, **more)


def readable(document: Mapping[str, Any]) -> Workflow:
    """The draft as a workflow for those who only look at it; of an unfinished one, what can be shown."""
    try:
        return read(document)
    except ValueError:
        return drafting.sketched(stored_document(document))


def as_published(document: Mapping[str, Any]) -> dict[str, Any]:
    """The draft as a version would hold it, with the settings that it leaves out; an unfinished one as it is."""
    try:
        return dict(loads(read(document).canonical()))
    except ValueError:
        return dict(document)


def wrong_change(error: ChangeError) -> Invalid:
    """The error of a change that cannot be made."""
    field = f"changes[{error.number}]" + (f".{error.field}" if error.field else "")
    field = error.field if isinstance(error, MisshapenError) else field
    return Invalid(named_reason(field, error.reason), code="wrong_change", at=(field, error.reason))


# --------------------------------------------------------------------------------------------------------------- inside


def _with_chosen_tools(before: Mapping[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The document with the schema of each tool that was chosen, as it is accepted now: the form stays the same until it is chosen again."""
    former = {step["id"]: step.get("config") or {} for step in before["steps"]}
    made = []
    for step in after["steps"]:
        config, known = step.get("config") or {}, former.get(step["id"], {})
        named = [(each.get("server"), each.get("tool")) for each in (config, known)]
        if (
            step["type"] == "mcp_task"
            and named[0] != named[1]
            and config.get("schema") == known.get("schema")
        ):
            config = {name: value for name, value in config.items() if name != "schema"}
            with contextlib.suppress(NotFound):
                config["schema"] = dict(connectors.tool_of(*map(str, named[0])).form)
            made.append({**step, "config": config})
        else:
            made.append(step)
    return {**after, "steps": made}


def _editable_row(connection: Connection, actor: Actor, slug_or_id: str) -> Row[Any]:
    row = visible_row(connection, actor, slug_or_id)
    access.require(actor, row.team or None, f"{OBJECT}:{row.slug}", "edit")
    return row


def _draft(
    connection: Connection, row: Row[Any], actor: Actor, document: dict[str, Any] | None = None
) -> Draft:
    made = tables.workflow_edit.c
    newest = connection.execute(
        sa.select(made.by, made.at).where(made.workflow == row.id, made.revision == row.draft_revision)
    ).first()
    undoes, redoes = newest_edit(connection, row, actor, UNDO), newest_edit(connection, row, actor, REDO)
    document = document or stored_document(row.draft)
    by, at = (newest.by, newest.at) if newest else (None, None)
    head = (row.id, row.slug, row.status, row.team, row.live_version, document, row.draft_revision)
    return Draft(*head, by, at, undoes is not None, redoes is not None)


def _step_back(actor: Actor, slug_or_id: str, kind: str) -> Draft:
    made = tables.workflow_edit
    with transaction() as connection:
        row = locked_row(connection, actor, slug_or_id, "edit")
        own = newest_edit(connection, row, actor, kind)
        if own is None:
            raise Conflict(f"There is nothing to {kind}.", code="not_possible")
        changes = drafting.read_changes(own.inverse if kind == UNDO else own.changes)
        now = stored_document(row.draft)
        base = draft_at_revision(
            connection, row.id, now, row.draft_revision, own.revision if kind == UNDO else own.revision - 1
        )
        try:
            after, collisions = drafting.merge(base, now, changes)
        except ChangeError as error:
            raise Conflict(error.reason, code="conflicting_changes") from None
        if collisions:
            raise _collided(connection, actor, row, collisions)
        connection.execute(
            sa.update(made)
            .where(made.c.workflow == row.id, made.c.revision == own.revision)
            .values(undone=kind == UNDO)
        )
        draft = _draft(
            connection, store(connection, actor, row, now, after, kind=kind, of=own.revision), actor, after
        )
    forget()
    return draft


def _collided(
    connection: Connection, actor: Actor, row: Row[Any], collisions: Sequence[drafting.Collision]
) -> Conflict:
    made, person = tables.workflow_edit.c, tables.person.c
    newest = sa.select(made.by, person.name).outerjoin_from(
        tables.workflow_edit, tables.person, person.id == made.by
    )
    by = connection.execute(
        newest.where(made.workflow == row.id, made.revision == row.draft_revision)
    ).first()
    who = (by.name or "Somebody") if by else "Somebody"
    who, reason = (
        ("you", "You changed this elsewhere too.")
        if by is not None and by.by == actor.id
        else (who, f"{who} changed this too.")
    )
    return Conflict(
        f"Not saved: {who} changed the same {'elsewhere ' if who == 'you' else ''}in the meantime.",
        code="conflicting_changes",
        details=[(each.step or each.field, reason) for each in collisions],
        conflicts=[each.to_json() for each in collisions],
        revision=row.draft_revision,
    )


def _problem_json(document: Mapping[str, Any], problem: Problem) -> dict[str, Any]:
    body = {
        "step": problem.step,
        "field": problem.field,
        "severity": problem.severity,
        "message": problem.reason,
    }
    mending = drafting.mend(document, problem)
    return body | ({"mend": drafting.to_json([mending[1]])[0]} if mending is not None else {})


def live_document(draft: Draft) -> dict[str, Any] | None:
    """The document of the live version; None where nothing was published."""
    return None if draft.live is None else version(draft.id, draft.live).document.to_json()
