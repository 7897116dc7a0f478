"""Workflows as JSON: made, named, changed as drafts, switched on and off, and their published versions."""

from typing import Any

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import ConfigDict, Field

from console import log, workflows
from console.views.api import listing
from console.views.api.operation import Asked, Done, Example, Limit, Nothing, Paged, Sent, Whole, operation, parse_query, read
from console.views.api.shapes import Definition, Listed, VersionHead, VersionWhole, Workflow

blueprint = Blueprint("api_workflows", __name__, url_prefix="/api/v1")

ONE = {"workflow_id": "kyc-review"}
STATUS = "draft, active (also said running), paused, completed or cancelled"


class CreatedWorkflow(Sent):
    """A new workflow."""

    title: str
    description: str | None = ""
    status: str | None = Field("draft", description=STATUS)
    team: str | None = Field(None, description="Whose it is; without: the caller's")


class ChangedWorkflow(Sent):
    """Changes; what is left out stays as it is."""

    title: str | None = None
    description: str | None = None
    status: str | None = Field(None, description=STATUS)


class Written(Sent):
    """The document of a workflow, as in its file: `/schema/workflow.json` is its whole schema."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


class Wanted(Paged):
    """Filters of workflows."""

    status: str | None = Field(None, description=STATUS)


class Older(Asked):
    """A page of versions."""

    limit: Limit = 50
    after: Whole | None = Field(None, description="The `next` of the page before")


DRAFT: dict[str, Any] = {
    "format": 1,
    "slug": "call-back",
    "title": "Call back",
    "team": "operations",
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "end"}},
        {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}},
    ],
}


def _changed(done: Done) -> dict[str, Any] | None:
    """Return the workflow as it is now."""
    named = (request.view_args or {}).get("workflow_id")
    if done.chain is not None:
        named = log.events_of(done.chain, after=done.number - 1, limit=1)[0].open["workflow"]
    return workflows.entry(g.actor, named).to_json() if named is not None else None


@blueprint.post("/workflows")
@operation(
    "createWorkflow",
    "workflow.edit",
    {201: Workflow},
    body=CreatedWorkflow,
    refuses=(403,),
    again=_changed,
    example=Example(body={"title": "Call back", "description": "Who asked to be called."}, status=201),
)
def create() -> ResponseReturnValue:
    """Create a workflow as a draft with only a start step; 409 `not_ready` with the reasons for any other status."""
    sent = read(CreatedWorkflow)
    made = workflows.create(g.actor, sent.title, description=sent.description or "", status=sent.status or "draft", team=sent.team)
    return jsonify(made.to_json()), 201


@blueprint.get("/workflows")
@operation("listWorkflows", "workflow.see", Listed[Workflow], query=Wanted, example=Example(query={"status": "active"}))
def every() -> ResponseReturnValue:
    """Workflows that the caller may see, by title."""
    wanted = parse_query(Wanted)
    page, following = workflows.entries(g.actor, status=wanted.status, limit=wanted.limit, after=wanted.after)
    return jsonify(listing([head.to_json() for head in page], following))


@blueprint.get("/workflows/<workflow_id>")
@operation("getWorkflow", "workflow.see", Workflow, example=Example(ONE))
def get_workflow(workflow_id: str) -> ResponseReturnValue:
    """One workflow, by id or slug."""
    return jsonify(workflows.entry(g.actor, workflow_id).to_json())


@blueprint.patch("/workflows/<workflow_id>")
@operation(
    "changeWorkflow",
    "workflow.edit",
    Workflow,
    body=ChangedWorkflow,
    refuses=(403,),
    example=Example(ONE, body={"title": "Review of a customer"}),
)
def change(workflow_id: str) -> ResponseReturnValue:
    """Change title, description or status; 409 if the status is not possible."""
    sent = read(ChangedWorkflow)
    return jsonify(workflows.change(g.actor, workflow_id, title=sent.title, description=sent.description, status=sent.status).to_json())


@blueprint.delete("/workflows/<workflow_id>")
@operation("deleteWorkflow", "workflow.edit", {204: None}, refuses=(403, 409), example=Example(ONE, status=204))
def remove(workflow_id: str) -> ResponseReturnValue:
    """Delete a workflow that was never published; 409 for others, which are archived instead."""
    workflows.remove(g.actor, workflow_id)
    return "", 204


@blueprint.post("/workflows/<workflow_id>/activate")
@operation("activateWorkflow", "workflow.activate", Workflow, body=Nothing, refuses=(403,), again=_changed, example=Example(ONE, body={}))
def activate(workflow_id: str) -> ResponseReturnValue:
    """Switch the workflow on: runs may start. Publishes the draft if nothing is published yet; 409 `not_ready` with a reason per step."""
    read(Nothing)
    return jsonify(workflows.activate(g.actor, workflow_id).to_json())


@blueprint.post("/workflows/<workflow_id>/pause")
@operation("pauseWorkflow", "workflow.activate", Workflow, body=Nothing, refuses=(403,), again=_changed, example=Example(ONE, body={}))
def pause(workflow_id: str) -> ResponseReturnValue:
    """Pause the workflow: no run starts, live runs go on."""
    read(Nothing)
    return jsonify(workflows.pause(g.actor, workflow_id).to_json())


@blueprint.post("/workflows/<workflow_id>/archive")
@operation("archiveWorkflow", "workflow.activate", Workflow, body=Nothing, refuses=(403,), again=_changed, example=Example(ONE, body={}))
def archive(workflow_id: str) -> ResponseReturnValue:
    """Archive the workflow: no run starts; its runs stay and can be replayed."""
    read(Nothing)
    return jsonify(workflows.archive(g.actor, workflow_id).to_json())


@blueprint.post("/workflows/<workflow_id>/publish")
@operation("publishWorkflow", "workflow.publish", Workflow, body=Nothing, refuses=(403,), again=_changed, example=Example(ONE, body={}))
def publish(workflow_id: str) -> ResponseReturnValue:
    """Publish the draft as the live version; live runs keep their version. 409 `not_ready` with a reason per step."""
    read(Nothing)
    return jsonify(workflows.publish_draft(g.actor, workflow_id).to_json())


@blueprint.post("/workflows/<workflow_id>/duplicate")
@operation(
    "duplicateWorkflow",
    "workflow.edit",
    {201: Workflow},
    body=Nothing,
    refuses=(403,),
    again=_changed,
    example=Example(ONE, body={}, status=201),
)
def duplicate(workflow_id: str) -> ResponseReturnValue:
    """Copy the draft into a new workflow with its own name."""
    read(Nothing)
    return jsonify(workflows.duplicate(g.actor, workflow_id).to_json()), 201


@blueprint.get("/workflows/<workflow_id>/definition")
@operation("getDefinition", "workflow.see", Definition, example=Example(ONE))
def definition(workflow_id: str) -> ResponseReturnValue:
    """The document of the draft; that of the live version for callers who may not edit."""
    return jsonify(workflows.definition(g.actor, workflow_id))


@blueprint.put("/workflows/<workflow_id>/definition")
@operation(
    "putDefinition", "workflow.edit", Definition, body=Written, refuses=(403,), example=Example({"workflow_id": "call-back"}, body=DRAFT)
)
def redefine(workflow_id: str) -> ResponseReturnValue:
    """Replace the draft; 422 with a detail per problem, and nothing is stored then."""
    workflows.redefine(g.actor, workflow_id, read(Written).model_dump())
    return jsonify(workflows.definition(g.actor, workflow_id))


@blueprint.get("/workflows/<workflow_id>/versions")
@operation("listVersions", "workflow.see", Listed[VersionHead], query=Older, example=Example(ONE))
def versions(workflow_id: str) -> ResponseReturnValue:
    """Its published versions, the newest first."""
    wanted = parse_query(Older)
    page, following = workflows.versions_of(g.actor, workflow_id, limit=wanted.limit, after=wanted.after)
    return jsonify(listing([head.to_json() for head in page], following))


@blueprint.get("/workflows/<workflow_id>/versions/<int:number>")
@operation("getVersion", "workflow.see", VersionWhole, example=Example(ONE | {"number": "1"}))
def version(workflow_id: str, number: int) -> ResponseReturnValue:
    """One version and its document. A version never changes."""
    head, document = workflows.version_of(g.actor, workflow_id, number)
    return jsonify(head.to_json() | {"definition": document})
