"""Tokens by which the identity provider says that somebody has signed out there."""

import time
from dataclasses import dataclass
from datetime import timedelta

from console.auth.accounts import oidc, one_time

LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True)
class Logout:
    """Whose sessions end because the provider says so: of the account `subject`, of the provider's session `session`, or of both."""

    issuer: str
    subject: str | None
    session: str | None


def read_logout(text: str) -> Logout:
    """What a token of back-channel logout ends. Raises `ProviderRefused` for one that is not the provider's, not for us, or was used before.

    Source: OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.6.
    """
    there = oidc.provider()
    claims = oidc.signed_claims(there, text, jti={"essential": True})
    subject, session, events = claims.get("sub"), claims.get("sid"), claims.get("events")
    fits = (
        isinstance(events, dict)
        and isinstance(events.get(LOGOUT), dict)
        and "nonce" not in claims
        and (subject or session)
    )
    if (
        not fits
        or claims["iat"] < time.time() - oidc.WAY_S
        or not one_time.is_first_use("state", f"logout {claims['jti']}", timedelta(seconds=2 * oidc.WAY_S))
    ):
        raise oidc.ProviderRefused("The identity provider's token does not fit.", code="token")
    return Logout(there.issuer, subject, session)
