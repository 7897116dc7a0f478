"""Runs that need a person but whose holder cannot go on: they go into an inbox, or become saved runs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import ConsoleError, SourceDown
from console.core.run import Event, Run, holding
from console.core.run.moves import sealed_of
from console.runs.engine.addressees import may_see
from console.runs.engine.stepping import may_do_step, run_facts
from console.workflows import Definition, inboxes
from console.workflows.inboxes import Inbox

TROUBLE = frozenset(
    {
        *("step_failed", "step_reopened", "wait_left", "timer_fired", "event_arrived"),
        *("effect_failed", "effect_unknown", "approval_decided", "approval_voided", "approval_expired"),
    }
)
"""Events after which a run may need a person while nobody looks at it."""
UNHELD_TROUBLE = TROUBLE | {"step_entered"}
"""The same where nobody has held the run."""
ASKED = "Unassigned."
GONE = "Who held this run can no longer continue it."


def no_one_left_events(
    definition: Definition, before: Run, after: Run, now: datetime, by: str
) -> list[Event]:
    """The events that put a run that waits for a person after trouble into an inbox, if its holder cannot go on; else empty. `by`, who caused it, is there."""
    if after.ticket is not None or (before.status == "waiting_person" and before.holder is None):
        return []
    if after.holder is not None and (after.holder == by or _goes_on(after.holder, definition, after)):
        return []
    return [_waiting(definition, after, None, now, after.revision)]


def escalate_from_closed_account(
    definition: Definition, run: Run, typed: Mapping[str, Any] | None, now: datetime
) -> Event:
    """The event that takes a run from a holder whose account was closed, with their draft."""
    return _waiting(definition, run, typed, now, run.revision + 1)


def _waiting(
    definition: Definition, run: Run, typed: Mapping[str, Any] | None, now: datetime, revision: int
) -> Event:
    """The event that puts the run into an inbox, or saves it if the team uses none."""
    place = place_of(definition, run)
    if place is None:
        open_data = {"former_holder": run.holder, "reason_code": "needs_person", "revision": revision}
        return Event("run_saved", now, open_data, sealed_of(draft=typed))
    why = (run.take_over or {}).get("message") or (ASKED if run.holder is None else GONE)
    event = holding.escalated(run, place.id, why, "high", None, now, typed)
    return event._replace(open={**event.open, "revision": revision})


def place_of(definition: Definition, run: Run) -> Inbox | None:
    """The inbox named by the workflow, the inbox whose records start it, or another of the team: the first in which a person could take the run."""
    offered = inboxes.used_by(run.team)
    named = definition.document.settings.inbox
    ordered = sorted(
        offered,
        key=lambda inbox: (
            inbox.id != named,
            inbox.source is None or inbox.source.workflow != definition.slug,
        ),
    )
    workers = sorted(
        {
            row.sub.removeprefix("user:")
            for row in access.all_rows()
            if row.ptype == "g" and row.sub.startswith("user:")
        }
    )
    for inbox in ordered:
        if any(_works_there(person, inbox, definition, run) for person in workers):
            return inbox
    return ordered[0] if ordered else None


def _works_there(person: str, inbox: Inbox, definition: Definition, run: Run) -> bool:
    """Whether the person works in the inbox and could go on with the run."""
    return inboxes.may(Actor("user", person), inbox, "work") and _goes_on(person, definition, run)


def _goes_on(person: str, definition: Definition, run: Run) -> bool:
    """Whether the person has an open account and may see and resume the run, and do its step (not checked for the holder). True while the source is down."""
    try:
        actor = accounts.actor_of_person(person, "sys:engine")
        attempt = run.attempt
        return (
            access.can(actor, run.team, f"workflow:{definition.slug}", "resume", run=run_facts(run))
            and (
                person == run.holder
                or attempt is None
                or may_do_step(actor, definition, run.team, run.collection, attempt.step)
            )
            and may_see(person, run)
        )
    except SourceDown:
        return True
    except ConsoleError:
        return False
