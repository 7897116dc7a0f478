"""Days that databases keep as midnights."""

from datetime import UTC, datetime

from console.views import formats
from console.views.formats import Kind, Look
from tests.tables import cases

LOOK = Look("en", "Europe/Vilnius", datetime(2026, 11, 20, 10, 30, tzinfo=UTC))


# -- days


@cases(
    ("value", "words"),
    [
        ("2026-11-20T00:00:00Z", "today"),
        ("2026-11-20T00:00:00.000000+00:00", "today"),
        ("2026-11-19T22:00:00Z", "today"),
        ("2026-11-19T00:00:00Z", "yesterday"),
        ("2026-11-21T00:00:00Z", "tomorrow"),
        ("2026-11-18T00:00:00Z", "18 Nov 2026"),
        ("2021-11-23T00:00:00Z", "23 Nov 2021"),
        ("9999-12-31T00:00:00Z", "31 Dec 9999"),
        ("2026-11-20T00:30:00Z", "10 hours ago"),
        ("2026-11-20T00:00:01Z", "10 hours ago"),
        ("2026-11-20T10:29:50Z", "just now"),
    ],
)
def test_a_midnight_is_a_day_and_every_other_moment_a_moment(value: str, words: str) -> None:
    drawn = str(formats.html(Kind("f", "F", "datetime"), value, LOOK))
    assert f">{words}</time>" in drawn
    assert "title=" in drawn


def test_a_day_is_that_of_the_date_that_was_meant_wherever_it_is_read() -> None:
    far = Look("en", "America/Los_Angeles", LOOK.now)
    assert ">today<" in formats.html(Kind("f", "F", "datetime"), "2026-11-20T00:00:00Z", far)
    assert ">21 Nov 2026<" not in formats.html(Kind("f", "F", "datetime"), "2026-11-20T00:00:00Z", far)
    assert "UTC" in formats.html(Kind("f", "F", "datetime"), "2026-11-20T00:00:00Z", far)
