"""An SMS gateway on this machine, and the console's page filled in for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from console.actions import secret_settings
from console.core.gateways import Gateway
from console.messages import gateway_setup, outside_addresses
from tests.company import Company
from tests.conftest import web_app
from tests.messages import reached
from tests.servers import outside

SECRET = "open-sesame"
TOKEN = "told-by-us"
SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}


@dataclass
class Other:
    """The gateway, the company that sends through it, and the console's clock."""

    company: Company
    server: outside.Receiver
    move: Callable[[timedelta], None]

    def described(self, **more: str) -> None:
        """Fill in the page: JSON with a nested id, unless told otherwise. `url` is a path here."""
        usual = {
            "url": "/messages",
            "headers": "Authorization: Bearer {secret}",
            "body": '{"to": "{to}", "text": "{text}", "ref": "{id}", "back": "{callback}"}',
        }
        usual |= {
            "secret": "sms_key",
            "on": "on",
            "message_id": "messages.0.id",
            "told_message": "id",
            "told_ours": "ref",
            "told_status": "status",
        }
        typed = Gateway().to_json() | usual | {"told_reason": "why", "in_sender": "from", "in_text": "text", "in_id": "id"} | more
        typed["url"] = self.server.url + typed["url"]
        typed["status_url"] = typed["status_url"] and self.server.url + typed["status_url"]
        gateway_setup.save(self.company.ines, typed)

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

    def tells(self, body: bytes | None = None, query: str = "", **headers: str) -> int:
        """A callback: by GET where it has no body."""
        path = outside_addresses.callback_path("sms", "gateway") + (f"?{query}" if query else "")
        client = web_app().test_client()
        answer = client.get(path, headers=headers) if body is None else client.post(path, data=body, headers=headers)
        return answer.status_code


@contextmanager
def gateway(company: Company, given_settings: Callable[..., None]) -> Iterator[Other]:
    """Everything while the block lasts; its page is not filled in yet."""
    reached.founded(company)
    with outside.http() as server, reached.clock(reached.NOON) as move:
        given_settings(**reached.real())
        for name, text in (("sms_key", SECRET), ("told_key", TOKEN)):
            secret_settings.save(company.ines, name, text, urlsplit(server.url).netloc)
        reached.workflow("hello", [dict(SMS), dict(ASK)])
        yield Other(company, server, move)
