"""Values of types that the console has no form for, as a person reads them: sets, positions and shapes, search vectors."""

import re
import struct
from typing import Any

SHAPES = ("geometry", "geography", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection")
"""Types of MySQL and PostGIS whose values are well-known binary."""
_NAMES = {4: ("point", "points"), 5: ("line", "lines"), 6: ("area", "areas"), 7: ("shape", "shapes")}
_LEXEME = re.compile(r"'((?:[^']|'')*)'")
SRID_BYTES = 4


def set_list(value: Any) -> Any:
    """The chosen words of a MySQL SET, in the order of its type."""
    return [word for word in value.split(",") if word] if isinstance(value, str) else value


def lexemes(value: Any) -> Any:
    """The words of a tsvector without their places."""
    return ", ".join(word.replace("''", "'") for word in _LEXEME.findall(value)) if isinstance(value, str) else value


def shape_words(value: Any) -> Any:
    """A position as its numbers, other shapes by kind and size: "13.4, 52.5", "Line of 5 points". Values that cannot be read stay as they are.

    PostGIS sends well-known binary as hexadecimal text, MySQL as bytes after four of a reference system.
    """
    try:
        return _shape(bytes.fromhex(value) if isinstance(value, str) else bytes(value)[SRID_BYTES:])
    except (ValueError, IndexError, TypeError, struct.error):
        return value if isinstance(value, str) else None


def _shape(held: bytes) -> str:
    order = "<" if held[0] else ">"
    (code,) = struct.unpack_from(f"{order}I", held, 1)
    kind, at = code & 0xFF, 9 if code & 0x20000000 else 5
    if kind > max(_NAMES) or (code & 0x1FFFFFFF) >= 1000:
        kind = (code & 0x1FFFFFFF) % 1000
    if kind == 1:
        return ", ".join(f"{number:.10g}" for number in struct.unpack_from(f"{order}2d", held, at))
    (count,) = struct.unpack_from(f"{order}I", held, at)
    if kind == 2:
        return f"Line of {count} points"
    if kind == 3:
        corners = struct.unpack_from(f"{order}I", held, at + 4)[0] - 1 if count else 0
        return f"Area of {corners} corners"
    one, several = _NAMES.get(kind, ("shape", "shapes"))
    return f"{count} {one if count == 1 else several}"
