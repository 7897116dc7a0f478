"""Who changed a value meanwhile, and when: said where a form is refused because it holds an older one."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from console import activity
from console.core.errors import ConsoleError
from console.views import formats, frame
from console.views.formats import Look

CHANGES = ("record_changed", "effect_succeeded")
LOOKED_AT = 20
NOT_HERE = "Nobody changed this here: it was changed in the database, or a moment ago."


def with_changers(
    details: Sequence[Mapping[str, Any]], collection: str | None, key: str | None
) -> list[dict[str, Any]]:
    """Return the details of a refusal; each with the value that is there now (`theirs`) says who changed it, and when, as far as the reader may know."""
    known = [dict(detail) for detail in details]
    if collection is None or key is None or not any("theirs" in detail for detail in known):
        return known
    try:
        found = activity.on_record(frame.actor(), collection, key, limit=LOOKED_AT, kinds=CHANGES).rows
    except ConsoleError:
        return known
    look = frame.look()
    for detail in known:
        if "theirs" in detail:
            detail["reason"] = next(
                (_words(row, look) for row in found if _names(row, str(detail["field"]))), NOT_HERE
            )
    return known


def _names(row: activity.ActivityRow, field: str) -> bool:
    data = row.json["data"]
    return data.get("result") not in ("unknown", "not_done") and field in (data.get("fields") or ())


def _words(row: activity.ActivityRow, look: Look) -> str:
    at = row.at.isoformat()
    when = (
        f"at {formats.clock(at, look)} ({formats.ago(at, look)})"
        if look.now - row.at < timedelta(days=1)
        else f"on {formats.ago(at, look)}"
    )
    return f"{row.actor_name} changed this {when}."
