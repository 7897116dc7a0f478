"""What a dry run writes is found by what it reads later, refused by the database as it would be, and gone at the end; in every dialect."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from console import records, sources
from console.auth import access
from console.core import scopes
from console.core.errors import Conflict, ConsoleError, NotFound
from console.infra.postgres import Embedded
from console.records import connect, rehearsal
from tests.company import Company
from tests.runs.simulation.test_dry_runs import document, ends, path, said, trial, written
from tests.servers.mariadb import running
from tests.support.acting import RATE, imported
from tests.support.engine import step

pytestmark = pytest.mark.lengthy

TABLES = [
    "create table ticket (id integer primary key, subject varchar(40) not null, status varchar(20) not null check (status in ('open', 'solved')))",
    "insert into ticket values (1, 'first', 'open'), (2, 'second', 'open'), (3, 'third', 'open')",
]
ALL = scopes.unrestricted("ticket")


@pytest.fixture(scope="module", params=["postgresql", "mysql", "sqlite"])
def url(
    request: pytest.FixtureRequest, pg: Embedded, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("rehearsed")
    if request.param == "postgresql":
        pg.drop_database("rehearsed")
        pg.sql("create database rehearsed")
        yield pg.url("postgres", "rehearsed")
    elif request.param == "sqlite":
        Path(folder, "rehearsed.db").touch()
        yield f"sqlite:///{folder}/rehearsed.db"
    else:
        with running(folder) as server:
            yield make_url(server).set(database="rehearsed").render_as_string(hide_password=False)


@pytest.fixture
def desk(url: str, company: Company) -> Iterator[Callable[[], list[Any]]]:
    """A source of three tickets; what another connection finds there."""
    parsed = connect.address(url)
    if parsed.get_backend_name() == "mysql":
        with sa.create_engine(parsed.set(database=""), poolclass=sa.NullPool).connect() as first:
            first.exec_driver_sql("drop database if exists rehearsed")
            first.exec_driver_sql("create database rehearsed")
    engine = sa.create_engine(parsed, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("drop table if exists ticket")
        for statement in TABLES:
            connection.exec_driver_sql(statement)
        sources.add("desk", url, documents=[{"id": "ticket", "source": "desk", "table": "ticket"}])
        yield lambda: list(connection.exec_driver_sql("select id, subject, status from ticket order by id"))
    sources.remove("desk", force=True)
    engine.dispose()


def status(key: str) -> Any:
    return records.get("ticket", key, ALL).values["status"]


def test_what_was_written_is_read_until_the_end_and_then_gone(desk: Callable[[], list[Any]]) -> None:
    before = desk()
    with records.rehearsed():
        assert status("1") == "open"
        assert (
            records.write("ticket", "1", {"status": {"old": "open", "new": "solved"}}, ALL).values["status"]
            == "solved"
        )
        made = records.insert("ticket", {"id": 9, "subject": "ninth", "status": "open"}, ALL)
        records.delete("ticket", "2", {"status": "open"}, ALL)
        assert (status("1"), made.key, status("9")) == ("solved", "9", "open")
        with pytest.raises(NotFound):
            status("2")
        assert desk() == before, "nobody else sees any of it"
    assert desk() == before
    assert status("1") == "open"
    records.write("ticket", "1", {"status": {"old": "open", "new": "solved"}}, ALL)
    assert desk()[0][2] == "solved", "afterwards writes are real again"


def test_what_is_refused_undoes_itself_alone(desk: Callable[[], list[Any]]) -> None:
    before = desk()
    with records.rehearsed():
        records.write("ticket", "1", {"status": {"new": "solved"}}, ALL)
        for change in (
            {"status": {"new": "lost"}},
            {"subject": {"new": None}},
            {"status": {"old": "solved", "new": "open"}},
        ):
            with pytest.raises(ConsoleError):
                records.write("ticket", "2", change, ALL)
        with pytest.raises(Conflict):
            records.insert("ticket", {"id": 3, "subject": "again", "status": "open"}, ALL)
        assert (status("1"), status("2")) == ("solved", "open")
    assert desk() == before


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_check_that_is_put_off_to_the_commit_is_done(desk: Callable[[], list[Any]], url: str) -> None:
    with sa.create_engine(
        connect.address(url), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    ).connect() as connection:
        connection.exec_driver_sql(
            "create or replace function never() returns trigger language plpgsql as $$ begin raise exception 'Nobody solves two tickets.'; end $$"
        )
        connection.exec_driver_sql(
            "create constraint trigger two after update on ticket deferrable initially deferred for each row when (new.id = 2) execute function never()"
        )
    with records.rehearsed():
        with pytest.raises(ConsoleError):
            records.write("ticket", "2", {"status": {"new": "solved"}}, ALL)
        assert status("2") == "open"


def test_a_rehearsal_that_takes_long_ends_by_itself(
    desk: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "HELD_S", -1.0)
    with records.rehearsed(), pytest.raises(Conflict, match="held open"):
        records.write("ticket", "1", {"status": {"new": "solved"}}, ALL)
    assert desk()[0][2] == "open"


@pytest.mark.parametrize("url", ["mysql"], indirect=True)
def test_a_source_with_tables_that_keep_every_change_is_only_read(
    desk: Callable[[], list[Any]], url: str
) -> None:
    with sa.create_engine(
        connect.address(url), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    ).connect() as connection:
        connection.exec_driver_sql("create table noted (id int) engine=MyISAM")
        try:
            with records.rehearsed(), pytest.raises(rehearsal.NotRehearsed):
                records.write("ticket", "1", {"status": {"new": "solved"}}, ALL)
        finally:
            connection.exec_driver_sql("drop table noted")
    assert desk()[0][2] == "open"


CLOSE = {
    "effect": {
        "kind": "sql_write",
        "name": "account",
        "collection": "account",
        "record": "input.account",
        "set": {"status": "'closed'"},
        "summary": "Closes it",
    },
    "values": {"account": "steps.load.accounts[0].iban"},
}


def closing() -> dict[str, Any]:
    """Close one open account of the customer after the other."""
    related = {
        "name": "accounts",
        "relation": "account",
        "fields": ["iban", "status"],
        "where": "record.status == 'open'",
    }
    return document(
        step("start", "start", "load"),
        step("load", "get_data", "any", {"fields": ["risk"], "related": [related]})
        | {"completion": "automatic"},
        step(
            "any",
            "condition",
            None,
            {"branches": [{"if": "size(steps.load.accounts) > 0", "outcome": "yes"}]},
        )
        | {"next": {"yes": "close", "default": "end"}},
        step("close", "action", "again", CLOSE),
        step("again", "go_to", "load"),
        step("end", "end", None, {"label": "All closed"}),
    )


def test_a_list_that_a_workflow_works_off_comes_to_its_end(company: Company) -> None:
    access.grant("operations_lead", "collection:account", ["browse", "read", "update"], team="operations")
    before, rows = written(), company.sql("select * from account order by iban")
    found = trial(company, closing())
    assert (found.outcome, path(found)) == (
        "All closed",
        ["start", "load", "any", "close", "again", "load", "any", "end"],
    )
    assert (written(), company.sql("select * from account order by iban"), found.notes) == (before, rows, [])


def test_where_nothing_may_be_tried_the_dry_run_says_so(
    company: Company, given_settings: Callable[..., None]
) -> None:
    given_settings(CONSOLE_DRY_RUN_READS_ONLY="company")
    access.grant("operations_lead", "collection:account", ["browse", "read", "update"], team="operations")
    found = trial(company, closing())
    assert found.question is not None
    assert any("CONSOLE_DRY_RUN_READS_ONLY" in note for note in found.notes), found.notes


def test_what_the_database_refuses_is_found(company: Company) -> None:
    imported(RATE)
    access.grant("operations_lead", "action:customer.rate", ["execute"], team="operations")
    company.sql(
        "create trigger keep before update on customer when new.risk = 'high' begin select raise(abort, 'Nobody is a high risk here.'); end"
    )
    rated = {"rate": said(values={"risk": "high"})}
    made = document(
        step("start", "start", "rate"),
        step("rate", "trigger_action", "end", {"action": "customer.rate"}),
        step("end", "end", None),
    )
    found = trial(company, made, answers=rated)
    assert found.question is not None
    assert "Nobody is a high risk here." in found.question.why
    chosen = trial(company, made, answers=rated, endings={"rate": ends(outcome="succeeded")})
    assert chosen.question is None, "what the tester chose comes first"
