"""Jobs for the background: put in within a transaction of the caller's, delivered at least once by `console.infra.jobs.dispatch`.

A job is a name and a text that names a run or a record: everything else stands in our own tables. One whose key is queued or under way
already is not put in again. Source: docs/adr/0008-the-engine.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from console.infra.db.engine import borrowed, fetch
from console.infra.db.ids import new_id
from console.infra.db.process_cache import ProcessCache

ADVANCE = "advance"
"""The job that moves a run: its text is the run's id."""

ADVANCE_HANDS_OFF = "advance_hands_off"
"""The job that moves a run that nobody holds: its steps may wait long for somebody outside, and no person waits behind them."""

PROPOSE = "propose"
"""The job that asks for a proposal: its text is the call's id."""

BUILD = "build"
"""The job that answers what somebody asked of the builder of workflows: its text is the turn's id."""

BULK = "bulk"
"""The job that does an action to many records: its text is the bulk's id."""

FOLLOW = "follow"
"""The job that looks up what may still come to nothing: its text is the run's id and the effect's."""

READ = "read_documents"
"""The job that reads documents beside a run: its text names the run, who wants to see them, and which."""

TEND = "tend_children"
"""The job that starts, joins or cancels the runs that a step of a run waits for: its text is the run's id."""

EXPORT = "export_list"
"""The job that writes a list into a file: its text is the file's id."""

SEND, SEND_SMS, BEGIN_CALL, SEND_CHAT = "send_message", "send_sms", "begin_call", "send_chat"
"""The jobs that send a message of a channel, or find out what became of it: their text is the message's id. None waits behind another channel's provider."""
SENDING = {"sms": SEND_SMS, "call": BEGIN_CALL, "chat": SEND_CHAT}
"""Channel → its job; any other is an e-mail, as all were in the releases before."""

ENROL = "enrol"
"""The job that enrols many in a workflow: its text is the batch's id."""

TAKE_OUT = "take_out"
"""The job that takes many out of a workflow: its text is the act's id."""

IMPORT = "import_contacts"
"""The job that reads a file of contacts: its text is the import's id."""

BEGIN = "begin_enrolled"
"""The job that begins the runs of those who wait in a workflow: its text is the workflow's id."""

FIRE = "fire"
"""The job that starts runs for what triggers have taken in: its text is the workflow's id."""

WAKE = "wake_runs"
"""The job that wakes runs that wait for a change of their record: its text is the batch's id."""

DELIVER = "deliver_webhook"
"""The job that sends what waits for an outgoing webhook: its text is the webhook's id."""

MOVE = "move_runs"
"""The job that moves many runs to another version: its text is the move's id."""

CONNECT = "connect_source"
"""The job that connects a database of many tables: its text is the id of what was asked for."""

ASK = "ask"
"""The job that answers a question about a case: its text is the question's id."""

RECOUNT = "recount_due"
"""The job that computes again when live runs are due: its text is the id of what was asked for."""

WORDS = {
    ADVANCE: "Move a run on",
    ADVANCE_HANDS_OFF: "Move an automation on",
    PROPOSE: "Ask for a proposal",
    BUILD: "Answer in the builder",
    ASK: "Answer a question about a case",
    BULK: "Do an action to many records",
    FOLLOW: "Find out what became of a change",
    READ: "Read documents",
    EXPORT: "Write a list into a file",
    SEND: "Send a message",
    SEND_SMS: "Send an SMS",
    BEGIN_CALL: "Begin a call",
    SEND_CHAT: "Write into a chat",
    ENROL: "Enrol many",
    BEGIN: "Begin the runs of those who wait",
    FIRE: "Start runs for a trigger",
    TEND: "Look after the runs that a step waits for",
    DELIVER: "Send events to a webhook",
    MOVE: "Move runs to another version",
    TAKE_OUT: "Take many out of a workflow",
    IMPORT: "Import a file of contacts",
    CONNECT: "Connect a database",
    RECOUNT: "Compute due times again",
    WAKE: "Wake runs after changes of their records",
}
"""What each job does, as people read it."""

JOBS = frozenset(WORDS)
"""All jobs there are. A worker refuses to start without a function for each (`console.operations.worker.handlers`), and no other name is put in."""

BEHIND = -10
"""The priority of runs that nobody holds: they stand behind everything that a person waits for."""

KEPT = timedelta(days=7)
"""How long the queue's own notes on what became of its jobs stay."""

_ENQUEUE = "select ord, id from queue.enqueue(%s::integer[], %s::text[], %s::bytea[], %s::interval[], %s::text[], %s::jsonb[])"
_ONE = sa.text(
    "select id from queue.enqueue(array[0], array[:entrypoint], array[convert_to(:payload, 'UTF8')], array[cast(:after as interval)],"
    " array[cast(:key as text)], array[null::jsonb])"
)
BESIDE = "queue.enqueue(array[%s::integer], array[%s], array[convert_to(%s, 'UTF8')], array['0'::interval], array[%s], array[null::jsonb])"
"""A table for the FROM of a statement of psycopg's: puts one job in when it is read; takes the job's priority, name, text and key."""


class PutBack(Exception):
    """Raised in a job to stop and continue after so many seconds, here or elsewhere, because the process ends or others have their turn."""

    def __init__(self, after_s: float = 0.0) -> None:
        super().__init__("put back")
        self.after_s = after_s


@dataclass(frozen=True, slots=True)
class Job:
    """Something to look at in the background. Of jobs with the same key only one is queued or under way at a time. A higher `priority` goes first."""

    entrypoint: str
    payload: str
    key: str
    priority: int = 0

    def __post_init__(self) -> None:
        _check(self.entrypoint)


def _check(entrypoint: str) -> None:
    if entrypoint not in JOBS:
        raise ValueError(
            f"No worker takes a job named {entrypoint!r}: add it to console.infra.jobs.JOBS and to console.operations.worker.handlers."
        )


def advance(run_id: str, seq: int, *, hands_off: bool = False) -> Job:
    """The job that moves the run on from its event number `seq`; a later event of the run needs a later job. Work that somebody waits for goes first."""
    return Job(
        ADVANCE_HANDS_OFF if hands_off else ADVANCE, run_id, f"{run_id}:{seq}", BEHIND if hands_off else 0
    )


def tend(run_id: str, cause: str) -> Job:
    """The job that looks after the runs that a step of this run waits for; `cause` is the run and number of the event that makes it needed."""
    return Job(TEND, run_id, f"tend:{cause}", BEHIND)


def propose(call: str) -> Job:
    """The job that asks for the proposal which this call names."""
    return Job(PROPOSE, call, call)


def send(message: str, channel: str) -> Job:
    """The job that sends this message of the channel, or finds out what became of it."""
    return Job(SENDING.get(channel, SEND), message, f"send:{message}")


def enqueue(
    connection: sa.Connection,
    entrypoint: str,
    payload: str,
    *,
    dedupe_key: str | None = None,
    execute_after: timedelta = timedelta(0),
) -> int | None:
    """Put a job in with the transaction of `connection`; its number, None where one of the same key is there already."""
    _check(entrypoint)
    parameters = {"entrypoint": entrypoint, "payload": payload, "after": execute_after, "key": dedupe_key}
    job_id: int | None = connection.execute(_ONE, parameters).scalar()
    return job_id


def enqueue_look(connection: sa.Connection, entrypoint: str, thing: str, *, dedupe_key: str) -> None:
    """Put in a job that does whatever waits at this thing, unless one waits to be begun, which then waits for the end of this transaction too.

    One of the same key that was begun may be over, and not yet written down as such: then another comes behind it, so that what is put in with this
    transaction is done at once, and not when somebody looks for what was left.
    """
    keys = [dedupe_key, f"{dedupe_key}|next"]
    if (
        enqueue(connection, entrypoint, thing, dedupe_key=keys[0]) is None
        and not connection.execute(_QUEUED, {"keys": keys}).first()
    ):
        for key in (keys[1], f"{dedupe_key}|{new_id('job')}"):
            if enqueue(connection, entrypoint, thing, dedupe_key=key) is not None:
                return


_QUEUED = sa.text(
    "select 1 from queue.pgqueuer where dedupe_key = any(:keys) and status = any(array['queued', 'picked']::queue.pgqueuer_status[])"
    " and status = 'queued' for share"
)


def no_job(key: str) -> str:
    """The condition that no job of this key, an expression of SQL, waits or is being done: a look at what is due costs no more for what has its job."""
    return f"not exists (select from queue.pgqueuer q where q.dedupe_key = {key} and q.status = any (array['queued', 'picked']::queue.pgqueuer_status[]))"


def given_up(key: str) -> str:
    """The condition that a job of this key, an expression of SQL, was given up and is kept. With `no_job`: who has neither has lost it, as after a restore."""
    return f"exists (select from queue.pgqueuer q where q.dedupe_key = {key} and q.status = 'failed')"


def enqueue_all(jobs: Sequence[Job]) -> int:
    """Put all the jobs in, at once and in a transaction of their own; how many were not there already."""
    if not jobs:
        return 0
    with borrowed() as driver:
        return len(driver.execute(_ENQUEUE, columns_of(jobs)).fetchall())


def columns_of(jobs: Sequence[Job]) -> tuple[list[Any], ...]:
    """What `queue.enqueue` takes: priorities, names, texts, pauses, keys, headers."""
    count = len(jobs)
    return (
        *(
            [job.priority for job in jobs],
            [job.entrypoint for job in jobs],
            [job.payload.encode() for job in jobs],
        ),
        *([timedelta(0)] * count, [job.key for job in jobs], [None] * count),
    )


Because = Literal["restored", "copied"]
BECAUSE: tuple[Because, ...] = ("restored", "copied")
"""Why everything is paused where nobody asked for it; `console.version` keeps the place in this list, from 1."""
_SWITCH = "select max(number) filter (where name = 'paused'), max(number) filter (where name = 'paused_because') from console.version"


def paused() -> bool:
    """Whether everything that goes by itself is switched off; looked up once a second at most."""
    return _switch.get()[0] > 0


def paused_at() -> datetime | None:
    """Since when it is switched off, aware UTC; None where it is not."""
    since, _ = _switch.get()
    return datetime.fromtimestamp(since, UTC) if since else None


def paused_because() -> Because | None:
    """Why it is switched off although nobody asked for it: then nothing leaves by hand either, until somebody says that it is to go on."""
    since, because = _switch.get()
    return BECAUSE[because - 1] if since and because else None


def _read_switch(_: object) -> tuple[int, int]:
    """(second of the epoch since when everything is paused, why); 0 for what is not so."""
    since, because = fetch(_SWITCH)[0]
    return int(since), int(because or 0)


_switch = ProcessCache(_read_switch)
forget = _switch.forget


def tidy() -> int:
    """Forget what became of jobs longer ago than `KEPT`; how many notes went."""
    gone = "with gone as (delete from queue.pgqueuer_log where created < now() - %s returning 1) select count(*) from gone"
    return int(fetch(gone, (KEPT,))[0][0])
