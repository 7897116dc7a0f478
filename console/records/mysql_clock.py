"""The present moment that MySQL writes by itself into a column without a zone: in UTC, as our sessions are, where the source's clocks are elsewhere."""

from collections.abc import Collection as Several
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.documents.collections import Collection
from console.records import source_zones

ITSELF = {
    "insert": sa.text(
        "select column_name from information_schema.columns where table_schema = coalesce(:schema, database()) and table_name = :table"
        " and lower(column_default) like 'current_timestamp%'"
    ),
    "update": sa.text(
        "select column_name from information_schema.columns where table_schema = coalesce(:schema, database()) and table_name = :table"
        " and lower(extra) like '%on update current_timestamp%'"
    ),
}


def now_of(
    connection: Connection, collection: Collection, given: Several[str], writing: str
) -> dict[str, Any]:
    """What the clocks of the zone show now, for each column that an `insert` or `update` without it would fill in; nothing of other sources."""
    zoned = (
        {field.name: field.zone for field in collection.stored_fields if field.zone}
        if collection.dialect == "mysql"
        else {}
    )
    if not zoned.keys() - set(given):
        return {}
    names = connection.scalars(
        ITSELF[writing], {"schema": collection.schema, "table": collection.table}
    ).all()
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        name: source_zones.on_clocks(now, zoned[name])
        for name in names
        if name in zoned and name not in given
    }
