"""`/health` for load balancers: open to everybody, says whether this process can serve and who else works."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from console import __version__, settings
from console.app import create_app
from console.db.engine import app_url
from console.db.presence import PRESENCE
from tests.conftest import Database


def test_it_is_running_without_a_worker(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.json) == (
        200,
        {"status": "running", "version": __version__, "database": "ok", "worker": "none", "log": "ok"},
    )


def test_it_sees_a_worker_of_its_own_database_only(app: Flask, client: FlaskClient, database: Database) -> None:
    hold = sa.text("select pg_advisory_lock_shared(:first, :second)")
    names = dict(zip(("first", "second"), PRESENCE, strict=True))
    elsewhere = sa.create_engine(app_url().set(database=database.name), poolclass=sa.NullPool)
    here = sa.create_engine(app_url(), poolclass=sa.NullPool)
    with elsewhere.connect() as other:
        other.execute(hold, names)
        assert client.get("/health").json == {"status": "running", "version": __version__, "database": "ok", "worker": "none", "log": "ok"}
        with here.connect() as ours:
            ours.execute(hold, names)
            assert (client.get("/health").json or {})["worker"] == "ok"
            ours.execute(sa.text("select pg_advisory_unlock_all()"))  # a server lets go of a closed connection in its own time
            assert (client.get("/health").json or {})["worker"] == "none"


def test_without_its_database_it_is_503_and_says_nothing_else(clean: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", clean.url.replace("/" + clean.name + "?", "/no_such_database?"))
    settings.current.cache_clear()
    from console.db import engine

    engine.dispose()
    answer = create_app().test_client().get("/health")
    engine.dispose()
    assert (answer.status_code, answer.json) == (503, {"status": "starting", "version": __version__, "database": "down", "worker": "none"})
