"""Work in the background: asked for, followed, stopped and resumed by people, and done in parts by one process at a time.

A kind of work is a table with a row for each piece of work, and a job whose text is the row's id. A process that dies leaves the row, and its job goes on.
"""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeAlias, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, NotFound, SourceDown
from console.infra import clock, jobs, subjects
from console.infra.db import tables, troubles
from console.infra.db.engine import alone, fetch, read_rows, transaction
from console.infra.jobs import PutBack
from console.infra.subscribers import Subscribers

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
UNDER_WAY = (WAITING, RUNNING)
LATER_S, SOURCE_S, NOTE_EVERY_S = 2.0, 20.0, 0.5
BROKE_OFF = "It broke off by a fault of ours, which was written down."
ERASED = "Who asked for this was erased."
TRIED_AGAIN = "Something went wrong here; it is tried again by itself."
GIVEN_UP = (
    "It broke off by a fault of the console, which was tried again several times and is written down. "
    "What was done so far stays. Go on with it, or ask who runs the console."
)
Stopping: TypeAlias = Callable[[], bool]
_log = logging.getLogger(__name__)
actor_of = Subscribers[[str, str], Actor]("infra.jobs.background.actor_of")
"""Who does the work that a person (an id) asked for, and under which name it is written down."""


class Stopped(Exception):
    """Somebody stopped the work meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How far a piece of work is: `done` of `total` (None: not known yet), and `why` it is held up or has failed."""

    id: str
    person: str
    status: str
    why: str
    total: int | None
    done: int

    @classmethod
    def from_row(cls, row: sa.Row[Any], **more: Any) -> Self:
        """Return the work of a row; fields that are no columns, or are not what the column says, are given."""
        return cls(
            **{name: getattr(row, name) for name in cls.__dataclass_fields__ if name in row._fields} | more
        )

    @property
    def under_way(self) -> bool:
        """Whether it still goes on."""
        return self.status in UNDER_WAY

    @property
    def about(self) -> int | None:
        """About how many there are in all."""
        return self.total

    @property
    def followed(self) -> bool:
        """Whether its page asks again and again how far it is."""
        return self.under_way

    @property
    def seen(self) -> str:
        """What stands for how far it is: its page is drawn again once this is another."""
        return f"{self.status}-{self.done}-{self.total}-{len(self.why)}-{self.followed}"

    def progress_json(self) -> dict[str, Any]:
        """Return what the API says of every kind of work."""
        return {
            "id": self.id,
            "status": self.status,
            "total": self.total,
            "done": self.done,
            "why": self.why or None,
        }


AnyWork = TypeVar("AnyWork", bound=Work)


class Kind(ABC, Generic[AnyWork]):
    """A kind of work. `tries_again`: what goes wrong is tried again; else it ends the work, and who asked is told why."""

    job: str
    table: sa.Table
    missing: str
    stopped = "stopped"
    tries_again = True

    @abstractmethod
    def read(self, row: sa.Row[Any]) -> AnyWork | None:
        """Return the work of a row; None where it can no longer be read."""

    @abstractmethod
    def perform(self, work: AnyWork, actor: Actor, stopping: Stopping) -> None:
        """Do what is left of it. Raises PutBack when it is `stopping`, Stopped where somebody stopped it."""

    def key(self, work_id: str) -> str:
        """Return the key of its job."""
        return work_id

    def lock(self, work: AnyWork) -> str:
        """Return the name of what only one process does at a time."""
        return self.key(work.id)

    def conditions(self) -> Sequence[sa.ColumnElement[bool]]:
        """Return which rows of the table are of this kind and still kept."""
        return ()

    def open_rows(self) -> sa.ColumnElement[bool]:
        """Return which rows are under way."""
        return self.table.c.status.in_(UNDER_WAY)

    def goes_on(self, work: AnyWork) -> bool:
        """Return whether there is something left to do."""
        return work.under_way

    def words(self, error: ConsoleError) -> str:
        """Return why it failed, for who asked."""
        return " ".join([error.words, *error.reasons[:1]])

    def ended(self, work: AnyWork, status: str) -> None:
        """Tidy up after the end."""

    # ------------------------------------------------------------------------------------------------ asked for and followed

    def add(self, connection: Connection, **columns: Any) -> bool:
        """Keep new work, and put its job in, with the transaction of `connection`; False where this id is there already."""
        added = (
            insert(self.table)
            .values(**columns)
            .on_conflict_do_nothing(index_elements=["id"])
            .returning(self.table.c.id)
        )
        if connection.execute(added).first() is None:
            return False
        self.enqueue(connection, columns["id"])
        return True

    def enqueue(self, connection: Connection, work_id: str) -> None:
        """Put its job in with the transaction of `connection`."""
        jobs.enqueue(connection, self.job, work_id, dedupe_key=self.key(work_id))

    def rows(self, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
        """Return the statement that reads the rows of this kind for which these conditions hold."""
        return sa.select(self.table).where(*conditions, *self.conditions())

    def select(self, *conditions: sa.ColumnElement[bool]) -> list[AnyWork]:
        """Return the work of these rows, whoever asked for it."""
        rows = read_rows(self.rows(*conditions))
        return [work for row in rows if (work := self.read(row)) is not None]

    def find(self, work_id: str) -> AnyWork | None:
        """Return the work of this id, whoever asked for it."""
        return next(iter(self.select(self.table.c.id == work_id.replace("\x00", ""))), None)

    def get(self, work_id: str) -> AnyWork:
        """Return the work of this id, whoever asked for it. Raises NotFound."""
        if (found := self.find(work_id)) is None:
            raise NotFound(self.missing)
        return found

    def stop(self, work_id: str) -> None:
        """Do no more of it; what was done stays."""
        self.end(work_id, self.stopped)

    # --------------------------------------------------------------------------------------------------------------- done

    def begin(self, work_id: str, actor: Actor, stopping: Stopping = lambda: False) -> None:
        """Do what can be done of it in the request that asked for it; its job goes on with the rest, whatever stops it here."""
        try:
            self.advance(work_id, stopping, actor)
        except PutBack:
            pass  # a worker has it already, or everything is paused
        except Exception as error:  # the job does it again
            if troubles.passes(error):
                raise
            _log.exception("a job goes on with what broke off here")

    def advance(self, work_id: str, stopping: Stopping = lambda: False, actor: Actor | None = None) -> None:
        """Do what is left of it, with the rights of who asked for it.

        Raises PutBack where it stops before the end, and while another process is at it, which may die.
        """
        found = self.find(work_id)
        if found is None:
            self.end(work_id, FAILED, ERASED)
        if found is None or not self.goes_on(found):
            return
        with alone(self.lock(found)) as mine:
            if not mine:
                raise PutBack(LATER_S)
            work = self.find(work_id)  # another process may have gone on with it meanwhile
            if work is None or not self.goes_on(work):
                return
            try:
                self.perform(work, actor or actor_of(work.person, "sys:engine")[0], stopping)
            except Stopped:
                status = self.stopped
            except PutBack:
                raise
            except Exception as error:  # noqa: BLE001 (it is raised again, or who asked is told)
                self._break_off(work, error)
                status = FAILED
            else:
                status = DONE if self.end(work_id, DONE) else self.stopped
            self.ended(work, status)

    def _break_off(self, work: AnyWork, error: Exception) -> None:
        """End the work for this error, or raise what has its job tried again."""
        if isinstance(error, SourceDown) and self.tries_again:
            self.change(work.id, why=f"{error.message} It goes on when the source answers.")
            raise PutBack(SOURCE_S) from error
        if isinstance(error, ConsoleError):
            self.fail(work, self.words(error))
        elif not self.tries_again:
            _log.error("alarm: %s %s broke off", self.job, work.id, exc_info=error)
            self.fail(work, BROKE_OFF)
        elif isinstance(error, sa.exc.DataError):
            self.fail(work, troubles.UNSTORABLE)
            raise error
        else:
            if not troubles.passes(error):
                self.change(work.id, why=TRIED_AGAIN)
            raise error

    def fail(self, work: AnyWork, why: str) -> None:
        """Have it ended because of an error."""
        self.end(work.id, FAILED, why)

    def end(self, work_id: str, status: str, why: str = "", **columns: Any) -> bool:
        """Have it ended; whether it was under way. Then it is known how many there were."""
        total = sa.func.coalesce(self.table.c.total, self.table.c.done) if "total" in self.table.c else None
        return self.change(work_id, status=status, why=why, ended_at=clock.now(), total=total, **columns)

    def change(self, work_id: str, connection: Connection | None = None, **columns: Any) -> bool:
        """Set those of the columns that the table has, if it is under way; whether it is."""
        values = {name: value for name, value in columns.items() if name in self.table.c}
        if not values:
            return True
        changed = sa.update(self.table).where(self.table.c.id == work_id, self.open_rows()).values(values)
        with nullcontext(connection) if connection is not None else transaction() as within:
            return within.execute(changed).rowcount > 0

    def progress(self, work_id: str, stopping: Stopping) -> Callable[[int], None]:
        """Return a function that notes how much is done, twice a second at most. It raises PutBack and Stopped."""
        noted_at: float | None = None

        def note(done: int) -> None:
            nonlocal noted_at
            if stopping():
                raise PutBack(LATER_S)
            if noted_at is None or time.monotonic() - noted_at >= NOTE_EVERY_S:
                noted_at = time.monotonic()
                if not self.change(work_id, status=RUNNING, done=done):
                    raise Stopped

        return note


class SealedKind(Kind[AnyWork]):
    """A kind of work whose rows hold what was asked for, sealed for the person who asked."""

    about: str
    """What a row is sealed for, before its id."""

    @abstractmethod
    def open(self, row: sa.Row[Any], asked: Mapping[str, Any]) -> AnyWork:
        """Return the work of a row with what was asked for."""

    def read(self, row: sa.Row[Any]) -> AnyWork | None:
        """Return the work of a row; None where the person who asked for it was erased."""
        try:
            return self.open(row, subjects.unseal(row.subject, f"{self.about}|{row.id}", row.nonce, row.ct))
        except subjects.Unreadable:
            return None

    def seal(self, work_id: str, person: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns that hold what was asked for."""
        return subjects.seal_columns(subjects.of_person(person), f"{self.about}|{work_id}", asked)


_JOB_GIVEN_UP = (
    f"b.created_at < now() - interval '1 minute' and {jobs.no_job('b.id')} and {jobs.given_up('b.id')}"
)
_END_GIVEN_UP = f"""
update console.enrolment_batch b set status = 'failed', why = %s, ended_at = %s where b.status = 'running' and {_JOB_GIVEN_UP} returning b.id
"""  # noqa: S608 (texts of ours)
_KEEP = """
insert into console.enrolment_answer (batch, line, record, status, reasons)
select %s, a.line, a.record, a.status, a.reasons::jsonb
from unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) as a (line, record, status, reasons) on conflict do nothing
"""
_REVIVE = """
update console.enrolment_batch set status = 'running', why = '', ended_at = null, total = nullif(total, done)
where id = %s and status = 'failed' returning 1
"""


class BatchKind(SealedKind[AnyWork]):
    """A kind of work that is kept in `enrolment_batch`, with the place that it has reached in what was asked for."""

    table = tables.enrolment_batch
    stopped = "cancelled"
    origin = ""
    """What tells its rows from those of the other kinds."""

    def conditions(self) -> Sequence[sa.ColumnElement[bool]]:
        """Return which rows of the table are of this kind."""
        return (self.table.c.origin == self.origin,)

    def ask(
        self, connection: Connection, actor: Actor, work_id: str, asked: Mapping[str, Any], **columns: Any
    ) -> bool:
        """Keep what the actor asks for, and put its job in; False where work of this id is there already."""
        given = {
            "person": actor.id,
            "origin": self.origin,
            "preview": False,
            "status": RUNNING,
            "created_at": clock.now(),
        }
        return self.add(connection, id=work_id, **given | self.seal(work_id, actor.id, asked) | columns)

    def seal_place(self, work: AnyWork, place: Mapping[str, Any]) -> bytes:
        """Return the column that holds the place that it has reached."""
        return subjects.lock(
            subjects.of_person(work.person), f"{self.about}|{work.id}", orjson.dumps(dict(place))
        )

    def open_place(self, row: sa.Row[Any]) -> dict[str, Any]:
        """Return the place that it has reached; empty before the first part is done."""
        return (
            dict(orjson.loads(subjects.unlock(row.subject, f"{self.about}|{row.id}", bytes(row.place))))
            if row.place
            else {}
        )

    def note_part(
        self,
        connection: Connection,
        work: AnyWork,
        place: Mapping[str, Any],
        answers: Sequence[tuple[int, str | None, str, Sequence[Any]]],
        **counts: int,
    ) -> str:
        """Add the counts of a part to its columns, with the place behind it and the answers (line, record, status, reasons) that are kept; its status."""
        columns = self.table.c
        changed = (
            sa.update(self.table).where(columns.id == work.id).values(place=self.seal_place(work, place))
        )
        changed = changed.values(why=sa.case((self.open_rows(), ""), else_=columns.why)).returning(
            columns.status
        )
        status = connection.execute(
            changed.values({name: columns[name] + count for name, count in counts.items()})
        ).scalar_one()
        lines, records, statuses, reasons = ([answer[at] for answer in answers] for at in range(4))
        connection.exec_driver_sql(
            _KEEP, (work.id, lines, records, statuses, [orjson.dumps(each).decode() for each in reasons])
        )
        return str(status)

    def resume(self, work_id: str) -> None:
        """Go on with what has broken off. Raises Conflict where it has not."""
        with transaction() as connection:
            connection.exec_driver_sql(
                "delete from queue.pgqueuer where dedupe_key = %s and status = 'failed'", (work_id,)
            )
            if not revive_batch(connection, work_id):
                raise Conflict("This is not broken off.", code="not_possible")
            self.enqueue(connection, work_id)


def revive_batch(connection: Connection, batch_id: str | None) -> bool:
    """Have a batch that has broken off under way again, with the transaction of `connection` that puts its job in; whether it had."""
    return connection.exec_driver_sql(_REVIVE, (batch_id,)).first() is not None


def end_given_up() -> int:
    """End the batches whose job was given up, and return how many; `console.operations.lost_jobs` puts in jobs that were lost."""
    ended = fetch(_END_GIVEN_UP, (GIVEN_UP, clock.now()))
    for (batch_id,) in ended:
        _log.error("alarm: %s broke off: its job was given up", batch_id)
    return len(ended)
