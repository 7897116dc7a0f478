"""How each event changes a run."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from console.core.events import ENDS
from console.core.origins import PLACE
from console.core.run import effect_changes
from console.core.run.causes import causes_from_json
from console.core.run.effect_changes import put, require_attempt, waiting_for_effect
from console.core.run.origin import GUIDED
from console.core.run.state import FORM_NEEDED, NEXT_ITEM, SUPPLIED, Attempt, Event, Run, copied


def evolve(run: Run, event: Event) -> Run:
    """The run after the event. `run` is not changed."""
    after = copied(run)
    _apply(after, event)
    return after


FOLDED_SINCE: Mapping[str, str] = MappingProxyType({"entered": "20261123_0400", "fork": "20261123_0010"})
"""Values of events without which the run becomes another: older releases would fold it wrongly. By the migration that came with each they refuse to start."""


def fold(events: Iterable[Event], run: Run | None = None) -> Run:
    """The run after all the events, starting from `run` (None: an empty one), which is not changed."""
    state = Run() if run is None else copied(run)
    for event in events:
        _apply(state, event)
    return state


def _apply(run: Run, event: Event) -> None:
    run.seq += 1
    if "entered" in event.open:
        _entry_told(run, event)
    moved = event.open.get("revision")
    if moved is not None:
        run.worked_ms, run.revision = run.worked_by(event.at), int(moved)
    if "loaded" in event.sealed:
        _add_loaded(run, event)
    change = CHANGES.get(event.type)
    if change is not None:
        change(run, event)
    if moved is not None:
        run.active_at = event.at
    ending = ENDS.get(event.type)
    if ending is not None:
        _end(run, event, ending)


def _end(run: Run, event: Event, status: Any) -> None:
    attempt = run.attempt
    if attempt is not None and attempt.status in ("open", "performing"):
        left = tuple(
            replace(each, status="void") if each.status == "open" else each for each in attempt.approvals
        )
        put(run, attempt, status="failed" if status == "failed" else "cancelled", approvals=left)
    run.status, run.ended_at, run.holder, run.current, run.waiting, run.take_over = (
        status,
        event.at,
        None,
        None,
        None,
        None,
    )
    run.ticket = None
    run.reason = event.sealed.get("reason", event.sealed.get("message"))
    run.ending = event.open.get("label")


def _run_started(run: Run, event: Event) -> None:
    open_data = event.open
    run.id, run.workflow, run.version, run.team = (
        open_data["id"],
        open_data["workflow"],
        open_data["version"],
        open_data["team"],
    )
    run.collection, run.record, run.exclusive_key = (
        open_data["collection"],
        open_data["record"],
        open_data["exclusive"],
    )
    run.label = open_data.get("label")
    run.started_by, run.holder, run.created_at = open_data["started_by"], open_data["holder"], event.at
    run.last_holder = run.holder
    run.input = event.sealed.get("input", {})
    run.linked_to = open_data.get("linked_to")
    run.trigger = open_data.get("trigger", "record")
    run.mode, run.start_key, run.test = (
        open_data.get("mode", GUIDED),
        open_data.get("start_key"),
        bool(open_data.get("test")),
    )
    run.caused_by = causes_from_json(open_data.get("caused_by"))
    if "origin" in open_data:
        run.origin = {**open_data["origin"], "event": event.sealed.get("event")}
    if "parent" in open_data:
        parent = open_data["parent"]
        run.parent, run.branch = parent["run"], parent["branch"]
        run.origin = {**(run.origin or {}), "key": parent["key"], "depth": parent["depth"]}
    if "fork" in open_data:
        run.fork = {
            **open_data["fork"],
            "context": event.sealed.get("context") or {},
            "item": event.sealed.get("item"),
        }
        run.context = dict(run.fork["context"])


def _entry_told(run: Run, event: Event) -> None:
    """The entry into an automatic step, for which there is no event of its own (`told_entries`)."""
    open_data = {"n": event.open["n"], "status": "running"}
    _step_entered(
        run, Event("step_entered", datetime.fromisoformat(event.open["entered"]), open_data, {}, event.step)
    )


def _step_entered(run: Run, event: Event) -> None:
    step, number = event.step or ("", 0)
    run.made = run.current = int(event.open["n"])
    run.visits[step] = number
    defaults = event.sealed.get("defaults")
    run.attempts[run.current] = Attempt(
        *(run.current, step, number, "open", event.at), replaces=event.open.get("replaces"), defaults=defaults
    )
    if event.open.get("iteration"):
        run.visits[f"{step}/items"] = run.visits.get(f"{step}/items", 0) + 1
    run.status = event.open["status"]
    run.waiting = run.take_over = None
    _leave_alone(run)


def _leave_alone(run: Run) -> None:
    """Nobody holds a hands-off run any more when it goes on by itself: it acts with the rights of its own account again."""
    if run.hands_off and run.status == "running":
        run.holder = None


def _step_submitted(run: Run, event: Event) -> None:
    attempt = require_attempt(run)
    then = {"then": event.open["awaits"]} if "awaits" in event.open else {}
    run.status, run.waiting = "waiting_event", waiting_for_effect(run, **then)
    put(run, attempt, status="performing", errors=None, **_handed_in(event))


def _step_completed(run: Run, event: Event) -> None:
    attempt = require_attempt(run)
    handed_in = (
        _handed_in(event)
        if "outcome" in event.open
        else {name: event.sealed[name] for name in ("output",) if name in event.sealed}
    )
    if handed_in.get("by") is None:
        handed_in["by"] = attempt.by  # what a person sent is theirs when it has left
    if "came_to" in event.open:
        handed_in["outcome"] = event.open["came_to"]
    done = attempt._replace(status="done", completed_at=event.at, errors=None, **handed_in)
    run.attempts[attempt.n] = done
    run.context[attempt.step] = _context(run, done)
    by_itself = event.open.get("automatic")
    run.automatic = run.automatic + (done.outcome != NEXT_ITEM) if by_itself else 0
    run.waiting = run.take_over = None
    run.ticket = (
        run.ticket if by_itself else None
    )  # whoever it was handed to takes it behind the steps that need nobody


def _context(run: Run, done: Attempt) -> Mapping[str, Any]:
    """The output for later steps. A loop submits one `item` at a time; earlier items are kept in `items`. One with a body has them in its output."""
    if done.outcome != NEXT_ITEM or done.output is None or "item" not in done.output:
        return done.context
    open_data = {name: value for name, value in done.output.items() if name != "item"}
    item = done.output["item"]
    before = run.context.get(done.step, {}).get("items", [])
    return {**open_data, "items": [*(each for each in before if each["key"] != item["key"]), item]}


def _handed_in(event: Event) -> dict[str, Any]:
    return {
        "by": event.by,
        "outcome": event.open["outcome"],
        "values": event.sealed.get("values", {}),
        "output": event.sealed.get("output"),
        "handled_manually": bool(event.open.get("handled_manually")),
    }


def _step_reopened(run: Run, event: Event) -> None:
    attempt = require_attempt(run)
    run.status, run.waiting = "waiting_person", None
    values, errors = event.sealed.get("values", {}), event.sealed.get("errors", [])
    put(
        run,
        attempt,
        status="open",
        by=None,
        outcome=None,
        values={},
        output=None,
        handled_manually=False,
        defaults=values,
        errors=errors,
    )


def _step_failed(run: Run, event: Event) -> None:
    if (
        event.open.get("outcome") is not None
    ):  # the step's edge for errors: the run goes on, and later steps can read the error
        attempt = require_attempt(run)
        put(run, attempt, status="failed", outcome=event.open["outcome"])
        output_so_far = attempt.values if attempt.output is None else attempt.output
        run.context[attempt.step] = {
            **(output_so_far or {}),
            "code": event.open["code"],
            "error": event.sealed.get("message", ""),
        }
        return
    run.status, run.waiting = "waiting_person", None
    needs_form = event.open["code"] == FORM_NEEDED
    run.take_over = (
        None if needs_form else {"code": event.open["code"], "message": event.sealed.get("message", "")}
    )


def _attempt_retried(run: Run, event: Event) -> None:
    run.status, run.take_over, run.waiting, run.automatic = event.open["status"], None, None, 0
    _leave_alone(run)


def _timer_set(run: Run, event: Event) -> None:
    run.status, run.waiting = "waiting_time", {"for": "time", "until": event.open["until"]}
    put(run, require_attempt(run), outcome=event.open["outcome"], output=event.sealed.get("output"))


def _wait_left(run: Run, event: Event) -> None:
    attempt = require_attempt(run)
    run.status, run.waiting = "waiting_person", None
    asked_about = {"key": event.open["key"]} if "key" in event.open else {}
    run.take_over = {"code": event.open["code"], "message": event.sealed.get("message", ""), **asked_about}
    typed, kept = dict(attempt.values) or attempt.defaults, event.sealed.get("values")
    typed = {**(typed or {}), **kept} if kept else typed
    put(
        run,
        attempt,
        status="open",
        by=None,
        outcome=None,
        values={},
        output=None,
        handled_manually=False,
        defaults=typed,
    )


def _retry_set(run: Run, event: Event) -> None:
    open_data = event.open
    why = (
        {"effect": open_data["effect"], "code": open_data["code"], "message": event.sealed.get("message", "")}
        if "effect" in open_data
        else {name: open_data[name] for name in ("code",) if name in open_data}
    )
    why |= {"source": open_data["source"]} if "source" in open_data else {}
    unsure = {"unsure": True} if open_data.get("unsure") else {}
    run.status = "waiting_time"
    run.waiting = {
        **waiting_for_effect(run),
        "for": "retry",
        "until": open_data["until"],
        "tries": open_data["tries"],
        **unsure,
        **why,
    }


def _timer_fired(run: Run, _event: Event) -> None:
    """After the timer of a retry the tries stay counted until the step is done. After a wait the count of automatic steps starts again."""
    if run.waiting is not None and "effect" in run.waiting:
        run.status, run.waiting = (
            "waiting_event",
            waiting_for_effect(
                run, **{name: run.waiting[name] for name in ("tries", "unsure") if name in run.waiting}
            ),
        )
        return
    run.status = "running"
    if run.waiting is not None and run.waiting["for"] == "retry":
        run.waiting = {**run.waiting, "until": None}
    else:
        run.waiting, run.automatic = None, 0


def _run_saved(run: Run, _event: Event) -> None:
    run.status, run.holder = "saved", None


def _run_resumed(run: Run, event: Event) -> None:
    run.status, run.holder, run.last_holder, run.ticket = (
        "waiting_person",
        event.open["holder"],
        event.open["holder"],
        None,
    )


def _run_taken_over(run: Run, event: Event) -> None:
    run.holder = run.last_holder = event.open["holder"]
    run.ticket = None


def _run_assigned(run: Run, event: Event) -> None:
    _run_taken_over(run, event)
    if run.status == "saved":
        run.status = "waiting_person"


def _run_escalated(run: Run, event: Event) -> None:
    open_data = event.open
    run.holder = None
    if run.status == "saved":
        run.status = "waiting_person"
    run.ticket = {
        "inbox": open_data["inbox"],
        "priority": open_data["priority"],
        "reason": event.sealed.get("reason", ""),
        "at": open_data["at"],
        "by": event.by,
    }


def _run_version_moved(run: Run, event: Event) -> None:
    run.version = int(event.open["version"])


def _run_snoozed(run: Run, event: Event) -> None:
    run.ticket = {**(run.ticket or {}), "until": event.open["until"]}


def _run_released(run: Run, event: Event) -> None:
    run.holder = run.ticket = None
    if "inbox" in event.open:
        place = {name: event.open[name] for name in ("inbox", "priority", "at", "by")}
        run.ticket = place | {"reason": event.sealed.get("reason", "")}


def _attempt_cancelled(run: Run, event: Event) -> None:
    put(run, run.attempts[int(event.open["n"])], status="cancelled")


def _step_revised(run: Run, event: Event) -> None:
    target = run.attempts[int(event.open["n"])]
    put(run, target, revised=True)
    run.context = dict((run.fork or {}).get("context", {}))
    for _, attempt in sorted(run.attempts.items()):
        if attempt.standing:
            run.context[attempt.step] = _context(run, attempt)
    run.take_over = run.waiting = None


def _context_supplied(run: Run, event: Event) -> None:
    """Later steps read the added values. The submitted values stay as they were."""
    target, given = run.attempts[int(event.open["target"])], event.sealed.get("values", {})
    put(run, target, output={**target.context, **given, "missing": SUPPLIED})
    run.context[target.step] = {**run.context.get(target.step, {}), **given, "missing": SUPPLIED}


def _add_loaded(run: Run, event: Event) -> None:
    """Add the keys of the rows of other records that the step read."""
    if event.type == "run_started":
        run.loaded[""] = frozenset({""})  # from its start on, the run names what it reads
    for name, rows in (event.sealed["loaded"] or {}).items():
        if rows is not None:  # None: erased
            place = f"{rows['collection']}{PLACE}{event.step[0] if event.step else ''}.{name}"
            run.loaded[place] = run.loaded.get(place, frozenset()) | (frozenset(rows["keys"]) or {""})


def _step_shown(run: Run, event: Event) -> None:
    screen = event.sealed.get("screen")
    if screen is not None:
        run.screens[int(event.open["n"])] = screen


CHANGES: Mapping[str, Callable[[Run, Event], None]] = {
    "run_started": _run_started,
    "step_entered": _step_entered,
    "step_submitted": _step_submitted,
    "step_completed": _step_completed,
    "step_reopened": _step_reopened,
    "step_failed": _step_failed,
    "attempt_retried": _attempt_retried,
    "timer_set": _timer_set,
    "timer_fired": _timer_fired,
    "retry_set": _retry_set,
    "run_saved": _run_saved,
    "run_resumed": _run_resumed,
    "run_taken_over": _run_taken_over,
    "run_released": _run_released,
    "run_snoozed": _run_snoozed,
    "run_version_moved": _run_version_moved,
    "run_assigned": _run_assigned,
    "run_escalated": _run_escalated,
    "wait_left": _wait_left,
    "attempt_cancelled": _attempt_cancelled,
    "step_revised": _step_revised,
    "step_shown": _step_shown,
    "context_supplied": _context_supplied,
    **effect_changes.CHANGES,
}
"""Kinds of events that change the state. Other kinds, such as an opened source, only change the numbers."""
