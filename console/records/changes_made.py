"""What one process changes in the users' databases while it does something, for whoever has to tell what follows from it: consents that moved."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, Any]
_noted: ContextVar[list["Changed"] | None] = ContextVar("changes_made", default=None)


@dataclass(frozen=True, slots=True)
class Changed:
    """A record that was changed. `old` and `new` are the values of the changed fields: no `old` for one that was added, no `new` for one that was deleted.

    `certain`: it is known that this change made it so. Else the record was found like this after a process had died, and `key` may be unknown.
    """

    collection: str
    key: str | None
    old: Values | None
    new: Values | None
    certain: bool = True


@contextmanager
def noted_changes() -> Iterator[list[Changed]]:
    """The changes that are committed by this thread until the end, as they come."""
    made: list[Changed] = []
    token = _noted.set(made)
    try:
        yield made
    finally:
        _noted.reset(token)


def note_change(changed: Changed) -> None:
    """Called with every change that was committed."""
    made = _noted.get()
    if made is not None:
        made.append(changed)
