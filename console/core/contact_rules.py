"""The rules of the house for reaching people, as they are kept and as people read them: hours of each kind by the day of the week, and caps."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import time, timedelta
from typing import Any

from console.core.contacting import KINDS, MIDNIGHT, Cap, Hours, Rules, Window
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
_PARTS = ("hours", "caps", "chat_zone")


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
    return None if hours is None else (_time(hours[0]) or MIDNIGHT, _time(hours[1]) or MIDNIGHT)


def _time(text: Any) -> time | None:
    """The time of day of `08:00`; None for anything else."""
    if (
        not isinstance(text, str)
        or len(text) != 5
        or text[2] != ":"
        or not (text[:2] + text[3:]).isdecimal()
        or not text.isascii()
    ):
        return None
    hour, minute = int(text[:2]), int(text[3:])
    return time(hour, minute) if hour < 24 and minute < 60 else None


def problems(document: Any) -> list[dict[str, str]]:
    """What is wrong with a document, one detail for each field: `hours.sms.mon`, `caps.0.most`. Empty: `rules_of` reads it."""
    if not isinstance(document, Mapping):
        return [_wrong("", "Write an object with hours, caps and chat_zone.")]
    found = [_wrong(str(name), "There is no such setting.") for name in document if name not in _PARTS]
    hours, caps, zone = (document.get(name) for name in _PARTS)
    found += (
        _hours_problems(hours)
        if isinstance(hours, Mapping)
        else [_wrong("hours", "Say for each kind at which hours it may leave.")]
    )
    found += (
        _caps_problems(caps)
        if isinstance(caps, list)
        else [_wrong("caps", "Write a list of caps; an empty one for none.")]
    )
    if not isinstance(zone, str) or not is_zone(zone):
        found.append(_wrong("chat_zone", "Choose a time zone such as Europe/Vilnius."))
    return found


def _hours_problems(hours: Mapping[Any, Any]) -> Iterator[dict[str, str]]:
    for kind, days in hours.items():
        name = f"hours.{kind}"
        if kind not in KINDS:
            yield _wrong(name, f"A kind is one of {', '.join(KINDS)}.")
        elif not isinstance(days, Mapping):
            yield _wrong(name, "Say for each day when it opens and closes.")
        else:
            yield from (
                _wrong(f"{name}.{day}", f"A day is one of {', '.join(DAYS)}.")
                for day in days
                if day not in DAYS
            )
            yield from (_wrong(f"{name}.{day}", why) for day in DAYS if (why := _day_problem(days.get(day))))
            if all(days.get(day) is None for day in DAYS):
                yield _wrong(name, f"{KIND_NAMES[kind]} would never leave: open at least one day.")


def _day_problem(hours: Any) -> str:
    """Why these are no hours of a day; empty where they are."""
    if hours is None:
        return ""
    if not isinstance(hours, list) or len(hours) != 2:
        return "Say from when until when it is open."
    opens, closes = (_time(each) for each in hours)
    if opens is None or closes is None:
        return "Say from when until when it is open, such as 08:00 to 20:00."
    return (
        "It closes before it opens. 00:00 as the end is midnight."
        if closes != MIDNIGHT and closes <= opens
        else ""
    )


def _caps_problems(caps: Sequence[Any]) -> Iterator[dict[str, str]]:
    if len(caps) > MOST_CAPS:
        yield _wrong("caps", f"At most {MOST_CAPS} caps.")
    for number, cap in enumerate(caps[:MOST_CAPS]):
        name = f"caps.{number}"
        if not isinstance(cap, Mapping):
            yield _wrong(name, "Say the kinds, how many of them, and in how many hours.")
            continue
        yield from (
            _wrong(f"{name}.{part}", "There is no such setting.")
            for part in cap
            if part not in ("kinds", "most", "hours")
        )
        kinds = cap.get("kinds")
        if not isinstance(kinds, list) or not kinds or any(kind not in CAPPED for kind in kinds):
            yield _wrong(f"{name}.kinds", "Choose at least one of e-mails, SMS and calls.")
        if not _whole(cap.get("most"), MOST_MESSAGES):
            yield _wrong(f"{name}.most", f"Write a whole number from 1 to {MOST_MESSAGES}.")
        if not _whole(cap.get("hours"), LONGEST_H):
            yield _wrong(f"{name}.hours", f"Write a time from 1 hour to {LONGEST_H // 24} days.")


def _whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _wrong(field: str, reason: str) -> dict[str, str]:
    return {"field": field, "reason": reason}


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
