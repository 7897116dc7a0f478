"""Who works on a run: put aside, taken up again, taken over, let go, handed on, given to somebody; and what comes from outside while it waits."""

from collections.abc import Mapping
from typing import Any

from console import access, accounts, inboxes, log
from console.core.actor import Actor
from console.core.run import commands
from console.core.run.commands import Command
from console.core.run.duties import CODE
from console.errors import ConsoleError, Invalid, NotAllowed, NotFound
from console.runs.changing.run_rights import Seen, holder_idle_s, require_works_there, see
from console.runs.changing.transitions import commanded, reason_of, revision_of, typed_of
from console.runs.engine.advancing import go_on
from console.runs.engine.stepping import facts, plan_of, require_step, stand
from console.runs.rows.run_store import decide, load, retried, write
from console.workflows import version

PRIORITIES = ("low", "normal", "high", "urgent")


def save(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Put the run aside; anyone entitled may resume it, with what was typed."""
    commanded(
        actor, run_id, None, lambda seen: commands.Save(actor.id, revision_of(seen, revision), typed_of(seen.run, seen.loaded.subject))
    )


def resume(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Take a saved run up again and hold it; needs the right of the step at which it stands, too."""

    def make(seen: Seen) -> Command:
        _require_place(actor, seen)
        require_works_there(actor, seen)
        return commands.Resume(actor.id, revision_of(seen, revision))

    commanded(actor, run_id, "resume", make)


def _require_place(actor: Actor, seen: Seen) -> None:
    """Raise NotAllowed where the actor could take the run and not do its step."""
    if seen.run.current is not None and not seen.run.unknown:
        require_step(actor, stand(seen.definition, seen.run))


def take_over(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Become the holder of a run that another person, or nobody, holds: at once with the right `takeover`, else after 10 idle minutes."""

    def make(seen: Seen) -> Command:
        _require_place(actor, seen)
        require_works_there(actor, seen)
        entitled = access.can(actor, seen.run.team, f"workflow:{seen.definition.slug}", "takeover", run=facts(seen.run))
        idle = holder_idle_s(seen.run) >= commands.TAKE_OVER_AFTER.total_seconds()
        return commands.TakeOver(actor.id, revision_of(seen, revision), entitled, idle, typed_of(seen.run, seen.loaded.subject))

    commanded(actor, run_id, "resume", make)


def release(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Let the run go; whoever may, takes it."""
    commanded(
        actor, run_id, None, lambda seen: commands.Release(actor.id, revision_of(seen, revision), typed_of(seen.run, seen.loaded.subject))
    )


def escalate(actor: Actor, run_id: str, *, revision: int | None, inbox: str, reason: str, priority: str = "normal") -> None:
    """Put the run into an inbox of its team with a reason; its holder lets it go, and whoever works there takes it.

    Raises Invalid on `inbox` for one that is not there, or that the run's team does not use.
    """
    if priority not in PRIORITIES:
        raise Invalid("There is no such priority.", details=[{"field": "priority", "reason": f"One of: {', '.join(PRIORITIES)}."}])

    def make(seen: Seen) -> Command:
        inboxes.require_used(inbox, seen.run.team)
        return commands.Escalate(
            actor.id, revision_of(seen, revision), inbox, reason_of(reason), priority, typed_of(seen.run, seen.loaded.subject)
        )

    commanded(actor, run_id, None, make)


def assign(actor: Actor, run_id: str, *, revision: int | None, user: str, reason: str = "") -> None:
    """Give the run to a person, who must be able to see it and to do the step that it stands at.

    It takes the right `assign`; what a closed account holds, who manages people gives away too.
    """

    def make(seen: Seen) -> Command:
        if not (accounts.is_closed(seen.run.holder) and access.can(actor, None, "user", "manage")):
            access.require(actor, seen.run.team, f"workflow:{seen.definition.slug}", "assign")
        _require_able(user, run_id)
        if user == actor.id:
            require_works_there(actor, seen)
        return commands.Assign(actor.id, revision_of(seen, revision), user, reason_of(reason), typed_of(seen.run, seen.loaded.subject))

    commanded(actor, run_id, None, make)


def _require_able(user: str, run_id: str) -> None:
    """Raise Invalid on `user` where that person could not go on with the run."""
    try:
        if "\x00" in user:  # no column holds one, and asking for it is an error there
            raise NotFound
        theirs = accounts.actor_of_person(user, "sys:engine")
        seen = see(theirs, run_id)
        access.require(theirs, seen.run.team, f"workflow:{seen.definition.slug}", "resume", run=facts(seen.run))
        _require_place(theirs, seen)
    except (NotAllowed, NotFound) as error:
        reason = "This person may not see this run, or may not do the step that it stands at."
        if error.code == CODE:
            reason = f"This person did what the rule “{error.details[0]['reason']}” keeps apart from the step that it stands at."
        raise Invalid("The run cannot be given to this person.", details=[{"field": "user", "reason": reason}]) from None


def arrive(
    actor: Actor,
    run_id: str,
    key: str,
    *,
    outcome: str = "default",
    values: Mapping[str, Any] | None = None,
    output: Mapping[str, Any] | None = None,
) -> bool:
    """What the run waits for under `key` is there: its step is done, and it goes on. False where it does not wait for that (any more).

    The caller has judged whether `actor` (the person who answered, or `store.ENGINE` for what came from outside) may say so.
    """
    by = actor.id if actor.kind in ("user", "key") else None

    def once() -> tuple[Any, Any] | None:
        loaded = load(run_id)
        if loaded is None or not loaded.run.waits_outside or (loaded.run.waiting or {})["key"] != key:
            return None
        definition = version(loaded.run.workflow, loaded.run.version)
        command = commands.Arrive(key, outcome, values, output, by)
        return definition, write(actor, definition, loaded, decide(plan_of(definition), loaded, command, log.now()), hand_on=True)

    moved = retried(once)
    if moved is None:
        return False
    definition, loaded = moved
    holder = loaded.run.holder or loaded.run.last_holder or loaded.run.started_by
    if loaded.run.moving and holder:
        try:
            go_on(accounts.actor_of_person(holder, "sys:engine"), definition, loaded)
        except ConsoleError:
            return True  # the job that was put in goes on, or asks somebody
    return True


def step_in(actor: Actor, run_id: str, *, revision: int | None, reason: str = "") -> None:
    """Wait no longer: the holder does the step by hand. What comes later is noted and changes nothing."""

    def make(seen: Seen) -> Command:
        _require_place(actor, seen)
        return commands.StepIn(actor.id, revision_of(seen, revision), reason_of(reason))

    commanded(actor, run_id, None, make)
