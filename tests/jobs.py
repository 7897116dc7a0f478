"""What a worker does with the queue, by the product's own table of jobs: no test names a job's function itself."""

from collections.abc import Callable, Collection

from console import queue
from console.db.engine import alone, fetch
from console.worker import handlers

RUNNING = queue.JOBS - {queue.PROPOSE}
"""All jobs but proposals, which many tests want to see waited for."""

MOVING = frozenset({queue.ADVANCE, queue.ADVANCE_HANDS_OFF})
BEGINNING = MOVING | {queue.BEGIN}
"""Runs of those who wait are begun and moved on; nothing else is done."""

_TAKE = """
with taken as (delete from queue.pgqueuer where status = 'queued' and entrypoint = any(%s) and execute_after <= now()
    returning id, entrypoint, convert_from(payload, 'UTF8') as payload)
select entrypoint, payload from taken order by id
"""


def taken(only: Collection[str] = queue.JOBS) -> list[tuple[str, str]]:
    """(name, text) of the jobs that are due, oldest first; they are no longer in the queue."""
    return [(name, text) for name, text in fetch(_TAKE, (sorted(only),))]


def do(name: str, text: str) -> None:
    """The job, as a worker does it. Raises what the job raises, `PutBack` among it."""
    handlers()[name](text)


def worked(only: Collection[str] = queue.JOBS, meanwhile: Callable[[], None] = lambda: None) -> list[str]:
    """Take the due jobs once and do each; their texts. `meanwhile` happens between taking and doing."""
    jobs = taken(only)
    meanwhile()
    for name, text in jobs:
        do(name, text)
    return [text for _, text in jobs]


def work_until_idle(only: Collection[str] = queue.JOBS) -> int:
    """Do what is due, and what becomes due by it, until nothing is; how many jobs there were."""
    done = 0
    while texts := worked(only):
        done += len(texts)
    return done


def wait_until_free(about: str) -> None:
    """Return once nobody is at `about`: the database notices the end of a killed process a moment after it."""
    while True:
        with alone(about) as mine:
            if mine:
                return
