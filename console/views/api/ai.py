"""`GET /ai-calls`: what the AI was asked, what it took and what came of it, for whoever audits it; no words of a prompt, no values."""

from typing import Literal

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.ai.proposals import call_log
from console.views.api import listing
from console.views.api.operation import Example, Paged, operation, parse_query
from console.views.api.shapes import AiCall, Listed

blueprint = Blueprint("api_ai", __name__, url_prefix="/api/v1")


class Wanted(Paged):
    """Filters of calls."""

    run: str | None = None
    workflow: str | None = Field(None, description="Id of the workflow")
    step: str | None = None
    status: Literal["pending", "ok", "declined", "failed", "off"] | None = None
    code: str | None = Field(None, description="Why there was no proposal, such as `timeout`")
    provider: str | None = None
    model: str | None = None
    mode: Literal["shadow", "assist", "blind", "auto"] | None = None
    team: str | None = None


@blueprint.get("/ai-calls")
@operation(
    "findAiCalls",
    "ai.audit",
    Listed[AiCall],
    query=Wanted,
    refuses=(403, 404),
    example=Example(query={"status": "failed"}),
)
def find() -> ResponseReturnValue:
    """Calls to the AI, including failed ones, newest first, of the teams in which the caller may audit it."""
    wanted = parse_query(Wanted)
    filters = wanted.model_dump(exclude_none=True, exclude={"limit", "after"})
    calls, following = call_log.find(g.actor, filters, limit=wanted.limit, after=wanted.after)
    return listing([call.to_json() for call in calls], following)
