"""A real PgBouncer before a server that listens on a socket, in the mode that a test asks for."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

NOBODY = 65534


@contextmanager
def pooling(folder: Path, url: str, mode: str) -> Iterator[str]:
    """The URL by which the database of `url` is reached through it."""
    parts = urlsplit(url)
    host = parse_qs(parts.query)["host"][0]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir()
    name = parts.path.strip("/")
    (folder / "users.txt").write_text(f'"{parts.username}" "{parts.password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{name} = host={host} port=5432 dbname={name}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = plain\nauth_file = {folder}/users.txt\npool_mode = {mode}\ndefault_pool_size = 80\nmax_client_conn = 100\n"
    )
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin") or "pgbouncer"
    root = os.getuid() == 0  # it does not run as root, and has to reach a socket in a private folder
    read = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    prefix = (
        ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *read, "--") if root else ()
    )
    process = subprocess.Popen(
        [*prefix, program, "-q", str(folder / "pgbouncer.ini")], stdin=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as door:
                if door.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"postgresql://{parts.username}:{parts.password}@127.0.0.1:{port}/{name}"
    finally:
        process.terminate()
        process.wait(30)
