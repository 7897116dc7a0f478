"""The engine: what a run does by itself, in the process of whoever handed a step in and in workers, by the same functions.

Of two at once one finds that the run has moved, and looks again; so a job may come twice, to two workers, or to one that was frozen for an hour.
"""

import functools
import logging
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from console import accounts, effects, log, queue, workflows
from console.core import commands
from console.core.actor import Actor
from console.core.commands import Command, Wish
from console.core.run import Effect, Run
from console.db.engine import alone
from console.db.ids import new_id
from console.errors import Conflict, ConsoleError, IntegrationError, NotAllowed, SourceDown
from console.runs.stepping import context_of, plan_of, record_of, require_step, stand
from console.runs.store import ENGINE, Loaded, decide, load, retried, write
from console.steps.base import AsksPerson, Completion
from console.workflows import Definition

logger = logging.getLogger(__name__)
IN_ONE_GO = 20  # automatic steps before the rest is left to the background
IN_ONE_GO_S = 2.0
FIRST_PAUSE_S = 2.0  # before an automatic step is tried again; each further pause is twice as long
LONGEST_PAUSE_S = 3600.0


def _never() -> bool:
    return False


def advance(run_id: str, stopping: Callable[[], bool] = _never) -> None:
    """Move a run that nobody moves: the engine's own way in, idempotent. Acts with the rights of the holder, else of the last one.

    Where that person's account is closed, somebody else is asked. Two at once do no harm: of two transitions from the same point one finds
    that the run has moved. `stopping` is asked before each step; what is left then is put into the queue for others.
    """
    loaded = load(run_id)
    if loaded is None or loaded.run.ended:
        return
    definition = workflows.version(loaded.run.workflow, loaded.run.version)
    if (loaded.run.status == "waiting_time" or _by_itself(definition, loaded)) and queue.paused():
        return  # found again when it is switched on
    if loaded.run.status == "waiting_time":
        if (fired := _fired(definition, loaded)) is None:
            return
        loaded = fired
    run = loaded.run
    try:
        actor = accounts.actor_of_person(run.holder or run.last_holder or run.started_by, "sys:engine")
    except NotAllowed as closed:
        _ask_somebody(definition, loaded, closed)
        return
    here = run.attempt
    stuck: Effect | None = next((effect for effect in here.effects if effect.status == "requested"), None) if here else None
    if here is not None and here.status == "performing" and stuck is not None:
        try:
            loaded = _performed(definition, loaded, stuck, functools.partial(effects.recover, actor, stuck))
        except SourceDown:
            return  # asked again at the next sweep; the run says that it waits for the effect
    loaded = go_on(actor, definition, loaded, stopping)
    if stopping() and loaded.run.moving:
        queue.enqueue_all([queue.advance(run_id, loaded.run.seq)])


def _fired(definition: Definition, loaded: Loaded) -> Loaded | None:
    """The run after its timer; None where that is not due, or another process was at it first."""
    waiting, now = loaded.run.waiting or {}, log.now()
    if loaded.run.current is None or waiting.get("until") is None or datetime.fromisoformat(waiting["until"]) > now:
        return None
    try:
        return write(ENGINE, definition, loaded, decide(plan_of(definition), loaded, commands.Fire(loaded.run.current), now))
    except log.Moved:
        return None


def _ask_somebody(definition: Definition, loaded: Loaded, closed: NotAllowed) -> None:
    """What can no longer be done in the name of who began it becomes a take-over."""
    here = loaded.run.attempt
    asked = next((effect for effect in here.effects if effect.status == "requested"), None) if here else None
    if here is not None and here.status == "performing" and asked is not None:
        _performed(definition, loaded, asked, functools.partial(commands.Report, asked.id, "unknown", closed.code, closed.message))
    elif here is not None and loaded.run.status == "running":
        failing = commands.Fail(here.step, closed.code, closed.message)
        write(ENGINE, definition, loaded, decide(plan_of(definition), loaded, failing, log.now()))


def go_on(actor: Actor, definition: Definition, loaded: Loaded, stopping: Callable[[], bool] = _never) -> Loaded:
    """Perform what was asked for and take automatic steps, until the run waits for something or enough was done in one go: the last of these
    transitions puts in the job that goes on. While everything is paused nothing outside is changed but what a person handed in; steps that only
    lead from one form to the next are part of working by hand.
    """
    until = time.monotonic() + IN_ONE_GO_S
    tried: set[str] = set()
    for number in range(1, IN_ONE_GO + 1):
        last = number == IN_ONE_GO or time.monotonic() > until
        here = loaded.run.attempt
        if stopping():
            break
        if here is not None and here.status == "performing":
            asked = next((effect for effect in here.effects if effect.status == "requested"), None)
            if asked is None or asked.id in tried or (_by_itself(definition, loaded) and queue.paused()):
                break
            tried.add(asked.id)
            loaded = _performed(definition, loaded, asked, functools.partial(effects.perform, actor, asked), hand_on=last)
        elif loaded.run.status == "running":
            before, loaded = loaded, _step_by_itself(actor, definition, loaded, hand_on=last)
            if loaded is before:
                break
        else:
            break
        if last:
            break
    return loaded


def _by_itself(definition: Definition, loaded: Loaded) -> bool:
    """Whether the step at hand is one that no person hands in."""
    here = loaded.run.attempt
    return here is not None and here.step in plan_of(definition).automatic


def _performed(
    definition: Definition, loaded: Loaded, asked: Effect, act: Callable[[], commands.Report], *, hand_on: bool = False
) -> Loaded:
    """Perform the effect and note what came of it, unless another process is at it (a slow one must not be taken for a dead one), or was:
    one that was frozen finds it done.
    """
    with alone(loaded.run.id) as mine:
        if not mine:
            return loaded
        current = load(loaded.run.id) or loaded
        found = current.run.effect(asked.id)
        if found is None or found[1].status != "requested":
            return current
        return _report(definition, current, act(), hand_on=hand_on)


def _report(definition: Definition, loaded: Loaded, report: commands.Report, *, hand_on: bool = False) -> Loaded:
    """Note what came of an effect; whoever looked meanwhile does not matter."""
    plan = plan_of(definition)

    def once() -> Loaded:
        current = load(loaded.run.id) or loaded
        return write(ENGINE, definition, current, decide(plan, current, report, log.now()), hand_on=hand_on)

    return retried(once)


def _step_by_itself(actor: Actor, definition: Definition, loaded: Loaded, *, hand_on: bool = False) -> Loaded:
    """One automatic step with the rights of the run's holder. What may pass is tried again later; what goes wrong for good becomes a take-over
    that a person sees.
    """
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
        if completion.effects and queue.paused():
            return loaded
        command: Command = handing_in(None, here.attempt.step, run, completion, chosen=completion.chosen)
        if completion.until is not None and completion.until > now:
            command = commands.Wait(here.attempt.step, log.body.moment(completion.until), completion.outcome, completion.output)
        events = decide(plan, loaded, command, now)
    except ConsoleError as error:
        events = decide(plan, loaded, _not_done(definition, loaded, error, now), now)
    except Exception:
        logger.exception("run %s, step %s", run.id, here.attempt.step)
        message = "Something unexpected went wrong in this step. Try again, or tell who runs the console."
        events = decide(plan, loaded, commands.Fail(here.attempt.step, "internal_error", message), now)
    try:
        return write(ENGINE, definition, loaded, events, hand_on=hand_on)
    except log.Moved:
        return load(run.id) or loaded


def _not_done(definition: Definition, loaded: Loaded, error: ConsoleError, now: datetime) -> Command:
    """What follows from an automatic step that could not be done: another try after a pause, as often as the workflow allows, or the end of it."""
    run, step = loaded.run, loaded.run.attempt.step if loaded.run.attempt else ""
    passing = (isinstance(error, SourceDown) and error.passing) or (isinstance(error, IntegrationError) and not error.permanent)
    if not passing or run.tries >= definition.document.settings.retries:
        return commands.Fail(step, error.code, error.message, asks=isinstance(error, AsksPerson))
    pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**run.tries) * random.uniform(0.75, 1.25)  # noqa: S311 (spread, not secrecy)
    return commands.Delay(step, error.code, error.message, log.body.moment(now + timedelta(seconds=pause_s)))


def handing_in(
    by: str | None,
    step: str,
    run: Run,
    completion: Completion,
    *,
    handled_manually: bool = False,
    reason: str = "",
    chosen: str | None = None,
) -> commands.Complete:
    """The command that hands in what the step came to; each effect asked for gets its id here."""
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
