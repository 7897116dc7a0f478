"""Example values for whoever writes a draft: what a run of the workflow held, or a record, with the rights of whoever looks."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from console import browse, log, records, workflows
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import ConsoleError, NotFound
from console.core.origins import Way
from console.core.policy import rules
from console.core.speaking import SPOKEN
from console.runs.commands.run_rights import Seen, see
from console.runs.engine.step_reads import lead_record
from console.runs.engine.stepping import held_by_steps, run_facts
from console.runs.simulation.workflow_trials import definition_to_try
from console.runs.views import lists, reader_reach
from console.steps.effects import spoken_values
from console.workflows import Draft

MOST = 10
RECORD = "record:"
NOTED_S = 600.0
MOST_NOTED = 1_000
_noted: dict[tuple[str, str, str], float] = {}


def choices(actor: Actor, draft: Draft) -> list[tuple[str, str, datetime | None]]:
    """(id, title, when it began) of the newest runs that the actor may see, then of the first records, which began at no time."""
    heads, _ = lists.find(actor, {"workflow": draft.slug}, limit=MOST)
    found: list[tuple[str, str, datetime | None]] = [
        (head.id, head.record_title or head.workflow_title, head.created_at) for head in heads
    ]
    collection = draft.document.get("collection")
    if isinstance(collection, str):
        try:
            rows = browse.page(actor, collection, browse.BrowseQuery(limit=MOST)).rows
        except ConsoleError:  # not shown to this person, gone, or its source is down: there are the runs
            rows = []
        found += [(f"{RECORD}{row.key}", row.title, None) for row in rows if row.key is not None]
    return found


def roots(actor: Actor, draft: Draft, chosen: str, found: Iterable[Way]) -> dict[str, Any]:
    """What these paths of the draft's expressions read of the example. The look at its record is noted once in ten minutes, not at each letter that is typed.

    Raises NotFound for an example that is not there or not shown to the actor, SourceDown.
    """
    now = log.now()
    base: dict[str, Any] = {
        **rules(workflows.readable(draft.document), now).roots,
        "currentUser": actor.attributes,
        "now": now,
        SPOKEN: _saying(actor, draft),
    }
    if chosen.startswith(RECORD):
        return base | {
            "record": _record(
                actor, draft, str(draft.document.get("collection")), chosen.removeprefix(RECORD), found
            )
        }
    seen = see(actor, chosen, whole=True)
    if seen.run.workflow != draft.id or seen.run.label is not None:
        raise NotFound
    return base | _of_run(actor, draft, seen, found)


def _record(
    actor: Actor, draft: Draft, collection_id: str, key: str, found: Iterable[Way]
) -> Mapping[str, Any]:
    collection, scope = browse.browsed_collection(actor, collection_id)
    record = records.get(collection_id, key, scope)
    _note(actor, collection, key)
    led, reads = lead_record(actor, draft.team, record, found)
    for _, rows in reads:
        for row in rows.rows:
            _note(actor, records.collection(rows.collection), row["key"])
    return led


def _note(actor: Actor, collection: Collection, key: str) -> None:
    look, moment = (actor.id, collection.id, key), time.monotonic()
    if moment - _noted.get(look, -NOTED_S) < NOTED_S:
        return
    if len(_noted) >= MOST_NOTED:
        _noted.clear()
    _noted[look] = moment
    browse.note_view(actor, collection, key)


def _of_run(actor: Actor, draft: Draft, seen: Seen, found: Iterable[Way]) -> dict[str, Any]:
    """What the run held, without what the actor may not read, and its record as it is today."""
    run = seen.run
    hidden = reader_reach.kept_from(actor, run.workflow, run.version, None, run=run.id, looking_back=True)
    held = held_by_steps(run, reader_reach.replace_hidden(hidden))
    start = seen.definition.document.start.id
    known = {"steps": held, "input": held.get(start, {}), "run": run_facts(run)}
    try:
        record = (
            _record(actor, draft, run.collection or "", run.record, found) if run.record is not None else None
        )
    except NotFound:
        record = None
    return known | {"record": record}


def _saying(actor: Actor, draft: Draft) -> Any:
    """How values are said in texts; nothing while the draft has errors."""
    try:
        definition = definition_to_try(actor, draft.slug)
    except ConsoleError:
        return {}
    return spoken_values.of_run(definition.id, definition.number, definition.document)
