"""MCP servers that steps call tools of: the reference servers from npm, and a hostile one of ours."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import npm
from tests.support.engine import until

HERE = Path(__file__).parent
PACKAGES = "node_modules/@modelcontextprotocol"


@dataclass(frozen=True)
class Hostile:
    """The hostile server with its folder."""

    folder: Path

    @property
    def command(self) -> tuple[str, ...]:
        """How it is started."""
        return sys.executable, "-I", str(HERE / "mcp_hostile.py"), str(self.folder)

    @property
    def calls(self) -> list[Any]:
        """(tool, arguments) of each call that reached it."""
        noted = self.folder / "calls"
        return [json.loads(line) for line in noted.read_text().splitlines()] if noted.exists() else []

    def be(self, *moods: str) -> None:
        """From now on `mute`, `changed`, `gone`, or nothing of these."""
        for mood in ("mute", "changed", "gone"):
            (self.folder / mood).unlink(missing_ok=True)
            if mood in moods:
                (self.folder / mood).touch()


def reference(name: str, *given: str) -> tuple[str, ...]:
    """How a reference server is started: everything, filesystem or memory."""
    program = Path(npm.installed(HERE / "mcp")) / PACKAGES / f"server-{name}" / "dist" / "index.js"
    return npm.node(), str(program), *given


def allowed(**commands: tuple[str, ...]) -> str:
    """The setting CONSOLE_MCP_COMMANDS for these programs."""
    return ";".join(f"{name}={' '.join(command)}" for name, command in commands.items())


@contextmanager
def over_http() -> Iterator[str]:
    """The address of the server `everything` over streamable HTTP, while the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = subprocess.Popen(
        reference("everything", "streamableHttp"),
        env={**os.environ, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert until(lambda: _listens(port))
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        served.kill()
        served.wait()


def _listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0
