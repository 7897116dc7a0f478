"""Confidential reports: a form on a record creates another record and a run with a label, which only cleared people can see.

The reporter gets a receipt number and nothing else. Nobody holds the run; people who are cleared for it and may resume it get a notice.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from console import log, records, workflows
from console.auth import access, notify
from console.core import expressions, scopes
from console.core.actor import Actor
from console.core.documents.workflow import Report
from console.core.errors import Conflict, NotFound
from console.core.run import Event, Run, commands, decisions, fold
from console.core.run.causes import cause_of_actor
from console.infra import faults, subjects
from console.infra.db.engine import transaction
from console.infra.db.ids import new_id
from console.records import Record
from console.runs.commands.run_starts import checked_input
from console.runs.engine.addressees import may_see
from console.runs.engine.stepping import plan_of
from console.runs.store.run_store import write
from console.workflows import Definition

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # letters that cannot be confused over the phone
NOT_KNOWN = (
    "It is not known whether this report was filed: the console stopped while it was kept. Ask those who read these reports, or file it once more under a new"
    " X-Idempotency-Key."
)
NOT_THERE = "There is no such workflow for this record, or it is not yours to start."


def reportable(actor: Actor, collection: str) -> list[Definition]:
    """Live versions of the workflows that the actor may report into from records of the collection, by title."""
    labelled = [
        known
        for known in workflows.all_known()
        if known.label is not None and known.live is not None and known.status == "active"
    ]
    found = [workflows.version(known.id, known.live) for known in labelled if known.live is not None]
    return [
        each
        for each in found
        if each.document.report is not None
        and each.document.report.collection == collection
        and access.can(actor, None, f"workflow:{each.slug}", "report")
    ]


def report(actor: Actor, workflow: str, collection: str, record: str, given: Mapping[str, Any]) -> str:
    """File a report about the record and return its receipt number.

    Raises NotFound for a record or workflow that is not the actor's to report from or into, Invalid per field of the form (named `input.…`),
    SourceDown: then nothing was filed; Conflict `write_unknown` where a process died over the same request before.
    """
    definition = next((each for each in reportable(actor, collection) if each.slug == workflow), None)
    about = records.get(collection, record, access.scope_for(actor, collection, "read"))
    if definition is None or definition.document.report is None:
        raise NotFound(NOT_THERE)
    report_settings, team, now = definition.document.report, definition.document.team or "", log.now()
    values, output = checked_input(actor, definition, about, given, team, now)
    case = _case(actor, definition, report_settings, collection, record, values)
    receipt = number()
    kept = {"receipt": receipt, "reported_on": {"collection": collection, "record": record}}
    command = commands.Start(
        by=actor.id,
        id=new_id("run"),
        team=team,
        version=definition.number,
        workflow=definition.id,
        collection=case.collection,
        record=case.key,
        exclusive=f"{definition.id}|{case.collection}|{case.key}|{definition.document.clearance}",
        input=dict(values) | kept,
        output=dict(output) | kept,
        trigger="report",
        caused_by=(cause_of_actor(actor),),
        title=case.title,
        label=definition.document.clearance,
    )
    loaded = write(
        actor,
        definition,
        None,
        _filed(definition, command),
        subject=subjects.subject_of("run", command.id),
        hand_on=True,
    )
    _tell(loaded.run, definition)
    return receipt


def receipt_of(actor: Actor, workflow: str, collection: str, record: str, run_id: str) -> str:
    """The receipt number again, for the person who filed the report and may still report. Raises NotFound."""
    records.get(collection, record, access.scope_for(actor, collection, "read"))
    begun = next(iter(log.events_of(run_id, limit=1)), None)
    if (
        begun is None
        or begun.body["actor"].get("id") != actor.id
        or all(each.slug != workflow for each in reportable(actor, collection))
    ):
        raise NotFound(NOT_THERE)
    submitted = begun.values.get("input") or {}
    if "receipt" not in submitted:
        raise NotFound(NOT_THERE)
    return str(submitted["receipt"])


def number() -> str:
    """A random receipt number."""
    drawn = "".join(secrets.choice(LETTERS) for _ in range(10))
    return f"R-{drawn[:5]}-{drawn[5:]}"


def _case(
    actor: Actor,
    definition: Definition,
    report_settings: Report,
    collection: str,
    record: str,
    values: Mapping[str, Any],
) -> Record:
    """The record that the report creates. The console adds it: the reporter needs no right to its collection."""
    whole = records.get(collection, record, scopes.unrestricted(collection))
    roots = {"record": whole.values, "input": values, "currentUser": actor.attributes, "now": log.now()}
    target = str(definition.document.collection)
    made = {
        name: expressions.render(text, roots) if "{{" in text else expressions.parse(text).evaluate(roots)
        for name, text in report_settings.values.items()
    }
    with log.reserved() as repeated:
        if repeated:
            raise Conflict(NOT_KNOWN, code="write_unknown")
        case = records.insert(
            target,
            {name: value for name, value in made.items() if value is not None},
            scopes.unrestricted(target),
            workflow=definition.id,
        )
    faults.point("reporting.filed.before")
    if case.key is None:
        raise Conflict(
            "The report has no key to be found by; an administrator has to look at its collection.",
            code="not_possible",
        )
    return case


def _filed(definition: Definition, command: commands.Start) -> list[Event]:
    """The events that start the run and save it at once: the reporter never holds it."""
    now, plan = log.now(), plan_of(definition)
    events = decisions.decide(plan, Run(), command, now)
    begun = fold(events)
    if begun.status != "waiting_person":
        return events
    return [*events, *decisions.decide(plan, begun, commands.Save(command.by, begun.revision), now)]


def _tell(run: Run, definition: Definition) -> None:
    """Add a notice for everybody who is cleared for the run and may resume it."""
    people = {
        row.sub.removeprefix("user:")
        for row in access.all_rows()
        if row.ptype == "g" and row.sub.startswith("user:")
    }
    obj = f"workflow:{definition.slug}"
    cleared_people = [
        each
        for each in sorted(people)
        if access.can(Actor("user", each), run.team, obj, "resume") and may_see(each, run)
    ]
    with transaction() as connection:
        notify.add_notices(
            connection, cleared_people, f"{run.id}:filed", "report_filed", at=log.now(), run=run.id
        )
