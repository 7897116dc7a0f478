"""The only writer of the log: a transition of a run, or a note on a chain outside runs.

What is read before (a chain's last number and hash) is checked again in the database, in the one statement that writes:
a chain that has moved answers `Moved` and nothing was written. A connection that breaks while the statement is under way
leaves a question, and the event itself answers it: it is there with the hash that was sent, or it never will be.
"""

import contextvars
import os
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.actor import Actor
from console.infra import faults, subjects
from console.infra.clock import now
from console.infra.db import request_writes, tables
from console.infra.db.engine import borrowed, driver_of, hot_engine, read_row, read_value
from console.infra.db.ids import uuid7_text
from console.infra.jobs import Job
from console.log.body import Fact, Frame, Link, link
from console.log.idempotency_note import IDEMPOTENCY, LOOKS, AlreadyDone
from console.log.transition_statement import NOTHING, Part, Projection, call, statement

REQUEST: contextvars.ContextVar[str | None] = contextvars.ContextVar("request", default=None)
"""The id of the request at hand; the door sets it, each event carries it."""

TRIES = 40


class Moved(Exception):
    """The chain has moved since it was read; nothing was written."""


class Overtaken(Exception):
    """What was to change with a transition had changed before; nothing was written."""


def frame_of(actor: Actor, team: str | None, **more: Any) -> Frame:
    """The frame of an actor's events: who, in which team, under which version of the rights."""
    who = {
        "kind": actor.kind,
        "id": actor.id,
        "session": actor.session,
        "team": team,
        "roles": actor.role_names,
    }
    return Frame(actor=who, policy=actor.policy, request=REQUEST.get(), address=actor.address, **more)


def chained(facts: Sequence[Fact], chain: str, seq: int, head: bytes, frame: Frame) -> list[Link]:
    """The facts as links of `chain`, whose last event is number `seq` with hash `head`."""
    links: list[Link] = []
    for number, fact in enumerate(facts, seq + 1):
        new_link = link(fact, chain, number, head, frame)
        links.append(new_link)
        head = new_link.leaf
    return links


@dataclass(frozen=True, slots=True)
class Beside:
    """What the statement of a transition writes besides: `first` an update that returns a row, `then` an insert that selects `from moved where last > 0`; and notes, on one chain outside runs.

    All of it is written or nothing: where `first` finds no row, the transition raises Overtaken.
    """

    first: Part | None = None
    then: Part | None = None
    notes: Sequence["Noting"] = ()


def write(
    chain: str,
    seq: int,
    links: Sequence[Link],
    *,
    subject: str | None = None,
    projection: Projection | None = None,
    job: Job | None = None,
    connection: Connection | None = None,
    beside: Beside | None = None,
) -> int:
    """Append the links after event `seq` of the chain, with the rows that change; answers the chain's new last number.

    One statement, which is its own transaction unless a `connection` is given; with a `job`, the same statement puts that in, and it writes what stands `beside`.
    Raises Moved, Overtaken, AlreadyDone, or the database's error.
    """
    kinds = {each.type for each in links}
    request = IDEMPOTENCY.get() if kinds - LOOKS else None
    noted = _linked(beside.notes) if beside is not None and beside.notes else None
    text, parameters = _call(
        chain, seq, links, subject, projection or Projection(), job, request, beside, noted
    )
    faults.point("log.write.before")
    try:
        last = _execute(text, parameters, connection)
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name == "request_done_pkey":
            raise AlreadyDone(request) from error
        if error.diag.constraint_name == "event_once":
            raise Moved(chain) from error
        raise
    except psycopg.errors.DivisionByZero as error:
        if beside is None:
            raise
        if noted is not None:
            _ends.pop(noted[0].chain, None)
        raise Moved(chain) from error
    except psycopg.OperationalError:
        if connection is not None:
            raise
        request_writes.unknown(chain, kinds)
        if not arrived(chain, seq + len(links), links[-1].leaf):
            request_writes.not_done(chain)
            raise
        last = seq + len(links)
    if last:
        request_writes.written(chain, kinds, connection)
    faults.point("log.write.after")
    if last == 0:
        raise Overtaken if beside is not None and beside.first is not None else Moved(chain)
    if noted is not None:
        _remember(noted[0].chain, noted[1] + len(noted[2]), noted[2][-1].leaf)
    if request is not None:
        IDEMPOTENCY.set(None)
    return last


def _call(
    chain: str,
    seq: int,
    links: Sequence[Link],
    subject: str | None,
    rows: Projection,
    job: Job | None,
    request: str | None,
    beside: Beside | None = None,
    noted: "tuple[Noting, int, Sequence[Link]] | None" = None,
) -> Part:
    """The statement that writes the links, and its parameters."""
    called = call(chain, seq, links, subject, rows, request)
    first, then = (
        (beside.first or NOTHING, beside.then or NOTHING) if beside is not None else (NOTHING, NOTHING)
    )
    note = (
        call(noted[0].chain, noted[1], noted[2], noted[0].subject, Projection(), None)
        if noted is not None
        else NOTHING
    )
    return statement(called, first, then, note, job)


def _execute(statement: str, parameters: Sequence[Any], connection: Connection | None) -> int:
    """Below the layers: on this one path each of them costs as much as the server's work."""
    if connection is not None:
        return _by_cursor(
            driver_of(connection), statement, parameters
        )  # which begins the transaction where nothing has yet
    for attempt in (1, 2):
        with borrowed() as driver:
            try:
                return _by_cursor(driver, statement, parameters)
            except psycopg.OperationalError as error:
                # A connection that was dead before the statement left (the server restarted) says so in these words.
                if attempt == 2 or not driver.closed or "the connection is closed" not in str(error):
                    raise
    raise AssertionError("unreachable")


def _by_cursor(driver: "psycopg.Connection[Any]", statement: str, parameters: Sequence[Any]) -> int:
    row = driver.execute(statement, parameters).fetchone()
    return int(row[0]) if row else 0


def arrived(chain: str, number: int, leaf: bytes) -> bool:
    """Whether the event that was being written when the connection broke is there."""
    hot_engine().dispose()
    find = sa.select(tables.event.c.leaf).where(tables.event.c.run == chain, tables.event.c.run_seq == number)
    stored_leaf = read_value(find)
    return stored_leaf is not None and bytes(stored_leaf) == leaf


def note(
    actor: Actor,
    kind: str,
    *,
    open: Mapping[str, Any] | None = None,
    sealed: Mapping[str, Any] | None = None,
    source: str | None = None,
    collection: str | None = None,
    record: str | None = None,
    subject: str | None = None,
    team: str | None = None,
    chain: str | None = None,
    label: str | None = None,
    connection: Connection | None = None,
) -> None:
    """One event on the actor's own chain (or `chain`; with a `label` on that of the label, so that no number is missing in the other), committed at once, or with the transaction of `connection`: then it is the
    last thing done there, for whoever writes on that chain waits for its end.

    `open` holds ids, enumerations and counts; texts, names and record values go into `sealed`, under `subject`, or under
    the actor's own key when none is given. Callers race only with themselves: a chain that moved is read again.
    """
    pending = noting(
        actor,
        kind,
        open=open,
        sealed=sealed,
        source=source,
        collection=collection,
        record=record,
        subject=subject,
        team=team,
        chain=chain,
        label=label,
    )
    _write(pending, connection)


def noting(
    actor: Actor,
    kind: str,
    *,
    open: Mapping[str, Any] | None = None,
    sealed: Mapping[str, Any] | None = None,
    source: str | None = None,
    collection: str | None = None,
    record: str | None = None,
    subject: str | None = None,
    team: str | None = None,
    chain: str | None = None,
    label: str | None = None,
) -> "Noting":
    """The event that `note` writes, to be written beside a transition."""
    place = chain or (f"sys:{label}" if label else actor.session)
    target = {"source": source, "coll": collection, "key": record} if collection else None
    sealed_for = subject or (subjects.of_person(actor.id) if sealed or actor.address else None)
    frame = frame_of(actor, team or (actor.teams[0] if actor.teams else None), target=target, label=label)
    fact = Fact(uuid7_text(), kind, now(), open or {}, sealed or {})
    return Noting(fact, place, frame, sealed_for)


def _linked(notes: Sequence["Noting"]) -> "tuple[Noting, int, Sequence[Link]]":
    """(one whose chain and subject are those of all, the end of the chain, the notes as its next links)."""
    seq, first = notes[0].linked()
    links = [first]
    for each in notes[1:]:
        links += chained([each.fact], each.chain, seq + len(links), links[-1].leaf, each.frame)
    return next((each for each in notes if each.subject is not None), notes[0]), seq, links


@dataclass(frozen=True, slots=True)
class Noting:
    """An event outside runs that has no number yet."""

    fact: Fact
    chain: str
    frame: Frame
    subject: str | None

    def linked(self, *, again: bool = False) -> tuple[int, Link]:
        """The end of the chain, and the event as the next link. What this process wrote there last is most often still the end: then the note costs one round trip."""
        seq, head = UNKNOWN_END if again else _ends.get(self.chain, UNKNOWN_END)
        if seq < 0:
            seq, head = _end(self.chain)
        return seq, chained([self.fact], self.chain, seq, head, self.frame)[0]


def _write(pending: Noting, connection: Connection | None = None, *, again: bool = False) -> None:
    for attempt in range(TRIES):
        seq, new_link = pending.linked(again=again or attempt > 0)
        try:
            _remember(
                pending.chain,
                write(pending.chain, seq, [new_link], subject=pending.subject, connection=connection),
                new_link.leaf,
            )
        except Moved:
            continue
        return
    raise Moved(pending.chain)


LANES = 64
_thread = threading.local()


def lane(chain: str) -> str:
    """The chain of this thread among those that share the work of `chain`, for many events of several workers at once.

    A note in somebody's transaction lets nobody else write on its chain until that ends; threads are spread at random over 64 chains, so that few of them meet.
    """
    if getattr(_thread, "process", None) != os.getpid():
        _thread.process, _thread.lane = os.getpid(), random.randrange(LANES)  # noqa: S311 (spread, not secrecy)
    return f"{chain}-{_thread.lane:02}"


UNKNOWN_END = (-1, b"")
MOST_ENDS = 2000
_ends: dict[str, tuple[int, bytes]] = {}


def _remember(chain: str, seq: int, head: bytes) -> None:
    """A wrong memory costs a second try and nothing else: the database compares it before it writes."""
    if len(_ends) >= MOST_ENDS:
        _ends.clear()
    _ends[chain] = (seq, head)


def _end(chain: str) -> tuple[int, bytes]:
    """Number and hash of the chain's last event; (0, b"") where it has none."""
    row = read_row(sa.select(tables.chain.c.seq, tables.chain.c.head).where(tables.chain.c.id == chain))
    return (row.seq, bytes(row.head)) if row else (0, b"")
