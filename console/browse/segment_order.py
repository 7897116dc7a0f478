"""The order in which the records of a segment are listed, where the reader has chosen none."""

from dataclasses import replace
from typing import TYPE_CHECKING

from console.core.documents.collections import Collection
from console.core.scopes import Scope

if TYPE_CHECKING:
    from console.browse.record_lists import BrowseQuery


def of_query(collection: Collection, scope: Scope, query: "BrowseQuery") -> "BrowseQuery":
    """The query in the order of its segment, where it names no order itself and the reader may sort by that field."""
    segment = collection.segment(query.segment) if query.segment and not query.sort else None
    sort = (segment and segment.sort) or ""
    by = collection.by_name.get(sort.removeprefix("-"))
    return (
        replace(query, sort=sort) if by is not None and by.sortable and by.name not in scope.hidden else query
    )
