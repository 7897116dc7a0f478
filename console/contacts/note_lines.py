"""Lines of a file that are about nobody, though they would make somebody with a name and nothing else: notes of a report, headings between."""

from collections.abc import Iterable, Sequence

SHORTEST, FEWEST = 5, 3
"""Digits of a number at which somebody may be reached; columns of a table in which a line with one cell is no contact."""
REPEATED = "This line repeats the heading."
NOTE = "This line is a note below or between the others: it has a single text, no address and no number, and means nobody."


def why_nobody(cells: Sequence[str], named: Sequence[str], addresses: Iterable[object]) -> str | None:
    """Why a line with these cells below these headings is about nobody; None for one that may be somebody. `addresses` are its e-mail addresses and numbers."""
    if [*cells] == [*named]:
        return REPEATED
    if any("@" in told or sum(map(str.isdigit, told)) >= SHORTEST for told in map(str, addresses)):
        return None
    return NOTE if len(cells) == 1 and len(named) >= FEWEST else None
