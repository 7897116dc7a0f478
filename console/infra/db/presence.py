"""Whether a worker is there and works: each holds a lock of the database, shared, for as long as it lives, and writes a sign of life every few seconds."""

import logging
import os
import socket
from typing import Literal

import sqlalchemy as sa

from console.infra.db import timelines
from console.infra.db.engine import app_url, hot_engine, read_row, read_value

PRESENCE = (1_214_346_834, 1)
"""The advisory lock (two numbers)."""
SIGN_S = 5.0
STUCK_S = 20.0
"""A worker that has written no sign for so long is frozen, or cannot write."""

_OF_PRESENCE = dict(zip(("first", "second"), PRESENCE, strict=True))
_LOCKED = (
    "exists (select from pg_locks where locktype = 'advisory' and classid = :first and objid = :second and objsubid = 2 and granted"
    " and database = (select oid from pg_database where datname = current_database()))"
)
_SOMEBODY_WORKS = sa.text(f"select {_LOCKED}")
_STATE = sa.text(  # `version` holds what `console pause` switches
    f"select {_LOCKED}, coalesce(max(at) > clock_timestamp() - make_interval(secs => {STUCK_S}), false),"  # noqa: S608 (ours)
    " coalesce((select number <> 0 from console.version where name = 'paused'), false) from console.worker_sign"
)
_SIGN = sa.text(
    "with old as (delete from console.worker_sign where at < clock_timestamp() - interval '1 day')"
    " insert into console.worker_sign (worker) values (:worker) on conflict (worker) do update set at = clock_timestamp()"
)
State = Literal["ok", "none", "stuck", "paused"]
_log = logging.getLogger(__name__)


class Held:
    """The lock that says a worker is here, held by a connection of its own."""

    def __init__(self) -> None:
        self._connection: sa.Connection | None = None

    def hold(self) -> None:
        """Take the lock; after a restart of the database, again. A database that does not answer is written down."""
        try:
            if self._connection is None:
                engine = timelines.create_engine(
                    app_url(), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
                )
                self._connection = engine.connect()
                self._connection.execute(
                    sa.text("select pg_advisory_lock_shared(:first, :second)"), _OF_PRESENCE
                )
            else:
                self._connection.execute(sa.text("select 1"))
        except sa.exc.DBAPIError as error:
            _log.warning("presence: the database does not answer: %s", type(error.orig).__name__)
            self.leave()

    def leave(self) -> None:
        """Give the lock back."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def somebody_works() -> bool:
    """Whether a worker is there now, on any machine."""
    return bool(read_value(_SOMEBODY_WORKS, _OF_PRESENCE))


def state() -> State:
    """How the workers of all machines stand: none is there, none gives a sign of life, everything is paused by `console pause`, or all is well."""
    is_present, alive, paused = read_row(_STATE, _OF_PRESENCE)
    return "none" if not is_present else "stuck" if not alive else "paused" if paused else "ok"


def sign() -> None:
    """That this process works."""
    with hot_engine().connect() as connection:
        connection.execute(_SIGN, {"worker": f"{socket.gethostname()}:{os.getpid()}"})
