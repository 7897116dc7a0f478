"""Connections of connectors, as JSON: added or changed, tested, listed and removed."""

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.actions import connection_settings
from console.connectors import Connection
from console.log import body as canonical
from console.views.api import idempotency
from console.views.api.operation import Done, Example, Paged, Sent, operation, page_of, read
from console.views.api.shapes import ConnectionShown, Listed

blueprint = Blueprint("api_connections", __name__, url_prefix="/api/v1/connections")


class NewConnection(Sent):
    """A connection: which connector, where the system is, and how one signs in."""

    name: str = Field(description="Small letters, digits and _: what steps call it")
    connector: str = Field(description="Id of a connector, such as stripe")
    url: str = Field(max_length=1000, description="Its address, such as https://api.stripe.com")
    auth: dict[str, str] = Field(
        default_factory=dict,
        description='{"kind": "key", "header"}, {"kind": "basic", "user"} or {"kind": "oauth", "client_id", "token_url", "scope"}; none: the usual one of the connector',
    )
    secret: str = Field("", description="The key, password or client secret; no call returns it")


def _shown(found: Connection) -> dict[str, Any]:
    return {
        "name": found.name,
        "connector": found.kind,
        "url": found.url,
        "auth": found.auth.get("kind"),
        "problem": found.problem or None,
        "checked_at": canonical.moment(found.checked_at) if found.checked_at else None,
    }


def _made(done: Done) -> dict[str, Any]:
    """Return the connection as it is now."""
    if done.made is None:
        raise idempotency.lost("The connection", "the list of connections")
    return _shown(connection_settings.connection_of_connector(g.actor, done.made))


@blueprint.get("")
@operation("listConnections", "source.manage", Listed[ConnectionShown], query=Paged, refuses=(403,))
def every() -> ResponseReturnValue:
    """Every connection of a connector by name, with what its last test found."""
    return page_of(
        [_shown(each) for each in connection_settings.list_connections_of_connectors(g.actor)], "name"
    )


@blueprint.post("")
@operation(
    "connect",
    "source.manage",
    {201: ConnectionShown},
    body=NewConnection,
    again=_made,
    example=Example(
        body={
            "name": "stripe",
            "connector": "stripe",
            "url": "https://api.stripe.example",
            "secret": "rk_live_9876543210",
        }
    ),
)
def connect() -> ResponseReturnValue:
    """Add a connection, or change where it is and who asks, and test it. What the test found is its `problem`."""
    sent = read(NewConnection)
    found = connection_settings.connect(
        g.actor, sent.name, sent.connector, url=sent.url, auth=sent.auth, secret=sent.secret
    )
    idempotency.name_result(sent.name)
    return _shown(found), 201


@blueprint.post("/<connection>/test")
@operation("testConnection", "source.manage", ConnectionShown, example=Example({"connection": "stripe"}))
def test(connection: str) -> ResponseReturnValue:
    """Make the test call of the connector, which changes nothing."""
    return _shown(connection_settings.test(g.actor, connection))


@blueprint.delete("/<connection>")
@operation("removeConnection", "source.manage", {204: None}, example=Example({"connection": "stripe"}))
def remove(connection: str) -> ResponseReturnValue:
    """Remove a connection. Steps and actions that name it say so, and are done by hand."""
    connection_settings.remove(g.actor, connection, connector=True)
    return "", 204
