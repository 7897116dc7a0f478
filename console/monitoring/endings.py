"""What came of those who began a workflow lately, how many of them came to each step, and which ways they took."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from console import log, workflows
from console.core.actor import Actor
from console.core.documents.workflow import Workflow
from console.core.moments import midnight
from console.infra.db import replica, tables
from console.monitoring.cards import first_day
from console.runs.views import record_reach
from console.runs.views.run_filters import is_whole
from console.workflows import Known

MOST_RUNS = 2_000
"""The newest so many runs are counted: the page of a workflow in which a million people are is as quick as any."""


@dataclass(frozen=True, slots=True)
class Endings:
    """Of the `begun` runs: (status, end or None) → how many have ended so; step id → how many came to it; (step id, outcome) → which of them left it so.
    `more`: there were more, and the newest are counted.
    """

    begun: int
    ends: Mapping[tuple[str, str | None], int]
    passed: Mapping[str, int]
    left: Mapping[tuple[str, str], frozenset[int]]
    more: bool


def endings(actor: Actor, workflow: Known, days: int, zone: str) -> Endings:
    """Runs of the last `days` days of the zone, of what the actor may count: without tests, parts of runs, and failed ones that were done again, which count by that.
    Two statements; for a reader who sees only a part of the records some more.
    """
    run, attempt, failure = tables.run.c, tables.attempt.c, tables.failure.c
    done_again = sa.exists().where(failure.run == run.id, failure.retried_by.is_not(None))
    since = midnight(first_day(log.now(), zone, days), zone)
    begun = record_reach.countable_runs(
        actor, run.workflow == workflow.id, ~run.test, is_whole(), ~done_again, run.created_at >= since
    )
    newest = (
        sa.select(run.id, run.status, run.ending, run.ended_at)
        .where(begun)
        .order_by(run.created_at.desc())
        .limit(MOST_RUNS + 1)
    )
    rows = replica.read_rows(newest)
    counted = rows[:MOST_RUNS]
    of_them = attempt.run == sa.any_(sa.literal([row.id for row in counted], sa.ARRAY(sa.Text)))
    # of one who waits there it is what is expected; what a person took back was no way on
    stands = sa.and_(
        attempt.completed_at.is_not(None), attempt.status != "cancelled", attempt.revised.is_not(True)
    )
    outcome = sa.case((stands, attempt.outcome))
    came = (
        sa.select(attempt.step, outcome, sa.func.array_agg(sa.distinct(attempt.run)))
        .where(of_them)
        .group_by(attempt.step, outcome)
    )
    rows_of_steps = replica.read_rows(came) if counted else []
    number = {row.id: n for n, row in enumerate(counted)}
    left = {
        (step, way or ""): frozenset(number[each] for each in those) for step, way, those in rows_of_steps
    }
    passed = {
        step: len(frozenset().union(*(those for (of, _), those in left.items() if of == step)))
        for step in {key[0] for key in left}
    }
    ends: dict[tuple[str, str | None], int] = {}
    for row in counted:
        if row.ended_at is not None:
            ends[row.status, row.ending] = ends.get((row.status, row.ending), 0) + 1
    return Endings(len(counted), ends, passed, left, more=len(rows) > MOST_RUNS)


def count_ways(came: Endings, document: Workflow) -> dict[tuple[str, str], int]:
    """How many took each way, and how many went from step to step: who went there twice, or by two ways, counts once."""
    took: dict[tuple[str, str], frozenset[int]] = {}
    for step in document.steps:
        for (of, outcome), those in came.left.items():
            way = outcome if outcome in step.next else "default"
            if of == step.id and outcome and way in step.next:
                for name in {f"way {way}", step.next[way]}:
                    took[step.id, name] = took.get((step.id, name), frozenset()) | those
    return {way: len(those) for way, those in took.items()}


def ways(actor: Actor, workflow: Known, days: int, zone: str) -> list[dict[str, Any]]:
    """The same of the live version's picture in the shape of the API, the ways that nobody took too; empty where no version is live."""
    if not workflow.live:
        return []
    document = workflows.version(workflow.id, workflow.live).document
    took = count_ways(endings(actor, workflow, days, zone), document)
    return [
        {"step": step.id, "way": way, "to": to, "runs": took.get((step.id, f"way {way}"), 0)}
        for step in document.steps
        for way, to in step.next.items()
    ]
