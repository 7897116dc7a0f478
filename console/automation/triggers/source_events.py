"""Changes that other programs make in a user's database, found by a column that grows with every change.

A look reads the rows past the last value seen, and for a minute those a little before it again, because a transaction may be committed after one that
began later; a fingerprint of key and value keeps a row from being told twice. Nothing is written there. One process at a time looks at a collection.
Where the column holds moments without a zone, its clocks go back once a year: the hour that comes twice is read again as a whole until it is over.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console import log, records
from console.automation.triggers import log_events, source_waits, trigger_rows
from console.automation.triggers.causes_of_changes import ChangeCauses, causes_of_changes
from console.automation.triggers.column_values import (
    DAY,
    OVERLAP,
    before,
    comes_again,
    fingerprint,
    is_ahead,
    is_deleted,
    moment_in,
    place,
    written_as,
)
from console.automation.triggers.log_follower import KIND, Happened, concerns, keep_happened, take_in_happened
from console.automation.triggers.trigger_expressions import document_of
from console.automation.triggers.trigger_rows import Row, note_problem
from console.core import scopes
from console.core.documents.collections import Collection
from console.core.documents.triggers_check import OF_RECORDS, SAME
from console.core.errors import ConsoleError, NotFound, SourceDown
from console.core.expressions.operands import moment_of, moment_text
from console.core.filters import Test
from console.infra import jobs
from console.infra.db import tables
from console.infra.db.engine import alone, fetch, hot_engine, read_row
from console.records import source_zones

logger = logging.getLogger(__name__)
watch = tables.source_watch
PAGE = 500
AGAIN_FOR = timedelta(seconds=60)
"""Until all was read so long after the last new value, rows before it are looked at again. Rows of a day are, until the next day comes."""
MOST_SEEN = 20_000
"""Rows near the end that are remembered. Of more, as after a change of a whole table at one moment, the earlier ones are not looked at again."""

FAR = timedelta(days=1)
"""A row that is so far ahead of the clock is a mistake, and named."""
EARLY_S = 0.5
"""So much earlier than its turn a collection is looked at: whoever looks comes once a second, and would else come just before the turn, and again two
seconds later."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a look has come: the last value, since when nothing newer came, the highest key that is a number, and rows near the end (fingerprint → value, key).

    All rows after `beyond` are among those near the end, where these were too many to keep all. `zone` is where the clocks of the column stand,
    `read_at` when all of it was read before, and `log_pos` how far the log had come then.
    """

    value: Any
    beyond: Any
    zone: str
    at: datetime
    read_at: datetime | None
    now: datetime
    highest: int | None
    seen: Mapping[str, Any]
    log_pos: int | None


def watched_collections(triggers: Sequence[Row]) -> dict[str, list[Row]]:
    """Collection whose changes are noticed in its database → the triggers that wait for them; none where only runs do."""
    found: dict[str, list[Row]] = {name: [] for name in source_waits.collections()}
    for row in triggers:
        definition = row.definition
        if SAME.get(definition.on or "", definition.on or "") not in OF_RECORDS:
            continue
        name = definition.collection or document_of(row).collection
        if name is not None:
            found.setdefault(name, []).append(row)
    return found


def look(stopping: Callable[[], bool] = lambda: False, *, only: frozenset[str] = frozenset()) -> int:
    """Check every watched collection that is due, or those of `only` at once; returns how many were checked."""
    if jobs.paused():
        return 0
    looked, wanted = 0, watched_collections(trigger_rows.active(KIND))
    there = {name: collection for name in wanted if (collection := _collection(name)) is not None}
    if not only:
        _forget_others(wanted, there)
        for name in wanted.keys() - there.keys():
            source_waits.note_missing(name)
    for name, collection in there.items():
        rows = wanted[name]
        if collection.changes is None or stopping() or (only and name not in only):
            continue
        for column, deleted in ((collection.changes.column, False), (collection.changes.deleted, True)):
            if column is not None:
                looked += _look_at(
                    collection, column, rows, deleted=deleted, now=bool(only), stopping=stopping
                )
    return looked


def _collection(name: str) -> Collection | None:
    try:
        return records.collection(name)
    except NotFound:
        return None


def _forget_others(wanted: Iterable[str], there: Iterable[str]) -> None:
    """Forget how far collections were read that no trigger waits for now: what changes while all are off is not made up for; and since when those were missing that are there.

    Not what was looked at a moment ago: another worker may know of a trigger that was switched on after `wanted` was read.
    """
    fetch(
        "delete from console.source_watch where (collection <> all(%s::text[]) and looked_at < clock_timestamp() - interval '2 seconds')"
        """ or ("column" = '' and collection = any(%s::text[])) returning 1""",
        (list(wanted), list(there)),
    )


def _look_at(
    collection: Collection,
    column: str,
    rows: Sequence[Row],
    *,
    deleted: bool,
    now: bool,
    stopping: Callable[[], bool],
) -> bool:
    every_s = collection.changes.every_s if collection.changes is not None else 0
    with alone(f"triggers.source|{collection.id}|{column}") as mine:
        if not mine or not (now or _due(collection.id, column, every_s)):
            return False
        reached, mark, read = log_events.reached(), None, False
        try:
            mark, problem = _mark(collection, column), None
            if mark is not None:
                problem = _read_on(collection, column, mark, rows, deleted=deleted, stopping=stopping)
            elif not deleted:
                _note_waiting(collection, column)
            read = True
        except _OtherZoneError:
            return False
        except ConsoleError as error:
            problem = error.message
        broken = fetch(
            'select problem is not null from console.source_watch where collection = %s and "column" = %s',
            (collection.id, column),
        )
        whole = (
            {"log_pos": reached, "read_at": mark.now if mark is not None else trigger_rows.CLOCK}
            if read and not stopping()
            else {}
        )
        _note(collection.id, column, looked_at=trigger_rows.CLOCK, problem=problem, **whole)
        if problem is not None or broken == [(True,)]:
            for row in rows:
                note_problem(row, problem, collection.id)
    return True


def _due(collection: str, column: str, every_s: int) -> bool:
    found = fetch(
        'select looked_at < clock_timestamp() - make_interval(secs => %s) from console.source_watch where collection = %s and "column" = %s',
        (every_s - EARLY_S, collection, column),
    )
    return not found or found[0][0] is not False


def _note(collection: str, column: str, **values: Any) -> None:
    put = insert(watch).values(collection=collection, column=column, **values)
    with hot_engine().connect() as connection:
        connection.execute(put.on_conflict_do_update(index_elements=["collection", "column"], set_=values))


# ------------------------------------------------------------------------------------------------------------------ marks


def _mark(collection: Collection, column: str) -> Mark | None:
    """How far the column was read. None the first time: it is then set to the end, and earlier rows fire nothing."""
    find = sa.select(watch, trigger_rows.CLOCK.label("now")).where(
        watch.c.collection == collection.id, watch.c.column == column
    )
    found = read_row(find)
    if found is not None and found.mark is not None:
        value, beyond, zone = (found.mark.get(name) for name in ("value", "beyond", "zone"))
        highest, seen = (found.highest or {}).get("key"), dict(found.seen or {})
        if is_ahead(value, collection.by_name[column], found.now):  # as an earlier release let it jump
            value = written_as(value, collection.by_name[column], found.mark_at)
        return _placed(
            collection,
            column,
            Mark(
                value,
                beyond,
                zone or "",
                found.mark_at,
                found.read_at,
                found.now,
                highest,
                seen,
                found.log_pos,
            ),
        )
    zone = _zone(collection, column)
    newest = _newest(collection, column)
    highest = _highest_key(collection)
    seen, beyond = _near(collection, column, newest, zone)
    _same_zone(collection, column, zone)
    kept = {"value": newest, "beyond": beyond, "zone": zone}
    _note(collection.id, column, mark=kept, mark_at=trigger_rows.CLOCK, highest={"key": highest}, seen=seen)
    return None


def _zone(collection: Collection, column: str) -> str:
    return collection.by_name[column].zone


class _OtherZoneError(Exception):
    """The zone of the source was changed during the look, which is made again."""


def _same_zone(collection: Collection, column: str, zone: str) -> None:
    if _zone(records.collection(collection.id), column) != zone:
        raise _OtherZoneError


def _placed(collection: Collection, column: str, mark: Mark) -> Mark:
    """The mark in the zone that the source has now: the same place in the column. SQLite may hold moments with their own zone, which mean what they meant."""
    zone = _zone(collection, column)
    if zone == mark.zone or mark.value is None:
        return replace(mark, zone=zone)
    latest = sorted(mark.seen.values(), key=lambda seen: place(seen[0]), reverse=True)[:PAGE]
    read = records.records_by_key(
        collection.id, [key for _, key in latest if key], scopes.unrestricted(collection.id), [column]
    )
    _same_zone(collection, column, zone)
    if any(
        key in read and read[key].values[column] == value != _moved(value, mark.zone, zone)
        for value, key in latest
    ):
        return replace(mark, zone=zone)
    seen = {
        fingerprint(key or "", there): [there, key]
        for value, key in mark.seen.values()
        for there in [_moved(value, mark.zone, zone)]
    }
    value, beyond = (_moved(each, mark.zone, zone) for each in (mark.value, mark.beyond))
    return replace(mark, value=value, beyond=beyond, zone=zone, seen=seen)


def _moved(value: Any, former: str, zone: str) -> Any:
    """What clocks that showed this moment in the former zone show there, as a moment."""
    moment = moment_of(value) if isinstance(value, str) else None
    if not isinstance(moment, datetime):
        return value
    return moment_text(source_zones.in_utc(source_zones.on_clocks(moment, former or "UTC"), zone or "UTC"))


def _newest(collection: Collection, column: str) -> Any:
    """The last value of the column that is not ahead of the clock."""
    now = log.now()
    for page in _pages(collection, column, None, strictly=False, backwards=True):
        for record in page:
            if not is_ahead(record.values[column], collection.by_name[column], now):
                return record.values[column]
    return None


def _highest_key(collection: Collection) -> int | None:
    """The highest key, where it is one whole number."""
    if len(collection.key) != 1 or collection.by_name[collection.key[0]].stored != "integer":
        return None
    name = collection.key[0]
    rows = records.page(
        collection.id, scopes.unrestricted(collection.id), sort=f"-{name}", limit=1, fields=[name]
    ).rows
    return int(rows[0].key or 0) if rows else 0


def _near(collection: Collection, column: str, newest: Any, zone: str) -> tuple[dict[str, Any], Any]:
    """Fingerprints of the rows near the end, which the next look reads again, and the value beyond which these are all."""
    found: dict[str, Any] = {}
    for page in _pages(collection, column, before(newest, zone), strictly=False, backwards=True):
        found.update(
            {
                fingerprint(record.key or "", record.values[column]): [record.values[column], record.key]
                for record in page
            }
        )
        if len(found) > MOST_SEEN:
            break
    return _latest(found)


def _latest(seen: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The latest of these rows, at most `MOST_SEEN`, and the value beyond which they are all of them; None: they are all anyway. Rows of a day stay together."""
    values = [value for value, _ in seen.values()]
    if len(values) <= MOST_SEEN or before(values[0]) == values[0]:
        return seen, None
    beyond = sorted(values, key=place, reverse=True)[MOST_SEEN]
    return {name: mark for name, mark in seen.items() if place(mark[0]) > place(beyond)}, beyond


# ---------------------------------------------------------------------------------------------------------------- reading


def _pages(
    collection: Collection, column: str, value: Any, *, strictly: bool, backwards: bool = False
) -> Iterator[list[records.Record]]:
    """Rows from that value on, in order, or `backwards` from the last one to it; so many at a time."""
    changes = collection.changes
    named = (changes.column, changes.created, changes.deleted) if changes else ()
    fields = list(dict.fromkeys([column, *(name for name in named if name is not None)]))
    where = (
        Test(column, "is_null", False) if value is None else Test(column, "gt" if strictly else "gte", value)
    )
    after: str | None = None
    while True:
        sort = f"-{column}" if backwards else column
        page = records.page(
            collection.id,
            scopes.unrestricted(collection.id),
            where=where,
            sort=sort,
            limit=PAGE,
            after=after,
            fields=fields,
        )
        yield page.rows
        after = page.next
        if after is None:
            return


def _read_on(
    collection: Collection,
    column: str,
    mark: Mark,
    rows: Sequence[Row],
    *,
    deleted: bool,
    stopping: Callable[[], bool],
) -> str | None:
    """Tell the triggers of every row that has changed, page by page; the mark moves when all of them have taken it in. Returns what is wrong with the column.

    The mark never moves past the clock: a row that is ahead of it is told once, and read again and again until it is mended. Broken off, it stays: of many rows that were changed at one moment nothing says where to go on, and what is told again fires nothing again.
    """
    again = mark.read_at is None or mark.read_at - mark.at < AGAIN_FOR or before(mark.value) == mark.value
    if (over := comes_again(mark.value, mark.zone)) is not None:
        again = again or (mark.read_at is not None and mark.read_at < over + AGAIN_FOR)
    field, far = collection.by_name[column], None
    last = {
        name: seen_at for name, seen_at in mark.seen.items() if place(seen_at[0]) >= place(mark.value)
    }  # those ahead of the clock too
    seen, beyond = (dict(mark.seen), mark.beyond) if again else (last, None)
    start = (
        mark.value
        if not again or mark.value is None
        else before(mark.value, mark.zone)
        if beyond is None
        else beyond
    )
    newest, highest, moved = mark.value, mark.highest, False
    for page in _pages(collection, column, start, strictly=not again or beyond is not None):
        _same_zone(collection, column, mark.zone)
        fresh = [
            record for record in page if fingerprint(record.key or "", record.values[column]) not in seen
        ]
        fresh = [record for record in fresh if is_deleted(record.values[column])] if deleted else fresh
        if fresh:
            _tell(collection, column, fresh, rows, mark, deleted=deleted)
        for record in page:
            value = record.values[column]
            if is_ahead(value, field, mark.now):
                far = record if is_ahead(value, field, mark.now + FAR) else far
            elif newest is None or place(value) > place(
                newest
            ):  # texts of SQLite with zones of their own come in another order
                newest = value
            seen[fingerprint(record.key or "", value)] = [value, record.key]
            if highest is not None and (record.key or "").lstrip("-").isdigit():
                highest = max(highest, int(record.key or 0))
        moved = moved or bool(fresh)
        if len(seen) > 2 * MOST_SEEN:
            seen, beyond = _latest(seen)
        if stopping():
            return None
    if moved or (seen and not again):
        least = place(before(newest, mark.zone))
        kept, cut = _latest({name: seen_at for name, seen_at in seen.items() if place(seen_at[0]) >= least})
        beyond = cut if cut is not None else beyond if beyond is not None and place(beyond) >= least else None
        since = trigger_rows.CLOCK if moved else mark.at
        told = {"value": newest, "beyond": beyond, "zone": mark.zone}
        _note(collection.id, column, mark=told, mark_at=since, highest={"key": highest}, seen=kept)
    if far is None:
        return None
    return f"{column} of {collection.label_one} {far.key} is ahead of the clock: {far.values[column]}. Correct it there; changes of others are noticed."


def _tell(
    collection: Collection,
    column: str,
    fresh: Sequence[records.Record],
    rows: Sequence[Row],
    mark: Mark,
    *,
    deleted: bool,
) -> None:
    changed = _moments({record.key: record.values[column] for record in fresh if record.key is not None})
    found = [
        _change(
            collection,
            column,
            record,
            _event_of(collection, record, mark, deleted=deleted),
            mark.now,
            changed,
        )
        for record in fresh
        if record.key is not None
    ]
    tell(collection.id, rows, found, mark.log_pos)


def _note_waiting(collection: Collection, column: str) -> None:
    """Write down the changes since runs began to wait for them, where nobody had looked at the collection before."""
    names = [
        each
        for each in (column, collection.changes.deleted if collection.changes else None)
        if each is not None
    ]
    for keys in source_waits.records_waited_for(collection.id):
        found = records.records_by_key(collection.id, keys, scopes.unrestricted(collection.id), names)
        changed = _moments({key: record.values[column] for key, record in found.items()})
        changes = [
            _change(collection, column, record, "record.updated", changed.get(key) or log.now(), changed)
            for key, record in found.items()
        ]
        tell(collection.id, [], changes)


def _change(
    collection: Collection,
    column: str,
    record: records.Record,
    on: str,
    at: datetime,
    changed: Mapping[str, datetime],
) -> source_waits.Change:
    """The change of a record that was found at this moment by the value of this column; `changed` is when each record was, by its key.

    A deletion is named by the column for deletions, whichever was looked at: it is one event.
    """
    key, marks = str(record.key), collection.changes
    named = (
        marks.deleted
        if on == "record.deleted" and marks is not None and marks.deleted is not None
        else column
    )
    happened = happening(collection.id, key, on, f"{named}:{fingerprint(key, record.values[named])}", at)
    return source_waits.Change(
        happened, records.change_state(collection, key, record.values), changed.get(key)
    )


def _moments(values: Mapping[str, Any]) -> dict[str, datetime]:
    """The values that are moments, no days or numbers."""
    read = {
        key: moment_of(value) for key, value in values.items() if isinstance(value, str) and len(value) > DAY
    }
    return {key: at for key, at in read.items() if isinstance(at, datetime)}


def tell(
    collection: str, rows: Sequence[Row], found: Sequence[source_waits.Change], looked: int | None = None
) -> None:
    """Give every trigger the changes that concern it, with the runs that may have caused them, and write down which runs wait for one.

    `looked` is how far the log had come at the look before. Raises SourceDown; all of them are then given again.
    """
    waited_for = source_waits.waited_for(
        collection, [each.happened.record for each in found if each.happened.record is not None]
    )
    wanted = [
        each
        for each in found
        if each.happened.record in waited_for or any(concerns(row, each.happened) for row in rows)
    ]
    if not wanted:
        return
    causes = causes_of_changes(
        collection, [each.happened.record for each in wanted if each.happened.record is not None]
    )
    caused = [
        replace(each, happened=_caused(each.happened, causes.get(each.happened.record or "", ChangeCauses())))
        for each in wanted
    ]
    happened = [each.happened for each in caused]
    for row in rows:
        if any(concerns(row, each) for each in happened):
            try:
                take_in_happened(row, happened)
            except SourceDown:
                raise
            except ConsoleError as error:  # of this trigger alone: the others have their turn
                keep_happened(row, happened)
                note_problem(row, error.message)
            else:
                note_problem(row, None, collection)
    source_waits.note(collection, [each for each in caused if each.happened.record in waited_for], looked)


def _caused(each: Happened, causes: ChangeCauses) -> Happened:
    return replace(each, caused_by=causes.caused_by, event={**each.event, "run": causes.run})


def happening(collection: str, key: str, on: str, ident: str, at: datetime) -> Happened:
    """A change that was found in the database, for triggers."""
    event = {
        "on": on,
        "id": ident,
        "at": log.body.moment(at),
        "collection": collection,
        "record": key,
        "by": None,
        "run": None,
    }
    return Happened(f"{collection}|{ident}|{on}", on, at, collection, key, event)


def _event_of(collection: Collection, record: records.Record, mark: Mark, *, deleted: bool) -> str:
    """Whether a row was added, changed or marked as deleted."""
    changes = collection.changes
    if deleted or (
        changes is not None and changes.deleted is not None and is_deleted(record.values.get(changes.deleted))
    ):
        return "record.deleted"
    if (
        changes is not None
        and changes.created is not None
        and (created := record.values.get(changes.created)) is not None
    ):
        known = any(key == record.key for _, key in mark.seen.values())
        return (
            "record.updated"
            if known or not _lately(moment_in(created, collection.by_name[changes.created]), mark)
            else "record.created"
        )
    if mark.highest is not None and (record.key or "").lstrip("-").isdigit():
        return "record.created" if int(record.key or 0) > mark.highest else "record.updated"
    return "record.updated"


def _lately(added: datetime | None, mark: Mark) -> bool:
    """Whether a row was added since the last look, or a little before: committed late, it was not seen then."""
    last = moment_of(mark.value) if isinstance(mark.value, str) else None
    if added is None:
        return False
    return bool(
        added >= (source_zones.earliest(last, mark.zone) if isinstance(last, datetime) else mark.at) - OVERLAP
    )
