"""When somebody leaves before the end: the exits of the workflow are judged at each event about them, and regularly for changes without an event.

A record that is no more ends the place of whoever it was about.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console import log, records, workflows
from console.auth.access import EVERY_RUN
from console.automation.enrolments import leaving
from console.automation.enrolments.places import opened_values
from console.automation.enrolments.targets import Target, find
from console.automation.triggers import log_events
from console.automation.triggers.log_events import Batch, LogEvent
from console.core import expressions, policy, scopes
from console.core.documents.workflow import Exit, Workflow
from console.core.errors import ConsoleError
from console.infra.db.engine import alone, fetch
from console.runs import ENGINE

AT_ONCE = 2_000
LOOKED_AT = 400
DONE_BY_RUNS = ("record.", "tag.", "stage.", "contact.", "run.")
"""Beginnings of the names of events that a run brings about itself: for its own place they are no reason to leave."""
_DELETED = "record.deleted"
_log = logging.getLogger(__name__)
_TOUCHED = """
select e.id, t.n from unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::int[]) as t (collection, record, run, at, n)
join console.enrolment e on e.collection = t.collection and e.record = t.record and e.left_at is null and e.at < t.at and e.run is distinct from t.run
union select e.id, t.n from unnest(%s::text[], %s::int[]) as t (run, n) join console.enrolment e on e.run = t.run and e.left_at is null order by 2, 1
"""
"""Who events are about: by their record, but for what their own run did before; by their run for what comes back to it."""
_LEADS = f"""
select e.id, e.workflow, e.version, e.collection, e.record, e.subject, e.nonce, e.ct, e.run, e.of_run from console.enrolment e where e.id = any(%s) and e.left_at is null
and exists (select from console.workflow w where w.id = e.workflow) and not exists (select from {EVERY_RUN.sql()} where r.id = e.run and r.ended_at is not null)
"""  # noqa: S608 (a text of ours)
"""Whose run has ended has left by that, though the place is not yet told so; whose workflow was deleted as a draft stops nobody else."""
_NEXT_LEADS = f"""
select e.id from console.enrolment e where e.left_at is null and e.collection is not null and e.id > %s
and not exists (select from {EVERY_RUN.sql()} where r.id = e.run and (r.status = 'running' or r.waiting ->> 'for' = 'effect')) order by e.id limit %s
"""  # noqa: S608 (a text of ours)
"""Whose run is at work is judged when it rests: what it has just done may be what the exit looks for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody in a workflow as exits are judged about them. `record` is None where it is no more, and empty where there is none.
    `target` is their workflow, where it was read for many of them.
    """

    id: str
    workflow: str
    exits: Sequence[Exit]
    variables: Mapping[str, Any]
    collection: str | None
    record: Mapping[str, Any] | None
    input: Mapping[str, Any]
    run: str | None
    of_run: bool = False
    version: int | None = None
    target: Target | None = None


def look() -> int:
    """Judge the exits of those whom the next events of the log are about; returns how many left. Called by one worker at a time."""
    return read_on()[0]


def read_on() -> tuple[int, int | None, Batch]:
    """As `look`: (how many left, the place after which the events were read, these events); nothing where another worker is at it."""
    with alone("exits of enrolments") as mine:
        if not mine:
            return 0, None, Batch([], 0)
        since = exits_position()
        batch = log_events.read_after(since, limit=AT_ONCE)
        left = _judged_at_events(batch.events) if batch.events else 0
        fetch(
            "update console.version set number = %s where name = 'enrolled_exits_read' returning number",
            (batch.upto,),
        )
        return left, since, batch


def exits_position() -> int:
    """Up to which place of the log exits have been judged."""
    return int(fetch("select number from console.version where name = 'enrolled_exits_read'")[0][0])


def _judged_at_events(events: Sequence[LogEvent]) -> int:
    """Judge each person at every one of these events about them; returns how many left."""
    numbers = list(range(len(events)))
    about = (
        [event.collection for event in events],
        [event.record for event in events],
        [event.run for event in events],
    )
    own = [
        (event.run, number)
        for number, event in enumerate(events)
        if event.run and not event.on.startswith(DONE_BY_RUNS)
    ]
    own += [(run, number) for number, event in enumerate(events) for run in event.answered_runs]
    touched = fetch(
        _TOUCHED,
        (
            *about,
            [event.at for event in events],
            numbers,
            [run for run, _ in own],
            [number for _, number in own],
        ),
    )
    by_lead: dict[str, list[LogEvent]] = {}
    for lead, number in touched:
        by_lead.setdefault(lead, []).append(events[number])
    leads = list(by_lead)
    left = 0
    for start in range(0, len(leads), LOOKED_AT):
        for place in read(leads[start : start + LOOKED_AT]):
            left += any(judge(place, event.to_json()) for event in by_lead[place.id])
    return left


_passed = [""]


def check_idle_leads() -> int:
    """Judge the next of those who are enrolled by their records, for what changed in their database without our hearing of it; answers how many left.

    A duty of the worker: all of them one after the other, then from the beginning again.
    """
    with alone("patrol of enrolments") as mine:
        rows = fetch(_NEXT_LEADS, (_passed[0], AT_ONCE)) if mine else []
        _passed[0] = rows[-1][0] if len(rows) == AT_ONCE else ""
        leads, left = [row[0] for row in rows], 0
        for start in range(0, len(leads), LOOKED_AT):
            left += sum(judge(place, None) for place in read(leads[start : start + LOOKED_AT]))
        return left


def read(leads: Sequence[str]) -> list[Place]:
    """These people with the values of their records, one statement for a collection; those whose source does not answer are left out."""
    rows = fetch(_LEADS, (list(leads),))
    targets = {workflow: find(workflow) for workflow in {row[1] for row in rows}}
    keys: dict[str, set[str]] = {}
    for row in rows:
        if row[3] is not None:
            keys.setdefault(row[3], set()).add(row[4])
    found: dict[str, Mapping[str, Any]] = {}
    for collection, wanted in keys.items():
        try:
            names = [item.name for item in records.collection(collection).fields]
            found[collection] = records.records_by_key(
                collection, sorted(wanted), scopes.unrestricted(collection), names
            )
        except ConsoleError as error:
            _log.info("exits: %s is not read now: %s", collection, type(error).__name__)
    return [_place(row, targets[row[1]], found) for row in rows if row[3] is None or row[3] in found]


def _place(row: Any, target: Target, found: Mapping[str, Mapping[str, Any]]) -> Place:
    lead, workflow, version, collection, key, subject, nonce, ct, run, of_run = row
    document = _document(workflow, version) if version is not None else target.document
    record: Mapping[str, Any] | None = {}
    if collection is not None:
        record = found[collection][key].values if key in found[collection] else None
    values = opened_values(lead, subject, nonce, ct)
    exits = document.exits if document else []
    variables = policy.rules(document, log.now()).variables if document and exits else {}
    return Place(lead, workflow, exits, variables, collection, record, values, run, of_run, version, target)


def _document(workflow: str, version: int) -> Workflow | None:
    """The document that somebody's run goes by; None where this release cannot read it: then they leave by no exit, and all others are judged."""
    definition = workflows.readable_version(workflow, version)
    return definition.document if definition is not None else None


def judge(place: Place, event: Mapping[str, Any] | None) -> bool:
    """Let them leave where their record is no more, or an exit applies; whether they left. A run goes on without its record that gave its place itself, and has no exits, or
    has come to a step that waits for the deletion.
    """
    if place.record is None and ((place.of_run and not place.exits) or _waits_for_deletion(place)):
        return False
    if place.record is None:
        return leaving.leave(
            ENGINE, place.target or find(place.workflow), place.id, leaving.GONE, leaving.RECORD_GONE
        )
    reason = applying(place, event)
    return reason is not None and leaving.leave(
        ENGINE, place.target or find(place.workflow), place.id, leaving.EXITED, reason
    )


def _waits_for_deletion(place: Place) -> bool:
    document = (
        _document(place.workflow, place.version)
        if place.run is not None and place.version is not None
        else None
    )
    waits = (
        [
            step.id
            for step in document.steps
            if step.type == "wait" and _DELETED in (step.config.get("event"), *step.config.get("also", ()))
        ]
        if document
        else []
    )
    return bool(waits) and bool(
        fetch(
            "select from console.attempt a where a.run = %s and a.step = any(%s) limit 1", (place.run, waits)
        )
    )


def applies(target: Target, key: str | None, values: Mapping[str, Any]) -> bool:
    """Whether an exit of the workflow applies to this record, or to a lead with these values, before they have come in. Raises SourceDown."""
    return at_once(target, [(key, values)])[0] not in (None, leaving.RECORD_GONE)


def staying(target: Target, keys: Sequence[str]) -> list[str]:
    """Those of these records to which no exit of the workflow applies before they have come in. Raises SourceDown."""
    return [
        key
        for key, reason in zip(keys, at_once(target, [(key, {}) for key in keys]), strict=True)
        if reason is None
    ]


def at_once(target: Target, entering: Sequence[tuple[str | None, Mapping[str, Any]]]) -> list[str | None]:
    """Why each of these (key of a record, values) would leave as soon as they have come in; None: they stay. One statement for all. Raises SourceDown."""
    document, collection = target.document, target.collection
    if document is None or not target.exits or not entering:
        return [None] * len(entering)
    known: Mapping[str, Any] = {}
    keys = sorted({key for key, _ in entering if key is not None})
    if collection is not None and keys:
        names = [item.name for item in records.collection(collection).fields]
        known = records.records_by_key(collection, keys, scopes.unrestricted(collection), names)
    variables = policy.rules(document, log.now()).variables

    def why(key: str | None, values: Mapping[str, Any]) -> str | None:
        if key is not None and key not in known:
            return leaving.RECORD_GONE
        record = known[key].values if key is not None else {}
        return applying(Place("", target.id, target.exits, variables, collection, record, values, None), None)

    return [why(key, values) for key, values in entering]


def applying(place: Place, event: Mapping[str, Any] | None) -> str | None:
    """The reason of the first exit that applies; None where none does."""
    roots = {"record": place.record, "input": place.input, "variables": place.variables, "now": log.now()}
    if event is not None:
        roots["event"] = event
    return next((each.reason for each in place.exits if expressions.parse(each.if_).test(roots)), None)
