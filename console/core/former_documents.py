"""What a shared draft was before each of its changes, and who made them. In the database: a JSON list, oldest first, one entry for each revision.

An undo is a change too: what it took away stands there as `undone`, so that the draft as somebody has it open is found by its revision.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple


class FormerDocument(NamedTuple):
    """A document, and the id of who replaced it: "" where that was not kept. `undone`: it was replaced by what it had replaced."""

    text: str
    replaced_by: str = ""
    undone: bool = False


def loaded(rows: Iterable[str | Mapping[str, Any]]) -> tuple[FormerDocument, ...]:
    """The documents as stored; older releases stored their text alone."""
    return tuple(
        FormerDocument(row)
        if isinstance(row, str)
        else FormerDocument(row["document"], row["by"], bool(row.get("undone")))
        for row in rows
    )


def stored(former: Iterable[FormerDocument]) -> list[dict[str, Any]]:
    """The documents as they are stored."""
    return [
        {"document": each.text, "by": each.replaced_by} | ({"undone": True} if each.undone else {})
        for each in former
    ]


def undoable(former: Iterable[FormerDocument]) -> list[FormerDocument]:
    """Those whose change was not undone: what an undo goes back to, the next one last."""
    kept: list[FormerDocument] = []
    for each in former:
        if not each.undone:
            kept.append(each)
        elif kept:
            kept.pop()
    return kept


def changers(former: Sequence[FormerDocument], newest_by: str) -> dict[str, int]:
    """Who made changes of the draft, the newest first, and how many of those that are kept. `newest_by` counts where the draft holds no former document."""
    made: dict[str, int] = {}
    for each in reversed(undoable(former)):
        made[each.replaced_by or newest_by] = made.get(each.replaced_by or newest_by, 0) + 1
    return made or {newest_by: 1}


def overtaken(
    former: Sequence[FormerDocument], newest_by: str, changes: int, reader: str, *, gone: bool
) -> tuple[str, str]:
    """Who made the last `changes` of the draft, and why what the reader sent is not saved. `gone`: the draft is there no more.

    Named is somebody other than the reader where there is one, else the reader, who has it open twice.
    """
    made = changers(former[-changes:] if changes > 0 else (), newest_by)
    by = next((each for each in made if each != reader), reader)
    who = "You" if by == reader else "Somebody else"
    if gone:
        return (
            by,
            f"This draft is there no more: {who.lower()} published or discarded it in the meantime. Nothing was done.",
        )
    return (
        by,
        f"{who} changed this draft in the meantime{', in another tab or window' if by == reader else ''}; yours was not saved.",
    )
