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


def overtaken(former: Sequence[FormerDocument], newest_by: str, changes: int, reader: str, *, gone: bool) -> tuple[str, str]:
    """Who made the last `changes` of the draft, and why what the reader sent is not saved. `gone`: the draft is there no more.

    Named is somebody other than the reader where there is one, else the reader, who has it open twice.
    """
    made = changers(former[-changes:] if changes > 0 else (), newest_by)
    by = next((each for each in made if each != reader), reader)
    who = "You" if by == reader else "Somebody else"
    if gone:
        return by, f"This draft is there no more: {who.lower()} published or discarded it in the meantime. Nothing was done."
    return by, f"{who} changed this draft in the meantime{', in another tab or window' if by == reader else ''}; yours was not saved."
