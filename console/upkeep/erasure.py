"""Erasure and holds: what the console holds about a person is made unreadable, and every proof of the log still holds.

The person's key and all values under it are deleted; events stay, with their commitments. Rows made of those values are made
again from the log, which no longer tells them. What was erased is kept as a list of random names, to be applied again after a
restore of an older state. A hold on a person stands against erasure and expiry alike.
"""

import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import access, accounts, files, log, records, runs, settings, subjects
from console.browse import list_files
from console.core import scopes
from console.core.actor import Actor
from console.core.run.moves import require_reason
from console.db import tables
from console.db.engine import fetch, hot_engine, transaction
from console.errors import Conflict, ConsoleError, NotFound
from console.proposals import prompts

LIST = "erasures.jsonl"
OURS = frozenset({"person", "run"})
"""Collections of subjects that are not records of the users' databases: people who sign in, and runs without a record."""

RESTORED = "Erased before the state was saved that was restored now."
_NAMED = re.compile(r'"(sub_[0-9a-z]{26})"')


@dataclass(frozen=True, slots=True)
class Preview:
    """What erasing would take away, and what stands against it. `events` are those that keep standing without their values."""

    subject: str
    title: str
    events: int
    runs: tuple[str, ...]
    live: tuple[str, ...]
    held: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased, without a word of it: for whom asked, and for the file."""

    subject: str
    events: int
    runs: int
    at: str

    def to_json(self) -> dict[str, Any]:
        """The receipt as it is printed and kept."""
        return {"subject": self.subject, "events": self.events, "runs": self.runs, "at": self.at}


def preview(actor: Actor, collection: str, key: str) -> Preview:
    """What `erase` would do; changes nothing. Raises NotAllowed, and NotFound where nothing is held about this record."""
    _judge(actor)
    return _preview(actor, collection, key)


def _judge(actor: Actor) -> None:
    """Whoever has the shell is trusted; everybody else needs the right."""
    if actor.kind != "system":
        access.require(actor, None, "subject", "erase")


def _preview(actor: Actor, collection: str, key: str) -> Preview:
    subject = None if _hidden(actor, collection, key) else subjects.known(collection, key)
    if subject is None:
        raise NotFound("Nothing is held about this record, or it was erased already.")
    events = fetch("select count(*) from console.event_value where sub = %s", (subject,))[0][0]
    found = fetch(f"select r.id, r.ended_at is null from {access.runs(actor).sql()} where r.subject = %s order by r.id", (subject,))  # noqa: S608 (a text of ours)
    live = tuple(run_id for run_id, is_live in found if is_live)
    held = bool(fetch("select 1 from console.hold where subject = %s", (subject,)))
    return Preview(subject, _title(actor, collection, key), int(events), tuple(run_id for run_id, _ in found), live, held)


def _hidden(actor: Actor, collection: str, key: str) -> bool:
    """Whether the record is not there for the actor, because it has a label, or may have one and cannot be looked at."""
    obj = f"collection:{collection}"
    if actor.kind == "system" or obj not in access.all_labelled():
        return False
    try:
        values = records.get(collection, key, scopes.whole(collection)).values
    except ConsoleError:
        values = {}
    label = access.label_of(obj, values)
    return label is not None and label not in access.clearance(actor)


def _live(subject: str) -> list[str]:
    statement = f"select r.id from {access.EVERY_RUN.sql()} where r.subject = %s and r.ended_at is null"  # noqa: S608 (a text of ours)
    return [row[0] for row in fetch(statement, (subject,))]


def _title(actor: Actor, collection: str, key: str) -> str:
    """How the record is called, for who may read it; its key otherwise, or when its source is away."""
    try:
        return records.get(collection, key, access.scope_for(actor, collection, "read")).title
    except ConsoleError:
        return key


def erase(actor: Actor, collection: str, key: str, reason: str) -> Receipt:
    """Make what is held about the record's person unreadable for ever. Raises Conflict while a live run or a hold names them."""
    _judge(actor)
    said = require_reason(reason)
    found = _preview(actor, collection, key)
    if found.subject == subjects.known("person", actor.id):
        raise Conflict("Nobody erases themselves: who did it, and why, must stay to be read. Ask a colleague.")
    if found.live:
        raise Conflict(
            f"{len(found.live)} live {'run is' if len(found.live) == 1 else 'runs are'} about this person; finish or abort first.",
            details=[{"field": "run", "reason": run_id} for run_id in found.live],
        )
    if found.held:
        raise _held(collection, key, found.events)
    now = log.body.moment(log.now())

    def ready(connection: Connection) -> None:
        if connection.execute(sa.select(tables.hold).where(tables.hold.c.subject == found.subject)).first():
            raise _held(collection, key, found.events)
        _remember([found.subject], now)  # before anything is gone: a crash after this line is made good by applying the list again

    events = _forget(actor, found.subject, said, ready) + _late(actor, found.subject, said)
    return Receipt(found.subject, events, len(found.runs), now)


def _late(actor: Actor, subject: str, reason: str) -> int:
    """What somebody was writing about the person that very moment goes too, with a note of its own; answers the values of how many events."""
    for run_id in _live(subject):
        runs.end_for_erasure(run_id)
    return _forget(actor, subject, reason) if fetch("select 1 from console.event_value where sub = %s limit 1", (subject,)) else 0


def _held(collection: str, key: str, events: int) -> Conflict:
    return Conflict(
        f"The record {key} of {collection} is on hold: the values of {events} events stay. "
        f"`console hold list` says why, `console hold release {collection} {key}` lifts it.",
        code="on_hold",
    )


def _forget(actor: Actor, subject: str, reason: str, ready: Callable[[Connection], None] = lambda _: None) -> int:
    """Key and values gone and the note of it there, in one transaction; answers the values of how many events. `ready` is called when
    no hold can be placed any more, and may refuse; without it none is minded.
    """
    with transaction() as connection:
        # locked, so that a hold is placed either before it, and seen here, or finds nobody
        connection.execute(sa.select(tables.subject.c.id).where(tables.subject.c.id == subject).with_for_update())
        ready(connection)
        gone = connection.execute(sa.delete(tables.event_value).where(tables.event_value.c.sub == subject)).rowcount
        ours = sa.text(f"select r.id from {access.EVERY_RUN.sql()} where r.subject = :subject")  # noqa: S608 (a text of ours)
        named = connection.execute(sa.delete(tables.subject).where(tables.subject.c.id == subject).returning(*_WHOSE)).first()
        connection.execute(sa.delete(tables.hold).where(tables.hold.c.subject == subject))
        places = files.forget(connection, subject)
        prompts.erase(connection, subject)
        run_ids = [row[0] for row in connection.execute(ours, {"subject": subject})]
        mark(connection, run_ids)
        _unsay(connection, run_ids, (named.collection, named.record) if named else None)
        told = {"subject": subject, "count": gone, "runs": len(run_ids)}
        list_files.forget_all(connection)
        log.note(actor, "subject_erased", open=told, sealed={"reason": reason}, connection=connection)
    subjects.forget(subject)
    files.texts.forget(subject)
    files.release(places)  # unreadable since the key is gone; what a crash leaves lying is swept away
    mend()
    return int(gone)


_WHOSE = (tables.subject.c.collection, tables.subject.c.record)


def _unsay(connection: Connection, run_ids: list[str], whose: tuple[str, str] | None) -> None:
    """Take what was typed for many records at once, and why it could not be done, from those of them that are the person's."""
    table = tables.bulk
    for row in connection.execute(sa.select(table).with_for_update()):
        theirs = [_is_theirs(row.collection, item, run_ids, whose) for item in row.items]
        if any(theirs):
            items = [{**item, "why": ""} if mine else item for item, mine in zip(row.items, theirs, strict=True)]
            connection.execute(sa.update(table).where(table.c.id == row.id).values(items=items))


def _is_theirs(collection: str, item: dict[str, Any], run_ids: list[str], whose: tuple[str, str] | None) -> bool:
    if item.get("run") in run_ids or whose == (collection, item["key"]):
        return True
    if not item.get("why") or whose is None:
        return False
    try:
        return records.subject(collection, item["key"]) == whose
    except ConsoleError:
        return True  # whose it is cannot be told now: better one reason too few


def mark(connection: Connection, run_ids: Iterable[str]) -> None:
    """Note, in the transaction that takes values away, whose rows still hold them."""
    for run_id in run_ids:
        connection.execute(sa.text("insert into console.stale_run values (:run) on conflict do nothing"), {"run": run_id})


def mend() -> int:
    """Make the rows of the marked runs what the log still tells, one run after the other; how many. What a crash left is done the next time."""
    marked = [row[0] for row in fetch("select run from console.stale_run order by run")]
    for run_id in marked:
        with transaction() as connection:
            connection.execute(sa.delete(tables.shown).where(tables.shown.c.run == run_id))
            connection.execute(sa.delete(tables.draft).where(tables.draft.c.run == run_id))
        for _ in runs.rebuild(run_id):
            continue
        with transaction() as connection:
            connection.execute(sa.delete(tables.stale_run).where(tables.stale_run.c.run == run_id))
    return len(marked)


def _remember(found: Iterable[str], at: str) -> None:
    """The subjects at the end of the list, on the disk before it goes on. A line that a crash cut off does not swallow the next."""
    folder = settings.current().data_dir
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LIST).open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            file.write(b"" if file.read(1) == b"\n" else b"\n")
        file.write("".join(json.dumps({"subject": subject, "at": at}) + "\n" for subject in found).encode())
        file.flush()
        os.fsync(file.fileno())


def listed(text: str) -> frozenset[str]:
    """The subjects that a list of erasures names, however its lines were damaged: a name that is not whole was not erased yet."""
    return frozenset(_NAMED.findall(text))


def remembered(file: Path | None = None) -> frozenset[str]:
    """The subjects on the list of the data folder, or of this file."""
    path = file or settings.current().data_dir / LIST
    return listed(path.read_text(encoding="utf-8", errors="replace")) if path.exists() else frozenset()


def remember(found: Iterable[str]) -> None:
    """Take over what another list names."""
    missing = sorted(frozenset(found) - remembered())
    if missing:
        _remember(missing, log.body.moment(log.now()))


def apply_again(actor: Actor, more: Iterable[str] = ()) -> int:
    """Erase again whatever the list, or `more`, names and an older state brought back; how many subjects that were. Run after each restore.

    A run about such a person that the older state has under way ends: nobody could go on with it. Holds are not minded: the
    erasure came after them.
    """
    named = sorted(remembered() | frozenset(more))
    back = [row[0] for row in fetch("select id from console.subject where id = any(%s) order by id", (named,))]
    for subject in back:
        for run_id in _live(subject):
            runs.end_for_erasure(run_id)
        _forget(actor, subject, RESTORED)
    return len(back)


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure as the log tells it: the receipt, who did it and why, and the event that proves it (place and hash)."""

    receipt: Receipt
    by: str
    reason: str
    pos: int
    leaf: str


_ERASED = """
select a.pos, e.run_seq, e.body, e.leaf, v.sub, v.nonce, v.ct from console.activity a join console.event e on e.id = a.event
left join console.event_value v on v.event = e.id
where a.kind = 'subject_erased' and convert_from(e.body, 'UTF8')::jsonb->'data'->'open'->>'subject' = %s order by a.pos limit 1
"""


def erasure(actor: Actor, subject: str) -> Erasure | None:
    """The erasure of this subject (`sub_…`), None where the log has none, or not yet its place. Raises NotAllowed."""
    _judge(actor)
    with hot_engine().connect() as connection:
        row = connection.exec_driver_sql(_ERASED, (subject,)).first() if "\x00" not in subject else None
    if row is None:
        return None
    event = log.stored(row)
    made = Receipt(subject, int(event.open["count"]), int(event.open.get("runs", 0)), str(event.body["at"]))
    who = str(event.body["actor"]["id"])
    by = accounts.names({who}).get(who, "Command line" if who == "sys_cli" else who)
    return Erasure(made, by, str(event.values.get("reason") or ""), int(row.pos), event.leaf.hex())


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold: on which record, why, since when, and the values of how many events it keeps."""

    collection: str
    key: str
    reason: str
    placed_at: datetime
    events: int


def hold(actor: Actor, collection: str, key: str, reason: str) -> tuple[str, str]:
    """Let nothing about the record's person be erased or expire from now on; answers (collection, key) of that person's record.

    Raises Conflict where a hold stands already, NotFound where there is no such record and nothing is held about it: a hold on a
    misspelt one would keep nothing.
    """
    _judge(actor)
    said = require_reason(reason)
    whose = _whose(collection, key)
    if subjects.known(*whose) is None:
        if collection not in OURS:
            records.get(collection, key, scopes.whole(collection), [])
        elif collection != "person" or not accounts.names({key}):
            raise NotFound(f"Nothing is held about the {collection} {key}.")
    hold_again(actor, *whose, said)
    return whose


def _whose(collection: str, key: str) -> tuple[str, str]:
    """The record of the person whose data this record is; itself where its collection names none."""
    return (collection, key) if collection in OURS else records.subject(collection, key) or (collection, key)


def hold_again(actor: Actor, collection: str, key: str, said: str) -> None:
    """A hold on a person's own record, whether or not it can be looked up now. Raises Conflict where one stands already."""
    subject = subjects.subject_of(collection, key)
    with transaction() as connection:
        there = sa.select(tables.subject.c.id).where(tables.subject.c.id == subject).with_for_update(read=True)
        if connection.execute(there).first() is None:
            raise Conflict("The person was erased this very moment; nothing is left to be held.")
        row = {"subject": subject, "collection": collection, "record": key, "reason": said}
        placed = sa.text(
            "insert into console.hold (subject, collection, record, reason) values (:subject, :collection, :record, :reason) on conflict do nothing"
        )
        if not connection.execute(placed, row).rowcount:
            raise Conflict(f"There is a hold on the record {key} of {collection} already.", code="on_hold")
        log.note(actor, "hold_placed", open={"subject": subject}, sealed={"reason": said}, connection=connection)


def release(actor: Actor, collection: str, key: str, reason: str) -> None:
    """Lift the hold on this record's person, named as `holds` lists it. Raises NotFound where none stands."""
    _judge(actor)
    said = require_reason(reason)
    with transaction() as connection:
        lifted = sa.delete(tables.hold).where(tables.hold.c.collection == collection, tables.hold.c.record == key)
        subject = connection.execute(lifted.returning(tables.hold.c.subject)).scalar()
        if subject is None:
            raise NotFound(f"No hold stands on the record {key} of {collection}.")
        log.note(actor, "hold_released", open={"subject": subject}, sealed={"reason": said}, connection=connection)


def holds(actor: Actor) -> list[Hold]:
    """Every hold that stands, the oldest first."""
    _judge(actor)
    rows = fetch(
        "select h.collection, h.record, h.reason, h.placed_at, (select count(*) from console.event_value v where v.sub = h.subject) "
        "from console.hold h order by h.placed_at, h.subject"
    )
    return [Hold(*row) for row in rows]
