"""A source that dies under ten people, and comes back by itself; and terms that every connection is told."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from console.core.errors import SourceDown
from console.infra.postgres import Embedded
from console.records import connect, connection_terms, source_breaker
from console.records.connection_terms import Terms
from tests.records.files import write

FAST = Terms(pool=2, overflow=0, connect_s=1, statement_s=1)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(source_breaker, "FIRST_S", 0.02)
    monkeypatch.setattr(source_breaker, "LONGEST_S", 0.05)
    monkeypatch.setattr(connection_terms, "GRACE_S", 0)
    monkeypatch.setattr(connection_terms, "TURN_S", 0.2)
    yield
    connect.wait_once(on=False)
    connect.dispose()


class Proxy:
    """A port that passes on to a socket of PostgreSQL while it is `open`; `frozen`, it takes what comes and passes nothing on."""

    def __init__(self, to: str) -> None:
        self.to, self.frozen = to, False
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        self.pairs: list[socket.socket] = []
        self.tried = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                here, _ = self.server.accept()
            except OSError:
                return
            self.tried += 1
            there = socket.socket(socket.AF_UNIX)
            there.connect(self.to)
            self.pairs += [here, there]
            for one, other in ((here, there), (there, here)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with one, contextlib.suppress(OSError):
            while data := one.recv(65536):
                while self.frozen:
                    time.sleep(0.005)
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """As a server that is gone: nobody listens, and what was open is cut."""
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        for one in self.pairs:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def again(self) -> None:
        """The same port once more."""
        self.server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()


@pytest.fixture
def proxy(pg: Embedded) -> Iterator[tuple[Proxy, str]]:
    url = make_url(pg.url("postgres", "postgres"))
    host = url.query["host"]
    made = Proxy(f"{host}/.s.PGSQL.{url.query.get('port', 5432)}")
    yield (
        made,
        url.set(host="127.0.0.1", port=made.port, query={"sslmode": "disable"}).render_as_string(
            hide_password=False
        ),
    )
    made.frozen = False
    connect.dispose()
    with contextlib.suppress(OSError):
        made.close()
    until(lambda: all(one.fileno() < 0 for one in made.pairs))


def ask(url: str, question: str = "select 1", notes: list[datetime | None] | None = None) -> object:
    engine = connect.engine(
        "shop", url, FAST, None if notes is None else lambda _, since: notes.append(since)
    )
    return connect.read(engine, "shop", lambda connection: connection.exec_driver_sql(question).scalar_one())


def until(holds: object, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_server_that_is_gone_is_told_to_all_and_asked_by_one(proxy: tuple[Proxy, str]) -> None:
    server, url = proxy
    notes: list[datetime | None] = []
    assert ask(url, notes=notes) == 1
    server.close()

    def person(_: int) -> str:
        with pytest.raises(SourceDown) as error:
            ask(url)
        assert error.value.passing
        return error.value.message

    with ThreadPoolExecutor(10) as people:
        said = set(people.map(person, range(40)))
    assert len(said) <= 2
    assert any("does not answer since" in one and "It is asked again" in one for one in said)
    assert connect.since("shop") is not None
    assert notes[0] is not None
    server.again()
    until(lambda: connect.since("shop") is None)
    assert ask(url) == 1
    until(lambda: notes[-1] is None)


def test_one_request_waits_once_for_a_server_that_answers_probes_and_nothing_else(
    proxy: tuple[Proxy, str],
) -> None:
    server, url = proxy
    assert ask(url) == 1
    connect.wait_once(on=True)
    server.frozen = True
    with pytest.raises(SourceDown):
        ask(url)
    server.frozen = False
    until(lambda: connect.since("shop") is None)
    server.frozen = True
    tried, begun = server.tried, time.monotonic()
    for _ in range(3):
        with pytest.raises(SourceDown, match="does not answer since") as told:
            ask(url)
        assert "since" in told.value.extra
    assert (server.tried, time.monotonic() - begun < FAST.statement_s) == (tried, True)
    server.frozen = False
    connect.wait_once(on=True)  # the next request
    assert ask(url) == 1


def test_a_server_that_froze_holds_nobody_longer_than_its_terms(proxy: tuple[Proxy, str]) -> None:
    server, url = proxy
    assert ask(url) == 1
    server.frozen = True
    with ThreadPoolExecutor(6) as people:
        answers = [people.submit(ask, url) for _ in range(6)]
        for answer in answers:
            with pytest.raises(SourceDown):
                answer.result(timeout=20)
    tried = server.tried
    with pytest.raises(SourceDown, match="does not answer since"):
        ask(url)
    assert server.tried <= tried + 2, "only the background asks"
    server.frozen = False
    until(lambda: connect.since("shop") is None)
    assert ask(url) == 1


def test_who_meets_a_frozen_server_first_waits_as_long_as_for_a_connection(
    proxy: tuple[Proxy, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_terms, "IDLE_S", 0)
    server, url = proxy
    patient = replace(FAST, statement_s=30, connect_s=0.3, pool=4)  # type: ignore[arg-type]
    engine = connect.engine("shop", url, patient)

    def component(_: int) -> object:
        return connect.read(
            engine, "shop", lambda connection: connection.exec_driver_sql("select pg_sleep(0.05)").rowcount
        )

    with ThreadPoolExecutor(4) as people:
        assert list(people.map(component, range(4))) == [1] * 4
        server.frozen = True
        began = time.monotonic()
        for answer in [people.submit(component, number) for number in range(8)]:
            with pytest.raises(SourceDown, match="does not answer since"):
                answer.result(timeout=25)
    assert time.monotonic() - began < 5


def test_a_write_on_a_connection_that_was_ended_while_unused_takes_a_new_one(
    pg: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_terms, "IDLE_S", 0)
    url = pg.url("postgres", "postgres")
    ask(url)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'handrail'"
        )
    with connect.transaction(connect.engine("shop", url, FAST), "shop") as connection:
        assert connection.exec_driver_sql("select 1").scalar_one() == 1
    assert connect.since("shop") is None


def test_connections_that_were_ended_are_made_anew_without_a_word(pg: Embedded) -> None:
    url = pg.url("postgres", "postgres")
    ask(url)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'handrail'"
        )
    assert ask(url) == 1
    assert connect.since("shop") is None


@contextmanager
def reading(url: str, **more: Any) -> Iterator[sa.Connection]:
    engine = connect.create(connect.address(url), Terms(read_only=True, **more))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_the_database_itself_keeps_a_read_only_session_from_writing(
    pg: Embedded, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = write(tmp_path_factory.mktemp("f"), "create table t (a int)")
    for url, statement in (
        (pg.url("postgres", "postgres"), "create table t (a int)"),
        (file, "insert into t values (1)"),
    ):
        with reading(url) as connection, pytest.raises(sa.exc.DBAPIError) as error:
            connection.exec_driver_sql(statement)
        assert "read-only" in connect.driver_refusal(error.value, "shop").message


def test_sessions_are_told_their_terms(pg: Embedded) -> None:
    with reading(pg.url("postgres", "postgres"), statement_s=7) as connection:
        told = [
            connection.exec_driver_sql(f"show {name}").scalar_one()
            for name in ("statement_timeout", "timezone", "default_transaction_read_only")
        ]
    assert told == ["7s", "UTC", "on"]
    assert Terms.of({"pool": 9, "tables": ["x"]}) == Terms(pool=9)
    assert Terms.of(Terms(overflow=1, read_only=True).to_json()) == Terms(overflow=1, read_only=True)
