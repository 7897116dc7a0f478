"""Moving a live run to another version of its workflow. What it has done stays; only what follows is that of the other version."""

from datetime import datetime

from console.core.errors import Conflict
from console.core.run import Attempt, Event, Run
from console.core.run.commands import MoveVersion, Plan
from console.core.run.moves import enter_step, require_reason

MOVABLE = ("waiting_person", "saved", "waiting_time")


def move_version(plan: Plan, run: Run, command: MoveVersion, now: datetime) -> list[Event]:
    """The events that move the run to the version that `plan` is of. At the same step it stays where it is, with what was typed; else it enters the
    step `to` as a new attempt.

    Raises Conflict `not_possible` with the reason, Invalid without one.
    """
    reason = require_reason(command.reason)
    attempt = run.attempt
    if (why := why_not_now(run)) is not None:
        raise Conflict(why, code="not_possible")
    if attempt is None:
        raise Conflict("The run stands at no step.", code="not_possible")
    known = {step.id for step in plan.workflow.steps}
    if command.to not in known:
        raise Conflict(
            "There is no such step in that version: choose where the run goes on.", code="not_possible"
        )
    stays = stays_at(plan, run, attempt, command)
    open_data = {
        "version": command.version,
        "former_version": run.version,
        "n": attempt.n,
        "former_step": attempt.step,
        "target_step": command.to,
    }
    moved = Event(
        "run_version_moved", now, open_data, {"reason": reason}, (attempt.step, attempt.attempt), command.by
    )
    if stays:
        return [moved]
    left = Event(
        "attempt_cancelled",
        now,
        {"n": attempt.n, "status": attempt.status},
        {},
        (attempt.step, attempt.attempt),
        command.by,
    )
    status = plan.status_at(command.to)
    kept = "saved" if run.status == "saved" and status == "waiting_person" else status
    return [left, moved, enter_step(plan, run, command.to, run.made + 1, now, kept)]


def stays_at(plan: Plan, run: Run, attempt: Attempt, command: MoveVersion) -> bool:
    """Whether the run keeps its attempt: the same step of the same type, and a wait that leads somewhere; one for an event that ends in the same ways."""
    step = plan.workflow.step(command.to)
    if attempt.step != command.to or step.type != command.former_type:
        return False
    if _awaits_event(run):
        ends = {attempt.outcome, (run.waiting or {}).get("outcome")} - {None}
        return ends == step.next.keys() - {"default", "error"}
    return (
        run.status != "waiting_time"
        or plan.workflow.target(command.to, attempt.outcome or "default") is not None
    )


def why_not_now(run: Run) -> str | None:
    """Why a run cannot be moved to another version as it is now, as a sentence; None if it can."""
    attempt = run.attempt
    if run.ended:
        return "It has ended."
    if run.parent is not None or run.fork is not None:
        return "Another run started it and waits for it: it ends with its own version."
    if run.status not in MOVABLE and not _awaits_event(run):
        words = "It is being worked on" if run.status == "running" else "It waits for an answer from outside"
        return f"{words}: move it when that is done."
    if run.status == "waiting_time" and (run.waiting or {}).get("for") != "time":
        return "Its step is tried again by itself: move it when that is done."
    if attempt is None or (attempt.status != "open" and not _awaits_event(run)):
        return "A change of it is under way: move it when that is done."
    if any(effect.status == "requested" or effect.asks for effect in attempt.effects):
        return "A change of it is under way or its result is unknown: settle it first."
    return None


def _awaits_event(run: Run) -> bool:
    """Whether it waits until something happens to its record, and nobody is asked: an answer to a message, or a change."""
    return run.status == "waiting_event" and (run.waiting or {}).get("for") == "event"
