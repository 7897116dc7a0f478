"""How the background stands, for who runs the console: workers, jobs, timers, the log; and the switch that pauses everything that goes by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from console import log
from console.activity import integrity, sequencing
from console.ai.proposals import provider_standing
from console.auth import access
from console.auth.access import casbin_agreement, history
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotFound
from console.core.moments import moment_text
from console.infra import jobs
from console.infra.db.engine import fetch, transaction
from console.infra.db.presence import PRESENCE
from console.infra.jobs import background
from console.operations import abandoned_jobs

SHOWN = 50
_RUNS = """
select count(*) filter (where r.status = 'waiting_time'),
       min((r.waiting->>'until') collate "C") filter (where r.status = 'waiting_time'),
       count(*) filter (where r.status = 'running')
from console.run r where r.ended_at is null and r.status in ('running', 'waiting_time') and (r.label is null or r.label = any(%s))
"""
_OPEN = "not exists (select from console.run r where r.id = convert_from(q.payload, 'UTF8') and not (r.label is null or r.label = any(%s)))"
"""That the job moves no run which the reader is not cleared for."""
_COUNTS = f"""
select count(*) filter (where status = 'queued' and execute_after <= now()), count(*) filter (where status = 'queued' and execute_after > now()),
       coalesce(extract(epoch from now() - min(greatest(created, execute_after)) filter (where status = 'queued' and execute_after <= now())), 0)::float8,
       count(*) filter (where status = 'picked'), count(*) filter (where status = 'picked' and heartbeat < now() - interval '15 seconds'),
       count(*) filter (where status = 'failed')
from queue.pgqueuer q where {_OPEN}
"""  # noqa: S608 (texts of this file)
_FAILED = f"""
select id, entrypoint, convert_from(payload, 'UTF8'), attempts, updated from queue.pgqueuer q where status = 'failed' and {_OPEN} order by id desc limit %s
"""  # noqa: S608 (as above)
_LEAVING = """
select (select count(*) from console.message where direction = 'out' and due_at <= now() and code is distinct from 'restored'),
       (select count(*) from console.message where direction = 'out' and due_at <= now() and code = 'restored'),
       (select count(*) from console.webhook_delivery d join console.webhook w on w.id = d.webhook where d.status = 'waiting' and w.enabled),
       (select count(*) from console.firing where status = 'waiting'),
       (select count(*) from queue.pgqueuer where entrypoint = 'bulk' and status in ('queued', 'picked')),
       (select count(*) from queue.pgqueuer where entrypoint = 'enrol' and status in ('queued', 'picked')),
       (select count(*) from console.run r where r.ended_at is null and (r.label is null or r.label = any(%s)) and (r.status = 'running'
            or (r.status in ('waiting_time', 'waiting_event') and (r.waiting->>'until') collate "C" <= %s)))
"""
LEAVING = (
    ("message", "messages"),
    (
        "message of which somebody is asked first whether it has left",
        "messages of which somebody is asked first whether they have left",
    ),
    ("webhook delivery", "webhook deliveries"),
    ("start by a trigger", "starts by triggers"),
    ("change of many records", "changes of many records"),
    ("enrolment of many", "enrolments of many"),
    ("run that goes on by itself", "runs that go on by themselves"),
)
_WORKERS = """
select count(*) from pg_locks where locktype = 'advisory' and classid = %s and objid = %s and objsubid = 2 and granted
and database = (select oid from pg_database where datname = current_database())
"""
_AGAIN = f"""
update queue.pgqueuer q set status = 'queued', execute_after = now(), updated = now(), attempts = 0, queue_manager_id = null
where q.id = %s and q.status = 'failed' and {_OPEN} and not exists (
    select from queue.pgqueuer o where o.dedupe_key = q.dedupe_key and o.status = any (array['queued', 'picked']::queue.pgqueuer_status[]))
returning q.entrypoint, q.dedupe_key
"""  # noqa: S608 (as above)
_GIVEN_UP = f"delete from queue.pgqueuer q where q.id = %s and q.status = 'failed' and {_OPEN} returning q.id"  # noqa: S608 (as above)


@dataclass(frozen=True, slots=True)
class State:
    """`due` are queued jobs that may be done now, the oldest of them for `oldest_s`; `later` those put back for a while; `picked` are under way, `stuck`
    of them without a sign of life. `timers` waiting runs, the first of which continues at `next_at`; `moving` runs at an automatic step. `refusals`: models that nobody can
    ask at present. `because`: why it is paused where nobody asked for it; `leaving`: in words, what leaves or begins as soon as a pause ends.
    """

    workers: int
    paused_at: datetime | None
    due: int
    later: int
    oldest_s: float
    picked: int
    stuck: int
    failed: int
    failures: Sequence[abandoned_jobs.Failed]
    timers: int
    next_at: datetime | None
    moving: int
    lag: sequencing.Lag
    integrity: integrity.Standing
    refusals: Sequence[provider_standing.Refusal] = ()
    because: jobs.Because | None = None
    leaving: Sequence[str] = ()


def read(actor: Actor) -> State:
    """How the background stands. Raises NotAllowed without the right `source.manage`."""
    access.require(actor, None, "source", "manage")
    return _state(access.runs(actor).cleared, access.hidden_from(actor))


def _state(cleared: Sequence[str], hidden: Sequence[str] = ()) -> State:
    given = (list(cleared),)
    (workers,) = fetch(_WORKERS, PRESENCE)[0]
    due, later, oldest_s, picked, stuck, failed = fetch(_COUNTS, given)[0]
    rows = fetch(_FAILED, (*given, SHOWN))
    timers, next_at, moving = fetch(_RUNS, given)[0]
    paused_at = jobs.paused_at()
    return State(
        workers,
        paused_at,
        *(due, later, oldest_s, picked, stuck, failed),
        abandoned_jobs.described(rows, hidden),
        timers,
        datetime.fromisoformat(next_at) if next_at else None,
        moving,
        sequencing.lag(),
        integrity.log_state(),
        provider_standing.refusals(),
        jobs.paused_because(),
        _leaving(cleared) if paused_at else (),
    )


def _leaving(cleared: Sequence[str]) -> list[str]:
    return [
        f"{number:,} {one if number == 1 else many}"
        for number, (one, many) in zip(
            fetch(_LEAVING, (list(cleared), moment_text(log.now())))[0], LEAVING, strict=True
        )
        if number
    ]


def pause(actor: Actor, reason: str) -> None:
    """Switch off whatever goes by itself: automatic steps, timers, sending. What people do by hand goes on. Needs `source.manage`."""
    access.require(actor, None, "source", "manage")
    switch(actor, on=False, reason=reason)


def resume(actor: Actor, reason: str) -> None:
    """Switch it on again: what waited goes on at once. Needs `source.manage`."""
    access.require(actor, None, "source", "manage")
    switch(actor, on=True, reason=reason)


def switch(actor: Actor, *, on: bool, reason: str) -> None:
    """The switch itself, for who need not be judged: the command line. Raises Invalid without a reason, Conflict where it stands like that already."""
    why = reason.strip()
    if not why or len(why) > 2000 or "\x00" in why:
        raise Invalid(
            "A reason is needed.",
            at=("reason", "Say why in at most 2,000 characters; it is kept in the log."),
        )
    with transaction() as connection:
        before = connection.exec_driver_sql(
            "select number from console.version where name = 'paused' for update"
        ).scalar_one()
        if bool(before) is not on:
            raise Conflict(
                "Everything is paused already." if before else "Nothing is paused.", code="not_possible"
            )
        now = log.now()
        connection.exec_driver_sql(
            "update console.version set number = %s where name = 'paused'",
            (0 if on else int(now.timestamp()),),
        )
        connection.exec_driver_sql("update console.version set number = 0 where name = 'paused_because'")
        log.note(
            actor, "engine_resumed" if on else "engine_paused", sealed={"reason": why}, connection=connection
        )
    jobs.forget()


def try_again(actor: Actor, job: int) -> None:
    """Put a job that was given up into the queue again. Raises NotFound where there is none. Needs `source.manage`."""
    access.require(actor, None, "source", "manage")
    given = (job, access.runs(actor).cleared)
    with (
        transaction() as connection
    ):  # a worker that is quick must not find what its job is about still broken off
        if (again := connection.exec_driver_sql(_AGAIN, given).first()) is not None:
            background.revive_batch(connection, again.dedupe_key)
            log.note(actor, "job_retried", open={"job": again.entrypoint}, connection=connection)
            return
    if not fetch(_GIVEN_UP, given):  # another of the same key is there already
        raise NotFound("There is no such job any more: it was done, or put in again by somebody else.")


def metrics() -> tuple[bytes, str]:
    """(text, media type) of the figures as Prometheus reads them; counts and ages only."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    state, registry = _state(()), CollectorRegistry()
    checked = state.integrity.checked
    overdue_s = (
        0.0 if state.next_at is None else max(0.0, (datetime.now(UTC) - state.next_at).total_seconds())
    )
    for name, value, text in (
        ("workers", state.workers, "Workers that are present."),
        ("paused", state.paused_at is not None, "1 while everything that goes by itself is paused."),
        ("jobs_due", state.due, "Jobs that may be done now."),
        ("jobs_later", state.later, "Jobs that were put back for a while."),
        ("jobs_oldest_seconds", state.oldest_s, "Age of the oldest job that may be done now."),
        ("jobs_picked", state.picked, "Jobs under way."),
        ("jobs_stuck", state.stuck, "Jobs under way without a sign of life."),
        ("jobs_failed", state.failed, "Jobs that were given up."),
        ("runs_moving", state.moving, "Runs at an automatic step."),
        ("timers", state.timers, "Runs that continue by themselves at a moment."),
        ("timer_overdue_seconds", overdue_s, "How long ago the first timer should have fired."),
        ("log_pending", state.lag.pending, "Events without a place in the log."),
        (
            "log_in_order",
            state.integrity.in_order,
            "1 while nothing is known against the log; 0 is an alarm.",
        ),
        (
            "log_guards_missing",
            len(state.integrity.missing),
            "Triggers, constraints and limits of rights that are not as the console made them.",
        ),
        (
            "log_checked_timestamp_seconds",
            checked.at.timestamp() if checked.at else 0,
            "When the last look at the newest events found them in order.",
        ),
        (
            "log_checked_whole_timestamp_seconds",
            checked.whole_at.timestamp() if checked.whole_at else 0,
            "When the last look at the whole log ended.",
        ),
        ("log_lag_seconds", state.lag.seconds, "Age of the oldest event without a place in the log."),
        (
            "rights_untold",
            len(history.untold()),
            "Lines of rights that were changed past the console; must be 0.",
        ),
        (
            "rights_disagreements",
            casbin_agreement.disagreements(),
            "Refusals of the last seven days because index and Casbin disagreed; must be 0.",
        ),
    ):
        Gauge(f"handrail_{name}", text, registry=registry).set(value)
    return generate_latest(registry), "text/plain; version=0.0.4; charset=utf-8"


_LAST_BACKUP = """
select case kind when 'backup_made' then told->>'at' else told->'data'->'open'->>'made_at' end
from (select a.kind, convert_from(e.body, 'UTF8')::jsonb as told from console.activity a join console.event e on e.id = a.event
      where a.kind in ('backup_made', 'log_restored') order by a.pos desc limit 1) newest
"""


def last_backup() -> str | None:
    """When the newest backup was made that the log tells of, RFC 3339; None where it tells of none. After a restore: the one that was restored."""
    rows = fetch(_LAST_BACKUP)
    return str(rows[0][0]) if rows else None
