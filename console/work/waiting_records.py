"""Records of an inbox's segment that wait for a run: which of them the actor could start, a page of them, and how many there are."""

import time
from datetime import timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from console import log, records, workflows
from console.auth import access
from console.browse import naming
from console.core import expressions
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import NotFound
from console.core.expressions import Expression
from console.core.scopes import Scope
from console.infra.db.engine import hot_engine
from console.records import Record
from console.runs.views import queues
from console.workflows.inboxes import Inbox

CAP = queues.MOST
SKIPPED = 500
KEPT_S = 10.0
MOST_TOTALS = 2000

_totals: dict[tuple[Any, ...], tuple[float, int]] = {}
"""(engine, collection, segment, what decides which records the reader sees) → (until when the number may be used, number of records)."""


class WaitingRecords(NamedTuple):
    """The records of an inbox's source that the actor may see and start."""

    workflow: str
    collection: Collection
    scope: Scope
    where: Expression
    sort: str | None
    overdue: Expression | None = None
    due_today: Expression | None = None
    due_field: str | None = None
    due_days: int = 0

    @property
    def sort_field(self) -> str | None:
        """The name of the field that the list is sorted by; None where it is sorted by the key."""
        return self.sort.removeprefix("-") if self.sort else None


def waiting_records(actor: Actor, inbox: Inbox) -> WaitingRecords | None:
    """The records of the inbox's source.

    None where the inbox has no source, the actor may not start its workflow or browse its collection, or the segment looks at a
    field that is hidden from them.
    """
    source = inbox.source
    workflow = next(
        (
            each
            for each in workflows.all_known()
            if source and each.slug == source.workflow and each.status == "active"
        ),
        None,
    )
    if (
        source is None
        or workflow is None
        or not access.can(actor, workflow.team, f"workflow:{workflow.slug}", "start")
    ):
        return None
    if not access.can(actor, None, f"collection:{source.collection}", "browse"):
        return None
    try:
        collection = records.collection(source.collection)
    except NotFound:
        return None
    where = source.expression(collection)
    scope = access.scope_for(actor, source.collection, "read")
    fields = {path[1] for path in expressions.paths(where) if path[0] == "record" and len(path) > 1}
    if fields & scope.hidden:
        return None
    sort = source.sort if source.sort and source.sort.removeprefix("-") not in scope.hidden else None
    due = source.due.field if source.due and source.due.field not in scope.hidden else None
    today = log.now().astimezone(ZoneInfo(actor.zone)).date()
    overdue, due_today = (
        source.due_before(collection, today + timedelta(days=days)) if due else None for days in (0, 1)
    )
    return WaitingRecords(
        workflow.id,
        collection,
        scope,
        where,
        sort,
        overdue,
        due_today,
        due,
        source.due.days if source.due else 0,
    )


def free_records(
    actor: Actor, waiting: WaitingRecords, limit: int, after: str | None
) -> tuple[list[Record], str | None]:
    """At most `limit` records without a live run after the cursor, and the cursor of those after them.

    One statement is enough where half of the page is free. Long stretches of records with a live run are passed in larger pages.
    """
    free: list[Record] = []
    size = limit
    while True:
        page = _page(waiting, size, after)
        live = queues.live_keys(
            actor,
            waiting.workflow,
            waiting.collection.id,
            [row.key for row in page.rows if row.key is not None],
        )
        free_rows = [
            (place, row) for place, row in enumerate(page.rows) if row.key is not None and row.key not in live
        ]
        wanted = limit - len(free)
        free += [row for _, row in free_rows[:wanted]]
        if len(free_rows) >= wanted:
            cut = free_rows[wanted - 1][0] + 1 if wanted else 0
            return free, page.next if cut == len(page.rows) else _page(
                waiting, cut, after
            ).next if cut else after
        after = page.next
        if after is None or len(free) * 2 >= limit:
            return free, after
        size = SKIPPED


def _page(waiting: WaitingRecords, limit: int, after: str | None) -> records.Page:
    fields = tuple(
        name for name in (waiting.sort_field, waiting.due_field, *naming.made_of(waiting.collection)) if name
    )
    return records.page(
        waiting.collection.id,
        waiting.scope,
        segment=waiting.where,
        sort=waiting.sort,
        limit=max(1, limit),
        after=after,
        fields=fields,
    )


def is_waiting(waiting: WaitingRecords, key: str) -> bool:
    """Whether the record is in the segment and the actor may see it; with a live run as well as without."""
    return key in records.visible_keys(waiting.collection.id, [key], waiting.scope, waiting.where)


class Late(NamedTuple):
    """How many tickets are overdue, how many records more are due today, at most `CAP` each, and since when the first of them waits."""

    overdue: int = 0
    today: int = 0
    oldest: str | None = None


NOTHING_LATE = Late()


def lateness(actor: Actor, waiting: WaitingRecords) -> Late:
    """Which of the records without a live run are late. Two counts that are shared as `count_free` shares its own, and one row."""
    if waiting.overdue is None or waiting.due_today is None or waiting.due_field is None:
        return NOTHING_LATE
    busy = queues.live_records(actor, waiting.workflow, waiting.collection.id)
    overdue, by_tonight = (_free_of(waiting, where, busy) for where in (waiting.overdue, waiting.due_today))
    fields = (waiting.due_field,)
    first = records.page(
        waiting.collection.id,
        waiting.scope,
        segment=waiting.where,
        sort=waiting.due_field,
        limit=1,
        fields=fields,
    ).rows
    return Late(
        overdue, max(0, by_tonight - overdue), str(first[0].values[waiting.due_field]) if first else None
    )


def _free_of(waiting: WaitingRecords, where: Expression, busy: list[str]) -> int:
    total = min(_total(waiting._replace(where=where)), CAP)
    return (
        max(0, total - len(records.visible_keys(waiting.collection.id, busy, waiting.scope, where)))
        if busy and total < CAP
        else total
    )


def count_free(actor: Actor, waiting: WaitingRecords) -> tuple[int, bool]:
    """(number of records without a live run, whether there are more than that)."""
    total = _total(waiting)
    busy = queues.live_records(actor, waiting.workflow, waiting.collection.id)
    if total > CAP or len(busy) > CAP:
        return CAP, total > CAP
    within = (
        records.visible_keys(waiting.collection.id, busy, waiting.scope, waiting.where) if busy else set()
    )
    return max(0, total - len(within)), False


def _total(waiting: WaitingRecords) -> int:
    """How many records are in the segment, at most `CAP` and one more.

    The number is shared by everybody who sees the same records, and used for 10 s or for 50 times as long as counting took: pages
    that ask every 15 s must not keep the source busy.
    """
    key = (hot_engine(), waiting.collection.id, waiting.where.text, *_reader_key(waiting))
    kept = _totals.get(key)
    began = time.monotonic()
    if kept is not None and began < kept[0]:
        return kept[1]
    total = records.count(waiting.collection.id, waiting.scope, cap=CAP, segment=waiting.where)
    if len(_totals) >= MOST_TOTALS:
        _totals.clear()
    _totals[key] = (began + max(KEPT_S, 50 * (time.monotonic() - began)), total)
    return total


def _reader_key(waiting: WaitingRecords) -> tuple[Any, ...]:
    """Everything that decides which records the reader sees: the form of their scope, and the attributes used in it and in the segment."""
    return *waiting.scope.shape, waiting.scope.attributes_used(waiting.where)
