"""`/me`: the person of the key."""

from typing import Any

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue

from console.auth.accounts import identities
from console.core.actor import Actor
from console.views.api.operation import Example, operation
from console.views.api.shapes import Me

blueprint = Blueprint("api_me", __name__, url_prefix="/api/v1")


def identities_json(person_id: str) -> list[dict[str, Any]]:
    """Return the identities of a person, each with the roles that its groups give."""
    return [identity.to_json() for identity in identities.identities_of(person_id)]


@blueprint.get("/me")
@operation("getMe", "own", Me)
def get_me() -> ResponseReturnValue:
    """The person whose rights the key has, with their roles, teams and identities."""
    actor: Actor = g.actor
    own = {
        "roles": actor.role_names,
        "grants": identities.roles_with_sources(actor.id),
        "identities": identities_json(actor.id),
    }
    return jsonify(id=actor.id, email=actor.email, name=actor.name, teams=list(actor.teams), **own)


@blueprint.delete("/me/identities/<identity_id>")
@operation(
    "disconnectIdentity",
    "own",
    {204: None},
    refuses=(409,),
    example=Example({"identity_id": "idn_01j0000000000000000000000a"}),
)
def disconnect(identity_id: str) -> ResponseReturnValue:
    """Take an identity from oneself, with the roles that it alone gave and the sessions that it opened. 409 `only_way`; a key that is limited to some rights may not."""
    identities.remove(g.actor, g.actor.id, identity_id)
    return "", 204
