"""Runs that wait for an event: each event of the log wakes the runs about its record that began to wait before it happened."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from console import log, records, runs, steps, workflows
from console.auth import access, accounts
from console.automation import enrolments
from console.automation.triggers.log_events import LogEvent, reached, read_after
from console.core import expressions
from console.core.errors import ConsoleError, NotAllowed, NotFound, SourceDown
from console.core.run import Run
from console.infra import jobs
from console.infra.db import troubles
from console.infra.db.engine import alone, fetch
from console.runs.engine.stepping import record_of, rules_of
from console.runs.store.run_store import load
from console.steps.wait import OF_MESSAGES
from console.workflows import Definition

logger = logging.getLogger(__name__)
AT_ONCE = 2_000
PATIENCE = timedelta(hours=1)
"""So long events are read again where a filter needs a record whose source does not answer."""
_CURSOR = "awaited_events_read"
_ANY = f"select exists (select from {access.EVERY_RUN.sql()} where r.status = 'waiting_event' and r.waiting ->> 'for' = 'event')"  # noqa: S608 (a text of ours)
SINCE = """
(select case when strpos(convert_from(e.body, 'UTF8'), r.waiting ->> 'key') > 0 then a.pos end
from console.activity a join console.event e on e.id = a.event where a.run = r.id and a.kind = 'event_awaited' order by a.pos desc limit 1)
"""
"""The place in the log at which the run `r` began to wait; null where it is not there yet."""
_WAITS = f"r.status = 'waiting_event' and r.waiting ->> 'for' = 'event' where t.pos > {SINCE}"
_TOUCHED = f"""
select r.id, r.waiting ->> 'key', t.n from unnest(%s::text[], %s::text[], %s::bigint[], %s::int[]) as t (collection, record, pos, n)
join {access.EVERY_RUN.sql()} on r.collection = t.collection and r.record = t.record and {_WAITS}
union select r.id, r.waiting ->> 'key', t.n from unnest(%s::text[], %s::bigint[], %s::int[]) as t (run, pos, n)
join {access.EVERY_RUN.sql()} on r.id = t.run and {_WAITS}
order by 3, 1
"""  # noqa: S608 (a text of ours)
"""Runs that wait since before the event, by its place in the log: clocks of several machines do not decide it. The key tells one wait of a run from the next."""


def wake_awaiting(stopping: Callable[[], bool] = lambda: False) -> int:
    """Wake the runs that waited for the next events of the log; returns how many. Called by one worker at a time; safe to repeat.

    Exits are judged first: who answers STOP leaves, and does not go on as somebody who answered.
    """
    if jobs.paused():
        return 0
    woken = 0
    with alone("awaited events") as mine:
        since = (
            int(fetch("select number from console.version where name = %s", (_CURSOR,))[0][0]) if mine else 0
        )
        while mine and not stopping():
            end = reached()
            if not fetch(_ANY)[0][0]:  # who begins to wait after this waits for later events only
                _move_cursor(since, end)
                break
            _, after, batch = enrolments.exits.read_on()
            judged = enrolments.exits.exits_position()
            events, upto = (
                batch if after == since else read_after(since, limit=AT_ONCE)
            )  # most often the two have come equally far
            events, upto = [event for event in events if event.pos <= judged], min(upto, judged)
            count, unread = _wake(events)
            woken += count
            if unread or upto <= since:
                break
            _move_cursor(since, upto)
            since = upto
    return woken


def _move_cursor(since: int, upto: int) -> None:
    if upto > since:
        fetch("update console.version set number = %s where name = %s returning number", (upto, _CURSOR))


def _wake(events: Sequence[LogEvent]) -> tuple[int, bool]:
    """(how many runs were woken, whether some event has to be read again because a source does not answer)."""
    about = [
        (event.collection, event.record, event.pos, number)
        for number, event in enumerate(events)
        if event.record is not None
    ]
    leads = [(run, event.pos, number) for number, event in enumerate(events) for run in _runs_of(event)]
    columns = [
        *([each[place] for each in about] for place in range(4)),
        *([each[place] for each in leads] for place in range(3)),
    ]
    touched = fetch(_TOUCHED, tuple(columns)) if about or leads else []
    woken, unread = 0, False
    for run_id, key, number in touched:
        event = events[number]
        try:
            woken += wake(run_id, key, event)
        except SourceDown:
            unread = unread or log.now() - event.at < PATIENCE
    return woken, unread


def _runs_of(event: LogEvent) -> Sequence[str]:
    """Return the runs that an event about a message is meant for, whether or not they have a record."""
    return event.answered_runs or ((event.run,) if event.run and event.on.startswith(OF_MESSAGES) else ())


def wake(run_id: str, key: str, event: LogEvent, *, in_worker: bool = False) -> bool:
    """Let the run go on if it still waits for this event. Raises SourceDown where the filter needs a record that cannot be read now, and what the console's own database is in trouble with.

    `in_worker`: this is a job, and takes its next steps too.
    """
    try:
        return _wake_run(run_id, key, event, in_worker=in_worker)
    except SourceDown:
        raise
    except ConsoleError as error:
        logger.warning("run %s waits for %s: %s", run_id, event.on, error.message)
    except Exception as error:
        if troubles.passes(error):
            raise
        logger.exception("run %s waits for %s", run_id, event.on)
    return False


def _wake_run(run_id: str, key: str, event: LogEvent, *, in_worker: bool) -> bool:
    loaded = load(run_id)
    if loaded is None or loaded.run.attempt is None or (loaded.run.waiting or {}).get("key") != key:
        return False
    run = loaded.run
    definition = workflows.version(run.workflow, run.version)
    step = steps.view(definition.document.step(loaded.run.attempt.step))
    if step.type != "wait":
        return False  # a step type of a plug-in, which is answered by its own door
    if event.on not in (step.config.event, *step.config.also) or not _passes(
        step.config.filter, definition, run, event
    ):
        return False
    output = {"until": (run.waiting or {}).get("until"), "event": event.on, "at": log.body.moment(event.at)}
    return runs.arrive(
        runs.ENGINE,
        run_id,
        key,
        outcome="event",
        output=output,
        caused_by=event.caused_by,
        in_worker=in_worker,
    )


def _passes(condition: str | None, definition: Definition, run: Run, event: LogEvent) -> bool:
    """Whether whoever the run acts for may know of the event, and the filter holds (unknown is not enough)."""
    if condition is None and event.label is None:
        return True
    try:
        actor = accounts.actor_of_person(run.acts_for, "sys:engine")
    except NotAllowed:
        return False
    if event.label is not None and event.label not in access.clearance(actor):
        return False
    if condition is None:
        return True
    now = log.now()
    parsed = expressions.parse(condition)
    roots: dict[str, Any] = {
        "event": event.to_json(),
        "record": None,
        "now": now,
        **rules_of(definition, (run.created_at or now).date()).roots,
    }
    if (
        any(path[0] == "record" for path in expressions.paths(parsed))
        and run.collection is not None
        and run.record is not None
    ):
        try:
            record = record_of(actor, run)
            if record is not None:
                roots["record"] = records.collection(run.collection).typed(record.values)
        except NotFound:
            roots["record"] = None  # it is no more, or out of their scope
    return parsed.test(roots)
