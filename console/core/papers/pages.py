"""What stands on the pages of a document and where: words, and the lines that they make.

A box is (left, top, right, bottom) in parts of the page, 0 to 1 from its upper left corner as it is shown.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Box = tuple[float, float, float, float]
Origin = Literal["pdf", "ocr", "none"]
WIDE_GAP = 1.6  # heights of a line between two words that belong to different columns
GAP = "   "


class Word(NamedTuple):
    """A word and its box."""

    text: str
    box: Box


class Line(NamedTuple):
    """Words beside each other. `text` has three blanks where there is a wide gap, as between the columns of a form."""

    text: str
    box: Box
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """A page as it was read. `origin` is pdf (its own text), ocr (recognised in its picture) or none (nothing was read; `why` says why).

    `zones` are readings of a machine-readable zone: each a tuple of its lines; of a picture several, made in different ways.
    """

    number: int
    lines: tuple[Line, ...] = ()
    origin: Origin = "none"
    why: str = ""
    zones: tuple[tuple[str, ...], ...] = ()

    @property
    def text(self) -> str:
        """The lines, one below the other."""
        return "\n".join(line.text for line in self.lines)


def around(boxes: Iterable[Box]) -> Box:
    """The box around all of them."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def lines_of(words: Sequence[Word], shape: float = 1.4) -> tuple[Line, ...]:
    """The lines that the words make, from top to bottom; `shape` is how much taller than wide the page is.

    A word belongs to the line whose middle lies within it; so label and value of a form are one line, however they were written into the file.
    """
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.box[1] + word.box[3], word.box[0])):
        middle = (word.box[1] + word.box[3]) / 2
        row = next((row for row in rows[-4:] if row[0].box[1] < middle < row[0].box[3]), None)
        if row is None:
            rows.append([word])
        else:
            row.append(word)
    return tuple(_line(sorted(row, key=lambda word: word.box[0]), shape) for row in rows)


def _line(words: Sequence[Word], shape: float) -> Line:
    text = words[0].text
    for before, word in itertools.pairwise(words):
        height = (before.box[3] - before.box[1]) * shape
        text += (GAP if word.box[0] - before.box[2] > WIDE_GAP * height else " ") + word.text
    return Line(text, around(word.box for word in words), tuple(words))
