"""What people change about themselves: name, language, time zone, theme, password; and links to choose a new password.

Changing the password ends all other sessions. A link works once, within an hour, and does not change the second factor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import available_timezones

import sqlalchemy as sa
from babel import Locale, UnknownLocaleError

from console import log
from console.auth import access
from console.auth.accounts import authority, one_time, passwords, persons, throttle
from console.auth.accounts.recent_confirmation import require_recent
from console.auth.accounts.throttle import Limit
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotFound, TooMany
from console.infra import subjects
from console.infra.db import engine as db

THEMES = ("system", "light", "dark")
LINK_LASTS = timedelta(hours=1)
FREE = 5


@dataclass(frozen=True, slots=True)
class Profile:
    """The values that a person may change about themselves."""

    name: str
    locale: str
    zone: str
    theme: str
    has_password: bool


def profile_of(actor: Actor) -> Profile:
    """The actor's profile. Raises `NotFound` if the actor is not a person."""
    rows = db.fetch(
        "select name, locale, zone, theme, password_hash is not null from console.person where id = %s",
        (actor.id,),
    )
    if not rows:
        raise NotFound
    return Profile(*rows[0])


def change_profile(actor: Actor, *, name: str, locale: str, zone: str, theme: str) -> None:
    """Change the actor's own values. Raises `Invalid` with a detail per field."""
    before = profile_of(actor)
    shown, problems = name.strip(), []
    if not 0 < len(shown) <= 200 or not shown.isprintable():
        problems.append(("name", "takes 1 to 200 printable characters"))
    if not _known(locale):
        problems.append(("locale", "takes a language, such as en or de-CH"))
    if zone not in available_timezones():
        problems.append(("zone", "takes a time zone, such as Europe/Berlin"))
    if theme not in THEMES:
        problems.append(("theme", f"takes {', '.join(THEMES)}"))
    if problems:
        raise Invalid("Nothing was changed.", details=problems)
    new = {"name": shown, "locale": locale, "zone": zone, "theme": theme}
    changed = sorted(field for field, value in new.items() if value != getattr(before, field))
    if not changed:
        return
    with db.transaction() as connection:
        statement = sa.text(
            "update console.person set name = :name, locale = :locale, zone = :zone, theme = :theme where id = :id"
        )
        connection.execute(statement, new | {"id": actor.id})
        sealed = {
            "old": {field: getattr(before, field) for field in changed},
            "new": {field: new[field] for field in changed},
        }
        _note(actor, actor.id, changed, connection, sealed)


def change_password(actor: Actor, former: str, new: str) -> None:
    """Change the actor's password and end their other sessions. Raises `Invalid` on `former` or `new`, `Conflict` without a password, `TooMany`."""
    if actor.kind != "user":
        raise Conflict("A key cannot change a password.", code="no_person")
    stored = _stored(actor.id)
    if stored is None:
        raise Conflict(
            "You sign in through the identity provider: there is no password here.", code="no_password"
        )
    limit = [Limit("own", actor.id, FREE)]
    if not throttle.take(limit):
        raise TooMany(
            "Too many passwords were wrong. Wait half a minute and try again.", retry_after=throttle.LONGEST_S
        )
    if not passwords.matches(stored, former):
        raise Invalid("The password was not changed.", at=("former", "is not your password"))
    throttle.give_back(limit)
    _refuse_weak(new, actor.email, actor.name)
    if passwords.matches(stored, new):
        raise Invalid("The password was not changed.", at=("new", "is the one that you have"))
    with db.transaction() as connection:
        _set(connection, actor.id, new)
        ended = sa.text(
            "update console.session set ended_at = now() where person = :id and ended_at is null and id <> :own"
        )
        connection.execute(ended, {"id": actor.id, "own": actor.session})
        _note(actor, actor.id, ["password"], connection)
    one_time.forget("reset", actor.id)


def password_link(actor: Actor, person_id: str) -> str:
    """The token of a link by which this person chooses a new password; ends earlier links. Raises `NotAllowed`, `NotFound`, `Conflict`."""
    access.require(actor, None, "user", "manage")
    authority.require_over_now(actor, person_id)
    require_recent(actor)
    person = persons.person(person_id)
    with db.hot_engine().connect() as connection:
        authority.require_over(actor, connection, person.id)
    if person.disabled:
        raise Conflict(f"The account of {person.name} is closed.", code="account_closed")
    return make_link(actor, person_id, by_mail=False)


def make_link(by: Actor, person_id: str, *, by_mail: bool) -> str:
    """The token of a link, with its event. The caller has checked the rights. Raises `Conflict` for a service account."""
    persons.require_person(persons.person(person_id))
    one_time.forget("reset", person_id)
    token = one_time.make("reset", person_id, LINK_LASTS)
    persons.note_configuration(by, "password_link_made", person_id, {"person": person_id, "by_mail": by_mail})
    return token


def person_of_link(token: str) -> persons.Person | None:
    """The person of the link; None if it was used, replaced or is over an hour old."""
    kept = one_time.find("reset", token)
    found = None if kept is None or kept.person is None else persons.person(kept.person)
    return None if found is None or found.disabled else found


def choose_password(token: str, new: str) -> persons.Person:
    """Set the new password by link, using it up and ending the person's sessions. Raises `Invalid` on `new`, `NotFound` for an invalid link."""
    found = person_of_link(token)
    if found is None:
        raise NotFound
    _refuse_weak(new, found.email, found.name)
    if one_time.take("reset", token) is None:
        raise NotFound
    with db.transaction() as connection:
        _set(connection, found.id, new)
        connection.execute(persons.END_SESSIONS, {"id": found.id})
        _note(persons.actor_of_person(found.id, "sys:config"), found.id, ["password"], connection)
    return found


def _refuse_weak(new: str, email: str, name: str) -> None:
    if weak := passwords.weakness(new, email=email, name=name):
        raise Invalid("The password was not changed.", at=("new", weak))


def _stored(person_id: str) -> str | None:
    rows = db.fetch("select password_hash from console.person where id = %s", (person_id,))
    return rows[0][0] if rows else None


def _set(connection: sa.Connection, person_id: str, new: str) -> None:
    statement = sa.text("update console.person set password_hash = :hash where id = :id")
    connection.execute(statement, {"hash": passwords.hash_password(new), "id": person_id})


def _note(
    by: Actor,
    person_id: str,
    fields: list[str],
    connection: sa.Connection,
    sealed: Mapping[str, object] | None = None,
) -> None:
    whose = subjects.subject_of("person", person_id)
    opened = {"person": person_id, "fields": fields}
    log.note(
        by,
        "person_changed",
        open=opened,
        sealed=sealed,
        subject=whose,
        chain="sys:config",
        connection=connection,
    )


def _known(locale: str) -> bool:
    try:
        Locale.parse(locale, sep="-")
    except (ValueError, UnknownLocaleError):
        return False
    return True
