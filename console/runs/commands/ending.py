"""Ending the live runs of a workflow that was cancelled."""

import logging

from console import log
from console.auth import access
from console.core.errors import ConsoleError
from console.core.run import commands, decisions
from console.infra.db.engine import fetch
from console.runs.engine.stepping import plan_of
from console.runs.store.run_events import ENGINE
from console.runs.store.run_store import load, retried, write
from console.workflows import version

logger = logging.getLogger(__name__)
AT_ONCE = 500
_LIVE = f"""
select live.id, coalesce(w.status_reason, '') from console.workflow w cross join lateral (
    select r.id, r.created_at from {access.EVERY_RUN.sql()} where r.workflow = w.id and r.ended_at is null order by r.created_at limit %(most)s
) live where w.status = 'cancelled' order by live.created_at limit %(most)s
"""  # noqa: S608 (texts of this file)
"""Each cancelled workflow's own: all others' live runs are not read."""


def end_cancelled() -> int:
    """Cancel live runs of workflows that are cancelled, the oldest first, and return how many. One whose change is under way ends the next time."""
    ended = 0
    for run_id, reason in fetch(_LIVE, {"most": AT_ONCE}):
        try:
            ended += _cancel(run_id, reason)
        except ConsoleError as error:
            logger.info("run %s of a cancelled workflow is not ended yet: %s", run_id, error.message)
        except Exception:
            logger.exception("run %s of a cancelled workflow", run_id)
    return ended


def _cancel(run_id: str, reason: str) -> bool:
    """End the run with the workflow's reason; False if it has ended meanwhile. Raises Conflict while an effect is under way."""

    def once() -> bool:
        loaded = load(run_id)
        if loaded is None or loaded.run.ended:
            return False
        definition, now = version(loaded.run.workflow, loaded.run.version), log.now()
        command = commands.Cancel(ENGINE.id, loaded.run.revision, reason or "The workflow was cancelled.")
        events = [
            event._replace(open={**event.open, "reason_code": "workflow_cancelled"})
            if event.type == "run_cancelled"
            else event
            for event in decisions.decide(plan_of(definition), loaded.run, command, now)
        ]
        write(ENGINE, definition, loaded, [event._replace(by=None) for event in events])
        return True

    return retried(once)
