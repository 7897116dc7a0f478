"""Files that hold contacts and are no table, and what to do about each."""

import re
from collections.abc import Mapping

PACKED = (b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
"""How packed files begin that are never workbooks."""
UNPACK = "This is a packed file. Unpack it, and choose the file that is in it."
WAYS_OUT: Mapping[re.Pattern[str], str] = {
    re.compile("BEGIN:VCARD", re.IGNORECASE): "This is a file of address cards (vCard). Open it in a program of contacts, such as Google Contacts, export the contacts there as CSV, and choose that file.",
    re.compile("BEGIN:VCALENDAR", re.IGNORECASE): "This is a calendar, and no list of contacts. Choose a file with a heading and a line for each contact.",
    re.compile(r"(?:version: *\d+\s+)?dn::? ", re.IGNORECASE): "This is an address book in LDIF. Export it as CSV (in Thunderbird: “Comma Separated”), and choose that file.",
    re.compile(r"\{\\rtf"): "This is a text document, and no table. Save the table in it as CSV, in UTF-8 where that can be chosen.",
    re.compile(r"\[?\s*\{\s*[\"}]|\[\s*\[\s*\""): "This is JSON, as programs send it to each other. Export the contacts as CSV or as an Excel workbook (.xlsx), and choose that file.",
    re.compile(r"<(?:!--|(?:!doctype|\?xml|html|head|body|meta|style|table)\b)", re.IGNORECASE): "This is a web page or XML, whatever its name ends with. Open it in a spreadsheet, save it as CSV or as an Excel workbook (.xlsx), and choose that file.",
}  # fmt: skip
"""How such a file begins → what to do."""


def way_out(head: str) -> str | None:
    """What to do about a file that begins like this; None for what may be a table."""
    begin = head.lstrip("\ufeff\r\n\t ")
    return next((words for beginning, words in WAYS_OUT.items() if beginning.match(begin)), None)
