"""The gate: who may be reached now, later, or not at all."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from console.core.contacting import (
    DAYTIME,
    NO_SUNDAY,
    AskAgain,
    Consent,
    Contact,
    Outgoing,
    Rules,
    SendNow,
    Skip,
    Used,
    WaitUntil,
    judge,
    next_open,
)

YES = Consent(given=True, source="web form", text_version="3", at="2026-01-01T00:00:00Z")
SAM = Contact(
    "supply.contact",
    "1",
    zone="America/Denver",
    country="US",
    consent={"sms": YES, "ai_call": YES, "email": YES},
)
DENVER = ["America/Denver"]


def at(text: str, zone: str = "America/Denver") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def call(asked: datetime) -> Outgoing:
    return Outgoing("call", "ai_call", asked)


def test_a_call_due_in_the_evening_waits_for_the_morning_there() -> None:
    now = at("2026-11-23T20:30")
    verdict = judge(call(now), SAM, DENVER, [], now)
    assert isinstance(verdict, WaitUntil)
    assert verdict.until == at("2026-11-24T08:00")
    assert verdict.reason == "Quiet hours in Denver. Calls leave from 08:00 on Tuesday, 24 November there."


@pytest.mark.parametrize("kind", ["email", "sms", "call"])
def test_who_is_not_to_be_contacted_gets_nothing(kind: Literal["email", "sms", "call"]) -> None:
    now = at("2026-11-24T10:00")
    consent = {"email": YES, "sms": YES, "call": YES}
    assert isinstance(
        judge(Outgoing(kind, kind, now), Contact("c", "1", consent=consent), DENVER, [], now), SendNow
    )
    verdict = judge(
        Outgoing(kind, kind, now), Contact("c", "1", consent=consent, do_not_contact=True), DENVER, [], now
    )
    assert isinstance(verdict, Skip)
    assert verdict.code == "do_not_contact"


def test_no_calls_on_sundays_but_sms() -> None:
    now = at("2026-11-22T10:00")
    verdict = judge(call(now), SAM, DENVER, [], now)
    assert isinstance(verdict, WaitUntil)
    assert verdict.until == at("2026-11-23T08:00")
    assert isinstance(judge(Outgoing("sms", "sms", now), SAM, DENVER, [], now), SendNow)


def test_the_night_of_the_clock_change_ends_by_the_new_clock() -> None:
    now = at("2026-10-24T23:30", "Europe/Vilnius")  # the clock goes back at 04:00
    verdict = judge(Outgoing("sms", "sms", now), SAM, ["Europe/Vilnius"], [], now)
    assert isinstance(verdict, WaitUntil)
    assert verdict.until == at("2026-10-25T08:00", "Europe/Vilnius") == datetime(2026, 10, 25, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("consent", "code"),
    [
        ({}, "no_consent"),
        ({"sms": Consent(given=False)}, "no_consent"),
        ({"sms": Consent(given=False, at=YES.at, withdrawn_at="2026-02-01")}, "consent_withdrawn"),
        ({"email": YES, "call": YES}, "no_consent"),
    ],
)
def test_without_consent_it_is_skipped_once_also_at_night(consent: dict[str, Consent], code: str) -> None:
    now = at("2026-11-23T23:00")
    verdict = judge(Outgoing("sms", "sms", now), Contact("c", "1", consent=consent), DENVER, [], now)
    assert isinstance(verdict, Skip)
    assert verdict.code == code


def test_what_leaves_says_on_which_consent() -> None:
    now = at("2026-11-23T12:00")
    assert judge(Outgoing("sms", "sms", now), SAM, DENVER, [], now) == SendNow(
        "given 1 Jan 2026, web form, text 3"
    )


def test_an_ai_needs_its_own_consent_and_a_withdrawn_one_for_calls_stops_it_too() -> None:
    now = at("2026-11-23T12:00")
    only_calls = Contact("c", "1", consent={"call": YES})
    withdrawn = Contact(
        "c", "1", consent={"ai_call": YES, "call": Consent(given=False, withdrawn_at="2026-02-01")}
    )
    for contact, code in ((only_calls, "no_consent"), (withdrawn, "consent_withdrawn")):
        verdict = judge(call(now), contact, DENVER, [], now)
        assert isinstance(verdict, Skip)
        assert verdict.code == code


def test_the_cap_names_who_used_it() -> None:
    now = at("2026-11-23T12:00")
    used = [
        Used("sms", now - timedelta(days=days), by)
        for days, by in ((1, "Lead nurture"), (2, "Lead nurture"), (5, "Welcome"))
    ]
    verdict = judge(Outgoing("email", "email", now), SAM, DENVER, used, now)
    assert isinstance(verdict, Skip)
    assert (
        verdict.reason
        == "3 messages in 7 days already, by Welcome and Lead nurture (2); at most 3 over all workflows."
    )
    soon = [*used[:2], Used("sms", now - timedelta(days=6, hours=20), "Welcome")]
    waits = judge(Outgoing("email", "email", now), SAM, DENVER, soon, now)
    assert isinstance(waits, WaitUntil)
    assert waits.until == now + timedelta(hours=4)
    assert isinstance(judge(Outgoing("email", "email", now), SAM, DENVER, used[:2], now), SendNow)


def test_a_call_after_the_cap_also_keeps_the_hours() -> None:
    now = at("2026-11-23T19:00")
    verdict = judge(call(now), SAM, DENVER, [Used("call", at("2026-11-22T20:30"), "Re-engagement")], now)
    assert isinstance(verdict, WaitUntil)
    assert verdict.until == at("2026-11-24T08:00")
    assert "Re-engagement" in verdict.reason


def test_what_waited_too_long_asks_again() -> None:
    now = at("2026-11-23T12:00")
    assert isinstance(judge(call(now - timedelta(hours=25)), SAM, DENVER, [], now), AskAgain)
    assert isinstance(
        judge(Outgoing("sms", "sms", now - timedelta(hours=25), timedelta(hours=48)), SAM, DENVER, [], now),
        SendNow,
    )


def test_several_zones_leave_the_hours_that_are_open_in_all() -> None:
    zones = ["America/New_York", "Pacific/Honolulu"]
    opens = next_open([DAYTIME], zones, at("2026-11-23T08:00", "America/New_York"))
    assert opens == at("2026-11-23T08:00", "Pacific/Honolulu")
    apart = judge(Outgoing("sms", "sms", opens), SAM, ["Asia/Bangkok", "America/New_York"], [], opens)
    assert isinstance(apart, Skip)
    assert apart.code == "no_common_hour"


def test_the_law_holds_where_the_house_is_open_longer() -> None:
    late = at("2026-11-23T21:30")
    verdict = judge(call(late), SAM, DENVER, [], late, Rules(windows={}))
    assert isinstance(verdict, WaitUntil)
    assert verdict.until == at("2026-11-24T08:00")


def moments(first: int, last: int) -> st.SearchStrategy[datetime]:
    """Moments of these years, in UTC."""
    return st.integers(
        int(datetime(first, 1, 1, tzinfo=UTC).timestamp()),
        int(datetime(last, 12, 31, tzinfo=UTC).timestamp()),
    ).map(lambda second: datetime.fromtimestamp(second, UTC))


ZONES = st.lists(
    st.sampled_from(
        [
            "America/Denver",
            "Europe/Vilnius",
            "Australia/Lord_Howe",
            "Asia/Kathmandu",
            "Africa/Casablanca",
            "UTC",
        ]
    ),
    min_size=1,
    max_size=2,
)


@given(
    zones=ZONES,
    now=moments(2024, 2029),
    sundays=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_next_open_moment_is_open_everywhere_and_the_first(
    zones: list[str], now: datetime, sundays: bool
) -> None:
    window = DAYTIME if sundays else NO_SUNDAY
    opens = next_open([window], zones, now)

    def is_open(moment: datetime) -> bool:
        return all(window.is_open(moment.astimezone(ZoneInfo(zone))) for zone in zones)

    if opens is None:
        assert not any(is_open(now + timedelta(minutes=15 * quarter)) for quarter in range(4 * 24 * 8))
        return
    assert opens >= now
    assert is_open(opens)
    minutes = int((opens - now).total_seconds() // 60)
    assert not any(is_open(now + timedelta(minutes=each)) for each in range(0, minutes, 11))
    assert opens == now or not is_open(opens - timedelta(seconds=1))


@given(
    now=moments(2026, 2026),
    hours=st.lists(st.integers(0, 24 * 9), max_size=6),
    waited=st.integers(0, 30),
    channel=st.sampled_from(["email", "sms", "call"]),
)
@settings(max_examples=80, deadline=None)
def test_what_may_leave_is_within_all_rules_and_what_waits_may_leave_then(
    now: datetime, hours: list[int], waited: int, channel: str
) -> None:
    message = Outgoing(
        channel,
        "ai_call" if channel == "call" else channel,
        now - timedelta(hours=waited),
        timedelta(days=30),
    )  # type: ignore[arg-type]
    used = [Used(channel, now - timedelta(hours=each), "Other") for each in hours]
    verdict = judge(message, SAM, DENVER, used, now)
    cap, period = (1, timedelta(days=1)) if channel == "call" else (3, timedelta(days=7))
    if isinstance(verdict, WaitUntil):
        assert verdict.until > now
        assert isinstance(judge(message, SAM, DENVER, used, verdict.until), SendNow | AskAgain)
    else:
        assert isinstance(verdict, SendNow)
        assert sum(one.at > now - period for one in used) < cap
        window = {"sms": DAYTIME, "call": NO_SUNDAY}.get(channel)
        assert window is None or window.is_open(now.astimezone(ZoneInfo("America/Denver")))
