"""Why people chose as they did: what each handed in with a choice, as the reader may see it in the activity log."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from console import activity, workflows
from console.activity import handed_in
from console.activity.handed_in import Place
from console.core import expressions
from console.core.documents.fields import FieldDefinition
from console.core.documents.workflow import Step
from console.core.errors import ConsoleError
from console.core.expressions.nodes import Path
from console.monitoring.reports.tables import Given
from console.steps.request_documents import REASON, SENDER, RequestDocuments

STEPS = "steps"


def reasons_of_choices(reader: activity.Reader, choices: Sequence[activity.ActivityRow]) -> dict[str, Given]:
    """Id of each event of a choice → what was handed in with it. A bounded number of statements, however many there are."""
    events = handed_in.with_choices(reader, choices)
    ways = {
        row.event.id: dict(_currency_ways(*_version(row), str(row.json["step"]))) for row in events.values()
    }
    wanted: list[Place] = [
        (str(row.json["run"]), row.event.n, way[0])
        for row in events.values()
        for way in ways[row.event.id].values()
    ]
    outputs = handed_in.outputs_before(reader, wanted)
    return {
        choice: Given(
            *_version(row),
            str(row.json["step"]),
            _reasons_among(
                row.json["data"].get("values") or {}, _step(*_version(row), str(row.json["step"]))
            ),
            frozenset(path.removeprefix("data.values.") for path in row.json["masked"]),
            {
                name: code
                for name, way in ways[row.event.id].items()
                if (code := _at(row, way, outputs)) is not None
            },
            str(row.json["data"].get("reason") or ""),
        )
        for choice, row in events.items()
    }


def _version(row: activity.ActivityRow) -> tuple[str, int]:
    version = row.event.body.get("wf") or {}
    return str(version.get("id") or ""), int(version.get("version") or 0)


def _reasons_among(values: Mapping[str, Any], step: Step | None) -> Mapping[str, Any]:
    """Of what was handed in, what says why: papers of somebody outside and what they filled in say who sent them, else nothing."""
    if step is None or step.type != RequestDocuments.name:
        return values
    return {REASON: values.get(REASON) or values.get(SENDER)}


def _step(workflow: str, version: int, step_id: str) -> Step | None:
    """The step of that version; None where it cannot be read."""
    try:
        document = workflows.version(workflow, version).document
    except (ConsoleError, ValueError):
        return None
    return next((each for each in document.steps if each.id == step_id), None)


def _currency_ways(workflow: str, version: int, step_id: str) -> Iterator[tuple[str, Sequence[str]]]:
    """(Name of an amount in the step's form, way to its currency from the steps on): of those whose currency an earlier step gives."""
    step = _step(workflow, version, step_id)
    for entry in step.config.get("form") or () if step is not None else ():
        field = FieldDefinition.model_validate(entry)
        if field.currency is None or field.fixed_currency:
            continue
        node = expressions.parse(field.currency).node
        if isinstance(node, Path) and node.root == STEPS and len(node.names) > 2 and node.names[1] != step_id:
            yield field.name, node.names[1:]


def _at(
    row: activity.ActivityRow,
    way: Sequence[str],
    outputs: Mapping[tuple[str, str], Sequence[tuple[int, Mapping[str, Any]]]],
) -> str | None:
    before = [output for n, output in outputs.get((str(row.json["run"]), way[0]), ()) if n < row.event.n]
    value: Any = before[-1] if before else None
    for name in way[1:]:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else None
