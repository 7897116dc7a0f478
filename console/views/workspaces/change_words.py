"""What has changed in a workspace, in the words of its builder: components by their titles, settings and what was chosen in them by their labels."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from console.core.documents.collections import Field
from console.core.documents.collections.document_changes import worded
from console.core.documents.collections.document_words import sentence
from console.core.documents.workspaces import KINDS, Workspace
from console.errors import ConsoleError
from console.views import formats, frame
from console.views.workspaces.component_form import offered
from console.workspaces import Editing

SPOKEN = {
    "title": "Heading",
    "visible_if": "Only shown if",
    "where": "Conditions",
    "select": "Chosen record is called",
    "of": "About",
    "text": "Words",
}
"""Settings that the form of a component calls otherwise than by their names."""
SIGNS = (
    (re.compile(r"addDays\((?:today\(\)|now), *-(\d+)\)"), r"\1 days ago"),
    (re.compile(r"today\(\)"), "today"),
    (re.compile(r"selected\.(\w+)\.(?:id|key)\b"), r"the chosen \1"),
    (re.compile(r"selected\.(\w+)\.(\w+)"), r"\2 of the chosen \1"),
    (re.compile(r"input\.(\w+)"), r"what is given as \1"),
    (re.compile(r"me\.(\w+)"), r"one's own \1"),
    (re.compile(r" *!= *null\b"), " is given"),
    (re.compile(r" *== *null\b"), " is empty"),
    (re.compile(r" *== *"), " is "),
    (re.compile(r" *!= *"), " is not "),
    (re.compile(r" *>= *"), " is at least "),
    (re.compile(r" *<= *"), " is at most "),
    (re.compile(r" *> *"), " is more than "),
    (re.compile(r" *< *"), " is less than "),
)
"""Signs of an expression, and what they are called where no row of conditions can say it."""


def changed(editing: Editing) -> list[tuple[str, str, str]]:
    """Return (place, former, present) of each change of the draft."""
    documents = [document for document in (editing.document, editing.live) if document is not None]
    return [
        (_place(each.path, documents), _of(each.path, each.before, documents), _of(each.path, each.after, documents))
        for each in editing.changes
    ]


def theirs(wrong: ConsoleError | None, document: Workspace) -> list[tuple[str, str]]:
    """Return (place, present) of each change that somebody else made meanwhile."""
    details = wrong.details if wrong else ()
    told = [(str(each["field"]), each["theirs"]) for each in details if "theirs" in each]
    return [(_place(path, [document]), _of(path, value, [document])) for path, value in told]


def _given(part: str, documents: Sequence[Workspace]) -> dict[str, Any]:
    """The settings of the component as the first of the documents that has it says them."""
    found = next((item for document in documents if (item := document.component(part)) is not None), None)
    return {} if found is None else found.model_dump(mode="json", by_alias=True)


def _place(path: str, documents: Sequence[Workspace]) -> str:
    """A place of the document as the builder says it: "Collection “Customers”: Heading"."""
    part, *rest = path.removeprefix("components.").split(".")
    given = _given(part, documents) if path.startswith("components.") else {}
    title = given.get("title") or given.get("label")
    kind = KINDS[given["type"]].kind_label if given.get("type") in KINDS else formats.label_of(part)
    labels = {box.name: box.label for box in _boxes(given, documents)}
    return ": ".join(
        [f"{kind} “{title}”" if title else kind, *(labels.get(name) or SPOKEN.get(name) or formats.label_of(name) for name in rest)]
    )


def _boxes(given: Mapping[str, Any], documents: Sequence[Workspace]) -> Sequence[Any]:
    return offered(frame.actor(), documents[0], given)[0] if given and documents else ()


def _of(path: str, value: Any, documents: Sequence[Workspace]) -> str:
    """The content of a place in words."""
    part, *rest = path.removeprefix("components.").split(".")
    if not path.startswith("components."):
        return _plain(value)
    return _setting(rest[0], value, _given(part, documents), documents) if rest else _component(value, documents)


def _component(said: Any, documents: Sequence[Workspace]) -> str:
    """A whole component: its settings, without where it stands."""
    if not isinstance(said, Mapping):
        return _plain(said)
    labels = {box.name: box.label for box in _boxes(said, documents)}
    told = [
        f"{labels.get(name) or SPOKEN.get(name) or formats.label_of(name)}: {_setting(name, value, said, documents)}"
        for name, value in said.items()
        if name not in ("type", "place", "id")
    ]
    return ", ".join([KINDS[str(said["type"])].kind_label if said.get("type") in KINDS else "", *told]).removeprefix(", ")


def _setting(name: str, value: Any, given: Mapping[str, Any], documents: Sequence[Workspace]) -> str:
    boxes, fields = offered(frame.actor(), documents[0], given) if documents else ((), {})
    options = next((dict(box.options) for box in boxes if box.name == name), {})
    if name in ("where", "visible_if") or (name == "stages" and isinstance(value, list)):
        return " and ".join(_condition(each, fields) for each in (value if isinstance(value, list) else [value])) or "none"
    if isinstance(value, list):
        return ", ".join(options.get(each) or _plain(each) if isinstance(each, str) else _plain(each) for each in value) or "none"
    return options.get(value) or _plain(value) if isinstance(value, str) else _plain(value)


def _condition(said: Any, fields: Mapping[str, Field]) -> str:
    """A condition in words; of a stage its label before it."""
    if isinstance(said, Mapping):
        return f"{said.get('label')}: {_condition(said.get('where'), fields)}"
    if not isinstance(said, str):
        return _plain(said)
    known = sentence(said, fields)
    if known != said:
        return known
    for pattern, words in SIGNS:
        known = pattern.sub(words, known)
    return re.sub(r"record\.(\w+)", lambda found: fields[found[1]].label if found[1] in fields else formats.label_of(found[1]), known)


def _plain(said: Any) -> str:
    if isinstance(said, Mapping):
        return ", ".join(f"{formats.label_of(str(name))}: {_plain(value)}" for name, value in said.items())
    if isinstance(said, list):
        return ", ".join(str(each + 1) if isinstance(each, int) else _plain(each) for each in said)
    return worded(said)
