"""A provider of payments as tests need it (one that keeps keys, looks up, and can be slow, busy or mute), and a workflow that pays with it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from console import runs, workflows
from console.auth import access
from console.infra import settings
from tests.company import Company
from tests.servers import outside
from tests.servers.outside import Received, Receiver
from tests.support.acting import imported
from tests.support.engine import step

PAY: dict[str, Any] = {
    "format": 1,
    "id": "customer.pay",
    "title": "Pay out",
    "collection": "customer",
    "team": "operations",
    "form": [{"name": "amount", "label": "Amount", "type": "integer", "required": True}],
    "effects": [
        {
            "kind": "http",
            "name": "payment",
            "summary": "Pay through the provider",
            "target": "provider",
            "path": "/payments",
            "body": {"amount": "input.amount", "key": "key"},
            "timeout_s": 1,
            "result": {"payment": "answer.id"},
            "look_up": {
                "path": "/payments",
                "within": "answer.data",
                "where": "item.key == key",
                "result": {"payment": "item.id"},
            },
        }
    ],
    "compensation": {"action": "customer.recall", "values": {"payment": "results.payment.payment"}},
}
RECALL: dict[str, Any] = {
    "format": 1,
    "id": "customer.recall",
    "title": "Recall the payment",
    "collection": "customer",
    "team": "operations",
    "on_records": False,
    "form": [{"name": "payment", "label": "Payment", "type": "text", "required": True}],
    "effects": [
        {
            "kind": "http",
            "name": "recall",
            "summary": "Recall the payment",
            "target": "provider",
            "path": "/recalls",
            "body": {"payment": "input.payment"},
            "timeout_s": 1,
        }
    ],
}


@dataclass
class Provider:
    """What it did, by key; `mood` says how it answers next: good, busy, refuses, mute (does it, and says nothing), deaf (does nothing, says nothing)."""

    receiver: Receiver
    done: dict[str, Any] = field(default_factory=dict)
    mood: str = "good"
    moods: dict[str, str] = field(default_factory=dict)
    held: threading.Event = field(default_factory=threading.Event)

    @property
    def payments(self) -> list[Any]:
        """The amounts that were paid, in order."""
        return [each["amount"] for each in self.done.values() if "amount" in each]

    @property
    def recalls(self) -> list[str]:
        """The payments that were recalled, in order."""
        return [each["payment"] for each in self.done.values() if "payment" in each]

    def asked(self, path: str = "/payments") -> list[str]:
        """The keys of what it was asked to do, as often as it was asked."""
        return [
            each.headers["idempotency-key"]
            for each in self.receiver.received
            if each.method == "POST" and each.path == path
        ]

    def take(self, handler: Any) -> None:
        """Do what one request asks for, once for each key, and answer as the mood is."""
        request = handler.told
        mood = self.moods.get(request.path, self.mood) if request.method == "POST" else "good"
        if mood == "held":
            self.held.wait(30)
            mood = "good"
        status, answer = (
            self._done(request)
            if mood in ("good", "mute")
            else {"busy": (429, {}), "refuses": (422, {"error": "No."})}.get(mood, (0, {}))
        )
        if mood in ("mute", "deaf"):
            handler.close_connection = True
            handler.connection.close()
            return
        body = json.dumps(answer).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _done(self, request: Received) -> tuple[int, Any]:
        if request.method == "GET":
            return 200, {"data": list(self.done.values())}
        key = request.headers["idempotency-key"]
        if key not in self.done:
            self.done[key] = json.loads(request.body) | {"id": f"pay_{len(self.done) + 1}", "key": key}
        return 200, self.done[key]


@contextmanager
def providing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The provider while the block lasts, and the settings that let it be reached."""
    with outside.http() as receiver:
        made = Provider(receiver)
        receiver.raw = made.take
        with monkeypatch.context() as patch:
            patch.setenv("CONSOLE_HTTP_TARGETS", f"provider={receiver.url}")
            settings.current.cache_clear()
            yield made
            made.held.set()
    settings.current.cache_clear()


def paying(
    *,
    by_itself: bool = False,
    error: bool = False,
    slug: str = "paying",
    document: dict[str, Any] = PAY,
    amount: str = "5",
    **more: Any,
) -> None:
    """A workflow over a customer: read this, pay, read that, pay again or end."""
    access.grant("operator", "collection:customer", ["act"], team="operations")
    imported(RECALL, document)
    pay = step("pay", "trigger_action", "after", {"action": document["id"], "values": {"amount": amount}})
    if by_itself:
        pay["completion"] = "automatic"
    if error:
        pay["next"]["error"] = "mend"
    steps = [
        step("start", "start", "look"),
        step("look", "guidance", "pay", {"text": "Look."}),
        pay,
        step("after", "guidance", "end", {"text": "Done."}),
        *([step("mend", "guidance", "end", {"text": "Mend."})] if error else []),
        step("end", "end", None),
    ]
    document = {
        "format": 1,
        "slug": slug,
        "title": slug.title(),
        "team": "operations",
        "collection": "customer",
        "settings": more,
        "steps": steps,
    }
    workflows.import_file(document, publish=True)


def at_pay(company: Company, slug: str = "paying") -> str:
    """A run of Olivia's that stands at the payment, or beyond where that is made by itself."""
    from console import runs

    run_id = runs.start(company.olivia, slug, "customer", "1")
    company.answer(run_id)
    return run_id


def pay(company: Company, run_id: str, amount: int = 5, by: str = "olivia", **more: Any) -> dict[str, Any]:
    """Hand in the payment; the run as it stands then."""
    told = company.told(run_id, by)
    runs.complete(
        company.people[by],
        run_id,
        runs.Submission(step="pay", revision=told["revision"], values={"amount": amount}, **more),
    )
    return company.told(run_id, by)


def effects(told: dict[str, Any]) -> list[tuple[str, str]]:
    """What was asked for, and how it stands."""
    return [(each["summary"], each["status"]) for attempt in told["attempts"] for each in attempt["effects"]]


def back(
    company: Company, run_id: str, step: str = "pay", compensate: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The run again at this step."""
    runs.revise(
        company.olivia, run_id, revision=None, step=step, attempt=None, reason="again", compensate=compensate
    )
    return company.told(run_id)


def made(told: dict[str, Any]) -> list[str]:
    """Ids of what was made, in order."""
    return [
        each["id"]
        for attempt in told["attempts"]
        for each in attempt["effects"]
        if each["status"] == "succeeded"
    ]


def unknown(company: Company, provider: Provider, mood: str = "mute") -> tuple[str, dict[str, Any]]:
    paying()
    run_id = at_pay(company)
    provider.mood = mood
    told = pay(company, run_id)
    provider.mood = "good"
    assert told["current"]["type"] == "settle"
    return run_id, told


def paid(company: Company, provider: Provider, **more: Any) -> str:
    paying(**more)
    run_id = at_pay(company)
    assert pay(company, run_id)["current"]["step"] == "after"
    return run_id
