"""A primary and a streaming standby of the PostgreSQL that travels with the console, each reached over TCP with a password."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg

from console.infra.postgres import binaries
from tests.test_serve import quiet_port

NOBODY = 65534
PASSWORD = "of-the-tests"
PATIENCE_S = 60


class Cluster:
    """One server: its folder, its port, and the process that was started."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, quiet_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Cluster":
        """Serve from its folder, and wait until it answers."""
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    binaries() / "postgres",
                    "-D",
                    self.folder,
                    "-p",
                    str(self.port),
                    "-c",
                    "listen_addresses=127.0.0.1",
                    "-c",
                    "unix_socket_directories=",
                ],
                stdout=log,
                stderr=log,
                user=_user(),
            )
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                self.ask("select 1", database="postgres")
            except psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return self
        raise AssertionError((self.folder.parent / f"{self.folder.name}.log").read_text())

    def ask(self, sql: str, database: str = "console") -> Any:
        """The first value of the answer, as the superuser."""
        url = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.port}/{database}"
        with psycopg.connect(url, autocommit=True, connect_timeout=3) as connection:
            done = connection.execute(sql)
            return (done.fetchone() or (None,))[0] if done.description else None

    def url(self, database: str) -> str:
        """The address of one of its databases, for the console's role."""
        return f"postgresql://console:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def kill(self) -> None:
        """End it as a machine ends that loses its power."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(PATIENCE_S)

    def promote(self) -> None:
        """Make the standby a primary, and wait until it is one."""
        self.ask("select pg_promote(true, 60)", database="postgres")


def pair(folder: Path) -> tuple[Cluster, Cluster]:
    """A primary with the database `console`, and a standby that follows it; both serve. The server is never root: the folder is given to another user."""
    folder.chmod(0o755)
    primary, standby = Cluster(folder / "primary"), Cluster(folder / "standby")
    word = folder / "password"
    word.write_text(PASSWORD)
    _own(folder)
    _run("initdb", "-D", primary.folder, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={word}", "-N")
    with (primary.folder / "postgresql.conf").open("a") as settings:
        settings.write("wal_level = replica\nfsync = off\nsynchronous_commit = on\nmax_connections = 200\n")
        settings.write("synchronous_standby_names = ''\n")
    primary.start()
    for statement in ("create role console login password '{0}'", "create database console owner console"):
        primary.ask(statement.format(PASSWORD), database="postgres")
    source = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{primary.port}/postgres"
    _run(
        "pg_basebackup",
        "-D",
        standby.folder,
        "-R",
        "-X",
        "stream",
        "-c",
        "fast",
        "-d",
        source,
        "-C",
        "-S",
        "standby",
    )
    return primary, standby.start()


def url(*clusters: Cluster) -> str:
    """The address of whichever of them takes changes."""
    hosts = ",".join(f"127.0.0.1:{cluster.port}" for cluster in clusters)
    return (
        f"postgresql://console:{PASSWORD}@{hosts}/console?target_session_attrs=read-write&connect_timeout=3"
    )


def _user() -> int | None:
    return NOBODY if os.getuid() == 0 else None


def _own(folder: Path) -> None:
    if (user := _user()) is not None:
        shutil.chown(folder, user)
        for file in folder.rglob("*"):
            shutil.chown(file, user)


def _run(program: str, *arguments: str | Path) -> None:
    done = subprocess.run(
        [binaries() / program, *arguments], capture_output=True, text=True, user=_user(), cwd="/", check=False
    )
    assert done.returncode == 0, done.stderr
