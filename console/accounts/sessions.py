"""Signing in and out. A session is a row here; the browser holds a random token, the row only its hash."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from console import log, subjects
from console.accounts import passwords, persons, throttle
from console.accounts.throttle import Limit
from console.core.actor import Actor
from console.db import engine as db
from console.db.ids import new_id

IDLE, WHOLE = "30 minutes", "12 hours"
PER_PAIR, PER_ACCOUNT, PER_ADDRESS = 5, 20, 50
STRANGER = Actor("system", "sys_sign_in", "Sign-in", session=new_id("sys:signin").replace("sys:signin_", "sys:signin-"))
"""Who failed sign-ins are noted for: nobody yet. Their chain is of this process."""


class _Found(NamedTuple):
    """What `_SESSION` answers: the session, its person, and whether it is to be noted that they are there."""

    session: str
    id: str
    email: str
    name: str
    tags: Any
    locale: str
    zone: str
    quiet: bool
    teams: Sequence[str]


_SESSION = f"""
select s.id, p.id, p.email, p.name, p.tags, p.locale, p.zone, s.seen_at < now() - interval '1 minute',
       (select coalesce(array_agg(t.team order by t.team), '{{}}') from console.person_team t where t.person = p.id)
from console.session s join console.person p on p.id = s.person
where s.token_hash = %s and s.ended_at is null and p.disabled_at is null
  and s.seen_at > now() - interval '{IDLE}' and s.created_at > now() - interval '{WHOLE}'
"""  # noqa: S608 - constants of this file
_ACCOUNT = sa.text(
    "select p.id, p.password_hash, p.disabled_at, exists (select from console.session s where s.person = p.id and s.ip = :ip"
    " and s.created_at > now() - interval '30 days') as known_here from console.person p where p.email = :email"
)


def sign_in(email: str, password: str, ip: str, agent: str) -> str | None:
    """The token of a new session, or None: a wrong password, an unknown address, a closed account, or too many attempts.

    Who is refused is not told which. Each attempt is an event.
    """
    address = email.strip().lower()
    if not persons.EMAIL.fullmatch(address) or len(address) > 254 or len(password) > passwords.LONGEST:
        _refuse("malformed", None, address[:254].replace("\0", ""), ip, agent)
        return None
    with db.hot_engine().connect() as connection:
        account = connection.execute(_ACCOUNT, {"email": address, "ip": ip}).one_or_none()
    person_id = None if account is None else account.id
    limits = [Limit("pair", f"{address}\n{ip}", PER_PAIR), Limit("address", ip, PER_ADDRESS)]
    if account is None or not account.known_here:  # strangers' failures do not slow down who signs in from where they always do
        limits.append(Limit("account", address, PER_ACCOUNT))
    if not throttle.take(limits):
        _refuse("throttled", person_id, address, ip, agent)
        return None
    good = passwords.matches(None if account is None else account.password_hash, password)
    if account is None or not good:
        _refuse("unknown" if account is None else "password", person_id, address, ip, agent)
        return None
    if account.disabled_at is not None:
        _refuse("closed", person_id, address, ip, agent)
        return None
    throttle.give_back(limits)
    return _opened(account, password, ip, agent)


def sign_out(token: str) -> None:
    """End the session of this token on the server: a copy of its cookie opens nothing. Unknown tokens are passed over."""
    actor = actor_of_session(token)
    with db.hot_engine().connect() as connection:
        ended = connection.execute(
            sa.text("update console.session set ended_at = now() where token_hash = :hash and ended_at is null"), {"hash": _hash(token)}
        )
    if actor is not None and ended.rowcount:
        log.note(actor, "signed_out", open={"person": actor.id, "session": actor.session, "reason": "asked"})


def actor_of_session(token: str) -> Actor | None:
    """Who signed in with this token; None once the session has ended, was idle for 30 minutes or is 12 hours old."""
    found = db.fetch(_SESSION, (_hash(token),))
    if not found:
        return None
    row = _Found(*found[0])
    if row.quiet:
        db.fetch("update console.session set seen_at = now() where id = %s returning id", (row.session,))
    return persons.actor(row, kind="user", session=row.session)


def _opened(account: Any, password: str, ip: str, agent: str) -> str:
    """A session that counts from the moment at which its event is in the log: without the event there is none."""
    token, session = secrets.token_urlsafe(32), new_id("ses")
    rehashed = passwords.hashed(password) if passwords.outdated(account.password_hash) else None
    with db.transaction() as connection:
        if rehashed:
            connection.execute(
                sa.text("update console.person set password_hash = :hash where id = :id"), {"hash": rehashed, "id": account.id}
            )
        connection.execute(
            sa.text("insert into console.session (id, token_hash, person, ip, agent) values (:id, :hash, :person, :ip, :agent)"),
            {"id": session, "hash": _hash(token), "person": account.id, "ip": ip, "agent": agent[:400]},
        )
        actor = persons.actor_of_person(account.id, session)
        log.note(
            actor,
            "signed_in",
            open={"person": account.id, "session": session, "method": "password"},
            sealed={"ip": ip, "agent": agent[:400]},
        )
    return token


def _refuse(reason: str, person_id: str | None, address: str, ip: str, agent: str) -> None:
    log.note(
        STRANGER,
        "sign_in_failed",
        open={"person": person_id, "reason": reason},
        sealed={"email": address, "ip": ip, "agent": agent[:400]},
        subject=subjects.of("person", person_id or STRANGER.id),
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
