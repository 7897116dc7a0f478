"""The way to a model: one exchange of HTTP that ends when its time is up, whatever the other side does.

httpx2 counts its time-outs for each read, so that an answer which drips byte by byte has no end. Here the time-out of a request is the limit of all of it:
looking up the name, connecting, TLS, sending, waiting, reading. What is read is limited too. No redirects, no proxies from the environment; hosts of one's
own network only where they are meant. Raises ProviderError and nothing else.
"""

import ipaddress
import math
import select
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2

from console.ai.types import ProviderError
from console.errors import IntegrationError
from console.integrations import net

MOST_BYTES = 1024 * 1024
KEPT_CONNECTIONS = 100
KEPT_S = 20.0
_FAULTS = (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol, httpcore2.ProxyError, OSError)


class _Clock(threading.local):
    """When the exchange of this thread has to be over, as a moment of time.monotonic()."""

    until = math.inf

    def left(self) -> float:
        """Seconds until then. Raises ReadTimeout where there are none: a socket takes 0 for "do not wait"."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout
        return min(left, 3600.0)


_clock = _Clock()


class Transport(httpx2.BaseTransport):
    """Connections to one provider, shared by threads. `private`: the host may be of one's own network, and may be asked in plain http."""

    def __init__(self, *, private: bool = False) -> None:
        self._private = private
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=None,  # who calls limits how many; a wait for a connection would be time that nobody sees
            max_keepalive_connections=KEPT_CONNECTIONS,
            keepalive_expiry=KEPT_S,
            network_backend=_Network(private=private),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The whole answer, read to its end. Raises ProviderError."""
        self._check(request.url)
        _clock.until = time.monotonic() + _seconds(request)
        try:
            return self._exchange(request)
        except httpcore2.TimeoutException:
            raise ProviderError("timeout", "The time was up before the answer was there.") from None
        except _FAULTS as error:
            raise ProviderError("connection", _words(error), passing=True) from error
        finally:
            _clock.until = math.inf

    def close(self) -> None:
        """Close what is open."""
        self._pool.close()

    def _check(self, url: httpx2.URL) -> None:
        if url.scheme not in {"http", "https"} or not url.host:
            raise ProviderError("connection", "The base URL is no http(s) address.")
        if url.scheme == "http" and not (self._private or net.private(url.host, url.port or 80)):
            raise ProviderError("connection", "The base URL is plain http: use https, or name the host in CONSOLE_PRIVATE_HOSTS.")

    def _exchange(self, request: httpx2.Request) -> httpx2.Response:
        sent = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
        )
        answer = self._pool.handle_request(sent)
        try:
            body = _read(answer.iter_stream())
        finally:
            answer.close()
        headers = httpx2.Headers(answer.headers)
        body = _inflated(body, headers.pop("content-encoding", "identity"))
        headers.pop("transfer-encoding", None)
        headers.pop("content-length", None)
        return httpx2.Response(answer.status, headers=headers, content=body, request=request)


def _seconds(request: httpx2.Request) -> float:
    """The time that the request may take: its time-out for a read, which here stands for everything."""
    told = request.extensions.get("timeout", {}).get("read")
    return float(told) if told is not None else 0.0


def _read(parts: Iterable[bytes]) -> bytes:
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > MOST_BYTES:
            raise ProviderError("malformed", "The answer is larger than 1 MB.")
    return bytes(body)


def _inflated(body: bytes, encoding: str) -> bytes:
    """The body as it was before it was packed: a small one may unpack to a large one, which is cut off as well."""
    if encoding.strip().lower() in {"", "identity"}:
        return body
    if encoding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        raise ProviderError("malformed", "The answer is encoded in a way that was not asked for.")
    packed = zlib.decompressobj(wbits=47)
    try:
        whole = packed.decompress(body, MOST_BYTES + 1)
    except zlib.error:
        raise ProviderError("malformed", "The answer is packed, and broken.") from None
    if len(whole) > MOST_BYTES:
        raise ProviderError("malformed", "The answer is larger than 1 MB.")
    return whole


class _Network(httpcore2.NetworkBackend):
    """Connects to addresses that were judged; each step takes no longer than what is left."""

    def __init__(self, *, private: bool) -> None:
        self._private = private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 (of one step; ours is the clock's)
        local_address: str | None = None,  # noqa: ARG002 (never asked for)
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002 (never asked for)
    ) -> httpcore2.NetworkStream:
        """A connection to the first address where somebody answers. Raises ProviderError and what httpcore2 raises."""
        try:
            addresses = net.fit(host, port, _addresses(host, port), meant=self._private)
        except IntegrationError as error:
            raise ProviderError("connection", error.message) from None
        return _Stream(_connected(addresses, port))


def _connected(addresses: list[str], port: int) -> socket.socket:
    for at, address in enumerate(addresses, 1):
        try:
            sock = socket.create_connection((address, port), _clock.left() / (1 + len(addresses) - at))
        except TimeoutError:
            if at == len(addresses):
                raise httpcore2.ConnectTimeout from None
        except OSError as error:
            if at == len(addresses):
                raise httpcore2.ConnectError(_words(error)) from error
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
    raise httpcore2.ConnectError("there is no such host, or the name service does not answer")


def _addresses(host: str, port: int) -> list[str]:
    """The addresses of a host. A name service that is silent holds a thread of its own, and this one no longer than what is left."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        found: list[str] = []
        look = threading.Thread(target=_look_up, args=(host, port, found), daemon=True)
        look.start()
        look.join(_clock.left())
        if look.is_alive():
            raise httpcore2.ConnectTimeout from None
        return found


def _look_up(host: str, port: int, found: list[str]) -> None:
    try:
        found.extend(str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        return


class _Stream(httpcore2.NetworkStream):
    """A socket whose every wait ends with the clock of the thread that waits."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 (of one read; ours is the clock's)
        """What is there, as soon as something is."""
        try:
            self._sock.settimeout(_clock.left())
            return self._sock.recv(max_bytes)
        except TimeoutError:
            raise httpcore2.ReadTimeout from None
        except OSError as error:
            raise httpcore2.ReadError(_words(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 (as above)
        """Send all of it, to whoever takes it in however small pieces, while there is time."""
        view = memoryview(buffer)
        try:
            while view:
                self._sock.settimeout(_clock.left())
                view = view[self._sock.send(view) :]
        except TimeoutError:
            raise httpcore2.WriteTimeout from None
        except OSError as error:
            raise httpcore2.WriteError(_words(error)) from error

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 (as above)
    ) -> httpcore2.NetworkStream:
        """The same connection, encrypted; a handshake is one wait."""
        try:
            self._sock.settimeout(_clock.left())
            return _Stream(ssl_context.wrap_socket(self._sock, server_hostname=server_hostname))
        except TimeoutError:
            self._sock.close()
            raise httpcore2.ConnectTimeout from None
        except OSError as error:
            self._sock.close()
            raise httpcore2.ConnectError(_words(error)) from error

    def get_extra_info(self, info: str) -> Any:
        """What the pool asks: whether the other side has closed (or said something unasked), and which protocol TLS agreed on."""
        if info == "is_readable":
            return _readable(self._sock)
        return self._sock if info == "ssl_object" and isinstance(self._sock, ssl.SSLSocket) else None


def _readable(sock: socket.socket) -> bool:
    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _words(error: BaseException) -> str:
    """In a few words, without anything that the other side wrote."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate does not fit: {error.verify_message}"
        case ssl.SSLError():
            return "it does not speak TLS as it should"
        case OSError(strerror=str(words)):
            return words.lower()
        case httpcore2.ProtocolError():
            return "the connection ended in the middle of the answer, or it does not speak HTTP"
        case _:
            return str(error)[:200] or "the connection broke"
