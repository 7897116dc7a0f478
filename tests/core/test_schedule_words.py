"""Schedules in words: what everyday English means in five fields, and what is told instead of guessed."""

from datetime import UTC, datetime

from console.core import schedule
from console.core.schedule_words import NO_HALF, NO_HOLIDAYS, NO_TIME, SHORT_MONTHS, read_words
from tests.tables import cases


@cases(
    ("words", "cron"),
    [
        ("every weekday at nine", "0 9 * * 1-5"),
        ("Every weekday at nine, not on holidays.", "0 9 * * 1-5"),
        ("on weekdays at 9am", "0 9 * * 1-5"),
        ("Monday to Friday at 17:30", "30 17 * * 1-5"),
        ("every day at noon", "0 12 * * *"),
        ("daily at midnight", "0 0 * * *"),
        ("every morning at 6:15 am", "15 6 * * *"),
        ("every 15 minutes", "*/15 * * * *"),
        ("every five minutes", "*/5 * * * *"),
        ("every two hours", "0 */2 * * *"),
        ("hourly", "0 * * * *"),
        ("every Monday at 8pm", "0 20 * * 1"),
        ("on Mondays and Thursdays at 10:00", "0 10 * * 1,4"),
        ("Tuesday, Friday at 7.45", "45 7 * * 2,5"),
        ("every weekend at 11 am", "0 11 * * 0,6"),
        ("on the first of each month at 6:00", "0 6 1 * *"),
        ("on the 15th of every month at 6am", "0 6 15 * *"),
        ("monthly at 03:00", "0 3 1 * *"),
        ("on the last day of each month at 18:00", "0 18 L * *"),
        ("the first Monday of the month at 9:00", "0 9 * * 1#1"),
        ("on the 1st of january at 0:30", "30 0 1 1 *"),
        ("every day at 9:00 and at 17:00", "0 9,17 * * *"),
        ("every day", "0 9 * * *"),
        ("at 9:00", "0 9 * * *"),
        ("every evening at 8", "0 20 * * *"),
        ("every sunday night at 11:30", "30 23 * * 0"),
        ("every 15 minutes between 9 and 17 on weekdays", "*/15 9-16 * * 1-5"),
        ("mondays through thursdays at a quarter to five in the afternoon", "45 16 * * 1-4"),
        ("please run on the second and fourth thursday at 15:00", "0 15 * * 4#2,4#4"),
        ("every day except sunday at 9", "0 9 * * 1-6"),
        ("every January 2nd", "0 9 2 1 *"),
        ("quarterly on the 1st at 8am", "0 8 1 1,4,7,10 *"),
        ("twice a day at 9 and 5pm", "0 9,17 * * *"),
        ("0 9-17/2 * * mon-fri", "0 9-17/2 * * mon-fri"),
        ("on the last Friday of the month at 16:00", "0 16 * * L5"),
        ("every day except sundays at half past eight", "30 8 * * 1-6"),
        ("Mon, Wed, Fri 8:00", "0 8 * * 1,3,5"),
        ("yearly on March 1st at 7:15", "15 7 1 3 *"),
    ],
)
def test_words_become_fields_that_are_a_schedule(words: str, cron: str) -> None:
    assert read_words(words).crons == (cron,)
    assert schedule.wrong_cron(cron) is None
    assert schedule.spoken(cron) or cron == words
    assert len(schedule.following(cron, "Europe/Vilnius", datetime(2026, 11, 22, tzinfo=UTC), 5)) == 5


@cases(
    "words",
    ["", "soon", "every 7 minutes", "every 90 minutes", "at 25:00", "at 13pm", "every day at 9:70", "every other monday at nine", "on the 32nd of each month",
     "x" * 4_000, "every weekday at nine unless it rains", "twice a day", "every 3 days", "first working day of the month", "every Friday the 13th", "jeden Werktag um 8",
     "tomorrow at nine", "second to last day of the month", "61 9 * * *", "on the 31st of february", "every 0 minutes", "at 9 and 9 and 9 and 9", "every hour between 17 and 9"],
)  # fmt: skip
def test_what_is_not_understood_is_no_schedule(words: str) -> None:
    understood = read_words(words)
    assert not understood.crons
    assert understood.wrong.endswith((".", "7."))
    assert [read_words(schedule.spoken(cron) or "").crons for cron in understood.instead] == [(cron,) for cron in understood.instead]


@cases(
    ("words", "near"),
    [
        ("every other Tuesday at half past nine", ["Every Tuesday at 09:30", "On the first and third Tuesday of each month at 09:30"]),
        ("every two weeks on monday at 9", ["Every Monday at 09:00", "On the first and third Monday of each month at 09:00"]),
        ("last working day of the month at 17:00", ["On the last day of each month at 17:00", "On the last Friday of each month at 17:00"]),
    ],
)
def test_what_no_fields_can_say_is_told_with_what_comes_near(words: str, near: list[str]) -> None:
    assert [schedule.spoken(cron) for cron in read_words(words).instead] == near


def test_other_days_at_other_times_are_schedules_of_their_own_and_a_zone_is_taken_from_the_words() -> None:
    understood = read_words("every Monday at 9 and every Friday at 17:30 Berlin time")
    assert (understood.crons, understood.zone) == (("0 9 * * 1", "30 17 * * 5"), "Europe/Berlin")


def test_what_was_assumed_is_told() -> None:
    def notes(words: str) -> tuple[str, ...]:
        return read_words(words).notes

    assert notes("every weekday at nine, not on holidays") == (NO_HOLIDAYS,)
    assert notes("every Monday") == (NO_TIME.format(9),)
    assert notes("every night") == (NO_TIME.format(2),)
    assert notes("every day at five") == (NO_HALF,)
    assert notes("every day at 5 pm") == ()
    assert notes("on the 31st at 9") == (SHORT_MONTHS.format(31),)
