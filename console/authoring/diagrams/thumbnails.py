"""A workflow as a picture of a few square centimetres: a box for each step in the colour of its family, and lines between them. Only its form can be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console import steps

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y = 14, 8, 6, 8
MOST_LAYERS = 14
"""A longer workflow is broken into columns beside each other."""


@dataclass(frozen=True, slots=True)
class Box:
    """A step: its left upper corner and the family of its type."""

    x: int
    y: int
    family: str


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """The picture in its own units."""

    width: int
    height: int
    boxes: Sequence[Box]
    lines: Sequence[tuple[int, int, int, int]]


def thumbnail(document: Mapping[str, Any]) -> Thumbnail:
    """The picture of a document. Steps stand in layers, by the longest way from the start; ways back are not drawn."""
    listed = {step["id"]: step for step in document["steps"]}
    layers = _layers(listed)
    rows: dict[int, list[str]] = {}
    for step, layer in layers.items():
        rows.setdefault(layer, []).append(step)
    columns = [
        max((len(rows.get(layer, ())) for layer in range(begin, begin + MOST_LAYERS)), default=1)
        for begin in range(0, max(rows) + 1, MOST_LAYERS)
    ]
    places: dict[str, tuple[int, int]] = {}
    for layer, members in rows.items():
        column, row = divmod(layer, MOST_LAYERS)
        left = sum(columns[:column]) * (BOX_WIDTH + GAP_X) + column * GAP_X * 2
        indent = (columns[column] - len(members)) * (BOX_WIDTH + GAP_X) // 2
        for number, step in enumerate(members):
            places[step] = (left + indent + number * (BOX_WIDTH + GAP_X), row * (BOX_HEIGHT + GAP_Y))
    boxes = [Box(*places[step], _family(listed[step])) for step in listed]
    lines = [
        (
            places[step][0] + BOX_WIDTH // 2,
            places[step][1] + BOX_HEIGHT,
            places[to][0] + BOX_WIDTH // 2,
            places[to][1],
        )
        for step, entry in listed.items()
        for to in dict.fromkeys(_following(entry))
        if to in places
        and layers[to] // MOST_LAYERS == layers[step] // MOST_LAYERS
        and layers[to] > layers[step]
    ]
    width = max(box.x for box in boxes) + BOX_WIDTH
    return Thumbnail(width, max(box.y for box in boxes) + BOX_HEIGHT, boxes, lines)


def _layers(listed: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Step → its layer; a way to an earlier step of the list counts for nothing, so that this ends."""
    order = {step: number for number, step in enumerate(listed)}
    found = dict.fromkeys(listed, 0)
    for step, entry in listed.items():
        for to in _following(entry):
            if to in order and order[to] > order[step]:
                found[to] = max(found[to], found[step] + 1)
    return found


def _following(step: Mapping[str, Any]) -> list[str]:
    """Where its ways lead, and where what it has done for each item, or at once, begins. The document may be unfinished."""
    config = step.get("config") or {}
    branches = [each.get("start") for each in config.get("branches") or () if isinstance(each, Mapping)]
    return [
        to
        for to in (*(step.get("next") or {}).values(), config.get("body"), *branches)
        if isinstance(to, str)
    ]


def _family(step: Mapping[str, Any]) -> str:
    kind = steps.all_types().get(step["type"])
    return kind.family if kind is not None else "action"
