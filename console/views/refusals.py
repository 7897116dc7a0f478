"""What a page says of a refused form: its fields by the labels that people see, never by the names that programs use."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.core.forms import in_sentence, not_saved
from console.errors import ConsoleError
from console.views import frame


def head(wrong: ConsoleError | None, labels: Mapping[str, str]) -> str:
    """The message of the error; where it lists fields, by label. `labels`: by name."""
    if wrong is None:
        return ""
    names = [plain(str(detail.get("field") or "")) for detail in wrong.details]
    return (
        not_saved([in_sentence(labels.get(name, name)) for name in names]) if names and wrong.message == not_saved(names) else wrong.words
    )


def lines(details: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """(id of the box or "", what is wrong with it) of each detail."""
    told = []
    for detail in details:
        name = plain(str(detail.get("field") or ""))
        label = labels.get(name, "")
        told.append((frame.dom_id("f", name) if label else "", line(label, str(detail.get("reason", "")))))
    return told


def line(label: str, reason: str) -> str:
    """The reason under its label, which is not said twice."""
    if not label or reason.startswith((label, f"“{label}”")):
        return reason
    return f"{label} {reason}" if label.endswith("?") else f"{label}: {reason}"


def plain(name: str) -> str:
    """The field of a form, also where the error names it as a part of a run's input."""
    return name.removeprefix("input.")
