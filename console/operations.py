"""What the console does by itself in the background: putting the log in order, and picking up what a crash left behind."""

import logging
import time
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from console import settings
from console.db import tables
from console.db.engine import fetch, hot_engine
from console.db.presence import somebody_works
from console.log import heads, recheck, select

logger = logging.getLogger(__name__)
BATCH = 10_000
ALARM_S = 10.0
PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the order of the log is behind: events without a place, and the age of the oldest of them in seconds (0 for none)."""

    pending: int
    seconds: float

    @property
    def alarming(self) -> bool:
        """Whether somebody should look: the sequencer has stopped, or a transaction somewhere has been open for long."""
        return self.seconds > ALARM_S


def sequence() -> int:
    """Give every event that is committed its place in the one order of the log; answers how many got one.

    Batches of 10 000, each its own transaction. One process at a time does it; the others answer 0. Events younger than the
    oldest open transaction of the server stay for the next time, so that no place is ever given out of order.
    """
    placed = 0
    call = sa.text("select console.sequence(:most)")
    with hot_engine().connect() as connection:
        while True:
            batch = int(connection.execute(call, {"most": BATCH}).scalar_one())
            placed += max(batch, 0)
            if batch < BATCH:
                return placed


def catch_up(timeout_s: float = 10.0) -> int:
    """Like `sequence`, and waits until everything committed before the call has its place, whoever gives it; how many this process placed.

    Gives up after `timeout_s`: a transaction that is open somewhere on the server keeps younger events waiting, `lag` tells.
    """
    pending = tables.log_pending.c.id
    until = time.monotonic() + timeout_s
    with hot_engine().connect() as connection:
        newest = connection.execute(sa.select(sa.func.coalesce(sa.func.max(pending), 0))).scalar_one()
        placed = sequence()
        while connection.execute(sa.select(sa.exists().where(pending <= newest))).scalar() and time.monotonic() < until:
            time.sleep(PAUSE_S)
            placed += sequence()
    return placed


def lag() -> Lag:
    """How far the sequencer is behind the writers."""
    pending, event = tables.log_pending, tables.event
    count = sa.select(sa.func.count(pending.c.id), sa.func.min(pending.c.id))
    with hot_engine().connect() as connection:
        number, oldest = connection.execute(count).one()
        if not number:
            return Lag(0, 0.0)
        at = sa.cast(sa.cast(sa.func.convert_from(event.c.body, "UTF8"), JSONB)["at"].astext, sa.DateTime(timezone=True))
        age = connection.execute(sa.select(sa.extract("epoch", sa.func.clock_timestamp() - at)).where(event.c.id == oldest)).scalar()
    return Lag(int(number), max(float(age or 0), 0.0))


def sweep() -> int:
    """Save runs that stood idle for too long and settle what a crash left under way; answers how many runs were touched."""
    from console import runs

    return runs.sweep()


HEADS = "checkpoints.txt"


def origin() -> str:
    """The name of this log in its signed heads: the console's address without scheme, or `handrail` where none is set."""
    address = settings.current().base_url
    return address.partition("://")[2].rstrip("/").replace(" ", "-").replace("+", "-") if address else "handrail"


def seal() -> str | None:
    """Sign the head of the log, with everything that has a place; the note, None where nothing is new since the last one.

    Each head goes to its table and to an append-only file of the data folder. Needs the signing key, which web processes do not have.
    """
    given = settings.current()
    note = heads.sign(origin(), [given.signing_key])
    if note is not None:
        given.data_dir.mkdir(parents=True, exist_ok=True)
        with (given.data_dir / HEADS).open("a", encoding="utf-8") as file:
            file.write(note + "\n")
    return note


def recheck_log() -> str | None:
    """Look at the log anew, as `console.log.recheck` does; the first bad place, which is also an alarm in the process's own log."""
    problem = recheck.check()
    if problem is not None:
        logger.error("alarm: the activity log is not in order: %s", problem)
    return problem


ASKED = """
insert into console.version (name, number) values ('seal_asked', %s)
on conflict (name) do update set number = greatest(version.number, excluded.number) returning number
"""


def seal_if_asked() -> str | None:
    """`seal`, where somebody waits for a head that covers more than the newest one."""
    asked = fetch("select coalesce(max(number), 0) from console.version where name = 'seal_asked'")[0][0]
    return seal() if asked > heads.newest_size() else None


def sealed() -> None:
    """Everything committed before the call has its place and a signed head: for the command line, which has the signing key."""
    catch_up()
    seal()


def head_asked_for(timeout_s: float = 5.0) -> None:
    """The same by a worker, for web processes, which have no signing key.

    Comes back when the newest head covers everything committed before the call, after `timeout_s`, or at once where no worker is there.
    """
    until = time.monotonic() + timeout_s
    catch_up(timeout_s)
    wanted = select.reached().pos
    if heads.newest_size() >= wanted or not somebody_works():
        return
    fetch(ASKED, (wanted,))
    while heads.newest_size() < wanted and time.monotonic() < until:
        time.sleep(PAUSE_S)
