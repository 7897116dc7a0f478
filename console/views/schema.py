"""The JSON Schemas of workflow, action, collection and workspace files. They are public, because they contain nothing about this installation."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, abort, request

from console import steps
from console.core.documents import workflow_schema
from console.core.documents.action_document import Action
from console.core.documents.collections.collection_document import CollectionDocument
from console.core.documents.document_parts import as_file, schema_of
from console.core.documents.workspaces import Workspace

blueprint = Blueprint("schema", __name__)

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


@blueprint.get("/schema/<name>.json")
def schema(name: str) -> Response:
    """Return the schema of a kind of file; 304 if the client has it."""
    if name not in SCHEMAS:
        abort(404)
    answer = Response(
        schema_file(name),
        mimetype="application/schema+json",
        headers={"Cache-Control": "public, max-age=3600"},
    )
    answer.add_etag()
    answer.make_conditional(request)
    return answer
