"""Trying a workflow as JSON: a dry run, which writes and sends nothing."""

from typing import Any, Literal

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue
from pydantic import Field

from console import log, runs, workflows
from console.browse import BrowseQuery
from console.messaging.messages import contact_trials
from console.messaging.messages.delivery_gate import DeliveryGate
from console.runs.simulation import workflow_trials
from console.views.api.operation import Example, Sent, operation, read
from console.views.api.shapes import Anything, DryRun, Trial

blueprint = Blueprint("api_dry_runs", __name__, url_prefix="/api/v1")

TRIED: dict[str, Any] = {"record": "1", "input": {}, "answers": {}, "effects": {}}


class Tried(Sent):
    """What a dry run is about, and what is chosen in place of people and of the world outside."""

    record: str | None = Field(None, description="Key of the record, where the workflow has a collection")
    input: dict[str, Anything] | None = Field(None, description="Field of the start to its value")
    answers: dict[str, Anything] = Field(
        default_factory=dict,
        description='Step to `{"values", "outcome", "approval"}`; a list: the nth counts when the step is entered the nth time',
    )
    effects: dict[str, Anything] = Field(
        default_factory=dict,
        description='Step to `{"outcome": "succeeded" | "failed" | "unknown", "result"}`, or the outcome alone; none: it succeeds, and a message leaves as consent, hours and caps allow',
    )
    version: Literal["draft", "live"] = "draft"


@blueprint.post("/workflows/<workflow_id>/dry-run")
@operation(
    "dryRunWorkflow",
    "workflow.edit",
    DryRun,
    body=Tried,
    example=Example({"workflow_id": "kyc-review"}, body=TRIED),
)
def dry_run(workflow_id: str) -> ResponseReturnValue:
    """Follow the workflow with the caller's rights; nothing is written or sent. Messages are judged by the contact's consent, hours and caps at their moment, unless
    `effects` says how they end. 422 with the field of an answer that a step does not take.
    """
    sent = read(Tried)
    draft = workflows.open_draft(g.actor, workflow_id)
    gate = DeliveryGate(g.actor, str(draft.document.get("title") or workflow_id), draft.id)
    found = runs.try_workflow(
        g.actor,
        workflow_id,
        record=sent.record,
        given=sent.input or {},
        answers=sent.answers,
        effects=sent.effects,
        which=sent.version,
        gate=gate,
    )
    workflow_trials.require_taken(found)
    return jsonify(log.body.canonical_value(found.to_json()))


class TriedOn(Sent):
    """Whom the messages are tried on: contacts of a segment, or of a filter; the first 200."""

    segment: str | None = None
    filter: str | None = Field(None, description="A filter of records as JSON")
    version: Literal["draft", "live"] = "draft"


@blueprint.post("/workflows/<workflow_id>/trial")
@operation(
    "tryOnContacts",
    "workflow.edit",
    Trial,
    body=TriedOn,
    example=Example({"workflow_id": "kyc-review"}, body={}, status=422),
)
def trial(workflow_id: str) -> ResponseReturnValue:
    """Judge each message of the workflow as if it left now, for up to 200 contacts whom the caller sees; nothing is written or sent. 422 where it is not about contacts."""
    sent = read(TriedOn)
    document = workflow_trials.definition_to_try(g.actor, workflow_id, sent.version).document
    found = contact_trials.try_contacts(
        g.actor, document, BrowseQuery(segment=sent.segment, filter=sent.filter)
    )
    return found.to_json()
