"""The time of this process, which the demo may move."""

from datetime import UTC, datetime, timedelta

_moved_by = timedelta()


def now() -> datetime:
    """The time of a transition, aware UTC; drawn once and passed down."""
    return datetime.now(UTC) + _moved_by


def move_clock(by: timedelta) -> None:
    """Let this process write its events as if `by` had passed (negative: in the past). Only the demo does, while it makes up its past weeks."""
    global _moved_by  # noqa: PLW0603 (one clock per process)
    _moved_by = by


def moved_by() -> timedelta:
    """By how much this process's time differs from the server's, as `move_clock` said."""
    return _moved_by
