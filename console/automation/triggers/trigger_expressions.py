"""The expressions of a trigger: which record it is about, whether it lets an occasion pass, and what the run gets as input."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console import records, workflows
from console.automation.triggers.trigger_rows import Row
from console.core import expressions, policy
from console.core.documents.triggers import Trigger
from console.core.documents.workflow import Workflow
from console.core.errors import NotFound
from console.core.expressions.operands import to_json
from console.core.run.origin import RecordRef


@dataclass(frozen=True, slots=True)
class Passed:
    """What a trigger makes of an occasion that its filter let pass: the input, and the key of the record where the trigger says which. `found`: as it was sent."""

    values: dict[str, Any]
    record: str | None
    found: Any = None


def fields_named(definition: Trigger) -> frozenset[str] | None:
    """Fields of the record that the expressions name; None where they name the record as a whole, empty where they do not name it."""
    fields: set[str] = set()
    for text in (definition.filter, definition.record, *definition.input.values()):
        for path in expressions.paths(expressions.parse(text)) if text is not None else ():
            if path[0] == "record" and len(path) == 1:
                return None
            if path[0] == "record":
                fields.add(path[1])
    return frozenset(fields)


def read_inputs(definition: Trigger) -> frozenset[str]:
    """Names in the body of a webhook that its filter and its record read."""
    texts = [text for text in (definition.filter, definition.record) if text is not None]
    return frozenset(
        path[1]
        for text in texts
        for path in expressions.paths(expressions.parse(text))
        if path[0] == "input" and len(path) > 1
    )


def house_roots(trigger: Row, now: datetime) -> dict[str, Any]:
    """The roots that every trigger knows: the variables of its version on this day, and the moment."""
    return {"now": now, **policy.rules(document_of(trigger), now).roots}


def document_of(trigger: Row) -> Workflow:
    """The document of the version that the trigger is of. Raises NotFound where nothing is published."""
    if trigger.version is None:
        raise NotFound("This workflow is not published.")
    return workflows.version(trigger.workflow, trigger.version).document


def evaluate_filter(trigger: Row, roots: Mapping[str, Any]) -> Passed | None:
    """What the trigger makes of these roots; None where its filter does not let them pass (unknown is not enough)."""
    definition = trigger.definition
    if definition.filter is not None and not expressions.parse(definition.filter).test(roots):
        return None
    values = {name: expressions.parse(text).evaluate(roots) for name, text in definition.input.items()}
    record = found = None
    if definition.record is not None:
        found = to_json(expressions.parse(definition.record).value(roots))
        record = None if found is None else str(found)
    return Passed({name: value for name, value in values.items() if value is not None}, record, found)


def expression_values(collection: str, values: Mapping[str, Any]) -> Any:
    """The values of a record for expressions: typed, and relations can be followed."""
    return records.leading(collection, values)


def record_of_event(trigger: Row, key: str | None, event_record: RecordRef | None = None) -> RecordRef | None:
    """The record that the run is about: the one that the trigger names, else that of the event where it is of the workflow's collection."""
    collection = document_of(trigger).collection
    if collection is None:
        return None
    if trigger.definition.record is not None:
        return None if key is None or "\x00" in key else RecordRef(collection, key)
    return event_record if event_record is not None and event_record.collection == collection else None
