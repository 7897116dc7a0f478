"""Executing a draft: a real run of it, marked as a test, before anybody else gets it."""

from collections.abc import Mapping
from typing import Any

from console import workflows
from console.core.actor import Actor
from console.runs.commands import run_starts
from console.runs.commands.run_starts import HandsOff


def execute_draft(
    actor: Actor, slug_or_id: str, record: str | None, given: Mapping[str, Any], *, revision: int
) -> str:
    """Start a run of the draft of this revision and return its id; what it writes and sends is real.

    It counts in no report, and other runs on the record do not stand in its way. If the draft names an account to run as, nobody holds it.
    Raises what `workflows.keep_tried_draft` and starting raise: it needs the right to publish and the right to start.
    """
    definition = workflows.keep_tried_draft(actor, slug_or_id, revision)
    collection = definition.document.collection
    record = record if collection is not None else None
    if definition.document.run_as is None:
        return run_starts.begin(actor, definition, collection, record, given, test=True)
    run_starts.require_start(actor, definition)
    run_starts.record_of_start(
        actor, definition, collection, record
    )  # who starts it sees the record too, whatever the account may see
    account = run_starts.account_of(definition)
    return run_starts.begin(
        account, definition, collection, record, given, hands_off=HandsOff(by=actor, asker=actor, test=True)
    )
