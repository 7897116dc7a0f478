"""Schedules in words: what plain English means in five fields, and what is refused instead of guessed."""

from datetime import UTC, datetime

from console.core import schedule
from console.core.schedule_words import NO_TIME, read_words
from tests.tables import cases


@cases(
    ("words", "crons"),
    [
        ("every weekday at nine", ["0 9 * * 1-5"]),
        ("on weekdays at 9am.", ["0 9 * * 1-5"]),
        ("Monday to Friday at 17:30", ["30 17 * * 1-5"]),
        ("Saturday to Monday at 8", ["0 8 * * 6,0,1"]),
        ("every day at noon", ["0 12 * * *"]),
        ("daily at midnight", ["0 0 * * *"]),
        ("every 15 minutes", ["*/15 * * * *"]),
        ("every five minutes", ["*/5 * * * *"]),
        ("every two hours", ["0 */2 * * *"]),
        ("hourly", ["0 * * * *"]),
        ("Every hour", ["0 * * * *"]),
        ("every 15 minutes between 9 and 17 on weekdays", ["*/15 9-16 * * 1-5"]),
        ("every Monday at 8pm", ["0 20 * * 1"]),
        ("on Mondays and Thursdays at 10:00", ["0 10 * * 1,4"]),
        ("Mon, Wed, Fri at 8:00", ["0 8 * * 1,3,5"]),
        ("every weekend at 11 am", ["0 11 * * 0,6"]),
        ("On the first of every month at 9", ["0 9 1 * *"]),
        ("on the 15th of each month at 6am", ["0 6 15 * *"]),
        ("on the last day of every month at 18:00", ["0 18 L * *"]),
        ("the first Monday of the month at 9:00", ["0 9 * * 1#1"]),
        ("on the last Friday of the month at 16:00", ["0 16 * * L5"]),
        ("on the 1st of january at 0:30", ["30 0 1 1 *"]),
        ("every March 1st at 7:15", ["15 7 1 3 *"]),
        ("every day at 9:00 and 17:00", ["0 9,17 * * *"]),
        ("every day at 9:00 and 17:30", ["0 9 * * *", "30 17 * * *"]),
        ("at 9:00", ["0 9 * * *"]),
        ("0 9-17/2 * * mon-fri", ["0 9-17/2 * * mon-fri"]),
    ],
)
def test_words_become_fields_that_are_a_schedule(words: str, crons: list[str]) -> None:
    assert list(read_words(words).crons) == crons
    for cron in crons:
        assert schedule.wrong_cron(cron) is None
        assert len(schedule.following(cron, "Europe/Vilnius", datetime(2026, 11, 22, tzinfo=UTC), 5)) == 5


@cases(
    "words",
    [
        "",
        "soon",
        "every 7 minutes",
        "every 90 minutes",
        "every day at 25:00",
        "every day at 13pm",
        "every day at 9:70",
        "every other monday at 9",
        "on the 32nd of each month at 9",
        "x" * 4_000,
        "every weekday at nine unless it rains",
        "every 3 days at 9",
        "first working day of the month at 9",
        "jeden Werktag um 8",
        "every day except sunday at 9",
        "tomorrow at nine",
        "61 9 * * *",
        "on the 31st of february at 9",
        "every 0 minutes",
        "every hour between 17 and 9",
    ],
)
def test_what_is_not_understood_is_no_schedule(words: str) -> None:
    understood = read_words(words)
    assert not understood.crons
    assert understood.wrong


def test_a_time_of_day_is_asked_for() -> None:
    assert read_words("every Monday").wrong == NO_TIME
