"""What a crash or a long silence left behind: run each minute by the worker, and harmless to run twice."""

import logging

from console.db.engine import fetch
from console.runs.transitions import advance, save_idle

logger = logging.getLogger(__name__)
STUCK_S = 5  # whoever committed the step is at it by then, and says so by a lock
LEAST_IDLE_MINUTES = 1  # each workflow says how long; none less
AT_ONCE = 1000

_STUCK = """
select id from console.run where ended_at is null and status in ('running', 'waiting_event')
and (status = 'running' or waiting->>'for' = 'effect')
and active_at < now() - make_interval(secs => %s) order by active_at limit %s
"""
_IDLE = """
select r.id from console.run r
where r.ended_at is null and r.holder is not null and r.status = 'waiting_person' and r.active_at < now() - make_interval(mins => %(minutes)s)
and not exists (select from console.draft d where d.run = r.id and d.n = r.current and d.saved_at >= now() - make_interval(mins => %(minutes)s))
order by r.active_at limit %(most)s
"""


def sweep() -> int:
    """Move runs that should move, save those whose holder is gone; answers how many were looked at."""
    touched = 0
    stuck = [(row[0], advance) for row in fetch(_STUCK, (STUCK_S, AT_ONCE))]
    idle = [(row[0], save_idle) for row in fetch(_IDLE, {"minutes": LEAST_IDLE_MINUTES, "most": AT_ONCE})]
    for run_id, act in [*stuck, *idle]:
        try:
            act(run_id)
            touched += 1
        except Exception:
            logger.exception("sweep: run %s", run_id)
    return touched
