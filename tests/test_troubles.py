"""What an error of a driver, of the system or of the embedded server is told as: the disk, the folder, a right, or a database that is away."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors

from console.core.actor import Actor
from console.core.errors import Invalid
from console.infra import settings
from console.infra.db import engine, troubles
from console.infra.postgres import Embedded, PostgresError
from console.operations import backup, doctor, health

COMMAND = Actor("system", "command")
GREETED = 'connection to server on socket "/x/.s.PGSQL.5432" failed: FATAL:  could not write init file: {}'


def system(number: int) -> OSError:
    return OSError(number, os.strerror(number), "/data/x")


def caused(cause: BaseException) -> PostgresError:
    error = PostgresError("The data folder /data cannot be used.")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.DiskFull("could not extend file"), "disk_full"),
        (sa.exc.OperationalError("insert", None, errors.DiskFull("could not extend file")), "disk_full"),
        (psycopg.OperationalError(GREETED.format("No space left on device")), "disk_full"),
        (
            sa.exc.OperationalError(
                "", None, psycopg.OperationalError(GREETED.format("Disk quota exceeded"))
            ),
            "disk_full",
        ),
        (psycopg.OperationalError(GREETED.format("Read-only file system")), "read_only"),
        (psycopg.OperationalError(GREETED.format("the database system is in recovery mode")), "store_down"),
        (psycopg.OperationalError("server closed the connection unexpectedly"), "store_down"),
        (sa.exc.TimeoutError("pool"), "store_down"),
        (system(errno.ENOSPC), "disk_full"),
        (system(errno.EDQUOT), "disk_full"),
        (system(errno.EROFS), "read_only"),
        (caused(system(errno.EROFS)), "read_only"),
        (caused(system(errno.ENOSPC)), "disk_full"),
        (caused(system(errno.EACCES)), None),
        (PostgresError("PostgreSQL refused"), None),
        (system(errno.EACCES), None),
        (errors.ReadOnlySqlTransaction("no"), "read_only"),
        (errors.InsufficientPrivilege("no"), "no_right"),
        (errors.UndefinedColumn("no"), "other_tables"),
        (errors.UniqueViolation("twice: No space left on device"), None),
        (Invalid("No space left on device"), None),
        (ValueError("No space left on device"), None),
    ],
)
def test_an_error_is_told_by_its_cause_and_not_by_a_value_that_somebody_typed(
    error: BaseException, code: str | None
) -> None:
    found = troubles.trouble_of(error)
    assert (found.code if found else None) == code


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder in which the embedded server cannot make its files."""
    folder = tmp_path / "data"
    (folder / "postgres" / "users.lock").mkdir(parents=True)
    folder.chmod(0o700)
    for name in ("DATABASE_URL", "DATABASE_MIGRATION_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CONSOLE_DATA_DIR", str(folder))
    settings.current.cache_clear()
    engine._embedded.cache_clear()
    engine.dispose()
    yield folder
    engine.dispose()
    engine._embedded.cache_clear()
    monkeypatch.undo()
    settings.current.cache_clear()


def test_a_folder_that_the_server_cannot_use_is_named_and_nothing_else_is_blamed(
    broken: Path, tmp_path: Path
) -> None:
    """A backup said that its own file could not be written."""
    with pytest.raises(PostgresError, match=f"{broken} cannot be used: Is a directory"):
        Embedded(broken).acquire()
    with pytest.raises(PostgresError, match=f"{broken} cannot be used"):
        backup.write(COMMAND, tmp_path / "x.backup")
    assert not list(tmp_path.glob("x.backup*"))


def test_doctor_looks_at_the_rest_where_the_server_cannot_use_its_folder(broken: Path) -> None:
    (database,) = doctor._database(settings.current())
    assert (database.name, database.ok) == ("database", False)
    assert f"{broken} cannot be used" in database.message
    assert doctor.examine()["database"]["app_url"] is None
    assert health.examine().database == "down"
