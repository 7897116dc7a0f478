"""Workspaces as the API answers them."""

from pydantic import Field

from console.views.api.shapes.base import Anything, Open, Shape


class WorkspaceHead(Shape):
    """A workspace as one of a list. `dashboard`: it shows only figures."""

    id: str
    title: str
    help: str | None
    teams: list[str] = Field(description="Teams whose people see it; none: everybody")
    dashboard: bool


class WorkspaceDocument(Open):
    """The document of a workspace, as in its file; `/schema/workspace.json` is its whole schema."""

    format: int
    id: str
    title: str
    components: list[dict[str, Anything]]
