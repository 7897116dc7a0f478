"""Slack, Zendesk and a REST API behind OAuth 2, as far as connectors ask them: each answers as its makers document, and can be slow, mute or elsewhere."""

import base64
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from tests.servers import outside
from tests.servers.outside import Received, Receiver

Answer = tuple[int, Any]
SLACK_TOKEN = "xoxb-9876543210-abc"
ZENDESK_USER, ZENDESK_TOKEN = "robot@example.com/token", "zd_9876543210"
CLIENT, CLIENT_SECRET = "handrail", "oauth_9876543210"
SLOW_S = 3.0
TICKET = {"subject": "No parcel", "status": "open", "priority": "normal", "tags": ["post"]}


@dataclass
class Api:
    """A system. `mood` says how it answers what changes something: good, mute (does it, and says nothing), deaf (does nothing, says nothing), slow (drips its
    answer), elsewhere (a redirect), page (a web page with status 200), broken (status 500, and did nothing), busy (status 429).
    """

    receiver: Receiver
    mood: str = "good"
    leaks: bool = False
    done: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return self.receiver.url

    def answered(self, request: Received) -> Answer:
        """What is done and answered where all is well."""
        raise NotImplementedError

    def take(self, handler: Any) -> None:
        """Answer one request as the mood is; where it leaks, it repeats the credentials."""
        request: Received = handler.told
        mood = "good" if request.method == "GET" or "token" in request.path else self.mood
        if mood == "deaf":
            handler.close_connection = True
            return
        canned: dict[str, Answer] = {
            "elsewhere": (302, {}),
            "page": (200, "<!doctype html><title>Sign in</title>"),
            "broken": (500, {"error": "internal"}),
            "busy": (429, {}),
        }
        status, said = canned[mood] if mood in canned else self.answered(request)
        if mood == "mute":
            handler.close_connection = True
            return
        if self.leaks and isinstance(said, dict):
            said = {**said, "you_sent": request.headers.get("authorization")}
        body = (said if isinstance(said, str) else json.dumps(said)).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        if mood == "elsewhere":
            handler.send_header("Location", f"{self.url}/elsewhere")
        handler.end_headers()
        if mood == "slow":
            for byte in body[:3]:
                time.sleep(SLOW_S / 2)
                handler.wfile.write(bytes([byte]))
            handler.close_connection = True
            return
        handler.wfile.write(body)


class Slack(Api):
    """`auth.test`, `chat.postMessage`, `conversations.history` and `users.lookupByEmail`: what it refuses has status 200 and `ok: false`."""

    error = ""

    def answered(self, request: Received) -> Answer:
        """As https://docs.slack.dev/reference/methods says."""
        parts = urlsplit(request.path)
        query = dict(parse_qsl(parts.query))
        if request.headers.get("authorization") != f"Bearer {SLACK_TOKEN}":
            return 200, {"ok": False, "error": "invalid_auth"}
        match parts.path:
            case "/auth.test":
                return 200, {"ok": True, "team": "Example", "user": "handrail"}
            case "/chat.postMessage":
                sent = json.loads(request.body)
                if self.error or not sent["channel"].startswith("C"):
                    return 200, {"ok": False, "error": self.error or "channel_not_found"}
                made = {**sent, "ts": f"1700000000.{len(self.done):06}"}
                self.done.append(made)
                return 200, {"ok": True, "channel": sent["channel"], "ts": made["ts"], "message": made}
            case "/conversations.history":
                found = [each for each in reversed(self.done) if each["channel"] == query["channel"]]
                shown = [{"ts": each["ts"], "metadata": each["metadata"]} for each in found]
                return 200, {"ok": True, "messages": shown, "has_more": False}
            case "/users.lookupByEmail":
                if query["email"] != "mona@example.com":
                    return 200, {"ok": False, "error": "users_not_found"}
                return 200, {"ok": True, "user": {"id": "U1", "name": "mona"}}
        return 200, {"ok": False, "error": "unknown_method"}


@dataclass
class Zendesk(Api):
    """Tickets with their audits; a change carries metadata to its audit."""

    tickets: dict[int, dict[str, Any]] = field(default_factory=lambda: {7: {"id": 7, **TICKET}})

    def answered(self, request: Received) -> Answer:
        """As https://developer.zendesk.com/api-reference/ticketing/ says."""
        shown = base64.b64encode(f"{ZENDESK_USER}:{ZENDESK_TOKEN}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {shown}":
            return 401, {"error": "Couldn't authenticate you"}
        parts = urlsplit(request.path)
        if parts.path == "/api/v2/users/me.json":
            return 200, {"user": {"id": 1}}
        if parts.path == "/api/v2/search.json":
            words = parse_qs(parts.query)["query"][0]
            found = [each for each in self.tickets.values() if f"status:{each['status']}" in words]
            return 200, {"results": found, "count": len(found), "next_page": None}
        named = re.fullmatch(r"/api/v2/tickets/([0-9]+)(/audits)?\.json", unquote(parts.path))
        ticket = self.tickets.get(int(named[1])) if named else None
        if named is None or ticket is None:
            return 404, {"error": "RecordNotFound", "description": "Not found"}
        if named[2]:
            return 200, {"audits": self.done[::-1], "meta": {"has_more": False}}
        if request.method == "GET":
            return 200, {"ticket": ticket}
        sent = json.loads(request.body)["ticket"]
        if ticket["status"] == "closed":
            return 422, {"error": "RecordInvalid", "description": "Status: closed prevents ticket update"}
        self.done.append(
            {
                "ticket_id": ticket["id"],
                "metadata": {"custom": sent.pop("metadata", {}), "system": {}},
                "comment": sent.pop("comment", None),
                "changed": sent,
            }
        )
        ticket.update(sent)
        return 200, {"ticket": ticket, "audit": self.done[-1]}


@dataclass
class Rest(Api):
    """Customers behind OAuth 2 client credentials. `left` is for how many requests each token is good, None: for ever; `tokens` are those that it gave."""

    left: int | None = None
    tokens: dict[str, int] = field(default_factory=dict)
    token_mood: str = "good"
    lock: Any = field(default_factory=threading.Lock)

    def answered(self, request: Received) -> Answer:
        """As RFC 6749 section 4.4 says, with the client in the header or the body."""
        if request.path == "/token":
            return self._token(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        with self.lock:
            known = self.tokens.get(token)
            if known is None or (self.left is not None and known >= self.left):
                return 401, {"error": "invalid_token"}
            self.tokens[token] += 1
        if request.method == "GET":
            return 200, {"path": request.path, "name": "Ada"}
        self.done.append({"method": request.method, "path": request.path, "body": request.body.decode()})
        return 200, {"id": len(self.done)}

    def _token(self, request: Received) -> Answer:
        sent, basic = dict(parse_qsl(request.body.decode())), request.headers.get("authorization", "")
        told = (
            base64.b64decode(basic[6:]).decode()
            if basic.startswith("Basic ")
            else f"{sent.get('client_id')}:{sent.get('client_secret')}"
        )
        if unquote(told) != f"{CLIENT}:{CLIENT_SECRET}" or sent.get("grant_type") != "client_credentials":
            return 401, {"error": "invalid_client"}
        token = f"at_{secrets.token_hex(12)}"
        self.tokens[token] = 0
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600}


@contextmanager
def slack() -> Iterator[Slack]:
    """Slack while the block lasts."""
    with outside.http() as receiver:
        yield _listening(Slack(receiver))


@contextmanager
def zendesk() -> Iterator[Zendesk]:
    """Zendesk while the block lasts."""
    with outside.http() as receiver:
        yield _listening(Zendesk(receiver))


@contextmanager
def rest() -> Iterator[Rest]:
    """The REST API while the block lasts."""
    with outside.http() as receiver:
        yield _listening(Rest(receiver))


def _listening(api: Any) -> Any:
    api.receiver.raw = api.take
    return api
