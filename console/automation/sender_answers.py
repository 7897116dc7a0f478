"""What senders want back: questions that they ask before or between deliveries, which start nothing, and answers that they show or need.

Source: the pages on webhooks of all who are named here (2026).
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.automation.sender_signatures import SLACK, TWILIO, XERO, ZOOM

GITHUB_EVENT = "x-github-event"
WOOCOMMERCE = "WooCommerce asked whether somebody is there, as it does when a webhook is saved. It was answered, and nothing was started."
_ANSWERED = "It was answered, and nothing was started."


@dataclass(frozen=True, slots=True)
class Question:
    """A delivery that starts nothing: `words` say what it was, `back` is what its sender wants back with status 200."""

    words: str
    back: Mapping[str, str] = field(default_factory=dict)


def question(way: str | None, headers: Mapping[str, str], sent: Sequence[Mapping[str, Any]], secret: str) -> Question | None:
    """What a sender asks whose signature fits; None where it has sent a delivery. `way` is the header of its signature, None for Standard Webhooks."""
    if not sent:
        return Question(f"A list without events came, as HubSpot sends to try the address. {_ANSWERED}")
    if headers.get(GITHUB_EVENT) == "ping":
        return Question(f"GitHub asked whether somebody is there (ping). {_ANSWERED}")
    body = sent[0]
    match way:
        case _ if way == SLACK and body.get("type") == "url_verification":
            return Question(_whose("Slack"), {"challenge": str(body.get("challenge", ""))})
        case _ if way == SLACK and body.get("ssl_check") == "1":
            return Question(f"Slack looked at the certificate of the address (ssl_check). {_ANSWERED}")
        case _ if way == ZOOM and body.get("event") == "endpoint.url_validation":
            return Question(_whose("Zoom"), _proof(body, secret))
        case _ if way == XERO and body.get("events") == []:
            return Question(_whose("Xero"))
        case _ if way is not None and body.get("type") == "notification_event" and body.get("topic") == "ping":
            return Question(f"Intercom asked whether somebody is there (ping). {_ANSWERED}")
    return None


def _whose(sender: str) -> str:
    return f"{sender} asked whether the address is its owner's. {_ANSWERED}"


def _proof(body: Mapping[str, Any], secret: str) -> dict[str, str]:
    """The text that Zoom has sent, and the same signed."""
    asked = payload if isinstance(payload := body.get("payload"), Mapping) else {}
    text = str(asked.get("plainToken", ""))
    return {"plainToken": text, "encryptedToken": hmac.digest(secret.encode(), text.encode("utf-8", "surrogatepass"), "sha256").hex()}


def to_form(headers: Mapping[str, str], body: bytes, run: str | None) -> tuple[str, str] | None:
    """(text, media type) of the answer that the sender of a form shows or needs, with status 200; None for the answer that all others have.

    Slack shows the text to whoever typed a command, and takes a press of a button with an empty one; Twilio takes an empty list of what to do.
    """
    if TWILIO in headers:
        return "<Response/>", "text/xml"
    if SLACK not in headers:
        return None
    return "" if b"command=%2F" not in body else "Started." if run else "Nothing was started.", "text/plain"
