"""A mail server on 127.0.0.1 that speaks IMAP: pymap, with its mails in memory."""

import imaplib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, PASSWORD = "answers", "a pass word/1"
SECONDS = 60


@dataclass(frozen=True)
class Mailserver:
    """A running server; `url` is a value of CONSOLE_IMAP_URL."""

    port: int

    @property
    def url(self) -> str:
        return f"imap://{USER}:a%20pass%20word%2F1@127.0.0.1:{self.port}?tls=off"

    def put(self, *mails: bytes) -> None:
        """Mails that came in."""
        box = imaplib.IMAP4("127.0.0.1", self.port, timeout=SECONDS)
        box.login(USER, PASSWORD)
        for mail in mails:
            assert box.append("INBOX", "", None, mail)[0] == "OK"
        box.logout()

    def empty(self) -> None:
        """No mail is left."""
        box = imaplib.IMAP4("127.0.0.1", self.port, timeout=SECONDS)
        box.login(USER, PASSWORD)
        box.select("INBOX")
        box.store("1:*", "+FLAGS", "(\\Deleted)")
        box.expunge()
        box.logout()

    def flags(self) -> list[bytes]:
        """What the mailbox says of each mail."""
        box = imaplib.IMAP4("127.0.0.1", self.port, timeout=SECONDS)
        box.login(USER, PASSWORD)
        box.select("INBOX", readonly=True)
        found = [line for line in box.fetch("1:*", "(FLAGS)")[1] if isinstance(line, bytes)]
        box.logout()
        return found


@contextmanager
def imap() -> Iterator[Mailserver]:
    """The server, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    program = Path(sys.executable).with_name("pymap")
    command = [
        str(program if program.exists() else shutil.which("pymap")),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-tls",
        "--no-service",
        "managesieve",
        "--no-service",
        "admin",
    ]
    process = subprocess.Popen(
        [*command, "dict", "--demo-user", USER, "--demo-password", PASSWORD],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, "the mail server ended"
                assert time.monotonic() < until, "the mail server did not start"
                time.sleep(0.05)
        yield Mailserver(port)
    finally:
        process.terminate()
        process.wait(SECONDS)
