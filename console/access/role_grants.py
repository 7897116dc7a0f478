"""TODO."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.engine import Connection

from console.access import narrowing, policy_store
from console.access.rows import ACTS, EVERY, Row, kind_of
from console.core.actor import Actor
from console.db import engine as db

EVERYWHERE = frozenset({"auditor", "admin", "developer"})
"""Shipped roles that are not held in one team but in all."""


def acts_of(actor: Actor) -> dict[str, list[str]]:
    """Kind of object → acts that the actor may do on some object of it, be it under a condition: what a key of theirs can be made for."""
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
    """The number of the policy that decisions of this process follow; events keep it."""
    return policy_store.current().version


def all_rows() -> Sequence[Row]:
    """All rows of the policy in use."""
    return policy_store.current().index.rows


def roles_of(person_id: str) -> frozenset[tuple[str, str]]:
    """Pairs of role and team id (`*`: everywhere) of this person."""
    return policy_store.current().index.roles(f"user:{person_id}")


def held(actor: Actor, team: str) -> frozenset[str]:
    """Roles of the actor in the team of this id, with the levels that they are built from: what a step's `roles` are compared with."""
    return policy_store.current().index.held(f"user:{actor.id}", team)


def holders(role: str) -> frozenset[str]:
    """Ids of the persons who have this role somewhere."""
    return frozenset(sub.removeprefix("user:") for sub in policy_store.current().index.holders(role) if sub.startswith("user:"))


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
    """Let a role do these acts on the object, in one team or in every one; the new version of the policy.

    With `connection` it happens in the caller's transaction, and counts in this process within a second of its commit.
    Raises `PolicyError` for an act or a condition that means nothing.
    """
    added = [Row("p", f"role:{role}", _place(team), obj, act, "allow", expression) for act in acts]
    with _writing(connection) as writing:
        return policy_store.write(writing, added=added, by=by)


def assign(person_id: str, roles: Iterable[tuple[str, str]], *, connection: Connection | None = None, by: str = "") -> int:
    """Make these pairs of role and team id (`*`: everywhere) the roles of the person, instead of those before; the new version."""
    wanted = {Row("g", f"user:{person_id}", _place(team), f"role:{role}") for role, team in roles}
    with _writing(connection) as writing:
        before = {row for row in policy_store.rows_of(writing, sub=f"user:{person_id}") if row.ptype == "g"}
        return policy_store.write(writing, added=sorted(wanted - before), removed=sorted(before - wanted), by=by)


@contextmanager
def _writing(connection: Connection | None) -> Iterator[Connection]:
    """The caller's transaction, or one of its own after which this process follows at once; never on an empty policy."""
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
