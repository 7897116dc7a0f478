"""The JSON Schemas of workflow, action, collection and workspace files. They are public, because they contain nothing about this installation."""

from pathlib import Path

from flask import Blueprint, Response, request

blueprint = Blueprint("schema", __name__)
FOLDER = Path(__file__).parent.parent / "core"


@blueprint.get("/schema/workflow.json")
def workflow() -> Response:
    """Return the schema of workflow files; 304 if the client has it."""
    return _file("workflow")


@blueprint.get("/schema/action.json")
def action() -> Response:
    """Return the schema of action files; 304 if the client has it."""
    return _file("action")


@blueprint.get("/schema/collection.json")
def collection() -> Response:
    """Return the schema of collection files; 304 if the client has it."""
    return _file("collection")


@blueprint.get("/schema/workspace.json")
def workspace() -> Response:
    """Return the schema of workspace files; 304 if the client has it."""
    return _file("workspace")


def _file(name: str) -> Response:
    """Return a schema file of the package."""
    body = (FOLDER / f"{name}.schema.json").read_bytes()
    answer = Response(body, mimetype="application/schema+json", headers={"Cache-Control": "public, max-age=3600"})
    answer.add_etag()
    answer.make_conditional(request)
    return answer
