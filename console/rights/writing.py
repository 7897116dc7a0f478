"""The one way in which rules are published: compared with what stands, checked as a whole, noted, and in force everywhere within a second."""

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import access, accounts, log, subjects
from console.access import policy_store
from console.access.history import Version, complete, since
from console.access.index import Index
from console.access.policy_changes import Change, shipped
from console.access.policy_words import rule
from console.access.rows import line
from console.access.spoken_names import Names
from console.accounts import COMMAND_LINE
from console.core.actor import Actor
from console.db.engine import transaction
from console.errors import Conflict, NotAllowed

CHAIN = "sys:config"
MOST_LINES = 400
_LOCKED = sa.text("select number from console.version where name = 'policy' for update")


class Overtaken(Conflict):
    """Somebody else published rules meanwhile; `theirs` are their versions, empty where rows were changed past the console."""

    default_code = "policy_moved"

    def __init__(self, theirs: Sequence[Version], names: Names) -> None:
        rows = [(row, "removed") for one in theirs for row in sorted(one.change.of_rules.removed)]
        rows += [(row, "added") for one in theirs for row in sorted(one.change.of_rules.added)]
        details = [{"field": what, "reason": rule(row, names)} for row, what in rows[:MOST_LINES]]
        super().__init__("The rights were changed by somebody else meanwhile. Look at theirs below, then publish again.", details=details)
        self.theirs = theirs


def judge(actor: Actor) -> None:
    """Raises NotAllowed for who does not manage the rights. The command line is trusted: whoever has it has the database."""
    if actor is not COMMAND_LINE:
        access.require(actor, None, "policy", "manage")


def write(
    actor: Actor, change: Change, *, base: int, names: Names, note: str = "", also: Callable[[Connection], object] | None = None
) -> int:
    """Publish the change, which was looked at with version `base` in force; the new version. `also` runs in the same transaction.

    Raises Overtaken where rules moved since, NotAllowed for rules that stay as they are and where nobody could give rights any more,
    PolicyError for what means nothing.
    """
    if actor is not COMMAND_LINE and (fixed := sorted(change.removed & shipped())):
        raise NotAllowed(
            f"This comes with its level and stays: {rule(fixed[0], names)}. Make a role of your own instead.", need=("policy", "manage")
        )
    with transaction() as connection:
        policy_store.seed(connection)
        number = int(connection.execute(_LOCKED).scalar_one())
        require_unmoved(base, number, names, connection)
        rows = policy_store.rows_of(connection)
        change = change.on(rows)
        _require_admin(Index(change.applied(rows)), connection)
        number = policy_store.write(connection, added=sorted(change.added), removed=sorted(change.removed), by=actor.id, note=note)
        if also is not None:
            also(connection)
        noted(actor, change, number, note, connection)
    access.refresh()
    return number


def require_unmoved(base: int, number: int, names: Names, connection: Connection | None = None) -> None:
    """Raises Overtaken where the rules of version `number` are not those of `base`: who was given a role is no rule."""
    later = since(base, connection)
    theirs = [one for one in later if one.change.of_rules]
    if theirs or not complete(later, base, number):
        raise Overtaken(theirs, names)


def noted(actor: Actor, change: Change, number: int, note: str, connection: Connection) -> None:
    """The event, with the rows before and after; the last thing that is done in the transaction."""
    told = {"version": number, "added": len(change.added), "removed": len(change.removed)}
    before, after = (sorted(line(row) for row in rows)[:MOST_LINES] for rows in (change.removed, change.added))
    sealed = {"before": before, "after": after} | ({"note": note} if note else {})
    log.note(
        actor,
        "policy_changed",
        open=told,
        sealed=sealed,
        subject=subjects.subject_of("policy", "rules"),
        chain=CHAIN,
        connection=connection,
    )


def _require_admin(index: Index, connection: Connection) -> None:
    """Raises NotAllowed where nobody with an open account could change the rights any more, though somebody can now; and PolicyError."""
    people = [f"user:{ident}" for (ident,) in connection.execute(sa.text("select id from console.person where disabled_at is null"))]
    able = [sub for sub in people if index.verdict(sub, None, "policy", "manage").plain]
    before = policy_store.current().index
    if not able and any(before.verdict(sub, None, "policy", "manage").plain for sub in people):
        raise NotAllowed("After this nobody could change the rights any more.", code="last_admin", need=("policy", "manage"))


def everybody() -> list[accounts.Person]:
    """People with an open account, by name."""
    return [person for person in accounts.people() if not person.disabled]
