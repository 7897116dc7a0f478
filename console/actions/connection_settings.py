"""What administrators register: MCP servers with the tools that steps may call, and connections of connectors; where each is, and who asks."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from console import connectors, log
from console.actions.secret_settings import NAME, SHORTEST, require_manager
from console.connectors import MCP, Connection, credentials
from console.core.actor import Actor
from console.core.connectors import CONNECTORS
from console.core.errors import Conflict, IntegrationError, Invalid, NotFound, OutcomeUnknown
from console.core.mcp_tools import DONE_BY, properties
from console.infra import settings
from console.infra.db import tables
from console.infra.db.engine import transaction
from console.infra.outbound import net

table = tables.connection
KEY, BASIC, OAUTH = "key", "basic", "oauth"
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")


def list_connections(actor: Actor) -> list[Connection]:
    """Every server by name. Raises NotAllowed."""
    require_manager(actor)
    return list(connectors.every().values())


def connection(actor: Actor, name: str) -> Connection:
    """The server. Raises NotAllowed, NotFound."""
    require_manager(actor)
    return connectors.find(name)


def register(
    actor: Actor,
    name: str,
    *,
    url: str | None = None,
    command: Collection[str] = (),
    auth: Mapping[str, Any] | None = None,
    secret: str = "",
) -> Connection:
    """Register a server, or change where it is and who asks; its tools stay accepted. Then ask which tools it has.

    `auth`: `{"kind": "key", "header"}` or `{"kind": "oauth", "client_id", "token_url", "scope"}`; without a `secret` the one that is there stays, if the
    address does. Raises NotAllowed, and Invalid with a detail per field.
    """
    require_manager(actor)
    found = Connection(name, url or None, tuple(command), dict(auth or {}))
    _save(actor, found, secret, [*_wrong_address(name, url, command), *_wrong_auth(found.auth, (KEY, OAUTH))])
    return ask(actor, name)


def connect(
    actor: Actor, name: str, connector: str, *, url: str, auth: Mapping[str, Any], secret: str = ""
) -> Connection:
    """Add a connection of a connector, or change where it is and who asks; then test it.

    `auth` as of a server, or `{"kind": "basic", "user"}`; without a `secret` the one that is there stays, if the address does. Raises NotAllowed, and
    Invalid with a detail per field.
    """
    require_manager(actor)
    known = CONNECTORS.get(connector)
    if known is None:
        raise Invalid("Nothing was saved.", at=("connector", f"One of: {', '.join(CONNECTORS)}."))
    auth = dict(auth) or {"kind": known.auth[0]}
    found = Connection(name, url.rstrip("/"), (), auth, kind=connector)
    _save(actor, found, secret, [*_wrong_address(name, url, ()), *_wrong_auth(auth, known.auth)])
    return test(actor, name)


def list_connections_of_connectors(actor: Actor) -> list[Connection]:
    """Every connection of a connector by name. Raises NotAllowed."""
    require_manager(actor)
    return list(connectors.of_connectors().values())


def list_connections_of_settings(actor: Actor) -> list[Connection]:
    """Every other system that the settings name, by name. Raises NotAllowed."""
    require_manager(actor)
    return connectors.of_settings()


def connection_of_connector(actor: Actor, name: str) -> Connection:
    """The connection. Raises NotAllowed, NotFound."""
    require_manager(actor)
    found = connectors.of_connectors().get(name)
    if found is None:
        raise NotFound(f"There is no connection {name[:64]}.")
    return found


def test(actor: Actor, name: str) -> Connection:
    """Make the test call of a connection, and keep what came of it. Raises NotAllowed, NotFound."""
    connectors.note_tested(name, connectors.test(connection_of_connector(actor, name)), log.now())
    return connection_of_connector(actor, name)


def _save(actor: Actor, made: Connection, secret: str, details: list[dict[str, str]]) -> None:
    """Write the row and note it in the log. Raises Invalid with a detail per field, those of the caller first."""
    name, url, command, auth = made.name, made.url, made.command, dict(made.auth)
    former = {**connectors.every(), **connectors.of_connectors()}.get(name)
    if former is not None and former.kind != made.kind:
        details.append({"field": "name", "reason": "There is something else of this name: choose another."})
    address = {"url": url} if url else {"command": list(command)}
    moved = former is not None and (former.url != (url or None) or former.auth != auth)
    if auth and not secret and (former is None or former.sealed is None or moved):
        details.append(
            {"field": "secret", "reason": "Write the key or secret: it is sealed, and not shown again."}
        )
    elif secret and not (secret.isascii() and secret.isprintable() and len(secret) >= SHORTEST):
        details.append({"field": "secret", "reason": f"At least {SHORTEST} plain characters without blanks."})
    if details:
        raise Invalid(f"Nothing was saved: {details[0]['reason']}", details=details)
    row: dict[str, Any] = {
        "kind": made.kind,
        "address": address,
        "auth": auth,
        "changed_by": actor.id,
        "changed_at": log.now(),
    }
    row |= {"sealed": credentials.seal(name, secret)} if secret else {"sealed": None} if not auth else {}
    with transaction() as session:
        if former is None:
            session.execute(sa.insert(table).values(name=name, **row))
        else:
            session.execute(sa.update(table).where(table.c.name == name).values(**row))
        place = urlsplit(url).netloc if url else next(iter(command))
        told = {"name": name, "place": place, "fields": ["address", *(["secret"] if secret else [])]}
        log.note(actor, "connection_changed", open=told, chain="sys:config", connection=session)
    connectors.forget()


def ask(actor: Actor, name: str) -> Connection:
    """Ask the server which tools it has, and keep the answer, or why there is none. Raises NotAllowed, NotFound."""
    found = connection(actor, name)
    try:
        tools, problem = connectors.offered_tools(found), ""
    except (IntegrationError, OutcomeUnknown) as error:
        tools, problem = [], error.message
    connectors.note_offered(name, tools, problem, log.now())
    return connectors.find(name)


def accept(
    actor: Actor,
    name: str,
    tools: Collection[str],
    *,
    reads: Collection[str] = (),
    described: Collection[str] = (),
    seen: Mapping[str, str] | None = None,
) -> None:
    """Let steps call these of the tools that the server offered last, and no others. `reads`: those that change nothing; `described`: whose texts are told on.

    `seen`: tool → hash of the schema that was shown. Raises NotAllowed, NotFound, Conflict for a tool that changed since, Invalid for one that is not there.
    """
    found = connection(actor, name)
    chosen = []
    for tool in tools:
        offered = found.offered.get(tool)
        if offered is None:
            raise Invalid(
                "Nothing was accepted.", at=("tools", f"{tool[:100]} is not among the tools of {name}.")
            )
        if seen is not None and seen.get(tool) != offered.hash:
            raise Conflict(f"{tool} has changed since you looked at it: look at it once more.", code="moved")
        if DONE_BY in properties(offered.schema):
            raise Invalid(
                "Nothing was accepted.",
                at=("tools", f"{tool}: its argument {DONE_BY} has the name of our own."),
            )
        chosen.append(replace(offered, reads=tool in reads, described=tool in described))
    with transaction() as session:
        session.execute(
            sa.update(table)
            .where(table.c.name == name)
            .values(tools=connectors.stored_tools(chosen), changed_by=actor.id, changed_at=log.now())
        )
        told = {"name": name, "fields": ["tools"], "tools": {tool.name: tool.hash for tool in chosen}}
        log.note(actor, "connection_changed", open=told, chain="sys:config", connection=session)
    connectors.forget()


def remove(actor: Actor, name: str, *, connector: bool = False) -> None:
    """Remove a server, or a connection of a connector. Steps that name it say so, and are done by hand. Raises NotAllowed, NotFound."""
    require_manager(actor)
    with transaction() as session:
        own = table.c.kind != MCP if connector else table.c.kind == MCP
        if not session.execute(sa.delete(table).where(table.c.name == name, own)).rowcount:
            raise NotFound
        log.note(actor, "connection_removed", open={"name": name}, chain="sys:config", connection=session)
    connectors.forget()


def _wrong_address(name: str, url: str | None, command: Collection[str]) -> list[dict[str, str]]:
    details = []
    if not NAME.fullmatch(name):
        details.append(
            {
                "field": "name",
                "reason": "A name begins with a small letter and has small letters, digits and _ only, at most 64.",
            }
        )
    if bool(url) == bool(command):
        details.append(
            {
                "field": "url",
                "reason": "Say where it is: its address, or one of the programs of CONSOLE_MCP_COMMANDS.",
            }
        )
    elif url and (reason := _wrong_url(url)):
        details.append({"field": "url", "reason": reason})
    elif command and tuple(command) not in settings.current().mcp_commands.values():
        details.append(
            {
                "field": "command",
                "reason": "CONSOLE_MCP_COMMANDS does not name this program: who runs the console adds it there.",
            }
        )
    return details


def _wrong_auth(auth: Mapping[str, Any], kinds: Collection[str]) -> list[dict[str, str]]:
    details = []
    if auth and auth.get("kind") not in kinds:
        details.append({"field": "auth", "reason": f"One of: {', '.join(kinds)}."})
    elif auth.get("kind") == BASIC:
        if not (user := str(auth.get("user") or "")).isprintable() or not user or ":" in user:
            details.append({"field": "user", "reason": "Write the user that goes with the password."})
    elif auth.get("kind") == OAUTH:
        if not auth.get("client_id"):
            details.append(
                {"field": "client_id", "reason": "Write the client id that its authorization server gave."}
            )
        if reason := _wrong_url(str(auth.get("token_url") or "")):
            details.append({"field": "token_url", "reason": reason})
    elif auth.get("kind") == KEY and auth.get("header") and not _HEADER.fullmatch(str(auth["header"])):
        details.append({"field": "header", "reason": "This is no name of a header, such as X-Api-Key."})
    return details


def _wrong_url(url: str) -> str:
    """Why nothing could be asked there; empty where it could."""
    try:
        net.judge(url)
    except IntegrationError as error:
        return error.message
    return ""
