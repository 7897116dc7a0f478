"""Effects of a step and their results. They are requested together and made one after another, in the order of their numbers."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from console.core.errors import Conflict
from console.core.run import NEXT_ITEM, Attempt, Effect, Event, Run, repeating, side_work
from console.core.run.commands import Check, Complete, Plan, Postpone, Report, Settle
from console.core.run.effect_changes import STORED
from console.core.run.evolve import fold
from console.core.run.moves import enter_step, go_to_next, not_possible, require_holder, require_reason
from console.core.run.origin import EACH
from console.core.run.step_requests import Wish

NOT_BEGUN = "Not begun, because the change before it was not made."


def idempotency_key(run_id: str, step: str, attempt: int, number: int) -> str:
    """The idempotency key of an effect, 32 hexadecimal digits: the same for every try of this effect, and for no other effect."""
    return hashlib.sha256(f"{run_id}:{step}:{attempt}:{number}".encode()).hexdigest()[:32]


def submit_effects(
    plan: Plan, run: Run, attempt: Attempt, command: Complete, submitted: Event, now: datetime
) -> list[Event]:
    """The events of a step with effects: each effect is requested, or the result of an earlier one is kept. Raises what `repeating.match_former` raises."""
    go_to_next(
        plan, run, attempt.step, command.outcome, command.ends, now
    )  # refuse an outcome without a next step before anything is done
    judged, events = repeating.match_former(run, attempt, command), [submitted]
    for number, (wish, former) in enumerate(judged, len(attempt.effects) + 1):
        events += (
            [request_effect(run, attempt, wish, number, now)]
            if former is None
            else kept_events(attempt, [(wish, former)], command, now)
        )
    return [*events, *after_settling(plan, fold(events, run), attempt, now)]


def kept_events(
    attempt: Attempt, judged: Sequence[tuple[Wish, Effect | None]], command: Complete, now: datetime
) -> list[Event]:
    """The events for the effects whose earlier result is kept."""
    return [
        Event(
            "effect_kept",
            *(now, {"effect": wish.id, "of": former.id, "effect_kind": former.kind}, _reason(command.reason)),
            *((attempt.step, attempt.attempt), command.by),
        )
        for wish, former in judged
        if former is not None
    ]


def _reason(reason: str) -> dict[str, Any]:
    return {"reason": reason.strip()} if reason.strip() else {}


def request_effect(run: Run, attempt: Attempt, wish: Wish, number: int, now: datetime, **then: str) -> Event:
    """The event that requests the wish as effect `number` of the attempt. `then` says what the run does after the effect is settled."""
    open_data: dict[str, Any] = {
        "effect": wish.id,
        "effect_kind": wish.kind,
        "number": number,
        "summary": wish.summary,
    }
    if wish.compensates is not None:
        open_data["compensates"] = wish.compensates
    reason = {"reason": then.pop("reason")} if "reason" in then else {}
    request = {"key": idempotency_key(run.id, attempt.step, attempt.attempt, number), **wish.request}
    return Event(
        "effect_requested",
        now,
        open_data | then,
        {"request": request, **reason},
        (attempt.step, attempt.attempt),
    )


def request_compensations(
    run: Run, attempt: Attempt, wishes: Sequence[Wish], now: datetime, **then: str
) -> list[Event]:
    """The events that request compensations at this attempt, newest first as given. Raises Conflict for an effect that was not made."""
    back = {effect.id for _, effect in repeating.outstanding(run, run.attempts.values())}
    if unknown := [wish for wish in wishes if wish.compensates not in back]:
        raise Conflict(
            f"“{unknown[0].summary}” takes back what was not done, or was taken back already.",
            code="not_possible",
        )
    closed = [
        side_work.task_closed(task, wish.id, attempt, run.holder, now)
        for wish in wishes
        if (task := _task(run, wish)) is not None
    ]
    first = len(attempt.effects) + len(closed) + 1
    others = [wish for wish in wishes if wish.kind != side_work.TASK]
    return [
        *closed,
        *(
            request_effect(run, attempt, wish, number, now, **(then if number == first else {}))
            for number, wish in enumerate(others, first)
        ),
    ]


def _task(run: Run, wish: Wish) -> Effect | None:
    """The task that the wish takes back; None if it takes back an effect outside the console."""
    attempt_and_effect = run.effect(wish.compensates or "") if wish.kind == side_work.TASK else None
    return attempt_and_effect[1] if attempt_and_effect is not None else None


# -- results


def late_report(command: Report, now: datetime) -> list[Event]:
    """The events for a result that comes when the run no longer waits for it, with the side rows that it creates."""
    open_data = {"effect": command.effect, "result": command.status, "code": command.code}
    event = Event("effect_reported", now, open_data, _sealed_result(command, "answer"))
    return [
        event,
        *(
            Event(side_row.kind, now, dict(side_row.open), dict(side_row.sealed))
            for side_row in command.side_rows
        ),
    ]


def _sealed_result(command: Report, answer: str = "result") -> dict[str, Any]:
    sealed: dict[str, Any] = {}
    if command.message:
        sealed["message"] = command.message
    if command.errors:
        sealed["errors"] = [dict(error) for error in command.errors]
    if command.result:
        sealed[answer] = dict(command.result)
    return sealed


_ASKS = re.compile(r"Look[^.]*, then say what you found\.$")
"""What a person is asked at a step; where nobody is at it, the run has ended and takes no answer."""


def report(plan: Plan, run: Run, command: Report, now: datetime) -> list[Event]:
    """The events for the result of an effect: the step is done, is opened again, or a person has to look. A late answer settles an unknown effect."""
    attempt, effect = run.attempt, _awaited(run, command)
    if attempt is None or effect is None:
        return late_report(command, now)
    open_data = {"effect": effect.id, "effect_kind": effect.kind, "code": command.code}
    event = Event(
        f"effect_{command.status}", now, open_data, _sealed_result(command), (attempt.step, attempt.attempt)
    )
    match command.status:
        case "succeeded":
            return [event, *after_settling(plan, fold([event], run), attempt, now)]
        case "failed" if effect.compensates is None:
            return after_refusal(plan, run, event, command, now)
        case "unknown" if (
            effect.compensates is None
            and not _always_asks(effect)
            and ends_run(plan, run, attempt, asks=command.asks)
        ):
            events = [event, *_not_begun(attempt, effect.id, now)]
            return [*events, *_without_a_person(plan, fold(events, run), attempt, command, now)]
    return [event]


def ends_on_error(plan: Plan, run: Run) -> bool:
    """Whether an error ends the run: its workflow says so, or it is an item of a loop that goes on without it."""
    passed_over = str((run.origin or {}).get("key", "")).endswith(EACH)
    return passed_over or plan.workflow.settings.on_error == "fail"


def ends_run(plan: Plan, run: Run, attempt: Attempt, *, asks: bool) -> bool:
    """Whether an error at this attempt ends the run: the engine did the step, and `ends_on_error`. `asks`: a person gets it in any case."""
    automatic = attempt.step in plan.automatic and attempt.by is None
    return automatic and ends_on_error(plan, run) and not asks


def _always_asks(effect: Effect) -> bool:
    """Whether a person must look at an unknown result whatever the workflow says, because money or a message cannot be recalled."""
    return bool(
        effect.request.get("irreversible") or (effect.request.get("define") or {}).get("irreversible")
    )


def _without_a_person(plan: Plan, run: Run, attempt: Attempt, why: Report, now: datetime) -> list[Event]:
    """The events that take the step's edge for errors, or else end the run."""
    step, open_data = (
        (attempt.step, attempt.attempt),
        {"code": why.code, "type": plan.workflow.step(attempt.step).type},
    )
    sealed = {"message": _ASKS.sub("Look there before it is done again.", why.message)}
    if way := error_target(plan, run, attempt):
        return [
            Event("step_failed", now, open_data | {"outcome": "error"}, sealed, step),
            *_enter_step(plan, run, way, now),
        ]
    return [
        Event("step_failed", now, open_data, sealed, step),
        Event("run_failed", now, {"code": why.code}, sealed),
    ]


def _awaited(run: Run, command: Report) -> Effect | None:
    """The effect of the report, if the run still waits for its result."""
    attempt_and_effect = run.effect(command.effect)
    if attempt_and_effect is None or attempt_and_effect[0].n != run.current or run.status == "saved":
        return None
    waits = {"requested"} if command.status == "unknown" else {"requested", "unknown"}
    return attempt_and_effect[1] if attempt_and_effect[1].status in waits else None


def after_refusal(plan: Plan, run: Run, event: Event, why: Report, now: datetime) -> list[Event]:
    """The events after an effect failed: later effects are not begun; the step takes its edge for errors, or is opened again."""
    attempt = run.attempts[run.current or 0]
    step = (attempt.step, attempt.attempt)
    events = [event, *_not_begun(attempt, why.effect, now)]
    open_data = {"code": why.code, "type": plan.workflow.step(attempt.step).type}
    if way := error_target(plan, run, attempt):
        return [
            *events,
            Event("step_failed", now, open_data | {"outcome": "error"}, {"message": why.message}, step),
            *_enter_step(plan, run, way, now),
        ]
    nobody = (
        run.hands_off and run.holder is None
    )  # a right that is gone, or an account that is closed, is an error like others then
    if ends_run(plan, run, attempt, asks=why.asks and not nobody):
        return [*events, *_without_a_person(plan, fold(events, run), attempt, why, now)]
    sealed = {"values": dict(attempt.values), "errors": [dict(error) for error in why.errors]}
    events.append(Event("step_reopened", now, {"effect": why.effect, "code": why.code}, sealed, step))
    if attempt.step in plan.automatic and attempt.by is None:
        events.append(Event("step_failed", now, {"code": why.code}, {"message": why.message}, step))
    return events


def error_target(plan: Plan, run: Run, attempt: Attempt) -> str | None:
    """The step to which the edge `error` leads; None if there is none, or the run entered that step as often as the workflow allows.

    None also if the step has made an effect already: it is opened again instead, so that the rest can be made.
    """
    if any(
        effect.kind not in repeating.COMPARED | repeating.BESIDE
        for _, effect in repeating.outstanding(run, [attempt])
    ):
        return None
    target = plan.workflow.step(attempt.step).next.get("error")
    return (
        target
        if target is not None and run.visits.get(target, 0) < plan.workflow.settings.visit_limit
        else None
    )


def _enter_step(plan: Plan, run: Run, target: str, now: datetime) -> list[Event]:
    return [enter_step(plan, run, target, run.made + 1, now)]


def _not_begun(attempt: Attempt, but: str, now: datetime) -> list[Event]:
    return [
        Event(
            "effect_failed",
            now,
            {"effect": effect.id, "effect_kind": effect.kind, "code": "not_begun"},
            {"message": NOT_BEGUN},
            (attempt.step, attempt.attempt),
        )
        for effect in attempt.effects
        if effect.status == "requested" and effect.id != but
    ]


def after_settling(plan: Plan, run: Run, attempt: Attempt, now: datetime) -> list[Event]:
    """The events once all effects of the attempt are settled: the step is done, the run ends, or the form is opened again. None before that."""
    latest, step = run.attempts[attempt.n], (attempt.step, attempt.attempt)
    if latest.status != "performing" or any(
        effect.status == "requested" or effect.asks for effect in latest.effects
    ):
        return []
    if run.waiting and "aborting" in run.waiting:
        return [
            Event(
                "run_aborted",
                now,
                {"former_holder": run.holder},
                {"reason": run.waiting["aborting"]},
                by=run.holder,
            )
        ]
    if latest.outcome is None:  # the step was not completed: effects were taken back before it
        sealed = {"values": dict(latest.defaults or {}), "errors": []}
        return [
            Event(
                "step_reopened", now, {"effect": latest.effects[-1].id, "code": "compensated"}, sealed, step
            )
        ]
    if run.then is not None:
        return _wait_or_go_on(plan, run, latest, run.then, now)
    came_to = _came_to(plan, latest)
    open_data = {
        "n": attempt.n,
        "type": plan.workflow.step(attempt.step).type,
        "automatic": attempt.step in plan.automatic and attempt.by is None,
    }
    open_data |= {"came_to": came_to} if came_to != latest.outcome else {}
    completed = Event("step_completed", now, open_data, with_results(latest), step)
    after = fold([completed], run)
    return [
        completed,
        *go_to_next(plan, after, attempt.step, came_to, None, now, item_left=came_to == latest.outcome),
    ]


def _wait_or_go_on(
    plan: Plan, run: Run, attempt: Attempt, then: Mapping[str, Any], now: datetime
) -> list[Event]:
    """The events after the effects of a step that waits for what comes of them: it begins to wait, or is done if that came already."""
    step, arrived = (attempt.step, attempt.attempt), then.get("arrived")
    if arrived is None:
        return [
            Event(
                "event_awaited",
                now,
                {"n": attempt.n, **{name: then[name] for name in ("for", "key", "until", "outcome")}},
                {},
                step,
            )
        ]
    sealed = {"values": dict(arrived.get("values", attempt.values))} | with_results(attempt)
    if "output" in arrived:
        sealed["output"] = {**sealed.get("output", {}), **arrived["output"]}
    open_data = {
        "n": attempt.n,
        "type": plan.workflow.step(attempt.step).type,
        "outcome": arrived["outcome"],
        "automatic": attempt.by is None,
    }
    completed = Event("step_completed", now, open_data, sealed, step)
    return [completed, *go_to_next(plan, fold([completed], run), attempt.step, arrived["outcome"], None, now)]


def _came_to(plan: Plan, attempt: Attempt) -> str:
    """The outcome that the last effect's result names, if the step has an edge for it; else the submitted one.

    A loop comes to itself again where the database keeps other values than it was judged by.
    """
    if any(
        "anew" in effect.request and STORED in (effect.result or {}) for effect in _succeeded_effects(attempt)
    ):
        return NEXT_ITEM
    named = [effect.result.get("outcome") for effect in _succeeded_effects(attempt) if effect.result]
    last_named = named[-1] if named else None
    return last_named if last_named in plan.workflow.step(attempt.step).next else attempt.outcome or "default"


def _succeeded_effects(attempt: Attempt) -> list[Effect]:
    """The effects that succeeded, without compensations."""
    return [
        effect for effect in attempt.effects if effect.status == "succeeded" and effect.compensates is None
    ]


def with_results(attempt: Attempt) -> dict[str, Any]:
    """`output` with the results of the effects: `results` by name, `result` of the last one, its `message`, and fields of records as they are stored.

    Empty if there is nothing but what was handed in.
    """
    with_result = [
        effect
        for effect in _succeeded_effects(attempt)
        if effect.result and ("name" in effect.result or effect.kind not in repeating.COMPARED)
    ]
    handed_in = attempt.values if attempt.output is None else attempt.output
    output = _as_stored(attempt, handed_in)
    if not with_result:
        return {} if output is handed_in else {"output": output}
    results = [dict(effect.result or {}) for effect in with_result]
    open_data: dict[str, Any] = {"result": results[-1].get("values", results[-1])}
    if named := {result["name"]: result.get("values", {}) for result in results if "name" in result}:
        open_data["results"] = named
    open_data |= {name: results[-1][name] for name in ("message", "outcome") if name in results[-1]}
    return {"output": {**output, **open_data}}


def _as_stored(attempt: Attempt, output: Mapping[str, Any]) -> Mapping[str, Any]:
    """The output with what the database keeps of the fields that the step wrote, also in the item of a loop whose record was written."""
    for effect in _succeeded_effects(attempt):
        if stored := (effect.result or {}).get(STORED):
            output = {**output, **(effect.request.get("anew") or {})}
            by_name = (
                {name: name for name in stored}
                if attempt.output is None
                else effect.request.get("tells") or {}
            )
            told = {
                name: stored[field] for name, field in by_name.items() if name in output and field in stored
            }
            items: dict[str, Any] = {
                name: _entry_as_stored(output[name], effect.request["key"], stored)
                for name in ("item", "items")
                if name in output
            }
            output = {**output, **items, **told}
    return output


def _entry_as_stored(entry: Any, key: str, stored: Mapping[str, Any]) -> Any:
    if isinstance(entry, list):
        return [_entry_as_stored(each, key, stored) for each in entry]
    if not isinstance(entry, dict) or entry.get("key") != key or not isinstance(entry.get("values"), dict):
        return entry
    return {
        **entry,
        "values": {
            **entry["values"],
            **{name: value for name, value in stored.items() if name in entry["values"]},
        },
    }


# -- unknown results, and errors that may pass


def postpone(_plan: Plan, run: Run, command: Postpone, now: datetime) -> list[Event]:
    """The event that puts off an effect after an error that may pass."""
    attempt, effect = run.attempt, run.wanted
    if attempt is None or effect is None or effect.id != command.effect or run.status != "waiting_event":
        raise not_possible(run, "Trying again later")
    open_data = {
        "n": attempt.n,
        "code": command.code,
        "tries": run.tries + 1,
        "until": command.until,
        "effect": effect.id,
    }
    open_data |= {"unsure": True} if command.unsure or run.unsure else {}
    open_data |= {"source": command.source} if command.source else {}
    return [Event("retry_set", now, open_data, {"message": command.message}, (attempt.step, attempt.attempt))]


def check(plan: Plan, run: Run, command: Check, now: datetime) -> list[Event]:
    """The events after the other system was asked about an unknown effect. A clear answer settles it."""
    require_holder(run, command.by)
    attempt, effect = run.attempt, run.unknown
    if (
        attempt is None
        or effect is None
        or effect.id != command.effect
        or effect.status != "unknown"
        or run.status != "waiting_person"
    ):
        raise not_possible(run, "Checking this effect")
    step, open_data = (
        (attempt.step, attempt.attempt),
        {"effect": effect.id, "effect_kind": effect.kind, "result": command.result},
    )
    sealed = {"message": command.message} if command.message else {}
    checked = Event("effect_checked", now, open_data | {"code": command.code}, sealed, step, command.by)
    if command.result == "unclear":
        return [checked]
    answer = {"answer": dict(command.found)} if command.found and command.result == "done" else {}
    event = Event("effect_settled", now, open_data, answer, step, command.by)
    return [checked, event, *after_settling(plan, fold([event], run), attempt, now)]


def settle(plan: Plan, run: Run, command: Settle, now: datetime) -> list[Event]:
    """The events after a person states whether an unknown effect happened, or gives up a compensation."""
    reason = require_reason(command.reason)
    require_holder(run, command.by)
    attempt, effect = run.attempt, run.unknown
    if attempt is None or effect is None or effect.id != command.effect or run.status != "waiting_person":
        raise not_possible(run, "Settling this effect")
    if command.left and effect.compensates is None:
        raise Conflict(
            "Only a compensation can be given up; say whether this change was made.", code="not_possible"
        )
    result = "left" if command.left else "done" if command.done else "not_done"
    open_data = {"effect": effect.id, "effect_kind": effect.kind, "result": result}
    event = Event(
        "effect_settled", now, open_data, {"reason": reason}, (attempt.step, attempt.attempt), command.by
    )
    if command.left and attempt.outcome is not None and "aborting" not in (run.waiting or {}):
        # the next effect depends on the compensation, so the form is opened again instead
        return after_refusal(plan, run, event, Report(effect.id, "failed", "not_compensated", asks=True), now)
    return [event, *after_settling(plan, fold([event], run), attempt, now)]
