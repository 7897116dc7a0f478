"""`/approvals/publishing/<id>`: a request to publish a workflow, what it would do or did, and the answer of a second person."""

from flask import Blueprint, Response, flash, request

from console import workflows
from console.auth import accounts
from console.authoring import publication
from console.core import drafting
from console.core.errors import Conflict, ConsoleError, Invalid
from console.views import frame
from console.views.editor.publishing import impact_context
from console.views.frame import Badge
from console.workflows import Review

blueprint = Blueprint("publishing_reviews", __name__, url_prefix="/approvals/publishing")

STATES = {
    "waiting": Badge("Waiting", "info", "clock"),
    "changes_requested": Badge("Changes requested", "warn", "pencil"),
    "approved": Badge("Approved", "good", "check"),
    "withdrawn": Badge("Withdrawn", "", "circle-dashed"),
    "void": Badge("Void", "", "circle-dashed"),
}


@blueprint.route("/<review_id>", methods=["GET", "POST"])
def show(review_id: str) -> Response:
    """Show the request; a POST approves it, asks for changes or withdraws it."""
    if request.method != "POST":
        return _drawn(review_id)
    who, reason, do = frame.actor(), request.form.get("reason", ""), request.form.get("do", "")
    try:
        if do == "approve":
            made = publication.approve(who, review_id, reason=reason)
            flash(f"Approved. Version {made.version} is live.")
        elif do == "withdraw":
            workflows.withdraw_review(who, review_id, reason=reason)
            flash("Withdrawn. Nothing is published.")
        else:
            publication.ask_for_changes(who, review_id, reason=reason)
            flash("Asked for changes. Nothing is published.")
    except (Conflict, Invalid) as wrong:
        return _drawn(review_id, wrong, reason)
    return frame.redirect_to(publication.address(review_id))


def _drawn(review_id: str, wrong: ConsoleError | None = None, reason: str = "") -> Response:
    who = frame.actor()
    review = workflows.review_of(who, review_id)
    impact = publication.told_impact(who, review)
    live = review.live_then
    differences = drafting.differences(live, review.document) if live is not None else []
    context = {
        "review": review,
        "status": STATES[review.status],
        "names": accounts.names({review.requested_by, *({review.decided_by} if review.decided_by else ())}),
        "differences": differences,
        "draft": workflows.pinned_draft(review),
        "told": None,
        "may": review.open and review.id in {each.id for each in workflows.to_decide(who)},
        "own": review.requested_by == who.id,
        "reviewers": publication.reviewer_names(review, review.requested_by) if review.open else [],
        "reason": reason,
        "wrong": wrong,
        **(impact_context(impact, review.document, live) if impact is not None else {}),
    }
    return frame.page("approvals/publishing.html", context, error=wrong)


def drawn_rows(found: list[Review]) -> list[dict[str, object]]:
    """Return requests as the list of approvals shows them."""
    names = accounts.names({each.requested_by for each in found})
    return [
        {
            "href": publication.address(each.id),
            "title": each.title,
            "label": "Publish",
            "requester": names.get(each.requested_by, "A former colleague"),
            "at": each.requested_at,
            "note": each.note,
            "badge": STATES[each.status],
        }
        for each in found
    ]
