"""Moments as text for programs, and names of time zones."""

from datetime import UTC, datetime
from typing import overload
from zoneinfo import ZoneInfo


@overload
def moment_text(at: datetime) -> str: ...
@overload
def moment_text(at: None) -> None: ...
def moment_text(at: datetime | None) -> str | None:
    """An aware moment as programs read it: RFC 3339 in UTC with microseconds."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def is_zone(name: str) -> bool:
    """Whether this is the name of a time zone, such as Europe/Vilnius."""
    try:
        return ZoneInfo(name).key == name
    except (KeyError, ValueError, OSError):
        return False
