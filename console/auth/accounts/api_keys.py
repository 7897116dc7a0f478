"""API keys. A key acts as its owner, with the owner's rights at each request, limited by the key's scopes."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple

import sqlalchemy as sa

from console import records
from console.auth import access
from console.auth.access import Scopes, narrowing
from console.auth.accounts import persons
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra.db import engine as db
from console.infra.db.ids import new_id

LONGEST = timedelta(days=365)
MOST_NETWORKS = 20
MOST_KEYS = 50
LISTED = 200
KEY = re.compile(r"cns_([0-9a-z]{26})_([0-9a-f]{64})")


class _Found(NamedTuple):
    """The result of `_KEY`: the key, its owner, and whether its use has to be recorded."""

    key: str
    secret_hash: bytes
    id: str
    email: str
    name: str
    tags: Any
    locale: str
    zone: str
    kind: str
    quiet: bool
    networks: Sequence[str] | None
    teams: Sequence[str]


_KEY = """
select k.id, k.secret_hash, p.id, p.email, p.name, p.tags, p.locale, p.zone, p.kind, coalesce(k.last_used_at < now() - interval '1 minute', true), k.networks,
       (select coalesce(array_agg(t.team order by t.team), '{}') from console.person_team t where t.person = p.id)
from console.api_key k join console.person p on p.id = k.person
where k.id = %s and k.revoked_at is null and k.expires_at > now() and p.disabled_at is null
"""
_INSERT = sa.text(
    "insert into console.api_key (id, name, person, secret_hash, expires_at, scopes, networks)"
    " values (:id, :name, :person, :hash, now() + :lasts, :scopes, :networks) returning expires_at"
).bindparams(
    sa.bindparam("scopes", type_=sa.JSON(none_as_null=True)),
    sa.bindparam("networks", type_=sa.ARRAY(sa.Text)),
)
_LIVE = sa.text(
    "select count(*) from console.api_key where person = :id and revoked_at is null and expires_at > now()"
)
_LIST = """
select k.id, k.name, k.person, p.name as owner, k.created_at, k.expires_at, k.last_used_at, k.revoked_at, k.scopes, k.networks, p.disabled_at is not null as closed, p.kind = 'service' as service
from console.api_key k join console.person p on p.id = k.person
"""
_APPROVING = """p.kind <> 'service' and not coalesce((k.scopes->>'assistant')::boolean, false)
and case when k.scopes->'acts' is null then (k.scopes->>'approves')::boolean else k.scopes::jsonb->'acts' ? 'action.approve' end"""
"""As `Key.approves`."""


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key. `text` is shown once and not stored."""

    id: str
    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Key:
    """A key as its owner and admins see it; times are aware UTC. `networks` empty: usable from everywhere. `closed`: its owner's account is closed."""

    id: str
    name: str
    person: str
    owner: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    scopes: Scopes
    networks: tuple[str, ...]
    closed: bool = False
    service: bool = False

    @property
    def approves(self) -> bool:
        """Whether it may approve, as far as its owner may."""
        return self.scopes.may_approve and not self.service

    @property
    def state(self) -> str:
        """`live`, `expired`, `revoked`, or `closed` with its owner's account."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at <= datetime.now(UTC):
            return "expired"
        return "closed" if self.closed else "live"


def create_key(
    name: str,
    person_id: str,
    *,
    lasts: timedelta = timedelta(days=90),
    scopes: Scopes | None = None,
    networks: Iterable[str] = (),
    by: Actor = persons.COMMAND_LINE,
) -> CreatedKey:
    """Create a key for the person, limited to `scopes` (None: everything except to approve), until it expires.

    Raises `Invalid` with a detail per field (over a year, an unprintable name, an invalid network), `NotFound`, `Conflict` for a closed account.
    """
    given = [part.strip() for part in networks if part.strip()]
    details = _wrong(name, lasts, given)
    if details:
        raise Invalid("The key was not made.", details=details)
    owner = persons.person(person_id)
    if owner.disabled:
        raise NotFound(f"The account of {owner.email} is closed.")
    key_id, secret = new_id("key"), secrets.token_hex(32)
    kept, places = (scopes or Scopes()).to_json(), [str(_network(part)) for part in given]
    values = {"id": key_id, "name": name.strip(), "person": owner.id, "hash": _hash(secret), "lasts": lasts}
    with db.transaction() as connection:
        connection.execute(
            sa.text("select 1 from console.person where id = :id for update"), {"id": owner.id}
        )
        if connection.execute(_LIVE, {"id": owner.id}).scalar_one() >= MOST_KEYS:
            raise Conflict(
                f"There are {MOST_KEYS} keys already. Revoke one that is not used any more.",
                code="too_many_keys",
            )
        expires_at: datetime = connection.execute(
            _INSERT, values | {"scopes": kept or None, "networks": places or None}
        ).scalar_one()
        opened = {"key": key_id, "person": owner.id, "expires_at": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        after = {"name": name.strip(), "scopes": kept, "networks": places}
        persons.note_configuration(
            by, "key_created", owner.id, opened, {"name": name.strip(), "before": None, "after": after}
        )
    return CreatedKey(key_id, f"cns_{key_id.removeprefix('key_')}_{secret}", expires_at)


def create_own_key(
    actor: Actor,
    name: str,
    *,
    days: int,
    scopes: Scopes,
    workflows: Iterable[str] = (),
    networks: Iterable[str] = (),
) -> CreatedKey:
    """Create a key for the actor. `workflows`: those that the actor may see, by slug. Raises as `create_key`, `Invalid` for a right that the actor lacks, `NotAllowed` if the actor is a key."""
    if actor.kind != "user":
        raise NotAllowed(
            "A key makes no keys: sign in, and make one under Settings, API keys.", need=("key", "create")
        )
    held = {f"{kind}.{act}" for kind, acts in access.acts_of(actor).items() for act in acts}
    details = [
        ("acts", f"{act} is not a right of yours, so no key of yours can have it.")
        for act in sorted((scopes.acts or frozenset()) - held - {narrowing.APPROVE})
    ]
    there = {
        "collections": {
            collection.id
            for collection in records.collections()
            if access.can(actor, None, f"collection:{collection.id}", "browse")
        },
        "workflows": set(workflows),
    }
    for field, known in there.items():
        named: frozenset[str] = getattr(scopes, field) or frozenset()
        details += [
            (field, f"There is no {one} among them, or it is not yours to see.")
            for one in sorted(named - known)
        ]
    details += [
        ("tools", f"There is no tool {name[:60]} for assistants.")
        for name in sorted((scopes.tools or frozenset()) - frozenset(narrowing.ASSISTANT_TOOLS))
    ]
    if scopes.acts is not None and not scopes.acts:
        details.append(("acts", "Choose at least one, or everything that you may do."))
    places = [part.strip() for part in networks if part.strip()]
    details += _wrong(name, timedelta(days=days), places)
    if details:
        raise Invalid("The key was not made.", details=details)
    return create_key(name, actor.id, lasts=timedelta(days=days), scopes=scopes, networks=places, by=actor)


def keys_of(actor: Actor) -> list[Key]:
    """The actor's own keys, newest first, at most 200."""
    return _keys(
        f"{_LIST} where k.person = %s order by k.created_at desc, k.id desc limit {LISTED}", (actor.id,)
    )


def every_key(actor: Actor, *, approving: bool = False) -> list[Key]:
    """Everybody's usable keys, or only those that may approve, newest first, at most 200. Raises `NotAllowed` without the right key.manage."""
    access.require(actor, None, "key", "manage")
    live = f"k.revoked_at is null and k.expires_at > now() and p.disabled_at is null{f' and {_APPROVING}' if approving else ''}"
    return _keys(f"{_LIST} where {live} order by k.created_at desc, k.id desc limit {LISTED}", ())


def key_of(actor: Actor, key_id: str) -> Key:
    """A key of the actor, or with the right key.manage anybody's. Raises `NotFound` in the same words otherwise."""
    found = _keys(f"{_LIST} where k.id = %s", (key_id,)) if "\x00" not in key_id else []
    if not found or (found[0].person != actor.id and not access.can(actor, None, "key", "manage")):
        raise NotFound(hidden=bool(found))
    return found[0]


def withdraw_key(actor: Actor, key_id: str) -> None:
    """Revoke a key of the actor, or with the right key.manage anybody's. Raises `NotFound`."""
    revoke_key(key_of(actor, key_id).id, by=actor)


def revoke_key(key_id: str, *, by: Actor = persons.COMMAND_LINE) -> None:
    """Revoke a key. Raises `NotFound` if it is unknown or already revoked."""
    with db.transaction() as connection:
        statement = sa.text(
            "update console.api_key set revoked_at = now() where id = :id and revoked_at is null returning person, name"
        )
        row = connection.execute(statement, {"id": key_id}).one_or_none()
        if row is None and connection.scalar(
            sa.text("select 1 from console.api_key where id = :id"), {"id": key_id}
        ):
            raise NotFound("This key opens nothing any more: it was revoked before.")
        if row is None:
            raise NotFound
        sealed = {"name": row.name, "before": {"revoked": False}, "after": {"revoked": True}}
        persons.note_configuration(
            by, "key_revoked", row.person, {"key": key_id, "person": row.person}, sealed
        )


def actor_of_key(text: str, address: str | None = None) -> Actor | None:
    """The key's owner as actor; None if it is malformed, unknown, wrong, revoked or expired, or the account is closed.

    Raises `NotAllowed` `wrong_network` for a valid key used from an `address` outside its networks.
    """
    match = KEY.fullmatch(text)
    if match is None:
        return None
    found = db.fetch(_KEY, (f"key_{match[1]}",))
    if not found:
        return None
    row = _Found(*found[0])
    if not hmac.compare_digest(row.secret_hash, _hash(match[2])):
        return None
    actor = _actor(row)
    if row.networks and not _inside(address, row.networks):
        raise WrongNetwork(
            f"This key is not used from {address or 'here'}: it names other networks.", actor=actor
        )
    if row.quiet:
        db.fetch("update console.api_key set last_used_at = now() where id = %s returning id", (row.key,))
    return actor


def sender_of_key(key_id: str) -> Actor:
    """The key's owner as actor, for what was sent with the key a while ago. Raises `NotAllowed` if the key has ended since."""
    found = db.fetch(_KEY, (key_id,))
    if not found:
        raise NotAllowed(
            "The key with which this was sent has ended meanwhile, so nothing is started with it.",
            need=("key", "use"),
        )
    return _actor(_Found(*found[0]))


def _actor(row: _Found) -> Actor:
    return persons.actor(row, kind="key", session=row.key, key_id=row.key)


class WrongNetwork(NotAllowed):
    """A valid key used from an address that it does not allow; `actor` is its owner."""

    default_code = "wrong_network"

    def __init__(self, message: str, *, actor: Actor) -> None:
        super().__init__(message, need=("key", "use"))
        self.actor = actor


def _wrong(name: str, lasts: timedelta, networks: Sequence[str]) -> list[tuple[str, str]]:
    details = []
    if not 0 < len(name.strip()) <= 200 or not name.isprintable():
        details.append(("name", "takes 1 to 200 printable characters"))
    if not timedelta(0) < lasts <= LONGEST:
        details.append(("expires", "takes up to 365d: a key lasts a year at most"))
    if len(networks) > MOST_NETWORKS:
        details.append(("networks", f"takes at most {MOST_NETWORKS}"))
    reason = "is no network; write 203.0.113.0/24 or 2001:db8::/48, or one address"
    return details + [("networks", f"{part[:60]} {reason}") for part in networks if _network(part) is None]


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _inside(address: str | None, networks: Sequence[str]) -> bool:
    try:
        there = ip_address(address or "")
    except ValueError:
        return False
    there = getattr(there, "ipv4_mapped", None) or there
    return any(
        there in network
        for network in map(_network, networks)
        if network is not None and network.version == there.version
    )


def _keys(statement: str, given: Sequence[str]) -> list[Key]:
    found = db.fetch(statement, given)
    return [Key(*(*row[:8], Scopes.of(row[8]), tuple(row[9] or ()), *row[10:])) for row in found]


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
