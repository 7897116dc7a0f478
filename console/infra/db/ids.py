"""New identifiers: time-ordered, drawn in Python because older servers cannot."""

import os
import time
from collections import deque
from datetime import datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def uuid7() -> int:
    """A UUID version 7 (RFC 9562) as a number: 48 bits of milliseconds since 1970, then random bits."""
    return (time.time_ns() // 1_000_000 << 80) | int.from_bytes(_random_ten()) & _DRAWN | _FIXED


_TENS = 64
_tens: deque[bytes] = deque()
"""Random bytes for the next identifiers, ten for each; a process that was forked draws its own."""
os.register_at_fork(after_in_child=_tens.clear)


def _random_ten() -> bytes:
    """Ten random bytes, drawn with those of others: each call for random bytes lets other threads go first."""
    while True:
        try:
            return _tens.popleft()
        except IndexError:
            random = os.urandom(10 * _TENS)
            _tens.extend([random[at : at + 10] for at in range(0, len(random), 10)])


def uuid7_text() -> str:
    """A UUID version 7 as it is written."""
    return _spelled(f"{uuid7():032x}")


def uuid7_texts(count: int) -> list[str]:
    """So many of them, with one call for all random bytes: each call lets other threads go first."""
    random, stamp = os.urandom(10 * count), f"{time.time_ns() // 1_000_000:012x}"
    texts = [
        f"{stamp}{int.from_bytes(random[at : at + 10]) & _DRAWN | _FIXED:020x}"
        for at in range(0, 10 * count, 10)
    ]
    return [_spelled(text) for text in texts]


def _spelled(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_DRAWN = (0xFFF << 64) | (1 << 62) - 1
_FIXED = (7 << 76) | (2 << 62)


def new_id(kind: str) -> str:
    """`kind_` and 26 characters of base 32, ordered by time: `run_01jd…`."""
    return _written(kind, uuid7())


def id_at(kind: str, at: datetime) -> str:
    """The lowest identifier of that moment: those drawn later are higher."""
    return _written(kind, int(at.timestamp() * 1000) << 80)


def _written(kind: str, number: int) -> str:
    return f"{kind}_{''.join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])}"


_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]
_SHIFTS = range(120, -1, -10)
