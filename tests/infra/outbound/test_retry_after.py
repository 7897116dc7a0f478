"""How long another system asks to wait, and how long it is waited."""

from datetime import UTC, datetime, timedelta

from console.infra.outbound import retry_after
from tests.tables import cases

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@cases(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "4294967295"}, 4294967295.0),
        ({"retry-after": "9" * 400}, float("inf")),
        ({"retry-after": "9" * 5000}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "1e3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Fri, 20 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:30"}, 30.0),
        ({"retry-after": "Fri, 32 Nov 2026 12:00:30 GMT"}, None),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
    ],
)
def test_how_long_one_is_asked_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after.seconds(headers, NOW) == seconds


@cases(
    ("wait_s", "minutes"),
    [
        (None, 2.0),
        (0.0, 2.0),
        (60.0, 2.0),
        (3600.0, 60.0),
        (4294967295.0, 24 * 60.0),
        (float("inf"), 24 * 60.0),
    ],
)
def test_it_is_waited_as_long_as_was_asked_for_and_never_shorter_than_our_own_pause(
    wait_s: float | None, minutes: float
) -> None:
    assert retry_after.pause(timedelta(minutes=2), wait_s) == timedelta(minutes=minutes)
