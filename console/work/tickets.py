"""Tickets: what is in an inbox for whom, in which order it is taken, and who has it in hand.

To do are, in this order: runs that were handed on (by priority, then those that wait longest), runs that were saved or let go, records of
the inbox's segment that have no live run of its workflow, and what was handed on as low. A ticket whose record the reader may not see is
not there and not counted. Of two people who take at once, the second gets the next one: taking is a move of the run, or the start of the
only live one.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from console import access, accounts, inboxes, log, records, runs, workflows
from console.core import expressions
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.expressions import Expression
from console.core.scopes import Scope
from console.db.engine import hot_engine
from console.errors import Conflict, Invalid, Malformed, NotAllowed, NotFound, SourceDown
from console.inboxes import Inbox, Source
from console.log import once
from console.records import Record
from console.runs import RunHead
from console.runs.showing import queues
from console.runs.showing.queues import Place

CAP = queues.MOST
MOST_ASSIGNED = 100
HANDED_ON, PUT_DOWN, RECORDS, LOW = "handed", "down", "records", "low"
STAGES = (HANDED_ON, PUT_DOWN, RECORDS, LOW)
SOON = ("urgent", "high", "normal")
SKIPPED = 500
TAKEN_AT_ONCE = 20
LOOKED_AT, OFFERED = 500, 30
KEPT_S = 10.0
MOST_TOTALS = 2000

_totals: dict[tuple[Any, ...], tuple[float, int]] = {}
"""How many records a segment has for whom, and until when that is good enough."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One entry of an inbox: a run, or a record that waits for one. `since` is when it came in, or was taken; None of a record."""

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
    sorted_by: tuple[Field, Any] | None = None  # of a record: the field that its place in the list goes by, and its value

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
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Count:
    """How many tickets there are to do; `more` where there are more than were counted, which is said as "10,000+".

    `down`: the records were not counted, for their source does not answer.
    """

    to_do: int
    more: bool = False
    down: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some tickets and the cursor of those after them; `down` says why records are missing, None where none are."""

    tickets: list[Ticket]
    next: str | None
    down: str | None = None


class _Offered(NamedTuple):
    """The records of an inbox's source, as far as the actor may see and start them."""

    source: Source
    workflow: str
    collection: Collection
    scope: Scope
    where: Expression
    sort: str | None


# ---------------------------------------------------------------------------------------------------------------- lists


def to_do(actor: Actor, inbox_id: str, *, limit: int = 50, after: str | None = None) -> Page:
    """Tickets that the actor could take, in the order in which they are taken.

    Raises NotFound, Malformed for a cursor that is none. What is looked at of the records is noted.
    """
    here = inboxes.seen(actor, inbox_id)
    page = _to_do(actor, here, limit, after)
    looked_at = sum(ticket.run is None for ticket in page.tickets)
    if looked_at and here.source is not None:
        told = {"count": looked_at, "more": page.next is not None} | ({"segment": here.source.segment} if here.source.segment else {})
        collection = records.collection(here.source.collection)
        log.note(actor, "record_listed", open=told, source=collection.source, collection=collection.id, later=True)
    return page


def _to_do(actor: Actor, here: Inbox, limit: int, after: str | None) -> Page:
    first, mark = _read_cursor(after)
    found: list[Ticket] = []
    down: str | None = None
    for number, stage in enumerate(STAGES[first:], first):
        try:
            got, following = _stage(actor, here, stage, limit - len(found), mark)
        except SourceDown as away:
            got, following, down = [], None, away.message
        found += got
        if following is not None:
            return Page(found, f"{stage}~{following}", down)
        if len(found) == limit:
            return Page(found, _rest(actor, here, number + 1), down)
        mark = ""
    return Page(found, None, down)


def _rest(actor: Actor, here: Inbox, number: int) -> str | None:
    """The cursor of the first stage from this number on that holds anything."""
    for stage in STAGES[number:]:
        try:
            if _stage(actor, here, stage, 1, "")[0]:
                return f"{stage}~"
        except SourceDown:
            continue
    return None


def _stage(actor: Actor, here: Inbox, stage: str, limit: int, mark: str) -> tuple[list[Ticket], str | None]:
    """At most `limit` tickets of one kind after the mark, and the mark of those after them."""
    if stage == RECORDS:
        offered = _offered(actor, here)
        return _free(actor, offered, limit, mark or None) if offered else ([], None)
    place = _place(mark) if mark else None
    if stage == PUT_DOWN:
        heads, last = queues.saved_runs(actor, here.id, _workflow(here), limit=limit, after=place)
    else:
        heads, last = queues.tickets(actor, here.id, ("low",) if stage == LOW else SOON, limit=limit, after=place)
    return _tickets(actor, heads), f"{last.rank}~{last.at}~{last.id}" if last else None


def doing(actor: Actor, inbox_id: str) -> list[Ticket]:
    """Tickets that the actor has in hand, those begun first in front; a hundred at most."""
    here = inboxes.seen(actor, inbox_id)
    heads, _ = queues.held_runs(actor, here.id, _workflow(here), limit=100, holder=actor.id)
    return _held(here, heads)


def backlog(actor: Actor, inbox_id: str, *, limit: int = 50, after: str | None = None) -> tuple[list[Ticket], str | None]:
    """Tickets in hand, whoever has them, for who manages the inbox. Raises NotFound, NotAllowed, Malformed for a cursor that is none."""
    here = inboxes.seen(actor, inbox_id)
    access.require(actor, here.team, f"inbox:{here.id}", "manage")
    heads, last = queues.held_runs(actor, here.id, _workflow(here), limit=limit, after=_place(after) if after else None)
    return _held(here, heads), f"{last.rank}~{last.at}~{last.id}" if last else None


def count(actor: Actor, here: Sequence[Inbox]) -> dict[str, Count]:
    """Inbox id → how many tickets the actor could take: one statement for the runs of all inboxes, and two or three per inbox with records."""
    waiting = queues.counts(actor, {one.id: _workflow(one) for one in here})
    made = {}
    for one in here:
        offered = _offered(actor, one)
        try:
            free, more = _count_free(actor, offered) if offered else (0, False)
        except SourceDown:
            made[one.id] = Count(min(waiting[one.id], CAP), waiting[one.id] > CAP, down=True)
            continue
        total = waiting[one.id] + free
        made[one.id] = Count(min(total, CAP), more or total > CAP)
    return made


def behind(actor: Actor, run_id: str, workflow: str) -> Inbox | None:
    """The inbox that the run came out of, else the one whose records go into its workflow; None where the actor works in neither."""
    here = [one for one in inboxes.known() if inboxes.may(actor, one, "work")]
    taken = queues.taken_from(run_id) if here else None
    by_records = [one for one in here if one.source is not None and one.source.workflow == workflow]
    return next((one for one in [*(one for one in here if one.id == taken), *by_records]), None)


def people(actor: Actor, inbox_id: str, text: str = "") -> list[Actor]:
    """People who work in the inbox and whose name or address has the text in it, by name; for who manages it."""
    here = inboxes.seen(actor, inbox_id)
    access.require(actor, here.team, f"inbox:{here.id}", "manage")
    return [person for person in accounts.search(text, LOOKED_AT) if inboxes.may(person, here, "work")][:OFFERED]


def _tickets(actor: Actor, heads: Iterable[RunHead]) -> list[Ticket]:
    """Runs that wait, as tickets; who handed them on by name."""
    heads = list(heads)
    names = accounts.names({str(head.ticket["by"]) for head in heads if head.ticket and head.ticket["by"]})
    return [_ticket(actor, head, names) for head in heads]


def _ticket(actor: Actor, head: RunHead, names: dict[str, str]) -> Ticket:
    told = head.ticket or {}
    says = not told.get("reason") or runs.words_of_event(actor, head.workflow_id, head.version, None, kind="escalate", run=head.id)
    return Ticket(
        id=head.id,
        title=head.record_title or head.workflow_title,
        kind="handed_on" if told else "saved",
        priority=told.get("priority", "normal"),
        collection=head.collection,
        record=head.record,
        run=head,
        since=datetime.fromisoformat(told["at"]) if told else head.active_at,
        reason=(told.get("reason") or "") if says else "",
        by_name=names.get(told.get("by") or "", ""),
    )


def _held(here: Inbox, heads: Sequence[RunHead]) -> list[Ticket]:
    taken = queues.taken_at([head.id for head in heads], here.id)
    return [
        Ticket(
            head.id,
            head.record_title or head.workflow_title,
            "in_hand",
            "normal",
            head.collection,
            head.record,
            head,
            taken.get(head.id, head.created_at),
        )
        for head in heads
    ]


def _workflow(here: Inbox) -> str | None:
    """The id of the workflow that the inbox's records are taken into."""
    slug = here.source.workflow if here.source else None
    return next((one.id for one in workflows.all_known() if one.slug == slug), None) if slug else None


# -------------------------------------------------------------------------------------------------- records of a segment


def _offered(actor: Actor, here: Inbox) -> _Offered | None:
    """None where there are none for this actor: no right to start, or to see the collection, or what decides is hidden from them."""
    source = here.source
    known = next((one for one in workflows.all_known() if source and one.slug == source.workflow and one.status == "active"), None)
    if source is None or known is None or not access.can(actor, known.team, f"workflow:{known.slug}", "start"):
        return None
    if not access.can(actor, None, f"collection:{source.collection}", "browse"):
        return None
    try:
        collection = records.collection(source.collection)
        where = source.expression(collection)
    except NotFound:
        return None
    scope = access.scope_for(actor, source.collection, "read")
    looked_at = {path[1] for path in expressions.paths(where) if path[0] == "record" and len(path) > 1}
    if looked_at & scope.hidden:
        return None
    sort = source.sort if source.sort and source.sort.removeprefix("-") not in scope.hidden else None
    return _Offered(source, known.id, collection, scope, where, sort)


def _free(actor: Actor, offered: _Offered, limit: int, after: str | None) -> tuple[list[Ticket], str | None]:
    """At most `limit` records without a live run after the cursor, in one statement where half of the page is free. Long stretches of
    records that are being worked on are passed quickly.
    """
    found: list[Record] = []
    size = limit
    while True:
        page = _page(offered, size, after)
        live = queues.live_keys(actor, offered.workflow, offered.collection.id, [row.key for row in page.rows if row.key is not None])
        free = [(place, row) for place, row in enumerate(page.rows) if row.key is not None and row.key not in live]
        wanted = limit - len(found)
        found += [row for _, row in free[:wanted]]
        if len(free) >= wanted:
            cut = free[wanted - 1][0] + 1 if wanted else 0
            after = page.next if cut == len(page.rows) else _page(offered, cut, after).next if cut else after
            break
        after = page.next
        if after is None or len(found) * 2 >= limit:
            break
        size = SKIPPED
    return [_of_record(offered, row) for row in found], after


def _page(offered: _Offered, limit: int, after: str | None) -> records.Page:
    return records.page(
        offered.collection.id,
        offered.scope,
        segment=offered.where,
        sort=offered.sort,
        limit=max(1, limit),
        after=after,
        fields=_shown(offered),
    )


def _of_record(offered: _Offered, row: Record) -> Ticket:
    shown = [(field, row.values[name]) for name in _shown(offered) if (field := offered.collection.field(name)) and name in row.values]
    by = shown[0] if shown else None
    return Ticket(f"record:{row.key}", row.title, "record", collection=offered.collection.id, record=row.key, sorted_by=by)


def _shown(offered: _Offered) -> tuple[str, ...]:
    """The field that the list goes by; none where that is the key."""
    return (offered.sort.removeprefix("-"),) if offered.sort else ()


def _total(offered: _Offered) -> int:
    """How many records fit the segment, at most `CAP` and one more; for all who see the same of them, counted anew after 10 s, or after 50
    times as long as counting took: pages that ask every 15 s must not keep the source busy.
    """
    key = (hot_engine(), offered.collection.id, offered.where.text, *_seen_as(offered))
    kept = _totals.get(key)
    began = time.monotonic()
    if kept is not None and began < kept[0]:
        return kept[1]
    total = records.count(offered.collection.id, offered.scope, cap=CAP, segment=offered.where)
    if len(_totals) >= MOST_TOTALS:
        _totals.clear()
    _totals[key] = (began + max(KEPT_S, 50 * (time.monotonic() - began)), total)
    return total


def _seen_as(offered: _Offered) -> tuple[Any, ...]:
    """What of the reader decides which records they see: the conditions of their scope, and what these and the segment look at of the reader."""
    scope = offered.scope
    paths = [path for one in (offered.where, *scope.conditions) for path in expressions.paths(one) if path[0] == "$currentUser"]
    looked_at = scope.attributes.keys() if any(len(path) == 1 for path in paths) else {path[1] for path in paths}
    whose = tuple(repr(scope.attributes.get(name)) for name in sorted(looked_at))
    return *scope.shape, whose


def _count_free(actor: Actor, offered: _Offered) -> tuple[int, bool]:
    """(how many records wait, whether there are more than that)."""
    total = _total(offered)
    busy = queues.live_records(actor, offered.workflow, offered.collection.id)
    if total > CAP or len(busy) > CAP:
        return CAP, total > CAP
    within = records.visible_keys(offered.collection.id, busy, offered.scope, offered.where) if busy else set()
    return max(0, total - len(within)), False


# --------------------------------------------------------------------------------------------------------------- taking


def take_next(actor: Actor, inbox_id: str) -> str:
    """Take the next ticket; answers the id of its run, which the actor holds.

    Raises NotFound, NotAllowed for who only manages, Conflict `inbox_empty` where there is nothing to take, Invalid where the workflow's
    start asks for more than the inbox gives, SourceDown.
    """
    here = inboxes.seen(actor, inbox_id)
    _require_work(actor, here)
    after: str | None = None
    while True:
        page = _to_do(actor, here, TAKEN_AT_ONCE, after)
        for ticket in page.tickets:
            run_id = _taken(actor, here, ticket)
            if run_id is not None:
                return run_id
        after = page.next
        if after is None:
            if page.down:
                raise SourceDown(page.down)
            raise Conflict(f"Nothing is left to take in {here.title}.", code="inbox_empty")


def take(actor: Actor, inbox_id: str, ticket_id: str) -> str:
    """Take one ticket that is to do. Raises as `take_next` does, and Conflict `ticket_taken` where somebody else was quicker."""
    here = inboxes.seen(actor, inbox_id)
    _require_work(actor, here)
    run_id = _taken(actor, here, _named(actor, here, ticket_id))
    if run_id is None:
        raise Conflict("Somebody else took this ticket, or it has left the inbox. Take the next one.", code="ticket_taken")
    return run_id


def _require_work(actor: Actor, here: Inbox) -> None:
    if not inboxes.may(actor, here, "work"):
        needed = f" It is for {' or '.join(here.roles)}." if here.roles else ""
        raise NotAllowed(f"You manage {here.title}, and do not work in it.{needed}", need=(f"inbox:{here.id}", "work"))


def _named(actor: Actor, here: Inbox, ticket_id: str) -> Ticket:
    """The ticket of this id as it stands now. Raises NotFound for one that is no ticket of the inbox."""
    kind, _, key = ticket_id.partition(":")
    if kind == "record":
        offered = _offered(actor, here)
        if offered is None or key not in records.visible_keys(offered.collection.id, [key], offered.scope, offered.where):
            raise NotFound
        return Ticket(ticket_id, key, "record", collection=offered.collection.id, record=key)
    head = runs.head(actor, ticket_id)
    if head is None or not _in(here, head):
        raise NotFound
    return _ticket(actor, head, {})


def _in(here: Inbox, head: RunHead) -> bool:
    if head.ticket is not None:
        return bool(head.ticket["inbox"] == here.id)
    return head.workflow_id == _workflow(here) or bool(queues.taken_at([head.id], here.id))


def _taken(actor: Actor, here: Inbox, ticket: Ticket) -> str | None:
    """The run, held by the actor from now on; None where somebody else was quicker, or it left the inbox."""
    try:
        if ticket.run is None:
            return _begun(actor, here, ticket)
        # The revision is that of the list: with it nobody, not even who may take over at once, takes what was taken a moment ago.
        go = runs.resume if ticket.run.status in queues.WAITING else runs.take_over
        go(actor, ticket.run.id, revision=ticket.run.revision)
        return ticket.run.id
    except (Conflict, NotFound, NotAllowed):
        return None


def _begun(actor: Actor, here: Inbox, ticket: Ticket) -> str:
    source = here.source
    if source is None:
        raise NotFound
    try:
        return runs.start(actor, source.workflow, source.collection, ticket.record, dict(source.input))
    except Invalid as error:
        ways = "; ".join(f"{one.get('field')}: {one.get('reason')}" for one in error.details)
        raise Invalid(f"The start of {source.workflow} asks for more than {here.title} gives ({ways}).", details=error.details) from None


# ------------------------------------------------------------------------------------------------------------ managing


@dataclass(frozen=True, slots=True)
class Given:
    """What came of one ticket that was to be given to somebody: `reason` says why not."""

    ticket: str
    run: str | None
    reason: str = ""


def assign(actor: Actor, inbox_id: str, ticket_ids: Sequence[str], user: str, reason: str = "") -> list[Given]:
    """Give tickets to a person, each by itself: some may be given where others cannot be. Raises NotFound, NotAllowed, Invalid."""
    here = inboxes.seen(actor, inbox_id)
    access.require(actor, here.team, f"inbox:{here.id}", "manage")
    _require_some(ticket_ids)
    return [_each(actor, one, partial(_give, actor, here, one, user, reason)) for one in dict.fromkeys(ticket_ids)]


def unassign(actor: Actor, inbox_id: str, ticket_ids: Sequence[str]) -> list[Given]:
    """Take runs out of the hands of those who have them: they are to do again, with what was typed. Raises as `assign` does."""
    here = inboxes.seen(actor, inbox_id)
    access.require(actor, here.team, f"inbox:{here.id}", "manage")
    _require_some(ticket_ids)
    return [_each(actor, one, partial(_let_go, actor, here, one)) for one in dict.fromkeys(ticket_ids)]


def _require_some(ticket_ids: Sequence[str]) -> None:
    if not 1 <= len(ticket_ids) <= MOST_ASSIGNED:
        reason = f"Choose 1 to {MOST_ASSIGNED} tickets."
        raise Invalid(reason, details=[{"field": "tickets", "reason": reason}])


def _each(actor: Actor, ticket_id: str, do: Callable[[], str]) -> Given:
    """One of several tickets. What was done with it under the same idempotency key before is not done again."""
    try:
        with once.part(ticket_id) as key:
            if (done := once.done(key)) is not None:
                return Given(ticket_id, _still_there(actor, done[0]))
            return Given(ticket_id, do())
    except (Conflict, NotAllowed, NotFound) as error:
        return Given(ticket_id, None, error.message)
    except Invalid as error:
        return Given(ticket_id, None, str(error.details[0]["reason"]) if error.details else error.message)


def _still_there(actor: Actor, run_id: str) -> str:
    if runs.head(actor, run_id) is None:
        raise NotFound
    return run_id


def _give(actor: Actor, here: Inbox, ticket_id: str, user: str, reason: str) -> str:
    ticket = _named(actor, here, ticket_id)
    if ticket.run is None and user == actor.id:
        return _begun(actor, here, ticket)
    with once.before():
        run_id = ticket.run.id if ticket.run else _begun(actor, here, ticket)
    runs.assign(actor, run_id, revision=None, user=user, reason=reason)
    return run_id


def _let_go(actor: Actor, here: Inbox, ticket_id: str) -> str:
    ticket = _named(actor, here, ticket_id)
    if ticket.run is None or ticket.run.holder is None:
        raise Conflict("Nobody has this ticket in hand.", code="not_possible")
    if ticket.run.holder != actor.id:
        with once.before():
            runs.take_over(actor, ticket.run.id, revision=ticket.run.revision)
    runs.release(actor, ticket.run.id, revision=None)
    return ticket.run.id


# -------------------------------------------------------------------------------------------------------------- cursors


def _read_cursor(text: str | None) -> tuple[int, str]:
    """(number of the stage, mark within it) of a cursor."""
    if not text:
        return 0, ""
    stage, _, mark = text.partition("~")
    if stage not in STAGES:
        raise _malformed()
    return STAGES.index(stage), mark


def _place(mark: str) -> Place:
    rank, _, rest = mark.partition("~")
    at, _, run_id = rest.partition("~")
    try:
        if datetime.fromisoformat(at).tzinfo is None or not run_id.startswith("run_") or "\x00" in run_id:
            raise ValueError(mark)
        return Place(int(rank), at, run_id)
    except ValueError:
        raise _malformed() from None


def _malformed() -> Malformed:
    return Malformed(
        "The cursor is not one of ours; begin at the first page.", details=[{"field": "after", "reason": "Not a cursor of this list."}]
    )
