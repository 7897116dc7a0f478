"""Uncovering a masked value as JSON: with the right `reveal` and a reason, never otherwise."""

from typing import Any

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field

from console.browse import reveal as revealing
from console.log import body as canonical
from console.views.api.operation import Example, Sent, operation, read
from console.views.api.runs import Text

blueprint = Blueprint("api_reveal", __name__, url_prefix="/api/v1")


class Wanted(Sent):
    """The value to uncover, and the reason."""

    field: Text = Field(description="Name of a masked field")
    reason: str = Field(description="Why it is needed; it is kept in the log")


class Shown(BaseModel):
    """The value; forget it at the time `until`."""

    model_config = ConfigDict(extra="forbid")

    field: str
    value: Any
    until: str


@blueprint.post("/collections/<collection>/records/<key>/reveal")
@operation(
    "revealValue",
    "collection.reveal",
    {200: Shown},
    body=Wanted,
    example=Example(
        {"collection": "customer", "key": "17"},
        body={"field": "tax_id", "reason": "Asked by the tax office"},
        status=404,
    ),
)
def reveal(collection: str, key: str) -> ResponseReturnValue:
    """Uncover one masked value; the log records who did and why."""
    sent = read(Wanted)
    revealed = revealing.reveal(g.actor, collection, key, sent.field, sent.reason)
    answer = jsonify(field=revealed.field.name, value=revealed.value, until=canonical.moment(revealed.until))
    answer.headers["Cache-Control"] = "no-store"
    return answer
