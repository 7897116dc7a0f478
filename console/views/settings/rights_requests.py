"""`/settings/roles/requests/<id>`: a right on records that an administrator asks for a role of their own, and the answer of a second one."""

from collections.abc import Sequence

from flask import Blueprint, Response, flash, request

from console import permissions
from console.auth import accounts
from console.auth.access import policy_words
from console.auth.access.labels import all_titles
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed
from console.permissions import rule_drafts, second_admin
from console.views import frame
from console.views.forms import Button, Field, Form
from console.views.frame import Badge
from console.views.settings import area

blueprint = Blueprint("rights_requests", __name__, url_prefix="/settings/roles/requests")

SHOWN_LINES = 400
STATES = {
    second_admin.WAITING: Badge("Waiting", "info", "clock"),
    second_admin.CONFIRMED: Badge("Confirmed", "good", "check"),
    second_admin.REFUSED: Badge("Refused", "bad", "ban"),
    second_admin.WITHDRAWN: Badge("Withdrawn", "", "circle-dashed"),
    second_admin.VOID: Badge("Void", "", "circle-dashed"),
}


@blueprint.route("/<request_id>", methods=["GET", "POST"])
def show(request_id: str) -> Response:
    """Show what is asked for; a POST confirms, refuses or withdraws it."""
    if request.method != "POST":
        return _drawn(request_id)
    who, reason = frame.actor(), request.form.get("reason", "")
    try:
        if request.form.get("do") == "confirm":
            number = second_admin.confirm(who, request_id)
            flash(f"Confirmed and published as version {number}. It counts everywhere within a second.")
        else:
            second_admin.refuse(who, request_id, reason)
            flash("Nothing is changed.")
    except (Conflict, Invalid) as wrong:
        return _drawn(request_id, wrong, reason)
    except NotAllowed as refused:
        if refused.code != "four_eyes":
            raise
        return _drawn(request_id, refused, reason)
    return frame.redirect_to(f"/settings/roles/requests/{request_id}")


def _drawn(request_id: str, wrong: ConsoleError | None = None, reason: str = "") -> Response:
    who, names = frame.actor(), all_titles()
    asked = second_admin.request_of(who, request_id)
    effects: Sequence[tuple[str, str]] = ()
    if asked.open:
        found = permissions.preview(who, asked.change).effects
        effects = [
            (policy_words.right(each.obj, each.act, names), _whom(each.gained, asked.requested_by))
            for each in found
            if each.gained
        ]
    own, refused = asked.requested_by == who.id, second_admin.why_not(who, asked)
    takes_back = "take it back" if own else "refuse"
    form = Form(
        [Field("reason", f"Why not, if you {takes_back}", "area", max_length=2000, rows=2)],
        {"reason": reason},
        "Confirm and publish" if not refused else "",
        do="confirm",
        buttons=[Button(takes_back.capitalize(), "refuse", tone="danger")],
        css="form card pad",
        action=asked.address,
        error=wrong,
        says_error=False,
    )
    context = {
        "asked": asked,
        "form": form,
        "badge_of": STATES[asked.status],
        "people": accounts.names({asked.requested_by, *([asked.decided_by] if asked.decided_by else [])}),
        "lines": [
            (sign, policy_words.rule(row, names), row) for sign, row in rule_drafts.lines(asked.change, names)
        ][:SHOWN_LINES],
        "more": max(0, len(asked.change.added) + len(asked.change.removed) - SHOWN_LINES),
        "effects": effects,
        "others": second_admin.who_confirms(asked) if asked.open else [],
        "own": own,
        "refused": refused,
    }
    return area.page(
        "settings/rights_request.html", "roles", context, heading="A right on records", error=wrong
    )


def _whom(gained: Sequence[str], asker: str) -> str:
    others = len(set(gained) - {asker})
    who = ["whoever asks"] if asker in gained else []
    return " and ".join([*who, *([f"{others} {'other' if others == 1 else 'others'}"] if others else [])])
