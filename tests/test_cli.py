"""The command `console` as a whole: what is wrong is one line and a status, what is not needed is not loaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console import cli

ROOT = Path(cli.__file__).parents[1]


def console(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    told = (
        {name: value for name, value in os.environ.items() if not name.startswith(("CONSOLE_", "DATABASE_"))}
        | {"PYTHONPATH": str(ROOT)}
        | environ
    )
    return subprocess.run(
        [sys.executable, "-P", "-m", "console", *arguments],
        cwd=cwd,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["nonsense"], 2, "No such command 'nonsense'"),
        (["migrate", "--fast"], 2, "No such option '--fast'"),
        (["apikey", "create"], 2, "Missing argument 'NAME'"),
        (["serve", "--port", "x"], 2, "invalid int value: 'x'"),
        (["serve", "--workers", "0"], 2, "takes a number from 1 to 64"),
    ],
)
def test_what_is_not_understood_is_told(tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    done = console(*arguments, cwd=tmp_path)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_is_found_by_doctor(tmp_path: Path) -> None:
    done = console("doctor", cwd=tmp_path, DATABASE_URL="postgresql://console@127.0.0.1:9/console")
    assert done.returncode == 1
    assert "MEND  database: does not answer: " in done.stdout
    assert "MEND  keys: CONSOLE_SECRET_KEY is required with DATABASE_URL" in done.stdout


def test_what_a_dba_runs_is_printed_and_nothing_is_started(tmp_path: Path) -> None:
    done = console("migrate", "--print-roles", cwd=tmp_path, DATABASE_URL="postgresql://console@db/ops")
    assert done.returncode == 0
    assert "create role console_owner nologin;" in done.stdout
    assert "create database ops owner console_owner;" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_serve_does_not_load_what_it_does_not_need(tmp_path: Path) -> None:
    script = "import sys, console.infra.processes.supervisor; print([name for name in ('click', 'flask', 'sqlalchemy', 'pydantic', 'alembic', 'psycopg', 'granian') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
