"""What is done to many in the background and stops by a surprise: it says so while it is tried again, ends when nobody tries it any more, and can be gone on with.

That is enrolling many, taking many out and importing a file: each a row of `enrolment_batch` whose job has its id as its key.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from console import log, queue
from console.db import troubles
from console.db.engine import fetch
from console.queue import PutBack

SOURCE_S = 20.0
STOPPING = timedelta(minutes=10)
"""How long is waited for the lines that were begun when somebody stopped it: a process that died with them may have left them to nobody."""
TRIED_AGAIN = "Something went wrong here; it is tried again by itself."
GIVEN_UP = (
    "It broke off by a fault of the console, which was tried again several times and is written down. "
    "What was done so far stays. Go on with it, or ask who runs the console."
)
_log = logging.getLogger(__name__)
_SAYS = "update console.enrolment_batch set why = %s where id = %s and status = 'running' returning 1"
_STANDS = f"b.status = 'running' and b.created_at < now() - interval '1 minute' and {queue.no_job('b.id')}"
_GAVE_UP = queue.given_up("b.id")
_LEFT = f"update console.enrolment_batch b set status = 'failed', why = %s, ended_at = %s where {_STANDS} and {_GAVE_UP} returning b.id"  # noqa: S608 (texts of ours)
_UNDER_WAY = (
    "update console.enrolment_batch set status = 'running', why = '', ended_at = null, total = nullif(total, done)"
    " where id = %s and status = 'failed' returning 1"
)
_FORGET_JOB = "delete from queue.pgqueuer where dedupe_key = %s and status = 'failed'"


def is_stopping(status: str, ended_at: datetime | None, place: Mapping[str, Any]) -> bool:
    """Whether an import was stopped a moment ago, and lines that were begun before that are still written: its counts are those before them."""
    return status == "cancelled" and "begun" in place and ended_at is not None and log.now() - ended_at < STOPPING


@contextmanager
def left_to_its_job() -> Iterator[None]:
    """What is begun in a request, after its job is put in: whatever stops it here, the job goes on with it, and who asked is not told that nothing was done."""
    try:
        yield
    except PutBack:
        pass  # a worker has it already, or everything is paused
    except Exception as error:
        if troubles.passes(error):
            raise
        _log.exception("a job goes on with what broke off here")


def waits_for_source(batch_id: str, message: str) -> None:
    """Tell who follows it that the data source does not answer."""
    fetch(_SAYS, (f"{message} It goes on when the source answers.", batch_id))


def surprised(batch_id: str, error: Exception) -> None:
    """Tell who follows it that something went wrong; nothing where only the console's database is away."""
    if not troubles.passes(error):
        fetch(_SAYS, (TRIED_AGAIN, batch_id))


def end_left() -> int:
    """End those whose job was given up, with the reason; returns how many. Who has none gets one (`console.upkeep.lost_jobs`)."""
    ended = fetch(_LEFT, (GIVEN_UP, log.now()))
    for (batch_id,) in ended:
        _log.error("alarm: %s broke off: its job was given up", batch_id)
    return len(ended)


def job_again(connection: Connection, key: str | None) -> None:
    """Let one that has broken off be under way again, with the transaction of `connection` that puts its job in again: `key` is the job's."""
    connection.exec_driver_sql(_UNDER_WAY, (key,))


def again(connection: Connection, batch_id: str) -> bool:
    """Let one that has broken off be under way again, with the transaction of `connection`; the caller adds its job. False where it has not."""
    connection.exec_driver_sql(_FORGET_JOB, (batch_id,))
    return connection.exec_driver_sql(_UNDER_WAY, (batch_id,)).first() is not None
