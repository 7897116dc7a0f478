"""Going back in a run, and ending it before its end."""

from datetime import datetime

from console.core.errors import Conflict
from console.core.run import Attempt, Event, Run, settling
from console.core.run.approving import voided
from console.core.run.commands import Abort, Cancel, Plan, Revise
from console.core.run.evolve import fold
from console.core.run.moves import (
    enter_step,
    not_possible,
    require_holder,
    require_no_open_effect,
    require_reason,
)


def cancelled_by(run: Run, n: int) -> list[Attempt]:
    """Attempts that revising number `n` would cancel, newest first, with the current one."""
    return list(reversed(run.after(n)))


def revisable(run: Run, step: str, attempt: int | None = None) -> Attempt:
    """The completed attempt of the step that can be revised: the last one, or number `attempt`. Raises Conflict if there is none."""
    entries = [
        each
        for each in run.attempts.values()
        if each.step == step and each.standing and each.n != run.current
    ]
    chosen = [each for each in entries if attempt is None or each.attempt == attempt]
    if not chosen:
        raise Conflict(
            "This step has no completed attempt that still stands; there is nothing to revise.",
            code="not_possible",
        )
    return max(chosen, key=lambda each: each.n)


def nearest_manual(plan: Plan, run: Run, target: Attempt) -> Attempt | None:
    """The attempt, or if its step is automatic the last attempt before it that a person did; None if there is none."""
    for each in sorted(run.attempts.values(), key=lambda each: each.n, reverse=True):
        alone = each.step in plan.automatic - plan.skips and (each.by is None or each.step not in plan.asks)
        if each.n <= target.n and each.standing and not alone:
            return None if plan.workflow.step(each.step).type == "start" else each
    return None


def revise(plan: Plan, run: Run, command: Revise, now: datetime) -> list[Event]:
    """The events that go back to a completed attempt. Later attempts are cancelled, newest first."""
    reason = require_reason(command.reason)
    require_holder(run, command.by)
    if run.status not in ("waiting_person", "waiting_time") and not run.waits_outside:
        raise not_possible(run, "Revising")
    require_no_open_effect(run, "Revising")
    target = run.attempts.get(command.n)
    if target is None or not target.standing:
        raise Conflict(
            "This attempt was cancelled or revised already; there is nothing to revise.", code="not_possible"
        )
    target = nearest_manual(plan, run, target)
    if target is None:
        raise Conflict("Only a step that a person completed can be revised.", code="not_possible")
    gone = cancelled_by(run, target.n)
    void = voided([*gone, target], "revised", command.by, now, given=True)
    cancelled = [
        Event(
            "attempt_cancelled",
            now,
            {"n": each.n, "status": each.status},
            {},
            (each.step, each.attempt),
            command.by,
        )
        for each in gone
    ]
    open_data = {
        "n": target.n,
        "target_step": target.step,
        "target_attempt": target.attempt,
        "cancelled": len(cancelled),
    }
    revised = Event(
        "step_revised", now, open_data, {"reason": reason}, (target.step, target.attempt), command.by
    )
    after = fold([*void, *cancelled, revised], run)
    entered = enter_step(
        plan,
        after,
        target.step,
        after.made + 1,
        now,
        "waiting_person",
        replaces=target.n,
        defaults=dict(target.values),
    )
    anew = fold([entered], after)
    return [
        *void,
        *cancelled,
        revised,
        entered,
        *settling.request_compensations(anew, anew.attempts[anew.made], command.compensations, now),
    ]


def abort(_plan: Plan, run: Run, command: Abort, now: datetime) -> list[Event]:
    """The events that abort the run, or first request the compensations."""
    reason = require_reason(command.reason)
    if run.holder is not None or not command.entitled:
        require_holder(run, command.by)
    require_no_open_effect(run, "Aborting")
    if command.compensations and run.attempt is not None:
        requests = settling.request_compensations(
            run, run.attempt, command.compensations, now, then="abort", reason=reason
        )
        if any(event.type == "effect_requested" for event in requests):
            return requests
        closed = requests
    else:
        closed = []
    return [
        *closed,
        *_given_up(run, "aborted", command.by, now),
        Event("run_aborted", now, {"former_holder": run.holder}, {"reason": reason}, by=command.by),
    ]


def cancel(_plan: Plan, run: Run, command: Cancel, now: datetime) -> list[Event]:
    """The events that end the run, whoever holds it."""
    reason = require_reason(command.reason)
    require_no_open_effect(run, "Cancelling")
    return [
        *_given_up(run, "cancelled", command.by, now),
        Event("run_cancelled", now, {"former_holder": run.holder}, {"reason": reason}, by=command.by),
    ]


def _given_up(run: Run, code: str, by: str, now: datetime) -> list[Event]:
    """The events that void the open approval of a run that ends. Earlier approvals keep their status."""
    return voided([run.attempt] if run.attempt else [], code, by, now, given=False)
