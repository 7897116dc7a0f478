"""Triggers of live versions as rows: whether they are on, when they are due, how far they have read.

What a trigger is stands in the document. A change of the live version or of the workflow's status is noted by the database in the same transaction
(`trigger_sync`, with how far the log had come), and `synchronise` makes the rows fit.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from console import workflows
from console.auth import access
from console.automation.webhooks import hook_addresses
from console.core import expressions, schedule
from console.core.actor import Actor
from console.core.documents.triggers import Trigger
from console.core.tag_names import TagName
from console.infra.db import tables
from console.infra.db.engine import hot_engine, read_row, read_rows, transaction

logger = logging.getLogger(__name__)
table, sync = tables.trigger, tables.trigger_sync
AT_ONCE = 200
UTC_ZONE = "UTC"
CLOCK = sa.func.clock_timestamp()


@dataclass(frozen=True, slots=True)
class Row:
    """A trigger of a workflow. `version` is the live one, None where it was added beside the document and nothing is published yet."""

    workflow: str
    id: str
    kind: str
    definition: Trigger
    enabled: bool
    version: int | None
    next_at: datetime | None
    cursor: int | None
    added: bool = False

    @property
    def zone(self) -> str:
        """The zone of a schedule, and of times that are sent to a webhook without one."""
        return self.definition.zone or UTC_ZONE


def row_of(found: Any) -> Row:
    """A row of the table."""
    return Row(
        found.workflow,
        found.id,
        found.kind,
        Trigger.model_validate(found.definition),
        found.enabled,
        found.version,
        found.next_at,
        found.cursor,
        found.added,
    )


def active(kind: str) -> list[Row]:
    """The triggers of this kind that are on, of workflows that are active."""
    known = tables.workflow.c
    found = (
        sa.select(table)
        .join(tables.workflow, known.id == table.c.workflow)
        .where(
            table.c.kind == kind,
            table.c.enabled,
            known.status == "active",
            known.archived_at.is_(None),
            known.live_version.is_not(None),
        )
        .order_by(table.c.workflow, table.c.id)
    )
    return [row_of(row) for row in read_rows(found)]


def trigger_row(workflow_id: str, trigger_id: str) -> Row | None:
    """The trigger of this id; None where there is none."""
    row = read_row(sa.select(table).where(table.c.workflow == workflow_id, table.c.id == trigger_id))
    return row_of(row) if row is not None else None


def started_by(actor: Actor, on: str, collection: str, tags: Collection[str] | None = None) -> list[str]:
    """Titles of the workflows that such an event of a record starts by itself; one that the actor may not see is "another workflow".

    With `tags`, those alone that may start by one of these: a filter that reads nothing but the tag is asked.
    """
    known = {each.id: each for each in workflows.all_known()}
    waiting = [(known[row.workflow], row.definition) for row in active("event") if row.workflow in known]
    found = [
        each
        for each, definition in waiting
        if definition.on == on
        and (definition.collection or each.collection) == collection
        and _may_start(definition, tags)
    ]
    return sorted(
        {
            each.title if access.can(actor, None, f"workflow:{each.slug}", "see") else "another workflow"
            for each in found
        }
    )


def _may_start(definition: Trigger, tags: Collection[str] | None) -> bool:
    wanted = (
        expressions.parse(definition.filter) if definition.filter is not None and tags is not None else None
    )
    if wanted is None or tags is None or expressions.paths(wanted) != {("event", "tag")}:
        return True
    return any(wanted.test({"event": {"tag": TagName(name)}}) for name in tags)


def synchronise(workflow_id: str | None = None) -> int:
    """Update the rows of workflows that were published or switched since the last call; returns how many."""
    waiting = sa.select(sync.c.workflow).where(sync.c.done.is_(False)).limit(AT_ONCE)
    if workflow_id is not None:
        waiting = waiting.where(sync.c.workflow == workflow_id)
    with hot_engine().connect() as connection:
        names = list(connection.scalars(waiting))
    for name in names:
        try:
            with transaction() as connection:
                _synchronise(connection, name)
        except workflows.NotReadable as error:  # the triggers of all others go on
            logger.warning("triggers are left as they are: %s", error.message)
    return len(names)


def _synchronise(connection: Connection, workflow_id: str) -> None:
    state = connection.execute(
        sa.select(sync, CLOCK.label("now"))
        .where(sync.c.workflow == workflow_id, sync.c.done.is_(False))
        .with_for_update()
    ).first()
    if state is None:
        return
    declared: Sequence[Trigger] = ()
    if state.version is not None:
        declared = workflows.version(workflow_id, state.version).document.triggers
    kept = {
        row.id: row for row in connection.execute(sa.select(table).where(table.c.workflow == workflow_id))
    }
    for trigger in declared:
        enabled = _enabled(trigger, kept.get(trigger.id))
        on = enabled and state.status == "active"
        values = {
            "kind": trigger.kind,
            "definition": trigger.to_json(),
            "declared": trigger.starts_enabled,
            "enabled": enabled,
            "added": False,
            "version": state.version,
            **progress(trigger, kept.get(trigger.id), on=on, now=state.now, pos=state.pos),
        }
        if trigger.kind == "webhook" and (kept.get(trigger.id) is None or kept[trigger.id].token is None):
            values |= hook_addresses.with_address(workflow_id, trigger.id)
        put = insert(table).values(workflow=workflow_id, id=trigger.id, **values)
        connection.execute(put.on_conflict_do_update(index_elements=["workflow", "id"], set_=values))
    names = [trigger.id for trigger in declared]
    connection.execute(
        sa.delete(table).where(
            table.c.workflow == workflow_id, table.c.id.not_in(names), table.c.added.is_(False)
        )
    )
    connection.execute(sa.update(sync).where(sync.c.workflow == workflow_id).values(done=True))


def on_if_published(workflow_id: str, status: str, declared: Sequence[Trigger]) -> list[Trigger]:
    """The triggers that are on once these are published, as `synchronise` switches them; those that were added beside the document stay.

    `status`: that of the workflow then. None is on where it is not active.
    """
    if status != "active":
        return []
    with hot_engine().connect() as connection:
        rows = connection.execute(
            sa.select(table).where(table.c.workflow == workflow_id).order_by(table.c.id)
        )
        kept = {row.id: row for row in rows}
    added = [row for row in kept.values() if row.added and row.enabled]
    names = {trigger.id for trigger in declared}
    return [
        *(trigger for trigger in declared if _enabled(trigger, kept.get(trigger.id))),
        *(row_of(row).definition for row in added if row.id not in names),
    ]


def _enabled(trigger: Trigger, kept: Any | None) -> bool:
    """As it was switched; anew as the document says where that is another thing than before."""
    if kept is None or kept.added or kept.declared != trigger.starts_enabled:
        return (
            bool(kept.enabled)
            if kept is not None and kept.added and trigger.enabled is None
            else trigger.starts_enabled
        )
    return bool(kept.enabled)


def progress(trigger: Trigger, kept: Any | None, *, on: bool, now: datetime, pos: int) -> dict[str, Any]:
    """When it is due next and from where it reads on. What happened while it was off is not made up for; a new version goes on where the old one was."""
    if not on:
        return {"next_at": None, "cursor": None}
    if trigger.kind == "schedule":
        same = (
            kept is not None
            and kept.next_at is not None
            and _times(kept.definition) == (trigger.fields, trigger.zone or UTC_ZONE)
        )
        following = (
            [kept.next_at]
            if same and kept is not None
            else schedule.following(trigger.fields or "", trigger.zone or UTC_ZONE, now, 1)
        )
        return {"next_at": following[0] if following else None, "cursor": None}
    if trigger.kind == "event":
        return {"next_at": None, "cursor": pos if kept is None or kept.cursor is None else kept.cursor}
    return {"next_at": None, "cursor": None}


def _times(definition: Mapping[str, Any]) -> tuple[str | None, str]:
    trigger = Trigger.model_validate(dict(definition))
    return trigger.fields, trigger.zone or UTC_ZONE


def note_problem(row: Row, words: str | None, watched: str | None = None) -> None:
    """Say what keeps a trigger from working, or that nothing does any more. Since when is kept while something does.

    `watched`: the collection whose changes it waits for; what keeps that from being looked at is not taken back by what reads the log.
    """
    changed = sa.update(table).where(
        table.c.workflow == row.workflow, table.c.id == row.id, table.c.problem.is_distinct_from(words)
    )
    if words is None and watched is not None:
        seen = tables.source_watch.c
        changed = changed.where(~sa.exists().where(seen.collection == watched, seen.problem.is_not(None)))
    with hot_engine().connect() as connection:
        connection.execute(
            changed.values(
                problem=words,
                problem_at=None if words is None else sa.func.coalesce(table.c.problem_at, CLOCK),
            )
        )
