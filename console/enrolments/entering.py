"""Enrolling a few at once: what a trigger fires for, and the leads that a program sends."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from console.core.actor import Actor
from console.db.engine import transaction
from console.db.ids import new_id
from console.enrolments.admission import Answer, Candidate, Entry, admit, told_again, wrong_contact
from console.enrolments.targets import Target, find, require_open, seen
from console.enrolments.whom_to_enrol import wrong_records
from console.errors import Invalid
from console.runs import ENGINE

MOST_LEADS = 1_000


def enrol(
    workflow: str,
    *,
    record: str | None,
    values: Mapping[str, Any],
    key: str,
    trigger: str | None = None,
    origin: str = "event",
    actor: Actor | None = None,
    led_by: Sequence[tuple[str, str]] = (),
) -> Answer:
    """Enrol one record of the workflow's collection, or a lead with values, for a trigger of this kind (`origin`). The same `key` gives the same enrolment.

    `led_by` are the runs that led to it, for the run to know. The caller has judged the rights; the run's own account is judged when the run begins. Raises NotFound without such a workflow, Conflict `not_active`.
    """
    target = find(workflow)
    require_open(target)
    wrong: list[Mapping[str, str]] = [] if record is not None else [*wrong_contact(values), *target.wrong_values(values)]
    if (record is None) != (target.collection is None):
        wrong = [
            {
                "field": "record",
                "reason": f"Name a record of {target.collection}." if target.collection else "This workflow is about no record.",
            }
        ]
    candidate = Candidate(0, record, values, wrong, key)
    with transaction() as connection:
        return admit(connection, target, [candidate], Entry(actor or ENGINE, origin, trigger, led_by=led_by))[0]


def enrol_leads(actor: Actor, slug_or_id: str, leads: Sequence[Mapping[str, Any]]) -> tuple[Target, list[Answer]]:
    """Enrol leads that a program sends with their values, also in a draft: they begin when it is activated. An answer for each in their order.

    A workflow about records takes `record`, the key of one. Raises NotFound, NotAllowed, Conflict `not_active`, Invalid for more than 1,000.
    """
    target = seen(actor, slug_or_id, "start")
    require_open(target)
    chain = new_id("enr")
    candidates = _candidates(actor, target, leads, chain)
    with transaction() as connection:
        return target, admit(connection, target, candidates, Entry(actor, "api", chain=chain))


def enrolled_before(actor: Actor, slug_or_id: str, leads: Sequence[Mapping[str, Any]], chain: str) -> list[Answer]:
    """What became of the leads of the request that wrote this chain. Enrols nobody. Raises NotFound, NotAllowed."""
    target = seen(actor, slug_or_id, "start")
    return told_again(target, _candidates(actor, target, leads, chain))


def _candidates(actor: Actor, target: Target, leads: Sequence[Mapping[str, Any]], chain: str) -> list[Candidate]:
    if len(leads) > MOST_LEADS:
        raise Invalid("These are too many leads.", details=[{"field": "leads", "reason": f"At most {MOST_LEADS:,} in one request."}])
    found = [_candidate(actor, target, row, lead) for row, lead in enumerate(leads)]
    return [replace(candidate, key=f"{chain}|{candidate.line}") for candidate in found]


def _candidate(actor: Actor, target: Target, row: int, lead: Mapping[str, Any]) -> Candidate:
    if target.collection is None:
        wrong = [*wrong_contact(lead), *target.wrong_values(lead)]
        if not any(value not in (None, "") for value in lead.values()):
            wrong = [{"field": "lead", "reason": "There is nothing in this row."}]
        return Candidate(row, None, dict(lead), wrong)
    key = lead.get("record")
    if not isinstance(key, str) or "\x00" in key:
        return Candidate(row, None, {}, [{"field": "record", "reason": f"Name the key of a record of {target.collection}."}])
    reason = wrong_records(actor, target, [key]).get(key)
    values = {name: value for name, value in lead.items() if name != "record"}
    return Candidate(row, key, values, [{"field": "record", "reason": reason}] if reason else [])


def takes_in(workflow: str) -> bool:
    """Whether what a trigger finds is enrolled in this workflow and not started at once: its document says how one leaves it or comes again."""
    document = find(workflow).document
    return document is not None and document.collection is not None and (bool(document.exits) or document.reenrol is not None)
