"""When a schedule is due: five cron fields in a time zone. Pure: the moments to look between are given, aware UTC.

A time of day that a zone leaves out (the clock goes forward) comes at the first moment after the gap. A time that the zone has twice (the clock goes back)
comes once, the first time; a schedule whose hour is `*` or `*/n` counts hours that pass, and goes on in both. Days of month and week that are both given
are alternatives. Sources: crontab(5) of cronie, PEP 495 for gaps and folds.
"""

import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

Missed = Literal["skip", "once", "all"]
FIELDS = 5
LONGEST = 200
OF_CHANCE = re.compile(r"\?|\b[rh]\b", re.IGNORECASE)
"""Signs of other schedulers for a time by chance, which croniter reads too: the next times could not be told."""

MOST_MISSED = 10
"""So many of the times that were missed are made up for where all are asked for: the latest ones."""

LATE = timedelta(seconds=60)
"""What fires later than this was missed: no worker was there."""

SKEW = timedelta(hours=26)
"""Zones change their offset by less than this, a day left out at the date line included."""

SINCE = datetime(2026, 1, 1)  # noqa: DTZ001 (any moment does: whether the fields ever meet is looked up from there)
YEARS = 9
"""29 February comes again within eight years (1896 to 1904)."""

WINDOWS = (timedelta(hours=1), timedelta(days=1), timedelta(days=32), timedelta(days=366 * YEARS))


@dataclass(frozen=True, slots=True)
class Due:
    """What a schedule has to fire now, oldest first, how many times were left out, and when it is due next (None: never again)."""

    times: tuple[datetime, ...]
    left_out: int
    next_at: datetime | None


@lru_cache(maxsize=512)
def wrong_cron(text: str) -> str | None:
    """What is wrong with the cron fields, as a sentence; None if nothing is."""
    fields = text.split()
    if len(text) > LONGEST or len(fields) != FIELDS:
        return f"A schedule has five fields, minute, hour, day of month, month and day of week, such as 30 2 * * *; this has {len(fields)}."
    if OF_CHANCE.search(text):
        return "Only numbers, names of days and months, and the signs * , - / # L are known here."
    try:
        comes = next(_walk(text, SINCE), None)
    except (ValueError, KeyError, IndexError, OverflowError):  # croniter's own errors are ValueErrors
        return f"{text[:60]} is no schedule: look at the five fields, minute 0-59, hour 0-23, day 1-31, month 1-12, day of week 0-7."
    return None if comes is not None else f"{text} never comes: there is no such day."


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def wrong_zone(name: str) -> str | None:
    """What is wrong with the name of a zone, as a sentence; None if nothing is."""
    return None if name in _zones() else f"There is no time zone {name[:60]}: write it as Europe/Vilnius or UTC."


def following(cron: str, zone: str, after: datetime, count: int) -> list[datetime]:
    """The next `count` times after a moment, aware UTC; fewer where there are no more."""
    return list(islice(_times(cron, zone, after), count))


def due(cron: str, zone: str, missed: Missed, next_at: datetime, now: datetime) -> Due:
    """What to fire at `now`, where `next_at` is the first time that has not been looked at. All moments are aware UTC."""
    times, left_out = _latest(cron, zone, next_at, now)
    on_time = [at for at in times if at >= now - LATE]
    late = times[: len(times) - len(on_time)]
    keep = {"skip": 0, "once": 0 if on_time else 1, "all": MOST_MISSED}[missed]
    kept = late[len(late) - min(keep, len(late)) :]
    following_times = following(cron, zone, max(now, next_at), 1)
    return Due((*kept, *on_time), left_out + len(late) - len(kept), following_times[0] if following_times else None)


def _latest(cron: str, zone: str, first: datetime, last: datetime) -> tuple[list[datetime], int]:
    """(the latest times from `first` to `last`, both included, all of them or more than can be made up for; how many earlier ones were not listed).

    An outage of months is not walked minute by minute: a longer window is looked at only where a shorter one holds too few.
    """
    times: list[datetime] = []
    for window in WINDOWS:
        start = max(first, last - window)
        times = []
        for at in _times(cron, zone, start - timedelta(microseconds=1)):
            if at > last:
                break
            times.append(at)
        if start == first or len(times) > MOST_MISSED + 2:
            return times, 0 if start == first else 1
    return times, 0


def _times(cron: str, zone: str, after: datetime) -> Iterator[datetime]:
    """All times after a moment, in order, each once."""
    where = ZoneInfo(zone)
    start = after.astimezone(where)
    steady = (after - SKEW).astimezone(where).utcoffset() == (after + SKEW).astimezone(where).utcoffset()
    local = start.replace(tzinfo=None) - (timedelta(0) if steady else SKEW)
    last = after
    try:
        for at in _moments(_walk(cron, local), where, twice=cron.split()[1].startswith("*")):
            if at > last:
                last = at
                yield at
    except OverflowError:
        return


def _walk(cron: str, after: datetime) -> Iterator[datetime]:
    """The times by the clock on the wall, without a zone; none where there is no such day. Raises ValueError for fields that cannot be read."""
    from croniter import CroniterBadDateError, croniter  # of those who need it: most processes never do

    walked = croniter(cron, after, ret_type=datetime, max_years_between_matches=YEARS)
    while True:
        try:
            yield walked.get_next(datetime).replace(tzinfo=None)
        except CroniterBadDateError:
            return


def _moments(walls: Iterator[datetime], where: ZoneInfo, *, twice: bool) -> Iterator[datetime]:
    """The moments of times by the clock on the wall, in order; `twice`: of an hour that comes twice both."""
    waiting: list[datetime] = []
    for wall in walls:
        first, second = (wall.replace(tzinfo=where, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first.astimezone(where).replace(tzinfo=None) != wall:
            first = second = _end_of_gap(second, first, where)
        while waiting and waiting[0] < first:
            yield heapq.heappop(waiting)
        yield first
        if twice and second > first:
            heapq.heappush(waiting, second)


def _end_of_gap(before: datetime, after: datetime, where: ZoneInfo) -> datetime:
    """The first moment with the later offset, to the second; `before` lies before it and `after` not."""
    later = after.astimezone(where).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle in (before, after):
            break
        before, after = (before, middle) if middle.astimezone(where).utcoffset() == later else (middle, after)
    return after


DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MOST_MINUTES = 4
ORDINALS = ("first", "second", "third", "fourth", "fifth")
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]


def spoken(cron: str) -> str | None:
    """An everyday schedule in words; None for one that takes more than a sentence."""
    minute, hour, day, month, weekday = cron.lower().split()
    if day == weekday == month == "*" and (often := _often(minute, hour)):
        return often
    hours = hour.split(",")
    if not (minute.isdigit() and all(each.isdigit() for each in hours)):
        return None
    at = f"at {_listed([f'{int(each):02}:{int(minute):02}' for each in hours])}"
    if month.isdigit() and day.isdigit() and weekday == "*" and 1 <= int(month) <= len(MONTHS):
        return f"On {int(day)} {MONTHS[int(month) - 1]} of each year {at}"
    if month != "*":
        return None
    if weekday == "*":
        return _of_month(day, at)
    return _of_week(weekday, at) if day == "*" else None


def _often(minute: str, hour: str) -> str | None:
    """Schedules of minutes and hours."""
    if hour != "*":
        return f"Every {int(hour[2:])} hours" if minute == "0" and _even(hour, 24) else None
    if minute in ("*", "*/1"):
        return "Every minute"
    if _even(minute, 60):
        return f"Every {int(minute[2:])} minutes"
    step = minute.removeprefix("*/")
    past = [str(each) for each in range(0, 60, int(step))] if step != minute and step.isdigit() else minute.split(",")
    if not (len(past) <= MOST_MINUTES and all(each.isdigit() for each in past)):
        return None
    minutes = [int(each) for each in past]
    return f"Every hour at {_listed([str(each) for each in minutes])} minutes past" if any(minutes) else "Every hour"


def _even(field: str, whole: int) -> bool:
    """Whether a step such as */15 is as long from each time to the next: */45 of an hour is not."""
    step = field.removeprefix("*/")
    return step != field and step.isdigit() and 1 < int(step) < whole and whole % int(step) == 0


def _of_month(day: str, at: str) -> str | None:
    if day == "*":
        return f"Every day {at}"
    if day == "l":
        return f"On the last day of each month {at}"
    return f"On day {int(day)} of each month {at}" if day.isdigit() else None


def _of_week(weekday: str, at: str) -> str | None:
    if weekday in ("1-5", "mon-fri"):
        return f"Monday to Friday {at}"
    which, mark, number = weekday.partition("#")
    if mark and which.isdigit() and number.isdigit() and 1 <= int(number) <= len(ORDINALS):
        return f"On the {ORDINALS[int(number) - 1]} {DAYS[int(which) % 7]} of each month {at}"
    named = weekday.split(",")
    return f"Every {_listed([DAYS[int(each) % 7] for each in named])} {at}" if all(each.isdigit() for each in named) else None


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
