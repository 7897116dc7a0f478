"""What others are asked to approve when a step is handed in: the request with its id, what they are shown beside the values, and whom to tell of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from console import access, accounts, log
from console.core.actor import Actor
from console.core.run import Run
from console.core.run.approval_request import Approval
from console.core.run.approving import ruled_out
from console.core.run.command_types import ApprovalAsked
from console.db.engine import transaction
from console.db.ids import new_id
from console.errors import NotAllowed, NotFound, SourceDown
from console.records import Record
from console.runs.changing.run_rights import see
from console.runs.engine.addressees import may_see
from console.runs.engine.stepping import Stand
from console.runs.rows import side_rows
from console.runs.rows.run_store import load
from console.runs.showing.screens import shortened
from console.steps.base import Context

MOST_TOLD = 50
LABELS = ("name", "label", "type", "options")


def asked_of(wanted: ApprovalAsked, run: Run, here: Stand, context: Context, record: Record | None) -> ApprovalAsked:
    """The request with an id of its own. Where the step names no record it is the run's; what the step shows of it comes before all of it."""
    own = wanted.collection in (None, run.collection) and wanted.record in (None, run.record)
    about = (run.collection, run.record) if own else (wanted.collection, wanted.record)
    shown = shown_of(here, context, record if own else None) | dict(wanted.shown)
    made = replace(wanted, id=new_id("apr"), collection=about[0], record=about[1], shown=shown)
    former = _given_before(run, here, made)
    return made if former is None else replace(made, former=former.id, counted=still_counted(run, former))


def _given_before(run: Run, here: Stand, asked: ApprovalAsked) -> Approval | None:
    """The newest approval that this step was given for the same values, beside which the same was shown."""
    wanted = (asked.action, asked.collection, asked.record, log.body.plain(dict(asked.values)), log.body.plain(dict(asked.shown)))
    for _, attempt in sorted(run.attempts.items(), reverse=True):
        for each in reversed(attempt.approvals if attempt.step == here.attempt.step else ()):
            told = (each.action, each.collection, each.record, log.body.plain(dict(each.values)), log.body.plain(dict(each.shown)))
            if each.status == "approved" and told == wanted:
                return each
    return None


def entitled(actor: Actor, team: str, approval: Approval) -> bool:
    """Whether the actor has, in the run's team, one of the roles that may answer, and the right to approve the action."""
    if approval.roles and access.held(actor, team).isdisjoint(approval.roles):
        return False
    record, values = access.follow_relations(approval.collection, approval.shown.get("record")), approval.values
    return approval.decides or access.can(actor, team, f"action:{approval.action}", "approve", record, typed=values)


NO_RIGHT, NOT_SEEN, KEPT_OUT = "may not approve it", "may not see this run", "may not decide about it by its rules"


def candidates(run: Run, approval: Approval) -> dict[str, str | None]:
    """Who has a role that the request asks for in the run's team (without roles: who may approve the action) and an open account, and why each could
    not answer; None where they could. `run` has all its attempts.
    """
    wanted = set(approval.roles)
    persons = sorted({row.sub.removeprefix("user:") for row in access.all_rows() if row.ptype == "g" and row.sub.startswith("user:")})
    found: dict[str, str | None] = {}
    for person in persons:
        if wanted and access.held(Actor("user", person), run.team).isdisjoint(wanted):
            continue
        try:
            theirs = accounts.actor_of_person(person, "sys:engine")
        except NotAllowed:
            continue  # a closed account is nobody
        right = entitled(theirs, run.team, approval)
        if not wanted and not right:
            continue
        found[person] = _lacks(theirs, run, approval, right=right)
    return found


def _lacks(person: Actor, run: Run, approval: Approval, *, right: bool) -> str | None:
    if not right:
        return NO_RIGHT
    if ruled_out(run, approval, person.id, person.email) is not None:
        return KEPT_OUT
    try:
        return None if may_see(person.id, run) else NOT_SEEN
    except SourceDown:
        return None


def still_counted(run: Run, approval: Approval) -> frozenset[str]:
    """Who has said yes before and still may: not whose account was closed, who lost the role, or who would no longer see the record."""
    return frozenset(person for person in approval.approvers if _may_still(person, run, approval))


def _may_still(person: str, run: Run, approval: Approval) -> bool:
    try:
        theirs = accounts.actor_of_person(person, "sys:engine")
        see(theirs, run.id)
    except (NotAllowed, NotFound):
        return False
    return entitled(theirs, run.team, approval)


def shown_of(here: Stand, context: Context, record: Record | None) -> dict[str, Any]:
    """Labels of what was handed in, and the record's values as they are now."""
    fields: list[Mapping[str, Any]] = [field.to_json() for field in here.kind.prepare(here.view, context).fields]
    shown: dict[str, Any] = {"fields": [{name: field.get(name) for name in LABELS} for field in fields]}
    return shown | ({"record": {name: shortened(value) for name, value in record.values.items()}} if record is not None else {})


def tell(run: Run) -> None:
    """Whoever may answer what the run waits for finds it at the bell, once; nothing where it waits for no approval."""
    here, key = run.attempt, (run.waiting or {}).get("key")
    found = next((each for each in here.approvals if each.id == key), None) if here is not None else None
    if found is None or (run.waiting or {}).get("for") != "approval":
        return
    whole = run if len(run.attempts) == run.made else getattr(load(run.id, whole=True), "run", run)
    people = [person for person, lacks in candidates(whole, found).items() if lacks is None]
    with transaction() as connection:
        side_rows.tell(
            *(connection, people[:MOST_TOLD], found.id, "approval_requested"),
            at=found.requested_at,
            run=run.id,
            by=found.requested_by,
            link=f"/approvals/{found.id}",
        )
