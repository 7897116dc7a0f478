"""The JSON Schemas of workflow, action, collection and workspace files. They contain nothing about this installation."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from console import steps
from console.core.documents import workflow_schema
from console.core.documents.action_document import Action
from console.core.documents.collections.collection_document import CollectionDocument
from console.core.documents.document_parts import as_file, schema_of
from console.core.documents.workspaces import Workspace

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "workflow": lambda: workflow_schema.schema(steps.all_types()),
    "action": lambda: schema_of(Action),
    "collection": lambda: schema_of(CollectionDocument),
    "workspace": lambda: schema_of(Workspace),
}
"""What makes the schema of each kind of file, by name."""


@functools.cache
def schema_file(name: str) -> bytes:
    """The JSON Schema of a kind of file, as the bytes of its file. Raises KeyError for a name that `SCHEMAS` lacks."""
    return as_file(SCHEMAS[name]())
