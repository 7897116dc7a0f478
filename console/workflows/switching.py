"""Giving a workflow another status, by its verb: activate, pause, complete, cancel, archive."""

import sqlalchemy as sa

from console.core.actor import Actor
from console.infra.db.engine import transaction
from console.workflows import lifecycle
from console.workflows.definitions import Entry, change, entry_of, locked_row, switch_status, update_row
from console.workflows.kept_tests import TestsBefore
from console.workflows.known_workflows import _forget


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
            row = switch_status(actor, connection, row, "completed", "", TestsBefore(lambda _document: actor))
        if row.archived_at is None:
            lifecycle.note(actor, "workflow_archived", row, connection, status=row.status)
            row = update_row(connection, row, archived_at=sa.func.now())
    _forget()
    return entry_of(row)
