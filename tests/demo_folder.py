"""The demo's data folder as `console demo load` leaves it, without and with its past, each made once for all processes of the suite: whoever serves or
changes one takes a copy.

The first load is killed on its way and done again, as somebody does who lost patience: what that comes to is what all tests of the demo see.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

import console
from console.infra.postgres import Embedded

ROOT = Path(console.__path__[0]).parent
PATIENCE_S = 240
LEFT_OVER = "left over.txt"
"""A file that somebody put among the papers before they were made afresh."""


def copied(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A copy of the loaded folder at `data`, which is not there yet; nobody serves it."""
    return _copied(_loaded(tmp_path_factory), data)


def with_past(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A copy, at `data`, of a folder in which people have worked for weeks: `console demo load --reset` made it over a changed one, and what it said stands beside it in `said`."""

    def make(made: Path) -> None:
        copied(tmp_path_factory, made)
        server = Embedded(made).acquire()
        with psycopg.connect(server.url("fernwick", "fernwick_core")) as connection:
            connection.execute("update customer set display_name = 'Changed' where id = 412")
        server.release()
        (made / "demo-files" / LEFT_OVER).write_text("x", encoding="utf-8")
        (made.parent / "said").write_text(load(made, "--reset"), encoding="utf-8")

    made = _once(tmp_path_factory, "demo-with-past", make)
    (data.parent / "said").write_bytes((made.parent / "said").read_bytes())
    return _copied(made, data)


def interrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What demo.json said when the first load had been killed."""
    return note_of(_loaded(tmp_path_factory).with_name("interrupted"))


def note_of(data: Path) -> dict[str, Any]:
    return json.loads((data / "demo.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def load(data: Path, *arguments: str) -> str:
    """What `console demo load` says; it must succeed."""
    process = _loading(data, *arguments)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    return said


def _copied(made: Path, data: Path) -> Path:
    data.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "--reflink=auto", made, data], check=True)
    return data


def _loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(made: Path) -> None:
        _interrupted(made, made.with_name("interrupted"))
        assert "is loaded" in load(made, "--bare")

    return _once(tmp_path_factory, "demo-at-rest", make)


def _once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder `data` that the first process of the suite makes; all others wait for it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if "PYTEST_XDIST_WORKER" not in os.environ else base.parent) / name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            make(folder / "data")
            _until(lambda: _at_rest(folder / "data"), "the database goes on after the load")
            (folder / "done").touch()
    return folder / "data"


def _at_rest(data: Path) -> bool:
    """Whether neither the database nor anybody who looks after it is there any more: each of them tidies up at its end."""
    if Embedded(data).running:
        return False
    inside = str(data)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(word.startswith(inside) for word in process.cmdline()):
                return False
    return True


def _interrupted(data: Path, kept: Path) -> None:
    """Kill a load on its way, and keep the note that it had made by then."""
    process = _loading(data, "--bare")
    _until((data / "demo-files").is_dir, "the load does not begin")  # the main database is there by now
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept.mkdir()
    (kept / "demo.json").write_bytes((data / "demo.json").read_bytes())


def _loading(data: Path, *arguments: str) -> "subprocess.Popen[str]":
    plain = {
        name: value for name, value in os.environ.items() if not name.startswith(("CONSOLE_", "DATABASE_"))
    }
    environment = plain | {
        "CONSOLE_DATA_DIR": str(data),
        "CONSOLE_DEMO": "on",
        "CONSOLE_ENV_FILE": os.devnull,
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "console", "demo", "load", *arguments],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def _until(true: Callable[[], object], otherwise: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, otherwise
        time.sleep(0.1)  # to look through all processes takes a tenth of that
