"""Values of another program's delivery as the fields of the start take them: such programs send numbers where people see a text, count seconds, and leave out the time zone."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from console.core.documents.workflow import Workflow
from console.core.expressions.operands import Spelled
from console.core.forms import TEXTS
from console.core.moments import only_day

THOUSANDTHS = 100_000_000_000
"""From here on a count since 1970 is one of thousandths of seconds."""
MOST = 10**30
"""A larger number is no name or telephone number of anything."""
SINCE = 100_000_000
"""A number below is no moment of 1973 or later: rather a year, or a day."""
_WITHOUT_ZONE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?")


def fitted(document: Workflow, given: Mapping[str, Any], zone: str = "UTC") -> dict[str, Any]:
    """What is given, a number for a text as its digits, a count of seconds or thousandths of them for a moment as the moment, and of a moment for a day the day in it.

    A moment that the sender wrote without a time zone is one of `zone`: it cannot be asked to write another.
    """
    types = {str(entry["name"]): str(entry.get("type") or "text") for entry in document.start.config.get("fields", ())}
    return {name: _fitted(types[name], value, zone) if name in types else value for name, value in given.items()}


def _fitted(kind: str, value: Any, zone: str) -> Any:
    number = value.plain if isinstance(value, Spelled) else str(value) if isinstance(value, int) and abs(value) < MOST else ""
    if number and not isinstance(value, bool) and len(number) <= len(str(MOST)) and "e" not in number.lower():
        if kind in TEXTS or kind == "enum":
            return number
        at = _counted(number) if kind in ("date", "datetime") else None
        return value if at is None else at[: len("2026-01-01")] if kind == "date" else at
    if kind == "datetime" and isinstance(value, str):
        return _with_zone(value.strip(), zone) or value
    return only_day(value) if kind == "date" and isinstance(value, str) else value


def _with_zone(text: str, zone: str) -> str | None:
    """The moment in UTC that a time without a zone means in this zone, of two by the clock the first; None for any other text, and one of no day."""
    if not _WITHOUT_ZONE.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return None


def _counted(number: str) -> str | None:
    count = Decimal(number)
    if not SINCE <= count < THOUSANDTHS * 100:
        return None
    seconds = float(count / 1000 if count >= THOUSANDTHS else count)
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
