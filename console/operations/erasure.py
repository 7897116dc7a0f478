"""Erasure and holds: everything that the console keeps about a person is made unreadable; the proofs of the log stay valid.

The person's key and all values under it are deleted; events stay, with their commitments. Rows that hold such values are built
again from the log. The random ids of erased subjects are kept in a list, so that a restore of an older state erases them again.
A hold on a person prevents erasure and expiry.
"""

import json
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log, records, runs
from console.ai import cases
from console.ai.proposals import prompts
from console.auth import access, accounts
from console.authoring import publication
from console.automation import enrolments, triggers
from console.automation.webhooks import outgoing
from console.browse import list_files, saved_segments, tags
from console.core import scopes
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import Conflict, ConsoleError, NotFound, SourceDown
from console.core.run.moves import require_reason
from console.infra import files, settings, subjects
from console.infra.db import tables
from console.infra.db.engine import fetch, hot_engine, transaction
from console.messaging.messages import person_messages
from console.operations import personal_notes
from console.work import tasks

LIST = "erasures.jsonl"
OURS = frozenset({"person", "run", "lead"})
"""Collections of subjects that are not records of the users' databases: people who sign in, and runs and leads without a record."""

RESTORED = "Erased before the state was saved that was restored now."
_NAMED = re.compile(r'"(sub_[0-9a-z]{26})"')


@dataclass(frozen=True, slots=True)
class Preview:
    """What erasing would delete, and what prevents it. `events` is the number of events that would lose their values.

    `enrolled` are the places that the person is taken out of first; their runs, and what those have started, are not among `live`, which prevent it.
    `messages` are those to and from them; so many of them are `waiting`, and will not leave. Where the data source has not `answered`, nobody knows what the person is called: lists saved under their name stay.
    """

    subject: str
    title: str
    events: int
    runs: tuple[str, ...]
    live: tuple[str, ...]
    held: bool = False
    enrolled: tuple["enrolments.erasing.Enrolled", ...] = ()
    answered: bool = True
    messages: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt without personal values: the subject, how many events and runs, and when."""

    subject: str
    events: int
    runs: int
    at: str

    def to_json(self) -> dict[str, Any]:
        """The receipt as it is printed and kept."""
        return {"subject": self.subject, "events": self.events, "runs": self.runs, "at": self.at}


def preview(actor: Actor, collection: str, key: str) -> Preview:
    """What `erase` would do; changes nothing. Raises NotAllowed, NotFound if nothing is kept about this record."""
    _judge(actor)
    return _preview(actor, collection, key)


def _judge(actor: Actor) -> None:
    """Raises NotAllowed without the right `subject.erase`; the command line needs none."""
    if actor.kind != "system":
        access.require(actor, None, "subject", "erase")


def _preview(actor: Actor, collection: str, key: str) -> Preview:
    hidden = _hidden(actor, collection, key)
    subject = None if hidden else subjects.existing_subject(collection, key) or _of_place(collection, key)
    if subject is None:
        _refuse_of_another(actor, collection, key, hidden=hidden)
        raise NotFound("Nothing is held about this record, or it was erased already.")
    events = fetch("select count(*) from console.event_value where sub = %s", (subject,))[0][0]
    run_rows = fetch(
        f"select r.id, r.ended_at is null from {access.runs(actor).sql()} where r.subject = %s order by r.id",  # noqa: S608 (a text of ours)
        (subject,),
    )
    every_live = [run_id for run_id, is_live in run_rows if is_live]
    enrolled = enrolments.erasing.enrolled(subject, collection, key, every_live)
    live = tuple(sorted({*every_live} - enrolments.erasing.ending(enrolled, every_live)))
    held = bool(fetch("select 1 from console.hold where subject = %s", (subject,)))
    if not events and not run_rows:
        with suppress(NotFound):  # the collection is gone, what its records were called is not
            _refuse_of_another(actor, collection, key)
    title, answered = _title(actor, collection, key)
    run_ids = tuple(run_id for run_id, _ in run_rows)
    return Preview(
        subject,
        title,
        int(events),
        run_ids,
        live,
        held,
        tuple(enrolled),
        answered,
        *person_messages.count_of_person(subject),
    )


def _refuse_of_another(actor: Actor, collection: str, key: str, *, hidden: bool = False) -> None:
    """Raises Conflict if what is held about this record is held under the person whom it is about, SourceDown if that cannot be looked up."""
    if hidden or collection in OURS:
        return
    person = _person_of(collection, key)
    if (
        person != (collection, key)
        and subjects.existing_subject(*person) is not None
        and not _hidden(actor, *person)
    ):
        raise Conflict(
            f"What is held about the record {key} of {collection} is held under whom it is about: erase the record {person[1]} of {person[0]}.",
            code="about_another",
        )


def _of_place(collection: str, key: str) -> str | None:
    """The subject of somebody of whom nothing is held but that they are enrolled, or that something about them waits to begin; None where nothing is."""
    inside = enrolments.erasing.enrolled("", collection, key) or triggers.waits_about(collection, key)
    return subjects.subject_of(collection, key) if inside else None


def _hidden(actor: Actor, collection: str, key: str) -> bool:
    """Whether the record is not there for the actor, because it has a label, or may have one and cannot be looked at."""
    obj = f"collection:{collection}"
    if actor.kind == "system" or obj not in access.all_labelled():
        return False
    try:
        values = records.get(collection, key, scopes.unrestricted(collection)).values
    except ConsoleError:
        values = {}
    label = access.label_of(obj, values)
    return label is not None and label not in access.clearance(actor)


def _live(subject: str) -> list[str]:
    statement = f"select r.id from {access.EVERY_RUN.sql()} where r.subject = %s and r.ended_at is null"  # noqa: S608 (a text of ours)
    return [row[0] for row in fetch(statement, (subject,))]


def _title(actor: Actor, collection: str, key: str) -> tuple[str, bool]:
    """The title of the record, its key if the actor may not read it; and whether its data source answered."""
    try:
        return records.get(collection, key, access.scope_for(actor, collection, "read")).title, True
    except ConsoleError as error:
        return key, not isinstance(error, SourceDown)


def erase(actor: Actor, collection: str, key: str, reason: str) -> Receipt:
    """Make everything about the record's person unreadable for ever. Raises Conflict while a live run or a hold names them."""
    _judge(actor)
    reason_given = require_reason(reason)
    plan = _preview(actor, collection, key)
    if plan.subject == subjects.existing_subject("person", actor.id):
        raise Conflict(
            "Nobody erases themselves: who did it, and why, must stay to be read. Ask a colleague."
        )
    if plan.live:
        raise Conflict(
            f"{len(plan.live)} live {'run is' if len(plan.live) == 1 else 'runs are'} about this person; finish or abort first.",
            details=[("run", run_id) for run_id in plan.live],
        )
    if plan.held:
        raise _on_hold(collection, key, plan.events)
    person_messages.call_off(plan.subject)
    enrolments.erasing.take_out(actor, plan.enrolled)
    now = log.body.moment(log.now())

    def ready(connection: Connection) -> None:
        if connection.execute(sa.select(tables.hold).where(tables.hold.c.subject == plan.subject)).first():
            raise _on_hold(collection, key, plan.events)
        _append_erased(
            [plan.subject], now
        )  # before anything is gone: a crash after this line is made good by applying the list again

    events = _erase_values(actor, plan.subject, reason_given, ready) + _erase_late(
        actor, plan.subject, reason_given
    )
    return Receipt(plan.subject, events, len(plan.runs), now)


def _erase_late(actor: Actor, subject: str, reason: str) -> int:
    """Erase also what was written about the person during the erasure, with an event of its own. Returns how many events lost values."""
    for run_id in _live(subject):
        runs.end_for_erasure(run_id)
    return (
        _erase_values(actor, subject, reason)
        if fetch("select 1 from console.event_value where sub = %s limit 1", (subject,))
        else 0
    )


def _on_hold(collection: str, key: str, events: int) -> Conflict:
    return Conflict(
        f"The record {key} of {collection} is on hold: the values of {events} events stay. "
        f"`console hold list` says why, `console hold release {collection} {key}` lifts it.",
        code="on_hold",
    )


def _erase_values(
    actor: Actor, subject: str, reason: str, ready: Callable[[Connection], None] = lambda _: None
) -> int:
    """Delete the key and values and record it, in one transaction. Returns how many events lost values.

    `ready` is called once no hold can be placed any more, and may raise; without it holds are ignored.
    """
    naming = _naming(subject)
    with transaction() as connection:
        # locked, so that a hold is placed either before it, and seen here, or finds nobody
        connection.execute(
            sa.select(tables.subject.c.id).where(tables.subject.c.id == subject).with_for_update()
        )
        ready(connection)
        gone = connection.execute(
            sa.delete(tables.event_value).where(tables.event_value.c.sub == subject)
        ).rowcount
        ours = sa.text(f"select r.id from {access.EVERY_RUN.sql()} where r.subject = :subject")  # noqa: S608 (a text of ours)
        named = connection.execute(
            sa.delete(tables.subject).where(tables.subject.c.id == subject).returning(*_PERSON)
        ).first()
        connection.execute(sa.delete(tables.hold).where(tables.hold.c.subject == subject))
        enrolments.erasing.forget(connection, subject, (named.collection, named.record) if named else None)
        if named:
            triggers.forget_waiting(connection, named.collection, named.record)
        places = files.forget(connection, subject)
        prompts.erase(connection, subject)
        cases.erase(connection, subject)
        tags.forget(connection, subject)
        tasks.close_erased(connection, actor, subject)
        outgoing.erase(connection, subject)
        if naming is not None:
            saved_segments.forget(connection, *naming)
        run_ids = [row[0] for row in connection.execute(ours, {"subject": subject})]
        mark_stale(connection, run_ids)
        _clear_bulk_reasons(connection, run_ids, (named.collection, named.record) if named else None)
        noted = {"subject": subject, "count": gone, "runs": len(run_ids)}
        list_files.forget_all(connection)
        if named and named.collection == "person":
            personal_notes.forget(connection, named.record)
        log.note(actor, "subject_erased", open=noted, sealed={"reason": reason}, connection=connection)
    subjects.forget(subject)
    files.texts.forget(subject)
    files.release(places)  # unreadable since the key is gone; what a crash leaves lying is swept away
    rebuild_stale()
    return int(gone)


def _naming(subject: str) -> tuple[list[str], Collection] | None:
    """What the person is called and reached by, as far as the source still tells it, and the collection that says so; None for who is no record."""
    rows = fetch("select collection, record from console.subject where id = %s", (subject,))
    if not rows or rows[0][0] in OURS:
        return None
    try:
        collection = records.collection(rows[0][0])
        key = subjects.record_behind(collection.id, rows[0][1]) if collection.personal_key else rows[0][1]
        names = saved_segments.identifying(collection)
        values = records.get(
            collection.id, key or "", scopes.unrestricted(collection.id), fields=names
        ).values
    except ConsoleError:  # gone there already, or its source does not answer
        return None
    return [str(values[name]) for name in names if values.get(name) is not None], collection


_PERSON = (tables.subject.c.collection, tables.subject.c.record)


def _clear_bulk_reasons(connection: Connection, run_ids: list[str], record: tuple[str, str] | None) -> None:
    """Empty the reasons in bulk actions for the records that belong to the person."""
    kept, item = tables.bulk, tables.bulk_item
    told = (
        sa.select(kept.c.collection, item)
        .join(item, item.c.bulk == kept.c.id)
        .where(item.c.why != "")
        .with_for_update(of=item)
    )
    for row in connection.execute(told).mappings().all():
        if _is_theirs(
            row["collection"], {name: row[name] for name in ("key", "run", "why")}, run_ids, record
        ):
            here = (item.c.bulk == row["bulk"], item.c.number == row["number"])
            connection.execute(sa.update(item).where(*here).values(why=""))


def _is_theirs(
    collection: str, item: dict[str, Any], run_ids: list[str], record: tuple[str, str] | None
) -> bool:
    if item.get("run") in run_ids or record == (collection, item["key"]):
        return True
    if not item.get("why") or record is None:
        return False
    try:
        return records.subject(collection, item["key"]) == record
    except ConsoleError:
        return True  # whose it is cannot be told now: better one reason too few


def mark_stale(connection: Connection, run_ids: Iterable[str]) -> None:
    """Mark runs whose rows still hold deleted values, in the transaction that deletes the values."""
    stale = list(run_ids)
    publication.run_moves.forget_reasons(connection, run_ids=stale)
    for run_id in stale:
        connection.execute(
            sa.text("insert into console.stale_run values (:run) on conflict do nothing"), {"run": run_id}
        )


def rebuild_stale() -> int:
    """Build the rows of the marked runs again from the log, run by run. Returns how many. After a crash the next call does the rest."""
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


def _append_erased(erased: Iterable[str], at: str) -> None:
    """Append subjects to the list and flush it to disk. A line that a crash cut off does not damage the next one."""
    folder = settings.current().data_dir
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LIST).open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            file.write(b"" if file.read(1) == b"\n" else b"\n")
        file.write("".join(json.dumps({"subject": subject, "at": at}) + "\n" for subject in erased).encode())
        file.flush()
        os.fsync(file.fileno())


def subjects_in(text: str) -> frozenset[str]:
    """The subjects in the text of a list, even a damaged one: an id that was cut off was not erased yet."""
    return frozenset(_NAMED.findall(text))


def erased_subjects() -> frozenset[str]:
    """The subjects on the list of the data folder."""
    path = settings.current().data_dir / LIST
    return subjects_in(path.read_text(encoding="utf-8", errors="replace")) if path.exists() else frozenset()


def merge_erased(erased: Iterable[str]) -> None:
    """Add the subjects of another list to ours."""
    missing = sorted(frozenset(erased) - erased_subjects())
    if missing:
        _append_erased(missing, log.body.moment(log.now()))


def apply_again(actor: Actor, more: Iterable[str] = ()) -> int:
    """Erase again the subjects of the list and of `more` that a restore brought back. Returns how many. Called after each restore.

    Live runs about such a person end, because nobody could go on with them. Holds are ignored: the erasure came after them.
    """
    named = sorted(erased_subjects() | frozenset(more))
    back = [
        row[0] for row in fetch("select id from console.subject where id = any(%s) order by id", (named,))
    ]
    for subject in back:
        for run_id in _live(subject):
            runs.end_for_erasure(run_id)
        _erase_values(actor, subject, RESTORED)
    return len(back)


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure in the log: the receipt, who did it and why, and the position and hash of its event."""

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
    """The erasure of this subject (`sub_…`); None if the log has none, or has given it no position yet. Raises NotAllowed."""
    _judge(actor)
    with hot_engine().connect() as connection:
        row = connection.exec_driver_sql(_ERASED, (subject,)).first() if "\x00" not in subject else None
    if row is None:
        return None
    event = log.stored(row)
    receipt = Receipt(
        subject, int(event.open["count"]), int(event.open.get("runs", 0)), str(event.body["at"])
    )
    who = str(event.body["actor"]["id"])
    by = accounts.names({who}).get(who, "Command line" if who == "sys_cli" else who)
    return Erasure(receipt, by, str(event.values.get("reason") or ""), int(row.pos), event.leaf.hex())


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold: the record, the reason, since when, and how many events keep their values."""

    collection: str
    key: str
    reason: str
    placed_at: datetime
    events: int


def hold(actor: Actor, collection: str, key: str, reason: str) -> tuple[str, str]:
    """Place a hold: nothing about the record's person is erased or expires from now on. Returns (collection, key) of the person's record.

    Raises Conflict if there is a hold already, NotFound if there is no such record: a hold on a misspelt key would protect nothing.
    """
    _judge(actor)
    reason_given = require_reason(reason)
    person = _person_of(collection, key)
    if subjects.existing_subject(*person) is None:
        if collection not in OURS:
            records.get(collection, key, scopes.unrestricted(collection), [])
        elif collection != "person" or not accounts.names({key}):
            raise NotFound(f"Nothing is held about the {collection} {key}.")
    hold_again(actor, *person, reason_given)
    return person


def _person_of(collection: str, key: str) -> tuple[str, str]:
    """The record of the person that this record is about; the record itself if its collection names no person."""
    return (collection, key) if collection in OURS else records.subject(collection, key) or (collection, key)


def hold_again(actor: Actor, collection: str, key: str, reason: str) -> None:
    """Place a hold on a person's own record, without looking the record up. Raises Conflict if there is one already."""
    subject = subjects.subject_of(collection, key)
    with transaction() as connection:
        lock = sa.select(tables.subject.c.id).where(tables.subject.c.id == subject).with_for_update(read=True)
        if connection.execute(lock).first() is None:
            raise Conflict("The person was erased this very moment; nothing is left to be held.")
        row = {"subject": subject, "collection": collection, "record": key, "reason": reason}
        placed = sa.text(
            "insert into console.hold (subject, collection, record, reason) values (:subject, :collection, :record, :reason) on conflict do nothing"
        )
        if not connection.execute(placed, row).rowcount:
            raise Conflict(f"There is a hold on the record {key} of {collection} already.", code="on_hold")
        log.note(
            actor, "hold_placed", open={"subject": subject}, sealed={"reason": reason}, connection=connection
        )


def release(actor: Actor, collection: str, key: str, reason: str) -> None:
    """Release the hold on this record's person, named as `holds` lists it. Raises NotFound if there is none."""
    _judge(actor)
    reason_given = require_reason(reason)
    with transaction() as connection:
        lifted = sa.delete(tables.hold).where(
            tables.hold.c.collection == collection, tables.hold.c.record == key
        )
        subject = connection.execute(lifted.returning(tables.hold.c.subject)).scalar()
        if subject is None:
            raise NotFound(f"No hold stands on the record {key} of {collection}.")
        log.note(
            actor,
            "hold_released",
            open={"subject": subject},
            sealed={"reason": reason_given},
            connection=connection,
        )


def holds(actor: Actor) -> list[Hold]:
    """All holds, the oldest first."""
    _judge(actor)
    rows = fetch(
        "select h.collection, h.record, h.reason, h.placed_at, (select count(*) from console.event_value v where v.sub = h.subject) "
        "from console.hold h order by h.placed_at, h.subject"
    )
    return [Hold(*row) for row in rows]
