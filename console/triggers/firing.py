"""What triggers fire: written down first, then started one after another, at the pace of the workflow.

An occasion is taken in once for its trigger and key, whatever is told twice. Its run is started under the same key, so that a process that dies in between
starts none twice. What cannot be started for a reason that passes is tried again; for any other it is kept with the reason.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from console import enrolments, faults, log, queue, runs, subjects, workflows
from console.core.actor import Actor
from console.core.run.origin import RecordRef, StartedBy
from console.db import tables
from console.db.engine import alone, fetch, hot_engine
from console.db.ids import new_id
from console.errors import Conflict, ConsoleError, SourceDown
from console.queue import PutBack
from console.triggers.trigger_rows import Row

logger = logging.getLogger(__name__)
SYSTEM = Actor("system", "sys_engine", "Console", session="sys:config")
table, trigger_table = tables.firing, tables.trigger
LONGEST_CHAIN = 8
IN_ONE_GO = 50
MOST_TRIES, SURPRISES = 40, 5
LONGEST_PAUSE_S = 600.0
KEPT_DAYS = 30
PASSING = frozenset({"not_active", "store_down"})
"""Refusals after which a firing waits: a paused workflow is activated again."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that a trigger fires for. `key` names it for this trigger, `at` is when it happened, `values` are the input of the run.

    `chain` are the runs that led to it, (workflow id, record key) each, the oldest first. `segment`: whoever is in it is enrolled.
    """

    key: str
    at: datetime
    event: Mapping[str, Any] | None = None
    record: RecordRef | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    chain: tuple[tuple[str, str], ...] = ()
    segment: str | None = None


@dataclass(slots=True)
class Counts:
    """What is only counted: occasions that the filter refused, and times that were left out."""

    passed: int = 0
    left_out: int = 0


def take_in(connection: Connection, trigger: Row, occasions: Sequence[Occasion], counts: Counts | None = None) -> int:
    """Write the occasions down with the transaction of `connection`, count them, and put in the job that starts them.

    Answers how many were new and may not start anything: `note_stopped` takes that after the commit.
    """
    counts = counts or Counts()
    new = 0
    stopped = {occasion.key: why for occasion in occasions if (why := looping(trigger.workflow, occasion)) is not None}
    if occasions:
        rows = [_row(trigger, occasion, stopped.get(occasion.key)) for occasion in occasions]
        put = insert(table).values(rows).on_conflict_do_nothing(index_elements=["workflow", "trigger", "key"]).returning(table.c.status)
        made = list(connection.scalars(put))
        new = len(made)
        halted = made.count("stopped")
    else:
        halted = 0
    if new or counts.passed or counts.left_out:
        columns = trigger_table.c
        changed = sa.update(trigger_table).where(columns.workflow == trigger.workflow, columns.id == trigger.id)
        connection.execute(
            changed.values(
                matched=columns.matched + new,
                passed=columns.passed + counts.passed,
                left_out=columns.left_out + counts.left_out,
                stopped=columns.stopped + halted,
            )
        )
    if new > halted:
        queue.enqueue(connection, queue.FIRE, trigger.workflow, dedupe_key=_job(trigger.workflow))
    return halted


def note_stopped(trigger: Row, halted: int) -> None:
    """Write to the log that a trigger would have gone round, so many times."""
    if halted:
        log.note(
            SYSTEM, "trigger_stopped", open={"workflow": trigger.workflow, "trigger": trigger.id, "count": halted}, chain=workflows.CHAIN
        )


def _row(trigger: Row, occasion: Occasion, stopped: str | None) -> dict[str, Any]:
    ident = new_id("fir")
    told = {"event": occasion.event, "values": occasion.values, "chain": occasion.chain, "segment": occasion.segment}
    sealed = subjects.wrap(json.dumps(log.body.plain(told)).encode(), _about(ident))
    return {
        "id": ident,
        "workflow": trigger.workflow,
        "trigger": trigger.id,
        "kind": trigger.kind,
        "key": occasion.key,
        "at": occasion.at,
        "version": trigger.version,
        "collection": occasion.record.collection if occasion.record else None,
        "record": occasion.record.key if occasion.record else None,
        "told": None if stopped else sealed,
        "status": "stopped" if stopped else "waiting",
        "why": stopped,
        "done_at": occasion.at if stopped else None,
    }


def _about(firing: str) -> str:
    return f"firing|told|{firing}"


def _job(workflow_id: str) -> str:
    return f"fire:{workflow_id}"


def looping(workflow_id: str, occasion: Occasion) -> str | None:
    """Why an occasion that runs have led to may not start another one of this workflow; None if it may."""
    if len(occasion.chain) > LONGEST_CHAIN:
        return f"A chain of {len(occasion.chain)} runs led here, one after another: at most {LONGEST_CHAIN} may."
    record = occasion.record.key if occasion.record is not None else ""
    if (workflow_id, record) in occasion.chain:
        return "A run of this workflow on the same record led here: it would go round for ever."
    return None


# ---------------------------------------------------------------------------------------------------------------- starting


def fire(workflow_id: str, stopping: Callable[[], bool] = lambda: False) -> None:
    """The job: start what waits of this workflow, oldest first. Raises PutBack where more waits than has its turn now."""
    if queue.paused():
        return
    with alone(_job(workflow_id)) as mine:
        if not mine:
            return
        for _ in range(IN_ONE_GO):
            if stopping():
                raise PutBack
            found = _next(workflow_id)
            if found is None:
                return
            _start(found)
    raise PutBack


_NEXT = """
select f.id, f.workflow, f.trigger, f.kind, f.collection, f.record, f.told, f.tries from console.firing f
where f.workflow = %s and f.status = 'waiting' and f.due_at <= clock_timestamp()
and exists (select from console.workflow w where w.id = f.workflow and w.status = 'active' and w.archived_at is null) order by f.due_at, f.id limit 1
"""


def _next(workflow_id: str) -> Any | None:
    rows = fetch(_NEXT, (workflow_id,))
    return rows[0] if rows else None


def _start(found: Any) -> None:
    ident, workflow_id, trigger, kind, collection, record, told, tries = found
    try:
        said = json.loads(subjects.unwrap(bytes(told), _about(ident)))
        by = StartedBy(trigger, kind, said["event"], tuple((link[0], link[1]) for link in said["chain"]))
        about = RecordRef(collection, record) if collection is not None and record is not None else None
        faults.point("triggers.start.before")
        if said.get("segment") is not None:
            enrolments.batches.begin(
                runs.account_of(workflows.live(workflow_id)),
                workflow_id,
                enrolments.Question(segment=said["segment"], values=said["values"]),
            )
            _done(ident, "started", None, "Everybody in the segment is enrolled.")
            return
        if about is not None and enrolments.takes_in(workflow_id):
            _enrol(found, by, about.key, said["values"])
            return
        run_id = runs.start_hands_off(workflow_id, by=by, record=about, values=said["values"], key=ident)
        faults.point("triggers.start.after")
    except ConsoleError as error:
        if (isinstance(error, SourceDown) or error.code in PASSING) and tries < MOST_TRIES:
            _again(ident, tries, error.message)
        else:
            _done(ident, "refused", None, words_of(error))
        return
    except (sa.exc.DBAPIError, OSError):
        raise
    except Exception:  # one firing's surprise must not keep the others from starting
        logger.exception("alarm: firing %s of the workflow %s", ident, workflow_id)
        if tries < SURPRISES:
            _again(ident, tries, "Something went wrong here; it is written down, and tried again.")
        else:
            _done(ident, "refused", None, "Something went wrong here. Who runs the console finds it in the log of the worker.")
        return
    _done(ident, "started", run_id, None)


def _enrol(found: Any, by: StartedBy, record: str, values: Mapping[str, Any]) -> None:
    """Enrol the record in place of starting a run at once: its run begins at the workflow's pace."""
    answer = enrolments.enrol(found[1], record=record, values=values, key=found[0], trigger=by.id, origin=by.kind, led_by=by.chain)
    words = " ".join(str(reason["reason"]) for reason in answer.reasons)
    if answer.status == "enrolled":
        _done(found[0], "started", None, "Enrolled: the run begins when it is its turn.")
    else:
        _done(found[0], "refused", None, words or "Enrolled already.")


def words_of(error: ConsoleError) -> str:
    """Why nothing was started, with the fields that are wrong."""
    fields = "; ".join(f"{detail['field']}: {detail['reason']}" for detail in error.details[:5] if "field" in detail and "reason" in detail)
    run_id = error.extra.get("run_id") if isinstance(error, Conflict) else None
    return " ".join(filter(None, (error.message, fields if error.details else "", f"({run_id})" if run_id else "")))[:1000]


def _done(ident: str, status: str, run_id: str | None, why: str | None) -> None:
    fetch(
        "update console.firing set status = %s, run = %s, why = %s, told = null, done_at = clock_timestamp() where id = %s returning 1",
        (status, run_id, why, ident),
    )


def _again(ident: str, tries: int, why: str) -> None:
    pause = timedelta(seconds=min(LONGEST_PAUSE_S, 2.0 ** min(tries, 12)))
    fetch(
        "update console.firing set tries = tries + 1, why = %s, due_at = clock_timestamp() + %s where id = %s returning 1",
        (why, pause, ident),
    )


_LEFT = """
select f.workflow from console.workflow w cross join lateral
    (select f.workflow from console.firing f where f.workflow = w.id and f.status = 'waiting' and f.due_at <= clock_timestamp() limit 1) f
where w.status = 'active' and w.archived_at is null and not exists
    (select from queue.pgqueuer q where q.dedupe_key = 'fire:' || w.id and q.status = any (array['queued', 'picked']::queue.pgqueuer_status[]))
"""


def pick_up() -> int:
    """Add a job for each workflow whose waiting firings have none; returns how many."""
    if queue.paused():
        return 0
    return queue.enqueue_all([queue.Job(queue.FIRE, workflow_id, _job(workflow_id)) for (workflow_id,) in fetch(_LEFT)])


def forget() -> int:
    """Delete firings that ended more than a month ago; returns how many. The runs stay."""
    statement = sa.delete(table).where(table.c.done_at < sa.func.now() - timedelta(days=KEPT_DAYS))
    with hot_engine().connect() as connection:
        return int(connection.execute(statement).rowcount)
