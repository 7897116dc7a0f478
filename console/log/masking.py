"""Leaving out of an event what its reader may not read, and naming what was left out.

Pure. A value that is left out is `null`, and its path from the root of the answer stands in a list (`data.values.tax_id`): a
reader can tell "masked" from "empty". Fields are found wherever they stand: as a key of an object of values, as a form field
`{"name": …, "value": …}`, as a column of a table that was on the screen.
"""

from collections.abc import Callable, Mapping
from typing import Any

Hidden = Callable[[str | None], frozenset[str]]
"""Collection id (None: of no collection) → names of the fields that may not be read there."""

VALUES_OF_FIELD = frozenset({"value", "now", "old", "new", "theirs"})
TEXTS = frozenset({"text"})


def tree(sealed: Mapping[str, Any], missing: Mapping[str, str] | set[str], path: str) -> tuple[dict[str, Any], list[str]]:
    """Sealed values nested as they were handed in, `null` where one is missing, and the paths of those.

    `sealed` is flat (`values/email`), `missing` names what could not or may not be opened.
    """
    whole: dict[str, Any] = {}
    masked = []
    for name in sorted({*sealed, *missing}):
        *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in name.split("/"))
        place = whole
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = sealed.get(name)
        if name in missing:
            masked.append(".".join((path, *parents, last)))
    return whole, masked


def mask(value: Any, path: str, hidden: Hidden, collection: str | None = None, *, screen: bool = False) -> tuple[Any, list[str]]:
    """`value` without what is hidden, and the paths of what was replaced by `null`; `value` itself is not changed.

    `collection` is whose fields the values are; an object that names its own `collection` holds values of that one. Every key
    of an object counts as a field's name, except in what was on the `screen`: there fields are below `values`, and the text,
    which may have been made of anything, is left out for a reader from whom something is hidden.
    """
    masked: list[str] = []
    return _mask(value, path, hidden, (collection, screen), masked), masked


def _mask(value: Any, path: str, hidden: Hidden, place: tuple[str | None, bool], masked: list[str]) -> Any:
    if isinstance(value, list):
        return [_mask(item, f"{path}.{number}", hidden, place, masked) for number, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    collection, screen = place
    own = value.get("collection")
    collection = own if isinstance(own, str) else collection
    names = hidden(collection)
    closed = _closed(value, names, screen=screen)
    kept: dict[str, Any] = {}
    for key, item in value.items():
        if key in closed and item is not None:
            kept[key] = None
            masked.append(f"{path}.{key}")
        else:
            kept[key] = _mask(item, f"{path}.{key}", hidden, (collection, screen and key != "values"), masked)
    return kept


def _closed(value: Mapping[str, Any], names: frozenset[str], *, screen: bool) -> frozenset[str]:
    """Keys of this object that are left out."""
    field = value.get("name")
    of_field = VALUES_OF_FIELD if isinstance(field, str) and field in names else frozenset()
    if not screen:
        return names | of_field
    return of_field | TEXTS if names else of_field
