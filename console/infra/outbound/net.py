"""The one way out over HTTP: to addresses of the public internet only, with limits on time and size, and nothing taken on trust from the other side.

A name is resolved once, every address of it is judged, and the one that was judged is connected to, so that a name that answers differently the second
time gains nothing. No redirects, no proxies from the environment, certificates are verified against those of the system (`SSL_CERT_FILE` names others).
Hosts of one's own network are reached only where `CONSOLE_PRIVATE_HOSTS` names them, or `CONSOLE_HTTP_TARGETS` with their port; these may be asked in
plain http too.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from console.core.errors import IntegrationError
from console.infra import settings

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


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer: status, the first bytes of the body (64 KiB, where no more are asked for), whether that is all of it, and how long it asks to wait (None: it does not say).

    Names of `headers` are in small letters.
    """

    status: int
    body: bytes
    whole: bool
    wait_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether it did what it was asked: 2xx. A redirect is not followed and is no yes."""
        return 200 <= self.status < 300

    @property
    def permanent(self) -> bool:
        """Whether the same request would be refused again: 4xx, except those that ask for patience."""
        return 400 <= self.status < 500 and self.status not in {408, 425, 429}


def send(
    method: Method,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    read_s: float = READ_S,
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """The answer to one request, whatever its status, of its body `most_bytes`; it waits at most `read_s` of silence, and twice that or 20 s altogether.

    Raises IntegrationError where nothing was sent (a bad or forbidden address, nobody there, a certificate that does not fit), OutcomeUnknown where the
    request left and no answer came.
    """
    import httpcore2

    from console.infra.outbound import connections

    parts = _parts(url)
    name, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {
        "User-Agent": "Handrail",
        "Accept-Encoding": "identity",
        **headers,
        "Host": _host(parts, name, port),
    }
    if body is not None or method in {"POST", "PUT", "PATCH"}:
        sent["Content-Length"] = str(len(body or b""))
    where = httpcore2.URL(scheme=parts.scheme, host=name, port=port, target=target)
    return connections.send(
        method, where, body, sent, read_s=read_s, whole_s=max(WHOLE_S, 2 * read_s), most_bytes=most_bytes
    )


def judge(url: str) -> None:
    """Nothing, if a request to this address would be let out as things stand; a host that nobody knows yet is judged when it is asked.

    Raises IntegrationError for an address that is none, for plain http, and for one of this machine or of a private network that the settings do not name.
    """
    from console.infra.outbound import connections

    parts = _parts(url)
    name, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
    fit(name, port, connections.addresses_of(name, port))


def _parts(url: str) -> SplitResult:
    """The URL, taken apart. Raises IntegrationError for what no request goes to."""
    try:
        parts = urlsplit(url)
        fits = (
            parts.scheme in PORTS
            and bool(parts.hostname)
            and parts.port != 0
            and "@" not in parts.netloc
            and not parts.fragment
        )
    except ValueError:
        fits = False
    if not fits or not url.isascii() or not url.isprintable() or " " in url:
        raise IntegrationError(
            "That is no http(s) address that a request could go to.", permanent=True, code="bad_address"
        )
    if parts.scheme == "http" and not private(str(parts.hostname), parts.port or PORTS["http"]):
        raise IntegrationError(
            f"{parts.hostname} is asked in plain http: use https, or name the host in CONSOLE_PRIVATE_HOSTS.",
            permanent=True,
            code="not_https",
        )
    return parts


def private(name: str, port: int) -> bool:
    """Whether the host is one of those that may be of one's own network: wholly, or at this port."""
    configured, host = settings.current(), name.lower().rstrip(".")
    named = (urlsplit(url) for url in configured.http_targets.values())
    return host in configured.private_hosts or any(
        (parts.hostname, parts.port or PORTS[parts.scheme]) == (host, port) for parts in named
    )


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
    if (
        ip.sixtofour is not None
    ):  # releases of Python differ in what they think of it: it is where it leads to
        return public(str(ip.sixtofour))
    return ip in UNICAST and ip.is_global and all(public(str(part)) for part in ip.teredo or ())


def _host(parts: SplitResult, name: str, port: int) -> str:
    """The header `Host`: the name as it was asked for, in brackets where it is an address of version 6."""
    literal = f"[{name}]" if ":" in name else name
    return literal if port == PORTS[parts.scheme] else f"{literal}:{port}"
