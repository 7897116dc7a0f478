"""Moments as text for programs."""

from datetime import UTC, datetime
from typing import overload


@overload
def moment_text(at: datetime) -> str: ...
@overload
def moment_text(at: None) -> None: ...
def moment_text(at: datetime | None) -> str | None:
    """An aware moment as programs read it: RFC 3339 in UTC with microseconds."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
