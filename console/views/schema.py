"""The JSON Schemas of workflow, action, collection and workspace files. They are public, because they contain nothing about this installation."""

from flask import Blueprint, Response, abort, request

from console.workflows.file_schemas import SCHEMAS, schema_file

blueprint = Blueprint("schema", __name__)


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
