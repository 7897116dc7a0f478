"""What the doctor says of the folder, the keys, the address and the database's URL, without any database."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
import sqlalchemy as sa

from console.ai import probe, providers
from console.db import dump
from console.postgres import LEAST_FREE_BYTES
from console.settings import AI, Settings
from console.upkeep import doctor, doctor_model
from console.upkeep.doctor import Check
from tests.servers import model
from tests.tables import cases


def told(folder: Path = Path("/srv/data"), **more: Any) -> Settings:
    """Settings as a process would have read them: an embedded server unless `database_url` is given."""
    keys: dict[str, Any] = {"given_secret_key": "s" * 32, "given_master_key": b"m" * 32, "given_signing_key": b"k" * 32}
    return Settings(**({"data_dir": folder} | keys | more))


class Usage(NamedTuple):
    """What `shutil.disk_usage` answers."""

    total: int
    used: int
    free: int


def with_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**50, 2**50 - free, free))


def test_a_check_needs_no_fix() -> None:
    assert Check("a", ok=True, message="b").fix == ""


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
def test_room_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, ok: bool, words: str) -> None:
    with_free(monkeypatch, free)
    check = doctor._data_folder(told(tmp_path))
    assert (check.name, check.ok) == ("data folder", ok)
    assert check.message.startswith(str(tmp_path))
    assert check.message.endswith(words)
    assert check.fix == ("" if ok else "Make room: the database needs 200 MB to start")


@pytest.mark.parametrize("what", ["absent", "a file"])
def test_a_folder_that_is_not_there_yet_is_no_fault(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "data"
    if what == "a file":
        folder.touch()
    assert doctor._data_folder(told(folder)) == Check("data folder", ok=True, message=f"{folder} is made at the first start")


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
def test_whom_it_runs_as(monkeypatch: pytest.MonkeyPatch, number: int, url: str | None, message: str, advised: bool) -> None:
    monkeypatch.setattr(os, "getuid", lambda: number)
    check = doctor._user(told(database_url=url))
    assert (check.ok, check.message) == (True, message)
    assert bool(check.fix) is advised


@cases(
    ("base", "ok", "words"),
    [
        (None, True, "CONSOLE_BASE_URL is not set: fine on your own machine"),
        ("https://console.example", True, "https://console.example"),
        ("https://console.example/desk", True, "https://console.example/desk"),
        ("https://127.0.0.1:8443", True, "https://127.0.0.1:8443"),
        ("http://console.example", False, "http://console.example is not https: cookies could be read on the way"),
        ("http://localhost:8000", False, "http://localhost:8000 is not https: cookies could be read on the way"),
        ("http://https.example", False, "http://https.example is not https: cookies could be read on the way"),
    ],
    ids=["none", "https", "path", "port", "http", "own machine", "https in the name"],
)
def test_the_address(base: str | None, ok: bool, words: str) -> None:
    check = doctor._address(told(base_url=base))
    assert (check.name, check.ok, check.message) == ("address", ok, words)
    assert bool(check.fix) is (base is None or not ok)


@pytest.mark.parametrize("missing", ["secret_key", "master_key", "signing_key"])
def test_a_key_that_is_missing_is_named_and_never_shown(missing: str) -> None:
    check = doctor._keys(told(database_url="postgresql://db/x", folder=Path(), **{f"given_{missing}": None}))
    assert (check.name, check.ok) == ("keys", False)
    assert f"CONSOLE_{missing.upper()}" in check.message
    assert ":" not in check.message
    assert "\n" not in check.message
    assert not any(part in check.message for part in ("sss", "mmm", "kkk"))
    assert check.fix.startswith("Set what is named")


def test_keys_that_are_there() -> None:
    check = doctor._keys(told(database_url="postgresql://db/x"))
    assert check == Check("keys", ok=True, message="secret, master and signing key are there, all three from the settings")


def test_keys_of_the_data_folder_are_told_from_those_of_the_settings(tmp_path: Path) -> None:
    check = doctor._keys(told(folder=tmp_path, given_master_key=None, given_signing_key=None))
    assert check.ok
    assert check.message == f"secret, master and signing key are there: master, signing in {tmp_path / 'keys'}, keep a copy elsewhere"


@pytest.mark.parametrize(
    "absent", [(), ("pango-1.0",), ("pangoft2-1.0",), ("harfbuzz-subset",), ("pango-1.0", "harfbuzz-subset")], ids="+".join
)
def test_pango_is_there_or_how_to_get_it(monkeypatch: pytest.MonkeyPatch, absent: tuple[str, ...]) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None if name in absent else f"lib{name}.so")
    check = doctor._pdf(told())
    assert (check.name, check.ok) == ("pdf", not absent)
    assert ("apt-get install" in check.fix) is bool(absent)


@cases(
    ("set_by_hand", "said", "fix"),
    [
        (False, "none is set: rules propose what is certain", True),
        (True, "CONSOLE_AI_PROVIDER says rules: rules propose what is certain", False),
    ],
)
def test_no_model_is_no_fault(set_by_hand: bool, said: str, fix: bool) -> None:
    check = doctor_model.examine(AI(told=set_by_hand), configured=set_by_hand)
    assert (check.name, check.ok, check.message, bool(check.fix)) == ("model", True, said, fix)


def test_a_model_that_is_there_one_that_ends_and_one_that_is_not() -> None:
    with model.serving(keys={model.KEY}) as server:
        given = AI("anthropic", "claude-haiku-5-5", model.KEY, server.url, told=True)
        well = doctor_model.examine(given, configured=True)
        server.models["claude-haiku-5-5"] = {"lifecycle": "deprecated", "retires_at": "2027-03-01T00:00:00Z"}
        ending = doctor_model.examine(given, configured=True)
        server.models.clear()
        gone = doctor_model.examine(given, configured=True)
        wrong = doctor_model.examine(replace(given, api_key="sk-wrong"), configured=True)
        providers.forget()
        assert server.asked == [], "no prompt was sent"
    assert well == Check("model", ok=True, message=f"anthropic at {server.url}: claude-haiku-5-5 answers")
    assert (ending.ok, "ends on 2027-03-01" in ending.message, bool(ending.fix)) == (True, True, True)
    assert (gone.ok, gone.message.endswith(": model_not_found")) == (False, True)
    assert (wrong.ok, wrong.fix) == (False, probe.WORDS["auth"])
    assert "sk-" not in repr((well, ending, gone, wrong))


@cases(
    ("host", "own"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("models.example", False),
        ("localhost.example", False),
    ],
)
def test_hosts_that_are_this_machine(host: str, own: bool) -> None:
    assert doctor_model._own_machine(host) is own


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
    ids=["as it is", "driver", "password", "option", "blank", "plus is a blank", "a plus", "plus in the password"],
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
        (Running("python", "-m", "console.web"), "console.web"),
        (Running("python", "-P", "-m", "console.worker", "--once"), "console.worker"),
        (Running("python", "-m", "console"), ""),
        (Running("consoled", "xconsole.web"), ""),
        (Running("python", "console.web", "console.worker"), "console.web"),
        (Running(), ""),
        (Ended(), ""),
    ],
    ids=["web", "worker", "command", "another", "the first", "no words", "ended"],
)
def test_the_door_of_a_process(process: Any, door: str) -> None:
    assert doctor._door(process) == door


def test_a_process_that_is_gone_has_no_children() -> None:
    assert doctor._children(2**30) == []


def test_nothing_serves_from_an_empty_folder(tmp_path: Path) -> None:
    assert doctor.processes(told(tmp_path)) == []
    assert doctor.processes(told(tmp_path, database_url="postgresql://db/x")) == []
