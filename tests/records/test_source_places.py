"""How many threads a source may hold that is locked, slow or silent, and who waits for a place among them."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from console.core.errors import SourceDown
from console.infra.postgres import Embedded
from console.records import connect, source_breaker
from console.records.connection_terms import Terms
from tests.records.files import write
from tests.records.test_breaker import (
    FAST,
    Proxy,
    ask,
    proxy as proxy,  # noqa: PLC0414 - a fixture
    quick as quick,  # noqa: PLC0414 - a fixture
    until,
)

pytestmark = pytest.mark.lengthy


@pytest.fixture
def locked(pg: Embedded, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a database whose table `t` somebody holds; a process of two places per source."""
    monkeypatch.setattr(source_breaker, "_places", 2)
    url = pg.url("postgres", "postgres")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("create table if not exists t (a int)")
        with admin.transaction():
            admin.execute("lock table t")
            yield url
        admin.execute("drop table t")


def test_a_table_that_is_locked_holds_so_many_threads_and_no_more(locked: str) -> None:
    """Whoever comes next is told at once, and another source goes on; afterwards all places are free again."""
    engine = connect.engine("shop", locked, Terms(connect_s=5, statement_s=10))
    breaker = connect._engines["shop"].breaker

    def get(question: str) -> int:
        return int(
            connect.read(engine, "shop", lambda connection: connection.exec_driver_sql(question).scalar_one())
        )

    other = connect.engine("books", locked, FAST)
    with ThreadPoolExecutor(2) as people:
        stuck = [people.submit(get, "select count(*) from t")]
        until(lambda: len(source_breaker._inside) == 1)
        assert (
            connect.read(
                other, "books", lambda connection: connection.exec_driver_sql("select 1").scalar_one()
            )
            == 1
        )
        stuck += [people.submit(get, "select count(*) from t")]
        until(lambda: len(source_breaker._inside) == 2 and breaker._patience() == 0)
        began = time.monotonic()
        with pytest.raises(SourceDown, match="Others are waiting") as refused:
            get("select 1")
        assert (refused.value.passing, time.monotonic() - began < source_breaker.PLACE_S) == (True, True)
        assert (
            connect.read(
                other, "books", lambda connection: connection.exec_driver_sql("select 1").scalar_one()
            )
            == 1
        )
        for each in stuck:
            with pytest.raises(SourceDown):
                each.result(timeout=20)
    assert connect.since("shop") is None, "a table that is locked is no source that is away"
    assert (source_breaker._inside, get("select 1")) == ({}, 1)


def test_a_server_that_freezes_under_several_sources_holds_no_more_threads_than_under_one(
    proxy: tuple[Proxy, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Six sources of one server kept every thread for twenty seconds. Another server's go on."""
    monkeypatch.setattr(source_breaker, "_places", 2)
    server, url = proxy
    elsewhere = write(tmp_path, "create table t (a int)")

    def get(name: str, of: str = url) -> object:
        engine = connect.engine(name, of, Terms(connect_s=3, statement_s=3))
        return connect.read(
            engine, name, lambda connection: connection.exec_driver_sql("select 1").scalar_one()
        )

    assert {get(name) for name in ("shop", "books", "notes")} == {1}
    server.frozen = True
    with ThreadPoolExecutor(2) as people:
        stuck = [people.submit(get, name) for name in ("shop", "books")]
        until(lambda: len(source_breaker._inside) == 2)
        began = time.monotonic()
        with pytest.raises(SourceDown, match="Others are waiting"):
            get("notes")
        assert time.monotonic() - began < 4 * source_breaker.PLACE_S
        assert get("elsewhere", elsewhere) == 1
        for each in stuck:
            with pytest.raises(SourceDown, match="does not answer"):
                each.result(timeout=20)
    server.frozen = False
    until(lambda: connect.since("shop") is connect.since("books") is None)
    assert {get(name) for name in ("shop", "books", "notes")} == {1}


def test_a_request_waits_once_for_what_is_locked_and_others_ask_themselves(locked: str) -> None:
    """A page with fifty lines of a locked table took three seconds for each of them; it is told fifty times what it was told once."""
    engine, asked = connect.engine("shop", locked, Terms(connect_s=5, statement_s=10)), []

    def get(question: str, source: str = "shop") -> int:
        def work(connection: sa.Connection) -> int:
            asked.append(question)
            connection.exec_driver_sql("set lock_timeout = '20ms'")
            return int(connection.exec_driver_sql(question).scalar_one())

        return connect.read(
            connect.engine(source, locked, FAST) if source != "shop" else engine, source, work
        )

    connect.wait_once(on=True)
    for _ in range(50):
        with pytest.raises(SourceDown, match="locked this for another program") as refused:
            get("select count(*) from t")
        assert (refused.value.passing, refused.value.extra["source"]) == (True, "shop")
    assert len(asked) == 1
    assert get("select 2", "books") == 2, "another source is asked"
    with ThreadPoolExecutor(1) as other:
        assert other.submit(get, "select 3").result(timeout=20) == 3, "another thread asks itself"
    assert connect.since("shop") is None
    connect.wait_once(on=True)
    assert get("select 4") == 4, "the next request asks again"
    assert asked[1:] == ["select 2", "select 3", "select 4"]


def test_a_write_is_tried_although_a_read_has_just_waited(locked: str) -> None:
    """Its own row may be free."""
    connect.wait_once(on=True)
    engine = connect.engine("shop", locked, FAST)

    def work(connection: sa.Connection) -> int:
        connection.exec_driver_sql("set lock_timeout = '20ms'")
        return int(connection.exec_driver_sql("select count(*) from t").scalar_one())

    with pytest.raises(SourceDown, match="locked"):
        connect.read(engine, "shop", work)
    with connect.transaction(engine, "shop") as connection:
        assert connection.exec_driver_sql("select 5").scalar_one() == 5


def test_what_fails_inside_or_is_left_half_read_gives_its_place_back(
    pg: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_breaker, "_places", 1)
    url = pg.url("postgres", "postgres")
    engine = connect.engine("shop", url, FAST)
    for wrong in ("select 1/0", "selec", "select pg_terminate_backend(pg_backend_pid())"):
        with pytest.raises(SourceDown):
            ask(url, wrong)
    rows = connect.stream(engine, "shop", sa.select(sa.func.generate_series(1, 100)), 10)
    assert len(next(rows)) == 10
    assert len(source_breaker._inside) == 1
    rows.close()  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError), connect.transaction(engine, "shop"):
        raise ZeroDivisionError
    assert (source_breaker._inside, ask(url)) == ({}, 1)
