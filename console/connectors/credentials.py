"""How a server is shown who asks: by a key in a header, as the password of a user, or by a token that an authorization server gives (OAuth 2 client credentials, RFC 6749 section 4.4)."""

import time
from typing import Any

from console.connectors.connections import IN_SETTINGS, MCP, Connection
from console.core.errors import IntegrationError, OutcomeUnknown
from console.infra import subjects
from console.infra.outbound import http_requests, outgoing_secrets
from console.infra.outbound.authlib_session import AuthlibSession

EARLY_S = 30
"""So long before its end a token is not used any more."""
_tokens: dict[tuple[str, bytes | None], tuple[str, float]] = {}


def seal(name: str, secret: str) -> bytes:
    """The secret of a server, sealed for its row."""
    return subjects.wrap(secret.encode(), _about(name))


def headers(connection: Connection, *, renewed: bool = False) -> tuple[dict[str, str], list[str]]:
    """The headers that show who asks, and what of them must not be told on where a server repeats it.

    `renewed`: with a new token, because the last one was refused. Raises IntegrationError.
    """
    secret, auth = _secret(connection), connection.auth
    if secret is None:
        return {}, []
    if auth.get("kind") == "oauth":
        key = (connection.name, connection.sealed)
        token, until = _tokens.get(key, ("", 0.0))
        if renewed or time.time() > until:
            token, until = _tokens[key] = _new_token(auth, secret)
        made, hidden = http_requests.credentials(token, None), [token]
    else:
        user = auth.get("user") if auth.get("kind") == "basic" else None
        made, hidden = http_requests.credentials(secret, auth.get("header"), user), []
    return made, [*hidden, *(value.partition(" ")[2] or value for value in made.values()), secret]


def _secret(connection: Connection) -> str | None:
    """The key, password or client secret. Raises IntegrationError."""
    if connection.auth.get("kind") == IN_SETTINGS:
        return outgoing_secrets.for_address(connection.name, connection.url or "")
    if connection.sealed is None:
        return None
    try:
        return subjects.unwrap(connection.sealed, _about(connection.name)).decode()
    except subjects.Unreadable:
        what = "MCP server" if connection.kind == MCP else "connection"
        raise IntegrationError(
            f"The secret of the {what} {connection.name} was sealed under another master key: set it again.",
            permanent=True,
            code="auth",
        ) from None


def _new_token(auth: Any, secret: str) -> tuple[str, float]:
    """(token, when it is not used any more, in seconds since 1970)."""
    from authlib.oauth2.base import OAuth2Error
    from authlib.oauth2.client import OAuth2Client

    client = OAuth2Client(
        AuthlibSession(), client_id=auth["client_id"], client_secret=secret, scope=auth.get("scope") or None
    )
    try:
        told = client.fetch_token(auth["token_url"], grant_type="client_credentials")
        token, left_s = told["access_token"], float(told.get("expires_in") or 3600)
    except OutcomeUnknown as error:  # a token that nobody got changes nothing
        raise IntegrationError(
            f"{auth['token_url']} did not answer; nothing was sent.", code="unreachable"
        ) from error
    except (OAuth2Error, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise IntegrationError(
            f"{auth['token_url']} gave no token: see whether client id and secret are right.",
            permanent=True,
            code="auth",
        ) from error
    if not (isinstance(token, str) and token and token.isascii() and token.isprintable()):
        raise IntegrationError(
            f"{auth['token_url']} gave a token that cannot be sent.", permanent=True, code="auth"
        )
    return token, time.time() + left_s - EARLY_S


def _about(name: str) -> str:
    return f"connection|sealed|{name}"
