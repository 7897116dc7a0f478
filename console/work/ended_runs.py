"""Runs that ended: how many today, and the last ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from console.auth import access, accounts
from console.core.actor import Actor
from console.core.moments import midnight
from console.core.run.origin import GUIDED
from console.infra.db import tables
from console.infra.db.engine import fetch, read_rows
from console.runs import RunHead
from console.runs.views import record_reach
from console.runs.views.lists import visible_runs
from console.runs.views.run_filters import conditions, is_whole

MOST = 10_000


@dataclass(frozen=True, slots=True)
class Count:
    """Runs that ended: `done` completed, `other` aborted, cancelled, failed or timed out."""

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

    guided: Count
    alone: Count
    mine: int
    more: bool = False

    @property
    def all(self) -> int:
        """How many ended."""
        return self.guided.all + self.alone.all


def ended_today(actor: Actor, now: datetime, zone: str) -> Ended:
    """Runs that ended today in this zone, counted up to `MOST`, without tests and parts of runs: of workflows and records that the actor may see.

    One statement; for an actor who sees a part of the records one more, and one for each collection of which they do.
    """
    run = tables.run.c
    columns = (
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
    """The sums of rows (guided, done, mine, how many)."""

    def count(*, guided: bool) -> Count:
        own = [(done, number) for mode, done, _, number in rows if mode == guided]
        return Count(
            sum(number for done, number in own if done), sum(number for done, number in own if not done)
        )

    total = sum(row[-1] for row in rows)
    return Ended(
        count(guided=True), count(guided=False), sum(row[-1] for row in rows if row[2]), more=total > MOST
    )


def ended(
    actor: Actor, filters: Mapping[str, str], limit: int
) -> tuple[list[tuple[RunHead, str]], datetime | None]:
    """The runs that people worked on, that ended and that the actor may see, each with who held it last, the latest first; and when the last of them ended if there are more.

    `filters` are those of lists of runs, and `person`: the id of who held it last. Raises Malformed for an unknown one.
    """
    run = tables.run.c
    wanted = [run.mode == GUIDED, ~run.test, is_whole(), run.ended_at.is_not(None)]
    wanted += conditions({name: value for name, value in filters.items() if name != "person"})
    wanted += [run.last_holder == filters["person"]] if "person" in filters else []
    order = (run.ended_at.desc(), run.id.desc())
    heads, last = visible_runs(actor, *wanted, order=order, limit=limit)
    held = f"select r.id, r.last_holder from {access.runs(actor).sql()} where r.id = any(%s)"  # noqa: S608 (a text of ours)
    holders = {row[0]: row[1] for row in fetch(held, ([head.id for head in heads],))}
    names = accounts.names({person for person in holders.values() if person})
    return [(head, names.get(holders[head.id] or "", "")) for head in heads], last.ended_at if last else None
