"""A proposed value as the form keeps it, or why it does not fit: type, choices, range, length, in this order."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from console.ai.prompt import TICKS, is_opaque
from console.ai.safety import written_values
from console.ai.safety.redaction import PLACEHOLDER, REMOVED, Restore
from console.core.forms import CLEANERS, LISTS, FormField, Wrong, bound, cleaned
from console.core.proposal_types import Drop, FieldSpec

ENDLESS = 10_000_000
NUMBERS = frozenset({"decimal", "money"})
TEXTS = frozenset({"text", "long_text", "email", "phone", "url"})


def coerce_to_field(spec: FieldSpec, given: Any, restore: Restore | None) -> Any:
    """The value as the form keeps it; raises Drop. An empty value is none: it is left out by whoever has nothing to say."""
    kind = spec.type if spec.type in CLEANERS else "text"
    if spec.options:
        return _chosen(spec, given, restore)
    value = _canonical(kind, _restored(given, restore))
    field = FormField(spec.name, spec.label, kind, max_length=ENDLESS)
    try:
        value_cleaned = cleaned(field, value)
    except Wrong:
        raise Drop("wrong_type") from None
    if (
        value_cleaned is None
        or value_cleaned == []
        or (isinstance(value_cleaned, str) and not value_cleaned.strip())
    ):
        raise Drop("wrong_type")
    value_cleaned = value_cleaned.strip() if isinstance(value_cleaned, str) else value_cleaned
    _in_range(spec, field, value_cleaned)
    _short_enough(spec, kind, value_cleaned)
    return value_cleaned


def _restored(given: Any, restore: Restore | None) -> Any:
    """The value with placeholders put back. One that stands for nothing, or for what was withheld, was made up."""
    if restore is None:
        return given
    for text in given if isinstance(given, list) else [given]:
        if isinstance(text, str) and REMOVED in text:
            raise Drop("not_in_source")
    try:
        value = restore.value(given)
    except LookupError:
        raise Drop("not_in_source") from None
    left = value if isinstance(value, str) else ""
    if left != given and PLACEHOLDER.search(left):
        raise Drop("not_in_source")
    return value


def _chosen(spec: FieldSpec, given: Any, restore: Restore | None) -> Any:
    """One choice, or the list of the ticked ones in the order of the form; an opaque id is put back."""
    ticks = spec.type in TICKS or spec.type in LISTS
    entries = given if isinstance(given, list) and ticks else [given]
    if not entries or not all(isinstance(entry, str) for entry in entries):
        raise Drop("wrong_type")
    if restore is not None and is_opaque(spec):
        choices_sent = restore.choices.get(spec.name, {})
        entries = [choices_sent.get(entry) for entry in entries]
    values = [value for value, _ in spec.options]
    if not all(entry in values for entry in entries):
        raise Drop("not_in_choices")
    if not ticks:
        return entries[0]
    ticked = [value for value in dict.fromkeys(values) if value in entries]
    _in_range(
        spec, FormField(spec.name, spec.label, spec.type if spec.type in LISTS else "multi_enum"), ticked
    )
    return ticked


def _canonical(kind: str, value: Any) -> Any:
    """The model's value in the JSON type that forms take: decimals as text, days as ISO dates. Only if there is one possible reading."""
    if isinstance(value, Decimal):
        value = _of_decimal(kind, value)
    if kind in NUMBERS and isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if kind in NUMBERS | {"integer"} and isinstance(value, str):
        return _of_number(kind, value)
    if kind == "date" and isinstance(value, str):
        return written_values.only_day(value) or value
    if kind == "datetime" and isinstance(value, str):
        return _of_moment(value)
    if kind == "time" and isinstance(value, str):
        read = {
            clock
            for reading in written_values.clocks(value.strip())
            if reading.end - reading.start == len(value.strip())
            for clock in reading.values
        }
        return next(iter(read)) if len(read) == 1 else value
    return value


def _of_decimal(kind: str, value: Decimal) -> Any:
    """A JSON number with a point or an exponent: exact as text, a whole number where the form wants one."""
    if written_values.decimal(value) is None:
        raise Drop("wrong_type")
    if kind == "integer":
        if value != value.to_integral_value():
            raise Drop("wrong_type")
        return int(value)
    return f"{value:f}"


def _of_number(kind: str, value: str) -> Any:
    read = written_values.only_number(value)
    if read is None:
        return value
    plain = f"{read:f}"
    return _of_decimal(kind, read) if kind == "integer" else plain


def _of_moment(value: str) -> str:
    """A day is no moment; a moment without a zone is in UTC, as everywhere in the console's data."""
    bare = value.strip()
    moments_read = {
        moment
        for start, end, read in written_values.moments(bare)
        if (start, end) == (0, len(bare))
        for moment in read
    }
    return next(iter(moments_read)).isoformat().replace("+00:00", "Z") if len(moments_read) == 1 else value


def _in_range(spec: FieldSpec, field: FormField, value: Any) -> None:
    """Raises Drop where the value is below `minimum` or above `maximum`; a bound that bounds nothing here counts for nothing."""
    lowest = spec.minimum if bound(field.type, spec.minimum) is not None else None
    highest = spec.maximum if bound(field.type, spec.maximum) is not None else None
    if lowest is None and highest is None:
        return
    try:
        cleaned(replace(field, min=lowest, max=highest), value)
    except Wrong:
        raise Drop("out_of_range") from None


def _short_enough(spec: FieldSpec, kind: str, value: Any) -> None:
    """Raises Drop for a text that is longer than its field takes."""
    if not isinstance(value, str) or kind not in TEXTS | {"reference", "array"}:
        return
    try:
        cleaned(FormField(spec.name, spec.label, kind, max_length=spec.max_length), value)
    except Wrong:
        raise Drop("too_long") from None
