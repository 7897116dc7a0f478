"""Which records an import added and changed, so that they are found again; of those that it added how they were then."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from console import browse, records
from console.actions import many_changes
from console.infra.db.engine import fetch
from console.messaging.imports.imports import CHANGED, NEW, Line

if TYPE_CHECKING:
    from console.messaging.imports.imports import Plan

_KEEP = """
insert into console.import_record (batch, added, line, record, seen)
select %s, w.added, w.line, w.record, w.seen from unnest(%s::boolean[], %s::bigint[], %s::text[], %s::text[]) as w (added, line, record, seen)
on conflict do nothing
"""


def seen_of_added(plan: "Plan", lines: Sequence[Line]) -> Mapping[str, str]:
    """Key → a digest of each record that was added, as the source has it now; one statement. Later it is known by it whether anybody changed the record."""
    keys = [str(line.key) for line in lines if line.outcome == NEW and line.key is not None]
    added = (
        records.records_by_key(plan.collection.id, keys, browse.view_scope(plan.actor, plan.collection), None)
        if keys
        else {}
    )
    return {key: many_changes.seen_as(plan.collection, record) for key, record in added.items()}


def keep(
    connection: Connection, plan: "Plan", ident: str, lines: Sequence[Line], seen: Mapping[str, str]
) -> None:
    """Keep which records these lines added and changed, with the transaction of `connection`."""
    rows = [
        (
            line.outcome == NEW,
            line.number,
            records.log_reference(plan.collection, line.key),
            seen.get(line.key) if line.outcome == NEW else None,
        )
        for line in lines
        if line.outcome in (NEW, CHANGED) and line.key is not None
    ]
    if rows:
        connection.exec_driver_sql(_KEEP, (ident, *([row[column] for row in rows] for column in range(4))))


def is_kept(ident: str) -> bool:
    """Whether it is known which records the import brought; not of one that was made before that was kept."""
    return bool(fetch("select 1 from console.import_record where batch = %s limit 1", (ident,)))
