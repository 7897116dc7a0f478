"""Starting runs that nobody holds: what triggers and enrolments call."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console import log, workflows
from console.core.actor import Actor
from console.core.errors import Conflict
from console.core.run.origin import RecordRef, StartedBy
from console.runs.commands.run_starts import (
    WAITS,
    HandsOff,
    StartStep,
    account_of,
    begin,
    check,
    checked_input,
    record_of_start,
    require_none_live,
    require_start,
    start_step,
)
from console.runs.store.run_store import Also, inside_of, started_with
from console.workflows import Definition

__all__ = [
    "ReadyStart",
    "RecordRef",
    "StartedBy",
    "check_hands_off",
    "ready_to_start",
    "start_hands_off",
    "start_key",
]


def start_hands_off(
    workflow: str,
    *,
    by: StartedBy,
    record: RecordRef | None,
    values: Mapping[str, Any],
    key: str,
    identity: Actor | None = None,
    subject: str | None = None,
    run_id: str | None = None,
    also: Also | None = None,
) -> str:
    """Start a run that nobody holds and return its id; a worker does its steps. The same `key` in the same workflow gives the same run, for ever.

    `workflow` is its slug or id. The run acts with the rights of the document's `run_as`, else
    of `identity`, such as the owner of a webhook's key, who sees the record and what the input names in any case. `values` are those of the start step's fields.
    `subject`: under whose key the values of a run without a record are kept, such as the lead that it is about. `run_id`: the id that was promised.
    `also` writes in the same transaction as the run.

    One transaction. Raises NotFound (no such workflow or record, or the account may not see it), NotAllowed (the account may not start it),
    Conflict (`no_account`, `not_active`, `run_is_live`), Invalid with a detail per field (`input.…`), SourceDown.
    """
    live = workflows.live(workflow)
    named = start_key(live.id, key)
    if (known := started_with(named)) is not None:
        return known
    account = account_of(live) if live.document.run_as is not None or identity is None else identity
    asker = identity if identity is not account else None
    collection, record_key = (record.collection, record.key) if record else (None, None)
    if asker is not None:
        record_of_start(asker, live, collection, record_key)
    start = HandsOff(origin=by, asker=asker, key=named, subject=subject, run_id=run_id, lead=key)
    try:
        return begin(account, live, collection, record_key, values, hands_off=start, also=also)
    except Conflict:
        if (known := started_with(named)) is not None:  # the same start at the same moment was first
            return known
        raise


def check_hands_off(
    account: Actor,
    definition: Definition,
    *,
    record: RecordRef | None,
    values: Mapping[str, Any],
    asker: Actor | None,
    alone: bool = False,
) -> str | None:
    """Raise what such a start of this version, as this account, would raise; the key that only one live run may have. Nothing is written.

    `asker` sees the record, and what the input names, in any case. `alone`: other live runs on the record do not matter.
    """
    collection, record_key = (record.collection, record.key) if record else (None, None)
    if asker is not None:
        record_of_start(asker, definition, collection, record_key)
    exclusive = check(account, definition, collection, record_key, values, asker=asker, alone=True)
    if exclusive is not None and not alone and inside_of([exclusive], []):
        require_none_live(account, exclusive)
        raise Conflict(WAITS, code="already_enrolled")
    return exclusive


@dataclass(frozen=True, slots=True)
class ReadyStart:
    """That the account of a version may start it now, and the start step as the account sees it where the run is about no record. For many starts within a moment."""

    account: Actor
    definition: Definition
    step: StartStep | None

    def check(self, record: RecordRef | None, values: Mapping[str, Any], asker: Actor | None) -> str | None:
        """What `check_hands_off` does."""
        if self.step is None:
            return check_hands_off(self.account, self.definition, record=record, values=values, asker=asker)
        checked_input(
            self.account,
            self.definition,
            None,
            values,
            self.definition.document.team or "",
            log.now(),
            asker,
            self.step,
        )
        return None


def ready_to_start(definition: Definition) -> ReadyStart:
    """Raises what every start of this version would raise, whatever its input is."""
    account, document = account_of(definition), definition.document
    require_start(account, definition)
    step = (
        start_step(account, definition, None, document.team or "", log.now())
        if document.collection is None
        else None
    )
    return ReadyStart(account, definition, step)


def start_key(workflow_id: str, key: str) -> str:
    """The stored form of the key of a start: 22 characters, different for each workflow."""
    digest = hashlib.sha256(f"{workflow_id}\0{key}".encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
