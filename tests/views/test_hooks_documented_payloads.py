"""What well-known services send by their own documentation, signed rightly and wrongly: those that are known, and others whose signature the trigger describes."""

import json
from datetime import UTC, datetime
from typing import Any

from flask.testing import FlaskClient

from console import workflows
from console.automation import triggers
from tests.tables import cases
from tests.views.test_hooks_odd_senders import ROBOT, SIGNED, STEPS, Signer, begun, sender, signer
from tests.views.test_hooks_signing_senders import SECRET, base64_of, mac, own, seconds

__all__ = ["own", "sender", "signer"]


def placed(own: Signer, trigger: dict[str, Any], why: str) -> str:
    """The address of a webhook whose run takes this of what is sent."""
    head = {
        "format": 1,
        "slug": "told",
        "title": "Told",
        "team": "operations",
        "run_as": ROBOT,
        "settings": {},
    }
    workflows.import_file(
        head | {"steps": STEPS, "triggers": [trigger | {"input": {"why": why}}]}, publish=True
    )
    if trigger.get("signed"):
        triggers.renew_secret(own.sender.company.mona, "told", "signed", SECRET)
    return own.sender.path(str(trigger["id"]), "told")


TIMED = {"signed": "{time}.{body}", "time": "t"}
DESCRIBED: dict[str, dict[str, Any]] = {
    "Typeform": {"header": "Typeform-Signature", "id": "body.event_id"},
    "Calendly": {"header": "Calendly-Webhook-Signature", **TIMED},
    "HubSpot": {
        "header": "X-HubSpot-Signature-v3",
        "signed": "POST{url}{body}{time}",
        "time": "X-HubSpot-Request-Timestamp",
        "id": "body.eventId",
    },
    "Jira": {"header": "X-Hub-Signature", "id": "X-Atlassian-Webhook-Identifier"},
    "Segment": {"header": "X-Signature", "algorithm": "sha1", "id": "body.messageId"},
    "Zendesk": {
        "header": "X-Zendesk-Webhook-Signature",
        "signed": "{time}{body}",
        "time": "X-Zendesk-Webhook-Signature-Timestamp",
    },
}


def of(name: str, body: bytes, at: str, address: str) -> dict[str, str]:
    """The headers with which the service signs."""
    match name:
        case "Stripe":
            return {"Stripe-Signature": f"t={at},v1={mac(at.encode() + b'.' + body).hex()},v0={'6f' * 32}"}
        case "Shopify":
            return {
                "X-Shopify-Hmac-Sha256": base64_of(mac(body)),
                "X-Shopify-Topic": "orders/create",
                "X-Shopify-Event-Id": "98880550",
            }
        case "GitHub":
            return {
                "X-Hub-Signature": f"sha1={mac(body, 'sha1').hex()}",
                "X-Hub-Signature-256": f"sha256={mac(body).hex()}",
                "X-GitHub-Event": "issues",
                "X-GitHub-Delivery": "72d3162e",
            }
        case "Typeform":
            return {"Typeform-Signature": f"sha256={base64_of(mac(body))}"}
        case "Calendly":
            return {"Calendly-Webhook-Signature": f"t={at},v1={mac(at.encode() + b'.' + body).hex()}"}
        case "HubSpot":
            signed = base64_of(mac(b"POST" + address.encode() + body + f"{at}000".encode()))
            return {
                "X-HubSpot-Signature-v3": signed,
                "X-HubSpot-Request-Timestamp": f"{at}000",
                "X-HubSpot-Signature": "00",
            }
        case "Slack":
            return {
                "X-Slack-Request-Timestamp": at,
                "X-Slack-Signature": f"v0={mac(f'v0:{at}:'.encode() + body).hex()}",
            }
        case "Jira":
            return {"X-Hub-Signature": f"sha256={mac(body).hex()}", "X-Atlassian-Webhook-Identifier": "abc"}
        case "Zendesk":
            moment = datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")
            return {
                "X-Zendesk-Webhook-Signature": base64_of(mac(moment.encode() + body)),
                "X-Zendesk-Webhook-Signature-Timestamp": moment,
            }
        case _:
            return {"X-Signature": mac(body, "sha1").hex()}


@cases(
    ("name", "sent", "why", "means"),
    [
        (
            "Stripe",
            {
                "id": "evt_1",
                "object": "event",
                "type": "charge.succeeded",
                "data": {"object": {"id": "ch_1", "amount": 1999}},
            },
            "input.data.object.id",
            "ch_1",
        ),
        (
            "Shopify",
            {"id": 820982911946154508, "email": "jon@example.com", "line_items": [{"title": "IPod"}]},
            "input.email",
            "jon@example.com",
        ),
        (
            "GitHub",
            {"action": "opened", "issue": {"number": 1, "title": "It broke"}},
            "input.issue.title",
            "It broke",
        ),
        (
            "Typeform",
            {
                "event_id": "01J",
                "event_type": "form_response",
                "form_response": {"answers": [{"type": "text", "text": "Yes"}]},
            },
            "input.form_response.answers[0].text",
            "Yes",
        ),
        (
            "Calendly",
            {"event": "invitee.created", "payload": {"email": "a@b.example", "name": "Ann"}},
            "input.payload.name",
            "Ann",
        ),
        (
            "HubSpot",
            [{"eventId": 1, "objectId": 123, "subscriptionType": "contact.creation", "attemptNumber": 0}],
            "input.subscriptionType",
            "contact.creation",
        ),
        (
            "Slack",
            {
                "token": "x",
                "type": "event_callback",
                "event_id": "Ev1",
                "event": {"type": "message", "text": "hello"},
            },
            "input.event.text",
            "hello",
        ),
        (
            "Jira",
            {"timestamp": 1767225600000, "webhookEvent": "jira:issue_created", "issue": {"key": "OPS-1"}},
            "input.issue.key",
            "OPS-1",
        ),
        (
            "Segment",
            {"type": "track", "event": "Order Completed", "messageId": "m1", "userId": "u1"},
            "input.event",
            "Order Completed",
        ),
        ("Zendesk", {"type": "ticket", "detail": {"subject": "Help"}}, "input.detail.subject", "Help"),
    ],
)
def test_a_service_is_taken_once_by_its_documented_delivery_and_not_with_a_wrong_signature(
    client: FlaskClient, own: Signer, name: str, sent: Any, why: str, means: str
) -> None:
    path = placed(own, SIGNED | ({"signature": DESCRIBED[name]} if name in DESCRIBED else {}), why)
    body, kind = json.dumps(sent).encode(), "application/json; charset=UTF-8"
    headers = of(name, body, seconds(), f"http://localhost{path}")
    before = len(begun("told"))
    first, again = (client.post(path, data=body, content_type=kind, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code, again.get_data(as_text=True).count("true")) == (
        202,
        202,
        1,
    ), first.text
    assert [each["why"] for each in begun("told")[before:]] == [means]
    forged = client.post(path, data=body.replace(b"e", b"a"), content_type=kind, headers=headers)
    assert (forged.status_code, forged.get_json()["code"]) == (401, "not_verified"), name
