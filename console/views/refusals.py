"""Error messages of forms, with labels of fields instead of their names."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.core.forms import in_sentence, not_saved
from console.errors import ConsoleError
from console.views import frame


def head(wrong: ConsoleError | None, labels: Mapping[str, str]) -> str:
    """Return the error's message; fields that it lists are replaced by labels. `labels`: by name."""
    if wrong is None:
        return ""
    names = [plain(str(detail.get("field") or "")) for detail in wrong.details]
    return (
        not_saved([in_sentence(labels.get(name, name)) for name in names]) if names and wrong.message == not_saved(names) else wrong.words
    )


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


def plain(name: str) -> str:
    """Return the field's name in the form, without the prefix of a run's input."""
    return name.removeprefix("input.")
