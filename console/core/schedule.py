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
from itertools import islice, takewhile
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

DAY = timedelta(days=1)
WINDOWS = (timedelta(hours=1), DAY, timedelta(days=32), timedelta(days=366 * YEARS))


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
    return (
        None if name in _zones() else f"There is no time zone {name[:60]}: write it as Europe/Vilnius or UTC."
    )


def following(cron: str, zone: str, after: datetime, count: int) -> list[datetime]:
    """The next `count` times after a moment, aware UTC; fewer where there are no more."""
    return list(islice(_times(cron, zone, after), count))


@dataclass(frozen=True, slots=True)
class Coming:
    """A time to come. `put_off`: the clocks leave it out, so it comes after the gap. `turned`: how the clocks there were turned since the time before (`forward`, `back`), empty for not."""

    at: datetime
    put_off: bool
    turned: str


def coming(cron: str, zone: str, after: datetime, count: int, first: datetime | None = None) -> list[Coming]:
    """The next `count` times after a moment with what the clocks do to them; `first` is the one that is kept already, which stands before them."""
    kept = [] if first is None else [first]
    told, before, where = [], after, ZoneInfo(zone)
    for at in [*kept, *following(cron, zone, max(after, first or after), count)][:count]:
        then, now = (each.astimezone(where).utcoffset() or timedelta(0) for each in (before, at))
        told.append(
            Coming(at, put_off(cron, zone, at), "forward" if now > then else "back" if now < then else "")
        )
        before = at
    return told


def put_off(cron: str, zone: str, at: datetime) -> bool:
    """Whether the zone leaves the time of day out on that day (the clock goes forward), so that it comes at this moment, the first after the gap."""
    wall = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return next(_walk(cron, wall - timedelta(seconds=1)), None) != wall


def due(cron: str, zone: str, missed: Missed, next_at: datetime, now: datetime) -> Due:
    """What to fire at `now`, where `next_at` is the first time that has not been looked at. All moments are aware UTC."""
    times, left_out = _latest(cron, zone, next_at, now)
    on_time = [at for at in times if at >= now - LATE]
    late = times[: len(times) - len(on_time)]
    keep = {"skip": 0, "once": 0 if on_time else 1, "all": MOST_MISSED}[missed]
    kept = late[len(late) - min(keep, len(late)) :]
    following_times = following(cron, zone, max(now, next_at), 1)
    return Due(
        (*kept, *on_time), left_out + len(late) - len(kept), following_times[0] if following_times else None
    )


def _latest(cron: str, zone: str, first: datetime, last: datetime) -> tuple[list[datetime], int]:
    """(the latest times from `first` to `last`, both included, all of them or more than can be made up for; how many earlier ones there were).

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
            return times, 0 if start == first else _how_many(cron, zone, first, start)
    return times, 0


def _how_many(cron: str, zone: str, first: datetime, before: datetime) -> int:
    """How many times there are from `first` on and before `before`. A day of 24 hours is not walked: each has as many times as another."""
    where, (minute, hour, *days) = ZoneInfo(zone), cron.split()
    day_start = datetime(2026, 1, 1)  # noqa: DTZ001 (a day without a zone has 24 hours)
    each_day = sum(
        1
        for _ in takewhile(
            lambda at: at < day_start + DAY, _walk(f"{minute} {hour} * * *", day_start - timedelta(seconds=1))
        )
    )
    found = 0
    for midnight in _walk(f"0 0 {' '.join(days)}", first.astimezone(where).replace(tzinfo=None) - DAY):
        start, end = (wall.replace(tzinfo=where).astimezone(UTC) for wall in (midnight, midnight + DAY))
        if start >= before:
            break
        if first <= start and end <= before and end - start == DAY:
            found += each_day
        else:
            end = min(end, before)
            found += sum(
                1
                for _ in takewhile(
                    lambda at: at < end,  # noqa: B023
                    _times(cron, zone, max(start, first) - timedelta(microseconds=1)),
                )
            )
    return found


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
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_NAMED = re.compile(r"[a-z]{3}")
_NUMBER = {
    name[:3].lower(): str(number)
    for names, first in ((MONTHS, 1), (DAYS, 0))
    for number, name in enumerate(names, first)
}
"""Months and days of the week as `cron` has them by name."""


def spoken(cron: str) -> str | None:
    """An everyday schedule in words; None for one that takes more than a sentence."""
    minute, hour, day, month, weekday = cron.lower().split()
    month, weekday = (
        _NAMED.sub(lambda name: _NUMBER.get(name[0], name[0]), field) for field in (month, weekday)
    )
    often, hours, months = _often(minute, hour), hour.split(","), _numbers(month)
    days = _days(day, weekday) if day == "*" or weekday == "*" else None
    if days is None or (month != "*" and not (months and all(1 <= each <= len(MONTHS) for each in months))):
        return None
    if often is None and not (minute.isdigit() and all(each.isdigit() for each in hours)):
        return None
    if month != "*":
        named = _listed([MONTHS[each - 1] for each in months])
        days = (
            f"On {int(day)} {named} of each year"
            if day.isdigit() and len(months) == 1
            else days.replace("of each month", f"of {named}")
            if "of each month" in days
            else f"{days} in {named}"
        )
    if often is None:
        return f"{days} at {_listed([f'{int(each):02}:{int(minute):02}' for each in hours])}"
    return (
        often
        if days == "Every day"
        else f"{often}, {days[0].lower() if days.startswith(('On', 'Every')) else days[0]}{days[1:]}"
    )


def _numbers(field: str) -> list[int]:
    """The numbers of a field such as 1,4 or 1-5; none where there is more in it."""
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", field):
        return []
    parts = [[int(each) for each in part.split("-")] for part in field.split(",")]
    return [each for part in parts for each in range(part[0], part[-1] + 1)]


def _often(minute: str, hour: str) -> str | None:
    """Schedules of minutes and hours."""
    span, _, step = hour.partition("/")
    bounds = _numbers(span)
    if not (span == "*" or (len(bounds) > 1 and "-" in span and "," not in span)) or (
        step and not bounds and not _even(hour, 24)
    ):
        return None
    first, last = (bounds[0], bounds[-1]) if bounds else (0, 0)
    if minute.isdigit():
        often = f"Every {int(step)} hours" if step.isdigit() else "Every hour"
        if int(minute) and (step or bounds):
            return None
        if bounds:
            return f"{often} from {first:02}:00 to {last:02}:00"
        return f"{often} at {int(minute)} minutes past" if int(minute) else often
    if step:
        return None
    if minute not in ("*", "*/1") and not _even(minute, 60):
        return None if bounds else _past_each_hour(minute)
    often = "Every minute" if minute in ("*", "*/1") else f"Every {int(minute[2:])} minutes"
    return f"{often} from {first:02}:00 to {last:02}:59" if bounds else often


def _past_each_hour(minute: str) -> str | None:
    """Minutes of each hour that are not as far from each other, as */45 of an hour are not."""
    step = minute.removeprefix("*/")
    past = (
        [str(each) for each in range(0, 60, int(step))]
        if step != minute and step.isdigit() and int(step)
        else minute.split(",")
    )
    if not (len(past) <= MOST_MINUTES and all(each.isdigit() for each in past)):
        return None
    minutes = [int(each) for each in past]
    return (
        f"Every hour at {_listed([str(each) for each in minutes])} minutes past"
        if any(minutes)
        else "Every hour"
    )


def _even(field: str, whole: int) -> bool:
    """Whether a step such as */15 is as long from each time to the next: */45 of an hour is not."""
    step = field.removeprefix("*/")
    return step != field and step.isdigit() and 1 < int(step) < whole and whole % int(step) == 0


def _days(day: str, weekday: str) -> str | None:
    """On which days of a month, or of the weeks."""
    if weekday == "*":
        named = [
            "the last day" if each == "l" else f"day {int(each)}"
            for each in day.split(",")
            if each == "l" or each.isdigit()
        ]
        return (
            "Every day"
            if day == "*"
            else f"On {_listed(named)} of each month"
            if len(named) == day.count(",") + 1
            else None
        )
    if row := re.fullmatch(r"([0-6])-([1-7])", weekday):
        return f"{DAYS[int(row[1])]} to {DAYS[int(row[2]) % 7]}"
    nth = [re.fullmatch(r"(?:l([0-7])|([0-7])#([1-5]))", each) for each in weekday.split(",")]
    if all(nth):
        found = [
            (ORDINALS[int(each[3]) - 1] if each[3] else "last", DAYS[int(each[1] or each[2]) % 7])
            for each in nth
            if each
        ]
        return f"On the {_listed([f'{_listed([which for which, on in found if on == day])} {day}' for day in dict.fromkeys(on for _, on in found)])} of each month"
    named = [DAYS[each % 7] for each in sorted(_numbers(weekday), key=lambda each: (each - 1) % 7)]
    return f"Every {_listed(named)}" if named else None


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
