"""Settings: one's own page, the company's people and rights, its data, its programs."""

from flask import Blueprint, Response

from console.views import frame

__all__ = ["person", "person_roles"]

blueprint = Blueprint("settings", __name__)


@blueprint.get("/settings")
def first() -> Response:
    """The page that everybody has."""
    return frame.moved("/settings/me")
