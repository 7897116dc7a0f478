"""Authlib's HTTP client over the one way out: OAuth 2 of identity providers and of other systems."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from console.core.errors import IntegrationError
from console.infra.outbound import net

Send = Callable[[net.Method, str, bytes | None, Mapping[str, str]], net.Answer]


class AuthlibSession:
    """What `OAuth2Client` takes as its session; `send` makes the request, as `net.send` does."""

    def __init__(self, send: Send = net.send) -> None:
        self._send = send

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> "_Response":
        """One request, with our authentication."""
        there, shown, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return _Response(self._send("POST", there, body.encode(), shown))


class _Response:
    """A response in the form that Authlib reads."""

    def __init__(self, answer: net.Answer) -> None:
        self.status_code, self._body = answer.status, answer.body

    def json(self) -> Any:
        """The body."""
        return json.loads(self._body)

    def raise_for_status(self) -> None:
        """Raises IntegrationError for a server that is not well; what it refuses, Authlib reads from the body."""
        if self.status_code >= 400:
            raise IntegrationError(
                "The server that gives tokens is not well at the moment.", code="unreachable"
            )
