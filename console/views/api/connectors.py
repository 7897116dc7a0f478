"""Connectors as JSON: what each can be asked to do, and the connection that is named like it: set up and tested."""

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.actions import connection_settings
from console.core.connectors import CONNECTORS, Connector
from console.core.errors import NotFound
from console.views.api.operation import Example, Paged, Sent, operation, page_of, read
from console.views.api.shapes import ConnectorShown, ConnectorTest, Listed

blueprint = Blueprint("api_connectors", __name__, url_prefix="/api/v1/connectors")
STRIPE = Example({"connector": "stripe"}, body={"settings": {"secret": "rk_live_9876543210"}})


class ConnectorSettings(Sent):
    """Where the system is, and how one signs in."""

    url: str | None = Field(
        None, max_length=1000, description="Its address; none: the one that it has now, or for everybody"
    )
    auth: dict[str, str] = Field(
        default_factory=dict,
        description='{"kind": "key", "header"}, {"kind": "basic", "user"} or {"kind": "oauth", "client_id", "token_url", "scope"}; none: the usual one',
    )
    secret: str = Field("", description="The key, password or client secret; no call returns it")


class NewSettings(Sent):
    """The settings of a connector."""

    settings: ConnectorSettings


def _shown(connector: Connector, configured: set[str]) -> dict[str, Any]:
    operations = [
        {
            "id": name,
            "title": each.title,
            "schema": each.form,
            "reads": each.reads,
            "idempotent": each.reads or bool(each.request.get("idempotent")),
        }
        for name, each in connector.operations.items()
    ]
    return {
        "id": connector.id,
        "title": connector.title,
        "operations": operations,
        "configured": connector.id in configured,
    }


def _configured() -> set[str]:
    """Ids of the connectors that have a connection. Raises NotAllowed."""
    return {each.kind for each in connection_settings.list_connections_of_connectors(g.actor)}


@blueprint.get("")
@operation("listConnectors", "source.manage", Listed[ConnectorShown], query=Paged, refuses=(403,))
def every() -> ResponseReturnValue:
    """Every connector by id, with its operations, their fields as JSON Schema, and whether a connection has it."""
    configured = _configured()
    return page_of([_shown(each, configured) for each in CONNECTORS.values()], "id")


@blueprint.put("/<connector>")
@operation(
    "setConnector", "source.manage", ConnectorShown, body=NewSettings, refuses=(403, 404), example=STRIPE
)
def change(connector: str) -> ResponseReturnValue:
    """Add or change the connection that is named like the connector, and test it. Further ones have names of their own: `/connections`."""
    former = {each.name: each for each in connection_settings.list_connections_of_connectors(g.actor)}
    known, found = CONNECTORS.get(connector), former.get(connector)
    if known is None:
        raise NotFound
    sent = read(NewSettings).settings
    usual = known.address if known.fixed else ""
    url, auth = (found.url or "", found.auth) if found is not None else (usual, {})
    connection_settings.connect(
        g.actor, connector, connector, url=sent.url or url, auth=sent.auth or auth, secret=sent.secret
    )
    return _shown(known, _configured())


@blueprint.post("/<connector>/test")
@operation(
    "testConnector",
    "source.manage",
    ConnectorTest,
    refuses=(403, 404),
    example=Example({"connector": "stripe"}),
)
def test(connector: str) -> ResponseReturnValue:
    """Make the test call of the connection that is named like the connector; it changes nothing."""
    found = connection_settings.test(g.actor, connector)
    return {"ok": not found.problem, "message": found.problem or f"{CONNECTORS[found.kind].title} works."}
