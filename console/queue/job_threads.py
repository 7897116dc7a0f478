"""The threads that do jobs: those of a pool, how many jobs one does one after another, and who works while another waits for somebody outside.

Source: docs/adr/0031-jobs-that-are-done-together.md, docs/adr/0033-who-waits-outside-holds-no-thread.md.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeAlias

from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job

from console.db import troubles
from console.db.engine import together
from console.queue import outside_places

TOGETHER = 16
"""At most so many jobs are done one after another by one thread, which reads for all of them at once."""
TOGETHER_S = 1.0
"""So long they may wait together; those that are behind one that waits longer are given to other threads."""
QUICK_S = 0.5
"""Where a job waits longer, others do not stand behind it."""
FETCHED = 3 * TOGETHER
"""At most so many quick jobs are fetched: threads that share one interpreter are not done sooner because there are more of them."""
BUSY = 2
"""A process that works for half of a time or more waits for nobody: what takes long in it takes long because much is done at once."""
_log = logging.getLogger(__name__)


class Watch:
    """How long something waits: seconds that pass, less those in which this process works, whoever in it does."""

    def __init__(self) -> None:
        self.begun_s, self.worked_s = time.monotonic(), time.process_time()

    def waited_s(self) -> float:
        """Seconds until now, which are below zero where all of them were work."""
        return time.monotonic() - self.begun_s - BUSY * (time.process_time() - self.worked_s)


class JobFailed(Exception):
    """A job failed. The error is in the log of the process and not in the queue's tables, because it may contain personal data."""


@dataclass(frozen=True, slots=True)
class Together:
    """`read` takes the texts of several jobs and reads for them what they would read one by one; `quick` says whether they wait for nobody outside."""

    read: Callable[[Sequence[str]], None]
    quick: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Pool:
    """Jobs that share threads, so many of them: their names → the functions that take a job's text.

    `ahead`: which of them are done together while they are quick, and what reads ahead for them. `outside`: so many more threads for jobs that wait for
    somebody outside (`outside_places`); while they do, others are done in their stead.
    """

    handlers: Mapping[str, Callable[[str], None]]
    threads: int
    ahead: Mapping[str, Together] = field(default_factory=dict)
    outside: int = 0
    quick: dict[str, bool] = field(default_factory=dict)
    """Whether the last jobs of a name were."""
    given: "set[Given]" = field(default_factory=set)
    """What threads are at now."""

    def together(self, name: str) -> int:
        """How many jobs of the name one thread does one after another: those that wait for somebody outside have a thread each."""
        return TOGETHER if self.quick.get(name) else 1

    def at_once(self) -> int:
        """How many jobs are fetched by one statement: one for each thread, and of quick ones more."""
        most = max((self.together(name) for name in self.ahead), default=1)
        return max(self.threads, min(FETCHED, self.threads * most))

    def left(self) -> int:
        """More are fetched when no more than these are under way: of quick ones many are to come together."""
        return (
            self.threads // 4 + sum(each.slow and not each.waits for each in self.given) if self.at_once() > self.threads else self.threads
        )

    def waiting(self) -> int:
        """How many jobs hold no thread of those that the others need."""
        return sum(each.waits for each in self.given)

    def waited(self, name: str, jobs: int, seconds: float) -> None:
        """So many jobs waited so long, where nobody outside was asked."""
        if name in self.ahead:
            self.quick[name] = seconds < jobs * QUICK_S and self.ahead[name].quick()


Come: TypeAlias = "tuple[Job, asyncio.Future[None]]"
"""A job, and what is told of it when it is done."""


@dataclass(eq=False, slots=True)
class Given:
    """Jobs that one thread does one after another: those that are left, and what came of the others."""

    todo: deque[Come]
    outcomes: "deque[tuple[asyncio.Future[None], Exception | None]]" = field(default_factory=deque)
    begun: bool = False
    slow: bool = False
    waits: bool = False
    """Whether the thread waits for somebody outside, in a pool that has room for that."""
    waited_s: float = 0.0


class Threads:
    """The threads of a pool: so many work at once, and beside them some may wait for somebody outside."""

    def __init__(self, pool: Pool) -> None:
        self.executor = ThreadPoolExecutor(pool.threads + pool.outside, thread_name_prefix="job")
        self.turns = threading.Semaphore(pool.threads)


@dataclass
class Handler:
    """Gives jobs of one name to the threads of their pool: those that come together and take a moment one after another to one thread."""

    do: Callable[[str, Callable[[str], None], Job], None]
    pool: Pool
    threads: Threads
    name: str
    wake: Callable[[], None]
    come: list[Come] = field(default_factory=list)

    async def handle(self, job: Job) -> None:
        """The job is done when this ends. Raises what `do` raises."""
        loop = asyncio.get_running_loop()
        self.come.append((job, done := loop.create_future()))
        if len(self.come) == 1:
            loop.call_soon(self._begin)  # when all that were fetched with it are here
        await done

    def _begin(self) -> None:
        come, self.come = self.come, []
        most = self.pool.together(self.name)
        for start in range(0, len(come), most):
            self._give(come[start : start + most])

    def _give(self, jobs: Sequence[Come]) -> None:
        loop, given = asyncio.get_running_loop(), Given(deque(jobs))
        self.pool.given.add(given)
        ended = loop.run_in_executor(self.threads.executor, self._do_all, given, loop)
        ended.add_done_callback(lambda _: self._end(given))
        if self.name in self.pool.ahead:
            loop.call_later(TOGETHER_S, self._look_after, given, len(given.todo), Watch())

    def _look_after(self, given: Given, left: int, watch: Watch) -> None:
        """Give those that stand behind one that takes long to a thread each: where none was done meanwhile, or hardly anybody in this process has worked."""
        if given not in self.pool.given:
            return
        if given.begun and (len(given.todo) == left or watch.waited_s() > QUICK_S):
            given.slow = True
            while given.todo:
                self._give([given.todo.popleft()])
        asyncio.get_running_loop().call_later(TOGETHER_S, self._look_after, given, len(given.todo), Watch())

    def _waits(self, given: Given) -> None:
        """Its thread waits for somebody outside: what is done is told, the others are given to other threads, and more is fetched."""
        self._tell(given)
        while given.todo:
            self._give([given.todo.popleft()])
        self.wake()

    def _end(self, given: Given) -> None:
        self.pool.given.discard(given)
        self._tell(given)

    def _tell(self, given: Given) -> None:
        while given.outcomes:
            done, outcome = given.outcomes.popleft()
            if done.done():
                continue  # it was cancelled meanwhile
            if outcome is None:
                done.set_result(None)
            else:
                done.set_exception(outcome)

    def _do_all(self, given: Given, loop: asyncio.AbstractEventLoop) -> None:
        """Do each that is not given to others meanwhile. In a thread of the pool."""
        with self.threads.turns:
            given.begun, watch, several, number = True, Watch(), len(given.todo) > 1, 0
            with together() if several else contextlib.nullcontext():
                if several:
                    self._read_ahead([job for job, _ in given.todo])
                while given.todo:
                    try:
                        job, done = given.todo.popleft()
                    except IndexError:  # the others were given away in between
                        break
                    number += 1
                    try:
                        with outside_places.doing(self._waiter(given, loop)) if self.pool.outside else contextlib.nullcontext():
                            self.do(self.name, self.pool.handlers[self.name], job)
                        given.outcomes.append((done, None))
                    except (RetryRequested, JobFailed) as error:
                        given.outcomes.append((done, error))
            if number:
                with contextlib.suppress(Exception):  # what says whether they are quick may need the database
                    self.pool.waited(self.name, number, watch.waited_s() - given.waited_s)

    def _waiter(self, given: Given, loop: asyncio.AbstractEventLoop) -> outside_places.Waiter:
        begun = 0.0

        def out() -> None:
            nonlocal begun
            begun, given.waits = time.monotonic(), True
            self.threads.turns.release()
            with contextlib.suppress(RuntimeError):  # the process ends
                loop.call_soon_threadsafe(self._waits, given)

        def back() -> None:
            self.threads.turns.acquire()
            given.waits = False
            given.waited_s += time.monotonic() - begun

        return outside_places.Waiter(out, back)

    def _read_ahead(self, jobs: Sequence[Job]) -> None:
        try:
            self.pool.ahead[self.name].read([(job.payload or b"").decode() for job in jobs])
        except Exception as error:  # noqa: BLE001 (each reads for itself then, and says what is wrong)
            if not troubles.passes(error):
                _log.exception("jobs %s: nothing was read ahead", self.name)
