"""Columns of a file of contacts whose heading says too little, known by what stands in their cells."""

from collections.abc import Container, Sequence

from console.contacts import consent_words, contact_files, headings

MOSTLY = 0.8
"""Part of the filled cells that have to be e-mail addresses."""


def mail_column(named: Sequence[str], lines: Sequence[Sequence[str]], used: Container[int]) -> int | None:
    """The one column, of those that are not used, whose cells are e-mail addresses; None where there is none, or several."""
    several = [number for number in range(len(named)) if number not in used and _holds_addresses(_cells(lines, number))]
    return several[0] if len(several) == 1 else None


def opted_out_columns(named: Sequence[str], lines: Sequence[Sequence[str]], used: Container[int]) -> dict[int, str]:
    """Number of a column that is not used and says who opted out, such as `Status` with “Unsubscribed” → the channel, or `EVERY`."""
    plainly = {number: headings.plain(each) for number, each in enumerate(named) if number not in used}
    return {n: consent_words.status_channel(each) for n, each in plainly.items() if consent_words.says_who_left(each, _cells(lines, n))}


def _cells(lines: Sequence[Sequence[str]], number: int) -> list[str]:
    return [line[number] for line in lines if number < len(line) and line[number]]


def _holds_addresses(cells: Sequence[str]) -> bool:
    told = sum(contact_files.ADDRESS.fullmatch(headings.narrow(cell)) is not None for cell in cells)
    return bool(told) and told >= len(cells) * MOSTLY
