"""Checks and events that several rules of runs share: who holds a run, entering a step, going on to the next one."""

from datetime import datetime
from typing import Any

from console.core import run as state
from console.core.errors import Conflict, Invalid
from console.core.run import Attempt, Event, Run
from console.core.run.commands import Plan

NEXT_ITEM = state.NEXT_ITEM


def has_ended(run: Run) -> Conflict:
    """The error for a command to a run that has ended."""
    return Conflict(
        f"This run has ended ({run.status}); it accepts no change. Start a new one to correct it.",
        code="not_possible",
    )


def stale_form() -> Conflict:
    """The error for a form that was drawn before the run changed."""
    return Conflict(
        "This run moved on since the page was drawn. Reload it to see where it stands.", code="stale_revision"
    )


def not_possible(run: Run, what: str) -> Conflict:
    """The error for a command that the run's status does not allow."""
    return Conflict(
        f"{what} is not possible while the run is {run.status.replace('_', ' ')}.", code="not_possible"
    )


def require_holder(run: Run, by: str | None) -> None:
    """Raise Conflict `not_holder` unless the person holds the run; `details[0].reason` names who does."""
    if run.holder != by:
        message = (
            "Another person holds this run."
            if run.holder is not None
            else f"Nobody holds this run{_what_then(run)}."
        )
        raise Conflict(message, code="not_holder", at=("holder", run.holder or "nobody"))


def _what_then(run: Run) -> str:
    """What somebody may do with a run that nobody holds."""
    if run.status in ("saved", "waiting_person"):
        return "; resume it first"
    can = (
        "take it over first, or cancel it"
        if run.status == "waiting_time" or run.waits_outside
        else "it can be cancelled"
    )
    return f", it goes on by itself: {can}"


def require_reason(reason: str) -> str:
    """The reason without surrounding blanks. Raises Invalid on the field `reason` if it is empty."""
    if not reason.strip():
        raise Invalid("A reason is needed.", at=("reason", "Say why in a few words; it is kept in the log."))
    return reason.strip()


def open_attempt(run: Run, what: str) -> Attempt:
    """The current attempt, if it can be completed. Raises Conflict `not_possible`."""
    attempt = run.attempt
    if attempt is None or attempt.status != "open" or run.status not in ("waiting_person", "running"):
        raise not_possible(run, what)
    return attempt


def engine_at(run: Run, step: str, what: str) -> Attempt:
    """The open attempt of this automatic step. Raises Conflict if the run is at another step, or waits for a person."""
    attempt = open_attempt(run, what)
    if attempt.step != step or run.status != "running":
        raise not_possible(run, what)
    return attempt


def require_no_open_effect(run: Run, what: str) -> None:
    """Raise Conflict if an effect is under way or its result is unknown."""
    attempt = run.attempt
    if attempt is not None and any(effect.status == "requested" or effect.asks for effect in attempt.effects):
        raise Conflict(
            f"{what} is not possible while a change is under way or its result is unknown. Settle it first.",
            code="not_possible",
        )


def require_completable(
    run: Run, by: str | None, step: str, revision: int | None, *, drafted: bool = False
) -> Attempt:
    """The open attempt, if this person (None: the engine) can complete it now. `drafted`: saving a draft is enough, also while an effect is unknown.

    Raises Conflict as `decide` does.
    """
    if run.ended:
        raise has_ended(run)
    if revision is not None and revision != run.revision:
        raise stale_form()
    if by is not None:
        require_holder(run, by)
        if run.status != "waiting_person" or (run.unknown is not None and not drafted):
            raise not_possible(run, "Completing a step")
    settling = drafted and run.unknown is not None and run.status == "waiting_person"
    attempt = run.attempt if settling and run.attempt is not None else open_attempt(run, "Completing a step")
    if attempt.step != step:
        raise Conflict(
            "This run stands at another step now. Reload it to see where it stands.", code="stale_revision"
        )
    return attempt


def sealed_of(**values: Any) -> dict[str, Any]:
    """The values that are not empty."""
    return {name: value for name, value in values.items() if value not in (None, "", {})}


def enter_step(
    plan: Plan, run: Run, step_id: str, n: int, now: datetime, status: str | None = None, **more: Any
) -> Event:
    """The event that enters a step as attempt number `n`. `more` may hold `replaces`, `defaults` and `iteration`."""
    number = run.visits.get(step_id, 0) + 1
    open_data = {
        "n": n,
        "type": plan.workflow.step(step_id).type,
        "status": status or plan.status_at(step_id),
        "replaces": more.get("replaces"),
    }
    if more.get("iteration"):
        open_data["iteration"] = more["iteration"]
    return Event("step_entered", now, open_data, sealed_of(defaults=more.get("defaults")), (step_id, number))


def go_to_next(
    plan: Plan,
    run: Run,
    step_id: str,
    outcome: str,
    ends: str | None,
    now: datetime,
    *,
    item_left: bool = True,
) -> list[Event]:
    """The events after a completed step: entering the next step, or the end of the run. `item_left`: a loop that goes on has a further item.

    Raises Invalid if the outcome leads nowhere, Conflict if the next step was entered too often.
    """
    if ends is not None:
        return [Event("run_completed", now, {"label": ends, "step": step_id})]
    if outcome == NEXT_ITEM:
        by_person = (
            item_left and step_id in plan.asks and plan.workflow.step(step_id).config.get("body") is None
        )
        status = (
            "waiting_person" if by_person else None
        )  # a person works through the list, and another item is left
        return [
            enter_step(
                plan,
                run,
                step_id,
                run.made + 1,
                now,
                status,
                iteration=run.visits.get(f"{step_id}/items", 0) + 2,
            )
        ]
    target = plan.workflow.target(step_id, outcome)
    if run.fork is not None and target is not None and target == run.fork["join"]:
        return [Event("run_completed", now, {"label": None, "step": step_id})]
    if target is None:
        raise Invalid(
            f"The step has no way on for “{outcome}”.", at=("outcome", "This choice leads nowhere.")
        )
    if is_at_limit(plan, run, step_id, target):
        title, limit = plan.workflow.step(target).title, plan.workflow.settings.visit_limit
        raise Conflict(
            f"“{title}” was entered {limit} times, which is this workflow's limit. "
            "Revise an earlier step and answer otherwise, or hand the run on to an inbox.",
            code="not_possible",
        )
    return [
        enter_step(plan, run, target, run.made + 1, now, defaults=_answers_kept(plan, run, step_id, target))
    ]


def is_at_limit(plan: Plan, run: Run, step_id: str, target: str) -> bool:
    """Whether the step may not lead to that one any more, which was entered as often as the workflow allows.

    Every circle passes a Go to or a wait. Ways forward are free, so that a run goes on after an earlier step was revised.
    """
    leads_back = plan.workflow.step(step_id).type == "go_to" or step_id in plan.waits
    return leads_back and run.entries(target) >= plan.workflow.settings.visit_limit


def is_stuck(plan: Plan, run: Run) -> bool:
    """Whether the run stands at an automatic step from which every way leads to a step that it may not enter again."""
    attempt = run.attempt
    if attempt is None or attempt.step not in plan.automatic:
        return False
    ways = plan.workflow.step(attempt.step).next
    targets = [target for outcome, target in ways.items() if outcome != "error"]
    return bool(targets) and all(is_at_limit(plan, run, attempt.step, target) for target in targets)


def _answers_kept(plan: Plan, run: Run, step_id: str, target: str) -> dict[str, Any] | None:
    """What was typed the last time at the step that a `go_to` leads back to, if it says so; None for nothing."""
    step = plan.workflow.step(step_id)
    if step.type != "go_to" or not step.config.get("keep_answers"):
        return None
    last = max(
        (each for each in run.attempts.values() if each.step == target and each.status == "done"),
        key=lambda each: each.n,
        default=None,
    )
    return dict(last.values) if last is not None else None
