"""Deliveries of webhooks, written down under their key with the id that their run will have, before it begins.

Where few come, the run begins before the answer; where many do, a worker begins it, or whoever asks for it first. Source: docs/adr/0034.
"""

import functools
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import psycopg

from console import runs
from console.automation.triggers.firing import job_of, seal_event
from console.automation.triggers.trigger_events import TriggerEvent
from console.automation.webhooks import webhook_queries
from console.automation.webhooks.webhook_queries import Hook
from console.core.errors import Conflict, TooMany
from console.infra import faults, jobs
from console.infra.db.engine import borrowed, fetch, hot_engine, transaction
from console.workflows import Definition

MANY, MANY_S = 10, 0.4
"""From so many deliveries within so long, in one process, a worker begins the runs."""
LEFT, AT_ONCE = "30 seconds", "0 seconds"
"""After this a worker begins a run whose process has ended in between."""
MOST_WAITING, COUNTED_S = 20_000, 1.0
"""Where so many firings of a workflow wait, no more deliveries are taken for it; they are counted so often."""
PUT_IN_S = 0.2
lately: deque[float] = deque(maxlen=MANY)
"""When the last deliveries came to this process, on the monotonic clock."""
_put_in: dict[str, float] = {}
_full: dict[str, tuple[float, bool]] = {}

_KEEP = f"""
insert into console.firing (id, workflow, trigger, kind, key, at, due_at, version, collection, record, exclusive_key, told, status, done_at, why, run, sent)
select %s, t.workflow, t.id, 'webhook', %s, clock_timestamp(), clock_timestamp() + %s::interval, coalesce(t.version, w.live_version), %s, %s, %s, %b::bytea,
    %s, %s::timestamptz, %s, %s, %b::bytea
{webhook_queries.STANDS}
on conflict (workflow, trigger, key) do update set id = excluded.id, at = excluded.at, due_at = excluded.due_at, version = excluded.version,
    collection = excluded.collection, record = excluded.record, exclusive_key = excluded.exclusive_key, told = excluded.told, status = excluded.status,
    why = excluded.why, run = excluded.run, sent = excluded.sent, tries = 0, done_at = excluded.done_at
    where firing.status = 'refused'
returning 1
"""
_MANY_WAIT = (
    "select count(*) from (select from console.firing where workflow = %s and status = 'waiting' limit %s) f"
)
_WAITING = "select run, (trigger, key) = (%s, %s) from console.firing where exclusive_key = %s and status = 'waiting'"


def is_burst() -> bool:
    """Whether so many deliveries have come lately that their runs are begun one after another by a worker."""
    return len(lately) == MANY and time.monotonic() - lately[0] < MANY_S


def require_room(workflow_id: str) -> None:
    """Raise TooMany while as many firings of the workflow wait as may, as it was within this second."""
    now = time.monotonic()
    counted, full = _full.get(workflow_id, (0.0, False))
    if now - counted >= COUNTED_S:
        full = fetch(_MANY_WAIT, (workflow_id, MOST_WAITING))[0][0] >= MOST_WAITING
        _full[workflow_id] = now, full
    if full:
        words = f"{MOST_WAITING:,} deliveries wait for their runs to begin, and no more are taken now: nothing was started. Send it again later."
        raise TooMany(words, retry_after=60)


def ready_lately(definition: Definition) -> runs.ReadyStart:
    """What every start of this version needs, as it was within this second: what the account may is looked at again when a run begins."""
    return _ready(definition, int(time.monotonic()))


@functools.lru_cache(maxsize=256)
def _ready(definition: Definition, _second: int) -> runs.ReadyStart:
    return runs.ready_to_start(definition)


def keep(
    hook: Hook,
    occasion: TriggerEvent,
    key: str,
    run_id: str,
    sent: bytes,
    *,
    why: str | None,
    exclusive: str | None = None,
    later: bool = False,
    done: bool = False,
) -> bool:
    """Write a delivery down that will start this run; whether that was done: it is the first with its key, and the webhook stands as it was found. `sent` stands for its body, `why` is what people read beside it.

    `later`: a worker begins the run. Else the caller does, and a worker where the caller's process ends before; or has, if it is `done`. `exclusive`: the key that only one live run
    may have. Raises Conflict `run_is_live` where another delivery waits that has it.
    """
    ident, record = occasion.key, occasion.record
    about = (record.collection, record.key) if record is not None else (None, None)
    state = (
        (None, "started", occasion.at.isoformat()) if done else (seal_event(ident, occasion), "waiting", None)
    )
    values = (
        ident,
        key,
        AT_ONCE if later else LEFT,
        *about,
        exclusive,
        *state,
        why,
        run_id,
        sent,
        *hook.standing,
    )
    try:
        first = _write(values)
    except psycopg.errors.UniqueViolation:
        waiting = fetch(_WAITING, (hook.row.id, key, exclusive))
        if waiting and waiting[0][1]:
            return False  # the same delivery at the same moment was first
        more: dict[str, Any] = {"run_id": waiting[0][0]} if waiting else {}
        raise Conflict(
            "A run of this workflow is already ongoing on this record.", code="run_is_live", **more
        ) from None
    faults.point("triggers.kept")
    if first and later:
        _wake(hook.row.workflow)
    if first and done:
        fetch(
            "update console.trigger set matched = matched + 1 where workflow = %s and id = %s returning 1",
            (hook.row.workflow, hook.row.id),
        )
    return first


def _write(values: Sequence[str | int | bytes | None]) -> bool:
    """Send the statement, once more where its connection had died while it was idle; whether it has written the delivery."""
    for attempt in (1, 2):
        with borrowed() as driver:
            try:
                return driver.execute(_KEEP, values).fetchone() is not None
            except psycopg.OperationalError:
                if not driver.closed or attempt == 2:
                    raise
        hot_engine().dispose()
    raise AssertionError("unreachable")


def discard(ident: str) -> None:
    """Forget a delivery whose run could not begin: its sender is told."""
    fetch("delete from console.firing where id = %s and status = 'waiting' returning 1", (ident,))


def _wake(workflow_id: str) -> None:
    """Put in the job that begins what waits; where it was put in a moment ago, that one sees this delivery too, or the next look for left ones does."""
    now = time.monotonic()
    if now - _put_in.get(workflow_id, 0.0) >= PUT_IN_S:
        _put_in[workflow_id] = now
        with transaction() as connection:
            jobs.enqueue_look(connection, jobs.FIRE, workflow_id, dedupe_key=job_of(workflow_id))
