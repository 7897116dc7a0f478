"""Filters of a list by what only the console knows, its own tags and what an import brought: the keys of the records, as a condition of the list's own statement.

They lie in the console's database and the records in another one, so their keys go along. More than `MOST_KEYS` are refused, not cut.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from console.core.documents.collections import Collection
from console.core.errors import Malformed, NotFound
from console.core.filters import IMPORTED, Test
from console.core.tag_names import identity
from console.infra.db.engine import fetch
from console.records import record_keys
from console.records.dialects import Condition
from console.records.known_dialects import DIALECTS

MOST_KEYS = 100_000
_KEYS = (
    "select distinct record from console.record_tag where collection = %s and (%s or tag = any(%s)) limit %s"
)
_IMPORTED = (
    "select i.record from console.import_record i join console.enrolment_batch b on b.id = i.batch"
    " where i.added = %s and i.batch = %s and b.workflow = %s limit %s"
)
_IMPORTED_PERSONAL = (
    "select s.record from console.import_record i join console.enrolment_batch b on b.id = i.batch"
    " join console.subject s on s.collection = b.workflow and s.id = 'sub_' || substr(i.record, 5)"
    " where i.added = %s and i.batch = %s and b.workflow = %s limit %s"
)
_PERSONAL_KEYS = (
    "select distinct s.record from console.record_tag t join console.subject s on s.collection = t.collection and s.id = 'sub_' || substr(t.record, 5)"
    " where t.collection = %s and (%s or t.tag = any(%s)) limit %s"
)


def tag_condition(test: Test, collection: Collection, columns: Mapping[str, Any]) -> Condition:
    """The condition for a checked filter by tags. Raises Malformed where more than `MOST_KEYS` records have the tags."""
    words = test.value if isinstance(test.value, list) else [test.value]
    tags = [identity(" ".join(word.split())) for word in words if isinstance(word, str)]
    statement = _PERSONAL_KEYS if collection.personal_key else _KEYS
    keys = [row[0] for row in fetch(statement, (collection.id, test.op == "is_null", tags, MOST_KEYS + 1))]
    if len(keys) > MOST_KEYS:
        reason = f"More than {MOST_KEYS:,} records have this tag, too many to filter by. Filter by a field instead."
        raise Malformed(reason, at=test.field)
    found = _one_of(collection, columns, keys)
    return sa.not_(found) if test.op == "ne" or (test.op == "is_null" and test.value is True) else found


def import_condition(test: Test, collection: Collection, columns: Mapping[str, Any]) -> Condition:
    """The condition for the records that an import added or changed (`IMPORTED`). Raises Malformed where they are more than `MOST_KEYS`."""
    statement = _IMPORTED_PERSONAL if collection.personal_key else _IMPORTED
    keys = [
        row[0]
        for row in fetch(
            statement, (test.field == IMPORTED[0], str(test.value), collection.id, MOST_KEYS + 1)
        )
    ]
    if len(keys) > MOST_KEYS:
        reason = f"The import has more than {MOST_KEYS:,} such records, too many to filter by. Filter by a field instead."
        raise Malformed(reason, at=test.field)
    return _one_of(collection, columns, keys)


def _one_of(collection: Collection, columns: Mapping[str, Any], keys: list[str]) -> Condition:
    dialect = DIALECTS.get(collection.dialect, DIALECTS["postgresql"])
    fields = [collection.by_name[name] for name in collection.key]
    parts = []
    for key in keys:
        try:
            parts.append(record_keys.decode(collection, key))
        except NotFound:  # the key has another form today
            continue
    if len(fields) == 1:
        return dialect.one_of(columns[fields[0].name], fields[0], [part[0] for part in parts])
    return dialect.rows_of([columns[field.name] for field in fields], fields, parts)
