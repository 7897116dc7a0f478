"""Call a tool of an MCP server."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from console.core.documents.document_parts import Name
from console.core.documents.fields import Computed
from console.core.effect_kinds.base import Kind, Placed, in_rules
from console.core.effect_kinds.http import LONGEST_S

ALONE = "alone"
"""In a request: no person pressed Execute."""
ArgumentName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
ToolName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Mcp(Kind):
    """Call a tool that an administrator accepted. No answer in time is unknown, and is not tried again unless the tool only reads."""

    deed = "call of a tool"
    kind: Literal["mcp"]
    server: Name = Field(description="The MCP server, by the name that it is registered under")
    tool: ToolName
    arguments: dict[ArgumentName, Computed] = Field(
        default_factory=dict, max_length=60, description="Argument of the tool to expression"
    )
    result: dict[Name, str] = Field(
        default_factory=dict,
        max_length=40,
        description="Name to expression over `answer`, what the tool answered; none: the answer itself",
    )
    timeout_s: int = Field(10, ge=1, le=LONGEST_S, description="Seconds to wait for an answer")

    def texts(self) -> Iterator[Placed]:
        """What is sent, and what is made of the answer."""
        yield from in_rules("arguments", self.arguments)
        yield from in_rules("result", self.result)

    def names(self) -> Iterator[str]:
        """The tool and what it is given."""
        yield self.tool
        yield from self.arguments

    @property
    def goes_to(self) -> str:
        """The server."""
        return self.server

    @property
    def request(self) -> str:
        """The tool."""
        return self.tool
