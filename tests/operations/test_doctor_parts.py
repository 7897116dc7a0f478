"""What the doctor says of the folder, the keys and the database's URL, without a database."""

import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
import sqlalchemy as sa

from console.infra.db import dump
from console.infra.postgres import LEAST_FREE_BYTES
from console.infra.settings import Settings
from console.operations import doctor
from tests.tables import cases


def told(folder: Path = Path("/srv/data"), **more: Any) -> Settings:
    """Settings as a process would have read them: an embedded server unless `database_url` is given."""
    keys: dict[str, Any] = {
        "given_secret_key": "s" * 32,
        "given_master_key": b"m" * 32,
        "given_signing_key": b"k" * 32,
    }
    return Settings(**({"data_dir": folder} | keys | more))


class Usage(NamedTuple):
    """What `shutil.disk_usage` answers."""

    total: int
    used: int
    free: int


def with_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**50, 2**50 - free, free))


@pytest.mark.parametrize(
    ("free", "ok", "words"),
    [
        (0, False, "has 0 MB free"),
        (2**20 - 1, False, "has 0 MB free"),
        (2**20, False, "has 1 MB free"),
        (LEAST_FREE_BYTES - 1, False, "has 199 MB free"),
        (LEAST_FREE_BYTES, True, "0 GB free"),
        (2**30 - 1, True, "0 GB free"),
        (2**30, True, "1 GB free"),
        (5 * 2**40, True, "5120 GB free"),
    ],
    ids=["none", "less than one", "one", "a byte too few", "just enough", "almost a GB", "a GB", "much"],
)
def test_room_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, ok: bool, words: str
) -> None:
    with_free(monkeypatch, free)
    check = doctor._data_folder(told(tmp_path))
    assert (check.name, check.ok) == ("data folder", ok)
    assert check.message.startswith(str(tmp_path))
    assert check.message.endswith(words)
    assert check.fix == ("" if ok else "Make room: the database needs 200 MB to start")


@pytest.mark.parametrize(
    ("number", "url", "message", "advised"),
    [
        (0, None, "runs as root; the database runs with less, on files that are root's", True),
        (0, "postgresql://db/x", "runs as user 0", False),
        (1000, None, "runs as user 1000", False),
        (1000, "postgresql://db/x", "runs as user 1000", False),
        (65534, None, "runs as user 65534", False),
    ],
    ids=["root embedded", "root elsewhere", "user embedded", "user elsewhere", "nobody"],
)
def test_whom_it_runs_as(
    monkeypatch: pytest.MonkeyPatch, number: int, url: str | None, message: str, advised: bool
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: number)
    check = doctor._user(told(database_url=url))
    assert (check.ok, check.message) == (True, message)
    assert bool(check.fix) is advised


@pytest.mark.parametrize("missing", ["secret_key", "master_key", "signing_key"])
def test_a_key_that_is_missing_is_named_and_never_shown(missing: str) -> None:
    check = doctor._keys(told(database_url="postgresql://db/x", folder=Path(), **{f"given_{missing}": None}))
    assert (check.name, check.ok) == ("keys", False)
    assert f"CONSOLE_{missing.upper()}" in check.message
    assert ":" not in check.message
    assert "\n" not in check.message
    assert not any(part in check.message for part in ("sss", "mmm", "kkk"))
    assert check.fix.startswith("Set what is named")


@cases(
    ("url", "plain"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql://u:p@h:5432/d"),
        ("postgresql+psycopg://u:p@h/d", "postgresql://u:p@h/d"),
        ("postgresql+psycopg://u:p%40q@h/d", "postgresql://u:p%40q@h/d"),
        ("postgresql+psycopg://u:p@h/d?sslmode=require", "postgresql://u:p@h/d?sslmode=require"),
        ("postgresql+psycopg://u:p@/d?host=/a%20b", "postgresql://u:p@/d?host=%2Fa%20b"),
        ("postgresql+psycopg://u:p@/d?host=/a+b", "postgresql://u:p@/d?host=%2Fa%20b"),
        ("postgresql+psycopg://u:p@/d?host=/a%2Bb", "postgresql://u:p@/d?host=%2Fa%2Bb"),
        ("postgresql+psycopg://u:p%2Bq@h/d", "postgresql://u:p+q@h/d"),
    ],
    ids=[
        "as it is",
        "driver",
        "password",
        "option",
        "blank",
        "plus is a blank",
        "a plus",
        "plus in the password",
    ],
)
def test_a_url_as_psql_reads_it(url: str, plain: str) -> None:
    made = dump.libpq(sa.make_url(url))
    assert sa.make_url(made).password == sa.make_url(url).password
    assert made == plain


class Ended:
    """A process that ends just before it is asked."""

    pid = 1

    def cmdline(self) -> list[str]:
        raise psutil.NoSuchProcess(self.pid)


class Running(Ended):
    """A process with a command line."""

    def __init__(self, *words: str) -> None:
        self.words = list(words)

    def cmdline(self) -> list[str]:
        return self.words


@cases(
    ("process", "door"),
    [
        (Running("python", "-m", "console.views.server"), "console.views.server"),
        (Running("python", "-P", "-m", "console.operations.worker", "--once"), "console.operations.worker"),
        (Running("python", "-m", "console"), ""),
        (Running("consoled", "xconsole.web"), ""),
        (Running("python", "console.views.server", "console.operations.worker"), "console.views.server"),
        (Running(), ""),
        (Ended(), ""),
    ],
    ids=["web", "worker", "command", "another", "the first", "no words", "ended"],
)
def test_the_door_of_a_process(process: Any, door: str) -> None:
    assert doctor._door(process) == door
