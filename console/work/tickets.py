"""Tickets: what waits in an inbox, in which order it is taken, and who holds it.

To do are, in this order: runs that were handed on with priority urgent to normal (by priority, then those that wait longest), runs that
were saved or released, records of the inbox's segment without a live run of its workflow, and runs that were handed on with priority low.
A ticket whose record the reader may not see is neither listed nor counted. Two people who take at the same time get two tickets: taking
resumes or takes over the run, or starts the only live one of the record.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import Any

from console import log, records, runs, workflows
from console.auth import access, accounts
from console.automation import enrolments
from console.browse import naming
from console.core.actor import Actor
from console.core.documents.collections import Field
from console.core.errors import (
    Conflict,
    DefinitionError,
    Invalid,
    Malformed,
    NotAllowed,
    NotFound,
    SourceDown,
)
from console.core.plain_words import roles_words
from console.records import Record
from console.runs import RunHead
from console.runs.views import handovers, queues
from console.runs.views.queues import Place
from console.work import due_times
from console.work.waiting_records import (
    CAP,
    NOTHING_LATE,
    Late,
    WaitingRecords,
    count_free,
    free_records,
    is_waiting,
    lateness,
    waiting_records,
)
from console.workflows import inboxes
from console.workflows.inboxes import Inbox

HANDED_ON, PUT_DOWN, RECORDS, LOW = "handed", "down", "records", "low"
STAGES = (HANDED_ON, PUT_DOWN, RECORDS, LOW)
ABOVE_LOW = ("urgent", "high", "normal")
TAKEN_AT_ONCE = 20
MOST_SEARCHED, MOST_OFFERED = 500, 30
MOST_PREVIEWED, MOST_COMPARED, TICKETS_PER_PAGE = 5, 1_000, 200


@dataclass(frozen=True, slots=True)
class Ticket:
    """One entry of an inbox: a run, or a record that waits for one. `since` is when it came in or was taken; None for a record."""

    id: str
    title: str
    kind: str
    priority: str = "normal"
    collection: str | None = None
    record: str | None = None
    run: RunHead | None = None
    since: datetime | None = None
    reason: str = ""
    by_name: str = ""
    sorted_by: tuple[Field, Any] | None = (
        None  # of a record: the field that the list is sorted by, and its value
    )
    due: date | None = (
        None  # of a record: the day by which it is to be worked on; of a run: the moment when its time is used up
    )

    def to_json(self) -> dict[str, Any]:
        """The ticket as one of a list of the API."""
        run = self.run
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "priority": self.priority,
            "collection": self.collection,
            "record": self.record,
            "run": run.id if run else None,
            "step": run.step if run else None,
            "holder": run.holder if run else None,
            "since": log.body.moment(self.since) if self.since else None,
            "due": due_times.due_text(self.due),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Count:
    """Number of tickets to do; with `more` there are more than were counted, which people read as "10,000+".

    With `down` the records were not counted, and `why` says the reason: their source does not answer, or the inbox names a field or segment that is gone.
    """

    to_do: int
    more: bool = False
    down: bool = False
    late: Late = NOTHING_LATE
    why: str = field(default="", compare=False)

    def to_json(self) -> dict[str, Any]:
        """The inbox in the shape of the API, without the number of late tickets."""
        return {"to_do": self.to_do, "more": self.more, "down": self.down}


@dataclass(frozen=True, slots=True)
class Page:
    """Some tickets and the cursor of those after them. `down` is the reason why records are missing; None where none are."""

    tickets: list[Ticket]
    next: str | None
    down: str | None = None


# ---------------------------------------------------------------------------------------------------------------- lists


def to_do(actor: Actor, inbox_id: str, *, limit: int = 50, after: str | None = None) -> Page:
    """Tickets that the actor could take, in the order in which they are taken. Listed records are noted in the log.

    Raises NotFound, and Malformed for a cursor that is not ours.
    """
    inbox = inboxes.visible_inbox(actor, inbox_id)
    page = _to_do(actor, inbox, limit, after)
    _note_listed(actor, inbox, page.tickets, more=page.next is not None)
    return page


def _note_listed(actor: Actor, inbox: Inbox, shown: Sequence[Ticket], *, more: bool) -> None:
    listed = sum(ticket.run is None for ticket in shown)
    if listed and inbox.source is not None:
        values = {"count": listed, "more": more} | (
            {"segment": inbox.source.segment} if inbox.source.segment else {}
        )
        collection = records.collection(inbox.source.collection)
        log.note(actor, "record_listed", open=values, source=collection.source, collection=collection.id)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an inbox with other rules would have to do, and what of that differs from now; at most `MOST_COMPARED` tickets are compared, `more` says that there are more.

    `first` are those that are taken first, `people` who takes them, at most `MOST_OFFERED`.
    """

    count: Count
    first: Sequence[Ticket]
    people: Sequence[Actor]
    enter: int = 0
    leave: int = 0
    due_changes: int = 0
    more: bool = False
    down: str | None = None


def preview(actor: Actor, wanted: Inbox, now: Inbox | None, *, same_clock: bool) -> Preview:
    """What would come of these rules for who manages the inbox; `now` is the inbox as it is. Callers judge the right. The listed records are noted in the log."""
    found, more, down = _compared(actor, wanted)
    former, more_before, _ = _compared(actor, now) if now is not None else ({}, False, None)
    first = list(found.values())[:MOST_PREVIEWED]
    _note_listed(actor, wanted, first, more=len(found) > len(first))
    return Preview(
        count(actor, [wanted])[wanted.id],
        first,
        workers(wanted),
        len(found.keys() - former.keys()),
        len(former.keys() - found.keys()),
        sum(
            found[ident].due != former[ident].due
            or (not same_clock and found[ident].kind == "handed_on" and found[ident].run is not None)
            for ident in found.keys() & former.keys()
        ),
        more or more_before,
        down,
    )


def _compared(actor: Actor, inbox: Inbox) -> tuple[dict[str, Ticket], bool, str | None]:
    """Id → ticket in the order in which they are taken, whether there are more, and why records are missing."""
    found: dict[str, Ticket] = {}
    after, down = None, None
    while True:
        page = _to_do(actor, inbox, TICKETS_PER_PAGE, after)
        found |= {ticket.id: ticket for ticket in page.tickets}
        after, down = page.next, down or page.down
        if after is None or len(found) >= MOST_COMPARED:
            return found, after is not None, down


def _to_do(actor: Actor, inbox: Inbox, limit: int, after: str | None) -> Page:
    first, mark = _read_cursor(after)
    tickets: list[Ticket] = []
    down: str | None = None
    for number, stage in enumerate(STAGES[first:], first):
        try:
            of_stage, next_mark = _stage(actor, inbox, stage, limit - len(tickets), mark)
        except SourceDown as error:
            of_stage, next_mark, down = [], None, error.message
        except (DefinitionError, Invalid) as error:
            of_stage, next_mark, down = (
                [],
                None,
                f"{error.message} This inbox names it: whoever made the inbox has to name what is there now.",
            )
        tickets += of_stage
        if next_mark is not None:
            return Page(tickets, f"{stage}~{next_mark}", down)
        if len(tickets) == limit:
            return Page(tickets, _next_stage(actor, inbox, number + 1), down)
        mark = ""
    return Page(tickets, None, down)


def _next_stage(actor: Actor, inbox: Inbox, number: int) -> str | None:
    """The cursor of the first stage from this number on that has a ticket."""
    for stage in STAGES[number:]:
        try:
            if _stage(actor, inbox, stage, 1, "")[0]:
                return f"{stage}~"
        except (SourceDown, DefinitionError, Invalid):
            continue
    return None


def _stage(actor: Actor, inbox: Inbox, stage: str, limit: int, mark: str) -> tuple[list[Ticket], str | None]:
    """At most `limit` tickets of one kind after the mark, and the mark of those after them."""
    if stage == RECORDS:
        waiting = waiting_records(actor, inbox)
        if waiting is None:
            return [], None
        rows, cursor = free_records(actor, waiting, limit, mark or None)
        return [
            _record_ticket(waiting, row) for row in naming.called(actor, waiting.collection, rows)
        ], cursor
    place = _place(mark) if mark else None
    if stage == PUT_DOWN:
        heads, last = queues.saved_runs(actor, inbox.id, _workflow_id(inbox), limit=limit, after=place)
    else:
        heads, last = queues.tickets(
            actor, inbox.id, ("low",) if stage == LOW else ABOVE_LOW, limit=limit, after=place
        )
    return _tickets(actor, heads), _mark(last)


def doing(
    actor: Actor, inbox_id: str, *, limit: int = 50, after: str | None = None
) -> tuple[list[Ticket], str | None]:
    """Tickets that the actor holds, the oldest first, and the cursor of those after them. Raises NotFound, and Malformed for a cursor that is not ours."""
    return _held(actor, inboxes.visible_inbox(actor, inbox_id), limit, after, holder=actor.id)


def backlog(
    actor: Actor, inbox_id: str, *, limit: int = 50, after: str | None = None
) -> tuple[list[Ticket], str | None]:
    """Tickets that anybody holds, and the cursor of those after them; for those who manage the inbox.

    Raises NotFound, NotAllowed, and Malformed for a cursor that is not ours.
    """
    inbox = inboxes.visible_inbox(actor, inbox_id)
    access.require(actor, inbox.team, f"inbox:{inbox.id}", "manage")
    return _held(actor, inbox, limit, after)


def count(actor: Actor, counted: Sequence[Inbox]) -> dict[str, Count]:
    """Inbox id → number of tickets that the actor could take: one statement for the runs of all, two or three per inbox with records, three more where they have a due day."""
    of_runs = queues.counts(actor, {inbox.id: _workflow_id(inbox) for inbox in counted})
    counts = {}
    for inbox in counted:
        free, more, late, why = 0, False, NOTHING_LATE, ""
        try:
            waiting = waiting_records(actor, inbox)
            if waiting:
                free, more = count_free(actor, waiting)
                late = lateness(actor, waiting)
        except SourceDown:
            why = "The source of its records does not answer"
        except (DefinitionError, Invalid) as error:
            gone = "segment" if error.code == "segment_gone" else "field"
            why = f"It names a {gone} that its records no longer have"
        waiting_runs, overdue = of_runs[inbox.id]
        total = waiting_runs + free
        late = late._replace(overdue=late.overdue + overdue)
        counts[inbox.id] = Count(min(total, CAP), more or total > CAP, bool(why), late, why)
    return counts


def inbox_of_run(actor: Actor, run_id: str, workflow: str) -> Inbox | None:
    """The inbox that the run was taken from, else the one whose records start its workflow; None where the actor works in neither."""
    working = [inbox for inbox in inboxes.all_inboxes() if inboxes.may(actor, inbox, "work")]
    taken_from = queues.taken_from(run_id) if working else None
    by_records = [
        inbox for inbox in working if inbox.source is not None and inbox.source.workflow == workflow
    ]
    return next(
        (inbox for inbox in [*(inbox for inbox in working if inbox.id == taken_from), *by_records]), None
    )


def people(actor: Actor, inbox_id: str, text: str = "") -> list[Actor]:
    """People who work in the inbox and whose name or address contains the text, by name; for those who manage it."""
    inbox = inboxes.visible_inbox(actor, inbox_id)
    access.require(actor, inbox.team, f"inbox:{inbox.id}", "manage")
    return workers(inbox, text)


def workers(inbox: Inbox, text: str = "") -> list[Actor]:
    """People who work in the inbox and whose name or address contains the text, by name. Without rights: callers judge."""
    return [person for person in accounts.search(text, MOST_SEARCHED) if inboxes.may(person, inbox, "work")][
        :MOST_OFFERED
    ]


def _tickets(actor: Actor, heads: Iterable[RunHead]) -> list[Ticket]:
    """Runs that wait, as tickets with the names of those who handed them on."""
    heads = list(heads)
    names = accounts.names({str(head.ticket["by"]) for head in heads if head.ticket and head.ticket["by"]})
    due = due_times.due_of(heads, partial(access.scope_for, actor, act="read"))
    with runs.judged_once(head.id for head in heads):
        return [replace(_run_ticket(actor, head, names), due=due.get(head.id)) for head in heads]


def _run_ticket(actor: Actor, head: RunHead, names: dict[str, str]) -> Ticket:
    handed_on = head.ticket or {}
    may_read = not handed_on.get("reason") or runs.words_of_event(
        actor, head.workflow_id, head.version, None, kind="escalate", run=head.id
    )
    return Ticket(
        id=head.id,
        title=head.record_title or head.workflow_title,
        kind="handed_on" if handed_on.get("reason") else "saved",
        priority=handed_on.get("priority", "normal"),
        collection=head.collection,
        record=head.record,
        run=head,
        since=datetime.fromisoformat(handed_on["at"]) if handed_on else head.active_at,
        reason=(handed_on.get("reason") or "") if may_read else "",
        by_name=names.get(handed_on.get("by") or "", ""),
    )


def _held(
    actor: Actor, inbox: Inbox, limit: int, after: str | None, *, holder: str | None = None
) -> tuple[list[Ticket], str | None]:
    place = _place(after) if after else None
    heads, last = queues.held_runs(
        actor, inbox.id, _workflow_id(inbox), limit=limit, holder=holder, after=place
    )
    taken_at = queues.taken_at([head.id for head in heads], inbox.id)
    due = due_times.due_of(heads, partial(access.scope_for, actor, act="read"))
    found = [
        Ticket(
            id=head.id,
            title=head.record_title or head.workflow_title,
            kind="in_hand",
            collection=head.collection,
            record=head.record,
            run=head,
            since=taken_at.get(head.id, head.created_at),
            due=due.get(head.id),
        )
        for head in heads
    ]
    return found, _mark(last)


def _record_ticket(waiting: WaitingRecords, row: Record) -> Ticket:
    name = waiting.sort_field
    field = waiting.collection.field(name) if name in row.values else None
    sorted_by = (field, row.values[field.name]) if field else None
    ticket = Ticket(
        f"record:{row.key}",
        row.title,
        "record",
        collection=waiting.collection.id,
        record=row.key,
        sorted_by=sorted_by,
    )
    return replace(
        ticket,
        due=due_times.due_day(row.values.get(waiting.due_field), waiting.due_days)
        if waiting.due_field
        else None,
    )


def _workflow_id(inbox: Inbox) -> str | None:
    """The id of the workflow that the inbox's records start."""
    known = workflows.find_known(inbox.source.workflow) if inbox.source else None
    return known.id if known is not None else None


# --------------------------------------------------------------------------------------------------------------- taking


def take_next(actor: Actor, inbox_id: str) -> str:
    """Take the next ticket: first what was assigned to the actor and they have done no step of. Returns the id of its run, which the actor then holds.

    Raises NotFound, NotAllowed for those who only manage the inbox, Conflict `inbox_empty` where there is nothing to take, Invalid where
    the workflow's start asks for more than the inbox gives, SourceDown.
    """
    inbox = inboxes.visible_inbox(actor, inbox_id)
    _require_work(actor, inbox)
    if (mine := _assigned(actor, inbox) or _at_most(actor, inbox)) is not None:
        return mine
    after: str | None = None
    while True:
        page = _to_do(actor, inbox, TAKEN_AT_ONCE, after)
        for ticket in page.tickets:
            run_id = _try_to_take(actor, inbox, ticket)
            if run_id is not None:
                return run_id
        after = page.next
        if after is None:
            if page.down:
                raise SourceDown(page.down)
            raise Conflict(f"Nothing is left to take in {inbox.title}.", code="inbox_empty")


def _assigned(actor: Actor, inbox: Inbox) -> str | None:
    """The oldest run of the inbox that somebody else assigned to the actor, and in which nobody has done a step since."""
    held, _ = queues.held_runs(actor, inbox.id, _workflow_id(inbox), limit=TAKEN_AT_ONCE, holder=actor.id)
    waiting = [head.id for head in held if head.status == "waiting_person"]
    assigned = handovers.assigned_by_others(actor.id, waiting)
    return next((run for run in waiting if run in assigned), None)


def _at_most(actor: Actor, inbox: Inbox) -> str | None:
    """The oldest run of the inbox that the actor holds, where they have as many as one person may have; else None."""
    if inbox.most is None:
        return None
    held, _ = queues.held_runs(actor, inbox.id, _workflow_id(inbox), limit=inbox.most, holder=actor.id)
    return held[0].id if len(held) >= inbox.most else None


def take(actor: Actor, inbox_id: str, ticket_id: str) -> str:
    """Take a ticket that is to do. Raises as `take_next` does, and Conflict `ticket_taken` where somebody else was faster."""
    inbox = inboxes.visible_inbox(actor, inbox_id)
    _require_work(actor, inbox)
    if _at_most(actor, inbox) is not None:
        raise Conflict(
            f"You have {inbox.most} of {inbox.title}, which is the most for one person. Finish or release one first.",
            code="ticket_taken",
        )
    run_id = _try_to_take(actor, inbox, ticket_by_id(actor, inbox, ticket_id))
    if run_id is None:
        raise Conflict(
            "Somebody else took this ticket, or it has left the inbox. Take the next one.",
            code="ticket_taken",
        )
    return run_id


def _require_work(actor: Actor, inbox: Inbox) -> None:
    if not inboxes.may(actor, inbox, "work"):
        needed = f" It is for {roles_words(inbox.roles)}." if inbox.roles else ""
        raise NotAllowed(
            f"You manage {inbox.title}, and do not work in it.{needed}", need=(f"inbox:{inbox.id}", "work")
        )


def ticket_by_id(actor: Actor, inbox: Inbox, ticket_id: str) -> Ticket:
    """The ticket with this id as it is now. Raises NotFound where the inbox has no such ticket."""
    kind, _, key = ticket_id.partition(":")
    if kind == "record":
        waiting = waiting_records(actor, inbox)
        if waiting is None or not is_waiting(waiting, key):
            raise NotFound
        return Ticket(ticket_id, key, "record", collection=waiting.collection.id, record=key)
    head = runs.head(actor, ticket_id)
    if head is None or not _is_in(inbox, head):
        raise NotFound
    return _run_ticket(actor, head, {})


def _is_in(inbox: Inbox, head: RunHead) -> bool:
    if head.ticket is not None:
        return bool(head.ticket["inbox"] == inbox.id)
    return head.workflow_id == _workflow_id(inbox) or bool(queues.taken_at([head.id], inbox.id))


def _try_to_take(actor: Actor, inbox: Inbox, ticket: Ticket) -> str | None:
    """The id of the run, which the actor then holds; None where somebody else was faster or the ticket left the inbox."""
    try:
        if ticket.run is None:
            return start_ticket(actor, inbox, ticket)
        # The revision is that of the list: with it nobody, not even who may take over at once, takes what was taken a moment ago.
        take_run = runs.resume if ticket.run.status in queues.WAITING else runs.take_over
        take_run(actor, ticket.run.id, revision=ticket.run.revision)
        return ticket.run.id
    except (Conflict, NotFound, NotAllowed):
        return None


def start_ticket(actor: Actor, inbox: Inbox, ticket: Ticket) -> str:
    """Start the run of a ticket that is a record; returns its id. Raises as `enrolments.start` does."""
    source = inbox.source
    if source is None:
        raise NotFound
    try:
        return enrolments.start(actor, source.workflow, source.collection, ticket.record, dict(source.input))
    except Invalid as error:
        reasons = "; ".join(f"{detail.get('field')}: {detail.get('reason')}" for detail in error.details)
        raise Invalid(
            f"The start of {source.workflow} asks for more than {inbox.title} gives ({reasons}).",
            details=error.details,
        ) from None


# -------------------------------------------------------------------------------------------------------------- cursors


def _read_cursor(text: str | None) -> tuple[int, str]:
    """(number of the stage, mark within it) of a cursor."""
    if not text:
        return 0, ""
    stage, _, mark = text.partition("~")
    if stage not in STAGES:
        raise _malformed()
    return STAGES.index(stage), mark


def _mark(last: Place | None) -> str | None:
    return f"{last.rank}~{last.at}~{last.id}" if last else None


def _place(mark: str) -> Place:
    rank, _, rest = mark.partition("~")
    at, _, run_id = rest.partition("~")
    try:
        if not 0 <= int(rank) <= len(queues.PRIORITIES) or not run_id.startswith("run_") or "\x00" in run_id:
            raise ValueError(mark)
        if datetime.fromisoformat(at).tzinfo is None:
            raise ValueError(mark)
        return Place(int(rank), at, run_id)
    except ValueError:
        raise _malformed() from None


def _malformed() -> Malformed:
    return Malformed(
        "The cursor is not one of ours; begin at the first page.", at=("after", "Not a cursor of this list.")
    )
