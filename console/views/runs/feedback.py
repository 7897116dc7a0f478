"""Feedback on a proposal: a thumb and an optional comment."""

from flask import Blueprint, Response, flash, request

from console.ai.proposals import feedback
from console.core.errors import Invalid
from console.views import frame

blueprint = Blueprint("feedback", __name__)


@blueprint.post("/runs/<run_id>/proposal/<call_id>/feedback")
def give(run_id: str, call_id: str) -> Response:
    """Store the feedback. With script the form is returned as it is now, without it the run's page."""
    thumb, comment = request.form.get("thumb", ""), request.form.get("comment", "")
    wrong = ""
    try:
        feedback.give(frame.actor(), run_id, call_id, thumb, comment)
    except Invalid as error:
        wrong = " ".join(str(detail["reason"]) for detail in error.details)
    if not frame.wants_fragment() and not wrong:
        flash("Thank you, it is noted.")
        return frame.redirect_to(frame.run_url(run_id))
    context = {
        "run_id": run_id,
        "call": call_id,
        "thumb": feedback.thumb_of(frame.actor(), call_id),
        "wrong": wrong,
        "comment": comment if wrong else feedback.commented(frame.actor(), call_id),
    }
    return frame.page("runner/feedback.html", {"feedback": context}, status=422 if wrong else 200)
