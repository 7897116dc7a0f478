"""The one way out over HTTP: to addresses of the public internet only, with limits on time and size, and nothing taken on trust from the other side.

A name is resolved once, every address of it is judged, and the one that was judged is connected to, so that a name that answers differently the second
time gains nothing. No redirects, no proxies from the environment, certificates are verified against those of the system (`SSL_CERT_FILE` names others).
Hosts of one's own network are reached only where `CONSOLE_PRIVATE_HOSTS` names them, or `CONSOLE_HTTP_TARGETS` with their port; these may be asked in
plain http too.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from console import settings
from console.errors import IntegrationError, OutcomeUnknown

CONNECT_S = 3.0
READ_S = 10.0
WHOLE_S = 20.0
MOST_BYTES = 64 * 1024
MOST_ADDRESSES = 4
PORTS = {"https": 443, "http": 80}
UNICAST = ipaddress.ip_network("2000::/3")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
PROTOCOL = ipaddress.ip_network("192.0.0.0/24")
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
_FAULTS = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said: its status, the first 64 KiB of the body, and whether that is all of it."""

    status: int
    body: bytes
    whole: bool

    @property
    def good(self) -> bool:
        """Whether it did what it was asked: 2xx. A redirect is not followed and is no yes."""
        return 200 <= self.status < 300

    @property
    def permanent(self) -> bool:
        """Whether the same request would be refused again: 4xx, except those that ask for patience."""
        return 400 <= self.status < 500 and self.status not in {408, 425, 429}


def send(method: Method, url: str, body: bytes | None, headers: Mapping[str, str], *, read_s: float = READ_S) -> Answer:
    """The answer to one request, whatever its status; `read_s` of silence, and twice that or 20 s altogether, are the longest once connected.

    Raises IntegrationError where nothing was sent (a bad or forbidden address, nobody there, a certificate that does not fit), OutcomeUnknown where the
    request left and no answer came.
    """
    parts = _parts(url)
    name, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
    connection = _connected(parts.scheme, name, port, _addresses(name, port), read_s)
    cut = threading.Event()
    limit = threading.Timer(max(WHOLE_S, 2 * read_s), _cut, [connection.sock, cut])
    limit.daemon = True
    limit.start()
    try:
        connection.request(
            method,
            (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            body,
            {"User-Agent": "Handrail", **headers, "Host": _host(parts, name, port)},
            preload_content=False,
            decode_content=False,
        )
        answer = _read(connection.getresponse())
        if cut.is_set():  # what was cut off in its head looks like a whole answer
            raise TimeoutError
        return answer
    except _FAULTS as error:
        raise OutcomeUnknown(f"{name} did not answer: {_reason(error)}") from error
    finally:
        limit.cancel()
        connection.close()


def _parts(url: str) -> SplitResult:
    """The URL, taken apart. Raises IntegrationError for what no request goes to."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc and not parts.fragment
    except ValueError:
        fits = False
    if not fits or not url.isascii() or not url.isprintable() or " " in url:
        raise IntegrationError("That is no http(s) address that a request could go to.", permanent=True, code="bad_address")
    if parts.scheme == "http" and not private(str(parts.hostname), parts.port or PORTS["http"]):
        raise IntegrationError(
            f"{parts.hostname} is asked in plain http: use https, or name the host in CONSOLE_PRIVATE_HOSTS.",
            permanent=True,
            code="not_https",
        )
    return parts


def private(name: str, port: int) -> bool:
    """Whether the host is one of those that may be of one's own network: wholly, or at this port."""
    told, host = settings.current(), name.lower().rstrip(".")
    named = (urlsplit(url) for url in told.http_targets.values())
    return host in told.private_hosts or any((parts.hostname, parts.port or PORTS[parts.scheme]) == (host, port) for parts in named)


def _addresses(name: str, port: int) -> list[str]:
    """The addresses of the host, all of them fit to connect to. Raises IntegrationError."""
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise IntegrationError(f"There is no host {name[:200]}, or the name service does not answer.", code="no_host") from None
    return fit(name, port, [str(item[4][0]) for item in found])


def fit(name: str, port: int, addresses: Iterable[str], *, meant: bool = False) -> list[str]:
    """The first of a host's addresses, each once, after all of them were judged: the one guard of every way out. `meant`: the host may be of one's own network.

    Raises IntegrationError where one of them is not of the public internet and the settings do not name the host.
    """
    addresses = list(dict.fromkeys(addresses))
    if not (meant or private(name, port)) and not all(public(address) for address in addresses):
        raise IntegrationError(
            f"{name} is an address of this machine or of a private network: name it in CONSOLE_PRIVATE_HOSTS if it is meant.",
            permanent=True,
            code="private_address",
        )
    return addresses[:MOST_ADDRESSES]


def public(address: str) -> bool:
    """Whether the address belongs to the public internet, and carries no other one inside that does not."""
    ip = ipaddress.ip_address(address)
    if ip.is_multicast:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and ip not in PROTOCOL
    if ip.ipv4_mapped is not None:
        return public(str(ip.ipv4_mapped))
    if ip in NAT64:
        return public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    if ip.sixtofour is not None:  # releases of Python differ in what they think of it: it is where it leads to
        return public(str(ip.sixtofour))
    return ip in UNICAST and ip.is_global and all(public(str(one)) for one in ip.teredo or ())


def _connected(scheme: str, name: str, port: int, addresses: list[str], read_s: float) -> HTTPConnection:
    """A connection to the first of the addresses where somebody answers. Raises IntegrationError: nothing was sent."""
    fault: Exception | None = None
    for address in addresses:
        if scheme == "https":
            context = ssl.create_default_context()
            connection: HTTPConnection = HTTPSConnection(address, port, timeout=CONNECT_S, ssl_context=context, server_hostname=name)
        else:
            connection = HTTPConnection(address, port, timeout=CONNECT_S)
        try:
            connection.connect()
        except _FAULTS as error:
            connection.close()
            fault = error
            continue
        connection.timeout = read_s
        return connection
    raise IntegrationError(f"{name} cannot be reached: {_reason(fault)}", code="unreachable") from fault


def _host(parts: SplitResult, name: str, port: int) -> str:
    """The header `Host`: the name as it was asked for, in brackets where it is an address of version 6."""
    literal = f"[{name}]" if ":" in name else name
    return literal if port == PORTS[parts.scheme] else f"{literal}:{port}"


def _read(answer: urllib3.BaseHTTPResponse) -> Answer:
    """The status is what counts: a body that breaks off or has no end is cut."""
    body = b""
    with suppress(*_FAULTS):
        while len(body) <= MOST_BYTES:
            more = answer.read(MOST_BYTES + 1 - len(body))
            body += more
            if not more:
                return Answer(answer.status, body, whole=True)
    return Answer(answer.status, body[:MOST_BYTES], whole=False)


def _cut(sock: socket.socket, cut: threading.Event) -> None:
    """End what takes too long: the thread that reads gets an end of file. Below TLS, which is not for two threads."""
    cut.set()
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _reason(error: Exception | None) -> str:
    """In a few words, without addresses and without anything that the other side wrote."""
    match error:
        case ssl.SSLCertVerificationError() | urllib3.exceptions.SSLError():
            inner = error.args[0] if error.args and isinstance(error.args[0], ssl.SSLCertVerificationError) else error
            return getattr(inner, "verify_message", "") or "its certificate or TLS does not fit"
        case OSError(strerror=str(words)) | urllib3.exceptions.NewConnectionError(__cause__=OSError(strerror=str(words))):
            return words.lower()
        case TimeoutError() | urllib3.exceptions.TimeoutError():
            return "it took too long"
        case _:
            return type(error).__name__
