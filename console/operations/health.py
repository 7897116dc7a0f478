"""Whether the console can do its work now: its database answers and can be written, its disk has room, and a worker works."""

import os
import shutil
import threading
import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from console.core.errors import ConsoleError
from console.infra import jobs, settings
from console.infra.db import presence, troubles
from console.infra.db.engine import hot_engine
from console.infra.db.troubles import Trouble

LEAST_FREE_BYTES = 32 * 2**20
"""Two segments of PostgreSQL's log: with less, the embedded server may stop at any moment."""
KEPT_S = 3.0
_FILLER = "select repeat('x', 7000) from generate_series(1, 3)"
WORKERS = {
    "none": Trouble(
        "no_worker",
        "No worker is there: nothing goes on by itself.",
        "console worker, or console serve without --no-worker",
    ),
    "stuck": Trouble(
        "worker_stuck",
        "The worker is there and gives no sign of life: nothing goes on by itself.",
        "Look at what it says on standard error; end it, and the supervisor starts another one",
    ),
    "paused": Trouble(
        "paused",
        "Everything that goes by itself is paused.",
        "console resume, or Resume on the page Operations",
    ),
}
COPIES = {
    "restored": Trouble(
        "paused",
        "A backup was restored here, and nothing leaves before somebody says so: what is due in it may have been sent already.",
        "Look at Operations what waits, then Go On there, or console resume",
    ),
    "copied": Trouble(
        "paused",
        "The database, the data folder or the address is another than before. In case this is a copy, nothing leaves before somebody says so.",
        "If it is the original: Go On on the page Operations, or console resume",
    ),
}


@dataclass(frozen=True, slots=True)
class Health:
    """`database` is ok, down, or not_writable; `worker` ok, none, stuck or paused; `because` why, where nobody asked for a pause. `troubles` say what is broken: a pause that somebody asked for is not."""

    database: str
    worker: str
    troubles: tuple[Trouble, ...]
    because: jobs.Because | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is broken."""
        return not self.troubles

    @property
    def status(self) -> str:
        """In one word, for monitors: running, paused, failing, or starting while the database does not answer."""
        if self.ok:
            return "paused" if self.worker == "paused" else "running"
        return "starting" if self.database == "down" else "failing"

    def to_json(self) -> dict[str, Any]:
        """As `/health` tells it: sentences without places, names or addresses, since anybody may ask."""
        answer: dict[str, Any] = {"database": self.database, "worker": self.worker}
        if self.because:
            answer |= {
                "paused_because": self.because,
                "message": COPIES[self.because].message,
                "fix": COPIES[self.because].fix,
            }
        return answer | (
            {}
            if self.ok
            else {
                "problems": [
                    {"code": trouble.code, "message": trouble.message, "fix": trouble.fix}
                    for trouble in self.troubles
                ]
            }
        )


def trouble_of_worker(state: presence.State) -> Trouble:
    """Why nothing goes on by itself. `state` is not ok."""
    because = jobs.paused_because() if state == "paused" else None
    return COPIES[because] if because else WORKERS[state]


def words_of_copy(state: presence.State) -> str:
    """What to add where no worker is at work yet in a restored backup or a copy; "" else."""
    return "; sending begins paused (console resume)" if state != "paused" and jobs.paused_because() else ""


def examine() -> Health:
    """How it stands now."""
    full = room()
    try:
        worker, because = presence.state(), jobs.paused_because()
    except (sa.exc.SQLAlchemyError, ConsoleError, OSError) as error:
        database_trouble = troubles.trouble_of(error) or troubles.DOWN
        return Health(
            "down" if database_trouble is troubles.DOWN else "not_writable",
            "none",
            tuple(trouble for trouble in (full, database_trouble) if trouble),
        )
    shut = full or writing()
    others = (WORKERS[worker],) if worker in ("none", "stuck") else ()
    return Health("not_writable" if shut else "ok", worker, (*((shut,) if shut else ()), *others), because)


_asking = threading.Lock()
_known: tuple[float, sa.Engine, Health] | None = None


def last_health() -> Health:
    """The last known health, a few seconds old at most, so that frequent calls cost nothing."""
    global _known  # noqa: PLW0603 (one answer per process, swapped whole)
    with _asking:
        if _known is None or _known[1] is not hot_engine() or time.monotonic() - _known[0] > KEPT_S:
            examined = examine()
            _known = (time.monotonic(), hot_engine(), examined)
        return _known[2]


def writing() -> Trouble | None:
    """Why nothing can be written to the database; None where it can. What was written for that is taken back."""
    try:
        with (
            hot_engine().connect().execution_options(isolation_level="READ COMMITTED") as connection,
            connection.begin() as trying,
        ):
            connection.exec_driver_sql("set local lock_timeout = '2s'")
            connection.exec_driver_sql("truncate console.write_probe")
            connection.exec_driver_sql(f"insert into console.write_probe {_FILLER}")
            trying.rollback()
    except sa.exc.SQLAlchemyError as error:
        if type(getattr(error, "orig", None)).__name__ == "LockNotAvailable":
            return None  # somebody else is trying right now
        return troubles.trouble_of(error) or troubles.READ_ONLY
    return None


def room() -> Trouble | None:
    """Whether the data folder has no room left, or takes no changes; for the embedded server, which lies in it, before it runs into that itself."""
    configured = settings.current()
    if configured.data_dir.is_dir() and not os.access(configured.data_dir, os.W_OK):
        return troubles.READ_ONLY_FOLDER
    try:
        free = shutil.disk_usage(configured.data_dir).free
    except OSError:
        return None
    return troubles.FULL if free < (LEAST_FREE_BYTES if configured.embedded else 1) else None
