"""Values of a column that grows with every change: moments, days or numbers, as JSON."""

import hashlib
import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from console.core.counted_moments import count, counting, is_counted, moment
from console.core.documents.collections import Field
from console.core.expressions.operands import moment_of, moment_text
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


def written_as(value: Any, field: Field, at: datetime) -> Any:
    """The moment as the column, which holds this value, would hold it."""
    if is_counted(field):
        return count(counting(str(field.widget), value), at, whole=field.stored == "integer")
    return at.date().isoformat() if isinstance(value, str) and len(value) == DAY else moment_text(at)


def moment_in(value: Any, field: Field) -> datetime | None:
    """The moment that this value of the column is; None for none."""
    return moment(str(field.widget), value) if is_counted(field) else moment_of(value)


def is_ahead(value: Any, field: Field, now: datetime) -> bool:
    """Whether the value is a moment or a day that has not come yet."""
    counted = is_counted(field)
    if value is None or not (counted or field.stored in ("datetime", "date")):
        return False
    return place(value) > place(written_as(value, field, now))


def is_deleted(value: Any) -> bool:
    """Whether this value of the column for deletions says that the row is deleted: 0 and an empty text say that it is not."""
    kind, reached = place(value)
    return kind == 2 or (kind == 1 and reached > 0)


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
