"""The web process: the granian master builds the application once and forks workers from it. The supervisor starts it."""

import argparse
import gc
import logging
import time
from collections.abc import Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from console import records, runs, steps
from console.auth.access import policy_store
from console.core import expressions
from console.core.errors import ConsoleError
from console.infra import diagnostics
from console.infra.db import engine
from console.infra.processes import stuck_bodies
from console.infra.processes.parent import end_with_parent
from console.infra.settings import data_folder
from console.views import app

THREADS = 4
CHANGES = 2
"""How many threads may wait for somebody outside at once; the others are left for pages."""
KILL_S = 4
GARBAGE = (20_000, 20, 20)
"""How many objects are made before Python looks for cycles among them: at its default of 700 a long replay spends as long looking as working."""


QUICK_S = 1.0
AHEAD_S = 2.0
"""The longest that live versions are read before the first answer."""
HOPELESS = 20
"""So many workers in a row that end within `QUICK_S` seconds: they cannot start, and the supervisor is told."""


_log = logging.getLogger(__name__)


class Server(MPServer):
    """A granian server that replaces every worker that ends. Plain granian gives up when a worker ends twice within six seconds."""

    _quick = 0

    def _respawn_workers(self, workers: Sequence[int], *args: Any, **more: Any) -> None:
        now = time.monotonic()
        soon = any(now - self.wrks[number].birth < QUICK_S for number in workers)
        self._quick = self._quick + 1 if soon else 0
        super()._respawn_workers(workers, *args, **more)
        if self._quick < HOPELESS:
            self.respawned_wrks.clear()


def read_ahead() -> None:
    """Read, before the workers are forked, what each of them would read at its first requests: step types, the grammar of expressions, rights, live versions.

    They share it, and one that takes the place of another is as quick as that one was. No connection stays open: workers must not share one. Where no
    database answers, the workers read for themselves as soon as one does.
    """
    steps.all_types()
    expressions.parse("true")
    try:
        policy_store.current()
        runs.read_live_versions(AHEAD_S)
    except (ConsoleError, sa.exc.DBAPIError, sa.exc.TimeoutError, psycopg.OperationalError) as error:
        _log.info("nothing is read ahead: %s", type(error).__name__)
    finally:
        engine.disconnect()


def application() -> Flask:
    """Return the application for a worker. The worker ends together with the process that started its master."""
    end_with_parent()
    runs.limit_places(CHANGES)
    records.connect.limit_places(THREADS - 1)
    served = app.served()
    served.wsgi_app = stuck_bodies.watched(served.wsgi_app, THREADS)  # type: ignore[method-assign,assignment]
    return served


def main() -> None:
    """Serve until SIGTERM or until the parent process ends. Open no connection and hold no lock here: granian forks."""
    parser = argparse.ArgumentParser(prog="console.views.server")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    options = parser.parse_args()
    data_folder.be_private()
    diagnostics.configure()
    end_with_parent()
    gc.set_threshold(*GARBAGE)  # inherited by the forked workers
    app.served()
    read_ahead()
    server = Server(
        "console.views.server:application",
        factory=True,
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=options.workers,
        blocking_threads=THREADS,
        workers_kill_timeout=KILL_S,
        respawn_failed_workers=True,
        respawn_interval=0,
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=diagnostics.configuration(),
    )
    gc.freeze()  # the workers share this memory until somebody writes to it, and the garbage collector writes
    server.serve()


if __name__ == "__main__":
    main()
