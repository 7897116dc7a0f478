"""The JSON Schema of action files, generated from the model, for editors that complete and check them."""

import json
from typing import Any

from console.core.documents.action_document import Action
from console.core.documents.workflow_schema import DIALECT

TITLE = "An action of Handrail"


def schema() -> dict[str, Any]:
    """The schema of the newest document format."""
    json_schema = Action.model_json_schema(by_alias=True)
    shared = json_schema.pop("$defs")
    return {"$schema": DIALECT, **json_schema, "title": TITLE, "$defs": dict(sorted(shared.items()))}


def text() -> bytes:
    """The schema as the published file."""
    return (json.dumps(schema(), indent=2, ensure_ascii=False) + "\n").encode()
