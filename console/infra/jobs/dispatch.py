"""Delivers jobs to functions of ours: PgQueuer fetches them over a connection of its own, pools of threads do them.

A job may come twice, after a crash or to a worker that was frozen: what it names is looked at anew each time. A worker that dies loses nothing: another
one takes its jobs as soon as no sign of life has come for `HEARTBEAT`. Source: docs/adr/0008-the-engine.md.
"""

import asyncio
import contextlib
import logging
import random
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import psycopg
import sqlalchemy as sa
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.adapters.persistence.query_helpers import cell
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import FailingListenerError, RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel, JobId, QueueEntrypoint
from pgqueuer.ports.repository import EntrypointExecutionParameter
from sqlalchemy.engine import URL
from typing_extensions import override

from console.infra.db import timelines, troubles
from console.infra.db.engine import app_url
from console.infra.jobs.job_threads import Handler, JobFailed, Pool, Threads
from console.infra.jobs.jobs import PutBack

HEARTBEAT = timedelta(seconds=5)
POLL = timedelta(seconds=2)
"""A notice tells of a job at once; what nothing tells of is looked for: the jobs of a worker that died."""
HASTY = "set synchronous_commit = off"
"""What is noted of deliveries does not wait for the disk. If the server's machine dies, the last of it is lost and those jobs come again."""
BY_INDEX = "set enable_seqscan = off; set enable_bitmapscan = off"
"""The queue is empty at one moment and has thousands of jobs a second later, which the statistics do not tell; and an index forgets jobs that are done."""
CONNECT_S = 10.0
CLOSE_S = 1.0
TRIES = 8
LONGEST_PAUSE_S = 60.0
CHANNEL = "ch_pgqueuer"
CHANGED = "table_changed_event"
UNDERSTOOD = frozenset(
    [
        "host",
        "port",
        "sslmode",
        "sslcert",
        "sslkey",
        "sslrootcert",
        "sslcrl",
        "sslpassword",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
        "passfile",
        "options",
        "application_name",
        "target_session_attrs",
        "krbsrvname",
        "gsslib",
    ]
)
"""The parameters of a libpq URL that asyncpg understands; it sends others to the server, which refuses them."""

_log = logging.getLogger(__name__)

# Each name is given: the library would look for it in the environment, under words as common as CHANNEL and TRIGGER.
SETTINGS = DBSettings(
    prefix="",
    db_schema="queue",
    channel=Channel(CHANNEL),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.balanced,
    widen_id=True,
)


def queries(driver: AsyncpgDriver) -> Queries:
    """The library's statements over our schema."""
    environment, scheduler = (
        QueryBuilderEnvironment(settings=SETTINGS),
        QuerySchedulerBuilder(settings=SETTINGS),
    )
    return Queries(driver, environment, QueryQueueBuilder(settings=SETTINGS), scheduler)


def backoff_s(attempt: int, first_s: float = 1.0) -> float:
    """Seconds until the next try after try number `attempt` (from 0): doubled each time, with a random part so that failed jobs do not retry together."""
    return float(min(LONGEST_PAUSE_S, first_s * 2.0 ** min(attempt, 30)) * random.uniform(0.75, 1.25))  # noqa: S311 (spread, not secrecy)


async def _disconnect(connection: "asyncpg.Connection[Any]") -> None:
    """Close the connection; cut it if the server does not answer in time."""
    try:
        await connection.close(timeout=CLOSE_S)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()
    await asyncio.sleep(0)


_WAITING = f"""
select name from unnest((select $1::text[])) name where exists (select from queue.pgqueuer where entrypoint = name and status = 'queued' and execute_after < now())
union select entrypoint from queue.pgqueuer
where entrypoint = any ((select $1::text[])::text[]) and status = 'picked' and heartbeat < now() - interval '{HEARTBEAT.total_seconds()}s'
"""  # noqa: S608 (a text of ours)


_PAUSE = """
select greatest($2::interval, least($3::interval, min(execute_after) - now())) as pause from queue.pgqueuer
where status = 'queued' and entrypoint = any((select $1::text[])::text[])
"""
"""A list in a select of its own is as long as the server takes it to be, so that it plans these once for each connection, and not at each look."""


_COME = f"""{{{{"channel": "{CHANNEL}", "type": "{CHANGED}", "operation": "update", "table": "pgqueuer", "sent_at": "{{now}}"}}}}"""


class _Driver(AsyncpgDriver):
    """Passes one notice of changed jobs on until the queue is looked at again. The library keeps every one, and takes fewer out than come: under load
    each job would leave some behind for ever, and the queue be looked at for each of them afterwards.
    """

    told = False
    """Whether a job has come or changed since the last look."""
    pass_on: Callable[[str], None] = staticmethod(lambda _: None)

    def wake(self) -> None:
        """Have the queue looked at, as if a job had come."""
        if not self.told:
            self.told = True
            self.pass_on(_COME.format(now=datetime.now(UTC).isoformat()))

    @override
    async def add_listener(self, channel: str, callback: Callable[[str | bytes | bytearray], None]) -> None:
        def first(payload: str | bytes | bytearray) -> None:
            if CHANGED in str(payload):
                if self.told:
                    return
                self.told = True
            callback(payload)

        self.pass_on = callback
        await super().add_listener(channel, first)


@dataclass
class _Manager(QueueManager):
    """Fetches for each pool what it has room for. A limit of the library's own for a kind of job counts those of all processes."""

    driver: _Driver | None = None
    pools: Sequence[Pool] = ()
    named: dict[JobId, str] = field(default_factory=dict)
    """Which kind of job those are that are under way here."""

    def _with_room(self) -> Sequence[Pool]:
        """The pools in which no fetched job waits for a thread: each fetch then brings several."""
        self.named = {job: self.named[job] for job in self.job_context if job in self.named}
        under_way = Counter(self.named.values())
        return [
            pool
            for pool in self.pools
            if sum(under_way[name] for name in pool.handlers) - len(pool.waiting) <= pool.threads
        ]

    @override
    async def fetch_jobs(
        self, batch_size: int, global_concurrency_limit: int | None, heartbeat_timeout: timedelta
    ) -> AsyncGenerator[Job, None]:
        if self.driver is not None:
            self.driver.told = False
        if not (pools := self._with_room()):
            return
        rows = await self.queries.driver.fetch(_WAITING, [name for pool in pools for name in pool.handlers])
        waiting = {row["name"] for row in rows}
        for pool in pools:
            names = {
                QueueEntrypoint(name): EntrypointExecutionParameter(concurrency_limit=0)
                for name in pool.handlers
            }
            fetched = 0 if waiting.isdisjoint(names) else pool.threads
            # Where fewer came than were asked for, no more wait or there is no room for them; what comes meanwhile is told of.
            while fetched == pool.threads and pool in self._with_room() and not self.shutdown.is_set():
                # Fetched ahead is one job for each thread: more would wait here while other workers have nothing to do.
                most = 2 * pool.threads + len(pool.waiting)
                jobs = await self.queries.dequeue(
                    pool.threads, names, self.queue_manager_id, most, heartbeat_timeout
                )
                fetched = len(jobs)
                for job in jobs:
                    self.named[job.id] = job.entrypoint
                    yield job

    @override
    async def _effective_dequeue_timeout(self, dequeue_timeout: timedelta) -> timedelta:
        """Until the next job is due, in one statement instead of the library's three; at least `min_dequeue_poll_interval`, at most `dequeue_timeout`.

        Not at all where something has come since the last look: the library drops a notice for each job that it fetches. A pool without room is
        looked at when one of its jobs is done, which a notice tells of.
        """
        if self.driver is not None and self.driver.told:
            return timedelta(0)
        if not (names := [name for pool in self._with_room() for name in pool.handlers]):
            return dequeue_timeout
        bounds = (self.min_dequeue_poll_interval, dequeue_timeout)
        return cell((await self.queries.driver.fetch(_PAUSE, names, *bounds))[0], "pause", timedelta)


class Dispatcher:
    """The jobs of one process: `run` in a thread of its own until `stop`, which may be called from any thread."""

    def __init__(self, pools: Sequence[Pool]) -> None:
        self.pools = pools
        self.stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._manager: QueueManager | None = None
        self._starting = threading.Lock()
        self._ended = asyncio.Event()

    def run(self) -> None:
        """Deliver jobs until stopped. Then running jobs are finished, and fetched jobs that have not begun are put back."""
        with contextlib.ExitStack() as kept:
            threads = [Threads(pool) for pool in self.pools]
            for each in threads:
                kept.enter_context(each.executor)
            asyncio.run(self._until_stopped(threads))

    def stop(self) -> None:
        """Fetch no more jobs; `run` returns when the running ones are done."""
        self.stopping.set()
        with self._starting:
            if self._loop is not None and not self._loop.is_closed():
                with contextlib.suppress(RuntimeError):  # it has ended in between
                    self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._ended.set()
        if self._manager is not None:
            self._manager.shutdown.set()

    async def _until_stopped(self, threads: Sequence[Threads]) -> None:
        with self._starting:
            self._loop = asyncio.get_running_loop()
        failures, left = 0, set[asyncio.Task[None]]()
        while not self.stopping.is_set():
            try:
                await self._serve(threads, left)
                failures = 0
            except (
                OSError,
                psycopg.OperationalError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                FailingListenerError,
            ) as error:
                _log.warning("jobs: the database does not answer: %s", type(error).__name__)
            except Exception:  # noqa: BLE001 (the next connection may do better)
                _log.exception("alarm: jobs are not delivered")
            failures += 1
            await self._pause(min(5.0, backoff_s(failures, 0.1)))
        await asyncio.gather(*left, return_exceptions=True)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)

    async def _serve(self, threads: Sequence[Threads], left: set[asyncio.Task[None]]) -> None:
        """Deliver over one connection, as long as it lasts. Jobs that are under way when it breaks are `left` behind: the next one waits for none of them."""
        address = await asyncio.to_thread(timelines.pinned, app_url())
        connection = await asyncpg.connect(dsn(address), timeout=CONNECT_S)
        await connection.execute(
            f"{HASTY}; {BY_INDEX}"
        )  # by a statement: a pooler refuses it among the settings of a connection
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        driver = _Driver(connection)
        self._manager = manager = _Manager(
            queries(driver), channel=Channel(CHANNEL), driver=driver, pools=self.pools
        )
        for pool, its in zip(self.pools, threads, strict=True):
            for name in pool.handlers:
                manager.entrypoint(name, accepts_context=False, on_failure="hold")(
                    Handler(self._do, pool, its, name, driver.wake).handle
                )
        if self.stopping.is_set():
            manager.shutdown.set()
        serving = asyncio.create_task(self._deliver(manager, connection))
        breaking = asyncio.create_task(lost.wait())
        await asyncio.wait({serving, breaking}, return_when=asyncio.FIRST_COMPLETED)
        breaking.cancel()
        self._manager = None
        if serving.done():
            serving.result()
            return
        left.add(serving)
        serving.add_done_callback(left.discard)
        raise ConnectionResetError

    async def _deliver(self, manager: QueueManager, connection: "asyncpg.Connection[Any]") -> None:
        try:
            await manager.run(
                dequeue_timeout=POLL,
                batch_size=self.pools[
                    0
                ].threads,  # the results of so many jobs are written at once, or after a tenth of a second
                heartbeat_timeout=HEARTBEAT,
                shutdown_on_listener_failure=True,
                log_aggregation_interval=timedelta(0),
            )
        finally:
            await _disconnect(connection)

    def _do(self, name: str, function: Callable[[str], None], job: Job) -> None:
        """Do the job, in a thread of the pool. Raises RetryRequested if it is to be tried again, JobFailed if a person has to look at it."""
        if self.stopping.is_set():
            raise RetryRequested(timedelta(0), "put back")
        try:
            function((job.payload or b"").decode())
        except PutBack as back:
            raise RetryRequested(timedelta(seconds=back.after_s), "put back") from None
        except Exception as error:  # noqa: BLE001 (one job's surprise must not end the others)
            if troubles.passes(error):
                _log.warning("job %s: the database does not answer: %s", name, type(error).__name__)
                raise RetryRequested(
                    timedelta(seconds=backoff_s(job.attempts)), "the database does not answer"
                ) from None
            _log.exception("alarm: job %s %s failed", name, job.id)
            if job.attempts + 1 < TRIES and not isinstance(error, (sa.exc.DataError, psycopg.DataError)):
                raise RetryRequested(
                    timedelta(seconds=backoff_s(job.attempts)), type(error).__name__
                ) from None
            raise JobFailed(type(error).__name__) from None


def dsn(url: URL) -> str:
    """The address as asyncpg reads it."""
    url = url.set(drivername="postgresql")
    return url.difference_update_query(
        [name for name in url.query if name not in UNDERSTOOD]
    ).render_as_string(hide_password=False)
