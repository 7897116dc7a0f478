"""Webhooks of senders that sign in their own way, send forms or lists of events, or ask before their first delivery."""

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from console.automation import triggers
from tests.views.test_hooks_odd_senders import PAID, Sender, Signer, Told, begun, sender, signer

__all__ = ["sender", "signer"]

SECRET = "shpss_0123456789abcdef"


def mac(text: bytes, how: str = "sha256") -> bytes:
    return hmac.digest(SECRET.encode(), text, how)


def base64_of(text: bytes) -> str:
    return base64.b64encode(text).decode()


@pytest.fixture
def own(signer: Signer) -> Signer:
    """A sender with a secret of its own."""
    triggers.renew_secret(signer.sender.company.mona, "call-in", "signed", SECRET)
    return signer


def seconds(late: int = 0) -> str:
    return str(int(datetime.now(UTC).timestamp()) - late)


def test_what_is_signed_for_one_sender_is_taken_from_no_other(own: Signer) -> None:
    at = seconds(late=600)
    signed = f"v0:{at}:".encode() + b"command=%2Frefund&text=4711"
    for kind in ("application/x-www-form-urlencoded", "application/json"):
        assert (
            own.sender.send(
                own.path, signed, kind=kind, X_Hub_Signature_256=f"sha256={mac(signed).hex()}"
            ).status
            == 400
        )
    assert begun() == []


def test_a_program_that_knows_only_an_address_sends_the_key_as_the_password_in_it(
    client: FlaskClient, sender: Sender
) -> None:
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

    address, form = (
        f"http://127.0.0.1:{own.sender.port}{own.path}",
        {"Body": "call me", "From": "+4915112345678", "data": "x"},
    )
    signature = RequestValidator(SECRET).compute_signature(address, form)  # type: ignore[no-untyped-call, unused-ignore]
    kind = "application/x-www-form-urlencoded"
    first = own.sender.send(
        own.path, b"Body=call+me&From=%2B4915112345678&data=x", kind=kind, X_Twilio_Signature=signature
    )
    assert (first.status, first.body["code"]) == (422, "invalid"), (
        "its fields have come: the trigger asks for others"
    )
    moved = own.sender.send(
        own.path, b"Body=call&+meFrom=%2B4915112345678&data=x", kind=kind, X_Twilio_Signature=signature
    )
    assert moved.status == 401, "sorted by their names they are signed otherwise"
    assert (
        own.sender.send(
            own.path, b"Body=call+you&From=%2B4915112345678&data=x", kind=kind, X_Twilio_Signature=signature
        ).status
        == 401
    )
    flood = own.sender.send(
        own.path,
        b"&".join(b"%x=" % number for number in range(150_000)),
        kind=kind,
        X_Twilio_Signature=signature,
    )
    assert (flood.status, flood.message) == (
        401,
        "The signature does not fit: the body is no form of at most 1,000 fields.",
    )
    joined = b'{"data":{"reason":"joined"}}'
    as_json = own.sender.send(
        own.path, joined, X_Twilio_Signature=base64_of(mac(address.encode() + joined, "sha1"))
    )
    assert (as_json.status, begun()) == (401, [])
    bare = own.sender.send(own.path, PAID, X_Twilio_Signature=base64_of(mac(address.encode(), "sha1")))
    assert (bare.status, begun()) == (401, []), "the address alone says nothing of a body"


def test_a_form_with_a_key_is_its_fields(sender: Sender) -> None:
    told = sender.send(
        sender.path("plain"), b"why=%C5%BDydr%C5%ABn%C4%97+%26+co", kind="application/x-www-form-urlencoded"
    )
    assert (told.status, begun()) == (202, [{"why": "Žydrūnė & co"}])
    for body in (b"why=%FF", "&".join(f"n{number}=1" for number in range(2_000)).encode(), b"\xff"):
        assert sender.send(sender.path("plain"), body, kind="application/x-www-form-urlencoded").status == 400


def test_a_list_of_events_starts_a_run_for_each_once_and_one_that_is_wrong_keeps_no_other_out(
    own: Signer,
) -> None:
    events: list[dict[str, Any]] = [{"data": {"reason": "a"}}, {"data": {}}, {"data": {"reason": "b"}}]

    def sent(listed: list[dict[str, Any]]) -> Told:
        body = json.dumps(listed).encode()
        return own.sender.send(own.path, body, X_Hub_Signature_256=f"sha256={mac(body).hex()}")

    first = sent(events)
    assert (first.status, [each.get("code") for each in first.body["runs"]]) == (202, [None, "invalid", None])
    again = sent([events[2], events[0]])
    assert [(each["runId"], each["duplicate"]) for each in again.body["runs"]] == [
        (first.body["runs"][n]["runId"], True) for n in (2, 0)
    ]
    assert [each["why"] for each in begun()] == ["a", "b"]
    assert (sent([events[1]]).status, sent([{"data": {"reason": "a"}}] * 501).status) == (422, 400)
