"""What the engine does with an automatic step beside completing it: it waits, tries again later, or asks a person."""

from datetime import datetime
from typing import Any

from console.core.run import Attempt, Event, Run, approving, settling
from console.core.run.commands import Arrive, Delay, Fail, Fire, Plan, Report, Retry, StepIn, StopTrying, TimeOut, Unanswered, Wait
from console.core.run.moves import after_all, engine_at, enter_step, go_to_next, not_possible, open_attempt, require_holder, sealed_of
from console.core.run.proposal import AT_STAKE


def retry(plan: Plan, run: Run, command: Retry, now: datetime) -> list[Event]:
    """The open step anew, after it could not be done by itself."""
    require_holder(run, command.by)
    if run.status != "waiting_person" or run.take_over is None or run.unknown is not None:
        raise not_possible(run, "Trying again")
    here = open_attempt(run, "Trying again")
    return [Event("attempt_retried", now, {"status": plan.status_at(here.step)}, {}, (here.step, here.attempt), command.by)]


def fail(plan: Plan, run: Run, command: Fail, now: datetime) -> list[Event]:
    """A step that cannot be done: a person is asked, or the run ends."""
    here = engine_at(run, command.step, "Failing")
    told = {"code": command.code, "type": plan.workflow.step(here.step).type, **({"retries": run.tries} if run.tries else {})}
    way = settling.error_target(plan, run, here) if command.edge else None
    if way is not None:
        failed = Event("step_failed", now, told | {"outcome": "error"}, {"message": command.message}, (here.step, here.attempt))
        return [failed, enter_step(plan, run, way, run.made + 1, now)]
    failed = Event("step_failed", now, told, {"message": command.message}, (here.step, here.attempt))
    if plan.workflow.settings.on_error == "fail" and not command.asks:
        return [failed, Event("run_failed", now, {"code": command.code}, {"message": command.message})]
    return [failed]


def time_out(plan: Plan, run: Run, _command: TimeOut, now: datetime) -> list[Event]:
    """The end of a run that the engine moves and that has taken longer than its workflow allows; what a person has to do takes what it takes."""
    limit = plan.workflow.settings.timeout_ms
    if limit is None or run.status != "running" or run.worked_by(now) <= limit:
        raise not_possible(run, "Ending it for its time limit")
    return [Event("run_timed_out", now, {"limit_seconds": -(-limit // 1000)})]


def wait(plan: Plan, run: Run, command: Wait, now: datetime) -> list[Event]:
    """A step that is done at a moment."""
    here = engine_at(run, command.step, "Waiting")
    go_to_next(plan, run, here.step, command.outcome, None, now)  # a way on that is missing is refused now, and not when nobody looks
    told = {"n": here.n, "until": command.until, "outcome": command.outcome}
    return [Event("timer_set", now, told, {} if command.output is None else {"output": dict(command.output)}, (here.step, here.attempt))]


def delay(_plan: Plan, run: Run, command: Delay, now: datetime) -> list[Event]:
    """A step that is tried again at a moment."""
    here = engine_at(run, command.step, "Trying again later")
    told = {"n": here.n, "code": command.code, "tries": run.tries + 1, "until": command.until}
    return [Event("retry_set", now, told, {"message": command.message}, (here.step, here.attempt))]


def fire(plan: Plan, run: Run, command: Fire, now: datetime) -> list[Event]:
    """The moment has come."""
    here, waiting = run.attempt, run.waiting
    if (
        run.status not in ("waiting_time", "waiting_event")
        or here is None
        or here.n != command.n
        or waiting is None
        or not waiting["until"]
    ):
        raise not_possible(run, "Going on after a wait")
    step = (here.step, here.attempt)
    fired = Event("timer_fired", now, {"n": here.n, "until": waiting["until"]}, {}, step)
    if waiting["for"] == "retry":
        return [fired]
    if waiting["for"] == "approval":
        return [fired, *approving.expire(plan, after_all([fired], run), waiting["key"], now)]
    if run.status == "waiting_event":
        return [fired, *_in_vain(plan, after_all([fired], run), here, waiting["outcome"], now)]
    completed = Event("step_completed", now, {"n": here.n, "type": plan.workflow.step(here.step).type, "automatic": True}, {}, step)
    after = after_all([fired, completed], run)
    return [fired, completed, *go_to_next(plan, after, here.step, here.outcome or "default", None, now)]


def _in_vain(plan: Plan, run: Run, here: Attempt, outcome: str | None, now: datetime) -> list[Event]:
    """What follows from a wait that nothing ended in time: the step's way for that, or a person is asked."""
    step = (here.step, here.attempt)
    if outcome is None:
        return _will_not_come(plan, run, here, "timed_out", "What this step waited for did not come in time.", now)
    told = {"n": here.n, "type": plan.workflow.step(here.step).type, "outcome": outcome, "automatic": True}
    completed = Event("step_completed", now, told, _handed_in(here), step)
    return [completed, *go_to_next(plan, after_all([completed], run), here.step, outcome, None, now)]


def _handed_in(here: Attempt) -> dict[str, Any]:
    """What the step was handed in with."""
    return sealed_of(values=dict(here.values)) | ({} if here.output is None else {"output": dict(here.output)})


def arrive(plan: Plan, run: Run, command: Arrive, now: datetime) -> list[Event]:
    """What the run waited for is there: the step is done."""
    here, waiting = run.attempt, run.waiting
    if not run.waits_outside or here is None or waiting is None or waiting["key"] != command.key or waiting["for"] == "approval":
        raise not_possible(run, "Going on with this answer")
    step, told = (here.step, here.attempt), {"n": here.n, "key": command.key, "outcome": command.outcome}
    arrived = Event("event_arrived", now, told, {}, step, command.by)
    sealed = _handed_in(here)
    if command.values is not None:
        sealed = sealed | {"values": dict(command.values)}
    if command.output is not None:
        sealed = sealed | {"output": dict(command.output)}
    done = {"n": here.n, "type": plan.workflow.step(here.step).type, "outcome": command.outcome, "automatic": command.by is None}
    done |= {"proposal": dict(command.proposal)} if command.proposal else {}
    completed = Event("step_completed", now, done, sealed, step, command.by)
    return [arrived, completed, *go_to_next(plan, after_all([arrived, completed], run), here.step, command.outcome, None, now)]


def unanswered(plan: Plan, run: Run, command: Unanswered, now: datetime) -> list[Event]:
    """What the run waited for will not come: the step's way for errors, the end where the workflow says so, or a person."""
    here, waits = run.attempt, run.waiting
    if not run.waits_outside or here is None or waits is None or waits["key"] != command.key:
        raise not_possible(run, "Going on without this answer")
    return _will_not_come(plan, run, here, command.code, command.message, now)


def _will_not_come(plan: Plan, run: Run, here: Attempt, code: str, message: str, now: datetime) -> list[Event]:
    """The step's way for errors, the end of the run where the workflow says so, or a person who goes on without it; a person always where something is at stake."""
    step, sealed = (here.step, here.attempt), {"message": message}
    told = {"code": code, "type": plan.workflow.step(here.step).type}
    failed = code != AT_STAKE
    way = settling.error_target(plan, run, here) if failed else None
    if way is not None:
        return [Event("step_failed", now, told | {"outcome": "error"}, sealed, step), enter_step(plan, run, way, run.made + 1, now)]
    if failed and plan.workflow.settings.on_error == "fail":
        return [Event("step_failed", now, told, sealed, step), Event("run_failed", now, {"code": code}, sealed)]
    return [Event("wait_left", now, {"n": here.n, "code": code}, sealed, step)]


def step_in(plan: Plan, run: Run, command: StepIn, now: datetime) -> list[Event]:
    """The holder waits no longer and does the step by hand."""
    require_holder(run, command.by)
    here = run.attempt
    if not run.waits_outside or here is None:
        raise not_possible(run, "Doing this step by hand")
    if run.waiting is not None and run.waiting["for"] == "approval":
        return approving.withdraw(plan, run, command.by, command.reason, now)
    sealed = {"message": "Handled manually instead of waiting."} | sealed_of(reason=command.reason)
    return [Event("wait_left", now, {"n": here.n, "code": "stepped_in"}, sealed, (here.step, here.attempt), command.by)]


def stop_trying(plan: Plan, run: Run, command: StopTrying, now: datetime) -> list[Event]:
    """What would be tried again by itself is not; a person has the form, and what went wrong."""
    require_holder(run, command.by)
    here, waits = run.attempt, run.waiting
    if run.status != "waiting_time" or here is None or waits is None or waits["for"] != "retry":
        raise not_possible(run, "Stopping to try again")
    effect, step = run.wanted, (here.step, here.attempt)
    if effect is None:
        message = "It was not tried again, because a person stopped that."
        return [Event("step_failed", now, {"code": "stopped", "retries": run.tries}, {"message": message}, step, command.by)]
    if run.unsure:
        told = {"effect": effect.id, "effect_kind": effect.kind, "code": waits["code"]}
        return [Event("effect_unknown", now, told, {"message": waits["message"]}, step, command.by)]
    why = Report(effect.id, "failed", waits["code"], waits["message"], [{"field": "", "reason": waits["message"]}], asks=True)
    told = {"effect": effect.id, "effect_kind": effect.kind, "code": why.code}
    said = Event("effect_failed", now, told, {"message": why.message}, step, command.by)
    return [said] if effect.compensates is not None else settling.after_refusal(plan, run, said, why, now)
