"""A data folder that is copied or moved, at rest or while it is served, works on from its new place and never reaches back into the old one."""

import contextlib
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from console.infra.postgres import Embedded
from console.infra.processes import supervisor
from tests.test_serve import Serving, until

pytestmark = pytest.mark.slow


@pytest.fixture
def started() -> Iterator[list[Serving]]:
    """What is served; ended with the test."""
    made: list[Serving] = []
    yield made
    for one in made:
        one.stop()


def shop(file: Path, name: str) -> None:
    """One row, in a database that says whose it is."""
    with sqlite3.connect(file) as connection:
        connection.execute("create table if not exists owner (id integer primary key, name text)")
        connection.execute("insert or replace into owner values (1, ?)", (name,))
    connection.close()


@contextlib.contextmanager
def frozen(one: Serving) -> Iterator[None]:
    """Nothing of it moves meanwhile, so that its files can be copied as they were at one moment: what `cp` reads while a database writes is none of its states."""
    stopped: list[psutil.Process] = []
    try:
        while fresh := [
            process for process in processes(one) if process not in stopped
        ]:  # one that was started until its parent stood still
            for process in fresh:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.suspend()
            stopped += fresh
        yield
    finally:
        for process in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


def processes(one: Serving) -> list[psutil.Process]:
    """Everything that it runs, those that write before those that would miss them."""
    heads = [psutil.Process(pid) for kind in ("guard", "postgres") for pid in one.pids(kind)]
    heads.append(psutil.Process(one.process.pid))
    return [process for head in heads for process in (head, *head.children(recursive=True))]


def own(one: Serving) -> str:
    """The URL of its tables, which are in its own folder and served by its own processes alone."""
    found = json.loads(one.command("doctor", "--format", "json").stdout)
    assert found["ok"], found["checks"]
    url = str(found["database"]["admin_url"])
    with psycopg.connect(url) as connection:
        (cluster,) = connection.execute("show data_directory").fetchone() or ("",)
    assert Path(cluster).samefile(one.data_dir / "postgres" / "cluster")
    pids = {process["pid"] for process in found["processes"]}
    assert pids == {*one.pids("web"), *one.pids("worker"), *one.pids("postgres")}
    return url


def reads_its_own_source(one: Serving) -> None:
    tested = one.command("source", "test", "shop")
    assert tested.returncode == 0, tested.stderr
    assert str(one.data_dir) in one.command("source", "list").stdout


def sends_nothing_until_it_goes_on(copy: Serving) -> None:
    """Its first worker found that it is another folder; who runs it says that it goes on."""
    assert until(lambda: copy.health()[1].get("paused_because") == "copied")
    assert (copy.health()[0], copy.health()[1]["status"]) == (200, "paused")
    told = copy.command("doctor")
    assert (told.returncode, "In case this is a copy" in told.stdout) == (0, True), (
        "a pause is said, and no fault"
    )
    assert copy.command("resume", "--reason", "The other one is switched off").returncode == 0
    assert until(lambda: copy.health()[1]["status"] == "running")


def people(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [email for (email,) in connection.execute("select email from console.person").fetchall()]


def test_a_copy_beside_its_original(tmp_path: Path, started: list[Serving]) -> None:
    name = f"Kopie für Zürich, 100 % {'x' * 90}"  # too long for a socket, and with what stands for something in lists and URLs
    first = Serving(tmp_path / "first")
    started.append(first.ready())
    shop(first.data_dir / "shop.db", "first")
    added = first.command("source", "add", "shop", f"sqlite:///{first.data_dir}/shop.db")
    assert added.returncode == 0, added.stderr
    with frozen(first):
        subprocess.run(
            ["cp", "-a", first.data_dir, tmp_path / name], check=True
        )  # while it is served: its notes, pids and sockets come along
    shop(tmp_path / name / "shop.db", "second")
    assert supervisor.serving(tmp_path / name) == []
    assert not Embedded(tmp_path / name).running
    second = Serving(tmp_path / name)
    started.append(second.ready())
    assert until(first.well)
    sends_nothing_until_it_goes_on(second)
    assert first.health()[1]["status"] == "running"
    changed = second.command("user", "create", "ana@example.com", "--role", "lead", "--team", "operations")
    assert changed.returncode == 0, changed.stderr
    assert people(own(second)) == ["ana@example.com"]
    assert people(own(first)) == []
    assert first.stop() == 0
    assert until(
        lambda: not (first.data_dir / "postgres" / "cluster" / "postmaster.pid").exists()
    )  # its server ends after who used it
    shutil.rmtree(first.data_dir)
    reads_its_own_source(second)
    assert second.stop() == 0
    moved = Serving((tmp_path / name).rename(tmp_path / "moved"))
    started.append(moved.ready())
    sends_nothing_until_it_goes_on(moved)
    reads_its_own_source(moved)
    assert people(own(moved)) == ["ana@example.com"]
    assert not (tmp_path / name).exists()
    assert not first.data_dir.exists()


def test_notes_of_the_dead_go_at_the_next_start(tmp_path: Path, started: list[Serving]) -> None:
    first = Serving(tmp_path / "data")
    started.append(first.ready())
    everything = first.everything()
    first.process.kill()
    first.process.wait()
    (note,) = (first.data_dir / "serving").iterdir()
    told = json.loads(note.read_text())
    (first.data_dir / "serving" / "1.json").write_text(
        json.dumps(told | {"pid": 1})
    )  # a pid that somebody else has by now
    (first.data_dir / "serving" / "2.json").write_text("{")
    (first.data_dir / "demo.json").write_text(
        json.dumps({"url": told["url"], "pid": told["pid"], "provider": None, "people": [{"name": "Ana"}]})
    )
    assert len(everything) == 6
    second = Serving(first.data_dir)
    started.append(second.ready())
    assert [file.name for file in (first.data_dir / "serving").iterdir()] == [f"{second.process.pid}.json"]
    assert json.loads((first.data_dir / "demo.json").read_text()) == {
        "url": None,
        "pid": None,
        "provider": None,
        "people": [{"name": "Ana"}],
    }
