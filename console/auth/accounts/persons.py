"""People, their teams and roles."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.auth import access
from console.auth.accounts import authority, passwords
from console.core.actor import COMMAND_LINE, Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.core.plain_words import unaccented
from console.infra import subjects
from console.infra.db import engine as db
from console.infra.db.ids import new_id

EMAIL = re.compile(r"[^\s@\x00-\x1f]{1,64}@[^\s@\x00-\x1f]+\.[^\s@\x00-\x1f]+")
TEAM = re.compile(r"[a-z][a-z0-9_-]{0,62}")
"""The actor for somebody at the command line. It has no rights; its callers check none."""

_PEOPLE = """
select p.id, coalesce(p.email, '') as email, p.name, p.tags, p.locale, p.zone, p.disabled_at, p.removed_at, p.created_at, p.kind,
       (select coalesce(array_agg(t.team order by t.team), '{}') from console.person_team t where t.person = p.id) as teams
from console.person p
"""
_PERSON = sa.text(_PEOPLE + " where p.id = :id")
BY_EMAIL = sa.text(_PEOPLE + " where p.email = :email")
END_SESSIONS = sa.text("update console.session set ended_at = now() where person = :id and ended_at is null")
_JOIN = sa.text(
    "insert into console.person_team (person, team, by_group) select :person, team, :by_group from unnest(cast(:teams as text[])) team"
    " on conflict do nothing"
)
_EVERYBODY = sa.text(_PEOPLE + " order by p.name, p.id")


class _Row(NamedTuple):
    """A row of `_PEOPLE`."""

    id: str
    email: str
    name: str
    tags: Any
    locale: str
    zone: str
    disabled_at: datetime | None
    removed_at: datetime | None
    created_at: datetime
    kind: str
    teams: Sequence[str]


@dataclass(frozen=True, slots=True)
class Person:
    """A person with a present or former account, or a service account (`kind`). `roles` are pairs of role and team id, `*` for every team; a removed person has no address."""

    id: str
    email: str
    name: str
    teams: tuple[str, ...]
    roles: frozenset[tuple[str, str]]
    disabled: bool
    removed: bool = False
    tags: Mapping[str, Any] = field(default_factory=dict, hash=False)
    locale: str = "en"
    zone: str = "UTC"
    created_at: datetime | None = None
    kind: str = "person"

    @property
    def service(self) -> bool:
        """Whether nobody signs in to it."""
        return self.kind == "service"

    @property
    def state(self) -> str:
        """`active`, `disabled` or `removed`."""
        return "removed" if self.removed else "disabled" if self.disabled else "active"


@dataclass(frozen=True, slots=True)
class Team:
    """A team. `lead` is a person's id; archived teams are kept for past work. `second_person`: publishing its workflows needs one."""

    id: str
    name: str
    description: str = ""
    lead: str | None = None
    archived: bool = False
    second_person: bool = False


@dataclass(frozen=True, slots=True)
class Created:
    """A new person, with the password that is shown once."""

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
    zone: str = "UTC",
    by: Actor = COMMAND_LINE,
) -> Created:
    """Create a person with a role in a team; `also` are further pairs of role and team. A missing team is created.

    Roles held in every team (auditor, developer, admin) are given in all; the team is then only where the person belongs.
    Without `password` one is generated. Raises `Invalid` with a detail per field, `Conflict` if the address is taken, `NotAllowed`.
    """
    address, home = email.strip().lower(), team_id(team)
    given = [(role, home), *((other, team_id(place)) for other, place in also)]
    chosen = passwords.generated() if password is None else password
    _refuse_bad(address, name, chosen, [role for role, _ in given])
    person_id, shown = new_id("usr"), name.strip() or address.partition("@")[0].replace(".", " ").title()
    stored = passwords.hash_password(chosen)
    roles = [(given_role, "*" if given_role in access.EVERYWHERE else place) for given_role, place in given]
    row = {
        "id": person_id,
        "email": address,
        "name": shown,
        "hash": stored,
        "tags": dict(tags or {}),
        "locale": "en",
        "zone": zone,
    }
    with authority.changing(by) as connection:
        authority.require_give(by, roles)
        make_team(connection, home, team)
        insert_person(connection, row, roles, [home], by)
    return Created(person(person_id), chosen)


def insert_person(
    connection: Connection,
    row: Mapping[str, Any],
    roles: Sequence[tuple[str, str]],
    teams: Sequence[str],
    by: Actor,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Insert a person (`id, email, name, hash, tags, locale, zone`, for a service account `kind`) with roles and existing teams, then the event with `more`.

    Raises `Conflict` if the address is taken.
    """
    if not connection.execute(_INSERT, {"kind": "person", **row}).rowcount:
        raise Conflict(
            f"Somebody signs in as {row['email']} already.", code="email_taken", at=("email", "is taken")
        )
    join_teams(connection, row["id"], teams)
    source = access.INVITATION if "invitation" in (more or {}) else access.HAND
    access.assign(
        row["id"],
        roles,
        connection=connection,
        by=str((more or {}).get("invited_by") or by.id),
        source=source,
    )
    opened = {
        "person": row["id"],
        "roles": [f"{role}@{place}" for role, place in roles],
        "teams": list(teams),
        **(more or {}),
    }
    note_configuration(
        by, "person_created", row["id"], opened, {"name": row["name"], "email": row["email"]}, connection
    )


def join_teams(connection: Connection, person_id: str, teams: Iterable[str]) -> None:
    """Make these existing teams the person's teams."""
    parameters = {"person": person_id, "teams": list(teams)}
    connection.execute(
        sa.text("delete from console.person_team where person = :person and team <> all(:teams)"), parameters
    )
    connection.execute(_JOIN, parameters | {"by_group": False})


def join_teams_of_groups(
    connection: Connection, person_id: str, teams: Iterable[str], *, keep: Iterable[str]
) -> None:
    """Join the teams in which a group gives roles; of those joined so before, leave all but `keep`."""
    parameters = {"person": person_id, "keep": list(keep)}
    connection.execute(
        sa.text("delete from console.person_team where person = :person and by_group and team <> all(:keep)"),
        parameters,
    )
    connection.execute(_JOIN, {"person": person_id, "teams": list(teams), "by_group": True})


def forget_ways_in(connection: Connection, person_id: str) -> None:
    """Delete provider accounts, second factor and pending links of the person."""
    for table in ("identity", "second_factor", "recovery_code", "one_time"):
        connection.execute(sa.text(f"delete from console.{table} where person = :id"), {"id": person_id})  # noqa: S608 (names of this list)


def end_access(connection: Connection, person_id: str) -> None:
    """End sessions and keys of the person from the commit on."""
    connection.execute(END_SESSIONS, {"id": person_id})
    connection.execute(
        sa.text("update console.api_key set revoked_at = now() where person = :id and revoked_at is null"),
        {"id": person_id},
    )


def set_password(person_id: str, password: str | None = None) -> str:
    """Give the person a new password, generated if none is given, and end their sessions; returns the password, to be shown once.

    Raises `NotFound`, and `Invalid` for a password that is easy to guess.
    """
    known = person(person_id)
    require_person(known)
    chosen = passwords.generated() if password is None else password
    weak = passwords.weakness(chosen, email=known.email, name=known.name)
    if weak:
        raise Invalid(weak, at="password")
    stored = passwords.hash_password(chosen)
    with db.transaction() as connection:
        connection.execute(
            sa.text("update console.person set password_hash = :hash where id = :id"),
            {"id": person_id, "hash": stored},
        )
        connection.execute(END_SESSIONS, {"id": person_id})
        note_configuration(
            COMMAND_LINE, "person_changed", person_id, {"person": person_id, "fields": ["password"]}
        )
    return chosen


def require_person(known: Person) -> None:
    """Raise Conflict `service_account` for a service account: nobody signs in to one."""
    if known.service:
        raise Conflict(
            f"{known.email} is a service account: nobody signs in to it. Give it an API key instead.",
            code="service_account",
        )


def person(person_id: str) -> Person:
    """The person of this id. Raises `NotFound`."""
    return _read_person(_PERSON, id=person_id)


def person_of_email(email: str) -> Person:
    """The person who signs in with this address. Raises `NotFound`."""
    address = email.strip().lower()
    try:
        return _read_person(BY_EMAIL, email=address)
    except NotFound:
        raise NotFound(f"Nobody signs in as {address}.") from None


def people() -> list[Person]:
    """Everybody by name, including closed and removed accounts."""
    return [_person(row) for row in db.read_rows(_EVERYBODY)]


def teams() -> list[Team]:
    """All teams by name, including archived ones."""
    wanted = "select id, name, description, lead, archived_at is not null, second_person from console.team order by name, id"
    return [Team(*row) for row in db.fetch(wanted)]


def names(ids: Collection[str]) -> dict[str, str]:
    """Person id → name, for existing ids."""
    if not ids:
        return {}
    with db.hot_engine().connect() as connection:
        found = connection.execute(
            sa.text("select id, name from console.person where id = any(:ids)"), {"ids": list(ids)}
        )
        return {row.id: row.name for row in found}


class AccountNames(Mapping[str, str]):
    """Names of people by their e-mail address and by its first part, in small letters; read at the first question, in one statement.

    A first part that several addresses share names nobody.
    """

    @cached_property
    def _names(self) -> dict[str, str]:
        rows = db.read_rows(
            sa.text(
                "select lower(email) as email, name from console.person where removed_at is null limit 20000"
            )
        )
        first = Counter(row.email.partition("@")[0] for row in rows)
        short = {begins: row.name for row in rows if first[begins := row.email.partition("@")[0]] == 1}
        return short | {row.email: row.name for row in rows}

    def __getitem__(self, account: str) -> str:
        """The name. Raises KeyError."""
        return self._names[account]

    def __iter__(self) -> Iterator[str]:
        """The accounts."""
        return iter(self._names)

    def __len__(self) -> int:
        """The number of accounts."""
        return len(self._names)


def is_closed(person_id: str | None) -> bool:
    """Whether the person exists and their account is closed."""
    if person_id is None:
        return False
    return (
        db.read_value(
            sa.text("select disabled_at is not null from console.person where id = :id"),
            {"id": person_id},
        )
        is True
    )


def actor_of_person(person_id: str, session: str = "sys:engine") -> Actor:
    """The person as actor for the engine, with today's rights; `session` is the log chain for events outside runs.

    Raises `NotAllowed` if the account is closed or removed: nothing is done in this name any more.
    """
    found = db.fetch(f"{_PEOPLE} where p.id = %s", (person_id,))
    row = _Row(*found[0]) if found else None
    if row is None or row.disabled_at is not None:
        said = "The account of the person that this is done for is closed. Somebody else has to take over."
        if row is not None and row.kind == "service":
            said = f"The service account {row.name} is closed. Open it again under Settings, People, or name another account in the workflow."
        raise NotAllowed(said, code="account_closed")
    return actor(row, kind="user", session=session)


def actor(row: Any, *, kind: Any, session: str, key_id: str | None = None) -> Actor:
    """The actor from a row with a person's `id, name, email, tags, locale, zone, teams`."""
    roles = access.roles_of(row.id)
    if not roles:  # hardly anybody has none: another process made this person a moment ago, and the rights known here are older
        access.refresh()
        roles = access.roles_of(row.id)
    return Actor(
        kind=kind,
        id=row.id,
        name=row.name,
        email=row.email,
        session=session,
        teams=tuple(row.teams),
        roles=roles,
        tags=row.tags,
        locale=row.locale,
        zone=row.zone,
        key_id=key_id,
        clearance=access.clearance_of(row.id),
        policy=access.current_version(),
        service=getattr(row, "kind", "person") == "service",
    )


def search(text: str, limit: int) -> list[Actor]:
    """At most `limit` people with an active account whose name or address contains the text (empty: everybody), by name, as actors."""
    wanted = sa.text(
        _PEOPLE
        + " where p.disabled_at is null and p.kind = 'person' and (strpos(lower(p.name), lower(:text)) > 0 or strpos(lower(p.email), lower(:text)) > 0)"
        " order by p.name, p.id limit :limit"
    )
    rows = db.read_rows(wanted, {"text": text.replace("\x00", "").strip(), "limit": limit})
    return [actor(row, kind="user", session="sys:engine") for row in rows]


def note_configuration(
    by: Actor,
    kind: str,
    person_id: str,
    opened: Mapping[str, Any],
    sealed: Mapping[str, Any] | None = None,
    connection: Connection | None = None,
) -> None:
    """An event on the configuration chain, with sealed values under the person's key. Must be the last act of a transaction."""
    log.note(
        by,
        kind,
        open=opened,
        sealed=sealed,
        subject=subjects.subject_of("person", person_id),
        chain="sys:config",
        connection=connection,
    )


def team_id(name: str) -> str:
    """`financial_crime` for `Financial Crime`, `equipe` for `Équipe`. Raises `Invalid` if no usable character remains."""
    ident = re.sub(r"[^a-z0-9_-]+", "_", unaccented(name).strip().lower()).strip("_")
    if not TEAM.fullmatch(ident):
        raise Invalid(
            "A team is named with letters and digits.",
            at=("team", "takes letters, digits, - and _, a letter first"),
        )
    return ident


_INSERT = sa.text(
    "insert into console.person (id, email, name, password_hash, tags, locale, zone, kind) values (:id, :email, :name, :hash, :tags, :locale, :zone, :kind)"
    " on conflict (email) do nothing"
).bindparams(sa.bindparam("tags", type_=sa.JSON))


def _refuse_bad(address: str, name: str, password: str, roles: Sequence[str]) -> None:
    details = wrong_particulars(address, name)
    weak = passwords.weakness(password, email=address, name=name)
    if weak:
        details.append(("password", weak))
    details += unknown_roles(roles)
    if details:
        raise Invalid("This person cannot be entered.", details=details)


def wrong_particulars(address: str, name: str) -> list[tuple[str, str]]:
    """A detail for each of address and name that cannot be entered."""
    details = []
    if not EMAIL.fullmatch(address) or len(address) > 254:
        details.append(("email", "takes an e-mail address"))
    if len(name) > 200 or not name.isprintable():
        details.append(("name", "takes at most 200 printable characters"))
    return details


def unknown_roles(roles: Iterable[str]) -> list[tuple[str, str]]:
    """A detail for each role that the policy does not have."""
    known = authority.known_roles()
    return [
        ("role", f"there is no role {role!r}; there are {', '.join(known)}")
        for role in roles
        if role not in known
    ]


def make_team(connection: Connection, team: str, name: str) -> bool:
    """Make the team, unless there is one; its name is made of its id where that is all that is known. Returns whether it was made."""
    shown = name.strip() if name.strip() != team else team.replace("_", " ").replace("-", " ").title()
    made = sa.text("insert into console.team (id, name) values (:id, :name) on conflict do nothing")
    return bool(connection.execute(made, {"id": team, "name": shown}).rowcount)


def _read_person(statement: sa.TextClause, **values: str) -> Person:
    row = db.read_row(statement, {name: value.replace("\0", "") for name, value in values.items()})
    if row is None:
        raise NotFound
    return _person(row)


def _person(row: Any) -> Person:
    return Person(
        row.id,
        row.email,
        row.name,
        tuple(row.teams),
        access.roles_of(row.id),
        row.disabled_at is not None,
        row.removed_at is not None,
        row.tags,
        row.locale,
        row.zone,
        row.created_at,
        row.kind,
    )
