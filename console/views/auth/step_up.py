"""Confirm one's identity again, then continue the request that required it; nothing that was typed is lost.

The refused form is stored, sealed, for 15 minutes and then sent again. With script this happens in a dialog over the page.
"""

from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, g, make_response, request
from flask_login import current_user

from console.auth.accounts import confirmation, one_time
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.views import frame, identity, saved_forms
from console.views.auth import auth

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
    return _page(frame.actor(), "", _local(request.args.get("next")))


@blueprint.post("")
def prove() -> Response:
    """Check a code or password: if right, continue; if wrong, show the page again."""
    who, kept, there, came = (
        frame.actor(),
        request.form.get("kept", ""),
        _local(request.form.get("next")),
        _local(request.form.get("came")),
    )
    try:
        good = confirmation.prove(who, request.form.get("shown", ""), *auth.address_and_browser())
        error = None if good else WRONG[confirmation.way_of(who)]
    except ConsoleError as refused:
        good, error = False, refused.message
    if not good:
        return _page(who, kept, there, error, came=came, status=422)
    identity.renew(proved=True)
    if frame.wants_fragment():
        answer = make_response("", 204)
        answer.headers["HX-Trigger"] = "confirmed"
        return answer
    return go_on(kept, there, came)


@blueprint.get("/go-on")
def again() -> Response:
    """Come back from the identity provider, or from signing in, to the stored form or the address that was asked for."""
    return go_on(
        request.args.get("kept", ""), _local(request.args.get("next")), _local(request.args.get("came"))
    )


def ask() -> Response:
    """Answer a request that requires confirmation: with the page, or with a dialog over it."""
    who, parts = frame.actor(), urlsplit(request.referrer or "/")
    came = _local(parts.path + (f"?{parts.query}" if parts.query else ""))
    if request.method in ("GET", "HEAD"):
        return _page(who, "", _local(request.full_path.rstrip("?")), came=came, status=403)
    kept = one_time.make("kept", who.id, LASTS, saved_forms.content() | {"came": came})
    return _page(who, kept, "/", came=came, status=403)


def go_on(kept: str, there: str, came: str = "/") -> Response:
    """Send the stored form again; without one, go to `there`: from a page that leads back to where one `came` from, because a download leaves it as it is."""
    if (sent_before := saved_forms.take(kept)) is not None:
        return saved_forms.offered(sent_before)
    found = one_time.find("kept", kept) if kept else None
    form = one_time.take("kept", kept) if found is not None and found.person == frame.actor().id else None
    if form is None:
        if came == "/":
            return frame.redirect_to(there)
        answer = frame.page("auth/on_its_way.html", {"came": came, "there": there})
        answer.headers["Refresh"] = f"0; url={there}"
        return answer
    return frame.page(
        "auth/go_on.html", {name: form.content.get(name) for name in ("path", "fields", "files", "came")}
    )


def _local(path: str | None) -> str:
    """Return the path as `identity.local`; the front page instead of this very page."""
    found = identity.local(path)
    return "/" if urlsplit(found).path.startswith("/step-up") else found


def _page(
    who: Actor, kept: str, there: str, error: str | None = None, *, came: str = "/", status: int = 200
) -> Response:
    back = (
        f"/step-up/go-on?{urlencode({'kept': kept} if kept else {'next': there, 'came': came})}"
        if kept or came != "/"
        else there
    )
    context = {
        "way": confirmation.way_of(who),
        "kept": kept,
        "next": there,
        "came": came,
        "back": back,
        "error": error,
        "dialog": frame.wants_fragment(),
    }
    answer = make_response(
        frame.render("auth/step_up.html", context, "dialog" if frame.wants_fragment() else None), status
    )
    answer.headers["Cache-Control"] = "no-store"
    if frame.wants_fragment():
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"], answer.headers["X-Step-Up"] = (
            "#dialog",
            "innerHTML",
            "asked",
        )
    return answer


def can_step_up(error: ConsoleError) -> bool:
    """Return whether confirming one's identity would lift this refusal."""
    return (
        error.code == "step_up"
        and not identity.is_api()
        and g.get("actor") is not None
        and current_user.is_authenticated
    )
