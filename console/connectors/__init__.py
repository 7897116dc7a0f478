"""Connectors: other systems that administrators registered, and how they are asked. Today MCP servers and their tools."""

from console.connectors.connections import (
    Connection,
    every,
    find,
    forget,
    note_offered,
    stored_tools,
    tool_of,
)
from console.connectors.mcp_client import Result, call_tool, offered_tools

OPEN_MODULES = frozenset({"credentials"})
