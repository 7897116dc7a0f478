"""Runs that ended: how many today, hour by hour, and the last ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from console.core.actor import Actor
from console.core.moments import midnight
from console.core.run.origin import GUIDED
from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.runs import RunHead
from console.runs.views import record_reach
from console.runs.views.lists import visible_runs
from console.runs.views.run_filters import is_whole

MOST = 10_000
LATELY = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class Hour:
    """Runs that ended in one hour of the day: `done` completed, `other` aborted, cancelled, failed or timed out."""

    hour: int
    done: int = 0
    other: int = 0

    @property
    def all(self) -> int:
        """How many ended."""
        return self.done + self.other


@dataclass(frozen=True, slots=True)
class Ended:
    """Runs that ended since midnight of the reader's day: those that people worked on, and those that ran by themselves. `mine`: the reader held them
    last; `more`: not all were counted.
    """

    guided: Sequence[Hour]
    alone: Sequence[Hour]
    mine: int
    more: bool = False

    @property
    def all(self) -> int:
        """How many ended."""
        return sum(hour.all for hour in (*self.guided, *self.alone))


def ended_today(actor: Actor, now: datetime, zone: str) -> Ended:
    """Runs that ended today in this zone, counted up to `MOST`, without tests and parts of runs: of workflows and records that the actor may see.

    One statement; for an actor who sees a part of the records one more, and one for each collection of which they do.
    """
    run = tables.run.c
    hour = sa.func.date_part("hour", sa.func.timezone(zone, run.ended_at)).label("hour")
    columns = (
        hour,
        (run.mode == GUIDED).label("guided"),
        (run.status == "completed").label("done"),
        (run.last_holder == actor.id).label("mine"),
    )
    today = run.ended_at >= midnight(now.astimezone(ZoneInfo(zone)).date(), zone)
    ended = (
        sa.select(*columns)
        .where(record_reach.countable_runs(actor, today, ~run.test, is_whole()))
        .order_by(run.ended_at.desc(), run.id.desc())
        .limit(MOST + 1)
        .subquery()
    )
    return _counted(read_rows(sa.select(*ended.c, sa.func.count()).group_by(*ended.c)))


def _counted(rows: Sequence[Any]) -> Ended:
    """The sums of rows (hour, guided, done, mine, how many)."""
    by_hour: dict[tuple[bool, int], list[int]] = {}
    for at, guided, done, _, number in rows:
        by_hour.setdefault((guided, int(at)), [0, 0])[0 if done else 1] += number
    guided, alone = (
        [Hour(at, *two) for (mode, at), two in sorted(by_hour.items()) if mode == each]
        for each in (True, False)
    )
    total = sum(row[-1] for row in rows)
    return Ended(guided, alone, sum(row[-1] for row in rows if row[3]), more=total > MOST)


def ended_lately(actor: Actor, now: datetime, limit: int) -> list[RunHead]:
    """The last runs that people worked on, that ended within `LATELY` and that the actor may see, the latest first."""
    run = tables.run.c
    wanted = (run.mode == GUIDED, ~run.test, run.ended_at >= now - LATELY)
    return visible_runs(actor, *wanted, order=(run.ended_at.desc(), run.id.desc()), limit=limit)[0]
