"""Workspaces as JSON: which there are, and their documents. What they show is read through collections and records."""

from flask import Blueprint, g
from flask.typing import ResponseReturnValue

from console import workspaces
from console.views.api.operation import Paged, operation, page_of
from console.views.api.shapes import Listed, WorkspaceDocument, WorkspaceHead

blueprint = Blueprint("api_workspaces", __name__, url_prefix="/api/v1")


@blueprint.get("/workspaces")
@operation("listWorkspaces", "own", Listed[WorkspaceHead], query=Paged)
def list_workspaces() -> ResponseReturnValue:
    """Every published workspace that the caller sees, by title."""
    heads = [
        {
            "id": each.id,
            "title": each.title,
            "help": each.help,
            "teams": each.teams,
            "dashboard": each.dashboard,
        }
        for each in workspaces.workspaces_of(g.actor)
    ]
    return page_of(heads)


@blueprint.get("/workspaces/<slug>")
@operation("getWorkspace", "own", WorkspaceDocument)
def get_workspace(slug: str) -> ResponseReturnValue:
    """The document of a published workspace, as in its file."""
    return workspaces.workspace(g.actor, slug).to_json()
