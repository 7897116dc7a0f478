"""MCP servers whose tools steps may call, as JSON: registered with their tools, listed and removed."""

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.actions import connection_settings
from console.connectors import Connection
from console.log import body as canonical
from console.views.api import idempotency
from console.views.api.operation import Done, Example, Paged, Sent, operation, page_of, read
from console.views.api.shapes import Listed, McpServer

blueprint = Blueprint("api_mcp_servers", __name__, url_prefix="/api/v1/mcp-servers")


class NewMcpServer(Sent):
    """A server: at a `url`, or a program that CONSOLE_MCP_COMMANDS names."""

    name: str = Field(description="Small letters, digits and _: what steps call it")
    url: str | None = Field(None, max_length=1000, description="Its address, such as https://mcp.example/mcp")
    command: list[str] = Field(
        default_factory=list, description="The program with its arguments, as the setting has it"
    )
    auth: dict[str, str] | None = Field(
        None,
        description='{"kind": "key", "header"} or {"kind": "oauth", "client_id", "token_url", "scope"}; none: nothing is shown',
    )
    secret: str = Field("", description="The key, or the client secret; no call returns it")
    tools: list[str] | None = Field(
        None, description="Those that steps may call; none: all that it offers now, as they are now"
    )
    reads: list[str] = Field(default_factory=list, description="Those of them that change nothing")


def _shown(server: Connection) -> dict[str, Any]:
    tools = [
        {"name": tool.name, "hash": tool.hash, "schema": dict(tool.form), "reads": tool.reads}
        for tool in server.tools.values()
    ]
    return {
        "name": server.name,
        "url": server.url,
        "command": list(server.command),
        "problem": server.problem or None,
        "checked_at": canonical.moment(server.checked_at) if server.checked_at else None,
        "offered": list(server.offered),
        "tools": tools,
    }


def _made(done: Done) -> dict[str, Any]:
    """Return the server as it is now."""
    if done.made is None:
        raise idempotency.lost("The server", "the list of MCP servers")
    return _shown(connection_settings.connection(g.actor, done.made))


@blueprint.get("")
@operation("listMcpServers", "source.manage", Listed[McpServer], query=Paged, refuses=(403,))
def every() -> ResponseReturnValue:
    """Every MCP server by name, with the tools that steps may call."""
    return page_of([_shown(each) for each in connection_settings.list_connections(g.actor)], "name")


@blueprint.post("")
@operation(
    "registerMcpServer",
    "source.manage",
    {201: McpServer},
    body=NewMcpServer,
    again=_made,
    example=Example(body={"name": "files", "url": "https://mcp.example/mcp", "tools": ["read_file"]}),
)
def register() -> ResponseReturnValue:
    """Register a server, or change where it is, ask which tools it has, and accept these. What could not be learned is its `problem`."""
    sent = read(NewMcpServer)
    found = connection_settings.register(
        g.actor, sent.name, url=sent.url, command=sent.command, auth=sent.auth, secret=sent.secret
    )
    if not found.problem:
        wanted = list(found.offered) if sent.tools is None else sent.tools
        connection_settings.accept(g.actor, sent.name, wanted, reads=sent.reads)
    idempotency.name_result(sent.name)
    return _shown(connection_settings.connection(g.actor, sent.name)), 201


@blueprint.delete("/<server>")
@operation("removeMcpServer", "source.manage", {204: None}, example=Example({"server": "files"}))
def remove(server: str) -> ResponseReturnValue:
    """Remove a server. Steps that call its tools say so, and are done by hand."""
    connection_settings.remove(g.actor, server)
    return "", 204
