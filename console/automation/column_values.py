"""Values of a column that grows with every change: moments, days or numbers, as JSON."""

import hashlib
import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from console.core.expressions.operands import moment_of
from console.records import source_zones

OVERLAP = timedelta(seconds=30)
OVERLAP_NUMBER = 1000
DAY = len("2026-11-20")


def before(value: Any, zone: str = "") -> Any:
    """The value from which a look reads again: half a minute, or a thousand numbers, earlier. Days, and an hour that comes twice, are read again as a whole."""
    moment = moment_of(value) if isinstance(value, str) and len(value) > DAY else None
    if isinstance(moment, datetime):
        text = (source_zones.earliest(moment, zone) - OVERLAP).isoformat()
        return text.replace("+00:00", "Z") if isinstance(value, str) and value.endswith("Z") else text
    if isinstance(value, int):
        return value - OVERLAP_NUMBER
    if isinstance(value, str) and "-" not in value[1:]:
        return str(Decimal(value) - OVERLAP_NUMBER)
    return value


def comes_again(value: Any, zone: str) -> datetime | None:
    """For a moment that the clocks of the zone show twice: when they surely no longer do."""
    moment = moment_of(value) if zone and isinstance(value, str) else None
    if not isinstance(moment, datetime) or (earliest := source_zones.earliest(moment, zone)) == moment:
        return None
    return moment + (moment - earliest)


def fingerprint(key: str, value: Any) -> str:
    """What tells a row with this value of the column from itself after the next change."""
    return hashlib.sha256(json.dumps([key, value], sort_keys=True, default=str).encode()).hexdigest()[:20]


def place(value: Any) -> tuple[int, Any]:
    """What a value of the column is ordered by; it is a moment, a day or a number, as JSON."""
    if isinstance(value, str) and "-" in value[1:] and (moment := moment_of(value)) is not None:
        return 2, moment
    try:
        return 1, Decimal(str(value))
    except ArithmeticError:
        return 0, str(value)
