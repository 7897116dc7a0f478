"""Tables that programs for iOS and macOS keep through Core Data: `ZHIKE` with `Z_PK`, `ZFIRSTNAME`, and moments in seconds since 2001.

Their names are made of the program's by a fixed rule: a Z ahead, everything in capitals. Source: Apple's Core Data, its SQLite store.
"""

import re
from collections.abc import Collection, Iterable

from console.core.documents.collections.labels import one_of

INNER = frozenset({"Z_ENT", "Z_OPT"})
"""Columns in which Core Data keeps the kind of a record and how often it was changed."""
MOMENT = "cocoa"
"""The form of numbers that count seconds since 2001."""
_JOINED = re.compile(r"Z_\d+([A-Z]+)\d*")
_ENDS = re.compile(r"(?<=ed)(at)$|(?<=[a-z]{3})(name|code|date|hash|raw|type)$")
_BEGINS = re.compile(r"^(is|has)(?=[a-z]{4})")


def kept_in(names: Collection[str]) -> bool:
    """Whether a table with these columns is one of records."""
    return {"Z_PK", *INNER} <= set(names)


def joins(names: Collection[str]) -> bool:
    """Whether a table with these columns joins two of records: `Z_2HIKES`, `Z_4TAGS`."""
    return len(names) > 1 and all(map(_JOINED.fullmatch, names))


def words(name: str) -> str:
    """The words of a table or column: "first_name" of `ZFIRSTNAME`, "created_at" of `ZCREATEDAT`, "tags" of `Z_4TAGS`."""
    if name == "Z_PK":
        return "id"
    if not name.isupper() or not name.startswith("Z"):
        return name
    joined = _JOINED.fullmatch(name)
    plain = (joined[1] if joined else name.removeprefix("Z").lstrip("_")).lower()
    return _BEGINS.sub(r"\1_", _ENDS.sub(lambda end: f"_{end[0]}", plain))


def table_words(table: str, names: Iterable[str]) -> str | None:
    """The words of a table with these columns; None for one that is not Core Data's."""
    columns = list(names)
    if joins(columns):
        return " ".join([*(one_of(words(name)) for name in columns[:-1]), words(columns[-1])])
    return words(table) if kept_in(columns) else None
