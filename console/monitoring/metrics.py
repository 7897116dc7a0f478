"""Figures of one workflow over the last days: how many runs, what came of them, how long they took, and which steps fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from console import log, workflows
from console.core.actor import Actor
from console.core.moments import midnight
from console.core.plain_words import humanised
from console.infra.db import replica, tables
from console.messaging import messages
from console.monitoring.cards import first_day
from console.monitoring.outcomes import DayCount, counted_days, filled, success_rate
from console.runs.views import record_reach
from console.runs.views.run_filters import is_whole
from console.workflows import Known

WINDOWS = (7, 30, 90)
"""Days back from now that a reader may choose."""
MOST_RUNS = 20_000
"""Steps are counted over the newest so many runs."""


@dataclass(frozen=True, slots=True)
class StepFigures:
    """How often runs came to a step, how often it failed, and how long it took in seconds on average (None: it was never done)."""

    step: str
    title: str
    entered: int
    failed: int
    average_s: float | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures. `started` and `ended` are a day each, of the reader's zone; `average_s` is of completed runs, from start to end.

    `steps_of` is the number of runs that the steps were counted over where there were more (None: all). `unsent`: messages that did not leave.
    """

    days: int
    started: Mapping[date, int]
    ended: Sequence[DayCount]
    live: int
    average_s: float | None
    steps: Sequence[StepFigures]
    steps_of: int | None
    unsent: int = 0

    @property
    def total(self) -> int:
        """Runs that were started."""
        return sum(self.started.values())

    @property
    def failed(self) -> int:
        """Runs that failed or timed out."""
        return sum(day.wrong for day in self.ended)

    @property
    def done_again(self) -> int:
        """Of those that failed the ones that were done again, as another run, which counts in their place."""
        return sum(day.again for day in self.ended)

    @property
    def success(self) -> float | None:
        """Completed of those that completed, failed or timed out and were not done again."""
        return success_rate(self.ended)

    def to_json(self) -> dict[str, Any]:
        """The figures in the shape of the API."""
        return {
            "days": self.days,
            **{
                name: getattr(self, name)
                for name in (
                    "total",
                    "live",
                    "failed",
                    "done_again",
                    "success",
                    "average_s",
                    "steps_of",
                    "unsent",
                )
            },
            "completed": sum(day.done for day in self.ended),
            "stopped": sum(day.stopped for day in self.ended),
            "series": [
                {
                    "day": day.day.isoformat(),
                    "started": self.started.get(day.day, 0),
                    "completed": day.done,
                    "failed": day.wrong,
                    "stopped": day.stopped,
                }
                for day in self.ended
            ],
            "steps": [
                {
                    "step": step.step,
                    "title": step.title,
                    "entered": step.entered,
                    "failed": step.failed,
                    "average_s": step.average_s,
                }
                for step in self.steps
            ],
        }


def metrics(actor: Actor, workflow: Known, days: int, zone: str) -> Metrics:
    """The figures of the last `days` days of the zone, of what the actor may count; tests count nowhere, and items of a loop and branches only at their steps. Five statements; for a reader who sees only a part of the records some more."""
    run, first = tables.run.c, first_day(log.now(), zone, days)
    own = sa.and_(run.workflow == workflow.id, ~run.test)
    with_parts = record_reach.countable_runs(actor, own, run.created_at >= midnight(first, zone))
    own = sa.and_(own, is_whole())
    begun = record_reach.countable_runs(actor, own, run.created_at >= midnight(first, zone))
    day = sa.cast(sa.func.timezone(zone, run.created_at), sa.Date).label("day")
    took = sa.func.extract("epoch", run.ended_at - run.created_at)
    done = record_reach.countable_runs(
        actor, own, run.status == "completed", run.ended_at >= midnight(first, zone)
    )
    alive = record_reach.countable_runs(actor, own, run.ended_at.is_(None))
    live = sa.select(sa.func.count()).select_from(tables.run).where(alive).scalar_subquery()
    by_day = sa.select(day, sa.func.count().label("begun")).where(begun).group_by(day)
    started = {row.day: row.begun for row in replica.read_rows(by_day)}
    both = sa.select(sa.select(sa.func.avg(took)).where(done).scalar_subquery(), live)
    ((average, alive_now),) = replica.read_rows(both)
    steps = _steps(workflow, with_parts)
    ended = filled(counted_days(actor, first, zone, own).get(workflow.id, {}), first, days)
    total = sum(started.values())
    unsent = messages.count_unsent(actor, midnight(first, zone), workflow.id).get(workflow.id, 0)
    return Metrics(
        days,
        started,
        ended,
        alive_now,
        None if average is None else float(average),
        steps,
        MOST_RUNS if total > MOST_RUNS else None,
        unsent,
    )


def _steps(workflow: Known, begun: sa.ColumnElement[bool]) -> list[StepFigures]:
    """The steps in the order of the live version; those of earlier versions come last."""
    run, attempt = tables.run.c, tables.attempt.c
    newest = sa.select(run.id).where(begun).order_by(run.created_at.desc()).limit(MOST_RUNS).subquery()
    took = sa.func.extract("epoch", attempt.completed_at - attempt.entered_at)
    counted = (
        sa.select(
            attempt.step,
            sa.func.count().label("entered"),
            sa.func.count().filter(attempt.status == "failed").label("failed"),
            sa.func.avg(took).filter(attempt.status == "done").label("average"),
        )
        .join(newest, newest.c.id == attempt.run)
        .group_by(attempt.step)
    )
    found = {row.step: row for row in replica.read_rows(counted)}
    titles = workflows.version(workflow.id, workflow.live).document.step_names if workflow.live else {}
    order = [
        *(step for step in titles if step in found),
        *sorted(step for step in found if step not in titles),
    ]
    return [
        StepFigures(
            step,
            titles.get(step) or humanised(step),
            row.entered,
            row.failed,
            None if row.average is None else float(row.average),
        )
        for step in order
        if (row := found[step])
    ]
