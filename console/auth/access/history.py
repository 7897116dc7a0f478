"""Versions of the policy: who changed what and when, and the rows of an earlier version."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.auth.access import policy_store
from console.auth.access.policy_changes import Change
from console.auth.access.rows import Row
from console.infra.db import engine as db

_COLUMNS = "select number, at, by, note, added, removed from console.policy_version"
_SINCE = sa.text(f"{_COLUMNS} where number > :number order by number")
_ONE = sa.text(f"{_COLUMNS} where number = :number")
_NEWEST = sa.text(f"{_COLUMNS} where number < :before order by number desc limit :limit")
_BEYOND = 2**62
_UNTOLD = """
with told as (
    select row, sum(change) > 0 as stands from (
        select jsonb_array_elements(added) as row, 1 as change from console.policy_version
        union all select jsonb_array_elements(removed), -1 from console.policy_version) changes group by row),
held as (select jsonb_build_array(ptype, sub, dom, obj, act, eft, expression) as row from console.policy)
select coalesce(held.row, told.row), held.row is not null from held full join (select row from told where stands) told on told.row = held.row
where held.row is null or told.row is null order by 2 desc, 1
"""


@dataclass(frozen=True, slots=True)
class Version:
    """One version: number, time, author's id (empty for the command line and the first version), note, and the rows added and removed."""

    number: int
    at: datetime
    by: str
    note: str
    change: Change


def newest(limit: int = 50, before: int | None = None) -> list[Version]:
    """Versions with a number below `before`, newest first."""
    return _read(_NEWEST, before=_BEYOND if before is None else before, limit=limit)


def get(number: int) -> Version | None:
    """The version of this number; None if the history does not have it."""
    return next(iter(_read(_ONE, number=number)), None)


def since(number: int, connection: Connection | None = None) -> list[Version]:
    """Versions after this number, oldest first."""
    return _read(_SINCE, connection, number=number)


def complete(versions: Iterable[Version], after: int, upto: int) -> bool:
    """Whether the list has every version after `after` up to `upto`. Rows changed outside the console leave gaps."""
    return {version.number for version in versions} >= set(range(after + 1, upto + 1))


def rows_at(number: int, rows: Iterable[Row]) -> list[Row] | None:
    """The rows of this version, computed backwards from the current rows; None if the history has a gap."""
    later, current = since(number), policy_store.current().version
    if not complete(later, number, current):
        return None
    there = list(rows)
    for version in reversed([one for one in later if one.number <= current]):
        there = version.change.inverse.applied(there)
    return there


def untold() -> list[tuple[Row, bool]]:
    """Rows that are in force and that no version added, and (False) rows that versions added and that are gone: somebody wrote past the console."""
    return [(Row(*row), bool(there)) for row, there in db.read_rows(sa.text(_UNTOLD))]


def last_changed() -> dict[Row, Version]:
    """Row → the newest version that added or removed it, among the newest 2,000 versions."""
    found: dict[Row, Version] = {}
    for version in newest(2_000):
        for row in version.change.added | version.change.removed:
            found.setdefault(row, version)
    return found


def _read(statement: sa.TextClause, connection: Connection | None = None, **values: Any) -> list[Version]:
    if connection is not None:
        return [_version(row) for row in connection.execute(statement, values)]
    return [_version(row) for row in db.read_rows(statement, values)]


def _version(row: Any) -> Version:
    change = Change(
        frozenset(policy_store.unpacked(row.added)), frozenset(policy_store.unpacked(row.removed))
    )
    return Version(row.number, row.at, row.by, row.note, change)
