"""Changes to a workspace document as the builder makes them: add, replace, move, resize, copy, remove. Pure; each returns a new document as JSON.

A place is the id of a section, `<tabs id>.<tab id>`, or "" for the page itself.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from console.core.documents.workspaces.components import GRID, KINDS

Document = dict[str, Any]


def places(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(place, label) of everything that can hold components, the page first."""
    return [("", "The page"), *_places(document["components"])]


def place_of(document: Mapping[str, Any], component_id: str) -> tuple[str, int, int] | None:
    """(place, number there, how many there are) of a component; None if it is not there."""
    for place, components in _lists(document):
        for number, each in enumerate(components):
            if each["id"] == component_id:
                return place, number, len(components)
    return None


def component(document: Mapping[str, Any], component_id: str) -> dict[str, Any] | None:
    """The component, or None."""
    found = place_of(document, component_id)
    return None if found is None else dict(_list(document, found[0])[found[1]])


def add(
    document: Mapping[str, Any], made: Mapping[str, Any], place: str = "", number: int | None = None
) -> Document:
    """With a component more, at that number of the place, else at its end."""
    changed = copy.deepcopy(dict(document))
    inside = _list(changed, place)
    inside.insert(len(inside) if number is None else max(0, min(number, len(inside))), dict(made))
    return changed


def replace(document: Mapping[str, Any], component_id: str, made: Mapping[str, Any]) -> Document:
    """With a component in place of the one of this id; what is in it stays."""
    changed = copy.deepcopy(dict(document))
    found = place_of(changed, component_id)
    if found is not None:
        _list(changed, found[0])[found[1]] = dict(made)
    return changed


def merged(
    before: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """(settings with what both changed since `before`, names of those that both changed to something else, in which mine stand)."""
    made, both = dict[str, Any](), []
    for name in dict.fromkeys((*theirs, *mine)):
        was, my, their = before.get(name), mine.get(name), theirs.get(name)
        if my not in (was, their) and their != was:
            both.append(name)
        if (value := their if my == was else my) is not None:
            made[name] = value
    return made, both


def remove(document: Mapping[str, Any], component_id: str) -> Document:
    """Without the component and what is in it."""
    changed = copy.deepcopy(dict(document))
    found = place_of(changed, component_id)
    if found is not None:
        del _list(changed, found[0])[found[1]]
    return changed


def move(document: Mapping[str, Any], component_id: str, place: str, number: int) -> Document:
    """With the component at another place; unchanged if that place is inside of it."""
    taken = component(document, component_id)
    if taken is None or place.partition(".")[0] in _ids([taken]) or place not in dict(places(document)):
        return copy.deepcopy(dict(document))
    return add(remove(document, component_id), taken, place, number)


def step(document: Mapping[str, Any], component_id: str, by: int) -> Document:
    """With the component so many places further on among those beside it."""
    found = place_of(document, component_id)
    return (
        copy.deepcopy(dict(document))
        if found is None
        else move(document, component_id, found[0], max(0, found[1] + by))
    )


def resize(document: Mapping[str, Any], component_id: str, width: int) -> Document:
    """With another width, of twelve columns."""
    taken = component(document, component_id)
    if taken is None:
        return copy.deepcopy(dict(document))
    return replace(document, component_id, {**taken, "width": max(1, min(GRID, width))})


def duplicate(document: Mapping[str, Any], component_id: str) -> Document:
    """With a copy after the component; ids and names of the copy are new."""
    taken, found = component(document, component_id), place_of(document, component_id)
    if taken is None or found is None:
        return copy.deepcopy(dict(document))
    made = copy.deepcopy(taken)
    used = set(_ids(document["components"])) | _state_names(document)
    for each in every_component([made]):
        each["id"] = _free(each["id"], used)
        for name in ("name", "select"):
            if name in each:
                each[name] = _free(each[name], used)
    return add(document, made, found[0], found[1] + 1)


def fresh(document: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """A new component of the kind, with an id and a name that nothing else has."""
    used = set(_ids(document["components"])) | _state_names(document)
    made: dict[str, Any] = {"id": _free(kind, used), "type": kind}
    if "name" in KINDS[kind].model_fields:
        made["name"] = made["id"]
    if kind == "tabs":
        made["tabs"] = [
            {"id": "first", "title": "First", "components": []},
            {"id": "second", "title": "Second", "components": []},
        ]
    return made


def _free(wanted: str, used: set[str]) -> str:
    base = re.sub(r"_?\d+$", "", wanted)[:36] or "part"
    found, number = base, 1
    while found in used:
        number += 1
        found = f"{base}_{number}"
    used.add(found)
    return found


def _lists(document: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    yield "", document["components"]
    for each in every_component(document["components"]):
        if each["type"] == "section":
            yield each["id"], each.setdefault("components", [])
        for tab in each.get("tabs", ()):
            yield f"{each['id']}.{tab['id']}", tab.setdefault("components", [])


def _list(document: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
    page: list[dict[str, Any]] = document["components"]
    return dict(_lists(document)).get(place, page)


def every_component(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every component, those inside others after them."""
    for each in components:
        yield each
        yield from every_component(each.get("components", []))
        for tab in each.get("tabs", ()):
            yield from every_component(tab.get("components", []))


def _places(components: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for each in components:
        if each["type"] == "section":
            yield each["id"], f"Section {each.get('title') or each['id']}"
            yield from _places(each.get("components", []))
        for tab in each.get("tabs", ()):
            yield f"{each['id']}.{tab['id']}", f"Tab {tab['title']}"
            yield from _places(tab.get("components", []))


def _ids(components: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in every_component(components)]


def _state_names(document: Mapping[str, Any]) -> set[str]:
    return {
        each[name]
        for each in every_component(document["components"])
        for name in ("name", "select")
        if each.get(name)
    }
