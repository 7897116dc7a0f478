"""What well-known services send by their own documentation, signed rightly and wrongly: their values are within reach of the trigger."""

import hashlib
import json
from base64 import b64encode
from typing import Any

from flask.testing import FlaskClient

from console import automation, workflows
from tests.tables import cases
from tests.views.test_hooks_odd_senders import PLAIN, ROBOT, SIGNED, STEPS, Signer, begun, sender, signer
from tests.views.test_hooks_signing_senders import SECRET, base64_of, mac, own, seconds

__all__ = ["own", "sender", "signer"]
FORM = "application/x-www-form-urlencoded"


def placed(own: Signer, trigger: dict[str, Any], why: str) -> str:
    """The address of a webhook whose run takes this of what is sent."""
    head = {"format": 1, "slug": "told", "title": "Told", "team": "operations", "run_as": ROBOT, "settings": {}}
    workflows.import_file(head | {"steps": STEPS, "triggers": [trigger | {"input": {"why": why}}]}, publish=True)
    if trigger.get("signed"):
        automation.renew_secret(own.sender.company.mona, "told", "signed", SECRET)
    return own.sender.path(str(trigger["id"]), "told")


def of(name: str, body: bytes, at: str, address: str) -> dict[str, str]:
    """The headers with which the service signs."""
    match name:
        case "Stripe":
            return {
                "Stripe-Signature": f"t={at},v1={mac(at.encode() + b'.' + body).hex()},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"
            }
        case "Shopify":
            return {"X-Shopify-Hmac-Sha256": base64_of(mac(body)), "X-Shopify-Topic": "orders/create", "X-Shopify-Event-Id": "98880550"}
        case "GitHub":
            return {
                "X-Hub-Signature": f"sha1={mac(body, 'sha1').hex()}",
                "X-Hub-Signature-256": f"sha256={mac(body).hex()}",
                "X-GitHub-Event": "issues",
            }
        case "Typeform":
            return {"Typeform-Signature": f"sha256={base64_of(mac(body))}"}
        case "Calendly":
            return {"Calendly-Webhook-Signature": f"t={at},v1={mac(at.encode() + b'.' + body).hex()}"}
        case "HubSpot":
            signed = b64encode(mac(b"POST" + address.encode() + body + f"{at}000".encode())).decode()
            of_old = hashlib.sha256(SECRET.encode() + body).hexdigest()
            return {
                "X-HubSpot-Signature-v3": signed,
                "X-HubSpot-Request-Timestamp": f"{at}000",
                "X-HubSpot-Signature": of_old,
                "X-HubSpot-Signature-Version": "v1",
            }
        case "Slack":
            return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={mac(f'v0:{at}:'.encode() + body).hex()}"}
        case "Jira":
            return {
                "X-Hub-Signature": f"sha256={mac(body).hex()}",
                "X-Atlassian-Webhook-Identifier": "abc",
                "X-Atlassian-Webhook-Retry": "1",
            }
        case _:
            return {"X-Signature": mac(body, "sha1").hex()}


@cases(
    ("name", "sent", "why", "means"),
    [
        ("Stripe", {"id": "evt_1", "object": "event", "type": "charge.succeeded", "data": {"object": {"id": "ch_1", "amount": 1999}}}, "input.data.object.id", "ch_1"),
        ("Shopify", {"id": 820982911946154508, "email": "jon@example.com", "line_items": [{"title": "IPod"}]}, "input.email", "jon@example.com"),
        ("GitHub", {"action": "opened", "issue": {"number": 1, "title": "It broke"}}, "input.issue.title", "It broke"),
        ("Typeform", {"event_id": "01J", "event_type": "form_response", "form_response": {"answers": [{"type": "text", "text": "Yes"}]}}, "input.form_response.answers[0].text", "Yes"),
        ("Calendly", {"event": "invitee.created", "payload": {"email": "a@b.example", "name": "Ann"}}, "input.payload.name", "Ann"),
        ("HubSpot", [{"eventId": 1, "objectId": 123, "subscriptionType": "contact.creation", "attemptNumber": 0}], "input.subscriptionType", "contact.creation"),
        ("Slack", {"token": "x", "type": "event_callback", "event_id": "Ev1", "event": {"type": "message", "text": "hello"}}, "input.event.text", "hello"),
        ("Jira", {"timestamp": 1767225600000, "webhookEvent": "jira:issue_created", "issue": {"key": "OPS-1"}}, "input.issue.key", "OPS-1"),
        ("Segment", {"type": "track", "event": "Order Completed", "messageId": "m1", "userId": "u1"}, "input.event", "Order Completed"),
    ],
)  # fmt: skip
def test_a_service_is_taken_once_by_its_documented_delivery_and_not_with_a_wrong_signature(
    client: FlaskClient, own: Signer, name: str, sent: Any, why: str, means: str
) -> None:
    path = placed(own, SIGNED, why)
    body, kind = json.dumps(sent).encode(), "application/json; charset=UTF-8"
    headers = of(name, body, seconds(), f"http://localhost{path}")
    before = len(begun("told"))
    first, again = (client.post(path, data=body, content_type=kind, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code, again.get_data(as_text=True).count("true")) == (202, 202, 1), first.text
    assert [each["why"] for each in begun("told")[before:]] == [means]
    forged = client.post(path, data=body.replace(b"e", b"a"), content_type=kind, headers=headers)
    assert (forged.status_code, forged.get_json()["code"]) == (401, "not_verified"), name


def test_mailchimp_asks_by_get_and_sends_forms_whose_names_have_brackets(client: FlaskClient, own: Signer) -> None:
    path = placed(own, PLAIN, 'input["data[merges][FNAME]"]')
    key = {"Authorization": "Basic " + base64_of(f"key:{own.sender.key}".encode())}
    body = "type=subscribe&fired_at=2026-03-26+21%3A35%3A57&data%5Bid%5D=8a25ff1d98&data%5Bemail%5D=api%40mailchimp.com&data%5Bmerges%5D%5BFNAME%5D=Ann"
    assert client.get(path, headers=key).status_code == 200
    assert client.post(path, data=body, content_type=FORM, headers=key).status_code == 202
    assert begun("told") == [{"why": "Ann"}]
    wrong = {"Authorization": "Basic " + base64_of(b"key:cns_wrong")}
    assert [client.get(path, headers=wrong).status_code, client.post(path, data=body, content_type=FORM, headers=wrong).status_code] == [
        401,
        401,
    ]
