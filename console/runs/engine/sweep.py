"""Regular jobs: runs whose timer is due, runs that a crash left behind, and runs with an inactive holder. Safe to run twice."""

import functools
import logging

from console import log, records, workflows
from console.core.run.commands import Fire
from console.core.run.decisions import decide
from console.infra import jobs
from console.infra.db.engine import fetch
from console.infra.db.run_reach import AT_WORK, EVERY_RUN
from console.runs.commands.handing_over import save_idle_run
from console.runs.engine import children
from console.runs.engine.effecting import give_up_waiting
from console.runs.engine.stepping import plan_of
from console.runs.store.run_events import ENGINE
from console.runs.store.run_store import load, write

logger = logging.getLogger(__name__)
STUCK_S = 5  # whoever committed the step is at it by then; with an effect, says so by a lock
LEAST_IDLE_MINUTES = 1  # each workflow says how long; none less
LEAST_STEP_S = 1  # each workflow says how long a step may take; none less
AT_ONCE = 1000

_NOT_FAILED = "not exists (select from queue.pgqueuer q where q.status = 'failed' and q.dedupe_key = r.id || ':' || r.run_seq)"
_NOT_PAUSED = "not exists (select from console.version v where v.name = 'paused' and v.number > 0)"
_STUCK = f"""
select r.id, r.run_seq, r.mode = 'hands_off' from {EVERY_RUN.sql()} where {AT_WORK}
and r.active_at < now() - make_interval(secs => %s) and {jobs.no_job("r.id || ':' || r.run_seq")} and {_NOT_FAILED} and (r.status <> 'running' or {_NOT_PAUSED})
order by r.mode, r.active_at limit %s
"""  # noqa: S608 (texts of ours)
_DUE = f"""
select d.id, d.run_seq, d.mode = 'hands_off' from (
    select r.* from unnest(array['guided', 'hands_off']) of_mode (name) cross join lateral (
    select r.id, r.run_seq, r.mode, r.waiting from {EVERY_RUN.sql()} where r.mode = of_mode.name and r.status in ('waiting_time', 'waiting_event')
    and (r.waiting->>'until') collate "C" <= to_char((now() + %(moved)s) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') and {_NOT_FAILED} and {_NOT_PAUSED}
    and not exists (select from console.workflow w where w.id = r.workflow and w.status = 'paused')
    order by (r.waiting->>'until') collate "C" limit %(most)s) r order by r.mode, (r.waiting->>'until') collate "C" limit %(most)s
) d where {jobs.no_job("d.id || ':' || d.run_seq")} order by d.mode, (d.waiting->>'until') collate "C"
"""  # noqa: S608 (texts of ours)
"""Of so many that are due those without a job: where more wait than are done within a second, a look costs no more for it."""
_UNDER_WAY = f"""
select r.id from {EVERY_RUN.sql()} where {AT_WORK} and r.status = 'waiting_event' and r.waiting->>'for' = 'effect'
and r.active_at < now() - make_interval(secs => %s) order by r.active_at limit %s
"""  # noqa: S608 (a text of ours)
_IDLE = f"""
select r.id from {EVERY_RUN.sql()}
where r.ended_at is null and r.holder is not null and r.status = 'waiting_person' and r.active_at < now() - make_interval(mins => %(minutes)s)
and not exists (select from console.draft d where d.run = r.id and d.n = r.current and d.saved_at >= now() - make_interval(mins => %(minutes)s))
order by r.active_at limit %(most)s
"""  # noqa: S608 (as above)


_FOR_SOURCE = f"""
select r.id, r.waiting->>'source' from {EVERY_RUN.sql()} where r.status = 'waiting_time' and r.waiting->>'source' is not null
and r.active_at < now() - interval '30 seconds' and not exists (select from console.version v where v.name = 'paused' and v.number > 0)
order by r.id limit %s
"""  # noqa: S608 (a text of ours)


def wake() -> int:
    """Put in a job for each run whose timer is due, the longest overdue first, and return how many. Paused workflows are left out."""
    return jobs.enqueue_all(
        [
            jobs.advance(run_id, seq, hands_off=behind)
            for run_id, seq, behind in fetch(_DUE, {"moved": log.moved_by(), "most": AT_ONCE})
        ]
    )


def wake_for_sources() -> int:
    """Let the runs go on that wait to try again a data source which answers again, without waiting for the time of their next try; returns how many."""
    answers = functools.cache(records.catalogue.answers)
    woken = 0
    for run_id, source in fetch(_FOR_SOURCE, (AT_ONCE,)):
        if answers(source):
            woken += _try_now(run_id)
    return woken


def _try_now(run_id: str) -> bool:
    """Whether the run waited to try again, and does it now."""
    if (
        (loaded := load(run_id)) is None
        or loaded.run.current is None
        or not loaded.run.waiting
        or loaded.run.waiting["for"] != "retry"
    ):
        return False
    definition = workflows.version(loaded.run.workflow, loaded.run.version)
    if workflows.paused(definition):
        return False
    try:
        write(
            ENGINE,
            definition,
            loaded,
            decide(plan_of(definition), loaded.run, Fire(loaded.run.current), log.now()),
            hand_on=True,
        )
    except log.Moved:
        return False
    return True


def pick_up() -> int:
    """Put in a job for each run that should move and has none, and return how many. Effects that take too long become unknown first."""
    for (run_id,) in fetch(_UNDER_WAY, (LEAST_STEP_S, AT_ONCE)):
        try:
            give_up_waiting(run_id)
        except Exception:
            logger.exception("sweep: run %s", run_id)
    children.requeue_parents()
    return jobs.enqueue_all(
        [
            jobs.advance(run_id, seq, hands_off=behind)
            for run_id, seq, behind in fetch(_STUCK, (STUCK_S, AT_ONCE))
        ]
    )


def sweep() -> int:
    """Save runs whose holder is inactive, and return how many were looked at."""
    touched = 0
    for (run_id,) in fetch(_IDLE, {"minutes": LEAST_IDLE_MINUTES, "most": AT_ONCE}):
        try:
            save_idle_run(run_id)
            touched += 1
        except Exception:
            logger.exception("sweep: run %s", run_id)
    return touched
