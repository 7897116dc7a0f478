"""Types of files that people may upload: name, media type and file name endings."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

FileKind: TypeAlias = Literal["pdf", "png", "jpeg", "text", "csv", "docx", "xlsx"]


@dataclass(frozen=True, slots=True)
class Medium:
    """A type of file. `label` is for people, `endings` are possible ends of its name, with the dot."""

    label: str
    media_type: str
    endings: tuple[str, ...]


_OFFICE = "application/vnd.openxmlformats-officedocument."
MEDIA: Mapping[str, Medium] = MappingProxyType(
    {
        "pdf": Medium("PDF", "application/pdf", (".pdf",)),
        "png": Medium("PNG picture", "image/png", (".png",)),
        "jpeg": Medium("JPEG picture", "image/jpeg", (".jpg", ".jpeg")),
        "text": Medium("plain text", "text/plain", (".txt",)),
        "csv": Medium("CSV table", "text/csv", (".csv",)),
        "docx": Medium("Word document", f"{_OFFICE}wordprocessingml.document", (".docx",)),
        "xlsx": Medium("Excel workbook", f"{_OFFICE}spreadsheetml.sheet", (".xlsx",)),
    }
)
USUAL: tuple[FileKind, ...] = ("pdf", "png", "jpeg")
"""Accepted types if a step names none."""

DRAWN = frozenset({"application/pdf", "image/png", "image/jpeg"})
"""Media types whose pages can be shown as pictures."""

VALUE = ("file", "name", "media_type", "sha256", "bytes")
"""The keys of a file value in a run."""


def label_of(media_type: str) -> str:
    """The label of a media type: `PNG picture`; `File` for one that is not ours."""
    return next((one.label for one in MEDIA.values() if one.media_type == media_type), "File")


def types_in_words(kinds: Iterable[str]) -> str:
    """The types in words: `PDF, PNG picture or JPEG picture`."""
    labels = [MEDIA[kind].label for kind in kinds]
    return " or ".join([", ".join(labels[:-1]), labels[-1]] if len(labels) > 1 else labels)


def endings(kinds: Iterable[str]) -> str:
    """The value of `accept` for a file input: `.pdf,.png`."""
    return ",".join(ending for kind in kinds for ending in MEDIA[kind].endings)


def size(count: int) -> str:
    """Number of bytes in words: `812 bytes`, `24 KB`, `1.4 MB`."""
    if count < 1000:
        return f"{count} bytes"
    return f"{round(count / 1000)} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


ID = re.compile(r"fil_[0-9a-hjkmnp-z]{26}")
DIGEST = re.compile(r"[0-9a-f]{64}")


def is_value(value: Any) -> bool:
    """Whether this has the form of a file in a run: `{"file", "name", "media_type", "sha256", "bytes"}`. Does not check that the file exists."""
    return (
        isinstance(value, dict)
        and set(value) == set(VALUE)
        and file_id_of(value) is not None
        and all(isinstance(value[name], str) for name in ("name", "media_type", "sha256"))
        and DIGEST.fullmatch(value["sha256"]) is not None
        and isinstance(value["bytes"], int)
        and not isinstance(value["bytes"], bool)
        and value["bytes"] >= 0
    )


def file_id_of(value: Any) -> str | None:
    """The file id in a value, which is an id or a file value; None otherwise."""
    found = value.get("file") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) and ID.fullmatch(found) else None


def holds_any(value: Any) -> bool:
    """Whether the JSON value contains a file value at any depth."""
    if isinstance(value, Mapping):
        return is_value(value) or any(map(holds_any, value.values()))
    return isinstance(value, list) and any(map(holds_any, value))


def ids_in(value: Any) -> set[str]:
    """Ids of the files in a value, which may be an object or a list of them."""
    if is_value(value):
        return {str(value["file"])}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {found for part in inner for found in ids_in(part)}
