"""How events about effects, approvals, proposals and side rows (tasks, notices, questions) change a run."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from console.core.run import proposal
from console.core.run.approval_request import Approval, Decided, answered, requested
from console.core.run.causes import bounded, causes_from_json
from console.core.run.state import SIMULATED, Attempt, Effect, Event, Run

KEPT = {"aborting", "then"}
STORED = "stored"
"""In the result of a change of a record: the fields that the database keeps otherwise than they were handed in."""
SIDE_ROWS = {
    "task_created": ("task", "A task was made"),
    "notice_sent": ("notice", "People were told"),
    "message_asked": ("message", "A message was asked for"),
    "event_awaited": ("documents", "Documents were asked for"),
}
"""Events that create a side row → (kind of the effect that stands for it, its summary)."""


def identity_of_side_row(open_data: Mapping[str, Any], sealed: Mapping[str, Any]) -> dict[str, Any]:
    """The texts and addressees by which two tasks or notices count as the same."""
    return {
        name: value
        for name, value in open_data.items()
        if name in ("assignee", "team", "due", "to", "channels", "channel")
    } | dict(sealed)


def _effect_requested(run: Run, event: Event) -> None:
    attempt, open_data = require_attempt(run), event.open
    effect = Effect(
        *(
            open_data["effect"],
            int(open_data["number"]),
            open_data["effect_kind"],
            open_data["summary"],
            "requested",
            event.sealed.get("request", {}),
            event.at,
        ),
        compensates=open_data.get("compensates"),
    )
    put(run, attempt, effects=(*attempt.effects, effect), status="performing")
    if (run.waiting or {}).get(
        "for"
    ) != "effect" or "then" in open_data:  # a compensation at a step that nobody handed in
        then = {"aborting": event.sealed.get("reason", "")} if open_data.get("then") == "abort" else {}
        run.status, run.waiting, run.take_over = "waiting_event", waiting_for_effect(run) | then, None


def _effect_kept(run: Run, event: Event) -> None:
    attempt, attempt_and_effect = require_attempt(run), run.effect(event.open["of"])
    if attempt_and_effect is None:
        raise ValueError(f"run {run.id} has no effect {event.open['of']} at hand")
    open_data = {
        "id": event.open["effect"],
        "number": len(attempt.effects) + 1,
        "keeps": attempt_and_effect[1].id,
    }
    put(
        run,
        attempt,
        effects=(
            *attempt.effects,
            replace(attempt_and_effect[1], **open_data, requested_at=event.at, settled_at=event.at),
        ),
    )


def _effect_succeeded(run: Run, event: Event) -> None:
    _set_effect(run, event, "succeeded")
    if run.unknown is None:
        run.status, run.waiting, run.take_over = "waiting_event", waiting_for_effect(run), None


def _effect_failed(run: Run, event: Event) -> None:
    effect = _set_effect(run, event, "failed")
    if effect.asks:
        _ask_for_settlement(run, event)
    elif run.unknown is None:
        run.status, run.waiting, run.take_over = "waiting_event", waiting_for_effect(run), None


def _effect_unknown(run: Run, event: Event) -> None:
    _set_effect(run, event, "unknown")
    _ask_for_settlement(run, event)


def _ask_for_settlement(run: Run, event: Event) -> None:
    run.status, run.waiting = (
        "waiting_person",
        waiting_for_effect(run) if KEPT & (run.waiting or {}).keys() else None,
    )
    run.take_over = {"code": event.open["code"], "message": event.sealed.get("message", "")}


def _effect_settled(run: Run, event: Event) -> None:
    effect = _set_effect(
        run, event, {"done": "succeeded", "not_done": "requested", "left": "failed"}[event.open["result"]]
    )
    # People make mistakes, and a request can arrive late: where the other system can be asked, it is asked before anything is sent again.
    look_first = (
        {"unsure": True}
        if effect.status == "requested" and (effect.request.get("define") or {}).get("look_up")
        else {}
    )
    run.status, run.waiting, run.take_over = "waiting_event", waiting_for_effect(run, **look_first), None


def _set_effect(run: Run, event: Event, status: Any) -> Effect:
    attempt_and_effect = run.effect(event.open["effect"])
    if attempt_and_effect is None:
        raise ValueError(f"run {run.id} has no effect {event.open['effect']} at hand")
    attempt, effect = attempt_and_effect
    result = (
        event.sealed.get("result", event.sealed.get("answer"))
        or {key: value for key, value in event.sealed.items() if key in ("message", "errors")}
        or None
    )
    if event.open.get("result") == "left":
        result = {"left": True}
    elif event.open.get("code") == SIMULATED:
        result = {**(result or {}), SIMULATED: True}
    settled = replace(
        effect, status=status, settled_at=None if status == "requested" else event.at, result=result
    )
    put(run, attempt, effects=tuple(settled if each.id == effect.id else each for each in attempt.effects))
    return settled


def as_stored(request: Mapping[str, Any], result: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The request of a change of a record, with what the database keeps in place of what was handed in."""
    stored = (result or {}).get(STORED)
    if not stored or "changes" not in request:
        return request
    changes = {
        name: {**change, "new": stored.get(name, change["new"])}
        for name, change in request["changes"].items()
    }
    return {**request, "changes": changes}


def _event_arrived(run: Run, event: Event) -> None:
    """Keep an answer that came before the effect that asked for it was settled. Otherwise the step is completed by another event.

    Whoever let the run go on is among its causes from then on.
    """
    if "caused_by" in event.open:
        run.caused_by = bounded((*causes_from_json(event.open["caused_by"]), *run.caused_by))
    if event.open.get("early") and run.waiting is not None and run.then is not None:
        values = {name: event.sealed[name] for name in ("values", "output") if name in event.sealed}
        run.waiting = {
            **run.waiting,
            "then": {**run.then, "arrived": {"outcome": event.open["outcome"], **values}},
        }
    elif run.hands_off:
        run.automatic = 0  # it has waited for somebody outside: it does not go in circles


def _event_awaited(run: Run, event: Event) -> None:
    open_data = event.open
    run.status = "waiting_event"
    run.waiting = {
        name: open_data[name] for name in ("for", "until", "key", "outcome", "saw") if name in open_data
    }


def _side_row_created(run: Run, event: Event) -> None:
    """Add an effect for the side row that the step created. Old events carry no effect id, and add none."""
    if event.type == "event_awaited":
        _event_awaited(run, event)
    open_data = event.open
    if "effect" not in open_data:
        return
    attempt, (kind, words) = require_attempt(run), SIDE_ROWS[event.type]
    request = {
        "key": open_data.get("task")
        or open_data.get("key")
        or open_data.get("notice")
        or open_data.get("message_id"),
        "asked": event.sealed.get("request") or identity_of_side_row(open_data, event.sealed),
    }
    effect = Effect(
        open_data["effect"], len(attempt.effects) + 1, kind, words, "succeeded", request, event.at, event.at
    )
    put(run, attempt, effects=(*attempt.effects, effect))


def _task_closed(run: Run, event: Event) -> None:
    """Add the effect that takes back a task. Events of tasks closed by hand carry no effect id."""
    attempt, open_data = require_attempt(run), event.open
    if "effect" in open_data:
        back = Effect(
            open_data["effect"],
            len(attempt.effects) + 1,
            "task",
            "The task was closed",
            "succeeded",
            {"key": open_data["task"]},
            event.at,
            event.at,
        )
        put(run, attempt, effects=(*attempt.effects, replace(back, compensates=open_data["compensates"])))


def _approval_requested(run: Run, event: Event) -> None:
    attempt, open_data = require_attempt(run), event.open
    run.status = "waiting_event"
    run.waiting = {
        "for": "approval",
        "until": open_data.get("until"),
        "key": open_data["approval"],
        "outcome": None,
    }
    put(run, attempt, approvals=(*attempt.approvals, requested(open_data, event.sealed, event.at)))


def _approval_decided(run: Run, event: Event) -> None:
    open_data = event.open
    decided = Decided(
        event.by or "",
        event.at,
        open_data["decision"],
        event.sealed.get("reason", ""),
        tuple(open_data.get("stands_in_for", ())),
    )
    _set_approval(run, event, lambda approval: answered(approval, decided, open_data["status"]))
    if open_data["status"] == "approved":
        run.status, run.waiting = "waiting_event", {"for": "effect", "until": None}


def _approval_over(status: Any) -> Callable[[Run, Event], None]:
    def change(run: Run, event: Event) -> None:
        _set_approval(run, event, lambda approval: replace(approval, status=status))

    return change


def _set_approval(run: Run, event: Event, change: Callable[[Approval], Approval]) -> None:
    attempt_and_approval = run.approval(event.open["approval"])
    if attempt_and_approval is None:
        raise ValueError(f"run {run.id} has no approval {event.open['approval']} at hand")
    attempt, approval = attempt_and_approval
    put(
        run,
        attempt,
        approvals=tuple(change(each) if each.id == approval.id else each for each in attempt.approvals),
    )


def _proposal_requested(run: Run, event: Event) -> None:
    attempt = run.attempts.get(int(event.open["n"]))
    if attempt is None:
        return
    if event.open.get("of") is None:
        put(run, attempt, proposal=proposal.requested(event.open, event.at))
    elif attempt.proposal is not None and attempt.proposal["call"] == event.open["of"]:
        put(run, attempt, proposal=proposal.second_requested(attempt.proposal, event.open))


def _proposal_answered(run: Run, event: Event) -> None:
    attempt = run.attempts.get(int(event.open["n"]))
    if attempt is None or attempt.proposal is None:
        return
    if attempt.proposal["call"] == event.open["call"]:
        put(
            run,
            attempt,
            proposal=proposal.answered(attempt.proposal, event.type, event.open, event.sealed, event.at),
        )
    elif proposal.is_second_call(attempt.proposal, event.open["call"]):
        put(
            run,
            attempt,
            proposal=proposal.second_answered(attempt.proposal, event.type, event.open, event.sealed),
        )


def put(run: Run, attempt: Attempt, **changes: Any) -> None:
    """Replace the attempt in the run by one with these fields changed."""
    run.attempts[attempt.n] = attempt._replace(**changes)


def require_attempt(run: Run) -> Attempt:
    """The current attempt. Raises ValueError where the run has none: its events are out of order."""
    attempt = run.attempt
    if attempt is None:
        raise ValueError(f"run {run.id} stands at no attempt")
    return attempt


def waiting_for_effect(run: Run, **more: Any) -> dict[str, Any]:
    """The run's `waiting` while an effect is made. Keeps what comes after it: the end of the run, or what the step waits for then."""
    kept = {name: value for name, value in (run.waiting or {}).items() if name in KEPT}
    return {"for": "effect", "until": None, **more, **kept}


CHANGES: Mapping[str, Callable[[Run, Event], None]] = {
    "event_awaited": _side_row_created,
    "event_arrived": _event_arrived,
    "task_created": _side_row_created,
    "task_closed": _task_closed,
    "notice_sent": _side_row_created,
    "message_asked": _side_row_created,
    "effect_requested": _effect_requested,
    "effect_kept": _effect_kept,
    "effect_succeeded": _effect_succeeded,
    "effect_failed": _effect_failed,
    "effect_unknown": _effect_unknown,
    "effect_settled": _effect_settled,
    "approval_requested": _approval_requested,
    "approval_decided": _approval_decided,
    "approval_voided": _approval_over("void"),
    "approval_expired": _approval_over("expired"),
    "proposal_requested": _proposal_requested,
    "proposal_made": _proposal_answered,
    "proposal_failed": _proposal_answered,
}
"""Kinds of events → what they change."""
