"""Webhooks of senders that sign in their own way, send forms or lists of events, or ask before their first delivery."""

import base64
import hmac
import html
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask.testing import FlaskClient
from standardwebhooks import Webhook

from console import automation, workflows
from tests.conftest import web_app
from tests.views.conftest import signed_in
from tests.views.test_hooks_odd_senders import PLAIN, ROBOT, SIGNED, STEPS, Sender, Signer, Told, begun, sender, signer, turned_away

__all__ = ["sender", "signer"]

SECRET = "shpss_0123456789abcdef"


def mac(text: bytes, how: str = "sha256") -> bytes:
    return hmac.digest(SECRET.encode(), text, how)


def base64_of(text: bytes) -> str:
    return base64.b64encode(text).decode()


@pytest.fixture
def own(signer: Signer) -> Signer:
    """A sender with a secret of its own."""
    automation.renew_secret(signer.sender.company.mona, "call-in", "signed", SECRET)
    return signer


def seconds(late: int = 0) -> str:
    return str(int(datetime.now(UTC).timestamp()) - late)


def test_who_signs_as_slack_calendly_typeform_hubspot_linear_or_pagerduty_is_taken_and_late_or_forged_ones_are_not(own: Signer) -> None:
    address = f"http://127.0.0.1:{own.sender.port}{own.path}"

    def slack(body: bytes, at: str) -> dict[str, Any]:
        return {"X_Slack_Request_Timestamp": at, "X_Slack_Signature": f"v0={mac(b'v0:' + at.encode() + b':' + body).hex()}"}

    def calendly(body: bytes, at: str) -> dict[str, Any]:
        return {"Calendly_Webhook_Signature": f"t={at},v1={mac(at.encode() + b'.' + body).hex()}"}

    def paddle(body: bytes, at: str) -> dict[str, Any]:
        return {"Paddle_Signature": f"ts={at};h1={mac(at.encode() + b':' + body).hex()}"}

    def hubspot(body: bytes, at: str) -> dict[str, Any]:
        signed = mac(b"POST" + address.encode() + body + at.encode() + b"000")
        return {"X_HubSpot_Request_Timestamp": f"{at}000", "X_HubSpot_Signature_v3": base64_of(signed)}

    for way in (slack, calendly, paddle, hubspot):
        body = json.dumps({"data": {"reason": way.__name__}}).encode()
        assert own.sender.send(own.path, body, **way(body, seconds())).status == 202, way
        for wrong in (way(body, seconds(late=600)), way(body + b" ", seconds()), way(b"", "")):
            assert own.sender.send(own.path, body, **wrong).status == 401, way
    bodies: dict[str, Callable[[bytes], str]] = {
        "Typeform_Signature": lambda body: f"sha256={base64_of(mac(body))}", "Linear_Signature": lambda body: mac(body).hex(),
        "X_PagerDuty_Signature": lambda body: f"v1={'0' * 64},v1={mac(body).hex()}",
    }  # fmt: skip
    for name, sign in bodies.items():
        body = json.dumps({"data": {"reason": name}}).encode()
        right: dict[str, Any] = {name: sign(body)}
        forged: dict[str, Any] = {name: sign(body + b" ")}
        assert own.sender.send(own.path, body, **right).status == 202, name
        assert own.sender.send(own.path, body, **forged).status == 401, name
    assert len(begun()) == 7


def test_who_signs_as_zoom_zendesk_square_gitlab_and_others_is_taken_and_late_or_forged_ones_are_not(own: Signer) -> None:
    address = f"http://127.0.0.1:{own.sender.port}{own.path}"

    def zoom(body: bytes, late: int) -> dict[str, Any]:
        return {"X_Zm_Request_Timestamp": (at := seconds(late)), "X_Zm_Signature": f"v0={mac(f'v0:{at}:'.encode() + body).hex()}"}

    def zendesk(body: bytes, late: int) -> dict[str, Any]:
        at = datetime.fromtimestamp(int(seconds(late)), UTC).isoformat().replace("+00:00", "Z")
        return {"X_Zendesk_Webhook_Signature_Timestamp": at, "X_Zendesk_Webhook_Signature": base64_of(mac(at.encode() + body))}

    def square(body: bytes, late: int) -> dict[str, Any]:
        return {"X_Square_HmacSha256_Signature": base64_of(mac(address.encode() + body + b" " * (late > 0)))}

    def gitlab(body: bytes, late: int) -> dict[str, Any]:
        return {"X_Gitlab_Token": SECRET if body and not late else "another"}

    def bitbucket(body: bytes, late: int) -> dict[str, Any]:
        return {"X_Hub_Signature": f"sha256={mac(body + b' ' * (late > 0)).hex()}"}

    def intercom(body: bytes, late: int) -> dict[str, Any]:
        return {"X_Hub_Signature": f"sha1={mac(body + b' ' * (late > 0), 'sha1').hex()}"}

    def docusign(body: bytes, late: int) -> dict[str, Any]:
        return {"X_DocuSign_Signature_1": base64_of(mac(body + b" " * (late > 0)))}

    ways = (zoom, zendesk, square, gitlab, bitbucket, intercom, docusign)
    for way in ways:
        body = json.dumps({"data": {"reason": way.__name__}}).encode()
        assert own.sender.send(own.path, body, **way(body, 0)).status == 202, way
        for wrong in (way(body, 600), way(b"", 0) if way is not gitlab else {}, dict.fromkeys(way(body, 0), "")):
            assert own.sender.send(own.path, body, **wrong).status == 401, way
    assert len(begun()) == len(ways)


def test_a_sender_that_nobody_knows_is_taken_by_its_signature_of_the_body_whatever_its_header_is_called(own: Signer) -> None:
    ways: dict[str, Callable[[bytes], str]] = {
        "X_Vendora_Signature": lambda body: mac(body, "sha512").hex(),
        "Webhook_Signature": lambda body: mac(body).hex(),
        "X_Callback_Hmac": lambda body: base64_of(mac(body, "sha1")),
        "X_Event_Signature": lambda body: f"sha512={mac(body, 'sha512').hex()}",
        "X_Payload_Digest": lambda body: mac(body).hex().upper(),
        "Persona_Signature": lambda body: f"t={(at := seconds())},v1={mac(at.encode() + b'.' + body).hex()}",
        "X_Shop_Hmac_Sha512": lambda body: f"t=1, hmac-sha256={base64_of(mac(body))}",
    }
    for name, sign in ways.items():
        body = json.dumps({"data": {"reason": name}}).encode()
        beside: dict[str, Any] = {"X_Vendora_Signature_Version": "2", "X_Vendora_Signature_Timestamp": "1"}
        right: dict[str, Any] = {name: sign(body)}
        assert own.sender.send(own.path, body, **beside, **right).status == 202, name
        for wrong in (sign(body + b" "), mac(body).hex()[:40], "", "sha256=", hmac.digest(b"", body, "sha256").hex()):
            forged: dict[str, Any] = {name: wrong}
            assert own.sender.send(own.path, body, **beside, **forged).status == 401, name
    unsigned = own.sender.send(own.path, b"{}", **beside)
    assert unsigned.status == 401
    assert "There is no signature" in unsigned.message
    assert len(begun()) == len(ways)


def test_sendgrid_is_checked_by_its_key_and_nothing_else_is_signed_with_it(own: Signer) -> None:
    pair = ec.generate_private_key(ec.SECP256R1())
    public = base64_of(pair.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    body = b'[{"data": {"reason": "bounce"}}]'

    def signed(by: ec.EllipticCurvePrivateKey, late: int = 0) -> dict[str, Any]:
        at = seconds(late)
        signature = base64_of(by.sign(at.encode() + body, ec.ECDSA(hashes.SHA256())))
        return {"X_Twilio_Email_Event_Webhook_Timestamp": at, "X_Twilio_Email_Event_Webhook_Signature": signature}

    assert own.sender.send(own.path, body, **signed(pair)).status == 401, "a secret is kept, and no key"
    automation.renew_secret(own.sender.company.mona, "call-in", "signed", public)
    assert own.sender.send(own.path, body, **signed(pair)).status == 202
    for wrong in (
        signed(pair, 600),
        signed(ec.generate_private_key(ec.SECP256R1())),
        signed(pair) | {"X_Twilio_Email_Event_Webhook_Signature": "?"},
    ):
        assert own.sender.send(own.path, body, **wrong).status == 401
    known = hmac.digest(public.encode(), body, "sha256").hex()  # whoever knows the public key forges nothing by another way
    ways: list[dict[str, Any]] = [{"X_Gitlab_Token": public}, {"X_Hub_Signature_256": known}, {"X_Signature": known}]
    for forged in ways:
        assert own.sender.send(own.path, body, **forged).status == 401, forged
    at, standard = datetime.now(UTC), dict[str, Any]()
    with suppress(ValueError):
        standard = {"webhook_id": "m1", "webhook_timestamp": seconds(), "webhook_signature": Webhook(public).sign("m1", at, body.decode())}
    assert own.sender.send(own.path, body, **standard).status == 401
    assert len(begun()) == 1


def test_a_program_that_knows_only_an_address_sends_the_key_as_the_password_in_it(client: FlaskClient, sender: Sender) -> None:
    def basic(password: str) -> dict[str, str]:
        return {"Authorization": f"Basic {base64_of(f'key:{password}'.encode())}"}

    path = sender.path("plain")
    right = sender.key
    assert client.post(path, json={"why": "by address"}, headers=basic(right)).status_code == 202
    assert client.get(path, headers=basic(right)).status_code == 200, "Mailchimp asks before it keeps an address"
    assert client.head(path, headers=basic(right)).status_code == 200
    for wrong in ("", "cns_wrong"):
        assert client.post(path, json={"why": "x"}, headers=basic(wrong)).status_code == 401
        assert client.get(path, headers=basic(wrong)).status_code == 401
    assert begun() == [{"why": "by address"}]


def test_a_form_of_twilio_is_its_fields_and_one_with_the_bounds_of_its_fields_moved_is_no_second_delivery(
    own: Signer,
) -> None:
    from twilio.request_validator import RequestValidator  # type: ignore[import-untyped, unused-ignore]

    address, form = f"http://127.0.0.1:{own.sender.port}{own.path}", {"Body": "call me", "From": "+4915112345678", "data": "x"}
    signature = RequestValidator(SECRET).compute_signature(address, form)  # type: ignore[no-untyped-call, unused-ignore]
    kind = "application/x-www-form-urlencoded"
    first = own.sender.send(own.path, b"Body=call+me&From=%2B4915112345678&data=x", kind=kind, X_Twilio_Signature=signature)
    assert (first.status, first.body["code"]) == (422, "invalid"), "its fields have come: the trigger asks for others"
    moved = own.sender.send(own.path, b"Body=call&+meFrom=%2B4915112345678&data=x", kind=kind, X_Twilio_Signature=signature)
    assert moved.status == 401, "sorted by their names they are signed otherwise"
    assert own.sender.send(own.path, b"Body=call+you&From=%2B4915112345678&data=x", kind=kind, X_Twilio_Signature=signature).status == 401
    flood = own.sender.send(own.path, b"&".join(b"%x=" % number for number in range(150_000)), kind=kind, X_Twilio_Signature=signature)
    assert (flood.status, flood.message) == (401, "The signature does not fit: the form has more than 1,000 fields.")
    joined = b'{"data":{"reason":"joined"}}'
    as_json = own.sender.send(own.path, joined, X_Twilio_Signature=base64_of(mac(address.encode() + joined, "sha1")))
    assert (as_json.status, begun()) == (400, [])


def test_forms_are_answered_as_their_sender_takes_it(client: FlaskClient, own: Signer) -> None:
    from twilio.request_validator import RequestValidator  # type: ignore[import-untyped, unused-ignore]

    typed = {**SIGNED, "input": {"why": "input.text"}, "filter": "input.text != 'no'"}
    head = {"format": 1, "slug": "typed", "title": "Typed", "team": "operations", "run_as": ROBOT, "settings": {}}
    workflows.import_file({**head, "steps": STEPS, "triggers": [typed]}, publish=True)
    automation.renew_secret(own.sender.company.mona, "typed", "signed", SECRET)
    path, at = own.sender.path("signed", "typed"), seconds()

    def answered(body: str, **headers: str) -> tuple[int, str, str | None]:
        told = client.post(path, data=body, content_type="application/x-www-form-urlencoded", headers=headers)
        return told.status_code, told.text, told.mimetype

    def slack(body: str) -> tuple[int, str, str | None]:
        signed = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={mac(f'v0:{at}:{body}'.encode()).hex()}"}
        return answered(body, **signed)

    assert slack("command=%2Frefund&text=4711") == (200, "Started.", "text/plain"), "shown to whoever typed it"
    assert slack("command=%2Frefund&text=no") == (200, "Nothing was started.", "text/plain")
    assert slack("payload=%7B%22text%22%3A%22pressed%22%7D") == (200, "", "text/plain")
    signature = RequestValidator(SECRET).compute_signature(f"http://localhost{path}", {"text": "rang"})  # type: ignore[no-untyped-call, unused-ignore]
    assert answered("text=rang", **{"X-Twilio-Signature": signature}) == (200, "<Response/>", "text/xml")
    assert begun("typed") == [{"why": "4711"}, {"why": "pressed"}, {"why": "rang"}]


def test_what_is_signed_with_a_moment_before_it_is_no_form_of_somebody_else(own: Signer) -> None:
    body = b'1700000000.{"data": {"reason": "old"}}'
    told = own.sender.send(own.path, body, kind="application/x-www-form-urlencoded", X_Hub_Signature_256=f"sha256={mac(body).hex()}")
    assert (told.status, begun()) == (400, [])


def test_the_json_in_the_one_field_of_a_form_is_the_body(own: Signer) -> None:
    body = b"payload=%7B%22data%22%3A%7B%22reason%22%3A%22pushed%22%7D%7D"
    told = own.sender.send(own.path, body, kind="application/x-www-form-urlencoded", X_Hub_Signature_256=f"sha256={mac(body).hex()}")
    assert (told.status, begun()) == (202, [{"why": "pushed"}])


def test_a_form_with_a_key_is_its_fields(sender: Sender) -> None:
    told = sender.send(sender.path("plain"), b"why=%C5%BDydr%C5%ABn%C4%97+%26+co", kind="application/x-www-form-urlencoded")
    assert (told.status, begun()) == (202, [{"why": "Žydrūnė & co"}])
    for body in (b"why=%FF", "&".join(f"n{number}=1" for number in range(2_000)).encode(), b"\xff"):
        assert sender.send(sender.path("plain"), body, kind="application/x-www-form-urlencoded").status == 400


def in_parts(*parts: tuple[str, str]) -> bytes:
    fields = "".join(f"--b\r\nContent-Disposition: form-data; {name}\r\n\r\n{value}\r\n" for name, value in parts)
    return f"{fields}--b--\r\n".encode()


def test_a_form_in_parts_is_its_fields_as_jotform_and_mailgun_send_it_and_one_with_files_is_not_read(
    client: FlaskClient, sender: Sender
) -> None:
    typed = {**PLAIN, "input": {"why": "input.rawRequest.q3_why"}}
    head = {"format": 1, "slug": "asked", "title": "Asked", "team": "operations", "run_as": ROBOT, "settings": {}}
    workflows.import_file({**head, "steps": STEPS, "triggers": [typed]}, publish=True)
    answers, kind = ('name="rawRequest"', '{"q3_why": "Žydrūnė"}'), "multipart/form-data; boundary=b"
    told = sender.send(sender.path("plain", "asked"), in_parts(('name="formID"', "2311"), answers), kind=kind)
    assert (told.status, begun("asked")) == (202, [{"why": "Žydrūnė"}])
    told = sender.send(sender.path("plain"), in_parts(('name="why"', "a mail & more")), kind=kind)
    assert (told.status, begun()) == (202, [{"why": "a mail & more"}])
    path = sender.path("plain")
    refused = [
        (in_parts(answers, ('name="why"; filename="a.txt"', "x")), 415),
        (in_parts(('name="rawRequest"', "{broken"), ('name="why"', "x")), 400),
        (in_parts(*[(f'name="n{n}"', "x") for n in range(1_100)]), 400),
        (in_parts(('name="why"', "x" * 2_000_000)), 413),
        (b"no parts", 415),
    ]
    assert [sender.send(path, body, kind=kind).status for body, _ in refused] == [status for _, status in refused]
    without_key = client.post(path, data=in_parts(('name="why"', "x")), content_type=kind)
    assert without_key.status_code == 401
    assert len(begun()) == 1


def of_sns(kind: str, **more: str) -> tuple[bytes, dict[str, Any]]:
    """A delivery as Amazon SNS makes it: JSON, sent as plain text."""
    body = json.dumps({"Type": kind, "MessageId": "22b80b92", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:orders", **more})
    return body.encode(), {"kind": "text/plain; charset=UTF-8", "X_Amz_Sns_Message_Type": kind, "X_Amz_Sns_Message_Id": "22b80b92"}


def test_what_amazon_sns_sends_is_taken_once_and_its_question_is_told_to_a_person(client: FlaskClient, sender: Sender) -> None:
    typed = {**PLAIN, "input": {"why": "input.Message.reason"}}
    head = {"format": 1, "slug": "topic", "title": "Topic", "team": "operations", "run_as": ROBOT, "settings": {}}
    workflows.import_file({**head, "steps": STEPS, "triggers": [typed]}, publish=True)
    path = sender.path("plain", "topic")

    def told(kind: str, **more: str) -> Told:
        body, headers = of_sns(kind, **more)
        return sender.send(path, body, **headers)

    confirm = (
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:orders&Token=2336"
    )
    asked = told("SubscriptionConfirmation", SubscribeURL=confirm, Message="You have chosen to subscribe to the topic.")
    assert (asked.status, asked.body["runId"], turned_away()[-1].endswith(f"open this address once: {confirm}")) == (202, None, True)
    for page in ("/workflows/topic/triggers", "/workflows/topic/firings"):
        assert f'href="{html.escape(confirm)}"' in signed_in(web_app(), "mona").get(page).get_data(as_text=True)
    for elsewhere in (
        "https://sns.eu-west-1.amazonaws.com.evil.example/",
        "http://sns.eu-west-1.amazonaws.com/x",
        "javascript:alert(1)",
        "",
    ):
        assert told("SubscriptionConfirmation", SubscribeURL=elsewhere).status == 400
    assert begun("topic") == []
    first, again = (told("Notification", Message='{"reason": "an order"}') for _ in range(2))
    assert (first.status, again.body) == (202, {"runId": first.body["runId"], "duplicate": True})
    assert begun("topic") == [{"why": "an order"}]
    assert told("UnsubscribeConfirmation", SubscribeURL=confirm).body["runId"] is None
    body, headers = of_sns("Notification", Message="{no object")
    assert sender.send(path, body, **{**headers, "X_Amz_Sns_Message_Id": "another"}).status == 422
    assert client.post(path, data=body, content_type=headers["kind"], headers={"X-Amz-Sns-Message-Type": "Notification"}).status_code == 401
    assert sender.send(path, body, kind="text/plain").status == 415


def test_a_list_of_events_starts_a_run_for_each_once_and_one_that_is_wrong_keeps_no_other_out(own: Signer) -> None:
    events: list[dict[str, Any]] = [{"data": {"reason": "a"}, "attemptNumber": 0}, {"data": {}}, {"data": {"reason": "b"}}]

    def sent(listed: list[dict[str, Any]]) -> Told:
        body = json.dumps(listed).encode()
        return own.sender.send(own.path, body, X_Hub_Signature_256=f"sha256={mac(body).hex()}")

    first = sent(events)
    assert (first.status, [each.get("code") for each in first.body["runs"]]) == (202, [None, "invalid", None])
    again = sent([events[2], {**events[0], "attemptNumber": 1}])
    assert [(each["runId"], each["duplicate"]) for each in again.body["runs"]] == [(first.body["runs"][n]["runId"], True) for n in (2, 0)]
    assert [each["why"] for each in begun()] == ["a", "b"]
    assert (sent([events[1]]).status, sent([{"data": {"reason": "a"}}] * 501).status) == (422, 400)


def test_a_list_with_an_idempotency_key_is_started_once(sender: Sender) -> None:
    body = b'[{"why": "a"}, {"why": "b"}]'
    told = [sender.send(sender.path("plain"), body, X_Idempotency_Key="batch-1") for _ in range(2)]
    assert [[each["duplicate"] for each in answer.body["runs"]] for answer in told] == [[False, False], [True, True]]
    assert len(begun()) == 2


def test_woocommerce_may_ask_unsigned_whether_somebody_is_there_and_starts_nothing(own: Signer) -> None:
    kind = "application/x-www-form-urlencoded"
    assert own.sender.send(own.path, b"webhook_id=12", kind=kind).status == 200
    assert own.sender.send(own.path, b"webhook_id=12&why=x", kind=kind).status == 401
    assert own.sender.send(own.sender.path("plain"), b"webhook_id=12", kind=kind).status == 422
    assert begun() == []


def test_a_sender_that_asks_with_a_challenge_is_answered_and_starts_nothing(client: FlaskClient, own: Signer) -> None:
    asked = b'{"type": "url_verification", "challenge": "3eZbrw1aB", "token": "old"}'
    at = seconds()
    signed: dict[str, Any] = {"X_Slack_Request_Timestamp": at, "X_Slack_Signature": f"v0={mac(b'v0:' + at.encode() + b':' + asked).hex()}"}
    told = own.sender.send(own.path, asked, **signed)
    assert (told.status, told.body) == (200, {"challenge": "3eZbrw1aB"})
    assert own.sender.send(own.path, asked, X_Slack_Signature="v0=0").status == 401
    at, asked = seconds(), b'{"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}}'
    zoom: dict[str, Any] = {"X_Zm_Request_Timestamp": at, "X_Zm_Signature": f"v0={mac(f'v0:{at}:'.encode() + asked).hex()}"}
    told = own.sender.send(own.path, asked, **zoom)
    token = "qgg8vlvZRS6UYooatFL8Aw"
    assert (told.status, told.body) == (200, {"plainToken": token, "encryptedToken": mac(token.encode()).hex()})
    assert own.sender.send(own.path, asked, X_Zm_Signature="v0=0", X_Zm_Request_Timestamp=at).status == 401, (
        "nothing is signed for a stranger"
    )
    meta = client.get(own.path, query_string={"hub.mode": "subscribe", "hub.challenge": "1158201444"})
    assert (meta.status_code, meta.text, meta.mimetype) == (200, "1158201444", "text/plain")
    for path, wanted in ((own.path, "<script>"), (own.path, ""), (own.sender.path("plain"), "1158201444")):
        answer = client.get(path, query_string={"challenge": wanted})
        assert (answer.status_code, answer.is_json) == (405, True)
    assert begun() == []


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("key", "status"), [("", 413), ("Bearer cns_wrong", 401)])
def test_a_sender_of_a_body_without_measure_reads_why_it_is_refused(sender: Sender, chunked: bool, key: str, status: int) -> None:
    huge, more = b'{"note":"' + b"x" * 5_000_000 + b'"}', {"Authorization": key} if key else {}
    for _ in range(3):
        told = sender.send(
            sender.path("plain"), iter([huge[at : at + 65_536] for at in range(0, len(huge), 65_536)]) if chunked else huge, chunked, **more
        )
        assert told.status == status
    assert key or told.body["message"] == "The body is larger than 1 MB. Nothing was started."
