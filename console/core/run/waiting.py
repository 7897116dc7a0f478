"""Waiting, retries and failures: what the engine can do with a step besides completing it."""

from datetime import datetime
from typing import Any

from console.core.moments import moment_text
from console.core.run import Attempt, Event, Run, approving, settling
from console.core.run.approval_request import MESSAGE
from console.core.run.causes import stored
from console.core.run.commands import (
    Arrive,
    Delay,
    Fail,
    Fire,
    Plan,
    Report,
    Retry,
    StepIn,
    StopTrying,
    TimeOut,
    Unanswered,
    Wait,
)
from console.core.run.evolve import fold
from console.core.run.moves import (
    engine_at,
    enter_step,
    go_to_next,
    not_possible,
    open_attempt,
    require_holder,
    sealed_of,
)
from console.core.run.proposal import AT_STAKE
from console.core.run.step_requests import Awaited


def retry(plan: Plan, run: Run, command: Retry, now: datetime) -> list[Event]:
    """The event that tries a failed automatic step again."""
    require_holder(run, command.by)
    if run.status != "waiting_person" or run.take_over is None or run.unknown is not None:
        raise not_possible(run, "Trying again")
    attempt = open_attempt(run, "Trying again")
    return [
        Event(
            "attempt_retried",
            now,
            {"status": plan.status_at(attempt.step)},
            {},
            (attempt.step, attempt.attempt),
            command.by,
        )
    ]


def fail(plan: Plan, run: Run, command: Fail, now: datetime) -> list[Event]:
    """The events of a failed step: its edge for errors, a person, or the end of the run."""
    attempt = engine_at(run, command.step, "Failing")
    open_data = {
        "code": command.code,
        "type": plan.workflow.step(attempt.step).type,
        **({"retries": run.tries} if run.tries else {}),
    }
    way = settling.error_target(plan, run, attempt) if command.edge else None
    if way is not None:
        failed = Event(
            "step_failed",
            now,
            open_data | {"outcome": "error"},
            {"message": command.message},
            (attempt.step, attempt.attempt),
        )
        return [failed, enter_step(plan, run, way, run.made + 1, now)]
    failed = Event(
        "step_failed", now, open_data, {"message": command.message}, (attempt.step, attempt.attempt)
    )
    if settling.ends_on_error(plan, run) and not command.asks:
        return [failed, Event("run_failed", now, {"code": command.code}, {"message": command.message})]
    return [failed]


def time_out(plan: Plan, run: Run, _command: TimeOut, now: datetime) -> list[Event]:
    """The event that ends a run whose automatic steps took longer than the workflow allows. Waiting for people does not count."""
    limit = plan.workflow.time_limit_ms(hands_off=run.hands_off)
    if limit is None or run.status != "running" or run.worked_by(now) <= limit:
        raise not_possible(run, "Ending it for its time limit")
    return [Event("run_timed_out", now, {"limit_seconds": -(-limit // 1000)})]


def wait(plan: Plan, run: Run, command: Wait, now: datetime) -> list[Event]:
    """The event that sets a timer for the step."""
    attempt = engine_at(run, command.step, "Waiting")
    go_to_next(
        plan, run, attempt.step, command.outcome, None, now
    )  # refuse an outcome without a next step now, while a person can see it
    open_data = {"n": attempt.n, "until": command.until, "outcome": command.outcome}
    return [
        Event(
            "timer_set",
            now,
            open_data,
            {} if command.output is None else {"output": dict(command.output)},
            (attempt.step, attempt.attempt),
        )
    ]


def delay(_plan: Plan, run: Run, command: Delay, now: datetime) -> list[Event]:
    """The event that sets a timer for another try."""
    attempt = engine_at(run, command.step, "Trying again later")
    open_data = {"n": attempt.n, "code": command.code, "tries": run.tries + 1, "until": command.until}
    open_data |= {"source": command.source} if command.source else {}
    return [Event("retry_set", now, open_data, {"message": command.message}, (attempt.step, attempt.attempt))]


def fire(plan: Plan, run: Run, command: Fire, now: datetime) -> list[Event]:
    """The events when a timer is due."""
    attempt, waiting = run.attempt, run.waiting
    if (
        run.status not in ("waiting_time", "waiting_event")
        or attempt is None
        or attempt.n != command.n
        or waiting is None
        or not waiting["until"]
    ):
        raise not_possible(run, "Going on after a wait")
    step = (attempt.step, attempt.attempt)
    fired = Event("timer_fired", now, {"n": attempt.n, "until": waiting["until"]}, {}, step)
    if waiting["for"] == "retry":
        return [fired]
    if waiting["for"] == "approval":
        return [fired, *approving.expire(plan, fold([fired], run), waiting["key"], now)]
    if run.status == "waiting_event":
        return [fired, *_events_of_vain_wait(plan, fold([fired], run), attempt, waiting["outcome"], now)]
    completed = Event(
        "step_completed",
        now,
        {"n": attempt.n, "type": plan.workflow.step(attempt.step).type, "automatic": True},
        {},
        step,
    )
    after = fold([fired, completed], run)
    return [fired, completed, *go_to_next(plan, after, attempt.step, attempt.outcome or "default", None, now)]


def _events_of_vain_wait(
    plan: Plan, run: Run, attempt: Attempt, outcome: str | None, now: datetime
) -> list[Event]:
    """The events when a wait ends without a result: the step's edge for that, or a person is asked."""
    step = (attempt.step, attempt.attempt)
    if outcome is None:
        return _will_not_come(
            plan, run, attempt, "timed_out", "What this step waited for did not come in time.", now
        )
    open_data = {
        "n": attempt.n,
        "type": plan.workflow.step(attempt.step).type,
        "outcome": outcome,
        "automatic": True,
    }
    completed = Event("step_completed", now, open_data, _submitted_values(attempt), step)
    return [completed, *go_to_next(plan, fold([completed], run), attempt.step, outcome, None, now)]


def _submitted_values(attempt: Attempt) -> dict[str, Any]:
    """The values that were submitted with the step."""
    return sealed_of(values=dict(attempt.values)) | (
        {} if attempt.output is None else {"output": dict(attempt.output)}
    )


def awaited_data(wanted: Awaited) -> dict[str, Any]:
    """The open values of what a step waits for."""
    data = {
        "for": wanted.kind,
        "key": wanted.key,
        "until": moment_text(wanted.until),
        "outcome": wanted.outcome,
    }
    return data if wanted.saw is None else data | {"saw": wanted.saw}


def arrive(plan: Plan, run: Run, command: Arrive, now: datetime) -> list[Event]:
    """The events when the awaited thing is there: the step is done. If it comes before the effect that asked for it is settled, it is kept.

    It may come after all while a person is asked about it: then nobody need answer any more.
    """
    attempt, waiting = run.attempt, run.waiting
    if (
        attempt is not None
        and run.then is not None
        and run.then["key"] == command.key
        and "arrived" not in run.then
    ):
        return _arrive_early(plan, run, attempt, command, now)
    awaited = (
        run.waits_outside
        and waiting is not None
        and waiting["key"] == command.key
        and waiting["for"] != "approval"
    )
    if attempt is None or not (awaited or run.asks_about(command.key)):
        raise not_possible(run, "Going on with this answer")
    step, open_data = (
        (attempt.step, attempt.attempt),
        {"n": attempt.n, "key": command.key, "outcome": command.outcome},
    )
    people = [cause for cause in command.caused_by if cause.person is not None]
    open_data |= {"caused_by": stored(tuple(people))} if people else {}
    arrived = Event("event_arrived", now, open_data, {}, step, command.by)
    sealed = _submitted_values(attempt) | settling.with_results(attempt)
    if command.values is not None:
        sealed = sealed | {"values": dict(command.values)}
    if command.output is not None:
        asked = attempt.output or {} if waiting is not None and waiting["for"] == MESSAGE else {}
        before = {**asked, **settling.with_results(attempt).get("output", {})}
        sealed = sealed | {"output": {**before, **command.output}}
    done = {
        "n": attempt.n,
        "type": plan.workflow.step(attempt.step).type,
        "outcome": command.outcome,
        "automatic": command.by is None,
    }
    done |= {"proposal": dict(command.proposal)} if command.proposal else {}
    completed = Event("step_completed", now, done, sealed, step, command.by)
    choice = {"outcome": command.outcome, "label": command.chosen, "maker": "ai", "proposed": command.outcome}
    return [
        arrived,
        *([Event("outcome_chosen", now, choice, {}, step)] if command.chosen else []),
        completed,
        *go_to_next(plan, fold([arrived, completed], run), attempt.step, command.outcome, None, now),
    ]


def _arrive_early(plan: Plan, run: Run, attempt: Attempt, command: Arrive, now: datetime) -> list[Event]:
    """The event that keeps the answer. An effect of unknown result has happened then: nobody need look."""
    open_data = {"n": attempt.n, "key": command.key, "outcome": command.outcome, "early": True}
    sealed = {
        name: dict(given)
        for name, given in (("values", command.values), ("output", command.output))
        if given is not None
    }
    events = [Event("event_arrived", now, open_data, sealed, (attempt.step, attempt.attempt), command.by)]
    effect = run.unknown
    if effect is None or effect.status != "unknown" or effect.compensates is not None:
        return events
    return [*events, *settling.report(plan, fold(events, run), Report(effect.id, "succeeded"), now)]


def unanswered(plan: Plan, run: Run, command: Unanswered, now: datetime) -> list[Event]:
    """The events when the awaited thing will not come: the edge for errors, the end of the run, or a person."""
    attempt, waits = run.attempt, run.waiting
    if not run.waits_outside or attempt is None or waits is None or waits["key"] != command.key:
        raise not_possible(run, "Going on without this answer")
    return _will_not_come(plan, run, attempt, command.code, command.message, now, asks=command.asks)


def _will_not_come(
    plan: Plan, run: Run, attempt: Attempt, code: str, message: str, now: datetime, *, asks: bool = False
) -> list[Event]:
    """The step's way for errors, the end of the run where the workflow says so, or a person who goes on without it; a person always where something is at stake."""
    step, sealed = (attempt.step, attempt.attempt), {"message": message}
    open_data = {"code": code, "type": plan.workflow.step(attempt.step).type}
    failed = code != AT_STAKE and not asks
    way = settling.error_target(plan, run, attempt) if failed else None
    if way is not None:
        return [
            Event("step_failed", now, open_data | {"outcome": "error"}, sealed, step),
            enter_step(plan, run, way, run.made + 1, now),
        ]
    if failed and settling.ends_on_error(plan, run):
        return [
            Event("step_failed", now, open_data, sealed, step),
            Event("run_failed", now, {"code": code}, sealed),
        ]
    asked_about = (
        {"key": run.waiting["key"]} if asks and run.waiting is not None and "key" in run.waiting else {}
    )
    return [Event("wait_left", now, {"n": attempt.n, "code": code, **asked_about}, sealed, step)]


def step_in(plan: Plan, run: Run, command: StepIn, now: datetime) -> list[Event]:
    """The holder waits no longer and does the step by hand."""
    require_holder(run, command.by)
    attempt = run.attempt
    if not run.waits_outside or attempt is None:
        raise not_possible(run, "Doing this step by hand")
    if run.waiting is not None and run.waiting["for"] == "approval":
        return approving.withdraw(plan, run, command.by, command.reason, now)
    sealed = {"message": "Handled manually instead of waiting."} | sealed_of(
        reason=command.reason, values=dict(command.kept)
    )
    return [
        Event(
            "wait_left",
            now,
            {"n": attempt.n, "code": "stepped_in"},
            sealed,
            (attempt.step, attempt.attempt),
            command.by,
        )
    ]


def stop_trying(plan: Plan, run: Run, command: StopTrying, now: datetime) -> list[Event]:
    """Stop the automatic retries: a person gets the form and the error."""
    require_holder(run, command.by)
    attempt, waits = run.attempt, run.waiting
    if run.status != "waiting_time" or attempt is None or waits is None or waits["for"] != "retry":
        raise not_possible(run, "Stopping to try again")
    effect, step = run.wanted, (attempt.step, attempt.attempt)
    if effect is None:
        message = "It was not tried again, because a person stopped that."
        return [
            Event(
                "step_failed",
                now,
                {"code": "stopped", "retries": run.tries},
                {"message": message},
                step,
                command.by,
            )
        ]
    if run.unsure:
        open_data = {"effect": effect.id, "effect_kind": effect.kind, "code": waits["code"]}
        return [Event("effect_unknown", now, open_data, {"message": waits["message"]}, step, command.by)]
    why = Report(
        effect.id,
        "failed",
        waits["code"],
        waits["message"],
        [{"field": "", "reason": waits["message"]}],
        asks=True,
    )
    open_data = {"effect": effect.id, "effect_kind": effect.kind, "code": why.code}
    event = Event("effect_failed", now, open_data, {"message": why.message}, step, command.by)
    return [event] if effect.compensates is not None else settling.after_refusal(plan, run, event, why, now)
