"""Whose a workflow is: the organisation's, or personal and then one person's; and handing it over. Who sees a personal one: `access.ownership`."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from console.auth import access, accounts
from console.auth.access import limits
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra.db.engine import transaction
from console.workflows.definitions import Entry, entry_of
from console.workflows.queries import Known, all_known, forget
from console.workflows.store import OBJECT, locked_row, note_event, update_row
from console.workflows.versions import readable_version

ORGANISATION, PERSONAL = "organisation", "personal"
WHOSE = (ORGANISATION, PERSONAL)
ANOTHERS = "Only an admin can give a personal workflow to somebody else."
_OTHERS = sa.text("""
select count(*) filter (where (r.holder is not null and r.holder <> :owner) or r.ticket is not null
        or (r.mode <> 'hands_off' and r.started_by <> :owner)) as runs,
    (select count(*) from console.enrolment e join console.person p on p.id = e.entered_by and p.kind = 'person'
        where e.workflow = :workflow and e.left_at is null and e.entered_by <> :owner) as leads
from console.run r /* every run */ where r.workflow = :workflow and r.ended_at is null
""")
_INBOXES = sa.text(
    "select title from console.inbox where closed_at is null and source ->> 'workflow' = :slug order by title"
)


def is_personal(whose: str | None) -> bool:
    """Whether this is how a personal workflow is asked for; none is the organisation's. Raises Invalid for another word."""
    if whose not in (None, *WHOSE):
        raise Invalid("It was not said whose the workflow is.", at=("whose", f"One of {' or '.join(WHOSE)}."))
    return whose == PERSONAL


def require_person(actor: Actor) -> None:
    """Raise Invalid for a service account, which can own no workflow."""
    if actor.service or actor.kind == "system":
        raise Invalid(
            "A service account has no personal workflows.",
            at=("whose", "Make it the organisation's, or make it as a person."),
        )


def may_hand_over(actor: Actor, known: Known | Entry) -> bool:
    """Whether the actor may change whose the workflow is: who may edit it, and of a personal one who manages people."""
    edits = access.can(actor, known.team or None, f"{OBJECT}:{known.slug}", "edit")
    return edits or (known.owner is not None and manages(actor, known))


def manages(actor: Actor, known: Known | Entry) -> bool:
    """Whether the actor manages people where the workflow is, and so may give a personal one to another person."""
    return access.can(actor, known.team or None, "user", "manage")


def personal_of(actor: Actor, person_id: str) -> list[Known]:
    """The person's personal workflows that the actor may see, archived ones too."""
    own = [known for known in all_known() if known.owner == person_id]
    return [known for known in own if access.can(actor, known.team or None, f"{OBJECT}:{known.slug}", "see")]


def heirs(known: Known) -> list[tuple[str, str]]:
    """(address, name) of the people who may be given the workflow: those who may edit workflows where it is."""
    able = {ident for ident, _ in limits.people_able(known.team or None, f"{OBJECT}:*", "edit")}
    return [
        (each.email, each.name)
        for each in accounts.people()
        if each.id in able and each.kind == "person" and each.id != known.owner
    ]


def others_at_work(known: Known | Entry, owner: str) -> list[str]:
    """What others do in the workflow, as sentences: each has to end before it becomes personal, of `owner`. Empty if nobody else works in it."""
    with transaction() as connection:
        return list(_hindrances(connection, known.id, known.slug, owner))


def hand_over(actor: Actor, slug_or_id: str, whose: str, *, to: str | None = None) -> Entry:
    """Make the workflow the organisation's, or personal: the actor's own, or (`to`, an e-mail address) another person's.

    The same once more changes nothing. Raises NotFound; NotAllowed; Invalid on `whose` or `owner`; Conflict `others_at_work` with a detail each.
    """
    personal = is_personal(whose)
    with transaction() as connection:
        row = locked_row(connection, actor, slug_or_id, "see")
        owner = _owner(actor, row, to) if personal else None
        if owner == row.owner:
            return entry_of(row)
        _require(actor, row, owner)
        if (
            owner is not None
            and row.owner is None
            and (reasons := list(_hindrances(connection, row.id, row.slug, owner)))
        ):
            details = [{"field": "whose", "reason": reason} for reason in reasons]
            raise Conflict(
                f"{row.title} cannot become personal while others work in it.",
                code="others_at_work",
                details=details,
            )
        after = update_row(connection, row, owner=owner)
        note_event(actor, "workflow_handed_over", row, connection, holder=owner, former_holder=row.owner)
    forget()
    access.refresh()
    return entry_of(after)


def _require(actor: Actor, row: Row[Any], owner: str | None) -> None:
    """Raise NotAllowed, or Invalid, unless the actor may make it that person's (None: the organisation's)."""
    if row.owner is not None and access.can(actor, row.team or None, "user", "manage"):
        return
    access.require(actor, row.team or None, f"{OBJECT}:{row.slug}", "edit")
    if owner not in (None, actor.id):
        raise NotAllowed(ANOTHERS, need=("user", "manage"), words=ANOTHERS)


def _owner(actor: Actor, row: Row[Any], to: str | None) -> str:
    """The id of the new owner. Raises Invalid for somebody who cannot work on workflows there."""
    if to is None and row.owner is not None:
        return str(row.owner)
    if to is None:
        require_person(actor)
        return actor.id
    try:
        person = accounts.person_of_email(to)
        heir = accounts.actor_of_person(person.id)
    except (NotFound, NotAllowed):
        raise Invalid(
            "The workflow was not handed over.", at=("owner", "Choose somebody whose account is open.")
        ) from None
    require_person(heir)
    if not access.can(heir, row.team or None, f"{OBJECT}:*", "edit"):
        reason = f"{person.name} may not edit workflows there. Choose somebody who may."
        raise Invalid("The workflow was not handed over.", at=("owner", reason))
    return person.id


def _hindrances(connection: Connection, workflow: str, slug: str, owner: str) -> Iterator[str]:
    runs, leads = connection.execute(_OTHERS, {"workflow": workflow, "owner": owner}).one()
    if runs:
        yield f"{runs:,} live run{' is' if runs == 1 else 's are'} in the hands of others, or for others to take."
    if leads:
        yield f"{leads:,} {'is' if leads == 1 else 'are'} enrolled in it by others."
    for known in all_known():
        found = (
            readable_version(known.id, known.live)
            if known.id != workflow and not known.archived and known.owner != owner
            else None
        )
        if found is not None and any(step.config.get("workflow") == slug for step in found.document.steps):
            yield f"{known.title} begins runs of it."
    for title in connection.scalars(_INBOXES, {"slug": slug}):
        yield f"The inbox {title} begins runs of it."
