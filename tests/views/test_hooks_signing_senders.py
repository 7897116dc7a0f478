"""Webhooks of senders that sign in their own way, send forms or lists of events, or ask before their first delivery."""

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from console import automation, workflows
from tests.views.test_hooks_odd_senders import PAID, ROBOT, SIGNED, STEPS, Sender, Signer, Told, begun, sender, signer

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


def test_who_signs_as_slack_or_stripe_is_taken_and_late_or_forged_ones_are_not(own: Signer) -> None:
    def slack(body: bytes, at: str) -> dict[str, Any]:
        return {"X_Slack_Request_Timestamp": at, "X_Slack_Signature": f"v0={mac(b'v0:' + at.encode() + b':' + body).hex()}"}

    def stripe(body: bytes, at: str) -> dict[str, Any]:
        return {"Stripe_Signature": f"t={at},v1={mac(at.encode() + b'.' + body).hex()}"}

    for way in (slack, stripe):
        body = json.dumps({"data": {"reason": way.__name__}}).encode()
        assert own.sender.send(own.path, body, **way(body, seconds())).status == 202, way
        for wrong in (way(body, seconds(late=600)), way(body + b" ", seconds()), way(b"", "")):
            assert own.sender.send(own.path, body, **wrong).status == 401, way
    assert len(begun()) == 2


def test_what_is_signed_for_one_sender_is_taken_from_no_other(own: Signer) -> None:
    at = seconds(late=600)
    signed = f"v0:{at}:".encode() + b"command=%2Frefund&text=4711"
    for kind in ("application/x-www-form-urlencoded", "application/json"):
        assert own.sender.send(own.path, signed, kind=kind, X_Hub_Signature_256=f"sha256={mac(signed).hex()}").status == 400
    assert begun() == []


def test_a_program_that_knows_only_an_address_sends_the_key_as_the_password_in_it(client: FlaskClient, sender: Sender) -> None:
    def basic(password: str) -> dict[str, str]:
        return {"Authorization": f"Basic {base64_of(f'key:{password}'.encode())}"}

    path = sender.path("plain")
    right = sender.key
    assert client.post(path, json={"why": "by address"}, headers=basic(right)).status_code == 202
    for wrong in ("", "cns_wrong"):
        assert client.post(path, json={"why": "x"}, headers=basic(wrong)).status_code == 401
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
    assert (flood.status, flood.message) == (401, "The signature does not fit: the body is no form of at most 1,000 fields.")
    joined = b'{"data":{"reason":"joined"}}'
    as_json = own.sender.send(own.path, joined, X_Twilio_Signature=base64_of(mac(address.encode() + joined, "sha1")))
    assert (as_json.status, begun()) == (401, [])
    bare = own.sender.send(own.path, PAID, X_Twilio_Signature=base64_of(mac(address.encode(), "sha1")))
    assert (bare.status, begun()) == (401, []), "the address alone says nothing of a body"


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

    assert slack("command=%2Frefund&text=4711") == (200, "", "text/plain")
    assert slack("command=%2Frefund&text=no") == (200, "", "text/plain")
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


def test_a_list_of_events_starts_a_run_for_each_once_and_one_that_is_wrong_keeps_no_other_out(own: Signer) -> None:
    events: list[dict[str, Any]] = [{"data": {"reason": "a"}}, {"data": {}}, {"data": {"reason": "b"}}]

    def sent(listed: list[dict[str, Any]]) -> Told:
        body = json.dumps(listed).encode()
        return own.sender.send(own.path, body, X_Hub_Signature_256=f"sha256={mac(body).hex()}")

    first = sent(events)
    assert (first.status, [each.get("code") for each in first.body["runs"]]) == (202, [None, "invalid", None])
    again = sent([events[2], events[0]])
    assert [(each["runId"], each["duplicate"]) for each in again.body["runs"]] == [(first.body["runs"][n]["runId"], True) for n in (2, 0)]
    assert [each["why"] for each in begun()] == ["a", "b"]
    assert (sent([events[1]]).status, sent([{"data": {"reason": "a"}}] * 501).status) == (422, 400)


def test_a_list_with_an_idempotency_key_is_started_once(sender: Sender) -> None:
    body = b'[{"why": "a"}, {"why": "b"}]'
    told = [sender.send(sender.path("plain"), body, X_Idempotency_Key="batch-1") for _ in range(2)]
    assert [[each["duplicate"] for each in answer.body["runs"]] for answer in told] == [[False, False], [True, True]]
    assert len(begun()) == 2


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
