"""Workspace documents: model, canonical bytes, hash.

The same JSON document is used in `workspaces/*.json`, in the console's tables, by the builder and in exports.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from console.core.documents.collections.collection_document import Help, Label
from console.core.documents.document_parts import Slug, StoredDocument
from console.core.documents.workspaces.components import (
    Chart,
    Component,
    Divider,
    Link,
    Metric,
    Part,
    Section,
    Tabs,
    Text,
)

FORMAT = 1
Icon = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,60}$")]
FIGURES_ONLY = (Section, Tabs, Text, Link, Divider, Metric, Chart)


class Workspace(StoredDocument):
    """A page made of components, for the people of some teams."""

    format: Literal[1] = 1
    id: Slug = Field(description="Its name in the address: /w/<id>")
    title: Label
    help: Help | None = Field(None, description="One sentence: what it is for")
    icon: Icon = "layout-grid"
    teams: list[Annotated[str, StringConstraints(min_length=1, max_length=63)]] = Field(
        default_factory=list, max_length=50, description="Teams whose people see it; none: everybody"
    )
    components: list[Component] = Field(default_factory=list, max_length=60)

    @cached_property
    def every(self) -> tuple[Part, ...]:
        """All components, sections and tabs before what is in them."""
        return tuple(walk(self.components))

    @cached_property
    def dashboard(self) -> bool:
        """Whether it only shows figures: a dashboard is a workspace in which nothing is chosen."""
        return any(isinstance(item, (Metric, Chart)) for item in self.every) and all(
            isinstance(item, FIGURES_ONLY) for item in self.every
        )

    def component(self, component_id: str) -> Part | None:
        """The component of that id, or None."""
        return next((item for item in self.every if item.id == component_id), None)

    def to_json(self) -> dict[str, Any]:
        """The document without what is as it would be anyway."""
        made: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {
            "format": FORMAT,
            **made,  # `exclude_defaults` leaves out the type, which each component has by default: it is put back in front
            "components": _components(made.get("components", []), self.components),
        }


def walk(components: Sequence[Part]) -> Iterator[Part]:
    """The components and all that are in them."""
    for item in components:
        yield item
        yield from walk(inner_components(item))


def inner_components(item: Part) -> list[Part]:
    """The components in a section or in all tabs; none in others."""
    if isinstance(item, Section):
        return list(item.components)
    return [each for tab in item.tabs for each in tab.components] if isinstance(item, Tabs) else []


def read(document: bytes | str | Mapping[str, Any]) -> Workspace:
    """The document. Raises pydantic's ValidationError; `workspace_check.check` says all errors in words."""
    return Workspace.model_validate(document if isinstance(document, Mapping) else json.loads(document))


def _components(made: list[dict[str, Any]], of: Sequence[Any]) -> list[dict[str, Any]]:
    found = []
    for stored, item in zip(made, of, strict=True):
        named = {
            "id": stored["id"],
            "type": item.type,
            **{name: value for name, value in stored.items() if name not in ("id", "type")},
        }
        if isinstance(item, Section):
            named["components"] = _components(stored.get("components", []), item.components)
        if isinstance(item, Tabs):
            named["tabs"] = [
                {**each, "components": _components(each.get("components", []), tab.components)}
                for each, tab in zip(stored["tabs"], item.tabs, strict=True)
            ]
        found.append(named)
    return found
