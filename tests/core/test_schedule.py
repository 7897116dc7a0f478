"""When schedules are due: zones, clocks that go forward and back, times that were missed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from console.core import schedule
from tests.tables import cases


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


VILNIUS = "Europe/Vilnius"


@cases(
    ("cron", "zone", "after", "times"),
    [
        pytest.param(
            "30 3 * * *",
            VILNIUS,
            "2026-03-28 12:00",
            ["29 01:00", "30 00:30", "31 00:30"],
            id="does not exist: at the end of the gap",
        ),
        pytest.param(
            "30 3 * * *",
            VILNIUS,
            "2026-10-24 12:00",
            ["25 00:30", "26 01:30", "27 01:30"],
            id="comes twice: the first time",
        ),
        pytest.param(
            "*/30 * * * *",
            VILNIUS,
            "2026-10-25 00:00",
            ["25 00:30", "25 01:00", "25 01:30"],
            id="every half hour goes on",
        ),
        pytest.param(
            "*/30 * * * *",
            VILNIUS,
            "2026-03-29 00:30",
            ["29 01:00", "29 01:30", "29 02:00"],
            id="no time is told twice after a gap",
        ),
        pytest.param(
            "15 0 * * *",
            "America/Asuncion",
            "2024-10-05 12:00",
            ["06 04:00", "07 03:15", "08 03:15"],
            id="midnight does not exist",
        ),
        pytest.param(
            "0 12 * * *",
            "Pacific/Apia",
            "2011-12-29 12:00",
            ["29 22:00", "30 10:00", "30 22:00"],
            id="a day is left out",
        ),
        pytest.param(
            "0 5 29 2 *", "UTC", "2026-01-01 00:00", ["29 05:00", "29 05:00", "29 05:00"], id="29 February"
        ),
    ],
)
def test_times_of_a_zone_with_clocks_that_go_forward_and_back(
    cron: str, zone: str, after: str, times: list[str]
) -> None:
    assert [f"{time:%d %H:%M}" for time in schedule.following(cron, zone, at(after), 3)] == times


def test_wrong_fields_are_named_and_impossible_days_are_told() -> None:
    right = [
        "*/5 * * * *",
        "0 9 * * mon-fri",
        "0 0 L * *",
        "0 0 29 2 *",
        "0 8 * mar,apr fri#1",
        "*/5 * * * *",
        "0 6 * * 1",
        "0 6 1 * *",
    ]
    wrong = [
        "61 * * * *",
        "* * * *",
        "* * * * * *",
        "@daily",
        "0 0 30 2 *",
        "R R * * *",
        "H * * * *",
        "0 0 ? * *",
        "a b c d e",
        "",
        "*/0 * * * *",
    ]
    assert [cron for cron in right if schedule.wrong_cron(cron)] == []
    assert [cron for cron in wrong if not schedule.wrong_cron(cron)] == []
    assert (schedule.wrong_zone("Europe/Vilnius"), schedule.wrong_zone("../etc/passwd") is None) == (
        None,
        False,
    )


@pytest.mark.parametrize(("missed", "times", "left_out"), [("skip", 0, 3), ("once", 1, 2), ("all", 3, 0)])
def test_times_at_which_nobody_was_there(missed: schedule.Missed, times: int, left_out: int) -> None:
    found = schedule.due("0 2 * * *", "UTC", missed, at("2026-11-01 02:00"), at("2026-11-03 08:00"))
    assert (len(found.times), found.left_out, found.next_at) == (times, left_out, at("2026-11-04 02:00"))
    assert list(found.times) == [at(f"2026-11-0{day} 02:00") for day in (1, 2, 3)][3 - times :]


def test_what_is_on_time_is_not_missed_and_at_most_ten_are_made_up_for() -> None:
    on_time = schedule.due("0 2 * * *", "UTC", "skip", at("2026-11-01 02:00"), at("2026-11-01 02:00:40"))
    assert (on_time.times, on_time.left_out) == ((at("2026-11-01 02:00"),), 0)
    long = schedule.due("* * * * *", "UTC", "all", at("2020-01-01 00:00"), at("2026-11-01 00:00:30"))
    assert [time for time in long.times if time < at("2026-11-01 00:00")] == [
        at("2026-10-31 23:50") + timedelta(minutes=n) for n in range(10)
    ]


@pytest.mark.parametrize(
    "cron", ["0 2 * * *", "30 3 * * 1-5", "*/30 8-18 * * 1-5", "30 * * * *", "0 */6 1,15 * 5", "45 23 L * *"]
)
@pytest.mark.parametrize("zone", ["Europe/Vilnius", "Australia/Lord_Howe"])
def test_every_time_of_a_long_outage_is_counted(cron: str, zone: str) -> None:
    first, now = at("2026-09-20 09:20"), at("2026-11-10 21:10")  # the clocks of both zones change between
    found, walked = (
        schedule.due(cron, zone, "once", first, now),
        sum(1 for each in schedule.following(cron, zone, first, 1_300) if each <= now),
    )
    assert found.left_out + len(found.times) == walked


@given(
    st.sampled_from(["30 2 * * *", "15 */3 * * *", "0 0 * * 0", "45 23 31 * *"]),
    st.sampled_from(["UTC", "Europe/Vilnius", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001
)
def test_looking_often_finds_what_looking_once_finds(cron: str, zone: str, moment: datetime) -> None:
    start = moment.replace(tzinfo=UTC)
    many = schedule.following(cron, zone, start, 6)
    assert many == sorted(set(many))
    again, last = [], start
    for _ in many:
        last = schedule.following(cron, zone, last, 1)[0]
        again.append(last)
    assert again == many
