"""The functions of the expression language, by name.

Each takes the moment of evaluation and its arguments, and returns a value or `UNKNOWN`. All are pure and linear in their input.
To add one, add an entry in `FUNCTIONS` or `METHODS` with the number of arguments.
"""

import hashlib
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from console.core import currencies, plain_words
from console.core.expressions.operands import (
    UNKNOWN,
    date_of,
    moment_of,
    number_of,
    ordered,
    plus,
    rounded,
    times,
)
from console.core.papers import iban, mrz, name_matching, vat
from console.core.working_time import MIDNIGHT, Hours, after

LONGEST_COMPARED = 500
LONGEST_CODE = 12
MOST_HOURS = 10_000
MRZ_FIELDS = frozenset(
    {
        "format",
        "code",
        "issuer",
        "number",
        "nationality",
        "birth_date",
        "sex",
        "expires_on",
        "family_name",
        "given_names",
        "optional",
    }
)


@dataclass(frozen=True, slots=True)
class Function:
    """A function and its number of arguments, `least` to `most` (None: any number)."""

    call: Callable[..., Any]
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Answers:
    """One column of a policy table: key values, in the types of the key columns, → the value in that row."""

    types: tuple[str, ...]
    found: Mapping[tuple[Any, ...], Any]

    def at(self, keys: tuple[Any, ...]) -> Any:
        """The value of the row with these keys. KeyError without such a row; `UNKNOWN` for a key of another type than its column."""
        typed = tuple(_key(kind, given) for kind, given in zip(self.types, keys, strict=True))
        return UNKNOWN if any(key is UNKNOWN for key in typed) else self.found[typed]


def today(now: datetime | None) -> Any:
    """The day of `now`, in UTC."""
    return UNKNOWN if now is None else now.astimezone(UTC).date()


def add_days(_: datetime | None, start: Any, days: Any) -> Any:
    """The day or moment this many days later."""
    number = _whole(days)
    return (
        UNKNOWN
        if number is None
        else _within_calendar(lambda: plus(_calendar(start), timedelta(days=number)))
    )


def add_working_hours(_: datetime | None, start: Any, number: Any, between: Any, zone: Any) -> Any:
    """The moment when so many hours (0 to 10,000) from Monday to Friday have passed; `between` is as "08:00-18:00", by the clocks of the zone."""
    begin, span = moment_of(start), number_of(number)
    if begin is None or span is None or not 0 <= span <= MOST_HOURS:
        return UNKNOWN
    try:
        opens, closes = (time.fromisoformat(each.strip()) for each in str(between).split("-"))
        ZoneInfo(str(zone))
        backwards = closes <= opens and closes != MIDNIGHT
    except (ValueError, TypeError, KeyError, OSError):  # the second: an offset beside one of the times
        return UNKNOWN
    if backwards:
        return UNKNOWN
    return _within_calendar(
        lambda: after(Hours(str(zone), frozenset(range(5)), opens, closes), begin, float(span) * 3600)
    )


def add_months(_: datetime | None, start: Any, months: Any) -> Any:
    """The same day this many months later, or the last day of that month if it is shorter."""
    number, value = _whole(months), _calendar(start)
    if number is None or not isinstance(value, date):
        return UNKNOWN
    month = value.year * 12 + value.month - 1 + number
    year, month = month // 12, month % 12 + 1
    if not 1 <= year <= 9999:
        return UNKNOWN
    return value.replace(year=year, month=month, day=min(value.day, monthrange(year, month)[1]))


def round_half_up(_: datetime | None, value: Any, digits: Any = 0) -> Any:
    """The number rounded, halves away from zero: to a whole number, or to `digits` (0 to 20) decimals."""
    places = _whole(digits)
    if places is None or not 0 <= places <= 20:
        return UNKNOWN
    result = rounded(value, places)
    return int(result) if isinstance(result, Decimal) and places == 0 else result


def total(_: datetime | None, *values: Any) -> Any:
    """Sum of the arguments, or of the only list: 0 for an empty list, unknown if an item is not a number or duration."""
    items = _spread(values)
    if items is None or any(number_of(item) is None and not isinstance(item, timedelta) for item in items):
        return UNKNOWN
    result: Any = items[0] if items else 0
    for item in items[1:]:
        result = plus(result, item)
    return plus(result, 0) if len(items) == 1 and not isinstance(result, timedelta) else result


def largest(_: datetime | None, *values: Any) -> Any:
    """The largest of the arguments, or of the only list."""
    return _extreme(values, 1)


def smallest(_: datetime | None, *values: Any) -> Any:
    """The smallest of the arguments, or of the only list."""
    return _extreme(values, -1)


def first(_: datetime | None, *values: Any) -> Any:
    """The first of the arguments that says something: neither unknown, nor null, nor an empty text."""
    return next(
        (value for value in values if value is not UNKNOWN and value is not None and value != ""), None
    )


def size(_: datetime | None, value: Any) -> Any:
    """Number of characters of a text, items of a list or names of an object."""
    return len(value) if isinstance(value, (str, list, tuple, Mapping)) else UNKNOWN


def lower(_: datetime | None, value: Any) -> Any:
    """The text in lower case."""
    return value.lower() if isinstance(value, str) else UNKNOWN


def upper(_: datetime | None, value: Any) -> Any:
    """The text in upper case."""
    return value.upper() if isinstance(value, str) else UNKNOWN


def trim(_: datetime | None, value: Any) -> Any:
    """The text without white space at its ends."""
    return value.strip() if isinstance(value, str) else UNKNOWN


def plain(_: datetime | None, value: Any) -> Any:
    """Only the letters and digits of the text, in upper case."""
    return iban.normalise(value) if isinstance(value, str) else UNKNOWN


def last(_: datetime | None, value: Any, count: Any) -> Any:
    """The last `count` characters of the text, or all of it if it is shorter."""
    number = _whole(count)
    if not isinstance(value, str) or number is None or number < 0:
        return UNKNOWN
    return value[-number:] if number else ""


def host(_: datetime | None, value: Any) -> Any:
    """The domain of an e-mail or web address, in lower case and without www."""
    if not isinstance(value, str):
        return UNKNOWN
    address = value.strip().lower()
    name = address.partition("://")[2] or address
    return name.partition("/")[0].rpartition("@")[2].partition(":")[0].removeprefix("www.")


def iban_holds(_: datetime | None, value: Any) -> Any:
    """Whether the text is an IBAN with the right length for its country and valid check digits."""
    return iban.holds(value) if isinstance(value, str) else UNKNOWN


def vat_valid(_: datetime | None, value: Any) -> Any:
    """Whether the text is a VAT number in the format of its country, with valid check digits if the country has them."""
    return vat.problem(value) is None if isinstance(value, str) else UNKNOWN


def name_match(_: datetime | None, left: Any, right: Any) -> Any:
    """`match`, `close` or `no_match` for two names, ignoring alphabets, accents, word order and punctuation."""
    if not isinstance(left, str) or not isinstance(right, str) or not left.strip() or not right.strip():
        return UNKNOWN
    return name_matching.name_match(left, right)


def mrz_valid(now: datetime | None, text: Any) -> Any:
    """Whether all check digits of a machine-readable zone are right; unknown if the text has no such zone."""
    zone = mrz.parse(text, today(now) if now is not None else None) if isinstance(text, str) else None
    return UNKNOWN if zone is None else zone.valid


def mrz_field(now: datetime | None, text: Any, name: Any) -> Any:
    """A field of a machine-readable zone, such as `number`, `family_name`, `given_names`, `birth_date`, `expires_on`, `nationality`,
    `issuer`, `sex` or `code`.
    """
    zone = mrz.parse(text, today(now) if now is not None else None) if isinstance(text, str) else None
    found = getattr(zone, name, None) if zone is not None and name in MRZ_FIELDS else None
    return UNKNOWN if found is None else found


def days_between(_: datetime | None, start: Any, end: Any) -> Any:
    """Number of days from the first day to the second; moments count by their day in UTC."""
    first, last = (day(None, value) for value in (start, end))
    return (last - first).days if isinstance(first, date) and isinstance(last, date) else UNKNOWN


def sha256(_: datetime | None, value: Any) -> Any:
    """The SHA-256 of a text in UTF-8, hexadecimal."""
    return hashlib.sha256(value.encode()).hexdigest() if isinstance(value, str) else UNKNOWN


def days(_: datetime | None, number: Any) -> Any:
    """A duration of this many days."""
    return _span(number, 86_400)


def hours(_: datetime | None, number: Any) -> Any:
    """A duration of this many hours."""
    return _span(number, 3_600)


def minutes(_: datetime | None, number: Any) -> Any:
    """A duration of this many minutes."""
    return _span(number, 60)


def day(_: datetime | None, value: Any) -> Any:
    """The day of a date, of a moment (in UTC) or of a text in ISO form."""
    found = date_of(value)
    if found is not None:
        return found
    moment = moment_of(value)
    return UNKNOWN if moment is None else _within_calendar(lambda: moment.astimezone(UTC).date())


def minor(_: datetime | None, amount: Any, exponent: Any) -> Any:
    """An amount in minor units, halves rounded away from zero: 12.50 with exponent 2, or with "EUR", is 1250."""
    places, number = (
        currencies.decimals(exponent) if isinstance(exponent, str) else _whole(exponent),
        number_of(amount),
    )
    result = UNKNOWN if places is None or number is None or not 0 <= places <= 6 else rounded(number, places)
    return (
        UNKNOWN
        if places is None or not isinstance(result, Decimal)
        else int(result.scaleb(places, Context(prec=90)))
    )


def money(_: datetime | None, amount: Any, code: Any) -> Any:
    """An amount in whole units as people write it, with its currency and that one's decimals: "€1,250.00"; of a strange currency "1,250 XQZ"."""
    number = number_of(amount)
    if number is None or not isinstance(code, str) or not code.strip():
        return UNKNOWN
    plain = f"{Decimal(number).normalize():f}"
    places = max(2, len(plain.partition(".")[2])) if "." in plain else 0
    return (
        plain_words.amount_words(plain, code, minor=False)
        or f"{Decimal(plain):,.{places}f} {code[:LONGEST_CODE]}"
    )


def lookup(_: datetime | None, table: Any, *given: Any) -> Any:
    """The value in a policy table for these keys, or in an object by name. Without one: the extra last argument, or unknown."""
    count = len(table.types) if isinstance(table, Answers) else 1
    if len(given) not in (count, count + 1):
        return UNKNOWN
    keys, default = given[:count], given[count] if len(given) > count else UNKNOWN
    if isinstance(table, Answers):
        try:
            return table.at(keys)
        except KeyError:
            return default
    key = keys[0]
    if not isinstance(table, Mapping) or key is UNKNOWN or key is None or isinstance(key, (list, Mapping)):
        return UNKNOWN
    name = str(key).lower() if isinstance(key, bool) else str(key)
    return table.get(name, default)


def _key(kind: str, given: Any) -> Any:
    """A key in the type of its column, `UNKNOWN` if it has another type."""
    match kind:
        case "text":
            found: Any = given if isinstance(given, str) else None
        case "boolean":
            found = given if isinstance(given, bool) else None
        case "date":
            found = date_of(given)
        case _:
            found = number_of(given)
    return UNKNOWN if found is None else found


def similarity(_: datetime | None, left: Any, right: Any) -> Any:
    """Similarity of two texts from 0 to 1, three decimals: the share of three-letter pieces that both have, ignoring case."""
    if (
        not isinstance(left, str)
        or not isinstance(right, str)
        or max(len(left), len(right)) > LONGEST_COMPARED
    ):
        return UNKNOWN
    first, second = _pieces(left), _pieces(right)
    if not first and not second:
        return Decimal(1) if left == right else Decimal(0)
    return rounded(Decimal(len(first & second)) / Decimal(len(first | second)), 3)


def starts_with(_: datetime | None, text: Any, other: Any) -> Any:
    """Whether the text begins with the other, case-sensitive."""
    return text.startswith(other) if isinstance(text, str) and isinstance(other, str) else UNKNOWN


def ends_with(_: datetime | None, text: Any, other: Any) -> Any:
    """Whether the text ends with the other, case-sensitive."""
    return text.endswith(other) if isinstance(text, str) and isinstance(other, str) else UNKNOWN


def contains(_: datetime | None, text: Any, other: Any) -> Any:
    """Whether the text contains the other, case-sensitive."""
    return other in text if isinstance(text, str) and isinstance(other, str) else UNKNOWN


def _whole(value: Any) -> int | None:
    number = number_of(value)
    return (
        int(number)
        if number is not None and -10_000_000 < number < 10_000_000 and number == int(number)
        else None
    )


def _calendar(value: Any) -> Any:
    """The day or moment that the value is; unknown if it is neither."""
    found = date_of(value)
    if found is not None:
        return found
    moment = moment_of(value)
    return UNKNOWN if moment is None else moment


def _within_calendar(operation: Callable[[], Any]) -> Any:
    try:
        return operation()
    except OverflowError:
        return UNKNOWN


def _span(number: Any, unit_s: int) -> Any:
    return times(timedelta(seconds=unit_s), number)


def _spread(values: tuple[Any, ...]) -> list[Any] | None:
    """The arguments, or the items of the only list; None if one of them cannot be calculated with."""
    items = list(values[0]) if len(values) == 1 and isinstance(values[0], (list, tuple)) else list(values)
    return None if any(item is UNKNOWN or item is None for item in items) else items


def _extreme(values: tuple[Any, ...], sign: int) -> Any:
    items = _spread(values)
    if not items or any(ordered(item, item) is UNKNOWN for item in items):
        return UNKNOWN
    best = items[0]
    for item in items[1:]:
        order = ordered(item, best)
        if order is UNKNOWN:
            return UNKNOWN
        best = item if order == sign else best
    return best


def _pieces(text: str) -> set[str]:
    padded = [
        "  " + word + " "
        for word in "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()
    ]
    return {word[at : at + 3] for word in padded for at in range(len(word) - 2)}


FUNCTIONS: dict[str, Function] = {
    "today": Function(today, 0, 0),
    "addDays": Function(add_days, 2, 2),
    "addMonths": Function(add_months, 2, 2),
    "addWorkingHours": Function(add_working_hours, 4, 4),
    "round_half_up": Function(round_half_up, 1, 2),
    "sum": Function(total, 1, None),
    "max": Function(largest, 1, None),
    "min": Function(smallest, 1, None),
    "first": Function(first, 1, None),
    "size": Function(size, 1, 1),
    "lower": Function(lower, 1, 1),
    "upper": Function(upper, 1, 1),
    "trim": Function(trim, 1, 1),
    "days": Function(days, 1, 1),
    "hours": Function(hours, 1, 1),
    "minutes": Function(minutes, 1, 1),
    "date": Function(day, 1, 1),
    "minor": Function(minor, 2, 2),
    "money": Function(money, 2, 2),
    "lookup": Function(lookup, 2, 6),
    "similarity": Function(similarity, 2, 2),
    "plain": Function(plain, 1, 1),
    "last": Function(last, 2, 2),
    "host": Function(host, 1, 1),
    "iban": Function(iban_holds, 1, 1),
    "vat_valid": Function(vat_valid, 1, 1),
    "name_match": Function(name_match, 2, 2),
    "mrz_valid": Function(mrz_valid, 1, 1),
    "mrz_field": Function(mrz_field, 2, 2),
    "days_between": Function(days_between, 2, 2),
    "sha256": Function(sha256, 1, 1),
}
METHODS: dict[str, Function] = {
    "startsWith": Function(starts_with, 1, 1),
    "endsWith": Function(ends_with, 1, 1),
    "contains": Function(contains, 1, 1),
    "lower": Function(lower, 0, 0),
    "upper": Function(upper, 0, 0),
    "trim": Function(trim, 0, 0),
    "size": Function(size, 0, 0),
}
