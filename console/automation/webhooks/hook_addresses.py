"""Addresses and signing secrets of webhooks: drawn here, found by a hash, sealed under the master key so that they can be copied again."""

import base64
import hashlib
import re
import secrets
from typing import Any

from console.core.errors import Invalid
from console.infra import subjects

SECRET_BYTES = 24
PREFIX = "whsec_"
PUBLIC_KEY = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"
"""How a public key of the curve P-256 begins in base64, as SendGrid shows it for its webhooks: no secret."""
OTHER_SECRET = re.compile(r"[!-~]{16,200}")
SECRET_SIZES = range(16, 129)
"""Bytes that a secret may have which somebody else made."""


def digest(token: str) -> bytes:
    """What is stored of an address to find it by; the token itself is sealed beside it, to be copied again."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def fresh_token() -> str:
    """The secret part of an address: 256 random bits."""
    return secrets.token_urlsafe(32)


def fresh_secret() -> str:
    """A signing secret as Standard Webhooks writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def checked_secret(given: str) -> str:
    """The secret that a sender has made or was given: as Standard Webhooks writes it (some write `v1,` before it), else any letters, digits and marks. Raises Invalid."""
    text = given.strip().removeprefix("v1,")
    if not text.startswith(PREFIX) and OTHER_SECRET.fullmatch(text) and not is_public_key(text):
        return text
    try:
        size = len(base64.b64decode(text.removeprefix(PREFIX), validate=True))
    except ValueError:
        size = 0
    if not (text.startswith(PREFIX) and size in SECRET_SIZES):
        raise Invalid(
            "This is no signing secret.",
            at=(
                "secret",
                "Copy it from the sender: at least 16 letters, digits and marks, often with whsec_ before them.",
            ),
        )
    return text


def is_public_key(text: str) -> bool:
    """Whether it is a public key, with which nothing may be signed: earlier releases kept SendGrid's."""
    return text.startswith(PUBLIC_KEY)


def seal_token(workflow_id: str, trigger: str, column: str, text: str) -> bytes:
    """A token or secret under the master key, for its own place only."""
    return subjects.wrap(text.encode(), f"trigger|{column}|{workflow_id}|{trigger}")


def open_token(workflow_id: str, trigger: str, column: str, kept: bytes) -> str:
    """The inverse of `sealed`. Raises Unreadable under another master key."""
    return subjects.unwrap(kept, f"trigger|{column}|{workflow_id}|{trigger}").decode()


def with_address(workflow_id: str, trigger: str) -> dict[str, Any]:
    """The columns of a new address."""
    token = fresh_token()
    return {"token": digest(token), "address": seal_token(workflow_id, trigger, "address", token)}
