"""Events that triggers wait for: reading the log from a cursor for each trigger, and firing for events of any source."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from console import log, records
from console.auth import access, accounts
from console.automation.triggers import trigger_rows
from console.automation.triggers.firing import note_stopped, take_in
from console.automation.triggers.log_events import LogEvent, reached, read_after
from console.automation.triggers.trigger_events import Counts, TriggerEvent
from console.automation.triggers.trigger_expressions import (
    document_of,
    evaluate_filter,
    expression_values,
    fields_named,
    house_roots,
    record_of_event,
)
from console.automation.triggers.trigger_rows import Row, note_problem, table
from console.core.actor import Actor
from console.core.documents.triggers_check import OF_RECORDS, SAME
from console.core.errors import Conflict, ConsoleError, NotFound
from console.core.run.causes import Causes
from console.core.run.origin import RecordRef, StartedBy
from console.core.tag_names import TagName
from console.infra import jobs
from console.infra.db import troubles
from console.infra.db.engine import alone, transaction

logger = logging.getLogger(__name__)
KIND = "event"
SURPRISE = (
    "Something went wrong here. Who runs the console finds it in the log of the worker; it is tried again."
)
ROUNDS = 20
"""So many batches of the log are read for one trigger before the others have their turn."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that may concern a trigger. `key` names it for every trigger; `old` and `new` are values before and after, as far as they are known.

    `logged`: it was read in the log, not found in the database of its collection.
    """

    key: str
    on: str
    at: datetime
    collection: str | None
    record: str | None
    event: Mapping[str, Any]
    old: Mapping[str, Any] | None = None
    new: Mapping[str, Any] | None = None
    label: str | None = None
    caused_by: Causes = ()
    logged: bool = False


def follow_log(stopping: Callable[[], bool] = lambda: False) -> int:
    """Read the log for every trigger that waits for its events; returns how many have read on. One process at a time.

    The rows are made to fit after it is known how far the log is read: what happened after a version was published is judged by that one.
    """
    if jobs.paused():
        return 0
    with alone("triggers.log") as mine:
        end = reached() if mine else 0
        if mine:
            trigger_rows.synchronise()
        behind = (
            [row for row in trigger_rows.active(KIND) if row.cursor is not None and row.cursor < end]
            if mine
            else []
        )
        read_on = 0
        for row in behind:
            if stopping():
                break
            read_on += _attempt(row, end, stopping)
    return read_on


def _attempt(row: Row, end: int, stopping: Callable[[], bool]) -> bool:
    """Read on for this trigger; False where something keeps it from that, which is noted on it: the others go on."""
    try:
        _read_on(row, end, stopping)
        watched = row.definition.collection or document_of(row).collection
    except ConsoleError as error:
        note_problem(row, error.message)
        return False
    except Exception as error:
        if troubles.passes(error):
            raise
        logger.exception("alarm: the trigger %s of the workflow %s cannot read the log", row.id, row.workflow)
        note_problem(row, SURPRISE)
        return False
    note_problem(row, None, watched)
    return True


def _read_on(row: Row, end: int, stopping: Callable[[], bool]) -> None:
    cursor = row.cursor or 0
    names = [SAME.get(row.definition.on or "", row.definition.on or "")]
    for _ in range(ROUNDS):
        batch = read_after(cursor, names, upto=end)
        happened = [happened_of(event) for event in batch.events]
        take_in_happened(row, happened, cursor=batch.upto)
        if batch.upto == cursor or stopping():
            return
        cursor = batch.upto


def happened_of(event: LogEvent) -> Happened:
    """An event of the log, for triggers."""
    return Happened(
        event.id,
        event.on,
        event.at,
        event.collection,
        event.record,
        event.to_json(),
        event.old,
        event.new,
        event.label,
        event.caused_by,
        logged=True,
    )


def take_in_happened(row: Row, happened: Sequence[Happened], *, cursor: int | None = None) -> None:
    """Judge what happened by the trigger's filter, and take in what passes, together with how far its cursor has come.

    Raises SourceDown where records cannot be read: then nothing is taken in, and the cursor stays. Conflict `nobody_acts` where the account
    of the workflow is closed, or may not read what the trigger looks at.
    """
    wanted = [each for each in happened if concerns(row, each)]
    counts = Counts()
    occasions = _occasions(row, wanted, counts) if wanted else []
    with transaction() as connection:
        here = (table.c.workflow == row.workflow, table.c.id == row.id)
        if cursor is not None:
            moved = (
                sa.update(table)
                .where(*here, table.c.enabled, table.c.cursor.is_not(None))
                .values(cursor=cursor)
            )
            if not connection.execute(moved).rowcount:
                return  # it was switched off meanwhile
        halted = take_in(connection, row, occasions, counts)
    note_stopped(row, halted)


def keep_happened(row: Row, happened: Sequence[Happened]) -> None:
    """Take in what concerns the trigger and cannot be judged now, as while its account is closed: it is judged when it would start."""
    kept = [
        TriggerEvent(
            each.key, each.at, each.event, _ref(each), caused_by=_by_trigger(row, each), unjudged=True
        )
        for each in happened
        if concerns(row, each)
    ]
    with transaction() as connection:
        halted = take_in(connection, row, kept)
    note_stopped(row, halted)


def judge_kept(workflow: str, trigger: str, by: StartedBy, record: RecordRef | None) -> TriggerEvent | None:
    """What was kept so, judged as the trigger is now; None where it does not let it pass, or is no more. Raises what `take_in_happened` does."""
    row = trigger_rows.trigger_row(workflow, trigger)
    event, (collection, key) = (
        dict(by.event or {}),
        (record.collection, record.key) if record is not None else (None, None),
    )
    event |= {"tag": TagName(event["tag"])} if isinstance(event.get("tag"), str) else {}
    each = Happened(
        str(event.get("id")), str(event.get("on")), log.now(), collection, key, event, caused_by=by.caused_by
    )
    return next(iter(_occasions(row, [each], Counts())), None) if row is not None else None


def _by_trigger(row: Row, each: Happened) -> Causes:
    """What led to it; the nearest link names the trigger that it fires."""
    return tuple(
        replace(cause, trigger=row.id) if place == 0 else cause for place, cause in enumerate(each.caused_by)
    )


def _ref(each: Happened) -> RecordRef | None:
    return (
        RecordRef(each.collection, each.record)
        if each.collection is not None and each.record is not None
        else None
    )


def concerns(row: Row, each: Happened) -> bool:
    """Whether it is the event, of the collection, that the trigger waits for. Changes that are watched in the database itself are taken from there alone."""
    definition = row.definition
    if each.on != SAME.get(definition.on or "", definition.on):
        return False
    wanted = definition.collection or (None if each.on.startswith("run.") else document_of(row).collection)
    if wanted is not None and each.collection != wanted:
        return False
    return each.on not in OF_RECORDS or not each.logged or not watched(wanted, each.on)


def watched(collection: str | None, on: str) -> bool:
    """Whether such an event of the collection is found in its database: a column that says when a row was made tells of new rows alone, and none of deletions."""
    try:
        changes = records.collection(collection).changes if collection is not None else None
    except NotFound:
        return False
    if changes is None or changes.listen:
        return changes is not None
    return on == "record.created" or (on == "record.updated" and changes.column != changes.created)


def _occasions(row: Row, wanted: Sequence[Happened], counts: Counts) -> list[TriggerEvent]:
    actor = account(row)
    now = log.now()
    house = house_roots(row, now)
    values = _values(row, wanted, actor)
    occasions = []
    for each in wanted:
        roots = dict(house) | {"event": dict(each.event)}
        if each.label is not None and each.label not in actor.clearance:
            counts.passed += 1
            continue
        if each.collection is not None and each.record is not None:
            roots |= _record_roots(each, values.get((each.collection, each.record)))
        passed = evaluate_filter(row, roots)
        if passed is None:
            counts.passed += 1
            continue
        occasions.append(
            TriggerEvent(
                each.key,
                each.at,
                each.event,
                record_of_event(row, passed.record, _ref(each)),
                passed.values,
                _by_trigger(row, each),
            )
        )
    return occasions


def account(row: Row) -> Actor:
    """Who acts for the workflow. Raises Conflict where nobody does."""
    named = document_of(row).run_as
    try:
        return accounts.service_account(named or "")
    except NotFound:
        raise Conflict(
            f"The service account {named} is closed: open it again, or choose another under Runs as and publish.",
            code="nobody_acts",
        ) from None


def _record_roots(each: Happened, values: Mapping[str, Any] | None) -> dict[str, Any]:
    """`record` as the change left it, `former` as far as it is known. Of a record that is gone both are what it was; of one that the account may not read nothing is."""
    collection = each.collection or ""
    if values is None:
        gone = (
            expression_values(collection, each.old)
            if each.old is not None and each.on == "record.deleted"
            else None
        )
        return {} if gone is None else {"record": gone, "former": gone}
    values = {**values, **{name: value for name, value in (each.new or {}).items() if name in values}}
    former = {} if each.old is None else {"former": expression_values(collection, {**values, **each.old})}
    return {"record": expression_values(collection, values)} | former


def _values(row: Row, wanted: Sequence[Happened], actor: Actor) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The values of the records that the expressions name, as far as the account may read them. Raises SourceDown."""
    fields = fields_named(row.definition)
    if fields is not None and not fields:
        return {}
    keys: dict[str, list[str]] = {}
    for each in wanted:
        if each.collection is not None and each.record is not None:
            keys.setdefault(each.collection, []).append(each.record)
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for collection, named in keys.items():
        scope = access.scope_for(actor, collection, "read")
        if scope.nothing:
            label = records.collection(collection).label
            raise Conflict(
                f"The service account may not read {label} any more: give it a role that may.",
                code="nobody_acts",
            )
        every = [field.name for field in records.collection(collection).fields]
        for key, record in records.records_by_key(collection, named, scope, every).items():
            found[collection, key] = record.values
    return found
