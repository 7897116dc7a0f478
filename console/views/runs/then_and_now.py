"""What a replay shows by the name of its time, and what it is called today."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from console import workflows
from console.core import outcome_words
from console.core.documents.workflow import Group
from console.core.errors import ConsoleError
from console.records import catalogue
from console.runs import ReplayView
from console.views import formats

Pairs = list[tuple[str, str]]


def renamed(view: ReplayView, screen: Mapping[str, Any]) -> Pairs:
    """Return what is called otherwise today of all that stands on the page of a replay: (then, now), each pair once."""
    pairs = [
        *view.json["event"]["sentence"].renamed,
        *_of_run(view, screen),
        *_of_phases(view),
        *_of_fields(view, screen),
    ]
    return [(then, now) for then, now in dict.fromkeys(pairs) if then and now and then != now]


def _of_run(view: ReplayView, screen: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The workflow, the record, the steps, and the outcomes that the step on the screen offers."""
    run, today = view.run.json, view.names.today or view.names
    workflow = run["workflow"]
    yield workflow["title"], today.workflows.get(workflow["id"], "")
    yield view.run.record_title, today.records.get((run["collection"], run["record"]), "")
    live = today.live.get(workflow["id"], 0)
    for step in [*view.run.steps, *([screen] if screen.get("step") else ())]:
        yield step["title"], today.steps.get((workflow["id"], live, step["step"]), "")
    labels = outcome_words.labels(today.offers.get((workflow["id"], live, str(screen.get("step"))), {}))
    for option in screen.get("outcomes", ()):
        yield str(option["label"]), labels.get(str(option["value"]), "")


def _of_phases(view: ReplayView) -> Iterator[tuple[str, str]]:
    """Phases have no id: one that has the same steps as before is the same."""
    run, today = view.run.json, view.names.today or view.names
    workflow = run["workflow"]["id"]
    now = {frozenset(group.steps): group.title for group in _groups(workflow, today.live.get(workflow, 0))}
    yield from (
        (group.title, now.get(frozenset(group.steps), "")) for group in _groups(workflow, run["version"])
    )


def _groups(workflow: str, version: int) -> Sequence[Group]:
    try:
        return workflows.version(workflow, version).document.groups
    except (ConsoleError, ValueError):  # none is live, or it cannot be read any more
        return ()


def _of_fields(view: ReplayView, screen: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Collections, and the fields on the screen with their options, where these bear the labels of their collection."""
    for collection, field in _shown(screen):
        then, now = view.run.then.get(collection), catalogue.find(collection)
        if then is None or now is None:
            continue
        yield then.label_one, now.label_one
        former, present = then.field(field["name"]), now.field(field["name"])
        if former is not None and present is not None and field["label"] == former.label:
            kinds = formats.kind(former), formats.kind(present)
            yield former.label, present.label
            yield from ((label, kinds[1].options.get(word, "")) for word, label in kinds[0].options.items())


def _shown(screen: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(collection, field) of everything on the screen that belongs to a record."""
    panel = screen.get("record") or {}
    tables = (*screen.get("tables", ()), screen.get("picks"), (screen.get("progress") or {}).get("item"))
    parts: list[tuple[Any, Iterable[Mapping[str, Any]]]] = [
        (panel.get("collection"), panel.get("fields", ()))
    ]
    parts += [(table["collection"], table["columns"]) for table in tables if table]
    parts += [(field.get("collection"), [field]) for field in screen.get("fields", ())]
    for collection, fields in parts:
        if collection:
            yield from ((str(collection), field) for field in fields)
