"""What follows from what is asked of a run: `decide` turns a command into events, or refuses it.

Pure: the time comes as `now`, new ids come with the command. The rights of who asks are judged before (`console.access`);
here it is judged whether the run is at a point where the command makes sense, and whether this person holds it.
Source: docs/adr/0005-runs.md.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from console.core.command_types import (
    Abort,
    Cancel,
    Command,
    Complete,
    Delay,
    Fail,
    Fire,
    Plan,
    Release,
    Report,
    Resume,
    Retry,
    Revise,
    Save,
    Settle,
    Start,
    TakeOver,
    Wait,
    Wish,
)
from console.core.events import MOVES
from console.core.run import Attempt, Event, Run, fold
from console.errors import Conflict, Invalid

__all__ = [
    "TAKE_OVER_AFTER",
    "Abort",
    "Cancel",
    "Command",
    "Complete",
    "Delay",
    "Fail",
    "Fire",
    "Plan",
    "Release",
    "Report",
    "Resume",
    "Retry",
    "Revise",
    "Save",
    "Settle",
    "Start",
    "TakeOver",
    "Wait",
    "Wish",
    "cancelled_by",
    "decide",
    "opening",
    "require_completable",
    "require_holder",
    "require_reason",
    "revisable",
]

TAKE_OVER_AFTER = timedelta(minutes=10)
"""A holder who has been idle this long can be taken over from without the right `takeover`."""


def decide(plan: Plan, run: Run, command: Command, now: datetime) -> list[Event]:
    """The events that the command makes of the run. Raises Conflict (`stale_revision`, `not_holder`, `not_possible`) or Invalid."""
    if isinstance(command, Start):
        return _numbered(run, _start(plan, run, command, now))
    if run.ended:
        if isinstance(command, Report):
            return [_late(command, now)]
        raise _ended(run)
    revision = getattr(command, "revision", None)
    if revision is not None and revision != run.revision:
        raise _stale()
    return _numbered(run, DECISIONS[type(command)](plan, run, command, now))


def _ended(run: Run) -> Conflict:
    return Conflict(f"This run has ended ({run.status}); it accepts no change. Start a new one to correct it.", code="not_possible")


def _stale() -> Conflict:
    return Conflict("This run moved on since the page was drawn. Reload it to see where it stands.", code="stale_revision")


def _numbered(run: Run, events: list[Event]) -> list[Event]:
    """One transition is one move: all its events carry the revision that the run has after it; a late report moves nothing."""
    return [
        Event(event.type, event.at, {**event.open, "revision": run.revision + 1}, event.sealed, event.step, event.by)
        if event.type in MOVES
        else event
        for event in events
    ]


def _late(command: Report, now: datetime) -> Event:
    return Event("effect_reported", now, {"effect": command.effect, "result": command.status, "code": command.code}, _told(command))


def _told(command: Report) -> dict[str, Any]:
    sealed: dict[str, Any] = {}
    if command.message:
        sealed["message"] = command.message
    if command.errors:
        sealed["errors"] = [dict(error) for error in command.errors]
    if command.result:
        sealed["result"] = dict(command.result)
    return sealed


def _not_possible(run: Run, what: str) -> Conflict:
    return Conflict(f"{what} is not possible while the run is {run.status.replace('_', ' ')}.", code="not_possible")


def require_holder(run: Run, by: str | None) -> None:
    """Raise Conflict `not_holder` unless the person holds the run; `details[0].reason` names who does."""
    if run.holder != by:
        message = "Nobody holds this run; resume it first." if run.holder is None else "Another person holds this run."
        raise Conflict(message, code="not_holder", details=[{"field": "holder", "reason": run.holder or "nobody"}])


def _open_attempt(run: Run, what: str) -> Attempt:
    here = run.attempt
    if here is None or here.status != "open" or run.status not in ("waiting_person", "running"):
        raise _not_possible(run, what)
    return here


def _start(plan: Plan, run: Run, command: Start, now: datetime) -> list[Event]:
    start = plan.workflow.start
    told = {
        "id": command.id,
        "workflow": command.workflow,
        "version": command.version,
        "team": command.team,
        "collection": command.collection,
        "record": command.record,
        "exclusive": command.exclusive,
        "started_by": command.by,
        "holder": command.by,
        "trigger": command.trigger,
    }
    began = Event("run_started", now, told, _sealed(input=dict(command.input), title=command.title), by=command.by)
    entered = _enter(plan, run, start.id, 1, now, "running")
    outcome = {"n": 1, "type": "start", "outcome": "default", "automatic": False, "handled_manually": False}
    done = Event(
        "step_completed", now, outcome, _sealed(values=dict(command.input), output=dict(command.output)), (start.id, 1), command.by
    )
    after = _after([began, entered, done], run)
    return [began, entered, done, *_onward(plan, after, start.id, "default", None, now)]


def opening(plan: Plan, by: str, team: str, now: datetime) -> Run:
    """A run at its start step, before it exists: for the check of its input."""
    start = plan.workflow.start
    return Run(team=team, started_by=by, holder=by, made=1, current=1, attempts={1: Attempt(1, start.id, 1, "open", now)})


def _sealed(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", {})}


def _after(events: list[Event], run: Run) -> Run:
    return fold(events, run)


def _enter(plan: Plan, run: Run, step_id: str, n: int, now: datetime, status: str | None = None, **more: Any) -> Event:
    number = run.visits.get(step_id, 0) + 1
    told = {"n": n, "type": plan.workflow.step(step_id).type, "status": status or plan.status_at(step_id), "replaces": more.get("replaces")}
    return Event("step_entered", now, told, _sealed(defaults=more.get("defaults")), (step_id, number))


def _onward(plan: Plan, run: Run, step_id: str, outcome: str, ends: str | None, now: datetime) -> list[Event]:
    """Where the run goes from a step that is done: to the next one, or to its end."""
    if ends is not None:
        return [Event("run_completed", now, {"label": ends, "step": step_id})]
    target = plan.workflow.target(step_id, outcome)
    if target is None:
        raise Invalid(f"The step has no way on for “{outcome}”.", details=[{"field": "outcome", "reason": "This choice leads nowhere."}])
    limit = plan.workflow.settings.visit_limit
    if run.visits.get(target, 0) >= limit:
        title = plan.workflow.step(target).title
        raise Conflict(
            f"“{title}” was entered {limit} times, which is this workflow's limit. Abort the run, or take another way.", code="not_possible"
        )
    return [_enter(plan, run, target, run.made + 1, now)]


def require_completable(run: Run, by: str | None, step: str, revision: int | None) -> Attempt:
    """The open attempt, when this person (None: the engine) may hand it in now. Raises Conflict as `decide` does."""
    if run.ended:
        raise _ended(run)
    if revision is not None and revision != run.revision:
        raise _stale()
    if by is not None:
        require_holder(run, by)
        if run.status != "waiting_person" or run.unknown is not None:
            raise _not_possible(run, "Completing a step")
    here = _open_attempt(run, "Completing a step")
    if here.step != step:
        raise Conflict("This run stands at another step now. Reload it to see where it stands.", code="stale_revision")
    return here


def _complete(plan: Plan, run: Run, command: Complete, now: datetime) -> list[Event]:
    here = require_completable(run, command.by, command.step, command.revision)
    if command.by is None and (here.step not in plan.automatic or run.status != "running"):
        raise _not_possible(run, "Completing a person's step without a person")
    step = (here.step, here.attempt)
    told = {
        "n": here.n,
        "type": plan.workflow.step(here.step).type,
        "outcome": command.outcome,
        "automatic": command.by is None,
        "handled_manually": command.handled_manually,
    }
    output = None if command.output is None else dict(command.output)
    sealed = _sealed(values=dict(command.values), reason=command.reason) | ({} if output is None else {"output": output})
    chosen = [Event("outcome_chosen", now, _choice(command), {}, step, command.by)] if command.chosen else []
    manual = (
        [Event("handled_manually", now, {"outcome": command.outcome}, _sealed(reason=command.reason), step, command.by)]
        if command.handled_manually
        else []
    )
    if command.effects:
        submitted = Event("step_submitted", now, told, sealed, step, command.by)
        first = len(here.effects) + 1
        asked = [_request(wish, number, step, now) for number, wish in enumerate(command.effects, first)]
        _onward(plan, run, here.step, command.outcome, command.ends, now)  # a way on that is missing is refused before anything is done
        return [*chosen, *manual, submitted, *asked]
    completed = Event("step_completed", now, told, sealed, step, command.by)
    after = _after([completed], run)
    return [*chosen, *manual, completed, *_onward(plan, after, here.step, command.outcome, command.ends, now)]


def _choice(command: Complete) -> dict[str, Any]:
    """What is told of a choice: by whom it was made, and by which rule."""
    made = {"maker": "user"} if command.rule is None else {"maker": "rule", "rule": command.rule}
    return {"outcome": command.outcome, "label": command.chosen, **made}


def _request(wish: Wish, number: int, step: tuple[str, int], now: datetime) -> Event:
    told = {"effect": wish.id, "effect_kind": wish.kind, "number": number, "summary": wish.summary}
    return Event("effect_requested", now, told, {"request": dict(wish.request)}, step)


def _save(_plan: Plan, run: Run, command: Save, now: datetime) -> list[Event]:
    if command.by is not None:
        require_holder(run, command.by)
    if run.status != "waiting_person":
        raise _not_possible(run, "Saving")
    return [Event("run_saved", now, {"former_holder": run.holder}, _sealed(draft=command.draft), by=command.by)]


def _resume(_plan: Plan, run: Run, command: Resume, now: datetime) -> list[Event]:
    if run.status != "saved":
        raise _not_possible(run, "Resuming")
    return [Event("run_resumed", now, {"holder": command.by}, by=command.by)]


def _take_over(_plan: Plan, run: Run, command: TakeOver, now: datetime) -> list[Event]:
    if run.status not in ("waiting_person", "waiting_time") or run.holder == command.by:
        raise _not_possible(run, "Taking over")
    if run.holder is not None and not (command.idle or command.entitled):
        raise Conflict(
            "Another person is working on this run. It can be taken over once they have been idle for 10 minutes.",
            code="not_holder",
            details=[{"field": "holder", "reason": run.holder}],
        )
    told = {"holder": command.by, "former_holder": run.holder, "reason_code": "idle" if command.idle else "entitled"}
    return [Event("run_taken_over", now, told, _sealed(draft=command.draft), by=command.by)]


def _release(_plan: Plan, run: Run, command: Release, now: datetime) -> list[Event]:
    require_holder(run, command.by)
    if run.status != "waiting_person":
        raise _not_possible(run, "Releasing")
    return [Event("run_released", now, {"former_holder": run.holder}, _sealed(draft=command.draft), by=command.by)]


def require_reason(reason: str) -> str:
    """The reason without blanks around it. Raises Invalid on the field `reason` when nothing is left."""
    if not reason.strip():
        raise Invalid("A reason is needed.", details=[{"field": "reason", "reason": "Say why in a few words; it is kept in the log."}])
    return reason.strip()


def _abort(_plan: Plan, run: Run, command: Abort, now: datetime) -> list[Event]:
    reason = require_reason(command.reason)
    require_holder(run, command.by)
    _require_no_open_effect(run, "Aborting")
    return [Event("run_aborted", now, {"former_holder": run.holder}, {"reason": reason}, by=command.by)]


def _cancel(_plan: Plan, run: Run, command: Cancel, now: datetime) -> list[Event]:
    reason = require_reason(command.reason)
    _require_no_open_effect(run, "Cancelling")
    return [Event("run_cancelled", now, {"former_holder": run.holder}, {"reason": reason}, by=command.by)]


def _require_no_open_effect(run: Run, what: str) -> None:
    here = run.attempt
    if here is not None and any(effect.status in ("requested", "unknown") for effect in here.effects):
        raise Conflict(
            f"{what} is not possible while a change is under way or its result is unknown. Settle it first.", code="not_possible"
        )


def cancelled_by(run: Run, n: int) -> list[Attempt]:
    """Attempts that revising the one at place `n` would cancel, newest first, the present unfinished one included."""
    return list(reversed(run.after(n)))


def revisable(run: Run, step: str, attempt: int | None = None) -> Attempt:
    """The standing attempt of the step (its last one, or number `attempt`). Raises Conflict where there is none."""
    found = [each for each in run.attempts.values() if each.step == step and each.standing and each.n != run.current]
    chosen = [each for each in found if attempt is None or each.attempt == attempt]
    if not chosen:
        raise Conflict("This step has no completed attempt that still stands; there is nothing to revise.", code="not_possible")
    return max(chosen, key=lambda each: each.n)


def _revise(plan: Plan, run: Run, command: Revise, now: datetime) -> list[Event]:
    reason = require_reason(command.reason)
    require_holder(run, command.by)
    if run.status not in ("waiting_person", "waiting_time"):
        raise _not_possible(run, "Revising")
    _require_no_open_effect(run, "Revising")
    target = run.attempts.get(command.n)
    if target is None or not target.standing:
        raise Conflict("This attempt was cancelled or revised already; there is nothing to revise.", code="not_possible")
    alone = target.step in plan.automatic and (target.by is None or target.step not in plan.asks)
    if plan.workflow.step(target.step).type == "start" or alone:
        raise Conflict("Only a step that a person completed can be revised.", code="not_possible")
    cancelled = [
        Event("attempt_cancelled", now, {"n": each.n, "status": each.status}, {}, (each.step, each.attempt), command.by)
        for each in cancelled_by(run, target.n)
    ]
    told = {"n": target.n, "target_step": target.step, "target_attempt": target.attempt, "cancelled": len(cancelled)}
    revised = Event("step_revised", now, told, {"reason": reason}, (target.step, target.attempt), command.by)
    after = _after([*cancelled, revised], run)
    entered = _enter(plan, after, target.step, after.made + 1, now, "waiting_person", replaces=target.n, defaults=dict(target.values))
    return [*cancelled, revised, entered]


def _retry(plan: Plan, run: Run, command: Retry, now: datetime) -> list[Event]:
    require_holder(run, command.by)
    if run.status != "waiting_person" or run.take_over is None or run.unknown is not None:
        raise _not_possible(run, "Trying again")
    here = _open_attempt(run, "Trying again")
    return [Event("attempt_retried", now, {"status": plan.status_at(here.step)}, {}, (here.step, here.attempt), command.by)]


def _fail(plan: Plan, run: Run, command: Fail, now: datetime) -> list[Event]:
    here = _engine_at(run, command.step, "Failing")
    told = {"code": command.code, "type": plan.workflow.step(here.step).type, **({"retries": run.tries} if run.tries else {})}
    failed = Event("step_failed", now, told, {"message": command.message}, (here.step, here.attempt))
    if plan.workflow.settings.on_error == "fail" and not command.asks:
        return [failed, Event("run_failed", now, {"code": command.code}, {"message": command.message})]
    return [failed]


def _engine_at(run: Run, step: str, what: str) -> Attempt:
    here = _open_attempt(run, what)
    if here.step != step or run.status != "running":
        raise _not_possible(run, what)
    return here


def _wait(plan: Plan, run: Run, command: Wait, now: datetime) -> list[Event]:
    here = _engine_at(run, command.step, "Waiting")
    _onward(plan, run, here.step, command.outcome, None, now)  # a way on that is missing is refused now, and not when nobody looks
    told = {"n": here.n, "until": command.until, "outcome": command.outcome}
    return [Event("timer_set", now, told, {} if command.output is None else {"output": dict(command.output)}, (here.step, here.attempt))]


def _delay(_plan: Plan, run: Run, command: Delay, now: datetime) -> list[Event]:
    here = _engine_at(run, command.step, "Trying again later")
    told = {"n": here.n, "code": command.code, "tries": run.tries + 1, "until": command.until}
    return [Event("retry_set", now, told, {"message": command.message}, (here.step, here.attempt))]


def _fire(plan: Plan, run: Run, command: Fire, now: datetime) -> list[Event]:
    here, waiting = run.attempt, run.waiting
    if run.status != "waiting_time" or here is None or here.n != command.n or waiting is None:
        raise _not_possible(run, "Going on after a wait")
    step = (here.step, here.attempt)
    fired = Event("timer_fired", now, {"n": here.n, "until": waiting["until"]}, {}, step)
    if waiting["for"] == "retry":
        return [fired]
    completed = Event("step_completed", now, {"n": here.n, "type": plan.workflow.step(here.step).type, "automatic": True}, {}, step)
    after = _after([fired, completed], run)
    return [fired, completed, *_onward(plan, after, here.step, here.outcome or "default", None, now)]


def _report(plan: Plan, run: Run, command: Report, now: datetime) -> list[Event]:
    here = run.attempt
    found = run.effect(command.effect)
    if here is None or found is None or found[1].status != "requested":
        return [_late(command, now)]
    step = (here.step, here.attempt)
    told = {"effect": command.effect, "effect_kind": found[1].kind, "code": command.code}
    said = Event(f"effect_{command.status}", now, told, _told(command), step)
    match command.status:
        case "succeeded":
            return [said, *_if_settled(plan, _after([said], run), here, now)]
        case "failed" if here.step in plan.automatic:
            return [
                said,
                *_reopened(here, command, now),
                Event("step_failed", now, {"code": command.code}, {"message": command.message}, step),
            ]
        case "failed":
            return [said, *_reopened(here, command, now)]
    return [said]


def _reopened(here: Attempt, command: Report, now: datetime) -> list[Event]:
    sealed = {"values": dict(here.values), "errors": [dict(error) for error in command.errors]}
    return [Event("step_reopened", now, {"effect": command.effect, "code": command.code}, sealed, (here.step, here.attempt))]


def _if_settled(plan: Plan, run: Run, here: Attempt, now: datetime) -> list[Event]:
    """The step is done when all its effects are; not where one of them was refused, and the step is open again."""
    latest = run.attempts[here.n]
    if latest.status != "performing" or any(effect.status in ("requested", "unknown") for effect in latest.effects):
        return []
    told = {"n": here.n, "type": plan.workflow.step(here.step).type, "automatic": here.step in plan.automatic}
    completed = Event("step_completed", now, told, {}, (here.step, here.attempt))
    after = _after([completed], run)
    return [completed, *_onward(plan, after, here.step, latest.outcome or "default", None, now)]


def _settled(plan: Plan, run: Run, command: Settle, now: datetime) -> list[Event]:
    reason = require_reason(command.reason)
    require_holder(run, command.by)
    here, effect = run.attempt, run.unknown
    if here is None or effect is None or effect.id != command.effect:
        raise _not_possible(run, "Settling this effect")
    told = {"effect": effect.id, "effect_kind": effect.kind, "result": "done" if command.done else "not_done"}
    said = Event("effect_settled", now, told, {"reason": reason}, (here.step, here.attempt), command.by)
    return [said, *(_if_settled(plan, _after([said], run), here, now) if command.done else [])]


DECISIONS: Mapping[type, Callable[[Plan, Run, Any, datetime], list[Event]]] = {
    Complete: _complete,
    Save: _save,
    Resume: _resume,
    TakeOver: _take_over,
    Release: _release,
    Abort: _abort,
    Cancel: _cancel,
    Revise: _revise,
    Retry: _retry,
    Fail: _fail,
    Wait: _wait,
    Delay: _delay,
    Fire: _fire,
    Report: _report,
    Settle: _settled,
}
