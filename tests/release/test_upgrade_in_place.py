"""From 0.5.0 to this checkout: an installation of then, made by its own commands, goes on in the new program with everything that was under way."""

import contextlib
import datetime as dt
import fcntl
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.release.conftest import ROOT, VERSION, Release, run
from tests.test_serve import Serving, until

FORMER = "1ec72e5d0"
"""The commit of the release 0.5.0."""
IMPORTS = "/contacts/people.contact/imports"
LINES = 3000
LIVE = {"waiting_event", "waiting_person", "waiting_time", "completed"}
ROOM_BYTES = 2**18
MAILS, WALKS, REQUESTS = 5, 5, 3


@pytest.fixture(scope="session")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout of 0.5.0, set up by its own `bin/setup`; one for all processes of the suite."""
    if subprocess.run(["git", "cat-file", "-e", f"{FORMER}^{{commit}}"], cwd=ROOT, check=False).returncode:
        pytest.skip(f"the history of this checkout does not reach back to 0.5.0 ({FORMER})")
    base = tmp_path_factory.getbasetemp()
    folder = (base if "PYTEST_XDIST_WORKER" not in os.environ else base.parent) / "former"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            folder.mkdir(exist_ok=True)
            run("sh", "-c", f'git -C "{ROOT}" archive {FORMER} | tar -x', cwd=folder)
            run("bin/setup", "--run", cwd=folder)
            (folder / "made").touch()
    return folder


class Console(Serving):
    """A `console serve` of 0.5.0."""

    def __init__(self, former: Path, data: Path, *arguments: str, **environ: str) -> None:
        self.checkout, self.python = former, str(former / ".venv/bin/python")
        super().__init__(data, *arguments, **environ)


def step(name: str, kind: str, following: str | dict[str, str] = "", **config: Any) -> dict[str, Any]:
    """One step of a workflow's document."""
    ways = {"default": following} if isinstance(following, str) and following else following or {}
    return {"id": name, "type": kind, "title": name.capitalize(), "config": config, "next": ways}


def workflow(slug: str, collection: str | None, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A document that operators and leads may start; a service account acts."""
    return {
        "format": 1,
        "slug": slug,
        "title": slug.capitalize(),
        "collection": collection,
        "team": "operations",
        "roles": ["operator", "lead"],
        "settings": {"exclusive": False},
        "variables": {},
        "steps": list(steps),
        **more,
    }


ROBOT = {"run_as": "robot@example.com"}
WORKFLOWS = [
    workflow(
        "walk",
        None,
        step("start", "start", "wait"),
        step("wait", "wait", "task", minutes=1),
        step("task", "create_task", "end", title="Walked {{ run.id }}", team="operations"),
        step("end", "end"),
        **ROBOT,
    ),
    workflow(
        "request",
        None,
        step("start", "start", "ask"),
        step("ask", "approval", {"approved": "end", "rejected": "end"}, text="May it?", roles=["lead"]),
        step("end", "end"),
    ),
    workflow(
        "greet",
        "people.contact",
        step("start", "start", "mail"),
        step(
            "mail",
            "email",
            {"sent": "end", "skipped": "end"},
            subject="Hello",
            body="Good day, {{ record.name }}",
        ),
        step("end", "end"),
        **ROBOT,
    ),
    workflow(
        "look",
        "people.contact",
        step("start", "start", "look"),
        step("look", "guidance", "end", text="Look at {{ record.name }}"),
        step("end", "end"),
    ),
]


class Installation:
    """What 0.5.0 left: a data folder, a copy and a backup of it, keys of people, and what was under way."""

    def __init__(self, former: Path, folder: Path) -> None:
        self.former, self.folder, self.data = former, folder, folder / "data"
        self.saved, self.backup = folder / "saved", folder / "backup.zip"
        self.keys: dict[str, str] = {}
        self.runs: dict[str, list[str]] = {}
        self.imported = ""

    def command(self, *arguments: str | Path, **environ: str) -> str:
        """What a command of 0.5.0 says; it must succeed."""
        own = {"CONSOLE_DATA_DIR": str(self.data), "CONSOLE_ENV_FILE": os.devnull}
        return run(self.former / ".venv/bin/console", *arguments, cwd=self.folder, **own | environ)

    def make(self) -> None:
        """People, a contact book and workflows."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.command("migrate")
        for who, role in (("ada", "admin"), ("lena", "lead"), ("olivia", "operator")):
            self.command(
                *("user", "create", f"{who}@example.com", "--role", role, "--name", who.capitalize()),
                *("--team", "operations"),
            )
        self.command(
            "user", "create", "robot@example.com", "--role", "operator", "--team", "operations", "--service"
        )
        self.command("source", "book", "people", "--role", "lead", "--role", "operator")
        for document in WORKFLOWS:
            file = self.folder / f"{document['slug']}.json"
            file.write_text(json.dumps(document))
            self.command("workflow", "import", file, "--publish")
        for who in ("ada", "lena", "olivia"):
            said = self.command("apikey", "create", "upgrade", "--user", f"{who}@example.com")
            self.keys[who] = said.split()[-1]


def contacts(first: int, count: int) -> str:
    """A CSV file of so many people."""
    lines = [f"Person {number},p{number}@post.example,Germany" for number in range(first, first + count)]
    return "\n".join(["Name,E-mail,Country", *lines]) + "\n"


def answered(serving: Serving, key: str, path: str, body: Any = None, method: str | None = None) -> Any:
    """The body of a call that succeeds; with a body it is a POST where no method is given."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{serving.url}/api/v1{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            raise AssertionError((path, refused.code, refused.read())) from None


def statuses(serving: Serving, key: str, runs: list[str]) -> set[str]:
    """What has become of these runs."""
    return {answered(serving, key, f"/runs/{run_id}")["status"] for run_id in runs}


def completed(serving: Serving, key: str, runs: list[str]) -> bool:
    """Whether all of them are, within the time that a slow machine has."""
    return until(lambda: statuses(serving, key, runs) == {"completed"})


def hours(serving: Serving, key: str, window: list[str] | None) -> None:
    """Let e-mails leave in this window of each day, or at any hour."""
    days = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), window)
    rules = {"hours": {"email": days} if window else {}, "caps": []}
    version = answered(serving, key, "/contact-rules")["version"]
    answered(serving, key, "/contact-rules", rules | {"version": version}, "PUT")


@contextmanager
def serving(made: Serving) -> Iterator[Serving]:
    """It, once everything of it is at work, or paused since it is a copy; it is stopped afterwards."""
    try:
        assert until(lambda: made.ready().health()[0] == 200), (made.said.read_text(), made.health())
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def left(former: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Stopped in the middle of everything: timers, messages before their hours, requests, a person's step, half an import."""
    one = Installation(former, tmp_path_factory.mktemp("installation"))
    one.make()
    olivia, lena = one.keys["olivia"], one.keys["lena"]
    agreed = {"agreed": ["email"], "consent": {"source": "form"}}
    with serving(Console(former, one.data, CONSOLE_RATE_LIMITS="off")) as old:

        def send(csv: str) -> str:
            made = answered(old, lena, IMPORTS, {"csv": csv} | agreed)
            return str(made["id"])

        def start(slug: str, *keys: str | None) -> list[str]:
            bodies = [{"collection": "people.contact", "record": key} if key else {} for key in keys]
            return [answered(old, olivia, "/runs", {"workflow": slug} | body)["id"] for body in bodies]

        few = send(contacts(0, MAILS + 1))
        assert until(lambda: answered(old, lena, f"{IMPORTS}/{few}")["status"] == "done")
        hour = (dt.datetime.now(dt.UTC).hour + 12) % 24
        hours(old, one.keys["ada"], [f"{hour:02}:00", f"{hour:02}:30"])
        records = answered(old, olivia, "/collections/people.contact/records")["data"]
        *written_to, looked_at = (record["key"] for record in records)
        one.runs = {
            "greet": start("greet", *written_to),
            "look": start("look", looked_at),
            "request": start("request", *[None] * REQUESTS),
            "walk": start("walk", *[None] * WALKS),
        }
        assert until(lambda: len(answered(old, lena, "/approvals?status=open")["data"]) == REQUESTS)
        assert until(lambda: len(answered(old, lena, "/messages?status=waiting")["data"]) == MAILS)
        one.command("backup", one.backup)
        one.imported = send(contacts(1000, LINES))
        assert until(lambda: answered(old, lena, f"{IMPORTS}/{one.imported}")["done"] > 0)
    assert until(lambda: not (one.data / "postgres/cluster/postmaster.pid").exists())
    run("cp", "-a", one.data, one.saved, cwd=one.folder)
    return one


def approve_all(new: Serving, key: str) -> None:
    """Say yes to every request for approval."""
    for line in answered(new, key, "/approvals?status=open")["data"]:
        answered(new, key, f"/approvals/{line['id']}/approve", {})


def test_everything_that_was_under_way_is_completed(left: Installation) -> None:
    olivia, lena = left.keys["olivia"], left.keys["lena"]
    with serving(Serving(left.data, CONSOLE_RATE_LIMITS="off")) as new:
        assert new.health()[1].get("paused_because") is None
        approve_all(new, lena)
        hours(new, left.keys["ada"], None)
        (look,) = left.runs["look"]
        current = answered(new, olivia, f"/runs/{look}")
        body = {"step": "look", "revision": current["revision"], "values": {}}
        answered(new, olivia, f"/runs/{look}/complete", body)
        assert until(lambda: answered(new, lena, f"{IMPORTS}/{left.imported}")["status"] == "done")
        counts = answered(new, lena, f"{IMPORTS}/{left.imported}")["counts"]
        assert (counts["new"], counts["refused"], counts["consents"]) == (LINES, 0, LINES)
        told = answered(new, lena, "/collections/people.contact/records?limit=1")
        assert told.get("total", LINES + MAILS + 1) == LINES + MAILS + 1
        for slug, runs in left.runs.items():
            assert completed(new, olivia, runs), slug
        sent = answered(new, lena, "/messages")["data"]
        assert sorted(message["run"] for message in sent) == sorted(left.runs["greet"])
        assert {message["status"] for message in sent} <= {"sent", "delivered"}
        checked = new.command("verify")
        assert checked.returncode == 0, checked.stderr


def test_a_folder_whose_master_key_is_elsewhere_is_refused_and_untouched_until_it_is_given(
    left: Installation, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    run("cp", "-a", left.saved, data, cwd=tmp_path)
    key = (data / "keys/master_key").rename(tmp_path / "master_key")
    refused = Serving(data)
    assert refused.process.wait(60) == 1
    said = refused.said.read_text()
    assert "encrypted under the master key" in said
    assert "CONSOLE_MASTER_KEY" in said
    with serving(Console(left.former, data, CONSOLE_MASTER_KEY_FILE=str(key))):
        pass  # no migration ran: the former release still starts
    with serving(Serving(data, CONSOLE_MASTER_KEY_FILE=str(key), CONSOLE_RATE_LIMITS="off")) as new:
        texts = {message["text"] for message in answered(new, left.keys["lena"], "/messages")["data"]}
        assert len(texts) == MAILS
        assert all(text.startswith("Good day, Person ") for text in texts)


def test_a_backup_is_restored_on_another_machine_and_goes_on(left: Installation, tmp_path: Path) -> None:
    """Another folder, server and port, with the keys alone; the contact book is a database of its own, which no backup of the console holds."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    run("cp", "-a", left.data.parent / "saved/keys", data, cwd=tmp_path)
    environ = {"CONSOLE_DATA_DIR": str(data), "CONSOLE_ENV_FILE": os.devnull, "PYTHONPATH": str(ROOT)}
    run(sys.executable, "-P", "-m", "console", "restore", left.backup, cwd=tmp_path, **environ)
    with serving(Serving(data, CONSOLE_RATE_LIMITS="off")) as new:
        assert new.health()[1]["paused_because"] == "restored"
        assert new.command("resume", "--reason", "The former machine is gone").returncode == 0
        approve_all(new, left.keys["lena"])
        for slug in ("request", "walk"):
            assert completed(new, left.keys["olivia"], left.runs[slug]), slug
        checked = new.command("verify")
        assert checked.returncode == 0, checked.stderr


def unmounted(folder: Path) -> bool:
    """Try, and say whether it is; the last processes of a console may still end."""
    if folder.is_mount():
        subprocess.run(["umount", str(folder)], capture_output=True, check=False)
    return not folder.is_mount()


@pytest.fixture
def small_disk(left: Installation, tmp_path: Path) -> Iterator[Path]:
    """A data folder on a disk of its own that has hardly any room; the file `other` takes the rest."""
    data = tmp_path / "data"
    data.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400m,mode=0700", "tmpfs", str(data)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a disk that is full needs the right to mount a tmpfs")
    try:
        run("cp", "-a", f"{left.saved}/.", data, cwd=tmp_path)
        with (data / "other").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(2**16))
        os.truncate(data / "other", (data / "other").stat().st_size - ROOM_BYTES)
        yield data
    finally:
        assert until(lambda: unmounted(data))


def test_an_upgrade_that_the_disk_has_no_room_for_goes_on_when_there_is_some(
    left: Installation, small_disk: Path
) -> None:
    refused = Serving(small_disk)
    assert refused.process.wait(120) == 1
    said = refused.said.read_text()
    assert "The disk of the database is full" in said
    assert "Make room, and start this release again" in said
    (small_disk / "other").unlink()
    with serving(Serving(small_disk, CONSOLE_RATE_LIMITS="off")) as new:
        runs = [run_id for every in left.runs.values() for run_id in every]
        assert statuses(new, left.keys["olivia"], runs) <= LIVE
        checked = new.command("verify")
        assert checked.returncode == 0, checked.stderr


def test_a_wheel_replaces_an_older_one_with_all_its_files(
    former: Path, release: Release, tmp_path: Path
) -> None:
    uv = ROOT / ".venv/bin/uv"
    tools, installed = tmp_path / "tools", tmp_path / "installed"
    run(uv, "venv", "--quiet", tools, cwd=tmp_path)
    pip = (uv, "pip", "install", "--quiet", "--python")
    run(*pip, tools / "bin/python", "-r", ROOT / "requirements/release.txt", cwd=tmp_path)
    run(tools / "bin/python", "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=former)
    (wheel,) = tmp_path.glob("*.whl")
    run(uv, "venv", "--quiet", "--seed", installed, cwd=tmp_path)
    run(*pip, installed / "bin/python", "-r", release.file("-requirements.txt"), cwd=tmp_path)
    for each in (wheel, release.file("-py3-none-any.whl")):
        run(installed / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", each, cwd=tmp_path)
    (package,) = installed.glob("lib/python*/site-packages/console")
    there = {str(file.relative_to(package.parent)) for file in package.rglob("*") if file.is_file()}
    with zipfile.ZipFile(release.file("-py3-none-any.whl")) as new, zipfile.ZipFile(wheel) as old:
        wanted = {name for name in new.namelist() if name.startswith("console/")}
        assert set(old.namelist()) - set(new.namelist())
    assert {name for name in there if "__pycache__" not in name} == wanted
    for command in ("console", "handrail"):
        assert VERSION in run(installed / "bin" / command, "--version", cwd=tmp_path)
