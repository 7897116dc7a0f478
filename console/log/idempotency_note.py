"""What a request of a program did under its idempotency key: noted by the first transition that it makes, in the same transaction."""

import contextvars
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from console.core.errors import ConsoleError
from console.infra.db import request_writes
from console.infra.db.engine import fetch

IDEMPOTENCY: contextvars.ContextVar[str | None] = contextvars.ContextVar("idempotency", default=None)
"""The caller's idempotency key; the first transition of the request takes it, in its own transaction."""

KEPT = timedelta(days=1)
LOOKS = frozenset(
    {
        "record_viewed",
        "record_listed",
        "figures_viewed",
        "step_shown",
        "source_opened",
        "checks_shown",
        "run_read",
        "access_refused",
    }
)
"""Kinds of events that do nothing: a request that only looked has not done its work."""

_RESERVE = "update console.idempotency set writing = clock_timestamp() where key = %s and writing is null returning 1"
_FREE = "update console.idempotency set writing = null where key = %s returning 1"
_DONE = "select chain, seq from console.request_done where key = %s and at > now() - %s"


class AlreadyDone(Exception):
    """The idempotency key of this request has been used up by an earlier transition; nothing was written."""


def finished(key: str | None) -> tuple[str, int] | None:
    """(chain, number) of the event that finished the work of this key; None if it is not finished or there is no key."""
    rows = fetch(_DONE, (key, KEPT)) if key is not None else []
    return (str(rows[0][0]), int(rows[0][1])) if rows else None


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
def apart() -> Iterator[None]:
    """Do not count what the block writes as the work of this request."""
    token = IDEMPOTENCY.set(None)
    try:
        yield
    finally:
        IDEMPOTENCY.reset(token)


@contextmanager
def of_request(key: str | None) -> Iterator[None]:
    """Count what the block writes as the work of the request with this key, whose process died."""
    token = IDEMPOTENCY.set(key)
    try:
        yield
    finally:
        IDEMPOTENCY.reset(token)


@contextmanager
def before() -> Iterator[None]:
    """Let the block write without using up the request's key, for steps on the way to what was asked for."""
    token = IDEMPOTENCY.set(None)
    try:
        yield
    finally:
        IDEMPOTENCY.reset(token)


@contextmanager
def reserved() -> Iterator[bool]:
    """Around a write that no transaction of ours holds, and before its note: the key is marked first, so that a repeat never writes again blindly.

    Gives whether an earlier request of this key has come so far and nothing says what became of it: then look, and write only what cannot be doubled. A
    refusal before anything was written takes the mark away.
    """
    key = IDEMPOTENCY.get()
    if key is None:
        yield False
        return
    first = bool(fetch(_RESERVE, (key,)))
    try:
        yield not first
    except ConsoleError:
        if first and request_writes.so_far().state == "nothing":
            fetch(_FREE, (key,))
        raise
