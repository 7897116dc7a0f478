"""`/settings/connections`: the systems that steps and actions ask by a connector: where each is and how the console signs in, with a test."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, request

from console.actions import connection_settings
from console.actions.connection_settings import BASIC, KEY, OAUTH
from console.connectors import Connection
from console.core.connectors import CONNECTORS, Connector
from console.core.errors import NotFound
from console.views import frame
from console.views.forms import Cell, Field, Form, Group, Item, Table
from console.views.frame import Badge
from console.views.settings import area

blueprint = Blueprint("connectors", __name__, url_prefix="/settings/connections")
PLACE, NAME = "/settings/connections", "connections"
WAYS = {KEY: "Key", BASIC: "User and password", OAUTH: "OAuth 2 client credentials"}
WORKS = Badge("Works", "good", "check")
FAILS = Badge("Does not work", "bad", "alert-triangle")


@blueprint.get("")
def show() -> Response:
    """Show every connection."""
    lines = [
        (
            Cell(each.name, f"{PLACE}/{each.name}", note=each.place, css="breaks"),
            _title(each),
            Cell(badge=FAILS if each.problem else WORKS, note=each.problem),
        )
        for each in connection_settings.list_connections_of_connectors(frame.actor())
    ] + [
        (Cell(each.name, note=each.place, css="breaks"), "–", Cell("Set by CONSOLE_HTTP_TARGETS"))
        for each in connection_settings.list_connections_of_settings(frame.actor())
    ]
    table = Table("Connections", ("Connection", "System", "Last test"), lines)
    return area.page("settings/connector_connections.html", NAME, {"connections": table})


@blueprint.get("/new")
def choose() -> Response:
    """Show the connectors to choose from."""
    connection_settings.list_connections_of_connectors(frame.actor())
    lines = [(Cell(each.title, f"{PLACE}/new/{each.id}"), each.text) for each in CONNECTORS.values()]
    table = Table("Connectors", ("System", "For"), lines)
    return area.page(
        "settings/connector_choice.html", NAME, {"connectors": table}, heading="Add a connection"
    )


@blueprint.route("/new/<connector>", methods=["GET", "POST"])
def new(connector: str) -> Response:
    """Show the form for a connection of a connector; a POST saves and tests it."""
    taken = [each.name for each in connection_settings.list_connections_of_connectors(frame.actor())]
    known = CONNECTORS.get(connector)
    if known is None:
        raise NotFound
    values = {
        "name": "" if connector in taken else connector,
        "url": known.address if known.fixed else "",
        "auth": known.auth[0],
    }
    form = _form(known, values)
    return form.submit_to(lambda sent: _save(known, sent)) or area.form_page(
        NAME, form, f"Connect {known.title}"
    )


@blueprint.get("/<name>")
def show_one(name: str) -> Response:
    """Show a connection, with what it can be asked to do."""
    found = connection_settings.connection_of_connector(frame.actor(), name)
    context = {
        "connection": found,
        "connector": CONNECTORS.get(found.kind),
        "way": WAYS.get(found.auth.get("kind", ""), "None"),
        "badge_of": FAILS if found.problem else WORKS,
    }
    return area.page("settings/connector_connection.html", NAME, context, heading=name)


@blueprint.route("/<name>/change", methods=["GET", "POST"])
def change(name: str) -> Response:
    """Show the form of a connection; a POST saves and tests it."""
    found = connection_settings.connection_of_connector(frame.actor(), name)
    known = CONNECTORS.get(found.kind)
    if known is None:
        raise NotFound(f"There is no connector {found.kind} any more: remove the connection.")
    values = {**found.auth, "name": name, "url": found.url or "", "auth": found.auth.get("kind", "")}
    form = _form(known, {**values, "header": found.auth.get("header") or ""}, found)
    return form.submit_to(lambda sent: _save(known, sent)) or area.form_page(
        NAME, form, "Change", [(f"{PLACE}/{name}", name)]
    )


@blueprint.post("/<name>/test")
def test(name: str) -> Response:
    """Make the test call of a connection."""
    found = connection_settings.test(frame.actor(), name)
    flash(f"{name} does not work" if found.problem else f"{name} works")
    return frame.redirect_to(f"{PLACE}/{name}")


@blueprint.post("/<name>/remove")
def remove(name: str) -> Response:
    """Remove a connection."""
    connection_settings.remove(frame.actor(), name, connector=True)
    flash("The connection is removed")
    return frame.redirect_to(PLACE)


def _save(connector: Connector, sent: Mapping[str, Any]) -> Response:
    named = ("user", "header", "client_id", "token_url", "scope")
    found = connection_settings.connect(
        frame.actor(),
        sent["name"],
        connector.id,
        url=sent["url"],
        auth={"kind": sent["auth"], **{name: sent[name] for name in named if sent.get(name)}},
        secret=sent["secret"].strip(),
    )
    flash("Saved" if found.problem else f"{found.name} works")
    return frame.redirect_to(f"{PLACE}/{found.name}")


def _title(found: Connection) -> str:
    return CONNECTORS[found.kind].title if found.kind in CONNECTORS else found.kind


def _form(connector: Connector, values: Mapping[str, Any], found: Connection | None = None) -> Form:
    one = len(connector.auth) == 1
    stored = found is not None and found.sealed is not None
    secret = "Leave it empty to keep it." if stored else connector.secret
    user = Field("user", "User", hint=connector.user or "", more={"spellcheck": "false"})
    more: list[Item] = []
    if OAUTH in connector.auth:
        more = [
            Field("client_id", "Client ID", more={"spellcheck": "false"}),
            Field("token_url", "Token address", "url", "Such as https://auth.example/token."),
            Field("scope", "Scopes", hint="With blanks between."),
        ]
    if KEY in connector.auth and not one:
        more.append(Field("header", "Header of the key", hint="Without it: Authorization: Bearer …"))
    items: list[Item] = [
        Field(
            "name",
            "Name",
            "hidden" if found else "text",
            f"Small letters, digits and _. Steps find {connector.id} by themselves, another name is chosen there.",
            required=True,
        ),
        Field(
            "url",
            "Address",
            "url",
            "" if connector.fixed else f"Such as {connector.address}.",
            required=True,
            max_length=1000,
        ),
        Field(
            "auth",
            "Sign-in",
            "hidden" if one else "select",
            choices=[(each, WAYS[each]) for each in connector.auth],
        ),
        *([user] if BASIC in connector.auth else []),
        Field(
            "secret",
            "Key" if connector.auth == (KEY,) else "Key, password or client secret",
            "password",
            secret,
            autocomplete="new-password",
        ),
        *(
            [Group(more, "OAuth 2", "fold", open=bool(request.form) or values.get("auth") == OAUTH)]
            if more
            else []
        ),
    ]
    cancel = f"{PLACE}/{found.name}" if found else PLACE
    return Form(items, values, "Save and test", cancel=cancel)
