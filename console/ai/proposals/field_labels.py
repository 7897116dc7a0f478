"""Labels of proposed fields: from the step's form, else from the collection, else the name as words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from console import records, workflows
from console.core.documents.workflow import Step, Workflow
from console.core.errors import NotFound
from console.core.plain_words import humanised

CHOICE = "outcome"
CHOICE_LABEL = "The choice"


def of_step(document: Workflow | None, step: Step | None, name: str) -> str:
    """The label of one field; of a tick in a list, that of the list and the tick's."""
    if name == CHOICE:
        return CHOICE_LABEL
    whole, _, tick = name.partition(".")
    form = _form(step)
    entry = form.get(whole)
    label = (entry or {}).get("label") or _of_collection(document, whole) or humanised(whole)
    if not tick:
        return str(label)
    options = (entry or {}).get("options")
    ticks = (
        {
            str(option.get("value")): str(option.get("label") or option.get("value"))
            for option in options
            if isinstance(option, Mapping)
        }
        if isinstance(options, list)
        else {}
    )
    return f"{label}: {ticks.get(tick, tick.replace('_', ' '))}"


def of_live(
    all_known: Sequence[workflows.Known], fields: Iterable[tuple[str, str, str]]
) -> dict[tuple[str, str, str], str]:
    """(workflow, step, field) → its label in the live version."""
    live = {each.id: each.live for each in all_known}
    documents: dict[str, Workflow | None] = {}
    labels = {}
    for workflow, step, name in set(fields):
        if workflow not in documents:
            number = live.get(workflow)
            documents[workflow] = workflows.version(workflow, number).document if number else None
        document = documents[workflow]
        labels[workflow, step, name] = of_step(
            document,
            next((each for each in document.steps if each.id == step), None) if document else None,
            name,
        )
    return labels


def _form(step: Step | None) -> dict[str, Mapping[str, Any]]:
    entries = [
        entry
        for part in ("output", "form", "fields")
        for entry in ((step.config.get(part) if step else None) or ())
    ]
    return {str(entry["name"]): entry for entry in entries if isinstance(entry, Mapping) and "name" in entry}


def _of_collection(document: Workflow | None, name: str) -> str | None:
    if document is None or document.collection is None:
        return None
    try:
        of_collection = records.collection(document.collection).field(name)
    except NotFound:
        return None
    return of_collection.label if of_collection is not None else None
