"""Checks and canonical forms of submitted values: of a whole form, all fields at once, and of single values by type of field."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from console.core import media
from console.core.currencies import decimals, ungrouped, whole_units
from console.core.expressions.operands import NUMBER, Spelled
from console.core.forms.form_field import LISTS, NEVER_TYPED, TEXTS, FormField, takes_files
from console.core.forms.refused_form import in_sentence, refusal
from console.core.json_equality import same_json

LONGEST = {"long_text": 100_000, "email": 254, "phone": 40, "url": 2_000, "reference": 500}
LONGEST_OTHERWISE = 10_000
MOST_ENTRIES = 1_000
DEEPEST = 30
LARGEST_JSON = 64 * 1024  # characters of all texts and keys together
SAFE_INTEGER = 2**53 - 1  # the largest integer that every JSON reader keeps exactly

_INTEGER = re.compile(r"-?\d{1,16}")
_WHOLE = re.compile(r"(-?\d{1,16})(?:\.0{1,30})?")
_DECIMAL = re.compile(r"-?\d{1,30}(\.\d{1,30})?")
_EMAIL = re.compile(r"[^\s@<>(),;:\"\[\]\\]+@[^\s@.<>(),;:\"\[\]\\]+(\.[^\s@.<>(),;:\"\[\]\\]+)+")
_PHONE = re.compile(r"\+?[0-9][0-9 ().\-/]{3,30}")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)?")
_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?")


class Wrong(Exception):
    """A value that does not fit its field. The text is the reason and how to fix it, for people."""


def clean(fields: Iterable[FormField], submitted: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the whole form: submitted values in canonical form, and present values of the other fields.

    Raises Invalid with one detail for each wrong field, unknown names first.
    """
    known = list(fields)
    values, details = examine(known, submitted)
    if details:
        raise refusal(details, known)
    return values


def examine(
    fields: Iterable[FormField], submitted: Mapping[str, Any]
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """(values of the whole form, one `{"field", "reason"}` for each wrong field). A wrong field keeps its value.

    A read-only field keeps its value whatever was submitted. A missing field keeps its `value`; a required field may not be empty.
    """
    known = {field.name: field for field in fields}
    details = [
        {"field": str(name)[:200], "reason": "There is no such field in this form."}
        for name in submitted
        if name not in known
    ]
    values: dict[str, Any] = {}
    for name, field in known.items():
        values[name] = field.value
        if name in submitted and not field.readonly:
            try:
                values[name] = cleaned(field, submitted[name])
            except Wrong as wrong:
                details.append({"field": name, "reason": str(wrong)})
                continue
        if field.required and not field.readonly and is_empty(values[name]):
            details.append({"field": name, "reason": missing_message(field)})
    return values, details


def missing_message(field: FormField) -> str:
    """The message for a required field that is empty."""
    name = in_sentence(field.label)
    match field.type:
        case "enum" | "reference":
            return f"{name} is needed: choose one."
        case "multi_enum" | "checklist":
            return f"{name} is needed: tick at least {'one' if field.min in (None, 0, 1) else field.min}."
        case "file" | "files":
            return f"{name} is needed: send a file."
        case _:
            return f"{name} is needed."


def is_empty(value: Any) -> bool:
    """Whether the value is null, white space or a list without entries."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def cleaned(field: FormField, value: Any) -> Any:
    """The canonical form of a value, None if it is empty; the record's own value as it is, also one that nobody could type. Raises `Wrong`."""
    if value is not None and same_json(value, field.now):
        return field.now
    if field.type in NEVER_TYPED and not takes_files(field):
        if value == field.value:
            return value
        raise Wrong("This field is shown here and cannot be changed in a form.")
    if value is None or (value == "" and field.type not in LISTS and field.type != "json"):
        return None
    if field.minor or field.currency:
        value = (
            ungrouped(value, decimals(field.currency)) if type(value) is str and not field.minor else value
        )
        _require_amount(field, value)
    made = CLEANERS[field.type](field, value)
    _require_bounds(field, made)
    return made


def _require_amount(field: FormField, value: Any) -> None:
    """Raises `Wrong` for what a person typed as an amount and what has more decimals than its currency, or is no number."""
    places = decimals(field.currency)
    typed = value if isinstance(value, str) and not isinstance(value, Spelled) else None
    if typed is None or value == field.value or places is None:
        return
    if not _DECIMAL.fullmatch(typed.strip()) or not typed.isascii():
        raise Wrong(
            f"This must be an amount such as {_example(places)}: digits, and a point before the decimals."
        )
    if len(typed.strip().partition(".")[2].rstrip("0")) > places:
        said = f"{places} decimals" if places else "no decimals"
        raise Wrong(f"An amount in {field.currency} has {said}: write it such as {_example(places)}.")


def _example(places: int) -> str:
    return "120" if places == 0 else f"120.{'5'.ljust(places, '0')}"


def _string(value: Any) -> str:
    """The text as it is stored: Unicode NFC, line ends LF."""
    if not isinstance(value, str) or isinstance(value, Spelled):
        raise Wrong(f"This must be text, in quotes; it is {_kind(value)}.")
    if "\x00" in value:
        raise Wrong("There is a NUL character in the text, which cannot be stored: remove it.")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Wrong("There is half of a character in the text (a lone surrogate): type it again.")
    return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))


def _kind(value: Any) -> str:
    """The JSON type of a value, for people."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float() | Spelled():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"


def _limit_length(field: FormField, text: str) -> str:
    longest = field.max_length or LONGEST.get(field.type, LONGEST_OTHERWISE)
    if len(text) > longest:
        raise Wrong(f"This is too long: {len(text)} characters, at most {longest} fit.")
    return text


def _text(field: FormField, value: Any) -> Any:
    text = _limit_length(field, _string(value))
    return _choice(field, text) if isinstance(field.options, list) and field.options else text


def _integer(_: FormField, value: Any) -> int:
    if isinstance(value, Spelled) and (whole := _WHOLE.fullmatch(value.plain)):
        value = whole[1]  # JSON's 12.0 is the whole number 12
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()) and value.isascii():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong("This must be a whole number, such as 12.")
    if abs(value) > SAFE_INTEGER:
        raise Wrong("This number is too large to be kept exactly: at most 9007199254740991.")
    return value


def _decimal(_: FormField, value: Any) -> str:
    """A number as text with its digits as sent; numbers in JSON keep their digits too."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Wrong('This must be a number, such as "12.50".')
    text = value.plain if isinstance(value, Spelled) else value.strip()
    if not (_DECIMAL.fullmatch(text) and text.isascii()):
        raise Wrong(
            'This must be a number such as 12.50: digits, and a point before the decimals ("12,50" and "1e3" are not read).'
        )
    return text


def _boolean(_: FormField, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise Wrong("This must be true or false.")


def _date(_: FormField, value: Any) -> str:
    text = _string(value).strip()
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Wrong("There is no such day in the calendar.") from None
    raise Wrong("This must be a date such as 2026-11-20.")


def _datetime(_: FormField, value: Any) -> str:
    text = _string(value).strip()
    if not _DATETIME.fullmatch(text):
        raise Wrong("This must be a date and time such as 2026-11-20T09:30:00Z.")
    try:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is None:
            raise Wrong("The time zone is missing: end with Z for UTC, or with an offset such as +02:00.")
        utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Wrong("There is no such day or time.") from None
    return utc.isoformat().replace("+00:00", "Z")


def _time(_: FormField, value: Any) -> str:
    text = _string(value).strip()
    try:
        if _TIME.fullmatch(text):
            return time.fromisoformat(text).isoformat()
    except ValueError:
        raise Wrong("There is no such time of day.") from None
    raise Wrong("This must be a time such as 09:30.")


def _choice(field: FormField, value: Any) -> str:
    text = _string(value)
    if isinstance(field.options, list):
        offered = [option["value"] for option in field.options]
        if text not in offered and text != field.now:  # what stands in the record may be older than the list
            named = ", ".join(str(entry) for entry in offered[:12]) + (" …" if len(offered) > 12 else "")
            raise Wrong(
                f"This is not an option here: choose one of {named}."
                if offered
                else "There is nothing to choose from here."
            )
    return _limit_length(field, text)


def _reference(field: FormField, value: Any) -> Any:
    """The key of a record: a text, or the number that the column holds."""
    if type(value) is int and not isinstance(field.options, list):
        return _integer(field, value)
    text = _choice(field, value)
    return field.value if type(field.value) is int and text == str(field.value) else text


def _choices(field: FormField, value: Any) -> list[str]:
    """The chosen options in the order of the options, without duplicates."""
    picked = {_choice(field, entry): None for entry in _list(value)}
    if isinstance(field.options, list):
        return [option["value"] for option in field.options if option["value"] in picked]
    return list(picked)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Wrong(f"This must be a list; it is {_kind(value)}.")
    if len(value) > MOST_ENTRIES:
        raise Wrong(f"This list is too long: at most {MOST_ENTRIES} entries.")
    return value


def _array(field: FormField, value: Any) -> list[Any]:
    return [_scalar(field, entry) for entry in _list(value)]


def _scalar(field: FormField, value: Any) -> Any:
    if isinstance(value, Spelled):
        return value.plain
    if isinstance(value, str):
        return _limit_length(field, _string(value))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _integer(field, value)
    raise Wrong(
        f"An entry of this list must be a text, a whole number, true, false or null; one is {_kind(value)}."
    )


def _uuid(_: FormField, value: Any) -> str:
    text = _string(value).strip().lower()
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text):
        raise Wrong("This must be a UUID such as 0193463c-0000-7000-8000-000000000001.")
    return str(UUID(text))


def _email(field: FormField, value: Any) -> str:
    text = _limit_length(field, _string(value).strip())
    if not _EMAIL.fullmatch(text) or ".." in text or len(text.split("@")[0]) > 64:
        raise Wrong("This is no e-mail address: it must look like name@example.org.")
    return text


def _phone(field: FormField, value: Any) -> str:
    text = _limit_length(field, _string(value).strip())
    if not _PHONE.fullmatch(text) or not 5 <= sum(character.isdigit() for character in text) <= 15:
        raise Wrong("This is no phone number: write it with the country, such as +31 20 794 6000.")
    return text


def _url(field: FormField, value: Any) -> str:
    text = _limit_length(field, _string(value).strip())
    try:
        parts = urlsplit(text)
        fits = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not re.search(r"\s", text)
            and parts.port != 0
        )
    except ValueError:
        fits = False
    if not fits:
        raise Wrong("This is no web address: it must begin with https:// or http://.")
    return text


def _file(field: FormField, value: Any) -> dict[str, Any]:
    if not media.is_value(value):
        raise Wrong("This is no file that was sent for this step. Send it, then hand the step in.")
    kinds = field.options["types"]
    if value["media_type"] not in {media.MEDIA[kind].media_type for kind in kinds}:
        raise Wrong(
            f"“{value['name']}” is not of a kind that is taken here. Send it as {media.types_in_words(kinds)}."
        )
    return dict(value)


def _files(field: FormField, value: Any) -> list[dict[str, Any]]:
    return list({entry["file"]: entry for entry in (_file(field, entry) for entry in _list(value))}.values())


def _json(_: FormField, value: Any) -> Any:
    if sum(_weights(value, 0)) > LARGEST_JSON:
        raise Wrong(f"This is too large: at most {LARGEST_JSON} characters.")
    if media.holds_any(value):
        raise Wrong(
            "There is something in it that looks like a file that was sent. Files are sent in a field for files."
        )
    return _texts(value)


def _texts(value: Any) -> Any:
    """The value with fractional numbers as text, the form of decimals everywhere in a run."""
    match value:
        case Spelled():
            return value.plain
        case list():
            return [_texts(entry) for entry in value]
        case dict():
            return {key: _texts(entry) for key, entry in value.items()}
    return value


def _weights(value: Any, depth: int) -> Iterable[int]:
    """The size of every text, key and entry, in characters. Raises `Wrong` for JSON that cannot be stored."""
    if depth > DEEPEST:
        raise Wrong(f"This is nested too deep: at most {DEEPEST} levels.")
    if isinstance(value, dict):
        for key, entry in value.items():
            yield len(_string(key))
            yield from _weights(entry, depth + 1)
    elif isinstance(value, list):
        for entry in value:
            yield from _weights(entry, depth + 1)
    elif isinstance(value, float):
        raise Wrong('Numbers with decimals must be written as text, such as "12.50".')
    elif isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise Wrong(
                "There is a character in the text that cannot be stored (NUL or half of one): remove it."
            )
        yield len(value)
    elif isinstance(value, int) and abs(value) > SAFE_INTEGER:
        raise Wrong("A number in it is too large to be kept exactly: write it as text.")
    yield 1


def _require_bounds(field: FormField, value: Any) -> None:
    """Raises `Wrong` if the value is below `min` or above `max`."""
    if (
        value is None
        or value == []
        or (field.min is None and field.max is None)
        or field.type in ("json", "boolean")
    ):
        return
    size, low, high, unit = _measure(field, value)
    if (below := low is not None and size < low) or (high is not None and size > high):
        side, limit, much, far = (
            ("at least", field.min, "little", "low") if below else ("at most", field.max, "much", "high")
        )
        how = f"This is too {much if unit else far}: {side} {_limit(field, limit, ROUND_CEILING if below else ROUND_FLOOR)}{unit}."
        raise Wrong(f"Tick {side} {limit}." if unit and isinstance(field.options, list) else how)


def _limit(field: FormField, given: Any, nearest: str) -> str:
    """A limit as people type values of the field: an amount in whole units of its currency, the `nearest` that has its decimals."""
    places = decimals(field.currency)
    exact = None if places is None else whole_units(given, places if field.minor else 0)
    if places is None or exact is None:
        return str(given)
    finer = -int(exact.as_tuple().exponent) > places
    return f"{exact.quantize(Decimal(1).scaleb(-places), nearest) if finer else exact} {field.currency}"


def _measure(field: FormField, value: Any) -> tuple[Any, Any, Any, str]:
    """(compared size, lowest, highest, unit) by type of field; a bound is None if there is none."""
    low, high = bound(field.type, field.min), bound(field.type, field.max)
    if field.type in LISTS:
        return len(value), low, high, " entries"
    if field.type in TEXTS:
        return len(value.strip()), low, high, " characters"
    return bound(field.type, value), low, high, ""


def bound(kind: str, given: Any) -> Any:
    """A JSON `min` or `max` in the form in which values of this type are compared; None if it is not a valid bound."""
    if given is None or isinstance(given, bool):
        return None
    if kind in LISTS or kind in TEXTS:
        return (
            int(given)
            if isinstance(given, int) or (isinstance(given, str) and re.fullmatch(r"[0-9]{1,9}", given))
            else None
        )
    if kind in ("integer", "decimal", "money"):
        return (
            Decimal(str(given))
            if isinstance(given, int) or (isinstance(given, str) and NUMBER.fullmatch(given))
            else None
        )
    if kind not in _CALENDAR:
        return None
    if kind == "datetime" and isinstance(given, str) and len(given) == len("2026-11-20"):
        given = f"{given}T00:00:00Z"
    try:
        return _CALENDAR[kind](CLEANERS[kind](FormField("", "", kind), given))
    except Wrong:
        return None


_CALENDAR: Mapping[str, Callable[[str], Any]] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "time": time.fromisoformat,
}

CLEANERS: Mapping[str, Callable[[FormField, Any], Any]] = {
    "text": _text,
    "long_text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "money": _decimal,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "enum": _choice,
    "multi_enum": _choices,
    "checklist": _choices,
    "reference": _reference,
    "uuid": _uuid,
    "email": _email,
    "phone": _phone,
    "url": _url,
    "json": _json,
    "array": _array,
    "file": _file,
    "files": _files,
}
