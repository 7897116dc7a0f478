"""Senders that are known by the header of their signature: one row each. Others are described by `signature` of the trigger.

Source: the pages on webhooks of all who are named here (2026).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from console.core.signatures import Signature


@dataclass(frozen=True, slots=True)
class Sender:
    """How one signs, and what it wants back.

    `asks`: headers and fields of the body with the value that says that it only asks whether somebody is there; its `challenge` is sent back.
    `reply` is (text, media type) of the answer to a form; without one it sends no forms but JSON in a field.
    """

    name: str
    signature: Signature
    asks: Mapping[str, str] = field(default_factory=dict)
    reply: tuple[str, str] | None = None

    def challenge(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, str] | None:
        """Return what a question is answered with; None for a delivery."""
        if not any(headers.get(name, body.get(name)) == value for name, value in self.asks.items()):
            return None
        return {"challenge": str(body["challenge"])} if "challenge" in body else {}


SENDERS = (
    Sender(
        "GitHub", Signature(header="X-Hub-Signature-256", id="X-GitHub-Delivery"), {"x-github-event": "ping"}
    ),
    Sender("Shopify", Signature(header="X-Shopify-Hmac-Sha256", id="X-Shopify-Event-Id")),
    Sender("Stripe", Signature(header="Stripe-Signature", signed="{time}.{body}", time="t", id="body.id")),
    Sender(
        "Slack",
        Signature(
            header="X-Slack-Signature",
            signed="v0:{time}:{body}",
            time="X-Slack-Request-Timestamp",
            id="body.event_id",
        ),
        {"type": "url_verification", "ssl_check": "1"},
        ("", "text/plain"),
    ),
    Sender(
        "Twilio",
        Signature(
            header="X-Twilio-Signature",
            algorithm="sha1",
            signed="{url}{form}",
            id="I-Twilio-Idempotency-Token",
        ),
        reply=("<Response/>", "text/xml"),
    ),
)
NAMES = ", ".join(sender.name for sender in SENDERS[:-1]) + f" and {SENDERS[-1].name}"


def sender_of(headers: Mapping[str, str]) -> Sender | None:
    """Return who signs like this; None where no header of the table came along."""
    return next((sender for sender in SENDERS if sender.signature.header.lower() in headers), None)
