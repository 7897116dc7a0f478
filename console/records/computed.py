"""Computed fields: values calculated from a record's own columns."""

from datetime import UTC, datetime
from typing import Any

from console.core import expressions
from console.core.documents.collections import CONVERSIONS, Field
from console.core.expressions.operands import UNKNOWN, number_of, rounded, to_json
from console.records import record_keys


def value(field: Field, record: dict[str, Any]) -> Any:
    """The JSON value of a computed field for a record with typed values; null if unknown or not of the field's type."""
    if field.pair is not None:
        named = field.pair.value(record)
        return record_keys.encode([to_json(part) for part in named]) if isinstance(named, list) else named
    found = expressions.parse(field.computed or "").value({"record": record, "now": datetime.now(UTC)})
    return None if found is UNKNOWN else coerce_computed(field, found)


def coerce_computed(field: Field, found: Any) -> Any:
    """The computed value in the form of the field's type; whole numbers are rounded, halves away from zero."""
    if found is None:
        return None
    if field.stored == "text":
        return expressions.value_text(found) or None
    if field.stored == "boolean":
        return found if isinstance(found, bool) else None
    if field.stored in {"integer", "decimal"}:
        number = None if isinstance(found, bool) else number_of(found)
        if number is None:
            return None
        return str(to_json(number)) if field.stored == "decimal" else int(rounded(number, 0))  # type: ignore[arg-type]
    convert = CONVERSIONS.get(field.stored)
    typed = convert(found) if convert else found
    return None if typed is None else to_json(typed)
