"""The words and lines on the pages of a document, with their places.

A box is (left, top, right, bottom) as fractions of the page, 0 to 1 from its upper left corner as displayed.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Box = tuple[float, float, float, float]
Origin = Literal["pdf", "ocr", "none"]
PAGE_SHAPE = 1.4  # height divided by width of a page
WIDE_GAP = 1.6  # line heights between words of different columns
GAP = "   "


class Word(NamedTuple):
    """A word and its box."""

    text: str
    box: Box


class Line(NamedTuple):
    """Adjacent words. `text` has three blanks for a wide gap, as between columns of a form."""

    text: str
    box: Box
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """A page. `origin`: pdf (its own text), ocr (from its picture) or none (unreadable; `why` says why).

    `zones` are readings of a machine-readable zone, each a tuple of lines; a picture has several, made in different ways.
    """

    number: int
    lines: tuple[Line, ...] = ()
    origin: Origin = "none"
    why: str = ""
    zones: tuple[tuple[str, ...], ...] = ()

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(line.text for line in self.lines)


def bounding_box(boxes: Iterable[Box]) -> Box:
    """The box around all boxes."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def lines_of(words: Sequence[Word]) -> tuple[Line, ...]:
    """The lines that the words form, from top to bottom.

    A word belongs to the line whose middle is within it, so label and value of a form are one line, whatever their order in the file.
    """
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.box[1] + word.box[3], word.box[0])):
        middle = (word.box[1] + word.box[3]) / 2
        row = next((row for row in rows[-4:] if row[0].box[1] < middle < row[0].box[3]), None)
        if row is None:
            rows.append([word])
        else:
            row.append(word)
    return tuple(_line(sorted(row, key=lambda word: word.box[0])) for row in rows)


def _line(words: Sequence[Word]) -> Line:
    text = words[0].text
    for before, word in itertools.pairwise(words):
        height = (before.box[3] - before.box[1]) * PAGE_SHAPE
        text += (GAP if word.box[0] - before.box[2] > WIDE_GAP * height else " ") + word.text
    return Line(text, bounding_box(word.box for word in words), tuple(words))
