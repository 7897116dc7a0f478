"""What a file is, told by its bytes and never by its name; what is no document is refused with a sentence for who sent it."""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Sequence

from console.core.errors import Invalid
from console.core.media import MEDIA, types_in_words
from console.infra.files import page_pictures

LONGEST_NAME = 150
HEAD = 4096
MOST_UNPACKED = 200_000_000
MOST_MEMBERS = 5_000
MOST_RATIO = 200  # unpacked to packed; office files come to 10 or 20
TOO_LARGE_UNPACKED = "“{}” unpacks to far more than it is, as files do that are made to do harm. Save it anew, or send it as PDF."
PARTS = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
_FIRST = {"pdf": b"%PDF-", "png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff"}
_MARKUP = re.compile(
    r"<(!doctype|!--|\?xml|html|head|body|script|iframe|svg|h1|div|font|table|a[\s>]|style|title|b>|p>|br|img|form|meta|link|object|embed)",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")


class Refused(Invalid):
    """A file that is not taken; the message says why and what to send instead."""

    default_code = "file_refused"


def name_of(given: str) -> str:
    """The last part of a name that a browser sent, without what a file system or a header could trip over."""
    plain = unicodedata.normalize("NFC", given).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(" " if not letter.isprintable() or letter in '"<>|:*?' else letter for letter in plain)
    kept = " ".join(kept.split()).replace(" .", ".").strip(" .")
    stem, dot, ending = kept.rpartition(".")
    return (
        kept
        if len(kept) <= LONGEST_NAME
        else f"{stem[: LONGEST_NAME - 12]}{dot}{ending[:11]}"
        if dot
        else kept[:LONGEST_NAME]
    )


def examine(content: bytes, name: str, allowed: Sequence[str]) -> tuple[str, str, int | None]:
    """(name, media type, number of pages where it can be shown) of a file of one of the `allowed` kinds. Raises Refused."""
    if not content:
        raise Refused(f"“{name}” is empty. Send the file itself.")
    if _has_too_many_members(content):
        raise Refused(TOO_LARGE_UNPACKED.format(name))
    kind = _kind(content, name)
    if kind is None or kind not in allowed:
        what = f"a {MEDIA[kind].label}" if kind else _guess(content)
        raise Refused(f"“{name}” is {what}, which is not taken here. Send it as {types_in_words(allowed)}.")
    endings = MEDIA[kind].endings
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    if ending and ending not in endings:
        raise Refused(
            f"“{name}” ends in {ending}, and its content is a {MEDIA[kind].label}. Give it its right name ({endings[0]}), or send the other file."
        )
    whole = name_of(name if ending else f"{name or 'document'}{endings[0]}")
    if kind in PARTS:
        _unpackable(content, name)
    pages = None
    if kind in _FIRST:
        try:
            pages = page_pictures.pages(content, MEDIA[kind].media_type)
        except Invalid as error:
            raise Refused(f"“{name}”: {error.message}") from None
    return whole, MEDIA[kind].media_type, pages


def media_type_of(content: bytes, name: str) -> str | None:
    """The media type that the first bytes tell, None for a kind that is not ours; the file is not opened for that."""
    kind = _kind(content, name)
    return MEDIA[kind].media_type if kind is not None else None


def _kind(content: bytes, name: str) -> str | None:
    """The kind by the bytes; text is CSV where its name says so and it can be read as such."""
    for kind, first in _FIRST.items():
        if content.startswith(first):
            return kind
    if content.startswith(b"PK\x03\x04"):
        return _office(content)
    text = _text(content)
    if text is None or _MARKUP.match(text.lstrip("\ufeff \t\r\n")[:100]):
        return None
    return "csv" if name.lower().endswith(".csv") and _is_table(text) else "text"


def _office(content: bytes) -> str | None:
    """Word or Excel by what its archive holds; one with macros is neither."""
    if _has_too_many_members(content):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = {entry.filename for entry in archive.infolist()}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return None
    if "[Content_Types].xml" not in names or any("vbaproject" in entry.lower() for entry in names):
        return None
    return next((kind for kind, part in PARTS.items() if part in names), None)


def _has_too_many_members(content: bytes) -> bool:
    """Whether it is an archive with more members than are read: already their list, of half a million, takes many seconds and 200 MB."""
    return content.startswith(b"PK\x03\x04") and content.count(b"PK\x01\x02") > MOST_MEMBERS


def _unpackable(content: bytes, name: str) -> None:
    """Raise Refused for an archive that unpacks to far more than it is. Nothing is unpacked for that beyond what its list says."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * max(len(content), 10_000):
        raise Refused(TOO_LARGE_UNPACKED.format(name))
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused(f"“{name}” is locked with a password. Send it without one.")


def _text(content: bytes) -> str | None:
    """The text, None where these bytes are none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


def _is_table(text: str) -> bool:
    try:
        return (
            any(
                len(row) > 1
                for _, row in zip(range(20), csv.reader(io.StringIO(text[:100_000])), strict=False)
            )
            or ";" in text[:1000]
        )
    except csv.Error:
        return False


def _guess(content: bytes) -> str:
    """What a file that is not taken seems to be, in words."""
    import puremagic

    text = _text(content)
    if text is not None:
        return "a web page or other markup"
    try:
        found = puremagic.magic_string(content[:HEAD])
    except (puremagic.PureError, ValueError):
        return "of a kind that nobody here knows"
    best = next((match for match in found if match.mime_type), None)
    return f"of the kind {best.mime_type}" if best else "of a kind that nobody here knows"
