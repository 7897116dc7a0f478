"""A schedule in plain English as cron fields, by a small grammar: how often, or on which days at which times.

Pure. What the grammar does not know is refused, never guessed. Source: crontab(5) of cronie; `#` (the first Monday of a month) and `L` (its last day, its
last Friday) as `console.core.schedule` reads them.
"""

import re
from dataclasses import dataclass

from console.core import schedule

LONGEST = 300
EXAMPLES = "Say how often and when, such as: every weekday at 9:00, every Monday and Friday at 17:30, on the last day of every month at 18:00, every 15 minutes."
NOT_UNDERSTOOD = f"This was not understood. {EXAMPLES}"
NO_TIME = f"Nothing is said of the time of day. {EXAMPLES}"
NO_PART = "A schedule repeats within an hour or a day: say a number of minutes that divides 60, or of hours that divides 24."
NO_CLOCK = "No clock shows {}."
NEVER = "That never comes: there is no such day."

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve"
_ORDINALS = "first second third fourth"
_DAY = r"(sun|mon|tue|wed|thu|fri|sat)[a-z]*"
_MONTH = rf"({'|'.join(_MONTHS)})[a-z]*"
_OFTEN = re.compile(
    rf"(?:hourly|every (?:(\d+) )?(minute|hour)s?)(?: between (\d+) and (\d+))?(?: on (weekdays?|{_DAY}(?:(?:, | and | to ){_DAY})*))?"
)
_TIME = re.compile(r"(\d{1,2})(?:[:.](\d\d))? ?(am|pm)?")


class _Unclear(Exception):
    """What was not understood, as a sentence."""


@dataclass(frozen=True, slots=True)
class Understood:
    """A schedule as it was understood: one set of fields for each minute of its times. `wrong` says why there is none."""

    crons: tuple[str, ...] = ()
    wrong: str = ""


def read_words(text: str) -> Understood:
    """Return the schedule that the words say; five cron fields are taken as they are."""
    fields = " ".join(text.split())
    try:
        if len(fields) > LONGEST:
            raise _Unclear(NOT_UNDERSTOOD)
        if re.fullmatch(r"[\d*][\d*,/-]* [\d*][\d*,/-]*(?: [\w*,/#-]+){3}", fields):
            wrong = schedule.wrong_cron(fields)
            return Understood(wrong=wrong) if wrong else Understood((fields,))
        crons = tuple(_crons(_plain(fields)))
    except _Unclear as unclear:
        return Understood(wrong=str(unclear))
    return Understood(wrong=NEVER) if any(map(schedule.wrong_cron, crons)) else Understood(crons)


def _plain(text: str) -> str:
    """Return the text in small letters, with digits for numbers in words."""
    words = (
        text.casefold()
        .rstrip(".!")
        .replace("each ", "every ")
        .replace("noon", "12:00")
        .replace("midnight", "0:00")
    )
    for number, name in enumerate(_NUMBERS.split(), 1):
        words = re.sub(rf"\b{name}\b", str(number), words)
    for number, name in enumerate(_ORDINALS.split(), 1):
        words = re.sub(rf"\b{name}\b", f"{number}th", words)
    return re.sub(r"\b(\d+)(?:st|nd|rd)\b", r"\1th", words)


def _crons(words: str) -> list[str]:
    if often := _OFTEN.fullmatch(words):
        return [f"{_interval(often)} * * {_weekdays(often[5] or '')}"]
    days, found, times = words.rpartition("at ")
    if not found:
        raise _Unclear(NO_TIME if re.search(_DAY, words) or "day" in words else NOT_UNDERSTOOD)
    clocks = sorted({_clock(time) for time in re.split(r", | and ", times)})
    fields = _fields(re.sub(r"^(?:on )?(?:the )?(?:every )?", "", days.strip()))
    by_minute: dict[int, list[str]] = {}
    for hour, minute in clocks:
        by_minute.setdefault(minute, []).append(str(hour))
    return [f"{minute} {','.join(hours)} {fields}" for minute, hours in by_minute.items()]


def _interval(often: re.Match[str]) -> str:
    """Return minute and hour of what repeats within an hour or a day."""
    number, whole = int(often[1] or 1), 60 if often[2] == "minute" else 24
    if not 0 < number < whole or whole % number:
        raise _Unclear(NO_PART)
    step = "" if number == 1 else f"/{number}"
    first, last = (int(often[3]), int(often[4])) if often[3] else (0, 24)
    if not first < last <= 24:
        raise _Unclear(NOT_UNDERSTOOD)
    if often[2] == "minute":
        return f"*{step} {f'{first}-{last - 1}' if often[3] else '*'}"
    return f"0 {f'{first}-{min(last, 23)}' if often[3] else '*'}{step}"


def _clock(words: str) -> tuple[int, int]:
    """Return (hour, minute) of a time of day."""
    found = _TIME.fullmatch(words.strip())
    if found is None:
        raise _Unclear(NOT_UNDERSTOOD)
    hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
    if hour > 23 or minute > 59 or (half and not 1 <= hour <= 12):
        raise _Unclear(NO_CLOCK.format(words.strip()))
    return (hour % 12 + (12 if half == "pm" else 0) if half else hour), minute


def _fields(days: str) -> str:
    """Return day of month, month and day of week."""
    of_month = r"(?: of (?:the |every )?month)"
    if days in ("", "day", "daily"):
        return "* * *"
    if found := re.fullmatch(rf"(last) day{of_month}|(?:day )?(\d+)(?:th)?(?: day)?{of_month}", days):
        return f"{'L' if found[1] else int(found[2])} * *"
    if found := re.fullmatch(rf"(\d+)th {_DAY}{of_month}", days):
        return f"* * {_DAYS.index(found[2])}#{found[1]}"
    if found := re.fullmatch(rf"last {_DAY}{of_month}", days):
        return f"* * L{_DAYS.index(found[1])}"
    if found := re.fullmatch(rf"(\d+)(?:th)?(?: of)? {_MONTH}|{_MONTH} (\d+)(?:th)?", days):
        return f"{int(found[1] or found[4])} {_MONTHS.index(found[2] or found[3]) + 1} *"
    return f"* * {_weekdays(days)}"


def _weekdays(days: str) -> str:
    """Return the days of the week as a field: weekdays, the weekend, a span, or some days."""
    plain = days.removesuffix("s")
    if plain in ("", "weekday", "weekend"):
        return {"": "*", "weekday": "1-5", "weekend": "0,6"}[plain]
    if found := re.fullmatch(rf"{_DAY} to {_DAY}", days):
        first, last = _DAYS.index(found[1]), _DAYS.index(found[2])
        return f"{first}-{last}" if first < last else ",".join(str(day % 7) for day in range(first, last + 8))
    named = [re.fullmatch(_DAY, day) for day in re.split(r", and |, | and ", days)]
    numbers = sorted({_DAYS.index(day[1]) for day in named if day is not None})
    if not all(named):
        raise _Unclear(NOT_UNDERSTOOD)
    return ",".join(map(str, numbers))
