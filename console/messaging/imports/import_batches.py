"""Importing a file of contacts: looked at first, then done by a worker a thousand lines at a time, followed, stopped, and gone on with at the right line.

Before a thousand lines are written, their numbers are kept; with the events of what was written the place behind them. If a process dies in between, the next one
checks which of these lines were written. What was asked for is kept as a batch of the kind `import`, whose workflow is the collection.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import IO, Any

import sqlalchemy as sa

from console import log
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotFound
from console.infra import faults, jobs, subjects
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.infra.jobs import background
from console.infra.jobs.background import RUNNING, Stopped, Stopping, Work
from console.messaging.contacts import mapping
from console.messaging.imports import (
    cell_meanings,
    consent_columns,
    contact_files,
    import_mappings,
    import_writing,
    imported_records,
    imports,
    line_tags,
    opted_out_lines,
    preview_counts,
)
from console.messaging.imports.imports import CHANGED, NEW, REFUSED, Line, Outcome, Plan, Question
from console.messaging.imports.lines_before import LinesBefore, lines_before, no_lines_before
from console.messaging.messages import file_opt_outs

KIND, BEGUN = "import", "_do"
AT_HAND_S = 1.5
STOPPING = timedelta(minutes=10)
"""How long is waited for the lines that were begun when somebody stopped it: a process that died with them may have left them to nobody."""
FIRST, NAME_LENGTH = 10, 80
_LINES = (
    "select line, reasons from console.enrolment_answer where batch = %s and line > %s order by line limit %s"
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Import(Work):
    """A file that is looked at (`preview`) or imported: how far it is (`done` of `total` lines, None: not counted yet), what came of them so far, and which `words` somebody says the meaning of."""

    collection: str
    preview: bool
    new: int
    changed: int
    refused: int
    created_at: datetime
    ended_at: datetime | None
    question: Question
    place: Mapping[str, Any]
    words: cell_meanings.Words
    consents: int
    """How many were added, or would be."""
    withdrawn: int
    """How many contacts no longer agree by it, or would not."""
    opted_out: int
    """How many lines are about somebody who opted out."""
    agreed_again: int
    """How many consents stay, because they were given after the day that the file gives."""
    said_no: int
    """How many lines say a plain no that takes nothing back."""

    @property
    def unknown(self) -> cell_meanings.Words:
        """The words of which nobody has said what they mean."""
        return cell_meanings.unknown(self.words, self.question.meanings)

    @property
    def same(self) -> int:
        """Lines of contacts that are there already as the lines say."""
        return self.done - self.new - self.changed - self.refused

    @property
    def about(self) -> int | None:
        """About how many lines there are, by the ends of lines where nobody has counted them yet."""
        lines = self.question.file.lines
        return self.total if self.total is not None or not lines else max(lines - 1, self.done)

    @property
    def tags(self) -> int:
        """How many tags were put on contacts, or would be."""
        return int(self.place.get("tagged", 0) or self.place.get("tags", {}).get("put", 0))

    @property
    def followed(self) -> bool:
        """Whether its page asks again and again how far it is."""
        return self.under_way or self.stopping

    @property
    def stopping(self) -> bool:
        """Whether it was stopped a moment ago, and lines that were begun before that are still written: its counts are those before them."""
        return (
            self.status == IMPORTS.stopped
            and "begun" in self.place
            and self.ended_at is not None
            and log.now() - self.ended_at < STOPPING
        )


def keep(actor: Actor, collection_id: str, stream: IO[bytes], name: str = "") -> Import:
    """Store a file, which is called so, and look at it. Raises NotFound, NotAllowed, Invalid for a file that is none."""
    collection = imports.importable(actor, collection_id)
    file = contact_files.keep(
        new_id("imf"), actor.id, stream, PurePath(name.replace("\\", "/")).name[:NAME_LENGTH]
    )
    try:
        return look(
            actor,
            collection.id,
            import_mappings.recalled(actor, collection, imports.question_of(actor, collection, file)),
        )
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
    """
    collection = imports.importable(actor, collection_id)
    file = contact_files.keep(new_id("imf"), actor.id, stream)
    try:
        question = cell_meanings.with_meanings(
            collection,
            imports.question_told(actor, collection, file, headings, match),
            actor.id,
            meanings or {},
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
        [each for each in imports.unused_columns(question, person)[1] if each not in told]
        if question.same.get(imports.EVERYONE)
        else []
    )
    if perhaps:
        why = "It may say who agreed, or who wants nothing. Name what it is; an empty text says that it is not used."
        raise Invalid(
            "Not everybody may have agreed.",
            details=[(f"columns.{each}", why) for each in perhaps],
        )


def look(actor: Actor, collection_id: str, question: Question) -> Import:
    """Look at what would become of each line; nothing is changed. Raises NotFound, NotAllowed, Invalid."""
    imports.plan(actor, collection_id, question)
    return _begin(actor, collection_id, question, new_id("imp"), preview=True)


def look_again(
    actor: Actor, ident: str, question: Question, encoding: str | None = None, first_line: str | None = None
) -> Import:
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
    if found.under_way:
        raise Conflict("The file is still being read. Wait until it is read to its end.")
    imports.plan(actor, found.collection, found.question)
    import_mappings.remember(actor, found.collection, found.question)
    return _begin(actor, found.collection, found.question, found.id + BEGUN, preview=False, total=found.done)


def begun_from(found: Import) -> Import | None:
    """The import that was begun from a preview: it shows that, and offers it no more. Every other import: None."""
    return IMPORTS.find(found.id + BEGUN) if found.preview else None


def get(actor: Actor, ident: str) -> Import:
    """What this person asked for, as long as they may import. Raises NotFound for anybody else, NotAllowed."""
    found = IMPORTS.get(ident)
    if found.person != actor.id:
        raise NotFound(IMPORTS.missing)
    imports.importable(actor, found.collection)
    return found


def recent(actor: Actor, collection_id: str) -> list[Import]:
    """The person's newest imports into a collection, and files that are looked at, or were within a day and are not imported yet: each file once."""
    given = (collection_id, actor.id, log.now() - timedelta(days=1))
    found = (IMPORTS.find(ident) for (ident,) in fetch(_RECENT, given))
    return [each for each in found if each is not None]


def cancel(actor: Actor, ident: str) -> Import:
    """Read no more of it; what was imported stays. Raises NotFound, NotAllowed."""
    get(actor, ident)
    IMPORTS.stop(ident)
    return get(actor, ident)


def resume(actor: Actor, ident: str) -> Import:
    """Go on with one that has broken off, behind the lines that are done. Raises NotFound, NotAllowed, Conflict where it has not, or its file is gone."""
    found = get(actor, ident)
    if found.question.file.folder not in contact_files.folders():
        raise Conflict(
            "Its file is kept no more: send it again. What was imported stays.", code="not_possible"
        )
    IMPORTS.resume(ident)
    return get(actor, ident)


def first_lines(actor: Actor, found: Import) -> tuple[Plan, list[Line]]:
    """The first lines with what would become of them now. Raises NotFound, NotAllowed, Invalid."""
    plan = imports.plan(actor, found.collection, found.question)
    return plan, imports.judge(
        plan, next(cell_meanings.rows(found.question, found.person, 0), [])[:FIRST], no_lines_before
    )


def refused(ident: str, after: int = 0, *, limit: int = 50) -> list[tuple[int, list[str]]]:
    """(line, why) of lines that were refused, those after line `after`."""
    return [(int(row[0]), list(row[1])) for row in fetch(_LINES, (ident, after, limit))]


def causes(ident: str, *, most: int = 20) -> list[tuple[str, int]]:
    """(reason, how many lines) of what was refused, the most frequent first."""
    return [
        (row[0], int(row[1]))
        for row in fetch(_CAUSES, (ident, [opted_out_lines.NOTED, opted_out_lines.NOBODY], most))
    ]


def _begin(
    actor: Actor,
    collection_id: str,
    question: Question,
    ident: str,
    *,
    preview: bool,
    total: int | None = None,
) -> Import:
    columns = {"workflow": collection_id, "preview": preview, "folder": question.file.folder, "total": total}
    with transaction() as connection:
        if not IMPORTS.ask(connection, actor, ident, question.to_json(), **columns):
            return get(actor, ident)  # two presses of one button
        if not preview:
            kind = "contacts_imported" if mapping.is_contact(collection_id) else "records_imported"
            log.note(
                actor,
                kind,
                open={"batch": ident, "total": total},
                collection=collection_id,
                connection=connection,
            )
    until = time.monotonic() + AT_HAND_S
    IMPORTS.begin(ident, actor, lambda: time.monotonic() > until)
    return get(actor, ident)


class _Imports(background.BatchKind[Import]):
    job, about, origin = jobs.IMPORT, "contact import", KIND
    missing = "There is no such import: it is older than 30 days, or somebody was erased since, who may stand in its file."

    def open(self, row: sa.Row[Any], asked: Mapping[str, Any]) -> Import:
        place = self.open_place(row)
        return Import.from_row(
            row,
            collection=row.workflow,
            new=row.enrolled,
            changed=row.already_enrolled,
            question=Question.of_json(asked),
            place=place,
            words=place.get("unknown", {}),
            **{
                name: int(place.get(name, 0))
                for name in ("consents", "withdrawn", "opted_out", "agreed_again", "said_no")
            },
        )

    def lock(self, work: Import) -> str:
        """One file at a time goes into these contacts: of two at once both might add somebody."""
        return work.id if work.preview else f"contacts of {work.collection}"

    def goes_on(self, work: Import) -> bool:
        return work.under_way or "begun" in work.place

    def perform(self, work: Import, actor: Actor, stopping: Stopping) -> None:
        begun = _outcomes_begun(work)
        plan = imports.plan(actor, work.collection, work.question)
        place = {name: value for name, value in work.place.items() if name not in {"begun", "begun_new"}}
        seen = contact_files.companion_path(work.question.file, f"lines-{work.id}")
        with lines_before(seen, subjects.digest(work.id.encode(), "lines of a file")) as before:
            if not opted_out_lines.look_through(plan, work.person, before, stopping):
                raise jobs.PutBack(0.0)
            for part in cell_meanings.rows(work.question, work.person, int(place.get("line", 0))):
                if stopping():
                    raise jobs.PutBack(0.0)
                place = _one_part(plan, work, part, before, begun, place)
                begun = {}
        seen.unlink(missing_ok=True)


IMPORTS = _Imports()
advance = IMPORTS.advance


def _one_part(
    plan: Plan,
    batch: Import,
    part: Sequence[contact_files.Row],
    before: LinesBefore,
    begun: Mapping[int, Outcome],
    place: Mapping[str, Any],
) -> dict[str, Any]:
    """Do these lines, and keep the place behind them with what came of them; that place."""
    lines = opted_out_lines.with_opt_outs(
        plan, imports.judge(plan, part, before.first, begun, look=batch.preview), before
    )
    place = {**place, "line": int(place.get("line", 0)) + len(part)}
    if batch.preview or batch.under_way:
        place["unknown"] = cell_meanings.words_of(plan, part, place.get("unknown", {}))
        place["said_no"] = int(place.get("said_no", 0)) + consent_columns.plain_noes(plan.consents, part)
    if batch.preview:
        place["consents"] = int(place.get("consents", 0)) + sum(
            len(line.consents) for line in lines if line.outcome == NEW
        )
        place |= preview_counts.count_lines(plan, lines, place) | {
            "tags": line_tags.count_tags(lines, place.get("tags", {}))
        }
        opted_out_lines.taken_back(plan, lines, place)
        without = opted_out_lines.dropped(lines, preview=True)
        place["dropped"] = int(place.get("dropped", 0)) + len(without)
        with transaction() as connection:
            _note(connection, batch, lines, place, without)
        return place
    if not batch.under_way:  # stopped, or broken off: only what a dead process has done is still told
        lines = import_writing.as_far_as_written(lines)
    elif not _begun(batch, place, part, lines):
        raise Stopped
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
        _note(connection, batch, written.lines, place, without)
    faults.point("imports.told")
    if not batch.under_way:
        raise Stopped
    return place


def _begun(
    batch: Import, place: Mapping[str, Any], part: Sequence[contact_files.Row], lines: Sequence[Line]
) -> bool:
    """Keep which lines are written next, and which of them are new contacts; whether nobody has stopped it."""
    numbers = [line.number for line in lines if line.outcome in (NEW, CHANGED)]
    new = [line.number for line in lines if line.outcome == NEW]
    kept = {**place, "line": int(place["line"]) - len(part), "begun": numbers, "begun_new": new}
    return IMPORTS.change(batch.id, place=IMPORTS.seal_place(batch, kept), why="")


def _outcomes_begun(batch: Import) -> dict[int, Outcome]:
    """Line → what it was to become, of the lines that a process was writing when it died."""
    numbers = batch.place.get("begun", ())
    new = frozenset(batch.place.get("begun_new", () if batch.question.change else numbers))
    return {number: NEW if number in new else CHANGED for number in numbers}


def _note(
    connection: sa.Connection,
    batch: Import,
    lines: Sequence[Line],
    place: Mapping[str, Any],
    without: Sequence[Line] = (),
) -> None:
    """Note what came of the lines and the place behind them, with the transaction. Raises Stopped for a preview that nobody wants any more."""
    counts = Counter(line.outcome for line in lines)
    told = _joined([*(line for line in lines if line.outcome == REFUSED), *without])
    answers = [(line.number, None, REFUSED, line.reasons) for line in told]
    numbers = {"enrolled": counts[NEW], "already_enrolled": counts[CHANGED], "refused": counts[REFUSED]}
    if (
        IMPORTS.note_part(connection, batch, place, answers, done=len(lines), **numbers) != RUNNING
        and batch.preview
    ):
        raise Stopped


def _joined(lines: Sequence[Line]) -> list[Line]:
    """Each line once, with all its reasons."""
    joined: dict[int, Line] = {}
    for line in lines:
        joined[line.number] = (
            replace(line, reasons=(*joined[line.number].reasons, *line.reasons))
            if line.number in joined
            else line
        )
    return list(joined.values())
