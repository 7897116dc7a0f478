"""The JSON Schema of workspace files, generated from the model, for editors that complete and check them."""

import json
from typing import Any

from console.core.documents.workflow_schema import DIALECT
from console.core.documents.workspaces.workspace_document import Workspace

TITLE = "A workspace of Handrail"


def schema() -> dict[str, Any]:
    """The schema of the newest document format."""
    made = Workspace.model_json_schema(by_alias=True)
    shared = made.pop("$defs")
    return {"$schema": DIALECT, **made, "title": TITLE, "$defs": dict(sorted(shared.items()))}


def text() -> bytes:
    """The schema as the published file."""
    return (json.dumps(schema(), indent=2, ensure_ascii=False) + "\n").encode()
