"""How the days and moments of a file are read: as programs, spreadsheets and people write them."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from console import log

LONGEST = 100
"""A longer cell is no moment; what looks for one in it would take long."""
AHEAD = 20
"""A year of two digits is at most so many years ahead of this one, else one of the century before."""
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?: ?[+-]\d{2}:?\d{2}|Z)?"
_DAY = re.compile(rf"(\d{{1,2}})[./-](\d{{1,2}})[./-](\d{{4}}|\d{{2}})(?:[ T,]+({_TIME}))?")
_DOTTED = re.compile(r"\d{1,2}\.\d{1,2}\.(?:\d{4}|\d{2})\b.*")
_YEAR_FIRST = re.compile(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})\b(.*)")
_TWELVE_HOURS = re.compile(
    r"(.*[ T,])(\d{1,2})(:\d{2}(?::\d{2})?) *([ap])\.?m\.?( ?[+-]\d{2}:?\d{2})?", re.IGNORECASE
)
_BEFORE_OFFSET = re.compile(r" (?=[+-]\d{2})")
_ONE_DIGIT = re.compile(r"([ T])(?=\d:\d\d)")


def is_day(cell: str) -> bool:
    """Whether a cell is a day in figures with the year behind."""
    return _DAY.fullmatch(cell) is not None


def order_of(cell: str) -> str | None:
    """`day` or `month`, whichever surely stands first in a day with the year behind; None where both may, and for what is none."""
    figures = _DAY.fullmatch(cell)
    if figures is None or (int(figures[1]) > 12) == (int(figures[2]) > 12):
        return None
    return "day" if int(figures[1]) > 12 else "month"


def iso(cell: str, spelling: str) -> str:
    """The day or moment that a cell means as ISO 8601, without a zone where it names none; the cell itself where it is none.

    Days with points between begin with the day everywhere.
    """
    if len(cell) > LONGEST:
        return cell
    text = _ONE_DIGIT.sub(
        r"\g<1>0", cell.strip().removesuffix(" UTC") + ("Z" if cell.strip().endswith(" UTC") else "")
    )
    if twelve := _TWELVE_HOURS.fullmatch(text):
        text = f"{twelve[1]}{int(twelve[2]) % 12 + 12 * (twelve[4] in 'pP'):02}{twelve[3]}{twelve[5] or ''}"
    if year := _YEAR_FIRST.fullmatch(text):
        return f"{year[1]}-{year[2]:0>2}-{year[3]:0>2}{_BEFORE_OFFSET.sub('', year[4].replace(', ', ' '))}"
    if figures := _DAY.fullmatch(text):
        month_first = spelling == "month" and not _DOTTED.fullmatch(text)
        day, month = (figures[2], figures[1]) if month_first else (figures[1], figures[2])
        return _written(cell, figures[3], int(month), day, figures[4])
    return cell


def _written(cell: str, year: str, month: int, day: str, clock: str | None) -> str:
    try:
        plain = date(_year(year), month, int(day)).isoformat()
    except ValueError:
        return cell
    return f"{plain}T{clock.replace(' ', '')}" if clock else plain


def _year(told: str) -> int:
    if len(told) > len("26"):
        return int(told)
    this = log.now().year
    year = this - this % 100 + int(told)
    return year - 100 if year > this + AHEAD else year


def moment(cell: str, spelling: str, zone: str) -> datetime | None:
    """The moment that a cell means, in UTC; a day means its begin in the zone, and a time without a zone of its own is one there. None for what is no moment, or none in UTC."""
    try:
        read = datetime.fromisoformat(iso(cell, spelling))
        return (read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def surely_by(cell: str, spelling: str, zone: str) -> datetime | None:
    """The moment by which it was, whatever the zone of a day and the order of day and month; None for what is no moment, or lies ahead."""
    moments = []
    for each in {spelling, "month"} if spelling == "day" else {spelling}:
        plain = iso(cell, each)
        try:
            read = datetime.fromisoformat(plain)
        except ValueError:
            continue
        if len(plain) <= len("2026-01-01"):
            read += timedelta(days=1, microseconds=-1)
            moments.append(read.replace(tzinfo=UTC))
        moments.append(read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone)))
    latest = max(moments, default=None)
    return latest if latest is not None and latest <= log.now() else None
