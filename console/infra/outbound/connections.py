"""HTTP connections: every request that leaves goes over these sockets, whose addresses were judged and whose waits end with one deadline.

Time-outs of HTTP libraries count for each read, so that an answer which arrives byte by byte has no end. Here one deadline covers the whole exchange:
looking up the name, connecting, TLS, sending, waiting, reading. Kept out of `net` because loading it costs memory that idle processes do not need.
"""

import ipaddress
import math
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import httpcore2

from console.core.errors import IntegrationError, OutcomeUnknown
from console.infra.outbound import certificates, net, retry_after

FAULTS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.UnsupportedProtocol,
    httpcore2.ProxyError,
    OSError,
)
"""Errors of a broken connection."""
NOT_SENT = (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.LocalProtocolError)
"""Those of them after which nothing was sent."""


class _Clock(threading.local):
    """When the exchange of this thread has to be over, as a moment of time.monotonic()."""

    until = math.inf

    def left(self, limit_s: float | None = None) -> float:
        """Seconds until then, at most `limit_s` and an hour. Raises ReadTimeout if there are none: a socket takes 0 for "do not wait"."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout
        return min(left, 3600.0 if limit_s is None else limit_s)


_clock = _Clock()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Every wait of this thread at a connection ends after `seconds`."""
    _clock.until = time.monotonic() + seconds
    try:
        yield
    finally:
        _clock.until = math.inf


def send(
    method: str,
    url: httpcore2.URL,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    read_s: float,
    whole_s: float,
    most_bytes: int,
) -> net.Answer:
    """The answer to one request on a connection of its own; for `net.send`, which checks the URL. Raises IntegrationError and OutcomeUnknown."""
    name = url.host.decode()
    connection = httpcore2.HTTPConnection(
        url.origin,
        ssl_context=ssl.create_default_context() if url.scheme == b"https" else None,
        network_backend=Network(),
    )
    timeouts = {"connect": net.CONNECT_S, "read": read_s, "write": read_s}
    sent = [(key.encode("ascii"), value.encode("latin-1")) for key, value in headers.items()]
    request = httpcore2.Request(method, url, headers=sent, content=body, extensions={"timeout": timeouts})
    try:
        with deadline(whole_s):
            return _read(connection.handle_request(request), most_bytes)
    except NOT_SENT as error:
        raise IntegrationError(f"{name} cannot be reached: {reason(error)}.", code="unreachable") from error
    except FAULTS as error:
        raise OutcomeUnknown(f"{name} did not answer: {reason(error)}.") from error
    finally:
        connection.close()


def _read(response: httpcore2.Response, most_bytes: int) -> net.Answer:
    """The status is what counts: a body that breaks off or has no end is cut."""
    body = bytearray()
    headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in response.headers}
    wait_s = retry_after.seconds(headers)
    with suppress(*FAULTS):
        for part in response.iter_stream():
            body += part
            if len(body) > most_bytes:
                break
        else:
            return net.Answer(response.status, bytes(body), whole=True, wait_s=wait_s, headers=headers)
    return net.Answer(response.status, bytes(body[:most_bytes]), whole=False, wait_s=wait_s, headers=headers)


class Network(httpcore2.NetworkBackend):
    """Connects to judged addresses only. `private`: the hosts may be of one's own network without being named in the settings."""

    def __init__(self, *, private: bool = False) -> None:
        self._private = private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 (never asked for)
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002 (never asked for)
    ) -> httpcore2.NetworkStream:
        """A connection to the first address where somebody answers, with `timeout` seconds for each.

        Raises IntegrationError if there is no such host or one of its addresses is forbidden, ConnectError, ConnectTimeout.
        """
        resolved = _addresses(host, port)
        if not resolved:
            raise IntegrationError(
                f"There is no such host {host[:200]}, or the name service does not answer.", code="no_host"
            )
        addresses = net.fit(host, port, resolved, meant=self._private)
        for remaining in range(len(addresses), 0, -1):
            try:
                limit_s = min(_clock.left(timeout), _clock.left() / remaining)
                sock = socket.create_connection((addresses[-remaining], port), limit_s)
            except (TimeoutError, httpcore2.ReadTimeout):
                if remaining == 1:
                    raise httpcore2.ConnectTimeout from None
            except OSError as error:
                if remaining == 1:
                    raise httpcore2.ConnectError(reason(error)) from error
            else:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return _Stream(sock)
        raise httpcore2.ConnectTimeout


def addresses_of(host: str, port: int) -> list[str]:
    """The addresses of a host; none if nobody knows it, or if the name service does not answer in time."""
    with deadline(net.CONNECT_S), suppress(httpcore2.TimeoutException):
        return _addresses(host, port)
    return []


def _addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, none if nobody knows it. A silent name service blocks a thread of its own, and this one until the deadline."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        addresses: list[str] = []
        lookup = threading.Thread(target=_look_up, args=(host, port, addresses), daemon=True)
        lookup.start()
        lookup.join(_clock.left())
        if lookup.is_alive():
            raise httpcore2.ConnectTimeout from None
        return addresses


def _look_up(host: str, port: int, addresses: list[str]) -> None:
    with suppress(OSError, UnicodeError):
        addresses.extend(str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


class _Stream(httpcore2.NetworkStream):
    """A socket whose every wait ends at the deadline of the thread that waits, or earlier at the time-out of that wait."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The bytes that have arrived, as soon as there are any."""
        try:
            self._sock.settimeout(_clock.left(timeout))
            return self._sock.recv(max_bytes)
        except TimeoutError:
            raise httpcore2.ReadTimeout from None
        except OSError as error:
            raise httpcore2.ReadError(reason(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it, in however small pieces the other side takes it."""
        view = memoryview(buffer)
        try:
            while view:
                self._sock.settimeout(_clock.left(timeout))
                view = view[self._sock.send(view) :]
        except TimeoutError:
            raise httpcore2.WriteTimeout from None
        except OSError as error:
            raise httpcore2.WriteError(reason(error)) from error

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """The same connection, encrypted; a handshake is one wait."""
        try:
            self._sock.settimeout(_clock.left(timeout))
            return _Stream(ssl_context.wrap_socket(self._sock, server_hostname=server_hostname))
        except (TimeoutError, httpcore2.ReadTimeout):
            self._sock.close()
            raise httpcore2.ConnectTimeout from None
        except OSError as error:
            self._sock.close()
            raise httpcore2.ConnectError(reason(error)) from error

    def get_extra_info(self, info: str) -> Any:
        """Answers for httpcore2: whether the other side closed the connection (or sent something unasked), and the protocol agreed by TLS."""
        if info == "is_readable":
            return _readable(self._sock)
        return self._sock if info == "ssl_object" and isinstance(self._sock, ssl.SSLSocket) else None


def _readable(sock: socket.socket) -> bool:
    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def reason(error: BaseException) -> str:
    """The error in a few words, without anything that the other side wrote."""
    match error:
        case ssl.SSLError():
            return certificates.refusal(error)
        case OSError(strerror=str(words)):
            return words.lower()
        case httpcore2.TimeoutException() | TimeoutError():
            return "it took too long"
        case httpcore2.LocalProtocolError():
            return "the request is not valid HTTP"
        case httpcore2.ProtocolError():
            return "the connection ended in the middle of the answer, or it does not speak HTTP"
        case _:
            return str(error)[:200] or "the connection broke"
