"""One action on many records of a list, one workflow started on each, or a change by hand: who is in and who is not, then each by itself.

A worker does it, whoever looks on. A record is marked before it is begun: after a crash its run is looked for, and it is never done a second time.
A change by hand, and a workflow, may be for a whole list: its records are first looked at in the background, and done when that is confirmed.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import browse, log, records, runs
from console.actions import bulk_ends, bulk_starts, many_changes, many_tags, one_record, untouched_records
from console.actions.bulk_starts import BulkStart
from console.actions.many_changes import ManyChanges
from console.auth import access
from console.browse import BrowseQuery
from console.core.actor import Actor
from console.core.documents.action_document import Action
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound, SourceDown
from console.infra import faults, jobs
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.infra.jobs import background
from console.infra.jobs.background import DONE, RUNNING, Stopping, Work

KEPT = timedelta(days=30)
"""How long it is known what came of it: `sequencing.FORGOTTEN` deletes it then."""
IN_ONE_GO_S = 1.5
PAGE = 200
WAITING, REFUSED, FITS, SAME, BEGUN, OPEN, STOPPED = (
    "waiting",
    "refused",
    "fits",
    "same",
    "begun",
    "open",
    "stopped",
)
SHOWN, IN_ORDER = 200, 20
"""Records of one that are shown; of more than `IN_ORDER`, those that were refused first."""
UNSEEN = "Not there for you any more"
CAME_SINCE = "It was changed since it was checked, or came to the list since: nothing was done to it."
_RUN = f"""
select r.id from {access.EVERY_RUN.sql()} join console.workflow w on w.id = r.workflow
where w.slug = %s and r.collection = %s and r.record = %s and r.started_by = %s and r.created_at >= %s order by r.created_at limit 1
"""  # noqa: S608 (a text of ours)
_ITEMS = """
select key, state, why, run, seen from console.bulk_item where bulk = %(bulk)s
order by case when %(many)s then array_position(array['refused', 'open', 'fits', 'stopped'], state) end nulls last, number limit %(limit)s
"""
_TAKE = """
update console.bulk_item set state = 'begun' from (
    select i.bulk, i.number, i.state as former from console.bulk_item i where i.bulk = %s and i.state in ('begun', 'waiting') order by i.state, i.number limit 1
) taken where bulk_item.bulk = taken.bulk and bulk_item.number = taken.number returning bulk_item.number, key, former, seen
"""
_ADD = """
insert into console.bulk_item (bulk, number, key, state, why, seen)
select %s, a.* from unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::text[]) a
"""
_LOOKED = """
update console.bulk_item i set state = a.state, why = a.why, seen = a.seen from unnest(%s::int[], %s::text[], %s::text[], %s::text[]) as a (number, state, why, seen)
where i.bulk = %s and i.number = a.number and i.state = 'waiting'
"""
_CAUSES = r"""
select regexp_replace(why, ' \((more than )?[0-9,]+\)\.$', '.') as cause, count(*) from console.bulk_item
where bulk = %s and state = 'refused' group by cause order by 2 desc, cause limit 20
"""


class TooManyChosen(Invalid):
    """More records are chosen than are done at once."""


@dataclass(frozen=True, slots=True)
class Item:
    """One record: waiting, begun, done, open (its run waits for somebody or something), stopped, or refused with the reason.

    While it is looked at: it fits, or is the same already. `seen` stands for what the record was when it was looked at or checked.
    """

    key: str
    title: str = ""
    state: str = WAITING
    why: str = ""
    run: str | None = None
    seen: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk(Work):
    """What was begun: which action, on which records, and how far it is. `items` are those that are shown, `counts` of all by state.

    `looking`: what is looked at first, of which nothing is done yet. `query`: the rest of the list whose records are still added to it.
    """

    action: str
    collection: str
    values: Mapping[str, Any]
    items: Sequence[Item]
    created_at: datetime
    counts: Mapping[str, int]
    looking: bool = False
    query: Mapping[str, Any] | None = None

    def count(self, *states: str) -> int:
        """Records in one of these states; without any, all of them."""
        return sum(self.counts.get(state, 0) for state in states or self.counts)


def offered(actor: Actor, collection_id: str) -> list[Action]:
    """Actions that the actor may have done to several records of the collection at once."""
    return [action for action in one_record.offered(actor, collection_id) if action.most > 0]


def chosen(
    actor: Actor,
    collection_id: str,
    action: Action | BulkStart,
    keys: Sequence[str],
    whole: BrowseQuery | None,
    *,
    first: bool = False,
) -> list[Item]:
    """The records that were ticked, or with `whole` all of a list, as `picked` answers and raises for this action."""
    return picked(actor, collection_id, keys, whole, action.most, f"“{action.title}”", first=first)


def picked(
    actor: Actor,
    collection_id: str,
    keys: Sequence[str],
    whole: BrowseQuery | None,
    most: int,
    title: str,
    *,
    first: bool = False,
) -> list[Item]:
    """The records that were ticked, or with `whole` all of a list, as far as the actor sees them; with `first` no more than `most`.

    Raises TooManyChosen where they are more than `most` (`title`: what is done to them), Invalid where there are none.
    """
    more = 0 if first else 1
    found = (
        _of_list(actor, collection_id, whole, most + more)
        if whole is not None
        else _of_keys(actor, collection_id, keys[: most + more])
    )
    if len(found) > most:
        raise TooManyChosen(
            f"{title} is done to at most {most:,} records at once, and more are chosen. Narrow the list by a filter.",
            at=("key", f"At most {most:,}."),
        )
    if not found:
        raise Invalid("No record is chosen.", at=("key", "Tick at least one."))
    return found


def _of_keys(actor: Actor, collection_id: str, keys: Sequence[str]) -> list[Item]:
    titles = browse.titles(
        actor, collection_id, dict.fromkeys(keys), access.scope_for(actor, collection_id, "read")
    )
    return [Item(key, titles[key]) for key in dict.fromkeys(keys) if key in titles]


def _of_list(actor: Actor, collection_id: str, query: BrowseQuery, most: int) -> list[Item]:
    """The records of a list in its order, at most so many."""
    found: list[Item] = []
    page_query: BrowseQuery | None = replace(
        query, limit=min(PAGE, most), after=None, before=None, count=None, labels=False
    )
    while page_query is not None and len(found) < most:
        page = browse.page(actor, collection_id, page_query)
        found += [Item(row.key, row.title) for row in page.rows if row.key is not None]
        page_query = replace(page_query, after=page.next) if page.next else None
    return found[:most]


def refusal_reasons(
    actor: Actor,
    collection_id: str,
    action: Action | BulkStart,
    items: Sequence[Item],
    values: Mapping[str, Any],
) -> list[Item]:
    """The records with the reason for each to which it cannot be done with these values; nothing is done."""
    return [_judged(actor, collection_id, action, item, values) for item in items]


def _judged(
    actor: Actor, collection_id: str, action: Action | BulkStart, item: Item, values: Mapping[str, Any]
) -> Item:
    if isinstance(action, BulkStart):
        why = bulk_starts.refused(actor, action.slug, collection_id, item.key, values)
        return (
            replace(item, state=REFUSED, why=why)
            if why
            else replace(item, seen=bulk_starts.fingerprint(collection_id, item.key))
        )
    try:
        done, seen = one_record.try_action(actor, collection_id, item.key, action.id, values)
    except ConsoleError as error:
        reasons = [str(detail.get("reason", "")) for detail in error.details if detail.get("reason")]
        return replace(item, state=REFUSED, why=" ".join(reasons) or error.words)
    return replace(
        item, why=f"Waits for an approval: {done.approval.why}" if done.approval else "", seen=seen
    )


def as_checked(items: Sequence[Item], checked: Collection[str]) -> list[Item]:
    """The records that were judged again, without those that are not as they were checked (`checked`: their `seen`) or came to the list since."""
    return [
        item
        if item.state == REFUSED or item.seen in checked
        else replace(item, state=REFUSED, why=CAME_SINCE)
        for item in items
    ]


def look(
    actor: Actor,
    collection_id: str,
    deed: ManyChanges | BulkStart,
    keys: Sequence[str],
    whole: BrowseQuery | None,
    values: Mapping[str, Any],
) -> str:
    """Have a worker look at each of these records, or with `whole` at those of a list, for this; nothing is done. Answers its id.

    Raises Invalid where no record is chosen.
    """
    if whole is None:
        items = picked(actor, collection_id, keys, None, deed.later, f"“{deed.title}”")
        return begin(actor, collection_id, deed, items, values, looking=True)
    query = asdict(replace(whole, limit=PAGE, after=None, before=None, count=None, labels=False, fields=None))
    return begin(actor, collection_id, deed, [], values, looking=True, query=query)


def look_at_import(actor: Actor, collection_id: str, import_id: str) -> str:
    """Have a worker look at each record that an import added, for taking it back: what nothing has touched since would be deleted. Answers its id.

    The caller has judged whose import it is. Raises NotFound, NotAllowed for who deletes no such records, Invalid where there are none, or more than are done at once.
    """
    access.require(actor, None, f"collection:{collection_id}", "delete")
    deed = ManyChanges(many_changes.TAKE_BACK)
    keys = untouched_records.added_keys(records.collection(collection_id), import_id, deed.later + 1)
    if len(keys) > deed.later:
        raise Invalid(
            f"It added more than {deed.later:,}, too many to be taken back at once. Delete them from the list instead, narrowed by a field."
        )
    if not keys:
        raise Invalid("It added nothing that is known.")
    return begin(
        actor,
        collection_id,
        deed,
        [Item(key) for key in keys],
        {many_changes.IMPORT: import_id},
        looking=True,
    )


def begun_before(actor: Actor) -> str | None:
    """The id of what the form of this request began when it was sent before."""
    found = fetch("select id from console.bulk where id = %s and person = %s", (_id_of_form(), actor.id))
    return found[0][0] if found else None


def _id_of_form() -> str | None:
    """The id of what a form begins; None without one. A form that is sent again is known by it."""
    sent = log.IDEMPOTENCY.get()
    return None if sent is None else f"blk_{sent[:26]}"


def begin(
    actor: Actor,
    collection_id: str,
    deed: Action | BulkStart | ManyChanges,
    items: Sequence[Item],
    values: Mapping[str, Any],
    **more: Any,
) -> str:
    """Keep what was asked for, and have a worker do it, or look at it first; answers its id. `more`: other columns of the row."""
    bulk_id = _id_of_form() or new_id("blk")
    row = {
        "person": actor.id,
        "action": deed.id,
        "collection": collection_id,
        "values": log.body.canonical_value(dict(values)),
        **more,
    }
    with transaction() as connection:
        if BULKS.add(connection, id=bulk_id, **row, created_at=log.now()):
            _add(connection, bulk_id, items, 0)
    return bulk_id


def confirm(actor: Actor, bulk_id: str) -> None:
    """Have it done to the records that were found to fit, once, as they were looked at. Raises NotFound, Conflict while it still looks."""
    found = get(actor, bulk_id)
    if not found.looking:
        return
    if found.under_way:
        raise Conflict("The records are still looked at. Wait until all of them are.")
    deletes = (deed := many_changes.change_by_id(found.action)) is not None and deed.deletes
    data = {"batch": bulk_id, "total": found.count(FITS), "fields": [] if deletes else sorted(found.values)}
    effect = {"effect": "deleted"} if deletes else {}
    effect |= {"import": found.values[many_changes.IMPORT]} if found.action == many_changes.TAKE_BACK else {}
    with transaction() as connection:
        if connection.exec_driver_sql(
            "update console.bulk set looking = false where id = %s and looking returning 1", (bulk_id,)
        ).all():
            connection.exec_driver_sql(
                "update console.bulk_item set state = 'waiting' where bulk = %s and state = 'fits'",
                (bulk_id,),
            )
            jobs.enqueue(connection, jobs.BULK, bulk_id, dedupe_key=f"{bulk_id} do")
            if deed is not None and not deed.tags:  # a run that is started says so itself, and each tag does
                log.note(
                    actor,
                    "records_changed",
                    open=data | effect,
                    collection=found.collection,
                    connection=connection,
                )


def get(actor: Actor, bulk_id: str) -> Bulk:
    """What this person began, each record as they may see it now. Raises NotFound for anybody else."""
    found = BULKS.get(bulk_id)
    if found.person != actor.id:
        raise NotFound(BULKS.missing)
    try:
        scope = access.scope_for(actor, found.collection, "read")
        titles = browse.titles(actor, found.collection, [item.key for item in found.items], scope)
    except ConsoleError:
        titles = {}
    deleted = (deed := many_changes.change_by_id(found.action)) is not None and deed.deletes
    items = [
        replace(item, title=titles[item.key])
        if item.key in titles
        else replace(item, title="Deleted" if deleted and item.state == DONE else UNSEEN, why="", run=None)
        for item in found.items
    ]
    return replace(found, items=items)


def keys_left(actor: Actor, bulk_id: str) -> list[str]:
    """Keys of the records to which it was not done: refused or stopped, in their order. Raises NotFound for anybody but who began it."""
    get(actor, bulk_id)
    rows = fetch(
        "select key from console.bulk_item where bulk = %s and state = any(%s) order by number",
        (bulk_id, [REFUSED, STOPPED]),
    )
    return [row[0] for row in rows]


def causes(bulk_id: str) -> list[tuple[str, int]]:
    """(reason, how many records) of what was refused, the most frequent first."""
    return [(row[0], int(row[1])) for row in fetch(_CAUSES, (bulk_id,))]


def stop(actor: Actor, bulk_id: str) -> Bulk:
    """Do no more of it; what is under way is finished. Raises NotFound for anybody but who began it."""
    get(actor, bulk_id)
    BULKS.stop(bulk_id)
    return get(actor, bulk_id)


class _Bulks(background.Kind[Bulk]):
    job, table = jobs.BULK, tables.bulk
    missing = (
        f"Nothing of yours is known here. What was begun on several records is known for {KEPT.days} days."
    )

    def read(self, row: sa.Row[Any]) -> Bulk:
        bulk_ends.count_ended(row.id)
        counts = dict(
            fetch("select state, count(*) from console.bulk_item where bulk = %s group by state", (row.id,))
        )
        total, left = sum(counts.values()), counts.get(WAITING, 0) + counts.get(BEGUN, 0)
        shown = fetch(_ITEMS, {"bulk": row.id, "many": total > IN_ORDER, "limit": SHOWN})
        items = [Item(key, "", state, why, run, seen) for key, state, why, run, seen in shown]
        status = RUNNING if row.query is not None or left else DONE
        return Bulk.from_row(
            row, status=status, why="", total=total, done=total - left, items=items, counts=counts
        )

    def perform(self, work: Bulk, actor: Actor, stopping: Stopping) -> None:
        """Do some more of it, for a second or two, before others have their turn."""
        if jobs.paused():
            raise jobs.PutBack(background.LATER_S)
        until = time.monotonic() + IN_ONE_GO_S
        step = _look_further if work.looking else _do_next
        while not stopping() and time.monotonic() < until and step(actor, work):
            continue
        if self.get(work.id).under_way:
            raise jobs.PutBack(background.LATER_S if stopping() else 0.0)

    def stop(self, work_id: str) -> None:
        _leave(work_id, STOPPED, "")

    def fail(self, work: Bulk, why: str) -> None:
        _leave(work.id, REFUSED, why)


BULKS = _Bulks()
advance = BULKS.advance


def _do_next(actor: Actor, bulk: Bulk) -> bool:
    """Do the next record, or put a tag on the next ones; whether there was one. It is marked as begun first: one that is marked already was left by a process that died."""
    deed = many_changes.change_by_id(bulk.action)
    if deed is not None and deed.tags:
        return many_tags.do_next(actor, deed, bulk.id, bulk.collection, bulk.values)
    taken = fetch(_TAKE, (bulk.id,))
    if not taken:
        return False
    [(number, key, former, seen)] = taken
    item = Item(key, state=BEGUN, seen=seen)
    if deed is not None:
        _put(bulk.id, number, _by_hand(actor, deed, bulk, item, again=former == BEGUN))
    else:
        _put(bulk.id, number, _perform(actor, bulk, item, again=former == BEGUN))
    return True


def _by_hand(actor: Actor, deed: ManyChanges, bulk: Bulk, item: Item, *, again: bool) -> Item:
    """The record after it was changed or deleted, or why it was not. Raises SourceDown where nothing was sent: it stays begun, and is tried again."""
    try:
        why = many_changes.perform(
            actor, deed, bulk.collection, item.key, item.seen, bulk.values, again=again
        )
    except records.WriteUnknown as unknown:
        return replace(item, state=OPEN, why=unknown.message)
    except SourceDown:
        raise
    except ConsoleError as error:
        return replace(item, state=REFUSED, why=" ".join(records.reasons(error)))
    return replace(item, state=REFUSED if why else DONE, why=why)


def _put(bulk_id: str, number: int, item: Item) -> None:
    """Keep what came of a record; who began it is told of the end by the same commit: a process that dies has told and ended, or neither."""
    kept = tables.bulk_item
    with transaction() as connection:
        connection.execute(
            sa.select(tables.bulk.c.id).where(tables.bulk.c.id == bulk_id).with_for_update()
        ).one()
        here = (kept.c.bulk == bulk_id, kept.c.number == number)
        connection.execute(sa.update(kept).where(*here).values(state=item.state, why=item.why, run=item.run))
        bulk_ends.end(connection, bulk_id)
        faults.point("bulk.write.before")
    faults.point("bulk.write.after")


def _leave(bulk_id: str, state: str, why: str) -> None:
    """What is left to do is not done."""
    with transaction() as connection:
        connection.execute(sa.update(tables.bulk).where(tables.bulk.c.id == bulk_id).values(query=sa.null()))
        change = "update console.bulk_item set state = %s, why = %s where bulk = %s and state = 'waiting'"
        connection.exec_driver_sql(change, (state, why, bulk_id))
        bulk_ends.end(connection, bulk_id, told=state == REFUSED)


def _perform(actor: Actor, bulk: Bulk, item: Item, *, again: bool) -> Item:
    """Start the record's run, or go on with the one that a process which died had begun; the record with what came of it.

    A start whose source does not answer is raised: the record stays begun, and is tried again.
    """
    workflow = bulk_starts.slug_of(bulk.action)
    run_id = _find_run(actor, bulk, item) if again else None
    try:
        if workflow is not None:
            run_id = run_id or runs.start(actor, workflow, bulk.collection, item.key, bulk.values)
            return replace(item, state=DONE, run=run_id, why=bulk_starts.lay_down(actor, run_id))
        if run_id is None:
            run_id = one_record.perform(
                actor, bulk.collection, item.key, bulk.action, bulk.values, seen=item.seen
            )
        else:
            one_record.finish(actor, run_id, bulk.values, seen=item.seen)
        return _with_result(actor, item, run_id)
    except ConsoleError as error:
        if isinstance(error, SourceDown) and workflow is not None:
            raise
        return replace(item, state=REFUSED, why=error.message, run=run_id or error.extra.get("run_id"))


def _find_run(actor: Actor, bulk: Bulk, item: Item) -> str | None:
    """Return the run that a process has begun for the record, before it died."""
    slug = bulk_starts.slug_of(bulk.action) or next(
        (action.slug for action in one_record.list_actions() if action.id == bulk.action), ""
    )
    found = fetch(_RUN, (slug, bulk.collection, item.key, actor.id, bulk.created_at))
    return str(found[0][0]) if found else None


def _with_result(actor: Actor, item: Item, run_id: str) -> Item:
    run = runs.get(actor, run_id).json
    if run["status"] == "completed":
        return replace(
            item,
            state=DONE,
            run=run_id,
            why=str(run["context"].get(one_record.STEP, {}).get("message") or ""),
        )
    take_over = (run.get("current") or {}).get("take_over") or {}
    return replace(item, state=OPEN, run=run_id, why=str(take_over.get("message") or ""))


def _add(connection: Connection, bulk_id: str, items: Sequence[Item], count: int) -> None:
    """Add records behind the `count` that there are."""
    columns = [[getattr(item, name) for item in items] for name in ("key", "state", "why", "seen")]
    connection.exec_driver_sql(_ADD, (bulk_id, list(range(count, count + len(items))), *columns))


def _look_further(actor: Actor, bulk: Bulk) -> bool:
    """Add the next records of the list, or look at the next of those that there are; whether there were any. Raises SourceDown, NotFound."""
    number, item = tables.bulk_item.c.number, tables.bulk_item.c
    with transaction() as connection:
        query = connection.execute(
            sa.select(tables.bulk.c.query).where(tables.bulk.c.id == bulk.id).with_for_update()
        ).scalar()
        if query is not None:
            return _add_page(connection, actor, bulk, BrowseQuery(**query))
        found = connection.execute(
            sa.select(number, item.key)
            .where(item.bulk == bulk.id, item.state == WAITING)
            .order_by(number)
            .limit(PAGE)
        ).all()
    if not found:
        return False
    looked = _looked_at(actor, bulk, [row.key for row in found])
    told = [
        (FITS if one.seen else SAME if one.same else REFUSED, one.why, one.seen)
        for one in (looked[row.key] for row in found)
    ]
    with transaction() as connection:
        connection.exec_driver_sql(
            _LOOKED, ([row.number for row in found], *map(list, zip(*told, strict=True)), bulk.id)
        )
        bulk_ends.tell_checked(connection, bulk.id)
    return True


def most_of(action: str) -> int:
    """Records of one list to which this is done at most."""
    return many_changes.MOST if many_changes.change_by_id(action) is not None else bulk_starts.MOST_LATER


def _looked_at(actor: Actor, bulk: Bulk, keys: Sequence[str]) -> dict[str, many_changes.Looked]:
    if (by_hand := many_changes.change_by_id(bulk.action)) is not None:
        judge = many_tags.preview_tags if by_hand.tags else many_changes.preview_changes
        return judge(actor, by_hand, bulk.collection, keys, bulk.values)
    return bulk_starts.preview_starts(
        actor, bulk_starts.slug_of(bulk.action) or "", bulk.collection, keys, bulk.values
    )


def _add_page(connection: Connection, actor: Actor, bulk: Bulk, query: BrowseQuery) -> bool:
    """Add one page of the list, and keep where the next one begins."""
    page, most = browse.page(actor, bulk.collection, query), most_of(bulk.action)
    many = connection.execute(
        sa.select(sa.func.count()).where(tables.bulk_item.c.bulk == bulk.id)
    ).scalar_one()
    items = [Item(row.key) for row in page.rows if row.key is not None][: most - many]
    _add(connection, bulk.id, items, many)
    rest = asdict(replace(query, after=page.next)) if page.next and many + len(items) < most else sa.null()
    connection.execute(sa.update(tables.bulk).where(tables.bulk.c.id == bulk.id).values(query=rest))
    return True
