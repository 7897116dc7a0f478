"""Changes of a workflow's draft from words, as JSON: asked for, then read until there is an answer. Nothing is changed until `PATCH …/draft`."""

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.authoring import builder
from console.core.errors import Invalid
from console.views.api import idempotency
from console.views.api.operation import Done, Example, Sent, named, operation, read
from console.views.api.shapes import BuilderTurn, BuilderTurnRef

blueprint = Blueprint("api_draft_wishes", __name__, url_prefix="/api/v1")

WISH: dict[str, Any] = {"message": "Let two different leads approve.", "revision": 0}


class Wish(Sent):
    """What is asked for."""

    message: str = Field(description="What is to change, or a question about the draft, in words")
    revision: int = Field(description="The revision of the draft that it is about")


def _first_turn(done: Done) -> dict[str, Any]:
    """Return the id of the turn of the first request."""
    if done.made is None:
        raise idempotency.lost("The question", "the draft")
    builder.turn(g.actor, named("workflow_id"), done.made)  # only for who may still read it
    return {"id": done.made}


@blueprint.post("/workflows/<workflow_id>/builder")
@operation(
    "askBuilder",
    "workflow.edit",
    {202: BuilderTurnRef},
    body=Wish,
    again=_first_turn,
    example=Example({"workflow_id": "kyc-review"}, body=WISH),
)
def ask(workflow_id: str) -> ResponseReturnValue:
    """Ask a model for changes of the draft, or about it. It sees names and labels that the caller may see, never values, and changes nothing."""
    sent = read(Wish)
    if sent.revision < 0:
        raise Invalid("revision: The one that the draft was read with.", at=("revision", "Zero or more."))
    turn = builder.ask(g.actor, workflow_id, sent.message, sent.revision)
    idempotency.name_result(turn)
    return {"id": turn}, 202


@blueprint.get("/workflows/<workflow_id>/builder/<turn_id>")
@operation(
    "getBuilderTurn",
    "workflow.edit",
    BuilderTurn,
    refuses=(403,),
    example=Example({"workflow_id": "kyc-review", "turn_id": "bld_01"}),
)
def show(workflow_id: str, turn_id: str) -> ResponseReturnValue:
    """The answer, once it is there: changes to be sent to `PATCH …/draft` with the same revision, and what would be wrong with the draft after them."""
    return builder.turn(g.actor, workflow_id, turn_id).to_json()
