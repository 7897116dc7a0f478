"""The automatic steps that a new run can take before it is written: quick ones, which change nothing but the run itself."""

import time

from console import log
from console.core.actor import Actor
from console.core.run import Event
from console.records import Record
from console.runs.engine.advancing import AT_ONCE_S, IN_ONE_GO, automatic_step_events
from console.runs.rows.recent_runs import Loaded
from console.runs.rows.run_rows import as_stored
from console.runs.rows.run_store import after_stored
from console.workflows import Definition

ALONE = frozenset({"outcome_chosen", "run_completed", "step_completed", "step_entered", "timer_set"})
"""Events that change the run's own rows and nothing else. A step with any other is left to a worker."""


def first_steps(actor: Actor, definition: Definition, begun: Loaded, record: Record | None) -> tuple[list[Event], Loaded]:
    """(events with values in the log's form, the run after them) of the steps that follow `begun`, a run that is not stored; `record` is its record as the actor sees it.

    Ends where the run waits or ends, before a step that would do more, fails, or asks for something, and after at most 50 ms.
    """
    events, ahead, until = list[Event](), begun, time.monotonic() + AT_ONCE_S
    for _ in range(IN_ONE_GO):
        if ahead.run.status != "running" or time.monotonic() > until:
            break
        try:
            base, more = automatic_step_events(actor, definition, ahead, tagged=True, record_read=lambda: record)
        except log.Moved:  # what the step looks at has to be in the database first
            break
        more = [as_stored(event) for event in more]
        after = after_stored(base, more)
        if not more or any(event.type not in ALONE for event in more) or after.run.status == "waiting_person":
            break
        events, ahead = [*events, *more], after
    return events, ahead
