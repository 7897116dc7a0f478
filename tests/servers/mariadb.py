"""A real MariaDB for the tests that need one: unpacked from Debian's packages into a cache folder, without installing and without root.

`TEST_MYSQL_URL` (a server whose user may create databases) or a `mariadbd` on the path is taken instead where there is one. Where none of
these can be had, `MariaDB.start` raises with the line that says what to do: nothing is skipped in silence.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = (
    "mariadb-server-core",
    "mariadb-client-core",
    "mariadb-common",
    "mysql-common",
    "libaio1",
    "liburing2",
)
WANTED_S = 30.0
MEND = "These tests need MariaDB: set TEST_MYSQL_URL=mysql://user:password@host, or put mariadbd on the path, or allow `apt-get download`."


def _installed() -> Path:
    """The folder `usr` that holds the server's programs."""
    found = shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found:
        return Path(found).resolve().parent.parent
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "handrail-tests" / "mariadb"
    if not (kept / "usr" / "sbin" / "mariadbd").exists():
        _unpack(kept)
    return kept / "usr"


def _unpack(kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        try:
            subprocess.run(
                ["apt-get", "download", *PACKAGES], cwd=folder, check=True, capture_output=True, timeout=120
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise RuntimeError(MEND) from error
        for package in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, Path(folder, "root")], check=True)
        if not kept.exists():
            Path(folder, "root").rename(kept)


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL (without a database) of a server that keeps its data in this folder and ends with the block."""
    given = os.environ.get("TEST_MYSQL_URL")
    if given:
        yield given.rstrip("/")
        return
    usr = _installed()
    data, socket = folder / "data", Path(tempfile.mkdtemp(prefix="maria")) / "s"
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": ":".join(str(path) for path in (usr / "lib").glob("*-linux-gnu*")),
    }
    user = ["--user=root"] if os.geteuid() == 0 else []
    made: list[str | Path] = [
        usr / "bin" / "mariadb-install-db",
        "--no-defaults",
        f"--basedir={usr}",
        f"--datadir={data}",
        "--skip-test-db",
        *user,
    ]
    made.append("--auth-root-authentication-method=normal")
    if subprocess.run(
        made, check=False, capture_output=True, env=environment
    ).returncode:  # its own server did not come up in time: once more
        shutil.rmtree(data, ignore_errors=True)
        subprocess.run(made, check=True, capture_output=True, env=environment)
    served: list[str | Path] = [
        usr / "sbin" / "mariadbd",
        "--no-defaults",
        f"--basedir={usr}",
        f"--datadir={data}",
        f"--socket={socket}",
        "--skip-networking",
        *user,
    ]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*served, "--innodb-flush-log-at-trx-commit=0"], stdout=log, stderr=log, env=environment
        )
    try:
        _wait(server, socket, folder / "log")
        yield f"mysql://root@localhost?unix_socket={socket}"
    finally:
        server.terminate()
        server.wait(timeout=WANTED_S)
        shutil.rmtree(socket.parent, ignore_errors=True)


def _wait(server: "subprocess.Popen[bytes]", socket: Path, log: Path) -> None:
    until = time.monotonic() + WANTED_S
    while not socket.exists():
        if server.poll() is not None or time.monotonic() > until:
            raise RuntimeError("MariaDB did not start: " + log.read_text(errors="replace")[-2000:])
        time.sleep(0.02)
