"""Two web hosts, three workers and a balancer over one PostgreSQL with a standby: each machine has a data folder of its own, and all share folders of files."""

import base64
import contextlib
import fcntl
import itertools
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tests.release.clusters import Cluster, pair, url
from tests.test_serve import ROOT, quiet_port

WEB, WORKERS = 2, 3
PATIENCE_S = 60
LONGEST_S = 5
"""The longest that anybody waits for an answer."""
TRIES = 10
TEAM = "operations"
SHARED = ("files", "texts", "enrolments", "exports")
"""The folders that docs/how-to/run-on-several-machines.md says all machines share."""
COMMANDS = """
import json, sys
from console import cli
for each in json.loads(sys.argv[1]):
    sys.argv[1:] = each
    try:
        cli.main()
    except SystemExit as end:
        if end.code:
            raise
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


def document(slug: str, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A workflow of these steps, each leading to the next; an `end` comes last."""
    chain = [{"id": "start", "type": "start", "title": "Start", "config": {}}, *map(dict, steps)]
    chain.append({"id": "end", "type": "end", "title": "End", "config": {}, "next": {}})
    outcomes = {"approval": ("approved", "rejected"), "email": ("sent", "skipped", "failed", "expired")}
    for step, follower in itertools.pairwise(chain):
        step["next"] = dict.fromkeys(outcomes.get(step["type"], ("default",)), follower["id"])
    return WALK | {"slug": slug, "title": slug.capitalize(), "steps": chain} | more


TASK = document("task", next(step for step in WALK["steps"] if step["id"] == "task"))


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
        for name in SHARED:
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
        self.port = quiet_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = {
            name: base64.b64encode(secrets.token_bytes(32)).decode()
            for name in ("CONSOLE_SECRET_KEY", "CONSOLE_MASTER_KEY", "CONSOLE_SIGNING_KEY")
        } | {
            "DATABASE_URL": url(primary, standby),
            "CONSOLE_BASE_URL": self.url,
            "CONSOLE_RATE_LIMITS": "off",
        }
        shared = folder / "shared"
        shared.mkdir()
        made = [Machine(folder / f"web{number}", self.environ, shared, web=True) for number in range(WEB)]
        self.webs = made
        self.passwords: dict[str, str] = {}
        self.workers = [
            Machine(folder / f"worker{number}", self.environ, shared, web=False) for number in range(WORKERS)
        ]

    def command(self, *arguments: str, program: Program = THIS) -> str:
        """What a command says on the first machine; it must succeed."""
        return self._python("-m", "console", *arguments, program=program)

    def prepare(
        self, *documents: Mapping[str, Any], book: Sequence[str] | None = None, program: Program = THIS
    ) -> list[str]:
        """Make tables, people, workflows and a contact book at an address, in one process; return the keys of a lead and an operator."""
        people = (
            ("lena", "lead", "--name", "Lena"),
            ("olivia", "operator", "--name", "Olivia"),
            ("robot", "operator", "--service"),
        )
        commands = [["migrate"]]
        commands += [
            ["user", "create", f"{name}@example.com", "--role", role, "--team", TEAM, *more]
            for name, role, *more in people
        ]
        commands += (
            [["source", "book", "crm", "--role", "lead", "--role", "operator", *book]]
            if book is not None
            else []
        )
        for document in documents:
            file = self.folder / f"{document['slug']}.json"
            file.write_text(json.dumps(document))
            commands.append(["workflow", "import", str(file), "--publish"])
        commands += [["apikey", "create", "walk", "--user", f"{name}@example.com"] for name, *_ in people[:2]]
        said = self._python("-c", COMMANDS, json.dumps(commands), program=program)
        self.passwords = dict(re.findall(r"^(\w+)@example\.com +(\S+)", said, re.MULTILINE))
        return [word for word in said.split() if word.startswith("cns_")]

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
        """Start every machine, and wait until all is well."""
        for machine in (*self.webs, *self.workers):
            machine.start(program)
        for web in self.webs:
            web.ready()
        assert until(lambda: self.webs[0].get("/health")[0] == 200), self.workers[0].log.read_text()

    def stop(self) -> None:
        """End every machine."""
        for machine in (*self.webs, *self.workers):
            machine.signal(signal.SIGCONT)
            machine.stop()


FAIL_TIMEOUT_S = 5
"""For so long the balancer asks a web host no more that did not answer."""
BALANCER = """
user {user}; daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off; client_max_body_size 520m;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    upstream handrail {{
        {servers}
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://handrail;
            proxy_connect_timeout 1s;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
"""


@contextmanager
def balancer(machines: Machines) -> Iterator[str]:
    """The address of an nginx before the web hosts, as docs/how-to/run-on-several-machines.md sets it up."""
    folder = machines.folder / "balancer"
    folder.mkdir()
    servers = [
        f"server 127.0.0.1:{web.port} max_fails=1 fail_timeout={FAIL_TIMEOUT_S}s;" for web in machines.webs
    ]
    file = folder / "nginx.conf"
    user = psutil.Process().username()
    file.write_text(BALANCER.format(user=user, folder=folder, servers=" ".join(servers), port=machines.port))
    command: list[str | Path] = [
        debian("nginx", "usr/sbin/nginx"),
        "-e",
        folder / "error.log",
        "-p",
        folder,
        "-c",
        file,
    ]
    process = subprocess.Popen(command)
    try:
        assert until(lambda: ask(machines.url, "", "/health/pages")[0] == 200), (
            folder / "error.log"
        ).read_text()
        yield machines.url
    finally:
        process.terminate()
        process.wait(30)


def debian(package: str, file: str) -> Path:
    """A file of a package of Debian: of this machine, else out of the package, which is not installed. The test fails where it cannot be had."""
    if (found := Path("/") / file).exists():
        return found
    folder = Path(tempfile.gettempdir()) / f"handrail-tests-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / f"{package}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unpacked = folder / package
        if not (unpacked / file).exists():
            done = subprocess.run(
                f"apt-get download -q {package} && dpkg -x {package}_*.deb {package} && rm {package}_*.deb",
                shell=True,
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            assert (unpacked / file).exists(), f"{package} is neither installed nor to be had: {done.stderr}"
    return unpacked / file


def former_release(commit: str) -> Program:
    """The release of a commit of this repository, set up in a folder of its own."""
    folder = Path(tempfile.gettempdir()) / f"handrail-tests-{os.getuid()}" / commit
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            command = f"git -C {ROOT} archive {commit} | tar -x -C {folder} && {folder}/bin/setup"
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
            (folder / "made").touch()
    return Program(folder / ".venv/bin/python", folder)


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


def ask(
    url: str, key: str, path: str, body: Any = None, once: str = "", within_s: float = 5
) -> tuple[int, Any]:
    """Status and body of a call of the API (a path without a key: of anything else); 0 where nobody answers in time."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} if key else {}
    headers |= {"X-Idempotency-Key": once} if once else {}
    request = urllib.request.Request(f"{url}{'/api/v1' if key else ''}{path}", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=within_s) as answer:
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


class Person:
    """A person with a browser that keeps cookies and runs no script."""

    def __init__(self, url: str, name: str, password: str, code: Callable[[], str] | None = None) -> None:
        self.url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        self._opener.addheaders = [("Sec-Fetch-Site", "same-origin")]
        status, _ = self.send("/sign-in", email=f"{name}@example.com", password=password)
        if code is not None:
            status, _ = self.send("/sign-in/code", code=code())
        assert (status, self.open("/")[0]) == (200, 200)

    def open(self, path: str, form: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Status and text of a page, whatever led to it; 0 where nobody answers in time."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        try:
            with self._opener.open(f"{self.url}{path}", data, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()
        except OSError:
            return 0, ""

    def send(self, path: str, **values: str) -> tuple[int, str]:
        """Fill in the form of a page and send it."""
        token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', self.open(path)[1])
        assert token is not None
        return self.open(path, values | {"csrf_token": token[1]})


PAGES = (
    "/",
    "/approvals",
    "/tasks",
    "/c/crm.contact",
    "/workflows",
    "/outbox",
    "/runs/{0}",
    "/runs/{0}/replay",
)
CALLS = ("/me", "/runs?limit=5", "/approvals", "/collections/crm.contact/records?limit=5", "/runs/{0}")


class Client(threading.Thread):
    """A person at the pages and a program that starts runs, all the time, who ask again where that was refused for the moment."""

    def __init__(self, machines: Machines, key: str, run: str) -> None:
        super().__init__()
        self.key, self.url = key, machines.url
        self.person = Person(machines.url, "olivia", machines.passwords["olivia"])
        self.pages, self.calls = ([path.format(run) for path in paths] for paths in (PAGES, CALLS))
        self.ended = threading.Event()
        self.runs: list[str] = []
        self.lost: list[tuple[str, Any]] = []
        self.longest_s = 0.0

    def run(self) -> None:
        """Until `ended`."""
        for number in itertools.count():
            for path in self.pages:
                self.until_answered(path, partial(self.person.open, path))
            for path in self.calls:
                self.until_answered(path, partial(ask, self.url, self.key, path))
            body, once = {"workflow": "task"}, f"client-{number}"
            made = self.until_answered(once, partial(ask, self.url, self.key, "/runs", body, once))
            self.runs += [made["id"]] if made else []
            if self.ended.wait(0.1):
                return

    def until_answered(self, what: str, send: Callable[[], tuple[int, Any]]) -> Any:
        """The answer, noted as lost where no try brings one."""
        for _ in range(TRIES):
            began = time.monotonic()
            status, answer = send()
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            if status in (200, 201) and "Sign in, Handrail" not in answer:
                return answer
            time.sleep(0.3)
        self.lost.append((what, (status, str(answer)[:300])))
        return None

    def stop(self) -> None:
        """End, and say what became of it all."""
        self.ended.set()
        self.join()
        assert not self.lost, self.lost
        assert self.longest_s < LONGEST_S, self.longest_s
        assert len(self.runs) > 10


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
