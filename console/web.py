"""The web process: granian's master, which forks workers that each build the application. Started by the supervisor."""

import argparse
import gc

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from console import diagnostics
from console.parent import end_with_parent

THREADS = 4
KILL_S = 4
GARBAGE = (20_000, 20, 20)
"""How many objects are made before Python looks for cycles among them: at its default of 700 a long replay spends as long looking as working."""


def main() -> None:
    """Serve until SIGTERM, or the end of the process that started us. Nothing here may open a connection or hold a lock: granian forks."""
    parser = argparse.ArgumentParser(prog="console.web")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    told = parser.parse_args()
    diagnostics.configure()
    end_with_parent()
    gc.set_threshold(*GARBAGE)  # forked workers keep it
    server = Granian(
        "console.app:served",
        factory=True,
        address=told.host,
        port=told.port,
        interface=Interfaces.WSGI,
        workers=told.workers,
        blocking_threads=THREADS,
        workers_kill_timeout=KILL_S,
        respawn_failed_workers=True,
        respawn_interval=0.2,
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=diagnostics.configuration(),
    )
    gc.freeze()  # what stands here is shared with the workers for as long as nobody writes to it, and looking for cycles writes
    server.serve()


if __name__ == "__main__":
    main()
