"""The field at whose values a list can be started, and the place of its last page."""

from collections.abc import Mapping
from typing import Any

from console.browse import segment_order
from console.browse.record_lists import BrowseQuery
from console.core.documents.collections import Collection, Field
from console.core.scopes import Scope
from console.records import list_starts, order_of

LAST = list_starts.LAST


def starting_field(collection: Collection, scope: Scope, query: BrowseQuery) -> tuple[Field, bool] | None:
    """The field that the list is sorted by first, and whether it is descending; None where the list cannot be started at a value. Raises Malformed for an unknown order."""
    order = order_of(collection, scope, segment_order.of_query(collection, scope, query).sort)
    field = list_starts.starting_field(collection, order)
    return None if field is None or field.name in scope.hidden else (field, order.descending)


def check(collection: Collection, scope: Scope, query: BrowseQuery, start: Mapping[str, Any]) -> None:
    """Raise Malformed unless the list of the query can be started so."""
    list_starts.starting_test(
        start,
        collection,
        order_of(collection, scope, segment_order.of_query(collection, scope, query).sort),
        scope,
    )


def has_last_page(collection: Collection) -> bool:
    """Whether the list can be read from its end: its records have a key."""
    return bool(collection.key) and not any(collection.by_name[name].nullable for name in collection.key)
