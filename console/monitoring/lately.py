"""What happened over all workflows that one reader may see since a moment: what began and ended, and what now waits for a person."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from console.core.actor import Actor
from console.db import tables
from console.db.engine import hot_engine
from console.monitoring import asking_runs, incidents
from console.monitoring.outcomes import WRONG
from console.runs.showing import record_reach
from console.runs.showing.run_filters import is_whole


@dataclass(frozen=True, slots=True)
class Happened:
    """Of a workflow: runs that `began` in the time, and of those that ended in it `done`, `wrong` (failed or timed out) and `stopped` by people.

    Now, whenever they began: `asking` for a person, `failed` that nobody has done again or set aside, and `stuck`: a trigger of it does not work.
    """

    began: int = 0
    done: int = 0
    wrong: int = 0
    stopped: int = 0
    asking: int = 0
    failed: int = 0
    stuck: bool = False


def happened(actor: Actor, workflow_ids: Collection[str], since: datetime, until: datetime) -> dict[str, Happened]:
    """Workflow id → what happened from `since` to before `until`, of what the actor may count: tests and parts of runs are left out. Five statements, whatever
    the number of workflows; for a reader who sees only a part of the records four more, and those to the sources.
    """
    if not workflow_ids:
        return {}
    run, count = tables.run.c, sa.func.count()
    own = (run.workflow.in_(workflow_ids), ~run.test, is_whole())
    began = record_reach.countable_runs(actor, *own, run.created_at >= since, run.created_at < until)
    ended = record_reach.countable_runs(actor, *own, run.ended_at >= since, run.ended_at < until)
    asking = record_reach.countable_runs(actor, run.workflow.in_(workflow_ids), *asking_runs.ASKING)
    outcomes = [
        count.filter(run.status.in_(statuses)).label(name)
        for name, statuses in (("done", ("completed",)), ("wrong", WRONG), ("stopped", ("aborted", "cancelled")))
    ]
    found: dict[str, dict[str, int]] = {workflow: {} for workflow in workflow_ids}
    with hot_engine().connect() as connection:
        for row in connection.execute(sa.select(run.workflow, count.label("began")).where(began).group_by(run.workflow)):
            found[row.workflow]["began"] = row.began
        for row in connection.execute(sa.select(run.workflow, *outcomes).where(ended).group_by(run.workflow)):
            found[row.workflow] |= {"done": row.done, "wrong": row.wrong, "stopped": row.stopped}
        for row in connection.execute(sa.select(run.workflow, count.label("asking")).where(asking).group_by(run.workflow)):
            found[row.workflow]["asking"] = row.asking
        fires = tables.trigger.c
        broken = sa.select(fires.workflow).where(fires.workflow.in_(workflow_ids), fires.enabled, fires.problem.is_not(None)).distinct()
        stuck = set(connection.execute(broken).scalars())
    for workflow, failed in incidents.failed_runs(actor, workflow_ids).items():
        found[workflow]["failed"] = failed
    return {workflow: Happened(**figures, stuck=workflow in stuck) for workflow, figures in found.items()}
