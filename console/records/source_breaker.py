"""A data source that does not answer is asked by one thread in the background, and by nobody else until it does.

So a database that dies under ten people costs the first of them the time to connect, and all others nothing: they are told at once since
when it does not answer. It comes back by itself.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from console.errors import SourceDown

FIRST_S = 0.5
LONGEST_S = 10.0
_log = logging.getLogger(__name__)


class Breaker:
    """Whether one source answers, for one process. `probe` connects once and raises where that fails; `note` keeps what is told of it."""

    def __init__(
        self, name: str, probe: Callable[[], None], note: Callable[[str, datetime | None], None], *, at_once: bool = False
    ) -> None:
        """Closed: the source answers until somebody finds that it does not. `at_once`: a file, which answers or not without a wait."""
        self.name, self._probe, self._note, self._at_once = name, probe, note, at_once
        self._lock, self._ended = threading.Lock(), threading.Event()
        self.since: datetime | None = None

    def require(self) -> None:
        """Nothing while it answers. Raises SourceDown, at once, while it does not."""
        since = self.since
        if since is not None and not self._at_once:
            raise self.down(since)

    def answered(self) -> None:
        """Somebody was let in: a file is there again. Of servers only the background says so."""
        if self._at_once and self.since is not None:
            self.since = None
            self._note(self.name, None)

    def down(self, since: datetime) -> SourceDown:
        """The error, to raise."""
        message = (
            f"The data source {self.name} does not answer since {since:%H:%M} UTC. The console tries again by itself every few seconds."
        )
        return SourceDown(message, passing=True, source=self.name, since=since.isoformat(timespec="seconds"))

    def opened(self) -> datetime:
        """It did not answer: from now on only the background asks. Since when that is so."""
        with self._lock:
            if self.since is not None:
                return self.since
            since = self.since = datetime.now(UTC)
            if not self._at_once:
                threading.Thread(target=self._ask, name=f"source {self.name}", daemon=True).start()
        _log.warning("data source %s: does not answer", self.name)
        self._note(self.name, since)
        return since

    def end(self) -> None:
        """Ask no more: the process lets the source go."""
        self._ended.set()

    def _ask(self) -> None:
        wait_s = FIRST_S
        while not self._ended.wait(wait_s):
            wait_s = min(wait_s * 2, LONGEST_S)
            try:
                self._probe()
            except Exception as error:  # noqa: BLE001 - whatever it is, the source does not answer yet
                _log.info("data source %s: still does not answer: %s", self.name, type(error).__name__)
                continue
            if self._ended.is_set():
                return
            self.since = None
            _log.warning("data source %s: answers again", self.name)
            self._note(self.name, None)
            return
