"""How a server is shown who asks: by a key in a header, or by a token that an authorization server gives (OAuth 2 client credentials, RFC 6749 section 4.4)."""

import time
from typing import Any

from console.connectors.connections import Connection
from console.core.errors import IntegrationError
from console.infra import subjects
from console.infra.outbound import http_requests
from console.infra.outbound.authlib_session import AuthlibSession

EARLY_S = 30
"""So long before its end a token is not used any more."""
_tokens: dict[tuple[str, bytes | None], tuple[str, float]] = {}


def seal(name: str, secret: str) -> bytes:
    """The secret of a server, sealed for its row."""
    return subjects.wrap(secret.encode(), _about(name))


def headers(connection: Connection, *, renewed: bool = False) -> dict[str, str]:
    """The headers that show who asks; `renewed`: with a new token, because the last one was refused. Raises IntegrationError, OutcomeUnknown."""
    if connection.sealed is None:
        return {}
    try:
        secret = subjects.unwrap(connection.sealed, _about(connection.name)).decode()
    except subjects.Unreadable:
        raise IntegrationError(
            f"The secret of the MCP server {connection.name} was sealed under another master key: set it again.",
            permanent=True,
            code="auth",
        ) from None
    if connection.auth.get("kind") != "oauth":
        return http_requests.credentials(secret, connection.auth.get("header"))
    key = (connection.name, connection.sealed)
    token, until = _tokens.get(key, ("", 0.0))
    if renewed or time.time() > until:
        token, until = _tokens[key] = _new_token(connection.auth, secret)
    return http_requests.credentials(token, None)


def secrets_in(shown: dict[str, str]) -> list[str]:
    """What of the headers must not be told on, where a server repeats it."""
    return [value.removeprefix("Bearer ") for value in shown.values()]


def _new_token(auth: Any, secret: str) -> tuple[str, float]:
    """(token, when it is not used any more, in seconds since 1970)."""
    from authlib.oauth2.base import OAuth2Error
    from authlib.oauth2.client import OAuth2Client

    client = OAuth2Client(
        AuthlibSession(), client_id=auth["client_id"], client_secret=secret, scope=auth.get("scope") or None
    )
    try:
        told = client.fetch_token(auth["token_url"], grant_type="client_credentials")
        token, left_s = str(told["access_token"]), float(told.get("expires_in") or 3600)
    except (OAuth2Error, KeyError, TypeError, ValueError) as error:
        raise IntegrationError(
            f"{auth['token_url']} gave no token: see whether client id and secret are right.",
            permanent=True,
            code="auth",
        ) from error
    if not token.isascii() or not token.isprintable():
        raise IntegrationError(
            f"{auth['token_url']} gave a token that cannot be sent.", permanent=True, code="auth"
        )
    return token, time.time() + left_s - EARLY_S


def _about(name: str) -> str:
    return f"connection|sealed|{name}"
