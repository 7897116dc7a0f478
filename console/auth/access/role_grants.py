"""Who has which role, which rights a role or person has, and changing both."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.auth.access import narrowing, policy_store
from console.auth.access.index import Index
from console.auth.access.rows import ACTS, EVERY, Row, kind_of
from console.core.actor import Actor
from console.infra.db import engine as db

EVERYWHERE = frozenset({"auditor", "admin", "developer"})
"""Shipped roles that are held in all teams at once."""

HAND, INVITATION = "hand", "invitation"
Grants = Mapping[tuple[str, str], frozenset[str]]
"""Pair of role and team id (`*`: every team) → what gives it: `hand`, `invitation`, `identity:<id>` for the groups of an identity.

A role lasts as long as something gives it.
"""

_SOURCES = sa.text(
    "select p.obj, p.dom, coalesce(array_agg(s.source) filter (where s.source is not null), '{}') as sources"
    " from console.policy p left join console.role_source s on s.policy = p.id where p.ptype = 'g' and p.sub = :sub group by p.id"
)
_FORGET_SOURCES = sa.text(
    "delete from console.role_source s using console.policy p where p.id = s.policy and p.ptype = 'g' and p.sub = :sub"
)
_ADD_SOURCES = sa.text(
    "insert into console.role_source (policy, source) select p.id, given.source"
    " from unnest(cast(:objs as text[]), cast(:doms as text[]), cast(:sources as text[])) as given (obj, dom, source)"
    " join console.policy p on p.ptype = 'g' and p.sub = :sub and p.obj = given.obj and p.dom = given.dom"
)


def acts_of(actor: Actor) -> dict[str, list[str]]:
    """Kind of object → acts that the actor may do on some object of it, with or without a condition: the acts that their key can have."""
    index, sub = policy_store.current().index, f"user:{actor.id}"
    objects: dict[str, set[str]] = {}
    for row in index.rows:
        if row.ptype == "p":
            objects.setdefault(kind_of(row.obj), set()).add(row.obj)
    kinds = narrowing.spoken_kinds(ACTS)
    held = {
        kind: [
            act
            for act in acts
            if any(index.verdict(sub, None, obj, act).possible for obj in objects.get(kind, ()))
        ]
        for kind, acts in kinds.items()
    }
    return {kind: acts for kind, acts in held.items() if acts}


def current_version() -> int:
    """Version number of the policy in use in this process; events record it."""
    return policy_store.current().version


def all_rows() -> Sequence[Row]:
    """All rows of the policy in use."""
    return policy_store.current().index.rows


def people_with_roles() -> list[str]:
    """Ids of everybody who has a role, in their order."""
    subjects = {row.sub for row in all_rows() if row.ptype == "g"}
    return sorted(sub.removeprefix("user:") for sub in subjects if sub.startswith("user:"))


def policy_index() -> Index:
    """All rows of the policy in use, compiled and checked already: compiling 30,000 anew takes a second."""
    return policy_store.current().index


def roles_of(person_id: str) -> frozenset[tuple[str, str]]:
    """Pairs of role and team id (`*`: every team) of this person."""
    return policy_store.current().index.roles(f"user:{person_id}")


def held(actor: Actor, team: str) -> frozenset[str]:
    """Roles of the actor in the team of this id, including the roles they are built from. A step's `roles` are compared with these."""
    return policy_store.current().index.held(f"user:{actor.id}", team)


def holders(role: str) -> frozenset[str]:
    """Ids of the persons who have this role in any team."""
    return frozenset(
        sub.removeprefix("user:")
        for sub in policy_store.current().index.holders(role)
        if sub.startswith("user:")
    )


def grant(
    role: str,
    obj: str,
    acts: Iterable[str],
    expression: str = "",
    *,
    team: str = EVERY,
    connection: Connection | None = None,
    by: str = "",
) -> int:
    """Allow a role to do these acts on the object, in one team or in all; returns the new policy version.

    With `connection` it is part of the caller's transaction, and takes effect in this process within a second of the commit.
    Raises `PolicyError` for an invalid act or condition.
    """
    added = [Row("p", f"role:{role}", _place(team), obj, act, "allow", expression) for act in acts]
    with _writing(connection) as writing:
        return policy_store.write(writing, added=added, by=by)


def rows_of_grant(rights: Mapping[str, Iterable[str]], objects: Iterable[str]) -> list[Row]:
    """The rows that allow each role its acts on all of these objects, in every team."""
    named = list(objects)
    return [
        Row("p", f"role:{role}", EVERY, obj, act)
        for role, acts in rights.items()
        for act in acts
        for obj in named
    ]


def assign(
    person_id: str,
    roles: Iterable[tuple[str, str]],
    *,
    connection: Connection | None = None,
    by: str = "",
    source: str = HAND,
) -> int:
    """Replace the roles of the person by these pairs of role and team id (`*`: every team); returns the new policy version.

    New ones come from `source`; the others keep what gives them.
    """
    with _writing(connection) as writing:
        held = grants_of(person_id, writing)
        return set_grants(
            person_id,
            {pair: held.get(pair, frozenset({source})) for pair in roles},
            connection=writing,
            by=by,
        )


def grants_of(person_id: str, connection: Connection) -> Grants:
    """The person's roles with what gives each, in this transaction."""
    found = connection.execute(_SOURCES, {"sub": f"user:{person_id}"})
    return {
        (row.obj.removeprefix("role:"), row.dom.removeprefix("t:")): frozenset(row.sources or (HAND,))
        for row in found
    }  # a row without a source was written by a release that knew none


def set_grants(person_id: str, grants: Grants, *, connection: Connection, by: str = "") -> int:
    """Replace the person's roles and what gives each; returns the policy version."""
    sub = f"user:{person_id}"
    before = {row for row in policy_store.rows_of(connection, sub=sub) if row.ptype == "g"}
    wanted = {Row("g", sub, _place(team), f"role:{role}") for role, team in grants}
    number = policy_store.write(
        connection, added=sorted(wanted - before), removed=sorted(before - wanted), by=by
    )
    given = [
        (f"role:{role}", _place(team), source)
        for (role, team), sources in grants.items()
        for source in sorted(sources)
    ]
    connection.execute(_FORGET_SOURCES, {"sub": sub})
    objs, doms, names = ([row[index] for row in given] for index in range(3))
    connection.execute(_ADD_SOURCES, {"sub": sub, "objs": objs, "doms": doms, "sources": names})
    return number


@contextmanager
def _writing(connection: Connection | None) -> Iterator[Connection]:
    """The caller's transaction, or an own one after which this process refreshes its policy. Seeds an empty policy first."""
    if connection is not None:
        policy_store.seed(connection)
        yield connection
        return
    with db.transaction() as own:
        policy_store.seed(own)
        yield own
    policy_store.refresh()


def _place(team: str) -> str:
    return EVERY if team == EVERY else f"t:{team}"
