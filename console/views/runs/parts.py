"""The runs that a step has started, as its screen and their page show them."""

from typing import Any

from console import runs
from console.core.actor import Actor
from console.views import frame
from console.views.formats import Look
from console.views.runs.wait_words import waits_shortly


def parts_context(actor: Actor, run_id: str, step_id: str, look: Look) -> dict[str, Any] | None:
    """Return the counter and the lines; None for a step that has started nothing."""
    parts = runs.parts_of(actor, run_id, step_id)
    if parts is None:
        return None
    heads = [part.head for part in parts.shown]
    waits = waits_shortly([head.id for head in heads if head.live], look)
    lines = [
        {
            "name": part.name,
            "href": frame.run_url(part.head.id),
            "status": frame.status_badge(
                part.head.status,
                part.head.holder,
                actor.id,
                {part.head.holder: part.head.holder_name} if part.head.holder else {},
                ticket=bool(part.head.ticket),
            ),
            "words": (part.head.reason or "")
            if not part.head.live
            else ", ".join(filter(None, (part.head.step_title, waits.get(part.head.id)))),
        }
        for part in parts.shown
    ]
    return {
        "step": parts.step,
        "title": parts.title,
        "words": f"{parts.done:,} of {parts.total:,} done"
        + (f", {parts.failed:,} failed" if parts.failed else ""),
        "lines": lines,
        "more": parts.total - len(lines),
        "live": any(head.live for head in heads) or parts.done + parts.failed < parts.total,
    }
