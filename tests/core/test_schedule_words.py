"""Schedules in words: what everyday English means in five fields, and what is told instead of guessed."""

from datetime import UTC, datetime

from console.core import schedule
from console.core.schedule_words import NO_HALF, NO_HOLIDAYS, NO_TIME, read_words
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
    ],
)
def test_words_become_fields_that_are_a_schedule(words: str, cron: str) -> None:
    understood = read_words(words)
    assert understood is not None
    assert understood.cron == cron
    assert schedule.wrong_cron(cron) is None
    assert schedule.spoken(cron)
    assert len(schedule.following(cron, "Europe/Vilnius", datetime(2026, 11, 22, tzinfo=UTC), 5)) == 5


@cases(
    "words",
    ["", "soon", "every 7 minutes", "every 90 minutes", "at 25:00", "at 13pm", "every day at 9:70", "every other monday at nine", "on the 32nd of each month",
     "every day at 9:00 and at 17:30", "every quarter", "x" * 4_000, "every weekday at nine unless it rains", "twice a day"],
)  # fmt: skip
def test_what_is_not_understood_is_no_schedule(words: str) -> None:
    assert read_words(words) is None


def test_what_was_assumed_is_told() -> None:
    def notes(words: str) -> tuple[str, ...]:
        understood = read_words(words)
        assert understood is not None
        return understood.notes

    assert notes("every weekday at nine, not on holidays") == (NO_HOLIDAYS,)
    assert notes("every Monday") == (NO_TIME,)
    assert notes("every day at five") == (NO_HALF,)
    assert notes("every day at 5 pm") == ()
