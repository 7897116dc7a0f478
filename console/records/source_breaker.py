"""Circuit breaker for data sources: one background thread tries a source that does not answer, and nobody else until it does.

If a database fails under ten users, only the first waits for the timeout; all others are told at once since when it fails. Recovery is
automatic.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from console.core.errors import SourceDown
from console.core.moments import spoken_moment

FIRST_S = 0.5
LONGEST_S = 10.0
PLACE_S = 0.5  # longer than nearly every read
_places: int | None = None
_free = threading.Condition()
_inside = dict[tuple[int, "Breaker"], tuple[int, float]]()
"""Who uses a source now: (thread, its breaker) → how often it went in, and since when."""
_waited = threading.local()
"""Of a thread that answers a request: source → what it was told when it had waited in vain."""
_log = logging.getLogger(__name__)


def limit_places(most: int | None) -> None:
    """At most so many threads of this process use one source at once, so that a source that hangs leaves one for pages; None: all of them.

    Where so many use sources already, another one may go only into a source that is quick, so that several that hang, those of one server above all, leave one too.
    """
    global _places  # noqa: PLW0603 (one per process, set when it starts)
    _places = most


def wait_once(*, on: bool) -> None:
    """`on`: a request begins in this thread, which waits once for a source that is locked or silent. Off: it has ended."""
    _waited.told = {} if on else None


class Breaker:
    """The state of one source in one process. `probe` connects once and raises on failure; `note` stores the state."""

    def __init__(
        self,
        name: str,
        probe: Callable[[], None],
        note: Callable[[str, datetime | None], None],
        *,
        server: str = "",
        at_once: bool = False,
    ) -> None:
        """Starts closed: the source is assumed to answer. `at_once`: a file, which answers or fails without a wait. Sources of the same `server` hang together."""
        self.name, self._probe, self._note, self._at_once, self._server = name, probe, note, at_once, server
        self._lock, self._ended = threading.Lock(), threading.Event()
        self.since: datetime | None = None
        self._quick, self._quick_at = True, 0.0
        """Whether the last use of it was, and when the last one that was ended (monotonic seconds)."""

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place among the threads that use this source; a thread that has one already goes in again. Raises SourceDown.

        Whoever comes when all places are taken waits for `PLACE_S` at most, and not at all when all who are inside have been there that long.
        """
        me = threading.get_ident()
        with _free:
            times, began = _inside.get((me, self), (0, time.monotonic()))
            if not times and not _free.wait_for(lambda: not self._in_the_way(), self._patience()):
                raise SourceDown(
                    f"Others are waiting for the data source {self.name} just now. Try again in a moment.",
                    passing=True,
                    source=self.name,
                )
            _inside[me, self] = (times + 1, began if times else time.monotonic())
        try:
            yield
        finally:
            with _free:
                times, began = _inside.pop((me, self))
                if times > 1:
                    _inside[me, self] = (times - 1, began)
                elif (now := time.monotonic()) - began < PLACE_S:
                    self._quick, self._quick_at = True, now
                else:
                    self._quick = False
                _free.notify_all()

    def waited(self, refusal: SourceDown) -> None:
        """Note that this thread waited in vain, for what another program has locked or for a source that is silent."""
        if (refusals := getattr(_waited, "told", None)) is not None:
            refusals[self.name] = (refusal.message, refusal.extra)

    def spare(self) -> None:
        """Raises SourceDown where this request has waited in vain: a page waits once for a source that is locked or silent, and not once for each of its lines, although it
        may have answered a probe in between.
        """
        if told := (getattr(_waited, "told", None) or {}).get(self.name):
            raise SourceDown(told[0], passing=True, **told[1])

    def _in_the_way(self) -> list[float]:
        """Since when those use sources who keep this thread from going in; empty where there is a place."""
        me = threading.get_ident()
        others = {
            thread: (breaker, began) for (thread, breaker), (_, began) in _inside.items() if thread != me
        }
        here, all_of_them = (
            [began for breaker, began in others.values() if breaker is self],
            [began for _, began in others.values()],
        )
        if _places is None or len(others) < _places:
            return []
        if len(here) >= _places:
            return here
        elsewhere = all(breaker._server != self._server for breaker, _ in others.values())
        return [] if self._quick_at > min(all_of_them) or (self._quick and elsewhere) else all_of_them

    def _patience(self) -> float:
        """How many seconds to wait for a place: the youngest of those in the way may still be quick."""
        return max(0.0, PLACE_S - time.monotonic() + max(self._in_the_way(), default=0.0))

    def require(self) -> None:
        """Raises SourceDown at once while the source does not answer."""
        since = self.since
        if since is not None and not self._at_once:
            raise self.down(since)

    def answered(self) -> None:
        """Somebody connected: a file is available again. For servers only the background thread decides that."""
        if self._at_once and self.since is not None:
            self.since = None
            self._note(self.name, None)

    def down(self, since: datetime) -> SourceDown:
        """The error to raise."""
        message = f"The data source {self.name} does not answer since {spoken_moment(since)}. It is asked again every few seconds."
        refusal = SourceDown(
            message, passing=True, source=self.name, since=since.isoformat(timespec="seconds")
        )
        self.waited(refusal)
        return refusal

    def opened(self) -> datetime:
        """The source did not answer: from now on only the background thread tries it. Returns since when."""
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
        """Stop trying, because the process drops the source."""
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
