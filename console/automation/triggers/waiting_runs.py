"""Runs that wait for their turn: why one that was promised to a sender does, and those about somebody who is erased."""

from sqlalchemy.engine import Connection

from console import records
from console.auth import access
from console.automation import enrolments
from console.core.actor import Actor
from console.core.errors import NotFound
from console.infra import jobs
from console.infra.db.engine import fetch

_WAITS = "select f.workflow, f.collection, f.record, coalesce(f.why, '') from console.firing f where f.run = %s and f.status = 'waiting'"


_FORGET = """
update console.firing set status = 'refused', why = 'The record was erased before it began.', told = null, exclusive_key = null, record = null, done_at = clock_timestamp()
where status = 'waiting' and collection = %s and record = %s
"""


def waits_about(collection: str, key: str) -> bool:
    """Whether something that was told of this record waits for its run."""
    return bool(
        fetch(
            "select from console.firing where status = 'waiting' and collection = %s and record = %s limit 1",
            (collection, key),
        )
    )


def forget_waiting(connection: Connection, collection: str, key: str) -> None:
    """Start nothing more of what waits about this record, and delete what was told of it, with the transaction that erases it."""
    connection.exec_driver_sql(_FORGET, (collection, key))


def why_not_begun(actor: Actor, run_id: str) -> str | None:
    """Why the run that was promised under this id waits, with what ends that; None where none was, or the actor may not see it."""
    for workflow_id, collection, record, why in fetch(_WAITS, (run_id,)) if "\x00" not in run_id else ():
        target = enrolments.find(workflow_id)
        try:
            enrolments.require_target(actor, workflow_id)
            if collection is not None and record is not None:
                records.get(collection, record, access.scope_for(actor, collection, "read"), fields=())
        except NotFound:
            return None
        if jobs.paused():
            return "Everything that goes by itself is paused; it begins when that is resumed."
        if not target.open:
            return f"{target.title} is {'archived' if target.archived else target.status}; it begins when {target.title} is activated again."
        return f"It is tried again later. {why}".strip()
    return None
