"""The time of a process is that of the database, unless somebody sets the machine's clock meanwhile."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from console.infra import clock


@pytest.fixture(autouse=True)
def unset() -> Iterator[None]:
    yield
    clock.follow(datetime.now(UTC))


def ahead_s() -> float:
    """By how much the process counts ahead of its machine."""
    return round((clock.now() - datetime.now(UTC)).total_seconds(), 1)


@pytest.mark.parametrize(("server_s", "counted_s"), [(60, 60), (-60, -60), (86_400, 86_400), (0.4, 0)])
def test_the_server_is_followed_where_it_differs(server_s: float, counted_s: float) -> None:
    clock.follow(datetime.now(UTC) + timedelta(seconds=server_s))
    assert ahead_s() == counted_s


def test_a_clock_that_was_set_meanwhile_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock.follow(datetime.now(UTC) + timedelta(seconds=60))
    before = clock._machine_set()
    monkeypatch.setattr(clock, "_machine_set", lambda: before + 60)
    assert ahead_s() == 0
