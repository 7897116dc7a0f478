"""The order of workflows in lists and menus: chosen by those who edit them; new ones follow by title."""

from collections.abc import Sequence

import sqlalchemy as sa

from console import access, log
from console.core.actor import Actor
from console.db.engine import transaction
from console.errors import Invalid
from console.workflows.known_workflows import Known, _forget, all_known
from console.workflows.versions import CHAIN, OBJECT

_LISTED = sa.text("select id from console.workflow order by place asc nulls last, title, slug for update")
_PLACED = sa.text("""
update console.workflow w set place = o.n from unnest(cast(:ids as text[])) with ordinality o(id, n) where o.id = w.id and w.place is distinct from o.n
""")


def movable(actor: Actor) -> list[Known]:
    """The workflows whose order the actor may choose, in their order: those that they may edit, without archived ones."""
    every = [known for known in all_known() if not known.archived]
    return [known for known in every if access.can(actor, known.team or None, f"{OBJECT}:{known.slug}", "edit")]


def reorder(actor: Actor, ids: Sequence[str]) -> None:
    """Put these workflows into this order, in the places that they have together; all others keep theirs. Needs the right to edit each.

    Raises Invalid where one is not there, or not the actor's to move, or named twice, and where none is named.
    """
    own = {known.id for known in movable(actor)}
    if not ids or len(set(ids)) < len(ids) or not own.issuperset(ids):
        reason = "The list is another one by now. Open it again." if ids else "No workflow is named."
        raise Invalid("The order was not saved.", at=("place", reason))
    with transaction() as connection:
        before = list(connection.scalars(_LISTED))
        wanted, moved = iter([each for each in ids if each in before]), set(ids)
        after = [next(wanted) if each in moved else each for each in before]
        if after == before:
            return
        connection.execute(_PLACED, {"ids": after})
        log.note(actor, "workflows_ordered", open={"count": len(ids)}, chain=CHAIN, connection=connection)
    _forget()
