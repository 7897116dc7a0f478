"""A right on records that whoever changes the policy would give to themselves, and who else could confirm it.

It counts as theirs where a role of theirs gets it, and where a service account does of which they made a key.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.auth.access import policy_changes
from console.auth.access.index import Index
from console.auth.access.policy_changes import Change
from console.auth.access.rows import Row, kind_of
from console.core.errors import Conflict

RECORDS = frozenset({"collection", "field", "label"})
"""Kinds of objects whose rules open records: which, which of their values, and those that need a clearance."""
MANAGE = ("policy", "manage")
_ACCOUNTS = sa.text("""
with made as (
    select a.event from console.activity a where a.actor = :by and a.kind = 'key_created'
    union all
    select e.id from console.log_pending p join console.event e on e.run = p.run and e.run_seq = p.run_seq where p.run = 'sys:config'
), told as (select convert_from(e.body, 'UTF8')::jsonb as body from made join console.event e on e.id = made.event)
select distinct p.id from told join console.person p on p.id = told.body #>> '{data,open,person}'
where told.body ->> 'type' = 'key_created' and told.body #>> '{actor,id}' = :by and p.kind = 'service' and p.disabled_at is null
""")
_PEOPLE = sa.text(
    "select id, name from console.person where id = any(:ids) and kind = 'person' and disabled_at is null order by name, id"
)


@dataclass(frozen=True, slots=True)
class OwnRights:
    """The rights that somebody would give to themselves, as (object, act), and the (id, name) of everybody else who manages rights."""

    by: str
    rights: Sequence[tuple[str, str]]
    others: Sequence[tuple[str, str]]


class SecondAdminNeeded(Conflict):
    """The change gives its author a right on records, so another administrator has to confirm it."""

    default_code = "second_admin"

    def __init__(self, own: OwnRights) -> None:
        names = " or ".join(name for _, name in own.others[:3])
        super().__init__(
            "Nothing was changed: it would give you yourself a right on records, so a second administrator has to confirm it."
            f" Put it into your draft under Settings, Roles, and ask {names} there."
        )
        self.own = own


def look(
    connection: Connection, read_rows: Callable[[Connection], Sequence[Row]], change: Change, by: str
) -> OwnRights | None:
    """What the change gives to its author, a person or service account; None if nothing."""
    changed = change.added | change.removed
    if not by.startswith("usr_") or not any(
        row.ptype == "g" or kind_of(row.obj) in RECORDS for row in changed
    ):
        return None
    hands = {f"user:{ident}" for ident in (by, *connection.execute(_ACCOUNTS, {"by": by}).scalars())}
    if all(row.ptype == "g" and row.sub.startswith("user:") and row.sub not in hands for row in changed):
        return None  # roles of other people, of whom there may be many
    rows = read_rows(connection)
    after = change.applied(rows)
    before, then = (Index(_about(each, hands)) for each in (rows, after))
    rights = policy_changes.gained(before, then, hands, RECORDS)
    return OwnRights(by, rights, _other_managers(connection, rows, hands)) if rights else None


def _about(rows: Sequence[Row], hands: Collection[str]) -> list[Row]:
    """The rows that matter for these subjects: compiling all of them takes a second where there are many people."""
    given = {row.obj for row in rows if row.ptype == "g" and row.sub in hands}
    subjects = {*hands, *given, *(row.obj for row in rows if row.ptype == "g" and row.sub in given)}
    return [row for row in rows if row.sub in subjects]


def _other_managers(
    connection: Connection, rows: Iterable[Row], hands: Collection[str]
) -> list[tuple[str, str]]:
    """(id, name) of other people with an open account who manage rights."""
    index = Index([row for row in rows if row.ptype == "g" or row.obj == MANAGE[0]])
    able = [
        sub.partition(":")[2]
        for sub in index.subjects - set(hands)
        if index.verdict(sub, None, *MANAGE).plain
    ]
    return [(ident, name) for ident, name in connection.execute(_PEOPLE, {"ids": able})]
