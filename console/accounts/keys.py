"""Keys of the API. A key acts as its owner, with the rights that the owner has at each request."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from console.accounts import persons
from console.core.actor import Actor
from console.db import engine as db
from console.db.ids import new_id
from console.errors import Invalid, NotFound

LONGEST = timedelta(days=365)
KEY = re.compile(r"cns_([0-9a-z]{26})_([0-9a-f]{64})")


class _Found(NamedTuple):
    """What `_KEY` answers: the key, its owner, and whether it is to be noted that it was used."""

    key: str
    secret_hash: bytes
    id: str
    email: str
    name: str
    tags: Any
    locale: str
    zone: str
    quiet: bool
    teams: Sequence[str]


_KEY = """
select k.id, k.secret_hash, p.id, p.email, p.name, p.tags, p.locale, p.zone, coalesce(k.last_used_at < now() - interval '1 minute', true),
       (select coalesce(array_agg(t.team order by t.team), '{}') from console.person_team t where t.person = p.id)
from console.api_key k join console.person p on p.id = k.person
where k.id = %s and k.revoked_at is null and k.expires_at > now() and p.disabled_at is null
"""


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key; `text` is said once and stands nowhere."""

    id: str
    text: str
    expires_at: datetime


def create_key(name: str, person_id: str, *, lasts: timedelta = timedelta(days=90), by: Actor = persons.COMMAND_LINE) -> CreatedKey:
    """A key for the person, which opens what they may do until it expires. Raises `Invalid` for a life of over a year, `NotFound`."""
    if not timedelta(0) < lasts <= LONGEST:
        raise Invalid("A key lasts a year at most.", details=[{"field": "expires", "reason": "takes up to 365d"}])
    if not 0 < len(name.strip()) <= 200 or not name.isprintable():
        raise Invalid(
            "A key needs a name of at most 200 printable characters.",
            details=[{"field": "name", "reason": "takes 1 to 200 printable characters"}],
        )
    owner = persons.person(person_id)
    if owner.disabled:
        raise NotFound(f"The account of {owner.email} is closed.")
    key_id, secret = new_id("key"), secrets.token_hex(32)
    with db.transaction() as connection:
        expires_at: datetime = connection.execute(
            sa.text(
                "insert into console.api_key (id, name, person, secret_hash, expires_at) values (:id, :name, :person, :hash, now() + :lasts)"
                " returning expires_at"
            ),
            {"id": key_id, "name": name.strip(), "person": owner.id, "hash": _hash(secret), "lasts": lasts},
        ).scalar_one()
        opened = {"key": key_id, "person": owner.id, "expires_at": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        persons.note_configuration(by, "key_created", owner.id, opened, {"name": name.strip()})
    return CreatedKey(key_id, f"cns_{key_id.removeprefix('key_')}_{secret}", expires_at)


def revoke_key(key_id: str, *, by: Actor = persons.COMMAND_LINE) -> None:
    """Make a key useless from now on. Raises `NotFound` for one that is unknown or was revoked before."""
    with db.transaction() as connection:
        statement = sa.text("update console.api_key set revoked_at = now() where id = :id and revoked_at is null returning person, name")
        row = connection.execute(statement, {"id": key_id}).one_or_none()
        if row is None:
            raise NotFound
        persons.note_configuration(by, "key_revoked", row.person, {"key": key_id, "person": row.person}, {"name": row.name})


def actor_of_key(text: str) -> Actor | None:
    """Whose key this is; None where it is malformed, unknown, wrong, revoked or expired, or its owner's account closed."""
    told = KEY.fullmatch(text)
    if told is None:
        return None
    found = db.fetch(_KEY, (f"key_{told[1]}",))
    if not found:
        return None
    row = _Found(*found[0])
    if not hmac.compare_digest(row.secret_hash, _hash(told[2])):
        return None
    if row.quiet:
        db.fetch("update console.api_key set last_used_at = now() where id = %s returning id", (row.key,))
    return persons.actor(row, kind="key", session=row.key, key_id=row.key)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
