"""Several machines on one PostgreSQL with a streaming standby: the primary dies in mid-run, the standby takes over, and nothing is lost or done twice."""

import base64
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.release.clusters import Cluster, pair, url
from tests.test_serve import ROOT, Serving

WEB, WORKERS = 2, 3
BACK_S = 15
"""How long it may take until everything goes on, after the standby was promoted."""
DONE_S = 240
"""How long runs may take that wait for a minute."""


class Machines:
    """The machines of an installation: each with a data folder of its own, the same keys, and the address of both servers."""

    def __init__(self, folder: Path, primary: Cluster, standby: Cluster) -> None:
        self.primary, self.standby = primary, standby
        self.shared = {
            name: base64.b64encode(secrets.token_bytes(32)).decode()
            for name in ("CONSOLE_SECRET_KEY", "CONSOLE_MASTER_KEY", "CONSOLE_SIGNING_KEY")
        } | {
            "DATABASE_URL": url(primary, standby),
            "CONSOLE_BASE_URL": "http://console.example",
            "CONSOLE_RATE_LIMITS": "off",
        }
        self.folder = folder
        self.webs: list[Serving] = []
        self.workers: list[subprocess.Popen[bytes]] = []

    def environ(self, name: str) -> dict[str, str]:
        """What a machine is given."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CONSOLE_", "DATABASE_"))
        }
        own = {
            "CONSOLE_ENV_FILE": os.devnull,
            "CONSOLE_DATA_DIR": str(self.folder / name),
            "PYTHONPATH": str(ROOT),
        }
        return kept | own | self.shared

    def command(self, *arguments: str) -> str:
        """What a command says on the first machine; it must succeed."""
        (self.folder / "web0").mkdir(exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-P", "-m", "console", *arguments],
            env=self.environ("web0"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def start(self) -> None:
        """Start every machine."""
        for number in range(WEB):
            self.webs.append(Serving(self.folder / f"web{number}", "--no-worker", **self.shared))
        for number in range(WORKERS):
            self.workers.append(self.worker(number))
        for web in self.webs:
            web.ready()

    def worker(self, number: int) -> subprocess.Popen[bytes]:
        """Start a worker on a machine of its own."""
        folder = self.folder / f"worker{number}"
        folder.mkdir(exist_ok=True)
        with (self.folder / f"worker{number}.log").open("ab") as log:
            command = [sys.executable, "-P", "-m", "console", "worker"]
            return subprocess.Popen(command, env=self.environ(folder.name), stdout=log, stderr=log)

    def stop(self) -> None:
        """End every machine."""
        for web in self.webs:
            web.stop()
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(30)


@pytest.fixture
def machines() -> Iterator[Machines]:
    """Two web hosts and three workers, of nobody yet."""
    with tempfile.TemporaryDirectory() as servers, tempfile.TemporaryDirectory() as folder:
        primary, standby = pair(Path(servers))
        made = Machines(Path(folder), primary, standby)
        try:
            yield made
        finally:
            made.stop()
            primary.kill()
            standby.kill()


def ask(web: Serving, key: str, path: str, body: Any = None, once: str = "") -> tuple[int, Any]:
    """Status and body of a call of the API; 0 where nobody answers in five seconds."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    headers |= {"X-Idempotency-Key": once} if once else {}
    request = urllib.request.Request(f"{web.url}/api/v1{path}", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read() or b"null")
    except OSError:
        return 0, None


WORKFLOW: dict[str, Any] = {
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


def test_work_goes_on_when_the_standby_takes_over(machines: Machines) -> None:
    machines.command("migrate")
    for who, role in (("lena", "lead"), ("olivia", "operator")):
        machines.command(
            *("user", "create", f"{who}@example.com", "--role", role, "--team", "operations", "--name", who)
        )
    machines.command(
        "user", "create", "robot@example.com", "--role", "operator", "--team", "operations", "--service"
    )
    file = machines.folder / "walk.json"
    file.write_text(json.dumps(WORKFLOW))
    machines.command("workflow", "import", str(file), "--publish")
    machines.start()
    key = machines.command("apikey", "create", "walk", "--user", "olivia@example.com").split()[-1]
    started: dict[str, set[str]] = {}

    def start(number: int, patience_s: float = 60) -> None:
        """Start a run by one key, on one host after the other, until somebody has taken it."""
        deadline, turn = time.monotonic() + patience_s, 0
        while time.monotonic() < deadline:
            web, turn = machines.webs[turn % WEB], turn + 1
            status, body = ask(web, key, "/runs", {"workflow": "walk"}, once=f"walk-{number}")
            if status in (200, 201):
                started.setdefault(f"walk-{number}", set()).add(body["id"])
                return
            assert status in (0, 409, 500, 503), (status, body)
            time.sleep(0.2)
        raise AssertionError(f"nobody took walk-{number}")

    for number in range(10):
        start(number)
    machines.primary.kill()
    assert {ask(web, key, "/me")[0] for web in machines.webs} <= {0, 503}
    machines.standby.promote()
    promoted = time.monotonic()
    for number in range(20):
        start(number, BACK_S)
    back_s = time.monotonic() - promoted
    assert back_s < BACK_S
    while machines.webs[0].health()[1].get("status") != "running":
        assert time.monotonic() - promoted < BACK_S, machines.webs[0].health()
        time.sleep(0.2)
    runs = {run for found in started.values() for run in found}
    assert len(runs) == 20
    left = set(runs)
    while left:
        assert time.monotonic() - promoted < DONE_S, [
            ask(machines.webs[0], key, f"/runs/{run}")[1] for run in left
        ]
        left -= {
            run for run in left if ask(machines.webs[0], key, f"/runs/{run}")[1]["status"] == "completed"
        }
        time.sleep(1)
    assert machines.standby.ask("select count(*) from console.run") == 20
    assert machines.standby.ask("select count(*) from console.task") == 20
    machines.command("seal")
    assert ", complete;" in machines.command("verify")
