"""What the blocks of a recorded screen show otherwise today: each value that differs, with what it is of."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.core.blocks import Data
from console.views import blocks
from console.views.formats import Look

GONE, NEW, NOT_SHOWN = "Not there today, or not yours to see", "–", "Not shown today"
UNREAD = frozenset(
    {
        "block",
        "at",
        "side",
        "from",
        "rests_on",
        "tone",
        "sources",
        "owner",
        "person",
        "hot",
        "counts",
        "columns",
        "more",
    }
)
"""Parts of a block's data that nobody reads."""
NAMES = ("label", "name", "title", "text")
"""Which part of an entry says what it is about."""
SIDES = {
    "ours": "ours",
    "theirs": "theirs",
    "before": "before",
    "after": "after",
    "last": "last time",
    "expected": "expected",
    "in_all": "in all",
}
Words = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Since:
    """One value of a block that differs today."""

    label: str
    then: str
    now: str


def since(
    then: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]] | None, look: Look
) -> dict[int, list[Since]]:
    """Number of a block → what it shows otherwise today. Nothing where today cannot be told; what is hidden from the reader is left out."""
    if now is None:
        return {}

    def words(leaf: Mapping[str, Any]) -> str:
        return blocks.words(dict(leaf), look)

    today = {block["at"]: block for block in now}
    found: dict[int, list[Since]] = {}
    for block in then:
        there = today.get(block["at"])
        if there is None:
            found[block["at"]] = [Since("", "", NOT_SHOWN)]
        elif "trouble" not in block and "trouble" not in there:
            found[block["at"]] = list(dict.fromkeys(_differing(block, there, "", words)))
    return {at: changes for at, changes in found.items() if changes}


def _differing(then: Any, now: Any, label: str, words: Words) -> Iterator[Since]:
    if _is_leaf(then) or _is_leaf(now):
        if (
            _is_leaf(then)
            and _is_leaf(now)
            and not then.get("hidden")
            and not now.get("hidden")
            and words(then) != words(now)
        ):
            yield Since(label, words(then), words(now))
    elif isinstance(then, Mapping) and isinstance(now, Mapping):
        for name in then:
            if name in UNREAD or (name in NAMES and label) or name not in now:
                continue
            yield from _differing(
                then[name], now[name], ", ".join(filter(None, (label, SIDES.get(name)))), words
            )
    elif isinstance(then, list) and isinstance(now, list):
        yield from _of_lists(then, now, label, words)


def _of_lists(then: Sequence[Any], now: Sequence[Any], label: str, words: Words) -> Iterator[Since]:
    """The differences of two lists. Entries are compared by their name; entries without a name by their place."""
    before, after = _named(then, words), _named(now, words)
    for name, entry in before.items():
        called = name[0] or label
        if name in after:
            yield from _differing(entry, after[name], called, words)
        elif called and not _hidden(entry):
            yield Since(called, _figure(entry, words), GONE)
    for name, entry in after.items():
        if name not in before and name[0] and not _hidden(entry):
            yield Since(name[0], NEW, _figure(entry, words))


def _named(entries: Sequence[Any], words: Words) -> dict[tuple[str, int], Data]:
    """(name, how often it came before) → entry."""
    found: dict[tuple[str, int], Data] = {}
    for number, entry in enumerate(entries):
        leaf = (
            next((entry[name] for name in NAMES if _is_leaf(entry.get(name))), None)
            if isinstance(entry, Mapping)
            else None
        )
        name = words(leaf) if leaf is not None and not leaf.get("hidden") else ""
        place = number if not name else 0
        while (name, place) in found:
            place += 1
        found[name, place] = entry
    return found


def _figure(entry: Any, words: Words) -> str:
    """The first value of an entry that is not its name."""
    values = (
        (part for name, part in entry.items() if name not in (*NAMES, *UNREAD, "of"))
        if isinstance(entry, Mapping)
        else ()
    )
    return next((words(leaf) for leaf in values if _is_leaf(leaf) and not leaf.get("hidden")), "")


def _hidden(entry: Any) -> bool:
    return isinstance(entry, Mapping) and any(
        _is_leaf(leaf) and leaf.get("hidden") for leaf in entry.values()
    )


def _is_leaf(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and "from" in value
        and ("value" in value or "parts" in value or value.get("hidden") is True)
    )
