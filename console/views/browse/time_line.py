"""The time line of a record: what happened to it, one sort of that, or every event, newest first and page by page."""

from collections.abc import Mapping
from typing import Any

from flask import request

from console import activity
from console.activity import archive
from console.core.events import KINDS
from console.views import frame
from console.views.activity.activity import entries
from console.views.formats import Look

AT_ONCE = 50
_FILES = frozenset({"document_requested", "document_received", "document_link_revoked", "records_exported"})
_TASKS = frozenset({"task_created", "task_closed"})
_TALK = frozenset({"notice_sent"}) | frozenset(
    name
    for name, kind in KINDS.items()
    if name.startswith(("message_", "call_", "consent_")) and kind.group != "configuration"
)
_TAGS = frozenset({"tag_added", "tag_removed", "stage_changed"})
_NOTES = frozenset({"note_added", "note_removed"})


def _kinds_of(*groups: str) -> frozenset[str]:
    return frozenset(kind.name for kind in KINDS.values() if kind.group in groups)


SORTS: Mapping[str, tuple[str, frozenset[str]]] = {
    "runs": (
        "Runs",
        _kinds_of("run", "step") - _FILES - _TASKS - _TALK - activity.LOOKS - activity.WITHIN_STEPS,
    ),
    "changes": ("Changes", _kinds_of("effect") | {"record_changed"}),
    "approvals": ("Approvals", _kinds_of("approval")),
    "notes": ("Notes", _NOTES),
    "messages": ("Messages and calls", _TALK),
    "tasks": ("Tasks", _TASKS),
    "tags": ("Tags and stages", _TAGS),
    "files": ("Files", _FILES),
    "looks": ("Who looked", activity.LOOKS | {"value_revealed"}),
}
"""Sort, as in `?show=` → its label and the kinds of events."""
EVERYTHING = "everything"


def time_line(collection: str, key: str, look: Look) -> dict[str, Any]:
    """Return what the tab Activity of a record draws: the entries of the chosen sort, the sorts as links, and the way to older ones."""
    chosen = request.args.get("show", "")
    chosen = chosen if chosen in SORTS or chosen == EVERYTHING else ""
    kinds = sorted(SORTS[chosen][1]) if chosen in SORTS else []
    after, everything = request.args.get("after"), chosen == EVERYTHING
    log = activity.on_record(
        frame.actor(), collection, key, limit=AT_ONCE, after=after, kinds=kinds, everything=everything
    )
    sorts = [
        ("", "Timeline"),
        *((name, label) for name, (label, _) in SORTS.items()),
        (EVERYTHING, "Every event"),
    ]
    return {
        "entries": entries(log.rows, look),
        "archived": [] if log.next else archive.names(),
        "older": frame.present_address(after=log.next) if log.next else None,
        "sorts": [
            {
                "label": label,
                "here": name == chosen,
                "href": frame.present_address(show=name or None, after=None),
            }
            for name, label in sorts
        ],
    }
