"""Signatures of senders that do not keep to Standard Webhooks, each under the secret as it is written there.

Most are an HMAC-SHA256 of the body, of others also of the moment or of the address. What is signed by one of them is never a body that another would take: one that has the moment before it is
no JSON, and as a form only those are read that sign forms. Source: the pages "verify webhook deliveries" or the like of GitHub, Stripe, Shopify, Slack, Twilio, HubSpot, Typeform, Calendly, Linear,
Sentry, PagerDuty, Cal.com, Razorpay, Dropbox and Paddle (2026).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

TOLERANCE = timedelta(minutes=5)
MOST_FIELDS = 1_000
"""Fields of a form: more are not looked at, neither for their signature."""
STRIPE = ("stripe-signature", "calendly-webhook-signature", "paddle-signature")
"""Headers of `t=SECONDS,v1=HEX`, with several `v1` while secrets are changed; what is signed is the time and the body."""
SLACK, HUBSPOT, TWILIO = "x-slack-signature", "x-hubspot-signature-v3", "x-twilio-signature"
GITHUB = "x-hub-signature-256"
OF_BODY = (
    GITHUB, "x-shopify-hmac-sha256", "x-wc-webhook-signature", "typeform-signature", "linear-signature", "sentry-hook-signature", "x-pagerduty-signature", "x-cal-signature-256",
    "x-razorpay-signature", "x-dropbox-signature",
)  # fmt: skip
"""Headers with a signature of the body alone, in hexadecimal digits or base64, some with `sha256=` or `v1=` before it."""
UNCHECKED: Mapping[str, str] = {
    "x-twilio-email-event-webhook-signature": "SendGrid", "x-zm-signature": "Zoom", "x-square-hmacsha256-signature": "Square", "x-gitlab-token": "GitLab",
    "x-signature-ed25519": "Discord", "paypal-transmission-sig": "PayPal", "x-zendesk-webhook-signature": "Zendesk",
}  # fmt: skip
"""Headers of senders whose way of signing is not checked here."""
NO_MATCH = "no matching signature found"


def way_of(headers: Mapping[str, str]) -> str | None:
    """The header by which such a sender signs; None where none of them came along."""
    return next((name for name in (*STRIPE, SLACK, HUBSPOT, TWILIO, *OF_BODY) if name in headers), None)


def why_not(headers: Mapping[str, str], body: bytes, secret: str, now: datetime, address: str = "") -> str | None:
    """What is wrong with the signature, empty where it is right; None where no header of such a sender came along. `address` is where the sender has sent it to."""
    way = way_of(headers)
    if way is None:
        return None
    given = headers[way]
    if way in STRIPE:
        return _stripe(given, body, secret, now)
    if way == SLACK:
        at = headers.get("x-slack-request-timestamp", "")
        return _fits(given, f"v0={_signed(b'v0:' + _bytes(at) + b':' + body, secret).hex()}") or _late(at, now)
    if way == HUBSPOT:
        at = headers.get("x-hubspot-request-timestamp", "")
        signed = _signed(_bytes(f"POST{address}") + body + _bytes(at), secret)
        return _fits(given, base64.b64encode(signed).decode()) or _late(at[:-3], now)
    if way == TWILIO:
        if body.count(b"&") >= MOST_FIELDS:
            return f"the form has more than {MOST_FIELDS:,} fields"
        return _fits(given, base64.b64encode(hmac.digest(secret.encode(), _with_values(address, body), "sha1")).decode())
    signed = _signed(body, secret)
    known = [f"{before}{written}" for written in (signed.hex(), base64.b64encode(signed).decode()) for before in ("", "sha256=", "v1=")]
    return "" if any(_same(each, one) for each in given.split(",") for one in known) else NO_MATCH


def unchecked(headers: Mapping[str, str]) -> str:
    """What to do about a sender that is known to sign otherwise; empty for others."""
    name = next((name for header, name in UNCHECKED.items() if header in headers), "")
    return (
        name
        and f"{name} signs in a way that is not checked here: let Zapier, Make or a program of yours take it, and send it on to a webhook with a key."
    )


def name_of(headers: Mapping[str, str], body: bytes) -> str:
    """By what a delivery is known again: what is signed, for the ids beside it are not. Of Twilio's form the ends of names and values are not signed either."""
    return f"signature {headers[TWILIO]}" if way_of(headers) == TWILIO else f"body {hashlib.sha256(body).hexdigest()}"


def _stripe(given: str, body: bytes, secret: str, now: datetime) -> str:
    parts = [part.strip().partition("=") for part in given.replace(";", ",").split(",")]
    time = next((value for name, _, value in parts if name in ("t", "ts")), "")
    between = "." if any(name == "t" for name, _, _ in parts) else ":"
    if not (time.isascii() and time.isdigit() and len(time) < 12):
        return "it says no time"
    signed = _signed(f"{time}{between}".encode() + body, secret).hex()
    if not any(_same(value, signed) for name, _, value in parts if name in ("v1", "h1")):
        return NO_MATCH
    return _late(time, now)


def _with_values(address: str, body: bytes) -> bytes:
    """The address with the names and values of the form behind it, in the order of the names."""
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return _bytes(address + "".join(f"{name}{value}" for name, value in sorted(set(pairs))))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _late(time: str, now: datetime) -> str:
    if not (time.isascii() and time.isdigit() and len(time) < 12):
        return "it says no time"
    late = now.timestamp() - int(time)
    return f"message timestamp too {'old' if late > 0 else 'new'}" if abs(late) > TOLERANCE.total_seconds() else ""


def _fits(given: str, known: str) -> str:
    return "" if _same(given, known) else NO_MATCH


def _signed(text: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), text, "sha256")


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.strip().encode("utf-8", "surrogatepass"), known.encode())
