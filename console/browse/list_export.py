"""A list as rows for a file: judged by the right to export, noted in the log before the first row, and read piece by piece.

A record is in it only if its reader may both see it and take it away. A field that is hidden or masked from them is no column of it. Memory stays flat.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from console.auth import access
from console.browse import naming, record_lists
from console.browse.record_lists import BrowseQuery
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.errors import NotAllowed
from console.core.scopes import Scope
from console.formats import Named
from console.records import Record

PAGE = 2_000
CHANGED = "Your rights in these records were changed since the file was asked for. Make it again: it holds what you may take away then."


@dataclass(frozen=True, slots=True)
class ListExport:
    """A list that may be taken away: its columns in order, and its records."""

    actor: Actor
    collection: Collection
    columns: tuple[Field, ...]
    query: BrowseQuery

    @property
    def beside(self) -> list[Field]:
        """The columns beside the title; a field that is the whole title is not repeated."""
        return [item for item in self.columns if (item.name,) != self.collection.title_fields]

    @property
    def rights(self) -> str:
        """What stands for the records and fields that may be taken away now: another one once rights, scopes or what is shown were changed."""
        scopes = [(scope.shape, scope.attributes_used(), sorted(scope.hidden)) for scope in self._scopes()]
        return sha256(repr((scopes, [item.name for item in self.columns])).encode()).hexdigest()

    def pieces(self) -> Iterator[tuple[list[Record], Mapping[naming.Reference, Named]]]:
        """The records in the order of the list, `PAGE` at a time, each time with the records that they refer to.

        Both scopes stand in the statement, and are judged anew for each piece. Raises SourceDown, NotAllowed where a right was withdrawn or changed.
        """
        scope, seen = self._scopes()
        for rows in record_lists.every_within(
            self.actor, self.collection, scope, seen, self.query, self.columns, PAGE
        ):
            if self._scopes() != (scope, seen):
                raise NotAllowed(CHANGED)
            named = self._named(rows)
            yield naming.called(self.actor, self.collection, rows, named), named

    def _scopes(self) -> tuple[Scope, Scope]:
        """What the actor may take away, and what they may see."""
        return _scope(self.actor, self.collection), record_lists.view_scope(self.actor, self.collection)

    def _named(self, rows: list[Record]) -> dict[naming.Reference, Named]:
        leading = [(item.name, item.references) for item in self.columns]
        wanted = sorted(naming.references(leading, (row.values for row in rows)))
        found: dict[naming.Reference, Named] = {}
        for start in range(0, len(wanted), naming.MOST):
            found |= naming.names_of(self.actor, wanted[start : start + naming.MOST])
        return found


def may_export(actor: Actor, collection_id: str) -> bool:
    """Whether the actor may take records of the collection away."""
    return access.can(actor, None, f"collection:{collection_id}", "export")


def require_list(actor: Actor, collection_id: str, query: BrowseQuery) -> ListExport:
    """The list that the query names, if the actor may take it away. Raises NotFound, NotAllowed, Malformed as for the list itself."""
    collection, _ = record_lists.browsed_collection(actor, collection_id)
    scope = _scope(actor, collection)
    page_query = replace(query, after=None, before=None, count=None, labels=True)
    first = record_lists.page_within(actor, collection, scope, replace(page_query, limit=1))
    return ListExport(actor, collection, first.columns, replace(page_query, sort=first.sort or None))


def note(export: ListExport, form: str) -> None:
    """Note in the log that the list is taken away as a file of this form."""
    collection, query = export.collection, export.query
    open_ = {
        "format": form,
        "fields": [item.name for item in export.columns],
        "sort": query.sort or "",
        "segment": query.segment or "",
    }
    sealed = {name: value for name, value in (("filter", query.filter), ("q", query.q)) if value}
    record_lists.note_on(export.actor, "records_exported", collection, open=open_, sealed=sealed)


def _scope(actor: Actor, collection: Collection) -> Scope:
    obj = f"collection:{collection.id}"
    access.require(actor, None, obj, "export")
    scope = access.scope_for(actor, collection.id, "export", sensitive=collection.sensitive)
    if scope.nothing:
        raise NotAllowed(
            "You may see these records, but not take them away. An admin can grant it.", need=(obj, "export")
        )
    return scope
