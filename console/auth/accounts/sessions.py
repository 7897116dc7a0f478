"""Sessions: each is a row; the browser has a random token, the row only its hash.

The token is replaced when somebody signs in, confirms their identity or gets other roles. In the last case the old token works for a few more
seconds, for requests under way.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from console import log
from console.auth import access
from console.auth.accounts import authority, entry, factors, persons
from console.auth.accounts.provider_logouts import Logout
from console.core.actor import Actor
from console.core.errors import NotAllowed, NotFound
from console.infra.db import engine as db
from console.infra.db.ids import new_id

Method = Literal["password", "password+totp", "password+recovery_code", "oidc"]
OVERLAP = "20 seconds"
LONGEST_AGENT = 400


class _Found(NamedTuple):
    """The result of `_SESSION`: the session, its person, and what follows from its age."""

    session: str
    id: str
    email: str
    name: str
    tags: Any
    locale: str
    zone: str
    quiet: bool
    teams: Sequence[str]
    method: str
    held: str | None
    former: bool
    factor: bool
    idle_left: float
    whole_left: float


_SESSION = """
select s.id, p.id, p.email, p.name, p.tags, p.locale, p.zone, s.seen_at < now() - least(interval '1 minute', %(idle)s::interval / 20),
       (select coalesce(array_agg(t.team order by t.team), '{}') from console.person_team t where t.person = p.id),
       s.method, s.roles, s.token_hash <> %(token)s, exists (select from console.second_factor f where f.person = p.id),
       extract(epoch from s.seen_at + %(idle)s::interval - now())::float, extract(epoch from s.created_at + %(whole)s::interval - now())::float
from console.session s join console.person p on p.id = s.person
where (s.token_hash = %(token)s or (s.former_hash = %(token)s and s.former_until > now())) and s.ended_at is null and p.disabled_at is null
  and s.seen_at > now() - %(idle)s::interval and s.created_at > now() - %(whole)s::interval
"""


_AT_PROVIDER = sa.text(
    "select s.id, s.person from console.session s join console.identity i on i.id = s.identity where s.ended_at is null and i.issuer = :issuer"
    " and (cast(:subject as text) is null or i.subject = :subject) and (cast(:session as text) is null or s.provider_session = :session)"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A session now: its person, whether they must first set up a second factor, whether it needs a new token, how it was opened, and how long
    it lasts (`left_s` if idle, `most_s` at most).
    """

    actor: Actor
    must_enrol: bool
    stale: bool
    left_s: int
    most_s: int
    method: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its owner sees it in a list. `own`: the present one."""

    id: str
    since: datetime
    seen_at: datetime
    ip: str
    agent: str
    method: str
    own: bool


def session_of(token: str, *, background: bool = False) -> Standing | None:
    """The session of this token; None if it has ended, was idle for too long or is too old. `background` requests do not count as activity."""
    rules = entry.current()
    idle, whole = f"{rules.idle_minutes} minutes", f"{rules.whole_minutes} minutes"
    found = db.fetch(_SESSION, {"token": _hash(token), "idle": idle, "whole": whole})
    if not found:
        return None
    row = _Found(*found[0])
    idle_left = row.idle_left
    if row.quiet and not background:
        db.fetch("update console.session set seen_at = now() where id = %s returning id", (row.session,))
        idle_left = rules.idle_minutes * 60
    actor = persons.actor(row, kind="user", session=row.session)
    return Standing(
        actor=actor,
        must_enrol=row.method.startswith("password") and not row.factor and factors.must_have(actor),
        stale=row.held != _roles(actor) and not row.former,
        left_s=int(min(idle_left, row.whole_left)),
        most_s=int(row.whole_left),
        method=row.method,
    )


def open_session(
    person_id: str,
    method: Method,
    ip: str,
    agent: str,
    connection: sa.Connection,
    *,
    identity: str | None = None,
    provider_session: str | None = None,
    proved_at: float | None = None,
) -> str:
    """The token of a new session, in the caller's transaction. It is valid once its event is in the log.

    `identity`: the id of the identity that opens it, in `provider_session` of the provider. `proved_at`: when the provider asked who it is, in seconds since 1970; None: not lately.
    """
    token, session = secrets.token_urlsafe(32), new_id("ses")
    actor = persons.actor_of_person(person_id, session)
    if actor.service:
        raise NotAllowed("Nobody signs in to a service account.", code="service_account")
    values = {
        "id": session,
        "hash": _hash(token),
        "person": person_id,
        "ip": ip,
        "agent": agent[:LONGEST_AGENT],
    }
    connection.execute(
        sa.text(
            "insert into console.session (id, token_hash, person, ip, agent, method, roles, identity, provider_session, proved_at) values (:id, :hash, :person, :ip,"
            " :agent, :method, :roles, :identity, :provider_session, case when cast(:identity as text) is null then now() else to_timestamp(coalesce(cast(:proved_at as double precision), 0)) end)"
        ),
        values
        | {
            "method": method,
            "roles": _roles(actor),
            "identity": identity,
            "provider_session": provider_session,
            "proved_at": proved_at,
        },
    )
    data = {"person": person_id, "session": session, "method": method}
    log.note(actor, "signed_in", open=data, sealed={"ip": ip, "agent": agent[:LONGEST_AGENT]})
    return token


def renewed(token: str, *, proved: bool = False, proved_at: float | None = None) -> str | None:
    """A new token for this session; None if another request was first. `proved`: the owner has just confirmed their identity, at the provider
    at `proved_at` (seconds since 1970), so the old token ends at once; otherwise it works for a few more seconds.
    """
    new = secrets.token_urlsafe(32)
    former = (
        "null, former_until = null, proved_at = coalesce(to_timestamp(cast(:proved_at as double precision)), now())"
        if proved
        else f"token_hash, former_until = now() + interval '{OVERLAP}'"
    )
    found = session_of(token, background=True)
    if found is None:
        return None
    statement = sa.text(
        f"update console.session set token_hash = :new, roles = :roles, former_hash = {former} where token_hash = :old and ended_at is null"  # noqa: S608 - constants
    )
    with db.hot_engine().connect() as connection:
        parameters = {"new": _hash(new), "old": _hash(token), "roles": _roles(found.actor)} | (
            {"proved_at": proved_at} if proved else {}
        )
        changed = connection.execute(statement, parameters)
    return new if changed.rowcount else None


def sign_out(token: str) -> None:
    """End the session of this token on the server, so that a copied cookie is useless. Unknown tokens are ignored."""
    found = session_of(token, background=True)
    if found is not None:
        _end(found.actor, found.actor.id, "id = :id", "asked", id=found.actor.session)


def sessions_of(actor: Actor) -> list[Session]:
    """The actor's open sessions, last seen first."""
    return _listed(actor, actor.id)


def sessions_of_person(actor: Actor, person_id: str) -> list[Session]:
    """A person's open sessions, for those who manage people. Raises `NotAllowed`."""
    access.require(actor, None, "user", "manage")
    return _listed(actor, person_id)


def last_visit(actor: Actor) -> datetime | None:
    """When the actor was last seen in another session than this one; None if in none."""
    seen = "select max(seen_at) from console.session where person = :person and id <> :session"
    last: datetime | None = db.read_value(sa.text(seen), {"person": actor.id, "session": actor.session})
    return last


def _listed(actor: Actor, person_id: str) -> list[Session]:
    rules = entry.current()
    statement = sa.text(
        "select id, created_at, seen_at, coalesce(ip, '') as ip, coalesce(agent, '') as agent, method from console.session"
        " where person = :person and ended_at is null and seen_at > now() - cast(:idle as interval) and created_at > now() - cast(:whole as interval)"
        " order by seen_at desc, id desc"
    )
    parameters = {
        "person": person_id,
        "idle": f"{rules.idle_minutes} minutes",
        "whole": f"{rules.whole_minutes} minutes",
    }
    rows = db.read_rows(statement, parameters)
    return [
        Session(
            row.id, row.created_at, row.seen_at, row.ip, row.agent, row.method, own=row.id == actor.session
        )
        for row in rows
    ]


def end_session(actor: Actor, session_id: str) -> None:
    """End one of the actor's sessions. Raises `NotFound` if it is not theirs or has ended."""
    if not _end(actor, actor.id, "id = :id", "ended", id=session_id):
        raise NotFound


def end_others(actor: Actor) -> int:
    """End all other sessions of the actor; returns how many."""
    return _end(actor, actor.id, "id <> :id", "ended", id=actor.session)


def end_all(actor: Actor, person_id: str) -> int:
    """End every session of a person; returns how many. Raises `NotAllowed`."""
    access.require(actor, None, "user", "manage")
    authority.require_over_now(actor, person_id)
    return _end(actor, person_id, "true", "ended_by_admin")


def end_of_person(actor: Actor, person_id: str, session_id: str) -> None:
    """End one session of another person. Raises `NotAllowed`, and `NotFound` if it is not theirs or has ended."""
    access.require(actor, None, "user", "manage")
    authority.require_over_now(actor, person_id)
    if not _end(actor, person_id, "id = :id", "ended_by_admin", id=session_id.replace("\0", "")):
        raise NotFound


def end_of_identity(connection: sa.Connection, by: Actor, person_id: str, identity_id: str) -> int:
    """End the sessions that this identity of the person opened, in the caller's transaction; returns how many.

    Those of which it is not known which identity opened them end too.
    """
    return _end_in(
        connection,
        by,
        person_id,
        "method = 'oidc' and coalesce(identity, :identity) = :identity",
        "unlinked",
        identity=identity_id,
    )


def end_at_provider(by: Actor, logout: Logout) -> int:
    """End the sessions that the provider says have ended there; returns how many."""
    parameters = {"issuer": logout.issuer, "subject": logout.subject, "session": logout.session}
    with db.transaction() as connection:
        people = connection.execute(_AT_PROVIDER, parameters).all()
        return sum(
            _end_in(connection, by, row.person, "id = :id", "at_provider", id=row.id) for row in people
        )


def _end(by: Actor, person_id: str, which: str, reason: str, **parameters: str) -> int:
    with db.transaction() as connection:
        return _end_in(connection, by, person_id, which, reason, **parameters)


def _end_in(
    connection: sa.Connection, by: Actor, person_id: str, which: str, reason: str, **parameters: str
) -> int:
    statement = sa.text(
        f"update console.session set ended_at = now() where person = :person and ended_at is null and {which} returning id"  # noqa: S608 - constants
    )
    ended = list(connection.execute(statement, {"person": person_id} | parameters).scalars())
    for session in ended:
        log.note(
            by,
            "signed_out",
            open={"person": person_id, "session": session, "reason": reason},
            connection=connection,
        )
    return len(ended)


def _roles(actor: Actor) -> str:
    roles = "\n".join(sorted(f"{role}@{team}" for role, team in actor.roles))
    return hashlib.sha256(roles.encode()).hexdigest()[:32]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
