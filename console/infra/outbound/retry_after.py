"""How long an answer asks to wait: its header `Retry-After`, as seconds or as a moment. Source: RFC 9110 section 10.2.3."""

import email.utils
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

LONGEST = timedelta(days=1)
"""What is asked for beyond that is not waited: the next try finds out."""


def seconds(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that one is asked to wait; None where it says nothing that can be read. Names of headers are in small letters. What is absurd stays absurd."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if re.fullmatch(r"[0-9]{1,400}(\.[0-9]{1,20})?", text):
            return float(text) / unit
    try:
        at = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    moment = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def pause(own: timedelta, wait_s: float | None) -> timedelta:
    """The pause before the next try: our own, or longer where the other side asked for that; at most a day where it did."""
    return max(own, timedelta(seconds=min(wait_s or 0.0, LONGEST.total_seconds())))
