"""Sign in through the identity provider, connect an account with it, and confirm one's identity there."""

import logging
from urllib.parse import quote

from flask import Blueprint, flash, g, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user

from console import accounts, settings
from console.accounts import confirming, identities, oidc
from console.errors import ConsoleError
from console.views import auth, identity

blueprint = Blueprint("oidc", __name__, url_prefix="/sign-in/oidc")
_log = logging.getLogger(__name__)

KEPT = "oidc"
"""Where the cookie keeps, sealed, what the answers have to fit: the newest departures of its tabs, each beside the beginning of its state."""
TABS, MARK = 3, 12

TITLES = {
    "no_role": "You have no role here yet",
    "not_linked": "Connect your accounts first",
    "closed": "Your account is closed",
    "no_address": "Your address is not known",
}


@blueprint.get("")
def depart() -> ResponseReturnValue:
    """Redirect to the provider. Signed-in people go there to connect (`?for=link`) or to confirm who they are (`?for=step_up`)."""
    there, purpose = identity.local(request.args.get("next")), request.args.get("for", "sign_in")
    if current_user.is_authenticated and purpose not in ("link", "step_up"):
        return redirect(there, 303)
    if not current_user.is_authenticated:
        purpose = "sign_in"
    elif purpose == "link":
        accounts.require_recent(current_user.actor)
    by = current_user.actor.session if purpose != "sign_in" else ""
    try:
        left = oidc.depart(_back(), to=there, purpose=purpose, session=by)  # type: ignore[arg-type]
    except oidc.ProviderRefused as refused:
        return _refused(refused, there)
    session[KEPT] = [*session.get(KEPT, [])[1 - TABS :], (left.state[:MARK], left.kept)]
    return redirect(left.url, 303)


@blueprint.get("/callback")
def arrive() -> ResponseReturnValue:
    """Come back from the provider: start a session, or show why there is none."""
    mark, departed, there = request.args.get("state", "")[:MARK], session.get(KEPT, []), "/"
    session[KEPT] = [each for each in departed if each[0] != mark]
    kept = next((sealed for each, sealed in departed if each == mark), "")
    if not kept and current_user.is_authenticated:
        return redirect(there, 303)  # another tab has signed in meanwhile, or who is signed in was sent here
    try:
        arrival = oidc.arrive(kept, request.args)
        there = identity.local(arrival.to)
        if arrival.purpose == "sign_in":
            opened = identities.sign_in_identity(arrival, *auth.address_and_browser())
            return auth.start_session(opened, there) or redirect("/sign-in", 303)
        return _confirmed(arrival, there)
    except ConsoleError as refused:
        return _refused(refused, there)


def _confirmed(arrival: oidc.Arrival, there: str) -> ResponseReturnValue:
    """Finish what a signed-in person went to the provider for; it must be the same session."""
    if not current_user.is_authenticated or current_user.actor.session != arrival.session:
        raise oidc.ProviderRefused("You have been signed out in the meantime. Sign in again.", code="state")
    who = current_user.actor
    if arrival.purpose == "link":
        identities.link(who, arrival)
        flash("Your company account is a way in from now on")
        return redirect(there, 303)
    if identities.person_of(arrival.issuer, arrival.claims["sub"]) != who.id:
        raise oidc.ProviderRefused("You signed in there as somebody else.", code="token")
    confirming.confirmed(who, "provider")
    identity.renew(proved=True)
    return redirect(there, 303)


def _refused(refused: ConsoleError, there: str) -> ResponseReturnValue:
    """Show that the sign-in failed. The details go to the process log, without any text from outside."""
    cause = refused.__cause__
    _log.warning("request %s: the identity provider: %s (%s)", g.request_id, refused.code, type(cause).__name__ if cause else "-")
    if refused.code in ("state", "replay", "issuer", "code", "token", "no_code", "not_fresh"):
        accounts.note_stranger("provider", *auth.address_and_browser())
    context = {
        "title": TITLES.get(refused.code, "Signing in did not work"),
        "message": refused.message,
        "again": f"/sign-in/oidc?next={quote(there, safe='/')}",
        "back": "/settings/me" if current_user.is_authenticated else "/sign-in",
        "request_id": g.request_id,
    }
    answer = make_response(render_template("auth/provider.html", **context), 403 if refused.code in TITLES else 422)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _back() -> str:
    """Return the address to which the provider sends people back: from the settings, never from the request."""
    return f"{settings.current().base_url}{blueprint.url_prefix}/callback"
