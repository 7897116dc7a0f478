"""A column of tags in a file of contacts: how it is called, and which tags a cell holds."""

import re
from collections.abc import Sequence

from console.core.errors import Invalid
from console.core.tag_names import MOST_ON_RECORD, clean, identity
from console.messaging.imports import headings

NAMES = frozenset({"tag", "tags", "label", "labels"})
"""What a column of tags is proposed by."""
SHOWN = 40
"""Characters of a tag that is told in a reason."""
_SEPARATORS = re.compile(r"[,;|\r\n]")


def is_tags(heading: str) -> bool:
    """Whether a column of this heading holds tags."""
    return headings.normalise_heading(heading) in NAMES


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
    """Return the texts of a cell that stand between commas, semicolons or strokes."""
    texts = (" ".join(text.split()) for text in _SEPARATORS.split(cell))
    return [text for text in texts if text and text.casefold() not in headings.NOTHING]
