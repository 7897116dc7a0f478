"""Runs that wait for a change of their record, where changes are found in the database of its collection: which collections, and who is woken.

What the console has changed itself is told by the log too: whichever comes first ends the wait, and what was changed before a wait began ends it by neither.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from console.access import EVERY_RUN
from console.automation.awaited import wake
from console.automation.following import Happened
from console.automation.log_events import LogEvent
from console.db.engine import fetch
from console.steps.wait import CHANGE

MOST = 500
_WAITS = f"r.status = 'waiting_event' and starts_with(r.waiting ->> 'key', '{CHANGE}_')"
_COLLECTIONS = f"""
with recursive found as (
    (select r.collection from {EVERY_RUN.sql()} where {_WAITS} order by r.collection limit 1)
    union all
    select (select r.collection from {EVERY_RUN.sql()} where {_WAITS} and r.collection > found.collection order by r.collection limit 1)
    from found where found.collection is not null
) select collection from found where collection is not null
"""  # noqa: S608 (texts of ours)
_OF_RECORDS = f"""
select r.id, r.waiting ->> 'key', r.record, exists (select from console.activity a join console.event e on e.id = a.event
    where a.run = r.id and a.kind = 'event_awaited' and a.pos <= %s and strpos(convert_from(e.body, 'UTF8'), r.waiting ->> 'key') > 0)
from {EVERY_RUN.sql()} where r.collection = %s and r.record = any(%s::text[]) and {_WAITS} order by r.id
"""  # noqa: S608 (texts of ours)


_NEWEST = (
    f"select r.record from {EVERY_RUN.sql()} where r.collection = %s and {_WAITS} and r.record is not null order by r.id desc limit %s"  # noqa: S608 (texts of ours)
)


def collections() -> list[str]:
    """The collections of the records that runs wait for; one step in an index for each."""
    return [row[0] for row in fetch(_COLLECTIONS)]


def records_waited_for(collection: str) -> list[str]:
    """Keys of records that runs wait for, of the newest runs."""
    return sorted({row[0] for row in fetch(_NEWEST, (collection, MOST))})


def wake_for(collection: str, happened: Sequence[Happened], changed: Mapping[str, datetime], looked: int | None = None) -> None:
    """Wake the runs that wait for one of these changes; `changed` is when records were changed, as far as their database says it.

    `looked` is how far the log had come when the collection was looked at before: who waited by then waited before the change, whatever the clocks say.
    A run's own change is none that it waits for. Raises SourceDown; the changes are then told again.
    """
    by_record: dict[str, list[Happened]] = {}
    for each in happened:
        if each.record is not None:
            by_record.setdefault(each.record, []).append(each)
    for run_id, key, record, waited in fetch(_OF_RECORDS, (looked, collection, list(by_record))) if by_record else ():
        for each in by_record[record]:
            cause = each.event.get("run")
            if cause != run_id and wake(run_id, key, _as_logged(each, cause), happened=None if waited else changed.get(record)):
                break


def _as_logged(each: Happened, cause: str | None) -> LogEvent:
    return LogEvent(str(each.event["id"]), 0, each.on, each.at, None, each.collection, each.record, run=cause)
