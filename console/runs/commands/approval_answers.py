"""Approving and rejecting: who may answer, whether the request is still valid, and the effects that follow at once.

With each answer everything is checked again: the roles of this and earlier approvers, the rule of the action, its computed values, and the record.
If something changed, it is shown or requested again, never done.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from console import log, records
from console.auth import access, accounts
from console.auth.access import limits, narrowing
from console.core import scopes
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, NotAllowed, NotFound, SourceDown
from console.core.plain_words import roles_words
from console.core.run import Attempt, approving, commands, decisions
from console.core.run.approval_request import Approval
from console.core.run.step_requests import ApprovalAsked
from console.infra.db import request_writes
from console.infra.db.engine import fetch
from console.log import idempotency_note
from console.records.write import alike
from console.runs.commands.approval_requests import (
    approvers_still_entitled,
    complete_request,
    in_whose_place,
    may_answer,
    notify_approvers,
)
from console.runs.commands.run_rights import Seen, see
from console.runs.commands.transitions import reason_of
from console.runs.engine.advancing import go_on, wishes_of
from console.runs.engine.people_behind import people_behind
from console.runs.engine.stepping import (
    chosen_at,
    completion_of,
    context_of,
    plan_of,
    prompt_of,
    record_of,
    require_step,
    step_at,
)
from console.runs.store.loaded_runs import Loaded
from console.runs.store.run_events import ENGINE
from console.runs.store.run_store import retried, write
from console.runs.views.screens import shorten_texts
from console.steps.base import Completion

ASKED, REPLIED = "approval_asked", "approval_replied"
GONE = "what it is about was deleted, or whoever asked for it may not see it any more. Nothing was done."


@dataclass(frozen=True, slots=True)
class VisibleRequest:
    """A request for approval that the actor may see, with its run."""

    seen: Seen
    attempt: Attempt
    approval: Approval


@dataclass(frozen=True, slots=True)
class ChangedField:
    """A field of a record that changed since the approval was requested. `wish` is the id of the effect that would overwrite it."""

    collection: str
    field: str
    label: str
    then: Any
    now: Any
    wish: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The shape in the log: what the approver has seen."""
        return {"field": self.field, "old": self.then, "now": self.now, "wish": self.wish}


def visible_request(actor: Actor, approval_id: str) -> VisibleRequest:
    """The request, if the actor may see its run. Raises NotFound, with the same text whether it does not exist or is hidden."""
    rows = (
        fetch("select run from console.approval where id = %s", (approval_id,))
        if "\x00" not in approval_id
        else []
    )
    if not rows:
        raise NotFound
    seen = see(actor, rows[0][0], whole=True)
    request = seen.run.approval(approval_id)
    if request is None:
        raise NotFound
    return VisibleRequest(seen, *request)


def remark_events(request: VisibleRequest, *kinds: str) -> list[log.Stored]:
    """The events of questions and replies about the request, or those of `kinds`, oldest first."""
    events = [
        event for kind in kinds or (ASKED, REPLIED) for event in log.recent(request.seen.run.id, kind, 0)
    ]
    return sorted(
        (event for event in events if event.open.get("approval") == request.approval.id),
        key=lambda event: event.n,
    )


def why_refused(actor: Actor, request: VisibleRequest) -> ConsoleError | None:
    """The error if the actor cannot answer: no right, excluded by a rule, already answered, or no longer open. None: they can."""
    try:
        _require_answering(actor, request)
    except ConsoleError as error:
        return error
    return None


def _require_answering(actor: Actor, request: VisibleRequest) -> None:
    approval, team = request.approval, request.seen.run.team
    if not actor.service:
        narrowing.require_approver(actor, f"action:{approval.action}")
    if not narrowing.may_approve(actor) or not may_answer(actor, team, approval):
        who = roles_words(approval.roles) or "whoever has the right to approve this action"
        raise NotAllowed(
            f"This needs the yes of {who}, in the run's team.{_limits(actor, team, approval)}",
            need=(f"action:{approval.action}", "approve"),
            team=team,
        )
    run = request.seen.run
    approving.require_answering(
        plan_of(request.seen.definition), run, approval.id, actor.id, actor.email, people_behind(run)
    )


def _limits(actor: Actor, team: str, approval: Approval) -> str:
    """A sentence about the limits of the actor's right to approve, if these are the reason; else empty."""
    if not approval.of_action or (approval.roles and access.held(actor, team).isdisjoint(approval.roles)):
        return ""
    roots = access.roots_of(actor, approval.shown.get("record"), None, approval.values)
    limit = limits.exceeded_limits(actor.id, team, f"action:{approval.action}", "approve", roots)
    return f" {limit}" if limit else ""


def approve(
    actor: Actor,
    approval_id: str,
    *,
    reason: str = "",
    accept_changes: bool | str = False,
    remarks_read: int | None = None,
) -> None:
    """Approve. The last approval needed makes the effects at once.

    `accept_changes`: True accepts changes of the record since the request; a text accepts only the changes with this `difference_mark`.
    `remarks_read`: how many questions and replies the actor has seen; None: any number.
    Raises NotAllowed with the rule's name; Conflict if there is nothing to decide (`not_possible`, `already_decided`), the record changed
    (`values_moved`, a detail per field), somebody asked or replied meanwhile (`asked_meanwhile`), or the request is void and perhaps
    replaced (`approval_void`).
    """
    checked_reason = reason_of(reason)

    def once() -> tuple[VisibleRequest, Loaded, commands.Void | commands.Renew | None]:
        request = visible_request(actor, approval_id)
        _require_answering(actor, request)
        if remarks_read is not None and len(remark_events(request)) > remarks_read:
            raise Conflict(
                "Somebody asked or replied after you opened this page. Read it, then decide.",
                code="asked_meanwhile",
            )
        plan, definition = plan_of(request.seen.definition), request.seen.definition
        replacement = _replacing_command(request)
        if replacement is not None:
            events = decisions.decide(plan, request.seen.loaded.run, replacement, log.now())
            with (
                idempotency_note.before(),
                request_writes.aside(),
            ):  # what was asked for is refused: this is not its work
                return request, write(ENGINE, definition, request.seen.loaded, events), replacement
        moved = changed_fields(request)
        if moved and accept_changes is not True and accept_changes != difference_mark(moved):
            # perhaps another approval has made the effects meanwhile: then that error is raised instead
            _require_answering(actor, visible_request(actor, approval_id))
            raise _record_changed(actor, moved)
        command = commands.Approve(
            actor.id,
            approval_id,
            checked_reason,
            approvers_still_entitled(request.seen.run, request.approval),
            [each.to_json() for each in moved],
            actor.email,
            in_whose_place(actor.id, request.seen.run, request.approval),
            people_behind(request.seen.run),
        )
        events = decisions.decide(plan, request.seen.loaded.run, command, log.now())
        return request, write(actor, definition, request.seen.loaded, events, hand_on=True), None

    request, loaded, replacement = retried(once)
    if replacement is not None:
        notify_approvers(loaded.run)
        again = (
            f" It is asked for anew as {replacement.asked.id}."
            if isinstance(replacement, commands.Renew)
            else ""
        )
        raise Conflict(
            f"{replacement.message}{again}", code="approval_void", details=getattr(replacement, "errors", ())
        )
    _go_on_after(request, loaded)


def reject(actor: Actor, approval_id: str, *, reason: str) -> None:
    """Reject: nothing is done, and the requester sees who rejected it and why. Raises Invalid without a reason, else as `approve`."""
    checked_reason = reason_of(reason)

    def once() -> tuple[VisibleRequest, Loaded]:
        request = visible_request(actor, approval_id)
        _require_answering(actor, request)
        instead = in_whose_place(actor.id, request.seen.run, request.approval)
        command = commands.Reject(
            actor.id,
            approval_id,
            checked_reason,
            actor.name,
            actor.email,
            instead,
            people_behind(request.seen.run),
        )
        events = decisions.decide(
            plan_of(request.seen.definition), request.seen.loaded.run, command, log.now()
        )
        return request, write(actor, request.seen.definition, request.seen.loaded, events, hand_on=True)

    _go_on_after(*retried(once))


def _go_on_after(request: VisibleRequest, loaded: Loaded) -> None:
    """Make the effects and go on, with the rights of the holder. If that fails, the job in the queue goes on."""
    run = loaded.run
    if run.moving:
        try:
            go_on(
                accounts.actor_of_person(run.holder or run.last_holder or run.started_by, "sys:engine"),
                request.seen.definition,
                loaded,
            )
        except NotAllowed:
            return


# -- whether the request is still valid


def _replacing_command(request: VisibleRequest) -> commands.Void | commands.Renew | None:
    """The command that voids or replaces the request, if the requester's step would no longer request the same. None: it would."""
    approval = request.approval
    try:
        requester = accounts.actor_of_person(approval.requested_by, "sys:engine")
        completion, now = _completed_anew(requester, request)
    except SourceDown:
        raise
    except ConsoleError as error:
        message = f"This cannot be done any more as it was asked for: {GONE if isinstance(error, NotFound) else error.message}"
        return commands.Void(approval.id, "not_possible", message, error.details)
    if now is None:
        return None  # the rule no longer needs an approval; this one is answered and done as requested
    why = None
    if not _asks_the_same(now, approval) and not _only_time_went_on(requester, request):
        why = "values_changed", "What was asked for comes to other values now."
        if not approval.decides:  # the requester must see the new values first
            return commands.Void(approval.id, *why)
    elif (
        now.needs > approval.needs
        or not set(approval.roles) <= set(now.roles)
        or not set(now.not_by) <= set(approval.not_by)
    ):
        why = "rule_changed", "The rule asks for more than it did when this was asked for."
    if why is None:
        return None
    return commands.Renew(approval.id, *why, asked=now, wishes=wishes_of(request.seen.run, completion))


def _asks_the_same(asked: ApprovalAsked, approval: Approval) -> bool:
    return bool(
        log.body.canonical_value(dict(asked.values)) == log.body.canonical_value(dict(approval.values))
    )


def _only_time_went_on(requester: Actor, request: VisibleRequest) -> bool:
    """Whether the step would still request the same by the clock of the request: a day reckoned from today is approved, and set, as it was asked for."""
    try:
        _, then = _completed_anew(requester, request, request.approval.requested_at)
    except SourceDown:
        raise
    except ConsoleError:
        return False
    return then is not None and _asks_the_same(then, request.approval)


def _completed_anew(
    requester: Actor, request: VisibleRequest, at: datetime | None = None
) -> tuple[Completion, ApprovalAsked | None]:
    """(the completion of the step with the submitted values now, or as it was `at` a moment, the approval that it would request)."""
    run = request.seen.run
    open_step = step_at(request.seen.definition, run)
    record = record_of(requester, run)
    by_hand = request.attempt.by is not None and not request.approval.decides
    if by_hand:
        require_step(requester, open_step)
    context = context_of(requester, open_step, record, at or log.now())
    if by_hand:
        offers = prompt_of(open_step, context).outcomes
        outcome = chosen_at(request.seen.definition, request.attempt) if offers else None
        completion = completion_of(open_step, context, request.attempt.values, outcome)
    else:
        completion = open_step.kind.complete_by_itself(open_step.view, context)
    return completion, complete_request(
        completion.approval, run, open_step, context, record
    ) if completion.approval else None


def changed_fields(found: VisibleRequest) -> list[ChangedField]:
    """Fields that changed since the request, of the values shown then and of those that would be overwritten."""
    approval = found.approval
    moved: dict[tuple[str, str, str], ChangedField] = {}
    then = approval.shown.get("record") or {}
    if approval.collection and approval.record and then:
        _compare(moved, approval.collection, approval.record, then, None)
    for wish in approval.wishes:
        request = wish["request"]
        olds = {
            name: change["old"] for name, change in (request.get("changes") or {}).items() if "old" in change
        }
        if olds and request.get("collection") and request.get("key") is not None:
            _compare(moved, request["collection"], request["key"], olds, wish["id"])
    return list(moved.values())


def _compare(
    moved: dict[tuple[str, str, str], ChangedField],
    collection_id: str,
    key: str,
    then: Mapping[str, Any],
    wish: str | None,
) -> None:
    """Add the fields whose values differ from `then`."""
    collection = records.collection(collection_id)
    fields = {name: field for name in then if (field := collection.field(name)) is not None}
    try:
        values_now: Mapping[str, Any] = records.get(
            collection_id, key, scopes.unrestricted(collection_id), fields=list(fields)
        ).values
    except NotFound:
        values_now = {}  # the record is gone: every field counts as changed
    for name, field in fields.items():
        now = log.body.canonical_value(shorten_texts(values_now.get(name)))
        if now != then[name] and not alike(collection, field, values_now.get(name), then[name]):
            moved[collection_id, key, name] = ChangedField(
                collection_id, name, field.label, then[name], now, wish
            )


def difference_mark(moved: list[ChangedField]) -> str:
    """A hash of this difference, for the checkbox that accepts exactly it."""
    parts = [[each.collection, each.field, each.then, each.now] for each in moved]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:32]


def without_hidden_values(actor: Actor, moved: list[ChangedField]) -> list[ChangedField]:
    """The changed fields without values that the actor may not read."""
    hidden = {each.collection: access.scope_for(actor, each.collection, "read").hidden for each in moved}
    return [
        replace(each, then=None, now=None) if each.field in hidden[each.collection] else each
        for each in moved
    ]


def _record_changed(actor: Actor, moved: list[ChangedField]) -> Conflict:
    details = [
        {
            "field": each.field,
            "reason": f"{each.label} has changed since this was asked for.",
            "old": each.then,
            "now": each.now,
        }
        for each in without_hidden_values(actor, moved)
    ]
    message = "The record has changed since this was asked for. Look at the difference; approve with accept_changes if it still holds."
    return Conflict(message, code="values_moved", details=details)
