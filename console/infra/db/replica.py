"""Reading much of the past from a standby (`DATABASE_REPLICA_URL`): the activity list, reports and figures. Rights, records, runs and exports are read from the primary.

A standby is read only while it is known to have what the primary had `BEHIND_S` ago; else, and where it fails, the primary answers. No clocks are
compared: the primary's place in its write-ahead log is remembered, and later the standby is asked whether it has come so far.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from console.infra.db import engine

BEHIND_S = 5.0
ASKED_S = 1.0
_PLACE = sa.text("select pg_current_wal_lsn()::text, system_identifier::text from pg_control_system()")
_REACHED = sa.text(
    "select pg_is_in_recovery() and system_identifier::text = :cluster and pg_last_wal_replay_lsn() >= cast(:place as pg_lsn)"
    " from pg_control_system()"
)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Known:
    """The primary's place and cluster at a moment (monotonic), until when the standby may be read, and when to ask again."""

    place: str = ""
    cluster: str = ""
    since: float = 0.0
    usable_until: float = 0.0
    ask_at: float = 0.0


_known = _Known()
_asking = threading.Lock()


def read_rows(statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Any]:
    """Rows of one statement that only reads, from the standby where it is near enough, from the primary otherwise."""
    if usable():
        try:
            with engine.replica_engine().connect() as connection:
                return connection.execute(statement, parameters).all()
        except sa.exc.DBAPIError as error:  # gone, or it had to cancel what conflicts with its replay
            _log.warning("replica: %s; the primary answers instead", type(error.orig).__name__)
            _known.usable_until = 0.0
    return engine.read_rows(statement, parameters)


def usable() -> bool:
    """Whether the standby answers and is at most `BEHIND_S` behind; asked once a second."""
    if engine.replica_url() is None:
        return False
    if time.monotonic() >= _known.ask_at and _asking.acquire(blocking=False):
        try:
            _ask()
        finally:
            _asking.release()
    return time.monotonic() < _known.usable_until


def _ask() -> None:
    now = time.monotonic()
    _known.ask_at = now + ASKED_S
    try:
        if not _known.place:
            _note_place(now)
        with engine.replica_engine().connect() as connection:
            asked = {"place": _known.place, "cluster": _known.cluster}
            reached = connection.execute(_REACHED, asked).scalar()
    except sa.exc.DBAPIError as error:
        _log.warning("replica: does not answer: %s", type(error.orig).__name__)
        _known.place = ""
        return
    if reached:
        _known.usable_until = _known.since + BEHIND_S
        _note_place(now)


def _note_place(now: float) -> None:
    _known.since = now
    _known.place, _known.cluster = engine.read_row(_PLACE)
