"""Lists of runs: what is in them for whom, in which order, page by page, among a thousand, with how many statements."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
import pytest
import sqlalchemy as sa

from console import records, runs
from console.auth import access
from console.auth.access import Row, policy_store
from console.infra.db.engine import hot_engine, transaction
from console.records import catalogue, connect
from tests.company import Company

MANY = 1000
BEGAN = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
STATUSES = (
    "waiting_person",
    "saved",
    "completed",
    "aborted",
    "running",
    "waiting_event",
    "failed",
    "cancelled",
)
ENDED = ("completed", "aborted", "failed", "cancelled")
DESK_OF = {"1": "retail", "2": "retail", "3": "corporate", "4": "retail", "77": None}
"""Records that runs are about; 77 was deleted."""


class Told(NamedTuple):
    """A run as it was put in."""

    id: str
    status: str
    record: str
    by: str
    holder: str | None
    at: datetime

    @property
    def live(self) -> bool:
        """Whether it still accepts commands."""
        return self.status not in ENDED


@pytest.fixture(name="many")
def fixture_many(company: Company) -> list[Told]:
    """A thousand runs, copies of a real one, newest first as lists have them. Ten of them began in each same second."""
    template = company.at("note")
    told = []
    for number in range(MANY):
        status = STATUSES[number % 8]
        who = ("olivia", "tom", "mona")[number % 3]
        holder = company.people[who].id if status == "waiting_person" else None
        record = list(DESK_OF)[number % 5]
        made = Told(
            f"run_{number:026d}",
            status,
            record,
            company.people[who].id,
            holder,
            BEGAN + timedelta(seconds=number // 10),
        )
        told.append(made)
    with hot_engine().connect() as connection:
        connection.execute(
            sa.text(
                "insert into console.run (id, workflow, version, status, revision, run_seq, head, collection, record, team, subject, current, attempts,"
                " visits, holder, last_holder, active_at, started_by, input, created_at, ended_at)"
                " select :id, workflow, version, :status, revision, run_seq, head, collection, :record, team, subject,"
                " case when cast(:ended as timestamptz) is null then current end, attempts, visits, :holder, :holder, :at, :by, input, :at, :ended"
                " from console.run where id = :template"
            ),
            [
                {
                    **made._asdict(),
                    "ended": None if made.live else made.at + timedelta(hours=1),
                    "template": template,
                }
                for made in told
            ],
        )
        connection.execute(
            sa.text(
                "insert into console.attempt (run, n, step, attempt, status, entered_at)"
                " select r.id, 4, 'note', 1, 'open', r.created_at from console.run r where r.id <> :template"
            ),
            {"template": template},
        )
        connection.execute(sa.text("delete from console.run where id = :template"), {"template": template})
    return sorted(told, key=lambda made: (made.at, made.id), reverse=True)


def pages(
    company: Company, who: str, filters: dict[str, str] | None = None, limit: int = 100
) -> list[list[str]]:
    """Ids of all pages of a list."""
    found, after = [], None
    while True:
        page, after = runs.find(company.people[who], filters, limit=limit, after=after)
        found.append([head.id for head in page])
        if after is None:
            return found


def visible(many: list[Told], who: str) -> list[Told]:
    """What is for whom: Tom works for the retail desk only; what is gone is for those who see everything."""
    match who:
        case "mona" | "rosa" | "ada" | "ines":
            return many
        case "olivia":
            return [made for made in many if made.record != "77"]
        case "tom":
            return [made for made in many if DESK_OF[made.record] == "retail"]
    return []


@contextmanager
def counted() -> Iterator[tuple[list[str], list[str]]]:
    """(statements to the console's own database, statements to the source) that are sent meanwhile, without those asked once a second."""
    own: list[str] = []
    theirs: list[str] = []
    execute = psycopg.Cursor.execute

    def noting(cursor: Any, query: Any, *more: Any, **named: Any) -> Any:
        if "console.version" not in str(query):
            own.append(str(query))
        return execute(cursor, query, *more, **named)

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        theirs.append(statement)

    source = catalogue.engine_of(records.collection("customer"))
    sa.event.listen(source, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(psycopg.Cursor, "execute", noting)
        yield own, theirs
    sa.event.remove(source, "before_cursor_execute", note)


def test_pages_join_without_double_or_hole_for_everybody(company: Company, many: list[Told]) -> None:
    for who, limit in [
        ("mona", 100),
        ("olivia", 100),
        ("tom", 64),
        ("rosa", 100),
        ("ada", 99),
        ("ines", 100),
        ("stan", 50),
    ]:
        expected = [made.id for made in visible(many, who)]
        got = pages(company, who, limit=limit)
        assert [run for page in got for run in page] == expected, who
        assert len(got) == max(1, math.ceil(len(expected) / limit)), who
        assert all(len(page) == limit for page in got[:-1]), "a page is full where there is more"


def test_a_list_is_a_fixed_number_of_statements(company: Company, many: list[Told]) -> None:
    for who in ("mona", "olivia"):
        runs.find(company.people[who])
        for limit in (1, 10, 100):
            with counted() as (own, theirs):
                found, _ = runs.find(company.people[who], limit=limit)
            assert len(found) == limit
            more = (
                math.ceil(limit / 4) - limit / 4 if who == "olivia" else 0
            )  # a page that lost rows is filled up with one more read
            assert len(own) <= 3 + 1 + (2 if who == "olivia" else 0), (who, limit, more, own)
            assert len(theirs) <= (3 if who == "olivia" else 1), (who, limit, theirs)
    keys = list(DESK_OF)
    runs.live_on(company.mona, "customer", keys)
    sent = []
    for wanted in (keys[:1], keys):
        with counted() as (own, theirs):
            live = runs.live_on(company.mona, "customer", wanted)
        assert sum(len(heads) for heads in live.values()) == sum(
            1 for made in many if made.live and made.record in wanted
        )
        sent.append((len(own), len(theirs)))
    assert sent[0] == sent[1]
    assert sent[0][0] <= 2


def test_a_source_that_is_away_is_asked_once_for_a_whole_list(
    company: Company, many: list[Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    titles = records.titles

    def noting(collection: str, keys: Any, scope: Any) -> dict[str, str]:
        asked.append(collection)
        return titles(collection, keys, scope)

    monkeypatch.setattr(records, "titles", noting)
    company.path.rename(company.path.with_suffix(".away"))
    connect.dispose()
    try:
        held, _ = runs.find(company.tom)
        assert len(asked) == 1, "a source that does not answer is not asked page after page"
        asked.clear()
        everything, following = runs.find(company.mona)
        assert (len(everything), following is not None, len(asked)) == (50, True, 1)
    finally:
        company.path.with_suffix(".away").rename(company.path)
        connect.dispose()
    assert {head.id for head in held} == {made.id for made in many if made.holder == company.tom.id}, (
        "what one holds stays in sight"
    )
    assert {head.record_title for head in everything} == set(DESK_OF), (
        "by their keys, for those who see everything"
    )


def test_what_one_holds_and_what_waits_to_be_continued(company: Company, many: list[Told]) -> None:
    for who in ("olivia", "tom", "mona"):
        held = runs.held_by(company.people[who], limit=MANY)
        assert {head.id for head in held} == {
            made.id for made in visible(many, who) if made.holder == company.people[who].id
        }
        begun = [(head.status != "waiting_person", head.created_at) for head in held]
        assert begun == sorted(begun), (
            "what waits for a person first, then the longest begun: these are due first"
        )
        waiting = runs.to_continue(company.people[who], limit=MANY)
        assert {head.id for head in waiting} == {
            made.id for made in visible(many, who) if made.status == "saved"
        }
        assert [head.active_at for head in waiting] == sorted(head.active_at for head in waiting), (
            "longest first"
        )
        assert len(runs.to_continue(company.people[who], limit=7)) <= 7
    for who in ("rosa", "ada", "ines", "stan"):
        assert runs.held_by(company.people[who]) == []
        assert runs.to_continue(company.people[who]) == [], "who may not resume has nothing to continue"


def test_a_head_tells_who_what_and_where(company: Company, many: list[Told]) -> None:
    by_id = {made.id: made for made in many}
    found, _ = runs.find(company.mona, limit=100)
    for head in found:
        made = by_id[head.id]
        assert (head.status, head.record, head.started_by, head.holder, head.created_at) == (
            made.status,
            made.record,
            made.by,
            made.holder,
            made.at,
        )
        assert head.live is made.live
        assert (head.step_title, head.ended_at is None) == (
            ("Take a note", True) if made.live else (None, False)
        )
        assert head.starter_name in ("Olivia", "Tom", "Mona")
        assert bool(head.holder_name) is bool(made.holder)
        assert head.record_title == (
            "A record that is gone"
            if made.record == "77"
            else company.sql("select display_name from customer where id = ?", made.record)[0][0]
        )
        told = head.to_json()
        assert (told["workflow"]["slug"], told["workflow"]["title"], told["version"]) == (
            "care-review",
            "Care review",
            1,
        )
        assert told["created_at"] == made.at.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        assert (told["ended_at"] is None) is made.live


def test_rights_decide_which_runs_are_counted(company: Company, many: list[Told]) -> None:
    assert len(runs.find(company.rosa, limit=100)[0]) == 100
    deny = Row("p", f"user:{company.rosa.id}", "*", "workflow:care-review", "see", "deny")
    with transaction() as connection:
        policy_store.write(connection, added=[deny])
    access.refresh()
    assert runs.find(company.rosa) == ([], None)
    assert runs.on_record(company.rosa, "customer", "1") == []
    assert runs.live_on(company.rosa, "customer", ["1", "2"]) == {}
    with transaction() as connection:
        policy_store.write(
            connection,
            removed=[deny],
            added=[Row("p", f"user:{company.rosa.id}", "*", "collection:customer", "read", "deny")],
        )
    access.refresh()
    assert runs.find(company.rosa) == ([], None), "nor those about records that may not be read"
    with hot_engine().connect() as connection2:
        connection2.execute(sa.text("update console.run set team = 'procurement' where record = '1'"))
    assert {head.record for head in runs.find(company.mona, limit=100)[0]} == set(DESK_OF) - {"1"}, (
        "a run of another team is theirs"
    )
