"""Records as the database keeps them, read in the transaction that wrote them: triggers, roundings and deferred rules included."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.records import record_keys
from console.records.reader import Reader, Record

SETTLE = sa.text("set constraints all immediate")
"""Statement of PostgreSQL: deferred triggers act now, since they may still change or refuse what was written."""
MOST_KEYS = 500


def read_back(connection: Connection, reader: Reader, written: Sequence[Record]) -> list[Record]:
    """The records as they stand now, in their order, whether or not they are still in the reader's scope.

    One that a trigger has removed, or given another key, stays as it was `written`. Raises the driver's error of a deferred rule.
    """
    table, collection = reader.table, reader.table.collection
    if table.dialect.name == "postgresql":
        connection.execute(SETTLE)
    stands: dict[str | None, Record] = {}
    keys = [record_keys.decode(collection, record.key) for record in written if record.key is not None]
    for start in range(0, len(keys), MOST_KEYS):
        rows = connection.execute(
            reader.select().where(table.is_one_of(keys[start : start + MOST_KEYS]))
        ).all()
        stands |= {record.key: record for record in map(reader.record, rows)}
    return [stands.get(record.key, record) for record in written]
