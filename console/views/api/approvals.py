"""Approvals as JSON: those that the caller may see, and the answer to one. The same service functions as the pages."""

from typing import Any, Literal

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console import log
from console.runs.commands import approval_questions
from console.views.api import listing
from console.views.api.operation import Done, Example, Paged, Sent, named, operation, parse_query, read
from console.views.api.shapes import Approval, ApprovalRemark, Listed
from console.work import approval_context, approvals

blueprint = Blueprint("api_approvals", __name__, url_prefix="/api/v1")


class Wanted(Paged):
    """Filters of requests for approval."""

    status: Literal["open", "approved", "rejected", "void", "expired"] | None = None
    run: str | None = None
    action: str | None = Field(None, description="Id of the action")
    requester: str | None = Field(None, description="Who asked")
    team: str | None = None
    waiting: Literal["me"] | None = Field(None, description="Only those that wait for the caller")
    since: str | None = Field(None, alias="created_at.gte", description="Asked at this moment or later")
    before: str | None = Field(None, alias="created_at.lt", description="Asked before this moment")


class Approve(Sent):
    """A yes."""

    reason: str | None = ""
    accept_changes: bool = Field(False, description="Also where what was asked for has moved since")


class Reject(Sent):
    """A no."""

    reason: str | None = Field("", description="Needed: whoever asked reads it")


class Ask(Sent):
    """A question to whoever asked for the approval."""

    question: str | None = Field("", description="Needed: at most 2,000 characters")


class Reply(Sent):
    """A reply to the questions."""

    answer: str | None = Field("", description="Needed: at most 2,000 characters")


def _decided(_done: Done) -> dict[str, Any]:
    """Return the request as it is now."""
    return approvals.get(g.actor, named("approval_id")).line.to_json()


@blueprint.get("/approvals")
@operation(
    "findApprovals",
    "own",
    Listed[Approval],
    query=Wanted,
    refuses=(404,),
    example=Example(query={"status": "open"}),
)
def find() -> ResponseReturnValue:
    """Requests for approval that the caller may see, newest first."""
    wanted = parse_query(Wanted)
    filters = wanted.model_dump(by_alias=True, exclude_unset=True, exclude={"limit", "after", "waiting"})
    listed = approvals.to_review if wanted.waiting else approvals.find
    page = listed(g.actor, filters, limit=wanted.limit, after=wanted.after)
    return listing([line.to_json() for line in page.lines], page.next)


@blueprint.get("/approvals/<approval_id>")
@operation("getApproval", "workflow.see", Approval)
def get_approval(approval_id: str) -> ResponseReturnValue:
    """One request. Looking decides nothing."""
    return _approval_json(approval_id)


@blueprint.post("/approvals/<approval_id>/approve")
@operation(
    "approve",
    "action.approve",
    Approval,
    body=Approve,
    again=_decided,
    example=Example(body={"reason": "The receipt fits."}),
)
def approve(approval_id: str) -> ResponseReturnValue:
    """Yes: what was asked for is done at once where this was the last answer needed.

    403 `separation_of_duties` with the rule, 409 `values_moved`, `approval_void`, `already_decided`, `not_possible` where it is no longer open.
    """
    sent = read(Approve)
    approvals.approve(g.actor, approval_id, reason=sent.reason or "", accept_changes=sent.accept_changes)
    return _approval_json(approval_id)


@blueprint.post("/approvals/<approval_id>/reject")
@operation(
    "reject",
    "action.approve",
    Approval,
    body=Reject,
    again=_decided,
    example=Example(body={"reason": "The receipt is missing."}),
)
def reject(approval_id: str) -> ResponseReturnValue:
    """No, with a reason: nothing is done."""
    approvals.reject(g.actor, approval_id, reason=read(Reject).reason or "")
    return _approval_json(approval_id)


@blueprint.get("/approvals/<approval_id>/questions")
@operation("getApprovalQuestions", "workflow.see", Listed[ApprovalRemark])
def questions(approval_id: str) -> ResponseReturnValue:
    """Questions about the request and the replies, oldest first; none of them for a caller who may not read texts of its step."""
    return _remarks(approval_id)


@blueprint.post("/approvals/<approval_id>/ask")
@operation(
    "askAboutApproval",
    "action.approve",
    Listed[ApprovalRemark],
    body=Ask,
    again=lambda _done: _remarks(named("approval_id")),
    example=Example(body={"question": "Which receipt is it about?"}),
)
def ask(approval_id: str) -> ResponseReturnValue:
    """Ask whoever asked for the approval; nothing is decided. Refused for whoever may not decide it."""
    approval_questions.ask(g.actor, approval_id, read(Ask).question or "")
    return _remarks(approval_id)


@blueprint.post("/approvals/<approval_id>/reply")
@operation(
    "replyAboutApproval",
    "own",
    Listed[ApprovalRemark],
    body=Reply,
    again=lambda _done: _remarks(named("approval_id")),
    example=Example(body={"answer": "The one of March, page 2."}),
)
def reply(approval_id: str) -> ResponseReturnValue:
    """Reply to a question about one's own request. 409 where nothing was asked, or it is decided."""
    approval_questions.reply(g.actor, approval_id, read(Reply).answer or "")
    return _remarks(approval_id)


def _remarks(approval_id: str) -> dict[str, Any]:
    said = approval_context.questions_and_replies(g.actor, approval_id)
    return listing(
        [
            {"by": remark.by, "at": log.body.moment(remark.at), "reply": remark.reply, "text": remark.text}
            for remark in said
        ],
        None,
    )


def _approval_json(approval_id: str) -> ResponseReturnValue:
    return approvals.get(g.actor, approval_id).line.to_json()
