"""The threads that do jobs, and who works while another waits for somebody outside. Source: docs/adr/0033-who-waits-outside-holds-no-thread.md."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pgqueuer.domain.models import Job
from pgqueuer.domain.types import JobId

from console.infra.jobs import outside_places


class JobFailed(Exception):
    """A job failed. The error is in the log of the process and not in the queue's tables, because it may contain personal data."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Jobs that share threads, so many of them: their names → the functions that take a job's text.

    `outside`: so many more threads for jobs that wait for somebody outside (`outside_places`); while they do, others are done in their stead.
    """

    handlers: Mapping[str, Callable[[str], None]]
    threads: int
    outside: int = 0
    waiting: set[JobId] = field(default_factory=set)
    """Jobs that wait for somebody outside, and hold no thread of those that the others need."""


class Threads:
    """The threads of a pool: so many work at once, and beside them some may wait for somebody outside."""

    def __init__(self, pool: Pool) -> None:
        self.executor = ThreadPoolExecutor(pool.threads + pool.outside, thread_name_prefix="job")
        self.turns = threading.Semaphore(pool.threads)


@dataclass
class Handler:
    """Gives jobs of one name to the threads of their pool. `wake` has the queue looked at."""

    do: Callable[[str, Callable[[str], None], Job], None]
    pool: Pool
    threads: Threads
    name: str
    wake: Callable[[], None]

    async def handle(self, job: Job) -> None:
        """The job is done when this ends. Raises what `do` raises."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self.threads.executor, self._do, job, loop)

    def _do(self, job: Job, loop: asyncio.AbstractEventLoop) -> None:
        with self.threads.turns:
            if not self.pool.outside:
                self.do(self.name, self.pool.handlers[self.name], job)
                return
            with outside_places.doing(self._waiter(job, loop)):
                self.do(self.name, self.pool.handlers[self.name], job)

    def _waiter(self, job: Job, loop: asyncio.AbstractEventLoop) -> outside_places.Waiter:
        def out() -> None:
            self.pool.waiting.add(job.id)
            self.threads.turns.release()
            with contextlib.suppress(RuntimeError):  # the process ends
                loop.call_soon_threadsafe(self.wake)

        def back() -> None:
            self.threads.turns.acquire()
            self.pool.waiting.discard(job.id)

        return outside_places.Waiter(out, back)
