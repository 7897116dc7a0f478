"""Runs of a workflow that used up their time: by how much, and how long each person held them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from console import log
from console.auth import accounts
from console.core.actor import Actor
from console.core.moments import midnight
from console.core.run import Run, fold
from console.core.working_time import worked_seconds
from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.monitoring.cards import first_day
from console.runs.store.run_events import as_event
from console.runs.views import record_reach
from console.work import due_times
from console.workflows import Known

MOST = 20


@dataclass(frozen=True, slots=True)
class Held:
    """Who held a run, for how many seconds of working time in all; an empty name is nobody: it waited in an inbox or was worked off by itself."""

    name: str
    worked_s: float


@dataclass(frozen=True, slots=True)
class LateRun:
    """A run whose time was used up at `breached_at`: `worked_s` of `total_s` seconds of working time until it ended, or until now."""

    run: str
    collection: str | None
    record: str | None
    breached_at: datetime
    ended_at: datetime | None
    worked_s: float
    total_s: float
    held: Sequence[Held]


def late_runs(actor: Actor, workflow: Known, days: int, zone: str) -> list[LateRun]:
    """The newest late runs of the last `days` days of the zone, of those that the actor may count. Empty where the workflow has no due time."""
    rule = due_times.rule_of_workflow(workflow.id)
    if rule is None:
        return []
    run, clock = (
        tables.run.c,
        sa.table(
            "due_clock", sa.column("run"), sa.column("rule"), sa.column("breached_at"), schema="console"
        ),
    )
    mine = record_reach.countable_runs(actor, run.workflow == workflow.id)
    since = midnight(first_day(log.now(), zone, days), zone)
    late = (
        sa.select(run.id, clock.c.breached_at)
        .join(clock, sa.and_(clock.c.run == run.id, clock.c.rule == rule.id))
        .where(mine, clock.c.breached_at >= since)
        .order_by(clock.c.breached_at.desc())
        .limit(MOST)
    )
    found = read_rows(late)
    return [_late_run(row.id, rule, row.breached_at) for row in found]


def _late_run(run_id: str, rule: due_times.Rule, breached_at: datetime) -> LateRun:
    """The run as its log says, with the times during which each person held it."""
    events = [as_event(event) for event in log.events_of(run_id)]
    now, stretches, state = log.now(), list[tuple[str | None, datetime, datetime]](), Run()
    before = events[0].at
    for event in events:
        stretches.append((state.holder, before, event.at))
        state, before = fold([event], state), event.at
    if state.ended_at is None:
        stretches.append((state.holder, before, now))
    waiting = due_times.waiting_steps(state.workflow, state.version)
    still = [
        (each.entered_at, each.completed_at or now)
        for each in state.attempts.values()
        if each.step in waiting
    ]
    spent: dict[str, float] = {}
    for holder, begin, end in stretches:
        spent[holder or ""] = spent.get(holder or "", 0.0) + worked_seconds(rule.hours, begin, end, still)
    names = accounts.names(set(spent) - {""})
    held = [
        Held(names.get(person, "Somebody whose account is gone") if person else "", seconds)
        for person, seconds in spent.items()
    ]
    return LateRun(
        run_id,
        state.collection,
        state.record,
        breached_at,
        state.ended_at,
        sum(spent.values()),
        rule.minutes * 60.0,
        sorted((hold for hold in held if hold.worked_s >= 1), key=lambda hold: -hold.worked_s),
    )
