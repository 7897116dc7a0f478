"""Schedules: writing down what is due, and when each is due next. The clock of the database counts, not that of a worker."""

import sqlalchemy as sa

from console.automation.triggers.firing import leave_out, note_stopped, take_in
from console.automation.triggers.trigger_events import Counts, TriggerEvent
from console.automation.triggers.trigger_expressions import evaluate_filter, house_roots, record_of_event
from console.automation.triggers.trigger_rows import CLOCK, Row, row_of, table
from console.core import schedule
from console.core.run.causes import Cause
from console.infra import jobs
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.log import body

AT_ONCE = 50
KIND = "schedule"
_ANY_DUE = "select exists (select from console.trigger where kind = 'schedule' and enabled and next_at <= clock_timestamp())"


def fire_due() -> int:
    """Write down a firing for every schedule that is due, once for each time, and set its next time; returns how many were due."""
    if jobs.paused():
        return 0
    done = 0
    while fetch(_ANY_DUE)[0][0] and (one := _fire_next()) is not None:
        note_stopped(*one)
        done += 1
        if done == AT_ONCE:
            break
    return done


def _fire_next() -> tuple[Row, int] | None:
    """The schedule that was due longest, and how often it may not start anything; None where none is due. Another worker's are left to it."""
    known = tables.workflow.c
    due = (
        sa.select(table, CLOCK.label("now"))
        .join(tables.workflow, known.id == table.c.workflow)
        .where(
            table.c.kind == KIND,
            table.c.enabled,
            table.c.next_at <= CLOCK,
            known.status == "active",
            known.archived_at.is_(None),
        )
        .order_by(table.c.next_at)
        .limit(1)
        .with_for_update(of=table, skip_locked=True)
    )
    with transaction() as connection:
        found = connection.execute(due).first()
        if found is None:
            return None
        row = row_of(found)
        definition, zone = row.definition, row.zone
        came = schedule.due(
            definition.fields or "", zone, definition.missed or "once", found.next_at, found.now
        )
        counts, occasions = Counts(left_out=came.left_out), []
        for at in came.times:
            passed = evaluate_filter(row, house_roots(row, at))
            if passed is None:
                counts.passed += 1
                continue
            event = {"on": KIND, "at": body.moment(at), "id": body.moment(at)}
            whom = TriggerEvent(
                body.moment(at),
                at,
                event,
                record_of_event(row, passed.record),
                passed.values,
                (Cause("schedule", trigger=row.id),),
                definition.segment,
                definition.sort,
            )
            occasions.append(whom)
        halted = take_in(connection, row, occasions, counts)
        if occasions:
            leave_out(connection, row, schedule.MOST_MISSED if definition.missed == "all" else 1)
        here = (table.c.workflow == row.workflow, table.c.id == row.id)
        connection.execute(sa.update(table).where(*here).values(next_at=came.next_at))
    return row, halted
