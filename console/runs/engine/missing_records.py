"""Runs whose record was deleted: those that know of it go on with the steps that do without the record."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from console import records, steps
from console.core import expressions, scopes
from console.core.actor import Actor
from console.core.errors import Conflict, NotFound
from console.core.expressions import ExpressionError
from console.core.run import Run
from console.records import Record
from console.runs.engine.stepping import OpenStep, record_of
from console.workflows import Definition

GONE = "record_gone"


def record_left(
    actor: Actor, open_step: OpenStep, read: Callable[[], Record | None] | None = None
) -> Record | None:
    """The run's record for the engine; None also if the run knows that it was deleted, and the step does without it. `read`: gives it, if the caller reads it.

    Raises Conflict `record_gone` for a record that was deleted, NotFound for one that is not the actor's to see.
    """
    run = open_step.run
    try:
        return read() if read is not None else record_of(actor, run)
    except NotFound:
        if not is_deleted(run):
            raise
        require_no_need(open_step)
        return None


def knows_of_deletion(run: Run) -> bool:
    """Whether a step of the run deleted its record, or waited for its deletion."""
    return any(_tells_of_deletion(output, run.record) for output in run.context.values())


def _tells_of_deletion(output: Any, key: str | None) -> bool:
    if not isinstance(output, Mapping):
        return False
    results = output.get("results")
    made = results.values() if isinstance(results, Mapping) else ()
    return output.get("event") == "record.deleted" or any(
        isinstance(result, Mapping) and result.get("deleted") is True and result.get("key") == key
        for result in made
    )


def is_deleted(run: Run) -> bool:
    """Whether the record no longer exists, not only for somebody."""
    try:
        records.get(run.collection or "", run.record or "", scopes.unrestricted(run.collection or ""))
    except NotFound:
        return True
    return False


def require_no_need(open_step: OpenStep) -> None:
    """Raise Conflict `record_gone` for a step that cannot do without the record, and where the run did not expect that it is gone."""
    if not knows_of_deletion(open_step.run):
        raise Conflict("The record was deleted meanwhile, and the run did not wait for that.", code=GONE)
    if needs_record(open_step.definition, open_step.attempt.step):
        raise Conflict(f"The record was deleted, and “{open_step.view.title}” needs it.", code=GONE)


@functools.lru_cache(maxsize=1024)
def needs_record(definition: Definition, step_id: str) -> bool:
    """Whether the step reads or changes the run's record, or tells something of it."""
    step = definition.document.step(step_id)
    kind, view = steps.get(step.type), steps.view(step)
    texts = [located.text for located in kind.expressions(view.config)]
    texts += [
        text for located in kind.templates(view.config) for text in expressions.raw_expressions(located.text)
    ]
    reads_own = any(read.collection is None for read in kind.reads(view))
    return reads_own or kind.tags or bool(kind.edits(view)) or any(_names_record(text) for text in texts)


def _names_record(text: str) -> bool:
    try:
        return any(path[0] in ("record", "related") for path in expressions.paths(expressions.parse(text)))
    except ExpressionError:
        return False
