"""Editing workflows: create, rename, change the draft, activate, pause, duplicate, archive. Each change is an event with the values before it.

A draft may be unfinished; a published version may not. A workflow that was published cannot be deleted, only archived: its runs can be replayed.
"""

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from console import access, log
from console.core.actor import Actor
from console.core.documents.workflow import FORMAT, Workflow, read
from console.core.documents.workflow_check import Problem
from console.db import tables
from console.db.engine import fetch, hot_engine, transaction
from console.db.ids import new_id
from console.errors import Conflict, Invalid, Malformed, NotAllowed, NotFound
from console.workflows.versions import CHAIN, OBJECT, Definition, _forget, all_known, around, check, connected, put_live, refused, version

STATUSES = ("draft", "active", "paused", "completed", "cancelled")
SPOKEN = {"running": "active"}
"""What else a status is called by those who send it."""
LONGEST_TITLE, LONGEST_DESCRIPTION = 200, 4000
COLUMNS = ("id", "slug", "title", "description", "status", "team", "collection", "live_version", "created_at", "updated_at")


@dataclass(frozen=True, slots=True)
class Entry:
    """A workflow with what is said about it; `live_version` is the number of the version that runs start with, None where none was published."""

    id: str
    slug: str
    title: str
    description: str
    status: str
    team: str
    collection: str | None
    live_version: int | None
    created_at: datetime
    updated_at: datetime

    def to_json(self) -> dict[str, Any]:
        """The workflow in the shape of the API."""
        return {
            "id": self.id,
            "organization_id": organization(),
            "slug": self.slug,
            "title": self.title,
            "description": self.description,
            "status": self.status,
            "team": self.team or None,
            "collection": self.collection,
            "version": self.live_version,
            "created_at": log.body.moment(self.created_at),
            "updated_at": log.body.moment(self.updated_at),
        }


@dataclass(frozen=True, slots=True)
class Version:
    """A published version without its document."""

    number: int
    hash: str
    published_at: datetime
    published_by: str
    live: bool

    def to_json(self) -> dict[str, Any]:
        """The version as one of a list of the API."""
        return {
            "number": self.number,
            "hash": self.hash,
            "published_at": log.body.moment(self.published_at),
            "published_by": self.published_by,
            "live": self.live,
        }


@functools.cache
def organization() -> str:
    """The id of whose console this is, made once with the database."""
    return str(fetch("select id from console.organization")[0][0])


# ------------------------------------------------------------------------------------------------------------- reading


def entry(actor: Actor, slug_or_id: str) -> Entry:
    """One workflow. Raises NotFound, with the same text whether it does not exist or is hidden."""
    with hot_engine().connect() as connection:
        return _entry(_seen(connection, actor, slug_or_id))


def entries(actor: Actor, *, status: str | None = None, limit: int = 50, after: str | None = None) -> tuple[list[Entry], str | None]:
    """Workflows that the actor may see, by title, and the cursor of the next page. Raises Malformed for an unknown status or cursor."""
    wanted = SPOKEN.get(status or "", status)
    if wanted is not None and wanted not in STATUSES:
        raise Malformed(f"There is no status {status}.", details=[{"field": "status", "reason": f"One of {', '.join(STATUSES)}."}])
    seen = [one for one in all_known() if _may(actor, one, "see") and wanted in (None, one.status)]
    ids = [one.id for one in seen]
    if after is not None and after not in ids:
        raise Malformed(
            "The cursor is not one of ours; begin at the first page.", details=[{"field": "after", "reason": "Not a cursor of this list."}]
        )
    start = ids.index(after) + 1 if after is not None else 0
    page = ids[start : start + limit]
    with hot_engine().connect() as connection:
        found = {row.id: row for row in connection.execute(_select().where(tables.workflow.c.id.in_(page)))}
    return [_entry(found[each]) for each in page if each in found], page[-1] if start + limit < len(ids) else None


def definition(actor: Actor, slug_or_id: str) -> dict[str, Any]:
    """The document of the draft; of the live version for an actor who may not edit. Raises NotFound."""
    with hot_engine().connect() as connection:
        row = _seen(connection, actor, slug_or_id)
    if row.live_version is not None and not access.can(actor, row.team or None, f"{OBJECT}:{row.slug}", "edit"):
        return version(row.id, row.live_version).document.to_json()
    return read(row.draft).to_json()


def versions_of(actor: Actor, slug_or_id: str, *, limit: int = 50, after: int | None = None) -> tuple[list[Version], str | None]:
    """Its published versions, the newest first, and the cursor of the next page. Raises NotFound."""
    made = tables.workflow_version.c
    with hot_engine().connect() as connection:
        row = _seen(connection, actor, slug_or_id)
        found = sa.select(made.number, made.hash, made.published_at, made.published_by).where(made.workflow == row.id)
        if after is not None:
            found = found.where(made.number < after)
        rows = connection.execute(found.order_by(made.number.desc()).limit(limit + 1)).all()
    page = [Version(*each, live=each.number == row.live_version) for each in rows[:limit]]
    return page, str(page[-1].number) if len(rows) > limit else None


def version_of(actor: Actor, slug_or_id: str, number: int) -> tuple[Version, dict[str, Any]]:
    """One version and its document. Raises NotFound."""
    if not 0 < number < 2**31:
        raise NotFound(f"There is no version {number} of this workflow.")
    found, _ = versions_of(actor, slug_or_id, limit=1, after=number + 1 if number < 2**31 - 1 else None)
    if not found or found[0].number != number:
        raise NotFound(f"There is no version {number} of this workflow.")
    return found[0], version(entry(actor, slug_or_id).id, number).document.to_json()


# ------------------------------------------------------------------------------------------------------------- changing


def create(actor: Actor, title: str, *, description: str = "", status: str = "draft", team: str | None = None) -> Entry:
    """Create a workflow with only a start step, in the actor's team (or `team`).

    Raises Invalid with a detail per field, NotAllowed, and Conflict `not_ready` for any status but draft.
    """
    wanted = _checked(title=title, description=description, status=status)["status"]
    home = _home(actor, team)
    if wanted != "draft":
        raise _not_ready("A new workflow has no steps", check(_skeleton("new", title, home), connected()))
    with transaction() as connection:
        slug = _free_slug(connection, title)
        document = _skeleton(slug, title, home, description)
        made = _insert(connection, document, home)
        _note(actor, "workflow_created", made, {"before": None, "after": _event_body(made)}, connection)
    _forget()
    return _entry(made)


def change(actor: Actor, slug_or_id: str, *, title: str | None = None, description: str | None = None, status: str | None = None) -> Entry:
    """Change title, description or status; None keeps the value. Raises NotFound, NotAllowed, Invalid, Conflict."""
    given = _checked(title=title, description=description, status=status)
    with transaction() as connection:
        row = _locked(connection, actor, slug_or_id, "edit" if {"title", "description"} & given.keys() else "activate")
        words = {name: given[name] for name in ("title", "description") if name in given and given[name] != getattr(row, name)}
        after = row
        if words:
            after = _update(connection, row, **words, draft=_draft_with(row, **words))
            _note(actor, "workflow_changed", after, {"before": _event_body(row), "after": _event_body(after)}, connection, list(words))
        if given.get("status", row.status) != row.status:
            after = _switch(actor, connection, after, given["status"])
    _forget()
    return _entry(after)


def redefine(actor: Actor, slug_or_id: str, document: Mapping[str, Any]) -> Entry:
    """Replace the draft by a document. Versions and runs do not change.

    Raises NotFound, NotAllowed (also for the team that the document names), DefinitionError with every problem, Invalid for another slug.
    """
    with transaction() as connection:
        row = _locked(connection, actor, slug_or_id, "edit")
        problems = check(document, connected())
        if any(problem.severity == "error" for problem in problems):
            raise refused("The workflow", problems)
        wanted = read(document)
        if wanted.slug != row.slug:
            raise Invalid(
                f"The document is of the workflow {wanted.slug}, this is {row.slug}.",
                details=[{"field": "slug", "reason": f"It never changes: {row.slug}."}],
            )
        if (wanted.team or "") != row.team:
            access.require(actor, wanted.team, f"{OBJECT}:{row.slug}", "edit")
        after = row
        if row.draft != wanted.to_json():
            named = {"title": wanted.title, "description": wanted.description or "", "team": wanted.team or ""}
            born = {"label": wanted.clearance} if row.live_version is None else {}
            after = _update(connection, row, **named, **born, collection=wanted.collection, draft=wanted.to_json())
            told = {"before": _event_body(row), "after": _event_body(after) | {"hash": wanted.hash}}
            _note(actor, "workflow_changed", after, told, connection, ["definition"])
    _forget()
    return _entry(after)


def remove(actor: Actor, slug_or_id: str) -> None:
    """Delete a workflow that was never published. Raises NotFound, NotAllowed, Conflict if it was published."""
    with transaction() as connection:
        row = _locked(connection, actor, slug_or_id, "edit")
        made = tables.workflow_version.c
        if row.live_version is not None or connection.scalar(sa.select(sa.exists().where(made.workflow == row.id))):
            raise Conflict("This workflow was published, so it stays with its runs. Archive it instead.", code="not_possible")
        connection.execute(sa.delete(tables.workflow).where(tables.workflow.c.id == row.id))
        _note(actor, "workflow_deleted", row, {"before": _event_body(row), "after": None}, connection)
    _forget()


def duplicate(actor: Actor, slug_or_id: str) -> Entry:
    """Create a new draft as a copy of this one. Raises NotFound, NotAllowed."""
    with transaction() as connection:
        row = _locked(connection, actor, slug_or_id, "edit")
        title = f"Copy of {row.title}"[:LONGEST_TITLE]
        slug = _free_slug(connection, title)
        access.require(actor, row.team or None, f"{OBJECT}:{slug}", "edit")
        made = _insert(connection, {**row.draft, "slug": slug, "title": title}, row.team)
        _note(actor, "workflow_created", made, {"before": None, "after": _event_body(made) | {"copy_of": row.id}}, connection)
    _forget()
    return _entry(made)


def activate(actor: Actor, slug_or_id: str) -> Entry:
    """Activate the workflow. Its draft is published if nothing is. Raises NotFound, NotAllowed, Conflict `not_ready` with the reasons."""
    return change(actor, slug_or_id, status="active")


def pause(actor: Actor, slug_or_id: str) -> Entry:
    """Pause the workflow: no run starts, and timers wait until it is activated again; people can go on with their runs.

    Raises NotFound, NotAllowed, Conflict.
    """
    return change(actor, slug_or_id, status="paused")


def archive(actor: Actor, slug_or_id: str) -> Entry:
    """Archive the workflow: no run starts; its runs stay and can be replayed. Raises NotFound, NotAllowed, Conflict."""
    return change(actor, slug_or_id, status="completed")


def publish_draft(actor: Actor, slug_or_id: str) -> Entry:
    """Publish the draft. Raises NotFound, NotAllowed, Conflict `not_ready` with the reasons."""
    with transaction() as connection:
        row = _locked(connection, actor, slug_or_id, "publish")
        after = _publish(actor, connection, row)
    _forget()
    access.refresh()  # the label of the version hides its runs at once
    return _entry(after)


def require_active(definition: Definition) -> None:
    """Raise Conflict `not_active` if no run can start, because the workflow is paused or archived."""
    status = next((one.status for one in all_known() if one.id == definition.id), "active")
    if status != "active":
        words = {"paused": "paused", "draft": "a draft"}.get(status, "archived")
        raise Conflict(f"{definition.title} is {words}: no run starts until somebody activates it.", code="not_active")


def paused(definition: Definition) -> bool:
    """Whether the workflow is paused, at most a second old. Timers of its runs wait until it is activated again."""
    return any(one.id == definition.id and one.status == "paused" for one in all_known())


# --------------------------------------------------------------------------------------------------------------- inside


def _publish(actor: Actor, connection: Connection, row: Row[Any]) -> Row[Any]:
    """Publish the draft and return the row. Raises Conflict `not_ready` with the reasons."""
    problems = check(row.draft, around())
    if any(problem.severity == "error" for problem in problems):
        raise _not_ready(f"{row.title} cannot be published", problems)
    put_live(connection, actor, row, read(row.draft))
    return connection.execute(_select().where(tables.workflow.c.id == row.id)).one()


def _switch(actor: Actor, connection: Connection, row: Row[Any], status: str) -> Row[Any]:
    """Set the status and return the row. Raises Conflict if the workflow cannot have it."""
    before = _event_body(row)
    access.require(actor, row.team or None, f"{OBJECT}:{row.slug}", "activate")
    if status == "draft":
        raise Conflict("This workflow has left its draft: pause or archive it.", code="not_possible")
    if status == "paused" and row.status != "active":
        raise Conflict(f"Only an active workflow can be paused; this one is {row.status}.", code="not_possible")
    if row.live_version is None:
        if status != "active":
            problems = check(row.draft, around())
            raise (
                _not_ready(f"{row.title} was never published", problems)
                if problems
                else Conflict(f"{row.title} was never published: activate it first.", code="not_possible")
            )
        access.require(actor, row.team or None, f"{OBJECT}:{row.slug}", "publish")
        row = _publish(actor, connection, row)
    after = _update(connection, row, status=status) if row.status != status else row
    _note(actor, "workflow_changed", after, {"before": before, "after": _event_body(after)}, connection, ["status"])
    return after


def _not_ready(what: str, problems: Sequence[Problem]) -> Conflict:
    errors = [problem for problem in problems if problem.severity == "error"]
    details = [{**problem.to_json(), "field": problem.step or problem.field} for problem in errors]
    first = f": {details[0]['reason']}" if details else "."
    return Conflict(f"{what}{first}", code="not_ready", details=details)


def _checked(**given: str | None) -> dict[str, str]:
    """The given values, checked, with the stored name of the status. Raises Invalid with a detail per field."""
    told = {name: value for name, value in given.items() if value is not None}
    details = []
    title = told.get("title")
    if title is not None and not (len(title.strip()) > 0 and len(title) <= LONGEST_TITLE and title.isprintable()):
        details.append({"field": "title", "reason": f"takes 1 to {LONGEST_TITLE} printable characters"})
    if len(told.get("description", "")) > LONGEST_DESCRIPTION or "\x00" in told.get("description", ""):
        details.append({"field": "description", "reason": f"takes at most {LONGEST_DESCRIPTION} characters"})
    if "status" in told:
        told["status"] = SPOKEN.get(told["status"], told["status"])
        if told["status"] not in STATUSES:
            details.append({"field": "status", "reason": f"One of {', '.join(STATUSES)}."})
    if details:
        raise Invalid("The workflow was not saved.", details=details)
    return told


def _home(actor: Actor, team: str | None) -> str:
    """The team of a new workflow: the given one, or the first of the actor's in which they may edit workflows. Raises NotAllowed."""
    places = [team] if team is not None else [*actor.teams]
    for place in places:
        if access.can(actor, place, f"{OBJECT}:*", "edit"):
            return place
    raise NotAllowed(
        "Needs workflow.edit in a team of yours. A lead of the team or an admin can grant it.",
        need=(f"{OBJECT}:*", "edit"),
        words="You may not edit workflows in any team. A lead of the team or an admin can grant it.",
    )


def _skeleton(slug: str, title: str, team: str, description: str = "") -> dict[str, Any]:
    """The document of a new workflow."""
    start = {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {}}
    told = {"format": FORMAT, "slug": slug, "title": title, "team": team, "steps": [start]}
    return Workflow.model_validate(told | ({"description": description} if description else {})).to_json()


def _free_slug(connection: Connection, title: str) -> str:
    """A name for addresses, made of the title: `kyc-review`, and `kyc-review-2` where that is taken."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-").lstrip("0123456789-")[:50].strip("-")
    base = made if len(made) > 1 else "workflow"
    slugs = tables.workflow.c.slug
    connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('console.workflow.slug'))"))
    taken = set(connection.scalars(sa.select(slugs).where(sa.or_(slugs == base, slugs.startswith(f"{base}-")))))
    return base if base not in taken else next(f"{base}-{n}" for n in range(2, len(taken) + 3) if f"{base}-{n}" not in taken)


def _insert(connection: Connection, document: Mapping[str, Any], team: str) -> Row[Any]:
    values = {
        "id": new_id("wf"),
        "slug": document["slug"],
        "title": document["title"],
        "description": document.get("description") or "",
        "status": "draft",
        "team": team,
        "collection": document.get("collection"),
        "draft": dict(document),
        "label": document.get("clearance"),
    }
    return connection.execute(sa.insert(tables.workflow).values(**values).returning(*_columns())).one()


def _update(connection: Connection, row: Row[Any], **values: Any) -> Row[Any]:
    changed = sa.update(tables.workflow).where(tables.workflow.c.id == row.id).values(**values, updated_at=sa.func.now())
    return connection.execute(changed.returning(*_columns())).one()


def _draft_with(row: Row[Any], **words: str) -> dict[str, Any]:
    """The draft with another title or description, so that it says what the list says."""
    draft = {**row.draft, **words}
    if not draft.get("description"):
        draft.pop("description", None)
    return read(draft).to_json()


def _locked(connection: Connection, actor: Actor, slug_or_id: str, act: str) -> Row[Any]:
    """The row for a change, locked until the transaction ends. Raises NotFound where it may not be seen, NotAllowed where it may not be changed."""
    row = _seen(connection, actor, slug_or_id, lock=True)
    access.require(actor, row.team or None, f"{OBJECT}:{row.slug}", act)
    return row


def _seen(connection: Connection, actor: Actor, slug_or_id: str, *, lock: bool = False) -> Row[Any]:
    if "\x00" in slug_or_id:  # no column holds one, and asking for it is an error there
        raise NotFound
    known = tables.workflow.c
    found = _select().where(sa.or_(known.slug == slug_or_id, known.id == slug_or_id))
    row = connection.execute(found.with_for_update() if lock else found).first()
    if row is None or not _may(actor, row, "see"):
        raise NotFound(hidden=row is not None and row.label is None)
    return row


def _may(actor: Actor, one: Any, act: str) -> bool:
    """Whether the actor may do this to a workflow: in its team, or in one of theirs in which they hold the right on it by name."""
    return access.can(actor, one.team or None, f"{OBJECT}:{one.slug}", act)


def _columns() -> list[sa.Column[Any]]:
    return [*(tables.workflow.c[name] for name in COLUMNS), tables.workflow.c.draft, tables.workflow.c.label]


def _select() -> sa.Select[Any]:
    return sa.select(*_columns())


def _entry(row: Row[Any]) -> Entry:
    return Entry(**{name: getattr(row, name) for name in COLUMNS})


def _event_body(row: Row[Any]) -> dict[str, Any]:
    """What an event keeps of a workflow as it was."""
    return {name: getattr(row, name) for name in ("title", "description", "status", "team", "collection", "live_version")}


def _note(
    actor: Actor, kind: str, row: Row[Any], sealed: Mapping[str, Any], connection: Connection, fields: Sequence[str] | None = None
) -> None:
    told = {"workflow": row.id, "slug": row.slug, "status": row.status} | ({"fields": list(fields)} if fields else {})
    chain = None if row.label else CHAIN
    log.note(actor, kind, open=told, sealed=sealed, team=row.team or None, chain=chain, label=row.label, connection=connection)
