"""What comes back by mail: reports that a message did not arrive, and answers of people, told apart and matched to our message by its own id.

Source: RFC 3464 (delivery status), RFC 3834 (automatic answers).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parseaddr
from html import unescape

LONGEST_REASON = 300
_OURS = re.compile(r"<(msg_[0-9a-z]{26})@")
_QUOTED = re.compile(r"<blockquote\b.*", re.IGNORECASE | re.DOTALL)
_BREAKS = re.compile(r"<(?:br|/p|/div|/tr|/li)[^>]*>", re.IGNORECASE)
_MARKS = ("X-Autoreply", "X-Autorespond", "X-Loop", "List-Id", "Feedback-ID")
_PRECEDENCE = ("bulk", "junk", "list", "auto_reply")
_CARRIERS = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report about a message of ours: `failed` where it is final, `reason` in the words of the mail server, one line."""

    message_id: str
    failed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A mail that a person wrote: the sender's address, the plain text (of an empty mail its subject), and the id that the mail has by itself."""

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
    if _automatic(mail) or "@" not in sender:
        return None
    return Answer(
        _sound(sender)[:200], _sound(_text(mail) or str(mail.get("Subject", ""))), _sound(str(mail.get("Message-ID", ""))).strip()[:200]
    )


def _automatic(mail: EmailMessage) -> bool:
    """Whether a program wrote it: a holiday notice, a list, or a mail that no answer may go to; and what we sent ourselves and came round again."""
    told = {name: str(mail.get(name, "")).strip().casefold() for name in ("Auto-Submitted", "Return-Path", "Precedence")}
    marked = any(mail.get(name) is not None for name in _MARKS)
    ours = _OURS.search(f"{mail.get('Message-ID', '')}") is not None
    return told["Auto-Submitted"] not in ("", "no") or told["Return-Path"] == "<>" or told["Precedence"] in _PRECEDENCE or marked or ours


def _sound(text: str) -> str:
    """The text without what no database takes: bytes that are no character, and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


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


def _content(body: EmailMessage) -> str:
    """The text of a part; of HTML the words alone, without the part that repeats ours."""
    raw = body.get_payload(decode=True)
    try:
        text = str(body.get_content())
    except LookupError:  # a character set that nobody knows
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""
    if body.get_content_type() != "text/html":
        return text
    import nh3

    text = _QUOTED.sub("", text)
    broken = _BREAKS.sub("\n", nh3.clean(text, tags={"br", "p", "div", "tr", "li"}, attributes={}))
    return unescape(nh3.clean(broken, tags=set()))


def _text(mail: EmailMessage) -> str:
    """What was written, without the lines of ours that an answer repeats."""
    body = mail.get_body(("plain", "html"))
    try:
        text = _content(body) if isinstance(body, EmailMessage) else ""
    except (LookupError, ValueError):
        return ""
    return "\n".join(line for line in text.splitlines() if not line.startswith(">")).strip()
