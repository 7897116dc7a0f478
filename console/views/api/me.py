"""`GET /me`: the person of the key."""

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue

from console.core.actor import Actor
from console.views.api.operation import operation
from console.views.api.shapes import Me

blueprint = Blueprint("api_me", __name__, url_prefix="/api/v1")


@blueprint.get("/me")
@operation("getMe", "own", Me)
def get_me() -> ResponseReturnValue:
    """The person whose rights the key has, with their roles and teams."""
    actor: Actor = g.actor
    return jsonify(id=actor.id, email=actor.email, name=actor.name, roles=actor.role_names, teams=list(actor.teams))
