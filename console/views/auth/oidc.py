"""Sign in through the identity provider, connect an account with it, and confirm one's identity there."""

import logging
from urllib.parse import quote, urlencode, urlsplit

from flask import Blueprint, flash, g, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user

from console.auth import accounts
from console.auth.accounts import confirmation, identities, oidc, provider_sign_in, signing_in, throttle
from console.core.errors import ConsoleError, TooMany
from console.infra import settings
from console.views import frame, identity
from console.views.auth import auth

blueprint = Blueprint("oidc", __name__, url_prefix="/sign-in/oidc")
_log = logging.getLogger(__name__)

KEPT = "oidc"
"""Where the cookie keeps, sealed, what the answers have to fit: the newest departures of its tabs, each beside the beginning of its state."""
TABS, MARK = 3, 12
BARE = 20
"""Callbacks from one address that belong to no sign-in and are events, before the next ones wait; those that belong to one are counted as passwords are."""
MOVED = "moved"
"""Marks an address to which somebody was redirected, so that a proxy that hides the address of the browser makes no circle."""

TITLES = {
    "no_role": "You have no role here yet",
    "not_linked": "This account is not connected",
    "closed": "Your account is closed",
    "no_address": "Your address is not known",
}


@blueprint.get("")
def depart() -> ResponseReturnValue:
    """Redirect to the provider. Signed-in people go there to confirm who they are (`?for=step_up`); connecting begins on their page, by a form."""
    there, purpose = identity.local(request.args.get("next")), request.args.get("for", "sign_in")
    if (ours := _own_address()) is not None:
        return redirect(ours, 303)
    signed_in = current_user.is_authenticated
    if signed_in and purpose == "link":
        return redirect("/settings/me#company-account", 303)
    if signed_in and purpose != "step_up":
        return redirect(there, 303)
    try:
        return redirect(_left("step_up" if signed_in else "sign_in", there), 303)
    except oidc.ProviderRefused as refused:
        return _refused(refused, there)


@blueprint.post("/connect")
def connect() -> ResponseReturnValue:
    """Send to the provider to sign in anew with the account that is to be connected, by a page: forms may lead to no other origin."""
    accounts.require_recent(frame.actor())
    if _own_address() is not None:
        return redirect(f"{settings.current().base_url}/settings/me#company-account", 303)
    try:
        there = _left("link", "/settings/me")
    except oidc.ProviderRefused as refused:
        return _refused(refused, "/settings/me")
    answer = frame.page("auth/to_provider.html", {"there": there})
    answer.headers["Refresh"] = f"0; url={there}"
    return answer


@blueprint.get("/connect")
def confirm_link() -> ResponseReturnValue:
    """Show whose account it is before it is connected (`?account=`, a token)."""
    pending = request.args.get("account", "")
    return frame.page(
        "auth/connect.html", {"account": identities.pending_link(frame.actor(), pending), "pending": pending}
    )


@blueprint.post("/connect/confirm")
def link() -> ResponseReturnValue:
    """Connect the account that was shown."""
    identities.link(frame.actor(), request.form.get("pending", ""))
    flash("Your company account is a way in from now on")
    return redirect("/settings/me#company-account", 303)


@blueprint.get("/callback")
def arrive() -> ResponseReturnValue:
    """Come back from the provider: start a session, or show why there is none."""
    mark, departed, there = request.args.get("state", "")[:MARK], session.get(KEPT, []), "/"
    session[KEPT] = [each for each in departed if each[0] != mark]
    kept = next((sealed for each, sealed in departed if each == mark), "")
    if not kept and current_user.is_authenticated:
        return redirect(there, 303)  # another tab has signed in meanwhile, or who is signed in was sent here
    address, browser = auth.address_and_browser()
    limits = [
        throttle.Limit("callback", address, signing_in.PER_ADDRESS)
        if kept
        else throttle.Limit("bare_callback", address, BARE)
    ]
    if not throttle.take(limits):
        raise TooMany(
            "Too many sign-ins from your address have failed. Wait half a minute and start again.",
            retry_after=throttle.LONGEST_S,
        )
    try:
        arrival = oidc.arrive(kept, request.args)
        there = identity.local(arrival.to)
        answer = _signed_in(arrival, there) if arrival.purpose == "sign_in" else _confirmed(arrival, there)
    except ConsoleError as refused:
        signing_in.refuse(*_reason(refused), address, browser)
        return _refused(refused, there)
    throttle.give_back(limits)
    return answer


def _left(purpose: oidc.Purpose, there: str) -> str:
    """Return the address at the provider, and keep in the cookie what the answer has to fit. Raises `ProviderRefused`."""
    by = current_user.actor.session if purpose != "sign_in" else ""
    left = oidc.depart(_back(), to=there, purpose=purpose, session=by)
    session[KEPT] = [*session.get(KEPT, [])[1 - TABS :], (left.state[:MARK], left.kept)]
    return left.url


def _own_address() -> str | None:
    """Return this address under CONSOLE_BASE_URL, where the browser is at another one: the provider sends people back there, and the cookie has to be there."""
    base = settings.current().base_url
    if base is None or MOVED in request.args or _origin(request.host_url) == _origin(base):
        return None
    return f"{base}{request.path}?{urlencode([*request.args.items(multi=True), (MOVED, '1')])}"


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _signed_in(arrival: oidc.Arrival, there: str) -> ResponseReturnValue:
    """Start a session, and say if the provider did not tell the groups."""
    opened = provider_sign_in.sign_in_identity(arrival, *auth.address_and_browser())
    answer = auth.start_session(opened, there) or redirect("/sign-in", 303)
    if arrival.withheld:
        flash("The identity provider did not tell your groups, so your roles were left as they are")
    return answer


def _confirmed(arrival: oidc.Arrival, there: str) -> ResponseReturnValue:
    """Finish what a signed-in person went to the provider for; it must be the same session."""
    if not current_user.is_authenticated or current_user.actor.session != arrival.session:
        raise oidc.ProviderRefused("You have been signed out in the meantime. Sign in again.", code="state")
    who = current_user.actor
    if arrival.purpose == "link":
        return redirect(f"/sign-in/oidc/connect?account={quote(identities.begin_link(who, arrival))}", 303)
    if identities.person_of(arrival.issuer, arrival.claims["sub"]) != who.id:
        raise oidc.ProviderRefused("You signed in there as somebody else.", code="token")
    confirmation.confirmed(who, "provider")
    identity.renew(proved=True, proved_at=arrival.proved_at)
    return redirect(there, 303)


def _reason(refused: ConsoleError) -> tuple[str, str | None, str]:
    """Return the reason of a refusal for its event, whose account it is about if that is known, and the address that was told."""
    known = refused.extra.get("person") or (current_user.actor.id if current_user.is_authenticated else None)
    return (
        (refused.code if refused.code in TITLES else "provider"),
        known,
        str(refused.extra.get("address", "")),
    )


def _refused(refused: ConsoleError, there: str) -> ResponseReturnValue:
    """Show that the sign-in failed. The details go to the process log, without any text from outside."""
    cause = refused.__cause__
    _log.warning(
        "request %s: the identity provider: %s (%s)",
        g.request_id,
        refused.code,
        type(cause).__name__ if cause else "-",
    )
    context = {
        "title": TITLES.get(refused.code, "Signing in did not work"),
        "message": refused.message,
        "again": f"/sign-in/oidc?next={quote(there, safe='/')}",
        "back": "/settings/me" if current_user.is_authenticated else "/sign-in",
        "request_id": g.request_id,
    }
    answer = make_response(
        render_template("auth/provider.html", **context), 403 if refused.code in TITLES else 422
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _back() -> str:
    """Return the address to which the provider sends people back: from the settings, never from the request."""
    return f"{settings.current().base_url}{blueprint.url_prefix}/callback"
