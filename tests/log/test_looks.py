"""Looks that are written while the page is drawn: in the log before the answer, once, whatever becomes of the connection."""

from collections.abc import Iterator

import psycopg
import pytest

from console import log
from console.core.actor import Actor
from console.db import early_statement
from console.db.early_statement import Ahead
from console.db.engine import fetch
from console.log import append
from tests.company import Company
from tests.log.test_append import is_whole

ACTOR = Actor("user", "usr_x", session="ses_x", teams=("operations",), roles=frozenset({("operator", "operations")}), policy=7)


@pytest.fixture
def request_open(company: Company) -> Iterator[Company]:
    log.on_the_way()
    yield company
    log.settle(last=True)


def look(**more: object) -> None:
    log.note(ACTOR, "record_viewed", source="s", collection="c", record="1", later=True, **more)  # type: ignore[arg-type]


def count() -> int:
    return int(fetch("select count(*) from console.event where run = 'ses_x'")[0][0])


def test_a_look_is_sent_at_once_and_there_when_it_is_settled(request_open: Company) -> None:
    look()
    assert len(append._under_way.get() or ()) == 1
    look(sealed={"filter": "x"})  # the one before comes first: the chain has no fork
    log.note(ACTOR, "record_viewed", source="s", collection="c", record="2")
    assert count() == 3 == is_whole("ses_x")
    look()
    log.settle()
    assert count() == 4 == is_whole("ses_x")
    log.settle()
    assert count() == 4


def test_outside_of_a_request_a_look_waits_for_itself(company: Company) -> None:
    log.settle(last=True)
    look()
    assert append._under_way.get() is None
    assert count() == 1 == is_whole("ses_x")


def test_a_look_whose_chain_has_moved_goes_to_its_new_end(request_open: Company) -> None:
    look()
    log.settle()
    append._ends["ses_x"] = (0, b"")  # another process has written there since
    look()
    log.settle()
    assert count() == 2 == is_whole("ses_x")


@pytest.mark.parametrize("arrived", [True, False])
def test_a_broken_connection_loses_no_look_and_makes_none_twice(
    request_open: Company, monkeypatch: pytest.MonkeyPatch, *, arrived: bool
) -> None:
    look()
    log.settle()
    real = Ahead.rows

    def broken(sent: Ahead) -> list[tuple[object, ...]]:
        real(sent)
        raise psycopg.OperationalError("the connection is closed")

    if arrived:
        monkeypatch.setattr(Ahead, "rows", broken)
        look()
    else:
        sent = Ahead("select pg_terminate_backend(pg_backend_pid())::text", ())
        told = append.Noting(log.Fact("e", "record_viewed", log.now(), {}), "ses_x", log.frame_of(ACTOR, None), None)
        seq, made = told.linked()
        under_way = append._under_way.get()
        assert under_way is not None
        under_way.append((sent, told, seq, made))
    log.settle()
    assert count() == 2 == is_whole("ses_x")


def test_what_the_database_refuses_is_said_and_the_connection_stays_whole(request_open: Company) -> None:
    with pytest.raises(psycopg.errors.UndefinedFunction):
        Ahead("select console.no_such_thing($1)", ("x",))
    with pytest.raises(psycopg.errors.DivisionByZero):
        Ahead("select 1 / $1::integer", (0,)).rows()
    mixed = "select $1::text, $2::bytea, $3::integer, $4::text[], $5::text"
    given = ("é", b"\x00\xff", 7, ['a"b', "c\\d", "", "{e,f}", "NULL"], None)
    assert [Ahead(mixed, given).rows() for _ in range(3)] == [[given]] * 3
    with pytest.raises(psycopg.DataError):
        early_statement.fetch("select $1::text[]", (["a\0b"],))
    assert Ahead("select 1 where $1::integer > 1", (0,)).rows() == []
    assert len(Ahead("select repeat($1, 3000000)", ("xyz",)).rows()[0][0]) == 9_000_000
    assert Ahead("select length($1)", ("x" * 9_000_000,)).rows() == [(9_000_000,)]


def test_a_statement_of_every_page_finds_another_connection_where_its_own_was_cut(company: Company) -> None:
    (pid,) = early_statement.fetch("select pg_backend_pid()", ())[0]
    fetch("select pg_terminate_backend(%s)", (pid,))
    assert early_statement.fetch("select $1::integer + 1", (1,)) == [(2,)]


def test_a_statement_that_may_run_twice_is_sent_again_where_its_connection_was_cut(company: Company) -> None:
    with Ahead("select $1::integer + 1, pg_sleep(0.3)::text", (1,)) as sent:
        fetch("select pg_terminate_backend(%s)", (sent._libpq.backend_pid,))
        assert sent.sure() == [(2, "")]
    with pytest.raises(psycopg.errors.DivisionByZero), Ahead("select 1 / $1::integer", (0,)) as refused:
        refused.sure()


def test_what_was_not_asked_for_gives_its_connection_up(company: Company) -> None:
    with Ahead("select 1", ()) as sent:
        assert sent.rows() == [(1,)]
    with Ahead("select pg_backend_pid()", ()) as dropped:
        pid = dropped._libpq.backend_pid
    assert early_statement.fetch("select pg_backend_pid()", ()) != [(pid,)]


def test_a_session_that_has_forgotten_the_statement_is_told_it_anew(company: Company) -> None:
    double = "select 2 * $1::integer, pg_backend_pid()"
    ((answer, pid),) = early_statement.fetch(double, (4,))
    with Ahead("deallocate all", ()) as sent, pytest.raises(psycopg.Error):
        sent.rows()
    assert early_statement.fetch(double, (4,)) == [(answer, pid)]
