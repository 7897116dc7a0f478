"""The published JSON Schemas of workflow, action and collection files, open to everybody: they say nothing about this installation."""

from pathlib import Path

from flask import Blueprint, Response, request

blueprint = Blueprint("schema", __name__)
FOLDER = Path(__file__).parent.parent / "core"


@blueprint.get("/schema/workflow.json")
def workflow() -> Response:
    """The schema of workflow files; 304 to who has it."""
    return _file("workflow")


@blueprint.get("/schema/action.json")
def action() -> Response:
    """The schema of action files; 304 to who has it."""
    return _file("action")


@blueprint.get("/schema/collection.json")
def collection() -> Response:
    """The schema of files of collections; 304 to who has it."""
    return _file("collection")


def _file(name: str) -> Response:
    """A schema as it is in the tree."""
    body = (FOLDER / f"{name}.schema.json").read_bytes()
    answer = Response(body, mimetype="application/schema+json", headers={"Cache-Control": "public, max-age=3600"})
    answer.add_etag()
    answer.make_conditional(request)
    return answer
