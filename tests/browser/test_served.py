"""The server that the browser's tests look at ends, whatever a browser does to its connections."""

import socket
import struct
from urllib.parse import urlsplit

from tests.browser.conftest import served
from tests.company import Company

HANG_UP = struct.pack("ii", 1, 0)


def test_a_browser_that_hangs_up_is_not_waited_for(company: Company) -> None:
    """A page that is left resets the connections of what it was still fetching."""
    assert company.people
    with served() as address:
        place = urlsplit(address)
        for _ in range(5):
            with socket.create_connection((place.hostname, place.port)) as browser:
                browser.sendall(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\nmore")
                browser.recv(1)
                browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HANG_UP)
