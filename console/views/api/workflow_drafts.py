"""Drafts of workflows as JSON: read with their problems, changed by a list of changes, undone, published."""

from typing import Any

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import Field

from console import log, publication, workflows
from console.core import drafting
from console.core.drafting import ChangeError, graph_pieces
from console.errors import Invalid, NotFound
from console.views.api import idempotency
from console.views.api.operation import Done, Example, Nothing, Sent, operation, read
from console.views.api.shapes import Anything, PublishingImpact, WorkflowDraft, WorkflowEdge, WorkflowNode

blueprint = Blueprint("api_workflow_drafts", __name__, url_prefix="/api/v1")

ONE = {"workflow_id": "kyc-review"}
CHANGES: dict[str, Any] = {
    "revision": 0,
    "changes": [{"op": "set_document", "field": "description", "value": "Looks at a customer once a year."}],
}


class ChangedDraft(Sent):
    """Changes of a draft."""

    revision: int = Field(description="The revision on which the changes were made; those of others since then are merged")
    changes: list[Anything] = Field(
        description="Each an object with `op`: add_step, remove_step, set, connect, disconnect, move, rename_step, add_trigger, set_trigger, remove_trigger or set_document"
    )


class NewNode(Sent):
    """A step in the words of calling workflows."""

    type: graph_pieces.NodeType
    title: str = Field(min_length=1, max_length=200)
    config: dict[str, Anything] = Field(default_factory=dict)


class NewEdge(Sent):
    """A way from one node to another."""

    source: str
    target: str
    label: str | None = Field(None, max_length=60, description="The outcome that takes it; none: every other")


def _draft_now() -> workflows.Draft:
    return workflows.open_draft(g.actor, str((request.view_args or {})["workflow_id"]))


def _node_made(done: Done) -> dict[str, Any]:
    """Return the node with the words of the request. Raises NotFound where it was removed since."""
    draft = _draft_now()
    if done.made is None:
        raise idempotency.lost("The node", "the draft")
    if done.made not in {step["id"] for step in draft.document["steps"]}:
        raise NotFound("The node was removed since.")
    return _node(draft, done.made, read(NewNode))


def _node(draft: workflows.Draft, step: str, sent: NewNode) -> dict[str, Any]:
    node = {"id": f"{graph_pieces.NODE}{step}", "workflow_id": draft.id, "type": sent.type, "title": sent.title, "config": sent.config}
    return node | {"created_at": log.body.moment(draft.changed_at) if draft.changed_at else None}


def _edge_made(_done: Done) -> dict[str, Any]:
    """Return the edge with the words of the request. Raises NotFound where it was removed since."""
    draft, sent = _draft_now(), read(NewEdge)
    steps = {f"{graph_pieces.NODE}{step['id']}": step for step in draft.document["steps"]}
    if (source := steps.get(sent.source)) is not None:
        outcome = graph_pieces.outcome_of(source, graph_pieces.plain_label(sent.label or ""))
        if f"{graph_pieces.NODE}{source.get('next', {}).get(outcome, '')}" == sent.target:
            return _edge(sent, outcome)
    raise NotFound("The edge was removed since.")


def _edge(sent: NewEdge, outcome: str) -> dict[str, Any]:
    edge = f"{graph_pieces.EDGE}{sent.source.removeprefix(graph_pieces.NODE)}_{outcome}"
    return {"id": edge, "source": sent.source, "target": sent.target, "label": sent.label}


def _as_it_is(_done: Done) -> dict[str, Any]:
    """Return the draft as it is now."""
    draft = _draft_now()
    return draft.to_json(workflows.problems(draft))


@blueprint.post("/workflows/<workflow_id>/nodes")
@operation(
    "createNode",
    "workflow.edit",
    {201: WorkflowNode},
    body=NewNode,
    refuses=(403,),
    again=_node_made,
    example=Example(ONE, body={"type": "TIME", "title": "Two days", "config": {"duration": "P2D"}}, status=201),
)
def add_node(workflow_id: str) -> ResponseReturnValue:
    """Add a step to the draft. 422 with the field for an unknown type or wrong settings."""
    sent = read(NewNode)
    draft, step = workflows.add_node(g.actor, workflow_id, sent.type, sent.title, sent.config)
    idempotency.name_result(step)
    return jsonify(_node(draft, step, sent)), 201


@blueprint.post("/workflows/<workflow_id>/edges")
@operation(
    "createEdge",
    "workflow.edit",
    {201: WorkflowEdge},
    body=NewEdge,
    refuses=(403,),
    again=_edge_made,
    example=Example(ONE, body={"source": "node_wait", "target": "node_converted"}, status=201),
)
def add_edge(workflow_id: str) -> ResponseReturnValue:
    """Connect two nodes of the draft. 422 for an unknown node, 409 for a second edge with the same source and label."""
    sent = read(NewEdge)
    _, outcome = workflows.add_edge(g.actor, workflow_id, sent.source, sent.target, sent.label or "")
    return jsonify(_edge(sent, outcome)), 201


@blueprint.get("/workflows/<workflow_id>/draft")
@operation("getDraft", "workflow.edit", WorkflowDraft, refuses=(403,), example=Example(ONE))
def show(workflow_id: str) -> ResponseReturnValue:
    """The draft with its revision and everything that is wrong with it; `mend` is a change that mends a problem."""
    return _answer(workflows.open_draft(g.actor, workflow_id))


@blueprint.patch("/workflows/<workflow_id>/draft")
@operation("changeDraft", "workflow.edit", WorkflowDraft, body=ChangedDraft, refuses=(403, 409), example=Example(ONE, body=CHANGES))
def change(workflow_id: str) -> ResponseReturnValue:
    """Change the draft. 409 with `conflicts` (mine, theirs) where others changed the same step since; 422 for a change that cannot be made."""
    sent = read(ChangedDraft)
    try:
        changes = drafting.read_changes(sent.changes)
    except ChangeError as error:
        raise workflows.wrong_change(error) from None
    if sent.revision < 0:
        raise Invalid("revision: The one that the draft was read with.", details=[{"field": "revision", "reason": "Zero or more."}])
    return _answer(workflows.edit(g.actor, workflow_id, sent.revision, changes))


@blueprint.post("/workflows/<workflow_id>/draft/undo")
@operation("undoDraft", "workflow.edit", WorkflowDraft, body=Nothing, refuses=(403, 409), again=_as_it_is, example=Example(ONE, body={}))
def undo(workflow_id: str) -> ResponseReturnValue:
    """Undo the caller's newest change of the draft; 409 where there is none, or others changed the same since."""
    read(Nothing)
    return _answer(workflows.undo(g.actor, workflow_id))


@blueprint.post("/workflows/<workflow_id>/draft/redo")
@operation("redoDraft", "workflow.edit", WorkflowDraft, body=Nothing, refuses=(403, 409), again=_as_it_is, example=Example(ONE, body={}))
def redo(workflow_id: str) -> ResponseReturnValue:
    """Do again what the caller undid last; 409 where there is nothing, or others changed the same since."""
    read(Nothing)
    return _answer(workflows.redo(g.actor, workflow_id))


def _answer(draft: workflows.Draft) -> ResponseReturnValue:
    return jsonify(draft.to_json(workflows.problems(draft)))


@blueprint.get("/workflows/<workflow_id>/impact")
@operation("previewPublishing", "workflow.edit", PublishingImpact, refuses=(403,), example=Example(ONE))
def impact(workflow_id: str) -> ResponseReturnValue:
    """What publishing the draft would do now: what differs, whom it concerns, what starts soon, who lacks which right. Changes nothing."""
    return jsonify(publication.impact(g.actor, workflow_id).to_json())
