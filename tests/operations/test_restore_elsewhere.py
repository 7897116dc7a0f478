"""Restoring into another server or for other roles."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from console import log
from console.activity import sequencing
from console.infra import settings
from console.infra.db import dump, engine, fetch
from console.infra.postgres import Embedded
from console.operations import backup, restore
from tests.company import Company
from tests.operations.test_backup import (
    CLI,
    alone,  # noqa: F401 - the fixtures
    checked,
    console,
    database,
    fixture_saved,  # noqa: F401 - the fixtures
    rewritten,  # noqa: F401 - the fixtures
    stating,  # noqa: F401 - the fixtures
    yes,
)

pytestmark = pytest.mark.lengthy


@pytest.fixture(name="second")
def fixture_second(tmp_path: Path) -> Iterator[Embedded]:
    """A server that has seen hardly any transaction."""
    made = Embedded(tmp_path / "second", durable=False).acquire()
    yield made
    engine.dispose()
    made.stop()
    made.release()


def test_into_a_server_that_counts_from_the_beginning(
    company: Company, second: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events that wait for their place carry the number of a transaction that the new server has not come to."""
    company.finished("1")
    with psycopg.connect(
        dump.libpq(engine.migration_url().difference_update_query(["options"])), autocommit=True
    ) as busy:
        for _ in range(5000):
            busy.execute("select pg_current_xact_id()")
        with busy.transaction():
            busy.execute(
                "select pg_current_xact_id()"
            )  # holds the order of the log back, as any long transaction does
            waiting = company.at("note", "2")
            backup.write(CLI, tmp_path / "one.zip")
    pending, newest = fetch("select count(*), max(xid::text::bigint) from console.log_pending")[0]
    assert pending > 5
    for name, value in {
        "DATABASE_URL": second.url(),
        "DATABASE_MIGRATION_URL": second.url("postgres") + "&options=-crole%3Dconsole_owner",
        "CONSOLE_DATA_DIR": str(tmp_path / "elsewhere"),
    }.items():
        monkeypatch.setenv(name, value)
    engine.dispose()
    settings.current.cache_clear()
    assert int(second.sql("select pg_current_xact_id()")) < newest
    done = restore.restore(CLI, tmp_path / "one.zip")
    assert (done.lost, done.erased) == (0, 0)
    assert fetch("select count(*) from console.log_pending")[0][0] == 0
    assert (tmp_path / "elsewhere" / sequencing.HEADS).read_text().count("— ") >= 2
    assert checked().exit_code == 0
    company.answer(waiting)
    assert company.told(waiting)["current"]["step"] == "rate"
    restore.restore(CLI, tmp_path / "one.zip", replace=True, agree=yes)
    assert checked().exit_code == 0


def test_where_the_role_may_not_make_databases_an_administrator_is_told_what_to_run(
    company: Company, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, admin = database(), engine.migration_url().difference_update_query(["options"])
    told = str(settings.current().database_migration_url)
    with psycopg.connect(dump.libpq(admin.set(database="postgres")), autocommit=True) as boss:
        boss.execute("drop role if exists small_migrator")
        boss.execute("create role small_migrator login noinherit password 'small' in role console_owner")
        boss.execute(sa.text(f"grant connect on database {name} to small_migrator").text)
        small = engine.migration_url().set(username="small_migrator", password="small")
        monkeypatch.setenv("DATABASE_MIGRATION_URL", dump.libpq(small))
        settings.current.cache_clear()
        try:
            first = console("restore", str(saved), "--replace", "--accept-loss")
            assert first.returncode == 1
            run_all(boss, first.stderr, 3)
            for _ in range(2):  # what an earlier try left there is no matter
                second = console("restore", str(saved), "--replace", "--accept-loss")
                assert "Restored and verified" in second.stderr, second.stderr
                assert second.returncode == 1
            assert not [event for event in log.events_of("sys:config") if event.type == "log_restored"]
            engine.dispose()
            run_all(boss, second.stderr, 2)
            assert [event.type for event in log.events_of("sys:config")][-1] == "log_restored"
            assert checked().exit_code == 0
        finally:
            engine.dispose()
            monkeypatch.setenv("DATABASE_MIGRATION_URL", told)
            settings.current.cache_clear()
            for leftover in ("_restoring", "_replaced"):
                boss.execute(f"drop database if exists {name}{leftover} with (force)")
            boss.execute(f"revoke all on database {name} from small_migrator")
            boss.execute("drop role small_migrator")
    assert company.people


def run_all(boss: "psycopg.Connection[Any]", said: str, count: int) -> None:
    """The statements of a message, one after the other."""
    statements = [line.strip() for line in said.splitlines() if line.startswith("  ")]
    assert len(statements) == count, said
    for statement in statements:
        boss.execute(statement.encode())


def test_no_password_stands_in_the_list_of_processes() -> None:
    url = sa.make_url(
        "postgresql+psycopg://me:hush%20hush@db.example:5433/ops?sslmode=require&options=-crole%3Dboss&keepalives_idle=9&sslpassword=shh"
    )
    told, arguments = dump.environment(url)
    assert {
        name: told[name]
        for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE", "PGOPTIONS")
    } == {
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGUSER": "me",
        "PGPASSWORD": "hush hush",
        "PGDATABASE": "ops",
        "PGSSLMODE": "require",
        "PGOPTIONS": "-crole=boss",
    }
    assert arguments == ["--dbname=keepalives_idle='9'"]
    assert not {name for name in told if name.startswith(("CONSOLE_", "DATABASE_"))}
