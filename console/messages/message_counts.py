"""How many messages workflows asked for in a period, by channel, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from console.core.actor import Actor
from console.db import tables
from console.db.engine import hot_engine
from console.messages import message_reasons, outbox
from console.runs.showing import record_reach


@dataclass(frozen=True, slots=True)
class MessageCount:
    """So many messages of a channel ended alike. `reason` says why they did not leave, and is empty for those that did."""

    channel: str
    status: str
    reason: str
    count: int


_MESSAGE = sa.table(
    "message", *(sa.column(name) for name in ("run", "workflow", "direction", "at", "channel", "status", "code")), schema="console"
)


def counted(actor: Actor, workflow: str, since: datetime, until: datetime) -> Sequence[MessageCount]:
    """Messages asked for from `since` to before `until` by the workflow's runs that the actor may count (see `record_reach`)."""
    run = tables.run.c
    allowed = record_reach.countable_runs(actor, run.workflow == workflow)
    message = _MESSAGE
    same = (message.c.channel, message.c.status, sa.func.coalesce(message.c.code, ""))
    statement = (
        sa.select(*same, sa.func.count())
        .select_from(message.join(tables.run, run.id == message.c.run))
        .where(allowed, message.c.workflow == workflow, message.c.direction == "out", message.c.at >= since, message.c.at < until)
        .group_by(*same)
        .order_by(sa.func.count().desc())
    )
    with hot_engine().connect() as connection:
        return [MessageCount(row[0], row[1], message_reasons.of_many(row[2]), row[3]) for row in connection.execute(statement)]


def over_all(actor: Actor, workflow_ids: Sequence[str], since: datetime, until: datetime) -> dict[str, list[MessageCount]]:
    """Workflow → its messages that changed last from `since` to before `until`, by channel and as the outbox shows them, the most frequent first; of runs that the
    actor may count (see `record_reach`). One statement besides those.
    """
    run, message = tables.run.c, _MESSAGE.c
    if not workflow_ids:
        return {}
    those = (message.direction == "out", message.at >= since, message.at < until, message.workflow.in_(workflow_ids))
    theirs = sa.select(message.run).where(*those).distinct()
    their_runs = run.id == sa.any_(sa.func.array(theirs.scalar_subquery()))  # an array is looked up one by one, instead of reading all runs
    allowed = record_reach.countable_runs(actor, run.workflow.in_(workflow_ids), their_runs)
    same = (message.workflow, message.channel, sa.literal_column(outbox.SHOWN, sa.Text), sa.func.coalesce(message.code, ""))
    statement = (
        sa.select(*same, sa.func.count())
        .where(*those)
        .where(message.run.in_(sa.select(run.id).where(allowed)))
        .group_by(sa.text("1, 2, 3, 4"))
        .order_by(sa.func.count().desc())
    )
    found: dict[str, list[MessageCount]] = {}
    with hot_engine().connect() as connection:
        for workflow, channel, status, code, count in connection.execute(statement):
            shown = outbox.SHOWN_AS.get(status, status)
            found.setdefault(workflow, []).append(MessageCount(channel, shown, message_reasons.of_many(code), count))
    return found
