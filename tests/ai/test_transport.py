"""The deadline holds below HTTP as well: names, connections, TLS, those who read slowly; and nobody is reached who is not meant."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from console.ai.transport import MOST_BYTES, Transport
from console.core.proposal_types import ProviderError
from console.infra import settings
from tests.servers import model, outside
from tests.tables import cases

LATEST_S = 10
"""No measure of speed: whoever holds up does so for a minute."""


@pytest.fixture(autouse=True)
def told() -> Iterator[None]:
    """Settings in which no host is named."""
    settings.current.cache_clear()
    yield
    settings.current.cache_clear()


@contextmanager
def listening(talk: Callable[[socket.socket], None], backlog: int = 20) -> Iterator[int]:
    """A port at which each connection is handed to `talk`."""
    ended = threading.Event()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(backlog)
        server.settimeout(0.05)

        def serve() -> None:
            while not ended.is_set():
                with suppress(TimeoutError):
                    connection, _ = server.accept()
                    threads.append(threading.Thread(target=one, args=(connection,)))
                    threads[-1].start()

        def one(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                talk(connection)
                ended.wait(60)

        threads = [threading.Thread(target=serve)]
        threads[0].start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            for thread in threads:
                thread.join()


def ask(url: str, *, private: bool = True, seconds: float = 0.4, body: bytes = b"{}") -> httpx2.Response:
    with httpx2.Client(transport=Transport(private=private), trust_env=False) as client:
        return client.post(url, content=body, timeout=seconds)


def failed(url: str, *, private: bool = True, seconds: float = 0.4, body: bytes = b"{}") -> ProviderError:
    began = time.monotonic()
    with pytest.raises(ProviderError) as told:
        ask(url, private=private, seconds=seconds, body=body)
    assert time.monotonic() - began < LATEST_S
    return told.value


def silent(_: socket.socket) -> None:
    """Take the connection and say nothing."""


def says(*parts: bytes) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        for part in parts:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)

    return talk


def test_who_does_not_read_is_not_waited_for() -> None:
    with listening(silent) as port:
        assert failed(f"http://127.0.0.1:{port}/", body=b"x" * (30 * 1024 * 1024)).code == "timeout"


def test_who_reads_drop_by_drop_is_not_waited_for() -> None:
    def talk(connection: socket.socket) -> None:
        for _ in range(100):
            connection.recv(1024)
            time.sleep(0.01)

    with listening(talk) as port:
        assert failed(f"http://127.0.0.1:{port}/", body=b"x" * (30 * 1024 * 1024)).code == "timeout"


def test_who_is_silent_in_the_handshake_is_not_waited_for() -> None:
    with listening(silent) as port:
        assert failed(f"https://127.0.0.1:{port}/").code == "timeout"


def test_who_does_not_take_connections_is_not_waited_for() -> None:
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(server.getsockname())
        error = failed(f"http://127.0.0.1:{server.getsockname()[1]}/")
        assert error.code in {"timeout", "connection"}


def test_a_head_without_end_is_cut() -> None:
    with listening(says(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 5_000_000)) as port:
        assert failed(f"http://127.0.0.1:{port}/", seconds=5).code == "connection"


def test_a_name_service_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(60) and [])
    error = failed("https://models.example/")
    ended.set()
    assert error.code == "timeout"


def test_a_certificate_of_ones_own_making_is_told(tmp_path: Path) -> None:
    tls, _ = outside.certificate(tmp_path, "127.0.0.1")
    with outside.http(tls) as server:
        error = failed(server.url, seconds=5)
    assert error.code == "connection"
    assert error.detail.startswith("its certificate does not fit")
    assert server.received == []


def test_a_certificate_that_the_system_knows_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, file = outside.certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with outside.http(tls) as server:
        assert ask(server.url, seconds=5).status_code == 200


def test_who_speaks_no_tls_is_told(endpoint: model.Server) -> None:
    assert failed(endpoint.url.replace("http:", "https:"), seconds=5).detail in {
        "it does not speak TLS as it should",
        "the connection ended in the middle of the answer, or it does not speak HTTP",
    }


@cases(
    "url",
    [
        "http://127.0.0.1:9/",
        "https://127.0.0.1:9/",
        "https://localhost:9/",
        "https://[::1]:9/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest",
        "https://192.168.1.1/",
    ],
)
def test_hosts_of_ones_own_network_are_not_reached_unless_meant(url: str) -> None:
    error = failed(url, private=False, seconds=5)
    assert error.code == "connection"
    assert "CONSOLE_PRIVATE_HOSTS" in error.detail


def test_those_that_the_settings_name_are(endpoint: model.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_PRIVATE_HOSTS", "127.0.0.1")
    settings.current.cache_clear()
    assert ask(f"{endpoint.url}/elsewhere", private=False, seconds=5).status_code == 404


def test_plain_http_is_not_spoken_to_the_internet() -> None:
    assert "plain http" in failed("http://models.example/", private=False).detail


@cases(
    ("head", "body", "code"),
    [
        (b"Content-Length: 2\r\n", b"ok", None),
        (b"Content-Length: 20\r\n", b"ok", "connection"),
        (b"Transfer-Encoding: chunked\r\n", b"2\r\nok\r\n0\r\n\r\n", None),
        (b"Transfer-Encoding: chunked\r\n", b"2\r\nok\r\n", "connection"),
        (b"Transfer-Encoding: chunked\r\n", b"zz\r\nok\r\n", "connection"),
        (b"", b"ok", None),
        (b"Content-Length: 2\r\nContent-Encoding: br\r\n", b"ok", "malformed"),
        (b"Content-Length: 2\r\nContent-Encoding: gzip\r\n", b"ok", "malformed"),
        (b"Content-Length: -2\r\n", b"ok", "connection"),
        (b"Content-Length: 99999999999\r\n", b"ok", "connection"),
        (b"No colon here\r\n", b"ok", "connection"),
        (b"", b"x" * (MOST_BYTES + 1), "malformed"),
        (b"", b"x" * MOST_BYTES, None),
    ],
)
def test_bodies_that_are_whole_and_those_that_are_not(head: bytes, body: bytes, code: str | None) -> None:
    with listening(says(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body)) as port:
        if code is None:
            assert len(ask(f"http://127.0.0.1:{port}/", seconds=8).content) in {2, MOST_BYTES}
        else:
            assert failed(f"http://127.0.0.1:{port}/", seconds=8).code == code


def test_a_connection_is_kept_for_the_next_question(endpoint: model.Server) -> None:
    with closing(Transport(private=True)) as transport, httpx2.Client(transport=transport) as client:
        for _ in range(3):
            assert client.get(f"{endpoint.url}/v1/models", timeout=5).status_code == 200
        assert len(transport._pool.connections) == 1


def test_a_connection_that_was_closed_meanwhile_is_noticed() -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        connection.shutdown(socket.SHUT_RDWR)

    with listening(talk) as port, httpx2.Client(transport=Transport(private=True)) as client:
        for _ in range(3):
            assert client.get(f"http://127.0.0.1:{port}/", timeout=5).content == b"ok"
            time.sleep(0.02)  # the end of the connection has to arrive


def test_without_a_time_out_nothing_is_sent(endpoint: model.Server) -> None:
    with httpx2.Client(transport=Transport(private=True)) as client, pytest.raises(ProviderError):
        client.get(endpoint.url, timeout=None)
    assert endpoint.requests == []
