"""What a request of a program did under its idempotency key: noted by the first transition that it makes, in the same transaction."""

import contextvars
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from console.db.engine import fetch

IDEMPOTENCY: contextvars.ContextVar[str | None] = contextvars.ContextVar("idempotency", default=None)
"""The caller's idempotency key; the first transition of the request takes it, in its own transaction."""

KEPT = timedelta(days=1)
LOOKS = frozenset({"record_viewed", "record_listed", "step_shown", "source_opened", "checks_shown", "run_read", "access_refused"})
"""Kinds of events that do nothing: a request that only looked has not done its work."""

_DONE = "select chain, seq from console.request_done where key = %s and at > now() - %s"


class AlreadyDone(Exception):
    """The idempotency key of this request has been used up by an earlier transition; nothing was written."""


def done(key: str | None) -> tuple[str, int] | None:
    """(chain, number) of the event with which the work of this key was done; None where it was not, or there is no key."""
    found = fetch(_DONE, (key, KEPT)) if key is not None else []
    return (str(found[0][0]), int(found[0][1])) if found else None


@contextmanager
def part(name: str) -> Iterator[str | None]:
    """One of many things that the request asks for, done once by itself: the key of this part, None where the request has none."""
    whole = IDEMPOTENCY.get()
    key = None if whole is None else hashlib.sha256(f"{whole}|{name}".encode()).hexdigest()
    token = IDEMPOTENCY.set(key)
    try:
        yield key
    finally:
        IDEMPOTENCY.reset(token)


@contextmanager
def before() -> Iterator[None]:
    """What is done on the way to what was asked for: it does not use the key up."""
    token = IDEMPOTENCY.set(None)
    try:
        yield
    finally:
        IDEMPOTENCY.reset(token)
