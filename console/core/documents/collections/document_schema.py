"""The JSON Schema of files of collections, for editors that complete and check them; made from the model, never written by hand."""

import json
from typing import Any

from console.core.documents.collections.collection_document import CollectionDocument
from console.core.documents.workflow_schema import DIALECT

TITLE = "A collection of Handrail"


def schema() -> dict[str, Any]:
    """The schema of a document in the newest format."""
    made = CollectionDocument.model_json_schema(by_alias=True)
    shared = made.pop("$defs")
    return {"$schema": DIALECT, **made, "title": TITLE, "$defs": dict(sorted(shared.items()))}


def text() -> bytes:
    """The schema as the published file."""
    return (json.dumps(schema(), indent=2, ensure_ascii=False) + "\n").encode()
