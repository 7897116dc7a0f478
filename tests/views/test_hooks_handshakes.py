"""Questions that senders ask a webhook: each is answered as its sender wants, starts nothing, and stands among the firings."""

from typing import Any

from flask.testing import FlaskClient

from tests.tables import cases
from tests.views.test_hooks_odd_senders import PAID, Signer, begun, sender, signer, turned_away
from tests.views.test_hooks_signing_senders import SECRET, base64_of, mac, own, seconds

__all__ = ["own", "sender", "signer"]
FORM = "application/x-www-form-urlencoded"


def signed_by_github(body: bytes, event: str) -> dict[str, Any]:
    return {"X_Hub_Signature_256": f"sha256={mac(body).hex()}", "X_GitHub_Event": event}


def signed_by_slack(body: bytes) -> dict[str, Any]:
    at = seconds()
    return {
        "X_Slack_Request_Timestamp": at,
        "X_Slack_Signature": f"v0={mac(f'v0:{at}:'.encode() + body).hex()}",
    }


def test_a_ping_of_github_is_answered_and_starts_nothing(own: Signer) -> None:
    ping = b'{"zen": "Keep it logically awesome.", "hook_id": 1, "data": {"reason": "ping"}}'
    told = own.sender.send(own.path, ping, **signed_by_github(ping, "ping"))
    assert (told.status, told.body) == (200, {})
    assert begun() == []
    assert turned_away() == [
        "GitHub asked whether somebody is there. It was answered, and nothing was started."
    ]
    assert own.sender.send(own.path, PAID, **signed_by_github(PAID, "push")).status == 202
    forged = signed_by_github(b"other", "ping")
    assert own.sender.send(own.path, ping, **forged).status == 401
    assert len(begun()) == 1


def test_the_question_of_slack_is_answered_with_its_challenge_and_a_forged_one_with_nothing(
    own: Signer,
) -> None:
    asked = b'{"type": "url_verification", "challenge": "3eZbrw1aB", "token": "old"}'
    assert own.sender.send(own.path, asked, **signed_by_slack(asked)).body == {"challenge": "3eZbrw1aB"}
    forged: dict[str, Any] = {"X_Slack_Signature": "v0=0", "X_Slack_Request_Timestamp": seconds()}
    assert own.sender.send(own.path, asked, **forged).status == 401
    assert (begun(), turned_away()[0].split(" asked")[0]) == ([], "Slack")


@cases(
    "headers",
    [
        {"X_Hook_Secret": "b537207f20cbfa02357cf448134da559"},
        {"X_Hub_Signature": "{sha1}"},
        {"X_Xero_Signature": "{base64}"},
        {"X_WC_Webhook_Signature": "{base64}"},
        {"X_Gitlab_Token": SECRET},
        {"X_Vendora_Signature": "{hex}"},
        {"X_Square_HmacSha256_Signature": "{base64}"},
        {},
    ],
)
def test_a_signature_that_nothing_describes_is_refused_and_says_what_to_set(
    own: Signer, headers: dict[str, str]
) -> None:
    right = {
        "{sha1}": f"sha1={mac(PAID, 'sha1').hex()}",
        "{base64}": base64_of(mac(PAID)),
        "{hex}": mac(PAID).hex(),
    }
    signed: dict[str, Any] = {name: right.get(value, value) for name, value in headers.items()}
    told = own.sender.send(own.path, PAID, **signed)
    assert (told.status, begun()) == (401, [])
    assert "say how under “signature” of the trigger" in told.message
    assert turned_away()[-1].startswith(told.message)


def test_questions_without_a_signature_and_by_get_are_not_answered(client: FlaskClient, own: Signer) -> None:
    assert own.sender.send(own.path, b"webhook_id=12", kind=FORM).status == 401
    assert client.get(own.path, query_string={"hub.challenge": "1158201444"}).status_code == 405
    assert (
        client.get(
            own.sender.path("plain"),
            headers={"Authorization": "Basic " + base64_of(f"key:{own.sender.key}".encode())},
        ).status_code
        == 405
    )
    assert own.sender.send(own.path, b"[]", X_Hub_Signature_256=f"sha256={mac(b'[]').hex()}").status == 400
    assert begun() == []
