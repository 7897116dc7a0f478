"""Funnels of simulated contacts as JSON: asked for, followed and stopped by the same caller."""

from typing import Any, Literal

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.forecasts import kept_funnels
from console.forecasts.kept_funnels import MOST_SEED, USUAL_SEED, Wanted
from console.views.api import idempotency
from console.views.api.operation import Done, Example, Nothing, Sent, operation, read
from console.views.api.shapes import WorkflowFunnel

blueprint = Blueprint("api_funnels", __name__, url_prefix="/api/v1")

ONE = {"workflow_id": "kyc-review", "funnel": "fnl_01jd0000000000000000000000"}


class WantedFunnel(Sent):
    """Whom to follow, and by which chances."""

    version: Literal["draft", "live"] = "draft"
    whom: str = Field(
        "", max_length=60, description="Empty: whom its triggers would let in; a segment of its collection; `*`: everybody in it"
    )
    seed: int = Field(USUAL_SEED, ge=0, le=MOST_SEED, description="The same seed gives the same funnel")
    chances: dict[str, dict[str, int]] = Field(
        default_factory=dict,
        max_length=500,
        description="Step to its endings in percent, together 100; of other steps what came of them lately, else what is assumed",
    )


def _funnel_made(done: Done) -> dict[str, Any]:
    """Return the funnel as it is now."""
    if done.made is None:
        raise idempotency.lost("The funnel", "the page of the workflow's test")
    return kept_funnels.get(g.actor, (request.view_args or {})["workflow_id"], done.made).to_json()


@blueprint.post("/workflows/<workflow_id>/funnels")
@operation(
    "forecastWorkflow",
    "workflow.edit",
    {202: WorkflowFunnel},
    body=WantedFunnel,
    refuses=(403,),
    again=_funnel_made,
    example=Example({"workflow_id": "kyc-review"}, body={"seed": 7}, status=202),
)
def ask(workflow_id: str) -> ResponseReturnValue:
    """Follow up to 1,000 whom the workflow would let in now, as the caller sees them, in the background; poll `getFunnel`. Nothing is written or sent."""
    sent = read(WantedFunnel)
    ident = kept_funnels.ask(g.actor, workflow_id, Wanted(sent.version, sent.whom, sent.seed, sent.chances))
    idempotency.name_result(ident)
    return jsonify(kept_funnels.get(g.actor, workflow_id, ident).to_json()), 202


@blueprint.get("/workflows/<workflow_id>/funnels/<funnel>")
@operation("getFunnel", "workflow.edit", WorkflowFunnel, refuses=(403,), example=Example(ONE))
def show(workflow_id: str, funnel: str) -> ResponseReturnValue:
    """How far a funnel of the caller is, and what came of it."""
    return jsonify(kept_funnels.get(g.actor, workflow_id, funnel).to_json())


@blueprint.post("/workflows/<workflow_id>/funnels/<funnel>/cancel")
@operation("cancelFunnel", "workflow.edit", WorkflowFunnel, refuses=(403,), body=Nothing, again=_funnel_made, example=Example(ONE, body={}))
def cancel(workflow_id: str, funnel: str) -> ResponseReturnValue:
    """Follow no more of them; nothing of it is kept."""
    read(Nothing)
    kept_funnels.stop(g.actor, workflow_id, funnel)
    idempotency.name_result(funnel)
    return jsonify(kept_funnels.get(g.actor, workflow_id, funnel).to_json())
