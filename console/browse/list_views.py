"""How each person sees a list: columns in their order, height of the rows, and the segment that it opens with. Kept until they change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from console.browse.record_lists import browsed_collection
from console.browse.saved_segments import SavedSegment, audiences, readable, saved_segments
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import Invalid
from console.core.scopes import Scope
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction

MOST_COLUMNS = 200
SIZES = (20, 40, 100, 200)
TITLE = "title"
"""The first column of a list, which names the record, in `widths`."""
NARROWEST, WIDEST = 60, 900

_VIEW = "select columns, roomy, segment, page_size, widths from console.list_view where person = %s and collection = %s"
_BOTH = """
select v.columns, v.roomy, v.segment, v.page_size, v.widths, s.id, s.label, s.query, s.audience, s.made_by
from (select) one left join console.list_view v on v.person = %(person)s and v.collection = %(collection)s
left join console.saved_segment s on s.collection = %(collection)s and s.audience = any(%(audiences)s::text[])
"""


@dataclass(frozen=True, slots=True)
class ListView:
    """A person's view of a list. `columns` empty: those of the collection; `segment` None: that of their role, "": all records.

    `size`: records on a page; `widths`: column → pixels, the others as wide as what they hold.
    """

    columns: tuple[str, ...] = ()
    roomy: bool = False
    segment: str | None = None
    size: int = SIZES[1]
    widths: Mapping[str, int] = field(default_factory=dict)


def view_of(actor: Actor, collection_id: str) -> ListView:
    """The view that the actor kept of the list; one statement."""
    rows = fetch(_VIEW, (actor.id, collection_id))
    return _view(*rows[0]) if rows else ListView()


def view_and_segments(
    actor: Actor, collection: Collection, scope: Scope
) -> tuple[ListView, list[SavedSegment]]:
    """The view that the actor kept of the list, and the saved segments that they have as its tabs; one statement. The caller has judged the scope."""
    rows = fetch(_BOTH, {"person": actor.id, "collection": collection.id, "audiences": audiences(actor)})
    return _view(*rows[0][:5]), readable(
        actor, collection, scope, [row[5:] for row in rows if row[5] is not None]
    )


def _view(
    columns: Sequence[str] | None,
    roomy: bool | None,
    segment: str | None,
    size: int | None,
    widths: Mapping[str, int] | None,
) -> ListView:
    return ListView(tuple(columns or ()), bool(roomy), segment, size or ListView().size, widths or {})


def first_segment(actor: Actor, collection: Collection, kept: ListView) -> str | None:
    """The segment that the list opens with for the actor: their own, else the first that names a role of theirs; None: all records."""
    known = {segment.id for segment in collection.segments}
    if kept.segment is not None:
        return kept.segment if kept.segment in known else None
    roles = {role for role, _ in actor.roles}
    return next((segment.id for segment in collection.segments if roles & set(segment.roles)), None)


def keep(actor: Actor, collection_id: str, view: ListView) -> None:
    """Keep the view. Raises NotFound for a collection that the actor may not browse, Invalid for fields or segments that it does not show them."""
    collection, scope = browsed_collection(actor, collection_id)
    readable = {item.name for item in collection.readable(scope)} | scope.masked
    strange = [name for name in view.columns if name not in readable]
    if strange or len(view.columns) > MOST_COLUMNS:
        raise Invalid(
            f"There is no field {strange[0]} in {collection.label} that you may read."
            if strange
            else "These are too many columns.",
            at="columns",
        )
    if view.segment and view.segment not in {
        *(item.id for item in collection.segments),
        *(saved.id for saved in saved_segments(actor, collection_id)),
    }:
        raise Invalid(f"{collection.label} have no such segment.", at="segment")
    if view.size not in SIZES:
        raise Invalid(
            f"A page has {', '.join(str(size) for size in SIZES[:-1])} or {SIZES[-1]} records.", at="size"
        )
    if strange_widths := [name for name in view.widths if name not in readable and name != TITLE]:
        raise Invalid(
            f"There is no field {strange_widths[0]} in {collection.label} that you may read.", at="widths"
        )
    widths = {name: max(NARROWEST, min(WIDEST, width)) for name, width in view.widths.items()}
    sizes = {"page_size": None if view.size == ListView().size else view.size, "widths": widths or sa.null()}
    kept = {
        "columns": list(view.columns) or None,
        "roomy": view.roomy,
        "segment": view.segment,
        "changed_at": sa.func.now(),
    } | sizes
    insert = postgresql.insert(tables.list_view).values(person=actor.id, collection=collection.id, **kept)
    with transaction() as connection:
        connection.execute(insert.on_conflict_do_update(index_elements=["person", "collection"], set_=kept))


def forget(actor: Actor, collection_id: str) -> None:
    """See the list again as the collection says."""
    collection, _ = browsed_collection(actor, collection_id)
    table = tables.list_view
    with transaction() as connection:
        connection.execute(
            sa.delete(table).where(table.c.person == actor.id, table.c.collection == collection.id)
        )
