"""The draft of a workflow as a graph, built and changed piece by piece: its nodes and its edges."""

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.core.errors import Invalid
from console.views.api import idempotency
from console.views.api.operation import (
    Asked,
    Done,
    Example,
    Paged,
    Sent,
    Whole,
    named,
    operation,
    page_of,
    parse_query,
    read,
)
from console.views.api.shapes import Anything, Listed, WorkflowEdge, WorkflowNode
from console.workflows import graph_nodes

blueprint = Blueprint("api_workflow_graph", __name__, url_prefix="/api/v1")

ONE = {"workflow_id": "kyc-review"}
NODE, EDGE = ONE | {"node_id": "node_wait"}, ONE | {"edge_id": "edge_wait-default"}
TYPE = "VOICE_CALL, CONDITIONAL, TIME, APPLICATION, CONVERTED, DROPPED, or a step type such as guidance; in either case"
CONFIG = (
    'VOICE_CALL {script, agent?, max_attempts?, retry_after?}, TIME {duration: "P2D"}, CONDITIONAL {expression}, APPLICATION {operation: "tag", tag}, '
    "CONVERTED and DROPPED nothing; of a step type its settings, as in the file of a workflow"
)
REVISION = "The revision of the draft that it was read with; what others changed since is merged, or 409 where they changed the same"


class NewNode(Sent):
    """A step of the workflow."""

    type: str = Field(min_length=1, max_length=64, description=TYPE)
    title: str | None = Field(
        None, min_length=1, max_length=200, description="What people read; needed, here or as `name`"
    )
    name: str | None = Field(None, min_length=1, max_length=200, description="The same as `title`")
    config: dict[str, Anything] = Field(default_factory=dict, description=CONFIG)


class ChangedNode(Sent):
    """Changes; what is left out stays as it is."""

    type: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        description="Never changes: whose settings are sent, the node’s or its step’s",
    )
    title: str | None = Field(None, min_length=1, max_length=200)
    name: str | None = Field(None, min_length=1, max_length=200, description="The same as `title`")
    config: dict[str, Anything] | None = Field(
        None, description="Settings; those that are left out stay, null takes one away"
    )
    revision: int | None = Field(None, ge=0, description=REVISION)


class NewEdge(Sent):
    """A way from one node to another."""

    source: str
    target: str
    label: str | None = Field(None, max_length=60, description="The outcome that takes it; none: every other")


class ChangedEdge(Sent):
    """Changes; what is left out stays as it is."""

    source: str | None = None
    target: str | None = None
    label: str | None = Field(
        None, max_length=60, description="The outcome that takes it; null or empty: every other"
    )
    revision: int | None = Field(None, ge=0, description=REVISION)


class Seen(Asked):
    """Which draft was looked at."""

    revision: Whole | None = Field(None, ge=0, description=REVISION)


def _titled(sent: NewNode | ChangedNode) -> str | None:
    """The title. Raises Invalid for two that differ."""
    if sent.title is not None and sent.name is not None and sent.title != sent.name:
        reason = "The same as title: send one of them."
        raise Invalid(f"name: {reason}", at=("name", reason))
    return sent.title if sent.title is not None else sent.name


def _made(done: Done, what: str) -> str:
    if done.made is None:
        raise idempotency.lost(what, "the draft")
    return done.made


def _node_made(done: Done) -> dict[str, Any]:
    """Return the node as it is now. Raises NotFound where it was removed since."""
    return graph_nodes.node(g.actor, named("workflow_id"), _made(done, "The node")).to_json()


def _edge_made(done: Done) -> dict[str, Any]:
    """Return the edge with the label of the request. Raises NotFound where it was removed since."""
    return graph_nodes.edge(g.actor, named("workflow_id"), _made(done, "The edge")).to_json() | {
        "label": read(NewEdge).label
    }


@blueprint.post("/workflows/<workflow_id>/nodes")
@operation(
    "createNode",
    "workflow.edit",
    {201: WorkflowNode},
    body=NewNode,
    again=_node_made,
    example=Example(ONE, body={"type": "TIME", "title": "Two days", "config": {"duration": "P2D"}}),
)
def add_node(workflow_id: str) -> ResponseReturnValue:
    """Add a step to the draft. 422 with the field for an unknown type or wrong settings."""
    sent = read(NewNode)
    title = _titled(sent)
    if title is None:
        raise Invalid("title: Needed, here or as name.", at=("title", "Needed, here or as name."))
    made = graph_nodes.add_node(g.actor, workflow_id, sent.type, title, sent.config)
    idempotency.name_result(made.id)
    return made.to_json(), 201


@blueprint.get("/workflows/<workflow_id>/nodes")
@operation(
    "listNodes", "workflow.edit", Listed[WorkflowNode], query=Paged, refuses=(403,), example=Example(ONE)
)
def list_nodes(workflow_id: str) -> ResponseReturnValue:
    """The steps of the draft, its start among them."""
    return page_of(graph_nodes.nodes(g.actor, workflow_id))


@blueprint.get("/workflows/<workflow_id>/nodes/<node_id>")
@operation("getNode", "workflow.edit", WorkflowNode, refuses=(403,), example=Example(NODE))
def show_node(workflow_id: str, node_id: str) -> ResponseReturnValue:
    """One step of the draft, under the type with which it was added."""
    return graph_nodes.node(g.actor, workflow_id, node_id).to_json()


@blueprint.patch("/workflows/<workflow_id>/nodes/<node_id>")
@operation(
    "changeNode",
    "workflow.edit",
    WorkflowNode,
    body=ChangedNode,
    example=Example(NODE, body={"title": "A pause"}),
)
def change_node(workflow_id: str, node_id: str) -> ResponseReturnValue:
    """Change title or settings of a step. 409 with `conflicts` where others changed it since `revision`."""
    sent = read(ChangedNode)
    changed = {"kind": sent.type, "title": _titled(sent), "config": sent.config, "revision": sent.revision}
    return graph_nodes.change_node(g.actor, workflow_id, node_id, **changed).to_json()  # type: ignore[arg-type]


@blueprint.delete("/workflows/<workflow_id>/nodes/<node_id>")
@operation(
    "deleteNode",
    "workflow.edit",
    {204: None},
    query=Seen,
    refuses=(409, 422),
    example=Example(NODE),
)
def remove_node(workflow_id: str, node_id: str) -> ResponseReturnValue:
    """Remove a step, as the editor does: edges to it lead to where its edge without a label led, or go where it had none."""
    graph_nodes.remove_node(g.actor, workflow_id, node_id, revision=parse_query(Seen).revision)
    return "", 204


@blueprint.post("/workflows/<workflow_id>/edges")
@operation(
    "createEdge",
    "workflow.edit",
    {201: WorkflowEdge},
    body=NewEdge,
    again=_edge_made,
    example=Example(ONE, body={"source": "node_wait", "target": "node_converted"}),
)
def add_edge(workflow_id: str) -> ResponseReturnValue:
    """Connect two nodes of the draft. 422 for an unknown node, 409 for a second edge with the same source and label."""
    sent = read(NewEdge)
    made = graph_nodes.add_edge(g.actor, workflow_id, sent.source, sent.target, sent.label or "")
    idempotency.name_result(made.id)
    return made.to_json() | {"label": sent.label}, 201


@blueprint.get("/workflows/<workflow_id>/edges")
@operation(
    "listEdges", "workflow.edit", Listed[WorkflowEdge], query=Paged, refuses=(403,), example=Example(ONE)
)
def list_edges(workflow_id: str) -> ResponseReturnValue:
    """The edges of the draft, that of the start among them."""
    return page_of(graph_nodes.edges(g.actor, workflow_id))


@blueprint.get("/workflows/<workflow_id>/edges/<edge_id>")
@operation("getEdge", "workflow.edit", WorkflowEdge, refuses=(403,), example=Example(EDGE))
def show_edge(workflow_id: str, edge_id: str) -> ResponseReturnValue:
    """One edge of the draft."""
    return graph_nodes.edge(g.actor, workflow_id, edge_id).to_json()


@blueprint.patch("/workflows/<workflow_id>/edges/<edge_id>")
@operation(
    "changeEdge",
    "workflow.edit",
    WorkflowEdge,
    body=ChangedEdge,
    example=Example(EDGE, body={"target": "node_end"}),
)
def change_edge(workflow_id: str, edge_id: str) -> ResponseReturnValue:
    """Let an edge begin or end elsewhere, or under another label: with another source or label its id is another. 409 as for `createEdge`, and with `conflicts` where others changed the same since `revision`."""
    sent = read(ChangedEdge)
    label = (sent.label or "") if "label" in sent.model_fields_set else None
    changed = {"source": sent.source, "target": sent.target, "label": label, "revision": sent.revision}
    return graph_nodes.change_edge(g.actor, workflow_id, edge_id, **changed).to_json()  # type: ignore[arg-type]


@blueprint.delete("/workflows/<workflow_id>/edges/<edge_id>")
@operation(
    "deleteEdge",
    "workflow.edit",
    {204: None},
    query=Seen,
    refuses=(409, 422),
    example=Example(EDGE),
)
def remove_edge(workflow_id: str, edge_id: str) -> ResponseReturnValue:
    """Remove an edge; its nodes stay."""
    graph_nodes.remove_edge(g.actor, workflow_id, edge_id, revision=parse_query(Seen).revision)
    return "", 204
