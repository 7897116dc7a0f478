"""What a shared draft was before each of its changes, and who made them. In the database: a JSON list, oldest first."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class FormerDocument(NamedTuple):
    """A document, and the id of who replaced it: "" where that was not kept."""

    text: str
    replaced_by: str = ""


def loaded(rows: Iterable[str | Mapping[str, str]]) -> tuple[FormerDocument, ...]:
    """The documents as stored; older releases stored their text alone."""
    return tuple(FormerDocument(row) if isinstance(row, str) else FormerDocument(row["document"], row["by"]) for row in rows)


def stored(former: Iterable[FormerDocument]) -> list[dict[str, str]]:
    """The documents as they are stored."""
    return [{"document": each.text, "by": each.replaced_by} for each in former]


def changers(former: Sequence[FormerDocument], newest_by: str) -> dict[str, int]:
    """Who made changes of the draft, the newest first, and how many of those that are kept. `newest_by` counts where the draft holds no former document."""
    made: dict[str, int] = {}
    for each in reversed(former):
        made[each.replaced_by or newest_by] = made.get(each.replaced_by or newest_by, 0) + 1
    return made or {newest_by: 1}
