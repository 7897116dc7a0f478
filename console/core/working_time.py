"""Working time: seconds between two moments that fall into the hours in which somebody works, and the moment when so many have passed.

Hours are those of a zone's clocks: on the days when clocks change, an hour that is missing is not worked, one that comes twice is worked twice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST = timedelta(days=3660)
MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of work: the same on each of the `days` (0 is Monday), from `opens` to `closes` (midnight: the end of the day), not on `holidays`."""

    zone: str = "UTC"
    days: frozenset[int] = frozenset(range(7))
    opens: time = MIDNIGHT
    closes: time = MIDNIGHT
    holidays: frozenset[date] = frozenset()


def _worked(hours: Hours, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The stretches of work between two moments, in UTC, in order."""
    zone = ZoneInfo(hours.zone)
    day = begin.astimezone(zone).date()
    while (opened := datetime.combine(day, hours.opens, zone).astimezone(UTC)) < end:
        last = day + timedelta(days=1) if hours.closes == MIDNIGHT else day
        closed = datetime.combine(last, hours.closes, zone).astimezone(UTC)
        if day.weekday() in hours.days and day not in hours.holidays:
            stretch = max(opened, begin), min(closed, end)
            if stretch[0] < stretch[1]:
                yield stretch
        day += timedelta(days=1)


def worked_seconds(
    hours: Hours, begin: datetime, end: datetime, without: Iterable[tuple[datetime, datetime]] = ()
) -> float:
    """Seconds of work from `begin` to `end`, less those within the stretches `without`, which may overlap."""
    total, at = 0.0, begin
    for since, until in [*sorted(without), (end, end)]:
        if since > at:
            total += sum(
                (closed - opened).total_seconds() for opened, closed in _worked(hours, at, min(since, end))
            )
        at = max(at, until)
    return total


def after(hours: Hours, begin: datetime, seconds: float) -> datetime:
    """The moment when so many seconds of work have passed since `begin`; ten years later where nobody ever works so long."""
    left, latest = seconds, begin + LONGEST
    for opened, closed in _worked(hours, begin.astimezone(UTC), latest):
        length = (closed - opened).total_seconds()
        if length >= left:
            return opened + timedelta(seconds=left)
        left -= length
    return latest
