"""Erasure: what the console holds about a person is made unreadable, and every proof of the log still holds.

The person's key and all values under it are deleted; events stay, with their commitments. Rows made of those values are made
again from the log, which no longer tells them. What was erased is kept as a list of random names, to be applied again after a
restore of an older state.
"""

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from console import access, accounts, log, records, runs, settings, subjects
from console.core.actor import Actor
from console.core.commands import require_reason
from console.db import tables
from console.db.engine import fetch, hot_engine, transaction
from console.errors import Conflict, ConsoleError, NotFound

LIST = "erasures.jsonl"


@dataclass(frozen=True, slots=True)
class Preview:
    """What erasing would take away, and what stands against it. `events` are those that keep standing without their values."""

    subject: str
    title: str
    events: int
    runs: tuple[str, ...]
    live: tuple[str, ...]


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
    subject = subjects.known(collection, key)
    if subject is None:
        raise NotFound("Nothing is held about this record, or it was erased already.")
    events = fetch("select count(*) from console.event_value where sub = %s", (subject,))[0][0]
    held = fetch("select id, ended_at is null from console.run where subject = %s order by id", (subject,))
    live = tuple(run_id for run_id, is_live in held if is_live)
    return Preview(subject, _title(actor, collection, key), int(events), tuple(run_id for run_id, _ in held), live)


def _title(actor: Actor, collection: str, key: str) -> str:
    """How the record is called, for who may read it; its key otherwise, or when its source is away."""
    try:
        return records.get(collection, key, access.scope_for(actor, collection, "read")).title
    except ConsoleError:
        return key


def erase(actor: Actor, collection: str, key: str, reason: str) -> Receipt:
    """Make what is held about the record's person unreadable for ever. Raises Conflict while a live run names them."""
    _judge(actor)
    said = require_reason(reason)
    found = _preview(actor, collection, key)
    if found.live:
        raise Conflict(
            f"{len(found.live)} live {'run is' if len(found.live) == 1 else 'runs are'} about this person; finish or abort first.",
            details=[{"field": "run", "reason": run_id} for run_id in found.live],
        )
    now = log.body.moment(log.now())
    _remember(found.subject, now)  # first: a crash after this line is made good by applying the list again
    _forget(found.subject, found.runs)
    log.note(
        actor, "subject_erased", open={"subject": found.subject, "count": found.events, "runs": len(found.runs)}, sealed={"reason": said}
    )
    return Receipt(found.subject, found.events, len(found.runs), now)


def _forget(subject: str, run_ids: tuple[str, ...]) -> None:
    with transaction() as connection:
        connection.execute(sa.delete(tables.event_value).where(tables.event_value.c.sub == subject))
        connection.execute(sa.delete(tables.shown).where(tables.shown.c.run.in_(run_ids)))
        connection.execute(sa.delete(tables.draft).where(tables.draft.c.run.in_(run_ids)))
        connection.execute(sa.delete(tables.subject).where(tables.subject.c.id == subject))
    subjects.forget(subject)
    for run_id in run_ids:
        for _ in runs.rebuild(run_id):
            continue


def _remember(subject: str, at: str) -> None:
    folder = settings.current().data_dir
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LIST).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"subject": subject, "at": at}) + "\n")
        file.flush()


def apply_again() -> int:
    """Erase again whatever the list names and an older state brought back; how many subjects that were. Run after each restore."""
    file = settings.current().data_dir / LIST
    if not file.exists():
        return 0
    named = {json.loads(line)["subject"] for line in file.read_text(encoding="utf-8").splitlines() if line.strip()}
    back = [row[0] for row in fetch("select id from console.subject where id = any(%s)", (sorted(named),))]
    for subject in back:
        held = fetch("select id from console.run where subject = %s", (subject,))
        _forget(subject, tuple(row[0] for row in held))
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
