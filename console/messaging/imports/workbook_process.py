"""A program that reads a workbook (.xlsx, .xlsm, .xlsb, .xls, .ods) from its standard input and writes the first sheet with anything in it as CSV in UTF-8.

Before it stands a line of JSON: `sheet`, `others` (sheets that have something in them too), and of .xlsx how many rows are `hidden`, `errors` (how many cells)
and `unsolved` (how many formulas have no result; then the sheet is not written). It runs under the limits of `console.infra.files.confined_process` and imports nothing of the console.
Formulas are their last results; a whole number has no point; days and moments are written as ISO 8601; a cell that goes over several rows stands in each that has anything else.
"""

import csv
import io
import json
import re
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Any

from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

EXACT = 10**15
"""From here on a spreadsheet has lost the last digits."""
# No mark stands within another, so that what looks like thousands of beginnings, in a comment, is read once.
HIDDEN = re.compile(rb'<(?:\w+:)?row\s[^<>]*\bhidden="(?:1|true)"')
ERROR = re.compile(rb'<(?:\w+:)?c\s[^<>]*\bt="e"')
UNSOLVED = re.compile(rb"<(?:\w+:)?f\b(?:[^<>]*/>|[^<>]*>[^<]*</(?:\w+:)?f>)\s*</(?:\w+:)?c>")
NO_RESULT = re.compile(
    rb"<(?:\w+:)?c\s(?![^<>]*\st=)[^<>]*>\s*<(?:\w+:)?f\b(?:[^<>]*/>|[^<>]*>[^<]*</(?:\w+:)?f>)\s*<(?:\w+:)?v\s*(?:/>|></)"
)
"""The same with an empty result of no kind, as openpyxl writes it; an empty text is a result."""
NEVER_SOLVED = re.compile(rb"</(?:\w+:)?f>\s*<(?:\w+:)?v>0</(?:\w+:)?v>")
"""What programs write that cannot work out a formula and say that the spreadsheet has to."""
VALUE = re.compile(rb"<(?:\w+:)?(?:v|is)\b")
PART = 1 << 20


def cell_text(value: Any) -> str:
    """One cell as text."""
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def lines(sheet: CalamineSheet) -> Iterator[list[str]]:
    """The rows up to the last with anything in it, as text."""
    left = (sheet.start or (0, 0))[1]
    over = {
        (top, column - left): bottom
        for (top, column), (bottom, _) in sheet.merged_cell_ranges or ()
        if bottom > top
    }
    columns = {column for _, column in over}
    standing: dict[int, tuple[int, str]] = {}  # column → (last row, what stands in it)
    blank, width = 0, sheet.width
    for number, row in enumerate(sheet.iter_rows()):
        texts = [] if row.count("") == len(row) else [cell_text(value) for value in row]
        if not any(text.strip() for text in texts):
            blank += 1
            continue
        for column in columns:
            last, text = standing.get(column, (-1, ""))
            if number <= last and not texts[column]:
                texts[column] = text
            if (number, column) in over:
                standing[column] = (over[number, column], texts[column])
        yield from ([""] * width for _ in range(blank))
        blank = 0
        yield texts


def marks(archive: zipfile.ZipFile, place: str) -> dict[str, int]:
    """How many rows of a sheet are hidden, cells are errors, and formulas have no result."""
    again = re.search(rb'\bfullCalcOnLoad="(?:1|true)"', archive.read("xl/workbook.xml")) is not None
    unsolved = [UNSOLVED, NO_RESULT, NEVER_SOLVED] if again else [UNSOLVED, NO_RESULT]
    found = {"hidden": 0, "errors": 0, "unsolved": 0}
    with archive.open(place) as stream:
        for part in _rows(iter(lambda: stream.read(PART), b"")):
            found["hidden"] += len(HIDDEN.findall(part))
            found["errors"] += len(ERROR.findall(part))
            found["unsolved"] += sum(len(each.findall(part)) for each in unsolved)
    return found


def places(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet → its file in the archive of an .xlsx; nothing for other kinds."""
    if "xl/workbook.xml" not in archive.namelist():
        return {}
    links = {
        each.get("Id"): each.get("Target", "") for each in _elements(archive, "xl/_rels/workbook.xml.rels")
    }
    found = {}
    for each in _elements(archive, "xl/workbook.xml"):
        target = links.get(next((value for name, value in each.attrib.items() if name.endswith("}id")), None))
        if each.tag.rpartition("}")[2] == "sheet" and target:
            found[each.get("name", "")] = target[1:] if target.startswith("/") else f"xl/{target}"
    return {name: place for name, place in found.items() if place in archive.namelist()}


def _elements(archive: zipfile.ZipFile, place: str) -> Iterator[ET.Element]:
    return ET.fromstring(archive.read(place)).iter()  # noqa: S314 - as above


def _rows(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The parts, cut where a row ends."""
    rest = b""
    for part in parts:
        whole, end, rest = (rest + part).rpartition(b"row>")
        yield whole + end
    yield rest


def main() -> None:
    """Answer on the standard output; nothing where no sheet has anything in it."""
    content = sys.stdin.buffer.read()
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    archive = zipfile.ZipFile(io.BytesIO(content)) if zipfile.is_zipfile(io.BytesIO(content)) else None
    files = places(archive) if archive is not None else {}

    def filled(name: str) -> bool:
        if (
            archive is not None and name in files
        ):  # without reading it whole: the sheet that is read may need the memory
            with archive.open(files[name]) as stream:
                return VALUE.search(stream.read(PART)) is not None
        return bool(book.get_sheet_by_name(name).height)

    sheets = [each for each in book.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
    shown = [each.name for each in sheets if each.visible == SheetVisibleEnum.Visible]
    read = next((sheet for name in shown if (sheet := book.get_sheet_by_name(name)).height), None)
    if read is None:
        return
    others = [each.name for each in sheets if each.name != read.name and filled(each.name)]
    found = marks(archive, files[read.name]) if archive is not None and read.name in files else {}
    out = io.TextIOWrapper(sys.stdout.buffer, "utf-8", errors="replace", newline="")
    out.write(json.dumps({"sheet": read.name, "others": others, **found}) + "\n")
    if not found.get("unsolved"):
        csv.writer(out).writerows(lines(read))
    out.flush()


if __name__ == "__main__":
    main()
