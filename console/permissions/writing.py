"""Publishing rules: compared with the present rules, checked as a whole, logged, and in force everywhere within a second."""

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.auth import access, accounts
from console.auth.access import policy_store
from console.auth.access.history import Version, complete, since
from console.auth.access.index import Index
from console.auth.access.labels import Names
from console.auth.access.policy_changes import Change, shipped
from console.auth.access.policy_words import rule
from console.auth.access.rows import line
from console.core.actor import COMMAND_LINE, Actor
from console.core.errors import Conflict, NotAllowed
from console.infra import subjects
from console.infra.db.engine import transaction

CHAIN = "sys:config"
MOST_LINES = 400
_LOCKED = sa.text("select number from console.version where name = 'policy' for update")


class Overtaken(Conflict):
    """Somebody else published rules meanwhile; `theirs` are their versions, empty where rows were changed past the console."""

    default_code = "policy_moved"

    def __init__(self, theirs: Sequence[Version], names: Names) -> None:
        rows = [(row, "removed") for one in theirs for row in sorted(one.change.of_rules.removed)]
        rows += [(row, "added") for one in theirs for row in sorted(one.change.of_rules.added)]
        details = [(what, rule(row, names)) for row, what in rows[:MOST_LINES]]
        super().__init__(
            "The rights were changed by somebody else meanwhile. Look at theirs below, then publish again.",
            details=details,
        )
        self.theirs = theirs


def require_manager(actor: Actor) -> None:
    """Raises NotAllowed unless the actor manages rights. The command line is trusted, because it has the database."""
    if actor is not COMMAND_LINE:
        access.require(actor, None, "policy", "manage")


def write(
    actor: Actor,
    change: Change,
    *,
    base: int,
    names: Names,
    note: str = "",
    also: Callable[[Connection], object] | None = None,
    confirmed_by: str = "",
) -> int:
    """Publish the change, which was reviewed against version `base`; returns the new version. `also` runs in the same transaction.

    `confirmed_by` is the id of the second administrator, where one is needed.

    Raises Overtaken if rules changed since, NotAllowed for fixed rules or if nobody could manage rights any more, PolicyError for invalid rows.
    """
    if actor is not COMMAND_LINE and (fixed := sorted(change.removed & shipped())):
        raise NotAllowed(
            f"This comes with its level and stays: {rule(fixed[0], names)}. Make a role of your own instead.",
            need=("policy", "manage"),
        )
    with transaction() as connection:
        policy_store.seed(connection)
        number = int(connection.execute(_LOCKED).scalar_one())
        require_unmoved(base, number, names, connection)
        rows = policy_store.rows_of(connection)
        change = change.on(rows)
        _require_admin(Index(change.applied(rows)), connection)
        number = policy_store.write(
            connection,
            added=sorted(change.added),
            removed=sorted(change.removed),
            by=actor.id,
            note=note,
            confirmed_by=confirmed_by,
        )
        if also is not None:
            also(connection)
        log_change(actor, change, number, note, connection)
    access.refresh()
    return number


def require_unmoved(base: int, number: int, names: Names, connection: Connection | None = None) -> None:
    """Raises Overtaken if rules differ between versions `base` and `number`; people's roles do not count."""
    later = since(base, connection)
    theirs = [version for version in later if version.change.of_rules]
    if theirs or not complete(later, base, number):
        raise Overtaken(theirs, names)


def log_change(actor: Actor, change: Change, number: int, note: str, connection: Connection) -> None:
    """The event with the rows before and after; must be the last act of the transaction."""
    data = {"version": number, "added": len(change.added), "removed": len(change.removed)}
    before, after = (
        sorted(line(row) for row in rows)[:MOST_LINES] for rows in (change.removed, change.added)
    )
    sealed = {"before": before, "after": after} | ({"note": note} if note else {})
    log.note(
        actor,
        "policy_changed",
        open=data,
        sealed=sealed,
        subject=subjects.subject_of("policy", "rules"),
        chain=CHAIN,
        connection=connection,
    )


def _require_admin(index: Index, connection: Connection) -> None:
    """Raises NotAllowed if the change leaves nobody with an active account who can manage rights; and PolicyError."""
    people = [
        f"user:{ident}"
        for (ident,) in connection.execute(sa.text("select id from console.person where disabled_at is null"))
    ]
    able = [sub for sub in people if index.verdict(sub, None, "policy", "manage").plain]
    before = policy_store.current().index
    if not able and any(before.verdict(sub, None, "policy", "manage").plain for sub in people):
        raise NotAllowed(
            "After this nobody could change the rights any more.",
            code="last_admin",
            need=("policy", "manage"),
        )


def everybody() -> list[accounts.Person]:
    """People with an active account, by name."""
    return [person for person in accounts.people() if not person.disabled]
