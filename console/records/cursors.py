"""Cursors: the start or end of a page as an opaque text, made of the sort value and the key of the record there.

A cursor has no row number, so added or deleted records elsewhere do not shift it. It is signed, and valid for one collection in one order.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from console.core.errors import Malformed
from console.infra import settings
from console.records.values import span_text

SEAL_BYTES = 16
LONGEST_TEXT = 500
LONGEST = 8_000


@dataclass(frozen=True, slots=True)
class Beginning:
    """The first letters of a text that is too long for a cursor; the whole text is in the record."""

    text: str


TAGS: dict[str, Any] = {
    "n": Decimal,
    "f": float,
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "c": time.fromisoformat,
    "u": UUID,
    "b": bytes.fromhex,
    "l": Beginning,
}


def write(collection_id: str, order: str, place: Sequence[Any]) -> str:
    """The cursor of the record with these sort and key values, as the driver gave them.

    A long text in front of the key is shortened to its beginning.
    """
    first = place[0] if place else None
    if len(place) > 1 and isinstance(first, str) and len(first) > LONGEST_TEXT:
        place = [Beginning(first[:LONGEST_TEXT]), *place[1:]]
    body = json.dumps(
        [collection_id, order, [_packed(value) for value in place]], ensure_ascii=False, separators=(",", ":")
    )
    packed = body.encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(_seal(packed) + packed).decode().rstrip("=")


def read(cursor: str, collection_id: str, order: str, length: int) -> list[Any]:
    """The `length` values of the cursor. Raises Malformed for a changed or cut cursor, or one of another list."""
    try:
        if len(cursor) > LONGEST:
            raise ValueError("too long")
        raw = base64.b64decode(
            cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True
        )
        seal, body = raw[:SEAL_BYTES], raw[SEAL_BYTES:]
        if not hmac.compare_digest(seal, _seal(body)):
            raise ValueError("changed")
        whose, ordered, place = json.loads(body)
        if whose != collection_id or ordered != order or len(place) != length:
            raise ValueError("another list")
        return [TAGS[value[0]](value[1]) if isinstance(value, list) else value for value in place]
    except ValueError:
        reason = "This cursor does not belong to this list. Start again at the first page."
        raise Malformed(reason, at="after") from None


def _seal(body: bytes) -> bytes:
    return hmac.new(b"cursor|" + settings.current().secret_key.encode(), body, hashlib.sha256).digest()[
        :SEAL_BYTES
    ]


def _packed(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return ["n", str(value)]
        case float():
            return ["f", repr(value)]
        case datetime():
            return ["t", value.isoformat()]
        case date():
            return ["d", value.isoformat()]
        case time():
            return ["c", value.isoformat()]
        case UUID():
            return ["u", str(value)]
        case bytes():
            return ["b", value.hex()]
        case Beginning():
            return ["l", value.text]
        case timedelta():
            return span_text(value)
    return str(value)
