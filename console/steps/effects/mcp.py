"""Call a tool of an MCP server, if it is still the one that an administrator accepted. The server cannot be asked later what it did.

In the sandbox (CONSOLE_SANDBOX) only tools are called that change nothing, or whose server is in one's own network.
"""

from console import connectors, log
from console.auth import access, notify
from console.connectors import Connection
from console.core.effect_kinds import ALONE, Mcp
from console.core.errors import IntegrationError, Invalid, NotAllowed, OutcomeUnknown
from console.core.mcp_tools import Tool, changes
from console.core.plain_words import one_line
from console.formats import schema_fields
from console.steps.effects.effect_call import Call, TryResult, not_really_asked

UNKNOWN = "It was interrupted, and nobody can tell whether {tool} was done. Look at {server}, then say what you found."


def perform(call: Call) -> TryResult:
    """Call it. Raises IntegrationError where nothing was done, OutcomeUnknown where nobody can tell, NotFound for what is not accepted any more."""
    define: Mcp = call.define
    connection, tool = connectors.find(define.server), connectors.tool_of(define.server, define.tool)
    if call.effect.request.get(ALONE) and not tool.reads:
        raise NotAllowed(
            f"No administrator has said that {tool.name} changes nothing: look at it, and press Execute."
        )
    given = schema_fields.arguments(tool.schema, call.values(define.arguments))
    if details := schema_fields.errors(tool.schema, given):
        raise Invalid(f"{tool.name} does not take this.", details=details)
    sent = {"server": define.server, "tool": tool.name, "arguments": given}
    if connectors.held_in_sandbox(connection, reads=tool.reads):
        return not_really_asked(call, dict.fromkeys(define.result), sent)
    try:
        result = connectors.call_tool(
            connection,
            tool.name,
            given,
            lambda offered: _require_same(connection, tool, offered),
            define.timeout_s,
        )
    except OutcomeUnknown as error:
        status = "failed" if tool.reads else "unknown"  # to have read changes nothing
        return TryResult(status, error.code, error.message, sent=sent, passing=tool.reads)
    if result.refused:
        words = one_line(str(result.values.get("text") or ""), 300)
        return TryResult("failed", "refused", words or f"{define.server} refused it.", sent=sent)
    values = call.values(define.result, answer=result.values) if define.result else result.values
    return TryResult("succeeded", values=values, sent=sent)


def recover(call: Call) -> TryResult:
    """A tool that only reads is called again. What another did nobody can tell."""
    define: Mcp = call.define
    if connectors.tool_of(define.server, define.tool).reads:
        return perform(call)
    return TryResult("unknown", "connection", UNKNOWN.format(tool=define.tool, server=define.server))


def check(call: Call) -> TryResult | None:
    """Nothing: the protocol has no question for it."""
    return None


def _require_same(connection: Connection, tool: Tool, offered: list[Tool]) -> None:
    """Raise IntegrationError if the server has another tool of this name now, or none, and tell administrators once."""
    now = next((each for each in offered if each.name == tool.name), None)
    if now is not None and now.hash == tool.hash:
        return
    what = "; ".join(changes(tool.schema, now.schema)) if now is not None else "it is gone"
    connectors.note_offered(connection.name, offered, "", log.now())
    key = f"mcp_tool_changed|{connection.name}|{tool.name}|{now.hash if now is not None else ''}"
    notify.notify(
        sorted(access.holders("admin")), "mcp_tool_changed", key, link=f"/settings/mcp/{connection.name}"
    )
    raise IntegrationError(
        f"The tool {tool.name} of {connection.name} has changed: {one_line(what, 500)}. Nothing was done. "
        "An administrator looks at it under Settings, MCP servers; until then, do it without the tool.",
        permanent=True,
        code="tool_changed",
    )
