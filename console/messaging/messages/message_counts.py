"""How many messages workflows asked for in a period, by channel, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from console import records
from console.core.actor import Actor
from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.messaging.messages import held_messages, message_reasons, outbox
from console.runs.views import bounded_counts, record_reach
from console.runs.views.bounded_counts import WORKFLOWS, Bounded


@dataclass(frozen=True, slots=True)
class MessageCount:
    """So many messages of a channel ended alike. `reason` says why they did not leave, and is empty for those that did."""

    channel: str
    status: str
    reason: str
    count: int


_MESSAGE = sa.table(
    "message",
    *(
        sa.column(name)
        for name in ("run", "workflow", "direction", "at", "sent_at", "channel", "status", "code")
    ),
    schema="console",
)
UNSENT = ("skipped", "expired", "failed")
"""Statuses of messages that did not leave."""
HOURS = 24
MOST_BY_HOUR = 10_000

_NEWEST = """
from console.message m where m.workflow = w.id and m.direction = 'out' and m.status = s.part and m.at >= %(since)s and m.at < %(until)s and {allowed}
order by m.at desc limit w.most + 1
"""
_OVER_ALL = f"""
select w.id, s.part, w.most, s.part, f.* from {WORKFLOWS} cross join unnest(%(statuses)s::text[]) s(part) cross join lateral (
    select coalesce(b.code, ''), b.collection, b.record, count(*) from (select m.code, {{columns}} {_NEWEST}) b group by 1, 2, 3
) f union all
select w.id, s.part, w.most, f.* from {WORKFLOWS} cross join (select '{outbox.UNKNOWN}' as part) s cross join lateral (
    select {outbox.SHOWN}, coalesce(message.code, ''), message.collection, message.record, count(*)
    from (select m.id, m.run, m.n, m.asked_at, m.status, m.code, {{columns}} {_NEWEST}) message group by 1, 2, 3, 4
) f
"""  # noqa: S608 (texts of ours)


def count_messages(actor: Actor, workflow: str, since: datetime, until: datetime) -> Sequence[MessageCount]:
    """Messages asked for from `since` to before `until` by the workflow's runs that the actor may count (see `record_reach`)."""
    run = tables.run.c
    allowed = record_reach.countable_runs(actor, run.workflow == workflow)
    message = _MESSAGE
    same = (message.c.channel, message.c.status, sa.func.coalesce(message.c.code, ""))
    statement = (
        sa.select(*same, sa.func.count())
        .select_from(message.join(tables.run, run.id == message.c.run))
        .where(
            allowed,
            message.c.workflow == workflow,
            message.c.direction == "out",
            message.c.at >= since,
            message.c.at < until,
        )
        .group_by(*same)
        .order_by(sa.func.count().desc())
    )
    return [
        MessageCount(row[0], row[1], message_reasons.of_many(row[2]), row[3]) for row in read_rows(statement)
    ]


def count_unsent(actor: Actor, since: datetime, workflow: str | None = None) -> dict[str, int]:
    """Workflow → messages of its runs since then that did not leave: skipped, waited too long, or failed. Of runs that the actor may count; None: of all workflows."""
    run, message = tables.run.c, _MESSAGE.c
    own = [run.workflow == workflow] if workflow is not None else []
    lately = (message.direction == "out", message.at >= since, message.status.in_(UNSENT))
    allowed = record_reach.countable_runs(
        actor, *own, ~run.test, run.id.in_(sa.select(message.run).where(*lately))
    )
    statement = (
        sa.select(run.workflow, sa.func.count())
        .select_from(_MESSAGE.join(tables.run, run.id == message.run))
        .where(allowed, *lately)
    )
    return {row[0]: row[1] for row in read_rows(statement.group_by(run.workflow))}


def by_hour(actor: Actor, workflow: str, since: datetime) -> list[tuple[int, int]]:
    """For each of the `HOURS` after `since`: how many messages of the workflow left in it, and how many were put off in it by quiet hours or a cap and still wait.

    Of the runs that the actor may count; of very many messages the `MOST_BY_HOUR` that changed last. For a reader who sees only a part of the records, those
    of runs that had a message in this time are looked up, and no others.
    """
    run, message = tables.run.c, _MESSAGE.c
    lately = sa.and_(message.workflow == workflow, message.direction == "out", message.at >= since)
    allowed = record_reach.countable_runs(
        actor, run.workflow == workflow, run.id.in_(sa.select(message.run).where(lately))
    )
    held = sa.and_(message.status == "waiting", message.code.in_(held_messages.CODES))
    newest = (
        sa.select(sa.func.coalesce(message.sent_at, message.at).label("at"), held.label("held"))
        .select_from(_MESSAGE.join(tables.run, run.id == message.run))
        .where(allowed, lately, sa.or_(message.sent_at >= since, held))
        .order_by(message.at.desc())
        .limit(MOST_BY_HOUR)
        .subquery()
    )
    hour = sa.cast(sa.func.floor(sa.extract("epoch", newest.c.at - since) / 3600), sa.Integer)
    statement = sa.select(hour, newest.c.held, sa.func.count()).group_by(hour, newest.c.held)
    found = {(number, waits): count for number, waits, count in read_rows(statement)}
    return [(found.get((number, False), 0), found.get((number, True), 0)) for number in range(HOURS)]


def over_all(
    actor: Actor, workflow_ids: Sequence[str], since: datetime, until: datetime
) -> dict[str, dict[str, Bounded]]:
    """Workflow → status as the outbox shows it → its messages that changed last from `since` to before `until`, as far as the actor may count them, with why they
    did not leave. One statement, and those to the sources.
    """
    contacts = [one.id for one in records.collections() if one.contact is not None]
    within = bounded_counts.reach(actor, workflow_ids, since, until, also=contacts)
    statement = _OVER_ALL.format(columns=within.columns("m"), allowed=within.allowed("m"))
    statuses = [one for one in (*outbox.STATUSES, *outbox.SHOWN_AS) if one != outbox.UNKNOWN]
    found: dict[str, dict[str, Bounded]] = {}
    for workflow, figures in bounded_counts.count_bounded(within, statement, statuses=statuses).items():
        there = found.setdefault(workflow, {})
        for status, figure in figures.items():
            shown = outbox.SHOWN_AS.get(status, status)
            there[shown] = there.get(shown, Bounded()) + figure
    return found
