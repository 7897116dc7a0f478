"""The only writer of the log: a transition of a run, or a note on a chain outside runs.

What is read before (a chain's last number and hash) is checked again in the database, in the one statement that writes:
a chain that has moved answers `Moved` and nothing was written. A connection that breaks while the statement is under way
leaves a question, and the event itself answers it: it is there with the hash that was sent, or it never will be.
"""

import contextvars
import functools
import itertools
import os
import random
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import faults, subjects
from console.core.actor import Actor
from console.db import prepared_statement, request_writes, tables
from console.db.early_statement import Ahead
from console.db.engine import borrowed, driver_of, hot_engine
from console.db.ids import uuid7_text
from console.log.body import Fact, Frame, Link, link, plain
from console.log.idempotency_note import IDEMPOTENCY, LOOKS, AlreadyDone
from console.queue import BESIDE, Job

REQUEST: contextvars.ContextVar[str | None] = contextvars.ContextVar("request", default=None)
"""The id of the request at hand; the door sets it, each event carries it."""

TRIES = 40
FEW = 8


class Moved(Exception):
    """The chain has moved since it was read; nothing was written."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Rows that change with the events: the run's head (all columns), attempts (all columns), context by step (an empty one lets steps be forgotten), effects, what was shown."""

    run: Mapping[str, Any] | None = None
    attempts: Sequence[Mapping[str, Any]] = ()
    context: Mapping[str, Any] | None = None
    effects: Sequence[Mapping[str, Any]] = ()
    shown: Mapping[str, Any] | None = None


_moved_by = timedelta()


def now() -> datetime:
    """The time of a transition, aware UTC; drawn once and passed down."""
    return datetime.now(UTC) + _moved_by


def move_clock(by: timedelta) -> None:
    """Let this process write its events as if `by` had passed (negative: in the past). Only the demo does, while it makes up its past weeks."""
    global _moved_by  # noqa: PLW0603 (one clock per process)
    _moved_by = by


def moved_by() -> timedelta:
    """By how much this process's time differs from the server's, as `move_clock` said."""
    return _moved_by


def frame_of(actor: Actor, team: str | None, **more: Any) -> Frame:
    """The frame of an actor's events: who, in which team, under which version of the rights."""
    who = {"kind": actor.kind, "id": actor.id, "session": actor.session, "team": team, "roles": actor.role_names}
    return Frame(actor=who, policy=actor.policy, request=REQUEST.get(), **more)


def chained(facts: Sequence[Fact], chain: str, seq: int, head: bytes, frame: Frame) -> list[Link]:
    """The facts as links of `chain`, whose last event is number `seq` with hash `head`."""
    links: list[Link] = []
    for number, fact in enumerate(facts, seq + 1):
        new_link = link(fact, chain, number, head, frame)
        links.append(new_link)
        head = new_link.leaf
    return links


@functools.cache
def _statement(events: int, *, job: bool) -> str:
    """The call for so many events, each value a parameter of its own, which is quickest for a few; 0: for any number, as arrays."""
    array = f"array[{','.join(['%b'] * events)}]::bytea[]" if events else "%b::bytea[]"
    call = f"console.transition(%s, %s, %b, {array}, {array}, %s, %s, {array}, {array}, %s::jsonb, %s::jsonb, %s::jsonb, %s::jsonb, %s::jsonb, %s)"
    if not job:
        return f"select {call}"
    return f"with moved as materialized (select {call} as last) select last, case when last > 0 then (select count(*) from {BESIDE}) end from moved"  # noqa: S608 (texts of ours)


def write(
    chain: str,
    seq: int,
    links: Sequence[Link],
    *,
    subject: str | None = None,
    projection: Projection | None = None,
    job: Job | None = None,
    connection: Connection | None = None,
) -> int:
    """Append the links after event `seq` of the chain, with the rows that change; answers the chain's new last number.

    One statement, which is its own transaction unless a `connection` is given; with a `job`, the same statement puts that in. Raises Moved, AlreadyDone, or the database's error.
    """
    kinds = {each.type for each in links}
    request = IDEMPOTENCY.get() if kinds - LOOKS else None
    statement, parameters = _call(chain, seq, links, subject, projection or Projection(), job, request)
    faults.point("log.write.before")
    try:
        last = _execute(statement, parameters, connection)
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name == "request_done_pkey":
            raise AlreadyDone(request) from error
        if error.diag.constraint_name == "event_once":
            raise Moved(chain) from error
        raise
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
        raise Moved(chain)
    if request is not None:
        IDEMPOTENCY.set(None)
    return last


def _call(
    chain: str, seq: int, links: Sequence[Link], subject: str | None, rows: Projection, job: Job | None, request: str | None
) -> tuple[str, tuple[Any, ...]]:
    """The statement that writes the links, and its parameters."""
    kid, nonces, ciphertexts = sealed_values(subject, links)
    few = len(links) if len(links) <= FEW else 0
    spread: Callable[..., Iterable[Any]] = itertools.chain if few else lambda *lists: lists
    parameters = (
        *(chain, seq, links[0].previous),
        *spread([each.leaf for each in links], [each.body for each in links]),
        *(subject, kid),
        *spread(nonces, ciphertexts),
        *(
            column_json(rows.run),
            column_json(rows.attempts or None),
            column_json(rows.context),
            column_json(rows.effects or None),
            column_json(rows.shown),
        ),
        request,
        *((job.priority, job.entrypoint, job.payload, job.key) if job else ()),
    )
    return _statement(few, job=job is not None), parameters


def sealed_values(subject: str | None, links: Sequence[Link]) -> tuple[str | None, list[bytes | None], list[bytes | None]]:
    """(key id, nonces, ciphertexts) of the links' values under the subject's key; None for a link without values."""
    kid: str | None = None
    nonces: list[bytes | None] = []
    ciphertexts: list[bytes | None] = []
    for each in links:
        if not each.values:
            nonces.append(None)
            ciphertexts.append(None)
            continue
        if subject is None:
            raise ValueError("sealed values need a subject")
        kid, nonce, ciphertext = subjects.seal(subject, each.id, {name: [salt.hex(), value] for name, (salt, value) in each.values.items()})
        nonces.append(nonce)
        ciphertexts.append(ciphertext)
    return kid, nonces, ciphertexts


def column_json(value: Any) -> str | None:
    """JSON that a column of the database holds: what the log keeps in another form (NUL, halves of characters) is in that form here too."""
    if value is None:
        return None
    try:
        encoded = orjson.dumps(value)
    except TypeError:
        encoded = orjson.dumps(plain(value))
    return (orjson.dumps(plain(value)) if b"\\u0000" in encoded else encoded).decode()


def _execute(statement: str, parameters: tuple[Any, ...], connection: Connection | None) -> int:
    """Below the layers: on this one path each of them costs as much as the server's work."""
    if connection is not None:
        return _by_cursor(driver_of(connection), statement, parameters)  # which begins the transaction where nothing has yet
    for attempt in (1, 2):
        with borrowed() as driver:
            try:
                return _alone(driver, statement, parameters)
            except psycopg.OperationalError as error:
                # A connection that was dead before the statement left (the server restarted) says so in these words.
                if attempt == 2 or not driver.closed or "the connection is closed" not in str(error):
                    raise
    raise AssertionError("unreachable")


def _alone(driver: "psycopg.Connection[Any]", statement: str, parameters: tuple[Any, ...]) -> int:
    arrays = any(type(value) is list for value in parameters)  # of many events; the cursor knows how to write them
    return _by_cursor(driver, statement, parameters) if arrays else prepared_statement.scalar(driver, statement, parameters)


def _by_cursor(driver: "psycopg.Connection[Any]", statement: str, parameters: tuple[Any, ...]) -> int:
    row = driver.execute(statement, parameters).fetchone()
    return int(row[0]) if row else 0


def arrived(chain: str, number: int, leaf: bytes) -> bool:
    """Whether the event that was being written when the connection broke is there."""
    hot_engine().dispose()
    find = sa.select(tables.event.c.leaf).where(tables.event.c.run == chain, tables.event.c.run_seq == number)
    with hot_engine().connect() as connection:
        stored_leaf = connection.execute(find).scalar()
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
    later: bool = False,
) -> None:
    """One event on the actor's own chain (or `chain`; with a `label` on that of the label, so that no number is missing in the other), committed at once, or with the transaction of `connection`: then it is the
    last thing done there, for whoever writes on that chain waits for its end.

    `open` holds ids, enumerations and counts; texts, names and record values go into `sealed`, under `subject`, or under
    the actor's own key when none is given. Callers race only with themselves: a chain that moved is read again.

    `later` is for looks: within a request (`on_the_way`) the event is sent and the page drawn meanwhile; `settle` waits for it before the answer
    leaves. What changes something waits here, and so does everything outside of a request.
    """
    settle()  # what is on its way on the same chain comes first
    place = chain or (f"sys:{label}" if label else actor.session)
    target = {"source": source, "coll": collection, "key": record} if collection else None
    sealed_for = subject or (subjects.of_person(actor.id) if sealed else None)
    frame = frame_of(actor, team or (actor.teams[0] if actor.teams else None), target=target, label=label)
    fact = Fact(uuid7_text(), kind, now(), open or {}, sealed or {})
    pending = _Note(fact, place, frame, sealed_for)
    if later and connection is None and _send(pending):
        return
    _write(pending, connection)


@dataclass(frozen=True, slots=True)
class _Note:
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


def _write(pending: _Note, connection: Connection | None = None, *, again: bool = False) -> None:
    for attempt in range(TRIES):
        seq, new_link = pending.linked(again=again or attempt > 0)
        try:
            _remember(pending.chain, write(pending.chain, seq, [new_link], subject=pending.subject, connection=connection), new_link.leaf)
        except Moved:
            continue
        return
    raise Moved(pending.chain)


# ------------------------------------------------------------------------------------------------------- looks, meanwhile

_under_way: contextvars.ContextVar[list[tuple[Ahead, _Note, int, Link]] | None] = contextvars.ContextVar("under_way", default=None)
"""Notes that this request has sent and not heard of yet; None outside of requests."""


def on_the_way() -> None:
    """From here on looks may be on their way while the request goes on; whoever calls this calls `settle` before anything is answered."""
    settle()
    _under_way.set([])


def settle(*, last: bool = False) -> None:
    """Wait until what is on its way is in the log. After the `last` time, looks wait for themselves again.

    What did not arrive is written in the usual way, which says what is wrong: nothing leaves that the log does not have.
    """
    under_way = _under_way.get()
    if last:
        _under_way.set(None)
    while under_way:
        sent, pending, seq, new_link = under_way.pop()
        if not _landed(sent, pending, seq, new_link):
            _write(pending, again=True)


def _send(pending: _Note) -> bool:
    """Whether the event could be sent without waiting for it."""
    under_way = _under_way.get()
    if under_way is None or (IDEMPOTENCY.get() is not None and pending.fact.type not in LOOKS):
        return False
    seq, new_link = pending.linked()
    statement, parameters = _call(pending.chain, seq, [new_link], pending.subject, Projection(), None, None)
    faults.point("log.write.before")
    try:
        under_way.append((Ahead(statement, parameters), pending, seq, new_link))
    except psycopg.Error:
        return False  # the usual way finds a connection that works, or says that there is none
    return True


def _landed(sent: Ahead, pending: _Note, seq: int, new_link: Link) -> bool:
    try:
        last = int(sent.rows()[0][0])
    except psycopg.OperationalError:
        last = seq + 1 if arrived(pending.chain, seq + 1, new_link.leaf) else 0
    except psycopg.Error:
        last = 0
    faults.point("log.write.after")
    if last:
        _remember(pending.chain, last, new_link.leaf)
    return last > 0


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
    with hot_engine().connect() as connection:
        row = connection.execute(sa.select(tables.chain.c.seq, tables.chain.c.head).where(tables.chain.c.id == chain)).first()
    return (row.seq, bytes(row.head)) if row else (0, b"")
