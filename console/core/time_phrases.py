"""When somebody wants to be called again, by what they said: “Tuesday 3”, “tomorrow morning”, “in two hours”. English, and moments as programs write them."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo

LONGEST_TEXT = 300
LONGEST = timedelta(days=90)
"""What is said of a time later than this was not understood."""
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
AHEAD = {"day after tomorrow": 2, "tomorrow": 1, "today": 0, "tonight": 0, "next week": 7}
NUMBERS = {
    word: number
    for number, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1
    )
} | {
    "a": 1,
    "an": 1,
}
TIMES_OF_DAY: Mapping[str, time] = {
    "morning": time(9),
    "noon": time(12),
    "afternoon": time(14),
    "evening": time(18),
    "tonight": time(18),
}
UNITS: Mapping[str, timedelta] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_ISO = re.compile(r"\b\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:z|[+-]\d\d:?\d\d)?(?![\w:])")
_IN = re.compile(rf"\bin (?:a )?(\d{{1,3}}|{'|'.join(NUMBERS)}) (?:of )?(minute|hour|day|week)s?\b")
_DAY = re.compile(
    rf"\b(\d{{4}}-\d\d-\d\d|{'|'.join(AHEAD)}|(?:{'|'.join(DAYS)}|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)s?)\b"
)
_CLOCK = re.compile(
    r"\b(?<!-\d\d-)(\d{1,2})(?:[:.](\d\d))?\s?(?:o'?clock\s?)?(a\.?m\.?|p\.?m\.?)?(?![\w:.-]*\d)"
)


def moment_said(words: str, heard_at: datetime, zone: tzinfo) -> datetime | None:
    """Return the moment (in the zone of who spoke) that the words name; None where they name none, or one that is past or more than 90 days away.

    `heard_at` is aware.
    """
    try:
        found = _named(words[:LONGEST_TEXT].casefold(), heard_at.astimezone(zone))
    except (ValueError, OverflowError):
        return None  # no such day
    return found if found is not None and timedelta(0) < found - heard_at <= LONGEST else None


def _named(sentence: str, local: datetime) -> datetime | None:
    if (exact := _ISO.search(sentence)) is not None:
        moment = datetime.fromisoformat(exact[0].upper())
        return (
            moment.replace(tzinfo=local.tzinfo) if moment.tzinfo is None else moment.astimezone(local.tzinfo)
        )
    if (span := _IN.search(sentence)) is not None:
        later = local + UNITS[span[2]] * (NUMBERS.get(span[1]) or int(span[1]))
        if span[2] in ("minute", "hour"):
            return later
        return _at(later.date(), _clock(sentence.replace(span[0], "", 1)) or later.time(), local)
    clock = _clock(sentence)
    if (named := _DAY.search(sentence)) is not None:
        return _at(
            _day(named[0], local.date()), clock or local.time().replace(second=0, microsecond=0), local
        )
    if clock is None:
        return None
    today = _at(local.date(), clock, local)
    return today if today > local else _at(local.date() + timedelta(days=1), clock, local)


def _day(named: str, today: date) -> date:
    """The day that is named; a day of the week is the next one that is not today."""
    if named in AHEAD:
        return today + timedelta(days=AHEAD[named])
    wanted = next((number for number, name in enumerate(DAYS) if name.startswith(named[:3])), None)
    if wanted is None:
        return date.fromisoformat(named)
    return today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)


def _clock(sentence: str) -> time | None:
    """The time of day; an hour from 1 to 7 of which nobody says that it is in the morning is in the afternoon."""
    for said in _CLOCK.finditer(sentence):
        if (found := _hour(int(said[1]), int(said[2] or 0), (said[3] or "").replace(".", ""))) is not None:
            return found
    return next((at for name, at in TIMES_OF_DAY.items() if re.search(rf"\b{name}\b", sentence)), None)


def _hour(hour: int, minute: int, half: str) -> time | None:
    if hour > 23 or minute > 59 or (half in ("am", "pm") and not 1 <= hour <= 12):
        return None
    if half == "pm" or (not half and 1 <= hour <= 7):
        hour = hour % 12 + 12
    elif half == "am":
        hour %= 12
    return time(hour, minute)


def _at(day: date, clock: time, local: datetime) -> datetime:
    return datetime.combine(day, clock, tzinfo=local.tzinfo)
