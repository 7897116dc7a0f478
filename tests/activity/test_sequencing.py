"""The sequencer gives every committed event one place, without gaps, in an order that keeps each chain's own, whoever else is writing."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from console.activity import sequencing as operations
from console.commands.seal import seal
from console.infra import db
from console.infra.db.engine import hot_engine
from console.infra.db.ids import uuid7_text
from console.log import Fact, Frame, Moved, chained, write
from console.log.event_lists import reached

FRAME = Frame({"kind": "system", "id": "sys_engine", "session": "sys:engine", "team": None, "roles": []}, 1)


def put(chain: str, seq: int, head: bytes = b"", many: int = 1) -> tuple[int, bytes]:
    """Append events to a chain; its new last number and hash."""
    links = chained(
        [Fact(uuid7_text(), "process_started", datetime.now(UTC), {"mode": chain}) for _ in range(many)],
        chain,
        seq,
        head,
        FRAME,
    )
    return write(chain, seq, links), links[-1].leaf


def places() -> list[tuple[int, str, int]]:
    """(place, chain, number in the chain), by place."""
    with hot_engine().connect() as connection:
        found = connection.execute(
            sa.text(
                "select a.pos, e.run, e.run_seq from console.activity a join console.event e on e.id = a.event order by pos"
            )
        )
        return [(row.pos, row.run, row.run_seq) for row in found]


@pytest.fixture(name="other")
def fixture_other(clean: Any) -> Iterator["psycopg.Connection[Any]"]:
    """A connection of another process that keeps a writing transaction open."""
    with psycopg.connect(clean.admin_url) as connection:
        connection.execute("create table if not exists public.held (n integer)")
        connection.commit()
        connection.execute("insert into public.held values (1)")
        yield connection
        connection.rollback()


def test_nothing_to_do_is_nothing_done(clean: object) -> None:
    assert operations.sequence() == 0
    assert operations.lag() == operations.Lag(0, 0.0)


def test_places_begin_at_one_and_go_on_without_gaps(clean: object) -> None:
    last, head = put("sys:a", 0, many=3)
    assert operations.catch_up() == 3
    put("sys:a", last, head, many=2)
    put("sys:b", 0)
    assert operations.catch_up() == 3
    assert operations.sequence() == 0
    found = places()
    assert [pos for pos, _, _ in found] == [1, 2, 3, 4, 5, 6]
    assert [number for _, chain, number in found if chain == "sys:a"] == [1, 2, 3, 4, 5]
    assert reached().pos == 6


def test_batches_go_on_until_nothing_is_left(clean: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "BATCH", 4)
    head, last = b"", 0
    for _ in range(4):
        last, head = put("sys:a", last, head, many=4)
    put("sys:b", 0)
    assert operations.catch_up() == 17
    assert [pos for pos, _, _ in places()] == list(range(1, 18))


def test_events_younger_than_an_open_transaction_wait_for_it(other: "psycopg.Connection[Any]") -> None:
    put("sys:a", 0)
    assert operations.sequence() == 0
    behind = operations.lag()
    assert behind.pending == 1
    assert behind.seconds >= 0
    assert not behind.alarming
    other.commit()
    assert operations.catch_up() == 1
    assert operations.lag().pending == 0


def test_catching_up_gives_up_when_it_cannot_and_says_how_many_it_placed(
    other: "psycopg.Connection[Any]",
) -> None:
    put("sys:a", 0)
    assert operations.catch_up(timeout_s=0.12) == 0
    other.commit()
    put("sys:b", 0)
    assert operations.catch_up() == 2


def test_one_process_at_a_time_places_events(clean: Any) -> None:
    put("sys:a", 0)
    with psycopg.connect(clean.admin_url) as busy:
        busy.execute("select pg_advisory_xact_lock(hashtext('console.sequence'))")
        assert operations.sequence() == 0
        assert places() == []
        busy.commit()
    assert operations.catch_up() == 1


def test_many_writers_and_two_sequencers_make_one_order(clean: object) -> None:
    writers, each = 6, 25
    done = threading.Event()

    def writing(chain: str) -> None:
        last, head = 0, b""
        for _ in range(each):
            last, head = put(chain, last, head)

    def sequencing() -> None:
        while not done.is_set():
            operations.sequence()

    sequencers = [threading.Thread(target=sequencing) for _ in range(2)]
    threads = [threading.Thread(target=writing, args=(f"sys:{number}",)) for number in range(writers)]
    for thread in (*sequencers, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    for thread in sequencers:
        thread.join()
    operations.catch_up()
    found = places()
    assert [pos for pos, _, _ in found] == list(range(1, writers * each + 1))
    for number in range(writers):
        assert [n for _, chain, n in found if chain == f"sys:{number}"] == list(range(1, each + 1))


def test_later_event_of_a_chain_never_gets_the_lower_place_although_its_transaction_is_older(
    clean: Any,
) -> None:
    with psycopg.connect(clean.admin_url) as horizon, db.transaction() as older:
        horizon.execute("create table public.held (n integer)")  # holds back both events until both are there
        older.execute(
            sa.text("insert into console.version values ('bench', 1)")
        )  # the older transaction has its number now
        last, head = put("sys:a", 0)
        links = chained(
            [Fact(uuid7_text(), "process_started", datetime.now(UTC), {})], "sys:a", last, head, FRAME
        )
        write("sys:a", last, links, connection=older)
        older.commit()
        put("sys:b", 0)
        assert operations.sequence() == 0
        horizon.commit()
    assert operations.catch_up() == 3
    assert [number for _, chain, number in places() if chain == "sys:a"] == [1, 2]


def test_rolled_back_events_leave_no_gap(clean: object) -> None:
    put("sys:a", 0)
    with db.transaction() as lost:
        write(
            "sys:b",
            0,
            chained([Fact(uuid7_text(), "process_started", datetime.now(UTC), {})], "sys:b", 0, b"", FRAME),
            connection=lost,
        )
        lost.rollback()
    put("sys:c", 0)
    assert operations.catch_up() == 2
    assert places() == [(1, "sys:a", 1), (2, "sys:c", 1)]


def test_a_chain_that_moved_leaves_no_place_behind(clean: object) -> None:
    put("sys:a", 0)
    with pytest.raises(Moved):
        put("sys:a", 0)
    assert operations.catch_up() == 1
    assert places() == [(1, "sys:a", 1)]


def test_lag_grows_alarming_with_the_age_of_the_oldest_event() -> None:
    assert not operations.Lag(10_000, 9.9).alarming
    assert operations.Lag(1, 10.1).alarming


def test_seal_says_what_it_did(clean: object) -> None:
    put("sys:a", 0, many=2)
    said = CliRunner().invoke(seal)
    assert (said.exit_code, said.output.splitlines()[:2]) == (0, [operations.origin(), "2"])
    assert CliRunner().invoke(seal).output == said.output


def test_seal_fails_and_says_why_when_events_stay_without_a_place(
    other: "psycopg.Connection[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations.catch_up, "__defaults__", (0.1,))
    put("sys:a", 0)
    said = CliRunner().invoke(seal)
    assert said.exit_code == 1
    assert "1 events have no place yet: a transaction is open" in said.output
    other.commit()
