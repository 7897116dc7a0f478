"""Looking for words in every row of a large list, where its indexes found nothing."""

from dataclasses import replace

from console import records
from console.browse.record_lists import BrowseQuery, question
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import TooSlow
from console.core.scopes import Scope
from console.records import search

SECONDS = 1.0


def can_look_inside(actor: Actor, collection: Collection, scope: Scope, query: BrowseQuery) -> bool:
    """Whether every row can be looked through for the words of the query within `SECONDS`. Raises what `page` raises."""
    where, segment, sought = question(actor, collection, scope, replace(query, inside=True))
    try:
        records.page(
            collection.id,
            scope,
            where=where,
            segment=segment,
            q=sought,
            sort=query.sort,
            limit=query.limit,
            seconds=SECONDS,
        )
    except TooSlow:
        return False
    return True


def begun_fields(collection: Collection, scope: Scope) -> list[str]:
    """Labels of the texts of which the indexes find the beginning."""
    return [field.label for field in search.begun_fields(collection, scope.hidden)]
