"""The published JSON Schema of workflow files, open to everybody: it says nothing about this installation."""

from pathlib import Path

from flask import Blueprint, Response, request

blueprint = Blueprint("schema", __name__)
FILE = Path(__file__).parent.parent / "core" / "workflow.schema.json"


@blueprint.get("/schema/workflow.json")
def workflow() -> Response:
    """The schema as it is in the tree; 304 to who has it."""
    answer = Response(FILE.read_bytes(), mimetype="application/schema+json", headers={"Cache-Control": "public, max-age=3600"})
    answer.add_etag()
    answer.make_conditional(request)
    return answer
