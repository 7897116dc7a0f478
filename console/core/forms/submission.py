"""Submitted forms: checking all fields at once, and the error for a refused form."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from console.core.forms.field_values import Wrong, cleaned
from console.core.forms.form_field import FormField
from console.errors import Invalid


def clean(fields: Iterable[FormField], submitted: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the whole form: submitted values in canonical form, and present values of the other fields.

    Raises Invalid with one detail for each wrong field, unknown names first.
    """
    values, details = examine(fields, submitted)
    if details:
        raise refusal(details)
    return values


def refusal(details: Sequence[Mapping[str, Any]]) -> Invalid:
    """The error for these details. It lists field names, for programs; pages show labels."""
    return Invalid(not_saved([str(detail["field"]) for detail in details]), details=details)


def not_saved(fields: Sequence[str]) -> str:
    """The message for a form refused because of these fields; it names the first five."""
    return f"Nothing was saved: please look at {', '.join(fields[:5])}{' …' if len(fields) > 5 else ''}."


def examine(fields: Iterable[FormField], submitted: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """(values of the whole form, one `{"field", "reason"}` for each wrong field). A wrong field keeps its value.

    A read-only field keeps its value whatever was submitted. A missing field keeps its `value`; a required field may not be empty.
    """
    known = {field.name: field for field in fields}
    details = [{"field": str(name)[:200], "reason": "There is no such field in this form."} for name in submitted if name not in known]
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
            return f"{name} is needed: tick at least one."
        case "file" | "files":
            return f"{name} is needed: send a file."
        case _:
            return f"{name} is needed."


def in_sentence(label: str) -> str:
    """The label for use in a sentence; a question is quoted."""
    return f"“{label}”" if label.endswith("?") else label


def is_empty(value: Any) -> bool:
    """Whether the value is null, white space or a list without entries."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())
