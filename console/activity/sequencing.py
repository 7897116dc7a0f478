"""Background work: putting the log in order, and picking up what a crash left behind."""

import contextlib
import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from console import log
from console.core.actor import COMMAND_LINE, SYSTEM, Actor
from console.core.errors import Conflict
from console.infra import faults, settings
from console.infra.db import tables
from console.infra.db.engine import alone, fetch, hot_engine, read_value
from console.infra.db.presence import somebody_works
from console.log import checkpoint, event_lists, tree_heads

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
    while True:
        batch = int(read_value(call, {"most": BATCH}))
        placed += max(batch, 0)
        if batch < BATCH:
            return placed


def begin_month() -> bool:
    """Begin the partition of the present month (UTC) in the list of events, where that of an earlier one still grows; whether one was begun.

    Who reads or writes the list waits meanwhile: a second for some million events of the month that is over.
    """
    return bool(fetch("select console.begin_month()")[0][0])


def catch_up(timeout_s: float = 10.0) -> int:
    """Like `sequence`, and waits until everything committed before the call has its place, whoever gives it; how many this process placed.

    Gives up after `timeout_s`: a transaction that is open somewhere on the server keeps younger events waiting, `lag` tells.
    """
    pending = tables.log_pending.c.id
    until = time.monotonic() + timeout_s
    with hot_engine().connect() as connection:
        newest = connection.execute(sa.select(sa.func.coalesce(sa.func.max(pending), 0))).scalar_one()
        placed = sequence()
        while (
            connection.execute(sa.select(sa.exists().where(pending <= newest))).scalar()
            and time.monotonic() < until
        ):
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
        at = sa.cast(
            sa.cast(sa.func.convert_from(event.c.body, "UTF8"), JSONB)["at"].astext,
            sa.DateTime(timezone=True),
        )
        age = connection.execute(
            sa.select(sa.extract("epoch", sa.func.clock_timestamp() - at)).where(event.c.id == oldest)
        ).scalar()
    return Lag(int(number), max(float(age or 0), 0.0))


def sweep() -> int:
    """Save runs that stood idle for too long, and forget requests of programs past their day; answers how many runs were touched."""
    from console import runs
    from console.auth.accounts import rates

    for statement in FORGOTTEN:
        fetch(statement)
    rates.forget()
    return runs.sweep()


FORGOTTEN = (
    "delete from console.idempotency where at < now() - interval '1 day' returning 1",
    "delete from console.request_done where at < now() - interval '1 day' returning 1",
    "delete from console.bulk b where created_at < now() - interval '30 days' and not exists (select from console.bulk_item where bulk = b.id and state = 'waiting') returning 1",
)
"""Which requests have an idempotency key, and what was done under it; how far an action on many records got."""


HEADS = "checkpoints.txt"
QUIET = timedelta(hours=1)
_CHANGED = """
select a.pos from console.event e left join console.activity a on a.event = e.id
where e.run = 'sys:config' and e.body like '%%"type":"signing_key_changed"%%' order by e.run_seq desc limit 1
"""


def origin() -> str:
    """The name of this log in its heads, for good from the first one on: the console's address at that time without scheme, or `handrail` where none was set."""
    if key := tree_heads.verifier_key():
        return checkpoint.parse_key(key).name
    address = settings.current().base_url
    return (
        address.partition("://")[2].rstrip("/").replace(" ", "-").replace("+", "-") if address else "handrail"
    )


def seal(*, mend: bool = True) -> str | None:
    """Sign the head of the log, with everything that has a place; the note, None where nothing is new since the last one.

    Each head goes to its table and to an append-only file of the data folder; `publishing` takes it outside. Needs the signing key, which web processes do
    not have. Raises Conflict where that is not the key that signed the last one, and where the log is not what was signed; a tree that is not what its
    events say is made anew first where `mend` (which reads the whole log) and told by an event.
    """
    seed = settings.current().signing_key
    with tree_heads.signing():
        check_key()
        try:
            return _filed(tree_heads.sign(origin(), [seed]))
        except tree_heads.Damaged as damaged:
            if not mend or not tree_heads.regrown():
                raise
            told_rebuilt(SYSTEM, damaged.message)
        catch_up()
        return _filed(tree_heads.sign(origin(), [seed]))


def told_rebuilt(actor: Actor, why: str) -> None:
    """Say that the tree was made anew from the events."""
    logger.warning("the tree of the log was not what its events say, and was made anew: %s", why)
    log.note(actor, "log_rebuilt", open={"part": "tree"})


def check_key() -> None:
    """That the signing key is the one which signed the last head. Raises Conflict: outsiders would take what it signs for a forgery."""
    logged_key = tree_heads.verifier_key()
    if logged_key is not None and logged_key != str(
        checkpoint.verifier_key(origin(), settings.current().signing_key)
    ):
        raise Conflict(
            f"The signing key is not the one of the log's last checkpoint, {logged_key}: nothing is signed. After `console key change`, give this process the new"
            " key and start it again; otherwise put the former key back.",
            code="other_key",
        )


def _filed(note: str | None) -> str | None:
    if note is not None:
        folder = settings.current().data_dir
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / HEADS).open("a", encoding="utf-8") as file:
            file.write(note + "\n")
    return note


ASKED = """
insert into console.version (name, number) values ('seal_asked', %s)
on conflict (name) do update set number = greatest(version.number, excluded.number) returning number
"""
_ASKED_MORE = """
select coalesce((select number from console.version where name = 'seal_asked') > (select coalesce(max(size), 0) from console.checkpoint), false)
"""


def seal_if_asked() -> str | None:
    """`seal`, where somebody waits for a head that covers more than the newest one."""
    return seal(mend=False) if fetch(_ASKED_MORE)[0][0] else None


def sequence_and_sign() -> None:
    """Everything committed before the call has its place and a signed head: for the command line, which has the signing key."""
    catch_up()
    seal()


def head_asked_for(timeout_s: float = 5.0) -> None:
    """Let a worker give every committed event its place, and sign a head: for web processes, which have no signing key.

    Comes back when the newest head covers everything committed before the call, after `timeout_s`, or at once where no worker is there.
    """
    until = time.monotonic() + timeout_s
    catch_up(timeout_s)
    wanted = event_lists.reached().pos
    if tree_heads.newest_size() >= wanted or not somebody_works():
        return
    fetch(ASKED, (wanted,))
    while tree_heads.newest_size() < wanted and time.monotonic() < until:
        time.sleep(PAUSE_S)


def keep_sealed(quiet: timedelta = QUIET) -> str | None:
    """The worker's `seal`: where nothing was new for an hour, an event says so first, so that there is a head of this hour too.

    The same head signed again would be the same bytes and prove nothing; with the event the tree has grown by it, and it tells the time.
    """
    note = seal(mend=False)
    if note is not None or not _quiet(quiet):
        return note
    with alone("silence") as mine:
        head = tree_heads.newest()
        if not mine or head is None or not _quiet(quiet):
            return None
        log.note(SYSTEM, "silence_noted", open={"size": head[0], "since": log.body.moment(head[2])})
        catch_up()
        return seal(mend=False)


def _quiet(since: timedelta) -> bool:
    head = tree_heads.newest()
    return head is not None and abs(log.now() - head[2]) >= since  # either way: a clock may be put back


@dataclass(frozen=True, slots=True)
class KeyChange:
    """The result of a key change: both verifier keys, the checkpoint, and whether the data folder has the new key already."""

    former: str
    key: str
    note: str
    kept: bool


def change_key(*, lost: bool = False) -> KeyChange:
    """Give the log another signing key: an event with both verifier keys, one checkpoint that covers it and is signed by both, then the new one alone.

    The new key is CONSOLE_NEW_SIGNING_KEY; where the data folder keeps the key it is drawn if none is given, and takes the place of the former one, which stays beside it under another name. Broken off
    anywhere it may be run again. `lost`: the former key is gone, and only the new one signs; auditors have to be told in another way.
    Raises SettingsError without a new key, Conflict where it is no new one, where the former one is not there, or while an open transaction keeps events waiting.
    """
    configured = settings.current()
    fresh, file = settings.fresh_signing_key(configured)
    with tree_heads.signing():
        name, former = origin(), tree_heads.verifier_key()
        key = str(checkpoint.verifier_key(name, fresh))
        if key == former and not file:
            raise Conflict(
                f"The log has this key already: {key}. Set CONSOLE_SIGNING_KEY to it and start the workers again.",
                code="same_key",
            )
        if key != former:
            if not lost:
                check_key()
                former = former or str(checkpoint.verifier_key(name, configured.signing_key))
            _change(name, former or "", key, [fresh] if lost else [configured.signing_key, fresh])
        head = tree_heads.newest()
    faults.point("key.signed")
    if file and configured.own_signing_key:
        _put_in_place(file, configured.own_signing_key, name)
    return KeyChange(former or "", key, head[1] if head else "", kept=file is not None)


def _put_in_place(fresh: Path, own: Path, name: str) -> None:
    """The new key becomes the data folder's; the former stays beside it under its id, for backups made before the change need it."""
    if own.exists():
        former = checkpoint.verifier_key(name, settings.current().signing_key)
        with contextlib.suppress(FileExistsError):
            own.with_name(f"{own.name}-{former.id.hex()}").hardlink_to(own)
    fresh.replace(own)


def _change(name: str, former: str, key: str, seeds: list[bytes]) -> None:
    log.note(
        COMMAND_LINE, "signing_key_changed", open={"former": former, "key": key, "signed_by": len(seeds)}
    )
    faults.point("key.noted")
    catch_up()
    if fetch(_CHANGED)[0][0] is None:
        raise Conflict(
            "A transaction is open on the database server, so the change has no place in the log yet. Run it again.",
            code="waiting",
        )
    _filed(tree_heads.sign(name, seeds))
