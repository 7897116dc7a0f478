"""Reporting as JSON: a report is filed, and a number is all that comes back."""

from typing import Any

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field

from console import runs
from console.views.api.operation import Done, Example, Sent, operation, read
from console.views.api.runs import Text

blueprint = Blueprint("api_reports", __name__, url_prefix="/api/v1")


class Report(Sent):
    """What is reported."""

    workflow: Text = Field(description="Slug of the workflow that it is filed into")
    collection: Text = Field(description="Of the record that it is about")
    record: Text = Field(description="Key of the record")
    input: dict[str, Any] | None = Field(None, description="Values of the form's fields")


class Receipt(BaseModel):
    """All that the reporter ever sees of it."""

    model_config = ConfigDict(extra="forbid")

    receipt: str = Field(description="A number to be quoted")


def _filed(done: Done) -> dict[str, Any] | None:
    """Return the receipt number, if the caller may still report from the record."""
    sent = read(Report)
    return (
        {"receipt": runs.receipt_of(g.actor, sent.workflow, sent.collection, sent.record, done.chain)}
        if done.chain
        else None
    )


@blueprint.post("/reports")
@operation(
    "fileReport",
    "workflow.report",
    {201: Receipt},
    body=Report,
    refuses=(404,),
    again=_filed,
    example=Example(
        body={"workflow": "incident-report", "collection": "customer", "record": "17", "input": {}},
        status=404,
    ),
)
def report() -> ResponseReturnValue:
    """File a report about a record into a workflow that the caller will not see; the run is for those who are cleared for it."""
    sent = read(Report)
    return jsonify(
        receipt=runs.report(g.actor, sent.workflow, sent.collection, sent.record, sent.input or {})
    ), 201
