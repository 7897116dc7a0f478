"""What comes back by mail: reports that a message did not arrive or was called unwanted, and answers of people.

A report is matched to our message by the id of that message, as it stands in `Message-ID` or, where a provider writes ids of its own, in `OWN_ID`.

Source: RFC 3464 and RFC 6533 (delivery status), RFC 3834 (automatic answers), RFC 3798 and RFC 5965 (that it was read, or called unwanted).
"""

import codecs
import hashlib
import re
from collections.abc import Iterator, Sequence
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import parseaddr
from html import unescape

from console.core.plain_words import one_line
from console.core.stop_words import begins_with_stop
from console.messaging.channels.base import Answer, Complaint, Handed, Receipt
from console.messaging.channels.repeated_text import own_html, own_words

MOST_BYTES = 1536 * 1024
LONGEST_REASON = 300
LONGEST_HEADER = 2_000
MOST_PARTS = 100
NO_CHARSETS = frozenset(
    {
        "idna",
        "punycode",
        "undefined",
        "unicode-escape",
        "raw-unicode-escape",
        "unicode_escape",
        "raw_unicode_escape",
    }
)
"""Codecs of Python that no mail is written in, and whose reading takes long or cannot replace what is wrong."""
OWN_ID = "X-Handrail-Message"
"""Carries our id as well: Amazon SES and others put one of their own into `Message-ID`, and send the rest of the head back as it was."""
NO_COMPLAINTS = ("not-spam", "auth-failure", "virus")
"""Reports in the same form that are no complaint of a reader."""
_WRITTEN_AS = {
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
"""Charset → the one with more letters that programs mean by its name. Source: the labels of the Encoding Standard of the WHATWG."""
_AWAY = re.compile(
    r"auto(?:matic|mated|matische|matisk|matiskt|-)? ?(?:reply|response|antwort|antwoord|svar)\b|out of (?:the )?office\b|abwesenheits|abwesend\b"
    r"|r[ée]ponse automatique|absence du bureau|respuesta autom[áa]tica|risposta automatica|fuori sede|resposta autom[áa]tica|automatisch antwoord"
    r"|afwezig|autosvar|odpowied[źz] automatyczna|automatyczna odpowied[źz]|autoodpowied[źz]|автоответ|автоматич\w+ (?:ответ|відповідь)|自動応答|自动回复"
    r"|자동 회신|automatick[áaé] odpov[ěe][ďd]|automaattinen vastaus|otomatik yan[ıi]t|automatikus v[áa]lasz|r[ăa]spuns automat|automatinis atsakymas"
    r"|autom[āa]tisk[āa] atbilde|automaatvastus|αυτόματη απάντηση|automatski odgovor|samodejni odgovor|автоматичен отговор|trả lời tự động",
    re.IGNORECASE,
)
"""How the subject of a notice begins that somebody is away, where its program does not mark it otherwise. An answer to one begins with “Re:”."""
_OURS = re.compile(r"<(msg_[0-9a-z]{26})@")
_TYPES = re.compile(rb"^content-type:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_QMAIL = "Hi. This is the qmail-send program"
_CODE = re.compile(r"\b[45]\d\d[ :-]|#?\b[45]\.\d\.\d")
"""What stands in the line that says why: the answer of a mail server, or the code of RFC 3463."""
_FOR_GOOD = re.compile(
    r"(?<![\w.])(?:5(?:10|11|21|30|41|5[0-6]|71)[ :-](?! ?(?:\d|[kmg]i?b\b|bytes|seconds|minutes))|5\.\d{1,3}\.\d{1,3}(?!\.?\w))",
    re.IGNORECASE,
)
"""A reply or a code that says so; no size, no number of seconds, and no part of an IP address."""
_FOR_NOW = re.compile(r"(?<![\w.])(?:4[2-7]\d[ :-]|4\.\d{1,3}\.\d{1,3}(?!\.?\w))")
"""The same of what is tried again."""
_SERVERS = re.compile(r"(?:mailer-daemon|postmaster)(?:@|$)", re.IGNORECASE)
"""Senders of reports; what else they write, such as that a message is late, names no code of what failed for good."""
_BREAKS = re.compile(r"<(?:br|/p|/div|/tr|/li)[^>]*>", re.IGNORECASE)
_PARTING = re.compile(r"--|Content-|MIME-Version:", re.IGNORECASE)
_MARKS = ("X-Autoreply", "X-Autorespond", "X-Autoresponse", "X-Loop", "List-Id", "Feedback-ID")
_PRECEDENCE = ("bulk", "junk", "list", "auto_reply", "auto-reply")
_GLOBAL = b"message/global-delivery-status"
"""Is written as the other report, which the standard library knows how to read."""
_CARRIERS = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")


def read(raw: bytes) -> Receipt | Answer | Complaint | None:
    """What a mail tells: that a message of ours failed for good, with the mail server's reason in one line, that its reader called it unwanted, or what
    a person wrote (of an empty mail its subject).

    None for one that nobody wrote and that reports no failure of ours, such as an automatic answer. An answer has the id that the mail has by itself, else one of its bytes.

    Anybody can write it: headers are taken as they stand, because the parser of the standard library fails on some and takes minutes for others. What has
    more parts than a mail has is not read.
    """
    types = _TYPES.findall(raw)
    if len(types) > MOST_PARTS or any(len(each) > LONGEST_HEADER for each in types):
        return None
    mail = message_from_bytes(raw.replace(_GLOBAL, b"message/delivery-status"), policy=policy.compat32)
    reported = [part for part in mail.walk() if part.get_content_type() == "message/delivery-status"]
    if reported:
        ours = _about(mail)
        return None if ours is None else _bounce(ours, reported)
    feedback = next(
        (part for part in mail.walk() if part.get_content_type() == "message/feedback-report"), None
    )
    if feedback is not None:
        return _complaint(mail, feedback)
    if (in_words := _bounce_in_words(mail)) is not None:
        return in_words
    sender = _address_in(_header(mail, "From"))
    if _is_automatic(mail) or "@" not in sender:
        return None
    subject, text = _subject(mail), _text(mail)
    if (_AWAY.match(subject) or _accepts(mail)) and not begins_with_stop(text):
        return None
    shown = (
        "\n\n".join(part for part in (subject, text) if part)
        if not text or begins_with_stop(subject)
        else text
    )
    own_id = _header(mail, "Message-ID")[:200]
    return Answer(
        sender[:200], shown, own_id if own_id.strip("<> ") else f"sha256:{hashlib.sha256(raw).hexdigest()}"
    )


def _is_automatic(mail: Message) -> bool:
    """Whether a program wrote it: a holiday notice, a list, or a mail that no answer may go to; and what we sent ourselves and came round again."""
    written = {
        name: _header(mail, name).casefold() for name in ("Auto-Submitted", "Return-Path", "Precedence")
    }
    marked = any(_header(mail, name) for name in _MARKS) or any(
        _OURS.search(_header(mail, name)) for name in ("Message-ID", OWN_ID)
    )
    read_by_it = any(part.get_content_type() == "message/disposition-notification" for part in mail.walk())
    return (
        read_by_it
        or written["Auto-Submitted"] not in ("", "no")
        or written["Return-Path"] == "<>"
        or written["Precedence"] in _PRECEDENCE
        or _address_in(_header(mail, "From")).casefold().startswith("mailer-daemon")
        or marked
    )


def _accepts(mail: Message) -> bool:
    """Whether a calendar wrote it: somebody has accepted or declined a meeting, which is no answer to what we wrote."""
    return any(
        part.get_content_type() == "text/calendar" and str(part.get_param("method") or "").upper() == "REPLY"
        for part in mail.walk()
    )


def _header(part: Message, name: str) -> str:
    """The header in one line, as it was written; empty without it. What is no text is left out."""
    raw = next((str(value) for key, value in part.raw_items() if key.casefold() == name.casefold()), "")[
        :LONGEST_HEADER
    ]
    text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join(text.replace("\x00", "").split())


def _subject(mail: Message) -> str:
    """The subject as people read it: programs write what is not English in encoded words (RFC 2047)."""
    written = _header(mail, "Subject")
    try:
        parts = decode_header(written)
    except HeaderParseError:
        return written
    words = "".join(
        part if isinstance(part, str) else _decoded(part, charset or "latin-1") for part, charset in parts
    )
    return " ".join(words.split())[:LONGEST_HEADER]


def _about(mail: Message) -> str | None:
    """Our id of the message that is sent back, whole or by its head; else the one that the report says it answers."""
    carried = [part for part in mail.walk() if part.get_content_type() in _CARRIERS]
    ids = [
        text
        for part in carried
        for text in (
            [_header(each, name) for each in _inside(part) for name in ("Message-ID", OWN_ID)]
            or [_written(part)]
        )
    ]
    reports = (part for part in mail.walk() if part.get_content_type() == "message/delivery-status")
    ids += [_header(block, "X-Original-Message-ID") for part in reports for block in _inside(part)]
    ids += [_header(mail, name) for name in ("In-Reply-To", "References")]
    found = next((match for text in ids if (match := _OURS.search(text))), None)
    return found[1] if found else None


def _complaint(mail: Message, feedback: Message) -> Complaint | None:
    """What the provider of a mailbox passes on when its owner calls a mail unwanted; None where it names neither a message of ours nor an address."""
    told = next(iter(_inside(feedback)), feedback)
    if _header(told, "Feedback-Type").casefold() in NO_COMPLAINTS:
        return None
    sent = next(
        (
            each
            for part in mail.walk()
            if part is not feedback and part.get_content_type() in _CARRIERS
            for each in _inside(part)
        ),
        None,
    )
    named = [_header(told, "Original-Rcpt-To"), "" if sent is None else _header(sent, "To")]
    address = next((found for text in named if "@" in (found := _address_in(text))), "")
    message_id = _about(mail) or ""
    return Complaint(message_id, address[:200]) if message_id or address else None


def _address_in(written: str) -> str:
    """The address of a header; empty where it cannot be read."""
    try:
        return parseaddr(written.removeprefix("rfc822;"))[1]
    except RecursionError:  # brackets within brackets
        return ""


def _bounce(message_id: str, reported: Sequence[Message]) -> Receipt | None:
    failed = next(
        (
            block
            for part in reported
            for block in _inside(part)
            if _header(block, "Action").casefold() == "failed"
        ),
        None,
    )
    if failed is None:
        return None
    status, code = _header(failed, "Status"), _header(failed, "Diagnostic-Code")
    said = code.partition(";")[2] or code
    words = one_line(said, LONGEST_HEADER)
    reason = words if status in words else f"{status} {words}".strip()
    reason_shown = (reason or "No reason was given.")[:LONGEST_REASON]
    return Receipt(
        Handed(outcome="failed", reason=f"The mail server says: {reason_shown}"), message_id, certain=False
    )


def _bounce_in_words(mail: Message) -> Receipt | None:
    """The report of a mail server that writes none of RFC 3464, such as qmail, Exim of old, GMX and Yahoo; None for any other mail.

    They add the letter below what they say, or as a mail of its own. Source: https://cr.yp.to/proto/qsbmf.txt.
    """
    text = next((_written(part) for part in mail.walk() if part.get_content_type() == "text/plain"), "")
    known = _header(mail, "X-Failed-Recipients") or text.startswith(_QMAIL)
    sent_back = any(
        part.get_content_type() in ("message/rfc822", "text/rfc822-headers") for part in mail.walk()
    )
    if not known and not (
        _SERVERS.match(_address_in(_header(mail, "From"))) and (sent_back or _is_automatic(mail))
    ):
        return None  # a postmaster may be somebody who writes to us
    ours = _OURS.search(text)
    message_id, above = (ours[1], text[: ours.start()]) if ours is not None else (_about(mail), text)
    said = next(
        (
            line
            for line in above.splitlines()
            if (_CODE.search(line) if known else _FOR_GOOD.search(line) and not _FOR_NOW.search(line))
        ),
        "No reason was given." if known else "",
    )
    if message_id is None or not said:
        return None
    return Receipt(
        Handed(outcome="failed", reason=f"The mail server says: {one_line(said, LONGEST_REASON)}"),
        message_id,
        certain=False,
    )


def _inside(part: Message) -> list[Message]:
    """The parts of a part; none of a text."""
    inner = part.get_payload() if part.is_multipart() else ()
    return [each for each in inner if isinstance(each, Message)]


def _text(mail: Message) -> str:
    """What was written, without the lines of ours that an answer repeats."""
    parts = list(_own_parts(mail))
    body = next(
        (part for kind in ("text/plain", "text/html") for part in parts if part.get_content_type() == kind),
        None,
    )
    text = _written(body) if body is not None else _torn(mail)
    if body is not None and body.get_content_type() == "text/html":
        text = _words_of_html(text)
    return own_words(text)


def _torn(mail: Message) -> str:
    """What stands in a mail whose parts cannot be told apart, as its boundary is broken: the lines that are none of its marks."""
    if mail.get_content_maintype() != "multipart" or mail.is_multipart():
        return ""
    return "\n".join(line for line in _written(mail).splitlines() if not _PARTING.match(line))


def _words_of_html(text: str) -> str:
    """The words alone, without the part that repeats ours."""
    import nh3

    kept = nh3.clean(own_html(text), tags={"br", "p", "div", "tr", "li"}, attributes={})
    return unescape(nh3.clean(_BREAKS.sub("\n", kept), tags=set()))


def _written(part: Message) -> str:
    """The text of a part."""
    content = part.get_payload(decode=True)
    return _decoded(content, part.get_content_charset() or "utf-8") if isinstance(content, bytes) else ""


def _decoded(content: bytes, charset: str) -> str:
    """The text, as UTF-8 where nobody knows its charset, else as Windows writes; empty where the charset is none that mails are written in."""
    try:
        known = codecs.lookup(charset).name
    except (LookupError, ValueError):
        known = "utf-8"
    if known in ("utf-8", "ascii"):
        try:
            return content.decode().replace("\x00", "")
        except UnicodeDecodeError:
            known = "cp1252"
    known = _WRITTEN_AS.get(known, known)
    try:
        return content.decode(known, "replace").replace("\x00", "") if known not in NO_CHARSETS else ""
    except (LookupError, ValueError):  # a codec that makes no text
        return ""


def _own_parts(part: Message) -> Iterator[Message]:
    """The parts that the sender wrote: not what is attached, and not the mails in it."""
    if part.get_content_maintype() == "message" or part.get_content_disposition() == "attachment":
        return
    if not part.is_multipart():
        yield part
        return
    for each in _inside(part):
        yield from _own_parts(each)
