"""The rules of the house for reaching people, as they are kept and as people read them: hours of each kind by the day of the week, and caps."""

import re
from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from console.core.contacting import KINDS, MIDNIGHT, Cap, Hours, Kind, Rules, Window
from console.core.documents.json_shape import model_errors
from console.core.moments import is_zone
from console.core.working_time import DAYS, Day

CAPPED = ("email", "sms", "call")
"""Kinds that go to contacts. Chats go to one's own people."""
MOST_CAPS = 10
MOST_MESSAGES = 100
LONGEST_H = 90 * 24
DAY_NAMES: Mapping[Day, str] = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
KIND_NAMES: Mapping[str, str] = {"email": "E-mails", "sms": "SMS", "call": "Calls", "chat": "Chat messages"}
ANY_HOUR = "at any hour"
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


def document_of(rules: Rules) -> dict[str, Any]:
    """The rules as they are kept: `hours` by kind, each by day as ["08:00", "20:00"] or null; `caps` as kinds, most and hours; `chat_zone`."""
    return {
        "hours": {
            kind: {day: _written(hours) for day, hours in zip(DAYS, window.days, strict=True)}
            for kind, window in rules.windows.items()
        },
        "caps": [
            {
                "kinds": [kind for kind in CAPPED if kind in cap.kinds],
                "most": cap.most,
                "hours": int(cap.period.total_seconds() // 3600),
            }
            for cap in rules.caps
        ],
        "chat_zone": rules.chat_zone,
    }


def _written(hours: Hours) -> list[str] | None:
    return None if hours is None else [f"{each:%H:%M}" for each in hours]


def rules_of(document: Mapping[str, Any]) -> Rules:
    """The inverse of `document_of`, of a document in which `problems` finds none."""
    windows = {kind: _window(days) for kind, days in document["hours"].items()}
    caps = tuple(
        Cap(frozenset(cap["kinds"]), cap["most"], timedelta(hours=cap["hours"])) for cap in document["caps"]
    )
    return Rules(windows, caps=caps, chat_zone=document["chat_zone"])


def _window(days: Mapping[str, Sequence[str] | None]) -> Window:
    monday, tuesday, wednesday, thursday, friday, saturday, sunday = (_read(days.get(day)) for day in DAYS)
    return Window((monday, tuesday, wednesday, thursday, friday, saturday, sunday))


def _read(hours: Sequence[str] | None) -> Hours:
    return None if hours is None else (time.fromisoformat(hours[0]), time.fromisoformat(hours[1]))


def _of_day(hours: Any) -> Any:
    """The hours of a day, `["08:00", "20:00"]` or null for closed. Raises ValueError."""
    if hours is None:
        return None
    if (
        not isinstance(hours, list)
        or len(hours) != 2
        or not all(isinstance(each, str) and _CLOCK.fullmatch(each) for each in hours)
    ):
        raise ValueError("Say from when until when it is open, such as 08:00 to 20:00.")
    if hours[1] != "00:00" and hours[1] <= hours[0]:
        raise ValueError("It closes before it opens. 00:00 as the end is midnight.")
    return hours


def _zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError("Choose a time zone such as Europe/Vilnius.")
    return name


def _whole(most: int, words: str) -> AfterValidator:
    def check(value: Any) -> int:
        if type(value) is not int or not 1 <= value <= most:
            raise ValueError(words)
        return value

    return AfterValidator(check)


def _kinds(kinds: Any) -> Any:
    if not isinstance(kinds, list) or not kinds or any(kind not in CAPPED for kind in kinds):
        raise ValueError("Choose at least one of e-mails, SMS and calls.")
    return kinds


OfDay = Annotated[Any, AfterValidator(_of_day)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Week(_Part):
    mon: OfDay = None
    tue: OfDay = None
    wed: OfDay = None
    thu: OfDay = None
    fri: OfDay = None
    sat: OfDay = None
    sun: OfDay = None

    @model_validator(mode="after")
    def _opens(self) -> Self:
        if all(getattr(self, day) is None for day in DAYS):
            raise ValueError("No message of this kind would ever leave: open at least one day.")
        return self


class _Cap(_Part):
    kinds: Annotated[Any, AfterValidator(_kinds)]
    most: Annotated[Any, _whole(MOST_MESSAGES, f"Write a whole number from 1 to {MOST_MESSAGES}.")]
    hours: Annotated[Any, _whole(LONGEST_H, f"Write a time from 1 hour to {LONGEST_H // 24} days.")]


class _Document(_Part):
    hours: dict[Kind, _Week]
    caps: list[_Cap] = Field(max_length=MOST_CAPS)
    chat_zone: Annotated[str, AfterValidator(_zone)]


def problems(document: Any) -> list[dict[str, str]]:
    """What is wrong with a document, one detail for each field: `hours.sms.mon`, `caps.0.most`. Empty: `rules_of` reads it."""
    try:
        _Document.model_validate(document)
    except ValidationError as error:
        reasons = {".".join(map(str, spot.place[:3])): spot.reason for spot in model_errors(error, _Document)}
        return [{"field": field, "reason": reason} for field, reason in reasons.items()]
    return []


def hours_words(hours: Hours) -> str:
    """`08:00 to 20:00`, `closed`, or `all day`."""
    if hours is None:
        return "closed"
    opens, closes = hours
    if closes == MIDNIGHT:
        return "all day" if opens == MIDNIGHT else f"{opens:%H:%M} to midnight"
    return f"{opens:%H:%M} to {closes:%H:%M}"


def window_words(window: Window | None) -> str:
    """The hours of a week: `08:00 to 20:00, Sunday closed`."""
    if window is None:
        return ANY_HOUR
    spans: list[tuple[int, int, str]] = []
    for number, hours in enumerate(window.days):
        words = hours_words(hours)
        if spans and spans[-1][2] == words:
            spans[-1] = (spans[-1][0], number, words)
        else:
            spans.append((number, number, words))
    if len(spans) == 1:
        return ANY_HOUR if spans[0][2] == "all day" else f"{spans[0][2]} every day"
    return ", ".join(f"{_days(first, last)} {words}" for first, last, words in spans)


def _days(first: int, last: int) -> str:
    names = list(DAY_NAMES.values())
    if first == last:
        return names[first]
    return f"{names[first]} {'and' if last == first + 1 else 'to'} {names[last]}"


def cap_words(cap: Cap) -> str:
    """`e-mails and SMS: at most 3 messages in 7 days`."""
    named = [
        KIND_NAMES[kind] if kind == "sms" else KIND_NAMES[kind].lower()
        for kind in CAPPED
        if kind in cap.kinds
    ]
    told = f"at most {cap.told(cap.most)}"
    return told if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}: {told}"


def differences(before: Rules, after: Rules) -> list[str]:
    """What changed, a sentence for each: from what to what."""
    found = []
    for kind in KINDS:
        old, new = before.windows.get(kind), after.windows.get(kind)
        if old == new:
            continue
        apart = (
            [(day, a, b) for day, a, b in zip(DAY_NAMES.values(), old.days, new.days, strict=True) if a != b]
            if old and new
            else []
        )
        if 0 < len(apart) < 4:
            found += [
                f"{KIND_NAMES[kind]} on {day}s: {hours_words(b)} instead of {hours_words(a)}."
                for day, a, b in apart
            ]
        else:
            found.append(f"{KIND_NAMES[kind]}: {window_words(new)} instead of {window_words(old)}.")
    went, came = (
        [cap for cap in before.caps if cap not in after.caps],
        [cap for cap in after.caps if cap not in before.caps],
    )
    for cap in list(went):
        if (same := next((each for each in came if each.kinds == cap.kinds), None)) is not None:
            found.append(f"Cap: {cap_words(same)} instead of {cap.told(cap.most)}.")
            went.remove(cap)
            came.remove(same)
    found += [f"Cap taken away: {cap_words(cap)}." for cap in went] + [
        f"New cap: {cap_words(cap)}." for cap in came
    ]
    if before.chat_zone != after.chat_zone:
        found.append(f"Chat messages go by the clocks of {after.chat_zone} instead of {before.chat_zone}.")
    return found


def never_by_law(rules: Rules) -> list[tuple[str, str]]:
    """(country, kind) where the hours of the house and those of the law are never open at once."""
    return [
        (country, kind)
        for (country, kind), law in rules.law.items()
        if (own := rules.windows.get(kind)) is not None and not any(map(_overlap, own.days, law.days))
    ]


def _overlap(one: Hours, other: Hours) -> bool:
    if one is None or other is None:
        return False
    ends = [each[1] for each in (one, other) if each[1] != MIDNIGHT]
    return not ends or max(one[0], other[0]) < min(ends)
