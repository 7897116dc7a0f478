"""Signatures of senders that do not keep to Standard Webhooks: as GitHub, Stripe, Shopify and those who copied them sign.

Each is an HMAC-SHA256 under the secret as it is written. Source: docs.github.com, docs.stripe.com and shopify.dev, "verify webhook deliveries" (2026).
"""

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=5)
STRIPE = "stripe-signature"
OF_BODY = ("x-hub-signature-256", "x-shopify-hmac-sha256", "x-wc-webhook-signature")
"""Headers with a signature of the body alone: GitHub's in hexadecimal digits behind `sha256=`, the others in base64."""


def why_not(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> str | None:
    """What is wrong with the signature, empty where it is right; None where no header of such a sender came along."""
    if STRIPE in headers:
        return _stripe(headers[STRIPE], body, secret, now)
    given = next((headers[name] for name in OF_BODY if name in headers), None)
    if given is None:
        return None
    signed = _signed(body, secret)
    known = (f"sha256={signed.hex()}", base64.b64encode(signed).decode())
    return "" if any(_same(given, each) for each in known) else "no matching signature found"


def _stripe(given: str, body: bytes, secret: str, now: datetime) -> str:
    """`t=SECONDS,v1=HEX`, with several `v1` while secrets are changed; what is signed is the time and the body."""
    parts = [part.strip().partition("=") for part in given.split(",")]
    time = next((value for name, _, value in parts if name == "t"), "")
    if not (time.isascii() and time.isdigit() and len(time) < 12):
        return "it says no time"
    signed = _signed(f"{time}.".encode() + body, secret).hex()
    if not any(_same(value, signed) for name, _, value in parts if name == "v1"):
        return "no matching signature found"
    late = now.timestamp() - int(time)
    if abs(late) > TOLERANCE.total_seconds():
        return f"message timestamp too {'old' if late > 0 else 'new'}"
    return ""


def _signed(text: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), text, "sha256")


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.strip().encode("utf-8", "surrogatepass"), known.encode())
