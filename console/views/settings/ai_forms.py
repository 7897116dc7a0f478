"""What the forms about the AI share: parts of the document as texts by dotted names, and back, without losing input."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Response, flash, request

from console.ai.proposals import options, saving
from console.ai.proposals.options import Current
from console.core.errors import Conflict, Invalid
from console.views import frame
from console.views.forms import Field, Form, Item

UNTRIED = Field(
    "untried",
    "Save without trying it: the provider cannot be reached at the moment, and this is right all the same",
    "check",
)


def flat(value: Any, name: str = "") -> dict[str, str]:
    """Return a part of the document as texts by dotted names; None is the empty text."""
    if isinstance(value, Mapping):
        return {
            key: text
            for part, entry in value.items()
            for key, text in flat(entry, f"{name}.{part}" if name else part).items()
        }
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


def save(there: str, form: Form, changes: Mapping[str, Any], **more: Any) -> Response | None:
    """Save these parts and redirect to the page `there`; None where they are refused, with everything that was typed in the form."""
    base = request.form.get("version", "")
    try:
        before = int(base) if base.isascii() and base.isdigit() and len(base) < 10 else -1
        after = saving.change(frame.actor(), changes, base=before, note=request.form.get("note", ""), **more)
    except (Invalid, Conflict) as wrong:
        if isinstance(wrong, Conflict):
            wrong.details = [
                {"field": "version", "reason": "Save once more to put yours in the place of theirs."}
            ]
        if wrong.code == "not_working":
            form.items = [*form.items, UNTRIED]
        form.error = wrong
        return None
    flash("Saved. It is in force everywhere within a second." if after != before else "Nothing was changed.")
    return frame.redirect_to(there)


def form_of(items: Sequence[Item], values: Mapping[str, Any], **more: Any) -> Form:
    """Return the form of a part of the document, with why it is changed."""
    note = Field(
        "note",
        "Why, for those who come after you",
        hint="Not needed; kept with the version and in the log.",
        max_length=500,
    )
    stored = {"version": newest().version, "note": request.form.get("note", "")}
    every = [Field("version", kind="hidden"), *items, note]
    return Form(
        every,
        {**values, **stored},
        prefix="f-",
        submit_more={"data-key": "ctrl+s"},
        **{"css": "sect", **more},
    )


def newest() -> Current:
    """Return the document in force. Raises NotAllowed for whoever may not edit it."""
    saving.require(frame.actor())
    return options.newest()
