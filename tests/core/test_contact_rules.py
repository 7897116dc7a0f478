"""The rules of the house as they are kept, refused, told, and compared."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from hypothesis import given, settings, strategies as st

from console.core.contact_rules import (
    CAPPED,
    document_of,
    never_by_law,
    problems,
)
from console.core.contacting import (
    KINDS,
    MIDNIGHT,
    Cap,
    Contact,
    Outgoing,
    Rules,
    SendNow,
    WaitUntil,
    Window,
    daily,
    judge,
)
from console.core.working_time import DAYS
from tests.tables import cases

USUAL = document_of(Rules())
MINUTES = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """A week that is open on at least one day."""
    days: list[Any] = []
    for _ in DAYS:
        opens, closes = draw(MINUTES), draw(MINUTES)
        days.append(
            draw(
                st.sampled_from(
                    [
                        None,
                        (min(opens, closes), MIDNIGHT if opens == closes else max(opens, closes)),
                        (MIDNIGHT, MIDNIGHT),
                    ]
                )
            )
        )
    days[draw(st.integers(0, 6))] = (time(9), time(17))
    return Window(tuple(days))


RULES = st.builds(
    Rules,
    windows=st.dictionaries(st.sampled_from(KINDS), windows()),
    caps=st.lists(
        st.builds(
            Cap,
            st.frozensets(st.sampled_from(CAPPED), min_size=1),
            st.integers(1, 100),
            st.integers(1, 90 * 24).map(lambda hours: timedelta(hours=hours)),
        ),
        max_size=10,
    ).map(tuple),
    chat_zone=st.sampled_from(["UTC", "Europe/Vilnius"]),
)


def changed(**parts: Any) -> dict[str, Any]:
    return USUAL | parts


def week(**days: Any) -> dict[str, Any]:
    return {"sms": USUAL["hours"]["sms"] | days}


@cases(
    ("document", "fields"),
    [
        ("rules", [""]),
        (changed(fax="on"), ["fax"]),
        (changed(hours=None), ["hours"]),
        (changed(hours={"fax": {}}), ["hours.fax"]),
        (changed(hours=week(mon=["20:00", "08:00"])), ["hours.sms.mon"]),
        (changed(hours=week(mon=["08:00", "08:00"])), ["hours.sms.mon"]),
        (changed(hours=week(tue=["8", "20:00"])), ["hours.sms.tue"]),
        (changed(hours=week(wed=["24:00", "25:61"])), ["hours.sms.wed"]),
        (changed(hours=week(thu=["08:00"])), ["hours.sms.thu"]),
        (changed(hours=week(fri=["０８:00", "20:00"])), ["hours.sms.fri"]),
        (changed(hours=week(someday=None)), ["hours.sms.someday"]),
        (changed(hours={"sms": dict.fromkeys(DAYS)}), ["hours.sms"]),
        (changed(hours={"sms": {}}), ["hours.sms"]),
        (changed(caps=None), ["caps"]),
        (changed(caps=[{"kinds": ["sms"], "most": 1, "hours": 1}] * 11), ["caps"]),
        (changed(caps=["few"]), ["caps.0"]),
        (changed(caps=[{"kinds": ["sms"], "most": 0, "hours": 24}]), ["caps.0.most"]),
        (changed(caps=[{"kinds": ["sms"], "most": True, "hours": 24}]), ["caps.0.most"]),
        (changed(caps=[{"kinds": ["sms"], "most": "three", "hours": 24}]), ["caps.0.most"]),
        (changed(caps=[{"kinds": ["sms"], "most": 10**9, "hours": 24}]), ["caps.0.most"]),
        (changed(caps=[{"kinds": ["sms"], "most": 1, "hours": 91 * 24}]), ["caps.0.hours"]),
        (changed(caps=[{"kinds": ["chat"], "most": 1, "hours": 1}]), ["caps.0.kinds"]),
        (changed(caps=[{"kinds": [], "most": 1, "hours": 1, "by": 1}]), ["caps.0.kinds", "caps.0.by"]),
        (changed(chat_zone="Mars/Base"), ["chat_zone"]),
    ],
)
def test_what_cannot_be_kept_is_named_by_its_field(document: Any, fields: list[str]) -> None:
    assert [each["field"] for each in problems(document)] == fields


def test_hours_outside_those_of_the_law_are_told_before_nobody_is_called() -> None:
    assert never_by_law(Rules()) == []
    assert never_by_law(Rules({})) == []
    assert never_by_law(Rules({"call": daily(time(5), time(8))})) == [("US", "call")]
    assert never_by_law(Rules({"call": daily(time(21), MIDNIGHT)})) == [("US", "call")]
    assert never_by_law(Rules({"call": daily(time(20, 59), MIDNIGHT)})) == []


def test_a_chat_has_the_hours_of_its_own_clock_and_others_without_a_contact_none() -> None:
    night = datetime(2026, 11, 24, 22, tzinfo=UTC)
    rules = Rules({"chat": daily(time(8), time(20)), "sms": daily(time(8), time(20))})
    held = judge(Outgoing("chat", None, night), None, ["UTC"], [], night, rules)
    assert isinstance(held, WaitUntil)
    assert (
        held.reason == "Quiet hours in UTC. Chat messages leave from 08:00 on Wednesday, 25 November there."
    )
    assert isinstance(
        judge(Outgoing("chat", None, night), None, ["America/Denver"], [], night, rules), SendNow
    )
    assert isinstance(judge(Outgoing("sms", None, night), None, ["UTC"], [], night, rules), SendNow)
    assert isinstance(judge(Outgoing("chat", None, night), None, ["UTC"], [], night), SendNow)


@given(rules=RULES, hour=st.integers(0, 24 * 7 - 1), kind=st.sampled_from(CAPPED))
@settings(max_examples=80, deadline=None)
def test_wider_hours_never_hold_a_message_back_longer(rules: Rules, hour: int, kind: Any) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=hour)
    sam = Contact("contact", "1", zone="UTC", country="LT")
    wider = Rules({name: window for name, window in rules.windows.items() if name != kind})
    held = judge(Outgoing(kind, None, now, timedelta(days=30)), sam, ["UTC"], [], now, rules)
    assert isinstance(held, SendNow | WaitUntil)
    assert isinstance(
        judge(Outgoing(kind, None, now, timedelta(days=30)), sam, ["UTC"], [], now, wider), SendNow
    )
