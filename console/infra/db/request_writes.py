"""What the request at hand has written so far: an answer that says whether something was done says it from here.

Everything that changes something is an event, so the writer of the log notes here what was committed, and so does who writes into the databases of
others. Outside of requests nothing is noted.
"""

import contextlib
import contextvars
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Literal

State = Literal["nothing", "done", "unknown"]

LOOKS = frozenset(
    {
        "access_refused",
        "ai_call_read",
        "case_file_made",
        "checks_shown",
        "figures_viewed",
        "log_exported",
        "log_read",
        "proposal_requested",
        "record_listed",
        "record_viewed",
        "records_exported",
        "run_read",
        "source_opened",
        "step_shown",
        "table_exported",
        "value_revealed",
    }
)
"""Kinds of events that tell of looking, or of taking a copy: who did has changed nothing."""


@dataclass
class Written:
    """`done` and `unsure` are chains of the log (a run's is its id) and places of records; `drafted`: what was typed is kept."""

    done: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    pending: dict[int, list[str]] = field(default_factory=dict)
    drafted: bool = False

    @property
    def state(self) -> State:
        """Whether something was changed, nothing was, or nobody can tell."""
        return "done" if self.done else "unknown" if self.unsure else "nothing"

    @property
    def run(self) -> str | None:
        """The run that was changed, or may have been."""
        return next((place for place in [*self.done, *self.unsure] if place.startswith("run_")), None)


_of_request: contextvars.ContextVar[Written | None] = contextvars.ContextVar("written", default=None)


def begin() -> None:
    """A request begins: nothing was written yet."""
    _of_request.set(Written())


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """What is written within is the console's own doing, and not what the request asked for: it is not noted."""
    before = _of_request.set(None)
    try:
        yield
    finally:
        _of_request.reset(before)


def so_far() -> Written:
    """The writes of this request; None outside of requests."""
    return _of_request.get() or Written()


def keep_draft() -> None:
    """Note that typed values are kept as a draft."""
    if (writes := _of_request.get()) is not None:
        writes.drafted = True


def written(place: str, kinds: Collection[str] = ("",), connection: object | None = None) -> None:
    """Events of these `kinds` (a record: none) were written there; with a `connection` they are once its transaction has ended."""
    writes = _of_request.get()
    if writes is None or LOOKS.issuperset(kinds):
        return
    writes.unsure = [other for other in writes.unsure if other != place]
    (writes.done if connection is None else writes.pending.setdefault(id(connection), [])).append(place)


def unknown(place: str, kinds: Collection[str] = ("",)) -> None:
    """They were sent, and no answer came."""
    if (writes := _of_request.get()) is not None and not LOOKS.issuperset(kinds):
        writes.unsure.append(place)


def not_done(place: str) -> None:
    """Note that an unknown write was not made and never will be."""
    if (writes := _of_request.get()) is not None:
        writes.unsure = [other for other in writes.unsure if other != place]


def ended(connection: object, state: State) -> None:
    """A transaction has ended: what was pending in it is done, unknown or gone."""
    writes = _of_request.get()
    places = writes.pending.pop(id(connection), []) if writes is not None else []
    if writes is not None and state != "nothing":
        (writes.done if state == "done" else writes.unsure).extend(places)
