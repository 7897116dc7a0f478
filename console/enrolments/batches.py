"""Enrolling many at once: asked for and judged, done by a worker a thousand at a time, followed and stopped. A preview does the same and changes nothing.

Each thousand is one transaction with the place that it has reached: a process that dies has enrolled all of them or none, and goes on behind them.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, Any

import orjson
import sqlalchemy as sa

from console import access, accounts, browse, faults, log, queue, subjects
from console.contacts import broken_off, contact_files, import_batches, kept_imports
from console.core.actor import Actor
from console.core.run.causes import Cause, cause_of_actor, causes_from_json, stored
from console.db import tables
from console.db.engine import alone, fetch, transaction
from console.db.ids import new_id
from console.db.troubles import UNSTORABLE
from console.enrolments import batch_previews, erasing, whom_to_enrol
from console.enrolments.admission import ALREADY, AT_ONCE, ENROLLED, REFUSED, Answer, Entry, admit, judge
from console.enrolments.leaving_many import LEAVING
from console.enrolments.places import partly
from console.enrolments.targets import PAUSED, Target, find, require_open, seen
from console.enrolments.whom_to_enrol import Question
from console.errors import Conflict, ConsoleError, Invalid, NotFound, SourceDown
from console.messages.reachable import Reach

RUNNING, DONE, CANCELLED, FAILED = "running", "done", "cancelled", "failed"
LATER_S = 2.0
APART = (LEAVING, kept_imports.KIND)
"""Kinds of batches that enrol nobody."""
PREVIEWED = 1_000
"""Answers of a preview that are kept to be read; all are counted."""
_log = logging.getLogger(__name__)
_TELL = """
update console.enrolment_batch set done = done + %(done)s, enrolled = enrolled + %(enrolled)s, already_enrolled = already_enrolled + %(already)s,
    refused = refused + %(refused)s, place = %(place)s, why = '' where id = %(id)s and status = 'running' returning refused + already_enrolled
"""
_KEEP = """
insert into console.enrolment_answer (batch, line, record, status, reasons)
select %s, a.line, a.record, a.status, a.reasons::jsonb from unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) as a (line, record, status, reasons)
on conflict do nothing
"""
_END = "update console.enrolment_batch set status = %s, why = %s, ended_at = %s, total = coalesce(total, done) where id = %s and status = 'running' returning person"
UNTOUCHED_S = 3600.0
_FORGET = "delete from console.enrolment_batch where created_at < now() - interval '30 days' and status <> 'running' returning folder"


@dataclass(frozen=True, slots=True)
class Batch:
    """Many who are enrolled at once: what was asked for, how far it is (`done` of `total`, None: not known yet), and what came of them so far."""

    id: str
    workflow: str
    person: str
    origin: str
    preview: bool
    status: str
    why: str
    total: int | None
    done: int
    enrolled: int
    already_enrolled: int
    refused: int
    created_at: datetime
    ended_at: datetime | None
    question: Question
    place: Mapping[str, Any]

    @property
    def about(self) -> int | None:
        """About how many there are in all: of a file whose lines nobody has counted, what its ends of lines say."""
        file = self.question.file
        return self.total if self.total is not None or file is None or not file.lines else max(file.lines - 1, self.done)

    @property
    def reach(self) -> Reach:
        """Of a preview: whom the workflow's messages would reach, of those who would be enrolled and have been looked at so far."""
        return Reach.of_json(self.place.get(batch_previews.REACH))

    @property
    def exits(self) -> Mapping[str, int]:
        """Of a preview: reason of an exit → how many of those who would be enrolled it would take out again at once."""
        return dict(self.place.get(batch_previews.EXITS, {}))

    def to_json(self) -> dict[str, Any]:
        """As the API tells it."""
        counts = {name: getattr(self, name) for name in ("enrolled", "already_enrolled", "refused")}
        fields = {"id": self.id, "status": self.status, "preview": self.preview, "counts": counts, "total": self.total, "done": self.done}
        reach = self.reach.to_json() if self.preview and self.reach.channels else None
        told = [{"reason": reason, "count": count} for reason, count in self.exits.items()]
        return fields | {"why": self.why or None, "reach": reach, "exits": told if self.preview else None}


class _Stopped(Exception):
    """Somebody cancelled it meanwhile."""


def keep_file(actor: Actor, slug_or_id: str, stream: IO[bytes]) -> contact_files.ContactFile:
    """Store a file of contacts, for a question of this person. Raises NotFound, NotAllowed, Invalid."""
    require_open(seen(actor, slug_or_id, "start"))
    return contact_files.keep(new_id("enf"), actor.id, stream)


def question_of_file(actor: Actor, target: Target, stream: IO[bytes], values: Mapping[str, Any] | None = None) -> Question:
    """Store a file of contacts and ask for everybody in it, its columns known by their headings. Raises as `keep_file`."""
    file = keep_file(actor, target.slug, stream)
    headings, lines = contact_files.sample(file, actor.id)
    return Question(file=file, columns=whom_to_enrol.columns_of(actor, target, headings, lines), values=values or {})


def begin(actor: Actor, slug_or_id: str, question: Question, *, preview: bool = False, ident: str | None = None) -> Batch:
    """Enrol whom the question names, in the background; at once where they are named and no more than a thousand. `ident`: its id, where it is begun once only.

    Raises NotFound, NotAllowed, Conflict `not_active`, and Invalid or Malformed for a question that cannot be answered.
    """
    target = seen(actor, slug_or_id, "start")
    require_open(target)
    _check(target, question)
    causes = (Cause("schedule", trigger=question.trigger) if question.trigger else cause_of_actor(actor),)
    question = replace(question, caused_by=stored(causes, addresses=True))
    matched = whom_to_enrol.with_match(actor, target, question)
    whom_to_enrol.require_values(target, matched)
    batch_id, subject = ident or new_id("enr"), subjects.of_person(actor.id)
    kid, nonce, ciphertext = subjects.seal(subject, _about(batch_id), matched.to_json())
    row = {
        "id": batch_id, "workflow": target.id, "person": actor.id, "origin": matched.origin, "preview": preview, "subject": subject, "kid": kid,
        "nonce": nonce, "ct": ciphertext, "folder": matched.file.folder if matched.file else None, "status": RUNNING,
        "total": whom_to_enrol.total(actor, target, matched), "created_at": log.now(),
    }  # fmt: skip
    with transaction() as connection:
        if ident is not None and import_batches.is_there(connection, ident):  # two presses of one button
            return _batch(ident)
        connection.execute(sa.insert(tables.enrolment_batch).values(**row))
        queue.enqueue(connection, queue.ENROL, batch_id, dedupe_key=batch_id)
    if matched.file is None and len(matched.keys or matched.rows or range(AT_ONCE + 1)) <= AT_ONCE:
        with broken_off.left_to_its_job():
            _finish(_batch(batch_id), actor, lambda: False)
    return _batch(batch_id)


def confirmed(actor: Actor, batch_id: str) -> Batch:
    """Enrol whom a preview has shown, once: asked again it answers what was begun then. Raises what `begin` raises, and NotFound for the preview of somebody else."""
    found = get(actor, batch_id)
    return begun_from(found) or begin(actor, found.workflow, found.question, ident=found.id + import_batches.BEGUN)


def begun_from(found: Batch) -> Batch | None:
    """What was begun from a preview; None where nothing was, and for what is no preview."""
    return _read(found.id + import_batches.BEGUN) if found.preview else None


def get(actor: Actor, batch_id: str) -> Batch:
    """What this person asked for and still sees, or anybody who may start the workflow and sees all of its records. Raises NotFound."""
    found = _batch(batch_id)
    own = found.person == actor.id
    target = seen(actor, found.workflow, "see" if own else "start")
    if not own and partly(actor, target):
        raise NotFound("There is no such enrolment, or it is older than 30 days.")
    return found


def cancel(actor: Actor, batch_id: str) -> Batch:
    """Enrol no more of them; who is in stays in. Raises NotFound, NotAllowed."""
    found = get(actor, batch_id)
    seen(actor, found.workflow, "start")
    fetch(_END, (CANCELLED, "", log.now(), batch_id))
    return _batch(batch_id)


def resume(actor: Actor, batch_id: str) -> Batch:
    """Go on with one that has broken off, behind those who are in. Raises NotFound, NotAllowed, Conflict where it has not, or its file is gone."""
    found = get(actor, batch_id)
    require_open(seen(actor, found.workflow, "start"))
    if found.question.file is not None and found.question.file.folder not in contact_files.folders():
        raise Conflict("Its file is kept no more: send it again. Who is in already stays as they are.", code="not_possible")
    with transaction() as connection:
        if not broken_off.again(connection, batch_id):
            raise Conflict("This is not broken off.", code="not_possible")
        queue.enqueue(connection, queue.ENROL, batch_id, dedupe_key=batch_id)
    return _batch(batch_id)


def answers(
    actor: Actor, batch_id: str, status: str | None = None, *, limit: int = 50, after: int | None = None
) -> tuple[list[dict[str, Any]], int | None]:
    """(the answers after line `after`, None: from the first, which of rows is 0; the line of the last one where there are more). `status` None: those who were not enrolled.

    Enrolled are read from the enrolments. Records are named as far as the actor sees them.
    """
    found, since = get(actor, batch_id), -1 if after is None else after
    if status == ENROLLED:
        statement = "select e.line, e.record, 'enrolled', '[]'::jsonb, e.id, e.run from console.enrolment e where e.batch = %s and e.line > %s order by e.line limit %s"
        rows = fetch(statement, (batch_id, since, limit + 1))
    else:
        wanted = [status] if status else [ALREADY, REFUSED]
        statement = (
            "select a.line, a.record, a.status, a.reasons, null, null from console.enrolment_answer a"
            " where a.batch = %s and a.line > %s and a.status = any(%s) order by a.line limit %s"
        )
        rows = fetch(statement, (batch_id, since, wanted, limit + 1))
    visible = _visible(actor, found, [row[1] for row in rows if row[1] is not None])
    rows_shown = [
        {
            "row": row[0], "record": row[1] if row[1] in visible else None, "title": visible.get(row[1]), "status": row[2], "reasons": row[3],
        } | dict(zip(("lead_id", "run_id"), row[4:] if row[1] is None or row[1] in visible else (None, None), strict=True))
        for row in rows[:limit]
    ]  # fmt: skip
    return rows_shown, int(rows[limit - 1][0]) if len(rows) > limit else None


def causes(found: Batch, *, most: int = 20) -> list[tuple[str, str, int]]:
    """(status, reason, how many of them), those with most first; of a preview all are counted, also those whose answers are not kept."""
    if batch_previews.CAUSES in found.place:
        return sorted((tuple(each) for each in found.place[batch_previews.CAUSES]), key=lambda each: (-each[2], each[:2]))[:most]
    statement = """
        select a.status, coalesce(a.reasons->0->>'reason', ''), count(*) from console.enrolment_answer a where a.batch = %s
        group by 1, 2 order by 3 desc, 1, 2 limit %s
    """
    return [(row[0], row[1], int(row[2])) for row in fetch(statement, (found.id, most))]


def newest(actor: Actor, target: Target, *, most: int = 5) -> list[Batch]:
    """The batches of a workflow that `get` gives the actor and that were no previews, the newest first, without what was asked for; one statement."""
    kept = tables.enrolment_batch
    theirs = (kept.c.workflow == target.id, sa.not_(kept.c.preview), kept.c.origin.not_in(APART))
    wanted = (
        sa.select(kept)
        .where(*theirs, *([kept.c.person == actor.id] if partly(actor, target) else []))
        .order_by(kept.c.created_at.desc())
        .limit(most)
    )
    with transaction() as connection:
        return [_of_row(row, Question(), {}) for row in connection.execute(wanted)]


def sweep() -> int:
    """Delete batches after 30 days, and the bytes of files that no batch names an hour after they came; returns how many batches."""
    gone = fetch(_FORGET)
    erasing.forget_late()
    named = {
        row[0]
        for row in fetch(
            "select folder from console.enrolment_batch where folder is not null and (ended_at is null or preview or status = 'failed')"
        )
    }
    kept = {
        row[0]
        for row in fetch("select folder from console.enrolment_batch where folder is not null and created_at > now() - interval '1 day'")
    }
    for folder in set(contact_files.folders(untouched_s=UNTOUCHED_S)) - named - kept:
        contact_files.forget(folder)
    return len(gone)


# ------------------------------------------------------------------------------------------------------- in the background


def advance(batch_id: str, stopping: Callable[[], bool] = lambda: False) -> None:
    """A worker's way in: goes on until it is done, with the rights of who asked. Raises PutBack where the process ends before."""
    found = _read(batch_id)
    if found is None or found.status != RUNNING:
        return
    try:
        actor = accounts.actor_of_person(found.person, "sys:engine")
    except ConsoleError as error:
        fetch(_END, (FAILED, error.words, log.now(), batch_id))
        return
    _finish(found, actor, stopping)


def _finish(found: Batch, actor: Actor, stopping: Callable[[], bool]) -> None:
    with alone(found.id) as mine:
        if not mine:
            raise queue.PutBack(LATER_S)
        try:
            _go_on(_batch(found.id), actor, stopping)
        except _Stopped:
            return
        except queue.PutBack:
            raise
        except SourceDown as down:
            broken_off.waits_for_source(found.id, down.message)
            raise queue.PutBack(broken_off.SOURCE_S) from down
        except ConsoleError as error:
            reason = next((str(each["reason"]) for each in error.details if each.get("reason")), "")
            fetch(_END, (FAILED, f"{error.words} {reason}".strip(), log.now(), found.id))
        except sa.exc.DataError:
            fetch(_END, (FAILED, UNSTORABLE, log.now(), found.id))
            raise
        except Exception as error:
            broken_off.surprised(found.id, error)
            raise
        else:
            fetch(_END, (DONE, "", log.now(), found.id))
            _let_go(found)


def _let_go(done: Batch) -> None:
    """What was asked for is needed no more once everybody is in: lists of people and files of contacts go."""
    if done.preview:
        return
    kid, nonce, ciphertext = subjects.seal(subjects.of_person(done.person), _about(done.id), Question().to_json())
    named = "update console.enrolment_batch set kid = %s, nonce = %s, ct = %s where id = %s and status <> 'running' returning folder"
    for (folder,) in fetch(named, (kid, nonce, ciphertext, done.id)):
        if folder is not None:
            contact_files.forget(folder)


def _go_on(batch: Batch, actor: Actor, stopping: Callable[[], bool]) -> None:
    if batch.status != RUNNING or batch.place.get("end"):
        return
    target = seen(actor, batch.workflow, "start")
    if target.status == PAUSED:
        raise queue.PutBack(LATER_S)
    require_open(target)
    _check(target, batch.question)  # once done it is forgotten whom it named: nobody may never become everybody
    told = batch_previews.told_so_far(batch.place)
    causes = causes_from_json(batch.question.caused_by)
    entry = Entry(actor, batch.origin, batch.question.trigger, batch=batch.id, caused_by=causes, chain=batch.id)
    for candidates, place in whom_to_enrol.chunks(actor, target, batch.question, batch.person, batch.place):
        if stopping() or (not batch.preview and (queue.paused() or find(target.id).status == PAUSED)):
            raise queue.PutBack(LATER_S)
        if batch.preview:
            answered = judge(target, candidates)
            told = batch_previews.added(told, target, candidates, answered)
            with transaction() as connection:
                _tell(connection, batch, answered, place | told)
            continue
        with transaction() as connection:
            _tell(
                connection,
                batch,
                admit(connection, target, candidates, entry),
                place,
            )
        faults.point("enrolments.batch")


def _tell(connection: sa.Connection, batch: Batch, answered: Sequence[Answer], place: Mapping[str, Any]) -> None:
    """Keep the answers and the place with the transaction. Raises _Stopped where it was cancelled."""
    not_in = [answer for answer in answered if answer.status != ENROLLED]
    parameters = {
        "id": batch.id,
        "done": len(answered),
        "enrolled": len(answered) - len(not_in),
        "already": sum(answer.status == ALREADY for answer in not_in),
        "refused": sum(answer.status == REFUSED for answer in not_in),
        "place": subjects.lock(subjects.of_person(batch.person), _about(batch.id), orjson.dumps(dict(place))),
    }
    row = connection.exec_driver_sql(_TELL, parameters).first()
    if row is None:
        raise _Stopped
    if batch.preview and int(row[0]) - len(not_in) >= PREVIEWED:
        return
    columns = (
        [answer.line for answer in not_in],
        [answer.record for answer in not_in],
        [answer.status for answer in not_in],
        [orjson.dumps([dict(reason) for reason in answer.reasons]).decode() for answer in not_in],
    )
    connection.exec_driver_sql(_KEEP, (batch.id, *columns))


def _check(target: Target, question: Question) -> None:
    given = [name for name in ("keys", "rows", "file") if getattr(question, name) is not None]
    if question.segment or question.filter or question.q or question.whole:
        given.append("list")
    if len(given) != 1:
        raise Invalid("Say whom to enrol in one way.", at=("records", "Exactly one of records, filter, segment, rows and csv."))
    if question.keys is not None and len(question.keys) > whom_to_enrol.MOST_NAMED:
        raise Invalid("These are too many records.", at=("records", f"At most {whom_to_enrol.MOST_NAMED:,}: use a filter or a segment."))
    if any("\x00" in str(key) for key in question.keys or ()):
        raise Invalid("A key holds a NUL character.", details=[{"field": "records", "reason": "Nothing is called like this."}])
    if target.collection is None and given[0] in ("keys", "list"):
        raise Invalid("This workflow is about no records.", at=("records", "Enrol rows with values, or a file of contacts."))


def _visible(actor: Actor, batch: Batch, keys: Sequence[str]) -> dict[str, str]:
    target = seen(actor, batch.workflow, "see")
    if target.collection is None or not keys:
        return {}
    try:
        found = browse.titles(actor, target.collection, keys, access.scope_for(actor, target.collection, "read"))
    except ConsoleError:
        return {}
    return dict(found.items())


def _batch(batch_id: str) -> Batch:
    found = _read(batch_id)
    if found is None:
        raise NotFound("There is no such enrolment, or it is older than 30 days.")
    return found


def _read(batch_id: str) -> Batch | None:
    kept = tables.enrolment_batch
    if "\x00" in batch_id:
        return None
    with transaction() as connection:
        row = connection.execute(sa.select(kept).where(kept.c.id == batch_id, kept.c.origin.not_in(APART))).first()
    if row is None:
        return None
    try:
        stored = subjects.unseal(row.subject, _about(row.id), row.nonce, row.ct)
        place = orjson.loads(subjects.unlock(row.subject, _about(row.id), bytes(row.place))) if row.place else {}
    except subjects.Unreadable:
        return None
    return _of_row(row, Question.of_json(stored), place)


def _of_row(row: sa.Row[Any], question: Question, place: Mapping[str, Any]) -> Batch:
    names = ("id", "workflow", "person", "origin", "preview", "status", "why", "total", "done", "enrolled", "already_enrolled", "refused")
    columns = {name: getattr(row, name) for name in (*names, "created_at", "ended_at")}
    return Batch(**columns, question=question, place=place)


def with_columns(
    question: Question, columns: Mapping[str, str], *, match: str | None = None, encoding: str | None = None, first_line: str | None = None
) -> Question:
    """The question of a file with the names of its columns, and how a person says that it is read (`contact_files.read_as`)."""
    if question.file is None:
        return question
    return replace(question, columns=dict(columns), match=match, file=contact_files.read_as(question.file, encoding, first_line))


def _about(batch_id: str) -> str:
    return f"enrolment batch|{batch_id}"
