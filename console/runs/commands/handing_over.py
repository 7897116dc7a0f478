"""Who holds a run: save, resume, take over, release, escalate, assign; and answers from outside while it waits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from console import log
from console.auth import access, accounts
from console.auth.accounts import absences
from console.core.actor import Actor
from console.core.errors import ConsoleError, Invalid, NotAllowed, NotFound
from console.core.moments import moment_text
from console.core.run import commands, decisions, holding
from console.core.run.causes import Causes
from console.core.run.commands import Command
from console.core.run.duties import CODE
from console.infra import settings
from console.runs.commands.run_rights import Seen, holder_idle_s, inbox_of_others, require_may_work_in, see
from console.runs.commands.transitions import holder_draft, reason_of, revision_of, run_command
from console.runs.engine import inbox_placement
from console.runs.engine.advancing import go_on, go_on_with
from console.runs.engine.stepping import plan_of, require_step, run_facts, step_at
from console.runs.store.run_events import ENGINE
from console.runs.store.run_store import Also, load, retried, write
from console.runs.views import queues
from console.workflows import inboxes, version

PRIORITIES = ("low", "normal", "high", "urgent")


def save(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Save the run with its draft; anyone entitled may resume it."""
    run_command(
        actor,
        run_id,
        None,
        lambda seen: commands.Save(
            actor.id, revision_of(seen, revision), holder_draft(seen.run, seen.loaded.subject)
        ),
    )


def save_idle_run(run_id: str) -> None:
    """Save a run whose holder was inactive too long, with their draft. If their account is closed, it goes into an inbox instead."""

    def once() -> None:
        loaded = load(run_id)
        if loaded is None or loaded.run.status != "waiting_person" or loaded.run.holder is None:
            return
        definition = version(loaded.run.workflow, loaded.run.version)
        left = accounts.is_closed(loaded.run.holder)
        if loaded.run.unknown and not left:
            return
        minutes = min(definition.document.settings.idle_save_minutes, settings.current().idle_save_minutes)
        if holder_idle_s(loaded.run) < minutes * 60:
            return
        typed, now = holder_draft(loaded.run, loaded.subject), log.now()
        command = commands.Save(None, loaded.run.revision, typed)
        events = (
            [inbox_placement.escalate_from_closed_account(definition, loaded.run, typed, now)]
            if left
            else decisions.decide(plan_of(definition), loaded.run, command, now)
        )
        write(ENGINE, definition, loaded, events)

    retried(once)


def resume(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Resume a saved run and hold it. The actor must also be entitled to do the current step."""

    def make(seen: Seen) -> Command:
        _require_place(actor, seen)
        require_may_work_in(actor, seen)
        return commands.Resume(actor.id, revision_of(seen, revision))

    run_command(actor, run_id, "resume", make)


def _require_place(actor: Actor, seen: Seen) -> None:
    """Raise NotAllowed if the actor may not do the current step."""
    if seen.run.current is not None and not seen.run.unknown:
        require_step(actor, step_at(seen.definition, seen.run))


def take_over(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Become the holder of a run that another person or nobody holds: at once with the right `takeover`, else after 10 idle minutes."""

    def make(seen: Seen) -> Command:
        _require_place(actor, seen)
        require_may_work_in(actor, seen)
        entitled = access.can(
            actor, seen.run.team, f"workflow:{seen.definition.slug}", "takeover", run=run_facts(seen.run)
        )
        idle = holder_idle_s(seen.run) >= holding.TAKE_OVER_AFTER.total_seconds()
        return commands.TakeOver(
            actor.id, revision_of(seen, revision), entitled, idle, holder_draft(seen.run, seen.loaded.subject)
        )

    run_command(actor, run_id, "resume", make)


def release(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Stop holding the run, so that another person can take it. In an inbox it has the place again that it had."""
    run_command(
        actor,
        run_id,
        None,
        lambda seen: commands.Release(
            actor.id,
            revision_of(seen, revision),
            holder_draft(seen.run, seen.loaded.subject),
            ticket=_former_place(seen),
        ),
    )


def _former_place(seen: Seen) -> Mapping[str, Any] | None:
    """The ticket that the run had in the inbox that it was taken from, else its place among those whose records that inbox begins."""
    run = seen.run
    offered = {inbox.id: inbox for inbox in inboxes.used_by(run.team)}
    taken_from = queues.taken_from(run.id)
    if taken_from in offered:
        for event in reversed(log.recent(run.id, "run_escalated", 0)):
            if event.open["inbox"] == taken_from:
                [opened] = log.open_values(run.id, [event]).values()
                by = None if event.body["actor"].get("kind") == "system" else event.body["actor"].get("id")
                place = {name: event.open[name] for name in ("inbox", "priority", "at")}
                return place | {"by": by, "reason": opened.sealed.get("reason", "")}
    slug = seen.definition.slug
    served = next(
        (each.id for each in offered.values() if each.source and each.source.workflow == slug), None
    )
    begun = taken_from if taken_from in offered else served
    if begun is None or run.created_at is None:
        return None
    return {"inbox": begun, "priority": "normal", "at": moment_text(run.created_at), "by": None, "reason": ""}


def release_from_holder(
    actor: Actor, run_id: str, *, revision: int | None, reason: str, also: Also | None = None
) -> None:
    """Take the run from whoever holds it, so that another person can take it. Needs the right `assign`."""

    def make(seen: Seen) -> Command:
        return commands.Release(
            actor.id,
            revision_of(seen, revision),
            holder_draft(seen.run, seen.loaded.subject),
            reason_of(reason),
            entitled=True,
            ticket=_former_place(seen) if seen.run.holder is not None else None,
        )

    run_command(actor, run_id, "assign", make, also=lambda _: also)


def escalate(
    actor: Actor,
    run_id: str,
    *,
    revision: int | None,
    inbox: str,
    reason: str,
    priority: str = "normal",
    at: datetime | None = None,
    entitled: bool = False,
    also: Also | None = None,
) -> None:
    """Put the run into an inbox of its team, with a reason. Nobody holds it until a person takes it from there.

    For its holder; `entitled`: for who has the right `assign`, whoever holds it. `at`: since when it waits there.
    Raises Invalid on `inbox` if it does not exist or the run's team does not use it.
    """
    if priority not in PRIORITIES:
        raise Invalid("There is no such priority.", at=("priority", f"One of: {', '.join(PRIORITIES)}."))

    def make(seen: Seen) -> Command:
        inboxes.require_used(inbox, seen.run.team)
        return commands.Escalate(
            actor.id,
            revision_of(seen, revision),
            inbox,
            reason_of(reason),
            priority,
            holder_draft(seen.run, seen.loaded.subject),
            entitled=entitled,
            at=at,
        )

    run_command(actor, run_id, "assign" if entitled else None, make, also=lambda _: also)


def snooze(actor: Actor, run_id: str, *, revision: int | None, until: datetime | None, reason: str) -> None:
    """Take a ticket out of the queue of its inbox until a moment; None puts it back. For who works there. When it is due stays as it is."""

    def make(seen: Seen) -> Command:
        require_may_work_in(actor, seen)
        return commands.Snooze(actor.id, revision_of(seen, revision), until, reason_of(reason))

    run_command(actor, run_id, "resume", make)


def assign(
    actor: Actor,
    run_id: str,
    *,
    revision: int | None,
    user: str,
    reason: str = "",
    also: Also | None = None,
) -> None:
    """Make a person the holder. They must be able to see the run and to do its current step. If they are away, whoever stands in gets it, if able.

    Needs the right `assign`, or for a run of a closed account the right to manage people.
    """

    def make(seen: Seen) -> Command:
        if not (accounts.is_closed(seen.run.holder) and access.can(actor, None, "user", "manage")):
            access.require(actor, seen.run.team, f"workflow:{seen.definition.slug}", "assign")
        to = _deputy(user, run_id) or user
        if to == actor.id:
            require_may_work_in(actor, seen)
        _require_able(to, run_id)
        instead = user if to != user else None
        draft = holder_draft(seen.run, seen.loaded.subject)
        return commands.Assign(actor.id, revision_of(seen, revision), to, reason_of(reason), draft, instead)

    run_command(actor, run_id, None, make, also=lambda _: also)


def _deputy(user: str, run_id: str) -> str | None:
    """Who stands in for this person now and could go on with the run; None where they are here, or nobody could."""
    deputy = absences.substitute_of(user, absences.people_away())
    if deputy is None or deputy == user:
        return None
    try:
        _require_able(deputy, run_id)
    except Invalid:
        return None
    return deputy


def _require_able(user: str, run_id: str) -> None:
    """Raise Invalid on `user` if that person could not go on with the run."""
    try:
        if "\x00" in user:  # PostgreSQL raises an error for NUL
            raise NotFound
        theirs = accounts.actor_of_person(user, "sys:engine")
        seen = see(theirs, run_id)
        access.require(
            theirs, seen.run.team, f"workflow:{seen.definition.slug}", "resume", run=run_facts(seen.run)
        )
        _require_place(theirs, seen)
    except (NotAllowed, NotFound) as error:
        reason = "This person may not see this run, or may not do the step that it stands at."
        if error.code == CODE:
            reason = f"This person did what the rule “{error.details[0]['reason']}” keeps apart from the step that it stands at."
        raise _cannot_be_given(reason) from None
    if (inbox := inbox_of_others(theirs, seen.run)) is not None:
        raise _cannot_be_given(f"It waits in the inbox {inbox.title}, and this person does not work there.")


def _cannot_be_given(reason: str) -> Invalid:
    return Invalid("The run cannot be given to this person.", at=("user", reason))


def arrive(
    actor: Actor,
    run_id: str,
    key: str,
    *,
    outcome: str = "default",
    values: Mapping[str, Any] | None = None,
    output: Mapping[str, Any] | None = None,
    caused_by: Causes = (),
    in_worker: bool = False,
    also: Also | None = None,
) -> bool:
    """Complete the step that waits for `key`, and go on. False if the run does not wait for it (any more), or had the answer before.

    An answer may come while the effect that asked for it is still being made, or is unknown: it is kept, and counts once the effect is settled.

    `actor` is the person who answered, or `ENGINE` for an answer from outside; `caused_by` is what led to it, where an event did. The caller has checked their right. A run that nobody holds goes on
    in a job of its own, or at once where `in_worker` says that this is one. `also` writes in the transaction with which the answer is kept.
    """
    by = actor.id if actor.kind in ("user", "key") else None

    def once() -> tuple[Any, Any] | None:
        loaded = load(run_id)
        if loaded is None:
            return None
        run = loaded.run
        if not run.asks_about(key):
            if key not in ((run.waiting or {}).get("key"), (run.then or {}).get("key")):
                return None
            if not run.waits_outside and (run.then is None or "arrived" in run.then):
                return None
        definition = version(run.workflow, run.version)
        command = commands.Arrive(key, outcome, values, output, by, caused_by=caused_by)
        events = decisions.decide(plan_of(definition), loaded.run, command, log.now())
        if in_worker and run.hands_off:
            return definition, go_on_with(definition, loaded, events, also)
        return definition, write(actor, definition, loaded, events, hand_on=True, also=also)

    moved = retried(once)
    if moved is None:
        return False
    definition, loaded = moved
    if loaded.run.moving and not loaded.run.hands_off:  # of one that nobody holds a worker does the rest
        try:
            go_on(accounts.actor_of_person(loaded.run.acts_for, "sys:engine"), definition, loaded)
        except ConsoleError:
            return True  # the job in the queue goes on
    return True


def will_not_come(run_id: str, key: str, code: str, message: str, *, asks: bool = False) -> bool:
    """Tell the run that what it waits for under `key` will not come. False if it does not wait for it (any more).

    It takes its edge for errors, ends, or a person gets the step; with `asks` a person gets it in any case.
    """

    def once() -> bool:
        loaded = load(run_id)
        if loaded is None or not loaded.run.waits_outside or (loaded.run.waiting or {})["key"] != key:
            return False
        definition = version(loaded.run.workflow, loaded.run.version)
        command = commands.Unanswered(key, code, message, asks)
        write(
            ENGINE,
            definition,
            loaded,
            decisions.decide(plan_of(definition), loaded.run, command, log.now()),
            hand_on=True,
        )
        return True

    return retried(once)


def step_in(
    actor: Actor,
    run_id: str,
    *,
    revision: int | None,
    reason: str = "",
    kept: Mapping[str, Any] | None = None,
) -> None:
    """Stop waiting: the holder does the step by hand, with what is `kept` of what came so far. A later answer is recorded and changes nothing."""

    def make(seen: Seen) -> Command:
        _require_place(actor, seen)
        return commands.StepIn(actor.id, revision_of(seen, revision), reason_of(reason), kept or {})

    run_command(actor, run_id, None, make)
