"""What the blocks of a recorded screen show otherwise today: each value that differs, with what it is of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.views import blocks
from console.views.formats import Look

NOT_SHOWN = "Not shown today"
NAMES = ("label", "name", "title", "text")
"""Which part of an entry says what it is about."""


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
    today = {block["at"]: block for block in now}
    found: dict[int, list[Since]] = {}
    for block in then:
        there = today.get(block["at"])
        if there is None:
            found[block["at"]] = [Since("", "", NOT_SHOWN)]
        elif "trouble" not in block and "trouble" not in there:
            found[block["at"]] = list(dict.fromkeys(_differing(block, there, "", look)))
    return {at: changes for at, changes in found.items() if changes}


def _differing(then: Any, now: Any, label: str, look: Look) -> Iterator[Since]:
    """Return the values at the same place of both, entries of lists by their position."""
    if _is_leaf(then):
        if _is_leaf(now) and not then.get("hidden") and not now.get("hidden"):
            before, after = blocks.words(dict(then), look), blocks.words(dict(now), look)
            if before != after:
                yield Since(label, before, after)
    elif isinstance(then, Mapping) and isinstance(now, Mapping):
        named = next((then[name] for name in NAMES if _is_leaf(then.get(name))), None)
        own = blocks.words(dict(named), look) if named and not named.get("hidden") else label
        for name in (each for each in then if each in now):
            yield from _differing(then[name], now[name], own, look)
    elif isinstance(then, list) and isinstance(now, list):
        for one, other in zip(then, now, strict=False):
            yield from _differing(one, other, label, look)


def _is_leaf(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and "from" in value
        and ("value" in value or "parts" in value or value.get("hidden") is True)
    )
