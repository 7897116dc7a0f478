"""Which contacts are there already that lines of a file are about."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from console import records
from console.contacts import headings
from console.core.filters import ANY_CASE, Test
from console.core.scopes import Scope
from console.records import Record

ASKED = 1_000
"""Values that one statement looks for. Where no index helps it reads all contacts, so that few of them are asked; a page that is full is asked again in halves."""


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
    parts = deque(ordered[start : start + ASKED] for start in range(0, len(ordered), ASKED))
    while parts:
        part = parts.popleft()
        rows = records.page(collection_id, read, where=Test(field, op, part), limit=records.MOST_ROWS).rows
        if len(rows) >= records.MOST_ROWS and len(part) > 1:
            parts.extendleft((part[len(part) // 2 :], part[: len(part) // 2]))
            continue
        for record in rows:
            found.setdefault(headings.as_compared(record.values.get(field)), []).append(record)
    return found
