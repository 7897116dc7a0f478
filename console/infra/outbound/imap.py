"""The one way in by mail: reading new mails of the mailbox of `CONSOLE_IMAP_URL`. Nothing is changed in the mailbox, not even what was read.

Source: RFC 3501 (`EXAMINE`, unique ids and when they are void), through `imaplib`.
"""

import imaplib
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from console.core.errors import IntegrationError
from console.infra import settings
from console.infra.outbound import certificates
from console.infra.settings import MailBox

SECONDS = 20.0
WHOLE_S = 540.0
"""How long one conversation may last, however little by little a server answers: shorter than another worker waits for the one that reads."""
MOST_BYTES = 8 * 1024 * 1024
"""Of what a server says to one command; of a mail less is asked for."""
_NUMBER = re.compile(rb"UIDVALIDITY (\d+)|UIDNEXT (\d+)")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_UID = re.compile(rb"\bUID (\d+)")


@dataclass(frozen=True, slots=True)
class Place:
    """How far a mailbox was read: unique ids count within one `validity`; `next_uid` is that of the first mail that was not read."""

    validity: int
    next_uid: int


class Opened:
    """A mailbox that is open for reading."""

    def __init__(self, server: imaplib.IMAP4, place: Place) -> None:
        """`place` is behind the newest mail."""
        self._server, self.place = server, place

    def sizes(self, first: int, last: int) -> list[tuple[int, int]]:
        """(unique id, bytes) of the mails with an id from `first` to `last`, in their order."""
        found = []
        for line in self._fetch(f"{first}:{last}", "(UID RFC822.SIZE)"):
            text = line[0] if isinstance(line, tuple) else line
            uid, size = _UID.search(text or b""), _SIZE.search(text or b"")
            if uid and size and first <= int(uid[1]) <= last:
                found.append((int(uid[1]), int(size[1])))
        return sorted(set(found))

    def mail(self, uid: int, most: int) -> bytes | None:
        """The first `most` bytes of a mail; None where it is gone."""
        lines = self._fetch(str(uid), f"(UID BODY.PEEK[]<0.{most}>)")
        return next((bytes(line[1]) for line in lines if isinstance(line, tuple)), None)

    def _fetch(self, uids: str, what: str) -> list[bytes | tuple[bytes, bytes] | None]:
        try:
            status, lines = self._server.uid("FETCH", uids, what)
        except (imaplib.IMAP4.error, OSError) as error:
            raise IntegrationError(
                f"The mailbox cannot be read on: {_reason(error)}.", code="unreachable"
            ) from error
        if status != "OK":
            raise IntegrationError("The mailbox cannot be read.", code="refused")
        return list(lines)


class Endless(imaplib.IMAP4.abort):
    """The server says more to one command than any has to say."""


class _Connection(imaplib.IMAP4):
    """Ends an answer and a conversation that have no end; the library would keep what it hears until the memory is full."""

    left = MOST_BYTES
    ending: threading.Timer | None = None

    def _create_socket(self, timeout: float | None) -> socket.socket:
        """The connection, which is broken off when it has lasted too long."""
        made: socket.socket = super()._create_socket(timeout)  # type: ignore[misc]  # of the library
        self.ending = threading.Timer(WHOLE_S, self.break_off)
        self.ending.daemon = True
        self.ending.start()
        return made

    def break_off(self) -> None:
        """End the conversation, from another thread."""
        with suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # beneath its TLS

    def shutdown(self) -> None:
        """Close the connection."""
        if self.ending is not None:
            self.ending.cancel()
        super().shutdown()

    def _command(self, name: str, *args: Any) -> Any:
        self.left = MOST_BYTES
        return super()._command(name, *args)  # type: ignore[misc]  # of the library

    def read(self, size: int) -> bytes:
        """So many bytes."""
        self._count(size)
        return super().read(size)

    def readline(self) -> bytes:
        """One line."""
        try:
            line = super().readline()
        except imaplib.IMAP4.error:  # longer than the library reads
            raise Endless from None
        self._count(len(line))
        return line

    def _count(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise Endless


class _TlsConnection(_Connection, imaplib.IMAP4_SSL):
    """A connection to a mailbox that is encrypted from the first byte."""


@contextmanager
def open_mailbox() -> Iterator[Opened]:
    """The mailbox. Raises IntegrationError where there is none, it does not answer, or it refuses."""
    box = settings.current().imap
    if box is None:
        raise IntegrationError("No mailbox: set CONSOLE_IMAP_URL.", permanent=True, code="no_mailbox")
    try:
        server = _connected(box)
        try:
            yield Opened(server, _examine(server, box))
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                server.logout()
    except (imaplib.IMAP4.error, OSError) as error:
        raise IntegrationError(
            f"The mailbox at {box.host} cannot be read: {_reason(error)}.", code="unreachable"
        ) from error


def _connected(box: MailBox) -> imaplib.IMAP4:
    """A connection that is signed in."""
    context = ssl.create_default_context()
    server: imaplib.IMAP4 = (
        _TlsConnection(box.host, box.port, ssl_context=context, timeout=SECONDS)
        if box.tls == "at once"
        else _Connection(box.host, box.port, timeout=SECONDS)
    )
    try:
        if box.tls == "starttls":
            server.starttls(context)
        server.login(box.user, box.password)
    except BaseException:
        with suppress(OSError):
            server.shutdown()
        raise
    return server


def _examine(server: imaplib.IMAP4, box: MailBox) -> Place:
    quoted = '"' + box.folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
    status, _ = server.select(quoted, readonly=True)
    if status != "OK":
        raise IntegrationError(
            f"The mailbox at {box.host} has no folder {box.folder}.", permanent=True, code="no_folder"
        )
    numbers = {
        name: value
        for name in ("UIDVALIDITY", "UIDNEXT")
        for value in (server.response(name)[1] or [None])
        if value
    }
    if len(numbers) < len(("validity", "next")):
        status, lines = server.status(quoted, "(UIDVALIDITY UIDNEXT)")
        for match in _NUMBER.finditer(b" ".join(line for line in lines if isinstance(line, bytes))):
            numbers |= {"UIDVALIDITY": match[1]} if match[1] else {"UIDNEXT": match[2]}
    try:
        return Place(int(numbers["UIDVALIDITY"]), int(numbers["UIDNEXT"]))
    except (KeyError, ValueError):
        raise IntegrationError(
            f"The mailbox at {box.host} gives its mails no lasting numbers.", permanent=True, code="refused"
        ) from None


def _reason(error: Exception) -> str:
    """In a few words, without anything that the other side wrote."""
    match error:
        case ssl.SSLError():
            return certificates.refusal(error)
        case TimeoutError():
            return "it took too long"
        case OSError(strerror=str(words)):
            return words.lower()
        case Endless() | imaplib.IMAP4.abort(__context__=Endless()):
            return "its answer has no end"
        case imaplib.IMAP4.abort():
            return "it broke off"
        case imaplib.IMAP4.error():
            return "it refuses user or password, or what was asked"
        case _:
            return type(error).__name__
