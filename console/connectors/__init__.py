"""Connectors: other systems that administrators registered, and how they are asked: MCP servers and their tools, and systems with a connector's file."""

from console.connectors.connections import (
    MCP,
    Connection,
    every,
    find,
    find_connection,
    forget,
    held_in_sandbox,
    note_offered,
    note_tested,
    of_connectors,
    of_settings,
    stored_tools,
    tool_of,
)
from console.connectors.http_client import send, test
from console.connectors.mcp_client import Result, call_tool, offered_tools

OPEN_MODULES = frozenset({"credentials"})
