"""Workflows and their versions."""

from typing import Literal

from pydantic import Field

from console.views.api.shapes.base import Anything, Moment, Open, Shape


class Workflow(Shape):
    """A workflow. `version` is the number of the version that runs start with, null where none was published."""

    id: str
    organization_id: str
    slug: str
    title: str
    description: str
    status: Literal["draft", "active", "paused", "completed", "cancelled"]
    team: str | None
    collection: str | None
    version: int | None
    created_at: Moment
    updated_at: Moment


class Definition(Open):
    """The document of a workflow, as in its file; `/schema/workflow.json` is its whole schema."""

    format: int
    slug: str
    title: str
    steps: list[dict[str, Anything]]


class VersionHead(Shape):
    """A published version as one of a list."""

    number: int
    hash: str = Field(description="SHA-256 of its canonical bytes")
    published_at: Moment
    published_by: str
    live: bool


class VersionWhole(VersionHead):
    """A published version with its document."""

    definition: Definition
