"""A schedule that somebody writes in words, as cron fields: everyday English, by rules alone. What no fields can say is told, never guessed.

Pure. Source: crontab(5) of cronie; `#` (the first Monday of a month) and `L` (its last day, its last Friday) as `console.core.schedule` reads them.
"""

import re
from dataclasses import dataclass

from console.core import schedule

LONGEST = 300
PART_HOURS = {"morning": 9, "noon": 12, "afternoon": 14, "evening": 18, "night": 2, "midnight": 0}
OFFICE = (9, 17)
NO_HOLIDAYS = "A schedule does not know holidays: it comes on them, too."
NO_TIME = "Nothing is said of the time of day: {:02}:00 is taken."
NO_HALF = "Nothing is said of morning or evening: the hours of a day count to 24."
NO_OFFICE = "Business hours are taken as 09:00 to 17:00."
NO_START = "The year is counted from January on."
SHORT_MONTHS = "It does not come in months that have no day {}."
NOT_UNDERSTOOD = "This was not understood. Say how often and when, such as: every weekday at nine, on Mondays at 17:30, every 15 minutes."
PARTLY = "Not understood: {}. Say how often and when, such as: every weekday at nine, on Mondays at 17:30, every 15 minutes."
NO_OTHER = "A schedule cannot count weeks or days from one time to the next. Choose what comes nearest, or say other days."
NO_PART = "A schedule repeats within an hour or a day: say a number of minutes that divides 60, or of hours that divides 24."
NO_WORKDAY = "A schedule knows no first or last working day of a month. Choose what comes nearest, or say a day."
NO_CLOCK = "No clock shows {}."
NEVER = "That never comes: there is no such day."
HOW_OFTEN = "Say at which times of the day, such as: every day at 9:00 and 17:00."

_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth"
_WORDS = {
    "each": "every",
    "by": "at",
    "through|thru|until|till": "to",
    "not|excluding|without|excepting|apart from": "except",
    "everyday": "daily",
    "annually|once a year": "yearly",
    "(?:every|once a) quarter": "quarterly",
    "once an hour": "hourly",
    "hours?|hrs?": "hour",
    "minutes?|mins?": "minute",
    "weeks": "week",
    "months|month's": "month",
    "days|day's": "day",
    "(?:public |bank )?holidays?": "holiday",
    "(?:working|work|business|week) ?days?": "weekday",
    "weekends": "weekend",
    "mornings": "morning",
    "afternoons": "afternoon",
    "evenings": "evening",
    "nights?|nightly": "night",
    "midday": "noon",
    "month end|end of (?:the |every )?month": "last day of month",
    "(?:start|beginning) of (?:the |every )?month": "1st day of month",
    "office hour": "business hour",
    "fortnightly|every fortnight|bi-?weekly": "every 2 week",
}
_NAMES = {
    "sundays?": "sun",
    "mondays?": "mon",
    "tuesdays?|tues": "tue",
    "wednesdays?": "wed",
    "thursdays?|thurs?": "thu",
    "fridays?": "fri",
    "saturdays?": "sat",
    "january": "jan",
    "february": "feb",
    "march": "mar",
    "april": "apr",
    "june": "jun",
    "july": "jul",
    "august": "aug",
    "september|sept": "sep",
    "october": "oct",
    "november": "nov",
    "december": "dec",
}
_FILLERS = "at on in the of every and a an run start starting begin please it oclock clock o time day days month year week weekly once"
_DAY, _MONTH = "|".join(_DAYS), "|".join(_MONTHS)
_PART = "morning|afternoon|evening|night|noon|midnight"


class _Unclear(Exception):
    """What was not understood, as a sentence; `instead`: fields that come near."""

    def __init__(self, reason: str, *instead: str) -> None:
        super().__init__(reason)
        self.instead = instead


@dataclass(frozen=True, slots=True)
class Understood:
    """A schedule as it was understood. `notes` are what was assumed and what no fields can say; `zone` is one that the words name.

    Where `wrong` says why it was not understood there are no `crons`; `instead` are fields that come near.
    """

    crons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    zone: str | None = None
    wrong: str = ""
    instead: tuple[str, ...] = ()


def read_words(text: str) -> Understood:
    """The schedule that the words say; five cron fields are taken as they are."""
    fields = " ".join(text.split())
    if re.fullmatch(r"[\d*][\d*,/-]* [\d*][\d*,/-]*(?: [\w*,/#-]+){3}", fields):
        wrong = schedule.wrong_cron(fields)
        return Understood(wrong=wrong) if wrong else Understood((fields,))
    notes: list[str] = []
    try:
        if len(fields) > LONGEST:
            raise _Unclear(NOT_UNDERSTOOD)
        words, zone = _zoned(_plain(fields))
        words, holidays = re.subn(r",?\s*(?:but )?except (?:on |for |an )?holiday\b", "", words)
        crons = [cron for clause in _clauses(words) for cron in _crons(clause, notes)]
        if any(map(schedule.wrong_cron, crons)):
            raise _Unclear(NEVER)
    except _Unclear as unclear:
        return Understood(wrong=str(unclear), instead=unclear.instead)
    return Understood(tuple(dict.fromkeys(crons)), tuple(dict.fromkeys([*([NO_HOLIDAYS] if holidays else []), *notes])), zone)


def _plain(text: str) -> str:
    """The text in few words: those of days, months and parts of a day in English, ordinals as 1st, times as @9:30 (@9:00? where no half of the day is said)."""
    words = f" {re.sub('[–—]', '-', text.casefold()).rstrip('.!')} ".replace("o'clock", "oclock")
    for number, name in enumerate(_NUMBERS.split()):
        words = re.sub(rf"\b{name}\b", str(number), words)
    words = re.sub(r"\bthirty\b", "30", words)
    for number, name in enumerate(_ORDINALS.split(), 1):
        words = re.sub(rf"\b{name}\b", f"{number}th", words)
    for found, word in (_NAMES | _WORDS).items():
        words = re.sub(rf"\b(?:{found})\b", word, words)
    words = re.sub(r"\b(every )?(?:half an?|half|1/2) hour\b", "every 30 minute", words)
    words = re.sub(r"\b(every )?quarter(?: of an)? hour\b", "every 15 minute", words)
    words = re.sub(r"\b(\d{1,2})(?:st|nd|rd|th)\b", r"\1th", words)
    return re.sub(r" +", " ", _timed(words)).strip()


def _timed(words: str) -> str:
    """The words with each time as @9:30."""
    clock, span, no_count = (
        r"(?<![\d:@])(\d{1,2})(?:[:.](\d{2}))?",
        r"\b(?:between|from) (\d{1,2}) (?:and|to) ",
        r"\b(?!th)(?! (?:minute|hour|day|week|month))",
    )
    for pattern, made in (
        (r"\b(?:at )?half past (\d{1,2})\b", lambda found: f"at {found[1]}:30"),
        (r"\b(?:at )?(?:a )?quarter (?:past|after) (\d{1,2})\b", lambda found: f"at {found[1]}:15"),
        (r"\b(?:at )?(?:a )?quarter (?:to|before) (\d{1,2})\b", lambda found: f"at {(int(found[1]) - 1) % 24}:45"),
        (rf"(?:\bat )?{clock}\s*(a|p)\.?m\b\.?", lambda found: _clock(found[1], found[2], found[3])),
        (rf"(?:\bat )?{clock}\s*oclock\b", lambda found: _clock(found[1], found[2])),
        (r"(?:\bat )?(?<![\d:@])(\d{1,2})[:.](\d{2})\b(?!th)", lambda found: _clock(found[1], found[2])),
        (rf"\bat (\d{{1,2}}){no_count}", lambda found: _clock(found[1])),
        (rf"{span}(?=@)|\b(\d{{1,2}}) to (?=@)", lambda found: f"between {_clock(found[1] or found[2])} to "),
        (rf"{span}(\d{{1,2}})\b", lambda found: f"between {_clock(found[1])} to {_clock(found[2])}"),
        (rf"(@\d+:\d+\??)(?: and | ?, ?)(\d{{1,2}}){no_count}", lambda found: f"{found[1]} and {_clock(found[2])}"),  # at 9 and 15
        (rf"(@\d+:\d+\??)(?: and | ?, ?)(\d{{1,2}}){no_count}", lambda found: f"{found[1]} and {_clock(found[2])}"),  # at 9, 12 and 15
    ):  # fmt: skip
        words = re.sub(pattern, made, words)
    return words


def _clock(hour: str, minute: str | None = None, half: str = "") -> str:
    """@9:30; a question mark behind it where the half of the day is not known. Raises _Unclear for a time that no clock shows."""
    number, past = int(hour), int(minute or 0)
    if past > 59 or number > 24 or (half and not 1 <= number <= 12):
        raise _Unclear(NO_CLOCK.format(f"{hour}:{minute or '00'}{f' {half}m' if half else ''}"))
    if half:
        number = number % 12 + (12 if half == "p" else 0)
    return f"@{number % 24}:{past:02}{'' if half or minute or number > 12 else '?'}"


def _zoned(words: str) -> tuple[str, str | None]:
    """The words without a time zone, and the zone that they named."""
    if found := re.search(r"\b(?:in )?(?:utc|gmt)\b", words):
        return words.replace(found[0], " "), "UTC"
    found = re.search(r"\b([a-z]+(?:[ _][a-z]+)?) time\b", words)
    zones = schedule.zones_of(found[1]) if found else []
    return (words.replace(found[0], " "), zones[0]) if found and zones else (words, None)


def _clauses(words: str) -> list[str]:
    """The words, parted where other days have another time: on Mondays at 9 and on Fridays at 17."""
    clauses: list[str] = []
    for part in re.split(r"\band\b|[,;&+]", words):
        whole = clauses[-1] if clauses else ""
        day = rf"\b(?:{_DAY}|weekday|weekend|daily|day|month)\b"
        if clauses and not ("@" in whole and re.search(day, whole) and re.search(day, part) and "@" in part):
            clauses[-1] += f" and {part}"
        else:
            clauses.append(part)
    return [re.sub(" +", " ", clause) for clause in clauses]


def _crons(words: str, notes: list[str]) -> list[str]:
    """The fields of a clause. Raises _Unclear."""
    if found := re.search(r"\b(?:twice|thrice|\d times)(?: a| every)? (?:day|daily)\b|\btwice daily\b", words):
        if words.count("@") < 2:
            raise _Unclear(HOW_OFTEN)
        words = words.replace(found[0], " every day ")
    between = re.search(r"\bbetween @(\d+):\d+\?? (?:and|to) @(\d+):\d+\??", words)
    words, first, last = (words.replace(between[0], " "), int(between[1]), int(between[2])) if between else (words, 0, 0)
    if "business hour" in words:
        words, (first, last), between = words.replace("business hour", " ").replace("during", " "), OFFICE, between or re.match("", "")
        notes.append(NO_OFFICE)
    often = re.search(r"\b(?:hourly|(?:every )?(\d+ )?(minute|hour))\b", words)
    if often and "@" not in words:
        days = _days(words.replace(often[0], " ", 1), notes, timed=True)
        return [f"{_often(often, (first, last) if between else None)} {days}"]
    if between:
        raise _Unclear(NOT_UNDERSTOOD)
    part = next(iter(re.findall(rf"\b({_PART})\b", words)), "")
    found_times = re.findall(r"@(\d+):(\d+)(\??)", words)
    times = sorted({(_in_part(int(hour), part), int(minute)) for hour, minute, _ in found_times})
    if any(open_half and 0 < int(hour) < 7 for hour, _, open_half in found_times) and not part:
        notes.append(NO_HALF)
    rest = re.sub(rf"@\d+:\d+\??|\b(?:in the |at )?(?:{_PART})\b", " ", words)
    days = _days(rest, notes, timed=bool(times or part), at=times)
    if not times:
        times = [(PART_HOURS.get(part, 9), 0)]
        if part not in ("noon", "midnight"):
            notes.append(NO_TIME.format(times[0][0]))
    minutes = dict.fromkeys(minute for _, minute in times)
    return [f"{minute} {','.join(str(hour) for hour, each in times if each == minute)} {days}" for minute in minutes]


def _in_part(hour: int, part: str) -> int:
    """The hour of 24 where a part of the day is said beside it."""
    late = part in ("afternoon", "evening") or (part == "night" and hour >= 6) or (part == "noon" and hour < 6)
    return hour + 12 if late and 0 < hour < 12 else 0 if part in ("night", "midnight") and hour == 12 else hour


def _often(found: re.Match[str], between: tuple[int, int] | None) -> str:
    """Minute and hour of what repeats in an hour or a day; between two hours, the later one is the last where it is by the hour."""
    number, unit = int(found[1] or 1), found[2] or "hour"
    whole = 60 if unit == "minute" else 24
    if not 0 < number < whole or whole % number:
        raise _Unclear(NO_PART)
    if between and not between[0] < between[1]:
        raise _Unclear(NOT_UNDERSTOOD)
    if unit == "minute":
        return f"{'*' if number == 1 else f'*/{number}'} {f'{between[0]}-{between[1] - 1}' if between else '*'}"
    step = "" if number == 1 else f"/{number}"
    return f"0 {f'{between[0]}-{between[1]}' if between else '*'}{step}"


def _days(words: str, notes: list[str], *, timed: bool, at: list[tuple[int, int]] | None = None) -> str:
    """Day of month, month and day of week. Raises _Unclear where something is said that is not understood; `at` are the times, for what comes near."""
    words = f" {re.sub('[,;.]', ' ', words)} "
    near = f"{at[0][1]} {at[0][0]}" if at else "0 9"
    of_month = r"(?: (?:of|in|every|the|a))* month\b"
    _refuse_counts(words, of_month, near)
    weekdays: list[str] = []
    days: list[str] = []
    months: list[int] = []

    def take(pattern: str) -> re.Match[str] | None:
        nonlocal words
        found = re.search(pattern, words)
        words = words.replace(found[0], " ", 1) if found else words
        return found

    if found := take(r"\bevery (\d+) month\b"):
        step = int(found[1])
        if step < 1 or 12 % step:
            raise _Unclear(NO_OTHER)
        months = list(range(1, 13, step))
    if take(r"\bquarterly\b|\bof (?:the |every )?quarter\b"):
        months = [1, 4, 7, 10]
    monthly = bool(months)
    if monthly:
        notes.append(NO_START)
    while found := take(rf"\b(\d+th|last)((?: ?(?:and|,) ?(?:the )?(?:\d+th|last))*) ({_DAY}|weekday)(?:{of_month})?"):
        weekdays += [_nth(which, found[3], near) for which in re.findall(r"\d+|last", found[1] + found[2])]
    if take(rf"\blast day(?:{of_month})?"):
        days.append("L")
    named = rf"\b(?:(\d{{1,2}})(?:th)?(?: of)? ({_MONTH})|({_MONTH}) (\d{{1,2}})(?:th)?)\b"
    if found := take(named):
        days.append(_day_of_month(found[1] or found[4]))
        months.append(_MONTHS.index(found[2] or found[3]) + 1)
        if re.search(named, words):
            raise _Unclear(PARTLY.format("several days of the year"))
    while found := take(rf"(?:\bday (\d+)\b|\b(\d+)th\b)(?: day)?(?:{of_month})?"):
        days.append(_day_of_month(found[1] or found[2]))
    while found := take(rf"\b({_MONTH})\b"):
        months.append(_MONTHS.index(found[1]) + 1)
    out = take(rf"\b(?:but )?except (?:on )?((?:{_DAY}|weekend)(?: and (?:{_DAY}|weekend))*)")
    while found := take(rf"\b(?:from )?({_DAY}) ?(?:to|-) ?({_DAY})\b"):
        first, last = _DAYS.index(found[1]), _DAYS.index(found[2])
        weekdays += [str(day % 7) for day in range(first, last + (7 if last < first else 0) + 1)]
    if take(r"\bweekday\b"):
        weekdays += list("12345")
    if take(r"\bweekend\b"):
        weekdays += ["0", "6"]
    while found := take(rf"\b({_DAY})\b"):
        weekdays.append(str(_DAYS.index(found[1])))
    daily = take(r"\bdaily\b|\bevery day\b")
    weekly = take(r"\bweekly\b|\bevery week\b|\bonce a week\b")
    monthly = bool(take(r"\bmonthly\b|\bevery month\b|\bonce a month\b")) or monthly
    yearly = take(r"\byearly\b|\bevery year\b")
    left = [word for word in re.findall(r"[\w']+", words) if word not in _FILLERS.split()]
    if left:
        raise _Unclear(PARTLY.format(", ".join(f"“{word[:40]}”" for word in left[:4])))
    if out:
        without = {str(_DAYS.index(day)) for day in re.findall(_DAY, out[1])} | (set("06") if "weekend" in out[1] else set())
        weekdays = sorted((set(weekdays) or set("0123456")) - without)
    if weekly and not weekdays:
        weekdays = ["1"]
        notes.append("Nothing is said of the day: Monday is taken.")
    if days and weekdays:
        raise _Unclear(PARTLY.format("days of the week and of the month together"))
    if (monthly or yearly) and not days and not weekdays:
        days, months = ["1"], months or ([1] if yearly else [])
        notes.append(f"Nothing is said of the day: {'1 January' if yearly and months == [1] else 'the first'} is taken.")
    if not (timed or days or weekdays or months or daily):
        raise _Unclear(NOT_UNDERSTOOD)
    rare = [day for day in days if day.isdigit() and int(day) > 28 and not months]
    notes += [SHORT_MONTHS.format(day) for day in rare]
    week = _field(weekdays)
    row = f"{week[0]}-{week[-1]}" if len(week) > 3 and week in "0,1,2,3,4,5,6" else week
    return f"{_field(days)} {_field([str(month) for month in months])} {row}"


def _refuse_counts(words: str, of_month: str, near: str) -> None:
    """Raise _Unclear for every other Tuesday, every three weeks, every second day."""
    counted = re.search(rf"\bevery (?:other|(\d+)th|(\d+)) ({_DAY}|day|weekday|week)\b(?!{of_month})", words)
    if counted is None or "1" in (counted[1], counted[2]):
        return
    day = next((_DAYS.index(each) for each in re.findall(rf"\b({_DAY})\b", words)), None)
    if day is None:
        raise _Unclear(NO_OTHER, *([f"{near} * * 1", f"{near} 1,15 * *"] if counted[3] == "week" else [f"{near} * * *"]))
    nth = [f"{near} * * {day}#{counted[1]}"] if counted[1] and 2 < int(counted[1]) < 5 else []
    raise _Unclear(NO_OTHER, f"{near} * * {day}", *(nth or [f"{near} * * {day}#1,{day}#3"]))


def _nth(which: str, day: str, near: str) -> str:
    """The day of the week of a month. Raises _Unclear for a working day, and for a sixth Monday."""
    if day == "weekday":
        raise _Unclear(NO_WORKDAY, f"{near} {'L' if which == 'last' else which} * *", f"{near} * * {'L5' if which == 'last' else '1#1'}")
    if which != "last" and not 1 <= int(which) <= 5:
        raise _Unclear(PARTLY.format(f"“{which}th”"))
    return f"L{_DAYS.index(day)}" if which == "last" else f"{_DAYS.index(day)}#{which}"


def _day_of_month(word: str) -> str:
    if not 1 <= int(word) <= 31:
        raise _Unclear(f"No month has a day {int(word)}.")
    return str(int(word))


def _field(values: list[str]) -> str:
    return ",".join(sorted(dict.fromkeys(values), key=lambda value: (value.zfill(2), value))) or "*"
