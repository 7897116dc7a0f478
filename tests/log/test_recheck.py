"""The console's own look at its log: what is in order, how far it came, and every kind of damage by its place."""

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest

from console.activity import sequencing
from console.infra.db.ids import uuid7_text
from console.log import Fact, Frame, chained, recheck, write
from tests.conftest import Database

pytestmark = pytest.mark.lengthy

FRAME = Frame({"kind": "system", "id": "sys_engine", "session": "sys:engine", "team": None, "roles": []}, 1)
SEVERAL = 600  # more than two tiles


def fill(many: int, chain: str = "sys:a", seq: int = 0, head: bytes = b"") -> tuple[int, bytes]:
    """Append events to a chain and sign the head over them; the chain's new last number and hash."""
    links = chained(
        [Fact(uuid7_text(), "process_started", datetime.now(UTC), {"mode": str(n)}) for n in range(many)],
        chain,
        seq,
        head,
        FRAME,
    )
    last = write(chain, seq, links), links[-1].leaf
    sequencing.catch_up()
    sequencing.seal()
    return last


@pytest.fixture(name="forge")
def fixture_forge(clean: Database) -> Callable[[str], None]:
    """What somebody can do who owns the database: statements, with every trigger off."""

    def do(statements: str) -> None:
        with psycopg.connect(clean.admin_url, autocommit=True) as connection:
            for table in ("event", "checkpoint"):
                connection.execute(f"alter table console.{table} disable trigger all")
            connection.execute("alter table console.event drop constraint if exists event_leaf_is_hash")
            connection.execute(statements.encode())

    return do


def test_an_empty_log_is_in_order(clean: Database) -> None:
    assert recheck.check() is None
    assert recheck.state() == recheck.Checked(0, None, None, 0, None, None)


def test_it_follows_the_signed_heads(clean: Database) -> None:
    last = fill(3)
    assert recheck.check() is None
    first = recheck.state()
    assert (first.upto, first.round_upto, first.problem) == (3, 3, None)
    assert None not in (first.event_at, first.at, first.whole_at)
    fill(2, "sys:a", *last)
    assert recheck.state().upto == 3
    assert recheck.check() is None
    assert recheck.state().upto == 5


def test_rounds_come_in_parts_and_begin_again(clean: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recheck, "PART", 400)
    monkeypatch.setattr(recheck, "AT_ONCE", 150)
    fill(SEVERAL)
    came = []
    for _ in range(4):
        assert recheck.check() is None
        came.append((recheck.state().round_upto, recheck.state().whole_at is not None))
    assert came == [(400, False), (SEVERAL, True), (400, True), (SEVERAL, True)]


EDITED = "convert_to(replace(convert_from(body, 'UTF8'), '\"mode\":\"16\"', '\"mode\":\"61\"'), 'UTF8')"
AT_17 = "(select event from console.activity where pos = 17)"
DAMAGE = {
    "edited": (
        f"update console.event set body = {EDITED} where id = {AT_17}",
        "position 17, run sys:a event 17: the event was edited",
    ),
    "edited with its hash": (
        f"update console.event set body = {EDITED}, leaf = sha256('\\x00'::bytea || {EDITED}) where id = {AT_17}",
        "position 17, run sys:a event 17: another event stood here",
    ),
    "dropped": (f"delete from console.event where id = {AT_17}", "position 17: the event is missing"),
    "dropped from the list": (
        "delete from console.activity where pos = 17",
        "position 17: the event is missing",
    ),
    "the last one dropped": (
        f"delete from console.event where id = (select event from console.activity where pos = {SEVERAL})",
        f"position {SEVERAL}: the event is missing",
    ),
    "two places exchanged": (
        (
            "update console.activity a set event = -b.event from console.activity b where (a.pos, b.pos) in ((17, 18), (18, 17));"
            "update console.activity set event = -event where event < 0"
        ),
        "position 17, run sys:a event 18: another event stood here",
    ),
    "moved to another chain": (
        f"update console.event set run = 'sys:b' where id = {AT_17}",
        "position 17, run sys:b event 17: the event belongs",
    ),
    "the tree made of others": (
        "update console.tile set hashes = sha256('x') || substr(hashes, 33) where level = 1",
        "positions 1 to 256: the tree above them was made of other events",
    ),
    "a head of another tree": (
        (
            "update console.tile set hashes = overlay(hashes placing sha256('x') from 1 + 32 * 87) where level = 0 and index = 2;"
            f"update console.event set leaf = sha256('x') where id = (select event from console.activity where pos = {SEVERAL})"
        ),
        f"position {SEVERAL}, run sys:a event {SEVERAL}: the event was edited",
    ),
    "a head that nobody signed": (
        f"update console.checkpoint set note = replace(note, '\n{SEVERAL}\n', '\n{SEVERAL + 1}\n')",
        f"position {SEVERAL}: the head signed there: a signature by",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named_by_its_place_until_it_is_mended(
    clean: Database, forge: Callable[[str], None], damage: str
) -> None:
    statements, words = DAMAGE[damage]
    fill(SEVERAL)
    forge(statements)
    found = recheck.check()
    assert str(found).startswith(words)
    assert recheck.state().problem == found
    assert recheck.state().upto == 0


def test_damage_in_what_was_checked_before_is_found_by_the_next_round(
    clean: Database, forge: Callable[[str], None]
) -> None:
    fill(SEVERAL)
    assert recheck.check() is None
    forge("create table public.kept as select * from console.event; " + DAMAGE["edited"][0])
    assert str(recheck.check()).startswith("position 17, ")
    state = recheck.state()
    assert (state.upto, state.round_upto) == (SEVERAL, 0)
    forge("update console.event e set body = k.body from public.kept k where k.id = e.id")
    assert recheck.check() is None
    assert recheck.state().problem is None


def test_a_log_that_became_shorter_is_not_in_order(clean: Database, forge: Callable[[str], None]) -> None:
    last = fill(10)
    fill(10, "sys:a", *last)
    assert recheck.check() is None
    forge("delete from console.checkpoint where size = 20")
    assert (
        recheck.check() == "position 20: the head signed there is gone; the newest one left is of 10 events"
    )
    forge("delete from console.checkpoint")
    assert (
        recheck.check()
        == recheck.state().problem
        == "position 20: the head signed there is gone; the newest one left is of 0 events"
    )


def test_a_signed_head_that_is_gone_is_missed_however_many_are_signed_after_it(
    clean: Database, forge: Callable[[str], None]
) -> None:
    last = fill(10)
    last = fill(10, "sys:a", *last)
    assert recheck.check() is None
    forge("delete from console.checkpoint where size = 10")
    for _ in range(3):
        last = fill(10, "sys:a", *last)
        assert (
            recheck.check()
            == recheck.state().problem
            == "position 20: 1 of the 2 signed heads up to there are gone"
        )


def test_one_process_at_a_time_looks(clean: Database) -> None:
    fill(3)
    with psycopg.connect(clean.url, autocommit=True) as other:
        other.execute("select pg_advisory_lock(hashtextextended('log check', 0))")
        assert recheck.check() is None
        assert recheck.state().upto == 0
        other.execute("select pg_advisory_unlock_all()")
        assert recheck.check() is None
    assert recheck.state().upto == 3
