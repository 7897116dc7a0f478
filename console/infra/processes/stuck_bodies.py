"""Bodies of requests that never come to their end: a process all of whose threads wait for them is replaced.

The server hands a request over before its body is there, and a read of it has no end of its own. Senders that stop in the middle would keep every thread
for as long as they like, and nobody else were answered. A thread that waits for nothing else serves nobody, so that nothing is lost with the process.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

SILENCE_S = 15.0
"""A read that has waited so long for a part of a body is stuck."""
LOOK_S = 1.0
Application: TypeAlias = Callable[[dict[str, Any], Any], Iterable[bytes]]
_log = logging.getLogger(__name__)


class WatchedInput:
    """The body of one request; what waits for it stands in `waiting`, thread → since when (monotonic seconds)."""

    def __init__(self, stream: Any, waiting: dict[int, float]) -> None:
        self._stream, self._waiting = stream, waiting

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most so many."""
        return self._noted(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        """The next line."""
        return self._noted(self._stream.readline, size)

    def readlines(self, _hint: int = -1) -> list[bytes]:
        """All lines."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _noted(self, read: Callable[[int], bytes], size: int) -> bytes:
        thread = threading.get_ident()
        self._waiting[thread] = time.monotonic()
        try:
            return read(size)
        finally:
            del self._waiting[thread]


def watched(application: Application, threads: int) -> Application:
    """The application; where so many threads wait for a body that does not come, this process ends, and the server starts another one."""
    waiting: dict[int, float] = {}

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"] = WatchedInput(environ["wsgi.input"], waiting)
        return application(environ, start_response)

    threading.Thread(target=_watch, args=(waiting, threads), name="bodies", daemon=True).start()
    return answer


def _watch(waiting: dict[int, float], threads: int) -> None:
    while True:
        time.sleep(LOOK_S)
        since = list(waiting.values())
        if len(since) >= threads and max(since) < time.monotonic() - SILENCE_S:
            _log.error(
                "alarm: every thread of this web process waits for a request that does not come to its end: another process takes its place"
            )
            os._exit(1)
