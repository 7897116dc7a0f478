"""Runs that ended: how many today, hour by hour, and the one of the last weeks that shows most."""

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
from console.infra.db.engine import fetch, hot_engine
from console.runs import RunHead
from console.runs.views import record_reach
from console.runs.views.lists import visible_runs
from console.runs.views.run_filters import is_whole

MOST = 10_000
LATELY = timedelta(days=45)
LOOKED_AT = 60
SHOWN = 40
_MARKS = "select kind, actor from console.activity where run = %s order by pos limit %s"
_TOLD = """
select a.run, count(distinct a."by") filter (where a."by" like 'usr%%'), count(*) filter (where a.proposal is not null),
count(*) filter (where a.status = 'cancelled'), count(*) from console.attempt a where a.run = any(%s) group by a.run
"""


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


@dataclass(frozen=True, slots=True)
class Story:
    """A run that is worth watching: who took part, proposals, changes of mind, and its events as (kind, by a person, AI or automatic)."""

    run: RunHead
    people: int
    proposals: int
    revised: int
    marks: Sequence[str]


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
    with hot_engine().connect() as connection:
        return _counted(connection.execute(sa.select(*ended.c, sa.func.count()).group_by(*ended.c)).all())


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


def story(heads: Sequence[RunHead]) -> Story | None:
    """Of these runs the one with most people, changes of mind and proposals; None where none has more than one person or proposal."""
    by_run = {row[0]: row[1:] for row in fetch(_TOLD, ([head.id for head in heads],))} if heads else {}
    best = max(heads, key=lambda head: _interest(by_run.get(head.id, (0, 0, 0, 0))), default=None)
    if best is None or best.id not in by_run or sum(by_run[best.id][:3]) < 2:
        return None
    people, proposals, revised, _ = by_run[best.id]
    return Story(best, people, proposals, 1 if revised else 0, _marks(best.id))


def _interest(row: Sequence[Any]) -> tuple[int, int]:
    people, proposals, cancelled, attempts = row
    return 4 * people + min(proposals, 12) + (3 if cancelled else 0), attempts


def _marks(run_id: str) -> list[str]:
    """By whom the run's events were, in order, thinned out to `SHOWN`: "person", "ai" or "auto"."""
    rows = fetch(_MARKS, (run_id, MOST))
    every = [
        "ai" if kind.startswith("proposal") else "person" if str(actor).startswith("usr") else "auto"
        for kind, actor in rows
    ]
    if len(every) <= SHOWN:
        return every
    return [every[place * len(every) // SHOWN] for place in range(SHOWN)]
