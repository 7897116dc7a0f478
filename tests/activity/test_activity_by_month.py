"""The list of events in one partition a month: begun while others write, read as before, and the same to the former release."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest

from console.activity import sequencing
from console.infra.db.engine import fetch
from console.infra.db.ids import uuid7_text
from console.log import Fact, Frame, chained, event_lists, guards, recheck, write
from console.log.event_lists import LogFilter
from tests.conftest import Database

FRAME = Frame({"kind": "system", "id": "sys_engine", "session": "sys:engine", "team": None, "roles": []}, 1)
Own = Callable[..., None]


def parts() -> list[tuple[str, int, int | None]]:
    """The partitions in their order."""
    return fetch("select name, first, last from console.activity_parts()")


def append(many: int, chain: str, seq: int = 0, head: bytes = b"") -> tuple[int, bytes]:
    """Append events to a chain, and give them their places; the chain's new last number and hash."""
    facts = [Fact(uuid7_text(), "process_started", datetime.now(UTC), {"mode": str(n)}) for n in range(many)]
    links = chained(facts, chain, seq, head, FRAME)
    last = write(chain, seq, links), links[-1].leaf
    sequencing.catch_up()
    return last


@pytest.fixture(name="own")
def fixture_own(clean: Database) -> Own:
    """What the owner of the tables can do."""

    def do(statement: str) -> None:
        with psycopg.connect(clean.admin_url, autocommit=True) as connection:
            connection.execute("set role console_owner")
            connection.execute(statement.encode())

    return do


@pytest.fixture(name="a_month_later")
def fixture_a_month_later(own: Own) -> Callable[[str], bool]:
    """The partition that grows becomes that of the month `2026_09`, say; then the present month begins."""

    def pass_by(month: str) -> bool:
        own(f"alter table console.{parts()[-1][0]} rename to activity_{month}")
        return sequencing.begin_month()

    return pass_by


def test_a_month_that_goes_on_is_not_begun_anew(clean: Database) -> None:
    append(3, "sys:a")
    before = parts()
    assert sequencing.begin_month() is False
    assert parts() == before
    assert clean


def test_a_month_in_which_nothing_happened_has_no_partition(
    clean: Database, a_month_later: Callable[[str], bool]
) -> None:
    assert a_month_later("2026_09") is True
    ((name, first, last),) = parts()
    assert (name, first, last) == (f"activity_{datetime.now(UTC):%Y_%m}", 1, None)
    assert clean


def test_a_new_month_begins_with_a_tile_and_nothing_changes_for_readers(
    clean: Database, a_month_later: Callable[[str], bool]
) -> None:
    last = append(300, "sys:a")
    assert a_month_later("2026_08") is True
    last = append(400, "sys:a", *last)
    assert a_month_later("2026_09") is True
    append(200, "sys:a", *last)
    assert [(first, last) for _, first, last in parts()] == [(1, 512), (513, 768), (769, None)]
    counts = [fetch(f"select count(*) from console.{name}")[0][0] for name, *_ in parts()]
    assert counts == [512, 256, 132]
    assert [row.pos for row in event_lists.rows(LogFilter(run="sys:a"), limit=900)] == [*range(900, 0, -1)]
    assert [row.pos for row in event_lists.forward(LogFilter(), after=500, upto=600, limit=900)] == [
        *range(501, 601)
    ]
    sequencing.seal()
    assert recheck.check() is None
    assert recheck.first_problem() is None
    assert guards.missing() == []


def test_a_month_begins_while_others_write(clean: Database, own: Own) -> None:
    """No event without a place, none twice, whenever the partition is exchanged."""
    done, faults = threading.Event(), []

    def work(chain: str) -> None:
        seq, head = 0, b""
        try:
            while not done.is_set():
                seq, head = append(20, chain, seq, head)
        except Exception as error:  # noqa: BLE001 (asserted below)
            faults.append(error)

    writers = [threading.Thread(target=work, args=(f"sys:{n}",)) for n in range(3)]
    for each in writers:
        each.start()
    for month in ("2026_01", "2026_02", "2026_03", "2026_04"):
        until = event_lists.reached().pos + 300
        while event_lists.reached().pos < until:
            sequencing.sequence()
        own(f"alter table console.{parts()[-1][0]} rename to activity_{month}")
        assert sequencing.begin_month() is True
    done.set()
    for each in writers:
        each.join()
    sequencing.catch_up()
    assert faults == []
    assert len(parts()) == 5
    events = fetch("select count(*) from console.event")[0][0]
    placed = fetch("select count(*), count(distinct event), min(pos), max(pos) from console.activity")[0]
    assert placed == (events, events, 1, events)
    sequencing.seal()
    assert recheck.first_problem() is None
    assert clean


def test_who_asks_for_a_page_reads_the_newest_partitions_alone(
    clean: Database, a_month_later: Callable[[str], bool]
) -> None:
    last = append(300, "sys:a")
    for month in ("2026_07", "2026_08"):
        a_month_later(month)
        last = append(300, "sys:a", *last)
    for condition in ("true", "run = 'sys:a'", "kind = 'process_started'"):
        plan = fetch(
            f"explain (analyze, costs off, timing off) select pos from console.activity where {condition} order by pos desc limit 51"
        )
        assert sum("never executed" in line for (line,) in plan) == 2, plan
    plan = fetch("explain (costs off) select pos from console.activity where pos > 800 order by pos")
    assert [name for name, *_ in parts() if any(name in line for (line,) in plan)] == [parts()[-1][0]]
    assert clean


def test_rights_and_rules_of_a_partition_are_guarded_as_those_of_the_list(
    clean: Database, own: Own, a_month_later: Callable[[str], bool]
) -> None:
    append(3, "sys:a")
    a_month_later("2026_09")
    (older, *_), (newer, *_) = parts()
    own(f"grant delete on console.{older} to console")
    own(f"create rule quiet as on insert to console.{newer} do instead nothing")
    assert [each.words for each in guards.missing()] == [
        f"the rule quiet of console.{newer} is none of the console's",
        f"the application's role may delete in console.{older}",
    ]
    for each in guards.missing():
        own(each.mend.replace('"public"', "public"))
    assert guards.missing() == []
    assert clean


def test_pages_of_the_former_release_find_the_list_as_they_know_it(clean: Database) -> None:
    """While they serve beside newer ones: columns in their order, and the constraints and rights that they look for."""
    columns = "select array_agg(attname::text order by attnum) from pg_attribute where attrelid = 'console.activity'::regclass and attnum > 0"
    assert fetch(columns)[0][0] == [
        *("pos", "event", "at", "kind", "actor", "team", "collection", "record", "run", "workflow", "origin"),
        "label",
    ]
    names = "select array_agg(conname::text order by conname) from pg_constraint where conrelid = 'console.activity'::regclass and convalidated and contype in ('c', 'p')"
    assert fetch(names)[0][0] == ["activity_event_key", "activity_pkey"]
    assert clean
