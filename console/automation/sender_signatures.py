"""Signatures of senders that do not keep to Standard Webhooks, each under the secret as it is written there.

Most are an HMAC-SHA256 of the body, of others also of the moment or of the address; SendGrid signs by a key pair, and GitLab and Telegram send the secret itself.
What is signed by one of them is never a body that another would take: one that has the moment or the address before it is no JSON, and as a form only those are read that sign
forms. Source: the pages "verify webhook deliveries" or the like of all who are named here (2026).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import parse_qsl, urlsplit

TOLERANCE = timedelta(minutes=5)
MOST_FIELDS = 1_000
"""Fields of a form: more are not looked at, neither for their signature."""
TIMELY = re.compile(r"(?:^|[,;]) *ts?=[0-9]{9,11}(?=[,;])")
"""In a header as Stripe has it, and others: `t=SECONDS,v1=HEX`, with several `v1` while secrets are changed; what is signed is the time and the body."""
STRIPE = ("stripe-signature", "calendly-webhook-signature", "paddle-signature")
"""Headers that never come without a time."""
SLACK, ZOOM, HUBSPOT, TWILIO = "x-slack-signature", "x-zm-signature", "x-hubspot-signature-v3", "x-twilio-signature"
BODY_OF_TWILIO = "bodySHA256"
"""In the address to which Twilio sends what is no form: the digest of the body. What is signed is then the address alone."""
SENDGRID, XERO, GITHUB = "x-twilio-email-event-webhook-signature", "x-xero-signature", "x-hub-signature-256"
TIMED: Mapping[str, tuple[str, str]] = {
    SLACK: ("x-slack-request-timestamp", "v0:{time}:{body}"),
    ZOOM: ("x-zm-request-timestamp", "v0:{time}:{body}"),
    HUBSPOT: ("x-hubspot-request-timestamp", "POST{address}{body}{time}"),
    "x-zendesk-webhook-signature": ("x-zendesk-webhook-signature-timestamp", "{time}{body}"),
    "x-webflow-signature": ("x-webflow-timestamp", "{time}:{body}"),
}
"""Header of the signature → header of the moment, and what is signed. HubSpot and Webflow say the moment in milliseconds, Zendesk in ISO 8601, the others in seconds."""
OF_ADDRESS: Mapping[str, str] = {"x-square-hmacsha256-signature": "{address}{body}"}
OF_BODY = re.compile("signature|hmac|payload-digest")
"""In the name of a header with a signature of the body alone, as most have it, whoever they are: in hexadecimal digits or base64, some with the name of the way before it."""
BESIDE = ("-timestamp", "-version", "-algorithm", "-method")
"""Ends of the names of headers that say something about a signature."""
OF_TOKEN = ("x-gitlab-token", "x-telegram-bot-api-secret-token")
"""Headers with the secret itself."""
PUBLIC = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"
"""How a verification key of SendGrid begins: the curve P-256. It is no secret: nothing else may be signed with it."""
NAMED = re.compile(r"[\w-]{1,12}=(?=.)", re.ASCII)
"""What may stand before a signature: `sha256=`, `v1=`."""
DIGESTS = ("sha256", "sha1", "sha512")
UNCHECKED: Mapping[str, str] = {
    "x-signature-ed25519": "Discord", "paypal-transmission-sig": "PayPal", "x-hook-secret": "Asana", "x-trello-webhook": "Trello", "plaid-verification": "Plaid",
    "aeg-event-type": "Azure Event Grid",
}  # fmt: skip
"""Headers of senders whose way of signing, or of asking whose the address is, is not checked here."""
NO_MATCH = "no matching signature found"
NO_KEY = "SendGrid needs its verification key kept here, as its page shows it, and all others need a secret"


def way_of(headers: Mapping[str, str]) -> str | None:
    """The header by which such a sender signs; None where none of them came along."""
    own = next((name for name in (*TIMED, TWILIO, SENDGRID, *OF_ADDRESS, *OF_TOKEN) if name in headers), None)
    return own or next(iter(_of_body(headers)), None)


def _of_body(headers: Mapping[str, str]) -> list[str]:
    """Headers that may have a signature of the body alone, those that are known by their names first."""
    found = [name for name in headers if OF_BODY.search(name) and name not in UNCHECKED and not name.endswith(BESIDE)]
    return sorted(found, key=lambda name: name not in (GITHUB, XERO))


def why_not(headers: Mapping[str, str], body: bytes, secret: str, now: datetime, address: str = "") -> str | None:
    """What is wrong with the signature, empty where it is right; None where no header of such a sender came along. `address` is where the sender has sent it to."""
    way = way_of(headers)
    if way is None:
        return None
    given = headers[way]
    if public(secret) != (way == SENDGRID):
        return NO_KEY
    if way in OF_TOKEN:
        return "" if _same(given, secret) else NO_MATCH
    if way == SENDGRID:
        return _of_key_pair(headers, body, secret, now)
    if way == TWILIO:
        return _of_twilio(given, body, secret, address)
    if way not in TIMED and way not in OF_ADDRESS:
        wrong = [_of_any(name, headers[name], body, secret, now) for name in _of_body(headers)]
        return "" if "" in wrong else wrong[0]
    named, form = TIMED.get(way, ("", OF_ADDRESS.get(way, "")))
    time = headers.get(named, "")
    before, after = (_bytes(part.format(time=time, address=address)) for part in form.split("{body}"))
    return _fits(given, _signed(before + body + after, secret)) or (_late(_seconds(way, time), now) if named else "")


def public(secret: str) -> bool:
    """Whether what is kept as the secret is a verification key."""
    return secret.startswith(PUBLIC)


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


def _of_any(name: str, given: str, body: bytes, secret: str, now: datetime) -> str:
    """The signature of the body in a header of any name."""
    if TIMELY.search(given) or name in STRIPE:
        return _timely(given, body, secret, now)
    return "" if any(not _fits(given, hmac.digest(secret.encode(), body, digest)) for digest in DIGESTS) else NO_MATCH


def _timely(given: str, body: bytes, secret: str, now: datetime) -> str:
    parts = [part.strip().partition("=") for part in given.replace(";", ",").split(",")]
    time = next((value for name, _, value in parts if name in ("t", "ts")), "")
    between = "." if any(name == "t" for name, _, _ in parts) else ":"
    if not (time.isascii() and time.isdigit() and len(time) < 12):
        return "it says no time"
    signed = _signed(f"{time}{between}".encode() + body, secret).hex()
    if not any(_same(value, signed) for name, _, value in parts if name in ("v1", "h1")):
        return NO_MATCH
    return _late(time, now)


def digest_in(address: str) -> str | None:
    """The digest of its body that an address of Twilio's names; None for one of a form."""
    told = [value for name, value in parse_qsl(urlsplit(address).query) if name == BODY_OF_TWILIO]
    return told[0] if len(told) == 1 else None


def _of_twilio(given: str, body: bytes, secret: str, address: str) -> str:
    """As Twilio's own library has it, which takes an address with its port and without it, whichever of both was signed."""
    if (digest := digest_in(address)) is not None and not _same(digest.lower(), hashlib.sha256(body).hexdigest()):
        return "the body is not the one that bodySHA256 in the address stands for"
    if digest is None and body.count(b"&") >= MOST_FIELDS:
        return f"the form has more than {MOST_FIELDS:,} fields"
    values = b"" if digest is not None else _values(body)
    signed = [hmac.digest(secret.encode(), _bytes(each) + values, "sha1") for each in _with_and_without_port(address)]
    return "" if any(not _fits(given, each) for each in signed) else NO_MATCH


def _with_and_without_port(address: str) -> list[str]:
    parts = urlsplit(address)
    host = parts.netloc.removesuffix(f":{parts.port}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return [address, *(address.replace(parts.netloc, each, 1) for each in (host, f"{host}:{port}") if each != parts.netloc)]


def _values(body: bytes) -> bytes:
    """The names and values of a form, in the order of the names."""
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return _bytes("".join(f"{name}{value}" for name, value in sorted(set(pairs))))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _late(time: str, now: datetime) -> str:
    if not (time.isascii() and time.isdigit() and len(time) < 12):
        return "it says no time"
    late = now.timestamp() - int(time)
    return f"message timestamp too {'old' if late > 0 else 'new'}" if abs(late) > TOLERANCE.total_seconds() else ""


def _seconds(way: str, time: str) -> str:
    """The moment in seconds since 1970, empty where it is none."""
    if way in (HUBSPOT, "x-webflow-signature"):
        return time[:-3]
    if not way.startswith("x-zendesk"):
        return time
    try:
        return str(int(datetime.fromisoformat(time).timestamp()))
    except ValueError:
        return ""


def _of_key_pair(headers: Mapping[str, str], body: bytes, key: str, now: datetime) -> str:
    """SendGrid signs the moment and the body by ECDSA; what is kept here is its verification key, in base64."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    time = headers.get("x-twilio-email-event-webhook-timestamp", "")
    try:
        known = load_der_public_key(base64.b64decode(key))
    except ValueError:
        return NO_KEY
    try:
        cast("EllipticCurvePublicKey", known).verify(base64.b64decode(headers[SENDGRID]), _bytes(time) + body, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return NO_MATCH
    return _late(time, now)


def _fits(given: str, signed: bytes) -> str:
    """Empty where one of the signatures that were sent, with commas between, is this one, in hexadecimal digits or base64."""
    written = (signed.hex(), signed.hex().upper(), base64.b64encode(signed).decode())
    sent = [NAMED.sub("", each.strip(), count=1) for each in given.split(",")]
    return "" if any(_same(each, known) for each in sent for known in written) else NO_MATCH


def _signed(text: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), text, "sha256")


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.strip().encode("utf-8", "surrogatepass"), known.encode())
