"""`/health`: open to everybody, fails where nothing can be written or no worker works, and says what to mend; `/health/pages` for load balancers."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from console import __version__
from console.infra import settings
from console.infra.db import engine, presence, troubles
from console.infra.db.engine import app_url
from console.infra.db.presence import PRESENCE
from console.infra.postgres import Embedded
from console.operations import health
from console.views.app import create_app
from tests.company import Company
from tests.conftest import Database
from tests.views.conftest import Pages

Look = Callable[[], tuple[int, dict[str, Any]]]


@pytest.fixture
def look(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Status and body of `/health` as it is at this moment."""
    monkeypatch.setattr(health, "KEPT_S", -1.0)

    def ask() -> tuple[int, dict[str, Any]]:
        answer = client.get("/health")
        return answer.status_code, answer.json or {}

    return ask


@contextmanager
def held(url: sa.URL) -> Iterator[sa.Connection]:
    """The lock that a worker holds."""
    made = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with made.connect() as connection:
        connection.execute(
            sa.text("select pg_advisory_lock_shared(:first, :second)"),
            dict(zip(("first", "second"), PRESENCE, strict=True)),
        )
        yield connection
        connection.execute(
            sa.text("select pg_advisory_unlock_all()")
        )  # a server lets go of a closed connection in its own time


def codes(body: dict[str, Any]) -> list[str]:
    """What it says is wrong; each with a sentence and a way out."""
    assert all(one["message"] and one["fix"] for one in body.get("problems", []))
    return [one["code"] for one in body.get("problems", [])]


def test_all_is_well_with_a_worker_that_gives_signs_of_life(clean: Database, look: Look) -> None:
    presence.sign()
    with held(app_url()):
        assert look() == (
            200,
            {"status": "running", "version": __version__, "database": "ok", "worker": "ok", "log": "ok"},
        )


def test_no_worker_one_of_another_database_or_one_that_is_frozen_is_a_failure_and_a_pause_is_told(
    clean: Database, database: Database, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    presence.sign()
    with held(app_url().set(database=database.name)):
        status, body = look()
        assert (status, body["status"], body["worker"], codes(body)) == (
            503,
            "failing",
            "none",
            ["no_worker"],
        )
    with held(app_url()) as connection:
        assert look()[0] == 200
        connection.execute(sa.text("update console.version set number = 1 where name = 'paused'"))
        status, body = look()
        assert (status, body["status"], body["worker"], codes(body)) == (200, "paused", "paused", [])
        monkeypatch.setattr(health, "writing", lambda: troubles.READ_ONLY)
        status, body = look()
        assert (status, body["status"], body["worker"], codes(body)) == (
            503,
            "failing",
            "paused",
            ["read_only"],
        )
        monkeypatch.undo()
        monkeypatch.setattr(health, "KEPT_S", -1.0)
        connection.execute(sa.text("update console.worker_sign set at = now() - interval '1 minute'"))
        status, body = look()
        assert (status, body["worker"], codes(body)) == (503, "stuck", ["worker_stuck"])


@pytest.mark.parametrize("how", ["role", "standby"])
def test_a_database_that_takes_no_changes_is_a_failure_and_is_told_on_pages(
    clean: Database, pg: Embedded, look: Look, client: FlaskClient, how: str
) -> None:
    """A session that is read-only refuses as a standby does: with SQLSTATE 25006."""
    presence.sign()
    what = "role console in database" if how == "role" else "database"
    pg.sql(f"alter {what} {clean.name} set default_transaction_read_only = on")
    try:
        engine.dispose()
        with held(app_url()):
            status, body = look()
            assert (status, body["database"], codes(body)) == (503, "not_writable", ["read_only"])
            assert client.get("/health/pages").status_code == 200
        page = client.get("/sign-in")
        sent = client.post(
            "/sign-in", data={"email": "ana@example.com", "password": "x", "csrf_token": _token(page.text)}
        )
        assert sent.status_code == 503
        assert "takes no changes at the moment: nothing can be saved" in sent.text
    finally:
        pg.sql(f"alter {what} {clean.name} reset default_transaction_read_only")
        engine.dispose()
    with held(app_url()):
        assert look()[0] == 200


def _token(page: str) -> str:
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]


def test_what_is_tried_leaves_nothing_behind(clean: Database) -> None:
    assert health.writing() is None
    with psycopg.connect(clean.url, autocommit=True) as connection:
        size = "select pg_relation_size('console.write_probe'), (select count(*) from console.write_probe)"
        before = connection.execute(size).fetchone()
        for _ in range(5):
            assert health.writing() is None
        assert connection.execute(size).fetchone() == before == (0, 0)


def test_a_disk_without_room_is_a_failure_before_the_server_runs_into_it(
    clean: Database, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.current().data_dir.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 2**60)
    monkeypatch.setattr(settings.Settings, "embedded", property(lambda _: True))
    status, body = look()
    assert (status, body["database"], codes(body)[0]) == (503, "not_writable", "disk_full")


def test_a_data_folder_that_takes_no_changes_is_named_and_not_only_the_server_that_fell_over_it(
    clean: Database, look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that the system mounted read-only after an error: even root writes nothing there."""
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(tmp_path)], capture_output=True, check=False
    ).returncode:
        pytest.skip("only root mounts")
    try:
        monkeypatch.setenv("CONSOLE_DATA_DIR", str(tmp_path))
        settings.current.cache_clear()
        status, body = look()
        assert (status, body["database"], codes(body)[0]) == (503, "not_writable", "read_only")
        assert "data folder" in body["problems"][0]["message"]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_without_its_database_it_is_503(clean: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", clean.url.replace("/" + clean.name + "?", "/no_such_database?"))
    settings.current.cache_clear()
    engine.dispose()
    client = create_app().test_client()
    answer, pages = client.get("/health"), client.get("/health/pages")
    engine.dispose()
    body = answer.json or {}
    assert (answer.status_code, body["status"], body["database"], codes(body)) == (
        503,
        "starting",
        "down",
        ["store_down"],
    )
    assert pages.status_code == 503


@pytest.mark.parametrize(("method", "kept"), [("get", False), ("post", True)])
def test_only_who_typed_something_is_told_that_it_is_kept(
    company: Company, pages: Pages, pg: Embedded, method: str, kept: bool
) -> None:
    """Opening the activity log is itself an event: in a database that takes no changes it is refused, and nothing was typed there."""
    ines, name = pages.ines, app_url().database
    pg.sql(f"alter database {name} set default_transaction_read_only = on")
    engine.dispose()
    try:
        if method == "get":
            ines.get("/activity", status=503)
        else:
            ines.post("/operations/pause", {"csrf_token": ines.token, "reason": "Maintenance"}, status=503)
    finally:
        pg.sql(f"alter database {name} reset default_transaction_read_only")
        engine.dispose()
    assert ("What you typed is kept here: try again then." in ines.answer.text) is kept
    assert ("Try again then." in ines.answer.text) is not kept
    ines.get("/activity")
