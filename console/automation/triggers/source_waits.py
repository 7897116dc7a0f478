"""Runs that wait for a change of their record, where changes are found in the database of its collection: which collections, and who is woken.

A look writes down which runs a change may wake (`console.waking`) and puts in a job for each batch of them. Workers wake the runs, each in a transaction of
its own, and then delete what they have judged. All that is written down about a wait is judged in its order, whoever does it, and a wait ends once.
What the console has changed itself is told by the log too: whichever comes first ends the wait, and what was changed before a wait began ends it by neither.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import orjson

from console import records, runs
from console.auth.access import EVERY_RUN
from console.automation.triggers.event_waits import SINCE, wake
from console.automation.triggers.log_events import LogEvent
from console.automation.triggers.log_follower import Happened
from console.core.errors import NotFound, SourceDown
from console.core.run.causes import causes_from_json, stored
from console.infra import faults, jobs
from console.infra.db.engine import fetch
from console.infra.db.ids import new_id
from console.steps.wait import CHANGE, FORMER

PAGE = 500
BATCH, TOGETHER = 40, 8
"""So many runs are woken by one job, and of so many it reads ahead."""
AGAIN_S = 5.0
GONE = "gone"
"""What is written down of a wait whose collection is no longer configured."""
GONE_AFTER_S = 300
"""So long a collection may be missing, as when somebody renames it and corrects what names it."""
_WAITS = f"r.status = 'waiting_event' and (starts_with(r.waiting ->> 'key', '{CHANGE}_') or starts_with(r.waiting ->> 'key', '{FORMER}_'))"
_COLLECTIONS = f"""
with recursive found as (
    (select r.collection from {EVERY_RUN.sql()} where {_WAITS} order by r.collection limit 1)
    union all
    select (select r.collection from {EVERY_RUN.sql()} where {_WAITS} and r.collection > found.collection order by r.collection limit 1)
    from found where found.collection is not null
) select collection from found where collection is not null
"""  # noqa: S608 (texts of ours)
_WAITED_FOR = f"select distinct r.record from {EVERY_RUN.sql()} where r.collection = %s and r.record = any(%s) and {_WAITS}"  # noqa: S608 (texts of ours)
_NEXT = f"""
select distinct r.record from {EVERY_RUN.sql()} where r.collection = %s and r.record > %s and {_WAITS} order by r.record limit {PAGE}
"""  # noqa: S608 (texts of ours)
_NOTE = f"""
insert into console.waking (batch, run, key, kind, found, at, made_by, caused_by)
select %s || '-' || (dense_rank() over (order by r.id) - 1) / {BATCH}, r.id, r.waiting ->> 'key', t.kind, t.found, t.at, t.made_by, t.caused_by::jsonb
from unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::timestamptz[], %s::text[])
    with ordinality as t (record, kind, found, at, made_by, state, changed, caused_by, n)
join {EVERY_RUN.sql()} on r.collection = %s and r.record = t.record and {_WAITS}
where t.made_by is distinct from r.id and case when t.state is not null and r.waiting ->> 'saw' is not null then t.state <> r.waiting ->> 'saw'
    else t.changed is null or t.changed >= (select a.entered_at from console.attempt a where a.run = r.id and a.n = r.current)
        or coalesce({SINCE} <= %s, false) end
order by r.id, t.n on conflict do nothing returning batch
"""  # noqa: S608 (texts of ours)
"""A wait that saw the record says what is new to it; where that is not known, the moment of the change does, or that it waited at the look before."""
_NOTE_GONE = f"""
insert into console.waking (batch, run, key, kind, found, at)
select %s || '-' || (dense_rank() over (order by r.id) - 1) / {BATCH}, r.id, r.waiting ->> 'key', '{GONE}', '', clock_timestamp()
from {EVERY_RUN.sql()} where r.collection = %s and {_WAITS} order by r.id limit {PAGE} on conflict do nothing returning batch
"""  # noqa: S608 (texts of ours)
_MISSING = """
insert into console.source_watch ("collection", "column", looked_at) values (%s, '', clock_timestamp()) on conflict ("collection", "column")
do update set problem = excluded.problem returning looked_at < clock_timestamp() - make_interval(secs => %s)
"""
_OF_BATCH = f"""
select w.id, w.run, w.key, w.kind, w.found, w.at, w.made_by, r.collection, r.record, w.caused_by from console.waking w left join {EVERY_RUN.sql()} on r.id = w.run
where w.key in (select b.key from console.waking b where b.batch = %s) order by w.key, w.id
"""  # noqa: S608 (texts of ours)
_LEFT = """
select distinct w.batch from console.waking w where not exists (select from queue.pgqueuer q
    where q.dedupe_key = 'wake:' || w.batch and q.status = any (array['queued', 'picked', 'failed']::queue.pgqueuer_status[]))
"""


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was found: `state` is the record's state then (`records.change_state`), `changed` when it was, as far as its database says so."""

    happened: Happened
    state: str | None = None
    changed: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Waking:
    """What may end a wait, as it was written down."""

    id: int
    run: str
    key: str
    kind: str
    found: str
    at: datetime
    made_by: str | None
    collection: str | None
    record: str | None
    caused_by: Sequence[Mapping[str, Any]] | None

    def event(self) -> LogEvent:
        causes = causes_from_json(self.caused_by)
        return LogEvent(
            self.found,
            0,
            self.kind,
            self.at,
            None,
            self.collection,
            self.record,
            run=self.made_by,
            caused_by=causes,
        )


def collections() -> list[str]:
    """The collections of the records that runs wait for; one step in an index for each."""
    return [row[0] for row in fetch(_COLLECTIONS)]


def waited_for(collection: str, keys: Sequence[str]) -> set[str]:
    """Of these records those that runs wait for now."""
    return {row[0] for row in fetch(_WAITED_FOR, (collection, list(keys)))}


def records_waited_for(collection: str) -> Iterator[list[str]]:
    """Keys of all records that runs wait for, some at a time."""
    keys = [row[0] for row in fetch(_NEXT, (collection, ""))]
    while keys:
        yield keys
        keys = [row[0] for row in fetch(_NEXT, (collection, keys[-1]))]


def note(collection: str, changes: Sequence[Change], looked: int | None = None) -> None:
    """Write down which runs these changes of records may wake, and put in the jobs that wake them. A run's own change is none that it waits for.

    `looked` is how far the log had come when the collection was looked at before: who waited by then waited before the change, whatever the clocks say.
    """
    told = [each for each in changes if each.happened.record is not None]
    if not told:
        return
    columns = [
        (each.happened.record, each.happened.on, str(each.happened.event["id"]), each.happened.at)
        for each in told
    ]
    causes = [
        (
            each.happened.event.get("run"),
            each.state,
            each.changed,
            orjson.dumps(stored(each.happened.caused_by)).decode(),
        )
        for each in told
    ]
    _enqueue(
        fetch(
            _NOTE,
            (
                new_id("wak"),
                *map(list, zip(*columns, strict=True)),
                *map(list, zip(*causes, strict=True)),
                collection,
                looked,
            ),
        )
    )


def note_missing(collection: str) -> None:
    """For a collection that is not configured: after a while its waits end as what will not come, and their runs do what their workflows say about errors."""
    if fetch(_MISSING, (collection, GONE_AFTER_S))[0][0]:
        _enqueue(fetch(_NOTE_GONE, (new_id("wak"), collection)))


def _enqueue(noted: Sequence[Any]) -> int:
    if noted:
        faults.point("source_waits.noted")
    return jobs.enqueue_all(
        [jobs.Job(jobs.WAKE, batch, f"wake:{batch}") for batch in sorted({row[0] for row in noted})]
    )


def pick_up() -> int:
    """Put in a job for each batch that has none, as after a crash or a pause; returns how many."""
    return 0 if jobs.paused() else _enqueue(fetch(_LEFT))


def wake_batch(batch: str, stopping: Callable[[], bool] = lambda: False) -> None:
    """The job: wake the runs of this batch. Raises PutBack where a filter needs a record that cannot be read now, or the process ends."""
    if jobs.paused():
        return  # it is picked up when the pause ends
    found = [_Waking(*row) for row in fetch(_OF_BATCH, (batch,))]
    waits = [list(each) for _, each in groupby(found, key=lambda each: each.key)]
    for start in range(0, len(waits), TOGETHER):
        some, done = waits[start : start + TOGETHER], list[int]()
        try:
            for wait in some:
                if stopping():
                    raise jobs.PutBack
                faults.point("source_waits.wake")
                _end_wait(wait)
                done += [each.id for each in wait]
        except SourceDown:
            raise jobs.PutBack(AGAIN_S) from None
        finally:
            if done:
                fetch("delete from console.waking where id = any(%s) returning 1", (done,))


def _end_wait(wait: Sequence[_Waking]) -> None:
    """Let the run go on with the first of these that ends its wait. Raises SourceDown."""
    for each in wait:
        if each.kind != GONE:
            if wake(each.run, each.key, each.event(), in_worker=True):
                return
        elif each.collection is not None and not _is_there(each.collection):
            message = f"The collection {each.collection} is no longer configured, so no change of its records is seen."
            runs.will_not_come(each.run, each.key, "collection_gone", message)


def _is_there(collection: str) -> bool:
    try:
        records.collection(collection)
    except NotFound:
        return False
    return True
