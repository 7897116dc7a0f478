"""The doctor over databases that are in trouble: each look is taken, and one that cannot be says why."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from console.auth import access
from console.auth.access import policy_store
from console.core.errors import ConsoleError, NotAllowed
from console.infra import settings, subjects
from console.infra.db import dump, engine, fitness, troubles
from console.infra.postgres import Embedded
from console.operations import doctor
from console.operations.doctor import Check
from tests.company import Company
from tests.conftest import Database

pytestmark = pytest.mark.lengthy

ALWAYS = {
    "database",
    "tables",
    "roles",
    "writing",
    "worker",
    "rights",
    "clearances",
    "governed fields",
    "signing key",
    "log",
    "outside",
    "backup",
    "model",
}
"""What the doctor looks at in any database that is migrated."""


@contextmanager
def taking_no_changes(pg: Embedded) -> Iterator[None]:
    """The console's database as a standby is, for new connections; an administrator's `alter system` does the same for a whole server."""
    name = engine.app_url().database
    pg.sql(f"alter database {name} set default_transaction_read_only = on")
    engine.dispose()
    try:
        yield
    finally:
        pg.sql(f"alter database {name} reset default_transaction_read_only")
        engine.dispose()


def as_owner() -> psycopg.Connection[Any]:
    """A connection of the role that owns the tables, outside any transaction."""
    return psycopg.connect(dump.libpq(engine.migration_url()), autocommit=True)


def looked() -> dict[str, Check]:
    """What the doctor says of the database, by name; nothing is said twice."""
    checks = list(doctor._database(settings.current()))
    assert len({check.name for check in checks}) == len(checks)
    return {check.name: check for check in checks}


def test_a_database_that_takes_no_changes_keeps_the_doctor_from_nothing_else(
    company: Company, pg: Embedded
) -> None:
    """He stopped at the first look that writes, and said one sentence."""
    before = looked()
    assert set(before) >= ALWAYS
    with taking_no_changes(pg):
        ill = looked()
    assert set(ill) == set(before)
    assert (
        {"writing"} <= {name for name in ill if before[name].ok and not ill[name].ok} <= {"writing", "log"}
    )  # the log where it has grown
    assert "takes no changes" in ill["writing"].message
    assert ill["writing"].fix == troubles.READ_ONLY.fix
    assert {name: check.ok for name, check in looked().items()} == {
        name: check.ok for name, check in before.items()
    }


def test_a_database_without_tables_is_told_beside_everything_that_does_not_need_them(
    clean: Database, pg: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    pg.sql("create database still_empty")
    try:
        for name in ("DATABASE_URL", "DATABASE_MIGRATION_URL"):
            monkeypatch.setenv(name, clean.admin_url.replace(f"/{clean.name}?", "/still_empty?"))
        settings.current.cache_clear()
        engine.dispose()
        found = doctor.examine()
        checks = {check["name"]: check for check in found["checks"]}
        assert not found["ok"]
        assert {"data folder", "user", "keys", "address", "database", "tables", "roles"} <= set(checks)
        assert checks["tables"]["message"].startswith("at nothing, this release needs ")
        assert (checks["tables"]["ok"], checks["tables"]["fix"]) == (False, "console migrate")
        assert checks["database"]["ok"]
        assert not set(checks) & {"writing", "rights", "log", "backup"}
    finally:
        engine.dispose()
        pg.sql("drop database still_empty with (force)")


def test_a_table_that_somebody_took_away_is_told_by_the_looks_that_need_it(
    company: Company, pg: Embedded
) -> None:
    with as_owner() as connection:
        connection.execute("alter table console.webhook rename to webhook_away")
        connection.execute("alter table console.collection rename to collection_away")
    try:
        found = looked()
    finally:
        with as_owner() as connection:
            connection.execute("alter table console.webhook_away rename to webhook")
            connection.execute("alter table console.collection_away rename to collection")
    told = {
        name: check.message
        for name, check in found.items()
        if check.message.startswith("could not be looked at")
    }
    assert set(told) == {"governed fields", "webhooks"}
    assert set(told.values()) == {f"could not be looked at: {troubles.OTHER_TABLES.message}"}
    assert set(found) >= ALWAYS


LOOKS = [
    "_writing",
    "_worker",
    "_rights",
    "_clearances",
    "_governed_fields",
    "_signing_key",
    "_log",
    "_backup",
]


@pytest.mark.parametrize(
    ("error", "reason", "fix"),
    [
        (
            sa.exc.OperationalError("select 1", {}, psycopg.OperationalError("gone")),
            troubles.DOWN.message,
            troubles.DOWN.fix,
        ),
        (psycopg.errors.DiskFull("no room"), troubles.FULL.message, troubles.FULL.fix),
        (psycopg.errors.InsufficientPrivilege("denied"), troubles.NO_RIGHT.message, troubles.NO_RIGHT.fix),
        (
            OSError(errno.EROFS, os.strerror(errno.EROFS)),
            troubles.READ_ONLY_FOLDER.message,
            troubles.READ_ONLY_FOLDER.fix,
        ),
        (
            ConsoleError("The policy of version 4 cannot be read."),
            "The policy of version 4 cannot be read.",
            troubles.DOWN.fix,
        ),
    ],
    ids=["gone", "full", "no right", "read-only folder", "a sentence of ours"],
)
def test_whatever_a_look_meets_is_one_line_under_its_name(
    company: Company, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str, fix: str
) -> None:
    def meeting(*_: Any) -> Check:
        raise error

    names = {}
    for look in LOOKS:
        with monkeypatch.context() as patched:
            broken: Callable[..., Check] = meeting
            broken.__name__ = look
            patched.setattr(doctor, look, broken)
            found = looked()
        name = look.strip("_").replace("_", " ")
        names[look] = name
        assert found[name] == Check(name, ok=False, message=f"could not be looked at: {reason}", fix=fix)
        assert set(found) >= ALWAYS, look
    assert set(names.values()) <= ALWAYS


@pytest.mark.parametrize(
    ("statement", "back", "words"),
    [
        (
            "revoke select on console.policy from console",
            "grant select on console.policy to console",
            troubles.NO_RIGHT.message,
        ),
        (
            "alter table console.policy rename to policy_away",
            "alter table console.policy_away rename to policy",
            troubles.OTHER_TABLES.message,
        ),
    ],
    ids=["no right", "no table"],
)
def test_rights_that_cannot_be_read_say_why_and_allow_nothing(
    company: Company,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    statement: str,
    back: str,
    words: str,
) -> None:
    """Who started a command on an empty database was told to try again in a minute, and the name of a class of SQLAlchemy."""
    olivia = company.people["olivia"]
    with as_owner() as connection:
        connection.execute(statement)
        try:
            monkeypatch.setattr(policy_store, "_held", None)
            policy_store._Clock.asked = policy_store._Clock.sure = 0.0
            with pytest.raises(NotAllowed) as refused:
                access.can(olivia, "operations", "workflow:kyc-review", "start")
        finally:
            connection.execute(back)
    assert refused.value.code == "rights_unknown"
    assert refused.value.message == f"The rights cannot be read at the moment, so nothing is allowed. {words}"
    assert "ProgrammingError" not in caplog.text
    access.refresh()
    assert policy_store._Clock.trouble is None


def test_another_master_key_is_found_by_the_doctor_and_by_whoever_starts(
    company: Company, given_settings: Callable[..., None]
) -> None:
    company.finished("1")
    subjects.require_master_key()
    former = subjects.master_id()
    given_settings(CONSOLE_MASTER_KEY="ab" * 32)
    with pytest.raises(fitness.Unfit, match=former):
        subjects.require_master_key()
    assert former in looked()["connection"].message
