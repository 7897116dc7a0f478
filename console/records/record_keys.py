"""Record keys: one opaque text for the primary key, safe as one segment of a path.

A key of one column is its value if that is safe (`17`, `ch_0042`). Everything else (several columns, a slash, a blank, the empty text) is
`~` and base64url of the JSON list of values. Each record has exactly one key: after reading by key, compare with the key of the record that
was found, so that other spellings (`017`) do not match.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from console.core.documents.collections import Collection, Field
from console.core.errors import NotFound
from console.records import values

PLAIN = re.compile(r"[A-Za-z0-9_@:][A-Za-z0-9_.@:-]{0,254}")
LONGEST = 2_000
AS_SHOWN, CALENDAR = frozenset({"other", "binary"}), frozenset({"date", "datetime", "time"})


def encode(parts: Sequence[Any]) -> str | None:
    """The key of a record with these JSON key values; None if one is null or there are none."""
    if not parts or any(part is None for part in parts):
        return None
    texts = [str(part).lower() if isinstance(part, bool) else str(part) for part in parts]
    if len(texts) == 1 and PLAIN.fullmatch(texts[0]):
        return texts[0]
    packed = json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return "~" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def key_of_value(value: str) -> str:
    """The key of the record whose only key column has this value."""
    return encode([value]) or value


def value_of_key(key: str) -> str:
    """The value of the only key column of the record with this key, which is what references to it hold; the key itself where there are several."""
    texts = _texts(key)
    return texts[0] if texts is not None and len(texts) == 1 else key


def key_words(key: str) -> str:
    """The values of a key, for people who cannot be told what the record is called."""
    return ", ".join(_texts(key) or [key])


def decode(collection: Collection, key: str) -> tuple[Any, ...]:
    """The values of the key columns in the driver's form. Raises NotFound for a text that cannot be a key of the collection."""
    if not collection.key or len(key) > LONGEST:
        raise NotFound
    texts = _texts(key)
    if texts is None or len(texts) != len(collection.key):
        raise NotFound
    fields = [collection.by_name[name] for name in collection.key]
    try:
        return tuple(
            _part(collection.dialect, field, text) for field, text in zip(fields, texts, strict=True)
        )
    except values.Unfit:
        raise NotFound from None


def _part(dialect: str, field: Field, text: str) -> Any:
    """One part of a key in the form in which it is compared. Untyped files may have values of another kind than the column's."""
    if field.stored not in AS_SHOWN:
        try:
            return values.bound(dialect, field, values.from_text(field, text))
        except values.Unfit:
            if not values.storable(text) or field.stored not in CALENDAR:
                raise
    return values.raw(field, text)


def key_of(collection: Collection, row: Mapping[str, Any]) -> str | None:
    """The key of a record from its JSON values, which include the key columns."""
    return encode([row.get(name) for name in collection.key])


def _texts(key: str) -> list[str] | None:
    if not key.startswith("~"):
        return [key] if PLAIN.fullmatch(key) else None
    try:
        body = key[1:].encode("ascii")
        unpacked = json.loads(
            base64.b64decode(body + b"=" * (-len(body) % 4), altchars=b"-_", validate=True).decode(
                "utf-8", "surrogatepass"
            )
        )
    except (ValueError, binascii.Error, RecursionError):
        return None
    return (
        unpacked if isinstance(unpacked, list) and all(isinstance(text, str) for text in unpacked) else None
    )
