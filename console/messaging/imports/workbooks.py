"""Workbooks of spreadsheets as CSV, read by a process of its own (`workbook_process.py`), which may fall over, run for ever or eat memory without harm to us."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from console.core.errors import Invalid, TooMany
from console.infra.files.confined_process import Busy, Confined

BEGIN = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of spreadsheets begin, new ones and old ones, and archives."""
MOST_BYTES, MOST_UNPACKED = 64 << 20, 512 << 20
SAVE_AS = "This cannot be read as a workbook: it is none, has a password, has nothing in its sheets, or is too large. Open it, save it as “CSV UTF-8”, and choose that file."
UNSOLVED = "A program wrote it, which cannot work out formulas, and their cells would be read as empty or 0. Open it in a spreadsheet, save it, and choose it again."
MOST_NAMED = 5
_read = Confined(
    Path(__file__).with_name("workbook_process.py"), memory=1 << 30, cpu_s=60, seconds=60.0, at_once=1
)


def as_csv(content: bytes) -> tuple[bytes, list[str]]:
    """(the first sheet that has anything in it, as CSV in UTF-8; what people must know of how it was read).

    Raises Invalid for what cannot be read or has formulas without results, TooMany while another is read.
    """
    try:
        answer = (
            _read.ask(content) if len(content) <= MOST_BYTES and _unpacked(content) <= MOST_UNPACKED else b""
        )
    except Busy:
        raise TooMany("Another workbook is being read. Try again in a minute.", retry_after=60) from None
    except TimeoutError:
        answer = b""
    first, _, text = answer.partition(b"\n")
    told = json.loads(first or b"{}")
    if told.get("unsolved"):
        raise Invalid("The workbook has formulas that were never worked out.", at=("csv", UNSOLVED))
    if not text.strip(b", \r\n"):
        raise Invalid("This is no text file.", at=("csv", SAVE_AS))
    return text, _remarks(told)


def _remarks(told: dict[str, Any]) -> list[str]:
    found, others, hidden, errors = [], told["others"], told.get("hidden", 0), told.get("errors", 0)
    if others:
        named = ", ".join(f"“{each}”" for each in others[:MOST_NAMED]) + (
            " and others" if len(others) > MOST_NAMED else ""
        )
        found.append(
            f"Only the sheet “{told['sheet']}” is read, not {named}. To import another one, move it to the front, save, and choose the file again."
        )
    if hidden:
        rows = (
            "1 row of the sheet is hidden, as by a filter, and is"
            if hidden == 1
            else f"{hidden:,} rows of the sheet are hidden, as by a filter, and are"
        )
        found.append(
            f"{rows} read too. To leave out what is hidden, copy what you see into a new workbook and choose that."
        )
    if errors:
        cells = (
            "1 cell of the sheet has an error such as #REF! or #N/A, and is"
            if errors == 1
            else f"{errors:,} cells of the sheet have errors such as #REF! or #N/A, and are"
        )
        found.append(f"{cells} read as empty.")
    return found


def _unpacked(content: bytes) -> int:
    """How many bytes an archive says that it has unpacked; one that lies runs into the limits of the process."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return sum(each.file_size for each in archive.infolist())
    except zipfile.BadZipFile:
        return 0
