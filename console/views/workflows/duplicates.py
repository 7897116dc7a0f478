"""`/workflows/<slug>/duplicate`: a new draft like this workflow, in the editor."""

from flask import Blueprint, Response, flash

from console import workflows
from console.views import frame
from console.views.workflows import tabs

blueprint = Blueprint("workflow_duplicates", __name__)


@blueprint.post("/workflows/<slug>/duplicate")
def duplicate(slug: str) -> Response:
    """Make a copy, and open it in the editor."""
    known = tabs.known_of(slug)
    made = workflows.duplicate(frame.actor(), known.id)
    triggers = workflows.definition(frame.actor(), made.slug).get("triggers")
    flash(
        f"{made.title} is a draft{': its triggers are new, with addresses of their own, and off' if triggers else ''}"
    )
    return frame.redirect_to(tabs.address(made.slug, "/edit"))
