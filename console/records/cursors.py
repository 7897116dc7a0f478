"""Where a page of a list ends or begins, as an opaque text: the values of the sorted column and the key of the record that stands there.

It names no position by number, so that records that come or go elsewhere move nothing; it is signed, so that one that was changed is
refused, and it belongs to one collection in one order.
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

from console import settings
from console.errors import Malformed
from console.records.values import span_text

SEAL_BYTES = 16
LONGEST_TEXT = 500
LONGEST = 8_000


@dataclass(frozen=True, slots=True)
class Beginning:
    """The first letters of a text that is too long to be carried along: the whole stands in the record."""

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
    """The cursor of the record whose sorted values and key values (as the driver gave them) these are.

    Of a long text in front of a key only the beginning is kept.
    """
    first = place[0] if place else None
    if len(place) > 1 and isinstance(first, str) and len(first) > LONGEST_TEXT:
        place = [Beginning(first[:LONGEST_TEXT]), *place[1:]]
    body = json.dumps([collection_id, order, [_packed(value) for value in place]], ensure_ascii=False, separators=(",", ":"))
    packed = body.encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(_seal(packed) + packed).decode().rstrip("=")


def read(cursor: str, collection_id: str, order: str, length: int) -> list[Any]:
    """The values again, so many. Raises Malformed for a cursor that was changed, cut, or made for another list."""
    try:
        if len(cursor) > LONGEST:
            raise ValueError("too long")
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        seal, body = raw[:SEAL_BYTES], raw[SEAL_BYTES:]
        if not hmac.compare_digest(seal, _seal(body)):
            raise ValueError("changed")
        whose, ordered, place = json.loads(body)
        if whose != collection_id or ordered != order or len(place) != length:
            raise ValueError("another list")
        return [_unpacked(value) for value in place]
    except ValueError:
        reason = "This cursor does not belong to this list. Start again at the first page."
        raise Malformed(reason, details=[{"field": "after", "reason": reason}]) from None


def _seal(body: bytes) -> bytes:
    return hmac.new(b"cursor|" + settings.current().secret_key.encode(), body, hashlib.sha256).digest()[:SEAL_BYTES]


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


def _unpacked(value: Any) -> Any:
    return TAGS[value[0]](value[1]) if isinstance(value, list) else value
