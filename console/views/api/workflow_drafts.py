"""Drafts of workflows as JSON: read with their problems, changed by a list of changes, undone, published."""

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console import workflows
from console.authoring import publication
from console.core import drafting
from console.core.drafting import ChangeError
from console.core.errors import Invalid
from console.views.api.operation import Done, Example, Nothing, Sent, named, operation, read
from console.views.api.shapes import Anything, PublishingImpact, WorkflowDraft

blueprint = Blueprint("api_workflow_drafts", __name__, url_prefix="/api/v1")

ONE = {"workflow_id": "kyc-review"}
CHANGES: dict[str, Any] = {
    "revision": 0,
    "changes": [{"op": "set_document", "field": "description", "value": "Looks at a customer once a year."}],
}


class ChangedDraft(Sent):
    """Changes of a draft."""

    revision: int = Field(
        description="The revision on which the changes were made; those of others since then are merged"
    )
    changes: list[Anything] = Field(
        description="Each an object with `op`: add_step, remove_step, set, connect, disconnect, move, rename_step, add_trigger, set_trigger, remove_trigger or set_document"
    )


def _as_it_is(_done: Done) -> dict[str, Any]:
    """Return the draft as it is now."""
    draft = workflows.open_draft(g.actor, named("workflow_id"))
    return draft.to_json(workflows.problems(draft))


@blueprint.get("/workflows/<workflow_id>/draft")
@operation("getDraft", "workflow.edit", WorkflowDraft, refuses=(403,), example=Example(ONE))
def show(workflow_id: str) -> ResponseReturnValue:
    """The draft with its revision and everything that is wrong with it; `mend` is a change that mends a problem."""
    return _answer(workflows.open_draft(g.actor, workflow_id))


@blueprint.patch("/workflows/<workflow_id>/draft")
@operation(
    "changeDraft",
    "workflow.edit",
    WorkflowDraft,
    body=ChangedDraft,
    example=Example(ONE, body=CHANGES),
)
def change(workflow_id: str) -> ResponseReturnValue:
    """Change the draft. 409 with `conflicts` (mine, theirs) where others changed the same step since; 422 for a change that cannot be made."""
    sent = read(ChangedDraft)
    try:
        changes = drafting.read_changes(sent.changes)
    except ChangeError as error:
        raise workflows.wrong_change(error) from None
    if sent.revision < 0:
        raise Invalid("revision: The one that the draft was read with.", at=("revision", "Zero or more."))
    return _answer(workflows.edit(g.actor, workflow_id, sent.revision, changes))


@blueprint.post("/workflows/<workflow_id>/draft/undo")
@operation(
    "undoDraft",
    "workflow.edit",
    WorkflowDraft,
    body=Nothing,
    again=_as_it_is,
    example=Example(ONE, body={}),
)
def undo(workflow_id: str) -> ResponseReturnValue:
    """Undo the caller's newest change of the draft; 409 where there is none, or others changed the same since."""
    read(Nothing)
    return _answer(workflows.undo(g.actor, workflow_id))


@blueprint.post("/workflows/<workflow_id>/draft/redo")
@operation(
    "redoDraft",
    "workflow.edit",
    WorkflowDraft,
    body=Nothing,
    again=_as_it_is,
    example=Example(ONE, body={}),
)
def redo(workflow_id: str) -> ResponseReturnValue:
    """Do again what the caller undid last; 409 where there is nothing, or others changed the same since."""
    read(Nothing)
    return _answer(workflows.redo(g.actor, workflow_id))


def _answer(draft: workflows.Draft) -> ResponseReturnValue:
    return draft.to_json(workflows.problems(draft))


@blueprint.get("/workflows/<workflow_id>/impact")
@operation("previewPublishing", "workflow.edit", PublishingImpact, refuses=(403,), example=Example(ONE))
def impact(workflow_id: str) -> ResponseReturnValue:
    """What publishing the draft would do now: what differs, whom it concerns, what starts soon, who lacks which right. Changes nothing."""
    return publication.impact(g.actor, workflow_id).to_json()
