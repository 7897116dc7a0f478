"""The auditor's page: what was checked, the newest checkpoint and its key, commands for an independent check, and comparing an old checkpoint."""

from flask import Blueprint, Response, make_response, request

from console.activity import proof
from console.auth import access
from console.core.errors import Invalid, NotFound
from console.views import frame
from console.views.formats import Look, clock_or_day
from console.views.frame import Badge

blueprint = Blueprint("proof", __name__, url_prefix="/activity/proof")

PLAIN = "text/plain; charset=utf-8"


@blueprint.get("")
def show() -> Response:
    """Show the page."""
    return _page()


@blueprint.post("")
def compare() -> Response:
    """Compare a checkpoint that somebody kept with the present log."""
    typed = request.form.get("checkpoint", "")
    try:
        return _page(typed=typed, compared=proof.compare(frame.actor(), typed))
    except Invalid as wrong:
        return _page(typed=typed, wrong=wrong.message, status=422)


@blueprint.get("/checkpoint.txt")
def head() -> Response:
    """Download the newest checkpoint."""
    head = proof.read(frame.actor()).head
    if head is None:
        raise NotFound(
            "The log has no checkpoint yet; the worker signs one within a minute of the first event."
        )
    return _file(head.note, f"checkpoint-{head.size}.txt")


@blueprint.get("/verify.py")
def verifier() -> Response:
    """Download the verifier, one file that needs only Python."""
    access.require(frame.actor(), None, "activity", "verify")
    return _file(proof.verifier(), "verify.py")


def _file(text: str, name: str) -> Response:
    answer = make_response(text)
    answer.headers["Content-Type"] = PLAIN
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _page(
    *, typed: str = "", compared: proof.Compared | None = None, wrong: str = "", status: int = 200
) -> Response:
    state = proof.read(frame.actor())
    context = {
        "proof": state,
        "badge_of_log": badge(state.checked, frame.look()),
        "may_export": access.can(frame.actor(), None, "activity", "export"),
        "typed": typed,
        "compared": compared,
        "wrong": wrong,
    }
    return frame.page("activity/proof.html", context, status=status)


def badge(checked: proof.Checked, look: Look) -> Badge:
    """Return how far the log is verified: "Verified to 12:04", or that something is wrong with it."""
    if checked.problem is not None:
        return Badge("Not in order", "bad", "alert-triangle")
    if checked.event_at is None:
        return Badge("Not verified yet", "", "clock")
    return Badge(f"Verified to {clock_or_day(checked.event_at, look)}", "good", "shield-check")
