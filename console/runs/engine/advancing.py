"""The engine: automatic steps and effects, in the process of the person who completed a step, and in workers, by the same functions.

If two processes move a run at once, one of them finds that it has moved, and reads it again. So a job can safely run twice.
"""

import functools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from console import log, workflows
from console.auth import accounts
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, NotAllowed, SourceDown
from console.core.run import Attempt, Effect, Event, Run, commands, decisions, repeating
from console.core.run.approval_request import MESSAGE
from console.core.run.commands import Command
from console.core.run.origin import KEY_ENDS
from console.core.run.settling import ends_on_error
from console.core.run.step_requests import Awaited, SideRow, Wish
from console.infra import jobs
from console.infra.db.ids import new_id
from console.records import Record
from console.runs.commands.approval_requests import complete_request, notify_approvers
from console.runs.engine import addressees, proposing, run_turns
from console.runs.engine.effecting import (
    awaited_source,
    is_passing,
    make_beside,
    make_effect,
    perform_action,
    put_off_action,
    recover_action,
    retry_moment,
    serves_people,
)
from console.runs.engine.made_by_runs import former_runs, starts_runs_and_stands
from console.runs.engine.missing_records import record_left
from console.runs.engine.stepping import (
    OpenStep,
    context_of,
    plan_of,
    record_of,
    require_step,
    require_tagging,
    step_at,
)
from console.runs.store.loaded_runs import Loaded
from console.runs.store.run_events import ENGINE
from console.runs.store.run_rows import as_stored, with_loaded_rows
from console.runs.store.run_store import Also, after_stored, former_attempt, load, write
from console.steps.base import AsksPerson, Completion, Context
from console.steps.effects import target_of
from console.workflows import Definition, inboxes

logger = logging.getLogger(__name__)
IN_ONE_GO = 20  # at most so many automatic steps; a worker does the rest
IN_ONE_GO_S = 2.0
AT_ONCE_S = 0.05  # quick automatic steps are committed together until they took this long
PLACES_APART_S = 0.01  # of a workflow, those who find no place look again so far apart at least
TAGS = frozenset({"tag_added", "tag_removed"})
LIMITS = frozenset({"too_many_steps", "asks_person", "already_done"})
"""Codes of errors for which the step's edge for errors is not taken, because nothing went wrong."""


Onlooker = Callable[[Loaded], tuple[list[Event], Mapping[str, Any] | None]]
"""Draws the screen at which the automatic steps end: (its events, its row) are committed with the last steps."""


def _never() -> bool:
    return False


def _nobody(_ahead: Loaded) -> tuple[list[Event], None]:
    return [], None


def advance(run_id: str, stopping: Callable[[], bool] = _never) -> None:
    """Go on with a run: what a worker calls, idempotent. Uses the rights of the holder, else of the last holder; of its account if nobody holds it.

    If that account is closed, another person gets the step; a hands-off run does what its document says about errors. `stopping` is called before each step; if it is True, the rest goes back
    into the queue. Raises PutBack where as many runs of its workflow are worked on, or as many wait for whom it asks outside, as may at once.
    """
    loaded = load(run_id)
    if loaded is None or loaded.run.ended:
        return
    definition = workflows.version(loaded.run.workflow, loaded.run.version)
    with run_turns.turn_of(definition, loaded.run) as free:
        if not free:
            raise jobs.PutBack(jobs.outside_places.pause_s(definition.id, PLACES_APART_S))
        _advance(definition, loaded, stopping)


def _advance(definition: Definition, loaded: Loaded, stopping: Callable[[], bool]) -> None:
    run_id = loaded.run.id
    waits, first = loaded.run.status == "waiting_time" or loaded.run.waits_outside, list[Event]()
    if (waits or _at_automatic_step(definition, loaded)) and jobs.paused():
        return  # the sweep finds it again when the pause ends
    if waits and workflows.paused(definition):
        return  # its timer fires when the workflow is activated again
    ends = workflows.cancelled(definition)
    if ends and loaded.run.wanted is None:
        return  # it is ended in its turn
    if waits and not (first := _timer_events(definition, loaded.run)):
        return
    run = loaded.run
    try:
        actor = accounts.actor_of_person(run.acts_for, "sys:engine")
    except NotAllowed as closed:
        _ask_person(definition, write(ENGINE, definition, loaded, first) if first else loaded, closed)
        return
    if run.wanted is not None and not jobs.outside_places.take(target_of(run.wanted)):
        run_turns.look_again(loaded.run, since=run.seq)
    if run.wanted is not None and run.status == "waiting_event" and not waits:
        if jobs.paused_because():
            return  # what was under way in the original is not found out, or made again, from a copy
        try:
            loaded = make_effect(
                definition, loaded, run.wanted, recover_action(actor, run.wanted), again=True
            )
        except SourceDown:
            return  # tried again at the next sweep; the run still waits for the effect
        if ends:
            return
    try:
        loaded = go_on(actor, definition, loaded, stopping, first=first)
    except log.Moved:
        return  # another process was first
    notify_approvers(loaded.run)
    if stopping() and loaded.run.status == "running":
        jobs.enqueue_all([jobs.advance(run_id, loaded.run.seq, hands_off=loaded.run.hands_off)])
    elif jobs.outside_places.refused() and loaded.run.status == "running":
        run_turns.look_again(loaded.run, since=run.seq)


def _timer_events(definition: Definition, run: Run) -> list[Event]:
    """What the run's timer makes of it; nothing if it is not due."""
    waiting, now = run.waiting or {}, log.now()
    if run.current is None or waiting.get("until") is None or datetime.fromisoformat(waiting["until"]) > now:
        return []
    return decisions.decide(plan_of(definition), run, commands.Fire(run.current), now)


def go_on_with(
    definition: Definition, loaded: Loaded, events: Sequence[Event], also: Also | None = None
) -> Loaded:
    """Commit what has come for a run that nobody holds, with the quick steps that its account does next, in one transition: for a worker. Raises log.Moved.

    A job goes on with it where a step changes something outside, or where as many of its workflow are worked on as may be at once, everything is paused or
    the account is closed.
    """
    with run_turns.place_of(definition) as free:
        try:
            actor = (
                accounts.actor_of_person(loaded.run.acts_for, "sys:engine")
                if free and not jobs.paused()
                else None
            )
        except NotAllowed:
            actor = None
        if actor is None:
            return write(ENGINE, definition, loaded, events, hand_on=True, also=also)
        until = time.monotonic()
        return _take_automatic_steps(
            actor, definition, loaded, IN_ONE_GO, until, _never, _nobody, events, effects=False, also=also
        )[0]


def _ask_person(definition: Definition, loaded: Loaded, closed: NotAllowed) -> None:
    """Turn what can no longer be done with a closed account's rights into a take-over."""
    attempt = loaded.run.attempt
    effect = loaded.run.wanted
    if effect is not None and loaded.run.status == "waiting_event":
        report = commands.Report(effect.id, "unknown", closed.code, closed.message, asks=True)
        make_effect(definition, loaded, effect, lambda _run: report)
    elif attempt is not None and loaded.run.status == "running":
        asks = (
            definition.document.run_as is None
        )  # somebody else can do it in their own name, in a branch of a guided run too
        failing = commands.Fail(
            attempt.step, closed.code, closed.message, asks=asks, edge=loaded.run.hands_off
        )
        write(
            ENGINE, definition, loaded, decisions.decide(plan_of(definition), loaded.run, failing, log.now())
        )


def go_on(
    actor: Actor,
    definition: Definition,
    loaded: Loaded,
    stopping: Callable[[], bool] = _never,
    onlooker: Onlooker = _nobody,
    *,
    first: Sequence[Event] = (),
) -> Loaded:
    """Make requested effects and do automatic steps, until the run waits or enough was done at once; then the last commit puts in a job.

    `first` are events that lead to these steps and are committed with them. Raises log.Moved where the run has moved before they were.

    While everything is paused, only effects that a person submitted are made. Automatic steps without effects are still done.
    """
    until = time.monotonic() + IN_ONE_GO_S
    tried: set[str] = set()
    left = IN_ONE_GO
    while True:
        effect = loaded.run.wanted if loaded.run.status == "waiting_event" else None
        if first:
            loaded, taken = _take_automatic_steps(
                actor, definition, loaded, left, until, stopping, onlooker, first
            )
            first, left = (), left - taken
        elif (
            effect is not None and effect.id not in tried
        ):  # this process requested it, so it makes it: others cannot know whether it was begun
            tried.add(effect.id)
            left -= 1
            looks = _at_automatic_step(definition, loaded) and ends_on_error(plan_of(definition), loaded.run)
            make = partial(
                _make_in_place,
                actor,
                definition,
                loaded,
                effect,
                looks=looks,
                until=until if left > 0 else 0.0,
            )
            if (made := make_beside(make, _hand_on)) is None:
                break
            loaded = made
        elif loaded.run.status != "running" or left <= 0 or time.monotonic() > until or stopping():
            break
        elif (
            actor.id != loaded.run.acts_for and loaded.run.hands_off
        ):  # a person has done a step: the rest is done as its account, by a worker
            jobs.enqueue_all([jobs.advance(loaded.run.id, loaded.run.seq, hands_off=True)])
            break
        else:
            loaded, taken = _take_automatic_steps(actor, definition, loaded, left, until, stopping, onlooker)
            left -= taken
            if not taken:
                break
    return loaded


def _make_in_place(
    actor: Actor, definition: Definition, loaded: Loaded, effect: Effect, *, looks: bool, until: float
) -> Loaded:
    """Make the effect, unless as many wait for its target as may, and a worker can: then it is put off. After `until` a job takes the steps that follow."""
    last = loaded.run.tries >= definition.document.settings.retries  # it would fail, unasked
    free = jobs.outside_places.take(target_of(effect), anyway=last or not serves_people())
    act = perform_action(actor, effect, looks=looks) if free else put_off_action(effect)
    try:
        return make_effect(definition, loaded, effect, act, hand_on=lambda: time.monotonic() > until)
    finally:
        jobs.outside_places.leave()


def _hand_on(loaded: Loaded) -> None:
    """A job goes on with the run: nobody waits for it here any more."""
    if loaded.run.status == "running":
        jobs.enqueue_all([jobs.advance(loaded.run.id, loaded.run.seq, hands_off=loaded.run.hands_off)])


def _at_automatic_step(definition: Definition, loaded: Loaded) -> bool:
    """Whether the current step is automatic, and no person completed it."""
    attempt = loaded.run.attempt
    return attempt is not None and attempt.by is None and attempt.step in plan_of(definition).automatic


def _take_automatic_steps(
    actor: Actor,
    definition: Definition,
    loaded: Loaded,
    most: int,
    until: float,
    stopping: Callable[[], bool],
    onlooker: Onlooker,
    first: Sequence[Event] = (),
    *,
    effects: bool = True,
    also: Also | None = None,
) -> tuple[Loaded, int]:
    """Do automatic steps until the run waits, an effect is requested, or they took `AT_ONCE_S`. (the run, how many steps were done).

    All are committed in one transaction, after the events that come `first`, so that quick steps cost little. No effect is made before the commit.
    Without `effects` a step that requests one is left to the job that goes on.
    """
    begun, events, taken = time.monotonic(), [as_stored(event) for event in first], 0
    ahead = after_stored(loaded, events) if first else loaded
    record = functools.cache(lambda: record_of(actor, loaded.run))
    while (
        ahead.run.status == "running"
        and taken < most
        and (not taken or not (time.monotonic() - begun > AT_ONCE_S or stopping()))
    ):
        try:
            tagged = any(event.type in TAGS for event in events)
            base, more = automatic_step_events(actor, definition, ahead, tagged=tagged, record_read=record)
        except log.Moved:  # earlier attempts must be read, which needs these events committed first
            if not events:
                return load(loaded.run.id) or loaded, 1
            break
        more = [as_stored(event) for event in more]
        following = after_stored(base, more)
        wanted = following.run.wanted
        if not more or (wanted is not None and not (effects and jobs.outside_places.take(target_of(wanted)))):
            break
        loaded = loaded if events else base
        events += more
        ahead, taken = following, taken + 1
    if not events:
        return loaded, 0
    looks, shown = onlooker(ahead) if ahead.run.status == "waiting_person" else _nobody(ahead)
    if looks:
        more = [as_stored(event) for event in looks]
        events, ahead = [*events, *more], after_stored(ahead, more)
    try:
        hand_on = taken == most or time.monotonic() > until or not effects
        by = actor if looks else ENGINE
        return write(
            by, definition, loaded, events, shown=shown, hand_on=hand_on, after=ahead.run, also=also
        ), taken
    except log.Moved:
        if first:
            raise
        return load(loaded.run.id) or loaded, taken


def automatic_step_events(
    actor: Actor,
    definition: Definition,
    loaded: Loaded,
    *,
    tagged: bool = False,
    record_read: Callable[[], Record | None] | None = None,
) -> tuple[Loaded, list[Event]]:
    """(the run, the events of one automatic step), with the rights of the run's holder; no events while effects are paused.

    An error that may pass is tried again later; any other becomes a take-over that a person sees. `tagged`: tags may be changed by earlier events of the run
    that are not committed yet. Raises log.Moved where they have to be first. `record_read` gives the run's record as the actor sees it, if the caller reads it.
    """
    run, plan = loaded.run, plan_of(definition)
    now, since = log.now(), time.monotonic()
    open_step = step_at(definition, run)
    limit = definition.document.time_limit_ms(hands_off=run.hands_off)
    if limit is not None and run.worked_by(now) > limit:
        return loaded, decisions.decide(plan, loaded.run, commands.TimeOut(), now)
    context: Context | None = None
    try:
        require_few_automatic(definition, run)
        if not open_step.kind.by_itself(definition.document.step(open_step.attempt.step).config):
            require_step(actor, open_step)
        if open_step.kind.tags:
            require_tagging(actor, run)
            if tagged:  # what the record has is read from its rows, where an earlier step's tag is not yet
                raise log.Moved
        record = record_left(actor, open_step, record_read)
        context = with_done_before(loaded, open_step, context_of(actor, open_step, record, now))
        completion = open_step.kind.complete_by_itself(open_step.view, context)
        _require_in_time(definition, since)
        if completion.effects and jobs.paused():
            return loaded, []
        base = loaded_with_former(loaded, completion)
        approval = (
            complete_request(completion.approval, base.run, open_step, context, record)
            if completion.approval
            else None
        )
        side_rows: Sequence[SideRow] = ()
        if completion.asks_ai:
            if open_step.kind.purpose == proposing.DECIDE:
                proposing.require_promoted(definition, open_step.attempt.step)
            wanted, awaits = proposing.request_and_wait(definition, run, actor.id, now)
            side_rows, completion = [wanted], replace(completion, awaits=awaits)
        completing = with_former_runs(
            completing_command(None, open_step.attempt.step, run, completion), base.run, completion
        )
        command: Command = replace(
            completing,
            chosen=completion.chosen,
            approval=approval,
            side_rows=[*side_rows, *completing.side_rows],
        )
        if completion.until is not None and completion.until > now:
            command = commands.Wait(
                open_step.attempt.step,
                log.body.moment(completion.until),
                completion.outcome,
                completion.output,
            )
        return base, with_loaded_rows(decisions.decide(plan, base.run, command, now), context)
    except log.Moved:
        raise
    except ConsoleError as error:
        failed = decisions.decide(plan, loaded.run, failure_command(definition, loaded, error, now), now)
        return loaded, with_loaded_rows(failed, context)  # the message may hold values of the rows
    except Exception:
        logger.exception("run %s, step %s", run.id, open_step.attempt.step)
        message = "Something unexpected went wrong in this step. Try again, or tell who runs the console."
        return loaded, decisions.decide(
            plan, loaded.run, commands.Fail(open_step.attempt.step, "internal_error", message), now
        )


def require_few_automatic(definition: Definition, run: Run) -> None:
    """Raise Conflict `too_many_steps` if the run took as many automatic steps in a row as its workflow allows."""
    if run.automatic >= definition.document.settings.max_automatic_steps:
        raise Conflict(
            f"{run.automatic} automatic steps were taken in a row; look whether the workflow goes in circles.",
            code="too_many_steps",
        )


def failure_command(definition: Definition, loaded: Loaded, error: ConsoleError, now: datetime) -> Command:
    """The command after an automatic step failed: another try later, as often as the workflow allows, or failure."""
    run, step = loaded.run, loaded.run.attempt.step if loaded.run.attempt else ""
    if is_passing(error) and run.tries < definition.document.settings.retries:
        return commands.Delay(
            step, error.code, error.message, retry_moment(definition, run.tries, now), awaited_source(error)
        )
    needs_person = isinstance(error, (AsksPerson, NotAllowed))
    if run.hands_off:  # nobody is there to be asked: what the document says about errors counts for this too
        return commands.Fail(
            step,
            error.code,
            error.message,
            error.code == "already_done",
            edge=error.code not in LIMITS - {"asks_person"},
        )
    return commands.Fail(
        step,
        error.code,
        error.message,
        needs_person or error.code == "already_done",
        edge=error.code not in LIMITS and not needs_person,
    )


def _require_in_time(definition: Definition, since: float) -> None:
    """Raise ConsoleError if reading for the step took longer than the workflow allows. Nothing was done yet."""
    limit = definition.document.settings.step_seconds
    if time.monotonic() - since > limit:
        raise ConsoleError(
            f"This step took longer than {limit} seconds, which is this workflow's limit.", code="timeout"
        )


def with_done_before(loaded: Loaded, open_step: OpenStep, context: Context) -> Context:
    """The context with `done_before`: whether a cancelled attempt of this step made its action already. Raises log.Moved."""
    if not context.acts or open_step.attempt.attempt == 1:
        return context
    if (former := _former(loaded)) is not None and repeating.stands_with_effects(former):
        return replace(context, done_before=False)
    whole = loaded if len(loaded.run.attempts) == loaded.run.made else load(loaded.run.id, whole=True)
    if whole is None or whole.run.seq != loaded.run.seq:
        raise log.Moved
    return replace(context, done_before=bool(repeating.former_changes(whole.run, open_step.attempt)))


def loaded_with_former(loaded: Loaded, completion: Completion) -> Loaded:
    """The run with the attempts that tell what was made before, if the step is done again and makes something. Raises log.Moved.

    That is the last one of the step where it stands and made something too, as in a circle or a long list gone through in parts; else all of them.
    """
    attempt = loaded.run.attempt
    makes = (
        completion.effects
        or completion.task
        or completion.notice
        or completion.awaits
        or completion.message
        or completion.children
    )
    if not makes or attempt is None or attempt.attempt == 1 or len(loaded.run.attempts) == loaded.run.made:
        return loaded
    former = _former(loaded)
    if former is not None and completion.approval is None and _nothing_before(former, completion):
        return replace(loaded, run=replace(loaded.run, attempts={former.n: former, **loaded.run.attempts}))
    whole = load(loaded.run.id, whole=True)
    if whole is None or whole.run.seq != loaded.run.seq:
        raise log.Moved
    return whole


def _former(loaded: Loaded) -> Attempt | None:
    """The last attempt of the present step before this one; None also where all attempts are loaded."""
    run, attempt = loaded.run, loaded.run.attempt
    return (
        former_attempt(run.id, attempt.step, attempt.n)
        if attempt is not None and len(run.attempts) < run.made
        else None
    )


def _nothing_before(former: Attempt, completion: Completion) -> bool:
    """Whether what the step did before this former attempt does not matter to what it makes now."""
    effects = (
        completion.effects or completion.task or completion.notice or completion.awaits or completion.message
    )
    return (not effects or repeating.stands_with_effects(former)) and (
        not completion.children or starts_runs_and_stands(former)
    )


def with_former_runs(command: commands.Complete, run: Run, completion: Completion) -> commands.Complete:
    """The command with what runs made that the step started before, if it starts some. The run has all attempts, as `loaded_with_former` answers it."""
    return replace(command, former=former_runs(run, command.values)) if completion.children else command


def wishes_of(run: Run, completion: Completion) -> list[Wish]:
    """The wishes of the completion, with new ids. A message that others have to approve is one of them."""
    made = [
        Wish(new_id("eff"), effect.kind, effect.summary, effect.request(run)) for effect in completion.effects
    ]
    if completion.message is None or completion.approval is None:
        return made
    row = addressees.message_row(completion.message)
    asked = {"open": dict(row.open), "message": row.sealed["content"]}
    return [*made, Wish(new_id("eff"), MESSAGE, "Send the message", asked)]


def completing_command(
    by: str | None, step: str, run: Run, completion: Completion, slug: str | None = None
) -> commands.Complete:
    """The command that completes the step, without what the caller knows alone. Raises Invalid for an inbox that the team does not use.

    `slug`: of its workflow, for a dry run, which writes nothing.
    """
    if completion.hands_over is not None:
        inboxes.require_used(completion.hands_over.inbox, run.team)
    beside, awaits = (
        addressees.resolve_addressees(run, completion, slug) if completion.involves_others else ((), None)
    )
    values, output = completion.values, completion.output
    if completion.task is not None and completion.task.once is not None:
        output = {**(output or {}), "made": any(row.kind == "task_created" for row in beside)}
    if completion.children:
        awaits = Awaited("run", f"{run.id}:{run.made}:{run.seq}{KEY_ENDS.get(completion.joins, '')}")
        values = {
            **values,
            "children": [child.to_json() for child in completion.children],
            "until": completion.joins,
        }
    return commands.Complete(
        by=by,
        step=step,
        revision=run.revision,
        outcome=completion.outcome,
        values=values,
        output=output,
        effects=wishes_of(run, completion),
        ends=completion.ends,
        rule=completion.rule,
        awaits=awaits,
        side_rows=beside,
        hands_over=completion.hands_over,
    )
