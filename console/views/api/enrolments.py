"""Enrolments as JSON: enrol many or send leads, follow it, see who is where, take somebody out, and counts."""

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.automation import enrolments
from console.automation.enrolments import Batch, Question, Target, Those, leaving_many
from console.core.errors import Invalid, NotFound
from console.messaging.imports import contact_files
from console.views.api import idempotency, listing
from console.views.api.operation import (
    Asked,
    Done,
    Example,
    Limit,
    Nothing,
    Paged,
    Sent,
    Whole,
    named,
    operation,
    parse_query,
    read,
)
from console.views.api.shapes import (
    EnrolledLeads,
    EnrolmentBatch,
    EnrolmentLead,
    EnrolmentRow,
    Listed,
    TakeOut,
    TakeOutPlan,
    WorkflowCounts,
)

blueprint = Blueprint("api_enrolments", __name__, url_prefix="/api/v1")

ONE = {"workflow_id": "kyc-review"}


class WhomToEnrol(Sent):
    """Whom to enrol: exactly one of `records`, `filter` (with or without `segment`), `segment`, `rows` and `csv`."""

    records: list[str] | None = Field(None, description="Keys of records")
    filter: str | dict[str, Any] | None = Field(
        None, description="Filter or search words, as for a list of records"
    )
    segment: str | None = None
    rows: list[dict[str, Any]] | None = Field(
        None, description="Values of each, or the field by which their record is found"
    )
    csv: str | None = Field(
        None, description="A file; its heading, if it has one, names fields by their names or labels"
    )
    match: str | None = Field(
        None,
        description="Field by which rows and lines find their records; without: the key, an e-mail address, a telephone number",
    )
    values: dict[str, Any] = Field(default_factory=dict, description="Input of the start step for everybody")
    preview: bool = Field(False, description="Tell what would be done and change nothing")


class SentLeads(Sent):
    """Leads with their values."""

    leads: list[dict[str, Any]] = Field(max_length=1000)


class WhyLeft(Sent):
    """Why somebody is taken out."""

    reason: str


class WhoLeaves(Sent):
    """Who is taken out, and why; without `step`, `status` and `version` everybody."""

    step: str | None = None
    status: str | None = Field(None, description="waiting or active; without: both")
    version: Whole | None = None
    reason: str | None = Field("", description="Needed, and kept; not for a preview")
    preview: bool = Field(False, description="Change nothing: 200 with what it would do")

    @property
    def those(self) -> Those:
        """Who is meant."""
        return Those(self.step, self.status, self.version)


class WantedRows(Asked):
    """Rows of a batch."""

    status: str | None = Field(
        None, description="enrolled, already_enrolled or refused; without: those who were not enrolled"
    )
    limit: Limit = 50
    after: Whole | None = Field(None, ge=0)


class WantedLeads(Paged):
    """Filters of leads."""

    status: str | None = Field(
        None, description="waiting, active, left or refused; without: those who are in it now"
    )
    step: str | None = None
    version: Whole | None = None


def _batch_done(done: Done) -> dict[str, Any] | None:
    """Return the batch that the request began."""
    named = done.made or (done.chain if done.chain and done.chain.startswith("enr_") else None)
    return enrolments.batches.get(g.actor, named).to_json() if named else None


def _batch_now(_done: Done) -> dict[str, Any]:
    """Return the batch as it is now."""
    given = request.view_args or {}
    return _batch(str(given["workflow_id"]), str(given["enrolment_id"])).to_json()


def _enrolled(done: Done) -> dict[str, Any] | None:
    """Return what became of each with the first request; None where it enrolled nobody: then they are judged anew."""
    if done.chain is None:
        return None
    return _answers(
        enrolments.enrolled_before(g.actor, named("workflow_id"), read(SentLeads).leads, done.chain)
    )


def _answers(answers: Sequence[enrolments.Answer]) -> dict[str, Any]:
    lines = [
        {
            "row": each.line,
            "status": each.status,
            "lead_id": each.lead,
            "run_id": None,
            "reasons": [dict(reason) for reason in each.reasons],
        }
        for each in answers
    ]
    return {"data": lines}


def _taken_out(done: Done) -> dict[str, Any]:
    """Return how far it is now; of a preview, what it would do now."""
    sent, workflow = read(WhoLeaves), named("workflow_id")
    if sent.preview:
        return leaving_many.plan(g.actor, workflow, sent.those).to_json()
    if done.made is None:
        raise idempotency.lost("The taking out", "the workflow")
    return leaving_many.of_workflow(g.actor, workflow, done.made).to_json()


def _left(_done: Done) -> dict[str, Any]:
    """Return the lead as it is now."""
    given = request.view_args or {}
    return _lead(enrolments.require_target(g.actor, str(given["workflow_id"])), str(given["lead_id"]))


def _lead(target: Target, lead_id: str) -> dict[str, Any]:
    return enrolments.places.lead(g.actor, target, lead_id).to_json(paused=target.status == "paused")


@blueprint.post("/workflows/<workflow_id>/enrolments")
@operation(
    "enrol",
    "workflow.start",
    {202: EnrolmentBatch},
    body=WhomToEnrol,
    again=_batch_done,
    example=Example(ONE, body={"records": ["1"], "preview": True}),
)
def enrol(workflow_id: str) -> ResponseReturnValue:
    """Enrol many in a workflow, in the background; `preview` only tells what would become of each."""
    sent = read(WhomToEnrol)
    condition = (
        sent.filter if sent.filter is None or isinstance(sent.filter, str) else json.dumps(sent.filter)
    )
    question = Question(
        keys=sent.records,
        segment=sent.segment,
        filter=condition,
        rows=sent.rows,
        match=sent.match,
        values=sent.values,
    )
    if sent.csv is not None:
        if question.keys is not None or question.rows is not None or condition or sent.segment:
            raise Invalid(
                "Say whom to enrol in one way.", at=("csv", "Leave out the other ways, or this one.")
            )
        file = enrolments.batches.keep_file(
            g.actor, workflow_id, io.BytesIO(sent.csv.encode("utf-8", "replace"))
        )
        headings, _ = contact_files.sample(file, g.actor.id)
        columns = enrolments.whom_to_enrol.columns_of(
            g.actor, enrolments.require_target(g.actor, workflow_id), headings
        )
        question = Question(file=file, columns=columns, match=sent.match, values=sent.values)
    begun = enrolments.batches.begin(g.actor, workflow_id, question, preview=sent.preview)
    idempotency.name_result(begun.id)
    return begun.to_json(), 202


@blueprint.get("/workflows/<workflow_id>/enrolments/<enrolment_id>")
@operation(
    "getEnrolment",
    "workflow.start",
    EnrolmentBatch,
    example=Example(ONE | {"enrolment_id": "enr_01jd0000000000000000000000"}),
)
def get_enrolment(workflow_id: str, enrolment_id: str) -> ResponseReturnValue:
    """How far an enrolment of many is."""
    return _batch(workflow_id, enrolment_id).to_json()


@blueprint.post("/workflows/<workflow_id>/enrolments/<enrolment_id>/cancel")
@operation(
    "cancelEnrolment",
    "workflow.start",
    EnrolmentBatch,
    body=Nothing,
    again=_batch_now,
    example=Example(ONE | {"enrolment_id": "enr_01jd0000000000000000000000"}, body={}),
)
def cancel(workflow_id: str, enrolment_id: str) -> ResponseReturnValue:
    """Enrol no more of them; who is in stays in."""
    read(Nothing)
    _batch(workflow_id, enrolment_id)
    return enrolments.batches.cancel(g.actor, enrolment_id).to_json()


@blueprint.get("/workflows/<workflow_id>/enrolments/<enrolment_id>/rows")
@operation(
    "listEnrolmentRows",
    "workflow.start",
    Listed[EnrolmentRow],
    query=WantedRows,
    example=Example(ONE | {"enrolment_id": "enr_01jd0000000000000000000000"}),
)
def rows(workflow_id: str, enrolment_id: str) -> ResponseReturnValue:
    """What became of each, with the reasons of those who were not enrolled."""
    wanted = parse_query(WantedRows)
    _batch(workflow_id, enrolment_id)
    page, following = enrolments.batches.answers(
        g.actor, enrolment_id, wanted.status, limit=wanted.limit, after=wanted.after
    )
    return listing([asdict(row) for row in page], None if following is None else str(following))


@blueprint.post("/workflows/<workflow_id>/leads")
@operation(
    "enrolLeads",
    "workflow.start",
    EnrolledLeads,
    body=SentLeads,
    again=_enrolled,
    example=Example(ONE, body={"leads": [{"record": "unknown"}]}),
)
def enrol_leads(workflow_id: str) -> ResponseReturnValue:
    """Enrol leads with their values, also in a draft: they begin when it is activated. Sent twice, they are in already."""
    _, answers = enrolments.enrol_leads(g.actor, workflow_id, read(SentLeads).leads)
    return _answers(answers)


@blueprint.get("/workflows/<workflow_id>/leads")
@operation("listLeads", "workflow.see", Listed[EnrolmentLead], query=WantedLeads, example=Example(ONE))
def leads(workflow_id: str) -> ResponseReturnValue:
    """Who is in the workflow, the newest first, each with the path taken. Those whose record the caller may not see are left out."""
    wanted = parse_query(WantedLeads)
    target = enrolments.require_target(g.actor, workflow_id)
    page = enrolments.places.page(
        g.actor,
        target,
        status=wanted.status,
        step=wanted.step,
        version=wanted.version,
        limit=wanted.limit,
        after=wanted.after,
        paths=True,
    )
    return listing([lead.to_json(paused=target.status == "paused") for lead in page.rows], page.next)


@blueprint.get("/workflows/<workflow_id>/leads/<lead_id>")
@operation(
    "getLead",
    "workflow.see",
    EnrolmentLead,
    example=Example(ONE | {"lead_id": "lead_01jd0000000000000000000000"}),
)
def lead(workflow_id: str, lead_id: str) -> ResponseReturnValue:
    """One who is or was in the workflow."""
    return _lead(enrolments.require_target(g.actor, workflow_id), lead_id)


@blueprint.post("/workflows/<workflow_id>/leads/<lead_id>/unenrol")
@operation(
    "unenrol",
    "workflow.cancel",
    EnrolmentLead,
    body=WhyLeft,
    again=_left,
    example=Example(
        ONE | {"lead_id": "lead_01jd0000000000000000000000"}, body={"reason": "Asked us to stop."}
    ),
)
def unenrol(workflow_id: str, lead_id: str) -> ResponseReturnValue:
    """Take somebody out at once: their run is cancelled with the reason, and what is pending is done no more."""
    enrolments.unenrol(g.actor, workflow_id, lead_id, read(WhyLeft).reason)
    return _lead(enrolments.require_target(g.actor, workflow_id), lead_id)


@blueprint.post("/workflows/<workflow_id>/unenrolments")
@operation(
    "unenrolMany",
    "workflow.cancel",
    {200: TakeOutPlan, 202: TakeOut},
    body=WhoLeaves,
    again=_taken_out,
    example=Example(ONE, body={"preview": True}),
)
def unenrol_many(workflow_id: str) -> ResponseReturnValue:
    """Remove all, or those at a step, in a state, with a version; more than 100 in the background. With `preview` only what it would do."""
    sent = read(WhoLeaves)
    if sent.preview:
        return leaving_many.plan(g.actor, workflow_id, sent.those).to_json()
    begun = enrolments.take_out(g.actor, workflow_id, sent.those, sent.reason or "")
    idempotency.name_result(begun.id)
    return begun.to_json(), 202


@blueprint.get("/workflows/<workflow_id>/unenrolments/<unenrolment_id>")
@operation(
    "getUnenrolment",
    "workflow.cancel",
    TakeOut,
    refuses=(403,),
    example=Example(ONE | {"unenrolment_id": "out_01jd0000000000000000000000"}),
)
def get_unenrolment(workflow_id: str, unenrolment_id: str) -> ResponseReturnValue:
    """How far taking many out is."""
    return leaving_many.of_workflow(g.actor, workflow_id, unenrolment_id).to_json()


@blueprint.get("/workflows/<workflow_id>/counts")
@operation("countWorkflow", "workflow.see", WorkflowCounts, example=Example(ONE))
def counts(workflow_id: str) -> ResponseReturnValue:
    """How many are in the workflow, at which step, in which version."""
    target = enrolments.require_target(g.actor, workflow_id)
    return enrolments.counts_for(g.actor, target.id, target.collection).to_json()


def _batch(workflow_id: str, enrolment_id: str) -> Batch:
    """Return the batch, if it is one of this workflow."""
    found = enrolments.batches.get(g.actor, enrolment_id)
    if found.workflow != enrolments.require_target(g.actor, workflow_id).id:
        raise NotFound
    return found
