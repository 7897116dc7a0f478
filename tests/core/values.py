"""A value of every kind that the expression language knows, and roots to look at them."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from console.core.expressions.operands import UNKNOWN

NOW = datetime(2026, 5, 31, 22, 30, tzinfo=UTC)
UID = "6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e"
VALUES: dict[str, Any] = {
    "missing": UNKNOWN,
    "null": None,
    "true": True,
    "int": 3,
    "zero": 0,
    "decimal": Decimal("2.50"),
    "number": "12.5",
    "text": "Anna",
    "empty": "",
    "day": "2026-01-31",
    "moment": "2026-01-31T10:00:00Z",
    "date": date(2026, 1, 31),
    "datetime": datetime(2026, 1, 31, 10, tzinfo=UTC),
    "time": time(9, 30),
    "duration": timedelta(days=2),
    "uuid": UUID(UID),
    "list": ["a", 1],
    "nothing": [],
    "object": {"a": 1},
}


def record(**values: Any) -> dict[str, Any]:
    """Roots whose record has these values; what is unknown is not there."""
    return {
        "record": {name: value for name, value in values.items() if value is not UNKNOWN},
        "currentUser": {},
        "now": NOW,
    }
