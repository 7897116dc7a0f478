"""Asking an MCP server: which tools it has, and calling one. Over HTTP by the one way out, or as a program of its own under limits.

A session is opened for each question and closed after it. What a server offers to do with us (sampling, elicitation, roots) is not offered to it.
Everything that comes back is somebody else's text.
"""

import asyncio
import contextvars
import json
import logging
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from console.connectors import credentials
from console.connectors.connections import Connection
from console.core.errors import ConsoleError, IntegrationError, OutcomeUnknown
from console.core.mcp_tools import Tool
from console.core.plain_words import one_line
from console.formats import schema_fields
from console.infra.files.confined_process import confined_command
from console.infra.outbound import http_requests, net

if TYPE_CHECKING:
    from mcp import Client
    from mcp_types import Tool as OfferedTool

Answer = TypeVar("Answer")
LIST_S = 15.0
MOST_BYTES = 4 * 1024 * 1024
"""Of one answer over HTTP."""
MOST_KEPT = 32 * 1024
"""Bytes of a result that are kept."""
MOST_TOOLS, MOST_PAGES, LARGEST_SCHEMA = 200, 20, 32 * 1024
MEMORY, CPU_S, WRITES = 1024**3, 60, 64 * 1024 * 1024
"""Limits of a program: bytes that it holds, seconds of processor time, bytes of a file that it writes."""
REFUSALS = frozenset({-32602, -32601, -32600})
"""Codes of JSON-RPC by which a request was not carried out: its arguments, its method, or it itself."""
READABLE = frozenset({"application/json", "text/event-stream"})
CUT = "The beginning of a longer answer."
logging.getLogger("mcp").setLevel(logging.CRITICAL)  # it writes what servers send into the log


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool answered, at most 32 kB: an object where it gave one, else `{"text"}`; `cut` where it was longer. `refused`: the server said no."""

    values: Mapping[str, Any]
    refused: bool = False
    cut: bool = False


def offered_tools(connection: Connection) -> list[Tool]:
    """The tools that the server has now, in its order. Raises IntegrationError."""
    return _ask(connection, LIST_S, lambda client, _: _tools(client))


def call_tool(
    connection: Connection,
    name: str,
    given: Mapping[str, Any],
    require: Callable[[list[Tool]], None],
    seconds: float,
) -> Result:
    """What the tool answers; `require` is called before with the tools that the server has now, and may raise.

    Raises IntegrationError where nothing was done, OutcomeUnknown where nobody can tell.
    """

    async def call(client: "Client", exchange: "_Exchange") -> Result:
        require(await _tools(client))
        from mcp import MCPError

        exchange.called = True
        try:
            answer = await client.call_tool(name, dict(given), read_timeout_seconds=seconds)
        except MCPError as error:
            if error.error.code not in REFUSALS:
                raise
            return _result({"text": error.error.message}, refused=True)
        found = answer.structured_content
        values = found if isinstance(found, dict) else {"text": "\n".join(map(_text, answer.content))}
        return _result(values, refused=bool(answer.is_error))

    return _ask(connection, seconds, call)


@dataclass(slots=True)
class _Exchange:
    """How far an exchange has come: `called` once the tool may have been reached; `error` is ours, where the network made it."""

    connection: Connection
    seconds: float
    called: bool = False
    error: ConsoleError | None = None
    secrets: list[str] = field(default_factory=list)


def _ask(
    connection: Connection, seconds: float, work: Callable[["Client", _Exchange], Awaitable[Answer]]
) -> Answer:
    import anyio

    exchange, answers = _Exchange(connection, seconds), list[Answer]()

    async def within() -> None:
        with anyio.fail_after(seconds):
            async with _client(exchange) as client:
                answers.append(await work(client, exchange))

    try:
        _run(within)
    except Exception as error:
        if not answers:  # else the answer was there, and only closing did not go well
            raise _meaning(exchange, error) from error
    return answers[0]


def _run(within: Callable[[], Awaitable[None]]) -> None:
    """Do it in an event loop of its own: in this thread, or in another where this one has a loop that waits for us."""
    import anyio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        anyio.run(within)
    else:
        context = contextvars.copy_context()
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: context.run(lambda: anyio.run(within))).result()


def _meaning(exchange: _Exchange, error: BaseException) -> ConsoleError:
    """The error as ours: nothing was done unless the tool may have been reached."""
    from mcp import MCPError

    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    own = exchange.error or (error if isinstance(error, ConsoleError) else None)
    if own is not None:
        return own
    name = f"The MCP server {exchange.connection.name}"
    if exchange.called:
        return OutcomeUnknown(f"{name} gave no answer that can be read. Look there, then say what you found.")
    if isinstance(error, TimeoutError) or (isinstance(error, MCPError) and error.error.code == TIMED_OUT):
        return IntegrationError(
            f"{name} did not answer within {exchange.seconds:g} seconds.", code="unreachable"
        )
    if isinstance(error, MCPError) and error.error.code != CLOSED:
        return IntegrationError(f"{name} refuses: {one_line(error.error.message, 200)}", code="refused")
    return IntegrationError(
        f"{name} cannot be used: it ended, or does not speak the protocol.", code="unreachable"
    )


TIMED_OUT, CLOSED = -32001, -32000


def _client(exchange: _Exchange) -> "Client":
    """A client for one session. Raises IntegrationError."""
    import httpx2
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from mcp.client.streamable_http import streamable_http_client

    connection = exchange.connection
    if connection.url is not None:
        client = httpx2.AsyncClient(transport=_transport(exchange))
        return Client(streamable_http_client(connection.url, http_client=client), cache=None)
    program, *given = confined_command(
        connection.allowed_command(), memory=MEMORY, cpu_s=CPU_S, writes=WRITES
    )
    parameters = StdioServerParameters(command=program, args=given)
    started = stdio_client(parameters, errlog=subprocess.DEVNULL)  # type: ignore[arg-type]  # of a process it may be a number
    # The probe of the newer protocol would wait ten seconds for a program that does not know it.
    return Client(started, mode="legacy", read_timeout_seconds=exchange.seconds, cache=None)


def _transport(exchange: _Exchange) -> Any:
    """The transport of `httpx2` over the one way out. A stream of the server's own is not opened, and no redirect is followed."""
    import anyio.to_thread
    import httpx2

    class Transport(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            """The whole answer to one message."""
            if request.method == "GET":
                return httpx2.Response(405, request=request)
            body = await request.aread()
            try:
                answer = await anyio.to_thread.run_sync(
                    _send,
                    exchange,
                    request.method,
                    str(request.url),
                    body,
                    dict(request.headers),
                    abandon_on_cancel=True,
                )
            except ConsoleError as error:
                exchange.error = error
                raise httpx2.ConnectError(error.message) from error
            shown = {
                name: text
                for name, text in answer.headers.items()
                if name in ("content-type", "mcp-session-id")
            }
            return httpx2.Response(answer.status, headers=shown, content=answer.body, request=request)

    return Transport()


def _send(exchange: _Exchange, method: Any, url: str, body: bytes, headers: Mapping[str, str]) -> net.Answer:
    """One message. A token that was refused is renewed once; a body that is too long leaves open what was done."""
    own = {
        name: text
        for name, text in headers.items()
        if name in ("accept", "content-type") or name.startswith("mcp-")
    }
    name = f"The MCP server {exchange.connection.name}"
    for renewed in (False, True):
        credential, secrets = credentials.headers(exchange.connection, renewed=renewed)
        answer = net.send(method, url, body, own | credential, read_s=exchange.seconds, most_bytes=MOST_BYTES)
        if answer.status != 401 or exchange.connection.auth.get("kind") != "oauth":
            break
    if answer.status in (401, 403):
        raise IntegrationError(
            f"{name} refuses our key or token: an administrator sets it again.", permanent=True, code="auth"
        )
    if 300 <= answer.status < 400:
        raise IntegrationError(
            f"{name} is somewhere else now: register it by its new address.", permanent=True, code="moved"
        )
    if answer.status == 429:
        raise IntegrationError(f"{name} is busy; nothing was done.", code="busy", wait_s=answer.wait_s)
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    unreadable = answer.status >= 500 or (answer.good and kind not in READABLE)
    if len(answer.body) >= MOST_BYTES or (unreadable and b'"tools/call"' in body):
        raise OutcomeUnknown(
            f"{name} gave an answer that cannot be used. Look there, then say what you found."
        )
    return replace(answer, body=http_requests.without_secrets(answer.body, secrets))


async def _tools(client: "Client") -> list[Tool]:
    """What the server offers now; a tool whose schema is too large, no object of arguments or none at all is left out."""
    found: list[Tool] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += [tool for each in page.tools if (tool := _tool(each)) is not None]
        cursor = page.next_cursor
        if cursor is None or len(found) >= MOST_TOOLS:
            break
    return found[:MOST_TOOLS]


def _tool(told: "OfferedTool") -> Tool | None:
    schema = told.input_schema
    text = json.dumps(schema)
    if len(text) > LARGEST_SCHEMA or schema.get("type") != "object" or len(told.name) > 100:
        return None
    if not _is_schema(text):
        return None
    marks = told.annotations
    return Tool(
        told.name,
        schema,
        one_line(told.title or (marks.title if marks else None) or "", 100),
        (told.description or "")[:2000],
        reads=bool(marks is not None and marks.read_only_hint),
    )


@lru_cache(maxsize=1000)
def _is_schema(text: str) -> bool:
    """Whether a JSON text is a JSON Schema: some milliseconds for a tool, and each call asks for all of them."""
    try:
        schema_fields.require_schema(json.loads(text))
    except ValueError:
        return False
    return True


def _text(part: Any) -> str:
    """A part of a result as text; of what is no text, what it is."""
    if isinstance(text := getattr(part, "text", None), str):
        return text
    if isinstance(text := getattr(getattr(part, "resource", None), "text", None), str):
        return text
    kind = getattr(part, "mime_type", None) or getattr(part, "uri", None) or part.type
    return f"[{one_line(str(kind), 200)}]"


def _result(values: Mapping[str, Any], *, refused: bool) -> Result:
    """The result, cut to what is kept. Numbers with a fraction are told as text, as everywhere."""
    text = json.dumps(values, ensure_ascii=False)
    if len(text.encode()) > MOST_KEPT:
        whole = values["text"] if values.keys() == {"text"} else text
        return Result(
            {"text": whole.encode()[:MOST_KEPT].decode(errors="ignore"), "cut": CUT}, refused, cut=True
        )
    with suppress(ValueError, RecursionError):
        return Result(json.loads(text, parse_float=str, parse_constant=lambda _: None), refused)
    return Result({"text": text}, refused)
