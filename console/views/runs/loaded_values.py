"""How the values that a step has loaded are displayed: as fields of their collection, amounts with their currency."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from console import browse, steps, workflows
from console.core import media
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.documents.workflow import Workflow
from console.core.errors import ConsoleError
from console.runs import RunView
from console.views import formats
from console.views.formats import Kind, Look

DOTS = "••••••"


@dataclass(frozen=True, slots=True)
class Loading:
    """The collections that a run's context comes from, limited to those that this reader may browse: `own` is the run's, `reads` by (step, name of the read), `then` as they were called at the moment that is looked at."""

    own: Collection | None
    reads: Mapping[tuple[str, str], tuple[str | None, str | None]]
    reader: Actor
    then: Mapping[str, Collection] = field(default_factory=dict)

    @classmethod
    def of(cls, view: RunView, actor: Actor) -> "Loading":
        """Return the collections of this run."""
        known = cls(None, _reads(view.json["workflow"]["id"], view.json["version"]), actor, view.then)
        return replace(known, own=known._called(view.json["collection"]))

    def collection(self, step: str, name: str, output: Mapping[str, Any]) -> Collection | None:
        """Return the collection whose fields are under this name of a step's output; None if there is none, or the reader may not browse it."""
        if name == "record":
            collection_id = output.get("collection")
            return (
                self._called(collection_id)
                if isinstance(collection_id, str) and "key" in output
                else self.own
            )
        relation, collection_id = self.reads.get((step, name), (None, None))
        led = self.own.relation(relation) if relation is not None and self.own is not None else None
        return self._called(collection_id or (led.collection if led is not None else None))

    def _called(self, collection_id: str | None) -> Collection | None:
        """Return the collection as it was called then, if the reader may browse it."""
        found = browse.visible_collection(self.reader, collection_id)
        return found and self.then.get(found.id, found)


@lru_cache(maxsize=256)
def _reads(workflow: str, version: int) -> Mapping[tuple[str, str], tuple[str | None, str | None]]:
    """Return the reads of a version; none for one that cannot be read any more."""
    try:
        return reads_of(workflows.version(workflow, version).document)
    except (ConsoleError, ValueError):
        return {}


def reads_of(document: Workflow) -> Mapping[tuple[str, str], tuple[str | None, str | None]]:
    """Return (step, name of the read) → (relation, collection), for everything except the run's own record."""
    return {
        (step.id, read.name): (read.relation, read.collection)
        for step in document.steps
        for read in steps.get(step.type).reads(steps.view(step))
        if read.relation or read.collection
    }


def kinds(collection: Collection | None) -> dict[str, Kind]:
    """Return the kinds of the collection's fields, by name."""
    return (
        {field.name: formats.kind(field, collection.key) for field in collection.fields}
        if collection is not None
        else {}
    )


def values(collection: Collection | None, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of a record, amounts with the currency from another column."""
    return formats.with_currencies(given, collection.currencies) if collection is not None else given


def references(known: Loading, context: Mapping[str, Any]) -> set[browse.Reference]:
    """Return what the fields of loaded records refer to, in all steps."""
    found: set[browse.Reference] = set()
    for step, output in context.items():
        for name, value in output.items() if isinstance(output, Mapping) else ():
            rows = [
                row for row in (value if isinstance(value, list) else [value]) if isinstance(row, Mapping)
            ]
            collection = known.collection(step, name, output)
            if rows and collection is not None:
                found |= browse.references(((item.name, item.references) for item in collection.fields), rows)
        own = known.collection(step, "record", output) if isinstance(output, Mapping) else None
        if own is not None:
            found |= browse.references(((item.name, item.references) for item in own.fields), [output])
    return found


ROW = 2
"""The parts in the path of a row of a table."""
MOST_ROWS = 20


def flat(known: Loading, step: str, output: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Return (path, label, value) of everything in an output: each field of a record, each row of a table."""
    for name, value in values(known.collection(step, "record", output), output).items():
        label = formats.label_of(name)
        if name == "missing":
            continue
        if isinstance(value, Mapping) and not media.is_value(value):
            for inner, item in values(known.collection(step, name, output), value).items():
                said = formats.label_of(str(inner))
                yield (name, str(inner)), said if name == "record" else f"{label}, {said}", item
        elif (
            isinstance(value, list)
            and value
            and all(isinstance(item, Mapping) and not media.is_value(item) for item in value)
        ):
            for number, item in enumerate(value[:MOST_ROWS], 1):
                yield (name, str(number)), f"{label}, {number} of {len(value)}", item
            if len(value) > MOST_ROWS:
                yield (name, "more"), f"{label}, the others", f"{len(value) - MOST_ROWS:,} more"
        else:
            yield (name,), label, value


ITEM = frozenset({"key", "title", "state", "values"})
STATES = {
    "done": "Done",
    "failed": "Could not be done",
    "second": "Waits for a second person",
    "todo": "To do",
}


def is_item(value: Any) -> bool:
    """Return whether this is an item of a list that a step went through."""
    return isinstance(value, Mapping) and value.keys() >= ITEM and isinstance(value["values"], Mapping)


def with_titles(known: Loading, step: str, output: dict[str, Any]) -> dict[str, Any]:
    """Return the output with its items called as the reader may call them: those whose own title is masked, and those that a run of its own was about."""
    items = held if isinstance(held := output.get("items"), list) else []
    children = [each for each in items[:MOST_ROWS] if is_child(each)]
    untold = [each for each in items if is_item(each) and each["title"] is None]
    if not untold and not children:
        return output
    collection = known.collection(step, "items", output)
    place, kind = (collection.id, f"{collection.label_one} {DOTS}") if collection is not None else ("", DOTS)
    named = (
        browse.names_of(known.reader, {(place, str(each["key"])) for each in (*untold, *children)}, "read")
        if place
        else {}
    )
    titles = {key: there.title for (_, key), there in named.items() if not there.absent}
    own = [{**each, CALLED: titles.get(str(each["key"]), "")} if is_child(each) else each for each in items]
    return {
        **output,
        "items": [
            {**each, "title": titles.get(str(each["key"]), kind)} if each in untold else each for each in own
        ],
    }


def item(
    value: Mapping[str, Any], described: Mapping[str, Kind], collection: Collection | None, look: Look
) -> tuple[Markup, str]:
    """Return an item as HTML and as plain text to copy: its state, who did it, and what they entered; empty values are left out."""
    own = kinds(collection)
    lines: list[tuple[str, Markup | str, str]] = [
        ("State", state, state) for state in [STATES.get(str(value["state"]), str(value["state"]))]
    ]
    lines += [("By", name, name) for name in [look.people.get(str(value.get("by")))] if name]
    for name, entry in value["values"].items():
        known = described.get(name) or own.get(name)
        what, entry_value = (known, entry) if known else formats.described(name, entry, value["values"])
        if entry not in (None, "", []):
            lines.append(
                _line(what, entry_value, collection is not None and name in collection.sensitive, look)
            )
    return _lines(lines)


CALLED = "its title"
"""Where the title of an item's record is put: no step has a name with a space."""
CHILD = frozenset({"key", "run", "status", "ending"})
ENDED = {
    "completed": "Done",
    "failed": "Failed",
    "timed_out": "Timed out",
    "aborted": "Aborted",
    "cancelled": "Cancelled",
}


def is_child(value: Any) -> bool:
    """Return whether this is an item of a loop that a run of its own was about."""
    return isinstance(value, Mapping) and value.keys() >= CHILD and value["status"] in ENDED


def child(value: Mapping[str, Any], look: Look) -> tuple[str, Markup, str]:
    """Return the title of such an item, and as HTML and as plain text what became of it and what the steps of its run gave; its key is for programs."""
    given = [
        (name, entry) for part in value.values() if isinstance(part, Mapping) for name, entry in part.items()
    ]
    title = value.get(CALLED) or next((str(entry) for name, entry in given if name == "title" and entry), "")
    lines = [("State", ENDED[value["status"]], ENDED[value["status"]])]
    lines += [
        _line(formats.undescribed(name, entry), entry, False, look)
        for name, entry in given
        if entry not in (None, "", title)
    ]
    if value["ending"]:
        lines.append(_line(formats.undescribed("ending", value["ending"]), value["ending"], False, look))
    lines.append(_line(formats.undescribed("run", value["run"]), value["run"], False, look))
    return title, *_lines(lines)


def row(collection: Collection | None, given: Mapping[str, Any], look: Look) -> tuple[Markup, str]:
    """Return a row of a table as HTML and as plain text to copy. Values that are masked on their own page are shown as dots."""
    shown_values, known = values(collection, given), kinds(collection)
    lines: list[tuple[str, Markup | str, str]] = []
    for name, value in shown_values.items():
        what = known.get(name) or formats.undescribed(name, value)
        lines.append(_line(what, value, collection is not None and name in collection.sensitive, look))
    return _lines(lines)


def _line(what: Kind, value: Any, shut: bool, look: Look) -> tuple[str, Markup | str, str]:
    return (
        (what.label, DOTS, DOTS)
        if shut
        else (what.label, formats.html(what, value, look), formats.text(what, value, look))
    )


def _lines(lines: Sequence[tuple[str, Markup | str, str]]) -> tuple[Markup, str]:
    shown = Markup("").join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(label, html) for label, html, _ in lines
    )
    return Markup('<dl class="kv">{}</dl>').format(shown), "\n".join(
        f"{label}: {text}" for label, _, text in lines
    )
