"""The demo as a user starts it: supervisor, web, worker, provider and database as processes of their own, and people before it over HTTP.

One demo serves all processes of the suite: the first that needs it starts it, and ends it when nobody uses it any more. Tests share what is in it: each works
on records that no other names.
"""

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from tests import demo_folder, warm

ROOT = Path(__file__).parents[2]
PATIENCE_S = 180.0


@dataclass(frozen=True)
class Demo:
    """A running demo: its address, its data folder, and what `demo.json` tells."""

    url: str
    data: Path
    told: dict[str, Any]

    @property
    def people(self) -> dict[str, dict[str, Any]]:
        """By the part of the address before the @."""
        return {str(person["email"]).partition("@")[0]: person for person in self.told["people"]}

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to find it."""
        return environment_of(self.data)

    def command(self, *words: str, patience_s: float = 120) -> "subprocess.CompletedProcess[str]":
        """`console WORDS` beside the demo, as somebody with a shell types it."""
        return subprocess.run(
            [warm.python(), "-m", "console", *words],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=patience_s,
            check=False,
        )


@dataclass
class Answer:
    """What a person's browser got: status, headers, text and the address it came from."""

    status: int
    headers: Any
    text: str
    url: str


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass
class Visitor:
    """Somebody before the demo with a browser that runs no scripts: cookies, links, forms."""

    demo: Demo
    name: str
    opener: urllib.request.OpenerDirector = field(init=False)
    cookies: CookieJar = field(default_factory=CookieJar)

    def __post_init__(self) -> None:
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies), _Stay()
        )
        page = self.get("/sign-in")
        person = self.demo.people[self.name]
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
        assert token is not None
        answer = self.post(
            "/sign-in",
            {"email": person["email"], "password": person["password"], "csrf_token": token[1], "next": "/"},
        )
        assert answer.status == 303, answer.text[:300]

    def get(self, path: str, **headers: str) -> Answer:
        """The answer to a GET; a redirect is not followed."""
        return self._send(urllib.request.Request(self.demo.url + path, headers=headers))

    def read(self, path: str, **headers: str) -> str:
        """The text of the answer to a GET."""
        return self.get(path, **headers).text

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        """The answer to a form."""
        told = urllib.parse.urlencode(fields).encode()
        return self._send(
            urllib.request.Request(self.demo.url + path, told, {"Origin": self.demo.url, **headers})
        )

    def _send(self, request: urllib.request.Request) -> Answer:
        try:
            answer: HTTPResponse | urllib.error.HTTPError = self.opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Answer(
                int(answer.status or 0),
                answer.headers,
                answer.read().decode("utf-8", "replace"),
                request.full_url,
            )


@dataclass
class Program:
    """A program with a person's key: the JSON API."""

    demo: Demo
    name: str
    key: str = ""

    def __post_init__(self) -> None:
        made = self.demo.command(
            "apikey",
            "create",
            f"journey {time.monotonic_ns()}",
            "--user",
            self.demo.people[self.name]["email"],
            "--approve",
        )
        assert made.returncode == 0, made.stderr
        self.key = made.stdout.strip()

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """(status, JSON) of a call."""
        told = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.demo.url}/api/v1{path}", told, headers, method=method)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                request, timeout=60
            ) as answer:
                return int(answer.status), json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return int(error.code), json.loads(error.read() or b"null")


def environment_of(data: Path) -> dict[str, str]:
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CONSOLE_", "DATABASE_", "ANTHROPIC_", "PG"))
    }
    return plain | {"CONSOLE_DATA_DIR": str(data), "CONSOLE_ENV_FILE": os.devnull, "PYTHONPATH": str(ROOT)}


def _serving(data: Path) -> dict[str, Any] | None:
    """What `demo.json` tells, once the demo answers that it is well."""
    try:
        told: dict[str, Any] = json.loads((data / "demo.json").read_text(encoding="utf-8"))
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"{told['url']}/health", timeout=5
        ) as answer:
            said = json.loads(answer.read())
    except (OSError, ValueError, KeyError):
        return None
    return told if said["status"] == "running" and said["worker"] == "ok" else None


@contextmanager
def serving(data: Path, patience_s: float = PATIENCE_S) -> Iterator[Demo]:
    """A demo over this data folder while the block lasts."""
    data.parent.mkdir(parents=True, exist_ok=True)
    with (data.parent / f"{data.name}.log").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "console.infra.processes.supervisor", "--demo", "--port", "0"],
            env=environment_of(data),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        try:
            until = time.monotonic() + patience_s
            while (told := _serving(data)) is None:
                assert process.poll() is None, (data.parent / f"{data.name}.log").read_text()[-2000:]
                assert time.monotonic() < until, "the demo does not come up"
                time.sleep(0.2)
            yield Demo(told["url"], data, told)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo that all processes of the suite share."""
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    folder = tmp_path_factory.getbasetemp() if alone else tmp_path_factory.getbasetemp().parent
    with (folder / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        users = folder / "demo.users"
        first = not users.exists()
        if first:
            with serving(demo_folder.copied(tmp_path_factory, folder / "demo" / "data")) as made:
                _count(users, 1)
                fcntl.flock(lock, fcntl.LOCK_UN)
                yield made
                fcntl.flock(lock, fcntl.LOCK_EX)
                _count(users, -1)
                until = time.monotonic() + 3600
                while int(users.read_text()) and time.monotonic() < until:
                    fcntl.flock(lock, fcntl.LOCK_UN)
                    time.sleep(0.2)
                    fcntl.flock(lock, fcntl.LOCK_EX)
            return
        told = _serving(folder / "demo" / "data")
        assert told is not None, "the demo has ended"
        _count(users, 1)
        fcntl.flock(lock, fcntl.LOCK_UN)
    yield Demo(told["url"], folder / "demo" / "data", told)
    with (folder / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _count(users, -1)


@contextmanager
def alone(demo: Demo, what: str) -> Iterator[None]:
    """While the block lasts no other process of the suite is at `what`, such as the policy, which is read, changed and written whole."""
    with (demo.data.parent / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _count(users: Path, by: int) -> None:
    users.write_text(str((int(users.read_text()) if users.exists() else 0) + by))
