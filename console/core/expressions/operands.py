"""How operators and functions of the expression language treat values: three-valued and exact.

Values are JSON values or their typed forms `Decimal`, `date`, `datetime` (aware), `time`, `timedelta`, `UUID`. A string counts as a number,
date or moment if the other side is one; two strings are compared as texts. A missing field, null in an ordering or a wrong type gives
`UNKNOWN`. Nothing in this module raises for any value.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException, localcontext
from enum import Enum
from typing import Any, Final
from uuid import UUID

from console.core.tag_names import TagName, identity


class Unknown(Enum):
    """The third truth value, and the value of everything that cannot be computed."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN
EXACT = Context(prec=38, Emax=9999, Emin=-9999)
QUOTIENT = Context(prec=28, Emax=9999, Emin=-9999)
NUMBER = re.compile(r"-?[0-9]{1,60}(?:\.[0-9]{1,60})?")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIME = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?")
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)


LONGEST = 60
"""Most digits of a number before its point, and after it."""


class Spelled(str):
    """A fractional number as a request wrote it. Elsewhere decimals are texts; inside JSON it is still a number."""

    __slots__ = ()

    @property
    def plain(self) -> str:
        """The number without an exponent: `1.5e3` becomes `1500`. A number too long to write out stays as it is."""
        if "e" not in self.lower():
            return str(self)
        number = Decimal(self)
        return (
            f"{number:f}"
            if number.is_finite() and abs(number.adjusted()) < LONGEST and len(self) < LONGEST
            else str(self)
        )

    @property
    def whole(self) -> int | None:
        """The whole number of at most 64 bits that it is: `2.0` and `2e3` are, as JSON has one kind of number. None for every other."""
        number = number_of(self.plain)
        whole = int(number) if isinstance(number, Decimal) and number == number.to_integral_value() else None
        return whole if whole is not None and -(2**63) <= whole < 2**63 else None


def number_of(value: Any) -> Decimal | int | None:
    """The number that the value is or that the string spells; None otherwise (true, false and NaN are not numbers)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, float):
        return number_of(Decimal(repr(value)))
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return Decimal(value)
    return None


def date_of(value: Any) -> date | None:
    """The day of a date or of a string in ISO form; None for anything else, also for moments."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return None


def moment_of(value: Any) -> datetime | None:
    """The aware moment of a datetime or string; a day counts as its midnight, a missing zone as UTC."""
    if isinstance(value, str) and MOMENT.fullmatch(value):
        try:
            value = datetime.fromisoformat(value)
            if value.utcoffset():
                value.astimezone(
                    UTC
                )  # one that only its zone keeps in the calendar is none that could be compared
        except (ValueError, OverflowError):
            return None
    if not isinstance(value, datetime):
        day = date_of(value)
        return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value


def time_of(value: Any) -> time | None:
    """The time of day of a time or of a string in ISO form; None with a zone, because times with zones cannot be compared."""
    if isinstance(value, str) and TIME.fullmatch(value):
        try:
            value = time.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, time) and value.tzinfo is None else None


def uuid_of(value: Any) -> UUID | None:
    """The UUID of a UUID or of a string in its usual form."""
    if isinstance(value, str) and len(value) == 36:
        try:
            return UUID(value)
        except ValueError:
            return None
    return value if isinstance(value, UUID) else None


def duration_of(value: Any) -> timedelta | None:
    """The duration itself; strings are none."""
    return value if isinstance(value, timedelta) else None


FAMILIES: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    (datetime, moment_of),
    (date, moment_of),
    ((int, Decimal, float), number_of),
    (UUID, uuid_of),
    (time, time_of),
    (timedelta, duration_of),
)


def paired(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Both values in the type of the more specific one; None if they have no common type."""
    if isinstance(left, bool) or isinstance(right, bool):
        return (left, right) if isinstance(left, bool) and isinstance(right, bool) else None
    for kind, convert in FAMILIES:
        if isinstance(left, kind) or isinstance(right, kind):
            pair = convert(left), convert(right)
            return None if pair[0] is None or pair[1] is None else pair
    return (left, right) if type(left) is type(right) else None


def equal(left: Any, right: Any) -> bool | Unknown:
    """Whether both are the same. Null equals only null; different types are unknown."""
    if left is UNKNOWN or right is UNKNOWN:
        return Unknown.UNKNOWN
    if left is None or right is None:
        return left is None and right is None
    if type(left) is type(right) is str:
        return bool(left == right)
    if (isinstance(left, TagName) and isinstance(right, str)) or (
        isinstance(right, TagName) and isinstance(left, str)
    ):
        return identity(left) == identity(right)
    pair = paired(left, right)
    return UNKNOWN if pair is None else bool(pair[0] == pair[1])


def ordered(left: Any, right: Any) -> int | Unknown:
    """-1, 0 or 1 if `left` is before, equal to or after `right`. Texts have no order; numbers, days and moments as text do."""
    if (
        left is UNKNOWN
        or right is UNKNOWN
        or left is None
        or right is None
        or isinstance(left, bool)
        or isinstance(right, bool)
    ):
        return UNKNOWN
    pair = paired(left, right)
    if pair is None or isinstance(pair[0], (list, dict, UUID)):
        return UNKNOWN
    if isinstance(pair[0], str):
        return _ordered_spellings(*pair)
    return int(pair[0] > pair[1]) - int(pair[0] < pair[1])


def _ordered_spellings(left: str, right: str) -> int | Unknown:
    """Order of two strings that both spell a number, or both a day or moment."""
    spellings: tuple[Callable[[Any], Any], ...] = (number_of, moment_of)
    for convert in spellings:
        first, second = convert(left), convert(right)
        if first is not None and second is not None:
            return int(first > second) - int(first < second)
    return UNKNOWN


def member(value: Any, items: Any) -> bool | Unknown:
    """Whether `value` is one of `items`. Unknown if none is equal and some cannot be compared, or if `items` is not a list."""
    if value is UNKNOWN or not isinstance(items, (list, tuple)):
        return UNKNOWN
    found: bool | Unknown = False
    for item in items:
        same = equal(value, item)
        if same is True:
            return True
        found = UNKNOWN if same is UNKNOWN else found
    return found


def negated(value: Any) -> bool | Unknown:
    """The opposite truth value; unknown for unknown and for other values."""
    return not value if isinstance(value, bool) else UNKNOWN


def plus(left: Any, right: Any) -> Any:
    """Sum of two numbers or durations; a day or moment plus a duration."""
    if isinstance(left, timedelta) and not isinstance(right, timedelta):
        left, right = right, left
    if isinstance(right, timedelta):
        return _moved(left, right)
    return _calculated(left, right, lambda a, b: a + b)


def less(left: Any, right: Any) -> Any:
    """Difference of two numbers or durations; the duration between two days or moments; a day or moment minus a duration."""
    if isinstance(right, timedelta):
        return _moved(left, -right)
    if isinstance(left, (date, datetime)) or isinstance(right, (date, datetime)):
        first, second = moment_of(left), moment_of(right)
        return UNKNOWN if first is None or second is None else first - second
    return _calculated(left, right, lambda a, b: a - b)


def times(left: Any, right: Any) -> Any:
    """Product of two numbers, or of a duration and a number."""
    if isinstance(right, timedelta):
        left, right = right, left
    if isinstance(left, timedelta):
        return _microseconds(_calculated(_in_microseconds(left), right, lambda a, b: a * b))
    return _calculated(left, right, lambda a, b: a * b)


def divide(left: Any, right: Any) -> Any:
    """Quotient of two numbers, up to 28 digits; unknown for division by zero."""
    if isinstance(left, timedelta):
        return _microseconds(
            _calculated(_in_microseconds(left), right, lambda a, b: QUOTIENT.divide(Decimal(a), Decimal(b)))
        )
    return _calculated(left, right, lambda a, b: QUOTIENT.divide(Decimal(a), Decimal(b)))


def _calculated(left: Any, right: Any, operation: Callable[[Any, Any], Any]) -> Any:
    first, second = number_of(left), number_of(right)
    if first is None or second is None:
        return UNKNOWN
    if (
        isinstance(first, int)
        and isinstance(second, int)
        and max(first.bit_length(), second.bit_length()) > 400
    ):
        return UNKNOWN  # repeated multiplication would grow without limit
    try:
        with localcontext(EXACT):
            value = operation(first, second)
    except DecimalException:
        return UNKNOWN
    return UNKNOWN if isinstance(value, Decimal) and not value.is_finite() else value


def _moved(value: Any, by: timedelta) -> Any:
    """A duration, day or moment plus a duration. A day plus whole days stays a day, else it becomes a moment."""
    if isinstance(value, timedelta):
        return _duration(lambda: value + by)
    day = date_of(value)
    start: Any = day if day is not None and not by.seconds and not by.microseconds else moment_of(value)
    return UNKNOWN if start is None else _duration(lambda: start + by)


def _in_microseconds(value: timedelta) -> int:
    return value // timedelta(microseconds=1)


def _microseconds(number: Any) -> timedelta | Unknown:
    """A duration of this many microseconds, halves rounded away from zero; unknown if it is not a number or too long."""
    whole = rounded(number, 0)
    return UNKNOWN if isinstance(whole, Unknown) else _duration(lambda: timedelta(microseconds=int(whole)))


def _duration(operation: Callable[[], Any]) -> Any:
    try:
        return operation()
    except (OverflowError, ValueError):
        return UNKNOWN


def rounded(value: Any, digits: int) -> Decimal | Unknown:
    """The number rounded to `digits` decimals, halves away from zero."""
    number = number_of(value)
    if number is None:
        return UNKNOWN
    try:
        with localcontext(Context(prec=80)):
            return Decimal(number).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    except DecimalException:
        return UNKNOWN


def to_json(value: Any) -> Any:
    """The value as JSON: decimals and durations as strings, ISO days, moments in UTC with `Z`; unknown becomes null."""
    match value:
        case Unknown():
            return None
        case Decimal():
            return format(value, "f")
        case float():
            return to_json(Decimal(repr(value)))
        case datetime():
            return moment_text(value)
        case date() | time():
            return value.isoformat()
        case timedelta():
            return duration_text(value)
        case UUID():
            return str(value)
        case list() | tuple():
            return [to_json(item) for item in value]
        case Mapping():
            return {str(name): to_json(item) for name, item in value.items()}
    return value


def moment_text(value: datetime) -> str:
    """RFC 3339 in UTC, with fractions only if not zero. A moment without a zone counts as UTC."""
    if value.tzinfo is not None and value.utcoffset():
        try:
            value = value.astimezone(UTC)
        except OverflowError:  # only its time zone keeps it within the calendar
            return value.isoformat()
    return value.replace(tzinfo=None).isoformat() + "Z"


def duration_text(value: timedelta) -> str:
    """ISO 8601 in days and seconds: `P3D`, `PT90S`, `-P1DT5S`."""
    sign, size = ("-", -value) if value < timedelta(0) else ("", value)
    seconds = Decimal(size.seconds) + Decimal(size.microseconds) / 1_000_000
    clock = f"T{format(seconds, 'f')}S" if seconds or not size.days else ""
    return f"{sign}P{f'{size.days}D' if size.days else ''}{clock}"
