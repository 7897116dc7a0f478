"""Error messages of forms, with labels of fields instead of their names."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.core.errors import ConsoleError
from console.core.forms import by_label, field_name
from console.views import frame


def head(wrong: ConsoleError | None, labels: Mapping[str, str]) -> str:
    """Return the error's message with labels in place of names, without what stands at a field anyway. `labels`: by name."""
    if wrong is None:
        return ""
    text = by_label(wrong, labels)
    for detail in wrong.details:
        reason = str(detail.get("reason") or "")
        if field_name(str(detail.get("field") or "")) in labels and reason and text.endswith(reason):
            rest = text.removesuffix(reason).strip()
            text = rest if rest.endswith(".") else text if rest else "Nothing was saved."
    return text


def lines(
    details: Sequence[Mapping[str, Any]], labels: Mapping[str, str], said: str = ""
) -> list[tuple[str, str]]:
    """Return (id of the box or "", reason) of each detail, without what is about no field and stands in `said`, the head, already."""
    made = []
    for detail in details:
        name, reason = field_name(str(detail.get("field") or "")), str(detail.get("reason", ""))
        label = labels.get(name, "")
        if label or reason not in said:
            made.append((frame.dom_id("f", name) if label else "", line(label, reason)))
    return made


def line(label: str, reason: str) -> str:
    """Return the reason with its label in front, unless it names the label already."""
    if not label or reason.startswith((label, f"“{label}”")):
        return reason
    return f"{label} {reason}" if label.endswith("?") else f"{label}: {reason}"


def first_reason(wrong: ConsoleError | None) -> str:
    """Return the first reason that the details give, else the message; empty where nothing is wrong."""
    if wrong is None:
        return ""
    return next((str(each["reason"]) for each in wrong.details if each.get("reason")), wrong.message)


def reasons_by_field(wrong: ConsoleError | None) -> dict[str, str]:
    """Return the reason of each field that is wrong."""
    return {str(detail.get("field")): str(detail.get("reason")) for detail in wrong.details} if wrong else {}


def plain_details(wrong: ConsoleError | None) -> list[dict[str, Any]]:
    """Return the details of the error with the plain names of their fields."""
    return (
        [{**detail, "field": field_name(str(detail.get("field", "")))} for detail in wrong.details]
        if wrong
        else []
    )
