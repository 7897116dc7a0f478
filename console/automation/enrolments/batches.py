"""Enrolling many at once: asked for and judged, done by a worker a thousand at a time, followed and stopped. A preview does the same and changes nothing.

Each thousand is one transaction with the place that it has reached: a process that dies has enrolled all of them or none, and goes on behind them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, Any

import sqlalchemy as sa

from console import browse
from console.auth import access
from console.automation.enrolments import batch_previews, erasing, whom_to_enrol
from console.automation.enrolments.admission import (
    ALREADY,
    AT_ONCE,
    ENROLLED,
    REFUSED,
    Answer,
    Entry,
    admit,
    judge,
)
from console.automation.enrolments.leaving_many import LEAVING
from console.automation.enrolments.places import partly
from console.automation.enrolments.targets import PAUSED, Target, find, require_open, require_target
from console.automation.enrolments.whom_to_enrol import Question
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.core.run.causes import Cause, cause_of_actor, causes_from_json, stored
from console.infra import faults, jobs
from console.infra.db.engine import fetch, read_rows, transaction
from console.infra.db.ids import new_id
from console.infra.jobs import background
from console.infra.jobs.background import DONE, Stopped, Stopping, Work
from console.messaging.imports import contact_files, import_batches
from console.messaging.messages.reachable import Reach

APART = (LEAVING, import_batches.KIND)
"""Kinds of batches that enrol nobody."""
PREVIEWED = 1_000
"""Answers of a preview that are kept to be read; all are counted."""
UNTOUCHED_S = 3600.0
_FOLDERS = """
select folder from console.enrolment_batch
where folder is not null and (ended_at is null or preview or status = 'failed' or created_at > now() - interval '1 day')
"""
_FORGET = "delete from console.enrolment_batch where created_at < now() - interval '30 days' and status <> 'running' returning folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Work):
    """Many who are enrolled at once: what was asked for, how many are looked at, and what came of them so far."""

    workflow: str
    origin: str
    preview: bool
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
        return (
            self.total
            if self.total is not None or file is None or not file.lines
            else max(file.lines - 1, self.done)
        )

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
        reach = self.reach.to_json() if self.preview and self.reach.channels else None
        exits = (
            [{"reason": reason, "count": count} for reason, count in self.exits.items()]
            if self.preview
            else None
        )
        return self.progress_json() | {
            "preview": self.preview,
            "counts": counts,
            "reach": reach,
            "exits": exits,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one of a batch: `row` is its place or line. Of a record that the reader may not see, it is known that there is one."""

    row: int
    status: str
    reasons: Sequence[Mapping[str, str]]
    record: str | None = None
    title: str | None = None
    lead_id: str | None = None
    run_id: str | None = None


def keep_file(actor: Actor, slug_or_id: str, stream: IO[bytes]) -> contact_files.ContactFile:
    """Store a file of contacts, for a question of this person. Raises NotFound, NotAllowed, Invalid."""
    require_open(require_target(actor, slug_or_id, "start"))
    return contact_files.keep(new_id("enf"), actor.id, stream)


def question_of_file(
    actor: Actor, target: Target, stream: IO[bytes], values: Mapping[str, Any] | None = None
) -> Question:
    """Store a file of contacts and ask for everybody in it, its columns known by their headings. Raises as `keep_file`."""
    file = keep_file(actor, target.slug, stream)
    headings, lines = contact_files.sample(file, actor.id)
    return Question(
        file=file, columns=whom_to_enrol.columns_of(actor, target, headings, lines), values=values or {}
    )


def begin(
    actor: Actor, slug_or_id: str, question: Question, *, preview: bool = False, ident: str | None = None
) -> Batch:
    """Enrol whom the question names, in the background; at once where they are named and no more than a thousand. `ident`: its id, where it is begun once only.

    Raises NotFound, NotAllowed, Conflict `not_active`, and Invalid or Malformed for a question that cannot be answered.
    """
    target = require_target(actor, slug_or_id, "start")
    require_open(target)
    _check(target, question)
    causes = (Cause("schedule", trigger=question.trigger) if question.trigger else cause_of_actor(actor),)
    question = replace(question, caused_by=stored(causes, addresses=True))
    matched = whom_to_enrol.with_match(actor, target, question)
    whom_to_enrol.require_values(target, matched)
    batch_id = ident or new_id("enr")
    columns = {
        "workflow": target.id,
        "origin": matched.origin,
        "preview": preview,
        "folder": matched.file.folder if matched.file else None,
        "total": whom_to_enrol.total(actor, target, matched),
    }
    with transaction() as connection:
        added = BATCHES.ask(connection, actor, batch_id, matched.to_json(), **columns)
    if added and matched.file is None and len(matched.keys or matched.rows or range(AT_ONCE + 1)) <= AT_ONCE:
        BATCHES.begin(batch_id, actor)
    return BATCHES.get(batch_id)


def confirmed(actor: Actor, batch_id: str) -> Batch:
    """Enrol whom a preview has shown, once: asked again it answers what was begun then. Raises what `begin` raises, and NotFound for the preview of somebody else."""
    found = get(actor, batch_id)
    return begun_from(found) or begin(
        actor, found.workflow, found.question, ident=found.id + import_batches.BEGUN
    )


def begun_from(found: Batch) -> Batch | None:
    """What was begun from a preview; None where nothing was, and for what is no preview."""
    return BATCHES.find(found.id + import_batches.BEGUN) if found.preview else None


def get(actor: Actor, batch_id: str) -> Batch:
    """What this person asked for and still sees, or anybody who may start the workflow and sees all of its records. Raises NotFound."""
    found = BATCHES.get(batch_id)
    own = found.person == actor.id
    target = require_target(actor, found.workflow, "see" if own else "start")
    if not own and partly(actor, target):
        raise NotFound(BATCHES.missing)
    return found


def cancel(actor: Actor, batch_id: str) -> Batch:
    """Enrol no more of them; who is in stays in. Raises NotFound, NotAllowed."""
    found = get(actor, batch_id)
    require_target(actor, found.workflow, "start")
    BATCHES.stop(batch_id)
    return BATCHES.get(batch_id)


def resume(actor: Actor, batch_id: str) -> Batch:
    """Go on with one that has broken off, behind those who are in. Raises NotFound, NotAllowed, Conflict where it has not, or its file is gone."""
    found = get(actor, batch_id)
    require_open(require_target(actor, found.workflow, "start"))
    if found.question.file is not None and found.question.file.folder not in contact_files.folders():
        raise Conflict(
            "Its file is kept no more: send it again. Who is in already stays as they are.",
            code="not_possible",
        )
    BATCHES.resume(batch_id)
    return BATCHES.get(batch_id)


def answers(
    actor: Actor, batch_id: str, status: str | None = None, *, limit: int = 50, after: int | None = None
) -> tuple[list[Row], int | None]:
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
    target = require_target(actor, found.workflow, "see")
    titles = _titles(actor, target, [row[1] for row in rows if row[1] is not None])
    shown = []
    for line, record, came_to, reasons, lead, run in rows[:limit]:
        hidden = record is not None and record not in titles
        shown.append(
            Row(line, came_to, reasons)
            if hidden
            else Row(line, came_to, reasons, record, titles.get(record), lead, run)
        )
    return shown, int(rows[limit - 1][0]) if len(rows) > limit else None


def causes(found: Batch, *, most: int = 20) -> list[tuple[str, str, int]]:
    """(status, reason, how many of them), those with most first; of a preview all are counted, also those whose answers are not kept."""
    if batch_previews.CAUSES in found.place:
        return sorted(
            (tuple(each) for each in found.place[batch_previews.CAUSES]),
            key=lambda each: (-each[2], each[:2]),
        )[:most]
    statement = """
        select a.status, coalesce(a.reasons->0->>'reason', ''), count(*) from console.enrolment_answer a where a.batch = %s
        group by 1, 2 order by 3 desc, 1, 2 limit %s
    """
    return [(row[0], row[1], int(row[2])) for row in fetch(statement, (found.id, most))]


def newest(actor: Actor, target: Target, *, most: int = 5) -> list[Batch]:
    """The batches of a workflow that `get` gives the actor and that were no previews, the newest first, without what was asked for; one statement."""
    columns = BATCHES.table.c
    theirs = [columns.person == actor.id] if partly(actor, target) else []
    wanted = (
        BATCHES.rows(columns.workflow == target.id, sa.not_(columns.preview), *theirs)
        .order_by(columns.created_at.desc())
        .limit(most)
    )
    return [Batch.from_row(row, question=Question(), place={}) for row in read_rows(wanted)]


def sweep() -> int:
    """Delete batches after 30 days, and the bytes of files that no batch names an hour after they came; returns how many batches."""
    gone = fetch(_FORGET)
    erasing.forget_late()
    named = {folder for (folder,) in fetch(_FOLDERS)}
    for folder in set(contact_files.folders(untouched_s=UNTOUCHED_S)) - named:
        contact_files.forget(folder)
    return len(gone)


class _Batches(background.BatchKind[Batch]):
    job, about = jobs.ENROL, "enrolment batch"
    missing = "There is no such enrolment, or it is older than 30 days."

    def conditions(self) -> Sequence[sa.ColumnElement[bool]]:
        return (self.table.c.origin.not_in(APART),)

    def open(self, row: sa.Row[Any], asked: Mapping[str, Any]) -> Batch:
        return Batch.from_row(row, question=Question.of_json(asked), place=self.open_place(row))

    def perform(self, work: Batch, actor: Actor, stopping: Stopping) -> None:
        if work.place.get("end"):
            return
        target = require_target(actor, work.workflow, "start")
        if target.status == PAUSED:
            raise jobs.PutBack(background.LATER_S)
        require_open(target)
        _check(
            target, work.question
        )  # once done it is forgotten whom it named: nobody may never become everybody
        told, answers_kept = batch_previews.told_so_far(work.place), work.already_enrolled + work.refused
        causes = causes_from_json(work.question.caused_by)
        entry = Entry(
            actor, work.origin, work.question.trigger, batch=work.id, caused_by=causes, chain=work.id
        )
        for candidates, place in whom_to_enrol.chunks(actor, target, work.question, work.person, work.place):
            if stopping() or (not work.preview and (jobs.paused() or find(target.id).status == PAUSED)):
                raise jobs.PutBack(background.LATER_S)
            if work.preview:
                answered = judge(target, candidates)
                told = batch_previews.added(told, target, candidates, answered)
            with transaction() as connection:
                if not work.preview:
                    answered = admit(connection, target, candidates, entry)
                _note(
                    connection,
                    work,
                    answered,
                    place | told,
                    keep=not work.preview or answers_kept < PREVIEWED,
                )
            answers_kept += sum(answer.status != ENROLLED for answer in answered)
            if not work.preview:
                faults.point("enrolments.batch")

    def ended(self, work: Batch, status: str) -> None:
        """Forget what was asked for once everybody is in: lists of people and files of contacts go."""
        if status == DONE and not work.preview:
            with transaction() as connection:
                nothing = self.seal(work.id, work.person, Question().to_json())
                connection.execute(sa.update(self.table).where(self.table.c.id == work.id).values(nothing))
            if work.question.file is not None:
                contact_files.forget(work.question.file.folder)


BATCHES = _Batches()
advance = BATCHES.advance


def _note(
    connection: sa.Connection,
    batch: Batch,
    answered: Sequence[Answer],
    place: Mapping[str, Any],
    *,
    keep: bool,
) -> None:
    """Note the answers and the place with the transaction. Raises Stopped where it was cancelled."""
    counts = Counter(answer.status for answer in answered)
    told = [
        (each.line, each.record, each.status, [dict(reason) for reason in each.reasons])
        for each in answered
        if keep and each.status != ENROLLED
    ]
    numbers = {"enrolled": counts[ENROLLED], "already_enrolled": counts[ALREADY], "refused": counts[REFUSED]}
    if BATCHES.note_part(connection, batch, place, told, done=len(answered), **numbers) != background.RUNNING:
        raise Stopped


def _check(target: Target, question: Question) -> None:
    given = [name for name in ("keys", "rows", "file") if getattr(question, name) is not None]
    if question.segment or question.filter or question.q or question.whole:
        given.append("list")
    if len(given) != 1:
        raise Invalid(
            "Say whom to enrol in one way.",
            at=("records", "Exactly one of records, filter, segment, rows and csv."),
        )
    if question.keys is not None and len(question.keys) > whom_to_enrol.MOST_NAMED:
        raise Invalid(
            "These are too many records.",
            at=("records", f"At most {whom_to_enrol.MOST_NAMED:,}: use a filter or a segment."),
        )
    if any("\x00" in str(key) for key in question.keys or ()):
        raise Invalid("A key holds a NUL character.", at=("records", "Nothing is called like this."))
    if target.collection is None and given[0] in ("keys", "list"):
        raise Invalid(
            "This workflow is about no records.",
            at=("records", "Enrol rows with values, or a file of contacts."),
        )


def _titles(actor: Actor, target: Target, keys: Sequence[str]) -> Mapping[str, str]:
    """Return key → title of the records that the actor sees."""
    if target.collection is None or not keys:
        return {}
    try:
        return browse.titles(
            actor, target.collection, keys, access.scope_for(actor, target.collection, "read")
        )
    except ConsoleError:
        return {}


def with_columns(
    question: Question,
    columns: Mapping[str, str],
    *,
    match: str | None = None,
    encoding: str | None = None,
    first_line: str | None = None,
) -> Question:
    """The question of a file with the names of its columns, and how a person says that it is read (`contact_files.read_as`)."""
    if question.file is None:
        return question
    return replace(
        question,
        columns=dict(columns),
        match=match,
        file=contact_files.read_as(question.file, encoding, first_line),
    )
