"""The web process: a granian worker that answers by itself. The supervisor starts it, several of them at one port, and replaces what ends."""

import argparse
import gc
import logging
import os
import socket
from collections.abc import Callable
from typing import Any

import psycopg
import sqlalchemy as sa
from flask import Flask
from granian._granian import SocketHolder
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from console import records, runs, steps
from console.auth.access import policy_store
from console.core import expressions
from console.core.errors import ConsoleError
from console.infra import diagnostics
from console.infra.processes import stuck_bodies
from console.infra.processes.parent import end_with_parent
from console.infra.settings import data_folder
from console.views import app

THREADS = 4
BACKLOG = 1024
"""How many connections may wait to be taken, also while a web process is replaced."""
CHANGES = 2
"""How many threads may wait for somebody outside at once; the others are left for pages."""
AHEAD_S = 2.0
"""The longest that live versions are read before the first answer."""


_log = logging.getLogger(__name__)


class Server(MPServer):
    """A granian server whose one worker is this process, at a socket that listens already. A master of its own would hold the application a second time."""

    def __init__(self, listening: int, **options: Any) -> None:
        super().__init__(__name__, **options)
        self._ssp = self._sso = None
        self._shd: Any = SocketHolder(listening, False, BACKLOG)  # type: ignore[call-arg]

    def _serve(self, spawn_target: Callable[..., None] | None, target_loader: Callable[..., Any]) -> None:
        self._start_ipc()  # type: ignore[no-untyped-call]
        self._spawn_worker(0, spawn_target, target_loader).inner.run()


def read_ahead() -> None:
    """Read what the first requests would read: step types, the grammar of expressions, rights, live versions.

    Where no database answers, the requests read it as soon as one does.
    """
    steps.all_types()
    expressions.parse("true")
    try:
        policy_store.current()
        runs.read_live_versions(AHEAD_S)
    except (ConsoleError, sa.exc.DBAPIError, sa.exc.TimeoutError, psycopg.OperationalError) as error:
        _log.info("nothing is read ahead: %s", type(error).__name__)


def application() -> Flask:
    """Return the application, ready to answer. What exists before the first request is frozen: the garbage collector skips it."""
    served = app.create_app()
    read_ahead()
    runs.limit_places(CHANGES)
    records.connect.limit_places(THREADS - 1)
    served.wsgi_app = stuck_bodies.watched(served.wsgi_app, THREADS)  # type: ignore[method-assign,assignment]
    gc.freeze()
    return served


def main() -> None:
    """Serve until SIGTERM or until the parent process ends."""
    parser = argparse.ArgumentParser(prog="console.views.server")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--socket", type=int, help="the descriptor of a socket that listens")
    place.add_argument("--port", type=int, help="a port of this machine alone")
    options = parser.parse_args()
    data_folder.be_private()
    diagnostics.configure()
    end_with_parent()
    listening = options.socket
    if listening is None:
        listening = socket.create_server(("127.0.0.1", options.port)).detach()
    os.set_blocking(listening, False)
    server = Server(
        listening,
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=diagnostics.configuration(),
    )
    server.serve(target_loader=application, wrap_loader=False)
    logging.shutdown()
    os._exit(0)  # else Python waits for threads that wait for somebody outside


if __name__ == "__main__":
    main()
