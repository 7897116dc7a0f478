"""What others are asked to approve when a step is handed in: the request with its id, what they are shown beside the values, and whom to tell of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from console import access
from console.core.actor import Actor
from console.core.command_types import ApprovalAsked
from console.core.run import Run
from console.db.engine import transaction
from console.db.ids import new_id
from console.records import Record
from console.runs import beside
from console.runs.people import may_see
from console.runs.screens import shortened
from console.runs.stepping import Stand
from console.steps.base import Context

MOST_TOLD = 50
LABELS = ("name", "label", "type", "options")


def asked_of(wanted: ApprovalAsked, run: Run, here: Stand, context: Context, record: Record | None) -> ApprovalAsked:
    """The request with an id of its own. Where the step names no record it is the run's; what the step shows of it comes before all of it."""
    own = wanted.collection in (None, run.collection) and wanted.record in (None, run.record)
    about = (run.collection, run.record) if own else (wanted.collection, wanted.record)
    shown = shown_of(here, context, record if own else None) | dict(wanted.shown)
    return replace(wanted, id=new_id("apr"), collection=about[0], record=about[1], shown=shown)


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
    asked = {person for role in found.roles for person in access.holders(role)} - {found.requested_by}
    people = [
        person for person in sorted(asked) if access.held(Actor("user", person), run.team) & set(found.roles) and may_see(person, run)
    ]
    with transaction() as connection:
        beside.tell(
            *(connection, people[:MOST_TOLD], found.id, "approval_requested"),
            at=found.requested_at,
            run=run.id,
            by=found.requested_by,
            link=f"/approvals/{found.id}",
        )
