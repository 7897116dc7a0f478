"""A step completed over HTTP against a Flask page that does the same work (peers/flask_step.py says what), four clients each, on the same server.

    python bench/http_step.py [--rounds 5] [--seconds 2] [--profile FILE]

Served as `console serve --workers 2` serves: granian, two workers of four threads; the peer likewise. A signed-in person posts the form of the run's page
(session, token of the form, a fragment for htmx comes back), and a program with a key posts to the API; each client works on runs of
its own, ten steps of each, over a connection that stays open. The bars: a page's step at least 0.5 × the Flask page's, and its 95th percentile at most twice
its median. `--profile` records one web worker with py-spy (it must be on PATH) while the page is measured once more.
"""

import argparse
import importlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from urllib.parse import urlencode

import psutil
import rig
import step
from list import Browser, free_port, served

CLIENTS = 4
STEPS = 10  # of a run, as many as one has
FASTEST = 400  # steps a second that one client is thought to reach at most
BAR, BAR_TAIL = 0.5, 2.0
PEER_RUNS = 20_000  # made before the clock starts: more than the rounds use
NOTE = "what was typed into the form of this step"
PASSWORD = "a long enough bench password"


class Form(HTMLParser):
    """What the form of a run's page sends, as its boxes stand."""

    def __init__(self, page: bytes, action: str) -> None:
        super().__init__()
        self.action, self.inside = action, False
        self.values: dict[str, str] = {}
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the named boxes between the form's tags."""
        told = dict(attrs)
        if tag == "form":
            self.inside = told.get("action") == self.action
        name = told.get("name")
        if self.inside and name and tag in ("input", "textarea") and told.get("type") != "checkbox":
            self.values[name] = told.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        """The form ends."""
        self.inside = self.inside and tag != "form"


class Client:
    """Completes steps over one connection, `STEPS` of a run and then of the next. The request is put together by hand: what is measured is the server."""

    moves = 1  # of the run by one completed step: itself, and the automatic ones behind it

    def __init__(self, port: int, runs: Sequence[tuple[str, int]], path: str, headers: str, body: Callable[[str, int], str]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.path, self.headers, self.body = path, f"HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}", body
        self.waiting = list(runs)
        self.done = 0
        self.times: list[float] = []
        self._next_run()

    def complete(self) -> None:
        """One step; how long its answer took is kept, in milliseconds."""
        body = self.body("one" if self.done % 2 == 0 else "two", self.revision + self.moves * self.done)
        begin = time.perf_counter()
        self.socket.sendall(f"POST {self.path.format(run=self.run)} {self.headers}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = self._answer()
        self.times.append((time.perf_counter() - begin) * 1000)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"a step was answered: {answer[:2000].decode(errors='replace')}")
        self.done += 1
        if self.done >= STEPS and self.waiting:
            self._next_run()

    def _next_run(self) -> None:
        self.run, self.revision = self.waiting.pop()
        self.done = 0

    def _answer(self) -> bytes:
        got = self.socket.recv(262_144)
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self.socket.recv(262_144)
        found = re.search(rb"(?i)\r\ncontent-length: (\d+)", got[: end + 2])
        assert found, got[:end]
        while len(got) < end + 4 + int(found[1]):
            got += self.socket.recv(262_144)
        return got


def page_client(port: int, browser: Browser, runs: Sequence[tuple[str, int]]) -> Client:
    """The form of a run's page, as htmx sends it."""
    run = runs[0][0]
    form = Form(browser.ask("GET", f"/runs/{run}")[1], f"/runs/{run}/complete").values
    typed = {name: NOTE if name.endswith("note") else "3" for name in form if name.endswith(("note", "level")) and form[name] == ""}
    fixed = urlencode({name: value for name, value in form.items() if name not in ("step", "revision")} | typed)
    headers = (
        f"Cookie: {browser.headers['Cookie']}\r\nSec-Fetch-Site: same-origin\r\nOrigin: {browser.origin}\r\n"
        "HX-Request: true\r\nHX-Target: runner\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    )
    return Client(port, runs, "/runs/{run}/complete", headers, lambda step_id, revision: f"{fixed}&step={step_id}&revision={revision}")


def api_client(port: int, key: str, runs: Sequence[tuple[str, int]]) -> Client:
    """The same step by a program."""

    def body(step_id: str, revision: int) -> str:
        return json.dumps({"step": step_id, "revision": revision, "values": {"note": NOTE, "level": 3}})

    headers = f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    return Client(port, runs, "/api/v1/runs/{run}/complete", headers, body)


def peer_client(port: int, browser: Browser, token: str, runs: Sequence[tuple[str, int]]) -> Client:
    """The same form at the Flask page."""
    headers = f"Cookie: {browser.headers['Cookie']}\r\nContent-Type: application/x-www-form-urlencoded\r\nHX-Request: true\r\n"

    def body(step_id: str, revision: int) -> str:
        return urlencode({"csrf_token": token, "step": step_id, "revision": revision, "v.note": NOTE, "v.level": 3})

    return Client(port, runs, "/runs/{run}/complete", headers, body)


def together(clients: Sequence[Client], seconds: float) -> float:
    """Steps a second of all clients at once."""
    gate = threading.Barrier(len(clients))
    rates: list[float] = []

    def work(client: Client) -> None:
        gate.wait()
        rates.append(rig.per_second(client.complete, seconds))

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(rates) < len(clients):
        raise SystemExit("a client ended early; what it was answered stands above.")
    return sum(rates)


class Side:
    """One way in. Its clients have fresh runs for each round, made before the clock starts: as many as they can get through."""

    def __init__(self, name: str, make: Callable[[int], Client]) -> None:
        self.name, self.make = name, make
        self.times: list[float] = []

    def per_second(self, seconds: float) -> float:
        """Steps a second of four clients."""
        clients = [self.make(round(seconds * FASTEST / STEPS) + 1) for _ in range(CLIENTS)]
        rate = together(clients, seconds)
        for client in clients:
            self.times += client.times
            client.socket.close()
        return rate

    def tail(self) -> tuple[float, float]:
        """(median, 95th percentile) in milliseconds."""
        cut = statistics.quantiles(self.times, n=20)
        return cut[9], cut[18]


def sides(port: int, person: str, browser: Browser, key: str) -> tuple[Side, Side]:
    """Page and API."""
    from console import accounts, runs

    actor = accounts.actor_of_person(person, "ses_bench")

    def started(count: int) -> list[tuple[str, int]]:
        made = [runs.start(actor, "bench", None, None, {}) for _ in range(count)]
        return [(run, first.json["revision"]) for first in [runs.get(actor, made[0])] for run in made]

    return (
        Side("page", lambda count: page_client(port, browser, started(count))),
        Side("API", lambda count: api_client(port, key, started(count))),
    )


def record(process: int, file: str, work: Callable[[], object]) -> None:
    """One web worker under py-spy while `work` is done."""
    spy = shutil.which("py-spy")
    if spy is None:
        raise SystemExit("--profile needs py-spy on PATH.")
    master = next(child for child in psutil.Process(process).children() if "console.web" in " ".join(child.cmdline()))
    worker = max(master.children(), key=lambda child: child.memory_info().rss)
    command = [spy, "record", "--pid", str(worker.pid), "--output", file, "--format", "raw", "--duration", "8", "--rate", "250"]
    spying = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    work()
    spying.wait()


def main() -> int:
    """Set up, measure in turn, print, judge."""
    parser = argparse.ArgumentParser(description="A step over HTTP against a Flask page that does the same work, four clients each.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--profile", metavar="FILE", help="where py-spy writes its samples")
    told = parser.parse_args()
    port, other = free_port(), free_port()
    command = ["-m", "console.web", "--host", "127.0.0.1", "--port", str(port), "--workers", "2"]
    with rig.console() as server:
        os.environ |= {
            "PEER_URL": server.create_database("flask_step", "flask_step").replace("postgresql://", "postgresql+psycopg://"),
            "PEER_SECRET": "a secret of the peer",
        }
        flask_step = importlib.import_module("peers.flask_step")
        token, peer_runs = flask_step.fill(PEER_RUNS)
        person = step.prepare()
        from console import accounts

        accounts.set_password(person, PASSWORD)
        key = accounts.create_key("bench", person).text
        serving = ["-c", f"from peers.flask_step import serve; serve({other}, 2)"]
        with served(command, port), served(serving, other):
            browser, theirs = Browser(port), Browser(other)
            browser.sign_in("olivia@fernwick.example", PASSWORD)
            page, api = sides(port, person, browser, key)
            secret = theirs.ask("GET", f"/enter/{token}")[1].decode()
            peer = Side("Flask", lambda count: peer_client(other, theirs, secret, [(str(peer_runs.pop()), 0) for _ in range(count)]))
            for side in (page, api, peer):
                side.per_second(1)  # both workers load what they need
                side.times.clear()
            print(f"{os.cpu_count()} cores, {told.rounds} rounds of {told.seconds:g} s, {CLIENTS} clients, granian with 2 workers")
            taken = rig.in_turn(
                told.rounds,
                *((lambda side=side: side.per_second(told.seconds)) for side in (page, api, peer)),
            )
            good = [judge(side, mine, taken[2]) for side, mine in zip((page, api), taken, strict=False)]
            if told.profile:
                record(os.getpid(), told.profile, lambda: page.per_second(9))
    return 0 if all(good) else 1


def judge(side: Side, mine: Sequence[float], theirs: Sequence[float]) -> bool:
    """Print the side's figures; whether its bars hold."""
    found = rig.ratio(mine, theirs)
    middle, tail = side.tail()
    print(
        f"{side.name:4} {statistics.median(mine):,.0f} steps/s, the Flask page {statistics.median(theirs):,.0f}/s, ratio {found:.2f} (bar at least {BAR}); "
        f"p50 {middle:.1f} ms, p95 {tail:.1f} ms, {tail / middle:.1f} × (bar at most {BAR_TAIL:g})"
    )
    return found >= BAR and tail <= BAR_TAIL * middle


if __name__ == "__main__":
    sys.exit(main())
