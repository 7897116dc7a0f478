"""The only judge of what an actor may do, to what, in which team.

`require` decides for whoever acts, `scope_for` gives the part of a collection that they may see. Both answer from an index compiled
from the rows of the policy (`policies/roles.csv`, then the table `console.policy`), which are written in Casbin's language.
Everything is refused that no row allows; a row that denies wins over every row that allows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from console.access import store
from console.access.index import Index
from console.access.names import spoken, team_name
from console.access.oracle import enforcer
from console.access.rows import ACTS, EVERY, PolicyError, Row, export, kind_of, line, parse
from console.core import expressions, scopes
from console.core.actor import Actor
from console.db import engine as db
from console.errors import NotAllowed

__all__ = [
    "ACTS",
    "EVERYWHERE",
    "Index",
    "PolicyError",
    "Row",
    "Why",
    "all_rows",
    "assign",
    "can",
    "current_version",
    "export",
    "grant",
    "held",
    "holders",
    "parse",
    "refresh",
    "require",
    "roles_of",
    "scope_for",
    "why",
]

EVERYWHERE = frozenset({"auditor", "admin", "developer"})
"""Shipped roles that are not held in one team but in all."""

refresh = store.refresh


@dataclass(frozen=True, slots=True)
class Why:
    """An answer with its reason: the row that decided, None where no row says anything."""

    allowed: bool
    row: Row | None
    text: str


def require(
    actor: Actor, team: str | None, obj: str, act: str, record: Mapping[str, Any] | None = None, *, run: Mapping[str, Any] | None = None
) -> None:
    """Nothing, when the actor may do this in the team of this id (None: in any team of theirs).

    `record` and `run` are what a condition looks at. A collection asked about without a record is allowed when some of its records
    may be: which ones, `scope_for` says. Raises `NotAllowed`, whose message names the right and who can grant it.
    """
    if not can(actor, team, obj, act, record, run=run):
        raise NotAllowed(_missing(team, obj, act), need=(obj, act))


def can(
    actor: Actor, team: str | None, obj: str, act: str, record: Mapping[str, Any] | None = None, *, run: Mapping[str, Any] | None = None
) -> bool:
    """Whether `require` would let this pass."""
    verdict = store.current().index.verdict(f"user:{actor.id}", team, obj, act)
    if verdict.plain or not verdict.possible:
        return verdict.plain
    if record is None and obj.startswith("collection:"):
        return True
    return verdict.holds(_roots(actor, record, run))


def scope_for(actor: Actor, collection_id: str, act: str = "read") -> scopes.Scope:
    """The records of the collection on which the actor may `act`, and the fields kept from them; all their teams add up.

    Without a row that allows it the scope holds nothing.
    """
    index, sub = store.current().index, f"user:{actor.id}"
    verdict = index.verdict(sub, None, f"collection:{collection_id}", act)
    hidden = index.hidden(sub, None, collection_id)
    return scopes.Scope(
        collection=collection_id,
        allow=() if verdict.barred else verdict.allow,
        deny=verdict.deny,
        attributes=actor.attributes,
        hidden=hidden.unreadable,
        fixed=hidden.unwritable,
        everything=verdict.free and not verdict.barred,
    )


def why(
    actor: Actor, team: str | None, obj: str, act: str, record: Mapping[str, Any] | None = None, *, run: Mapping[str, Any] | None = None
) -> Why:
    """The answer as Casbin gives it, with the row that decided. Slow: for a page that explains, not for a decision."""
    index, sub = store.current().index, f"user:{actor.id}"
    held = [row for row in index.rows if not row.expression or _condition(row, _roots(actor, record, run))]
    places = [f"t:{team}"] if team is not None else sorted(index.domains(sub))
    judge = enforcer(held, teams={row.dom for row in held} | set(places), objects=[obj])
    decided: Row | None = None
    for place in places:
        allowed, told = judge.enforce_ex(sub, place, obj, act)
        row = next((row for row in held if told and _is(row, told)), None)
        if row is not None and row.eft == "deny":
            return Why(False, row, f"Denied by: {line(row)}")
        decided = row if allowed and decided is None else decided
    if decided is None:
        return Why(False, None, _missing(team, obj, act))
    return Why(True, decided, f"Allowed by: {line(decided)}")


def current_version() -> int:
    """The number of the policy that decisions of this process follow; events keep it."""
    return store.current().version


def all_rows() -> Sequence[Row]:
    """All rows of the policy in use."""
    return store.current().index.rows


def roles_of(person_id: str) -> frozenset[tuple[str, str]]:
    """Pairs of role and team id (`*`: everywhere) of this person."""
    return store.current().index.roles(f"user:{person_id}")


def held(actor: Actor, team: str) -> frozenset[str]:
    """Roles of the actor in the team of this id, with the levels that they are built from: what a step's `roles` are compared with."""
    return store.current().index.held(f"user:{actor.id}", team)


def holders(role: str) -> frozenset[str]:
    """Ids of the persons who have this role somewhere."""
    return frozenset(sub.removeprefix("user:") for sub in store.current().index.holders(role) if sub.startswith("user:"))


def grant(
    role: str, obj: str, acts: Iterable[str], expression: str = "", *, team: str = EVERY, connection: Connection | None = None
) -> int:
    """Let a role do these acts on the object, in one team or in every one; the new version of the policy.

    With `connection` it happens in the caller's transaction, and counts in this process within a second of its commit.
    Raises `PolicyError` for an act or a condition that means nothing.
    """
    added = [Row("p", f"role:{role}", _place(team), obj, act, "allow", expression) for act in acts]
    with _writing(connection) as writing:
        return store.write(writing, added=added)


def assign(person_id: str, roles: Iterable[tuple[str, str]], *, connection: Connection | None = None) -> int:
    """Make these pairs of role and team id (`*`: everywhere) the roles of the person, instead of those before; the new version."""
    wanted = {Row("g", f"user:{person_id}", _place(team), f"role:{role}") for role, team in roles}
    with _writing(connection) as writing:
        before = {row for row in store.rows_of(writing, sub=f"user:{person_id}") if row.ptype == "g"}
        return store.write(writing, added=sorted(wanted - before), removed=sorted(before - wanted))


@contextmanager
def _writing(connection: Connection | None) -> Iterator[Connection]:
    """The caller's transaction, or one of its own after which this process follows at once; never on an empty policy."""
    if connection is not None:
        store.seed(connection)
        yield connection
        return
    with db.transaction() as own:
        store.seed(own)
        yield own
    store.refresh()


def _place(team: str) -> str:
    return EVERY if team == EVERY else f"t:{team}"


def _roots(actor: Actor, record: Mapping[str, Any] | None, run: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"currentUser": actor.attributes} | ({} if record is None else {"record": record}) | ({} if run is None else {"run": run})


def _condition(row: Row, roots: Mapping[str, Any]) -> bool:
    condition = expressions.parse(row.expression)
    return condition.test(roots) if row.eft == "allow" else not condition.denies(roots)


def _is(row: Row, told: Sequence[str]) -> bool:
    """Whether this is the row that Casbin names; it sees `workflow:kyc-review` where the row says `workflow:*`."""
    sub, dom, obj, act, eft = told
    return (row.sub, row.dom, row.act, row.eft) == (sub, dom, act, eft) and row.obj in (obj, f"{kind_of(obj)}:{EVERY}")


def _missing(team: str | None, obj: str, act: str) -> str:
    who = "An admin" if team is None else f"A lead of {team_name(team)} or an admin"
    return f"Needs {kind_of(obj)}.{act}{f' on {spoken(obj)}' if ':' in obj else ''}. {who} can grant it."
