"""The web process: granian's master, which builds the application once and forks workers that have it at once. Started by the supervisor."""

import argparse
import gc
import time
from collections.abc import Sequence
from typing import Any

from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from console import app, diagnostics
from console.processes.parent import end_with_parent
from console.settings import data_folder

THREADS = 4
KILL_S = 4
GARBAGE = (20_000, 20, 20)
"""How many objects are made before Python looks for cycles among them: at its default of 700 a long replay spends as long looking as working."""


QUICK_S = 1.0
HOPELESS = 20
"""So many workers in a row that end within `QUICK_S` seconds: they cannot start, and the supervisor is told."""


class Server(MPServer):
    """Granian, which forks another worker as often as one ends; by itself it gives up where one ends twice within six seconds."""

    _quick = 0

    def _respawn_workers(self, workers: Sequence[int], *told: Any, **more: Any) -> None:
        now = time.monotonic()
        soon = any(now - self.wrks[number].birth < QUICK_S for number in workers)
        self._quick = self._quick + 1 if soon else 0
        super()._respawn_workers(workers, *told, **more)
        if self._quick < HOPELESS:
            self.respawned_wrks.clear()


def application() -> Flask:
    """That of a worker, which ends with whoever started its master, whether or not the master is still there."""
    end_with_parent()
    return app.served()


def main() -> None:
    """Serve until SIGTERM, or the end of the process that started us. Nothing here may open a connection or hold a lock: granian forks."""
    parser = argparse.ArgumentParser(prog="console.web")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    told = parser.parse_args()
    data_folder.be_private()
    diagnostics.configure()
    end_with_parent()
    gc.set_threshold(*GARBAGE)  # forked workers keep it
    app.served()
    server = Server(
        "console.web:application",
        factory=True,
        address=told.host,
        port=told.port,
        interface=Interfaces.WSGI,
        workers=told.workers,
        blocking_threads=THREADS,
        workers_kill_timeout=KILL_S,
        respawn_failed_workers=True,
        respawn_interval=0,
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=diagnostics.configuration(),
    )
    gc.freeze()  # what stands here is shared with the workers for as long as nobody writes to it, and looking for cycles writes
    server.serve()


if __name__ == "__main__":
    main()
