"""Invitations: a link by which one person creates their account, once, within seven days. Only its hash is stored.

An invalid link gets the same answer whatever the reason. The sender's rights are checked again when it is accepted, so an invitation ends
with the rights of its sender.
"""

import hashlib
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.auth import access
from console.auth.accounts import authority, one_time, passwords, person_changes, persons, throttle
from console.auth.accounts.authority import Pair
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, IntegrationError, Invalid, NotFound, OutcomeUnknown
from console.infra import branding, settings
from console.infra.db import engine as db
from console.infra.db.ids import new_id
from console.infra.outbound import mail

LASTS = timedelta(days=7)
FREE_MISSES = 20
LONGEST_TOKEN = 100
GONE = (
    "This link opens nothing, or nothing any more: an invitation works once and for seven days. Ask whoever invited you for a new one."
    " If you have entered your account already, sign in."
)

_log = logging.getLogger(__name__)
_COLUMNS = "id, person, email, roles, teams, invited_by, created_at, expires_at, mail"
_ONE = sa.text(f"select {_COLUMNS} from console.invitation where id = :id")  # noqa: S608 (names of this file)
_BY_TOKEN = sa.text(f"select {_COLUMNS} from console.invitation where token = :token and expires_at > now()")  # noqa: S608 (as above)
_TAKE = sa.text(
    f"delete from console.invitation where token = :token and expires_at > now() returning {_COLUMNS}"  # noqa: S608 (as above)
)
_OF_EMAIL = sa.text(
    f"select {_COLUMNS} from console.invitation where email = :email and expires_at > now() for update"  # noqa: S608 (as above)
)
_TAKEN = sa.text("select exists (select from console.person where email = :email)")
_INVITER = sa.text("select disabled_at is null from console.person where id = :id")
_INSERT = sa.text(
    "insert into console.invitation (id, person, email, roles, teams, token, invited_by, expires_at)"
    " values (:id, :person, :email, :roles, :teams, :token, :by, now() + :lasts) on conflict (email) do nothing returning expires_at"
).bindparams(sa.bindparam("roles", type_=sa.JSON), sa.bindparam("teams", type_=sa.JSON))
_AGAIN = sa.text(
    "update console.invitation set token = :token, invited_by = :by, mail = 'none', created_at = now(), expires_at = now() + :lasts"
    " where id = :id returning expires_at"
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A pending invitation. `person` is the id of the future account; `mail` the delivery: none, sent, failed, unknown."""

    id: str
    person: str
    email: str
    roles: frozenset[Pair]
    teams: tuple[str, ...]
    invited_by: str
    created_at: datetime
    expires_at: datetime
    mail: str

    @property
    def expired(self) -> bool:
        """Whether its link no longer works."""
        return self.expires_at <= log.now()


@dataclass(frozen=True, slots=True)
class Sent:
    """A new invitation. `path` is the secret part of its link, shown once if no mail was sent; `trouble` says why not, `unsure`: it may have been."""

    id: str
    email: str
    path: str
    mailed: bool
    expires_at: datetime
    trouble: str = ""
    unsure: bool = False


def invite(actor: Actor, email: str, pairs: Iterable[Pair], teams: Iterable[str] = ()) -> Sent:
    """Invite somebody to an account with these roles; without `teams` into the teams of the roles. Sent by mail if a server is set.

    Raises NotAllowed, also for roles above one's own, Invalid with a detail per field, Conflict for an address that is taken or invited.
    """
    address, given = email.strip().lower(), list(pairs)
    roles = person_changes.place_everywhere(given)
    joined = sorted(set(teams) or {team for _, team in given if team})
    if not persons.EMAIL.fullmatch(address) or len(address) > 254:
        raise Invalid("This is no e-mail address.", at=("email", "takes an e-mail address"))
    if not roles:
        raise Invalid("An invitation gives a role.", at=("roles", "takes at least one role"))
    invitation, person, token = new_id("inv"), new_id("usr"), secrets.token_urlsafe(32)
    with authority.changing(actor) as connection:
        person_changes.check_places(connection, roles, joined)
        if not joined:
            raise Invalid("Everybody is in a team.", at=("teams", "takes at least one team"))
        authority.require_give(actor, roles)
        person_changes.require_teams(actor, joined)
        if connection.execute(_TAKEN, {"email": address}).scalar_one():
            raise _taken(f"Somebody signs in as {address} already.")
        values = {
            "id": invitation,
            "person": person,
            "email": address,
            "roles": person_changes.pair_words(roles),
            "teams": joined,
            "by": actor.id,
        }
        until = connection.execute(_INSERT, values | {"token": _hash(token), "lasts": LASTS}).scalar()
        if until is None:
            raise _taken(f"{address} is invited already: send that invitation again, or revoke it.")
        _note(actor, invitation, person, address, roles, joined, until, connection)
    return _delivered(actor, invitation, address, token, until)


def resend(actor: Actor, invitation_id: str) -> Sent:
    """Make a new link for seven days; the former one stops working. Raises NotAllowed, NotFound."""
    token = secrets.token_urlsafe(32)
    with authority.changing(actor) as connection:
        told = _read(connection, invitation_id)
        authority.require_give(actor, told.roles)
        person_changes.check_places(connection, told.roles, told.teams)
        until = connection.execute(
            _AGAIN, {"id": told.id, "token": _hash(token), "by": actor.id, "lasts": LASTS}
        ).scalar_one()
        _note(actor, told.id, told.person, told.email, told.roles, told.teams, until, connection, again=True)
    return _delivered(actor, told.id, told.email, token, until)


def revoke(actor: Actor, invitation_id: str) -> None:
    """Revoke the link and delete the address. Raises NotAllowed, NotFound."""
    with authority.changing(actor) as connection:
        told = _read(connection, invitation_id)
        authority.require_give(actor, told.roles)
        connection.execute(sa.text("delete from console.invitation where id = :id"), {"id": told.id})
        opened = {
            "invitation": told.id,
            "person": told.person,
            "reason": "revoked",
            "invited_by": told.invited_by,
        }
        persons.note_configuration(actor, "invitation_ended", told.person, opened, connection=connection)


def invitation(actor: Actor, invitation_id: str) -> Invitation:
    """The invitation. Raises NotAllowed, NotFound."""
    authority.require(actor)
    with db.hot_engine().connect() as connection:
        return _read(connection, invitation_id)


def open_invitation(token: str, address: str) -> Invitation:
    """The invitation for this link, requested from this network address. Raises NotFound in the same words for every reason."""
    limit = throttle.Limit("invitation", address, FREE_MISSES)
    if not throttle.take([limit]):
        raise NotFound(GONE)
    with db.hot_engine().connect() as connection:
        row = (
            connection.execute(_BY_TOKEN, {"token": _hash(token)}).one_or_none()
            if len(token) <= LONGEST_TOKEN
            else None
        )
        if row is None or not _counts(connection, _invitation(row)):
            raise NotFound(GONE)
    throttle.give_back([limit])
    return _invitation(row)


def accept(token: str, address: str, *, name: str, password: str, locale: str, zone: str) -> persons.Person:
    """Create the account; the link stops working. Raises NotFound as `opened`, Invalid with a detail per field."""
    told = open_invitation(token, address)
    details = person_changes.profile_errors({"name": name, "locale": locale, "zone": zone})
    weak = passwords.weakness(password, email=told.email, name=name)
    if details or weak:
        raise Invalid(
            "This cannot be kept.",
            details=[*details, *([("password", weak)] if weak else [])],
        )
    values = {
        "name": name.strip(),
        "hash": passwords.hash_password(password),
        "tags": {},
        "locale": person_changes.locale_of(locale),
        "zone": zone,
    }
    with authority.changing(persons.COMMAND_LINE) as connection:
        row = connection.execute(_TAKE, {"token": _hash(token)}).one_or_none()
        if row is None or not _counts(connection, _invitation(row)):
            raise NotFound(GONE)
        told = _invitation(row)
        who = Actor(
            "user",
            told.person,
            name.strip(),
            told.email,
            session="sys:config",
            teams=told.teams,
            policy=access.current_version(),
        )
        values |= {"id": told.person, "email": told.email}
        more = {"invitation": told.id, "invited_by": told.invited_by}
        persons.insert_person(connection, values, sorted(told.roles), told.teams, who, more)
    return persons.person(told.person)


def take_of(connection: Connection, email: str) -> Invitation | None:
    """The valid invitation of an address verified by the identity provider, used up in the caller's transaction; None without one."""
    row = connection.execute(_OF_EMAIL, {"email": email}).one_or_none()
    if row is None or not _counts(connection, _invitation(row)):
        return None
    connection.execute(sa.text("delete from console.invitation where id = :id"), {"id": row.id})
    return _invitation(row)


def _counts(connection: Connection, told: Invitation) -> bool:
    """Whether the invitation is still valid: the sender may give its roles, its teams exist, its address is free."""
    if connection.execute(_TAKEN, {"email": told.email}).scalar_one():
        return False
    try:
        person_changes.check_places(connection, told.roles, told.teams)
    except Invalid:
        return False
    if told.invited_by == persons.COMMAND_LINE.id:
        return True
    if connection.execute(_INVITER, {"id": told.invited_by}).scalar() is not True:
        return False
    try:
        sender = persons.actor_of_person(told.invited_by)
        authority.require(sender)
        authority.require_give(sender, told.roles)
    except ConsoleError:
        return False
    return True


def _read(connection: Connection, invitation_id: str) -> Invitation:
    row = connection.execute(_ONE, {"id": invitation_id.replace("\0", "")}).one_or_none()
    if row is None:
        raise NotFound("This invitation was accepted or revoked, or there never was one.")
    return _invitation(row)


def _invitation(row: Any) -> Invitation:
    pairs = frozenset(person_changes.pair_of(word) for word in row.roles)
    return Invitation(
        row.id,
        row.person,
        row.email,
        pairs,
        tuple(row.teams),
        row.invited_by,
        row.created_at,
        row.expires_at,
        row.mail,
    )


def _note(
    actor: Actor,
    invitation: str,
    person: str,
    email: str,
    roles: Iterable[Pair],
    teams: Iterable[str],
    until: datetime,
    connection: Connection,
    *,
    again: bool = False,
) -> None:
    data = {
        "invitation": invitation,
        "person": person,
        "roles": person_changes.pair_words(roles),
        "teams": list(teams),
        "expires_at": log.body.moment(until),
    }
    persons.note_configuration(
        actor,
        "person_invited",
        person,
        data | ({"again": True} if again else {}),
        {"email": email},
        connection,
    )


def _delivered(actor: Actor, invitation: str, email: str, token: str, until: datetime) -> Sent:
    """The invitation after sending its mail; without mail or if that failed, the link has to be handed over."""
    configured, path = settings.current(), f"/invitation/{token}"
    if configured.smtp is None or configured.mail_from is None or configured.base_url is None:
        return Sent(invitation, email, path, mailed=False, expires_at=until)
    became, trouble = "sent", ""
    try:
        mail.send(_letter(actor, email, f"{configured.base_url}{path}", str(configured.mail_from), until))
    except OutcomeUnknown as error:
        became, trouble = "unknown", error.message
    except IntegrationError as error:
        became, trouble = "failed", error.message
    if trouble:
        _log.warning("invitation %s: %s", invitation, trouble)
        one_time.make("kept", None, LASTS, trouble, token=_trouble(invitation))
    with db.hot_engine().connect() as connection:
        connection.execute(
            sa.text("update console.invitation set mail = :mail where id = :id"),
            {"mail": became, "id": invitation},
        )
    return Sent(
        invitation,
        email,
        path,
        mailed=became == "sent",
        expires_at=until,
        trouble=trouble,
        unsure=became == "unknown",
    )


def trouble_of(told: Invitation) -> str:
    """Why its letter did not go out, or may not have; empty where it did, and where that was too long ago."""
    kept = one_time.find("kept", _trouble(told.id)) if told.mail in ("failed", "unknown") else None
    return str(kept.content) if kept is not None else ""


def _trouble(invitation: str) -> str:
    return f"letter of {invitation}"


def _letter(actor: Actor, email: str, link: str, sender: str, until: datetime) -> EmailMessage:
    message = EmailMessage()
    who = actor.name if actor.kind == "user" else "The administrator"
    message["Subject"] = f"Your account at {branding.current().name}"
    message["From"], message["To"] = sender, email
    message["Date"] = log.now()
    message["Message-ID"] = f"<{new_id('mail')}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        f"{' '.join(who.split())} invites you to {branding.current().name}. Choose a name and a password here:\n\n{link}\n\n"
        f"The link works once, until {until:%d %B %Y, %H:%M} UTC. If you expected no invitation, ignore this letter.\n"
    )
    return message


def _taken(message: str) -> Conflict:
    return Conflict(message, code="email_taken", at="email")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
