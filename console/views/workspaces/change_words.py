"""What has changed in a workspace, in the words of its builder: components by their titles, settings and what was chosen in them by their labels."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from console import workspaces
from console.auth import accounts
from console.core.documents.collections import Field
from console.core.documents.collections.condition_rows import every_field, parts_of
from console.core.documents.collections.document_changes import worded
from console.core.documents.workspaces import KINDS, Workspace
from console.core.errors import ConsoleError
from console.views import formats, frame
from console.views.workspaces import chosen_paths, condition_lines
from console.views.workspaces.component_form import offered
from console.workspaces import Editing

SIGNS = {
    r"addDays\((?:today\(\)|now), *-(\d+)\)": r"\1 days ago",
    r"today\(\)": "today",
    r"selected\.(\w+)\.(?:id|key)\b": r"the chosen \1",
    r"selected\.(\w+)\.(\w+)": r"\2 of the chosen \1",
    r"input\.(\w+)": r"what is given as \1",
    r"me\.(\w+)": r"one's own \1",
    r" *!= *null\b": " is given",
    r" *== *null\b": " is empty",
    r" *== *": " is ",
    r" *!= *": " is not ",
    r" *>= *": " is at least ",
    r" *<= *": " is at most ",
    r" *> *": " is more than ",
    r" *< *": " is less than ",
}
"""Signs of an expression, and what they are called where no row of conditions can say it."""


def changed(editing: Editing) -> list[tuple[str, str, str]]:
    """Return (place, former, present) of each change of the draft."""
    return [
        (
            place,
            _content(editing.document, each.path, each.before),
            _content(editing.document, each.path, each.after),
        )
        for each in editing.changes
        for place in [place_words(editing.document, editing.live, each.path)]
    ]


def theirs(wrong: ConsoleError | None, document: Workspace) -> list[tuple[str, str]]:
    """Return (place, present) of each change that somebody else made meanwhile."""
    return _in_words(
        document,
        [
            (str(each["field"]), each["theirs"])
            for each in (wrong.details if wrong else ())
            if "theirs" in each
        ],
    )


def meanwhile(editing: Editing, revision: int) -> list[tuple[str, str]]:
    """Return (place, present) of each change since that revision of the draft."""
    return _in_words(
        editing.document, [(each.path, each.after) for each in workspaces.changed_since(editing, revision)]
    )


def _in_words(document: Workspace, found: Sequence[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [
        (place_words(document, None, path), "removed" if value is None else _content(document, path, value))
        for path, value in found
    ]


def _given(path: str, *documents: Workspace | None) -> dict[str, Any]:
    """The settings of the component on the path, as the first document that has it says them."""
    part = path.removeprefix("components.").partition(".")[0] if path.startswith("components.") else ""
    found = next(
        (item for document in documents if document and (item := document.component(part)) is not None), None
    )
    return {} if found is None else found.model_dump(mode="json", by_alias=True)


def place_words(document: Workspace, live: Workspace | None, path: str) -> str:
    """A place of the document as the builder says it: "Collection “Customers”: Heading"."""
    part, *rest = path.removeprefix("components.").split(".")
    given = _given(path, document, live)
    title, kind = (
        given.get("title") or given.get("label"),
        KINDS[given["type"]].kind_label if given else formats.label_of(part),
    )
    labels = {box.name: box.label for box in offered(frame.actor(), document, given)[0]}
    return ": ".join(
        [
            f"{kind} “{title}”" if title else kind,
            *(labels.get(name) or formats.label_of(name) for name in rest),
        ]
    )


def _content(document: Workspace, path: str, value: Any) -> str:
    """The content of a place in words; of a whole component its settings, without where it stands."""
    *_, last = path.split(".")
    given = value if isinstance(value, Mapping) and value.get("type") in KINDS else _given(path, document)
    boxes, fields = offered(frame.actor(), document, given)
    fields = {**fields, **every_field(chosen_paths.condition_groups(document, len(fields) or 1_000))}
    labels, options = {box.name: box.label for box in boxes}, {box.name: dict(box.options) for box in boxes}
    if given is not value:
        return _setting(last, value, options.get(last, {}), fields)
    told = [
        f"{labels.get(name) or formats.label_of(name)}: {_setting(name, each, options.get(name, {}), fields)}"
        for name, each in value.items()
        if name not in ("type", "place", "id")
    ]
    return ", ".join([KINDS[str(value["type"])].kind_label, *told])


def _setting(name: str, value: Any, options: Mapping[str, str], fields: Mapping[str, Field]) -> str:
    if isinstance(value, Mapping):
        return ", ".join(
            f"{formats.label_of(str(key))}: {_setting(str(key), each, {}, fields)}"
            for key, each in value.items()
        )
    if name == "stages" and isinstance(value, list):
        return (
            "; ".join(f"{each['label']}: {_condition(str(each['where']), fields)}" for each in value)
            or "none"
        )
    if name == "teams" and isinstance(value, list):
        known: dict[str, str] = {str(team.id): team.name for team in accounts.teams()}
        return ", ".join(known.get(str(each), str(each)) for each in value) or "everybody"
    if isinstance(value, list):
        return (" and " if name in ("where", "part") else ", ").join(
            _setting(name, each, options, fields) for each in value
        ) or "none"
    if isinstance(value, str) and name in ("where", "part", "visible_if"):
        return _condition(value, fields)
    return (
        str(value + 1)
        if name == "place" and isinstance(value, int)
        else options.get(value) or worded(value)
        if isinstance(value, str)
        else worded(value)
    )


def _condition(said: str, fields: Mapping[str, Field]) -> str:
    """A condition in words."""
    joined, parts = parts_of(said)
    return (" or " if joined == "any" else " and ").join(
        condition_lines.words(part, fields) or _signs(part, fields) for part in parts
    )


def _signs(said: str, fields: Mapping[str, Field]) -> str:
    """A condition that no row says, with words for its signs."""
    for pattern, words in SIGNS.items():
        said = re.sub(pattern, words, said)
    return re.sub(
        r"record\.(\w+)",
        lambda found: fields[found[1]].label if found[1] in fields else formats.label_of(found[1]),
        said,
    )
