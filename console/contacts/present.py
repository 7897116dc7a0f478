"""Which contacts are there already that lines of a file are about."""

from collections.abc import Iterable, Sequence
from typing import Any

from console import records
from console.contacts import headings
from console.core.filters import ANY_CASE, Test
from console.core.scopes import Scope
from console.records import Record

ASKED = 200
"""Values that one statement looks for: two contacts may have each of them, and a page has 500."""


def by_value(collection_id: str, read: Scope, field: str, given: Sequence[Any]) -> dict[str, list[Record]]:
    """What the lines are found by, in small letters → the contacts within the reader's sight that have it; e-mail addresses also with other capitals.

    Values as they are typed come first: for them a database has an index.
    """
    found = _contacts_with(collection_id, read, field, "in", {spelled for value in given for spelled in headings.spellings(value)})
    missing = {str(value).lower() for value in given if "@" in str(value) and headings.as_compared(value) not in found}
    return found | _contacts_with(collection_id, read, field, ANY_CASE, missing)


def _contacts_with(collection_id: str, read: Scope, field: str, op: str, wanted: Iterable[Any]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    ordered = sorted(wanted, key=str)
    for start in range(0, len(ordered), ASKED):
        where = Test(field, op, ordered[start : start + ASKED])
        for record in records.page(collection_id, read, where=where, limit=records.MOST_ROWS).rows:
            found.setdefault(headings.as_compared(record.values.get(field)), []).append(record)
    return found
