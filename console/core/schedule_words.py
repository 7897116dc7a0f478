"""A schedule that somebody writes in words, as cron fields: everyday English, by rules alone. What cannot be said in five fields is told, never guessed.

Pure. Source: crontab(5) of cronie; `#` (the first Monday of a month) and `L` (its last day) as `console.core.schedule` reads them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

NUMBERS = {
    word: number
    for number, word in enumerate(
        [
            "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
            "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
        ]
    )
} | {"thirty": 30, "forty": 40}  # fmt: skip
ORDINALS = {
    word: number
    for number, word in enumerate(
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"], 1
    )
}
DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
USUAL_HOUR = 9
NO_HOLIDAYS = "A schedule does not know holidays: it comes on them, too."
NO_TIME = f"Nothing is said of the time of day: {USUAL_HOUR:02}:00 is taken."
NO_HALF = "Nothing is said of morning or evening: the hours of a day count to 24."
FILLERS = frozenset(
    {
        "at", "on", "in", "the", "of", "each", "every", "and", "a", "an", "run", "start", "please", "it", "o'clock", "clock", "o", "time", "day",
        "days", "day's", "month", "months",
    }
)  # fmt: skip

_DAY = "|".join(DAYS)
_NUMBER = rf"\d{{1,2}}|{'|'.join(NUMBERS)}"
_ORDINAL = rf"\d{{1,2}}(?:st|nd|rd|th)|{'|'.join(ORDINALS)}"
_CLOCKS = (
    r"(?P<noon>noon|midday)\b",
    r"(?P<midnight>midnight)\b",
    rf"(?P<hour>{_NUMBER})(?:[:.h](?P<minute>\d{{2}}))?\s*(?P<half>[ap]\.?m\b\.?)",
    r"(?P<hour24>\d{1,2})[:.](?P<minute24>\d{2})\b",
)
_TIME = re.compile(rf"(?:\b(?:at|by)\s+)?\b(?:{'|'.join(_CLOCKS)})|\bat\s+(?P<bare>{_NUMBER})\b(?:\s*o'?\s?clock)?")


@dataclass(frozen=True, slots=True)
class Understood:
    """A schedule as it was understood. `notes` are what was assumed and what five fields cannot say."""

    cron: str
    notes: tuple[str, ...] = ()


def read_words(text: str) -> Understood | None:
    """The schedule; None where the words say none that is understood."""
    words = re.sub(r"\s+", " ", text.casefold().strip().rstrip("."))
    notes: list[str] = []
    words, holidays = re.subn(r",?\s*(?:but )?(?:not|except|excluding|without)(?: on| for)?(?: public| bank)? holidays", "", words)
    if holidays:
        notes.append(NO_HOLIDAYS)
    if cron := _often(words):
        return Understood(cron, tuple(notes))
    found = list(_TIME.finditer(words))
    times = [_time(each) for each in found]
    if any(time is None for time in times) or len({minute for _, minute in (each for each in times if each)}) > 1:
        return None
    rest = _TIME.sub(" ", words)
    days = _days(rest, timed=bool(times))
    if days is None:
        return None
    if not times:
        notes.append(NO_TIME)
    elif any(each["bare"] and 0 < (_number(each["bare"]) or 0) < 7 for each in found):
        notes.append(NO_HALF)
    hours = sorted({time[0] for time in times if time}) or [USUAL_HOUR]
    minute = next((time[1] for time in times if time), 0)
    return Understood(f"{minute} {','.join(map(str, hours))} {days}", tuple(notes))


def _often(words: str) -> str | None:
    """Schedules of minutes and hours."""
    if words in ("every minute", "each minute"):
        return "* * * * *"
    if words in ("hourly", "every hour", "each hour", "once an hour"):
        return "0 * * * *"
    if words in ("every half hour", "every half an hour", "twice an hour"):
        return "*/30 * * * *"
    if words in ("every quarter of an hour", "every quarter hour"):
        return "*/15 * * * *"
    found = re.fullmatch(rf"every ({_NUMBER}) (minute|hour)s?", words)
    number = _number(found[1]) if found else None
    if found is None or not number:
        return None
    if found[2] == "minute":
        return f"*/{number} * * * *" if 60 % number == 0 and number < 60 else None
    return f"0 */{number} * * *" if 24 % number == 0 and number < 24 else None


def _time(found: re.Match[str]) -> tuple[int, int] | None:
    """(hour, minute); None for a time that no clock shows."""
    if found["noon"]:
        return 12, 0
    if found["midnight"]:
        return 0, 0
    hour = _number(found["hour"] or found["hour24"] or found["bare"])
    minute = int(found["minute"] or found["minute24"] or 0)
    if hour is None or minute > 59:
        return None
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"].startswith("p") else 0)
    return (hour, minute) if hour < 24 else None


def _days(rest: str, *, timed: bool) -> str | None:
    """Day of month, month and day of week; None where something is said that is not understood."""
    words = re.sub(r"[,;&]", " ", rest)
    patterns: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
        (r"\b(?:every |on )?(?:weekdays?|working days?|work days?|workdays?|monday (?:to|through|until|till) friday|mon-fri)\b", lambda _: "* * 1-5"),
        (r"\b(?:every |at |on )?weekends?\b|\bsaturdays? and sundays?\b", lambda _: "* * 0,6"),
        (rf"\b(?:on )?(?:the )?(first|second|third|fourth) ({_DAY}) (?:of|in) (?:each|every|the) month\b", lambda found: f"* * {DAYS.index(found[2])}#{ORDINALS[found[1]]}"),
        (r"\b(?:on )?(?:the )?last day (?:of|in) (?:each|every|the) month\b|\bmonth end\b|\bend of (?:each|every|the) month\b", lambda _: "L * *"),
        (rf"\b(?:every year |yearly |annually )?on (?:the )?({_ORDINAL}) (?:of )?({'|'.join(MONTHS)})\b", lambda found: f"{_ordinal(found[1])} {MONTHS.index(found[2]) + 1} *"),
        (rf"\b(?:monthly |every month |each month )?on (?:the )?({_ORDINAL})(?: day)?(?: (?:of|in) (?:each|every|the) month)?\b", lambda found: f"{_ordinal(found[1])} * *"),
        (rf"\bon day ({_NUMBER})(?: of (?:each|every|the) month)?\b", lambda found: f"{_number(found[1])} * *"),
        (r"\b(?:monthly|every month|each month)\b", lambda _: "1 * *"),
    )  # fmt: skip
    for pattern, say in patterns:
        if found := re.search(pattern, words):
            made = say(found)
            return made if "None" not in made and not _left(words[: found.start()] + words[found.end() :]) else None
    named = [DAYS.index(day) for day in re.findall(rf"\b({_DAY})s?\b", words)]
    if named:
        return f"* * {','.join(map(str, sorted(set(named))))}" if not _left(re.sub(rf"\b(?:{_DAY})s?\b", " ", words)) else None
    daily = re.search(r"\b(?:every day|daily|each day|every morning|every evening|every night|nightly)\b", words)
    if not daily and not timed:
        return None
    return None if _left(words.replace(daily[0], " ") if daily else words) else "* * *"


def _left(words: str) -> list[str]:
    """Words that were not taken into account."""
    return [word for word in re.findall(r"[\w']+", words) if word not in FILLERS]


def _number(word: str | None) -> int | None:
    if word is None:
        return None
    return int(word) if word.isdecimal() else NUMBERS.get(word)


def _ordinal(word: str) -> int | None:
    """Which day of a month; None for one that no month has."""
    number = ORDINALS.get(word) or int(re.sub(r"\D", "", word) or 0)
    return number if 1 <= number <= 31 else None
