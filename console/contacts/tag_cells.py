"""A column of tags in a file of contacts: how it is called, and which tags a cell holds."""

import re
from collections.abc import Sequence

from console.contacts import headings
from console.core.tag_names import MOST_ON_RECORD, clean, identity
from console.errors import Invalid

NAMES = frozenset({"tag", "tags", "label", "labels"})
"""What a column of tags is proposed by."""
SHOWN = 40
"""Characters of a tag that is told in a reason."""
_SEPARATORS = re.compile(r"[,;|\r\n]")
_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?=[,;|\r\n]|\Z)')
_LIST = re.compile(r'\s*\[\s*(".*")?\s*\]\s*', re.DOTALL)
"""A list as programs write it: ["VIP", "newsletter"]."""


def is_tags(heading: str) -> bool:
    """Whether a column of this heading holds tags, also where a CRM writes “Person - Labels”."""
    words = headings.plain(heading)
    return words in NAMES or headings.inner(words) in NAMES


def read(cells: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """(the tags of these cells, each once, why some of them cannot be tags)."""
    names: dict[str, str] = {}
    wrong: list[str] = []
    for text in (text for cell in cells for text in parts(cell)):
        try:
            name = clean(text)
        except Invalid as invalid:
            wrong.append(f"Tag “{text[:SHOWN]}{'…' if len(text) > SHOWN else ''}”: {invalid.message}")
        else:
            names.setdefault(identity(name), name)
    if len(names) > MOST_ON_RECORD:
        wrong.append(f"It has {len(names)} tags, and a record has at most {MOST_ON_RECORD}.")
    return tuple(names.values()), list(dict.fromkeys(wrong))


def parts(cell: str) -> list[str]:
    """The texts of a cell that stand between commas, semicolons or strokes, or between quotation marks."""
    listed = _LIST.fullmatch(cell)
    rest = (listed[1] or "") if listed is not None else cell
    found, at = [], 0
    while at < len(rest):
        quoted = _QUOTED.match(rest, at)
        if quoted is not None:
            found.append(" ".join(part.strip() for part in quoted[1].replace('""', '"').split(",")))  # no tag has a comma here
            at = quoted.end()
            separator = _SEPARATORS.match(rest, at)
        else:
            separator = _SEPARATORS.search(rest, at)
            found.append(rest[at : separator.start() if separator is not None else len(rest)])
        at = separator.end() if separator is not None else len(rest) if quoted is None else at
    texts = (" ".join(text.split()) for text in found)
    return [text for text in texts if text and text.casefold() not in headings.NOTHING]
