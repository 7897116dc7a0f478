"""Moments as text for programs, names of time zones, and where a day begins in one."""

from contextvars import ContextVar
from datetime import UTC, date, datetime, time
from typing import overload
from zoneinfo import ZoneInfo

READER_ZONE: ContextVar[str | None] = ContextVar("reader_zone", default=None)
"""Zone of the person that a request is for; None for a job or a command."""


def spoken_moment(at: datetime) -> str:
    """An aware moment as a sentence says it, such as 20 Nov, 16:05: in the zone of the person whom it is for, else in UTC and saying so."""
    zone = READER_ZONE.get()
    there = at.astimezone(ZoneInfo(zone) if zone else UTC)
    return f"{there.day} {there:%b, %H:%M}{'' if zone else ' UTC'}"


@overload
def moment_text(at: datetime) -> str: ...
@overload
def moment_text(at: None) -> None: ...
def moment_text(at: datetime | None) -> str | None:
    """An aware moment as programs read it: RFC 3339 in UTC with microseconds."""
    return (
        None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    )


def midnight(day: date, zone: str) -> datetime:
    """When the day begins in the time zone, in UTC; at the ends of the calendar, where that is no moment, when it begins in UTC."""
    try:
        return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    except OverflowError:
        return datetime.combine(day, time(), UTC)


def midnight_text(day: date, zone: str) -> str:
    """The same as filters have it: RFC 3339 in UTC, such as 2026-06-30T21:00:00Z."""
    return midnight(day, zone).isoformat().replace("+00:00", "Z")


def is_zone(name: str) -> bool:
    """Whether this is the name of a time zone, such as Europe/Vilnius."""
    try:
        return ZoneInfo(name).key == name
    except (KeyError, ValueError, OSError):
        return False


def only_day(plain: str) -> str:
    """The day alone of a day or moment in ISO 8601, as it is written there."""
    day = plain[: len("2026-01-01")]
    try:
        datetime.fromisoformat(plain)
        return date.fromisoformat(day).isoformat()
    except ValueError:
        return plain
