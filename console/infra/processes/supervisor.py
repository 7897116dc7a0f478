"""`console serve`: keeps the embedded database, the web processes and one worker alive, and ends them together.

Standard library and psutil only: this process stays for as long as the console serves, and forks the others from nothing. Each child is in a session of its
own, so that Ctrl-C reaches the supervisor alone, and holds the end of a pipe: when the supervisor is killed the children see it, and end themselves.
"""

import argparse
import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import psutil

from console.core.errors import ConsoleError
from console.infra import settings
from console.infra.postgres import Embedded, PostgresError
from console.infra.settings import data_folder

CHECK_S = 0.2
STARTING_S = 0.03  # who waits for the first answer is told at once
ENSURE_S = 1.0
GRACE_S = 4.5
LONGEST_PAUSE_S = 5.0
STEADY_S = 10.0
HOPELESS = 5
PATIENCE_S = 15.0
SPARING = {"MALLOC_ARENA_MAX": "2"}
"""For children, where nothing else is told: threads share two pools of memory. Of their own they would each keep what they once held."""
DEMO_SECRET = "provider=sk_demo_fernwick_pay"  # noqa: S105 (the stand-in is reached from this machine alone, and guards nothing)
STARTED_BY_US = "CONSOLE_SIGNING_KEY", "CONSOLE_SIGNING_KEY_FILE"


class StartError(ConsoleError):
    """The console cannot start; the message says why and what to do."""

    default_code = "start"


class Child:
    """A process that is started again whenever it ends, after a pause that grows if it ended soon."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], sockets: Sequence[int] = ()
    ) -> None:
        self.name, self.command, self.environment = name, list(command), SPARING | dict(environment)
        self.sockets = sockets
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.failures = 0
        self._due = 0.0

    @property
    def alive(self) -> bool:
        """Whether it runs now."""
        return self.process is not None and self.process.poll() is None

    def keep(self, now: float) -> None:
        """Start it where it is not running; `now` is monotonic seconds."""
        if self.alive:
            return
        if self.process is not None:
            self.failures = 1 if now - self.started_at > STEADY_S else self.failures + 1
            self._due = now + min(LONGEST_PAUSE_S, 0.1 * 2**self.failures) if self.failures > 1 else now
            self.end()  # what it forked may have outlived it
        if now >= self._due:
            self.started_at = now
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.PIPE,
                start_new_session=True,
                pass_fds=self.sockets,
            )

    def ask_to_end(self) -> None:
        """SIGTERM to it alone: it ends what is its own."""
        if self.process is not None and self.alive:
            self.process.terminate()

    def end(self) -> None:
        """Everything in its session ends now."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()
            self.process = None


class Supervisor:
    """One `console serve`, from the first check to the last child."""

    def __init__(self, options: argparse.Namespace, given: settings.Settings) -> None:
        self.options, self.given = options, given
        self.stopping = False
        self.server: Embedded | None = None
        self.children: list[Child] = []
        self.note: Path | None = None
        self._provided_at = ""
        self._preparing: subprocess.Popen[bytes] | None = None
        self._next_ensure = 0.0
        self._next_look = 0.0

    def run(self) -> int:
        """The status to exit with. Raises `StartError`, `SettingsError` or `PostgresError` where it cannot start."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        self._bind()
        data_folder.prepare(self.given.data_dir)
        self.given.check_keys()
        try:
            self._delete_stale_notes()
            if self.given.embedded:
                if self.given.demo and (self.options.reset or not self._note().get("loaded")):
                    end = "" if sys.stderr.isatty() else "\n"  # the load writes over it
                    print("0 %  Starting the database", end=end, file=sys.stderr, flush=True)
                self.server = Embedded(self.given.data_dir).acquire()
            self._prepare()
            self._serve()
        finally:
            self._end()
        return 0

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True
        if self._preparing is not None:
            self._preparing.terminate()

    def _bind(self) -> None:
        """Take the port, which the web processes get: who asks while one of them is replaced waits for its successor."""
        self.socket = socket.socket(socket.AF_INET6 if ":" in self.options.host else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.socket.bind((self.options.host, self.options.port))
        except OverflowError as error:
            raise StartError(f"There is no port {self.options.port}: give one from 0 to 65535.") from error
        except OSError as error:
            raise StartError(
                f"Port {self.options.port} of {self.options.host} cannot be used ({error.strerror}): give another with --port, or --port 0 for a free one."
            ) from error

    def _delete_stale_notes(self) -> None:
        """Delete the notes of supervisors that have ended, and those that came with a copy of another data folder."""
        folder = self.given.data_dir
        for file in (folder / "serving").glob("*.json*"):
            if _serving(file, folder) is None:
                file.unlink(missing_ok=True)
        for part in folder.glob("demo.json.*"):
            part.unlink(missing_ok=True)
        demo_note = self._note()
        if demo_note.get("pid") and not any(note["pid"] == demo_note["pid"] for note in serving(folder)):
            self._provided_at = str(demo_note.get("provider") or "")
            write_private(folder / "demo.json", demo_note | {"url": None, "pid": None, "provider": None})

    def _prepare(self) -> None:
        """Run migrations and load the demo, in a process that ends before we serve, so that its memory is freed."""
        command = (
            ["demo", "load", *(["--reset"] if self.options.reset else [])] if self.given.demo else ["migrate"]
        )
        if self.stopping:
            return
        self._preparing = subprocess.Popen(
            [sys.executable, "-P", "-m", "console", *command],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            env=dict(os.environ),
            start_new_session=True,
        )
        status = self._preparing.wait()
        self._preparing = None
        if status and not self.stopping:
            raise StartError(
                f"`console {' '.join(command)}` failed (status {status}); what it said stands above."
            )

    def _provider(self) -> str | None:
        """Start the demo's payment provider as a child. Returns its address (the former port if it is free); None outside the demo."""
        if not self.given.demo or "provider" in self.given.http_targets:
            return self.given.http_targets.get("provider")
        before = urlsplit(self._provided_at).port or 0
        port = next(port for port in map(_free, (before, 0)) if port)
        url = f"http://127.0.0.1:{port}"
        self.children.append(
            Child("provider", [sys.executable, "-P", "-m", "console.demo.provider", str(port)], os.environ)
        )
        additions = (
            (name, os.environ.get(name, ""), pair)
            for name, pair in (
                ("CONSOLE_HTTP_TARGETS", f"provider={url}"),
                ("CONSOLE_HTTP_SECRETS", DEMO_SECRET),
            )
        )
        os.environ.update({name: f"{former},{pair}" if former else pair for name, former, pair in additions})
        return url

    def _note(self) -> dict[str, Any]:
        """The content of `demo.json`; empty if there is none."""
        file = self.given.data_dir / "demo.json"
        try:
            note = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

    def _serve(self) -> None:
        python, host = [sys.executable, "-P", "-m"], self.options.host
        port = self.socket.getsockname()[1]
        self.socket.listen()
        provider = self._provider()
        unsigned = dict(os.environ) | dict.fromkeys(STARTED_BY_US, "")  # only the worker may sign
        web = [*python, "console.views.server", "--socket", str(self.socket.fileno())]
        self.children += [
            Child(f"web {number}" if number else "web", web, unsigned, [self.socket.fileno()])
            for number in range(self.options.workers)
        ]
        if not self.options.no_worker:
            self.children.append(Child("worker", [*python, "console.operations.worker"], os.environ))
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(  # noqa: S104 (read here, not bound)
            host, f"[{host}]" if ":" in host else host
        )
        address = f"http://{shown}:{port}"
        ready = False
        while not self.stopping:
            now = time.monotonic()
            self._ensure(now)
            for child in self.children:
                child.keep(now)
                if not ready and child.failures >= HOPELESS:
                    raise StartError(
                        f"The {child.name} process ends as soon as it is started; what it said stands above."
                    )
            if not ready and self._ready(address, now):
                ready = True
                self._announce(address, provider)
            self._nap()

    def _ready(self, address: str, now: float) -> bool:
        """Whether everything answers; after a while it is enough that pages answer, because a worker may be slow or started elsewhere."""
        if answers(address):
            return True
        self._next_look = self._next_look or now + (0.0 if self.options.no_worker else PATIENCE_S)
        return now >= self._next_look and answers(address, "/health/pages")

    def _nap(self) -> None:
        """Sleep for a short time, because a signal does not end `time.sleep`."""
        if not self.stopping:
            time.sleep(CHECK_S if self.note is not None else STARTING_S)

    def _ensure(self, now: float) -> None:
        if self.server is not None and now >= self._next_ensure:
            self._next_ensure = now + ENSURE_S
            try:
                self.server.ensure()
            except (
                PostgresError,
                OSError,
            ) as error:  # a full disk: it comes back by itself when there is space
                complain(
                    error.message
                    if isinstance(error, PostgresError)
                    else f"the data folder cannot be used: {error.strerror}"
                )

    def _announce(self, address: str, provider: str | None) -> None:
        folder = self.given.data_dir / "serving"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.note = folder / f"{os.getpid()}.json"
        children = {child.name: child.process.pid for child in self.children if child.process}
        own_note = {
            "pid": os.getpid(),
            "started": psutil.Process().create_time(),
            "folder": identity(self.given.data_dir),
        }
        secrets = sorted({*self.given.http_secrets, *(["provider"] if provider else [])})  # only their names
        write_private(self.note, own_note | {"url": address, "children": children, "secrets": secrets})
        people = self._people(address, provider) if self.given.demo else []
        print(
            "\n".join([f"Handrail on {address}", *people]), flush=True
        )  # when all that is told of it in files is there
        if self.options.open:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    def _people(self, address: str, provider: str | None) -> list[str]:
        """A line for each demo person who can sign in. Writes the address to `demo.json`."""
        demo_note = self._note()
        kept = {name: value for name, value in demo_note.items() if name not in {"url", "pid", "provider"}}
        write_private(
            self.given.data_dir / "demo.json",
            {"url": address, "pid": os.getpid(), "provider": provider} | kept,
        )
        people = demo_note.get("people", [])
        width = [
            max((len(str(person.get(name, ""))) for person in people), default=0)
            for name in ("email", "password", "name", "role")
        ]
        lines = []
        for person in people:
            cells = [
                str(person.get(name, "")).ljust(size)
                for name, size in zip(("email", "password", "name", "role"), width, strict=True)
            ]
            lines.append("  ".join([*cells, str(person.get("team") or "")]).rstrip())
        return lines

    def _end(self) -> None:
        """End all children: ask first, then kill."""
        self.socket.close()
        for child in self.children:
            child.ask_to_end()
        deadline = time.monotonic() + GRACE_S
        while any(child.alive for child in self.children) and time.monotonic() < deadline:
            time.sleep(0.02)
        for child in self.children:
            child.end()
        if self.note is not None:
            self.note.unlink(missing_ok=True)
        if self.server is not None:
            self.server.release()


def _free(port: int) -> int:
    """The port of 127.0.0.1 if it is free (for 0: any free port); 0 if it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])


def answers(address: str, path: str = "/health") -> bool:
    """Whether the path answers 200 within three seconds. Without `http.client`, which would stay with us for this one question."""
    parts = urlsplit(address)
    try:
        with socket.create_connection((parts.hostname, parts.port or 80), timeout=3) as line:
            line.sendall(f"GET {path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
            return line.recv(12).endswith(b" 200")
    except (OSError, ValueError):
        return False


def write_private(file: Path, content: Mapping[str, Any]) -> None:
    """Write JSON to a file with mode 0600, whole or not at all."""
    descriptor, part = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    with open(descriptor, "w", encoding="utf-8") as out:
        json.dump(content, out, indent=1, ensure_ascii=False)
    os.replace(part, file)


def serving(data_dir: Path) -> list[dict[str, Any]]:
    """The notes `{"pid", "started", "url", "children", "secrets"}` of the supervisors that serve from this folder now; those of dead ones are passed over."""
    return [
        note
        for file in sorted((data_dir / "serving").glob("*.json"))
        if (note := _serving(file, data_dir)) is not None
    ]


def _serving(file: Path, data_dir: Path) -> dict[str, Any] | None:
    """The note, where its supervisor lives and serves from this folder; the pid of another program, or of the original of a copy, does not count."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, psutil.Error):
        note: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if abs(psutil.Process(note["pid"]).create_time() - note["started"]) < 1 and note[
            "folder"
        ] == identity(data_dir):
            return note
    return None


def identity(folder: Path) -> list[int]:
    """An identity of the folder that a rename keeps and a copy does not have."""
    status = folder.stat()
    return [status.st_dev, status.st_ino]


def complain(text: str) -> None:
    """One line to whoever started us."""
    print(f"console: {text}", file=sys.stderr, flush=True)


def arguments() -> argparse.ArgumentParser:
    """The options of `console serve`."""
    parser = argparse.ArgumentParser(
        prog="console serve",
        description="Serve the pages and the API, with one worker and, unless DATABASE_URL is set, the embedded database. Ctrl-C or SIGTERM ends all of it.",
        epilog="Example: console serve --port 8080 --workers 2",
        allow_abbrev=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="the port (default 8000; 0: a free one)")
    parser.add_argument(
        "--workers",
        type=_positive,
        default=1,
        metavar="N",
        help="web processes, of four threads each (default 1)",
    )
    parser.add_argument(
        "--no-worker",
        action="store_true",
        help="without the background worker: `console worker` runs elsewhere",
    )
    parser.add_argument("--demo", action="store_true", help="load the demo company and say who can sign in")
    parser.add_argument("--reset", action="store_true", help="start the demo afresh")
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError("takes a number from 1 to 64")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """The status to exit with; what a person can act on is one line."""
    data_folder.be_private()
    options = arguments().parse_args(argv)
    if options.demo:
        os.environ["CONSOLE_DEMO"] = "on"
    try:
        return Supervisor(options, settings.current()).run()
    except ConsoleError as error:
        complain(error.message)
    except OSError as error:
        room = ". Make room, and start again" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}{room}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
