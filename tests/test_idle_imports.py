"""What the processes that are always there load: each megabyte of it is held by every one of them, whether or not anybody ever asks for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
EVERY_PAGE = {
    "_argon2_cffi_bindings",
    "_brotli",
    "_cffi_backend",
    "_openssl",
    "annotated_types",
    "anyio",
    "argon2",
    "babel",
    "backports",
    "blinker",
    "bracex",
    "brotli",
    "casbin",
    "click",
    "cryptography",
    "dotenv",
    "flask",
    "flask_compress",
    "flask_htmx",
    "flask_login",
    "flask_wtf",
    "granian",
    "itsdangerous",
    "jinja2",
    "lark",
    "markdown_it",
    "markupsafe",
    "mdurl",
    "nh3",
    "orjson",
    "psutil",
    "psycopg",
    "psycopg_binary",
    "pydantic",
    "pydantic_core",
    "pyotp",
    "regex",
    "simpleeval",
    "sqlalchemy",
    "typing_extensions",
    "typing_inspection",
    "uvloop",
    "wcmatch",
    "werkzeug",
    "wtforms",
}
"""What pages and jobs of every day take. Whatever else a page or a job needs it imports where it uses it."""
SAID = """
import sys
import console.views.server, console.operations.worker
from console.views import app
app.create_app()
console.operations.worker.handlers()
print(*sorted({name.partition(".")[0] for name in sys.modules if not name.startswith("_cython")} - sys.stdlib_module_names))
print(*sorted(name for name in sys.modules if name.startswith(("sqlalchemy.orm", "alembic", "email.mime", "unittest", "tkinter"))))
"""


def test_idle_processes_load_nothing_that_is_rarely_used(tmp_path: Path) -> None:
    """Reading of papers, pictures and tables, models, drawing of documents, migrations: none of it before somebody asks for it."""
    told = {
        name: value for name, value in os.environ.items() if not name.startswith(("CONSOLE_", "DATABASE_"))
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", SAID],
        cwd=tmp_path,
        env=told
        | {"PYTHONPATH": str(ROOT), "CONSOLE_DATA_DIR": str(tmp_path), "CONSOLE_ENV_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded, parts = (set(line.split()) for line in done.stdout.splitlines())
    ours = {"console", "__main__", "__mp_main__", "cython_runtime", "sitecustomize", "usercustomize"}
    assert {name for name in loaded if not name.startswith("_sysconfigdata")} - ours <= EVERY_PAGE
    assert parts == set()


HEAVY = (
    "alembic",
    "babel",
    "casbin",
    "flask",
    "lark",
    "psycopg",
    "pydantic",
    "sqlalchemy",
    "urllib3",
    "weasyprint",
    "anthropic",
)
ENGINE = (
    "console.runs",
    "console.steps",
    "console.steps.effects",
    "console.workflows",
    "console.core.documents.workflow",
    "pydantic",
    "flask",
    "urllib3",
)
COMMANDS: dict[str, tuple[str, ...]] = {
    "--help": HEAVY,
    **dict.fromkeys(("serve", "worker", "demo", "doctor", "pause", "resume", "verify"), HEAVY),
    **dict.fromkeys(("user", "apikey", "sign-in", "activity", "seal", "key"), ENGINE),
}
"""Command → packages and rooms that its help must not load: people wait for a command each time, and most ask for little."""


def test_a_command_loads_what_it_needs_alone(tmp_path: Path) -> None:
    script = """
import contextlib, io, os, sys
from console import cli
for name in sys.argv[1:]:
    reading, writing = os.pipe()
    if not os.fork():
        with contextlib.redirect_stdout(io.StringIO()):
            cli.console.main([name] if name == "--help" else [name, "--help"], standalone_mode=False)
        os.write(writing, " ".join(sys.modules).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        print(name, told.read())
    assert os.wait()[1] == 0
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, *(name for name in COMMANDS if name != "serve")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "CONSOLE_ENV_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.split()[0]: set(line.split()[1:]) for line in done.stdout.splitlines()}
    assert loaded.keys() == COMMANDS.keys() - {
        "serve"
    }  # it takes no help: the supervisor says it, which test_cli.py holds small
    assert {name: loaded[name] & {*COMMANDS[name]} for name in loaded} == {name: set() for name in loaded}
