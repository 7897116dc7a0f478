"""What a worker does, by the product's own tables of jobs and duties: no test names a job's function itself."""

import contextlib
import functools
import threading
from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import Any, cast

from console.activity import sequencing
from console.infra import jobs as queue
from console.infra.db.engine import alone, fetch
from console.operations.worker import DAY_S, Worker, duties, handlers

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


@functools.cache
def _duties() -> list[Callable[[], object]]:
    """Those of a worker that come about more often than each day. Nobody listens to other databases."""
    here = cast(
        "Any",
        SimpleNamespace(
            stopping=threading.Event(), sequence=sequencing.sequence, end_under_newer=lambda: None
        ),
    )
    return [
        duty.do
        for line in duties(cast(Worker, here)).values()
        for duty in line
        if duty.every_s < DAY_S and duty.name != "listeners"
    ]


def work_as_workers_do(only: Collection[str] = RUNNING) -> None:
    """All duties and all due jobs, until in three rounds nothing was done. What has to wait for its turn is put back and left to the next one."""
    idle = 0
    while idle < 3:
        for duty in _duties():
            duty()
        idle += 1
        for name, text in taken(only):
            with contextlib.suppress(queue.PutBack):
                do(name, text)
                idle = 0


def wait_until_free(about: str) -> None:
    """Return once nobody is at `about`: the database notices the end of a killed process a moment after it."""
    while True:
        with alone(about) as mine:
            if mine:
                return
