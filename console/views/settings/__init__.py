"""Settings: the person's own page, people and rights, data, and programs."""

from flask import Blueprint, Response

from console.views import frame

OPEN_MODULES = frozenset({"area", "me", "zone_choices"})

blueprint = Blueprint("settings", __name__)


@blueprint.get("/settings")
def first() -> Response:
    """Redirect to the page that everybody has."""
    return frame.redirect_to("/settings/me")
