"""The shape of a draft: which of its values are of another kind than the model's, and the draft without them.

What is missing, too long, unknown or leads nowhere is unfinished, and kept. A list where a text belongs is no such thing: nobody can show it.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from console.core.documents.json_shape import Spot, reason
from console.core.documents.workflow import Workflow

NAMED = {"steps": ("id", "type"), "triggers": ("id", "kind")}
"""What an entry of these lists cannot be shown without."""


Place = tuple[str | int, ...]


def misshapen(
    document: Mapping[str, Any], settings: Mapping[str, type[BaseModel]] | None = None
) -> list[Spot]:
    """Every place whose value is of another kind than the model's; in the settings of steps as far as the model of their type is given."""
    spots = _of_another_kind(document, Workflow)
    steps = document.get("steps")
    for number, step in enumerate(steps if isinstance(steps, list) and settings else []):
        model = (settings or {}).get(str(step.get("type"))) if isinstance(step, Mapping) else None
        if model is not None and isinstance(step.get("config"), Mapping):
            found = _of_another_kind(step["config"], model)
            spots += [Spot(("steps", number, "config", *spot.place), spot.reason) for spot in found]
    return spots


def in_shape(
    document: Mapping[str, Any], settings: Mapping[str, type[BaseModel]] | None = None
) -> dict[str, Any]:
    """The document without what is misshapen; it always has a list of steps, each with an id of its own and a type."""
    made: Any = dict(document)
    for spot in sorted(
        misshapen(document, settings),
        key=lambda spot: [str(part).zfill(9) for part in spot.place],
        reverse=True,
    ):
        made = _without(made, spot.place)
    made.setdefault("steps", [])
    for name, needed in NAMED.items():
        if name in made:
            made[name] = _distinct(
                [
                    each
                    for each in made[name]
                    if all(isinstance(each.get(key), str) and each[key] for key in needed)
                ]
            )
    return dict(made)


def _of_another_kind(value: Mapping[str, Any], model: type[BaseModel]) -> list[Spot]:
    """The places at which no alternative of the model takes a value of this kind."""
    try:
        model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
    else:
        return []
    spots, unfinished = dict[Place, Spot](), set[Place]()
    for detail in details:
        place = _place(value, detail["loc"])
        if detail["type"].endswith("_type") or (
            detail["type"] == "literal_error" and isinstance(detail["input"], list | dict)
        ):
            spots.setdefault(place, Spot(place, reason(detail, model)))
        else:
            unfinished.add(place)
    within = {place[:length] for place in {*spots, *unfinished} for length in range(len(place))}
    return [
        spot for place, spot in spots.items() if place and place not in unfinished and place not in within
    ]


def _place(document: Any, location: Place) -> Place:
    """The place in the document, without the names of alternatives in the model."""
    place: list[str | int] = []
    for part in location:
        if isinstance(document, Mapping) and part in document:
            document = document[str(part)]
        elif isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
        else:
            continue
        place.append(part)
    return tuple(place)


def _without(value: Any, place: Place) -> Any:
    """A copy of the value without what stands at the place."""
    first, rest = place[0], place[1:]
    if isinstance(value, list):
        kept = [_without(value[int(first)], rest)] if rest else []
        return [*value[: int(first)], *kept, *value[int(first) + 1 :]]
    return {
        key: _without(each, rest) if key == first else each
        for key, each in value.items()
        if rest or key != first
    }


def _distinct(entries: list[Any]) -> list[Any]:
    """The entries without those whose id another one has."""
    return list({each["id"]: each for each in reversed(entries)}.values())[::-1]
