"""Temporary clearances: who is cleared for a label by a role or until a day, and the agreement of a second person.

One person asks for a clearance and another agrees; one of the two manages rights, and one is cleared for the label by a role. A clearance is
a policy row whose condition tests the time, so it begins and ends by itself in every process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.auth import access, accounts, notify
from console.auth.access import policy_store
from console.auth.access.clearance_rules import KIND
from console.auth.access.rows import EVERY, Row
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound
from console.infra import subjects
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id

CHAIN = "sys:config"
LONGEST = timedelta(days=366)
LONGEST_REASON = 2000
SHOWN = 100
NEED = ("policy", "manage")
_COLUMNS = [column.name for column in tables.clearance.columns]
_ALL = f"select {', '.join(_COLUMNS)} from console.clearance where label = %s order by asked_at desc limit {SHOWN}"  # noqa: S608 (names of ours)


@dataclass(frozen=True, slots=True)
class Grant:
    """A temporary clearance. `state`: asked, refused, revoked, or if granted: later, now or over. Times are aware UTC."""

    id: str
    label: str
    person: str
    since: datetime
    until: datetime
    reason: str
    asked_by: str
    asked_at: datetime
    answered_by: str | None
    answered_at: datetime | None
    status: str
    revoked_by: str | None
    revoked_at: datetime | None

    @property
    def state(self) -> str:
        """The present state."""
        now = datetime.now(UTC)
        if self.status != "granted":
            return "over" if self.status == "asked" and self.until <= now else self.status
        return "later" if now < self.since else "now" if now < self.until else "over"


@dataclass(frozen=True, slots=True)
class Holding:
    """A label and who holds it. `roles`: pairs of a role and its people; `grants` newest first. `holds`: whether a role clears the reader; only then
    `workflows` and `collections` with the label are listed.
    """

    id: str
    roles: Sequence[tuple[str, Sequence[str]]]
    grants: Sequence[Grant]
    names: Mapping[str, str]
    holds: bool
    carried_by: Sequence[str]


def list_labels(actor: Actor) -> list[Holding]:
    """The labels: all for those who manage rights, else those that a role clears the actor for. Raises NotAllowed."""
    manages = access.can(actor, None, *NEED)
    found = [
        label
        for label in sorted(access.known_labels())
        if manages or access.cleared_for_good(actor.id, label)
    ]
    if not found:
        access.require(actor, None, *NEED)
    return [_holding(actor, label) for label in found]


def _holding(actor: Actor, label: str) -> Holding:
    rows = access.all_rows()
    roles = sorted(
        {
            row.sub.removeprefix("role:")
            for row in rows
            if row.obj == KIND + label and row.sub.startswith("role:")
        }
    )
    holders = {role: sorted(access.holders(role)) for role in roles}
    grants = [_grant(row) for row in fetch(_ALL, (label,))]
    people = {person for held in holders.values() for person in held}
    people |= {
        each
        for grant in grants
        for each in (grant.person, grant.asked_by, grant.answered_by, grant.revoked_by)
        if each
    }
    names, holds = accounts.names(people), access.cleared_for_good(actor.id, label)
    by_role = [
        (role, [names.get(person, "A former colleague") for person in held]) for role, held in holders.items()
    ]
    return Holding(label, by_role, grants, names, holds, access.labelled(label) if holds else ())


def ask(actor: Actor, label: str, email: str, since: datetime, until: datetime, reason: str) -> Grant:
    """Ask for a clearance of the person from `since` until `until` (aware). Notifies those who may agree.

    Raises NotAllowed (also `step_up`), Invalid with a detail per field.
    """
    _require_part(actor, label)
    accounts.require_recent(actor)
    person = _person(email)
    details = _wrong(actor, label, person, since, until, reason)
    if details or person is None:
        raise Invalid(f"Nothing was asked for: {details[0][1]}", details=details)
    ident = new_id("clr")
    made = {
        "id": ident,
        "label": label,
        "person": person.id,
        "since": since,
        "until": until,
        "reason": reason.strip(),
        "asked_by": actor.id,
    }
    with transaction() as connection:
        connection.execute(sa.insert(tables.clearance).values(**made, status="asked"))
        _note(actor, "clearance_asked", made, connection)
    grant = _read_grant(ident)
    notify.notify(
        [person for person in access.people_with_roles() if may_agree(Actor("user", person), grant)],
        "clearance_asked",
        grant.id,
        by=actor.id,
        link="/settings/labels",
    )
    return grant


def answer(actor: Actor, grant_id: str, *, agree: bool) -> Grant:
    """Agree or refuse as the second person. Raises NotFound, NotAllowed, Conflict if it is answered or over."""
    found = _read_grant(grant_id)
    _require_part(actor, found.label)
    if agree:
        _require_second(actor, found)
        accounts.require_recent(actor)
    if found.state != "asked":
        raise Conflict("This was answered already, or its time is over.", code="not_possible")
    status = "granted" if agree else "refused"
    table = tables.clearance
    with transaction() as connection:
        changed = sa.update(table).where(table.c.id == grant_id, table.c.status == "asked")
        if (
            connection.execute(
                changed.values(status=status, answered_by=actor.id, answered_at=sa.func.now())
            ).rowcount
            == 0
        ):
            raise Conflict("This was answered already.", code="not_possible")
        if agree:
            policy_store.write(
                connection,
                added=[_row(found)],
                removed=_over(connection, found.label),
                by=actor.id,
                note=f"Clearance {grant_id}",
            )
        _note(actor, f"clearance_{status}", _grant_json(found), connection)
    access.refresh()
    return _read_grant(grant_id)


def revoke(actor: Actor, grant_id: str) -> Grant:
    """End a clearance early, or withdraw a request. Raises NotFound, NotAllowed, Conflict if it has ended."""
    found = _read_grant(grant_id)
    _require_part(actor, found.label)
    table = tables.clearance
    with transaction() as connection:
        changed = sa.update(table).where(
            table.c.id == grant_id, table.c.status.in_(("asked", "granted")), table.c.until > sa.func.now()
        )
        if (
            connection.execute(
                changed.values(status="revoked", revoked_by=actor.id, revoked_at=sa.func.now())
            ).rowcount
            == 0
        ):
            raise Conflict("It has ended already.", code="not_possible")
        if found.status == "granted":
            policy_store.write(
                connection,
                removed=[_row(found), *_over(connection, found.label)],
                by=actor.id,
                note=f"Clearance {grant_id}",
            )
        _note(actor, "clearance_revoked", _grant_json(found), connection)
    access.refresh()
    return _read_grant(grant_id)


def _person(email: str) -> Actor | None:
    """The person with this address, as an actor; None if nobody has an active account with it."""
    try:
        return accounts.actor_of_person(accounts.person_of_email(email.strip().lower()).id)
    except ConsoleError:
        return None


def may_agree(actor: Actor, grant: Grant) -> bool:
    """Whether the actor can be the second person."""
    try:
        _require_second(actor, grant)
    except ConsoleError:
        return False
    return grant.state == "asked"


def _require_part(actor: Actor, label: str) -> None:
    """Raise NotAllowed unless the actor manages rights or is cleared for the label by a role."""
    if label not in access.known_labels() or not access.cleared_for_good(actor.id, label):
        access.require(actor, None, *NEED)


def _require_second(actor: Actor, grant: Grant) -> None:
    """Raise NotAllowed unless actor and asker are two people, neither gets the clearance, one manages rights and one holds the label (if
    anybody does).
    """
    access.narrowing.require_approver(actor, KIND + grant.label)
    behind = accounts.makers_of_keys((grant.asked_by, grant.person))
    if (
        actor.id in (grant.asked_by, grant.person)
        or actor.service
        or any(actor.id in makers for makers in behind.values())
    ):
        raise NotAllowed(
            "Another person has to agree to this: not who asked, and not who is cleared by it.",
            code="four_eyes",
            need=NEED,
        )
    pair = (actor, Actor("user", grant.asked_by))
    if not any(access.can(each, None, *NEED) for each in pair):
        raise NotAllowed(
            "This needs the yes of somebody who manages the rights.", code="four_eyes", need=NEED
        )
    held = any(access.cleared_for_good(person, grant.label) for person in access.people_with_roles())
    if held and not any(access.cleared_for_good(each.id, grant.label) for each in pair):
        raise NotAllowed(
            f"This needs the yes of somebody who is cleared for {grant.label} by a role.",
            code="four_eyes",
            need=(KIND + grant.label, "see"),
        )


def _wrong(
    actor: Actor, label: str, person: Actor | None, since: datetime, until: datetime, reason: str
) -> list[tuple[str, str]]:
    details = []
    if label not in access.known_labels():
        details.append(("label", "There is no such clearance."))
    if person is None:
        details.append(("email", "Nobody has an open account with this address."))
    elif person.id == actor.id:
        details.append(("email", "Nobody asks for their own clearance: a colleague does."))
    elif label in access.clearance(person):
        details.append(("email", f"{person.name} is cleared for it already."))
    if until <= since or until <= datetime.now(UTC):
        details.append(("until", "It must end after it begins, and not in the past."))
    elif until - since > LONGEST:
        details.append(("until", "At most a year; ask again then."))
    if not reason.strip() or len(reason) > LONGEST_REASON or "\x00" in reason:
        details.append(("reason", "Say why, in at most 2,000 characters; it is kept in the log."))
    return details


def _row(grant: Grant) -> Row:
    """The clearance as a policy row."""
    since, until = log.body.moment(grant.since), log.body.moment(grant.until)
    return Row(
        "p",
        f"user:{grant.person}",
        EVERY,
        KIND + grant.label,
        "see",
        "allow",
        f'now >= "{since}" && now < "{until}"',
    )


def _over(connection: Connection, label: str) -> list[Row]:
    """Policy rows of expired clearances, which have no effect."""
    table = tables.clearance
    rows = connection.execute(
        sa.select(table).where(
            table.c.label == label, table.c.status == "granted", table.c.until <= sa.func.now()
        )
    )
    return [_row(_grant([getattr(row, name) for name in _COLUMNS])) for row in rows]


def forget_reasons(connection: Connection, person: str) -> None:
    """Empty the reasons of clearances that this person asked for, or was to get: the log has them sealed."""
    table = tables.clearance
    theirs = sa.or_(table.c.asked_by == person, table.c.person == person)
    connection.execute(sa.update(table).where(theirs).values(reason=""))


def _grant(row: Sequence[Any]) -> Grant:
    return Grant(**dict(zip(_COLUMNS, row, strict=True)))


def _read_grant(grant_id: str) -> Grant:
    found = (
        fetch(f"select {', '.join(_COLUMNS)} from console.clearance where id = %s", (grant_id,))  # noqa: S608 (as above)
        if "\x00" not in grant_id
        else []
    )
    if not found:
        raise NotFound
    return _grant(found[0])


def _grant_json(grant: Grant) -> dict[str, Any]:
    return {
        name: getattr(grant, name)
        for name in ("id", "label", "person", "since", "until", "reason", "asked_by")
    }


def _note(actor: Actor, kind: str, told: Mapping[str, Any], connection: Connection) -> None:
    open_ = {
        "clearance": told["id"],
        "label": told["label"],
        "person": told["person"],
        "since": log.body.moment(told["since"]),
        "until": log.body.moment(told["until"]),
        "asked_by": told["asked_by"],
    }
    subject = subjects.subject_of("person", str(told["person"]))
    log.note(
        actor,
        kind,
        open=open_,
        sealed={"reason": told["reason"]},
        subject=subject,
        chain=CHAIN,
        connection=connection,
    )
