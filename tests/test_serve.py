"""`console serve` as a whole: it comes up, survives the death of any part, and leaves nothing behind."""

import contextlib
import http.client
import itertools
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from console.infra.postgres import Embedded
from console.infra.processes import supervisor
from tests import warm
from tests.conftest import Database

pytestmark = pytest.mark.slow

ROOT = Path(supervisor.__file__).parents[3]
PATIENCE_S = 60


def until(true: Callable[[], object]) -> bool:
    """Whether it became true while a slow machine would still be forgiven."""
    deadline = time.monotonic() + PATIENCE_S
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)  # to look for children goes through all processes of the machine
    return bool(true())


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


NAMES = {"console.views.server": "web", "console.operations.worker": "worker"}


def named(process: psutil.Process) -> str:
    """The door that a process was started as; empty for what has just ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return next(
            (NAMES[word] for word in process.cmdline() if word in NAMES),
            "",
        )
    return ""


def quiet_port() -> int:
    """A free port below those that the system gives to whoever asks for any: nobody takes it while the server that is killed comes back."""
    while True:
        port = secrets.randbelow(10_000) + 20_000
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


class Serving:
    """A `console serve` of a test."""

    python = sys.executable
    checkout = ROOT

    def __init__(self, data_dir: Path, *arguments: str, **environ: str) -> None:
        self.data_dir = data_dir
        data_dir.mkdir(parents=True, exist_ok=True)
        self.said = data_dir.parent / f"{data_dir.name}.log"
        told = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CONSOLE_", "DATABASE_"))
        }
        told |= {
            "CONSOLE_ENV_FILE": os.devnull,
            "CONSOLE_DATA_DIR": str(data_dir),
            "PYTHONPATH": str(self.checkout),
        } | environ
        with self.said.open("w") as out:
            self.process = subprocess.Popen(
                [self.python, "-P", "-m", "console", "serve", "--port", "0", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=told,
            )
        self.environ = told

    @property
    def url(self) -> str:
        """Its address, empty until it has said it."""
        lines = [line for line in self.said.read_text().splitlines() if line.startswith("Handrail on ")]
        return lines[0].removeprefix("Handrail on ") if lines else ""

    def ready(self) -> "Serving":
        """Once it has said that it serves."""
        assert until(lambda: self.url or self.process.poll() is not None)
        assert self.url, self.said.read_text()
        return self

    def health(self) -> tuple[int, dict[str, Any]]:
        """Status and body of `/health`; 0 where nobody answers."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/health")
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        return 0, {}

    def well(self) -> bool:
        """Whether web, database and worker are all there."""
        status, body = self.health()
        return status == 200 and (body["status"], body["database"], body["worker"]) == ("running", "ok", "ok")

    def pids(self, kind: str) -> list[int]:
        """Processes by what they do: web, worker, postgres, guard."""
        if kind in {"postgres", "guard"}:
            lock = str(self.data_dir / "postgres" / "users.lock")
            guards = [
                process.pid
                for process in psutil.process_iter(["cmdline"])
                if lock in (process.info["cmdline"] or [])
            ]
            server = Embedded(self.data_dir).pid
            return guards if kind == "guard" else [server] if server else []
        return [child.pid for child in psutil.Process(self.process.pid).children() if named(child) == kind]

    def everything(self) -> list[int]:
        """All there is, the supervisor first."""
        return [
            self.process.pid,
            *(pid for kind in ("web", "worker", "postgres", "guard") for pid in self.pids(kind)),
        ]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command over the same data."""
        return subprocess.run(
            [warm.python(), "-P", "-m", "console", *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def stop(self) -> int:
        """The status that it ends with when asked to."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """`serve(*arguments, **environ)`: as many as a test wants, each over the same folder `data`, ended with it."""
    made: list[Serving] = []

    def start(*arguments: str, **environ: str) -> Serving:
        made.append(Serving(tmp_path / "data", *arguments, **environ))
        return made[-1]

    yield start
    for one in made:
        one.stop()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One that the tests may hurt, but not end; its folder has a blank and a quote in its name."""
    made = Serving(tmp_path_factory.mktemp("serve") / "da ta's", "--port", str(quiet_port()))
    yield made.ready()
    made.stop()


@pytest.mark.parametrize("kind", ["web", "worker", "postgres", "guard"])
def test_what_is_killed_comes_back(serving: Serving, kind: str) -> None:
    assert until(serving.well)
    url, victims = serving.url, serving.pids(kind)
    assert len(victims) == 1
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    assert until(lambda: all(gone(victim) for victim in victims))
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=60) as asked:
        asked.sendall(b"GET /health/pages HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert asked.recv(12).startswith(b"HTTP/1.1 ")  # whoever asks meanwhile waits, and is never refused
    assert until(lambda: serving.well() and len(serving.pids(kind)) == 1 and serving.pids(kind) != victims)
    assert serving.process.poll() is None
    assert serving.url == url


def test_events_are_put_in_order_while_it_serves(serving: Serving) -> None:
    made = serving.command("user", "create", "ana@example.com", "--role", "lead", "--team", "operations")
    assert made.returncode == 0, made.stderr
    with psycopg.connect(Embedded(serving.data_dir).url(), autocommit=True) as connection:
        waiting = (
            "select (select count(*) from console.event) > 0 and not exists (select from console.log_pending)"
        )
        assert until(lambda: connection.execute(waiting).fetchone() == (True,))


def test_who_sends_half_a_request_keeps_no_page_from_others_for_long(serving: Serving) -> None:
    assert until(serving.well)
    (host, _, port), before = serving.url.removeprefix("http://").partition(":"), serving.pids("web")
    form = b"Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99"
    with contextlib.ExitStack() as kept:
        for _ in range(8):
            sender = kept.enter_context(socket.create_connection((host, int(port)), timeout=PATIENCE_S))
            sender.sendall(b"POST /sign-in HTTP/1.1\r\nHost: x\r\n" + form + b"\r\n\r\na")
        assert until(lambda: serving.pids("web") not in ([], before) and serving.well())
    assert "waits for a request that does not come to its end" in serving.said.read_text()


def test_doctor_finds_nothing_to_mend_and_everybody_at_work(serving: Serving) -> None:
    assert until(serving.well)
    found = serving.command("doctor", "--format", "json")
    told = json.loads(found.stdout)
    assert (found.returncode, told["ok"]) == (0, True), told["checks"]
    assert {process["kind"]: process["pid"] for process in told["processes"]} == {
        kind: serving.pids(kind)[0] for kind in ("web", "worker", "postgres")
    }
    assert told["database"]["events_table"] == "console.event"
    for url, role in (("app_url", "console"), ("admin_url", "postgres")):
        with psycopg.connect(told["database"][url]) as connection:
            assert connection.execute("select current_user, current_database()").fetchone() == (
                role,
                "console",
            )
    text = serving.command("doctor")
    assert text.returncode == 0
    assert "ok    database: PostgreSQL 18" in text.stdout


def test_its_memory_is_small(serving: Serving) -> None:
    """With one web process and without PostgreSQL. The supervisor has little of it."""
    assert until(serving.well)
    everybody = [
        process
        for process in psutil.Process(serving.process.pid).children(recursive=True)
        if process.name() != "postgres"
    ]
    supervisor_bytes = psutil.Process(serving.process.pid).memory_full_info().pss
    assert supervisor_bytes < 20 * 2**20
    assert supervisor_bytes + sum(process.memory_full_info().pss for process in everybody) < 285 * 2**20


def test_a_port_that_is_taken_is_one_clear_line(
    serving: Serving, serve: Callable[..., Serving], tmp_path: Path
) -> None:
    port = serving.url.rpartition(":")[2]
    other = serve("--port", port)
    assert other.process.wait(PATIENCE_S) == 1
    assert (
        other.said.read_text()
        == f"console: Port {port} of 127.0.0.1 cannot be used (Address already in use): give another with --port, or --port 0 for a free one.\n"
    )
    assert not (tmp_path / "data" / "postgres").exists()


def asked_at_once(made: Serving) -> list[int]:
    """The status of each of sixteen questions of one moment."""
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(made.health()[0])) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize(("number", "workers"), [(signal.SIGTERM, 1), (signal.SIGINT, 2)])
def test_when_told_to_stop_it_leaves_nothing_and_exits_0(
    serve: Callable[..., Serving], number: signal.Signals, workers: int
) -> None:
    made = serve("--workers", str(workers)).ready()
    assert until(lambda: len(made.pids("web")) == workers)
    assert asked_at_once(made) == [200] * 16
    everything = made.everything()
    assert len(everything) == 4 + workers
    made.process.send_signal(number)
    assert made.process.wait(PATIENCE_S) == 0
    assert all(gone(pid) for pid in everything[1 : 2 + workers])
    assert until(lambda: all(gone(pid) for pid in everything))
    assert list((made.data_dir / "serving").iterdir()) == []


def test_a_killed_supervisor_takes_everything_along(serve: Callable[..., Serving]) -> None:
    made = serve().ready()
    everything = made.everything()
    made.process.kill()
    made.process.wait()
    assert until(lambda: all(gone(pid) for pid in everything))
    assert supervisor.serving(made.data_dir) == []


def test_told_to_stop_while_it_starts_it_stops(serve: Callable[..., Serving]) -> None:
    made = serve()
    assert until((made.data_dir / "postgres" / "cluster").exists)
    assert made.stop() == 0
    assert made.url == ""
    assert until(lambda: not Embedded(made.data_dir).running)


KEYS = {"CONSOLE_SECRET_KEY": "s" * 43, "CONSOLE_MASTER_KEY": "0" * 64, "CONSOLE_SIGNING_KEY": "1" * 64}


class TestServerOfOnesOwn:
    """With DATABASE_URL: the console starts and stops no server, and wants keys of the user's."""

    def environ(self, database: Database) -> dict[str, str]:
        return {name: os.environ[name] for name in ("DATABASE_URL", "DATABASE_MIGRATION_URL")} | KEYS

    def test_it_serves_from_there_and_only_the_worker_may_sign_and_it_is_503_while_the_database_is_gone(
        self, clean: Database, pg: Embedded, serve: Callable[..., Serving]
    ) -> None:
        made = serve(**self.environ(clean)).ready()
        assert until(made.well)
        assert made.pids("postgres") == made.pids("guard") == []
        for kind, signs in (("worker", True), ("web", False)):
            environ = psutil.Process(made.pids(kind)[0]).environ()
            assert bool(environ["CONSOLE_SIGNING_KEY"]) is signs
        told = json.loads(made.command("doctor", "--format", "json").stdout)
        assert told["database"]["admin_url"] is None
        assert clean.name in told["database"]["app_url"]
        away = f"alter database {clean.name} allow_connections false; select pg_terminate_backend(pid) from pg_stat_activity where datname = '{clean.name}'"
        pg.sql(away)
        assert until(lambda: made.health()[0] == 503)
        assert made.health()[1]["status"] == "starting"
        pg.sql(f"alter database {clean.name} allow_connections true")
        assert until(made.well)
        assert made.stop() == 0

    def test_without_a_worker_health_and_doctor_say_so(
        self, clean: Database, serve: Callable[..., Serving]
    ) -> None:
        made = serve("--no-worker", **self.environ(clean)).ready()
        assert made.health()[1]["worker"] == "none"
        found = made.command("doctor")
        assert found.returncode == 1
        assert "MEND  worker: none runs" in found.stdout
        alone = subprocess.Popen(
            [sys.executable, "-P", "-m", "console", "worker"], env=made.environ, stdin=subprocess.DEVNULL
        )  # as a service has it
        assert until(lambda: made.health()[1]["worker"] == "ok")
        alone.terminate()
        alone.communicate()
        assert alone.returncode == 0
        assert until(lambda: made.health()[1]["worker"] == "none")
        assert made.stop() == 0

    def test_a_missing_key_stops_the_start_with_its_name(
        self, clean: Database, serve: Callable[..., Serving]
    ) -> None:
        made = serve(**(self.environ(clean) | {"CONSOLE_MASTER_KEY": ""}))
        assert made.process.wait(PATIENCE_S) == 1
        assert made.said.read_text().startswith("console: CONSOLE_MASTER_KEY is required with DATABASE_URL")

    def test_an_application_that_owns_the_log_is_refused_beside_a_migration_url(
        self, clean: Database, serve: Callable[..., Serving]
    ) -> None:
        environ = self.environ(clean) | {"DATABASE_URL": clean.admin_url}
        made = serve(**environ)
        assert made.process.wait(PATIENCE_S) == 1
        assert (
            "The role of DATABASE_URL is superuser: it could rewrite what it is to prove."
            in made.said.read_text()
        )


def test_a_program_that_ends_at_once_is_started_again_ever_later(tmp_path: Path) -> None:
    count = tmp_path / "count"
    child = supervisor.Child("short", ["sh", "-c", f"echo . >> '{count}'"], os.environ)
    now, starts = 0.0, []
    for _ in range(200):
        before = child.process
        child.keep(now)
        if child.process is not None and child.process is not before:
            starts.append(now)
            child.process.wait()
        now += 0.1
    pauses = [round(later - earlier, 1) for earlier, later in itertools.pairwise(starts)]
    assert pauses[:2] == sorted(pauses[:2])
    assert pauses[-1] >= 1.5
    assert len(starts) < 20
    assert child.failures >= supervisor.HOPELESS


def test_a_backup_is_made_while_it_serves_and_restored_when_it_has_stopped(
    serve: Callable[..., Serving], tmp_path: Path
) -> None:
    """The embedded server from end to end, by the commands as they are typed."""
    serving, file, drill = serve().ready(), str(tmp_path / "one.zip"), tmp_path / "drill"
    assert (
        serving.command(
            "user", "create", "ana@example.com", "--role", "lead", "--team", "operations", "--name", "Ana"
        ).returncode
        == 0
    )
    made = serving.command("backup", file)
    assert (made.returncode, made.stderr) == (0, "")
    refused = serving.command("restore", file, "--replace", "--accept-loss")
    assert refused.returncode == 1
    assert f"stop it first, with Ctrl-C where it runs or `kill {serving.process.pid}`" in refused.stderr
    assert serving.health()[0] == 200
    serving.stop()
    assert serving.command("user", "disable", "ana@example.com").returncode == 0
    restored = serving.command("restore", file, "--replace", "--accept-loss")
    assert restored.returncode == 0, restored.stderr
    assert serving.command("user", "list").stdout == "ana@example.com  Ana  lead in operations\n"
    serving.environ["CONSOLE_DATA_DIR"] = str(drill)
    assert "there is none here yet" in serving.command("restore", file).stderr
    assert not (drill / "keys").exists(), "no key is drawn that would only be in the way"
    shutil.copytree(serving.data_dir / "keys", drill / "keys")
    assert serving.command("restore", file).returncode == 0
    assert serving.command("verify").stdout.startswith("verified ")
    again = serve(CONSOLE_DATA_DIR=str(drill)).ready()
    assert again.health()[0] == 200
