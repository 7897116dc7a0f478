"""A real, certified OpenID provider on 127.0.0.1 (`oidc-provider`, on Node), and somebody in front of it who may change what it says."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.servers import npm, outside
from tests.servers.outside import Received

HERE = Path(__file__).parent / "oidc"
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
            [npm.node(), "provider.mjs"],
            cwd=npm.installed(HERE, "provider.mjs"),
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


if __name__ == "__main__":
    sys.exit(npm.installed(HERE, "provider.mjs") and 0)
