"""The one way out by mail: through the server of `CONSOLE_SMTP_URL`, encrypted unless its URL says otherwise."""

import re
import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, BinaryIO

from console.core.errors import IntegrationError, OutcomeUnknown
from console.core.plain_words import one_line
from console.infra import branding, settings
from console.infra.outbound import certificates
from console.infra.settings import MailServer

SECONDS = 15.0
LAST_WORD_S = 60.0
"""How long a server may think about a message that it has whole: many look through it for viruses first."""
WHOLE_S = 180.0
"""How long one conversation may last, however little by little a server answers."""
GOODBYE_S = 2.0
LONGEST_WORDS = 300
"""Characters of what a server says itself that are kept."""
MOST_LINES = 200
"""Lines of one reply; each is cut by the library."""
SIGN_IN = {
    530: "it takes mail only from who signs in",
    534: "it wants another way to sign in",
    535: "it refuses our password",
    538: "it wants us to sign in encrypted",
}
"""Codes that say nothing of the message or its receiver: once the settings are mended, the next try leaves."""
WORDS = (
    SIGN_IN
    | dict.fromkeys((550, 551, 553), "it takes no mail for this address")
    | {552: "the mailbox is full, or the message too large"}
)
"""Code of a reply → what it means, for who reads why a message did not leave. Source: RFC 5321 section 4.2.3, RFC 4954."""
ENHANCED = re.compile(r"[245]\.(\d{1,3}\.\d{1,3})(?= |$)", re.ASCII)
DETAILS = {
    "1.1": "there is no such mailbox",
    "1.2": "there is no such domain",
    "1.10": "this domain takes no mail",
    "2.1": "the mailbox is switched off",
    "2.2": "the mailbox is full",
    "3.4": "the message is too large",
    "7.1": "its rules refuse the message, perhaps as spam",
    "7.23": "our domain does not let this server send for it (SPF)",
    "7.26": "our mail is not signed as it asks for (SPF, DKIM)",
}
"""Subject and detail of an enhanced code → what it means. Source: RFC 3463, RFC 7505, RFC 7372."""
END = b"\r\n.\r\n"


def send(message: EmailMessage, *, bounces: str | None = None) -> None:
    """Hand the message to the mail server, for everybody in `To`; `bounces` is the address that is told if it does not arrive (None: the sender's).

    Raises IntegrationError where the server is not there or refuses (for good where it took the message for some of them alone), OutcomeUnknown where it
    was given the message and did not answer.
    """
    server = settings.current().smtp
    if server is None:
        raise IntegrationError("No mail server: set CONSOLE_SMTP_URL.", permanent=True, code="no_mail_server")
    branding.dress(message)
    _spell_domains(message)
    if (
        "Date" not in message
    ):  # RFC 5322, 3.6; not every server adds it, and many take a letter without for rubbish
        message["Date"] = formatdate(usegmt=True)
    try:
        smtp = _connected(server)
    except (
        smtplib.SMTPResponseException
    ) as error:  # it has not heard of the message yet: a password that is mended lets the next try leave
        raise IntegrationError(_refused(server.host, (error.smtp_code, error.smtp_error)).message) from error
    except (smtplib.SMTPException, OSError) as error:
        raise IntegrationError(
            f"The mail server {server.host} cannot be used: {_reason(error)}.", code="unreachable"
        ) from error
    try:
        if refused := smtp.send_message(message, from_addr=bounces):
            refusal = _refused(server.host, *refused.values())
            words = f"{refusal.message.removesuffix('.')}. The others whom it was for have got it."
            raise IntegrationError(words, permanent=True, said=refusal.said)
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(server.host, *error.recipients.values()) from error
    except smtplib.SMTPResponseException as error:
        if smtp.has_it and 200 <= error.smtp_code < 300:
            return  # any number of this hundred is a yes
        if smtp.has_it and not (
            400 <= error.smtp_code < 600 and isinstance(error.smtp_error, bytes)
        ):  # text: what the library made up
            raise OutcomeUnknown(
                f"What the mail server {server.host} answered to the whole message cannot be read."
            ) from error
        raise _refused(server.host, (error.smtp_code, error.smtp_error)) from error
    except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
        raise IntegrationError(
            f"The mail server {server.host} takes no address with such letters.", permanent=True
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        if smtp.has_it:
            raise OutcomeUnknown(
                f"The mail server {server.host} did not answer to the end: {_reason(error)}."
            ) from error
        raise IntegrationError(
            f"The mail server {server.host} broke off before it had the message: {_reason(error)}.",
            code="unreachable",
        ) from error
    finally:
        with suppress(smtplib.SMTPException, OSError):
            if smtp.sock is not None:
                smtp.sock.settimeout(GOODBYE_S)
            smtp.quit()
        smtp.close()


def _spell_domains(message: EmailMessage) -> None:
    """Write domains with other letters as every mail server takes them (xn--…); an address whose first part has such letters stays as it is."""
    receivers = message["To"]
    if str(receivers).isascii():
        return
    from email_validator import (
        EmailNotValidError,
        validate_email,
    )  # of those who need it: most addresses are plain

    spelled = []
    for each in receivers.addresses:
        domain = each.domain
        with suppress(EmailNotValidError):
            domain = (
                validate_email(each.addr_spec, check_deliverability=False).ascii_domain
                if each.username.isascii()
                else domain
            )
        spelled.append(Address(each.display_name, each.username, domain))
    message.replace_header("To", spelled)


class _Endless(OSError):
    """A reply of more lines than any server has to say."""


class _Replies:
    """What a mail server says, line by line; the library would keep the lines of a reply without end until the memory is full."""

    def __init__(self, said: BinaryIO) -> None:
        self._said, self.left = said, MOST_LINES

    def readline(self, most: int) -> bytes:
        """The next line, at most so many bytes of it."""
        self.left -= 1
        if self.left < 0:
            raise _Endless
        return self._said.readline(most)

    def close(self) -> None:
        """Listen no more."""
        self._said.close()


class _Connection(smtplib.SMTP):
    """Knows whether the server was given a message to its end: before that it cannot have taken it. Ends every conversation in time."""

    has_it = False
    ending: threading.Timer | None = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """The connection, which is broken off when it has lasted too long."""
        opened: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]  # of the library, where its TLS begins as well
        self.ending = threading.Timer(WHOLE_S, self.break_off)
        self.ending.daemon = True
        self.ending.start()
        return opened

    def break_off(self) -> None:
        """End the conversation, from another thread."""
        with suppress(OSError):
            if self.sock is not None:
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # beneath its TLS

    def close(self) -> None:
        """Close the connection."""
        if self.ending is not None:
            self.ending.cancel()
        super().close()

    def getreply(self) -> tuple[int, bytes]:
        """The next reply."""
        if self.file is None and self.sock is not None:
            self.file = _Replies(self.sock.makefile("rb"))
        if self.file is not None:
            self.file.left = MOST_LINES
        return super().getreply()

    def send(self, s: Any) -> None:
        """Send a command, or a message with its end."""
        super().send(s)
        if isinstance(s, bytes) and s.endswith(END):
            self.has_it = True
            if self.sock is not None:
                self.sock.settimeout(LAST_WORD_S)


class _TlsConnection(_Connection, smtplib.SMTP_SSL):
    """A connection to a mail server that is encrypted from the first byte."""


def _connected(server: MailServer) -> _Connection:
    """A server that is ready to take a message."""
    context = ssl.create_default_context()
    smtp = (
        _TlsConnection(server.host, server.port, timeout=SECONDS, context=context)
        if server.tls == "at once"
        else _Connection(server.host, server.port, timeout=SECONDS)
    )
    try:
        if server.tls == "starttls":
            smtp.starttls(context=context)
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _refused(host: str, *replies: tuple[int, bytes | str]) -> IntegrationError:
    said = " and ".join(sorted({_meaning(*reply) for reply in replies}))
    permanent = all(code >= 500 and code not in SIGN_IN for code, _ in replies)
    return IntegrationError(
        f"The mail server {host} says: {said}.", permanent=permanent, said=_own_words(*replies)
    )


def _own_words(*replies: tuple[int, bytes | str]) -> str:
    """What it wrote, with its codes; what answers in no code of mail is left out."""
    texts = (
        (code, text if isinstance(text, str) else text.decode("utf-8", "replace"))
        for code, text in replies
        if code >= 100
    )
    return one_line(" / ".join(sorted({f"{code} {text}" for code, text in texts})), LONGEST_WORDS)


def _meaning(code: int, text: bytes | str) -> str:
    """What a reply means, by its code and the code of RFC 3463 that its text begins with; nothing else that the other side wrote."""
    if code < 100:
        return "it does not answer as a mail server does"
    if code == 530 and b"STARTTLS" in (text.encode() if isinstance(text, str) else text).upper():
        return "it takes mail only encrypted: leave ?tls=off out of CONSOLE_SMTP_URL (530)"
    enhanced = ENHANCED.match(text if isinstance(text, str) else text.decode("ascii", "replace"))
    shown = f"{code} {enhanced[0]}" if enhanced else str(code)
    detail = DETAILS.get(enhanced[1]) if enhanced and code not in SIGN_IN else None
    if code < 500:
        detail = f"{detail} now: " if detail and enhanced and enhanced[1].startswith("2.") else ""
        return f"{detail}it asks to be tried again later ({shown})"
    return f"{detail or WORDS.get(code, 'it refuses the message')} ({shown})"


def _reason(error: Exception) -> str:
    """In a few words, without anything that the other side wrote."""
    match error:
        case ssl.SSLError():
            return certificates.refusal(error)
        case smtplib.SMTPNotSupportedError():
            return (
                "it offers no encryption (STARTTLS)"
                if "STARTTLS" in str(error)
                else "it offers no way to sign in"
            )
        case smtplib.SMTPServerDisconnected(__context__=_Endless()):
            return "its answer has no end"
        case smtplib.SMTPServerDisconnected():
            return "it broke off the connection"
        case TimeoutError():
            return "it took too long"
        case OSError(strerror=str(words)):
            return words.lower()
        case _:
            return type(error).__name__
