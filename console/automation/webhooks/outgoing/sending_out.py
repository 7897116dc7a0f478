"""One delivery over HTTP: signed as Standard Webhooks, to judged addresses only, and what the other side said in a few words.

Source: https://www.standardwebhooks.com (webhook-id, webhook-timestamp, webhook-signature; several signatures while a secret is changed).
"""

from dataclasses import dataclass
from typing import Literal

from console import log
from console.automation.webhooks.outgoing import subscription_rows
from console.core.errors import IntegrationError, OutcomeUnknown
from console.infra.outbound import net

MOST_SHOWN = 1_000
GONE = 410
Verdict = Literal["taken", "again", "refused", "gone", "address"]
FORBIDDEN = frozenset({"private_address", "not_https", "bad_address"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a try. `again`: it may help to send it again. `error` is for people, `body` the beginning of what was answered, `wait_s` how long it asks to wait."""

    verdict: Verdict
    status: int | None = None
    error: str | None = None
    body: str | None = None
    wait_s: float | None = None


def send(webhook: subscription_rows.Subscription, delivery_id: str, body: bytes) -> Answer:
    """Send it. The same delivery always goes under the same `webhook-id`, so that who gets it twice knows."""
    from standardwebhooks import Webhook  # of those who need it: most processes never do

    at = log.now()
    signatures = [
        Webhook(secret).sign(delivery_id, at, body.decode())
        for secret in subscription_rows.secrets_of(webhook.id)
    ]
    headers = {
        "Content-Type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    try:
        answer = net.send("POST", webhook.url, body, headers)
    except OutcomeUnknown as error:
        return Answer("again", error=error.message)
    except IntegrationError as error:
        return Answer("address" if error.code in FORBIDDEN else "again", error=error.message)
    said = answer.body[:MOST_SHOWN].decode("utf-8", "replace").replace("\x00", "") or None
    if answer.good:
        return Answer("taken", answer.status, body=said)
    if 300 <= answer.status < 400:
        return Answer(
            "refused",
            answer.status,
            "It answered with a redirect, which is not followed: enter the address that it leads to.",
            said,
        )
    words = f"It answered with status {answer.status}."
    if answer.status == GONE:
        return Answer("gone", answer.status, words, said, answer.wait_s)
    return Answer("refused" if answer.permanent else "again", answer.status, words, said, answer.wait_s)
