"""Requesting approvals: the request with what the approvers see, who could approve, and the notices to them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from console import log
from console.auth import access, accounts, notify
from console.auth.accounts import absences
from console.core.actor import Actor
from console.core.errors import NotAllowed, NotFound, SourceDown
from console.core.run import Run
from console.core.run.approval_request import Approval
from console.core.run.approving import ruled_out
from console.core.run.duties import Behind
from console.core.run.step_requests import ApprovalAsked
from console.infra.db.engine import transaction
from console.infra.db.ids import new_id
from console.records import Record
from console.runs.commands.run_rights import see
from console.runs.engine.addressees import may_see
from console.runs.engine.people_behind import people_behind
from console.runs.engine.stepping import OpenStep
from console.runs.store.run_store import load
from console.runs.views import block_content
from console.runs.views.screens import shorten_texts
from console.steps.base import Context

MOST_TOLD = 50
LABELS = ("name", "label", "type", "options")
MONEY = ("widget", "currency", "minor")
"""What else says how a value of a form is shown, where a field has it."""


def complete_request(
    wanted: ApprovalAsked, run: Run, open_step: OpenStep, context: Context, record: Record | None
) -> ApprovalAsked:
    """The request with an id, its record (the run's if the step names none) and what is shown. What the step shows wins over the record's values."""
    own = wanted.collection in (None, run.collection) and wanted.record in (None, run.record)
    about = (run.collection, run.record) if own else (wanted.collection, wanted.record)
    shown = shown_of(open_step, context, record if own else None) | dict(wanted.shown)
    made = replace(wanted, id=new_id("apr"), collection=about[0], record=about[1], shown=shown)
    former = _given_before(run, open_step, made)
    return (
        made
        if former is None
        else replace(made, former=former.id, counted=approvers_still_entitled(run, former))
    )


def _given_before(run: Run, open_step: OpenStep, request: ApprovalAsked) -> Approval | None:
    """The newest approval of this step for the same values with the same things shown; None if there is none."""
    wanted = (
        request.action,
        request.collection,
        request.record,
        log.body.canonical_value(dict(request.values)),
        log.body.canonical_value(dict(request.shown)),
    )
    for _, attempt in sorted(run.attempts.items(), reverse=True):
        for each in reversed(attempt.approvals if attempt.step == open_step.attempt.step else ()):
            asked_before = (
                each.action,
                each.collection,
                each.record,
                log.body.canonical_value(dict(each.values)),
                log.body.canonical_value(dict(each.shown)),
            )
            if each.status == "approved" and asked_before == wanted:
                return each
    return None


def may_answer(actor: Actor, team: str, approval: Approval) -> bool:
    """Whether the actor has one of the roles in the run's team, and the right to approve the action."""
    if approval.roles and not access.acts_as(actor, team, approval.roles):
        return False
    record, values = (
        access.follow_relations(approval.collection, approval.shown.get("record")),
        approval.values,
    )
    return not approval.of_action or access.can(
        actor, team, f"action:{approval.action}", "approve", record, typed=values
    )


NO_RIGHT, NOT_SEEN, KEPT_OUT = (
    "may not approve it",
    "may not see this run",
    "may not decide about it by its rules",
)


def possible_approvers(run: Run, approval: Approval) -> dict[str, str | None]:
    """People with a role of the request in the run's team → why they cannot answer, None if they can. `run` must hold all attempts.

    If the request names no roles, these are the people who may approve the action. Closed accounts are left out.
    """
    wanted = set(approval.roles)
    persons = sorted(
        {
            row.sub.removeprefix("user:")
            for row in access.all_rows()
            if row.ptype == "g" and row.sub.startswith("user:")
        }
    )
    reasons: dict[str, str | None] = {}
    behind = people_behind(run)
    for person in persons:
        if wanted and access.held(Actor("user", person), run.team).isdisjoint(wanted):
            continue
        try:
            theirs = accounts.actor_of_person(person, "sys:engine")
        except NotAllowed:
            continue  # the account is closed
        right = may_answer(theirs, run.team, approval)
        if not wanted and not right:
            continue
        reasons[person] = _lacks(theirs, run, approval, behind, right=right)
    return reasons


def _lacks(person: Actor, run: Run, approval: Approval, behind: Behind, *, right: bool) -> str | None:
    if not right:
        return NO_RIGHT
    if ruled_out(run, approval, person.id, person.email, behind) is not None:
        return KEPT_OUT
    try:
        return None if may_see(person.id, run) else NOT_SEEN
    except SourceDown:
        return None


def approvers_still_entitled(run: Run, approval: Approval) -> frozenset[str]:
    """Earlier approvers who are still entitled: their account is open, they have the role and see the record."""
    return frozenset(person for person in approval.approvers if _may_still(person, run, approval))


def in_whose_place(person_id: str, run: Run, approval: Approval) -> tuple[str, ...]:
    """People who are away, could answer the request, and in whose place this person stands; their own right is the caller's to check."""
    gone = absences.stood_in_for(person_id)
    able = possible_approvers(run, approval) if gone else {}
    return tuple(
        each for each in gone if each in able and able[each] is None and not approval.answered_by(each)
    )


def _may_still(person: str, run: Run, approval: Approval) -> bool:
    try:
        theirs = accounts.actor_of_person(person, "sys:engine")
        see(theirs, run.id)
    except (NotAllowed, NotFound):
        return False
    return may_answer(theirs, run.team, approval)


def shown_of(open_step: OpenStep, context: Context, record: Record | None) -> dict[str, Any]:
    """What approvers see: the text of the step, the form's fields, its blocks, and the record's values as they are now."""
    prompt = open_step.kind.prepare(open_step.view, context)
    fields: list[Mapping[str, Any]] = [field.to_json() for field in prompt.fields]
    shown: dict[str, Any] = {
        "fields": [
            {name: field.get(name) for name in LABELS}
            | {name: field[name] for name in MONEY if field.get(name)}
            for field in fields
        ]
    } | ({"text": prompt.text} if prompt.text else {})
    blocks = block_content.content(open_step, context)
    shown |= {"content": blocks} if blocks else {}
    return shown | (
        {"record": {name: shorten_texts(value) for name, value in record.values.items()}}
        if record is not None
        else {}
    )


def notify_approvers(run: Run) -> None:
    """Add a notice for everybody who can answer the approval that the run waits for, once. Does nothing if it waits for none."""
    attempt, key = run.attempt, (run.waiting or {}).get("key")
    open_approval = (
        next((each for each in attempt.approvals if each.id == key), None) if attempt is not None else None
    )
    if open_approval is None or (run.waiting or {}).get("for") != "approval":
        return
    whole = run if len(run.attempts) == run.made else getattr(load(run.id, whole=True), "run", run)
    people = [person for person, lacks in possible_approvers(whole, open_approval).items() if lacks is None]
    with transaction() as connection:
        notify.add_notices(
            *(connection, people[:MOST_TOLD], open_approval.id, "approval_requested"),
            at=open_approval.requested_at,
            run=run.id,
            by=open_approval.requested_by,
            link=f"/approvals/{open_approval.id}",
        )
