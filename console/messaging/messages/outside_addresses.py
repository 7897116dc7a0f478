"""Addresses that people and programs outside get: where providers call back, and where a reader ends messages. Their tokens cannot be guessed."""

import base64
import hashlib
import hmac

from console.core.errors import NotFound
from console.infra import settings
from console.infra.db.engine import fetch
from console.messaging.messages.message_rows import Message

_SENT_TO = """
select coalesce(m.collection, '@'), coalesce(m.record, encode(m.address, 'hex')) from console.message m
where m.id = %s and (m.record is not null or (m.run is not null and m.address is not null))
"""


def _digest(about: str) -> str:
    made = hmac.new(settings.current().master_key, about.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made[:24]).decode().rstrip("=")


def callback_path(kind: str, provider: str) -> str:
    """Where the provider of this kind calls back, below the console's address."""
    return f"/channels/{kind}/{provider}/{_digest(f'channel|{kind}|{provider}')}"


def callback_url(kind: str, provider: str, message_id: str | None = None) -> str | None:
    """The whole address, for one message where its id is given; None where the console has no address of its own."""
    base = settings.current().base_url
    if base is None or provider == "sandbox":
        return None
    return f"{base}{callback_path(kind, provider)}" + (
        f"?m={message_id}" if message_id and kind == "sms" else ""
    )


def require_callback(kind: str, provider: str, token: str) -> None:
    """Raise NotFound unless this is the address that was given to the provider."""
    if not hmac.compare_digest(
        callback_path(kind, provider).encode(), f"/channels/{kind}/{provider}/{token}".encode()
    ):
        raise NotFound


def unsubscribe_token(message: Message) -> str:
    """What stands in the link of an e-mail: its id and a proof of it."""
    return f"{message.id}.{_digest(f'unsubscribe|{message.id}')}"


def unsubscribe_url(message: Message) -> str | None:
    """The page on which the reader of this message ends messages; None where the console has no address of its own."""
    base = settings.current().base_url
    return f"{base}/unsubscribe/{unsubscribe_token(message)}" if base is not None else None


def contact_behind(token: str) -> tuple[str, str, str]:
    """(collection, record, message) of whom the link was sent to; who has no record is the address (`@`, its digest). Raises NotFound for a link that is not ours."""
    message_id, _, proof = token.partition(".")
    if (
        not hmac.compare_digest(_digest(f"unsubscribe|{message_id}").encode(), proof.encode())
        or "\x00" in token
    ):
        raise NotFound("This link is not in use.")
    rows = fetch(_SENT_TO, (message_id,))
    if not rows:
        raise NotFound("This link is not in use.")
    return rows[0][0], rows[0][1], message_id
