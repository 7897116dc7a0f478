"""The demo's data folder as `console demo load` leaves it, made once for all processes of the suite: whoever serves or changes it takes a copy.

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
import pytest

import console
from console.infra.postgres import Embedded

ROOT = Path(console.__path__[0]).parent
PATIENCE_S = 240


def copied(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A copy of the loaded folder at `data`, which is not there yet; nobody serves it."""
    data.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "--reflink=auto", _made(tmp_path_factory), data], check=True)
    return data


def interrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What demo.json said when the first load had been killed."""
    return note_of(_made(tmp_path_factory).with_name("interrupted"))


def note_of(data: Path) -> dict[str, Any]:
    return json.loads((data / "demo.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def load(data: Path, *arguments: str) -> str:
    """What `console demo load` says; it must succeed."""
    process = _loading(data, *arguments)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    return said


def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    folder = (base if "PYTEST_XDIST_WORKER" not in os.environ else base.parent) / "demo-at-rest"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _interrupted(folder / "data", folder / "interrupted")
            assert "is loaded" in load(folder / "data")
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
    process = _loading(data)
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
        [sys.executable, "-m", "console", "demo", "load", "--bare", *arguments],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def _until(true: Callable[[], object], otherwise: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, otherwise
        time.sleep(0.1)  # to look through all processes takes a tenth of that
