"""E-mail through the server of CONSOLE_SMTP_URL: one Markdown text as plain text and HTML, with a link that ends messages.

Source: RFC 8058 for unsubscribing with one click.
"""

import re
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import ClassVar

from console.core.contacting import Kind
from console.core.errors import IntegrationError
from console.core.message_words import words_in
from console.infra import settings
from console.infra.outbound import mail
from console.messaging.channels import mail_reports
from console.messaging.channels.base import Answer, Callback, Complaint, Handed, Letter, Provider, Receipt
from console.messaging.channels.markdown_letter import as_html, as_plain

LINK = "list-unsubscribe"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class WithLink(EmailPolicy):
    """Writes the link that ends messages as it is: the library puts what is longer than a line into encoded words, which mail programs do not read there."""

    def fold(self, name: str, value: str) -> str:
        """The header as it leaves."""
        return f"{name}: {value}{self.linesep}" if name.lower() == LINK else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        """The same, in bytes."""
        return (
            self.fold(name, value).encode("ascii")
            if name.lower() == LINK
            else super().fold_binary(name, value)
        )


class Smtp(Provider):
    """A mail server cannot be asked what became of a message, so an unknown one is for a person. What bounces comes back by mail."""

    kind: ClassVar[Kind] = "email"
    name, title, calls_back, most_bytes = "smtp", "Mail server (SMTP)", True, mail_reports.MOST_BYTES

    def missing(self) -> tuple[str, ...]:
        """The server and the sender."""
        given = settings.current()
        needed = (("CONSOLE_SMTP_URL", given.smtp), ("CONSOLE_MAIL_FROM", given.mail_from))
        return tuple(name for name, value in needed if not value)

    def send(self, letter: Letter) -> Handed:
        """Hand it to the mail server."""
        sender = settings.current().mail_from
        if sender is None:
            raise IntegrationError("No sender: set CONSOLE_MAIL_FROM.", permanent=True, code="no_mail_server")
        message = composed(letter, sender)
        mail.send(message, bounces=settings.current().mail_bounces)
        return Handed(str(message["Message-ID"]))

    def told(self, callback: Callback) -> Receipt | Answer | Complaint | None:
        """A mail that came back or in, as it is. The address is what its sender is believed by: only the mail server has it."""
        return mail_reports.read(callback.body)


def composed(letter: Letter, sender: str) -> EmailMessage:
    """The e-mail with both bodies. Its id is ours, so that an answer names it."""
    message, content = EmailMessage(policy=WithLink()), letter.content
    subject = _line(content.get("subject", ""))
    message["Subject"], message["From"], message["To"] = subject, sender, letter.to
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = message[mail_reports.OWN_ID] = (
        f"<{letter.id}@{sender.rpartition('@')[2].strip('> ')}>"
    )
    if content.get("reply_to"):
        message["Reply-To"] = _line(content["reply_to"])
    footer = (words_in(letter.language)["unsubscribe"], letter.unsubscribe) if letter.unsubscribe else None
    if footer is not None:
        message["List-Unsubscribe"] = f"<{footer[1]}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    markdown = str(content.get("text", ""))
    message.set_content(as_plain(markdown, footer=footer))
    message.add_alternative(
        as_html(markdown, title=subject, language=letter.language, footer=footer), subtype="html"
    )
    return message


def _line(text: object) -> str:
    """What stands in one line of the head, whatever its writer put into it: a break would begin another header."""
    return " ".join(_CONTROLS.sub(" ", str(text)).split())
