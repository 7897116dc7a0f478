"""Error messages of forms, with labels of fields instead of their names."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.core.forms import by_label, plain
from console.errors import ConsoleError
from console.views import frame


def head(wrong: ConsoleError | None, labels: Mapping[str, str]) -> str:
    """Return the error's message; fields that it lists are replaced by labels. `labels`: by name."""
    return "" if wrong is None else by_label(wrong, labels)


def lines(details: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (id of the box or "", reason) of each detail."""
    made = []
    for detail in details:
        name = plain(str(detail.get("field") or ""))
        label = labels.get(name, "")
        made.append((frame.dom_id("f", name) if label else "", line(label, str(detail.get("reason", "")))))
    return made


def line(label: str, reason: str) -> str:
    """Return the reason with its label in front, unless it names the label already."""
    if not label or reason.startswith((label, f"“{label}”")):
        return reason
    return f"{label} {reason}" if label.endswith("?") else f"{label}: {reason}"
