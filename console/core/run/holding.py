"""Who holds a run: save, resume, take over, release, escalate, assign."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from console.core.errors import Conflict, Invalid
from console.core.moments import moment_text
from console.core.run import Event, Run
from console.core.run.commands import Assign, Escalate, Plan, Release, Resume, Save, Snooze, TakeOver
from console.core.run.moves import not_possible, require_holder, require_reason, sealed_of

TAKE_OVER_AFTER = timedelta(minutes=10)
"""After this idle time a run can be taken over without the right `takeover`."""
LONGEST_SNOOZE = timedelta(days=366)


def save(_plan: Plan, run: Run, command: Save, now: datetime) -> list[Event]:
    """The event that saves the run with its draft."""
    if command.by is not None:
        require_holder(run, command.by)
    if run.status != "waiting_person":
        raise not_possible(run, "Saving")
    return [
        Event("run_saved", now, {"former_holder": run.holder}, sealed_of(draft=command.draft), by=command.by)
    ]


def resume(_plan: Plan, run: Run, command: Resume, now: datetime) -> list[Event]:
    """The event that makes the person the holder of a run that is saved, released or in an inbox."""
    if run.status != "saved" and not (run.status == "waiting_person" and run.holder is None):
        raise not_possible(run, "Resuming")
    return [Event("run_resumed", now, {"holder": command.by}, by=command.by)]


def take_over(_plan: Plan, run: Run, command: TakeOver, now: datetime) -> list[Event]:
    """The event that makes another person the holder."""
    if (
        run.status not in ("waiting_person", "waiting_time") and not run.waits_outside
    ) or run.holder == command.by:
        raise not_possible(run, "Taking over")
    if run.holder is not None and not (command.idle or command.entitled):
        raise Conflict(
            "Another person is working on this run. It can be taken over once they have been idle for 10 minutes.",
            code="not_holder",
            at=("holder", run.holder),
        )
    open_data = {
        "holder": command.by,
        "former_holder": run.holder,
        "reason_code": "idle" if command.idle else "entitled",
    }
    return [Event("run_taken_over", now, open_data, sealed_of(draft=command.draft), by=command.by)]


def release(_plan: Plan, run: Run, command: Release, now: datetime) -> list[Event]:
    """The event after which nobody holds the run."""
    if not command.entitled or (run.holder is None and run.ticket is None):
        require_holder(run, command.by)
    if run.status != "waiting_person":
        raise not_possible(run, "Releasing")
    place = dict(command.ticket or {})
    why = place.pop("reason", "")
    sealed = sealed_of(draft=command.draft, reason=command.reason or why)
    return [Event("run_released", now, {"former_holder": run.holder, **place}, sealed, by=command.by)]


def escalate(_plan: Plan, run: Run, command: Escalate, now: datetime) -> list[Event]:
    """The event by which the holder, or who is entitled, puts the run into an inbox."""
    reason = require_reason(command.reason)
    if not command.entitled:
        require_holder(run, command.by)
    if run.status != "waiting_person" and not (command.entitled and run.status == "saved"):
        raise not_possible(run, "Handing on to an inbox")
    if (run.ticket or {}).get("inbox") == command.inbox:
        raise Conflict("This run is in that inbox already.", code="not_possible")
    return [
        escalated(run, command.inbox, reason, command.priority, command.by, now, command.draft, command.at)
    ]


def snooze(_plan: Plan, run: Run, command: Snooze, now: datetime) -> list[Event]:
    """The event that takes a ticket out of its queue until a moment, or puts it back."""
    if run.ticket is None or run.holder is not None:
        raise Conflict("Only what waits in an inbox can be snoozed.", code="not_possible")
    reason = require_reason(command.reason)
    if command.until is not None and not now < command.until <= now + LONGEST_SNOOZE:
        raise Invalid("It is not snoozed.", at=("until", "Takes a day after today, at most a year ahead."))
    return [
        Event(
            "run_snoozed", now, {"until": moment_text(command.until)}, sealed_of(reason=reason), by=command.by
        )
    ]


def escalated(
    run: Run,
    inbox: str,
    reason: str,
    priority: str,
    by: str | None,
    now: datetime,
    draft: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> Event:
    """The event that puts the run into an inbox, where it waits since `at`; None: since now."""
    open_data = {
        "inbox": inbox,
        "priority": priority,
        "former_holder": run.holder,
        "at": moment_text(at or now),
    }
    return Event("run_escalated", now, open_data, sealed_of(reason=reason, draft=draft), by=by)


def assign(_plan: Plan, run: Run, command: Assign, now: datetime) -> list[Event]:
    """The event that makes the named person the holder."""
    if run.holder == command.to:
        raise Conflict("This person holds the run already.", code="not_possible")
    if run.status not in ("waiting_person", "waiting_time", "saved") and not run.waits_outside:
        raise not_possible(run, "Assigning")
    open_data = {"holder": command.to, "former_holder": run.holder}
    open_data |= {"stands_in_for": command.stands_in_for} if command.stands_in_for else {}
    return [
        Event(
            "run_assigned",
            now,
            open_data,
            sealed_of(reason=command.reason, draft=command.draft),
            by=command.by,
        )
    ]
