"""`/settings/hooks`: the company's own code: its files, what it may access, and its state."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response

from console import records, steps
from console.auth import access
from console.infra import settings
from console.records import hooks
from console.records.hooks import Hook
from console.views import frame
from console.views.settings import area

blueprint = Blueprint("hooks", __name__, url_prefix="/settings/hooks")
KINDS = {
    "computed": ("Computed fields", "math-function", "Reads {inputs} of {collection}; changes nothing."),
    "segment": ("Segments", "filter", "Gives a filter of {collection}; reads and changes nothing itself."),
    "action": (
        "Actions",
        "bolt",
        "Reads and changes records with the rights of whoever has it done, and may reach out.",
    ),
    "module": ("Modules that could not be read in", "alert-triangle", "Nothing of it is in use."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A hook in the list."""

    name: str
    place: str
    touches: str
    error: str
    at: datetime | None


@blueprint.get("")
def show() -> Response:
    """Show every hook by kind, and step types of other packages."""
    access.require(frame.actor(), None, "source", "manage")
    labels = {item.id: item.label for item in records.collections()}
    groups: list[dict[str, Any]] = []
    for kind, (title, icon, touches) in KINDS.items():
        hooks_shown = [_line(hook, touches, labels) for hook in hooks.loaded() if hook.kind == kind]
        if hooks_shown:
            groups.append({"title": title, "icon": icon, "lines": hooks_shown})
    foreign = [
        entry for entry in steps.all_types().values() if not type(entry).__module__.startswith("console.")
    ]
    if foreign:
        words = "Sees and asks for what its step names, with the rights of whoever does it."
        lines = [
            Line(f"{entry.title} ({entry.name})", type(entry).__module__, words, "", None)
            for entry in foreign
        ]
        groups.append({"title": "Step types", "icon": "route", "lines": lines})
    return area.page("settings/hooks.html", "hooks", {"groups": groups, "modules": settings.current().hooks})


def _line(hook: Hook, touches: str, labels: dict[str, str]) -> Line:
    state = hooks.states().get(hook.key)
    where = labels.get(hook.collection, hook.collection)
    at = datetime.fromtimestamp(state.at, UTC) if state and state.at else None
    name = f"{where}: {hook.label or hook.name}" if hook.collection else hook.name
    place = (
        f"{hook.module}, {hook.file}:{hook.line}"
        if hook.line and not hook.file.startswith("<")
        else hook.module
    )
    return Line(
        name,
        place,
        touches.format(inputs=", ".join(hook.inputs) or "nothing", collection=where),
        state.error if state else "",
        at,
    )
