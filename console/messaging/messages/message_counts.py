"""How many messages workflows asked for in a period, by channel, and what became of them."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from console import records
from console.core.actor import Actor
from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.messaging.messages import outbox
from console.runs.views import bounded_counts, record_reach
from console.runs.views.bounded_counts import WORKFLOWS, Bounded

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
