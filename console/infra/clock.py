"""The time of this process: that of the database, where the clock of the machine is another; the demo may move it."""

import time
from datetime import UTC, datetime, timedelta

TOLERANCE_S = 1.0
_moved_by = timedelta()
_ahead, _set_at = timedelta(), 0.0


def now() -> datetime:
    """The time of a transition, aware UTC; drawn once and passed down."""
    is_set = _ahead and abs(_machine_set() - _set_at) > TOLERANCE_S  # meanwhile, so it is believed again
    return datetime.now(UTC) + _moved_by + (timedelta() if is_set else _ahead)


def follow(server: datetime) -> None:
    """Count by the clock of a server, which said this just now. Less than `TOLERANCE_S` is the way of the answer."""
    global _ahead, _set_at  # noqa: PLW0603 (one clock per process)
    ahead = server - datetime.now(UTC)
    _ahead = ahead if abs(ahead.total_seconds()) > TOLERANCE_S else timedelta()
    _set_at = _machine_set()


def _machine_set() -> float:
    """Changes when somebody sets the machine's clock."""
    return time.time() - time.monotonic()


def move_clock(by: timedelta) -> None:
    """Let this process write its events as if `by` had passed (negative: in the past). Only the demo does, while it makes up its past weeks."""
    global _moved_by  # noqa: PLW0603 (one clock per process)
    _moved_by = by


def moved_by() -> timedelta:
    """By how much this process's time differs from the server's, as `move_clock` said."""
    return _moved_by
