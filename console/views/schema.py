"""The published JSON Schema of workflow files, open to everybody: it says nothing about this installation."""

from pathlib import Path

from flask import Blueprint, Response, send_file

blueprint = Blueprint("schema", __name__)
FILE = Path(__file__).parent.parent / "core" / "workflow.schema.json"


@blueprint.get("/schema/workflow.json")
def workflow() -> Response:
    """The schema as it is in the tree."""
    return send_file(FILE, mimetype="application/schema+json", max_age=3600)
