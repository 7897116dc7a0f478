"""Files are shown to a virus scanner before they are kept, where one is set: `clamd`, by its own protocol (INSTREAM)."""

import socket
import struct

from console.core.errors import IntegrationError, Invalid
from console.infra import settings

CHUNK = 1 << 16
SECONDS = 30.0
LONGEST_ANSWER = 1000


class Infected(Invalid):
    """The scanner knows this file for harmful; it was not kept."""

    default_code = "file_infected"


def scan(content: bytes, name: str) -> bool:
    """Whether a scanner looked at it and found nothing; False where none is set. Raises Infected; IntegrationError where it does not answer."""
    given = settings.current().clamd
    if given is None:
        return False
    try:
        answer = _ask_scanner(given, content)
    except OSError as error:
        raise IntegrationError(
            f"The virus scanner does not answer ({error.strerror or type(error).__name__}), so nothing is taken. Try again in a moment.",
            code="scanner_down",
        ) from None
    if answer.endswith(" FOUND"):
        raise Infected(
            f"“{name}” was found to be harmful ({answer.removeprefix('stream: ').removesuffix(' FOUND')}) and was not kept."
        )
    if answer != "stream: OK":
        raise IntegrationError(
            f"The virus scanner could not look at the file: {answer[:200]}", code="scanner_down"
        )
    return True


def _ask_scanner(place: str, content: bytes) -> str:
    """The scanner's line about these bytes."""
    with _connected(place) as connection:
        connection.settimeout(SECONDS)
        connection.sendall(b"zINSTREAM\0")
        for start in range(0, len(content), CHUNK):
            part = content[start : start + CHUNK]
            connection.sendall(struct.pack("!L", len(part)) + part)
        connection.sendall(struct.pack("!L", 0))
        answer = b""
        while b"\0" not in answer and len(answer) < LONGEST_ANSWER and (more := connection.recv(4096)):
            answer += more
    return answer.partition(b"\0")[0].decode(errors="replace").strip()


def _connected(place: str) -> socket.socket:
    if place.startswith("/"):
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.settimeout(SECONDS)
        made.connect(place)
        return made
    host, _, port = place.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS)
