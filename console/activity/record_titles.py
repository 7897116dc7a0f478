"""The names of the records that events are about, as one reader may know them."""

from collections.abc import Iterable
from typing import Any

from console import browse, records
from console.core.actor import Actor
from console.core.errors import NotFound


def titles(actor: Actor, rows: Iterable[Any]) -> dict[tuple[str, str], str]:
    """(collection, reference in the log) → title of its record; without those that are gone, hidden, or of a source that does not answer."""
    references = {
        (row.collection, row.record) for row in rows if row.collection is not None and row.record is not None
    }
    keys = {reference: key for reference in references if (key := _key(*reference)) is not None}
    found = browse.names_of(actor, {(collection, key) for (collection, _), key in keys.items()}, "read")
    known = {reference: found.get((reference[0], key)) for reference, key in keys.items()}
    return {
        reference: named.title for reference, named in known.items() if named is not None and not named.absent
    }


def _key(collection: str, reference: str) -> str | None:
    try:
        return browse.key_of_reference(records.collection(collection), reference)
    except NotFound:
        return None
