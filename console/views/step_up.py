"""Confirm one's identity again, then continue the request that required it; nothing that was typed is lost.

The refused form is stored, sealed, for 15 minutes and then sent again. With script this happens in a dialog over the page.
"""

from datetime import timedelta

from flask import Blueprint, Response, g, make_response, request
from flask_login import current_user

from console.accounts import confirming, one_time
from console.core.actor import Actor
from console.errors import ConsoleError
from console.views import auth, frame, identity

blueprint = Blueprint("step_up", __name__, url_prefix="/step-up")

LASTS = timedelta(minutes=15)
WRONG = {
    "code": "That code does not fit, or was used before. Wait for the next one.",
    "password": "That is not your password.",
    "provider": "You sign in through the identity provider: confirm there.",
}


@blueprint.get("")
def show() -> Response:
    """Show the page on its own, for links (`?next=`)."""
    return _page(frame.actor(), "", identity.local(request.args.get("next")))


@blueprint.post("")
def prove() -> Response:
    """Check a code or password: if right, continue; if wrong, show the page again."""
    who, kept, there = frame.actor(), request.form.get("kept", ""), identity.local(request.form.get("next"))
    try:
        good = confirming.prove(who, request.form.get("shown", ""), *auth.address_and_browser())
        error = None if good else WRONG[confirming.way_of(who)]
    except ConsoleError as refused:
        good, error = False, refused.message
    if not good:
        return _page(who, kept, there, error, status=422)
    identity.renew(proved=True)
    if frame.wants_fragment():
        answer = make_response("", 204)
        answer.headers["HX-Trigger"] = "confirmed"
        return answer
    return go_on(kept, there)


@blueprint.get("/go-on")
def again() -> Response:
    """Come back from the identity provider to the stored form."""
    return go_on(request.args.get("kept", ""), "/")


def ask() -> Response:
    """Answer a request that requires confirmation: with the page, or with a dialog over it."""
    who = frame.actor()
    if request.method in ("GET", "HEAD"):
        return _page(who, "", identity.local(request.full_path.rstrip("?")), status=403)
    fields = [[name, value] for name, value in request.form.items(multi=True) if name != "csrf_token"]
    kept = one_time.make("kept", who.id, LASTS, {"path": request.full_path.rstrip("?"), "fields": fields, "files": bool(request.files)})
    return _page(who, kept, "/", status=403)


def go_on(kept: str, there: str) -> Response:
    """Send the stored form again; without one, redirect to `there`."""
    form = one_time.take("kept", kept) if kept else None
    if form is None or form.person != frame.actor().id:
        return frame.redirect_to(there)
    return frame.page("auth/go_on.html", {"path": form.content["path"], "fields": form.content["fields"], "files": form.content["files"]})


def _page(who: Actor, kept: str, there: str, error: str | None = None, *, status: int = 200) -> Response:
    back = f"/step-up/go-on?kept={kept}" if kept else there
    context = {"way": confirming.way_of(who), "kept": kept, "next": there, "back": back, "error": error, "dialog": frame.wants_fragment()}
    answer = make_response(frame.render("auth/step_up.html", context, "dialog" if frame.wants_fragment() else None), status)
    answer.headers["Cache-Control"] = "no-store"
    if frame.wants_fragment():
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"], answer.headers["X-Step-Up"] = "#dialog", "innerHTML", "asked"
    return answer


def can_step_up(error: ConsoleError) -> bool:
    """Return whether confirming one's identity would lift this refusal."""
    return error.code == "step_up" and not identity.is_api() and g.get("actor") is not None and current_user.is_authenticated
