"""`/workflows/<slug>/whose`: what it would do to make a workflow personal, the organisation's, or another person's, then doing it."""

from typing import Any

from flask import Blueprint, Response, flash, request

from console import workflows
from console.auth import access, accounts
from console.core.errors import ConsoleError, Invalid, NotAllowed, NotFound
from console.views import frame
from console.views.workflows import tabs
from console.workflows import OBJECT, Known, ownership

blueprint = Blueprint("workflow_handing_over", __name__)
PERSONAL = "Nobody else sees, edits, starts or enrols into it any more, or finds its runs; who reads the activity log or manages people still sees it. Its triggers go on as they are. Rules and approvals that need a second person cannot be met by others."
ORGANISATION = "Everybody with the right to workflows of its team sees it and its runs, and may edit and start it as far as their roles say. Its triggers and runs go on as they are."


@blueprint.route("/workflows/<slug>/whose", methods=["GET", "POST"])
def change(slug: str) -> Response:
    """Ask whether the workflow is to be somebody else's; a POST does it."""
    known = tabs.known_of(slug)
    who = frame.actor()
    if not ownership.may_hand_over(who, known):
        access.require(who, known.team or None, f"{OBJECT}:{known.slug}", "edit")
    if request.method != "POST":
        return _dialog(known)
    wanted, to = request.form.get("whose", ""), request.form.get("owner", "").strip() or None
    try:
        if wanted == ownership.PERSONAL and known.owner is not None and to is None:
            raise Invalid("It was not given away.", at=("owner", "Choose whose it is to be."))
        after = ownership.hand_over(who, known.id, wanted, to=to)
    except (NotAllowed, NotFound):
        raise
    except ConsoleError as wrong:
        return _dialog(known, wrong)
    flash(f"{known.title} is {_words(after.owner)}")
    there = any(
        each.id == known.id and access.can(who, each.team or None, f"{OBJECT}:{each.slug}", "see")
        for each in workflows.all_known()
    )
    return frame.redirect_to(tabs.address(known.slug, "/configuration") if there else "/workflows")


def _words(owner: str | None) -> str:
    if owner is None:
        return "the organisation's now"
    return (
        "yours now"
        if owner == frame.actor().id
        else f"personal now, of {accounts.names({owner}).get(owner, 'somebody else')}"
    )


def _dialog(known: Known, wrong: ConsoleError | None = None) -> Response:
    who = frame.actor()
    gives = known.owner is not None and ownership.manages(who, known)
    others = ownership.others_at_work(known, who.id) if known.owner is None else []
    context: dict[str, Any] = {
        "known": known,
        "whose_now": accounts.names({known.owner}).get(known.owner, "somebody who has left")
        if known.owner not in (None, who.id)
        else None,
        "gist": PERSONAL if known.owner is None else ORGANISATION,
        "others": others,
        "heirs": ownership.heirs(known) if gives else [],
        "typed": request.form,
        "owner_error": next(
            (str(detail["reason"]) for detail in wrong.details if detail.get("field") == "owner"), None
        )
        if wrong
        else None,
        "error": wrong.message if wrong else None,
        "action": tabs.address(known.slug, "/whose"),
        "back": tabs.address(known.slug, "/configuration"),
    }
    return frame.page("workflows/whose.html", context, blocks={"*": "dialog"}, error=wrong)
