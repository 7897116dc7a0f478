"""Rows of workflows: read and locked for an actor who may, changed, and noted in the log."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from console import log
from console.auth import access
from console.core.actor import Actor
from console.core.errors import NotFound
from console.infra.db import tables

CHAIN = "sys:config"
OBJECT = "workflow"
table = tables.workflow


def visible_row(connection: Connection, actor: Actor, slug_or_id: str, *, lock: bool = False) -> Row[Any]:
    """Return the workflow's row. Raises NotFound, with the same text whether it does not exist or is hidden."""
    wanted = sa.select(table).where(sa.or_(table.c.slug == slug_or_id, table.c.id == slug_or_id))
    # PostgreSQL raises an error for NUL
    row = (
        None
        if "\x00" in slug_or_id
        else connection.execute(wanted.with_for_update() if lock else wanted).first()
    )
    if row is None or not access.can(actor, row.team or None, f"{OBJECT}:{row.slug}", "see"):
        raise NotFound(hidden=row is not None and row.label is None)
    return row


def may(actor: Actor, workflow: Any, act: str) -> bool:
    """Return whether the actor may do this with the workflow: anything with a `team` and a `slug`."""
    return access.can(actor, workflow.team or None, f"{OBJECT}:{workflow.slug}", act)


def require(actor: Actor, workflow: Any, act: str) -> None:
    """Raise NotAllowed unless the actor may do this with the workflow."""
    access.require(actor, workflow.team or None, f"{OBJECT}:{workflow.slug}", act)


def locked_row(connection: Connection, actor: Actor, slug_or_id: str, act: str) -> Row[Any]:
    """Return the row, locked until the transaction ends, for an actor who may do this. Raises NotFound, NotAllowed."""
    row = visible_row(connection, actor, slug_or_id, lock=True)
    access.require(actor, row.team or None, f"{OBJECT}:{row.slug}", act)
    return row


def update_row(connection: Connection, row: Row[Any], **values: Any) -> Row[Any]:
    """Change columns of the workflow and return its row."""
    changed = sa.update(table).where(table.c.id == row.id).values(**values, updated_at=sa.func.now())
    return connection.execute(changed.returning(*table.c)).one()


def note_event(
    actor: Actor,
    kind: str,
    row: Row[Any],
    connection: Connection,
    sealed: Mapping[str, Any] | None = None,
    *,
    team: str | None = None,
    **data: Any,
) -> None:
    """Write an event about the workflow, in its team unless another is given."""
    log.note(
        actor,
        kind,
        open={"workflow": row.id, "slug": row.slug, **data},
        sealed=sealed,
        team=(row.team if team is None else team) or None,
        chain=None if row.label else CHAIN,
        label=row.label,
        connection=connection,
    )
