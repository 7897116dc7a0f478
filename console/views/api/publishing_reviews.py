"""Requests to publish a workflow as JSON: asked for, listed, approved by a second person, sent back, withdrawn."""

from typing import Any, Literal

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from pydantic import Field

from console import workflows
from console.authoring import publication
from console.core import drafting
from console.views.api import idempotency, listing
from console.views.api.operation import Done, Example, Paged, Sent, operation, parse_query, read
from console.views.api.shapes import Listed, PublishingReview, PublishingReviewWhole

blueprint = Blueprint("api_publishing_reviews", __name__, url_prefix="/api/v1")


class AskedReview(Sent):
    """What is asked for: the draft as it is."""

    note: str = Field(description="What changes and why; the version keeps it")
    accept_failed_tests: str | None = Field(
        "", description="Why it is asked for although tests of the draft fail; the note says it"
    )
    revision: int | None = Field(
        None, description="Only if the draft is still this revision; 409 `stale_revision` else"
    )


class WantedReviews(Paged):
    """Filters of requests to publish."""

    status: Literal["waiting", "changes_requested", "approved", "withdrawn", "void"] | None = None
    workflow: str | None = Field(None, description="Id or slug")
    waiting: Literal["me"] | None = Field(None, description="Only those that wait for the caller")


class ReviewReason(Sent):
    """What is said with an answer."""

    reason: str | None = Field("", description="At most 2,000 characters; needed to ask for changes")


def _now(done: Done) -> dict[str, Any]:
    """Return the request as it is now."""
    named = (request.view_args or {}).get("review_id") or done.made
    if named is None:
        raise idempotency.lost("The request", "the list of requests")
    return workflows.review_of(g.actor, str(named)).to_json()


@blueprint.post("/workflows/<workflow_id>/reviews")
@operation(
    "askToPublish",
    "workflow.publish",
    {201: PublishingReview},
    body=AskedReview,
    again=_now,
    example=Example({"workflow_id": "kyc-review"}, body={"note": "Asks for the reason first."}),
)
def ask(workflow_id: str) -> ResponseReturnValue:
    """Ask a second person to approve the draft as it is now. 409 `review_open` where one waits already, `tests_failed`, 422 `not_ready` with a reason per step."""
    sent = read(AskedReview)
    made = publication.ask_for_review(
        g.actor,
        workflow_id,
        note=sent.note,
        revision=sent.revision,
        accept_failed_tests=sent.accept_failed_tests or "",
    )
    idempotency.name_result(made.id)
    return made.to_json(), 201


@blueprint.get("/workflow-reviews")
@operation(
    "listPublishingReviews",
    "workflow.edit",
    Listed[PublishingReview],
    query=WantedReviews,
    example=Example(query={"status": "waiting"}),
)
def every() -> ResponseReturnValue:
    """Requests to publish that the caller may see, the newest first."""
    wanted = parse_query(WantedReviews)
    if wanted.waiting:
        return listing([each.to_json() for each in workflows.to_decide(g.actor)], None)
    page, following = workflows.listed_reviews(
        g.actor, status=wanted.status, workflow=wanted.workflow, limit=wanted.limit, after=wanted.after
    )
    return listing([each.to_json() for each in page], following)


@blueprint.get("/workflow-reviews/<review_id>")
@operation("getPublishingReview", "workflow.edit", PublishingReviewWhole)
def show(review_id: str) -> ResponseReturnValue:
    """One request with all that a decision needs. Looking decides nothing."""
    review = workflows.review_of(g.actor, review_id)
    live = review.live_then
    differences = drafting.differences(live, review.document) if live is not None else []
    body: dict[str, Any] = {
        "document": review.document,
        "differences": [each._asdict() for each in differences],
    }
    body["impact"] = publication.told_impact(g.actor, review)
    return review.to_json() | body


@blueprint.post("/workflow-reviews/<review_id>/approve")
@operation(
    "approvePublishing",
    "workflow.publish",
    PublishingReview,
    body=ReviewReason,
    again=_now,
    example=Example(body={}),
)
def approve(review_id: str) -> ResponseReturnValue:
    """Yes: what was asked for is published, as whoever asked. 403 `separation_of_duties` for one's own, 409 `review_void` where another version went live since."""
    return publication.approve(g.actor, review_id, reason=read(ReviewReason).reason or "").to_json()


@blueprint.post("/workflow-reviews/<review_id>/request-changes")
@operation(
    "askForChanges",
    "workflow.publish",
    PublishingReview,
    body=ReviewReason,
    again=_now,
    example=Example(body={"reason": "Say who is told."}),
)
def request_changes(review_id: str) -> ResponseReturnValue:
    """Not like this, with what is to be changed: nothing is published, and it can be asked for again."""
    return publication.ask_for_changes(g.actor, review_id, reason=read(ReviewReason).reason or "").to_json()


@blueprint.post("/workflow-reviews/<review_id>/withdraw")
@operation(
    "withdrawPublishing",
    "own",
    PublishingReview,
    body=ReviewReason,
    again=_now,
    example=Example(body={}),
)
def withdraw(review_id: str) -> ResponseReturnValue:
    """Take back one's own request; nothing is published."""
    return workflows.withdraw_review(g.actor, review_id, reason=read(ReviewReason).reason or "").to_json()
