"""How many runs that nobody holds are worked on at once of a workflow, and when one comes again that found no place to ask somebody outside."""

from contextlib import AbstractContextManager, nullcontext

from console.core.run import Run
from console.infra import jobs
from console.infra.db.engine import place_among
from console.workflows import Definition

AT_ONCE = (
    10  # runs of a workflow that nobody holds are worked on at once by all workers, if it says nothing else
)


def turn_of(definition: Definition, run: Run) -> AbstractContextManager[bool]:
    """Whether the run may be worked on now; while the block lasts, it counts."""
    return place_of(definition) if run.hands_off else nullcontext(enter_result=True)


def place_of(definition: Definition) -> AbstractContextManager[bool]:
    """Whether one more run of the workflow that nobody holds may be worked on now; while the block lasts, it counts."""
    return place_among(f"workflow:{definition.id}", definition.document.settings.parallel or AT_ONCE)


def look_again(run: Run, *, since: int) -> None:
    """The run asks somebody outside for whom as many wait as may: nothing is asked for yet. Raises PutBack, unless it has moved: then another job looks."""
    if run.seq == since:
        raise jobs.PutBack(jobs.outside_places.pause_s(jobs.outside_places.refused()))
    jobs.enqueue_all([jobs.advance(run.id, run.seq, hands_off=run.hands_off)])
