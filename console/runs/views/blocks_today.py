"""The blocks of a recorded screen as they would be drawn of the records as they are today, for *Changed since* in a replay."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from console import steps
from console.core import blocks, expressions
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.core.run import Run
from console.log import masking
from console.records import Record
from console.runs.engine.step_reads import lead_record, read_rows
from console.runs.engine.stepping import rules_of, run_facts
from console.runs.store import version_origins
from console.runs.views import block_content
from console.steps.base import rows_of
from console.steps.items import LIST
from console.workflows import Definition


def blocks_today(
    actor: Actor,
    definition: Definition,
    run: Run,
    screen: Mapping[str, Any],
    record: Record | None,
    at: datetime,
    hidden: masking.Hidden,
) -> list[blocks.Data] | None:
    """The data of the screen's blocks with the run as it was (`run`, `at`) and everything that is read of records as this reader may see it today.

    None where a source does not answer. `hidden` is what of the step is kept from the reader.
    """
    if not screen.get("content"):
        return []
    step_id = str(screen["step"])
    try:
        roots = _roots(actor, definition, run, screen, record, at)
        found = block_content.with_names(actor, block_content.computed(definition, step_id, roots))
    except ConsoleError:
        return None
    return masking.mask({"content": found}, "", hidden, run.collection, screen=True)[0]["content"] or []


def _roots(
    actor: Actor,
    definition: Definition,
    run: Run,
    screen: Mapping[str, Any],
    record: Record | None,
    at: datetime,
) -> dict[str, Any]:
    step_id, document = str(screen["step"]), definition.document
    defined = document.step(step_id)
    found = version_origins.ways_of_step(steps.get(defined.type), steps.view(defined), defined.content)
    roots: dict[str, Any] = {
        "record": lead_record(actor, run.team, record, found)[0] if record else None,
        "input": run.context.get(document.start.id, run.input),
        "steps": dict(run.context),
        **rules_of(definition, (run.created_at or at).date()).roots,
        "run": run_facts(run),
        "currentUser": actor.attributes,
        "now": at,
    }
    if screen.get("progress"):
        roots["item"] = _item(actor, definition, run, screen, record, roots)
    typed = {field["name"]: field.get("value") for field in screen.get("fields", ())}
    for step, names in _looked_at(definition, step_id).items():
        kind, view = steps.get(document.step(step).type), steps.view(document.step(step))
        wanted = [
            read for read in kind.reads(view) if names & {read.name, *(total.name for total in read.totals)}
        ]
        reads = {
            read.name: read_rows(actor, run, record, read, roots) for read in wanted if read.name != LIST
        }
        related = getattr(view.config, "related", ())
        today = rows_of([entry for entry in related if entry.name in reads], reads)
        today |= {
            read.name: dict(row["values"]) for read in wanted if read.own for row in reads[read.name].rows
        }
        own = typed if step == step_id else {}
        roots["steps"] = {**roots["steps"], step: {**run.context.get(step, {}), **own, **today}}
    return roots


def _looked_at(definition: Definition, step_id: str) -> dict[str, set[str]]:
    """Step → names in it that the blocks of this step look at; always the step itself."""
    found: dict[str, set[str]] = {step_id: set()}
    known = {step.id for step in definition.document.steps}
    content = blocks.parsed(definition.document.step(step_id).content)
    for located, template in blocks.texts_of(content):
        parts = expressions.templates(located.text) if template else [expressions.parse(located.text)]
        for path in (path for part in parts for path in expressions.paths(part)):
            if path[0] == "steps" and len(path) > 2 and path[1] in known:
                found.setdefault(path[1], set()).add(path[2])
    return found


def _item(
    actor: Actor,
    definition: Definition,
    run: Run,
    screen: Mapping[str, Any],
    record: Record | None,
    roots: Mapping[str, Any],
) -> dict[str, Any]:
    """The item of the screen as its row is today; empty where it is not there, or is no row."""
    step, key = definition.document.step(str(screen["step"])), screen["progress"].get("key")
    for read in steps.get(step.type).reads(steps.view(step)):
        rows = read_rows(actor, run, record, read, roots).rows if read.name == LIST else ()
        for row in rows:
            if row["key"] == key:
                return {**row["values"], "key": key}
    return {}
