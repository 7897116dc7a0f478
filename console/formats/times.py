"""Moments, days and durations in words, in the person's zone."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from markupsafe import Markup, escape

from console.core.moments import only_day
from console.formats.codes import city_of
from console.formats.kinds import EMPTY, Look

DAY = len("2026-11-20")
WORDS = "en"
"""The language of pages: a reader's own is that of numbers and dates."""
ZERO, NO_DAY = "0000-00-00", "No date"
"""What MySQL keeps instead of a day that is not known, and what people read."""


def moment_of(value: Any) -> datetime | None:
    """Return an aware moment from a datetime or RFC 3339 text; None for anything else."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def within(at: datetime, zone: str) -> datetime:
    """Return the moment in the zone, or unchanged if it is out of range there (databases use 9999-12-31 for "never")."""
    try:
        return at.astimezone(ZoneInfo(zone))
    except OverflowError:
        return at


def worded(at: datetime, shape: str, look: Look) -> str:
    """Format the moment in the reader's zone and locale; `shape` is a CLDR pattern."""
    return _worded_in(at, shape, look.locale, look.zone)


@lru_cache(maxsize=8192)
def _worded_in(at: datetime, shape: str, locale: str, zone: str) -> str:
    there = within(at, zone)
    return format_datetime(there.replace(tzinfo=None), shape, locale=locale) + (
        _repeated_offset(there) if "HH" in shape else ""
    )


def _repeated_offset(there: datetime) -> str:
    """Which of the two it is, where the clocks go back and show an hour twice: " (UTC+2)"; empty at any other time."""
    offset = there.utcoffset()
    if offset is None or there.replace(fold=0).utcoffset() == there.replace(fold=1).utcoffset():
        return ""
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f" (UTC{'+' if minutes >= 0 else '-'}{hours}{f':{rest:02}' if rest else ''})"


@lru_cache(maxsize=8192)
def day_words(value: str, locale: str) -> str:
    """Return a day in words; anything else is returned unchanged."""
    try:
        return format_date(date.fromisoformat(only_day(value)), "d MMM y", locale=locale)
    except ValueError:
        return NO_DAY if value.startswith(ZERO) else value


@lru_cache(maxsize=2048)
def month_words(value: str, locale: str, *, year: bool = False) -> str:
    """Return the month of a day, in short, and on demand its year; anything else is returned unchanged."""
    try:
        return format_date(date.fromisoformat(only_day(value)), "MMM y" if year else "MMM", locale=locale)
    except ValueError:
        return value


@lru_cache(maxsize=8192)
def moment_words(value: str, locale: str, zone: str) -> str:
    """Return a moment in words, in the person's zone; anything else is returned unchanged."""
    at = moment_of(value)
    if at is None:
        return NO_DAY if value.startswith(ZERO) else value
    there = within(at, zone)
    return f"{_day_part(there.date(), locale)}, {_clock_part(there.time().replace(second=0, microsecond=0, fold=0), locale)}{_repeated_offset(there)}"


@lru_cache(maxsize=4096)
def _day_part(day: date, locale: str) -> str:
    return format_date(day, "d MMM y", locale=locale)


@lru_cache(maxsize=2048)
def _clock_part(at: time, locale: str) -> str:
    return format_time(at, "HH:mm", locale=locale)


_WRITTEN = re.compile(
    r"(?<![\w.+/-])\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d))?(?![\w+/-]|[.:]\d)"
)


def in_words(text: str, look: Look) -> str:
    """Return the text with its days and moments in the reader's format. Look-alikes stay, such as numbers with dashes."""

    def said(found: re.Match[str]) -> str:
        day = found[0]
        return day_words(day, look.locale) if len(day) == DAY else moment_words(day, look.locale, look.zone)

    return _WRITTEN.sub(said, text)


def clock(value: Any, look: Look) -> str:
    """Return hour and minute in the person's zone, as in "Draft saved 12:07"; before them the day if that is not today."""
    at = moment_of(value)
    if at is None:
        return EMPTY
    day, today = (within(each, look.zone).date() for each in (at, look.now))
    return worded(
        at, "HH:mm" if day == today else "d MMM, HH:mm" if day.year == today.year else "d MMM y, HH:mm", look
    )


def clock_or_day(value: Any, look: Look) -> str:
    """Return the time if the moment is today in the person's zone, else the day, as in "Verified to 12:04"."""
    at = moment_of(value)
    if at is None:
        return EMPTY
    today = within(at, look.zone).date() == within(look.now, look.zone).date()
    return worded(at, "HH:mm" if today else "d MMM y", look)


def full_moment(value: Any, look: Look) -> str:
    """Return the exact moment in the person's zone, and in UTC if that differs."""
    at = moment_of(value)
    if at is None:
        return EMPTY
    local = worded(at, "d MMM y, HH:mm:ss", look)
    if look.zone == "UTC" or within(at, look.zone).tzinfo is at.tzinfo is UTC:
        return f"{local} UTC"
    return f"{local} in {place_words(look.zone)} ({worded(at, 'HH:mm:ss', Look(look.locale, 'UTC', look.now))} UTC)"


def ago(value: Any, look: Look) -> str:
    """Return how long ago it was: whole minutes or hours within a day, as ages in lists are counted, then date and time."""
    at = moment_of(value)
    if at is None:
        return EMPTY
    seconds = (look.now - at).total_seconds()
    if not look.lasting and -30 <= seconds < 60:  # clocks of two machines may differ
        return "just now"
    if not look.lasting and 0 <= seconds < 86_400:
        return span(seconds, look) + " ago"
    return moment_words(at.isoformat(), look.locale, look.zone)


def span(seconds: float, _look: Look) -> str:
    """Return a duration in its largest unit: "3 hours". Within a day only whole units count, as in `ago`, which may stand beside it."""
    if 0 < seconds < 1:
        return "under a second"
    if seconds < 86_400:
        whole = max(0, int(seconds))
        whole -= whole % (3600 if whole >= 3600 else 60 if whole >= 60 else 1)
        return format_timedelta(whole, threshold=1, locale=WORDS, format="long")
    return format_timedelta(max(0, int(seconds)), locale=WORDS, format="long")


def when(value: Any, look: Look) -> Markup:
    """Return `<time>` with the relative moment, and the exact one (and UTC) on hover and focus; what is no moment of a calendar as it is stored."""
    at = moment_of(value)
    if at is None:
        return escape(EMPTY if value in (None, "") else moment_words(str(value), look.locale, look.zone))
    shape = Markup('<time datetime="{}" title="{}">{}</time>')
    return shape.format(within(at, "UTC").isoformat(timespec="seconds"), full_moment(at, look), ago(at, look))


def when_there(value: Any, zone: str, look: Look) -> Markup:
    """Return a moment to come by the clock of another zone, with its place, and what it is for the reader; by one clock where both show the same."""
    at, look = moment_of(value), replace(look, lasting=True)  # the next minute is not "just now"
    if at is None or within(at, zone).utcoffset() == within(at, look.zone).utcoffset():
        return when(value, look)
    place = place_words(zone)
    return Markup('{} in {} <span class="muted">({} for you)</span>').format(
        ago(at, replace(look, zone=zone)), place, when(value, look)
    )


def place_words(zone: str) -> str:
    """Return the city by which a time zone is called: "Vilnius"."""
    return city_of(zone)


def zone_words(zone: str, look: Look) -> str:
    """Return a time zone as people speak of it: its city, and how far its clock is from UTC now, "Vilnius, 2 hours ahead of UTC". One that is not known as it is stored."""
    try:
        offset = look.now.astimezone(ZoneInfo(zone)).utcoffset()
    except (KeyError, ValueError, OSError):  # no such zone, or no name of one
        return zone
    minutes = 0 if offset is None else round(offset.total_seconds() / 60)
    area = zone.rpartition("/")[0]
    hours, rest = divmod(abs(minutes), 60)
    parts = [
        f"{number} {word}{'' if number == 1 else 's'}"
        for number, word in ((hours, "hour"), (rest, "minute"))
        if number
    ]
    away = f"{' '.join(parts)} {'ahead of' if minutes > 0 else 'behind'} UTC" if parts else "UTC"
    if area in ("", "Etc"):
        return away
    return f"{place_words(zone)}, {away if parts else 'the same as UTC'}"


_NEAR = {-1: "yesterday", 0: "today", 1: "tomorrow"}


def day_of(value: Any, look: Look) -> Markup | None:
    """Return the day of a moment that is midnight in UTC or in the person's zone, to show "today" and not "10 hours ago". None for other moments."""
    at = moment_of(value)
    for zone in ("UTC", look.zone):
        there = at and within(at, zone)
        if at and there and there.time() == time.min:
            away = (there.date() - within(look.now, zone).date()).days
            day = there.date().isoformat()
            words = _NEAR.get(away) or day_words(day, look.locale)
            return Markup('<time datetime="{}" title="{}">{}</time>').format(
                day, full_moment(at, look), words
            )
    return None


def period_words(key: Any, period: str, look: Look, *, now: bool = False) -> str:
    """Return a period (day, week, month, quarter or year) by its first day in words; the year only where it is another one."""
    if not isinstance(key, str) or len(key) != 10:
        return str(key)
    day = date.fromisoformat(key)
    this_year = f" {look.now.year}"
    named = day_words(key, look.locale).removesuffix(this_year)
    words = {
        "day": named,
        "week": named,
        "month": f"{month_words(key, look.locale)} {day.year}".removesuffix(this_year),
        "quarter": f"Q{(day.month - 1) // 3 + 1} {day.year}",
        "year": str(day.year),
    }[period]
    return "now" if now else words
