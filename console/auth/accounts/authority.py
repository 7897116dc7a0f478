"""Who may change whom: one lock for changes of accounts and their rights in all processes, and the limits for everybody."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.auth import access
from console.auth.access import Index, Row, policy_store
from console.auth.access.rows import EVERY
from console.core.actor import Actor
from console.core.errors import Conflict, NotAllowed, NotFound
from console.infra.db import engine as db

Pair = tuple[str, str]
"""A role and the id of the team in which it is held, `*` for every team."""

ADMIN: Pair = ("admin", EVERY)
NEED = ("user", "manage")

_OPEN = sa.text("select disabled_at is null from console.person where id = :id")
_ROW = sa.text(
    "select removed_at is not null as removed, disabled_at is not null as disabled from console.person where id = :id for update"
)
_OTHER_ADMINS = sa.text(
    "select exists (select from console.policy g join console.person p on g.sub = 'user:' || p.id"
    " where g.ptype = 'g' and g.obj = 'role:admin' and g.dom = '*' and p.disabled_at is null and p.id <> :id)"
)


@contextmanager
def changing(actor: Actor) -> Iterator[Connection]:
    """A transaction in which no other process changes rights or accounts; afterwards this process reloads the policy.

    The actor's rights are checked inside it. Raises NotAllowed. The command line is trusted.
    """
    access.current_version()  # an empty policy is filled first, in its own transaction
    with db.transaction() as connection:
        policy_store.seed(connection)  # takes the lock for writing rights
        access.refresh()
        if actor.kind != "system":
            access.require(actor, None, *NEED)
            if connection.execute(_OPEN, {"id": actor.id}).scalar() is not True:
                raise NotAllowed(
                    "Your own account was closed a moment ago.", code="account_closed", need=NEED
                )
        yield connection
    access.refresh()


def require(actor: Actor) -> None:
    """Raises NotAllowed without the right to manage people."""
    if actor.kind != "system":
        access.require(actor, None, *NEED)


def lock_person(connection: Connection, person_id: str) -> sa.Row[tuple[bool, bool]]:
    """`removed, disabled` of the person, locked until the transaction ends. Raises NotFound, and Conflict for a removed account."""
    found = connection.execute(_ROW, {"id": person_id.replace("\0", "")}).one_or_none()
    if found is None:
        raise NotFound
    if found.removed:
        raise Conflict("This account was removed: invite the person again.", code="account_removed")
    return found


def role_pairs(connection: Connection, person_id: str) -> frozenset[Pair]:
    """The person's roles in this transaction."""
    rows = policy_store.rows_of(connection, sub=f"user:{person_id}")
    return frozenset(
        (row.obj.removeprefix("role:"), row.dom.removeprefix("t:")) for row in rows if row.ptype == "g"
    )


def role_rows() -> Sequence[Row]:
    """Policy rows about roles, without the possibly tens of thousands about who has them."""
    global _role_rows  # noqa: PLW0603 (worked out once for each policy)
    index, kept = policy_store.current().index, _role_rows
    if kept is None or kept[0] is not index:
        kept = _role_rows = (index, tuple(row for row in index.rows if row.sub.startswith("role:")))
    return kept[1]


_role_rows: tuple[Index, tuple[Row, ...]] | None = None


def known_roles() -> list[str]:
    """All roles of the policy in use, sorted."""
    return sorted(
        {
            name.removeprefix("role:")
            for row in role_rows()
            for name in (row.sub, row.obj)
            if name.startswith("role:")
        }
    )


def unbounded(actor: Actor) -> bool:
    """Whether the actor may give every right: an admin or the command line."""
    return actor.kind == "system" or _has(actor, ADMIN)


def may_give(actor: Actor, pair: Pair) -> bool:
    """Whether the actor may give or take this role: an admin any, others only roles they have."""
    return unbounded(actor) or _has(actor, pair)


def _has(actor: Actor, pair: Pair) -> bool:
    """Whether the actor has the role there: in every team only if it was given so, and only if Casbin links it too."""
    role, team = pair
    return (team != EVERY or pair in access.roles_of(actor.id)) and access.acts_as(actor, team, [role], NEED)


def require_give(actor: Actor, wanted: Iterable[Pair]) -> None:
    """Raise NotAllowed naming the first role that the actor may not give."""
    for pair in sorted(wanted):
        if not may_give(actor, pair):
            role, team = pair
            place = "everywhere" if team == EVERY else f"in {team.replace('_', ' ')}"
            raise NotAllowed(
                f"Who is no admin gives and takes only what they have themselves, which {role.replace('_', ' ')} {place} is not. Ask an admin.",
                code="above_own_rights",
                need=NEED,
            )


def require_over(actor: Actor, connection: Connection, person_id: str) -> None:
    """Raise NotAllowed if the person has a role that the actor could not give: nobody closes an account above their own."""
    require_give(actor, role_pairs(connection, person_id))


def require_over_now(actor: Actor, person_id: str) -> None:
    """Like `require_over`, outside a transaction: for acts that change no right."""
    require_give(actor, access.roles_of(person_id))


def require_another(actor: Actor, person_id: str, what: str) -> None:
    """Raise NotAllowed if the person is the actor."""
    if person_id == actor.id:
        raise NotAllowed(f"Nobody {what}: ask another admin.", code="own_account", need=NEED)


def keep_an_admin(connection: Connection, person_id: str) -> None:
    """Raise NotAllowed if the person is the last admin with an active account: nobody else could give rights."""
    if (
        ADMIN not in role_pairs(connection, person_id)
        or connection.execute(_OPEN, {"id": person_id}).scalar() is not True
    ):
        return
    if not connection.execute(_OTHER_ADMINS, {"id": person_id}).scalar_one():
        raise NotAllowed("This is the last admin: make another one first.", code="last_admin", need=NEED)
