"""Two people's changes of one document: what each changed, where they contradict each other, and both together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from console.core.documents.collections.document_changes import NAMED, Change, changes

NOTHING: tuple[Any, ...] = (None, {}, [])


@dataclass(frozen=True, slots=True)
class Both:
    """A place that one or both have changed. `disputed`: both did, and differently; then one of the two has to give way."""

    place: tuple[str, ...]
    before: Any
    mine: Any
    theirs: Any
    disputed: bool
    by: str  # me, them, both

    @property
    def path(self) -> str:
        """The place for forms: `fields.email.label`."""
        return ".".join(self.place)


def compare(base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Both]:
    """Every place that changed since `base`; a place that contains or is contained in one that the other changed is disputed as a whole."""
    parts = _with_places(_with_places(base, mine), theirs)
    own, others = (_telling(changes(parts, document)) for document in (mine, theirs))
    found: dict[tuple[str, ...], Both] = {}
    for change in own:
        met = [other for other in others if _overlap(change.place, other.place)]
        place = min((change.place, *(other.place for other in met)), key=len)
        before, ours, others_now = (_at(document, place) for document in (base, mine, theirs))
        found[place] = Both(
            place,
            before,
            ours,
            others_now,
            disputed=bool(met) and ours != others_now,
            by="both" if met else "me",
        )
    for change in others:
        if not any(_overlap(change.place, place) for place in found):
            found[change.place] = Both(
                change.place, change.before, change.before, change.after, disputed=False, by="them"
            )
    return list(found.values())


def merged(
    base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any], mine_wins: Iterable[str]
) -> dict[str, Any]:
    """Their document with my changes; in disputed places mine only where `mine_wins` names the path."""
    wins = set(mine_wins)
    taken = [
        each
        for each in compare(base, mine, theirs)
        if each.by == "me" or (each.disputed and each.path in wins)
    ]
    document = _opened("", theirs)
    for each in sorted(
        taken, key=lambda change: change.place[-1] == "order"
    ):  # an order comes after the entries that it puts in order
        _put(document, each.place, _at(mine, each.place))
    closed: dict[str, Any] = _closed("", document)
    return closed


def _telling(found: Iterable[Change]) -> list[Change]:
    """The changes without those from nothing to an empty object or list, which a form sends for what it leaves as it is."""
    return [
        change for change in found if change.before not in NOTHING or _closed("", change.after) not in NOTHING
    ]


def _with_places(base: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The document with an empty object wherever the other has one, so that its parts are compared one by one."""
    inner = {
        name: content
        for name, content in other.items()
        if isinstance(content, Mapping) and isinstance(base.get(name, {}), Mapping)
    }
    return {**base, **{name: _with_places(base.get(name, {}), content) for name, content in inner.items()}}


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    short = min(len(one), len(other))
    return one[:short] == other[:short]


def _at(document: Any, place: tuple[str, ...]) -> Any:
    """The content of a place; None if there is none."""
    for number, name in enumerate(place):
        key = NAMED.get(place[number - 1]) if number else None
        if isinstance(document, list) and key is not None:
            if name == "order":
                return [entry.get(key) if isinstance(entry, Mapping) else entry for entry in document]
            document = next(
                (
                    entry
                    for entry in document
                    if (entry.get(key) if isinstance(entry, Mapping) else entry) == name
                ),
                None,
            )
        elif isinstance(document, Mapping):
            document = document.get(name)
        else:
            return None
    return document


def _opened(name: str, content: Any) -> Any:
    """The content with lists of named entries as objects."""
    if isinstance(content, Mapping):
        return {inner: _opened(inner, value) for inner, value in content.items()}
    key = NAMED.get(name)
    if isinstance(content, list) and key is not None:
        return {
            str(entry[key] if isinstance(entry, Mapping) else entry): _opened("", entry) for entry in content
        }
    return content


def _closed(name: str, content: Any) -> Any:
    """The reverse of `_opened`; empty objects and lists are left out."""
    if not isinstance(content, Mapping):
        return content
    made = {inner: _closed(inner, value) for inner, value in content.items()}
    if name in NAMED:
        return list(made.values())
    return {inner: value for inner, value in made.items() if value not in (None, {}, [])}


def _put(document: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    *path, last = place
    for name in path:
        document = document.setdefault(name, {})
    if last == "order" and path and path[-1] in NAMED:
        entries = dict(document)
        document.clear()
        document.update({name: entries.pop(name) for name in value if name in entries} | entries)
    elif value is None:
        document.pop(last, None)
    else:
        document[last] = _opened(last, value)
