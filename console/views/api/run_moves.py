"""Moving live runs to another version of their workflow as JSON: looked at first, then done, with how far it is."""

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.authoring import publication
from console.core.errors import Invalid
from console.views.api import idempotency
from console.views.api.operation import Done, Example, Sent, named, operation, read
from console.views.api.shapes import RunMove, RunMovePlan

blueprint = Blueprint("api_run_moves", __name__, url_prefix="/api/v1")

ONE = {"workflow_id": "kyc-review"}


class MovedRuns(Sent):
    """Which runs are moved, and where they go on."""

    from_: int = Field(alias="from", description="The version that they have")
    to: int = Field(description="The version that they get")
    steps: dict[str, str] = Field(
        default_factory=dict,
        description="Step at which runs stand → step of the other version; without, the same step where there is one",
    )
    runs: list[str] | None = Field(
        None, max_length=10_000, description="Ids of the runs; null: all that can be moved"
    )
    reason: str | None = Field("", description="Needed, and kept in the log; not for a preview")
    preview: bool = Field(False, description="Change nothing: 200 with what it would do")


def _so_far(done: Done) -> dict[str, Any]:
    """Return how far it is now; of a preview, what it would do now."""
    sent = read(MovedRuns)
    if sent.preview:
        return publication.plan_move(g.actor, named("workflow_id"), sent.from_, sent.to, sent.steps).to_json()
    if done.made is None:
        raise idempotency.lost("The move", "the workflow")
    return publication.move_of(g.actor, named("workflow_id"), done.made).to_json()


@blueprint.post("/workflows/<workflow_id>/moves")
@operation(
    "moveRuns",
    "workflow.publish",
    {200: RunMovePlan, 202: RunMove},
    body=MovedRuns,
    again=_so_far,
    example=Example(ONE, body={"from": 1, "to": 2, "preview": True}),
)
def move(workflow_id: str) -> ResponseReturnValue:
    """Move live runs to another version; they keep what they hold, and each gets its event. With `preview` only what it would do: counts by step, and why some cannot be moved."""
    sent = read(MovedRuns)
    if min(sent.from_, sent.to) < 1:
        raise Invalid("to: Versions are numbered from 1.", at=("to", "Versions are numbered from 1."))
    if sent.preview:
        return publication.plan_move(g.actor, workflow_id, sent.from_, sent.to, sent.steps).to_json()
    begun = publication.move_runs(
        g.actor,
        workflow_id,
        sent.from_,
        sent.to,
        steps=sent.steps,
        reason=sent.reason or "",
        chosen=sent.runs,
    )
    idempotency.name_result(begun.id)
    return begun.to_json(), 202


@blueprint.get("/workflows/<workflow_id>/moves/<move_id>")
@operation("getMove", "workflow.publish", RunMove, refuses=(403,), example=Example(ONE))
def show(workflow_id: str, move_id: str) -> ResponseReturnValue:
    """How far a move is, and why runs were not moved."""
    return publication.move_of(g.actor, workflow_id, move_id).to_json()
