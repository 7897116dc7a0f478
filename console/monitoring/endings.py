"""What came of those who began a workflow lately, and how many of them came to each step."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from console import log
from console.core.actor import Actor
from console.core.moments import midnight
from console.db import tables
from console.db.engine import hot_engine
from console.monitoring.cards import first_day
from console.runs.showing import record_reach
from console.runs.showing.run_filters import is_whole
from console.workflows import Known

MOST_RUNS = 2_000
"""The newest so many runs are counted: the page of a workflow in which a million people are is as quick as any."""


@dataclass(frozen=True, slots=True)
class Endings:
    """Of the `begun` runs: (status, end or None) → how many have ended so; step id → how many came to it. `more`: there were more, and the newest are counted."""

    begun: int
    ends: Mapping[tuple[str, str | None], int]
    passed: Mapping[str, int]
    more: bool


def endings(actor: Actor, workflow: Known, days: int, zone: str) -> Endings:
    """Runs of the last `days` days of the zone, tests and parts of runs left out, of what the actor may count. Two statements; for a reader who sees only a
    part of the records some more.
    """
    run, attempt = tables.run.c, tables.attempt.c
    since = midnight(first_day(log.now(), zone, days), zone)
    begun = record_reach.countable_runs(actor, run.workflow == workflow.id, ~run.test, is_whole(), run.created_at >= since)
    newest = sa.select(run.id, run.status, run.ending, run.ended_at).where(begun).order_by(run.created_at.desc()).limit(MOST_RUNS + 1)
    with hot_engine().connect() as connection:
        rows = connection.execute(newest).all()
        counted = rows[:MOST_RUNS]
        came = (
            sa.select(attempt.step, sa.func.count(sa.distinct(attempt.run)))
            .where(attempt.run == sa.any_(sa.literal([row.id for row in counted], sa.ARRAY(sa.Text))))
            .group_by(attempt.step)
        )
        passed = {step: int(n) for step, n in connection.execute(came)} if counted else {}
    ends: dict[tuple[str, str | None], int] = {}
    for row in counted:
        if row.ended_at is not None:
            ends[row.status, row.ending] = ends.get((row.status, row.ending), 0) + 1
    return Endings(len(counted), ends, passed, more=len(rows) > MOST_RUNS)
