"""What administrators registered: MCP servers with the tools that they accepted, and connections of connectors. Without rights: callers judge."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from console.core.connectors import CONNECTORS
from console.core.errors import IntegrationError, NotFound
from console.core.mcp_tools import Tool
from console.infra import settings
from console.infra.db import tables
from console.infra.db.engine import read_rows, transaction
from console.infra.db.process_cache import ProcessCache
from console.infra.outbound import net

MCP = "mcp"
IN_SETTINGS = "settings"
"""How a connection signs in whose address and key are those of the settings."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A server: at a `url`, or a program that the settings allow. `kind` is `mcp`, or the id of a connector.

    `auth` is how it is shown who asks, `sealed` the secret of that. `offered` are the tools that it had at `checked_at`, `tools` those that were accepted.
    """

    name: str
    url: str | None
    command: tuple[str, ...]
    auth: Mapping[str, Any] = field(default_factory=dict)
    sealed: bytes | None = field(default=None, repr=False)
    offered: Mapping[str, Tool] = field(default_factory=dict)
    tools: Mapping[str, Tool] = field(default_factory=dict)
    problem: str = ""
    checked_at: datetime | None = None
    changed_by: str = ""
    changed_at: datetime | None = None
    kind: str = MCP

    @property
    def place(self) -> str:
        """Its address or its program, for people."""
        return self.url or " ".join(self.command)

    def allowed_command(self) -> tuple[str, ...]:
        """The program. Raises IntegrationError where the settings do not allow it any more."""
        if self.command not in settings.current().mcp_commands.values():
            raise IntegrationError(
                f"CONSOLE_MCP_COMMANDS does not name the program of {self.name}: tell who runs the console.",
                permanent=True,
                code="no_command",
            )
        return self.command


def held_in_sandbox(connection: Connection, *, reads: bool) -> bool:
    """Whether a call is not really made because the sandbox is on: one that changes something at an address outside, or by a program, which may go anywhere."""
    if reads or not settings.current().sandbox:
        return False
    address = urlsplit(connection.url or "")
    port = address.port or net.PORTS.get(address.scheme, 0)
    return address.hostname is None or not net.private(address.hostname, port)


def every() -> Mapping[str, Connection]:
    """Every MCP server by its name, in the order of names; at most a second old."""
    return {name: each for name, each in _connections.get().items() if each.kind == MCP}


def of_connectors() -> Mapping[str, Connection]:
    """Every connection of a connector by its name, in the order of names; at most a second old."""
    return {name: each for name, each in _connections.get().items() if each.kind != MCP}


def of_settings() -> list[Connection]:
    """The targets of `CONSOLE_HTTP_TARGETS` that no connection replaces, in the order of names."""
    replaced = of_connectors()
    targets = sorted(settings.current().http_targets.items())
    return [
        Connection(name, url, (), {"kind": IN_SETTINGS}, kind="rest")
        for name, url in targets
        if name not in replaced
    ]


def find_connection(name: str, connector: str | None = None) -> Connection:
    """The connection for the connector (None: for any), or what the settings name so. Raises IntegrationError with what to do."""
    found, url = of_connectors().get(name), settings.current().http_targets.get(name)
    if found is not None and connector in (None, found.kind):
        return found
    if found is None and url is not None:
        return Connection(name, url, (), {"kind": IN_SETTINGS}, kind=connector or "rest")
    title = f" for {CONNECTORS[connector].title}" if connector else ""
    raise IntegrationError(
        f"There is no connection {name[:64]}{title}: an administrator adds it under Settings, Connections, or it is done by hand.",
        permanent=True,
        code="no_connection",
    )


def find(name: str) -> Connection:
    """The server. Raises NotFound with what to do."""
    found = every().get(name)
    if found is None:
        raise NotFound(
            f"The MCP server {name[:64]} is not registered, or was removed: ask an administrator, or do it without the tool."
        )
    return found


def tool_of(server: str, tool: str) -> Tool:
    """The tool as it was accepted. Raises NotFound with what to do."""
    found = find(server).tools.get(tool)
    if found is None:
        raise NotFound(
            f"The tool {tool[:100]} of {server[:64]} is not accepted: an administrator does that under Settings, MCP servers."
        )
    return found


def note_offered(name: str, tools: Sequence[Tool], problem: str, at: datetime) -> None:
    """Keep what the server offers, or why that could not be learned."""
    _note(name, at, problem=problem, **({} if problem else {"offered": stored_tools(tools)}))


def note_tested(name: str, problem: str, at: datetime) -> None:
    """Keep what a test of the connection found; empty: it works."""
    _note(name, at, problem=problem)


def _note(name: str, at: datetime, **row: str) -> None:
    with transaction() as connection:
        table = tables.connection
        connection.execute(sa.update(table).where(table.c.name == name).values(checked_at=at, **row))
    forget()


def stored_tools(tools: Sequence[Tool]) -> str:
    """Tools as their column holds them."""
    return json.dumps([tool.to_json() for tool in tools])


def _tools(text: str) -> dict[str, Tool]:
    return {tool["name"]: Tool(**tool) for tool in json.loads(text)}


def _read(_: object) -> Mapping[str, Connection]:
    found = {}
    for row in read_rows(sa.select(tables.connection).order_by(tables.connection.c.name)):
        known = {**row._mapping, "offered": _tools(row.offered), "tools": _tools(row.tools)}
        address = known.pop("address")
        found[row.name] = Connection(
            url=address.get("url"), command=tuple(address.get("command") or ()), **known
        )
    return found


_connections = ProcessCache(_read)
forget = _connections.forget
