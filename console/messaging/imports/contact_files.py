"""Files of contacts (CSV): kept encrypted in parts until they are read, decoded and split line by line. Memory stays flat however many lines there are."""

import codecs
import csv
import io
import itertools
import re
import shutil
import time
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from console.core.errors import Invalid
from console.infra import settings, subjects
from console.messaging.imports import workbooks
from console.messaging.imports.encodings import ENCODINGS, LATIN, guess

PART = 1 << 20
MOST_BYTES = 512 << 20
MOST_COLUMNS = 500
LONGEST_LINE = 1 << 20
SAMPLE, TELLING = 5, 1_000
"""First lines that are shown, and those by which it is told what a column holds."""
FOLDER = "enrolments"
DELIMITERS = ",;\t|"
TOLD_DELIMITER = re.compile(rf"sep=([{DELIMITERS}])[{DELIMITERS}]*", re.IGNORECASE)
"""A line over the heading by which Excel is told what stands between the cells."""
ADDRESS = re.compile(r"(?:[^<>@]*<)?[^<>@\s]+@[^<>@\s]+\.[^<>@\s\d]{2,}>?")
TELEPHONE = re.compile(
    r"(?!\d{4}-\d\d-\d\d)(?=(?:\D*\d){7})(?:p:|tel:)?[+(]?\d[\d ()/.\N{NO-BREAK SPACE}-]{5,24}\d"
)
"""Cells that are an e-mail address or a telephone number by their look."""
AS_TEXT = re.compile(r'="([^"]*)"')
"""A cell as it is written so that a spreadsheet takes a long number for a text."""
UNREADABLE = "\ufffd"
IN_UTF8 = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
UNSEEN = re.compile(
    "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
"""Characters that nobody sees or typed: marks of files that were put together, blanks without width, what turns the direction of text. They are left out."""
NO_TEXT = (*workbooks.BEGIN, b"%PDF")
NOT_TEXT = "This is no text file. Save the table as CSV, in UTF-8 where that can be chosen."
HEADING, CONTACT = "heading", "contact"
FIRST_LINES = {HEADING: "names the columns", CONTACT: "is a contact already"}
LONG = f"{UNREADABLE} longer than a line may be\n"
"""Stands for a line that is too long to be kept."""
NOT_CLOSED = "A quotation mark on this line is never closed, or has text behind its end."
TOO_LONG = "This line is longer than a million characters."
csv.field_size_limit(LONGEST_LINE)  # of the process: so long a cell is looked for the end of a quotation


@dataclass(frozen=True, slots=True)
class ContactFile:
    """A stored file: its folder's name, how many parts it has, the encoding and delimiter that it seems to have, about how many lines (0: not known), what it was called,
    which line is its heading (0: none, the first line is a contact already), and what people must know of how its workbook was read.
    """

    folder: str
    parts: int
    encoding: str
    delimiter: str
    lines: int = 0
    name: str = ""
    heading: int = 1
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A line with its number in the file, and whether its bytes could be read. `wrong`: why it has no cells that could be told apart."""

    number: int
    cells: list[str]
    readable: bool
    wrong: str = ""


def keep(folder: str, person: str, stream: IO[bytes], name: str = "") -> ContactFile:
    """Store the file, encrypted under the person's key; of a workbook its first sheet. Raises Invalid where it is empty or too large; then nothing is left of it."""
    begin, remarks = stream.read(PART), list[str]()
    if begin.startswith(workbooks.BEGIN):
        sheet, remarks = workbooks.as_csv(begin + stream.read(workbooks.MOST_BYTES))
        stream, begin = io.BytesIO(sheet), b""
    place, subject = _place(folder), subjects.of_person(person)
    place.mkdir(parents=True, mode=0o700)
    decoder, first, count, total = codecs.getincrementaldecoder("utf-8")(errors="replace"), b"", 0, 0
    broken, letters = (
        0,
        0,
    )  # in UTF-8: bytes that are nothing, and bytes that only belong to letters beyond ASCII
    ends = [0, 0]  # bytes that end lines on most machines, and on old ones
    try:
        while part := begin or stream.read(PART):
            begin = b""
            first, total = first or part, total + len(part)
            if total > MOST_BYTES:
                raise Invalid(
                    "The file is too large.",
                    at=("csv", f"At most {MOST_BYTES >> 20} MB: split it into several."),
                )
            text = decoder.decode(part)
            broken, letters = broken + text.count(UNREADABLE), letters + len(part) - len(text)
            ends = [ends[0] + part.count(b"\n"), ends[1] + part.count(b"\r")]
            (place / str(count)).write_bytes(subjects.lock(subject, _about(folder, count), part))
            count += 1
        if not first.strip():
            raise Invalid(
                "The file is empty.", at=("csv", "Choose a file with a heading and a line for each contact.")
            )
    except Invalid:
        forget(folder)
        raise
    # Older encodings give at most one letter by chance for three broken bytes. In UTF-8 only the lines with broken bytes are refused.
    encoding = guess(first, utf8=broken <= letters)
    head = first[: 64 << 10].decode(encoding, errors="replace") if encoding is not None else ""
    if encoding is None or first.startswith(NO_TEXT) or head.count("\x00") * 4 > len(head):
        forget(folder)
        raise Invalid("This is no text file.", at=("csv", NOT_TEXT))
    delimiter = _delimiter(head)
    heading = 0 if begins_with_contact(head, delimiter) else 1
    return ContactFile(folder, count, encoding, delimiter, ends[0] or ends[1], name, heading, remarks)


def _delimiter(head: str) -> str:
    """Return what stands between the cells of a file that begins like this: what its first line says to Excel, else the most frequent mark there."""
    first = next((line for line in head.splitlines() if line.strip("\ufeff\t ")), "").strip("\ufeff")
    told = TOLD_DELIMITER.fullmatch(first)
    return told[1] if told else max(DELIMITERS, key=lambda mark: (first.count(mark), -DELIMITERS.index(mark)))


def begins_with_contact(head: str, delimiter: str) -> bool:
    """Whether the first line with anything in it has what no heading has: an e-mail address, a telephone number, or in a list of one column a number."""
    try:
        cells = next(
            (
                cells
                for cells in csv.reader(io.StringIO(head), delimiter=delimiter)
                if any(map(str.strip, cells))
            ),
            [],
        )
    except csv.Error:
        return False
    filled = [cell.strip("\ufeff ") for cell in cells if cell.strip("\ufeff ")]
    return any(ADDRESS.fullmatch(cell) or TELEPHONE.fullmatch(cell) for cell in filled) or (
        len(cells) == 1 and filled[:1] == [*filter(str.isdecimal, filled)]
    )


def heading_of(cells: Sequence[str]) -> list[str]:
    """Return names for the columns of a file without a heading: Email and Phone by the look of the first line, else Column 1, Column 2 and so on."""
    named: list[str] = []
    for number, cell in enumerate(cells, 1):
        word = "Email" if ADDRESS.fullmatch(cell) else "Phone" if TELEPHONE.fullmatch(cell) else ""
        named.append(word if word and word not in named else f"Column {number}")
    return named


def first_lines(file: ContactFile) -> list[tuple[str, str, bool]]:
    """(value, words, whether it is so) of what the first line of the file may be; empty where lines before the heading make it certain."""
    return (
        [(each, words, (each == CONTACT) == (file.heading == 0)) for each, words in FIRST_LINES.items()]
        if file.heading <= 1
        else []
    )


def read_as(file: ContactFile, encoding: str | None, first_line: str | None) -> ContactFile:
    """The file as a person says that it is read: the encoding, and whether its first line is a HEADING or a CONTACT already; anything else leaves it as it is."""
    heading = (
        {CONTACT: 0, HEADING: 1}.get(first_line or "", file.heading) if file.heading <= 1 else file.heading
    )
    return replace(
        file,
        encoding=encoding if encoding is not None and encoding in ENCODINGS else file.encoding,
        heading=heading,
    )


def forget(folder: str) -> None:
    """Delete the file."""
    shutil.rmtree(_place(folder), ignore_errors=True)


def companion_path(file: ContactFile, name: str) -> Path:
    """Where something that is only needed as long as the file may lie; it goes with it."""
    return _place(file.folder) / name


def folders(*, untouched_s: float = 0.0) -> list[str]:
    """The names of all that are kept, or of those to which nobody has added a part for so many seconds: what is on its way has no row that names it yet."""
    place, latest = settings.current().data_dir / FOLDER, time.time() - untouched_s
    return [each.name for each in place.iterdir() if each.stat().st_mtime <= latest] if place.exists() else []


def rows(file: ContactFile, person: str) -> Iterator[Row]:
    """The lines with anything in them, the heading first, of a file without one made up of what its first line holds, as line 0. Raises Invalid for a heading that cannot be read."""
    lines = _rows(file, person)
    if not file.heading and (first := next(lines, None)) is not None:
        yield Row(0, heading_of(first.cells), readable=True)
        yield first
    yield from lines


def _rows(file: ContactFile, person: str) -> Iterator[Row]:
    """The lines from the heading on.

    A quotation mark that is not closed spoils its own line alone: what would stand behind it in one cell is read again, line by line.
    """
    number, again, own = 0, deque[str](), list[str]()
    source = _lines(_parts(file, person), file.encoding)

    def lines() -> Iterator[str]:
        while (line := again.popleft() if again else next(source, None)) is not None:
            own.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=file.delimiter)
    while True:
        own.clear()
        try:
            if (cells := next(reader, None)) is None:
                return
            wrong = TOO_LONG if own == [LONG] else ""
            if len(own) > 1:
                next(csv.reader(own, delimiter=file.delimiter, strict=True))
        except csv.Error:
            cells, wrong = [own[0]], NOT_CLOSED
            again.extendleft(reversed(own[1:]))
            reader = csv.reader(lines(), delimiter=file.delimiter)
        number += 1
        if number < file.heading:
            continue
        if wrong and number == file.heading:
            raise Invalid(
                "The file cannot be read.", at=("csv", f"{wrong} It is the first one: is it a CSV file?")
            )
        if number == max(file.heading, 1) and len(cells) > MOST_COLUMNS:
            raise Invalid(
                "The file cannot be read.",
                at=(
                    "csv",
                    f"It has {len(cells):,} columns: leave out some, so that there are at most {MOST_COLUMNS}.",
                ),
            )
        told = number == 1 and TOLD_DELIMITER.fullmatch(file.delimiter.join(cells).strip("\ufeff"))
        if wrong or (any(cell.strip() for cell in cells) and not told):
            yield Row(
                number,
                [AS_TEXT.sub(r"\1", cell.strip()) for cell in cells[:MOST_COLUMNS]],
                not any(UNREADABLE in cell for cell in cells),
                wrong,
            )


def swallowed(cell: str, delimiter: str) -> bool:
    """Whether a cell seems to have taken in the lines below it: there are ends of lines in it, and what stands between cells."""
    return "\n" in cell and delimiter in cell


def sample(file: ContactFile, person: str, most: int = SAMPLE) -> tuple[list[str], list[list[str]]]:
    """(the columns' headings, the first lines). Raises Invalid."""
    read = [row.cells for row in itertools.islice(rows(file, person), most + 1)]
    if not read:
        raise Invalid("The file is empty.", at=("csv", "It has no heading."))
    return read[0], read[1:]


def _parts(file: ContactFile, person: str) -> Iterator[bytes]:
    place, subject = _place(file.folder), subjects.of_person(person)
    for number in range(file.parts):
        yield subjects.unlock(subject, _about(file.folder, number), (place / str(number)).read_bytes())


def _lines(parts: Iterable[bytes], encoding: str) -> Iterator[str]:
    """The lines as text, with their ends. Bytes that are nothing in the encoding become U+FFFD; LONG stands for a line that is too long."""
    ends, rest = io.IncrementalNewlineDecoder(None, translate=True), ""
    for text in _texts(parts, encoding):
        *lines, rest = (rest + UNSEEN.sub("", ends.decode(text)).replace("\x00", UNREADABLE)).split("\n")
        yield from (f"{_composed(line)}\n" if len(line) <= LONGEST_LINE else LONG for line in lines)
        rest = rest[: LONGEST_LINE + 1]
    rest += ends.decode("", final=True)
    if rest:
        yield _composed(rest) if len(rest) <= LONGEST_LINE else LONG


def _texts(parts: Iterable[bytes], encoding: str) -> Iterator[str]:
    """The parts as text. In an older encoding of Latin letters a line that is UTF-8 is read as that: somebody has put two files together."""
    decoder, rest = codecs.getincrementaldecoder(encoding)(errors="replace"), b""
    for part in parts:
        if encoding not in LATIN:
            yield decoder.decode(part)
            continue
        whole, end, rest = (
            (rest + part).rpartition(b"\n") if len(rest) <= LONGEST_LINE else (rest + part, b"", b"")
        )
        yield (
            "\n".join(_text(line, encoding) for line in whole.split(b"\n"))
            if IN_UTF8.search(whole)
            else whole.decode(encoding, "replace")
        )
        yield end.decode()
    yield _text(rest, encoding) if rest else decoder.decode(b"", final=True)


def _text(line: bytes, encoding: str) -> str:
    try:
        return line.decode() if IN_UTF8.search(line) else line.decode(encoding, "replace")
    except UnicodeError:
        return line.decode(encoding, "replace")


def _composed(line: str) -> str:
    """The line with each letter and its accent in one, as people type it: a Mac keeps them apart, and then nobody finds the name."""
    return unicodedata.normalize("NFC", line)


def _about(folder: str, number: int) -> str:
    return f"enrolment file|{folder}|{number}"


def _place(folder: str) -> Path:
    return settings.current().data_dir / FOLDER / folder
