"""API keys of a person, as seen and revoked by those who manage people."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from console.auth.accounts import api_keys as keys, authority
from console.core.actor import Actor
from console.core.errors import NotFound
from console.infra.db import engine as db

_KEYS = sa.text(
    "select id, name, created_at, expires_at, last_used_at from console.api_key"
    " where person = :id and revoked_at is null and expires_at > now() order by created_at desc, id limit 200"
)


@dataclass(frozen=True, slots=True)
class Key:
    """A usable API key."""

    id: str
    name: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


def api_keys(actor: Actor, person_id: str) -> list[Key]:
    """Usable keys of the person, newest first. Raises NotAllowed."""
    authority.require(actor)
    return [Key(*row) for row in db.read_rows(_KEYS, {"id": person_id.replace("\0", "")})]


def revoke_key(actor: Actor, person_id: str, key_id: str) -> None:
    """Revoke a key of the person. Raises NotAllowed, NotFound if it is not theirs or not usable."""
    known = {key.id for key in api_keys(actor, person_id)}
    authority.require_over_now(actor, person_id)
    if key_id not in known:
        raise NotFound
    keys.revoke_key(key_id, by=actor)
