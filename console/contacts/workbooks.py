"""Workbooks of spreadsheets as CSV, read by a process of its own (`workbook_process.py`), which may fall over, run for ever or eat memory without harm to us."""

import io
import zipfile
from pathlib import Path

from console.errors import Invalid, TooMany
from console.files.confined_process import Busy, Confined

BEGIN = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of spreadsheets begin, new ones and old ones, and archives."""
MOST_BYTES, MOST_UNPACKED = 64 << 20, 512 << 20
SAVE_AS = "This cannot be read as a workbook: it is none, has a password, has nothing in its sheets, or is too large. Open it, save it as “CSV UTF-8”, and choose that file."
_read = Confined(Path(__file__).with_name("workbook_process.py"), memory=1 << 30, cpu_s=60, seconds=60.0, at_once=1)


def as_csv(content: bytes) -> bytes:
    """The first sheet that has anything in it, as CSV in UTF-8. Raises Invalid for what cannot be read, TooMany while another is read."""
    try:
        text = _read.ask(content) if len(content) <= MOST_BYTES and _unpacked(content) <= MOST_UNPACKED else b""
    except Busy:
        raise TooMany("Another workbook is being read. Try again in a minute.", retry_after=60) from None
    except TimeoutError:
        text = b""
    if not text.strip(b", \r\n"):
        raise Invalid("This is no text file.", at=("csv", SAVE_AS))
    return text


def _unpacked(content: bytes) -> int:
    """How many bytes an archive says that it has unpacked; one that lies runs into the limits of the process."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return sum(each.file_size for each in archive.infolist())
    except zipfile.BadZipFile:
        return 0
