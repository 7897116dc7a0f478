"""Identity provider accounts of people: linked by issuer and subject, never by address.

What the groups of an identity give has the source `identity:<id>`, and goes with the group or with the identity, as do the sessions that it opened.
"""

import string
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.auth import access
from console.auth.access import narrowing
from console.auth.accounts import authority, entry, one_time, persons, sessions
from console.auth.accounts.authority import Pair
from console.auth.accounts.oidc import Arrival
from console.auth.accounts.person_changes import pair_words
from console.auth.accounts.recent_confirmation import require_recent
from console.core.actor import Actor
from console.core.errors import Conflict, NotAllowed, NotFound
from console.infra import settings
from console.infra.db import engine as db
from console.infra.db.ids import new_id
from console.infra.subscribers import Subscribers

LINK_LASTS, REFUSED_LASTS = timedelta(minutes=10), timedelta(days=7)
withheld_watchers = Subscribers[[str], None]("auth.accounts.identities.withheld_watchers")
"""Called with the id of a person whose groups the provider did not tell at a sign-in."""

_OF_PERSON = "select id, issuer, subject, email, name, linked_at, seen_at, withheld_at from console.identity where person = %s order by linked_at, id"
_LINK = sa.text(
    "insert into console.identity (id, issuer, subject, person, email, name) values (:id, :issuer, :subject, :person, :email, :name)"
    " on conflict do nothing"
)
_TAKE = sa.text("delete from console.identity where id = :id and person = :person returning issuer, subject")
_WAYS_IN = sa.text(
    "select p.password_hash is not null as password, exists (select from console.identity i where i.person = p.id"
    " and rtrim(i.issuer, '/') = :issuer) as identity from console.person p where p.id = :person for update"
)
_GIVING = sa.text(
    "select distinct i.id, i.person from console.identity i join console.role_source s on s.source = 'identity:' || i.id order by i.id"
)
_WITHHELD = "select distinct p.id, p.name from console.identity i join console.person p on p.id = i.person where i.withheld_at is not null order by p.name, p.id"


@dataclass(frozen=True, slots=True)
class Identity:
    """A provider account with which a person signs in, as the provider last described it, and the roles that its groups gave.

    `withheld_at`: when the provider did not tell the groups, if that was at the last sign-in.
    """

    id: str
    issuer: str
    subject: str
    email: str
    name: str
    linked_at: datetime
    last_used_at: datetime
    withheld_at: datetime | None
    gave: tuple[Pair, ...]

    def to_json(self) -> dict[str, Any]:
        """The identity as the API tells it."""
        return {
            **{name: getattr(self, name) for name in ("id", "issuer", "subject", "email", "name")},
            "linked_at": log.body.moment(self.linked_at),
            "last_used_at": log.body.moment(self.last_used_at),
            "gave": [{"role": role, "team": team} for role, team in self.gave],
        }


@dataclass(frozen=True, slots=True)
class Account:
    """An account at the provider that is nobody's identity yet, as the provider described it."""

    issuer: str
    subject: str
    email: str
    name: str
    at: str

    @property
    def told_at(self) -> datetime:
        """When it was described."""
        return datetime.fromisoformat(self.at)

    @classmethod
    def of(cls, arrival: Arrival) -> "Account":
        """The account of a verified return."""
        return cls(
            arrival.issuer,
            arrival.claims["sub"],
            address_of(arrival.claims),
            name_of(arrival.claims),
            log.body.moment(log.now()),
        )


def identities_of(person_id: str) -> list[Identity]:
    """The person's provider accounts, the first linked first."""
    with db.hot_engine().connect() as connection:
        grants = access.grants_of(person_id, connection)
    found = []
    for row in db.fetch(_OF_PERSON, (person_id,)):
        gave = sorted(pair for pair, sources in grants.items() if source_of(row[0]) in sources)
        found.append(Identity(*(*row, tuple(gave))))
    return found


def roles_with_sources(person_id: str) -> list[dict[str, Any]]:
    """The person's roles as the API tells them: `role`, `team`, and `from` what each comes."""
    with db.hot_engine().connect() as connection:
        grants = access.grants_of(person_id, connection)
    return [
        {"role": role, "team": team, "from": sorted(sources)}
        for (role, team), sources in sorted(grants.items())
    ]


def person_of(issuer: str, subject: str) -> str | None:
    """Id of the person with this provider account."""
    rows = db.fetch(
        "select person from console.identity where issuer = %s and subject = %s", (issuer, subject)
    )
    return rows[0][0] if rows else None


def people_with_withheld_groups() -> list[tuple[str, str]]:
    """(id, name) of the people whose groups the provider did not tell when they last signed in."""
    return [(row[0], row[1]) for row in db.fetch(_WITHHELD, ())]


def source_of(identity_id: str) -> str:
    """The source of the roles that the groups of this identity give."""
    return f"identity:{identity_id}"


def begin_link(actor: Actor, arrival: Arrival) -> str:
    """A token by which the actor, who is signed in, links this account after having seen whose it is. Raises `Conflict` if it is linked."""
    account = Account.of(arrival)
    if person_of(account.issuer, account.subject) is not None:
        raise _linked()
    return one_time.make(
        "identity", actor.id, LINK_LASTS, {"session": actor.session, "account": _content(account)}
    )


def pending_link(actor: Actor, token: str) -> Account:
    """The account that this token would link. Raises `Conflict` if it was used, is too old, or belongs to another session."""
    kept = one_time.find("identity", token)
    if kept is None or kept.person != actor.id or kept.content.get("session") != actor.session:
        raise Conflict("This took too long, or was done already. Connect the account anew.", code="link_gone")
    return Account(**kept.content["account"])


def link(actor: Actor, token: str) -> None:
    """Link the account of the token to the actor. Raises `Conflict` as `pending_link`, and if it became somebody's meanwhile."""
    require_recent(actor)
    account = pending_link(actor, token)
    one_time.take("identity", token)
    with db.transaction() as connection:
        insert(connection, actor, actor.id, account)


def insert(
    connection: Connection, by: Actor, person_id: str, account: Account, roles: frozenset[Pair] = frozenset()
) -> str:
    """Link the account to the person; returns the identity's id. Raises `Conflict` if it is linked already."""
    identity_id = new_id("idn")
    values = {name: getattr(account, name) for name in ("issuer", "subject", "email", "name")}
    if not connection.execute(_LINK, values | {"id": identity_id, "person": person_id}).rowcount:
        raise _linked()
    _note(connection, by, person_id, "linked", roles, account.issuer, account.subject)
    return identity_id


def remove(actor: Actor, person_id: str, identity_id: str) -> None:
    """Take an identity from oneself, or from another person, with the roles that it alone gave and the sessions that it opened.

    Raises `NotFound`, `NotAllowed`, and `Conflict` with the code `only_way` if the actor could not sign in any more.
    """
    require_recent(actor)
    if not narrowing.within(actor, "identity:own", "remove"):
        raise NotAllowed(
            "This key is limited to some rights, and this is none of them: use a page, or a key without limits.",
            need=("key", "use"),
        )
    with _changing(actor, person_id) as connection:
        if person_id != actor.id:
            authority.require_over(actor, connection, person_id)
        _take(connection, actor, person_id, identity_id)
        if person_id == actor.id:
            _keep_a_way_in(connection, person_id)


def remember_refused(person_id: str, arrival: Arrival) -> None:
    """Keep for an administrator which account was refused because it is not linked to the person with its address."""
    one_time.make(
        "identity", person_id, REFUSED_LASTS, _content(Account.of(arrival)), token=_refused(person_id)
    )


def refused_account(person_id: str) -> Account | None:
    """The account that was refused lately because it is not linked to this person, with whose address it came."""
    kept = one_time.find("identity", _refused(person_id))
    return (
        None
        if kept is None or person_of(kept.content["issuer"], kept.content["subject"]) is not None
        else Account(**kept.content)
    )


def replace(actor: Actor, person_id: str, subject: str, identity_id: str = "") -> None:
    """Link the refused account with this subject to the person, in the place of one of their identities if it is named.

    Raises `NotAllowed`, `NotFound`, and `Conflict` if another account was refused meanwhile.
    """
    require_recent(actor)
    authority.require_another(actor, person_id, "replaces their own identity")
    with _changing(actor, person_id) as connection:
        persons.require_person(persons.person(person_id))
        authority.require_over(actor, connection, person_id)
        account = refused_account(person_id)
        if account is None or account.subject != subject:
            raise Conflict(
                "That sign-in is too old, or another account was refused since. Look at the page anew.",
                code="link_gone",
            )
        if identity_id:
            _take(connection, actor, person_id, identity_id)
        insert(connection, actor, person_id, account)
    one_time.take("identity", _refused(person_id))


def give(
    connection: Connection,
    by: Actor,
    person_id: str,
    source: str,
    pairs: frozenset[Pair],
    *,
    keep_last_admin: bool = False,
) -> frozenset[Pair]:
    """Make these the roles that the source gives; what nothing else gives goes. Returns the person's roles after that.

    The last admin stays admin with `keep_last_admin`; otherwise raises `NotAllowed`.
    """
    grants = access.grants_of(person_id, connection)
    others = {pair: sources - {source} for pair, sources in grants.items()}
    wanted = {pair: sources for pair, sources in others.items() if sources}
    wanted |= {pair: others.get(pair, frozenset()) | {source} for pair in pairs}
    if authority.ADMIN in grants and authority.ADMIN not in wanted:
        try:
            authority.keep_an_admin(connection, person_id)
        except NotAllowed:
            if not keep_last_admin:
                raise
            wanted[authority.ADMIN] = frozenset({source})
    if wanted != grants:
        access.set_grants(person_id, wanted, connection=connection)
    if wanted.keys() != grants.keys():
        persons.join_teams_of_groups(connection, person_id, teams_of(pairs), keep=teams_of(wanted))
        opened = {
            "person": person_id,
            "fields": ["roles"],
            "roles": pair_words(wanted),
            "roles_before": pair_words(grants),
        }
        persons.note_configuration(by, "person_changed", person_id, opened, connection=connection)
    return frozenset(wanted)


def take_unmapped(connection: Connection, by: Actor, mapped: frozenset[Pair]) -> None:
    """Take what groups gave and none gives any more. The last admin stays admin."""
    for row in connection.execute(_GIVING).all():
        gave = frozenset(
            pair
            for pair, sources in access.grants_of(row.person, connection).items()
            if source_of(row.id) in sources
        )
        if gave - mapped:
            give(connection, by, row.person, source_of(row.id), gave & mapped, keep_last_admin=True)


def _take(connection: Connection, by: Actor, person_id: str, identity_id: str) -> None:
    held = connection.execute(_TAKE, {"id": identity_id.replace("\0", ""), "person": person_id}).one_or_none()
    if held is None:
        raise NotFound("There is no such identity of this person.")
    before = authority.role_pairs(connection, person_id)
    left = give(connection, by, person_id, source_of(identity_id), frozenset())
    sessions.end_of_identity(connection, by, person_id, identity_id)
    _note(connection, by, person_id, "unlinked", before - left, held.issuer, held.subject)


def _keep_a_way_in(connection: Connection, person_id: str) -> None:
    """Raise `Conflict` if the person has neither a password that counts nor an identity of the present provider."""
    issuer = (settings.current().oidc_issuer or "").rstrip("/")
    held = connection.execute(_WAYS_IN, {"person": person_id, "issuer": issuer}).one()
    if not held.identity and not (held.password and entry.current().password):
        raise Conflict(
            "This is the only way in that you have. Ask an administrator to take it off, or for a password first.",
            code="only_way",
        )


def teams_of(pairs: Iterable[Pair]) -> set[str]:
    """The teams in which these roles are held."""
    return {team for _, team in pairs if team != "*"}


_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def address_of(claims: Mapping[str, Any]) -> str:
    """The address in small letters. Only A to Z are made small: the Kelvin sign would become a k, and the address somebody else's."""
    return str(claims.get("email", "")).strip(" ").translate(_SMALL)[:300]


def name_of(claims: Mapping[str, Any]) -> str:
    """The name as it may be shown; empty if the provider tells none."""
    shown = " ".join(str(claims.get("name", "")).split())[:200]
    return shown if shown.isprintable() else ""


def _changing(actor: Actor, person_id: str) -> AbstractContextManager[Connection]:
    """The transaction in which rights change; who manages people may change others, everybody themselves."""
    return authority.changing(persons.COMMAND_LINE if person_id == actor.id else actor)


def _note(
    connection: Connection,
    by: Actor,
    person_id: str,
    change: str,
    roles: frozenset[Pair],
    issuer: str,
    subject: str,
) -> None:
    opened = {"person": person_id, "change": change, "roles": pair_words(roles)}
    persons.note_configuration(
        by, "identity_linked", person_id, opened, {"issuer": issuer, "subject": subject}, connection
    )


def _linked() -> Conflict:
    return Conflict("That account of the identity provider belongs to somebody here already.", code="linked")


def _content(account: Account) -> dict[str, str]:
    return {name: getattr(account, name) for name in Account.__slots__}


def _refused(person_id: str) -> str:
    return f"refused of {person_id}"
