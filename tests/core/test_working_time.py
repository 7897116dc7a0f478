"""Working time: what counts, over nights, weekends, holidays and changes of clocks; and that the two ways of reckoning agree."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, strategies as st

from console.core.working_time import Hours, after, worked_seconds

OFFICE = Hours("Europe/Vilnius", frozenset(range(5)), time(9), time(17), frozenset({date(2026, 12, 25)}))
HOUR = 3600.0


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_friday_evening_goes_on_on_monday() -> None:
    friday, monday = at("2026-11-20T16:00+02:00"), at("2026-11-23T10:00+02:00")
    assert worked_seconds(OFFICE, friday, monday) == 2 * HOUR
    assert after(OFFICE, friday, 2 * HOUR) == monday
    assert after(OFFICE, at("2026-11-20T17:00+02:00"), HOUR) == monday
    assert worked_seconds(OFFICE, at("2026-12-24T16:00+02:00"), at("2026-12-28T09:00+02:00")) == HOUR, (
        "a holiday and a weekend"
    )


def test_a_clock_stands_still_while_something_else_is_waited_for() -> None:
    begin, end = at("2026-11-23T09:00+02:00"), at("2026-11-23T17:00+02:00")
    pauses = [
        (at("2026-11-23T10:00+02:00"), at("2026-11-23T12:00+02:00")),
        (at("2026-11-23T11:00+02:00"), at("2026-11-23T13:00+02:00")),
    ]
    assert worked_seconds(OFFICE, begin, end, pauses) == 5 * HOUR
    assert (
        worked_seconds(OFFICE, begin, end, [(at("2026-11-20T09:00+02:00"), at("2026-11-30T09:00+02:00"))])
        == 0
    )


def test_on_the_nights_when_clocks_change_the_hours_are_those_that_were() -> None:
    whole = Hours("Europe/Vilnius")
    assert worked_seconds(whole, at("2026-03-28T22:00Z"), at("2026-03-29T21:00Z")) == 23 * HOUR
    assert worked_seconds(whole, at("2026-10-24T21:00Z"), at("2026-10-25T22:00Z")) == 25 * HOUR
    night = Hours("Europe/Vilnius", frozenset({6}), time(2), time(5))
    assert worked_seconds(night, at("2026-03-28T00:00Z"), at("2026-03-30T00:00Z")) == 2 * HOUR


def test_who_never_works_is_never_done() -> None:
    begin = at("2026-11-20T16:00+02:00")
    assert after(Hours(days=frozenset()), begin, 1) == begin + timedelta(days=3660)


MOMENTS = st.integers(0, 365 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(MOMENTS, st.integers(1, 200 * 3600))
def test_so_many_seconds_after_is_so_many_seconds_of_work(begin: datetime, seconds: int) -> None:
    assert worked_seconds(OFFICE, begin, after(OFFICE, begin, seconds)) == seconds


@given(st.lists(MOMENTS, min_size=3, max_size=3).map(sorted))
def test_stretches_add_up(moments: list[datetime]) -> None:
    one, two, three = moments
    assert worked_seconds(OFFICE, one, two) + worked_seconds(OFFICE, two, three) == worked_seconds(
        OFFICE, one, three
    )
    assert worked_seconds(OFFICE, one, three, [(one, two)]) == worked_seconds(OFFICE, two, three)
