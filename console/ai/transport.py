"""HTTP to a model: the transport of `httpx2`, which the makers' libraries take, over the connections of `console.infra.outbound`.

The time-out of a request is the limit of the whole exchange, and the body is limited too. No redirects, no proxies from the environment; hosts of one's own
network only where they are meant. Raises ProviderError and nothing else.
"""

import ssl
import zlib
from collections.abc import Iterable

import httpcore2
import httpx2

from console.ai import streaming
from console.core.errors import IntegrationError
from console.core.proposal_types import ProviderError
from console.infra.outbound import connections, net

MOST_BYTES = 1024 * 1024
MOST_STREAMED_BYTES = 16 * MOST_BYTES
"""Of an answer in parts: each has an envelope that is larger than itself."""
KEPT_CONNECTIONS = 100
KEPT_S = 20.0


class Transport(httpx2.BaseTransport):
    """Connections to one provider, shared by threads. `private`: the host may be of one's own network, and may be asked in plain http."""

    def __init__(self, *, private: bool = False) -> None:
        self._private = private
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=None,  # who calls limits how many; a wait for a connection would be time that nobody sees
            max_keepalive_connections=KEPT_CONNECTIONS,
            keepalive_expiry=KEPT_S,
            network_backend=connections.Network(private=private),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The whole answer, read to its end. Raises ProviderError."""
        self._check(request.url)
        try:
            with connections.deadline(_seconds(request)):
                return self._exchange(request)
        except httpcore2.TimeoutException:
            raise ProviderError("timeout", "The time was up before the answer was there.") from None
        except IntegrationError as error:
            raise ProviderError("connection", error.message, passing=not error.permanent) from None
        except connections.FAULTS as error:
            raise ProviderError("connection", connections.reason(error), passing=True) from error

    def close(self) -> None:
        """Close what is open."""
        self._pool.close()

    def _check(self, url: httpx2.URL) -> None:
        if url.scheme not in {"http", "https"} or not url.host:
            raise ProviderError("connection", "The base URL is no http(s) address.")
        if url.scheme == "http" and not (self._private or net.private(url.host, url.port or 80)):
            raise ProviderError(
                "connection",
                "The base URL is plain http: use https, or name the host in CONSOLE_PRIVATE_HOSTS.",
            )

    def _exchange(self, request: httpx2.Request) -> httpx2.Response:
        sent = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
        )
        answer = self._pool.handle_request(sent)
        try:
            body = _read(answer.iter_stream(), joined := streaming.joined_of_thread())
        finally:
            answer.close()
        headers = httpx2.Headers(answer.headers)
        body = _inflated(body, headers.pop("content-encoding", "identity"))
        if joined is not None:
            if not joined.events:
                joined.feed(body)  # it was packed, or came in one piece
            body = body if (whole := joined.body()) is None else whole
            _limit(body)
        headers.pop("transfer-encoding", None)
        headers.pop("content-length", None)
        return httpx2.Response(answer.status, headers=headers, content=body, request=request)


def _seconds(request: httpx2.Request) -> float:
    """The time that the request may take: its time-out for a read, which here stands for everything."""
    timeout_s = request.extensions.get("timeout", {}).get("read")
    return float(timeout_s) if timeout_s is not None else 0.0


def _read(parts: Iterable[bytes], joined: streaming.Joined | None) -> bytes:
    body = bytearray()
    for part in parts:
        body += part
        if joined is not None:
            joined.feed(part)
        if len(body) > MOST_STREAMED_BYTES or joined is None or not joined.events:
            _limit(body)
    return bytes(body)


def _limit(body: bytes | bytearray) -> None:
    if len(body) > MOST_BYTES:
        raise ProviderError("malformed", "The answer is larger than 1 MB.")


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
    _limit(whole)
    return whole
