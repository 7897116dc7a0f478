"""Moments that a database keeps without a zone, as its clocks showed them, and moments in UTC.

An hour that clocks show twice is taken for the later one, an hour that they leave out for the one before it: so does PostgreSQL, which converts
by itself in the zone of the session.
Source: https://www.postgresql.org/docs/current/datetime-invalid-input.html
"""

import contextlib
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from console.core.errors import Invalid
from console.core.expressions.operands import moment_of

SPOKEN = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[+-]\d\d(?::\d\d)*)?")
NOT_PLACES = ("posix/", "right/", "SystemV/", "Factory", "localtime", "posixrules")


IN_UTC = frozenset(
    {"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Universal", "Zulu", "Etc/Universal", "Etc/Zulu", "UCT", "Etc/UCT"}
)
"""Zones that are no more than UTC."""


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Names of the zones that a source may have."""
    return frozenset(name for name in available_timezones() if not name.startswith(NOT_PLACES))


def require(zone: str) -> None:
    """Raises Invalid unless it is one of them, or "" for UTC."""
    if zone and zone not in zones():
        reason = "Choose one of the zones, such as Europe/Madrid."
        raise Invalid(reason, at="zone")


@lru_cache(maxsize=64)
def _place(zone: str) -> ZoneInfo:
    return ZoneInfo(zone)


def in_utc(shown: datetime, zone: str) -> datetime:
    """The moment in UTC at which the clocks of the zone showed this; one with a zone of its own stays what it is."""
    if shown.tzinfo is not None:
        return shown.astimezone(UTC)
    there = _place(zone)
    try:
        return max(shown.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:  # the first and the last day of the calendar
        return shown.replace(tzinfo=UTC)


def placed(value: Any, zone: str) -> Any:
    """A moment without a zone as one of UTC, in the form that it came in where it is none."""
    given = value
    if isinstance(value, str) and moment_of(value) is not None:
        with contextlib.suppress(ValueError):
            given = datetime.fromisoformat(value)
    return in_utc(given, zone) if isinstance(given, datetime) else value


def earliest(moment: datetime, zone: str) -> datetime:
    """The first moment at which the clocks of the zone showed what they show at this one; without a zone this one."""
    try:
        return on_clocks(moment, zone).replace(tzinfo=_place(zone)).astimezone(UTC) if zone else moment
    except OverflowError:
        return moment


def on_clocks(moment: datetime, zone: str) -> datetime:
    """What the clocks of the zone show at this moment, without a zone."""
    try:
        return moment.astimezone(_place(zone)).replace(tzinfo=None, fold=0)
    except OverflowError:
        return moment.astimezone(UTC).replace(tzinfo=None)


def compared(moment: datetime, zone: str) -> datetime:
    """What the column is compared with to find moments before or after this one.

    The first of an hour that clocks show twice equals nothing in the column, and everything from that hour on is later.
    """
    shown = on_clocks(moment, zone)
    if in_utc(shown, zone) <= moment:
        return shown
    there, begins = _place(zone), shown.replace(minute=0, second=0, microsecond=0)
    if begins.replace(tzinfo=there, fold=1).utcoffset() == begins.replace(tzinfo=there, fold=0).utcoffset():
        begins = shown.replace(
            minute=shown.minute // 30 * 30, second=0, microsecond=0
        )  # clocks that are shifted at half past, or by half an hour
    return begins - timedelta(microseconds=1)


def in_text(value: Any, zone: str) -> Any:
    """A text with moments, such as a range of PostgreSQL, with each of them in UTC; anything else as it is."""
    if not zone or not isinstance(value, str):
        return value
    return SPOKEN.sub(
        lambda found: in_utc(datetime.fromisoformat(found[0]), zone).isoformat(" ").removesuffix(":00"), value
    )


def utc_text(value: Any, zone: str) -> Any:
    """A text of SQLite as a moment in UTC in the form of `strftime`; null if it is none."""
    found = value if isinstance(value, str) else None
    if found is None or moment_of(found) is None:
        return None
    try:
        moment = in_utc(datetime.fromisoformat(found), zone)
    except ValueError:
        return None
    return moment.isoformat(" ", "milliseconds").removesuffix("+00:00")
