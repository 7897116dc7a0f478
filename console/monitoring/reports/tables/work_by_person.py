"""Work by person: what each colleague has done and holds, for who hands out a team's work."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from console import log
from console.auth import accounts
from console.core.actor import Actor
from console.infra.db import replica, tables
from console.monitoring.reports.tables.base import Cell, Column, TableReport
from console.runs.views import lists, record_reach


class WorkByPerson(TableReport):
    """Of guided runs, one line for each person who completed a step in the window or holds a run now; confidential runs only for who is cleared for them."""

    title, icon = "Work by person", "users"
    gist = "How many steps each person did, how long they took, what was done again, and which runs are assigned to them"
    columns = (
        Column("Person"),
        Column("Steps done", "number"),
        Column("In runs", "number"),
        Column("Done again later", "number"),
        Column("Handled manually", "number"),
        Column("Half were done within", "time"),
        Column("Assigned runs", "number"),
        Column("The oldest since", "moment"),
    )

    def may_read(self, actor: Actor) -> bool:
        """Where they hand out the work of a workflow."""
        return bool(lists.visible_pairs(actor, "assign"))

    def rows(self, actor: Actor, days: int) -> Iterator[tuple[Cell, ...]]:
        """Who did most first; three statements, and for a reader with a record scope one more and those to the sources."""
        since, run, attempt = log.now() - timedelta(days=days), tables.run.c, tables.attempt.c
        lately = sa.or_(run.ended_at.is_(None), run.ended_at >= since)
        reached = record_reach.countable_runs(actor, ~run.test, run.mode == "guided", lately, act="assign")
        took = sa.func.percentile_cont(0.5).within_group(attempt.completed_at - attempt.entered_at)
        done = (
            sa.select(
                attempt.by,
                sa.func.count(),
                sa.func.count(attempt.run.distinct()),
                sa.func.count().filter(attempt.revised),
                sa.func.count().filter(attempt.handled_manually),
                took,
            )
            .select_from(tables.attempt.join(tables.run, attempt.run == run.id))
            .where(
                reached, attempt.completed_at >= since, attempt.by.is_not(None), attempt.n > 1
            )  # the first is that of whoever started the run
            .group_by(attempt.by)
        )
        held = (
            sa.select(run.holder, sa.func.count(), sa.func.min(run.created_at))
            .where(reached, run.ended_at.is_(None), run.holder.is_not(None))
            .group_by(run.holder)
        )
        steps: dict[str, tuple[Any, ...]] = defaultdict(lambda: (0, 0, 0, 0, None))
        hands: dict[str, tuple[int, datetime | None]] = defaultdict(lambda: (0, None))
        steps |= {row[0]: tuple(row[1:]) for row in replica.read_rows(done)}
        hands |= {row[0]: (row[1], row[2]) for row in replica.read_rows(held)}
        names = accounts.names({*steps, *hands})
        for person in sorted(names, key=lambda person: (-steps[person][0], -hands[person][0], names[person])):
            yield names[person], *steps[person], *hands[person]
