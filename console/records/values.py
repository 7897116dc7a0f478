"""Conversion of values: from a driver to the JSON of the API, and from JSON to the driver and column.

`to_json` never fails: values that do not match their column's type (SQLite allows that) are shown as they are. `written` is strict: a value
that the column would round, cut or refuse is `Unfit`, with the reason for the person who typed it.
"""

# ruff: noqa: ARG001 - the writers of all kinds share one signature
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from console.core import counted_moments, plain_words
from console.core.documents.collections import CONVERSIONS, Field, condition_rows, field_guesses
from console.core.expressions.operands import duration_text, moment_of, moment_text, number_of
from console.core.filters import WORDS
from console.records import empty_values, exact_json, source_zones
from console.records.connect import plain_moment

INT64 = 2**63
LONGEST_JSON = LONGEST_TEXT = 1_000_000


class Unfit(ValueError):
    """A value that the field cannot have. The text is the reason."""


# -------------------------------------------------------------------------------------------------------------- reading


def reader(field: Field, dialect: str) -> Callable[[Any], Any] | None:
    """The function that converts the driver's values of this column (not null) to JSON; None if no conversion is needed."""
    if field.native == "bpchar":
        return _unpadded
    if field.native == "mixed":
        return lambda value: None if (said := json_of(value)) is None else str(said)
    if (
        in_words := plain_words.SPOKEN.get(field.native.partition("(")[0])
    ) is not None and field.stored == "other":
        return lambda value: json_of(in_words(source_zones.in_text(value, field.zone)))
    if field.native == "set":
        return lambda value: (
            [word for word in value.split(",") if word] if isinstance(value, str) else json_of(value)
        )
    if field.native == "bit":
        return _bits(field.max_length or 0)
    if field.zone:
        return lambda value: _moments(value, field)
    if dialect == "postgresql" and field.stored in POSTGRESQL_READERS:
        return POSTGRESQL_READERS[field.stored]
    if dialect == "sqlite" and field.stored == "decimal" and field.scale:
        return _scaled(field.scale)
    found: Callable[[Any], Any] = READERS.get(field.stored, json_of)
    return found


def read(convert: Callable[[Any], Any] | None, value: Any) -> Any:
    """The JSON value of a driver's value, converted by the reader of its column."""
    return value if convert is None or value is None else convert(value)


def json_of(value: Any) -> Any:
    """Any driver value as JSON; values without a JSON form become text, bytes are left out."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return (
                value.encode("utf-8", "replace").decode()
                if not value.isprintable() and _broken(value)
                else value
            )
        case float():
            return format(Decimal(repr(value)), "f") if math.isfinite(value) else str(Decimal(repr(value)))
        case Decimal():
            return format(value, "f") if value.is_finite() else str(value)
        case datetime():
            return moment_text(value)
        case date() | time():
            return value.isoformat()
        case timedelta():
            return duration_text(value)
        case UUID():
            return str(value)
        case bytes() | bytearray() | memoryview():
            return None
        case list() | tuple() | set():
            return [json_of(item) for item in value]
        case dict():
            return {str(name): _plain_json(item) for name, item in value.items()}
    return str(value)


def hexadecimal(value: Any) -> Any:
    """Bytes that identify a record, as hexadecimal text."""
    return bytes(value).hex() if isinstance(value, (bytes, bytearray, memoryview)) else json_of(value)


def _broken(text: str) -> bool:
    """Whether a text has lone surrogates, which no response can contain."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _plain_json(value: Any) -> Any:
    """JSON from JSON columns: numbers stay numbers, except those that JSON cannot represent."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [_plain_json(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain_json(item) for name, item in value.items()}
    return value if isinstance(value, (bool, int, float, str)) or value is None else json_of(value)


def _unpadded(value: Any) -> Any:
    """`char(n)` without its trailing blanks, which do not count in comparisons."""
    return json_of(value.rstrip(" ") if isinstance(value, str) else value)


def _bits(length: int) -> Callable[[Any], Any]:
    """Bits as text of 0 and 1 of this length; some drivers return bytes."""
    return lambda value: (
        format(int.from_bytes(value), f"0{length}b") if isinstance(value, bytes) else json_of(value)
    )


def _scaled(scale: int) -> Callable[[Any], Any]:
    """Decimals with all declared places: SQLite stores 12.50 as the number 12.5."""

    def scaled(value: Any) -> Any:
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
            return json_of(value)
        exact = Decimal(repr(value))
        places = -int(exact.as_tuple().exponent)
        return format(exact, f".{scale}f") if places <= scale else format(exact, "f")

    return scaled


def _integer(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return (
        int(value)
        if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value()
        else json_of(value)
    )


def _decimal(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else json_of(value)


def _boolean(value: Any) -> Any:
    if isinstance(value, bytes):
        return value not in {b"\x00", b""}
    return (
        bool(value) if value in (0, 1) else json_of(value)
    )  # what is neither is shown as it is: filters do not find it as either


def _moment(value: Any) -> Any:
    if type(value) is datetime and value.tzinfo is UTC:
        return value.isoformat()[:-6] + "Z"
    moment = moment_of(value) if isinstance(value, (str, datetime)) else None
    return json_of(value) if moment is None else moment_text(moment)


def _moments(value: Any, field: Field) -> Any:
    """A moment, or a list of them, in UTC."""
    given = _array(value) if field.items and isinstance(value, str) else value
    if isinstance(given, list):
        return [item if item is None else _moments(item, field) for item in given]
    return _moment(source_zones.placed(given, field.zone))


def _date(value: Any) -> Any:
    if type(value) is date:
        return value.isoformat()
    if isinstance(value, datetime):
        return value.date().isoformat()
    return (
        value[:10]
        if isinstance(value, str) and CONVERSIONS["date"](value[:10]) and moment_of(value)
        else json_of(value)
    )


def _time(value: Any) -> Any:
    if not isinstance(value, timedelta):
        return json_of(value)
    if timedelta(0) <= value < timedelta(days=1):
        return (datetime.min + value).time().isoformat()
    return span_text(value)


def span_text(value: timedelta) -> str:
    """A MySQL time outside a day: `-838:59:59`."""
    hours, rest = divmod(abs(value), timedelta(hours=1))
    return f"{'-' if value < timedelta(0) else ''}{hours:02d}:{(datetime.min + rest).time().isoformat()[3:]}"


def _json(value: Any) -> Any:
    if isinstance(value, (str, bytes)):
        try:
            return _plain_json(exact_json.exact_json(value))
        except (ValueError, RecursionError):
            return json_of(value)
    return _plain_json(value)


READERS: dict[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "decimal": _decimal,
    "boolean": _boolean,
    "datetime": _moment,
    "date": _date,
    "time": _time,
    "json": _json,
}


def _exact(value: Any) -> Any:
    return format(value, "f") if type(value) is Decimal and value.is_finite() else json_of(value)


# PostgreSQL is strict: values of these columns need no check.
ARRAY_PART = re.compile(r'"((?:[^"\\]|\\.)*)"|([^{},"]+)', re.DOTALL)


def _array(value: Any) -> Any:
    """A list. Of enums and domains the driver returns only the text: `{"so so",GOOD}`."""
    if not isinstance(value, str):
        return json_of(value)
    if not value.startswith("{") or "{" in re.sub(r'"(?:[^"\\]|\\.)*"', "", value[1:]):
        return value  # of several dimensions: shown as it is
    parts = ARRAY_PART.finditer(value[1:-1])
    return [
        re.sub(r"\\(.)", r"\1", found[1])
        if found[1] is not None
        else None
        if found[2] == "NULL"
        else found[2]
        for found in parts
    ]


POSTGRESQL_READERS: dict[str, Callable[[Any], Any] | None] = {
    "text": None,
    "integer": None,
    "boolean": None,
    "uuid": str,
    "decimal": _exact,
    "array": _array,
}


# -------------------------------------------------------------------------------------------------------------- comparing


def from_text(field: Field, text: str) -> Any:
    """The JSON value of a part of a key. Raises Unfit."""
    if field.stored == "boolean":
        if text not in {"true", "false"}:
            raise Unfit("no truth value")
        return text == "true"
    if field.stored == "integer":
        number = number_of(text)
        if number is None or number != int(number):
            raise Unfit("no whole number")
        return int(number)
    return text


def bound(dialect: str, field: Field, value: Any) -> Any:
    """A JSON value (not null) in the driver's form for comparing with this column. Raises Unfit if nothing can equal it."""
    if field.stored == "boolean":
        if not isinstance(value, bool):
            raise Unfit("no truth value")
        return value if dialect == "postgresql" else int(value)
    if field.stored == "text":
        if not isinstance(value, str) or not storable(value):
            raise Unfit("no text that a column can hold")
        return value
    convert = CONVERSIONS.get(field.stored)
    converted = convert(value) if convert and not isinstance(value, bool) else None
    if converted is None:
        raise Unfit(f"no {WORDS.get(field.stored, 'value to compare')}")
    return driver_form(dialect, converted, field.zone)


def driver_form(dialect: str, value: Any, zone: str = "") -> Any:
    """A typed value as the driver of this dialect takes it, to be compared with a column whose clocks are those of the zone."""
    if isinstance(value, Decimal) and value == value.to_integral_value() and abs(value) < INT64:
        value = int(value)
    if isinstance(value, datetime):
        value = source_zones.compared(value, zone) if zone and dialect == "mysql" else value.astimezone(UTC)
    if dialect == "postgresql":
        return value
    if isinstance(value, UUID):
        return str(value)
    if dialect == "sqlite":
        if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
            return value if isinstance(value, int) and -INT64 <= value < INT64 else float(value)
        if isinstance(value, (date, datetime)):
            return plain_moment(value)
        return value.isoformat() if isinstance(value, time) else value
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def storable(text: str) -> bool:
    """Whether a column can store the text: no NUL, no lone surrogates."""
    return "\x00" not in text and not _broken(text)


@dataclass(frozen=True, slots=True)
class Raw:
    """A column's value whatever its kind: its displayed text, or its bytes."""

    given: str | bytes


def raw(field: Field, text: str) -> Raw:
    """The displayed form of a column's value, to search by. Raises Unfit."""
    if field.stored != "binary":
        return Raw(text)
    try:
        return Raw(bytes.fromhex(text))
    except ValueError:
        raise Unfit("no bytes") from None


# -------------------------------------------------------------------------------------------------------------- writing


def written(dialect: str, field: Field, value: Any, former: Any = None) -> Any:
    """A JSON value in the driver's form for an UPDATE. `former` is the value that the driver read before. Raises Unfit with the reason."""
    if value is None:
        if field.may_be_empty:
            return empty_values.written(dialect, field)
        if field.blank:
            return ""
        raise Unfit("This must not be empty.")
    try:
        return WRITERS.get(field.stored, _never)(dialect, field, value, former)
    except Unfit:
        if field.references and isinstance(value, str):
            raise Unfit(
                "No record has this name or key. Choose one of those that are offered while you type."
            ) from None
        raise


def _never(_: str, field: Field, __: Any, ___: Any) -> Any:
    raise Unfit(f"{field.label} cannot be changed here.")


def _write_text(dialect: str, field: Field, value: Any, former: Any) -> Any:
    if not isinstance(value, str):
        raise Unfit("This must be a text.")
    if not storable(value):
        raise Unfit("This holds a character that cannot be stored (NUL, or half of one).")
    if field.options is not None and value not in {option.value for option in field.options}:
        raise Unfit(f"This must be one of {', '.join(option.value for option in field.options)}.")
    most = field.max_length or LONGEST_TEXT
    if len(value) > most:
        raise Unfit(f"This has {len(value)} characters; at most {most} are kept.")
    if (
        field.native == "mixed"
        and isinstance(former, (int, float))
        and (number := number_of(value)) is not None
    ):
        return driver_form(dialect, Decimal(number))  # where a number stood, a number stands again
    return value


def _write_number(dialect: str, field: Field, value: Any, _: Any) -> Any:
    number, digits = (
        number_of(value),
        condition_rows.digits_of(field),
    )  # amounts in cents are typed in whole units
    if number is None:
        plain = "a whole number" if field.stored == "integer" and digits <= 0 else "a number, such as 12.50"
        raise Unfit(f"This must be {'a day and a time' if counted_moments.is_counted(field) else plain}.")
    if field.stored == "integer":
        if number != int(number):
            raise Unfit(
                f"This has more decimals than the {digits} that are kept."
                if digits > 0
                else "This must be a whole number."
            )
        least, most = (
            -INT64 if field.least is None else field.least,
            INT64 - 1 if field.most is None else field.most,
        )
        if not least <= number <= most:
            raise Unfit(
                "This must be between {:,} and {:,}.".format(
                    *(Decimal(end).scaleb(-digits) for end in (least, most))
                )
            )
        return int(number)
    exact = Decimal(number)
    places = max(0, -int(exact.normalize().as_tuple().exponent))
    if field.scale is not None and places > field.scale:
        raise Unfit(f"This has {places} decimals; at most {field.scale} are kept.")
    if field.precision is not None and abs(exact) >= Decimal(10) ** (field.precision - (field.scale or 0)):
        raise Unfit(
            f"This number is too large: at most {field.precision - (field.scale or 0)} digits stand before the point."
        )
    return format(exact, "f") if dialect != "mysql" else exact


def _write_boolean(dialect: str, field: Field, value: Any, _: Any) -> Any:
    if not isinstance(value, bool):
        raise Unfit("This must be true or false.")
    return value if dialect == "postgresql" and not field.native.startswith("int") else int(value)


def _write_calendar(dialect: str, field: Field, value: Any, former: Any) -> Any:
    converted = CONVERSIONS[field.stored](value) if isinstance(value, str) else None
    if converted is None:
        raise Unfit(
            "Write each as 2026-11-20 09:00."
            if field.native == "array"
            else f"This must be a {WORDS[field.stored]}."
        )
    if dialect == "sqlite" and (isinstance(converted, datetime) or field.native == field_guesses.MIDNIGHT):
        return _as_before(converted, former, field)
    if (
        field.zone and isinstance(converted, datetime) and (dialect == "mysql" or field.native == "array")
    ):  # a list is sent as a text
        return source_zones.on_clocks(converted, field.zone)
    return driver_form(dialect, converted)


def _as_before(given: date, former: Any, field: Field) -> str:
    """A moment, or the midnight of a day, in the spelling of the former value: with T or a blank, with Z, +00:00 or nothing."""
    before = (
        former
        if isinstance(former, str)
        else " "
        if field.zone or field.native == field_guesses.MIDNIGHT
        else "T…Z"
    )
    moment = given.astimezone(UTC) if isinstance(given, datetime) else datetime.combine(given, time())
    if field.zone and not before.endswith(("Z", "+00:00")):
        moment = source_zones.on_clocks(moment, field.zone)
    text = moment.replace(tzinfo=None).isoformat(sep="T" if "T" in before else " ")
    return text + ("Z" if before.endswith("Z") else "+00:00" if before.endswith("+00:00") else "")


def _write_uuid(dialect: str, field: Field, value: Any, _: Any) -> Any:
    converted = CONVERSIONS["uuid"](value)
    if converted is None:
        raise Unfit("This must be a UUID.")
    return driver_form(dialect, converted)


def _write_json(dialect: str, field: Field, value: Any, former: Any) -> Any:
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"'):
        raise Unfit(
            "This begins like JSON, and a bracket, comma or quotation mark of it is wrong or missing."
        )
    value = exact_json.numbers(value)
    if exact_json.rounded(value) or exact_json.rounded(_former_json(former)):
        raise Unfit(
            "This JSON holds a number with more digits than can be kept here. Change it where it comes from."
        )
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError, TypeError):
        raise Unfit("This must be JSON.") from None
    if len(text) > LONGEST_JSON:
        raise Unfit(f"This JSON has {len(text)} characters; at most {LONGEST_JSON} are kept.")
    if "\\u0000" in text or _broken(text):
        raise Unfit("This holds a character that cannot be stored (NUL, or half of one).")
    return text


def _former_json(former: Any) -> Any:
    if not isinstance(former, (str, bytes)):
        return former
    try:
        return exact_json.exact_json(former)
    except (ValueError, RecursionError):
        return None


def _write_array(dialect: str, field: Field, value: Any, _: Any) -> Any:
    if not isinstance(value, list):
        raise Unfit("This must be a list.")
    if (
        (dialect != "postgresql" and field.native != "set")
        or field.items not in WRITERS
        or field.items == "json"
    ):
        raise Unfit(f"{field.label} cannot be changed here.")
    item = replace(field, stored=field.items)
    if field.native == "set":
        return ",".join(_write_text(dialect, item, part, None) for part in value)
    return f"{{{','.join(_part(None if part is None else WRITERS[item.stored](dialect, item, part, None)) for part in value)}}}"


def _part(value: Any) -> str:
    """A value inside a list, as text that the column converts: drivers do not distinguish small integers, or enums from texts."""
    if value is None:
        return "NULL"
    text = value.isoformat() if isinstance(value, (date, datetime, time)) else str(value)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


WRITERS: dict[str, Callable[[str, Field, Any, Any], Any]] = {
    "text": _write_text,
    "integer": _write_number,
    "decimal": _write_number,
    "boolean": _write_boolean,
    "date": _write_calendar,
    "datetime": _write_calendar,
    "time": _write_calendar,
    "uuid": _write_uuid,
    "json": _write_json,
    "array": _write_array,
}
