"""What triggers fire: written down first, then started one after another, at the pace of the workflow.

An occasion is taken in once for its trigger and key, whatever is told twice. Its run is started under the same key, so that a process that dies in between
starts none twice. What cannot be started for a reason that passes is tried again; for any other it is kept with the reason. What waits for a data source
is tried when that answers again, and meanwhile more and more rarely.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log, records, runs, workflows
from console.auth import accounts
from console.automation import enrolments
from console.automation.triggers.refused_firings import pass_by, words_of
from console.automation.triggers.trigger_events import Counts, TriggerEvent, deferred_filters
from console.automation.triggers.trigger_rows import Row
from console.core.actor import SYSTEM, Actor
from console.core.errors import ConsoleError, SourceDown
from console.core.run.causes import MOST, causes_from_json, goes_round, run_depth, stored
from console.core.run.origin import RecordRef, StartedBy
from console.infra import faults, jobs, subjects
from console.infra.db import request_writes, tables, troubles
from console.infra.db.engine import alone, fetch, hot_engine
from console.infra.db.ids import new_id
from console.infra.jobs import PutBack

logger = logging.getLogger(__name__)
table, trigger_table = tables.firing, tables.trigger
IN_ONE_GO_S = 2.0
AT_ONCE = 100
SOME = 5
"""So many times as many are looked at as there is room for: some of them end at once."""
LOOK_S, FULL_S = 0.02, 0.3
"""Between two looks for room, and how long others have their turn where there is none."""
PACED_S = 1.0
"""Between two looks where as many have begun as the workflow's pace allows."""
SURPRISES = 5
LONGEST_PAUSE_S, LONGEST_AWAY_S = 600.0, 24 * 3600.0
"""Between two tries: of what a person may have switched meanwhile, and of what a data source does not give."""
KEPT_DAYS = 30
PASSING = frozenset({"not_active", "store_down"})
"""Refusals after which a firing waits, as it does for a source that is down, however long: who may switch it is told meanwhile."""


def take_in(
    connection: Connection, trigger: Row, occasions: Sequence[TriggerEvent], counts: Counts | None = None
) -> int:
    """Write the occasions down with the transaction of `connection`, count them, and put in the job that starts them.

    Answers how many were new and may not start anything: `note_stopped` takes that after the commit.
    """
    counts = counts or Counts()
    new = 0
    stopped = {
        occasion.key: why
        for occasion in occasions
        if (why := looping(trigger.workflow, occasion)) is not None
    }
    if occasions:
        rows = [_row(occasion, stopped.get(occasion.key)) for occasion in occasions]
        same = (trigger.workflow, trigger.id, trigger.kind, trigger.version)
        made = list(
            connection.exec_driver_sql(_TAKE_IN, (*same, *map(list, zip(*rows, strict=True)))).scalars()
        )
        new = len(made)
        halted = made.count("stopped")
    else:
        halted = 0
    if new or counts.passed or counts.left_out:
        columns = trigger_table.c
        changed = sa.update(trigger_table).where(
            columns.workflow == trigger.workflow, columns.id == trigger.id
        )
        connection.execute(
            changed.values(
                matched=columns.matched + new,
                passed=columns.passed + counts.passed,
                left_out=columns.left_out + counts.left_out,
                stopped=columns.stopped + halted,
            )
        )
    if new > halted:
        jobs.enqueue_look(connection, jobs.FIRE, trigger.workflow, dedupe_key=job_of(trigger.workflow))
    return halted


def leave_out(connection: Connection, trigger: Row, keep: int) -> None:
    """Let the older ones of a schedule's firings that could not be started yet go, where newer ones begin in their place: all but the newest `keep` that wait."""
    left = connection.exec_driver_sql(_LEAVE_OUT, (trigger.workflow, trigger.id, keep)).rowcount
    if left:
        here = (trigger_table.c.workflow == trigger.workflow, trigger_table.c.id == trigger.id)
        connection.execute(
            sa.update(trigger_table).where(*here).values(left_out=trigger_table.c.left_out + left)
        )


_LEAVE_OUT = """
update console.firing f set status = 'refused', why = concat_ws(' ', nullif(f.why, ''), 'A later time begins in its place.'), told = null, done_at = clock_timestamp()
where f.status = 'waiting' and f.tries > 0 and f.id in (
    select w.id from console.firing w where w.workflow = %s and w.trigger = %s and w.status = 'waiting' order by w.at desc, w.id desc offset %s
)
"""


def note_stopped(trigger: Row, halted: int) -> None:
    """Write down that a trigger would have gone round, so many times: in the log, and for whoever is told."""
    if halted:
        fetch(_WENT_ROUND, (f"{GOES_ROUND}:{trigger.workflow}", int(log.now().timestamp())))
        told = {"workflow": trigger.workflow, "trigger": trigger.id, "count": halted}
        with request_writes.aside():  # whoever sent it is refused
            log.note(SYSTEM, "trigger_stopped", open=told, chain=workflows.CHAIN)


GOES_ROUND = "goes_round"
_WENT_ROUND = "insert into console.version (name, number) values (%s, %s) on conflict (name) do update set number = excluded.number returning number"
"""When a workflow was kept from going round last, as the second of the epoch."""
_TAKE_IN = """
insert into console.firing (workflow, trigger, kind, version, id, key, at, collection, record, told, status, why, done_at)
select %s::text, %s::text, %s::text, %s::integer, f.*
from unnest(%s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::bytea[], %s::text[], %s::text[], %s::timestamptz[]) f
on conflict (workflow, trigger, key) do nothing returning status
"""
"""With arrays: to spell a thousand rows out takes seconds, and a storm would never be taken in where the transaction is ended meanwhile."""


def seal_event(ident: str, occasion: TriggerEvent) -> bytes:
    """What the firing of this id is told, under the master key until its run begins."""
    said: dict[str, Any] = {name: getattr(occasion, name) for name in ("event", "values", "segment", "sort")}
    said |= {"caused_by": stored(occasion.caused_by, addresses=True)} | (
        {"unjudged": True} if occasion.unjudged else {}
    )
    return subjects.wrap(orjson.dumps(log.body.canonical_value(said)), _about(ident))


def _row(occasion: TriggerEvent, stopped: str | None) -> tuple[Any, ...]:
    """Id, key, moment, collection, record, what is told, status, why, when it was over."""
    ident = new_id("fir")
    about = (occasion.record.collection, occasion.record.key) if occasion.record else (None, None)
    if stopped:
        return (ident, occasion.key, occasion.at, *about, None, "stopped", stopped, occasion.at)
    return (ident, occasion.key, occasion.at, *about, seal_event(ident, occasion), "waiting", None, None)


def _about(firing: str) -> str:
    return f"firing|told|{firing}"


def job_of(workflow_id: str) -> str:
    """The key of the job that starts what waits of this workflow."""
    return f"fire:{workflow_id}"


def start_key(trigger: str, key: str) -> str:
    """Under which the run of a webhook's delivery is started, whoever does it."""
    return f"{trigger}:{key}"


def looping(workflow_id: str, occasion: TriggerEvent) -> str | None:
    """Why an occasion that runs have led to may not start another one of this workflow; None if it may."""
    if (depth := run_depth(occasion.caused_by)) > MOST:
        return f"A chain of {depth} runs led here, one after another: at most {MOST} may."
    if goes_round(
        occasion.caused_by, workflow_id, occasion.record.key if occasion.record is not None else None
    ):
        return "A run of this workflow on the same record led here: it would go round for ever."
    return None


# ---------------------------------------------------------------------------------------------------------------- starting


def fire(workflow_id: str, stopping: Callable[[], bool] = lambda: False) -> None:
    """The job: start what waits of this workflow, oldest first. Raises PutBack where more waits than has its turn now, or its pace allows no more:
    the jobs of a storm would stand before those of all other workflows.
    """
    if jobs.paused():
        return
    with alone(job_of(workflow_id)) as mine:
        if not mine:
            return
        enrolled = enrolments.takes_in(workflow_id)  # then the pace is kept where they begin
        looked = time.monotonic()
        until = looked + IN_ONE_GO_S
        while time.monotonic() < until:
            if stopping():
                raise PutBack
            places, most = (AT_ONCE, AT_ONCE) if enrolled else enrolments.room_for_triggers(workflow_id)
            if most <= 0:
                raise PutBack(PACED_S)
            if places <= 0:
                if time.monotonic() > looked + FULL_S:
                    raise PutBack(FULL_S)
                time.sleep(LOOK_S)
                continue
            looked = time.monotonic()
            waiting = [
                _Firing(*row) for row in fetch(_NEXT, (workflow_id, min(AT_ONCE, SOME * places, most)))
            ]
            if not waiting:
                return
            if len(waiting) > 1 and not enrolled and _start_many(workflow_id, waiting, places):
                continue
            for each in waiting[:places]:
                if stopping():
                    raise PutBack
                _start(each)
    raise PutBack


@dataclass(frozen=True, slots=True)
class _Firing:
    """One that waits; `told` are event, values, causes and segment, sealed. `run` is the id that whoever sent it was told."""

    id: str
    workflow: str
    trigger: str
    kind: str
    collection: str | None
    record: str | None
    told: bytes
    tries: int
    key: str
    run: str | None

    @property
    def start_key(self) -> str:
        """Under which its run is started: once, whoever does it."""
        return self.id if self.kind != "webhook" else start_key(self.trigger, self.key)

    def opened(self) -> tuple[dict[str, Any], StartedBy, RecordRef | None]:
        """(what was told, by what it is started, the record that it is about)."""
        said: dict[str, Any] = json.loads(subjects.unwrap(bytes(self.told), _about(self.id)))
        by = StartedBy(self.trigger, self.kind, said["event"], causes_from_json(said.get("caused_by")))
        return (
            said,
            by,
            RecordRef(self.collection, self.record)
            if self.collection is not None and self.record is not None
            else None,
        )


_COLUMNS = "f.id, f.workflow, f.trigger, f.kind, f.collection, f.record, f.told, f.tries, f.key, f.run"
_NEXT = f"""
select {_COLUMNS} from console.firing f
where f.workflow = %s and f.status = 'waiting' and f.due_at <= clock_timestamp()
and exists (select from console.workflow w where w.id = f.workflow and w.status = 'active' and w.archived_at is null) order by f.due_at, f.id limit %s
"""  # noqa: S608 (a text of ours)
_PROMISED = f"""
select {_COLUMNS} from console.firing f join console.workflow w on w.id = f.workflow
where f.run = %s and f.status = 'waiting' and (f.tries = 0 or f.due_at <= clock_timestamp()) and w.status = 'active' and w.archived_at is null
"""  # noqa: S608 (a text of ours)


def begin_promised(run_id: str, asker: Actor | None = None) -> bool:
    """Begin the run whose id was told to whoever sent a delivery, and which waits for its turn; whether there was one. Not while everything is paused, or its workflow,
    nor before the next try of one that could not begin, nor faster than the workflow's pace. `asker`: who sent it, where that is the owner of a key.
    """
    waiting = (
        [_Firing(*row) for row in fetch(_PROMISED, (run_id,))]
        if "\x00" not in run_id and not jobs.paused()
        else []
    )
    begun = [each for each in waiting if enrolments.room_for_triggers(each.workflow)[1] > 0]
    for each in begun:
        _start(each, asker)
    return bool(begun)


def _start_many(workflow_id: str, waiting: Sequence[_Firing], places: int) -> bool:
    """Start runs of these by one statement, until so many as `places` are at work; False where each has to be started alone, so that one surprise does not keep the others from it.

    Of several about one record only the first is started now.
    """
    together: dict[tuple[str | None, str | None], tuple[_Firing, runs.WantedStart]] = {}
    try:
        for each in waiting:
            about = (each.collection, each.record or each.id)
            if about in together:
                continue
            said, by, record = each.opened()
            if (
                said.get("segment") is not None
                or said.get("unjudged")
                or (each.run and enrolments.gives_places(workflow_id))
            ):
                continue
            together[about] = (
                each,
                runs.WantedStart(each.start_key, by, record, said["values"], run_id=each.run),
            )
            faults.point("triggers.start.before")
        wanted = [start for _, start in together.values()]
        answers = runs.start_many_hands_off(workflow_id, wanted, places=places) if len(wanted) > 1 else []
        faults.point("triggers.start.after")
    except Exception as error:  # alone, each says what is wrong with it
        if troubles.passes(error):
            raise
        if not isinstance(error, ConsoleError):
            logger.exception("alarm: firings of the workflow %s cannot be started together", workflow_id)
        return False
    if not answers:
        return False
    begun = [
        (each.id, answer)
        for (each, _), answer in zip(together.values(), answers, strict=False)
        if isinstance(answer, str)
    ]
    note_started(begun)
    for (each, _), answer in zip(together.values(), answers, strict=False):
        if not isinstance(answer, str):
            _not_started(each, answer)
    return True


_STARTED = """
with over as (
update console.firing f set status = 'started', run = b.run, why = case when f.kind = 'webhook' and f.tries = 0 then f.why end, told = null, exclusive_key = null, done_at = clock_timestamp()
from unnest(%s::text[], %s::text[]) as b (id, run) where f.id = b.id and f.status = 'waiting' returning f.workflow, f.trigger, f.kind
), counted as (
update console.trigger t set matched = t.matched + o.many
from (select workflow, trigger, count(*) as many from over where kind = 'webhook' group by 1, 2) o where t.workflow = o.workflow and t.id = o.trigger
)
select count(*) from over
"""
"""Deliveries are counted when their runs begin: to count each as it comes would make all of them stand in line for the row of their trigger."""


def note_started(begun: Sequence[tuple[str, str]]) -> None:
    """Write down which run each of these firings has started."""
    fetch(_STARTED, ([ident for ident, _ in begun], [run_id for _, run_id in begun]))


def _not_started(found: _Firing, error: ConsoleError) -> None:
    if isinstance(error, SourceDown):
        soon = error.passing and error.awaited_source is None  # it is busy, or locked
        _again(
            found.id,
            found.tries,
            error.message,
            LONGEST_PAUSE_S if soon else LONGEST_AWAY_S,
            error.awaited_source,
        )
    elif error.code == "nobody_acts":
        fetch(
            _ALL_AGAIN,
            (
                error.message,
                timedelta(seconds=min(LONGEST_PAUSE_S, 2.0 ** min(found.tries, 17))),
                found.workflow,
                found.trigger,
            ),
        )
    elif error.code in PASSING:
        _again(found.id, found.tries, error.message)
    elif error.code == runs.OUTSIDE and found.kind != "webhook":
        pass_by(found.id)
    else:
        _done(found.id, "refused", None, words_of(error))


def _start(found: _Firing, asker: Actor | None = None) -> None:
    ident, workflow_id = found.id, found.workflow
    try:
        said, by, about = found.opened()
        if (
            asker is None
            and found.kind == "webhook"
            and by.caused_by[:1]
            and (key := by.caused_by[0].key) is not None
        ):
            asker = (
                accounts.sender_of_key(key) if workflows.live(workflow_id).document.run_as is None else None
            )
        faults.point("triggers.start.before")
        if said.get("unjudged"):
            (passed,) = deferred_filters(workflow_id, found.trigger, by, about)
            if passed is None:
                pass_by(ident)
                return
            said, about = said | {"values": passed.values}, passed.record
        if said.get("segment") is not None:
            enrolments.batches.begin(
                runs.account_of(workflows.live(workflow_id)),
                workflow_id,
                enrolments.Question(
                    segment=said["segment"], sort=said.get("sort"), values=said["values"], trigger=by.id
                ),
            )
            _done(ident, "started", None, "Everybody in the segment is enrolled.")
            return
        places = (about is not None or found.run is not None) and enrolments.gives_places(workflow_id)
        if about is not None and places and found.run is None:
            _enrol(found, by, about.key, said["values"])
            return
        start = enrolments.enrol_at_once if places else runs.start_hands_off
        run_id = start(
            workflow_id,
            by=by,
            record=about,
            values=said["values"],
            key=found.start_key,
            identity=asker,
            run_id=found.run,
        )
        faults.point("triggers.start.after")
    except ConsoleError as error:
        _not_started(found, error)
        return
    except Exception as error:  # one firing's surprise must not keep the others from starting
        if troubles.passes(error):
            raise
        logger.exception("alarm: firing %s of the workflow %s", ident, workflow_id)
        if found.tries < SURPRISES:
            _again(ident, found.tries, "Something went wrong here; it is written down, and tried again.")
        else:
            _done(
                ident,
                "refused",
                None,
                "Something went wrong here. Who runs the console finds it in the log of the worker.",
            )
        return
    note_started([(ident, run_id)])


def _enrol(found: _Firing, by: StartedBy, record: str, values: Mapping[str, Any]) -> None:
    """Enrol the record in place of starting a run at once: its run begins at the workflow's pace."""
    origin: dict[str, Any] = {"trigger": by.id, "origin": by.kind, "caused_by": by.caused_by}
    answer = enrolments.enrol(found.workflow, record=record, values=values, key=found.id, **origin)
    words = " ".join(str(reason["reason"]) for reason in answer.reasons)
    if answer.status == "enrolled":
        _done(found.id, "started", None, "Enrolled: the run begins when it is its turn.")
    else:
        _done(found.id, "refused", None, words or "Enrolled already.")


def _done(ident: str, status: str, run_id: str | None, why: str | None) -> None:
    fetch(
        "update console.firing set status = %s, run = %s, why = %s, told = null, exclusive_key = null, "
        "done_at = clock_timestamp(), record = case when kind <> 'webhook' then record end where id = %s and status = 'waiting' returning 1",  # what was sent as a record may be anything
        (status, run_id, why, ident),
    )


def _again(
    ident: str, tries: int, why: str, longest_s: float = LONGEST_PAUSE_S, source: str | None = None
) -> None:
    pause = timedelta(seconds=min(longest_s, 2.0 ** min(tries, 17)))
    fetch(
        "update console.firing set tries = tries + 1, why = %s, source = %s, due_at = clock_timestamp() + %s where id = %s and status = 'waiting' returning 1",
        (why, source, pause, ident),
    )


_ALL_AGAIN = """
with waiting as (update console.firing f set tries = f.tries + 1, why = %s, due_at = clock_timestamp() + %s
    where f.status = 'waiting' and f.workflow = %s and f.trigger = %s and f.due_at <= clock_timestamp() returning 1) select count(*) from waiting
"""
"""What keeps one of a trigger's firings from being judged keeps all of them."""
_AWAITED = """
select distinct f.source from console.firing f
where f.status = 'waiting' and f.source is not null and f.due_at > clock_timestamp() + interval '30 seconds'
"""
_NOW = """
with woken as (update console.firing f set due_at = clock_timestamp()
    where f.status = 'waiting' and f.source = any(%s) and f.due_at > clock_timestamp() returning 1) select count(*) from woken
"""


def wake_for_sources() -> int:
    """Let the firings start that wait for a data source which answers again; returns how many."""
    answering = [source for (source,) in fetch(_AWAITED) if records.catalogue.answers(source)]
    return int(fetch(_NOW, (answering,))[0][0]) if answering else 0


def start_waiting(workflow_id: str) -> None:
    """Let everything start that waits for its next try: what kept the workflow from it is over."""
    fetch(_ALL_NOW, (workflow_id,))


_ALL_NOW = """
with woken as (update console.firing f set due_at = clock_timestamp()
    where f.status = 'waiting' and f.workflow = %s and f.due_at > clock_timestamp() returning 1) select count(*) from woken
"""
_TRY = """
update console.firing f set due_at = clock_timestamp()
where f.status = 'waiting' and f.workflow = %s and f.trigger = %s and f.due_at > clock_timestamp()
"""


def try_now(connection: Connection, workflow_id: str, trigger_id: str) -> int:
    """Let the firings of the trigger that wait for their next try have it now; returns how many."""
    return connection.exec_driver_sql(_TRY, (workflow_id, trigger_id)).rowcount


_LEFT = """
select f.workflow from console.workflow w cross join lateral
    (select f.workflow from console.firing f where f.workflow = w.id and f.status = 'waiting' and f.due_at <= clock_timestamp() limit 1) f
where w.status = 'active' and w.archived_at is null and not exists
    (select from queue.pgqueuer q where q.dedupe_key = 'fire:' || w.id and q.status = any (array['queued', 'picked']::queue.pgqueuer_status[]))
"""


def pick_up() -> int:
    """Add a job for each workflow whose waiting firings have none; returns how many."""
    if jobs.paused():
        return 0
    return jobs.enqueue_all(
        [jobs.Job(jobs.FIRE, workflow_id, job_of(workflow_id)) for (workflow_id,) in fetch(_LEFT)]
    )


def forget() -> int:
    """Delete firings that ended more than a month ago; returns how many. The runs stay."""
    statement = sa.delete(table).where(table.c.done_at < sa.func.now() - timedelta(days=KEPT_DAYS))
    with hot_engine().connect() as connection:
        return int(connection.execute(statement).rowcount)
