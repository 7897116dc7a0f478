"""When somebody wants to be called again, by what they said."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, strategies

from console.core.time_phrases import LONGEST, moment_said
from tests.tables import cases

DENVER = ZoneInfo("America/Denver")
HEARD = datetime(2026, 11, 24, 12, 5, tzinfo=DENVER)  # a Tuesday


@cases(
    "words, expected",
    [
        ("Tuesday 3", "2026-12-01 15:00"),
        ("call me Tuesday 3", "2026-12-01 15:00"),
        ("Thursday at 3pm please", "2026-11-26 15:00"),
        ("wed 10", "2026-11-25 10:00"),
        ("tomorrow morning", "2026-11-25 09:00"),
        ("Tomorrow, 8:30 a.m.", "2026-11-25 08:30"),
        ("the day after tomorrow", "2026-11-26 12:05"),
        ("in two hours", "2026-11-24 14:05"),
        ("in 3 days", "2026-11-27 12:05"),
        ("next week, in the afternoon", "2026-12-01 14:00"),
        ("tonight", "2026-11-24 18:00"),
        ("at 11", "2026-11-25 11:00"),
        ("17:30", "2026-11-24 17:30"),
        ("2026-12-03", "2026-12-03 12:05"),
        ("2026-12-03 at 9", "2026-12-03 09:00"),
        ("2026-12-03T09:15", "2026-12-03 09:15"),
        ("2026-12-03T16:15:00Z", "2026-12-03 09:15"),
        ("2026-12-03T16:15:00.250+01:00", "2026-12-03 08:15"),
        ("whenever", None),
        ("", None),
        ("2020-01-01 at 9", None),
        ("2031-01-01 at 9", None),
        ("2026-02-31 at 9", None),
        ("in 400 days", None),
    ],
)
def test_what_was_said_is_a_moment_of_their_own_clock(words: str, expected: str | None) -> None:
    found = moment_said(words, HEARD.astimezone(UTC), DENVER)
    assert (found and found.strftime("%Y-%m-%d %H:%M")) == expected


@given(strategies.text(max_size=200))
def test_whatever_is_said_is_a_moment_to_come_or_nothing(words: str) -> None:
    found = moment_said(words, HEARD, DENVER)
    assert found is None or HEARD < found <= HEARD + LONGEST
