"""The activity list is read from a standby while that is near enough, and from the primary when it stands still or is gone."""

import base64
import json
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.release.clusters import Cluster, pair, url
from tests.test_serve import Serving, until

PERSON = ("--role", "auditor", "--team", "operations")
READ = """select coalesce(sum(idx_scan + seq_scan), 0) from pg_stat_all_tables where schemaname = 'console' and relname like 'activity%'"""


def _given(primary: Cluster, standby: Cluster) -> dict[str, str]:
    """The settings of a console that may read this standby."""
    return {
        name: base64.b64encode(secrets.token_bytes(32)).decode()
        for name in ("CONSOLE_SECRET_KEY", "CONSOLE_MASTER_KEY", "CONSOLE_SIGNING_KEY")
    } | {
        "DATABASE_URL": url(primary),
        "DATABASE_REPLICA_URL": url(standby).replace("read-write", "any"),
        "CONSOLE_BASE_URL": "http://console.example",
        "CONSOLE_RATE_LIMITS": "off",
    }


@pytest.fixture
def served() -> Iterator[tuple[Serving, str, Cluster, Cluster]]:
    """(the console, an auditor's key, the primary, the standby that it may read)."""
    with tempfile.TemporaryDirectory() as servers, tempfile.TemporaryDirectory() as folder:
        primary, standby = pair(Path(servers))
        given = _given(primary, standby)
        serving = Serving(Path(folder) / "web", **given)
        try:
            serving.ready()
            _enter(serving, "auditor")
            key = _command(serving, "apikey", "create", "walk", "--user", "auditor@example.com").split()[-1]
            yield serving, key, primary, standby
        finally:
            serving.stop()
            primary.kill()
            standby.kill()


def _command(serving: Serving, *arguments: str) -> str:
    command = [sys.executable, "-P", "-m", "console", *arguments]
    done = subprocess.run(command, env=serving.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def _people(serving: Serving, key: str) -> int:
    """How many accounts the log says were made; must be answered."""
    address = f"{serving.url}/api/v1/activity-logs?kind=person_created"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return len(json.load(answer)["data"])


def _enter(serving: Serving, name: str) -> None:
    _command(serving, *("user", "create", f"{name}@example.com"), *PERSON, "--name", name)


def _doctor(serving: Serving) -> str:
    command = [sys.executable, "-P", "-m", "console", "doctor"]
    return subprocess.run(command, env=serving.environ, capture_output=True, text=True, check=False).stdout


def test_the_log_is_read_from_a_standby_that_is_near_enough(
    served: tuple[Serving, str, Cluster, Cluster],
) -> None:
    serving, key, primary, standby = served

    def is_read(cluster: Cluster) -> bool:
        before = cluster.ask(READ)
        _people(serving, key)
        time.sleep(1.1)  # a server tells of its tables once a second
        return bool(cluster.ask(READ) > before)

    assert until(lambda: is_read(standby))
    assert "near enough" in _doctor(serving)
    standby.ask("select pg_wal_replay_pause()")
    _enter(serving, "late")
    assert until(lambda: _people(serving, key) == 2)  # the standby does not know it
    assert not is_read(standby)
    standby.ask("select pg_wal_replay_resume()")
    assert until(lambda: is_read(standby))
    standby.kill()
    assert "the primary is read instead" in _doctor(serving)
    assert [_people(serving, key) for _ in range(20)] == [2] * 20
    _enter(serving, "later")
    assert until(lambda: primary.ask("select count(*) from console.log_pending") == 0)
    assert _people(serving, key) == 3


def test_a_standby_of_another_cluster_is_never_read() -> None:
    with (
        tempfile.TemporaryDirectory() as ours,
        tempfile.TemporaryDirectory() as others,
        tempfile.TemporaryDirectory() as folder,
    ):
        clusters = [*pair(Path(ours)), *pair(Path(others))]
        primary, _, foreign, standby = clusters
        serving = Serving(Path(folder) / "web", "--no-worker", **_given(primary, standby))
        try:
            serving.ready()
            for _ in range(8):
                foreign.ask("select pg_switch_wal()", database="postgres")
                foreign.ask("create table if not exists ahead ()", database="postgres")
                foreign.ask("insert into ahead default values", database="postgres")
            assert "the primary is read instead" in _doctor(serving)
        finally:
            serving.stop()
            for cluster in clusters:
                cluster.kill()
