"""One action on many records of a list: who is in and who is not, then each by a run of its own.

What was chosen is kept, so that a page which is left can be come back to. A record is marked before it is begun: after a crash it is looked at, never done
a second time by itself.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from console import access, actions, browse, log, records, runs
from console.browse import BrowseQuery
from console.core.action import Action
from console.core.actor import Actor
from console.db import tables
from console.db.engine import alone, transaction
from console.db.ids import new_id
from console.errors import ConsoleError, Invalid, NotFound

IN_ONE_GO_S = 1.5
PAGE = 200
WAITING, BEGUN, DONE, REFUSED, OPEN = "waiting", "begun", "done", "refused", "open"
LOST = "The console stopped while this was begun. Look at the record before you do it again."


@dataclass(frozen=True, slots=True)
class Item:
    """One record: waiting, begun, done, open (its run waits for somebody or something), or refused with the reason."""

    key: str
    title: str
    state: str = WAITING
    why: str = ""
    run: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {name: getattr(self, name) for name in ("key", "title", "state", "why", "run")}


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
    return [action for action in actions.offered(actor, collection_id) if action.most > 0]


def chosen(actor: Actor, collection_id: str, action: Action, keys: Sequence[str], whole: BrowseQuery | None) -> list[Item]:
    """The records that were ticked, or with `whole` all of a list, as far as the actor sees them.

    Raises Invalid where they are more than the action takes, or none.
    """
    found = (
        _of_list(actor, collection_id, whole, action.most + 1)
        if whole is not None
        else _of_keys(actor, collection_id, keys[: action.most + 1])
    )
    if len(found) > action.most:
        raise Invalid(
            f"“{action.title}” is done to at most {action.most:,} records at once, and more are chosen. Narrow the list by a filter.",
            details=[{"field": "key", "reason": f"At most {action.most:,}."}],
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
    asked: BrowseQuery | None = replace(query, limit=min(PAGE, most), after=None, before=None, count=None, labels=False)
    while asked is not None and len(found) < most:
        page = browse.page(actor, collection_id, asked)
        found += [Item(row.key, row.title) for row in page.rows if row.key is not None]
        asked = replace(asked, after=page.next) if page.next else None
    return found[:most]


def judged(actor: Actor, collection_id: str, action: Action, items: Sequence[Item], values: Mapping[str, Any]) -> list[Item]:
    """The records with the reason for each to which it cannot be done with these values; nothing is done."""
    return [_judged(actor, collection_id, action, item, values) for item in items]


def _judged(actor: Actor, collection_id: str, action: Action, item: Item, values: Mapping[str, Any]) -> Item:
    try:
        done = actions.tried(actor, collection_id, item.key, action.id, values)
    except ConsoleError as error:
        reasons = [str(detail.get("reason", "")) for detail in error.details if detail.get("reason")]
        return replace(item, state=REFUSED, why=" ".join(reasons) or error.message)
    return replace(item, why=f"Waits for an approval: {done.approval.why}" if done.approval else "")


def begin(actor: Actor, collection_id: str, action: Action, items: Sequence[Item], values: Mapping[str, Any]) -> str:
    """Keep what was asked for; answers its id. Nothing is done yet."""
    bulk_id, kept = new_id("blk"), tables.bulk
    row = {"person": actor.id, "action": action.id, "collection": collection_id, "values": log.body.plain(dict(values))}
    with transaction() as connection:
        connection.execute(sa.insert(kept).values(id=bulk_id, **row, items=[item.to_json() for item in items], created_at=log.now()))
    return bulk_id


def get(actor: Actor, bulk_id: str) -> Bulk:
    """What this person began. Raises NotFound for anybody else."""
    kept = tables.bulk
    with transaction() as connection:
        row = (
            connection.execute(sa.select(kept).where(kept.c.id == bulk_id, kept.c.person == actor.id)).first()
            if "\x00" not in bulk_id
            else None
        )
    if row is None:
        raise NotFound
    return Bulk(row.id, row.person, row.action, row.collection, row.values, [Item(**item) for item in row.items], row.created_at)


def go_on(actor: Actor, bulk_id: str) -> Bulk:
    """Do some more of it, for a second or two; the state after that. Two at once: one does, the other looks."""
    bulk = get(actor, bulk_id)
    with alone(bulk_id) as mine:
        if not mine:
            return bulk
        bulk = get(actor, bulk_id)
        items, until = (
            [replace(item, state=REFUSED, why=LOST) if item.state == BEGUN else item for item in bulk.items],
            time.monotonic() + IN_ONE_GO_S,
        )
        for number, item in enumerate(items):
            if item.state == WAITING:
                items[number] = replace(item, state=BEGUN)
                _keep(bulk_id, items)
                items[number] = _done(actor, bulk, item)
                _keep(bulk_id, items)
                if time.monotonic() > until:
                    break
        else:
            _keep(bulk_id, items)
    return get(actor, bulk_id)


def _done(actor: Actor, bulk: Bulk, item: Item) -> Item:
    """The record after its run was begun, and what came of it."""
    try:
        run_id = actions.perform(actor, bulk.collection, item.key, bulk.action, bulk.values)
        told = runs.get(actor, run_id).json
    except ConsoleError as error:
        return replace(item, state=REFUSED, why=error.message, run=error.extra.get("run_id"))
    if told["status"] == "completed":
        return replace(item, state=DONE, run=run_id, why=str(told["context"].get(actions.STEP, {}).get("message") or ""))
    asked = (told.get("current") or {}).get("take_over") or {}
    return replace(item, state=OPEN, run=run_id, why=str(asked.get("message") or ""))


def _keep(bulk_id: str, items: Sequence[Item]) -> None:
    """The items as they are; once nothing is left to do the values go, which then stand in the runs alone."""
    kept = tables.bulk
    over: dict[str, Any] = {} if any(item.state in (WAITING, BEGUN) for item in items) else {"values": {}}
    with transaction() as connection:
        connection.execute(sa.update(kept).where(kept.c.id == bulk_id).values(items=[item.to_json() for item in items], **over))
