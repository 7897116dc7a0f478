"""Two web hosts, three workers and a balancer over one PostgreSQL with a standby: each machine has a data folder of its own, and all share `files` and `texts`."""

import base64
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tests.release.clusters import Cluster, pair, url
from tests.test_serve import ROOT, quiet_port

WEB, WORKERS = 2, 3
PATIENCE_S = 60
TEAM = "operations"
COMMANDS = """
import json, sys
from console import cli
cli.connect_at_first_use(cli._subscribe)
for each in json.loads(sys.argv[1]):
    cli.console.main(each, "console", standalone_mode=False)
"""


WALK: dict[str, Any] = {
    "format": 1,
    "slug": "walk",
    "title": "Walk",
    "collection": None,
    "team": "operations",
    "roles": ["operator", "admin"],
    "run_as": "robot@example.com",
    "settings": {"exclusive": False},
    "variables": {},
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "wait"}},
        {
            "id": "wait",
            "type": "wait",
            "title": "Wait",
            "config": {"minutes": 1},
            "next": {"default": "task"},
        },
        {
            "id": "task",
            "type": "create_task",
            "title": "A task",
            "config": {"title": "Walked {{ run.id }}", "team": "operations"},
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
    ],
}
"""A run waits for a minute, then makes a task."""


class Program(NamedTuple):
    """An installed release: its Python and its folder."""

    python: Path
    root: Path


THIS = Program(Path(sys.executable), ROOT)


def until(true: Callable[[], object], patience_s: float = PATIENCE_S) -> bool:
    """Whether it became true in time."""
    deadline = time.monotonic() + patience_s
    while not true() and time.monotonic() < deadline:
        time.sleep(0.2)
    return bool(true())


class Machine:
    """A web host (with a port) or a worker: what it runs, and what it says."""

    def __init__(self, folder: Path, environ: Mapping[str, str], shared: Path, *, web: bool) -> None:
        folder.mkdir()
        for name in ("files", "texts"):
            (shared / name).mkdir(exist_ok=True)
            (folder / name).symlink_to(shared / name)
        self.folder, self.given = folder, environ
        self.port = quiet_port() if web else 0
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None

    def environ(self, program: Program) -> dict[str, str]:
        """What a program gets on this machine."""
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CONSOLE_", "DATABASE_", "VIRTUAL_ENV"))
        }
        own = {
            "CONSOLE_ENV_FILE": os.devnull,
            "CONSOLE_DATA_DIR": str(self.folder),
            "PYTHONPATH": str(program.root),
        }
        return clean | own | dict(self.given)

    def start(self, program: Program = THIS, **more: str) -> "Machine":
        """Start pages or a worker; pages are waited for by `ready`."""
        serve = ["serve", "--host", "127.0.0.1", "--port", str(self.port), "--no-worker"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [program.python, "-P", "-m", "console", *(serve if self.port else ["worker"])],
                env=self.environ(program) | more,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def ready(self) -> "Machine":
        """Once its pages answer."""
        assert until(lambda: self.get("/health/pages")[0] == 200), self.log.read_text()
        return self

    def get(self, path: str) -> tuple[int, Any]:
        """Status and body of what anybody may ask; 0 where nobody answers."""
        return ask(self.url, "", path)

    def everything(self) -> list[psutil.Process]:
        """Each of its processes."""
        if self.process is None or self.process.poll() is not None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            first = psutil.Process(self.process.pid)
            return [first, *first.children(recursive=True)]
        return []

    def signal(self, number: int) -> None:
        """Send all of them a signal at once: SIGKILL is a machine that loses its power, SIGSTOP one that is frozen."""
        for process in self.everything():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        if number == signal.SIGKILL and self.process is not None:
            self.process.wait(30)

    def stop(self) -> None:
        """End it in peace."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
                raise
            self.process = None


class Machines:
    """An installation on several machines."""

    def __init__(self, folder: Path, primary: Cluster, standby: Cluster) -> None:
        self.folder, self.primary, self.standby = folder, primary, standby
        self.environ = {
            name: base64.b64encode(secrets.token_bytes(32)).decode()
            for name in ("CONSOLE_SECRET_KEY", "CONSOLE_MASTER_KEY", "CONSOLE_SIGNING_KEY")
        } | {
            "DATABASE_URL": url(primary, standby),
            "CONSOLE_BASE_URL": "http://console.example",
            "CONSOLE_RATE_LIMITS": "off",
        }
        shared = folder / "shared"
        shared.mkdir()
        made = [Machine(folder / f"web{number}", self.environ, shared, web=True) for number in range(WEB)]
        self.webs = made
        self.workers = [
            Machine(folder / f"worker{number}", self.environ, shared, web=False) for number in range(WORKERS)
        ]

    def command(self, *arguments: str, program: Program = THIS) -> str:
        """What a command says on the first machine; it must succeed."""
        return self._python("-m", "console", *arguments, program=program)

    def prepare(self, document: Mapping[str, Any], program: Program = THIS) -> str:
        """Make tables, people and a workflow, in one process; return the key of an operator."""
        file = self.folder / "workflow.json"
        file.write_text(json.dumps(document))
        people = [
            ["user", "create", f"{name}@example.com", "--role", role, "--team", TEAM, *more]
            for name, role, *more in (
                ("lena", "lead", "--name", "Lena"),
                ("olivia", "operator", "--name", "Olivia"),
                ("robot", "operator", "--service"),
            )
        ]
        commands = [
            ["migrate"],
            *people,
            ["workflow", "import", str(file), "--publish"],
            ["apikey", "create", "walk", "--user", "olivia@example.com"],
        ]
        said = self._python("-c", COMMANDS, json.dumps(commands), program=program)
        return next(word for word in reversed(said.split()) if word.startswith("cns_"))

    def _python(self, *arguments: str, program: Program) -> str:
        done = subprocess.run(
            [program.python, "-P", *arguments],
            env=self.webs[0].environ(program),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def start(self, program: Program = THIS) -> None:
        """Start every machine, and wait until pages answer."""
        for machine in (*self.webs, *self.workers):
            machine.start(program)
        for web in self.webs:
            web.ready()

    def stop(self) -> None:
        """End every machine."""
        for machine in (*self.webs, *self.workers):
            machine.signal(signal.SIGCONT)
            machine.stop()


@contextmanager
def installation() -> Iterator[Machines]:
    """Machines of nobody yet, and none that is started."""
    with tempfile.TemporaryDirectory() as servers, tempfile.TemporaryDirectory() as folder:
        primary, standby = pair(Path(servers))
        made = Machines(Path(folder), primary, standby)
        try:
            yield made
        finally:
            made.stop()
            primary.kill()
            standby.kill()


def ask(url: str, key: str, path: str, body: Any = None, once: str = "") -> tuple[int, Any]:
    """Status and body of a call of the API (a path without a key: of anything else); 0 where nobody answers in five seconds."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} if key else {}
    headers |= {"X-Idempotency-Key": once} if once else {}
    request = urllib.request.Request(f"{url}{'/api/v1' if key else ''}{path}", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, _read(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, _read(refused.read())
    except OSError:
        return 0, None


def _read(body: bytes) -> Any:
    try:
        return json.loads(body or b"null")
    except ValueError:
        return body.decode(errors="replace")


def started(url: str, key: str, once: str, workflow: str = "walk") -> str:
    """The run that was started by this key; asked again until somebody has taken it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        status, body = ask(url, key, "/runs", {"workflow": workflow}, once)
        if status in (200, 201):
            return str(body["id"])
        assert status in (0, 409, 500, 502, 503, 504), (status, body)
        time.sleep(0.2)
    raise AssertionError(f"nobody took {once}")
