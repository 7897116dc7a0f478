"""A list as rows for a file: judged by the right to export, noted in the log before the first row, and read page by page.

A record is in it only if its reader may both see it and take it away. Memory stays flat.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from console import access, log, records
from console.browse import record_lists
from console.browse.record_lists import BrowseQuery, ListPage
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.scopes import Scope
from console.errors import NotAllowed

PAGE = records.MOST_ROWS


@dataclass(frozen=True, slots=True)
class ListExport:
    """A list that may be taken away: its columns in order, and its pages."""

    actor: Actor
    collection: Collection
    columns: tuple[Field, ...]
    query: BrowseQuery

    def pages(self) -> Iterator[ListPage]:
        """The pages in the order of the list. Rights are judged anew for each. Raises SourceDown, NotAllowed where the right was withdrawn."""
        after: str | None = None
        while True:
            scope = _scope(self.actor, self.collection)
            page = record_lists.page_within(self.actor, self.collection, scope, replace(self.query, limit=PAGE, after=after))
            seen = _visible(self.actor, page)
            yield replace(page, rows=[row for row in page.rows if row.key is None or row.key in seen])
            if page.next is None:
                return
            after = page.next


def may_export(actor: Actor, collection_id: str) -> bool:
    """Whether the actor may take records of the collection away."""
    return access.can(actor, None, f"collection:{collection_id}", "export")


def judged(actor: Actor, collection_id: str, query: BrowseQuery) -> ListExport:
    """The list that the query names, if the actor may take it away. Raises NotFound, NotAllowed, Malformed as for the list itself."""
    collection, _ = record_lists.browsed_collection(actor, collection_id)
    scope = _scope(actor, collection)
    asked = replace(query, after=None, before=None, count=None, labels=True)
    first = record_lists.page_within(actor, collection, scope, replace(asked, limit=1))
    return ListExport(actor, collection, first.columns, replace(asked, sort=first.sort or None))


def note(export: ListExport, form: str) -> None:
    """Note in the log that the list is taken away as a file of this form."""
    collection, query = export.collection, export.query
    log.note(
        export.actor,
        "records_exported",
        open={
            "format": form,
            "fields": [item.name for item in export.columns],
            "sort": query.sort or "",
            "segment": query.segment or "",
        },
        sealed={name: value for name, value in (("filter", query.filter), ("q", query.q)) if value},
        source=collection.source,
        collection=collection.id,
        label=access.label_of(f"collection:{collection.id}"),
    )


def _scope(actor: Actor, collection: Collection) -> Scope:
    obj = f"collection:{collection.id}"
    access.require(actor, None, obj, "export")
    scope = access.scope_for(actor, collection.id, "export", sensitive=collection.sensitive)
    if scope.nothing:
        raise NotAllowed("You may see these records, but not take them away. An admin can grant it.", need=(obj, "export"))
    return scope


def _visible(actor: Actor, page: ListPage) -> set[str]:
    """The keys of the page that the actor may also read."""
    keys = [row.key for row in page.rows if row.key is not None]
    scope = record_lists.view_scope(actor, page.collection)
    return set(keys) if scope.unlimited else records.visible_keys(page.collection.id, keys, scope)
