"""One action on many records of a list, or one workflow started on each: who is in and who is not, then each by a run of its own.

A worker does it, whoever looks on. A record is marked before it is begun: after a crash its run is looked for, and it is never done a second time.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from console import access, accounts, browse, faults, log, queue, records, runs
from console.actions import bulk_starts, one_record
from console.actions.bulk_starts import BulkStart
from console.browse import BrowseQuery
from console.core.actor import Actor
from console.core.documents.action_document import Action
from console.db import tables
from console.db.engine import alone, fetch, transaction
from console.db.ids import new_id
from console.errors import ConsoleError, Invalid, NotAllowed, NotFound
from console.runs.rows import side_rows

IN_ONE_GO_S = 1.5
PAGE = 200
WAITING, BEGUN, DONE, REFUSED, OPEN, STOPPED = "waiting", "begun", "done", "refused", "open", "stopped"
LATER_S = 2.0
UNSEEN = "Not there for you any more"
_RUN = f"""
select r.id from {access.EVERY_RUN.sql()} join console.workflow w on w.id = r.workflow
where w.slug = %s and r.collection = %s and r.record = %s and r.started_by = %s and r.created_at >= %s order by r.created_at limit 1
"""  # noqa: S608 (a text of ours)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item:
    """One record: waiting, begun, done, open (its run waits for somebody or something), stopped, or refused with the reason."""

    key: str
    title: str = ""
    state: str = WAITING
    why: str = ""
    run: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is kept: what the record is called is read when it is shown."""
        return {name: getattr(self, name) for name in ("key", "state", "why", "run")}


@dataclass(frozen=True, slots=True)
class Bulk:
    """What was begun: by whom, which action, on which records, and how far it is."""

    id: str
    person: str
    action: str
    collection: str
    values: Mapping[str, Any]
    items: Sequence[Item]
    created_at: datetime

    def count(self, *states: str) -> int:
        """Records in one of these states."""
        return sum(item.state in states for item in self.items)


def offered(actor: Actor, collection_id: str) -> list[Action]:
    """Actions that the actor may have done to several records of the collection at once."""
    return [action for action in one_record.offered(actor, collection_id) if action.most > 0]


def chosen(actor: Actor, collection_id: str, action: Action | BulkStart, keys: Sequence[str], whole: BrowseQuery | None) -> list[Item]:
    """The records that were ticked, or with `whole` all of a list, as far as the actor sees them.

    Raises Invalid where they are more than the action takes, or none.
    """
    return picked(actor, collection_id, keys, whole, action.most, f"“{action.title}”")


def picked(actor: Actor, collection_id: str, keys: Sequence[str], whole: BrowseQuery | None, most: int, title: str) -> list[Item]:
    """As `chosen`, for what is no action: `most` records at once, and `title` for the refusal."""
    found = _of_list(actor, collection_id, whole, most + 1) if whole is not None else _of_keys(actor, collection_id, keys[: most + 1])
    if len(found) > most:
        raise Invalid(
            f"{title} is done to at most {most:,} records at once, and more are chosen. Narrow the list by a filter.",
            at=("key", f"At most {most:,}."),
        )
    if not found:
        raise Invalid("No record is chosen.", details=[{"field": "key", "reason": "Tick at least one."}])
    return found


def _of_keys(actor: Actor, collection_id: str, keys: Sequence[str]) -> list[Item]:
    titles = records.titles(collection_id, dict.fromkeys(keys), access.scope_for(actor, collection_id, "read"))
    return [Item(key, titles[key]) for key in dict.fromkeys(keys) if key in titles]


def _of_list(actor: Actor, collection_id: str, query: BrowseQuery, most: int) -> list[Item]:
    """The records of a list in its order, at most so many."""
    found: list[Item] = []
    page_query: BrowseQuery | None = replace(query, limit=min(PAGE, most), after=None, before=None, count=None, labels=False)
    while page_query is not None and len(found) < most:
        page = browse.page(actor, collection_id, page_query)
        found += [Item(row.key, row.title) for row in page.rows if row.key is not None]
        page_query = replace(page_query, after=page.next) if page.next else None
    return found[:most]


def judged(actor: Actor, collection_id: str, action: Action | BulkStart, items: Sequence[Item], values: Mapping[str, Any]) -> list[Item]:
    """The records with the reason for each to which it cannot be done with these values; nothing is done."""
    return [_judged(actor, collection_id, action, item, values) for item in items]


def _judged(actor: Actor, collection_id: str, action: Action | BulkStart, item: Item, values: Mapping[str, Any]) -> Item:
    try:
        if isinstance(action, BulkStart):
            runs.try_start(actor, action.slug, collection_id, item.key, values)
            return item
        done = one_record.tried(actor, collection_id, item.key, action.id, values)
    except ConsoleError as error:
        reasons = [str(detail.get("reason", "")) for detail in error.details if detail.get("reason")]
        return replace(item, state=REFUSED, why=" ".join(reasons) or error.words)
    return replace(item, why=f"Waits for an approval: {done.approval.why}" if done.approval else "")


def begin(actor: Actor, collection_id: str, action: Action | BulkStart, items: Sequence[Item], values: Mapping[str, Any]) -> str:
    """Keep what was asked for, and have a worker do it; answers its id."""
    bulk_id, kept = new_id("blk"), tables.bulk
    row = {"person": actor.id, "action": action.id, "collection": collection_id, "values": log.body.plain(dict(values))}
    with transaction() as connection:
        connection.execute(sa.insert(kept).values(id=bulk_id, **row, items=[item.to_json() for item in items], created_at=log.now()))
        queue.enqueue(connection, queue.BULK, bulk_id, dedupe_key=bulk_id)
    return bulk_id


def get(actor: Actor, bulk_id: str) -> Bulk:
    """What this person began, each record as they may see it now. Raises NotFound for anybody else."""
    found = _read(bulk_id) if "\x00" not in bulk_id else None
    if found is None or found.person != actor.id:
        raise NotFound
    try:
        titles = records.titles(found.collection, [item.key for item in found.items], access.scope_for(actor, found.collection, "read"))
    except ConsoleError:
        titles = {}
    items = [
        replace(item, title=titles[item.key]) if item.key in titles else replace(item, title=UNSEEN, why="", run=None)
        for item in found.items
    ]
    return replace(found, items=items)


def _read(bulk_id: str) -> Bulk | None:
    kept = tables.bulk
    with transaction() as connection:
        row = connection.execute(sa.select(kept).where(kept.c.id == bulk_id)).first()
    if row is None:
        return None
    return Bulk(row.id, row.person, row.action, row.collection, row.values, [Item(**item) for item in row.items], row.created_at)


def stop(actor: Actor, bulk_id: str) -> Bulk:
    """Do no more of it; what is under way is finished. Raises NotFound for anybody but who began it."""
    get(actor, bulk_id)
    _leave(bulk_id, STOPPED, "")
    return get(actor, bulk_id)


# ------------------------------------------------------------------------------------------------------- in the background


def advance(bulk_id: str, stopping: Callable[[], bool] = lambda: False) -> None:
    """A worker's way in: does some more of it with the rights of who began it. Raises PutBack while something is left."""
    bulk = _read(bulk_id)
    if bulk is None or not bulk.count(WAITING, BEGUN):
        return
    if queue.paused():
        raise queue.PutBack(LATER_S)
    try:
        actor = accounts.actor_of_person(bulk.person, "sys:engine")
    except NotAllowed as closed:
        _leave(bulk_id, REFUSED, closed.message)
        return
    if go_on(actor, bulk_id, stopping).count(WAITING, BEGUN):
        raise queue.PutBack(LATER_S if stopping() else 0.0)


def go_on(actor: Actor, bulk_id: str, stopping: Callable[[], bool] = lambda: False) -> Bulk:
    """Do some more of it, for a second or two; the state after that. Two at once: one does, the other looks."""
    bulk = get(actor, bulk_id)
    with alone(bulk_id) as mine:
        until = time.monotonic() + IN_ONE_GO_S
        while mine and not stopping() and time.monotonic() < until and (taken := _take(bulk_id)) is not None:
            number, item = taken
            _put(bulk_id, number, _recovered(actor, bulk, item) if item.state == BEGUN else _done(actor, bulk, item))
    return get(actor, bulk_id)


def _take(bulk_id: str) -> tuple[int, Item] | None:
    """The next record and its number, marked as begun; one that is marked already was left by a process that died."""

    def take(items: list[Item]) -> tuple[int, Item] | None:
        found = next(((number, item) for state in (BEGUN, WAITING) for number, item in enumerate(items) if item.state == state), None)
        if found is not None:
            items[found[0]] = replace(found[1], state=BEGUN)
        return found

    return _changed(bulk_id, take)


def _put(bulk_id: str, number: int, item: Item) -> None:
    def put(items: list[Item]) -> None:
        items[number] = item

    _changed(bulk_id, put, tells=True)


def _leave(bulk_id: str, state: str, why: str) -> None:
    """What is left to do is not done."""

    def leave(items: list[Item]) -> None:
        items[:] = [replace(item, state=state, why=why) if item.state == WAITING else item for item in items]

    _changed(bulk_id, leave)


def _changed(bulk_id: str, change: Callable[[list[Item]], T], *, tells: bool = False) -> T:
    """Change the items, alone; once nothing is left to do the values go, which then stand in the runs alone.

    With `tells`, who began it is told of that end by the same commit: a process that dies has told and ended, or neither.
    """
    kept = tables.bulk
    with transaction() as connection:
        row = connection.execute(sa.select(kept).where(kept.c.id == bulk_id).with_for_update()).one()
        items = [Item(**item) for item in row.items]
        answer = change(items)
        ended = not any(item.state in (WAITING, BEGUN) for item in items)
        over: dict[str, Any] = {"values": {}} if ended else {}
        connection.execute(sa.update(kept).where(kept.c.id == bulk_id).values(items=[item.to_json() for item in items], **over))
        if tells and ended:
            side_rows.add_notices(connection, [row.person], bulk_id, "bulk_ended", at=log.now(), link=f"/bulk/{bulk_id}", mail=False)
        faults.point("bulk.write.before")
    faults.point("bulk.write.after")
    return answer


def _recovered(actor: Actor, bulk: Bulk, item: Item) -> Item:
    """A record whose process died: its run is found and goes on, or there is none and it is begun now."""
    slug = bulk_starts.slug_of(bulk.action) or next((action.slug for action in one_record.listed() if action.id == bulk.action), "")
    found = fetch(_RUN, (slug, bulk.collection, item.key, actor.id, bulk.created_at))
    if not found:
        return _done(actor, bulk, item)
    try:
        if bulk_starts.slug_of(bulk.action):
            return replace(item, state=DONE, run=found[0][0], why=bulk_starts.lay_down(actor, found[0][0]))
        return _with_result(actor, item, one_record.finish(actor, found[0][0], bulk.values))
    except ConsoleError as error:
        return replace(item, state=REFUSED, why=error.message, run=found[0][0])


def _done(actor: Actor, bulk: Bulk, item: Item) -> Item:
    """The record after its run was begun, and what came of it."""
    try:
        if (workflow := bulk_starts.slug_of(bulk.action)) is not None:
            run_id = runs.start(actor, workflow, bulk.collection, item.key, bulk.values)
            return replace(item, state=DONE, run=run_id, why=bulk_starts.lay_down(actor, run_id))
        return _with_result(actor, item, one_record.perform(actor, bulk.collection, item.key, bulk.action, bulk.values))
    except ConsoleError as error:
        return replace(item, state=REFUSED, why=error.message, run=error.extra.get("run_id"))


def _with_result(actor: Actor, item: Item, run_id: str) -> Item:
    run = runs.get(actor, run_id).json
    if run["status"] == "completed":
        return replace(item, state=DONE, run=run_id, why=str(run["context"].get(one_record.STEP, {}).get("message") or ""))
    take_over = (run.get("current") or {}).get("take_over") or {}
    return replace(item, state=OPEN, run=run_id, why=str(take_over.get("message") or ""))
