"""What comes back by mail: reports that a message did not arrive, and answers of people, told apart and matched to our message by its own id.

Source: RFC 3464 (delivery status), RFC 3834 (automatic answers).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parseaddr

LONGEST_REASON = 300
_OURS = re.compile(r"<(msg_[0-9a-z]{26})@")
_CARRIERS = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report about a message of ours: `failed` where it is final, `reason` in the words of the mail server, one line."""

    message_id: str
    failed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A mail that a person wrote: the sender's address, the plain text, and the id that the mail has by itself."""

    sender: str
    text: str
    mail_id: str


def read(raw: bytes) -> Bounce | Answer | None:
    """What a mail tells; None for one that nobody wrote and that reports on no message of ours, such as an automatic answer."""
    mail = message_from_bytes(raw, policy=policy.default)
    reported = [part for part in mail.walk() if part.get_content_type() == "message/delivery-status"]
    if reported:
        ours = _about(mail)
        return None if ours is None else _bounce(ours, reported)
    sender = parseaddr(str(mail.get("From", "")))[1]
    automatic = str(mail.get("Auto-Submitted", "no")).strip().casefold() != "no" or str(mail.get("Return-Path", "")).strip() == "<>"
    if automatic or "@" not in sender:
        return None
    return Answer(sender[:200], _text(mail), str(mail.get("Message-ID", "")).strip()[:200])


def _about(mail: EmailMessage) -> str | None:
    """Our id of the message that is sent back, whole or by its head; else the one that the report says it answers."""
    told = [
        str(part.get_payload(0) if part.is_multipart() else part.get_payload())
        for part in mail.walk()
        if part.get_content_type() in _CARRIERS
    ]
    told += [str(mail.get(name, "")) for name in ("In-Reply-To", "References")]
    found = next((match for text in told if (match := _OURS.search(text))), None)
    return found[1] if found else None


def _bounce(message_id: str, reported: Sequence[Message]) -> Bounce:
    reports = [block for part in reported for block in _blocks(part) if block.get("Action")]
    failed = next((block for block in reports if str(block["Action"]).strip().casefold() == "failed"), None)
    if failed is None:
        return Bounce(message_id, failed=False, reason="")
    status = str(failed.get("Status", "")).strip()
    said = str(failed.get("Diagnostic-Code", "")).partition(";")[2] or str(failed.get("Diagnostic-Code", ""))
    words = " ".join("".join(char if char.isprintable() else " " for char in said).split())
    reason = words if status in words else f"{status} {words}".strip()
    return Bounce(message_id, failed=True, reason=(reason or "No reason was given.")[:LONGEST_REASON])


def _blocks(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    yield from (block for block in payload if isinstance(block, Message)) if isinstance(payload, list) else ()


def _text(mail: EmailMessage) -> str:
    """What was written, without the lines of ours that an answer repeats."""
    body = mail.get_body(("plain",))
    try:
        text = str(body.get_content()) if body is not None else ""
    except (LookupError, ValueError):
        return ""
    return "\n".join(line for line in text.splitlines() if not line.startswith(">")).strip()
