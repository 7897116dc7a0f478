"""Editing workflows: create, rename, change the draft, activate, pause, duplicate, archive. Each change is an event with the values before it.

A draft may be unfinished; a published version may not. A workflow that was published cannot be deleted, only archived: its runs can be replayed.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from console import log
from console.auth import access
from console.core import drafting
from console.core.actor import Actor
from console.core.errors import Conflict, DefinitionError, Invalid, Malformed, NotFound
from console.core.plain_words import named_reason
from console.infra.db import tables
from console.infra.db.engine import fetch, hot_engine, read_rows, read_value, transaction
from console.workflows.draft_edits import LONGEST_TITLE, changed_body, store_draft, stored_document
from console.workflows.lifecycle import ARCHIVED, FROM, SPOKEN, STATUSES, require_reason
from console.workflows.queries import all_known, forget
from console.workflows.saved_tests import TestsBefore
from console.workflows.store import OBJECT, locked_row, note_event, update_row, visible_row
from console.workflows.versions import connected, go_live, usable, version

JOINERS = {0x200C: None, 0x200D: None}
"""Join or part letters: Persian, Hindi and some emoji are not written without them."""
LONGEST_DESCRIPTION, LONGEST_NOTE = 4000, 2000
table = tables.workflow


@dataclass(frozen=True, slots=True)
class Entry:
    """A workflow with what is said about it; `live_version` is the number of the version that runs start with, None where none was published. `owner` is the id of the person whose it is, None for the organisation's."""

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
    status_at: datetime
    status_reason: str | None
    archived_at: datetime | None
    owner: str | None = None

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
            "whose": "personal" if self.owner else "organisation",
            "owner": self.owner,
            "collection": self.collection,
            "version": self.live_version,
            "created_at": log.body.moment(self.created_at),
            "updated_at": log.body.moment(self.updated_at),
            "status_at": log.body.moment(self.status_at),
            "archived_at": log.body.moment(self.archived_at) if self.archived_at else None,
        }


@dataclass(frozen=True, slots=True)
class Version:
    """A published version without its document."""

    number: int
    hash: str
    published_at: datetime
    published_by: str
    note: str
    live: bool

    def to_json(self) -> dict[str, Any]:
        """The version as one of a list of the API."""
        return asdict(self) | {"published_at": log.body.moment(self.published_at)}


@functools.cache
def organization() -> str:
    """The id of whose console this is, made once with the database."""
    return str(fetch("select id from console.organization")[0][0])


# ------------------------------------------------------------------------------------------------------------- reading


def entry(actor: Actor, slug_or_id: str) -> Entry:
    """One workflow. Raises NotFound, with the same text whether it does not exist or is hidden."""
    with hot_engine().connect() as connection:
        return entry_of(visible_row(connection, actor, slug_or_id))


def entries(
    actor: Actor, *, status: str | None = None, mine: bool = False, limit: int = 50, after: str | None = None
) -> tuple[list[Entry], str | None]:
    """Workflows that the actor may see, in the order of their list, and the cursor of the next page; archived ones only where that is the status asked for; `mine`: the actor's own personal ones.

    Raises Malformed for an unknown status or cursor.
    """
    wanted = SPOKEN.get(status or "", status)
    if wanted is not None and wanted not in (*STATUSES, ARCHIVED):
        reason = f"One of {', '.join((*STATUSES, ARCHIVED))}."
        raise Malformed(f"There is no status {status}.", at=("status", reason))
    there = [
        workflow
        for workflow in all_known()
        if workflow.archived is (wanted == ARCHIVED) and (not mine or workflow.owner == actor.id)
    ]
    seen = [
        workflow
        for workflow in there
        if access.can(actor, workflow.team or None, f"{OBJECT}:{workflow.slug}", "see")
        and wanted in (None, ARCHIVED, workflow.status)
    ]
    ids = [workflow.id for workflow in seen]
    if after is not None and after not in ids:
        raise Malformed(
            "The cursor is not one of ours; begin at the first page.",
            at=("after", "Not a cursor of this list."),
        )
    start = ids.index(after) + 1 if after is not None else 0
    page = ids[start : start + limit]
    found = {row.id: row for row in read_rows(sa.select(table).where(table.c.id.in_(page)))}
    return [entry_of(found[each]) for each in page if each in found], page[-1] if start + limit < len(
        ids
    ) else None


def definition(actor: Actor, slug_or_id: str) -> dict[str, Any]:
    """The document of the draft; of the live version for an actor who may not edit. Raises NotFound."""
    with hot_engine().connect() as connection:
        row = visible_row(connection, actor, slug_or_id)
    if row.live_version is not None and not access.can(
        actor, row.team or None, f"{OBJECT}:{row.slug}", "edit"
    ):
        return version(row.id, row.live_version).document.to_json()
    return stored_document(row.draft)


def draft_document(slug: str) -> dict[str, Any]:
    """The document of the draft, for the command line, which is trusted. Raises NotFound."""
    draft = read_value(sa.select(table.c.draft).where(table.c.slug == slug))
    if draft is None:
        raise NotFound(f"There is no draft of a workflow {slug}.")
    return stored_document(draft)


def versions_of(
    actor: Actor, slug_or_id: str, *, limit: int = 50, after: int | None = None
) -> tuple[list[Version], str | None]:
    """Its published versions, the newest first, and the cursor of the next page. Raises NotFound."""
    made, words = tables.workflow_version.c, tables.version_note.c
    with hot_engine().connect() as connection:
        row = visible_row(connection, actor, slug_or_id)
        found = (
            sa.select(
                made.number, made.hash, made.published_at, made.published_by, sa.func.coalesce(words.note, "")
            )
            .outerjoin_from(
                tables.workflow_version,
                tables.version_note,
                (words.workflow == made.workflow) & (words.number == made.number),
            )
            .where(made.workflow == row.id, made.number > 0)
        )
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


def change(
    actor: Actor,
    slug_or_id: str,
    *,
    title: str | None = None,
    description: str | None = None,
    status: str | None = None,
    reason: str = "",
) -> Entry:
    """Change title, description or status; None keeps the value. Cancelling needs a reason. Raises NotFound, NotAllowed, Invalid, Conflict."""
    given = check_texts(title=title, description=description, status=status)
    tests = TestsBefore(lambda _document: actor)
    after = tests.publishing(lambda: _change(actor, slug_or_id, given, reason, tests))
    forget()
    return entry_of(after)


def activate(actor: Actor, slug_or_id: str) -> Entry:
    """Activate the workflow. Its draft is published if nothing is. Raises NotFound, NotAllowed, Conflict `not_ready` with the reasons."""
    return change(actor, slug_or_id, status="active")


def pause(actor: Actor, slug_or_id: str, reason: str = "") -> Entry:
    """Pause the workflow: no run starts, and timers wait until it is activated again; people can go on with their runs.

    Raises NotFound, NotAllowed, Conflict.
    """
    return change(actor, slug_or_id, status="paused", reason=reason)


def complete(actor: Actor, slug_or_id: str, reason: str = "") -> Entry:
    """Complete the workflow: no run starts, the live ones go on to their end. Raises NotFound, NotAllowed, Conflict."""
    return change(actor, slug_or_id, status="completed", reason=reason)


def cancel(actor: Actor, slug_or_id: str, reason: str) -> Entry:
    """Cancel the workflow: no run starts, and the worker ends the live ones with this reason. Needs the right to cancel its runs too.

    Raises NotFound, NotAllowed, Invalid without a reason, Conflict.
    """
    return change(actor, slug_or_id, status="cancelled", reason=reason)


def archive(actor: Actor, slug_or_id: str) -> Entry:
    """Archive the workflow: completed where it is active or paused, and left out of lists; its runs can be replayed.

    Raises NotFound, NotAllowed, Conflict.
    """
    with transaction() as connection:
        row = locked_row(connection, actor, slug_or_id, "activate")
        if row.status in ("active", "paused", "draft"):
            row = _switch_status(actor, connection, row, "completed", "")
        if row.archived_at is None:
            note_event(actor, "workflow_archived", row, connection, status=row.status)
            row = update_row(connection, row, archived_at=sa.func.now())
    forget()
    return entry_of(row)


def _change(
    actor: Actor, slug_or_id: str, given: Mapping[str, str], reason: str, tests: TestsBefore
) -> Row[Any]:
    with transaction() as connection:
        row = locked_row(
            connection, actor, slug_or_id, "edit" if {"title", "description"} & given.keys() else "activate"
        )
        words = {
            name: given[name]
            for name in ("title", "description")
            if name in given and given[name] != getattr(row, name)
        }
        after = row
        if words:
            after = store_draft(
                connection, actor, row, stored_document(row.draft), _draft_with(row, **words), list(words)
            )
        if given.get("status", row.status) != row.status:
            after = _switch_status(actor, connection, after, given["status"], reason, tests)
    return after


def redefine(
    actor: Actor, slug_or_id: str, document: Mapping[str, Any], *, revision: int | None = None
) -> Entry:
    """Replace the draft by a document. Versions and runs do not change.

    Raises NotFound, NotAllowed (also for the team that the document names), DefinitionError with every problem, Invalid for another slug, Conflict
    `stale_revision` where `revision` is given and the draft has another.
    """
    with transaction() as connection:
        row = locked_row(connection, actor, slug_or_id, "edit")
        if revision is not None and revision != row.draft_revision:
            raise Conflict(
                "Not stored: the draft was changed in the meantime. Read it again.", code="stale_revision"
            )
        wanted = usable("The workflow", document, connected())
        if wanted.slug != row.slug:
            raise Invalid(
                f"The document is of the workflow {wanted.slug}, this is {row.slug}.",
                at=("slug", f"It never changes: {row.slug}."),
            )
        after = store_draft(
            connection,
            actor,
            row,
            stored_document(row.draft),
            wanted.to_json(),
            ["definition"],
            hash=wanted.hash,
        )
    forget()
    return entry_of(after)


_INSIDE = sa.text("select count(*) from console.enrolment where workflow = :workflow and left_at is null")


def remove(actor: Actor, slug_or_id: str) -> None:
    """Delete a workflow that was never published. Raises NotFound, NotAllowed, Conflict if it was published, or somebody is enrolled in it."""
    with transaction() as connection:
        row = locked_row(connection, actor, slug_or_id, "edit")
        made = tables.workflow_version.c
        if row.live_version is not None or connection.scalar(
            sa.select(sa.exists().where(made.workflow == row.id))
        ):
            raise Conflict(
                "This workflow was published or executed, so it stays with its runs. Archive it instead.",
                code="not_possible",
            )
        inside = connection.scalar(_INSIDE, {"workflow": row.id})
        if inside:
            reason = f"{inside:,} {'waits' if inside == 1 else 'wait'} in it to begin: remove all under Enrolled first."
            raise Conflict(reason, code="not_possible")
        connection.execute(sa.delete(table).where(table.c.id == row.id))
        note_event(
            actor,
            "workflow_deleted",
            row,
            connection,
            {"before": changed_body(row), "after": None},
            status=row.status,
        )
    forget()


def publish_draft(
    actor: Actor,
    slug_or_id: str,
    *,
    note: str = "",
    revision: int | None = None,
    accept_failed_tests: str = "",
) -> Entry:
    """Publish the draft. With `revision`, only if it is still that one: nobody publishes what they have not seen.

    `accept_failed_tests` is the reason for which it is published although tests of it fail; it is logged.
    Raises NotFound, NotAllowed, Invalid `not_ready` with the reasons, Conflict `stale_revision`, with `revision` `nothing_new` where the draft is
    live already, `tests_failed` with each failed test or, where a second person must approve, `review_needed`.
    """
    if len(note) > LONGEST_NOTE or "\x00" in note:
        reason = f"takes at most {LONGEST_NOTE} characters"
        raise Invalid("The workflow was not published.", at=("note", reason))
    tests = TestsBefore(lambda _document: actor, accept_failed_tests)
    after = tests.publishing(lambda: _publish_draft(actor, slug_or_id, note, revision, tests))
    forget()
    access.refresh()  # the label of the version hides its runs at once
    return entry_of(after)


def _publish_draft(
    actor: Actor, slug_or_id: str, note: str, revision: int | None, tests: TestsBefore
) -> Row[Any]:
    with transaction() as connection:
        row = locked_row(connection, actor, slug_or_id, "publish")
        if revision is not None and revision != row.draft_revision:
            raise Conflict(
                "Not published: the draft was changed in the meantime. Look at it again.",
                code="stale_revision",
            )
        try:
            after = _publish(actor, connection, tests, row, note)
        except Conflict as error:
            if error.code != "not_ready":
                raise
            raise Invalid(error.message, code=error.code, details=error.details) from None
        if revision is not None and after.live_version == row.live_version:
            raise Conflict(
                f"Nothing new to publish: version {row.live_version} is live with exactly this.",
                code="nothing_new",
            )
        return after


# --------------------------------------------------------------------------------------------------------------- inside


def _publish(
    actor: Actor, connection: Connection, tests: TestsBefore | None, row: Row[Any], note: str = ""
) -> Row[Any]:
    """Publish the draft and return the row. Raises Conflict `not_ready` with the reasons, Untested."""
    try:
        return go_live(connection, actor, row, row.draft, tests=tests, note=note)
    except DefinitionError as error:
        raise not_ready(f"{row.title} cannot be published", error.details) from None


def _switch_status(
    actor: Actor,
    connection: Connection,
    row: Row[Any],
    status: str,
    reason: str,
    tests: TestsBefore | None = None,
) -> Row[Any]:
    """Give the workflow of a locked row this status, with its event, and return the row.

    The same status once more changes nothing, but activating publishes a draft that was never published. Cancelling needs a reason and the
    right to cancel runs. Raises NotAllowed, Invalid, Untested, Conflict `not_possible` or `not_ready`.
    """
    team, obj = row.team or None, f"{OBJECT}:{row.slug}"
    access.require(actor, team, obj, "activate")
    if status == row.status and row.live_version is not None:
        return row
    if status == "draft":
        raise Conflict("This workflow has left its draft: pause or archive it.", code="not_possible")
    if row.live_version is None and status != "active":
        raise Conflict(
            f"{row.title} was never published: activate it first, or delete it.", code="not_possible"
        )
    if row.status not in FROM[status] and status != row.status:
        fit = " or ".join(FROM[status])
        raise Conflict(
            f"Only a workflow that is {fit} can be {status}; this one is {row.status}.", code="not_possible"
        )
    if status == "cancelled":
        access.require(actor, team, obj, "cancel")
    if status == "cancelled" or reason.strip():
        reason = require_reason(reason)
    if row.live_version is None:
        access.require(actor, team, obj, "publish")
        row = _publish(actor, connection, tests, row)
    kind = {"active": "workflow_resumed" if row.status == "paused" else "workflow_activated"}.get(
        status, f"workflow_{status}"
    )
    sealed = {"reason": reason} if reason else None
    note_event(actor, kind, row, connection, sealed, status=status, former=row.status)
    return update_row(
        connection, row, status=status, status_at=log.now(), status_reason=reason or None, archived_at=None
    )


def not_ready(what: str, problems: Sequence[Mapping[str, Any]]) -> Conflict:
    """The error with the reasons for which a draft cannot be published."""
    details = [{**problem, "field": problem["step"] or problem["field"]} for problem in problems]
    first = f": {named_reason(problems[0]['field'], problems[0]['reason'])}" if problems else "."
    return Conflict(f"{what}{first}", code="not_ready", details=details)


def check_texts(**given: str | None) -> dict[str, str]:
    """The given values, checked, with the stored name of the status. Raises Invalid with a detail per field."""
    values = {name: value for name, value in given.items() if value is not None}
    details = []
    title = values.get("title")
    if title is not None and not (
        len(title.strip()) > 0 and len(title) <= LONGEST_TITLE and title.translate(JOINERS).isprintable()
    ):
        details.append({"field": "title", "reason": f"takes 1 to {LONGEST_TITLE} printable characters"})
    if len(values.get("description", "")) > LONGEST_DESCRIPTION or "\x00" in values.get("description", ""):
        details.append({"field": "description", "reason": f"takes at most {LONGEST_DESCRIPTION} characters"})
    if "status" in values:
        values["status"] = SPOKEN.get(values["status"], values["status"])
        if values["status"] not in STATUSES:
            details.append({"field": "status", "reason": f"One of {', '.join(STATUSES)}."})
    if details:
        raise Invalid("The workflow was not saved.", details=details)
    return values


def _draft_with(row: Row[Any], **words: str) -> dict[str, Any]:
    """The draft with another title or description, so that it says what the list says."""
    draft = {**stored_document(row.draft), **words}
    if not draft.get("description"):
        draft.pop("description", None)
    return drafting.ordered(draft)


def entry_of(row: Row[Any]) -> Entry:
    """The workflow of this row."""
    return Entry(**{name: getattr(row, name) for name in Entry.__dataclass_fields__})
