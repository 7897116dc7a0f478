"""What the forms about the AI share: parts of the document as texts by dotted names, and back, without losing input."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Response, flash, request

from console.errors import Conflict, ConsoleError, Invalid
from console.proposals import options, saving
from console.proposals.options import Current
from console.proposals.settings_document import Options
from console.views import frame

Drawn = Callable[[Mapping[str, str], Mapping[str, str], ConsoleError | None], Response]
"""Draws a page from what stands in its boxes, what is wrong with them, and the error."""


def flat(value: Any, name: str = "") -> dict[str, str]:
    """Return a part of the document as texts by dotted names; None is the empty text."""
    if isinstance(value, Mapping):
        return {key: text for part, entry in value.items() for key, text in flat(entry, f"{name}.{part}" if name else part).items()}
    return {name: "" if value is None else "on" if value is True else "" if value is False else f"{value}"}


def nested(typed: Mapping[str, str]) -> dict[str, Any]:
    """The reverse of `flat`: an empty text is None."""
    made: dict[str, Any] = {}
    for name, text in typed.items():
        *path, last = name.split(".")
        part = made
        for step in path:
            part = part.setdefault(step, {})
        part[last] = text.strip() or None
    return made


def typed(names: Iterable[str]) -> dict[str, str]:
    """Return what was sent under these names."""
    return {name: request.form.get(name, "") for name in names}


def reasons(error: ConsoleError | None) -> dict[str, str]:
    """Return what is wrong with each field, as a sentence."""
    return {detail["field"]: _sentence(str(detail["reason"])) for detail in error.details} if error is not None else {}


def _sentence(text: str) -> str:
    made = text[:1].upper() + text[1:]
    return made if made.endswith((".", "?")) else made + "."


def save(there: str, shown: Mapping[str, str], changes: Mapping[str, Any], draw: Drawn, **more: Any) -> Response:
    """Save these parts and redirect to the page `there`; errors are shown with everything that was typed."""
    base, note = request.form.get("version", ""), request.form.get("note", "")
    try:
        before = int(base) if base.isascii() and base.isdigit() and len(base) < 10 else -1
        after = saving.change(frame.actor(), changes, base=before, note=note, **more)
    except (Invalid, Conflict) as wrong:
        return draw(shown, reasons(wrong), wrong)
    flash("Saved. It is in force everywhere within a second." if after != before else "Nothing was changed.")
    return frame.redirect_to(there)


def common(current: Current, shown: Mapping[str, str], wrong: Mapping[str, str], error: ConsoleError | None) -> dict[str, Any]:
    """Return what every such page draws."""
    return {
        "current": current,
        "kept": current.document,
        "usual": Options(),
        "told": shown,
        "wrong": wrong,
        "error": error,
        "note": request.form.get("note", ""),
        "given": current.ai if current.from_environment else None,
    }


def newest() -> Current:
    """Return the document in force. Raises NotAllowed for whoever may not edit it."""
    saving.require(frame.actor())
    return options.newest()
