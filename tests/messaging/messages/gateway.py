"""An SMS gateway on this machine, and the document that describes it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from console.actions import secret_settings
from console.messaging.messages import channel_settings, outside_addresses
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages import reached
from tests.servers import outside

SECRET = "open-sesame"
TOKEN = "told-by-us"
SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
BODY = {
    "to": "{{ input.to }}",
    "text": "{{ input.text }}",
    "ref": "{{ input.id }}",
    "back": "{{ input.callback }}",
}
CALLBACK = {
    "id": "item.id",
    "message": "item.ref",
    "status": "item.status",
    "delivered": ["delivered"],
    "failed": ["failed", "rejected"],
    "reason": "item.why",
    "from": "item.from",
    "text": "item.text",
}
ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}


@dataclass
class Other:
    """The gateway, the company that sends through it, and the console's clock."""

    company: Company
    server: outside.Receiver
    move: Callable[[timedelta], None]

    def described(
        self, request: Any = None, answer: Any = None, callback: Any = None, path: str = "/messages"
    ) -> None:
        """Save its document: JSON with a nested id, unless told otherwise."""
        asks: dict[str, Any] = {"url": self.server.url + path, "secret": "sms_key", "body": BODY}
        document = {
            "request": asks | (request or {}),
            "answer": answer or {"id": "answer.messages[0].id"},
            "callback": CALLBACK | (callback or {}),
        }
        if document["request"].get("method") == "GET":
            del document["request"]["body"]
        channel_settings.save_gateway(self.company.ines, orjson.dumps(document).decode())

    def answers(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Have it answer every request like this."""
        self.server.answer = lambda _: (status, body, headers)

    def begin(self, contact: str = reached.SAM) -> str:
        """A run that sends one SMS to the contact."""
        return reached.begin(self.company, "hello", contact)

    def line(self, run_id: str) -> Any:
        """Its message."""
        return reached.line(self.company, run_id)

    def later(self, times: int = 1) -> None:
        """Let an hour go by, so often."""
        for _ in range(times):
            self.move(timedelta(hours=1))
            reached.settle()

    def tells(self, body: bytes, query: str = "", kind: str = "application/json", **headers: str) -> int:
        """A callback."""
        path = outside_addresses.callback_path("sms", "gateway") + (f"?{query}" if query else "")
        return web_app().test_client().post(path, data=body, content_type=kind, headers=headers).status_code


@contextmanager
def gateway(company: Company, given_settings: Callable[..., None]) -> Iterator[Other]:
    """Everything while the block lasts; it is not described yet."""
    reached.founded(company)
    with outside.http() as server, reached.clock(reached.NOON) as move:
        given_settings(**reached.real())
        for name, text in (("sms_key", SECRET), ("told_key", TOKEN)):
            secret_settings.save(company.ines, name, text, urlsplit(server.url).netloc)
        reached.workflow("hello", [dict(SMS), dict(ASK)])
        yield Other(company, server, move)
