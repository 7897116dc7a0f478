"""Signing in through the identity provider: who it is, and what follows the provider at each sign-in: roles by groups, address and name.

A claim that is missing takes nothing away, but for the groups: `groups_missing` of the settings says whether that removes their roles.
People without any role are not let in.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.auth import access
from console.auth.accounts import authority, entry, identities, invitations, persons, sessions, signing_in
from console.auth.accounts.authority import Pair
from console.auth.accounts.identities import Account
from console.auth.accounts.oidc import Arrival, ProviderRefused
from console.infra.db import engine as db
from console.infra.db.ids import new_id

_HELD = sa.text(
    "select i.id, i.person, p.disabled_at, p.email, p.name from console.identity i join console.person p on p.id = i.person"
    " where i.issuer = :issuer and i.subject = :subject for update of i"
)
_OF_EMAIL = sa.text(
    "select id, password_hash is not null as password from console.person where email = :email"
)
_SEEN = sa.text(
    "update console.identity set seen_at = now(), withheld_at = case when :withheld then now() end,"
    " email = case :email when '' then email else :email end, name = case :name when '' then name else :name end where id = :id"
)
_FOLLOW = sa.text("update console.person set email = :email, name = :name where id = :id")
_NO_ROLE = "You have no role here: none of your groups gives you one. An administrator connects groups and roles under Settings, Sign-in."
_WITHHELD = (
    "The identity provider did not tell your groups, because they are too many, so no role here could be given."
    " Ask its administrator to tell the console only the groups that count here."
)


def sign_in_identity(arrival: Arrival, ip: str, agent: str) -> str:
    """The token of a new session for somebody who returned from the provider; roles, address and name follow the provider.

    Raises `ProviderRefused` with the code `no_role`, `not_linked`, `closed` or `no_address`, and with the `person` and `address` that it is about.
    """
    try:
        return _open(arrival, ip, agent)
    except ProviderRefused as refused:
        refused.extra["address"] = identities.address_of(arrival.claims)
        if refused.code == "not_linked":
            identities.remember_refused(refused.extra["person"], arrival)
        raise


def _open(arrival: Arrival, ip: str, agent: str) -> str:
    try:
        identity_id, person_id, roles = _person(arrival)
    finally:
        access.refresh()
    if arrival.withheld:
        persons.note_configuration(signing_in.STRANGER, "groups_withheld", person_id, {"person": person_id})
        identities.withheld_watchers(person_id)
    if not roles:
        with db.transaction() as connection:
            sessions.end_of_identity(connection, signing_in.STRANGER, person_id, identity_id)
        raise _no_role(arrival, person_id)
    with db.transaction() as connection:
        return sessions.open_session(
            person_id,
            "oidc",
            ip,
            agent,
            connection,
            identity=identity_id,
            provider_session=arrival.claims.get("sid"),
            proved_at=arrival.proved_at,
        )


def _person(arrival: Arrival) -> tuple[str, str, frozenset[Pair]]:
    """Ids of the identity and its person, created at their first sign-in, and the person's roles today."""
    account, mapped = Account.of(arrival), mapped_roles(arrival.claims)
    with authority.changing(signing_in.STRANGER) as connection:
        held = connection.execute(_HELD, {"issuer": account.issuer, "subject": account.subject}).one_or_none()
        if held is None:
            identity_id, person_id = _enter(connection, arrival, account, mapped)
            roles = authority.role_pairs(connection, person_id)
        elif held.disabled_at is not None:
            raise ProviderRefused(
                "Your account here is closed. Ask an administrator.", code="closed", person=held.person
            )
        else:
            identity_id, person_id, source = held.id, held.person, identities.source_of(held.id)
            if arrival.withheld or (
                entry.current().groups_claim not in arrival.claims
                and entry.current().groups_missing == "unchanged"
            ):
                before = access.grants_of(person_id, connection)
                mapped |= {pair for pair, sources in before.items() if source in sources}
            roles = identities.give(
                connection, signing_in.STRANGER, person_id, source, mapped, keep_last_admin=True
            )
            _follow(connection, held, account, checked=arrival.claims.get("email_verified") is True)
        seen = {"id": identity_id, "withheld": arrival.withheld, "email": account.email, "name": account.name}
        connection.execute(_SEEN, seen)
    return identity_id, person_id, roles


def _enter(
    connection: Connection, arrival: Arrival, account: Account, mapped: frozenset[Pair]
) -> tuple[str, str]:
    """Create the person at their first sign-in, with the roles of an invitation to their address and of their groups; returns the ids of identity and person.

    Nothing is said of who exists here before the provider vouches for the address.
    """
    address = account.email
    if (
        arrival.claims.get("email_verified") is not True
        or not persons.EMAIL.fullmatch(address)
        or len(address) > 254
    ):
        raise ProviderRefused(
            "The identity provider tells no e-mail address of yours that it has checked.", code="no_address"
        )
    known = connection.execute(_OF_EMAIL, {"email": address}).one_or_none()
    if known is not None:
        raise _not_linked(known.id, by_password=known.password and entry.current().password)
    invited = invitations.take_of(connection, address)
    roles = mapped | (invited.roles if invited else frozenset())
    if not roles:
        raise _no_role(arrival)
    person_id = invited.person if invited else new_id("usr")
    row: dict[str, Any] = {
        "id": person_id,
        "email": address,
        "name": account.name or address.partition("@")[0].replace(".", " ").title(),
        "hash": None,
        "tags": {},
        "locale": "en",
        "zone": "UTC",
    }
    more = {"invitation": invited.id, "invited_by": invited.invited_by} if invited else None
    joined = set(invited.teams if invited else ())
    teams = identities.teams_of(mapped)
    persons.insert_person(connection, row, sorted(roles), sorted(teams | joined), signing_in.STRANGER, more)
    identity_id = identities.insert(connection, signing_in.STRANGER, person_id, account, mapped)
    by_group, invitation = frozenset({identities.source_of(identity_id)}), frozenset({access.INVITATION})
    given = {
        pair: (invitation if invited and pair in invited.roles else frozenset())
        | (by_group if pair in mapped else frozenset())
        for pair in roles
    }
    access.set_grants(person_id, given, connection=connection)
    persons.join_teams(connection, person_id, joined)
    persons.join_teams_of_groups(connection, person_id, teams, keep=teams)
    return identity_id, person_id


def _follow(connection: Connection, held: Any, account: Account, *, checked: bool) -> None:
    """Give the person the name and the address that the provider tells now; the address if it is checked, and nobody else's."""
    wanted = {"name": account.name or held.name, "email": held.email}
    usable = checked and persons.EMAIL.fullmatch(account.email) and len(account.email) <= 254
    if usable and connection.execute(_OF_EMAIL, {"email": account.email}).one_or_none() is None:
        wanted["email"] = account.email
    fields = [field for field in wanted if wanted[field] != getattr(held, field)]
    if fields:
        connection.execute(_FOLLOW, wanted | {"id": held.person})
        sealed = {
            "old": {field: getattr(held, field) for field in fields},
            "new": {field: wanted[field] for field in fields},
        }
        opened = {"person": held.person, "fields": fields}
        persons.note_configuration(
            signing_in.STRANGER, "person_changed", held.person, opened, sealed, connection
        )


def mapped_roles(claims: Mapping[str, Any]) -> frozenset[Pair]:
    """The roles for the provider's groups."""
    rules = entry.current()
    claimed = claims.get(rules.groups_claim, [])
    groups = {claimed} if isinstance(claimed, str) else set(claimed)
    return frozenset((line.role, line.team) for line in rules.groups if line.group in groups)


def _no_role(arrival: Arrival, person_id: str | None = None) -> ProviderRefused:
    return ProviderRefused(_WITHHELD if arrival.withheld else _NO_ROLE, code="no_role", person=person_id)


def _not_linked(person_id: str, *, by_password: bool) -> ProviderRefused:
    """The refusal of an account whose checked address is that of somebody here, with the ways that they have."""
    message = "There is an account with your address here already, and this account of the identity provider is not connected to it."
    if by_password:
        message += " If it is yours, sign in with your password, and connect the two under Settings, You."
    message += (
        f" {'Or ask an administrator: they' if by_password else 'Ask an administrator: they'} can let it take the place of the former one"
        " under Settings, People, your name, Signing in."
    )
    return ProviderRefused(message, code="not_linked", person=person_id)
