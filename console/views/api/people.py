"""People as JSON: making a service account. People themselves are invited on a page, because they choose their own password."""

from typing import Annotated, Any, Literal

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue
from pydantic import Field, StringConstraints

from console.auth import access, accounts
from console.auth.accounts import identities
from console.views.api.me import identities_json
from console.views.api.operation import Done, Example, Sent, operation, read
from console.views.api.shapes import Account, PersonShown

blueprint = Blueprint("api_people", __name__, url_prefix="/api/v1")

Text = Annotated[str, StringConstraints(min_length=1, max_length=254)]


class RoleGiven(Sent):
    """A role and the id of the team in which it is held."""

    role: Text
    team: Text = Field(
        description="Id of the team; of a role that is held everywhere, any team the account is in"
    )


class NewAccount(Sent):
    """A service account: nobody signs in to it; runs that nobody holds and API keys act as it."""

    kind: Literal["service"]
    name: str = Field("", max_length=200, description="As people see it; without it, made from the address")
    email: Text = Field(description="Its address, by which documents name it (`run_as`); no mail goes there")
    roles: Annotated[list[RoleGiven], Field(min_length=1, max_length=50)]


EXAMPLE = {
    "kind": "service",
    "name": "Nightly robot",
    "email": "robot@example.com",
    "roles": [{"role": "operator", "team": "operations"}],
}


PERSON = {"person_id": "usr_01j0000000000000000000000a"}


def _made(_done: Done) -> dict[str, Any]:
    """Return the account as it is now, by its address, which nobody else has. Raises NotAllowed, NotFound."""
    access.require(g.actor, None, "user", "manage")
    return _account(accounts.person_of_email(read(NewAccount).email))


def _account(made: accounts.Person) -> dict[str, Any]:
    roles = [{"role": role, "team": team} for role, team in sorted(made.roles)]
    return {
        "id": made.id,
        "kind": made.kind,
        "email": made.email,
        "name": made.name,
        "roles": roles,
        "teams": list(made.teams),
    }


@blueprint.get("/people/<person_id>")
@operation("getPerson", "user.manage", PersonShown, refuses=(403,), example=Example(PERSON))
def get_person(person_id: str) -> ResponseReturnValue:
    """A person or service account, with what gives each role and with their identities."""
    access.require(g.actor, None, "user", "manage")
    known = accounts.person(person_id)
    shown = {name: getattr(known, name) for name in ("id", "kind", "state", "email", "name")}
    roles = identities.roles_with_sources(known.id)
    return jsonify(**shown, teams=list(known.teams), roles=roles, identities=identities_json(known.id))


@blueprint.delete("/people/<person_id>/identities/<identity_id>")
@operation(
    "disconnectIdentityOf",
    "user.manage",
    {204: None},
    refuses=(409,),
    example=Example({**PERSON, "identity_id": "idn_01j0000000000000000000000a"}),
)
def disconnect(person_id: str, identity_id: str) -> ResponseReturnValue:
    """Take an identity from a person, with the roles that it alone gave and the sessions that it opened."""
    access.require(g.actor, None, "user", "manage")
    identities.remove(g.actor, person_id, identity_id)
    return "", 204


@blueprint.post("/people")
@operation(
    "createAccount",
    "user.manage",
    {201: Account},
    body=NewAccount,
    again=_made,
    example=Example(body=EXAMPLE),
)
def create() -> ResponseReturnValue:
    """Make a service account; 409 `email_taken` if the address is in use."""
    sent = read(NewAccount)
    made = accounts.create_service_account(
        sent.email, [(role.role, role.team) for role in sent.roles], name=sent.name, by=g.actor
    )
    return _account(made), 201
