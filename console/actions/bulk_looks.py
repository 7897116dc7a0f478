"""What is looked at before something is done to a whole list: its records are added a page at a time, then judged, and nothing is done to them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import browse
from console.actions import bulk_ends, bulk_starts, many_changes, many_tags
from console.browse import BrowseQuery
from console.core.actor import Actor
from console.db import tables
from console.db.engine import transaction

PAGE = 200
WAITING, FITS, SAME, REFUSED = "waiting", "fits", "same", "refused"
_ADD = """
insert into console.bulk_item (bulk, number, key, state, why, seen)
select %s, a.* from unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::text[]) a
"""
_LOOKED = """
update console.bulk_item i set state = a.state, why = a.why, seen = a.seen from unnest(%s::int[], %s::text[], %s::text[], %s::text[]) as a (number, state, why, seen)
where i.bulk = %s and i.number = a.number and i.state = 'waiting'
"""


class Deed(Protocol):
    """What somebody wants of the records: its id, the action's id, the collection, and the values that are the same for all."""

    @property
    def id(self) -> str:
        """Under which its records are kept."""

    @property
    def action(self) -> str:
        """What is done to each."""

    @property
    def collection(self) -> str:
        """Whose records they are."""

    @property
    def values(self) -> Mapping[str, Any]:
        """What is typed once for all of them."""


def pages_of(whole: BrowseQuery) -> dict[str, Any]:
    """The list as it is kept until its last page was added."""
    return asdict(replace(whole, limit=PAGE, after=None, before=None, count=None, labels=False, fields=None))


def add(connection: Connection, bulk_id: str, rows: Sequence[tuple[str, str, str, str | None]], count: int) -> None:
    """Add records as (key, state, why, seen) behind the `count` that there are."""
    columns = [[row[at] for row in rows] for at in range(4)]
    connection.exec_driver_sql(_ADD, (bulk_id, list(range(count, count + len(rows))), *columns))


def look_further(actor: Actor, deed: Deed) -> bool:
    """Add the next records of the list, or look at the next of those that there are; whether there were any. Raises SourceDown, NotFound."""
    number, item = tables.bulk_item.c.number, tables.bulk_item.c
    with transaction() as connection:
        query = connection.execute(sa.select(tables.bulk.c.query).where(tables.bulk.c.id == deed.id).with_for_update()).scalar()
        if query is not None:
            return _add_page(connection, actor, deed, BrowseQuery(**query))
        found = connection.execute(
            sa.select(number, item.key).where(item.bulk == deed.id, item.state == WAITING).order_by(number).limit(PAGE)
        ).all()
    if not found:
        return False
    looked = _looked_at(actor, deed, [row.key for row in found])
    told = [(FITS if one.seen else SAME if one.same else REFUSED, one.why, one.seen) for one in (looked[row.key] for row in found)]
    with transaction() as connection:
        connection.exec_driver_sql(_LOOKED, ([row.number for row in found], *map(list, zip(*told, strict=True)), deed.id))
        bulk_ends.tell_checked(connection, deed.id)
    return True


def most_of(action: str) -> int:
    """Records of one list to which this is done at most."""
    return many_changes.MOST if many_changes.named(action) is not None else bulk_starts.MOST_LATER


def _looked_at(actor: Actor, deed: Deed, keys: Sequence[str]) -> dict[str, many_changes.Looked]:
    if (by_hand := many_changes.named(deed.action)) is not None:
        judge = many_tags.looked_at if by_hand.tags else many_changes.looked_at
        return judge(actor, by_hand, deed.collection, keys, deed.values)
    return bulk_starts.looked_at(actor, bulk_starts.slug_of(deed.action) or "", deed.collection, keys, deed.values)


def _add_page(connection: Connection, actor: Actor, deed: Deed, query: BrowseQuery) -> bool:
    """Add one page of the list, and keep where the next one begins."""
    page, most = browse.page(actor, deed.collection, query), most_of(deed.action)
    many = connection.execute(sa.select(sa.func.count()).where(tables.bulk_item.c.bulk == deed.id)).scalar_one()
    rows = [(row.key, WAITING, "", None) for row in page.rows if row.key is not None][: most - many]
    add(connection, deed.id, rows, many)
    rest = asdict(replace(query, after=page.next)) if page.next and many + len(rows) < most else sa.null()
    connection.execute(sa.update(tables.bulk).where(tables.bulk.c.id == deed.id).values(query=rest))
    return True
