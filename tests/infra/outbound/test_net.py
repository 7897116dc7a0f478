"""The one way out: what it refuses to reach, what it believes, and how long it waits. Against real servers."""

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from console.core.errors import IntegrationError, OutcomeUnknown
from console.infra import settings
from console.infra.outbound import net
from tests.servers import outside
from tests.tables import cases

INSIDE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.9",
    "192.0.0.170",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%2",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "fec0::1",
]
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]
SPELT = [
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://0/",
    "https://169.254.169.254/latest/meta-data",
    "https://10.1.2.3:8443/x",
]


@pytest.fixture(name="allowed")
def fixture_allowed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that says which private hosts are meant."""

    def say(*hosts: str) -> None:
        monkeypatch.setenv("CONSOLE_PRIVATE_HOSTS", ",".join(hosts))
        settings.current.cache_clear()

    settings.current.cache_clear()
    yield say
    monkeypatch.undo()
    settings.current.cache_clear()


def post(url: str, body: bytes = b"x", read_s: float = net.READ_S) -> net.Answer:
    return net.send("POST", url, body, {"X-Own": "1"}, read_s=read_s)


@cases("address", INSIDE)
def test_an_address_of_ones_own_network_is_not_public(address: str) -> None:
    assert not net.public(address)


@cases("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert net.public(address)


@pytest.mark.parametrize("url", SPELT)
def test_internal_addresses_are_refused_however_they_are_spelt(url: str, allowed: Any) -> None:
    with pytest.raises(IntegrationError) as refused:
        post(url)
    assert (refused.value.code, refused.value.permanent) in {("private_address", True), ("not_https", True)}
    assert "CONSOLE_PRIVATE_HOSTS" in refused.value.message


def test_no_connection_leaves_for_a_private_address(allowed: Any) -> None:
    with outside.http() as server:
        port = server.url.rpartition(":")[2]
        for name in ("127.0.0.1", "localhost"):
            with pytest.raises(IntegrationError):
                post(f"https://{name}:{port}/")
        assert server.received == []


def test_a_host_that_is_named_is_reached_as_it_was_asked(allowed: Any) -> None:
    allowed("127.0.0.1")
    with outside.http() as server:
        server.answer = lambda _: (201, b"made", {})
        answer = net.send("PUT", f"{server.url}/a/b?c=d", b"body", {"X-Own": "1"})
    assert (answer.status, answer.body, answer.whole, answer.good) == (201, b"made", True, True)
    (told,) = server.received
    assert (told.method, told.path, told.body) == ("PUT", "/a/b?c=d", b"body")
    assert (told.headers["host"], told.headers["x-own"], told.headers["user-agent"]) == (
        server.url[7:],
        "1",
        "Handrail",
    )


@pytest.mark.parametrize(
    ("status", "good", "permanent"),
    [
        (200, True, False),
        (204, True, False),
        (302, False, False),
        (400, False, True),
        (404, False, True),
        (408, False, False),
        (425, False, False),
        (429, False, False),
        (500, False, False),
        (503, False, False),
    ],
)
def test_what_an_answer_means_and_that_redirects_are_not_followed(
    allowed: Any, status: int, good: bool, permanent: bool
) -> None:
    allowed("127.0.0.1")
    with outside.http() as server:
        server.answer = lambda _: (status, b"", {"Location": f"{server.url}/elsewhere"})
        answer = post(server.url)
        assert (answer.status, answer.good, answer.permanent) == (status, good, permanent)
        assert len(server.received) == 1


def test_a_name_is_resolved_once_and_that_address_is_the_one(
    allowed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed("rebinds.example")
    asked: list[str] = []
    real = socket.getaddrinfo

    def answer(host: str, port: int, *more: Any, **options: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1" if host == "rebinds.example" else host, port, *more, **options)

    with outside.http(name="rebinds.example") as server:
        monkeypatch.setattr(socket, "getaddrinfo", answer)
        assert post(server.url).good
    assert asked.count("rebinds.example") == 1
    assert server.received[0].headers["host"] == server.url[7:]


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    allowed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
        for address in ("93.184.216.34", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: both)
    with pytest.raises(IntegrationError) as refused:
        post("https://mixed.example/")
    assert refused.value.code == "private_address"


class TestTls:
    def test_a_certificate_that_is_known_and_names_the_host_is_believed(
        self, tmp_path: Path, allowed: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context, file = outside.certificate(tmp_path, "localhost", "127.0.0.1")
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        allowed("localhost", "127.0.0.1")
        for name in ("localhost", "127.0.0.1"):
            with outside.http(context, name) as server:
                assert post(server.url).good
                assert server.received[0].headers["host"] == server.url[8:]

    @pytest.mark.parametrize("known", [True, False])
    def test_any_other_is_not(
        self, known: bool, tmp_path: Path, allowed: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context, file = outside.certificate(tmp_path, "elsewhere.example")
        if known:
            monkeypatch.setenv("SSL_CERT_FILE", str(file))
        allowed("localhost")
        with outside.http(context, "localhost") as server:
            with pytest.raises(IntegrationError, match="localhost cannot be reached: ") as refused:
                post(server.url)
            assert server.received == []
        assert refused.value.code == "unreachable"
        assert ("it is for another name" if known else "it vouches for itself") in refused.value.message

    def test_one_that_has_expired_is_told_as_that(
        self, tmp_path: Path, allowed: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context, file = outside.certificate(tmp_path, "localhost", days=-1)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        allowed("localhost")
        with (
            outside.http(context, "localhost") as server,
            pytest.raises(IntegrationError, match="it has expired; who runs that server"),
        ):
            post(server.url)


class TestPatience:
    def test_nobody_there_is_told_as_nothing_sent(self, allowed: Any) -> None:
        allowed("127.0.0.1", "no-such-host.invalid")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            with pytest.raises(IntegrationError, match="127.0.0.1 cannot be reached: connection refused"):
                post(f"http://127.0.0.1:{taken.getsockname()[1]}/")
        with pytest.raises(IntegrationError) as refused:
            post("https://no-such-host.invalid/")
        assert refused.value.code == "no_host"

    def test_a_silent_name_service_ends_with_the_whole_time(
        self, allowed: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ended = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(60) and [])
        monkeypatch.setattr(net, "WHOLE_S", 0.2)
        with pytest.raises(IntegrationError, match="cannot be reached: it took too long"):
            post("https://silent.example/", read_s=0.1)
        ended.set()

    def test_a_body_that_is_not_there_is_said_to_be_empty(self, allowed: Any) -> None:
        allowed("127.0.0.1")
        with outside.http() as server:
            for method, length in (("POST", "0"), ("GET", None), ("DELETE", None)):
                net.send(method, server.url, None, {})  # type: ignore[arg-type]
                assert server.received[-1].headers.get("content-length") == length

    def test_an_answer_without_end_is_cut(self, allowed: Any) -> None:
        allowed("127.0.0.1")
        with outside.http() as server:
            server.answer = lambda _: (200, b"a" * (net.MOST_BYTES + 1), {})
            answer = post(server.url)
            assert (answer.good, len(answer.body), answer.whole) == (True, net.MOST_BYTES, False)
            server.answer = lambda _: (200, b"a" * net.MOST_BYTES, {})
            assert post(server.url).whole

    def test_silence_and_a_broken_answer_are_an_unknown_outcome(self, allowed: Any) -> None:
        allowed("127.0.0.1")
        with outside.http() as server:
            server.raw = lambda _: time.sleep(0.4)
            with pytest.raises(OutcomeUnknown, match="it took too long"):
                post(server.url, read_s=0.1)
            server.raw = lambda handler: handler.wfile.write(b"nonsense\r\n\r\n")
            with pytest.raises(OutcomeUnknown):
                post(server.url)

    def test_an_answer_that_drips_ends_with_the_whole_time(
        self, allowed: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        allowed("127.0.0.1")
        monkeypatch.setattr(net, "WHOLE_S", 0.3)
        dripped = 0

        def drip(handler: Any) -> None:
            nonlocal dripped
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for number in range(90):  # of more than a hundred the library says itself that they are too many
                dripped = number
                handler.wfile.write(b"X-%d: y\r\n" % number)
                handler.wfile.flush()
                time.sleep(0.05)

        with outside.http() as server:
            server.raw = drip
            with pytest.raises(OutcomeUnknown):
                post(server.url, read_s=0.15)
        assert dripped < 89, "it had not ended by itself"
