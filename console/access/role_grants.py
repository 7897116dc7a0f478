"""Who has which role, which rights a role or person has, and changing both."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy.engine import Connection

from console.access import narrowing, policy_store
from console.access.index import Index
from console.access.rows import ACTS, EVERY, Row, kind_of
from console.core.actor import Actor
from console.db import engine as db

EVERYWHERE = frozenset({"auditor", "admin", "developer"})
"""Shipped roles that are held in all teams at once."""


def acts_of(actor: Actor) -> dict[str, list[str]]:
    """Kind of object → acts that the actor may do on some object of it, with or without a condition: the acts that their key can have."""
    index, sub = policy_store.current().index, f"user:{actor.id}"
    objects: dict[str, set[str]] = {}
    for row in index.rows:
        if row.ptype == "p":
            objects.setdefault(kind_of(row.obj), set()).add(row.obj)
    kinds = narrowing.spoken_kinds(ACTS)
    held = {
        kind: [act for act in acts if any(index.verdict(sub, None, obj, act).possible for obj in objects.get(kind, ()))]
        for kind, acts in kinds.items()
    }
    return {kind: acts for kind, acts in held.items() if acts}


def current_version() -> int:
    """Version number of the policy in use in this process; events record it."""
    return policy_store.current().version


def all_rows() -> Sequence[Row]:
    """All rows of the policy in use."""
    return policy_store.current().index.rows


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
    return frozenset(sub.removeprefix("user:") for sub in policy_store.current().index.holders(role) if sub.startswith("user:"))


def grant(
    role: str, obj: str, acts: Iterable[str], expression: str = "", *, team: str = EVERY, connection: Connection | None = None, by: str = ""
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
    return [Row("p", f"role:{role}", EVERY, obj, act) for role, acts in rights.items() for act in acts for obj in named]


def assign(person_id: str, roles: Iterable[tuple[str, str]], *, connection: Connection | None = None, by: str = "") -> int:
    """Replace the roles of the person by these pairs of role and team id (`*`: every team); returns the new policy version."""
    wanted = {Row("g", f"user:{person_id}", _place(team), f"role:{role}") for role, team in roles}
    with _writing(connection) as writing:
        before = {row for row in policy_store.rows_of(writing, sub=f"user:{person_id}") if row.ptype == "g"}
        return policy_store.write(writing, added=sorted(wanted - before), removed=sorted(before - wanted), by=by)


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
