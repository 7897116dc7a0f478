"""Moments that a database keeps as numbers: seconds since 1970 or 2001, thousandths or millionths of them, Julian days."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

MOST_SECONDS = 100_000_000_000
JULIAN, JULIAN_1970 = (2_400_000, 2_500_000), Decimal("2440587.5")
"""From where a count since 1970 is one of parts of seconds; the numbers that are Julian days, and that of 1 January 1970."""
DAY_S = 86_400


class Shown(Protocol):
    """A field, or the kind of one."""

    @property
    def widget(self) -> str | None:
        """How it is shown."""

    @property
    def type(self) -> str:
        """What it holds."""


@dataclass(frozen=True, slots=True)
class Unit:
    """How moments are counted: `each` seconds a step, `zero` seconds after 1970 at 0. `blank`: 0 is no moment."""

    each: Decimal
    zero: Decimal = Decimal(0)
    blank: bool = True


UNITS = {
    "unix": Unit(Decimal(1)),
    "unix_ms": Unit(Decimal("0.001")),
    "unix_us": Unit(Decimal("0.000001")),
    "julian": Unit(Decimal(DAY_S), -JULIAN_1970 * DAY_S),
    "cocoa": Unit(Decimal(1), Decimal(978_307_200), blank=False),
}
"""Display of a field → how its numbers count."""


def is_counted(what: Shown) -> bool:
    """Whether the field holds moments as numbers."""
    return what.widget in UNITS and what.type in ("integer", "decimal")


def counting(widget: str, value: Any = None) -> str:
    """How this number counts: as its field says; where that says seconds since 1970, the size of the number tells what it really is."""
    number = _number(value)
    if widget != "unix" or number is None:
        return widget
    if JULIAN[0] < number < JULIAN[1]:
        return "julian"
    return (
        "unix"
        if abs(number) < MOST_SECONDS
        else "unix_ms"
        if abs(number) < MOST_SECONDS * 1_000
        else "unix_us"
    )


def moment(widget: str, value: Any) -> datetime | None:
    """The aware moment, to the tenth of a second where days are counted; None for a number that is none, and for 0 where that says "never"."""
    number = _number(value)
    unit = UNITS[counting(widget, value)]
    if number is None or (unit.blank and not number):
        return None
    try:
        return datetime.fromtimestamp(
            float(round(number * unit.each + unit.zero, 1 if unit.each > 1 else 6)), UTC
        )
    except (ValueError, OverflowError, OSError, InvalidOperation):
        return None


def count(widget: str, at: datetime, *, whole: bool) -> int | str:
    """The number that stands for an aware moment, as it is stored; not `whole`: as text."""
    unit = UNITS[widget]
    elapsed = at - datetime(1970, 1, 1, tzinfo=UTC)
    number = (
        Decimal(elapsed.days * DAY_S + elapsed.seconds)
        + Decimal(elapsed.microseconds) / 1_000_000
        - unit.zero
    ) / unit.each
    return int(number) if whole else f"{number.normalize():f}" if number else "0"


def number(what: Shown, at: datetime) -> int | Decimal:
    """The number that stands for an aware moment in a field."""
    made = count(str(what.widget), at, whole=what.type == "integer")
    return made if isinstance(made, int) else Decimal(made)


def _number(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
