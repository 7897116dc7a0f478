"""The words of a file and where they stand: its own text, and where a page has none what Tesseract recognises in its picture.

Both happen in processes of their own under limits (`drawing_process.py`). Tesseract never sees the file, only a picture that we have drawn of it.
"""

import time
from collections.abc import Sequence

from console.core.errors import ConsoleError, Invalid
from console.core.papers.mrz import zone_lines
from console.core.papers.pages import Box, Line, Read, Word, bounding_box, lines_of
from console.infra.files import page_pictures

MOST_PAGES = 30
MOST_RECOGNISED = 12
"""Pages of a file that are recognised: each takes seconds."""

MOST_CHARACTERS = 200_000
LEAST_LETTERS = 8
"""A page with fewer letters of its own may be a picture with a stamp: it is recognised too."""

WIDTH = 1_760
RE_READ = ((880, "6"), (1_320, "6"), (1_100, "4"))
"""In which other ways (width of the page, Tesseract's mode) a machine-readable zone is read again."""

NEXT_LINE = 4.5
"""Heights of a line of a zone to beyond the second line beside it."""
SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"
LEAST_SURE = 20.0
MOST_LANGUAGES = 4
NO_PROGRAM = (
    "This page is a picture, and no text recognition (Tesseract) is installed here: read it yourself."
)
TOO_MANY = "Not read: no more pages of one file are recognised than {most}."
NO_TEXT = "No text was found on this page."
NOT_ASKED = "This page is a picture; its text was not asked for."
NO_TIME = "Not read: the time for reading documents was over."


def read(content: bytes, media_type: str, *, recognise: bool, until: float | None = None) -> list[Read]:
    """The pages of the file with their lines; of those after the first `MOST_PAGES` nothing. `until` (monotonic): when to leave recognising.

    Raises Invalid with a sentence where the file cannot be read at all, TooMany while others are opened.
    """
    answer = page_pictures.words(content, media_type, MOST_PAGES)
    found, left, recognised = [], MOST_CHARACTERS, 0
    for number, given in enumerate(answer["pages"], 1):
        words = [Word(text, (x0, y0, x1, y1)) for text, x0, y0, x1, y1 in given]
        few = sum(sign.isalnum() for word in words for sign in word.text) < LEAST_LETTERS
        if not few or (words and not recognise):
            page = _printed(number, words)
        elif not recognise:
            page = Read(number, why=NOT_ASKED)
        elif recognised == MOST_RECOGNISED:
            page = Read(number, why=TOO_MANY.format(most=MOST_RECOGNISED))
        elif until is not None and time.monotonic() > until:
            page = Read(number, why=NO_TIME)
        else:
            page, recognised = _recognised(content, media_type, number), recognised + 1
            if page.origin == "none" and words:
                page = _printed(number, words)
        page = _shortened(page, left)
        left -= len(page.text)
        found.append(page)
    return found


def _printed(number: int, words: Sequence[Word]) -> Read:
    lines = lines_of(words)
    zone = tuple(zone_lines(line.text for line in lines))
    return Read(number, lines, "pdf", zones=(zone,) if zone else ())


def _recognised(content: bytes, media_type: str, number: int) -> Read:
    if not page_pictures.languages():
        return Read(number, why=NO_PROGRAM)
    try:
        picture = page_pictures.for_reading(content, media_type, number, WIDTH)
    except Invalid as error:
        return Read(number, why=error.message)
    languages = "+".join(page_pictures.languages()[:MOST_LANGUAGES])
    words = _words(page_pictures.recognised(picture, ["-l", languages, "tsv"]) or "")
    if not words:
        return Read(number, why=NO_TEXT)
    lines = lines_of(words)
    return Read(number, lines, "ocr", zones=_zones(content, media_type, number, lines))


def _words(table: str) -> list[Word]:
    """The words of Tesseract's table (level, page, block, paragraph, line, word, left, top, width, height, confidence, text)."""
    rows = [line.split("\t") for line in table.splitlines()[1:]]
    pages = [row for row in rows if row[0] == "1" and len(row) >= 10]
    if not pages:
        return []
    across, down = int(pages[0][8]) or 1, int(pages[0][9]) or 1
    found = []
    for row in rows:
        if len(row) < 12 or row[0] != "5" or not row[11].strip() or float(row[10]) < LEAST_SURE:
            continue
        left, top, width, height = (int(part) for part in row[6:10])
        box = (left / across, top / down, (left + width) / across, (top + height) / down)
        found.append(Word(row[11].strip(), _rounded(box)))
    return found


def _rounded(box: Box) -> Box:
    left, top, right, bottom = (round(min(1.0, max(0.0, part)), 4) for part in box)
    return left, top, right, bottom


def _zones(
    content: bytes, media_type: str, number: int, lines: Sequence[Line]
) -> tuple[tuple[str, ...], ...]:
    """Readings of the machine-readable zone on the page: the first, and others of its part alone, so that one bad look decides nothing."""
    first = tuple(zone_lines(line.text for line in lines))
    seen = [line.box for line in lines if "<<" in line.text or tuple(zone_lines([line.text]))]
    if not seen:
        return ()
    left, top, right, bottom = bounding_box(seen)
    room = (
        0.03 if len(seen) > 1 else max(0.03, NEXT_LINE * (bottom - top))
    )  # the lines beside the only one that was seen
    part = [max(0.0, left - 0.03), max(0.0, top - room), min(1.0, right + 0.03), min(1.0, bottom + room)]
    readings = [first]
    for width, mode in RE_READ:
        try:
            picture = page_pictures.for_reading(content, media_type, number, width, part)
        except ConsoleError:
            continue
        options = [
            "-l",
            page_pictures.languages()[0],
            "--psm",
            mode,
            "-c",
            f"tessedit_char_whitelist={SIGNS}",
        ]
        readings.append(tuple(zone_lines((page_pictures.recognised(picture, options) or "").splitlines())))
    return tuple(reading for reading in readings if reading)


def _shortened(page: Read, most: int) -> Read:
    """The page with as many of its lines as these characters hold."""
    if len(page.text) <= most:
        return page
    kept: list[Line] = []
    for line in page.lines:
        most -= len(line.text) + 1
        if most < 0:
            break
        kept.append(line)
    return Read(
        page.number,
        tuple(kept),
        page.origin,
        "The rest of this page was not read: the document is too long.",
        page.zones,
    )
