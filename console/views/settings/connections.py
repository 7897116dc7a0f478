"""`/settings/mcp`: the MCP servers whose tools steps may call: registered, asked what they offer, and accepted tool by tool."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, request

from console.actions import connection_settings
from console.actions.connection_settings import KEY, OAUTH
from console.connectors import Connection
from console.core.mcp_tools import Tool, changes, properties, required
from console.infra import settings
from console.views import frame
from console.views.forms import Cell, Field, Form, Group, Table
from console.views.frame import Badge
from console.views.settings import area

blueprint = Blueprint("connections", __name__, url_prefix="/settings/mcp")
ANSWERS = Badge("Answers", "good", "check")
SILENT = Badge("Cannot be asked", "bad", "alert-triangle")
NEW, ACCEPTED = Badge("Not accepted", "", "circle-dashed"), Badge("Accepted", "good", "check")
CHANGED, GONE = Badge("Changed", "warn", "alert-triangle"), Badge("Gone", "bad", "x")


@dataclass(frozen=True, slots=True)
class Line:
    """A tool on the page of its server: as it is offered, else as it was accepted. `takes` are its arguments in words, `changed` what changed since."""

    tool: Tool
    badge: Badge
    accepted: bool
    reads: bool
    described: bool
    takes: str
    changed: tuple[str, ...]


@blueprint.get("")
def show() -> Response:
    """Show every server."""
    lines = [
        (
            Cell(each.name, _url(each.name), note=each.place, css="breaks"),
            Cell(badge=SILENT if each.problem else ANSWERS, note=each.problem),
            f"{len(each.tools)} of {len(each.offered)}",
            Cell(badge=CHANGED) if any(line.changed for line in _lines(each)) else "",
        )
        for each in connection_settings.list_connections(frame.actor())
    ]
    servers = Table("MCP servers", ("Server", "State", "Tools accepted", "To look at"), lines)
    return area.page("settings/connections.html", "mcp", {"servers": servers})


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    """Show the form for a server; a POST registers it and asks what it offers."""
    connection_settings.list_connections(frame.actor())
    form = _form({"auth": ""})
    return form.submit_to(_register) or area.form_page("mcp", form, "Register a server")


@blueprint.get("/<name>")
def show_one(name: str) -> Response:
    """Show a server with the tools that it offers."""
    found = connection_settings.connection(frame.actor(), name)
    context = {"server": found, "lines": _lines(found), "badge_of": SILENT if found.problem else ANSWERS}
    return area.page("settings/connection.html", "mcp", context, heading=name)


@blueprint.route("/<name>/change", methods=["GET", "POST"])
def change(name: str) -> Response:
    """Show the form of a server; a POST saves it and asks it anew."""
    found = connection_settings.connection(frame.actor(), name)
    held = {
        "name": name,
        "url": found.url or "",
        "command": _program(found),
        "auth": found.auth.get("kind", ""),
    }
    form = _form({**found.auth, **held, "header": found.auth.get("header") or ""}, found)
    return form.submit_to(_register) or area.form_page("mcp", form, "Change", [(_url(name), name)])


@blueprint.post("/<name>/ask")
def ask(name: str) -> Response:
    """Ask a server which tools it has now."""
    connection_settings.ask(frame.actor(), name)
    return frame.redirect_to(_url(name))


@blueprint.post("/<name>/tools")
def accept(name: str) -> Response:
    """Accept the tools that are ticked, and no others."""
    sent = {part: request.form.getlist(part) for part in ("tools", "reads", "described")}
    seen = dict(zip(request.form.getlist("shown"), request.form.getlist("hash"), strict=False))
    connection_settings.accept(frame.actor(), name, seen=seen, **sent)
    flash("Saved")
    return frame.redirect_to(_url(name))


@blueprint.post("/<name>/remove")
def remove(name: str) -> Response:
    """Remove a server."""
    connection_settings.remove(frame.actor(), name)
    flash("The server is removed")
    return frame.redirect_to("/settings/mcp")


def _register(sent: dict[str, Any]) -> Response:
    named = {name: sent[name] for name in ("header", "client_id", "token_url", "scope") if sent[name]}
    found = connection_settings.register(
        frame.actor(),
        sent["name"],
        url=sent["url"] or None,
        command=settings.current().mcp_commands.get(sent["command"], ()),
        auth={"kind": sent["auth"], **named} if sent["auth"] else None,
        secret=sent["secret"].strip(),
    )
    flash("Saved" if found.problem else f"{found.name} answers: accept the tools that steps may call")
    return frame.redirect_to(_url(found.name))


def _lines(found: Connection) -> list[Line]:
    """The tools that the server offers, then those that were accepted and are gone."""
    gone = [tool for name, tool in found.tools.items() if name not in found.offered]
    return [_line(found, tool) for tool in (*found.offered.values(), *gone)]


def _line(found: Connection, tool: Tool) -> Line:
    accepted = found.tools.get(tool.name)
    gone = tool.name not in found.offered
    changed = (
        ["It is gone"] if gone else changes(accepted.schema, tool.schema) if accepted is not None else []
    )
    badge = GONE if gone else CHANGED if changed else ACCEPTED if accepted is not None else NEW
    needed = required(tool.schema)
    takes = ", ".join(name if name in needed else f"{name} (optional)" for name in properties(tool.schema))
    ticked = accepted is not None and not gone
    reads, described = (accepted.reads, accepted.described) if accepted is not None else (False, False)
    return Line(tool, badge, ticked, reads, described, takes or "nothing", tuple(changed))


def _form(values: Mapping[str, Any], found: Connection | None = None) -> Form:
    programs = [("", "None: it has an address"), *((name, name) for name in settings.current().mcp_commands)]
    more = [
        Field("header", "Header of the key", hint="Without it: Authorization: Bearer …"),
        Field("client_id", "Client ID", more={"spellcheck": "false"}),
        Field("token_url", "Token address", "url", "Such as https://auth.example/token."),
        Field("scope", "Scopes", hint="With blanks between."),
    ]
    kept = found is not None and found.sealed is not None
    secret = "Leave it empty to keep it." if kept else "It is sealed, and cannot be read again."
    items = [
        Field(
            "name",
            "Name",
            "hidden" if found else "text",
            "Small letters, digits and _: what steps call it.",
            required=True,
        ),
        Field(
            "url",
            "Address",
            "url",
            "Of a server over HTTP, such as https://mcp.example/mcp.",
            max_length=1000,
        ),
        Field(
            "command",
            "Program",
            "select",
            "Or one that CONSOLE_MCP_COMMANDS allows: it runs here, under limits.",
            programs,
        ),
        Field(
            "auth",
            "Authentication",
            "select",
            choices=[("", "None"), (KEY, "Key"), (OAUTH, "OAuth 2 client credentials")],
        ),
        Field("secret", "Key or client secret", "password", secret, autocomplete="new-password"),
        Group(more, "Header, OAuth 2", "fold", open=bool(request.form or values.get("auth"))),
    ]
    return Form(items, values, "Save and ask", cancel=_url(found.name) if found else "/settings/mcp")


def _program(found: Connection) -> str:
    return next(
        (name for name, command in settings.current().mcp_commands.items() if command == found.command), ""
    )


def _url(name: str) -> str:
    return f"/settings/mcp/{name}"
