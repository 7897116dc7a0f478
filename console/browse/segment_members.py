"""In which segments of a list records are, as a reader sees them."""

from collections.abc import Collection as Many, Sequence

from console import records
from console.auth import access
from console.browse.record_lists import BrowseQuery, question
from console.core.actor import Actor
from console.core.errors import Malformed
from console.records import Chosen


def segments_of(
    actor: Actor, collection_id: str, keys: Sequence[str], wanted: Many[str]
) -> dict[str, set[str]]:
    """Key → those of the `wanted` segments that the record is in, of the records that the actor may read; one statement.

    In a segment that is not there, or reads what is kept from the actor, is no record. Raises SourceDown.
    """
    collection, scope = records.collection(collection_id), access.scope_for(actor, collection_id, "read")
    chosen: dict[str, Chosen] = {}
    for segment_id in sorted(wanted):
        try:
            _, segment, _ = question(actor, collection, scope, BrowseQuery(segment=segment_id))
        except Malformed:
            continue
        if segment is not None:
            chosen[segment_id] = segment
    return records.segments_of(collection_id, keys, scope, chosen) if chosen else {}
