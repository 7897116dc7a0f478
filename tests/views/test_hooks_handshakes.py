"""Questions that senders ask a webhook: each is answered as its sender wants, starts nothing, and stands among the firings."""

from typing import Any

from flask.testing import FlaskClient

from tests.tables import cases
from tests.views.test_hooks_odd_senders import PAID, Signer, begun, sender, signer, turned_away
from tests.views.test_hooks_signing_senders import base64_of, mac, own, seconds

__all__ = ["own", "sender", "signer"]
FORM = "application/x-www-form-urlencoded"


def signed_by_github(body: bytes, event: str) -> dict[str, Any]:
    return {"X_Hub_Signature_256": f"sha256={mac(body).hex()}", "X_GitHub_Event": event}


def signed_by_slack(body: bytes) -> dict[str, Any]:
    at = seconds()
    return {"X_Slack_Request_Timestamp": at, "X_Slack_Signature": f"v0={mac(f'v0:{at}:'.encode() + body).hex()}"}


def test_a_ping_of_github_is_answered_and_starts_nothing(own: Signer) -> None:
    ping = b'{"zen": "Keep it logically awesome.", "hook_id": 1, "data": {"reason": "ping"}}'
    told = own.sender.send(own.path, ping, **signed_by_github(ping, "ping"))
    assert (told.status, told.body) == (200, {})
    assert begun() == []
    assert turned_away() == ["GitHub asked whether somebody is there (ping). It was answered, and nothing was started."]
    assert own.sender.send(own.path, PAID, **signed_by_github(PAID, "push")).status == 202
    forged = signed_by_github(b"other", "ping")
    assert own.sender.send(own.path, ping, **forged).status == 401
    assert len(begun()) == 1


def test_a_look_of_slack_at_the_certificate_starts_nothing(own: Signer) -> None:
    body = b"ssl_check=1&token=abc"
    assert own.sender.send(own.path, body, kind=FORM, **signed_by_slack(body)).status == 200
    assert begun() == []
    assert turned_away() == ["Slack looked at the certificate of the address (ssl_check). It was answered, and nothing was started."]


@cases(
    ("body", "words"),
    [
        (b"[]", "A list without events came"),
        (b'{"type": "notification_event", "topic": "ping", "data": {"reason": "x"}}', "Intercom asked whether somebody is there"),
    ],
)
def test_other_questions_that_are_signed_start_nothing(own: Signer, body: bytes, words: str) -> None:
    assert own.sender.send(own.path, body, X_Hub_Signature=f"sha1={mac(body, 'sha1').hex()}").status == 200
    assert begun() == []
    assert turned_away()[-1].startswith(words)


def test_questions_whether_the_address_is_its_owner_s_stand_among_the_firings(own: Signer) -> None:
    asked = b'{"type": "url_verification", "challenge": "3eZbrw1aB"}'
    assert own.sender.send(own.path, asked, **signed_by_slack(asked)).body == {"challenge": "3eZbrw1aB"}
    assert own.sender.send(own.path, b"webhook_id=12", kind=FORM).status == 200
    assert [why.split(" asked")[0] for why in turned_away()] == ["Slack", "WooCommerce"]
    assert own.sender.send(own.sender.path("plain"), b"[]").status == 400, "no sender with a key asks like this"


def test_xero_is_answered_by_its_rules(client: FlaskClient, own: Signer) -> None:
    asked = b'{"events": [], "firstEventSequence": 0, "lastEventSequence": 0, "entropy": "S0m3"}'
    for body, signed, status in ((asked, asked, 200), (PAID, PAID, 200), (PAID, PAID, 200), (asked, b"other", 401), (PAID, b"other", 401)):
        answer = client.post(own.path, data=body, content_type="application/json", headers={"X-Xero-Signature": base64_of(mac(signed))})
        assert (answer.status_code, answer.data, answer.headers.getlist("Set-Cookie")) == (status, b"", [])
    assert len(begun()) == 1
    assert any(why.startswith("Xero asked whether the address is its owner's.") for why in turned_away())


def test_no_answer_of_a_webhook_sets_a_cookie(client: FlaskClient, own: Signer) -> None:
    right = {"X-Hub-Signature-256": f"sha256={mac(PAID).hex()}"}
    answers = [
        client.post(own.path, data=PAID, content_type="application/json", headers=right),
        client.post(own.path, data=PAID, content_type="application/json"),
        client.post(own.path, data=b"webhook_id=1", content_type=FORM),
        client.post("/hooks/none", data=PAID, content_type="application/json"),
        client.get(own.path, query_string={"hub.challenge": "1158201444"}),
        client.get(own.path),
    ]
    assert [answer.status_code for answer in answers] == [202, 401, 200, 400, 200, 405]
    assert not any(answer.headers.getlist("Set-Cookie") for answer in answers)


@cases(
    ("headers", "service"),
    [({"X-Hook-Secret": "b537207f20cbfa02357cf448134da559"}, "Asana"), ({"X-Trello-Webhook": "abc="}, "Trello"), ({"Plaid-Verification": "eyJ.eyJ.x"}, "Plaid"), ({"Paypal-Transmission-Sig": "abc="}, "PayPal")],
)  # fmt: skip
def test_who_cannot_be_checked_reads_by_name_what_to_do_instead(
    client: FlaskClient, own: Signer, headers: dict[str, str], service: str
) -> None:
    for ident in ("signed", "plain"):
        answer = client.post(own.sender.path(ident), json={"a": 1}, headers=headers)
        assert answer.status_code == 401
        assert answer.get_json()["message"].startswith(f"{service} signs in a way that is not checked here: let Zapier"), ident
        assert answer.get_json()["message"] in turned_away()


def test_who_signs_nothing_reads_the_way_out(client: FlaskClient, own: Signer) -> None:
    """Mailgun signs within the body, Adyen within each item, monday.com and Notion ask without a signature."""
    bodies: tuple[dict[str, Any], ...] = (
        {"signature": {"timestamp": "1", "token": "t", "signature": "a"}},
        {"notificationItems": []},
        {"challenge": "abc"},
    )
    for body in bodies:
        message = client.post(own.sender.path("signed"), json=body).get_json()["message"]
        assert "make a webhook with a key, or let Zapier, Make or a program of yours take what it sends" in message
    assert not begun()
