"""The transitions of a run: what a person, a program or the engine may ask for. Each judges, decides, and commits once."""

import functools
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from console import access, accounts, effects, log, records, settings, subjects, workflows
from console.core import commands
from console.core.actor import Actor
from console.core.commands import Command, Wish
from console.core.run import Effect, Event, Run, fold
from console.db.engine import alone
from console.db.ids import new_id
from console.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound, SourceDown
from console.records import Record
from console.runs import drafts, reading
from console.runs.rights import Seen, holder_idle_s, see
from console.runs.screens import Screen, digest, last_shown, seen_fields, shown_event
from console.runs.stepping import completion_of, context_of, label_of, plan_of, prompt_of, record_of, require_step, stand
from console.runs.store import ENGINE, LiveRun, Loaded, decide, live_run, load, retried, write
from console.runs.view import RunView
from console.steps.base import AsksPerson, Completion
from console.workflows import Definition

logger = logging.getLogger(__name__)
IN_ONE_GO = 20  # automatic steps before the rest is left to the background
IN_ONE_GO_S = 2.0


def start(actor: Actor, workflow: str, collection: str | None, record: str | None, given: Mapping[str, Any] | None = None) -> str:
    """Begin a run of the live version; answers its id.

    Raises NotFound for a workflow or record outside what the actor may see, NotAllowed without the right to start, Invalid for
    the input (fields named `input.…`), Conflict `run_is_live` with `run_id` where one is live and the actor may see it.
    """
    definition = workflows.live(workflow)
    team = definition.document.team or ""
    obj = f"workflow:{definition.slug}"
    if not access.can(actor, team, obj, "see"):
        raise NotFound(hidden=True)
    access.require(actor, team, obj, "start")
    about = _subject_matter(actor, definition, collection, record)
    run_id, now = new_id("run"), log.now()
    exclusive = f"{definition.id}|{collection}|{record}" if about is not None and definition.document.settings.exclusive else None
    _require_none_live(actor, exclusive)
    values, output = _input(actor, definition, about, given or {}, team, now)
    command = commands.Start(
        by=actor.id,
        id=run_id,
        team=team,
        version=definition.number,
        workflow=definition.id,
        collection=about.collection if about else None,
        record=about.key if about else None,
        exclusive=exclusive,
        input=values,
        output=output,
        title=about.title if about else "",
    )
    subject = subject_of(about) if about else subjects.of("run", run_id)
    events = commands.decide(plan_of(definition), Run(), command, now)
    try:
        loaded = write(actor, definition, None, events, subject=subject)
    except LiveRun as live:
        _require_none_live(actor, live.exclusive_key)
        raise
    go_on(actor, definition, loaded)
    return run_id


def _subject_matter(actor: Actor, definition: Definition, collection: str | None, record: str | None) -> Record | None:
    """The record that the run will be about, as the actor may see it; None for a workflow without a collection."""
    wanted = definition.document.collection
    if wanted is None:
        if collection or record:
            raise Invalid("This workflow is about no record.", details=[{"field": "collection", "reason": "Leave it out."}])
        return None
    if collection != wanted or record is None:
        raise Invalid(
            f"This workflow starts from a record of {wanted}.",
            details=[{"field": "collection" if collection != wanted else "record", "reason": f"Name a record of {wanted}."}],
        )
    if records.collection(wanted).personal_key:
        raise Conflict(
            "Runs cannot be about these records: their key is itself personal. Start from the record that they belong to.",
            code="not_possible",
        )
    return records.get(wanted, record, access.scope_for(actor, wanted, "read"))


def _require_none_live(actor: Actor, exclusive: str | None) -> None:
    """Raise Conflict `run_is_live` where a run holds the key; with its id, if the actor may see it."""
    run_id = live_run(exclusive) if exclusive else None
    if run_id is None:
        return
    try:
        see(actor, run_id)
    except ConsoleError:
        raise Conflict("A run of this workflow is already ongoing on this record.", code="run_is_live") from None
    raise Conflict("A run of this workflow is already ongoing on this record.", code="run_is_live", run_id=run_id)


def _input(
    actor: Actor, definition: Definition, record: Record | None, given: Mapping[str, Any], team: str, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(values, output) of the start step. Raises Invalid with its fields named `input.…`."""
    opening = commands.opening(plan_of(definition), actor.id, team, now)
    here = stand(definition, opening)
    try:
        completion = here.kind.complete(here.view, context_of(actor, here, record, now), dict(given), None)
    except Invalid as error:
        raise Invalid(error.message, details=[{**detail, "field": f"input.{detail['field']}"} for detail in error.details]) from None
    return completion.values, completion.output if completion.output is not None else completion.values


def subject_of(record: Record) -> str:
    """The subject whose values a run over this record holds: whom its collection says it is about, else the record itself."""
    return subjects.of(*(records.subject(record.collection, record.key or "") or (record.collection, record.key or "")))


def complete(
    actor: Actor,
    run_id: str,
    *,
    step: str,
    revision: int | None,
    values: Mapping[str, Any],
    outcome: str | None = None,
    handled_manually: bool = False,
    reason: str = "",
) -> None:
    """Hand in the step that the run stands at; performs its record write and takes the automatic steps that follow.

    Raises Conflict (`stale_revision`, `not_holder`, `not_possible`, `record_gone`), Invalid with a detail per field, NotAllowed, NotFound, SourceDown.
    """
    asked = _HandedIn(step, revision, values, outcome, handled_manually, _said(reason))

    def once() -> tuple[Definition, Loaded]:
        seen = see(actor, run_id)
        events = _completing(actor, seen, asked, log.now())
        return seen.definition, write(actor, seen.definition, seen.loaded, events)

    definition, loaded = retried(once)
    go_on(actor, definition, loaded)


def complete_and_look(
    actor: Actor,
    run_id: str,
    *,
    step: str,
    revision: int | None,
    values: Mapping[str, Any],
    outcome: str | None = None,
    handled_manually: bool = False,
    reason: str = "",
) -> RunView:
    """As `complete`; answers the run as it stands then. Where a person is asked next, what they are shown is noted in the same transaction."""
    asked = _HandedIn(step, revision, values, outcome, handled_manually, _said(reason))

    def once() -> tuple[Seen, Screen | None]:
        seen, now = see(actor, run_id, whole=True), log.now()
        events = _completing(actor, seen, asked, now)
        after = fold(events, seen.run)
        screen, row = reading.upcoming(actor, seen, after, now), None
        if screen is not None:
            shown, row = shown_event(actor, after, screen, digest(screen), now)
            events.append(shown)
        return replace(seen, loaded=write(actor, seen.definition, seen.loaded, events, shown=row)), screen

    seen, screen = retried(once)
    if screen is not None:
        return reading.view(actor, seen, screen, reading.Beside())
    go_on(actor, seen.definition, seen.loaded)
    return reading.get(actor, run_id)


@dataclass(frozen=True, slots=True)
class _HandedIn:
    """What was handed in at a step."""

    step: str
    revision: int | None
    values: Mapping[str, Any]
    outcome: str | None
    handled_manually: bool
    reason: str


def _completing(actor: Actor, seen: Seen, asked: _HandedIn, now: datetime) -> list[Event]:
    """The events of the step that was handed in."""
    run = seen.run
    here = stand(seen.definition, run) if run.current is not None else None
    commands.require_completable(run, actor.id, asked.step, asked.revision)
    if here is None:
        raise NotFound
    require_step(actor, here)
    _require_record(seen)
    shown = last_shown(run.id, here.attempt.n, actor.id) if run.record is not None and here.kind.edits(here.view) else None
    context = context_of(actor, here, seen.record, now, seen_fields(shown[1]) if shown else None)
    completion = completion_of(here, context, asked.values, asked.outcome)
    chosen = label_of(prompt_of(here, context).outcomes, completion.outcome) if asked.outcome is not None else None
    command = _handing_in(
        actor.id, asked.step, run, completion, handled_manually=asked.handled_manually, reason=asked.reason, chosen=chosen
    )
    return decide(plan_of(seen.definition), seen.loaded, command, now)


def _require_record(seen: Seen) -> None:
    if seen.down is not None:
        raise seen.down
    if seen.gone:
        raise Conflict(
            "The record was deleted meanwhile. What you typed is kept; abort the run, or save it and ask who deleted it.",
            code="record_gone",
        )


def _handing_in(
    by: str | None,
    step: str,
    run: Run,
    completion: Completion,
    *,
    handled_manually: bool = False,
    reason: str = "",
    chosen: str | None = None,
) -> commands.Complete:
    wishes = [
        Wish(
            new_id("eff"),
            effect.kind,
            effect.summary,
            {"collection": run.collection, "key": run.record, "changes": {k: dict(v) for k, v in effect.changes.items()}},
        )
        for effect in completion.effects
    ]
    return commands.Complete(
        by=by,
        step=step,
        revision=run.revision,
        outcome=completion.outcome,
        values=completion.values,
        output=completion.output,
        effects=wishes,
        ends=completion.ends,
        handled_manually=handled_manually,
        reason=reason,
        chosen=chosen,
        rule=completion.rule,
    )


def go_on(actor: Actor, definition: Definition, loaded: Loaded) -> Loaded:
    """Perform what was asked for and take automatic steps, until the run waits for something or enough was done in one go."""
    until = time.monotonic() + IN_ONE_GO_S
    tried: set[str] = set()
    for _ in range(IN_ONE_GO):
        here = loaded.run.attempt
        if here is not None and here.status == "performing":
            asked = next((effect for effect in here.effects if effect.status == "requested"), None)
            if asked is None or (asked.id in tried):
                break
            tried.add(asked.id)
            loaded = _performed(definition, loaded, functools.partial(effects.perform, actor, asked))
        elif loaded.run.status == "running":
            loaded = _step_by_itself(actor, definition, loaded)
        else:
            break
        if time.monotonic() > until:
            break
    return loaded


def _performed(definition: Definition, loaded: Loaded, act: Callable[[], commands.Report]) -> Loaded:
    """Perform the effect and note what came of it, unless another process is at it: a slow one must not be taken for a dead one."""
    with alone(loaded.run.id) as mine:
        return _report(definition, loaded, act()) if mine else loaded


def _report(definition: Definition, loaded: Loaded, report: commands.Report) -> Loaded:
    """Note what came of an effect; whoever looked meanwhile does not matter."""
    plan = plan_of(definition)

    def once() -> Loaded:
        current = load(loaded.run.id) or loaded
        return write(ENGINE, definition, current, decide(plan, current, report, log.now()))

    return retried(once)


def _step_by_itself(actor: Actor, definition: Definition, loaded: Loaded) -> Loaded:
    """One automatic step with the rights of the run's holder; what goes wrong becomes a take-over that a person sees."""
    run, plan = loaded.run, plan_of(definition)
    now = log.now()
    here = stand(definition, run)
    try:
        if run.automatic >= definition.document.settings.max_automatic_steps:
            raise Conflict(
                f"{run.automatic} automatic steps were taken in a row; look whether the workflow goes in circles.", code="too_many_steps"
            )
        if not here.kind.by_itself(definition.document.step(here.attempt.step).config):
            require_step(actor, here)
        context = context_of(actor, here, record_of(actor, run), now)
        completion = here.kind.complete_by_itself(here.view, context)
        command: Command = _handing_in(None, here.attempt.step, run, completion, chosen=completion.chosen)
        events = decide(plan, loaded, command, now)
    except ConsoleError as error:
        failing = commands.Fail(here.attempt.step, error.code, error.message, asks=isinstance(error, AsksPerson))
        events = decide(plan, loaded, failing, now)
    except Exception:
        logger.exception("run %s, step %s", run.id, here.attempt.step)
        message = "Something unexpected went wrong in this step. Try again, or tell who runs the console."
        events = decide(plan, loaded, commands.Fail(here.attempt.step, "internal_error", message), now)
    try:
        return write(ENGINE, definition, loaded, events)
    except log.Moved:
        return load(run.id) or loaded


def draft(actor: Actor, run_id: str, *, step: str, revision: int | None, values: Mapping[str, Any]) -> datetime:
    """Keep what was typed so far, unchecked; answers when. Changes neither revision nor log.

    Raises Conflict where the run is not this person's at this step any more: then nothing was kept.
    """
    seen = see(actor, run_id)
    here = commands.require_completable(seen.run, actor.id, step, revision)
    now = log.now()
    if not drafts.keep(run_id, here.n, actor.id, seen.loaded.subject or "", log.body.plain(dict(values)), now):
        raise Conflict("This run moved on while this was typed. Reload it to see where it stands.", code="stale_revision")
    return now


def _command(
    actor: Actor, run_id: str, right: str | None, make: Callable[[Seen], Command], *, whole: bool = False, keep_draft: bool = False
) -> tuple[Definition, Loaded]:
    """See, judge, decide, commit; again when somebody looked at the run meanwhile."""

    def once() -> tuple[Definition, Loaded]:
        seen = see(actor, run_id, whole=whole)
        if right is not None:
            access.require(actor, seen.run.team, f"workflow:{seen.definition.slug}", right)
        events = decide(plan_of(seen.definition), seen.loaded, make(seen), log.now())
        return seen.definition, write(actor, seen.definition, seen.loaded, events, keep_draft=keep_draft)

    return retried(once)


def _typed(run: Run, subject: str | None) -> dict[str, Any] | None:
    """What is handed over with the run: the holder's draft."""
    kept = drafts.latest(run.id, run.current, subject) if run.current is not None else None
    return dict(kept.values) if kept else None


def save(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Put the run aside; anyone entitled may resume it, with what was typed."""
    _command(actor, run_id, None, lambda seen: commands.Save(actor.id, _revision(seen, revision), _typed(seen.run, seen.loaded.subject)))


def resume(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Take a saved run up again and hold it; needs the right of the step at which it stands, too."""

    def make(seen: Seen) -> Command:
        _require_place(actor, seen)
        return commands.Resume(actor.id, _revision(seen, revision))

    _command(actor, run_id, "resume", make)


def _require_place(actor: Actor, seen: Seen) -> None:
    """Raise NotAllowed where the actor could take the run and not do its step."""
    if seen.run.current is not None and not seen.run.unknown:
        require_step(actor, stand(seen.definition, seen.run))


def take_over(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Become the holder of a run that another person, or nobody, holds: at once with the right `takeover`, else after 10 idle minutes."""

    def make(seen: Seen) -> Command:
        _require_place(actor, seen)
        entitled = access.can(actor, seen.run.team, f"workflow:{seen.definition.slug}", "takeover")
        idle = holder_idle_s(seen.run) >= commands.TAKE_OVER_AFTER.total_seconds()
        return commands.TakeOver(actor.id, _revision(seen, revision), entitled, idle, _typed(seen.run, seen.loaded.subject))

    _command(actor, run_id, "resume", make)


def release(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Let the run go; whoever may, takes it."""
    _command(actor, run_id, None, lambda seen: commands.Release(actor.id, _revision(seen, revision), _typed(seen.run, seen.loaded.subject)))


def abort(actor: Actor, run_id: str, *, revision: int | None, reason: str) -> None:
    """Break the run off; it stays in the log and can be replayed."""
    _command(actor, run_id, None, lambda seen: commands.Abort(actor.id, _revision(seen, revision), _said(reason)))


def cancel(actor: Actor, run_id: str, *, revision: int | None, reason: str) -> None:
    """End the run from outside, whoever holds it."""
    _command(actor, run_id, "cancel", lambda seen: commands.Cancel(actor.id, _revision(seen, revision), _said(reason)))


def revise(actor: Actor, run_id: str, *, revision: int | None, step: str, attempt: int | None, reason: str) -> None:
    """Send the run back to a completed step; what came after it is cancelled and kept."""

    def make(seen: Seen) -> Command:
        commands.require_reason(reason)
        if seen.run.ended:
            return commands.Revise(actor.id, _revision(seen, revision), 0, reason)
        target = commands.revisable(seen.run, step, attempt)
        return commands.Revise(actor.id, _revision(seen, revision), target.n, _said(reason))

    _command(actor, run_id, None, make, whole=True)


def settle(actor: Actor, run_id: str, *, revision: int | None, effect: str, done: bool, reason: str) -> None:
    """State whether an unknown effect happened. Not done: it is performed again, as the same effect."""
    definition, loaded = _command(
        actor, run_id, None, lambda seen: commands.Settle(actor.id, _revision(seen, revision), effect, done, _said(reason))
    )
    go_on(actor, definition, loaded)


def retry(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Begin the open step anew, after it could not be done by itself."""
    definition, loaded = _command(actor, run_id, None, lambda seen: commands.Retry(actor.id, _revision(seen, revision)))
    go_on(actor, definition, loaded)


def _revision(seen: Seen, given: int | None) -> int:
    return seen.run.revision if given is None else given


def _said(reason: str) -> str:
    """A reason as the log takes it: at most 2,000 characters, without NUL."""
    if len(reason) > 2000 or "\x00" in reason:
        raise Invalid("The reason cannot be kept.", details=[{"field": "reason", "reason": "At most 2,000 characters of text."}])
    return reason


def advance(run_id: str) -> None:
    """Move a run that nobody moves: the engine's own way in, idempotent. Acts with the rights of the holder, else of the last one.

    Where that person's account is closed, somebody else is asked.
    """
    loaded = load(run_id)
    if loaded is None or loaded.run.ended:
        return
    run = loaded.run
    definition = workflows.version(run.workflow, run.version)
    try:
        actor = accounts.actor_of_person(run.holder or run.last_holder or run.started_by, "sys:engine")
    except NotAllowed as closed:
        _ask_somebody(definition, loaded, closed)
        return
    here = run.attempt
    stuck: Effect | None = next((effect for effect in here.effects if effect.status == "requested"), None) if here else None
    if here is not None and here.status == "performing" and stuck is not None:
        try:
            loaded = _performed(definition, loaded, functools.partial(effects.recover, actor, stuck))
        except SourceDown:
            return  # asked again at the next sweep; the run says that it waits for the effect
    go_on(actor, definition, loaded)


def _ask_somebody(definition: Definition, loaded: Loaded, closed: NotAllowed) -> None:
    """What can no longer be done in the name of who began it becomes a take-over."""
    here = loaded.run.attempt
    asked = next((effect for effect in here.effects if effect.status == "requested"), None) if here else None
    if here is not None and here.status == "performing" and asked is not None:
        _performed(definition, loaded, functools.partial(commands.Report, asked.id, "unknown", closed.code, closed.message))
    elif here is not None and loaded.run.status == "running":
        failing = commands.Fail(here.step, closed.code, closed.message)
        write(ENGINE, definition, loaded, decide(plan_of(definition), loaded, failing, log.now()))


def end_for_erasure(run_id: str) -> None:
    """End a live run because what is held about its person must go, whatever is under way in it: nobody could go on without its values."""

    def once() -> None:
        loaded = load(run_id)
        if loaded is None or loaded.run.ended:
            return
        told = {"former_holder": loaded.run.holder, "reason_code": "erased", "revision": loaded.run.revision + 1}
        write(ENGINE, workflows.version(loaded.run.workflow, loaded.run.version), loaded, [Event("run_cancelled", log.now(), told)])

    retried(once)


def save_idle(run_id: str) -> None:
    """Put aside a run whose holder has given no sign for long, with what they had typed."""

    def once() -> None:
        loaded = load(run_id)
        if loaded is None or loaded.run.status != "waiting_person" or loaded.run.holder is None or loaded.run.unknown:
            return
        definition = workflows.version(loaded.run.workflow, loaded.run.version)
        minutes = min(definition.document.settings.idle_save_minutes, settings.current().idle_save_minutes)
        if holder_idle_s(loaded.run) < minutes * 60:
            return
        command = commands.Save(None, loaded.run.revision, _typed(loaded.run, loaded.subject))
        write(ENGINE, definition, loaded, decide(plan_of(definition), loaded, command, log.now()))

    retried(once)
