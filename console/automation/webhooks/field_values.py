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

THOUSANDTHS = 100_000_000_000
"""From here on a count since 1970 is one of thousandths of seconds."""
MOST = 10**30
"""A larger number is no name or telephone number of anything."""
SINCE = 100_000_000
"""A number below is no moment of 1973 or later: rather a year, or a day."""
_COUNT = re.compile(r"\d{9,13}(\.\d{1,9})?", re.ASCII)
"""A count of seconds as a text, as forms and Slack send it."""
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d|$)", re.ASCII)


def coerce_to_field_types(document: Workflow, given: Mapping[str, Any], zone: str = "UTC") -> dict[str, Any]:
    """What is given, a number for a text as its digits, a count of seconds or thousandths of them for a moment as the moment, and of a moment for a day the day in it.

    A moment that the sender wrote without a time zone is one of `zone`: it cannot be asked to write another.
    """
    fields = {str(entry["name"]): entry for entry in document.start.config.get("fields", ())}
    return {
        name: _fitted(fields[name], value, zone) if name in fields else value for name, value in given.items()
    }


def _fitted(field: Mapping[str, Any], value: Any, zone: str) -> Any:
    kind = str(field.get("type") or "text")
    timed, text = kind in ("date", "datetime"), value.strip() if isinstance(value, str) else ""
    number = (
        value.plain
        if isinstance(value, Spelled)
        else str(value)
        if isinstance(value, int) and abs(value) < MOST
        else ""
    )
    number = text if timed and _COUNT.fullmatch(text) else number
    if number and not isinstance(value, bool) and len(number) <= len(str(MOST)) and "e" not in number.lower():
        if kind in TEXTS or kind == "enum":
            return number
        at = _counted(number) if timed else None
        return value if at is None else at[: len("2026-01-01")] if kind == "date" else at
    return _moment(kind, text, zone) or value if timed else value


def _moment(kind: str, text: str, zone: str) -> str | None:
    """The day or moment of a text in ISO form; None for any other."""
    if not _ISO.match(text):
        return None
    try:
        at = datetime.fromisoformat(text.upper())
        utc = (at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return text[: len("2026-01-01")] if kind == "date" else utc.isoformat().replace("+00:00", "Z")


def _counted(number: str) -> str | None:
    count = Decimal(number)
    if not SINCE <= count < THOUSANDTHS * 100:
        return None
    seconds = float(count / 1000 if count >= THOUSANDTHS else count)
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
