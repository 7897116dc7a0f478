"""Numbers, days and times as people write them, read into the one form that the console keeps.

A text may be read in more than one way ("1,234" is a thousand here and a fraction there; 03/04/2026 is March or April): every reading is
given, and whoever needs one asks for the only one.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, NamedTuple

LANGUAGES = ("en", "de", "fr", "es", "it", "pl", "lt", "nl", "pt", "sv", "da", "fi", "cs", "lv", "et")
CURRENCIES = frozenset(
    {
        "eur",
        "usd",
        "gbp",
        "chf",
        "pln",
        "czk",
        "sek",
        "nok",
        "dkk",
        "huf",
        "ron",
        "ltl",
        "jpy",
        "cad",
        "aud",
        "bgn",
        "us",
    }
)
UNITS = CURRENCIES | {
    "euro",
    "euros",
    "zł",
    "kč",
    "kr",
    "kg",
    "km",
    "cm",
    "mm",
    "ml",
    "kb",
    "mb",
    "gb",
    "pcs",
    "stk",
    "st",
    "h",
    "d",
    "g",
    "m",
    "l",
    "min",
    "x",
}
LONGEST_NUMBER = 60  # characters; what is longer is an identifier
LONGEST_DAY = 40
WIDEST = 40  # powers of ten that a number may span
EARLIEST, LATEST = 1800, 2200  # years that a day may be in

_NUMBER = re.compile(r"\d+(?:(?:[.,]|['’\u0020\u00a0\u202f\u2009](?=[0-9]{3}(?![0-9])))\d+)*", re.ASCII)
_DIGIT = re.compile(r"\d")
_FOUR = re.compile(r"\d{4}", re.ASCII)
_WORD = re.compile(r"[^\W\d_]{3,14}")
_LETTERS_BEFORE = re.compile(r"[^\W\d_]{1,6}$")
_LETTERS_AFTER = re.compile(r"[^\W\d_]{1,6}(?!\w)")
_CANONICAL = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)

_START, _END = r"(?<!\w)(?<!\w[-./])", r"(?!\d)(?![-./]\d)"
_YEAR_FIRST = re.compile(rf"{_START}(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_END}", re.ASCII)
_YEAR_LAST = re.compile(
    rf"{_START}(\d{{1,2}})([-/.])[ ]?(\d{{1,2}})\2[ ]?(\d{{4}}|\d{{2}}){_END}(?!\w)", re.ASCII
)
_TOGETHER = re.compile(r"(?<![\w.,/-])(\d{4})(\d\d)(\d\d)(?![\w/-])(?![.,]\d)", re.ASCII)
_NAME = r"([^\W\d_]{3,14})"
_DAY_MONTH = re.compile(
    rf"(?<![\w.,/:-])(\d{{1,2}})(?:st|nd|rd|th|er|º|°|\.)?[\s\-]*(?:of |de |den )?{_NAME}\.?,?[\s\-]*(?:of |de |del )?(\d{{4}})(?!\w)",
    re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    rf"(?<!\w){_NAME}\.?[ \-]+(\d{{1,2}})(?:st|nd|rd|th)?,?[ \-]+(\d{{4}})(?!\w)", re.IGNORECASE
)
_YEAR_MONTH_DAY = re.compile(
    rf"(?<!\w)(\d{{4}})\.?(?:\s?m\.|\s?gada?|\s?a\.)?[\s\-]+(?:gada )?(?:(\d{{1,2}})\.\s)?{_NAME}[\s\-]*(\d{{1,2}})?(?!\w)",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?<![\d:.,])([01]?\d|2[0-3])[:h]([0-5]\d)(?::([0-5]\d)(?:\.\d{1,6})?)?(?:\s?([ap])\.?m\b\.?)?(?![\d:])",
    re.IGNORECASE | re.ASCII,
)
_MOMENT = re.compile(
    r"(?<!\w)(\d{4}-\d\d-\d\d)[Tt ]+(\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?([Zz]|UTC|GMT|[+-]\d\d:?\d\d)?(?!\w)",
    re.ASCII,
)


class Reading(NamedTuple):
    """Something that stands in a text from `start` to `end`, and everything that it may mean."""

    start: int
    end: int
    values: frozenset[Any]


def decimal(value: Any) -> Decimal | None:
    """A number as JSON or a form has it; None for what is no number, is not finite, or is absurdly large or fine."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        return None
    if isinstance(value, str) and not (value.isascii() and _CANONICAL.fullmatch(value.strip())):
        return None
    if isinstance(value, int) and value.bit_length() > 4 * WIDEST:
        return None
    try:
        number = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):
        return None
    if (
        not number.is_finite()
        or len(number.as_tuple().digits) > 2 * WIDEST
        or abs(number.adjusted()) > WIDEST
    ):
        return None
    return number


def numbers(text: str) -> Iterator[Reading]:
    """Every number that stands on its own, in order. Digits of a day, a time, a version, an address or an identifier are none."""
    for match in _NUMBER.finditer(text):
        if match.end() - match.start() > LONGEST_NUMBER or not _ends(text, match.end()):
            continue
        start, sign = _begins(text, match.start())
        if start is not None and (values := amounts(match[0])):
            yield Reading(start, match.end(), frozenset(sign * value for value in values))


def _begins(text: str, start: int) -> tuple[int | None, int]:
    """(where the number with its sign begins, the sign); None where the digits are part of something else."""
    before, further = text[start - 1 : start], text[start - 2 : start - 1] if start > 1 else ""
    if before.isalnum() or before == "_":
        letters = _LETTERS_BEFORE.search(text, max(0, start - 8), start)
        glued = (
            letters is None
            or letters[0].casefold() not in CURRENCIES
            or (letters.start() and text[letters.start() - 1].isalnum())
        )
        return (None if glued else start), 1
    if before and before in "-−+":
        if further.isalnum() or further in {"-", ".", "/"}:
            return None, 1
        return start - 1, 1 if before == "+" else -1
    if (before and before in ".,:" and further.isdigit()) or (
        before and before in "/\\@&" and further.isalnum()
    ):
        return None, 1
    return start, 1


def _ends(text: str, end: int) -> bool:
    """Whether the digits end where a number may: before a blank, a sign of the sentence, or a unit."""
    after, further = text[end : end + 1], text[end + 1 : end + 2]
    if after.isalnum() or after == "_":
        letters = _LETTERS_AFTER.match(text, end)
        return letters is not None and letters[0].casefold() in UNITS
    return not (
        after and after in "-−/:@\\'’.," and further.isalnum() and not (after in ".,'’" and further.isalpha())
    )


def amounts(digits: str) -> set[Decimal]:
    """The possible readings of an unsigned number, by the places of commas, points and blanks; empty if it is not a number (20.11.2026)."""
    plain = re.sub(r"['’\u0020\u00a0\u202f\u2009]", "", digits)
    marks = {mark for mark in plain if mark in ".,"}
    if not marks:
        return {Decimal(plain)}
    last = max(plain.rfind("."), plain.rfind(","))
    if len(marks) == 2:
        whole, fraction = plain[:last], plain[last + 1 :]
        return (
            {Decimal(f"{re.sub('[.,]', '', whole)}.{fraction}")}
            if plain[last] not in whole
            and _grouped(re.split("[.,]", whole), whole[len(whole.rstrip("0123456789")) - 1])
            else set()
        )
    groups = re.split("[.,]", plain)
    readings = {Decimal("".join(groups))} if _grouped(groups, marks.pop()) and plain == digits else set()
    if len(groups) == 2:
        readings.add(Decimal(f"{groups[0]}.{groups[1]}"))
    return readings


def _grouped(groups: list[str], mark: str) -> bool:
    """Whether digits are in groups of three (or, with commas as in India, of two before the last three)."""
    first, *middle, last = groups if len(groups) > 1 else [groups[0], "000"]
    if len(groups) == 1:
        return True
    even = all(len(group) == 3 for group in middle) or (
        mark == "," and all(len(group) == 2 for group in middle)
    )
    return 1 <= len(first) <= 3 and not first.startswith("0") and len(last) == 3 and even


def only_number(text: str) -> Decimal | None:
    """The number that a text is, with or without a currency; None where it is none or could be two."""
    if (plain := decimal(text)) is not None:
        return plain
    bare = re.sub(r"^\s*(?:[€$£]|[A-Za-z]{3}\s)\s*|\s*(?:[€$£]|\s[A-Za-z]{3})\s*$", "", text.strip())
    readings = [reading for reading in numbers(bare) if (reading.start, reading.end) == (0, len(bare))]
    return next(iter(readings[0].values)) if readings and len(readings[0].values) == 1 else None


def days(text: str) -> Iterator[Reading]:
    """Every calendar day in a text as ISO dates: 2026-11-20, 20.11.2026, 11/20/2026, 20 Nov 2026, November 20th, 2026, 2026 m. lapkričio 20 d., 20261120."""
    for match in _YEAR_FIRST.finditer(text):
        yield from _read(match, [(match[1], match[3], match[4])])
    for match in _YEAR_LAST.finditer(text):
        years = [match[4]] if len(match[4]) == 4 else [f"20{match[4]}", f"19{match[4]}"]
        orders = [(year, match[3], match[1]) for year in years]
        yield from _read(
            match, orders if match[2] == "." else orders + [(year, match[1], match[3]) for year in years]
        )
    for match in _TOGETHER.finditer(text):
        yield from _read(match, [(match[1], match[2], match[3])])
    if _FOUR.search(text) and not _months().keys().isdisjoint(_letters_of_words(text)):
        yield from _named_days(text)


def _named_days(text: str) -> Iterator[Reading]:
    """Days whose month is a word."""
    for match in _DAY_MONTH.finditer(text):
        yield from _read(match, [(match[3], month, match[1]) for month in month_of(match[2])])
    for match in _MONTH_DAY.finditer(text):
        yield from _read(match, [(match[3], month, match[2]) for month in month_of(match[1])])
    for match in _YEAR_MONTH_DAY.finditer(text):
        if day := match[4] or match[2]:
            yield from _read(match, [(match[1], month, day) for month in month_of(match[3])])


def _read(match: re.Match[str], orders: list[tuple[Any, Any, Any]]) -> Iterator[Reading]:
    """The days among these (year, month, day) that the calendar has."""
    days = frozenset(day for order in orders if (day := _day(*(int(part) for part in order))))
    if days:
        yield Reading(match.start(), match.end(), days)


def _day(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat() if EARLIEST <= year <= LATEST else None
    except ValueError:
        return None


def only_day(text: str) -> str | None:
    """The day that a text is, as an ISO date; None where it is none or could be two."""
    bare = text.strip().removesuffix(" d.").strip()
    if not 6 <= len(bare) <= LONGEST_DAY or not _DIGIT.search(bare):
        return None
    days_read = {
        value
        for reading in days(bare)
        if (reading.start, reading.end) == (0, len(bare))
        for value in reading.values
    }
    return next(iter(days_read)) if len(days_read) == 1 else None


def month_of(name: str) -> tuple[int, ...]:
    """The months that a word may name, in any of the languages; empty for other words."""
    return _months().get(_letters(name), ())


def _letters_of_words(text: str) -> set[str]:
    """Every word of a text in the form in which names of months are compared."""
    words = set(_WORD.findall(text.casefold()))
    return words if text.isascii() else {_letters(word) for word in words}


@cache
def _months() -> dict[str, tuple[int, ...]]:
    """Names and abbreviations of months, without accents, as Unicode's locale data has them."""
    from babel.dates import get_month_names

    by_name: dict[str, set[int]] = {}
    for language in LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    by_name.setdefault(_letters(name), set()).add(number)
    by_name.setdefault("sept", set()).add(9)
    return {name: tuple(sorted(numbers)) for name, numbers in by_name.items() if len(name) >= 3}


def _letters(text: str) -> str:
    """Small letters without accents: how names of months are compared."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if sign.isalpha())


def clocks(text: str) -> Iterator[Reading]:
    """Every time of day, as HH:MM:SS: 09:30, 9:30 am, 9h30."""
    for match in _CLOCK.finditer(text):
        hour, half = int(match[1]), (match[4] or "").lower()
        if half and not 1 <= hour <= 12:
            continue
        hour = hour % 12 + (12 if half == "p" else 0) if half else hour
        yield Reading(
            match.start(), match.end(), frozenset({time(hour, int(match[2]), int(match[3] or 0)).isoformat()})
        )


def moments(text: str) -> Iterator[Reading]:
    """Every day with a time of day, as aware moments in UTC; without a zone it is taken for UTC."""
    for match in _MOMENT.finditer(text):
        zone = match[3] or "Z"
        zone = "+00:00" if zone.upper() in ("Z", "UTC", "GMT") else zone
        try:
            read = datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}").astimezone(UTC)
        except (ValueError, OverflowError):
            continue
        yield Reading(match.start(), match.end(), frozenset({read}))
