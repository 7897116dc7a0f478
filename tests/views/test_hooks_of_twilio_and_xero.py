"""Webhooks of Twilio that are no forms, and the answers that Xero's rules want."""

import hashlib
import json
from typing import Any

from flask.testing import FlaskClient

from console import automation
from tests.views.test_hooks_odd_senders import PAID, Signer, Told, begun, sender, signer, turned_away
from tests.views.test_hooks_signing_senders import SECRET, base64_of, mac, own

__all__ = ["own", "sender", "signer"]
RINGING = json.dumps([{"data": {"reason": "ringing"}, "specversion": "1.0"}]).encode()


def by_twilio(own: Signer, body: bytes, digest: str, address: str = "", kind: str = "application/json") -> Told:
    """A delivery to the address that names this digest; its library is asked whether it would take it."""
    from twilio.request_validator import RequestValidator  # type: ignore[import-untyped, unused-ignore]

    path = f"{own.path}?bodySHA256={digest}"
    address = f"{address or f'http://127.0.0.1:{own.sender.port}'}{path}"
    validator = RequestValidator(SECRET)  # type: ignore[no-untyped-call, unused-ignore]
    signature = validator.compute_signature(address, {})  # type: ignore[no-untyped-call, unused-ignore]
    told = own.sender.send(path, body, kind=kind, X_Twilio_Signature=signature)
    taken = validator.validate(address, body.decode(), signature)  # type: ignore[no-untyped-call, unused-ignore]
    assert taken == (told.status != 401), told.message
    return told


def test_json_of_twilio_is_known_by_the_digest_in_its_address(own: Signer) -> None:
    digest = hashlib.sha256(PAID).hexdigest()
    first = by_twilio(own, PAID, digest)
    assert (first.status, begun()) == (202, [{"why": "paid"}])
    assert by_twilio(own, PAID, digest).body == {"runId": first.body["runId"], "duplicate": True}
    assert by_twilio(own, RINGING, hashlib.sha256(RINGING).hexdigest()).status == 202, "a list of events, as Event Streams send"
    other = by_twilio(own, b'{"data": {"reason": "forged"}}', digest)
    assert other.message == "The signature does not fit: the body is not the one that bodySHA256 in the address stands for."
    unsigned = own.sender.send(f"{own.path}?bodySHA256={digest}", PAID, X_Twilio_Signature=base64_of(mac(b"another address", "sha1")))
    assert (unsigned.status, [each["why"] for each in begun()]) == (401, ["paid", "ringing"])


def test_twilio_may_sign_the_address_with_its_port_or_without_it(client: FlaskClient, own: Signer) -> None:
    digest = hashlib.sha256(PAID).hexdigest()
    for host in ("http://localhost:80", "http://localhost"):
        signature = base64_of(mac(f"{host}{own.path}?bodySHA256={digest}".encode(), "sha1"))
        headers = {"X-Twilio-Signature": signature}
        assert (
            client.post(f"{own.path}?bodySHA256={digest}", data=PAID, content_type="application/json", headers=headers).status_code == 202
        )


def test_whatever_is_wrong_with_a_delivery_of_xero_it_is_answered_200_or_401_without_a_body(client: FlaskClient, own: Signer) -> None:
    def answer(body: bytes, path: str = own.path, signed: bytes | None = None, **more: Any) -> tuple[int, bytes, str | None]:
        headers = {"X-Xero-Signature": base64_of(mac(body if signed is None else signed))}
        told = client.post(path, data=body, headers=headers, **{"content_type": "application/json", **more})
        return told.status_code, told.data, told.headers.get("Content-Type")

    assert answer(b'{"data": {}}') == (200, b"", None), "its signature fits: what the start lacks, Xero cannot mend"
    assert answer(b'"no object"') == (200, b"", None)
    assert answer(b"x" * 1_100_000) == (401, b"", None), "nothing says that it is Xero's"
    assert answer(PAID, content_type="text/plain") == (401, b"", None)
    assert answer(PAID, path="/hooks/none") == (401, b"", None)
    assert (begun(), len(turned_away())) == ([], 4)
    automation.switch(own.sender.company.mona, "call-in", "signed", enabled=False)
    assert answer(PAID) == (401, b"", None)
