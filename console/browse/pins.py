"""Records and lists that a person pinned, and the records that they looked at last, with their names as the person may see them now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from console import records
from console.auth import access
from console.browse.naming import titles
from console.browse.record_lists import browsed_collection
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import Conflict, ConsoleError, NotFound
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction

MOST = 20
RECENT = 5
_LOOKED_BACK = 200
_RECENT = """
select collection, record, max(at) from (
    select collection, record, at from console.activity where actor = %s and kind = 'record_viewed' and record is not null order by pos desc limit %s
) as seen group by collection, record order by 3 desc limit %s
"""


@dataclass(frozen=True, slots=True)
class Pin:
    """A pinned record or list. `title` is what people read; a list has a `segment` or "" and no record."""

    collection: str
    record: str
    segment: str
    title: str
    label: str


@dataclass(frozen=True, slots=True)
class Recent:
    """A record that the person looked at, and when last."""

    collection: str
    record: str
    title: str
    label: str
    at: datetime


def pins_of(actor: Actor) -> list[Pin]:
    """The person's pins, the first pinned first; what they may not see any more is left out."""
    table = tables.pin.c
    wanted = (
        sa.select(table.collection, table.record, table.segment)
        .where(table.person == actor.id)
        .order_by(table.at)
        .limit(MOST)
    )
    with transaction() as connection:
        rows = connection.execute(wanted).all()
    names = _titles(actor, [(row.collection, row.record) for row in rows if row.record])
    found = []
    for row in rows:
        known = _collection(actor, row.collection)
        if known is None:
            continue
        if row.record:
            title = names.get((row.collection, row.record))
        else:
            segment = known.segment(row.segment) if row.segment else None
            title = segment.label if segment else None if row.segment else known.label
        if title is not None:
            found.append(Pin(row.collection, row.record, row.segment, title, known.label))
    return found


def pin(actor: Actor, collection: str, record: str = "", segment: str = "") -> None:
    """Pin a record or list that the person may see. Raises NotFound, and Conflict where `MOST` are pinned."""
    known, scope = browsed_collection(actor, collection)
    if record:
        records.get(collection, record, scope)
    elif segment and known.segment(segment) is None:
        raise NotFound
    table = tables.pin
    with transaction() as connection:
        pinned = connection.scalar(
            sa.select(sa.func.count()).select_from(table).where(table.c.person == actor.id)
        )
        if (pinned or 0) >= MOST:
            raise Conflict(f"{MOST} things are pinned already: unpin one first.", code="not_possible")
        made = sa.text(
            "insert into console.pin (person, collection, record, segment) values (:p, :c, :r, :s) on conflict do nothing"
        )
        connection.execute(made, {"p": actor.id, "c": collection, "r": record, "s": segment})


def unpin(actor: Actor, collection: str, record: str = "", segment: str = "") -> None:
    """Take the pin away, if there is one."""
    table = tables.pin.c
    mine = (
        table.person == actor.id,
        table.collection == collection,
        table.record == record,
        table.segment == segment,
    )
    with transaction() as connection:
        connection.execute(sa.delete(tables.pin).where(*mine))


def recent(actor: Actor) -> list[Recent]:
    """The records that the person looked at last, of their last `_LOOKED_BACK` looks; those out of their scope are left out."""
    rows = fetch(_RECENT, (actor.id, _LOOKED_BACK, RECENT))
    names = _titles(actor, [(row[0], row[1]) for row in rows])
    labels = {
        collection: known.label
        for collection, _, _ in rows
        if (known := _collection(actor, collection)) is not None
    }
    return [
        Recent(collection, record, names[collection, record], labels[collection], at)
        for collection, record, at in rows
        if (collection, record) in names and collection in labels
    ]


def _collection(actor: Actor, collection: str) -> Collection | None:
    try:
        return browsed_collection(actor, collection)[0]
    except NotFound:
        return None


def _titles(actor: Actor, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """(collection, key) → title of those that the person may see: one statement for each collection."""
    keys: dict[str, list[str]] = {}
    for collection, key in wanted:
        keys.setdefault(collection, []).append(key)
    found = {}
    for collection, some in keys.items():
        if _collection(actor, collection) is None:
            continue
        try:
            named = titles(actor, collection, some, access.scope_for(actor, collection, "read"))
        except ConsoleError:
            continue  # the source is down
        found.update({(collection, key): title for key, title in named.items()})
    return found
