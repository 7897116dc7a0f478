"""Approvals: the effects of a step are requested only after other people have approved exactly these effects.

`console.runs.commands` has judged a person's roles and scope before. This module judges whether a rule excludes them (the requester, whoever did
an earlier step), whether they have answered already, and whether enough people have approved.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from console.core.errors import Conflict, NotAllowed
from console.core.moments import moment_text
from console.core.run import Attempt, Event, Run, duties, repeating, settling
from console.core.run.approval_request import APPROVE, MESSAGE, REJECT, Approval
from console.core.run.causes import first_person
from console.core.run.commands import Approve, Complete, Plan, Reject, Renew, Void
from console.core.run.duties import REQUESTER, STEP
from console.core.run.evolve import fold
from console.core.run.moves import go_to_next, not_possible, require_reason, sealed_of
from console.core.run.step_requests import ApprovalAsked, Wish

OUTCOMES = {APPROVE: "approved", REJECT: "rejected", "expire": "expired"}
"""The answer → the outcome of a step whose outcome is the answer."""


def request_approval(
    run: Run,
    attempt: Attempt,
    wanted: ApprovalAsked,
    wishes: Sequence[Wish],
    by: str | None,
    now: datetime,
    requester: str | None = None,
) -> Event:
    """The event that requests an approval. `by` is who completed the step; for an automatic step (None) the holder is the requester."""
    open_data = {
        "approval": wanted.id,
        "action": wanted.action,
        "n": attempt.n,
        "requested_by": requester
        or by
        or run.holder
        or run.last_holder
        or first_person(run.caused_by)
        or run.started_by,
        "collection": wanted.collection,
        "record": wanted.record,
        "needs": wanted.needs,
        "roles": list(wanted.roles),
        "not_by": list(wanted.not_by),
        "until": moment_text(wanted.until),
        "decides": wanted.decides,
    }
    sealed: dict[str, Any] = {"values": dict(wanted.values), "wishes": [_plain(wish) for wish in wishes]}
    return Event(
        "approval_requested",
        now,
        open_data,
        sealed | sealed_of(why=wanted.why, shown=dict(wanted.shown)),
        (attempt.step, attempt.attempt),
        by,
    )


def submit_for_approval(
    plan: Plan, run: Run, attempt: Attempt, command: Complete, submitted: Event, now: datetime
) -> list[Event]:
    """The events of a step that others must approve. Earlier effects that are kept need no approval. Raises what `repeating.match_former` raises."""
    judged = repeating.match_former(run, attempt, command)
    kept = settling.kept_events(attempt, judged, command, now)
    wishes = [wish for wish, former in judged if former is None]
    if command.approval is None or (judged and not wishes):
        return settling.submit_effects(plan, run, attempt, command, submitted, now)
    if given := _still_valid(run, attempt, command.approval, wishes, command.by):
        submitted = submitted._replace(open={**submitted.open, "approval": given.id})
        approved = replace(
            command, effects=tuple(_approved(wish, given.approvers[-1]) for wish in command.effects)
        )
        return settling.submit_effects(plan, run, attempt, approved, submitted, now)
    return [submitted, *kept, request_approval(run, attempt, command.approval, wishes, command.by, now)]


def _still_valid(
    run: Run, current: Attempt, wanted: ApprovalAsked, wishes: Sequence[Wish], by: str | None
) -> Approval | None:
    """The earlier approval if it is still valid: none of its effects was made since, and enough of its approvers count for the new request."""
    attempt_and_approval = run.approval(wanted.former) if wanted.former is not None else None
    if (
        attempt_and_approval is None
        or attempt_and_approval[1].status != "approved"
        or attempt_and_approval[1].decides
        or wanted.decides
        or not repeating.same_place(attempt_and_approval[0], current)
    ):
        return None
    approval = replace(
        attempt_and_approval[1],
        requested_by=by or run.holder or run.last_holder or first_person(run.caused_by) or run.started_by,
        not_by=tuple(wanted.not_by),
    )
    given = [Wish(**wish) for wish in approval.wishes]
    asked_before = all(any(repeating.same_wish(wish, former) for former in given) for wish in wishes)
    done = any(
        effect.status != "failed" and repeating.matches_effect(wish, effect)
        for attempt in run.attempts.values()
        for effect in attempt.effects
        for wish in wishes
    )
    enough = [
        each
        for each in approval.approvers
        if each in wanted.counted and ruled_out(run, approval, each) is None
    ]
    roles = not wanted.roles or (bool(approval.roles) and set(approval.roles) <= set(wanted.roles))
    return (
        attempt_and_approval[1]
        if asked_before and not done and roles and len(enough) >= wanted.needs
        else None
    )


def _approved(wish: Wish, by: str) -> Wish:
    """The wish with who approved it last: expressions of the effect read this person as `approver`."""
    return replace(wish, request={**wish.request, "approver": by})


def _plain(wish: Wish) -> dict[str, Any]:
    return asdict(wish) | {"request": dict(wish.request)}


def ruled_out(
    run: Run, approval: Approval, person: str, email: str = "", behind: duties.Behind = duties.NOBODY
) -> str | None:
    """The rule that excludes this person, as it is written; None if there is none. `run` must hold all attempts."""
    done = duties.standing_steps(run)
    starter, requester = run.started_by, approval.requested_by
    return duties.violated_rule(
        approval.not_by, done, person, email=email, starter=starter, requester=requester, behind=behind
    )


def refused_by(rule: str, title: str = "", *, itself: bool = True) -> NotAllowed:
    """The error for a person whom a rule excludes. `title` is that of the step in the rule; without `itself` an account asked that they are behind."""
    if rule == REQUESTER and not itself:
        words = "You caused this run, or made a key of the account that did; somebody else has to decide (rule “requester”)."
    elif rule == REQUESTER:
        words = "You asked for this approval yourself; somebody else has to decide (rule “requester”)."
    elif rule.startswith(STEP):
        words = f"You did the step “{title or rule.removeprefix(STEP)}”; somebody else has to decide (rule “{rule}”)."
    else:
        words = f"The rule of this approval names you as somebody who may not decide (rule “{rule}”)."
    return NotAllowed(words, code=duties.CODE, at=("rule", rule))


def require_open(run: Run, approval_id: str) -> tuple[Attempt, Approval]:
    """The approval that the run waits for, with its attempt. Raises Conflict if the run does not wait for this one."""
    attempt, waiting = run.attempt, run.waiting
    if (
        run.status != "waiting_event"
        or attempt is None
        or waiting is None
        or waiting.get("key") != approval_id
    ):
        attempt_and_approval = run.approval(approval_id)
        words = {
            "approved": "was approved",
            "rejected": "was rejected",
            "void": "is void",
            "expired": "has expired",
        }
        event = (
            words.get(attempt_and_approval[1].status, "cannot be decided now")
            if attempt_and_approval
            else "cannot be decided now"
        )
        raise Conflict(f"This request {event}; there is nothing to decide any more.", code="not_possible")
    return attempt, next(each for each in attempt.approvals if each.id == approval_id)


def approve(plan: Plan, run: Run, command: Approve, now: datetime) -> list[Event]:
    """The events of an approval. The last one needed requests the effects, exactly as they were approved."""
    attempt, approval = require_answering(
        plan, run, command.approval, command.by, command.email, command.behind
    )
    standing = {
        each
        for each in approval.approvers
        if each in command.counted and ruled_out(run, approval, each, behind=command.behind) is None
    } | {command.by}
    enough = len(standing) >= approval.needs
    open_data = {
        "approval": approval.id,
        "action": approval.action,
        "decision": APPROVE,
        "standing": len(standing),
        "status": "approved" if enough else "open",
        **_instead(command),
    }
    step = (attempt.step, attempt.attempt)
    sealed = sealed_of(reason=command.reason) | (
        {"changed": [dict(each) for each in command.changed]} if command.changed else {}
    )
    event = Event("approval_decided", now, open_data, sealed, step, command.by)
    if not enough:
        return [event]
    if approval.decides:
        return [event, *_outcome(plan, fold([event], run), attempt, APPROVE, command.by, now)]
    wishes = [
        _approved(Wish(**_with_seen_values(wish, command.changed)), command.by)
        for wish in approval.wishes
        if wish["kind"] != MESSAGE
    ]
    if messages := [wish for wish in approval.wishes if wish["kind"] == MESSAGE]:
        return [
            event,
            *(each for wish in messages for each in _asked_message(attempt, wish, command.by, now)),
        ]
    first = len(attempt.effects) + 1
    effects = [
        settling.request_effect(run, attempt, wish, number, now) for number, wish in enumerate(wishes, first)
    ]
    return (
        [event, *effects]
        if effects
        else [event, *settling.after_settling(plan, fold([event], run), attempt, now)]
    )


def _asked_message(attempt: Attempt, wish: Mapping[str, Any], by: str, now: datetime) -> list[Event]:
    """The events that ask for an approved message, and wait until it has left."""
    step, asked = (attempt.step, attempt.attempt), wish["request"]
    row = Event(
        "message_asked", now, {"n": attempt.n, **asked["open"]}, {"content": asked["message"]}, step, by
    )
    awaited = {"for": MESSAGE, "key": asked["open"]["message_id"], "until": None, "outcome": None}
    return [row, Event("event_awaited", now, {"n": attempt.n, **awaited}, {}, step)]


def _instead(command: Approve | Reject) -> dict[str, Any]:
    """In whose place the person answers; empty where in nobody's."""
    return {"stands_in_for": list(command.stands_in_for)} if command.stands_in_for else {}


def require_answering(
    plan: Plan, run: Run, approval_id: str, by: str, email: str = "", behind: duties.Behind = duties.NOBODY
) -> tuple[Attempt, Approval]:
    """The open approval with its attempt, if this person can answer it. Raises Conflict (`not_possible`, `already_decided`), NotAllowed with the rule."""
    attempt, approval = require_open(run, approval_id)
    rule = ruled_out(run, approval, by, email, behind)
    if rule is not None:
        titles = {step.id: step.title for step in plan.workflow.steps}
        raise refused_by(rule, titles.get(rule.removeprefix(STEP), ""), itself=by == approval.requested_by)
    if approval.answered_by(by):
        raise Conflict("You have decided already; one person counts once.", code="already_decided")
    return attempt, approval


def _with_seen_values(wish: Mapping[str, Any], changed: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The wish with the record's values as the approver saw them: the write compares with these before it sets new ones."""
    moved = {each["field"]: each["now"] for each in changed if each.get("wish") == wish["id"]}
    if not moved:
        return wish
    request = dict(wish["request"])
    request["changes"] = {
        name: dict(change) | ({"old": moved[name]} if name in moved else {})
        for name, change in request.get("changes", {}).items()
    }
    return dict(wish) | {"request": request}


def reject(plan: Plan, run: Run, command: Reject, now: datetime) -> list[Event]:
    """The events of a rejection: the form is opened again with the reason, or the step goes on with the outcome `rejected`."""
    reason = require_reason(command.reason)
    attempt, approval = require_answering(
        plan, run, command.approval, command.by, command.email, command.behind
    )
    open_data = {
        "approval": approval.id,
        "action": approval.action,
        "decision": REJECT,
        "standing": 0,
        "status": "rejected",
    } | _instead(command)
    event = Event(
        "approval_decided", now, open_data, {"reason": reason}, (attempt.step, attempt.attempt), command.by
    )
    if approval.decides:
        return [event, *_outcome(plan, fold([event], run), attempt, REJECT, command.by, now)]
    return [
        event,
        *_reopened(
            plan, run, attempt, "rejected", f"{command.name or 'The approver'} rejected this: {reason}", now
        ),
    ]


def _outcome(
    plan: Plan, run: Run, attempt: Attempt, decision: str, by: str | None, now: datetime
) -> list[Event]:
    """The events that complete a step whose outcome is the answer. Its output names who answered, when and why."""
    approval = next(each for each in reversed(run.attempts[attempt.n].approvals))
    last = approval.decided[-1] if approval.decided else None
    outcome = OUTCOMES[decision]
    output = {
        "decision": outcome,
        "by": [each.by for each in approval.decided],
        "reason": last.reason if last else "",
        "decided_at": moment_text(now),
    }
    open_data = {
        "n": attempt.n,
        "type": plan.workflow.step(attempt.step).type,
        "outcome": outcome,
        "automatic": by is None,
        "handled_manually": False,
    }
    given_for = dict(approval.values) or dict(attempt.values)
    sealed = sealed_of(values=given_for) | {"output": {**(attempt.output or {}), **given_for, **output}}
    completed = Event("step_completed", now, open_data, sealed, (attempt.step, attempt.attempt), by)
    return [completed, *go_to_next(plan, fold([completed], run), attempt.step, outcome, None, now)]


def _reopened(
    plan: Plan,
    run: Run,
    attempt: Attempt,
    code: str,
    message: str,
    now: datetime,
    errors: Sequence[Mapping[str, Any]] = (),
) -> list[Event]:
    """The events that open the step again with the submitted values. An automatic step becomes a person's, or ends the run."""
    step = (attempt.step, attempt.attempt)
    details = [dict(error) for error in errors] or [{"field": "approval", "reason": message}]
    reopened = Event(
        "step_reopened",
        now,
        {"code": code},
        sealed_of(values=dict(attempt.values)) | {"errors": details},
        step,
    )
    if attempt.step not in plan.automatic:
        return [reopened]
    open_data = {"code": code, "type": plan.workflow.step(attempt.step).type}
    failed = Event("step_failed", now, open_data, {"message": message}, step)
    if settling.ends_run(plan, run, attempt, asks=code == "withdrawn"):
        return [failed, Event("run_failed", now, {"code": code}, {"message": message})]
    return [reopened, failed]


def void(plan: Plan, run: Run, command: Void, now: datetime) -> list[Event]:
    """The events when the requested change is no longer possible: the form is opened again and says why."""
    attempt, approval = require_open(run, command.approval)
    ended = _voided(approval, attempt, command.code, command.by, now, command.message)
    return [ended, *_reopened(plan, run, attempt, command.code, command.message, now, command.errors)]


def renew(_plan: Plan, run: Run, command: Renew, now: datetime) -> list[Event]:
    """The events that replace a request by a new one, because the rule is stricter or the values changed."""
    attempt, approval = require_open(run, command.approval)
    ended = _voided(approval, attempt, command.code, None, now, command.message)
    again = request_approval(run, attempt, command.asked, command.wishes, None, now, approval.requested_by)
    return [ended, again]


def withdraw(plan: Plan, run: Run, by: str, reason: str, now: datetime) -> list[Event]:
    """The events when the holder withdraws the request: it is void, and the form is opened again."""
    attempt, approval = require_open(run, str((run.waiting or {}).get("key")))
    ended = _voided(approval, attempt, "withdrawn", by, now, reason)
    said = "The request for approval was withdrawn."
    return [
        ended,
        *_reopened(
            plan,
            run,
            attempt,
            "withdrawn",
            said,
            now,
            [{"field": "approval", "reason": said, "code": "withdrawn"}],
        ),
    ]


def expire(plan: Plan, run: Run, approval_id: str, now: datetime) -> list[Event]:
    """The events when nobody decided in time: the outcome `expired`, or the form is opened again."""
    attempt = run.attempt
    approval = (
        next((each for each in attempt.approvals if each.id == approval_id and each.status == "open"), None)
        if attempt
        else None
    )
    if attempt is None or approval is None:
        raise not_possible(run, "Going on after a wait")
    open_data = {"approval": approval.id, "action": approval.action}
    event = Event("approval_expired", now, open_data, {}, (attempt.step, attempt.attempt))
    if approval.decides:
        return [event, *_outcome(plan, fold([event], run), attempt, "expire", None, now)]
    return [
        event,
        *_reopened(
            plan,
            run,
            attempt,
            "expired",
            "Nobody decided about the approval in time. Ask again, or do something else.",
            now,
        ),
    ]


def voided(
    attempts: Iterable[Attempt], code: str, by: str | None, now: datetime, *, given: bool
) -> list[Event]:
    """The events that void the open approvals of these attempts, with `given` also those that were approved."""
    ends = ("open", "approved") if given else ("open",)
    return [
        _voided(approval, attempt, code, by, now)
        for attempt in attempts
        for approval in attempt.approvals
        if approval.status in ends
    ]


def _voided(
    approval: Approval, attempt: Attempt, code: str, by: str | None, now: datetime, reason: str = ""
) -> Event:
    open_data = {"approval": approval.id, "action": approval.action, "reason_code": code}
    return Event(
        "approval_voided", now, open_data, sealed_of(reason=reason), (attempt.step, attempt.attempt), by
    )
