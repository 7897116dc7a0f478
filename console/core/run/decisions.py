"""`decide` turns a command to a run into events, or refuses it.

Pure: the time is passed as `now`, new ids come with the command. `console.auth.access` has judged the person's rights before;
this module judges whether the command is possible at this point of the run, and whether the person holds it.
Source: docs/adr/0005-runs.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from console.core.events import MOVES
from console.core.run import (
    Attempt,
    Event,
    Run,
    approving,
    commands,
    going_back,
    holding,
    repeating,
    settling,
    side_work,
    version_moves,
    waiting,
)
from console.core.run.causes import addresses_in, stored
from console.core.run.commands import Command, Complete, FormerRuns, Plan, Report, Start, Supply, Taken
from console.core.run.evolve import fold
from console.core.run.moves import (
    enter_step,
    go_to_next,
    has_ended,
    not_possible,
    require_completable,
    require_holder,
    require_reason,
    sealed_of,
    stale_form,
)
from console.core.run.origin import HANDS_OFF
from console.core.run.step_requests import Awaited


def decide(plan: Plan, run: Run, command: Command, now: datetime) -> list[Event]:
    """The events that the command makes of the run. Raises Conflict (`stale_revision`, `not_holder`, `not_possible`) or Invalid."""
    if isinstance(command, Start):
        return _numbered(run, _start(plan, run, command, now))
    if run.ended:
        if isinstance(command, Report):
            return settling.late_report(command, now)
        raise has_ended(run)
    revision = getattr(command, "revision", None)
    if revision is not None and revision != run.revision:
        raise stale_form()
    return _numbered(run, DECISIONS[type(command)](plan, run, command, now))


def _numbered(run: Run, events: list[Event]) -> list[Event]:
    """The events with the revision that the run has after them: one transition, one revision. A late report changes no revision."""
    return [
        Event(
            event.type,
            event.at,
            {**event.open, "revision": run.revision + 1},
            event.sealed,
            event.step,
            event.by,
        )
        if event.type in MOVES
        else event
        for event in events
    ]


def _start(plan: Plan, run: Run, command: Start, now: datetime) -> list[Event]:
    start = plan.workflow.start
    open_data = (
        {
            "id": command.id,
            "workflow": command.workflow,
            "version": command.version,
            "team": command.team,
            "collection": command.collection,
            "record": command.record,
            "exclusive": command.exclusive,
            "started_by": command.acts_for or command.by,
            "holder": None if command.acts_for else command.by,
            "trigger": command.trigger,
        }
        | _hands_off(command)
        | ({"test": True} if command.test else {})
        | ({"label": command.label} if command.label else {})
        | ({"linked_to": command.linked_to} if command.linked_to else {})
        | ({"caused_by": stored(command.caused_by)} if command.caused_by else {})
    )
    event = command.origin.event if command.origin is not None else None
    sealed = sealed_of(
        input=dict(command.input),
        title=command.title,
        titled=dict(command.titled),
        event=None if event is None else dict(event),
    ) | {"loaded": {}}
    sealed |= sealed_of(addresses=addresses_in(command.caused_by))
    if command.fork is not None:
        sealed |= sealed_of(
            context={step: dict(output) for step, output in command.fork.context.items()},
            item=command.fork.item,
        )
    began = Event("run_started", now, open_data, sealed, by=command.by)
    events, follows, last, last_outcome = (
        [began],
        command.fork.start if command.fork is not None else None,
        start.id,
        "default",
    )
    if command.fork is None:
        entered = enter_step(plan, run, start.id, 1, now, "running")
        if command.wrong:
            why = {"code": "wrong_input"}, {"message": command.wrong}
            failed = Event("step_failed", now, why[0] | {"type": "start"}, why[1], (start.id, 1))
            return [began, entered, failed, Event("run_failed", now, *why)]
        outcome = {
            "n": 1,
            "type": "start",
            "outcome": "default",
            "automatic": False,
            "handled_manually": False,
        }
        done = Event(
            "step_completed",
            now,
            outcome,
            sealed_of(values=dict(command.input), output=dict(command.output)),
            (start.id, 1),
            command.by,
        )
        events, follows = [began, entered, done], plan.workflow.target(last, last_outcome)
    after = fold(events, run)
    for each in command.taken:
        if follows != each.step:
            raise not_possible(
                run,
                "Beginning again where it failed, for its way there is another in this version; from the start",
            )
        more = _take_over_step(plan, after, each, command, now)
        events += more
        after, last, last_outcome = fold(more, after), each.step, each.outcome
        follows = plan.workflow.target(last, last_outcome)
    if command.fork is not None and not command.taken:
        return [*events, enter_step(plan, run, command.fork.start, 1, now)]
    return [*events, *go_to_next(plan, after, last, last_outcome, None, now)]


def _hands_off(command: Start) -> dict[str, Any]:
    """The open values of a start that nobody holds; empty for a guided run."""
    if command.acts_for is None:
        return {}
    open_data: dict[str, Any] = {"mode": HANDS_OFF}
    if command.origin is not None:
        open_data["origin"] = {"id": command.origin.id}
    if command.parent is not None:
        open_data["parent"] = {
            name: getattr(command.parent, name) for name in ("run", "branch", "key", "depth")
        }
    if command.fork is not None:
        open_data["fork"] = {"start": command.fork.start, "join": command.fork.join} | (
            {"guided": True} if command.fork.guided else {}
        )
    return open_data | ({"start_key": command.key} if command.key else {})


def _take_over_step(plan: Plan, run: Run, each: Taken, command: Start, now: datetime) -> list[Event]:
    """The events of a step that is taken over from the run that is repeated."""
    entered = enter_step(plan, run, each.step, run.made + 1, now, "running")
    open_data = {
        "n": run.made + 1,
        "type": plan.workflow.step(each.step).type,
        "outcome": each.outcome,
        "automatic": True,
        "handled_manually": each.handled_manually,
        "taken_from": command.linked_to,
    }
    sealed = sealed_of(values=dict(each.values), output=dict(each.output)) | (
        {"loaded": dict(each.loaded)} if each.loaded else {}
    )
    return [entered, Event("step_completed", now, open_data, sealed, entered.step)]


def opening(plan: Plan, by: str, team: str, now: datetime) -> Run:
    """A run at its start step that is not stored yet, to check its input."""
    start = plan.workflow.start
    return Run(
        team=team,
        started_by=by,
        holder=by,
        made=1,
        current=1,
        attempts={1: Attempt(1, start.id, 1, "open", now)},
    )


def _complete(plan: Plan, run: Run, command: Complete, now: datetime) -> list[Event]:
    attempt = require_completable(run, command.by, command.step, command.revision)
    if (
        command.by is None
        and not _completed_by_ai(run, command)
        and (attempt.step not in plan.automatic or run.status != "running")
    ):
        raise not_possible(run, "Completing a person's step without a person")
    step, side_events = (attempt.step, attempt.attempt), list[Event]()
    if command.former is not None:
        command = _with_former_runs(command, command.former)
    if command.side_rows or command.awaits is not None:
        side_rows = side_work.create_side_rows(run, attempt, command, now)
        side_events, command = (
            side_rows.events,
            replace(command, awaits=side_rows.awaits, **_standing(side_rows.stands)),
        )
    open_data = {
        "n": attempt.n,
        "type": plan.workflow.step(attempt.step).type,
        "outcome": command.outcome,
        "automatic": command.by is None,
        "handled_manually": command.handled_manually,
        **({"proposal": dict(command.proposal)} if command.proposal else {}),
    }
    output = None if command.output is None else dict(command.output)
    sealed = sealed_of(values=dict(command.values), reason=command.reason) | (
        {} if output is None else {"output": output}
    )
    chosen = [Event("outcome_chosen", now, _choice(command), {}, step, command.by)] if command.chosen else []
    manual = (
        [
            Event(
                "handled_manually",
                now,
                {"outcome": command.outcome},
                sealed_of(reason=command.reason),
                step,
                command.by,
            )
        ]
        if command.handled_manually
        else []
    )
    chosen += side_events
    if command.effects or command.awaits or command.approval:
        if command.effects and command.awaits is not None:
            open_data["awaits"] = waiting.awaited_data(command.awaits)
        submitted = Event("step_submitted", now, open_data, sealed, step, command.by)
        go_to_next(
            plan, run, attempt.step, command.outcome, command.ends, now
        )  # refuse an outcome without a next step before anything is done
        if command.approval is not None:
            side_work.require_message_anew(run, attempt, command)
            return [
                *chosen,
                *manual,
                *approving.submit_for_approval(plan, run, attempt, command, submitted, now),
            ]
        if command.effects or command.awaits is None:
            return [*chosen, *manual, *settling.submit_effects(plan, run, attempt, command, submitted, now)]
        return [*chosen, *manual, submitted, _awaited(attempt, command.awaits, now)]
    completed = Event("step_completed", now, open_data, sealed, step, command.by)
    return [*chosen, *manual, completed, *_next(plan, fold([completed], run), attempt, command, now)]


def _standing(former: Attempt | None) -> dict[str, Any]:
    """The result that the step had before, if its side row is answered already: then nothing is waited for again."""
    return (
        {}
        if former is None
        else {"outcome": former.outcome, "values": dict(former.values), "output": former.output}
    )


def _with_former_runs(command: Complete, former: FormerRuns) -> Complete:
    """The command, where a person has said what to do about that the runs which the step starts were made before. Raises Conflict `already_done` else."""
    offered = ["again"] if former.result is None else ["keep", "again"]
    if command.repeat not in offered:
        raise repeating.already_done(former.effects, offered, command.repeat)
    if command.repeat == "again":
        require_reason(command.reason)
        return command
    return replace(command, awaits=None, **_standing(former.result))


def _completed_by_ai(run: Run, command: Complete) -> bool:
    """Whether a promoted step is completed without a person. After an error, or with an unknown effect, a person must do it."""
    return (
        command.by_ai
        and run.status == "waiting_person"
        and run.holder is not None
        and run.take_over is None
        and run.unknown is None
    )


def _supply(_plan: Plan, run: Run, command: Supply, now: datetime) -> list[Event]:
    """Add values that a step handled manually left out. The run stays at its step; its form is drawn again."""
    require_holder(run, command.by)
    attempt, target = run.attempt, run.attempts.get(command.n)
    if run.status != "waiting_person" or attempt is None or run.unknown is not None:
        raise not_possible(run, "Supplying what is missing")
    if target is None or not target.standing or not target.handled_manually:
        raise not_possible(run, "Supplying something for this step")
    open_data = {
        "n": attempt.n,
        "target": target.n,
        "target_step": target.step,
        "target_attempt": target.attempt,
        "fields": sorted(command.values),
    }
    return [
        Event(
            "context_supplied",
            now,
            open_data,
            {"values": dict(command.values)},
            (attempt.step, attempt.attempt),
            command.by,
        )
    ]


def _awaited(attempt: Attempt, wanted: Awaited, now: datetime) -> Event:
    """The event that the step waits for something."""
    open_data = {"n": attempt.n, **waiting.awaited_data(wanted)}
    open_data |= {"effect": wanted.effect} if wanted.effect is not None else {}
    return Event(
        "event_awaited",
        now,
        open_data,
        sealed_of(request=dict(wanted.request)),
        (attempt.step, attempt.attempt),
    )


def _next(plan: Plan, run: Run, attempt: Attempt, command: Complete, now: datetime) -> list[Event]:
    """The events that lead to the next step, and into an inbox if the step asks for that."""
    further = go_to_next(plan, run, attempt.step, command.outcome, command.ends, now)
    if command.hands_over is None or command.ends is not None:
        return further
    over = command.hands_over
    return [*further, holding.escalated(run, over.inbox, over.reason, over.priority, command.by, now)]


def _choice(command: Complete) -> dict[str, Any]:
    """The open values of `outcome_chosen`: who or which rule made the choice."""
    open_data = (
        {"maker": "ai" if command.by_ai else "user"}
        if command.rule is None
        else {"maker": "rule", "rule": command.rule}
    )
    open_data |= {"proposed": command.proposed} if command.proposed is not None else {}
    return {"outcome": command.choice or command.outcome, "label": command.chosen, **open_data}


DECISIONS: Mapping[type, Callable[[Plan, Run, Any, datetime], list[Event]]] = {
    commands.Complete: _complete,
    commands.Save: holding.save,
    commands.Resume: holding.resume,
    commands.TakeOver: holding.take_over,
    commands.Release: holding.release,
    commands.Abort: going_back.abort,
    commands.Cancel: going_back.cancel,
    commands.Revise: going_back.revise,
    commands.Retry: waiting.retry,
    commands.Fail: waiting.fail,
    commands.TimeOut: waiting.time_out,
    commands.Wait: waiting.wait,
    commands.Delay: waiting.delay,
    commands.Fire: waiting.fire,
    commands.Arrive: waiting.arrive,
    commands.StepIn: waiting.step_in,
    commands.Unanswered: waiting.unanswered,
    commands.MoveVersion: version_moves.move_version,
    commands.Supply: _supply,
    commands.Escalate: holding.escalate,
    commands.Snooze: holding.snooze,
    commands.Assign: holding.assign,
    commands.Approve: approving.approve,
    commands.Reject: approving.reject,
    commands.Void: approving.void,
    commands.Renew: approving.renew,
    commands.Report: settling.report,
    commands.Postpone: settling.postpone,
    commands.StopTrying: waiting.stop_trying,
    commands.Check: settling.check,
    commands.Settle: settling.settle,
}
