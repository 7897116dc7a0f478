"""Leaving out of an event what its reader may not read, and naming what was left out.

Pure. A value that is left out is `null`, and its path from the root of the answer stands in a list (`data.values.tax_id`): a
reader can tell "masked" from "empty". Fields are found wherever they stand: as a key of an object of values, as a form field
`{"name": …, "value": …}`, in an error `{"field": …, "theirs": …}`, as a column of a table that was on the screen.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Hidden = Callable[[str | None], frozenset[str]]
"""Collection id (None: of no collection) → names of the fields that may not be read there."""

Rows = Mapping[str, tuple[str, ...]]
"""Name under which a step keeps what it read → the collections whose rows these may be."""


@dataclass(frozen=True, slots=True)
class Within:
    """What is hidden within one version of a workflow: `rows` are lists of records which do not say themselves of which collection they are.

    `rows_of` finds them by workflow and version.
    """

    hidden: Hidden
    rows_of: Callable[[str, int], Rows]
    rows: Rows = field(default_factory=dict)

    def __call__(self, collection: str | None) -> frozenset[str]:
        """Names of the fields that may not be read there."""
        return self.hidden(collection)


def within(hidden: Hidden, workflow: str | None, version: int | None) -> Hidden:
    """The same for the values of a run of this version of a workflow."""
    return replace(hidden, rows=hidden.rows_of(workflow, version)) if isinstance(hidden, Within) and workflow and version else hidden


VALUES_OF_FIELD = frozenset({"value", "now", "old", "new", "theirs", "quote"})
RESTS_ON = frozenset({"value", "reason", "sources", "ticks"})
"""What is said of a proposed value: made of its sources, so that it goes where one of them may not be read."""
TEXTS = frozenset({"text", "not_offered"})


def tree(sealed: Mapping[str, Any], missing: Collection[str], path: str) -> tuple[dict[str, Any], list[str]]:
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


def closed(sealed: Mapping[str, Any], hidden: Hidden, collection: str | None) -> frozenset[str]:
    """Names of the flat values (`values/email`, `screen`) of which a part may not be read.

    They are left out whole where a value is shown with its salt: its commitment covers all of it.
    """
    before, _ = tree(sealed, (), "")
    after = {name: mask(value, name, hidden, collection, screen=name == "screen")[0] for name, value in before.items()}
    return frozenset(name for name in sealed if _at(before, name) != _at(after, name))


_GONE = object()


def _at(whole: Any, name: str) -> Any:
    """What stands at this flat name of a tree; nothing like it where its parent was left out whole."""
    for part in name.split("/"):
        if not isinstance(whole, dict):
            return _GONE
        whole = whole[part.replace("~1", "/").replace("~0", "~")]
    return whole


def mask(value: Any, path: str, hidden: Hidden, collection: str | None = None, *, screen: bool = False) -> tuple[Any, list[str]]:
    """`value` without what is hidden, and the paths of what was replaced by `null`; `value` itself is not changed.

    `collection` is whose fields the values are; an object that names its own `collection` holds values of that one. Every key
    of an object counts as a field's name, except in what was on the `screen`: there fields are below `values` and in forms. The
    screen's texts may have been made of any field that was there, so they are left out together with the first one.
    """
    masked: list[str] = []
    left = _mask(value, path, hidden, _Place((collection,), screen=screen), masked)
    if screen and masked:
        left = _without_texts(left, path, masked)
    return left, masked


def _without_texts(value: Any, path: str, masked: list[str]) -> Any:
    """A screen without the texts of its own level; what is in fields and rows has been judged by name."""
    if not isinstance(value, dict):
        return value
    gone = [key for key in value if key in TEXTS and value[key] is not None]
    masked.extend(f"{path}.{key}" for key in gone)
    return value | dict.fromkeys(gone)


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose fields stand here, and whether this is still the screen and not yet the values on it."""

    collections: tuple[str | None, ...]
    screen: bool

    def inside(self, value: Mapping[str, Any]) -> "_Place":
        """The place within this object. On the screen `collection` says whose values follow; elsewhere it may be a mere field of
        that name, so the fields of both are hidden.
        """
        own = value.get("collection")
        if not isinstance(own, str) or own in self.collections:
            return self
        return _Place((own,) if self.screen else (*self.collections, own), self.screen)


def _mask(value: Any, path: str, hidden: Hidden, place: _Place, masked: list[str]) -> Any:
    if isinstance(value, list):
        return [_mask(item, f"{path}.{number}", hidden, place, masked) for number, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    place = place.inside(value)
    names = frozenset[str]().union(*(hidden(collection) for collection in place.collections))
    closed = _closed(value, names, screen=place.screen) | _of_proposal(value, names, hidden)
    kept: dict[str, Any] = {}
    for key, item in value.items():
        if key in closed and item is not None:
            kept[key] = None
            masked.append(f"{path}.{key}")
        else:
            below = _Place(place.collections, screen=False) if key == "values" else place
            if isinstance(item, list | dict) and not place.screen and isinstance(hidden, Within) and key in hidden.rows:
                below = _Place((*place.collections, *hidden.rows[key]), screen=False)
            kept[key] = _mask(item, f"{path}.{key}", hidden, below, masked)
    return kept


def _closed(value: Mapping[str, Any], names: frozenset[str], *, screen: bool) -> frozenset[str]:
    """Keys of this object that are left out."""
    told = (value.get("name"), value.get("field"))
    of_field = VALUES_OF_FIELD if any(isinstance(field, str) and field in names for field in told) else frozenset()
    return of_field if screen else names | of_field


def _of_proposal(value: Mapping[str, Any], names: frozenset[str], hidden: Hidden) -> frozenset[str]:
    """What is left out of a proposed value: all of it where its field may not be read, or something that it rests on."""
    sources = value.get("sources")
    if "confidence" not in value or not isinstance(sources, list):
        return frozenset()
    shut = value.get("name") in names or any(_shut(source, names, hidden) for source in sources if isinstance(source, Mapping))
    return RESTS_ON if shut else frozenset()


def _shut(source: Mapping[str, Any], names: frozenset[str], hidden: Hidden) -> bool:
    collection, field = source.get("collection"), source.get("field")
    closed = hidden(collection) if isinstance(collection, str) else names
    return isinstance(field, str) and field.rpartition(".")[2] in closed
