"""Signatures described as data: what fits, what does not, and descriptions that would let anybody in."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from console.core.signatures import MOST_FIELDS, NO_MATCH, TOO_NEW, TOO_OLD, Signature

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
AT = str(int(NOW.timestamp()))
BODY = b'{"a": 1}'
URL = "https://console.example/hooks/x?y=1"


def mac(signed: bytes, how: str = "sha256", secret: str = "secret") -> bytes:
    return hmac.new(secret.encode(), signed, getattr(hashlib, how)).digest()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def stamped(text: str) -> dict[str, str]:
    return {"x-sig": mac(text.encode() + b"." + BODY).hex(), "x-time": text}


TIMED = {"signed": "{time}.{body}", "time": "X-Time"}
ROWS: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({}, {"x-sig": mac(BODY).hex()}, ""),
    ({}, {"x-sig": mac(BODY).hex().upper()}, ""),
    ({}, {"x-sig": f"sha256={mac(BODY).hex()}"}, ""),
    ({}, {"x-sig": b64(mac(BODY))}, ""),
    ({}, {"x-sig": f"v1={'0' * 64}, v1={b64(mac(BODY))}"}, ""),
    ({"algorithm": "sha1"}, {"x-sig": mac(BODY, "sha1").hex()}, ""),
    ({"algorithm": "sha512"}, {"x-sig": b64(mac(BODY, "sha512"))}, ""),
    ({"algorithm": "sha512"}, {"x-sig": mac(BODY).hex()}, NO_MATCH),
    ({}, {}, NO_MATCH),
    ({}, {"x-sig": ""}, NO_MATCH),
    ({}, {"x-sig": "sha256="}, NO_MATCH),
    ({}, {"x-sig": "é"}, NO_MATCH),
    ({}, {"x-sig": mac(BODY).hex()[:40]}, NO_MATCH),
    ({}, {"x-sig": mac(BODY, secret="").hex()}, NO_MATCH),
    ({}, {"x-sig": mac(BODY + b" ").hex()}, NO_MATCH),
    (TIMED, stamped(AT), ""),
    (TIMED, stamped(f"{AT}123"), ""),
    (TIMED, stamped("2026-11-30T12:00:00Z"), ""),
    (TIMED, stamped(str(int(AT) - 299)), ""),
    (TIMED, stamped(str(int(AT) - 301)), TOO_OLD),
    (TIMED, stamped(str(int(AT) + 301)), TOO_NEW),
    (TIMED, stamped("soon"), "it says no time"),
    (TIMED, stamped(""), "it says no time"),
    (TIMED, stamped(AT) | {"x-time": str(int(AT) + 1)}, NO_MATCH),
    (TIMED | {"time": "t"}, {"x-sig": f"t={AT},v1={mac(f'{AT}.'.encode() + BODY).hex()},v0=00"}, ""),
    (TIMED | {"time": "ts"}, {"x-sig": f"ts={AT};h1={mac(f'{AT}.'.encode() + BODY).hex()}"}, ""),
    (
        TIMED | {"time": "t"},
        {"x-sig": f"t={int(AT) - 900},v1={mac(f'{int(AT) - 900}.'.encode() + BODY).hex()}"},
        TOO_OLD,
    ),
    ({"signed": "POST{url}{body}"}, {"x-sig": mac(b"POST" + URL.encode() + BODY).hex()}, ""),
    ({"signed": "{id}.{body}", "id": "X-Id"}, {"x-sig": mac(b"7." + BODY).hex(), "x-id": "7"}, ""),
    ({"signed": "{id}.{body}", "id": "X-Id"}, {"x-sig": mac(b"7." + BODY).hex(), "x-id": "8"}, NO_MATCH),
]


@pytest.mark.parametrize(("how", "headers", "wrong"), ROWS)
def test_a_signature_fits_or_says_why_not(how: dict[str, Any], headers: dict[str, str], wrong: str) -> None:
    assert (
        Signature.model_validate({"header": "X-Sig", **how}).mismatch("secret", headers, BODY, NOW, url=URL)
        == wrong
    )


def test_without_a_secret_nothing_fits() -> None:
    assert (
        Signature.model_validate({"header": "X-Sig"}).mismatch(
            "", {"x-sig": mac(BODY, secret="").hex()}, BODY, NOW
        )
        == NO_MATCH
    )


def test_a_signed_form_is_its_names_and_values_and_no_other_body_is_taken_for_one() -> None:
    how = Signature.model_validate({"header": "X-Sig", "algorithm": "sha1", "signed": "{url}{form}"})
    right = {"x-sig": b64(mac(f"{URL}Acall mebB".encode(), "sha1"))}
    bare = {"x-sig": b64(mac(URL.encode(), "sha1"))}
    assert how.mismatch("secret", right, b"b=B&A=call+me", NOW, url=URL, form=True) == ""
    assert how.mismatch("secret", right, b"b=B&A=call+you", NOW, url=URL, form=True) == NO_MATCH
    assert "no form" in how.mismatch("secret", bare, BODY, NOW, url=URL), (
        "the address alone says nothing of a body"
    )
    assert "no form" in how.mismatch("secret", bare, b"a&" * MOST_FIELDS, NOW, url=URL, form=True)
    assert how.identity(b"b=B&A=call+me") == how.identity(b"A=call%20me&b=B")


@pytest.mark.parametrize(
    "how",
    [
        {"signed": "{time}", "time": "X-Time"},
        {"signed": "{body}", "time": "X-Time"},
        {"signed": "{time}{body}"},
        {"signed": "{id}{body}"},
        {"signed": "{id}{body}", "id": "body.id"},
        {"algorithm": "md5"},
        {"header": "X Sig"},
        {"id": "body.a b"},
        {"more": 1},
    ],
)
def test_a_description_that_leaves_the_body_or_its_time_open_is_none(how: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Signature.model_validate({"header": "X-Sig", **how})
