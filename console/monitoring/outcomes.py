"""What came of ended runs, by day. A rate of success leaves out what people ended (cancelled and aborted runs), those that still run, and failed ones that were done again: the run that took its place counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from console.core.actor import Actor
from console.core.moments import midnight
from console.infra.db import replica, tables
from console.runs.views import record_reach
from console.runs.views.run_filters import is_whole

WRONG = ("failed", "timed_out")


@dataclass(frozen=True, slots=True)
class DayCount:
    """The runs of a workflow that ended on a day: `done` completed, `wrong` failed or timed out, `stopped` aborted or cancelled by people. `again`: of the wrong ones those that were done again, as another run."""

    day: date
    done: int = 0
    wrong: int = 0
    stopped: int = 0
    again: int = 0

    @property
    def standing(self) -> int:
        """Those that failed or timed out and were not done again."""
        return self.wrong - self.again

    @property
    def all(self) -> int:
        """All that ended."""
        return self.done + self.wrong + self.stopped


def success_rate(days: Iterable[DayCount]) -> float | None:
    """Completed of those that completed, failed or timed out, without what was done again; None where there are none."""
    each = list(days)
    done, wrong = sum(day.done for day in each), sum(day.standing for day in each)
    return done / (done + wrong) if done + wrong else None


def counted_days(
    actor: Actor, first: date, zone: str, *wanted: sa.ColumnElement[bool]
) -> dict[str, dict[date, DayCount]]:
    """Workflow id → day of the zone → what ended since `first`, of what the actor may count. Days without an end are left out, tests, and parts of runs. One statement."""
    run, failure = tables.run.c, tables.failure.c
    done_again = sa.exists().where(failure.run == run.id, failure.retried_by.is_not(None))
    day = sa.cast(sa.func.timezone(zone, run.ended_at), sa.Date).label("day")
    ended = record_reach.countable_runs(
        actor,
        ~run.test,
        is_whole(),
        run.ended_at.is_not(None),
        run.ended_at >= midnight(first, zone),
        *wanted,
    )
    count = sa.func.count()
    counted = (
        sa.select(
            run.workflow,
            day,
            count.filter(run.status == "completed").label("done"),
            count.filter(run.status.in_(WRONG)).label("wrong"),
            count.filter(run.status.in_(("aborted", "cancelled"))).label("stopped"),
            count.filter(sa.and_(run.status.in_(WRONG), done_again)).label("again"),
        )
        .where(ended)
        .group_by(run.workflow, day)
    )
    found: dict[str, dict[date, DayCount]] = {}
    for row in replica.read_rows(counted):
        found.setdefault(row.workflow, {})[row.day] = DayCount(
            row.day, row.done, row.wrong, row.stopped, row.again
        )
    return found


def filled(days: dict[date, DayCount], first: date, count: int) -> list[DayCount]:
    """The days from `first`, those without an end as zeros."""
    every = [first + timedelta(days=number) for number in range(count)]
    return [days.get(day, DayCount(day)) for day in every]
