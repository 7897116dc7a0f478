"""Files of contacts (CSV): kept encrypted in parts until they are read, decoded and split line by line. Memory stays flat however many lines there are."""

import codecs
import csv
import io
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from console import settings, subjects
from console.contacts.encodings import guess
from console.errors import Invalid

PART = 1 << 20
MOST_BYTES = 512 << 20
MOST_COLUMNS = 200
LONGEST_LINE = 1 << 20
SAMPLE = 5
FOLDER = "enrolments"
DELIMITERS = ",;\t|"
TOLD_DELIMITER = re.compile(rf"sep=([{DELIMITERS}])[{DELIMITERS}]*", re.IGNORECASE)
"""A line over the heading by which Excel is told what stands between the cells."""
UNREADABLE = "\ufffd"
UNSEEN = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Characters that nobody sees or typed: marks of files that were put together, blanks without width, what turns the direction of text. They are left out."""
NO_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")
"""How spreadsheets, archives and PDF files begin."""


@dataclass(frozen=True, slots=True)
class ContactFile:
    """A stored file: its folder's name, how many parts it has, the encoding and delimiter that it seems to have, and about how many lines (0: not known)."""

    folder: str
    parts: int
    encoding: str
    delimiter: str
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A line with its number in the file (the heading is 1), and whether its bytes could be read."""

    number: int
    cells: list[str]
    readable: bool


def keep(folder: str, person: str, stream: IO[bytes]) -> ContactFile:
    """Store the file, encrypted under the person's key. Raises Invalid where it is empty or too large; then nothing is left of it."""
    place, subject = _place(folder), subjects.of_person(person)
    place.mkdir(parents=True, mode=0o700)
    decoder, first, count, total = codecs.getincrementaldecoder("utf-8")(errors="replace"), b"", 0, 0
    broken, letters = 0, 0  # in UTF-8: bytes that are nothing, and bytes that only belong to letters beyond ASCII
    ends = [0, 0]  # bytes that end lines on most machines, and on old ones
    try:
        while part := stream.read(PART):
            first, total = first or part, total + len(part)
            if total > MOST_BYTES:
                raise Invalid("The file is too large.", at=("csv", f"At most {MOST_BYTES >> 20} MB: split it into several."))
            text = decoder.decode(part)
            broken, letters = broken + text.count(UNREADABLE), letters + len(part) - len(text)
            ends = [ends[0] + part.count(b"\n"), ends[1] + part.count(b"\r")]
            (place / str(count)).write_bytes(subjects.lock(subject, _about(folder, count), part))
            count += 1
        if not first.strip():
            raise Invalid("The file is empty.", at=("csv", "Choose a file with a heading and a line for each contact."))
    except Invalid:
        forget(folder)
        raise
    # Older encodings give at most one letter by chance for three broken bytes. In UTF-8 only the lines with broken bytes are refused.
    encoding = guess(first, utf8=broken <= letters)
    head = first[: 64 << 10].decode(encoding, errors="replace") if encoding is not None else ""
    if encoding is None or first.startswith(NO_TEXT) or head.count("\x00") * 4 > len(head):
        forget(folder)
        raise Invalid("This is no text file.", at=("csv", "Save the table as CSV, in UTF-8 where that can be chosen."))
    heading = next((line for line in head.splitlines() if line.strip("\ufeff\t ")), "")
    told = TOLD_DELIMITER.fullmatch(heading.strip("\ufeff"))
    delimiter = told[1] if told else max(DELIMITERS, key=lambda mark: (heading.count(mark), -DELIMITERS.index(mark)))
    return ContactFile(folder, count, encoding, delimiter, ends[0] or ends[1])


def forget(folder: str) -> None:
    """Delete the file."""
    shutil.rmtree(_place(folder), ignore_errors=True)


def beside(file: ContactFile, name: str) -> Path:
    """Where something that is only needed as long as the file may lie; it goes with it."""
    return _place(file.folder) / name


def to_json(file: ContactFile) -> dict[str, Any]:
    """What is known of the file, to be kept."""
    return asdict(file)


def folders(*, untouched_s: float = 0.0) -> list[str]:
    """The names of all that are kept, or of those to which nobody has added a part for so many seconds: what is on its way has no row that names it yet."""
    place, latest = settings.current().data_dir / FOLDER, time.time() - untouched_s
    return [each.name for each in place.iterdir() if each.stat().st_mtime <= latest] if place.exists() else []


def rows(file: ContactFile, person: str) -> Iterator[Row]:
    """The lines with anything in them, the heading first. Raises Invalid for a line that is too long, with its number."""
    number, ends, quotes, at_end = 0, 0, 0, False

    def lines() -> Iterator[str]:
        nonlocal quotes, at_end
        for line in _lines(_parts(file, person), file.encoding):
            quotes += line.count('"')
            yield line
        at_end = True

    reader = csv.reader(lines(), delimiter=file.delimiter)
    try:
        for cells in reader:
            begins, ends = ends + 1, reader.line_num
            if ends > begins and at_end and quotes % 2:  # all behind a quotation mark is in one cell
                raise csv.Error
            quotes, number = 0, number + 1
            if any(cell.strip() for cell in cells) and not (
                number == 1 and TOLD_DELIMITER.fullmatch(file.delimiter.join(cells).strip("\ufeff"))
            ):
                yield Row(number, [cell.strip() for cell in cells[:MOST_COLUMNS]], not any(UNREADABLE in cell for cell in cells))
    except csv.Error:
        reason = f"On line {number + 1:,} a quotation mark is never closed, or a cell is too long."
        raise Invalid("The file cannot be read to its end.", details=[{"field": "csv", "reason": reason}]) from None


def swallowed(cell: str, delimiter: str) -> bool:
    """Whether a cell seems to have taken in the lines below it: there are ends of lines in it, and what stands between cells."""
    return "\n" in cell and delimiter in cell


def sample(file: ContactFile, person: str) -> tuple[list[str], list[list[str]]]:
    """(the columns' headings, the first lines). Raises Invalid."""
    read = []
    for row in rows(file, person):
        read.append(row.cells)
        if len(read) > SAMPLE:
            break
    if not read:
        raise Invalid("The file is empty.", details=[{"field": "csv", "reason": "It has no heading."}])
    return read[0], read[1:]


def _parts(file: ContactFile, person: str) -> Iterator[bytes]:
    place, subject = _place(file.folder), subjects.of_person(person)
    for number in range(file.parts):
        yield subjects.unlock(subject, _about(file.folder, number), (place / str(number)).read_bytes())


def _lines(parts: Iterable[bytes], encoding: str) -> Iterator[str]:
    """The lines as text, with their ends. Bytes that are nothing in the encoding become U+FFFD."""
    decoder, rest = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(errors="replace"), translate=True), ""
    for part in parts:
        *lines, rest = (rest + UNSEEN.sub("", decoder.decode(part)).replace("\x00", UNREADABLE)).split("\n")
        yield from (f"{line}\n" for line in lines)
        if len(rest) > LONGEST_LINE:
            raise Invalid(
                "The file cannot be read to its end.", at=("csv", "A line of it is longer than a million characters: is it a CSV file?")
            )
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest


def _about(folder: str, number: int) -> str:
    return f"enrolment file|{folder}|{number}"


def _place(folder: str) -> Path:
    return settings.current().data_dir / FOLDER / folder
