"""What happened over all workflows that one reader may see since a moment: what began and ended, and what now waits for a person."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from console.auth import access
from console.core.actor import Actor
from console.infra.db.engine import fetch
from console.monitoring.failed_runs import TOLD_BY_WHOLE
from console.monitoring.outcomes import WRONG
from console.runs.views import bounded_counts
from console.runs.views.bounded_counts import WORKFLOWS, Bounded

NONE = Bounded()
_STUCK = "select distinct workflow from console.trigger where workflow = any(%s) and enabled and problem is not null"
_FIGURES = {
    "completed": "done",
    **dict.fromkeys(WRONG, "wrong"),
    "aborted": "stopped",
    "cancelled": "stopped",
    "open": "failed",
}
_WHOLE = "not r.test and r.fork is null"
_HAPPENED = f"""
select w.id, f.part, w.most, f.part, '', f.collection, f.record, f.count from {WORKFLOWS} cross join lateral (
select 'began' as part, b.collection, b.record, count(*) from (select {{columns}} from {{runs}} where r.workflow = w.id and {{allowed}} and {_WHOLE}
    and r.created_at >= %(since)s and r.created_at < %(until)s order by r.created_at desc limit w.most + 1) b group by 2, 3
union all select s.part, e.* from unnest(%(statuses)s::text[]) s(part) cross join lateral (
select b.collection, b.record, count(*) from (select {{columns}} from {{runs}} where r.workflow = w.id and {{allowed}} and {_WHOLE}
    and r.status = s.part and r.ended_at >= %(since)s and r.ended_at < %(until)s order by r.ended_at desc limit w.most + 1) b group by 1, 2) e
) f
"""  # noqa: S608 (texts of ours)
_OPEN = f"""
select w.id, f.part, w.most, f.part, '', f.collection, f.record, count(*) filter (where f.standing) from {WORKFLOWS} cross join lateral (
(select 'asking' as part, {{columns}}, true as standing from {{runs}} where r.workflow = w.id and {{allowed}} and r.ended_at is null and r.holder is null
    and r.mode = 'hands_off' and r.status in ('saved', 'waiting_person') and (r.take_over ->> 'code') is not null order by r.id desc limit w.most + 1)
union all select 'open', {{columns}}, not {TOLD_BY_WHOLE.format(run="r.id")} from
(select n.run from console.failure n where n.workflow = w.id and n.retried_by is null and n.closed_at is null limit w.most + 1) n
    join {{runs}} on r.id = n.run where r.status in ('failed', 'timed_out') and {{allowed}}
) f group by 1, 2, 3, 6, 7
"""  # noqa: S608 (texts of ours)


@dataclass(frozen=True, slots=True)
class Happened:
    """Of a workflow: runs that `began` in the time, and of those that ended in it `done`, `wrong` (failed or timed out) and `stopped` by people.

    Now, whenever they began: `asking` for a person, `failed` that nobody has done again or set aside, and `stuck`: a trigger of it does not work.
    """

    began: Bounded = NONE
    done: Bounded = NONE
    wrong: Bounded = NONE
    stopped: Bounded = NONE
    asking: Bounded = NONE
    failed: Bounded = NONE
    stuck: bool = False


def happened(
    actor: Actor, workflow_ids: Collection[str], since: datetime, until: datetime
) -> dict[str, Happened]:
    """Workflow id → what happened from `since` to before `until`, of what the actor may count: tests and parts of runs are left out. Three statements, whatever
    the number of workflows; for a reader who sees only a part of the records those to the sources besides.
    """
    within = bounded_counts.reach(actor, workflow_ids, since, until)
    texts = {"columns": within.columns("r"), "allowed": within.allowed("r"), "runs": access.runs(actor).sql()}
    found: dict[str, dict[str, Bounded]] = {workflow: {} for workflow in workflow_ids}
    ended = ["completed", *WRONG, "aborted", "cancelled"]
    for reached, statement in ((within, _HAPPENED), (bounded_counts.few(within), _OPEN)):
        for workflow, figures in bounded_counts.count_bounded(
            reached, statement.format(**texts), statuses=ended
        ).items():
            for name, figure in figures.items():
                found[workflow][_FIGURES.get(name, name)] = (
                    found[workflow].get(_FIGURES.get(name, name), NONE) + figure
                )
    stuck = {row[0] for row in fetch(_STUCK, (list(workflow_ids),))}
    return {workflow: Happened(**figures, stuck=workflow in stuck) for workflow, figures in found.items()}
