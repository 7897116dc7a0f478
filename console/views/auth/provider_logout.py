"""Back-channel logout: the identity provider says that somebody has signed out there, and their sessions end here."""

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from console.auth.accounts import provider_logouts, sessions, signing_in, throttle
from console.core.errors import ConsoleError, TooMany

blueprint = Blueprint("provider_logout", __name__)

FREE = 20
"""Tokens from one address that may be wrong before the next ones wait."""


@blueprint.post("/sign-in/oidc/backchannel-logout")
def log_out() -> ResponseReturnValue:
    """End the sessions that `logout_token` names; 400 for one that is not the provider's."""
    limits = [throttle.Limit("logout", request.remote_addr or "", FREE)]
    if not throttle.take(limits):
        raise TooMany("Too many tokens from this address did not fit.", retry_after=throttle.LONGEST_S)
    try:
        sessions.end_at_provider(
            signing_in.STRANGER, provider_logouts.read_logout(request.form.get("logout_token", ""))
        )
    except ConsoleError as refused:
        return jsonify(error="invalid_request", error_description=refused.message), 400
    throttle.give_back(limits)
    return "", 200
