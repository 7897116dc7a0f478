"""Identity provider accounts: linked to a person by issuer and subject, never by address, with roles by the provider's groups.

Roles from groups are removed when the group is gone; roles given by hand stay. People without any role are not let in.
"""

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import access, log
from console.accounts import authority, entry, invitations, persons, sessions, signing_in
from console.accounts.oidc import Arrival, ProviderRefused
from console.accounts.recent_confirmation import require_recent
from console.core.actor import Actor
from console.db import engine as db
from console.db.ids import new_id
from console.errors import Conflict, NotAllowed

Pairs = frozenset[tuple[str, str]]

_HELD = sa.text(
    "select i.person, i.roles, p.disabled_at from console.identity i join console.person p on p.id = i.person"
    " where i.issuer = :issuer and i.subject = :subject for update of i"
)
_OF_EMAIL = sa.text("select id from console.person where email = :email")
_FOLLOWING = sa.text(
    "update console.identity set roles = :roles, seen_at = now() where issuer = :issuer and subject = :subject"
).bindparams(sa.bindparam("roles", type_=sa.JSON))
_LINK = sa.text("insert into console.identity (issuer, subject, person) values (:issuer, :subject, :person) on conflict do nothing")


@dataclass(frozen=True, slots=True)
class Identity:
    """A provider account with which a person signs in."""

    issuer: str
    subject: str
    linked_at: Any


def sign_in_identity(arrival: Arrival, ip: str, agent: str) -> str:
    """The token of a new session for somebody who returned from the provider; roles follow their groups.

    Raises `ProviderRefused` with the code `no_role`, `not_linked`, `closed` or `no_address`; logged.
    """
    address = _address(arrival.claims)
    try:
        person_id = _person(arrival, address)
    except ProviderRefused as refused:
        signing_in.refuse(refused.code, refused.extra.get("person"), address, ip, agent)
        raise
    finally:
        access.refresh()
    with db.transaction() as connection:
        return sessions.open_session(person_id, "oidc", ip, agent, connection)


def link(actor: Actor, arrival: Arrival) -> None:
    """Link the provider account to the actor, who is signed in. Raises `Conflict` if it belongs to somebody else."""
    require_recent(actor)
    parameters = {"issuer": arrival.issuer, "subject": arrival.claims["sub"], "person": actor.id}
    with db.transaction() as connection:
        if not connection.execute(_LINK, parameters).rowcount:
            raise Conflict("That account of the identity provider belongs to somebody here already.", code="linked")
    _note_link(actor, actor.id, arrival, frozenset())


def unlink(actor: Actor) -> None:
    """Unlink the provider account. Raises `Conflict` if the actor has no other way to sign in, or no such account."""
    require_recent(actor)
    with db.transaction() as connection:
        held = connection.execute(sa.text("select password_hash from console.person where id = :id for update"), {"id": actor.id}).one()
        if held.password_hash is None or not entry.current().password:
            raise Conflict("This is the only way in that you have.", code="only_way")
        gone = connection.execute(sa.text("delete from console.identity where person = :id"), {"id": actor.id})
        if not gone.rowcount:
            raise Conflict("You are not connected to an identity provider.", code="not_linked")
        log.note(
            actor,
            "identity_linked",
            open={"person": actor.id, "change": "unlinked", "roles": []},
            chain="sys:config",
            connection=connection,
        )


def identities_of(person_id: str) -> list[Identity]:
    """The person's provider accounts."""
    rows = db.fetch("select issuer, subject, linked_at from console.identity where person = %s order by linked_at", (person_id,))
    return [Identity(*row) for row in rows]


def person_of(issuer: str, subject: str) -> str | None:
    """Id of the person with this provider account."""
    rows = db.fetch("select person from console.identity where issuer = %s and subject = %s", (issuer, subject))
    return rows[0][0] if rows else None


def _person(arrival: Arrival, address: str) -> str:
    """Id of the person, created at their first sign-in, with today's roles."""
    mapped = _mapped(arrival.claims)
    parameters = {"issuer": arrival.issuer, "subject": arrival.claims["sub"]}
    with authority.changing(signing_in.STRANGER) as connection:
        held = connection.execute(_HELD, parameters).one_or_none()
        if held is not None and held.disabled_at is not None:
            raise ProviderRefused("Your account here is closed. Ask an administrator.", code="closed", person=held.person)
        if held is None:
            person_id = _newcomer(connection, arrival, address, mapped)
            connection.execute(_LINK, parameters | {"person": person_id})
            left, following = mapped, mapped
        else:
            person_id, before = held.person, frozenset((role, team) for role, team in held.roles)
            left = _follow(connection, person_id, before, mapped)
            following = mapped | (before & left)
        connection.execute(_FOLLOWING, parameters | {"roles": sorted(following)})
    if held is None:
        _note_link(signing_in.STRANGER, person_id, arrival, mapped)
    elif not left:
        raise ProviderRefused(_NO_ROLE, code="no_role", person=person_id)
    return person_id


_NO_ROLE = "You have no role here: none of your groups gives you one. An administrator connects groups and roles under Settings, Sign-in."


def _newcomer(connection: Connection, arrival: Arrival, address: str, mapped: Pairs) -> str:
    """Create the person at their first sign-in, with roles from an invitation to an address verified by the provider, and from their groups."""
    known = connection.execute(_OF_EMAIL, {"email": address}).scalar()
    if known is not None:
        raise ProviderRefused(
            "There is an account with your address here already. Sign in with your password, and connect the two under Settings, Me.",
            code="not_linked",
            person=known,
        )
    checked = arrival.claims.get("email_verified") is True
    invited = invitations.take_of(connection, address) if checked else None
    roles = mapped | (invited.roles if invited else frozenset())
    if not roles:
        raise ProviderRefused(_NO_ROLE, code="no_role")
    if not persons.EMAIL.fullmatch(address) or len(address) > 254 or not checked:
        raise ProviderRefused("The identity provider tells no e-mail address of yours that it has checked.", code="no_address")
    person_id = invited.person if invited else new_id("usr")
    row: dict[str, Any] = {
        "id": person_id,
        "email": address,
        "name": _name(arrival.claims, address),
        "hash": None,
        "tags": {},
        "locale": "en",
        "zone": "UTC",
    }
    more = {"invitation": invited.id, "invited_by": invited.invited_by} if invited else None
    teams = sorted(_teams(roles) | set(invited.teams if invited else ()))
    persons.insert_person(connection, row, sorted(roles), teams, signing_in.STRANGER, more)
    return person_id


def _follow(connection: Connection, person_id: str, before: Pairs, mapped: Pairs) -> Pairs:
    """Give and take the roles of groups; returns the person's roles after that. The last admin stays admin."""
    held = authority.role_pairs(connection, person_id)
    wanted = (held - before) | mapped
    if authority.ADMIN in held - wanted:
        try:
            authority.keep_an_admin(connection, person_id)
        except NotAllowed:
            wanted |= {authority.ADMIN}
    if wanted == held:
        return wanted
    were = set(connection.execute(sa.text("select team from console.person_team where person = :person"), {"person": person_id}).scalars())
    teams = (were - (_teams(held) - _teams(wanted))) | _teams(wanted)
    persons.join_teams(connection, person_id, sorted(teams))
    access.assign(person_id, wanted, connection=connection)
    opened = {
        "person": person_id,
        "fields": ["roles"],
        "roles": sorted(f"{role}@{team}" for role, team in wanted),
        "roles_before": sorted(f"{role}@{team}" for role, team in held),
    }
    persons.note_configuration(signing_in.STRANGER, "person_changed", person_id, opened, connection=connection)
    return wanted


def _mapped(claims: Mapping[str, Any]) -> Pairs:
    """The roles for the provider's groups."""
    rules = entry.current()
    claimed = claims.get(rules.groups_claim, [])
    groups = {claimed} if isinstance(claimed, str) else set(claimed)
    return frozenset((line.role, line.team) for line in rules.groups if line.group in groups)


def _teams(pairs: Iterable[tuple[str, str]]) -> set[str]:
    return {team for _, team in pairs if team != "*"}


_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def _address(claims: Mapping[str, Any]) -> str:
    """The address in small letters. Only A to Z are made small: the Kelvin sign would become a k, and the address somebody else's."""
    return str(claims.get("email", "")).strip(" ").translate(_SMALL)[:300]


def _name(claims: Mapping[str, Any], address: str) -> str:
    shown = " ".join(str(claims.get("name", "")).split())[:200]
    return shown if shown and shown.isprintable() else address.partition("@")[0].replace(".", " ").title()


def _note_link(by: Actor, person_id: str, arrival: Arrival, roles: Pairs) -> None:
    opened = {"person": person_id, "change": "linked", "roles": sorted(f"{role}@{team}" for role, team in roles)}
    persons.note_configuration(by, "identity_linked", person_id, opened, {"issuer": arrival.issuer, "subject": arrival.claims["sub"]})
