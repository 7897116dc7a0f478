"""The error of a form with wrong fields. Its message names them by their labels."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from console.core.errors import ConsoleError, Invalid


def refusal(details: Sequence[Mapping[str, Any]], fields: Iterable[Any] = ()) -> Invalid:
    """The error for these details; its message has labels for `fields` (of a form or a collection), and the names of others."""
    return Invalid(
        _not_saved(_names(details), {field.name: field.label for field in fields}), details=details
    )


def by_label(error: ConsoleError, labels: Mapping[str, str]) -> str:
    """The error's message in words, with labels for the names of fields that it lists. `labels`: by name."""
    names = _names(error.details)
    return _not_saved(names, labels) if names and error.message == _not_saved(names, {}) else error.words


def field_name(name: str) -> str:
    """The field's name in the form, without the prefix of a run's input."""
    return name.removeprefix("input.")


def in_sentence(label: str) -> str:
    """The label for use in a sentence; a question is quoted."""
    return f"“{label}”" if label.endswith("?") else label


def _names(details: Iterable[Mapping[str, Any]]) -> list[str]:
    return [field_name(str(detail.get("field") or "")) for detail in details]


def _not_saved(names: Sequence[str], labels: Mapping[str, str]) -> str:
    """The message for a form refused because of these fields; it names the first five."""
    listed = [in_sentence(labels.get(name, name)) for name in names[:5]]
    return f"Nothing was saved: please look at {', '.join(listed)}{' …' if len(names) > 5 else ''}."
