"""Importing a file of contacts: looked at first, then done by a worker a thousand lines at a time, followed, stopped, and gone on with at the right line.

Before a thousand lines are written, their numbers are kept; with the events of what was written the place behind them. If a process dies in between, the next one
checks which of these lines were written. What was asked for is kept as a batch of the kind `import`, whose workflow is the collection.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import PurePath
from typing import IO, Any

import orjson
import sqlalchemy as sa

from console import accounts, faults, log, queue, subjects
from console.contacts import (
    broken_off,
    cell_meanings,
    consent_columns,
    contact_files,
    import_mappings,
    import_writing,
    imported_records,
    imports,
    kept_imports,
    line_tags,
    mapping,
    opted_out_lines,
    preview_counts,
)
from console.contacts.imports import CHANGED, NEW, REFUSED, SAME, Line, Outcome, Plan, Question
from console.contacts.kept_imports import CANCELLED, DONE, FAILED, RUNNING, Import
from console.contacts.lines_before import LinesBefore, lines_before, no_lines_before
from console.core.actor import Actor
from console.db import tables
from console.db.engine import alone, fetch, transaction
from console.db.ids import new_id
from console.db.troubles import UNSTORABLE
from console.errors import Conflict, ConsoleError, Invalid, NotFound, SourceDown
from console.messages import file_opt_outs

BEGUN = "_do"
AT_HAND_S, LATER_S = 1.5, 2.0
FIRST, NAME_LENGTH = 10, 80
_log = logging.getLogger(__name__)
_BEGUN = "update console.enrolment_batch set place = %s, why = '' where id = %s and status = 'running' returning 1"
_TOLD = """
update console.enrolment_batch set done = done + %(done)s, enrolled = enrolled + %(new)s, already_enrolled = already_enrolled + %(changed)s,
    refused = refused + %(refused)s, place = %(place)s where id = %(id)s returning status
"""
_KEEP = """
insert into console.enrolment_answer (batch, line, record, status, reasons)
select %s, a.line, null, 'refused', a.reasons::jsonb from unnest(%s::bigint[], %s::text[]) as a (line, reasons) on conflict do nothing
"""
_END = "update console.enrolment_batch set status = %s, why = %s, ended_at = %s, total = coalesce(total, done) where id = %s and status = 'running' returning 1"
_LINES = "select line, reasons from console.enrolment_answer where batch = %s and line > %s order by line limit %s"
_CAUSES = (
    "select r.reason, count(distinct a.line) from console.enrolment_answer a cross join lateral jsonb_array_elements_text(a.reasons) r(reason)"
    " where a.batch = %s and r.reason not like 'It stands on line %%' and r.reason <> all(%s) group by 1 order by 2 desc, 1 limit %s"
)
_RECENT = """
select id from (
    select distinct on (coalesce(nullif(folder, ''), id)) id, created_at from console.enrolment_batch where workflow = %s and origin = 'import' and person = %s
        and (status = 'running' or not preview or (status = 'done' and created_at > %s))
    order by coalesce(nullif(folder, ''), id), created_at desc, id desc) as newest
order by created_at desc limit 5
"""


class _Stopped(Exception):
    """Somebody stopped it meanwhile."""


def keep(actor: Actor, collection_id: str, stream: IO[bytes], name: str = "") -> Import:
    """Store a file, which is called so, and look at it. Raises NotFound, NotAllowed, Invalid for a file that is none."""
    collection = imports.importable(actor, collection_id)
    file = contact_files.keep(new_id("imf"), actor.id, stream, PurePath(name.replace("\\", "/")).name[:NAME_LENGTH])
    try:
        return look(actor, collection.id, import_mappings.recalled(actor, collection, imports.question_of(actor, collection, file)))
    except Invalid:
        contact_files.forget(file.folder)
        raise


def send(
    actor: Actor,
    collection_id: str,
    stream: IO[bytes],
    *,
    headings: Mapping[str, str],
    match: str | None,
    change: bool,
    same: Mapping[str, Any],
    preview: bool,
    meanings: Mapping[str, Mapping[str, str]] | None = None,
) -> Import:
    """Import a file that nobody looks at first, or with `preview` only look at it. Raises NotFound, NotAllowed, Invalid.

    `headings` is heading → field where its words do not say it, `meanings` heading → word → the value that it means.
    """  # fmt: skip
    collection = imports.importable(actor, collection_id)
    file = contact_files.keep(new_id("imf"), actor.id, stream)
    try:
        question = cell_meanings.with_meanings(
            collection, imports.question_told(actor, collection, file, headings, match), actor.id, meanings or {}
        )
        imports.plan(actor, collection.id, asked := replace(question, change=change, same=same))
        _require_looked_at(asked, actor.id, set(headings))
    except Invalid:
        contact_files.forget(file.folder)
        raise
    return _begin(actor, collection.id, asked, new_id("imp"), preview=preview)


def _require_looked_at(question: Question, person: str, told: set[str]) -> None:
    """Where everybody in the file is said to have agreed, a column that may say otherwise has to be named. Raises Invalid.

    `told` are the headings of which somebody has said what they are.
    """
    perhaps = (
        [each for each in imports.unused_columns(question, person)[1] if each not in told] if question.same.get(imports.EVERYONE) else []
    )
    if perhaps:
        why = "It may say who agreed, or who wants nothing. Name what it is; an empty text says that it is not used."
        raise Invalid("Not everybody may have agreed.", details=[{"field": f"columns.{each}", "reason": why} for each in perhaps])


def look(actor: Actor, collection_id: str, question: Question) -> Import:
    """Look at what would become of each line; nothing is changed. Raises NotFound, NotAllowed, Invalid."""
    imports.plan(actor, collection_id, question)
    return _begin(actor, collection_id, question, new_id("imp"), preview=True)


def look_again(actor: Actor, ident: str, question: Question, encoding: str | None = None, first_line: str | None = None) -> Import:
    """The same file with other columns, another encoding, with a heading or without (`contact_files.read_as`), or other answers. Raises NotFound, NotAllowed, Invalid."""
    found = get(actor, ident)
    asked = replace(question, file=contact_files.read_as(found.question.file, encoding, first_line))
    imports.plan(actor, found.collection, asked)
    cancel(actor, ident)
    return look(actor, found.collection, asked)


def confirm(actor: Actor, ident: str) -> Import:
    """Import what a preview has shown, once, and remember what its columns and words mean. Raises NotFound, NotAllowed, Conflict while the file is still looked at."""
    found = get(actor, ident)
    if not found.preview:
        return found
    if found.running:
        raise Conflict("The file is still being read. Wait until it is read to its end.")
    imports.plan(actor, found.collection, found.question)
    import_mappings.remember(actor, found.collection, found.question)
    return _begin(actor, found.collection, found.question, found.id + BEGUN, preview=False, total=found.done)


def begun_from(found: Import) -> Import | None:
    """The import that was begun from a preview: it shows that, and offers it no more. Every other import: None."""
    return kept_imports.read(found.id + BEGUN) if found.preview else None


def get(actor: Actor, ident: str) -> Import:
    """What this person asked for, as long as they may import. Raises NotFound for anybody else, NotAllowed."""
    found = kept_imports.read(ident)
    if found is None or found.person != actor.id:
        raise NotFound("There is no such import: it is older than 30 days, or somebody was erased since, who may stand in its file.")
    imports.importable(actor, found.collection)
    return found


def recent(actor: Actor, collection_id: str) -> list[Import]:
    """The person's newest imports into a collection, and files that are looked at, or were within a day and are not imported yet: each file once."""
    given = (collection_id, actor.id, log.now() - timedelta(days=1))
    found = [kept_imports.read(ident) for (ident,) in fetch(_RECENT, given)]
    return [each for each in found if each is not None]


def cancel(actor: Actor, ident: str) -> Import:
    """Read no more of it; what was imported stays. Raises NotFound, NotAllowed."""
    get(actor, ident)
    fetch(_END, (CANCELLED, "", log.now(), ident))
    return get(actor, ident)


def resume(actor: Actor, ident: str) -> Import:
    """Go on with one that has broken off, behind the lines that are done. Raises NotFound, NotAllowed, Conflict where it has not, or its file is gone."""
    found = get(actor, ident)
    if found.question.file.folder not in contact_files.folders():
        raise Conflict("Its file is kept no more: send it again. What was imported stays.", code="not_possible")
    with transaction() as connection:
        if not broken_off.again(connection, ident):
            raise Conflict("This is not broken off.", code="not_possible")
        queue.enqueue(connection, queue.IMPORT, ident, dedupe_key=ident)
    return get(actor, ident)


def first_lines(actor: Actor, found: Import) -> tuple[Plan, list[Line]]:
    """The first lines with what would become of them now. Raises NotFound, NotAllowed, Invalid."""
    plan = imports.plan(actor, found.collection, found.question)
    return plan, imports.judge(plan, next(cell_meanings.rows(found.question, found.person, 0), [])[:FIRST], no_lines_before)


def refused(ident: str, after: int = 0, *, limit: int = 50) -> list[tuple[int, list[str]]]:
    """(line, why) of lines that were refused, those after line `after`."""
    return [(int(row[0]), list(row[1])) for row in fetch(_LINES, (ident, after, limit))]


def causes(ident: str, *, most: int = 20) -> list[tuple[str, int]]:
    """(reason, how many lines) of what was refused, the most frequent first."""
    return [(row[0], int(row[1])) for row in fetch(_CAUSES, (ident, [opted_out_lines.NOTED, opted_out_lines.NOBODY], most))]


# ------------------------------------------------------------------------------------------------------- in the background


def advance(ident: str, stopping: Callable[[], bool] = lambda: False) -> None:
    """A worker's way in: goes on until it is done, with the rights of who asked. Raises PutBack where the process ends before."""
    found = kept_imports.read(ident)
    if found is None or (not found.running and "begun" not in found.place):
        return
    try:
        actor = accounts.actor_of_person(found.person, "sys:engine")
    except ConsoleError as error:
        fetch(_END, (FAILED, error.words, log.now(), ident))
        return
    _finish(found, actor, stopping)


def _begin(actor: Actor, collection_id: str, question: Question, ident: str, *, preview: bool, total: int | None = None) -> Import:
    subject = subjects.of_person(actor.id)
    kid, nonce, ciphertext = subjects.seal(subject, kept_imports.about(ident), question.to_json())
    row = {
        "id": ident, "workflow": collection_id, "person": actor.id, "origin": kept_imports.KIND, "preview": preview, "subject": subject, "kid": kid, "nonce": nonce,
        "ct": ciphertext, "folder": question.file.folder, "status": RUNNING, "total": total, "created_at": log.now(),
    }  # fmt: skip
    with transaction() as connection:
        if is_there(connection, ident):  # two presses of one button
            return get(actor, ident)
        connection.execute(sa.insert(tables.enrolment_batch).values(**row))
        queue.enqueue(connection, queue.IMPORT, ident, dedupe_key=ident)
        if not preview:
            kind = "contacts_imported" if mapping.is_contact(collection_id) else "records_imported"
            log.note(actor, kind, open={"batch": ident, "total": total}, collection=collection_id, connection=connection)
    until = time.monotonic() + AT_HAND_S
    with broken_off.left_to_its_job():
        _finish(get(actor, ident), actor, lambda: time.monotonic() > until)
    return get(actor, ident)


def is_there(connection: sa.Connection, ident: str) -> bool:
    """Whether a batch of this id was begun; nobody else begins one until the transaction ends."""
    connection.exec_driver_sql("select pg_advisory_xact_lock(hashtext(%s))", (ident,))
    return connection.execute(sa.select(tables.enrolment_batch.c.id).where(tables.enrolment_batch.c.id == ident)).first() is not None


def _finish(found: Import, actor: Actor, stopping: Callable[[], bool]) -> None:
    with alone(found.id if found.preview else f"contacts of {found.collection}") as mine:
        if not mine:  # another file goes into these contacts: of two at once both might add somebody
            raise queue.PutBack(LATER_S)
        now = kept_imports.read(found.id)
        if now is None:
            return
        try:
            _go_on(now, actor, stopping)
        except _Stopped:
            return
        except queue.PutBack:
            raise
        except SourceDown as down:
            broken_off.waits_for_source(found.id, down.message)
            raise queue.PutBack(broken_off.SOURCE_S) from down
        except ConsoleError as error:
            reason = next((str(each["reason"]) for each in error.details if each.get("reason")), "")
            words = error.words if reason in error.words else f"{error.words} {reason}"
            fetch(_END, (FAILED, words, log.now(), found.id))
        except sa.exc.DataError:
            fetch(_END, (FAILED, UNSTORABLE, log.now(), found.id))
            raise
        except Exception as error:
            broken_off.surprised(found.id, error)
            raise
        else:
            fetch(_END, (DONE, "", log.now(), found.id))


def _go_on(batch: Import, actor: Actor, stopping: Callable[[], bool]) -> None:
    begun = _outcomes_begun(batch)
    if not batch.running and not begun:
        return
    plan = imports.plan(actor, batch.collection, batch.question)
    place = {name: value for name, value in batch.place.items() if name not in {"begun", "begun_new"}}
    seen = contact_files.beside(batch.question.file, f"lines-{batch.id}")
    with lines_before(seen, subjects.digest(batch.id.encode(), "lines of a file")) as before:
        if not opted_out_lines.look_through(plan, batch.person, before, stopping):
            raise queue.PutBack(0.0)
        for part in cell_meanings.rows(batch.question, batch.person, int(place.get("line", 0))):
            if stopping():
                raise queue.PutBack(0.0)
            place = _one_part(plan, batch, part, before, begun, place)
            begun = {}
    seen.unlink(missing_ok=True)


def _one_part(
    plan: Plan,
    batch: Import,
    part: Sequence[contact_files.Row],
    before: LinesBefore,
    begun: Mapping[int, Outcome],
    place: Mapping[str, Any],
) -> dict[str, Any]:
    """Do these lines, and keep the place behind them with what came of them; that place."""
    lines = opted_out_lines.with_opt_outs(plan, imports.judge(plan, part, before.first, begun, look=batch.preview), before)
    place = {**place, "line": int(place.get("line", 0)) + len(part)}
    if batch.preview or batch.running:
        place["unknown"] = cell_meanings.words_of(plan, part, place.get("unknown", {}))
        place["said_no"] = int(place.get("said_no", 0)) + consent_columns.plain_noes(plan.consents, part)
    if batch.preview:
        place["consents"] = int(place.get("consents", 0)) + sum(len(line.consents) for line in lines if line.outcome == NEW)
        place |= preview_counts.counted(plan, lines, place) | {"tags": line_tags.counted(lines, place.get("tags", {}))}
        opted_out_lines.taken_back(plan, lines, place)
        without = opted_out_lines.dropped(lines, preview=True)
        place["dropped"] = int(place.get("dropped", 0)) + len(without)
        with transaction() as connection:
            _tell(connection, batch, lines, place, without)
        return place
    if not batch.running:  # stopped, or broken off: only what a dead process has done is still told
        lines = import_writing.as_far_as_written(lines)
    elif not _begun(batch, place, part, lines):
        raise _Stopped
    faults.point("imports.write.before")
    written = import_writing.write(plan, lines)
    seen = imported_records.seen_of_added(plan, written.lines)
    faults.point("imports.tell.before")
    place["consents"] = int(place.get("consents", 0)) + written.consents
    taken_back = opted_out_lines.taken_back(plan, written.lines, place)
    without = [*written.without, *opted_out_lines.dropped(written.lines, preview=False)]
    place["dropped"] = int(place.get("dropped", 0)) + len(without) - len(written.without)
    with transaction() as connection:
        tagged = import_writing.put_tags(plan, written, connection)
        place["tagged"] = int(place.get("tagged", 0)) + len(tagged)
        imported_records.keep(connection, plan, batch.id, written.lines, seen)
        import_writing.note(plan.actor, written, batch.id, connection)
        import_writing.note_tags(plan, tagged, batch.id, connection)
        if taken_back is not None:
            source = f"{file_opt_outs.FILE} {batch.question.file.name}".strip()
            file_opt_outs.note(plan.actor, taken_back, source, batch.id, connection)
        _tell(connection, batch, written.lines, place, without)
    faults.point("imports.told")
    if not batch.running:
        raise _Stopped
    return place


def _begun(batch: Import, place: Mapping[str, Any], part: Sequence[contact_files.Row], lines: Sequence[Line]) -> bool:
    """Keep which lines are written next, and which of them are new contacts; whether nobody has stopped it."""
    numbers = [line.number for line in lines if line.outcome in (NEW, CHANGED)]
    new = [line.number for line in lines if line.outcome == NEW]
    kept = {**place, "line": int(place["line"]) - len(part), "begun": numbers, "begun_new": new}
    return bool(fetch(_BEGUN, (_locked(batch, kept), batch.id)))


def _outcomes_begun(batch: Import) -> dict[int, Outcome]:
    """Line → what it was to become, of the lines that a process was writing when it died."""
    numbers = batch.place.get("begun", ())
    new = frozenset(batch.place.get("begun_new", () if batch.question.change else numbers))
    return {number: NEW if number in new else CHANGED for number in numbers}


def _tell(connection: sa.Connection, batch: Import, lines: Sequence[Line], place: Mapping[str, Any], without: Sequence[Line] = ()) -> None:
    """Keep what came of the lines and the place behind them, with the transaction. Raises _Stopped for a preview that nobody wants any more."""
    not_in = [line for line in lines if line.outcome == REFUSED]
    told = _joined([*not_in, *without])
    columns = ([line.number for line in told], [orjson.dumps(line.reasons).decode() for line in told])
    counts = {name: sum(line.outcome == name for line in lines) for name in (NEW, CHANGED, SAME)}
    parameters = {
        "id": batch.id, "done": len(lines), "new": counts[NEW], "changed": counts[CHANGED], "refused": len(not_in), "place": _locked(batch, place),
    }  # fmt: skip
    status = connection.exec_driver_sql(_TOLD, parameters).scalar()
    connection.exec_driver_sql(_KEEP, (batch.id, *columns))
    if status != RUNNING and batch.preview:
        raise _Stopped


def _joined(lines: Sequence[Line]) -> list[Line]:
    """Each line once, with all its reasons."""
    joined: dict[int, Line] = {}
    for line in lines:
        joined[line.number] = replace(line, reasons=(*joined[line.number].reasons, *line.reasons)) if line.number in joined else line
    return list(joined.values())


def _locked(batch: Import, place: Mapping[str, Any]) -> bytes:
    return subjects.lock(subjects.of_person(batch.person), kept_imports.about(batch.id), orjson.dumps(dict(place)))
