"""The list of people and invitations: searched, filtered and paged, for tens of thousands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from console.auth import access
from console.auth.accounts import authority, person_changes
from console.auth.accounts.authority import Pair
from console.core.actor import Actor
from console.core.errors import Malformed
from console.infra.db import engine as db

STATES = ("active", "invited", "disabled", "removed")
CSV_PAGE = 1000

_PEOPLE = """
select p.id, p.name, coalesce(p.email, '') as email,
       case when p.removed_at is not null then 'removed' when p.disabled_at is not null then 'disabled' else 'active' end as state,
       null::timestamptz as expires_at, null::jsonb as roles, null::jsonb as teams, p.kind
from console.person p
"""
_INVITED = "select i.id, i.email, i.email, 'invited', i.expires_at, i.roles, i.teams, 'person' from console.invitation i"
_OF_ROLE = (
    "p.id in (select substr(g.sub, 6) from console.policy g where g.ptype = 'g' and g.obj = 'role:' || :role and g.sub like 'user:%')",
    "exists (select from jsonb_array_elements_text(i.roles) r where split_part(r, '@', 1) = :role)",
)
_OF_TEAM = (
    (
        "p.id in (select t.person from console.person_team t where t.team = :team union"
        " select substr(g.sub, 6) from console.policy g where g.ptype = 'g' and g.obj like 'role:%' and g.dom = 't:' || :team and g.sub like 'user:%')"
    ),
    "(i.teams ? :team or exists (select from jsonb_array_elements_text(i.roles) r where split_part(r, '@', 2) = :team))",
)
_SEARCHED = "(strpos(lower(e.name), lower(:text)) > 0 or strpos(lower(e.email), lower(:text)) > 0)"
_MORE = sa.text(
    "select p.id, (select coalesce(array_agg(t.team order by t.team), '{}') from console.person_team t where t.person = p.id) as teams,"
    " (select max(s.seen_at) from console.session s where s.person = p.id) as seen_at,"
    " exists (select from console.second_factor f where f.person = p.id) as factor from console.person p where p.id = any(:ids)"
)
_COUNTS = sa.text(f"select e.state, count(*) from ({_PEOPLE} union all {_INVITED}) e group by e.state")  # noqa: S608 (a constant of this file)


@dataclass(frozen=True, slots=True)
class Asked:
    """A query of the list. `state` is one of STATES, or "" for everybody except removed people."""

    text: str = ""
    team: str = ""
    role: str = ""
    state: str = ""
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A person, or a pending invitation (`inv_…`).

    `seen_at`: last request of one of their sessions. `kind`: `person` or `service`. `factor`: whether they have a second factor.
    """

    id: str
    name: str
    email: str
    state: str
    roles: frozenset[Pair] = frozenset()
    teams: tuple[str, ...] = ()
    seen_at: datetime | None = None
    expires_at: datetime | None = None
    factor: bool = False
    kind: str = "person"


def list_people(actor: Actor, query: Asked, *, limit: int = 50) -> tuple[list[Entry], str | None]:
    """People by name, and the cursor of the next page. Raises NotAllowed, Malformed for an unknown state."""
    authority.require(actor)
    rows = _rows(query, limit + 1)
    following = f"{rows[limit - 1].sorted}~{rows[limit - 1].id}" if len(rows) > limit else None
    return _entries(rows[:limit]), following


def every(actor: Actor, query: Asked) -> Iterator[Entry]:
    """The whole list, read page by page, for a file. Raises as `listed` does, before the first entry."""
    authority.require(actor)
    _check(query)
    return _pages(query)


def counts(actor: Actor) -> Mapping[str, int]:
    """Number of people in each state. Raises NotAllowed."""
    authority.require(actor)
    found = {row[0]: int(row[1]) for row in db.read_rows(_COUNTS)}
    return {state: found.get(state, 0) for state in STATES}


def _pages(query: Asked) -> Iterator[Entry]:
    here: Asked | None = query
    while here is not None:
        rows = _rows(here, CSV_PAGE)
        yield from _entries(rows)
        here = replace(query, after=f"{rows[-1].sorted}~{rows[-1].id}") if len(rows) == CSV_PAGE else None


def _check(query: Asked) -> None:
    if query.state not in ("", *STATES):
        raise Malformed("There is no such state.", at=("state", f"One of: {', '.join(STATES)}."))


def _rows(query: Asked, limit: int) -> Sequence[Any]:
    _check(query)
    name, mark, ident = (query.after or "").rpartition("~")
    arms = [condition for condition, value in ((_OF_TEAM, query.team), (_OF_ROLE, query.role)) if value]
    people, invited = (" and ".join(["true", *(arm[number] for arm in arms)]) for number in (0, 1))
    wanted = ["e.state = :state" if query.state else "e.state <> 'removed'"]
    wanted += [_SEARCHED] if query.text.strip() else []
    wanted += ["(lower(e.name), e.id) > (:name, :ident)"] if mark else []
    values = {
        "team": query.team,
        "role": query.role,
        "state": query.state,
        "text": query.text.strip(),
        "name": name,
        "ident": ident,
    }
    statement = (
        f"select e.*, lower(e.name) as sorted from ({_PEOPLE} where {people} union all {_INVITED} where {invited}) e"  # noqa: S608 (texts of this file)
        f" where {' and '.join(wanted)} order by lower(e.name), e.id limit :limit"
    )
    return db.read_rows(
        sa.text(statement),
        {key: value.replace("\0", "") for key, value in values.items()} | {"limit": limit},
    )


def _entries(rows: Sequence[Any]) -> list[Entry]:
    more = {row.id: row for row in db.read_rows(_MORE, {"ids": [row.id for row in rows]})}
    return [_entry(row, more.get(row.id)) for row in rows]


def _entry(row: Any, more: Any) -> Entry:
    if row.state == "invited":
        pairs = frozenset(person_changes.pair_of(word) for word in row.roles)
        return Entry(row.id, row.name, row.email, row.state, pairs, tuple(row.teams), None, row.expires_at)
    roles = access.roles_of(row.id)
    if more is None:  # was there a moment ago
        return Entry(row.id, row.name, row.email, row.state, roles, kind=row.kind)
    return Entry(
        row.id,
        row.name,
        row.email,
        row.state,
        roles,
        tuple(more.teams),
        more.seen_at,
        factor=more.factor,
        kind=row.kind,
    )
