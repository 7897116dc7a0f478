"""To the identity provider and back: signing in, connecting one's account with it, and showing there again who one is."""

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
"""Where the cookie keeps, sealed, what the answer has to fit."""

TITLES = {
    "no_role": "You have no role here yet",
    "not_linked": "Connect your accounts first",
    "closed": "Your account is closed",
    "no_address": "Your address is not known",
}


@blueprint.get("")
def depart() -> ResponseReturnValue:
    """On to the provider. Who is signed in goes there to connect (`?for=link`) or to show again who they are (`?for=step_up`)."""
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
    session[KEPT] = left.kept
    return redirect(left.url, 303)


@blueprint.get("/callback")
def arrive() -> ResponseReturnValue:
    """Back from the provider: a session, or a page that says why there is none."""
    kept, there = session.pop(KEPT, ""), "/"
    try:
        arrival = oidc.arrive(kept, request.args)
        there = identity.local(arrival.to)
        if arrival.purpose == "sign_in":
            opened = identities.sign_in_identity(arrival, *auth.place())
            return auth.let_in(opened, there) or redirect("/sign-in", 303)
        return _confirmed(arrival, there)
    except ConsoleError as refused:
        return _refused(refused, there)


def _confirmed(arrival: oidc.Arrival, there: str) -> ResponseReturnValue:
    """What somebody came back for who is signed in: the same session has to be at hand."""
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
    """A page of its own; what lies behind is in the process's log, without anything that came from outside."""
    cause = refused.__cause__
    _log.warning("request %s: the identity provider: %s (%s)", g.request_id, refused.code, type(cause).__name__ if cause else "-")
    if refused.code in ("state", "replay", "issuer", "code", "token", "no_code", "not_fresh"):
        accounts.note_stranger("provider", *auth.place())
    told = {
        "title": TITLES.get(refused.code, "Signing in did not work"),
        "message": refused.message,
        "again": f"/sign-in/oidc?next={quote(there, safe='/')}",
        "back": "/settings/me" if current_user.is_authenticated else "/sign-in",
        "request_id": g.request_id,
    }
    answer = make_response(render_template("auth/provider.html", **told), 403 if refused.code in TITLES else 422)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _back() -> str:
    """Our address that the provider sends people to: from the settings, never from what a request says of itself."""
    return f"{settings.current().base_url}{blueprint.url_prefix}/callback"
