"""People, their teams and roles."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import access, log, subjects
from console.accounts import passwords
from console.core.actor import Actor
from console.db import engine as db
from console.db.ids import new_id
from console.errors import Conflict, Invalid, NotAllowed, NotFound

EMAIL = re.compile(r"[^\s@\x00-\x1f]{1,64}@[^\s@\x00-\x1f]+\.[^\s@\x00-\x1f]+")
TEAM = re.compile(r"[a-z][a-z0-9_-]{0,62}")
COMMAND_LINE = Actor("system", "sys_cli", "Command line", session="sys:config")
"""Who acts for somebody with the shell of the machine; it has no rights, and needs none where nothing is judged."""

_PEOPLE = """
select p.id, p.email, p.name, p.tags, p.locale, p.zone, p.disabled_at,
       (select coalesce(array_agg(t.team order by t.team), '{}') from console.person_team t where t.person = p.id) as teams
from console.person p
"""
_PERSON = sa.text(_PEOPLE + " where p.id = :id")
_BY_EMAIL = sa.text(_PEOPLE + " where p.email = :email")
_END_SESSIONS = sa.text("update console.session set ended_at = now() where person = :id and ended_at is null")
_EVERYBODY = sa.text(_PEOPLE + " order by p.name, p.id")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in. `roles` are pairs of role and team id, `*` for every team."""

    id: str
    email: str
    name: str
    teams: tuple[str, ...]
    roles: frozenset[tuple[str, str]]
    disabled: bool


@dataclass(frozen=True, slots=True)
class Team:
    """Whom one works with."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Created:
    """A new person, and the password that is said once."""

    person: Person
    password: str


def create_person(
    email: str,
    *,
    role: str,
    team: str,
    name: str = "",
    password: str | None = None,
    also: Iterable[tuple[str, str]] = (),
    tags: Mapping[str, Any] | None = None,
    locale: str = "en",
    zone: str = "UTC",
    by: Actor = COMMAND_LINE,
) -> Created:
    """Somebody new with a role in a team, and `also` further pairs of role and team; a team that is not there is made.

    Roles that are held in every team (auditor, developer, admin) are given everywhere, the team is then only where the person belongs.
    Without `password` one is generated. Raises `Invalid` with a detail per field, `Conflict` when the address is taken.
    """
    address, home = email.strip().lower(), team_id(team)
    given = [(role, home), *((other, team_id(place)) for other, place in also)]
    chosen = passwords.generated() if password is None else password
    _refuse_bad(address, name, chosen, [role for role, _ in given])
    person_id, shown = new_id("usr"), name.strip() or address.partition("@")[0].replace(".", " ").title()
    stored = passwords.hashed(chosen)
    with db.transaction() as connection:
        values = {
            "id": person_id,
            "email": address,
            "name": shown,
            "hash": stored,
            "tags": dict(tags or {}),
            "locale": locale,
            "zone": zone,
        }
        if not connection.execute(_INSERT, values).rowcount:
            raise Conflict(
                f"Somebody signs in as {address} already.", code="email_taken", details=[{"field": "email", "reason": "is taken"}]
            )
        _join(connection, person_id, home, team)
        roles = [(given_role, "*" if given_role in access.EVERYWHERE else place) for given_role, place in given]
        access.assign(person_id, roles, connection=connection)
        opened = {"person": person_id, "roles": [f"{given_role}@{place}" for given_role, place in roles], "teams": [home]}
        note_configuration(by, "person_created", person_id, opened, {"name": shown, "email": address})
    access.refresh()
    return Created(person(person_id), chosen)


def disable_person(person_id: str, *, by: Actor = COMMAND_LINE) -> None:
    """Close an account: its sessions end now, its keys open nothing any more. What the person did stays theirs.

    Raises `NotFound`, and `NotAllowed` for oneself and for the last admin, after whom nobody could give rights.
    """
    if person_id == by.id:
        raise NotAllowed("Nobody closes their own account: ask another admin.", code="own_account", need=("user", "manage"))
    with db.transaction() as connection:
        connection.execute(
            sa.text("select number from console.version where name = 'policy' for update")
        )  # two admins must not close each other's
        admins = access.holders("admin")
        closed = connection.execute(
            sa.text("select id from console.person where id = any(:ids) and disabled_at is not null"), {"ids": list(admins)}
        )
        if admins - set(closed.scalars()) == {person_id}:
            raise NotAllowed("This is the last admin: make another one first.", code="last_admin", need=("user", "manage"))
        if not connection.execute(
            sa.text("update console.person set disabled_at = coalesce(disabled_at, now()) where id = :id"), {"id": person_id}
        ).rowcount:
            raise NotFound
        connection.execute(_END_SESSIONS, {"id": person_id})
        connection.execute(
            sa.text("update console.api_key set revoked_at = now() where person = :id and revoked_at is null"), {"id": person_id}
        )
        note_configuration(by, "person_changed", person_id, {"person": person_id, "fields": ["disabled"], "disabled": True})


def set_password(person_id: str, password: str | None = None, *, by: Actor = COMMAND_LINE) -> str:
    """Give the person a new password, generated where none is given, and end their sessions; the password, to be said once.

    Raises `NotFound`, and `Invalid` for a password that is easily guessed.
    """
    known = person(person_id)
    chosen = passwords.generated() if password is None else password
    weak = passwords.weakness(chosen, email=known.email, name=known.name)
    if weak:
        raise Invalid(weak, details=[{"field": "password", "reason": weak}])
    stored = passwords.hashed(chosen)
    with db.transaction() as connection:
        connection.execute(sa.text("update console.person set password_hash = :hash where id = :id"), {"id": person_id, "hash": stored})
        connection.execute(_END_SESSIONS, {"id": person_id})
        note_configuration(by, "person_changed", person_id, {"person": person_id, "fields": ["password"]})
    return chosen


def person(person_id: str) -> Person:
    """The person of this id. Raises `NotFound`."""
    return _one(_PERSON, id=person_id)


def person_of_email(email: str) -> Person:
    """The person who signs in with this address. Raises `NotFound` that names it."""
    address = email.strip().lower()
    try:
        return _one(_BY_EMAIL, email=address)
    except NotFound:
        raise NotFound(f"Nobody signs in as {address}.") from None


def people() -> list[Person]:
    """Everybody, closed accounts too, by name."""
    with db.hot_engine().connect() as connection:
        return [_person(row) for row in connection.execute(_EVERYBODY)]


def teams() -> list[Team]:
    """All teams, by name."""
    with db.hot_engine().connect() as connection:
        return [Team(*row) for row in connection.execute(sa.text("select id, name from console.team order by name, id"))]


def names(ids: Collection[str]) -> dict[str, str]:
    """Person id → name, of those that exist."""
    if not ids:
        return {}
    with db.hot_engine().connect() as connection:
        found = connection.execute(sa.text("select id, name from console.person where id = any(:ids)"), {"ids": list(ids)})
        return {row.id: row.name for row in found}


def actor_of_person(person_id: str, session: str = "sys:engine") -> Actor:
    """The person as the engine acts for them, with today's rights; `session` is the chain of what is noted outside runs.

    Raises `NotAllowed` where the account is closed or gone: nothing is done any more in this name.
    """
    with db.hot_engine().connect() as connection:
        row = connection.execute(_PERSON, {"id": person_id}).one_or_none()
    if row is None or row.disabled_at is not None:
        raise NotAllowed(
            "The account of the person that this is done for is closed. Somebody else has to take over.", code="account_closed"
        )
    return actor(row, kind="user", session=session)


def actor(row: Any, *, kind: Any, session: str, key_id: str | None = None) -> Actor:
    """The actor of a row with a person's `id, name, email, tags, locale, zone, teams`."""
    return Actor(
        kind=kind,
        id=row.id,
        name=row.name,
        email=row.email,
        session=session,
        teams=tuple(row.teams),
        roles=access.roles_of(row.id),
        tags=row.tags,
        locale=row.locale,
        zone=row.zone,
        key_id=key_id,
        policy=access.current_version(),
    )


def note_configuration(by: Actor, kind: str, person_id: str, opened: Mapping[str, Any], sealed: Mapping[str, Any] | None = None) -> None:
    """An event on the chain of the configuration, its sealed values under the key of the person it is about."""
    log.note(by, kind, open=opened, sealed=sealed, subject=subjects.of("person", person_id), chain="sys:config")


def team_id(name: str) -> str:
    """`financial_crime` of `Financial Crime`. Raises `Invalid` where nothing usable is left."""
    ident = re.sub(r"[^a-z0-9_-]+", "_", name.strip().lower()).strip("_")
    if not TEAM.fullmatch(ident):
        raise Invalid(
            "A team is named with letters and digits.",
            details=[{"field": "team", "reason": "takes letters, digits, - and _, a letter first"}],
        )
    return ident


_INSERT = sa.text(
    "insert into console.person (id, email, name, password_hash, tags, locale, zone) values (:id, :email, :name, :hash, :tags, :locale, :zone)"
    " on conflict (email) do nothing"
).bindparams(sa.bindparam("tags", type_=sa.JSON))


def _refuse_bad(address: str, name: str, password: str, roles: Sequence[str]) -> None:
    details = []
    if not EMAIL.fullmatch(address) or len(address) > 254:
        details.append({"field": "email", "reason": "takes an e-mail address"})
    if len(name) > 200 or not name.isprintable():
        details.append({"field": "name", "reason": "takes at most 200 printable characters"})
    weak = passwords.weakness(password, email=address, name=name)
    if weak:
        details.append({"field": "password", "reason": weak})
    known = sorted({row.sub.removeprefix("role:") for row in access.all_rows() if row.sub.startswith("role:")})
    details += [
        {"field": "role", "reason": f"there is no role {role!r}; there are {', '.join(known)}"} for role in roles if role not in known
    ]
    if details:
        raise Invalid("This person cannot be entered.", details=details)


def _join(connection: Connection, person_id: str, team: str, name: str) -> None:
    shown = name.strip() if name.strip() != team else team.replace("_", " ").replace("-", " ").title()
    connection.execute(
        sa.text("insert into console.team (id, name) values (:id, :name) on conflict do nothing"), {"id": team, "name": shown}
    )
    connection.execute(
        sa.text("insert into console.person_team (person, team) values (:person, :team)"), {"person": person_id, "team": team}
    )


def _one(statement: sa.TextClause, **values: str) -> Person:
    with db.hot_engine().connect() as connection:
        row = connection.execute(statement, values).one_or_none()
    if row is None:
        raise NotFound
    return _person(row)


def _person(row: Any) -> Person:
    return Person(row.id, row.email, row.name, tuple(row.teams), access.roles_of(row.id), row.disabled_at is not None)
