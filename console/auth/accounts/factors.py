"""Second factor: codes of an authenticator app (TOTP), and recovery codes for a lost phone.

Each code works once: the last accepted time step is stored. The app's secret is sealed by the master key, recovery codes are hashed.
"""

import functools
import hashlib
import io
import re
import secrets
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import pyotp
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.auth import access
from console.auth.accounts import authority, entry, one_time, persons, throttle
from console.auth.accounts.recent_confirmation import require_recent
from console.auth.accounts.throttle import Limit
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, TooMany
from console.infra import subjects
from console.infra.db import engine as db

ISSUER = "Handrail"
CODES = 10
CODE_BYTES = 16
LASTS = timedelta(minutes=30)
FREE = 5
ALWAYS = frozenset({"admin", "auditor"})
Shown = Literal["totp", "recovery_code"]

_STEP = "floor(extract(epoch from clock_timestamp()) / 30)::bigint"
_HELD = sa.text(
    f"select secret, last_step, {_STEP} as step from console.second_factor where person = :person for update"  # noqa: S608 - a constant
)


@dataclass(frozen=True, slots=True)
class Factor:
    """A person's second factor: since when, and how many recovery codes are left."""

    since: datetime
    codes_left: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret waiting for its first code: as text, and as a QR code (SVG)."""

    secret: str
    svg: str


def factor_of(person_id: str) -> Factor | None:
    """The second factor of a person, None without one."""
    rows = db.fetch(
        "select f.since, (select count(*) from console.recovery_code c where c.person = f.person and c.used_at is null)"
        " from console.second_factor f where f.person = %s",
        (person_id,),
    )
    return Factor(*rows[0]) if rows else None


def must_have(actor: Actor) -> bool:
    """Whether this person must set up a second factor before anything else."""
    wanted = entry.current().second_factor
    return wanted == "everybody" or (
        wanted == "roles" and _sensitive(access.current_version(), actor.id, actor.roles)
    )


@functools.lru_cache(maxsize=4096)
def _sensitive(version: int, person_id: str, roles: frozenset[tuple[str, str]]) -> bool:
    """Whether these roles administer, audit or approve, by this version of the policy."""
    del version  # part of the cache key: answers depend on the policy
    rights = access.rights()
    held = {level for role, team in roles for level in rights.held(role, None if team == "*" else team)}
    subs = {f"role:{role}" for role in held} | {f"user:{person_id}"}
    return bool(held & ALWAYS) or any(
        row.sub in subs
        and row.eft == "allow"
        and row.act in ("approve", "*")
        and row.obj.startswith("action:")
        for row in access.all_rows()
    )


def begin(actor: Actor) -> Enrolment:
    """A new secret for the actor, shown until a code confirms it; the same one again within half an hour."""
    import segno

    require_recent(actor)
    waiting = one_time.find("enrol", actor.session)
    secret = waiting.content if waiting is not None else pyotp.random_base32()
    if waiting is None:
        one_time.make("enrol", actor.id, LASTS, secret, token=actor.session)
    picture = io.BytesIO()
    uri = pyotp.TOTP(secret).provisioning_uri(name=actor.email, issuer_name=ISSUER)
    segno.make(uri, error="m").save(
        picture, kind="svg", xmldecl=False, svgns=True, scale=4, border=4, dark="#000", light="#fff"
    )
    return Enrolment(secret, picture.getvalue().decode())


def confirm(actor: Actor, code: str) -> Sequence[str]:
    """Make the waiting secret the second factor, replacing any former one; returns recovery codes, shown only now.

    Raises `Invalid` for a wrong code, `Conflict` if no secret is waiting, `TooMany`.
    """
    require_recent(actor)
    waiting = one_time.find("enrol", actor.session)
    if waiting is None:
        raise Conflict(
            "The picture was shown too long ago. Start again with a new one.", code="enrolment_over"
        )
    limit = [Limit("code", actor.id, FREE)]
    _slow_down(limit)
    with db.transaction() as connection:
        now = connection.execute(sa.text(f"select {_STEP}")).scalar_one()
        step = _step(waiting.content, _digits(code), now)
        if step is None:
            raise Invalid("That code does not fit.", at=("code", _WRONG))
        replaced = connection.execute(
            sa.text(
                "insert into console.second_factor as f (person, secret, last_step) values (:person, :secret, :step)"
                " on conflict (person) do update set secret = excluded.secret, last_step = excluded.last_step, since = now() returning xmax <> 0"
            ),
            {
                "person": actor.id,
                "secret": subjects.wrap(waiting.content.encode(), _place(actor.id)),
                "step": step,
            },
        ).scalar_one()
        codes = _new_codes(connection, actor.id)
        _note(actor, actor.id, "replaced" if replaced else "added", connection)
    throttle.give_back(limit)
    one_time.forget("enrol", actor.id)
    return codes


def renew_codes(actor: Actor) -> Sequence[str]:
    """New recovery codes instead of the former ones, shown only now. Raises `Conflict` without a second factor."""
    require_recent(actor)
    with db.transaction() as connection:
        if connection.execute(_HELD, {"person": actor.id}).one_or_none() is None:
            raise Conflict("There is no second factor that codes could stand in for.", code="no_factor")
        codes = _new_codes(connection, actor.id)
        _note(actor, actor.id, "codes_renewed", connection)
    return codes


def remove(actor: Actor) -> None:
    """Remove the actor's second factor. Raises `Conflict` if one is required or there is none."""
    require_recent(actor)
    if must_have(actor):
        raise Conflict(
            "Your roles need a second factor: it can be replaced, not removed.", code="factor_required"
        )
    _drop(actor, actor.id, "removed")


def reset_factor(actor: Actor, person_id: str) -> None:
    """Remove somebody's lost second factor and end their sessions. Raises `NotAllowed`, and `Conflict` without one."""
    if actor.id != persons.COMMAND_LINE.id:
        access.require(actor, None, "user", "manage")
        authority.require_over_now(actor, person_id)
        require_recent(actor)
        with db.hot_engine().connect() as connection:
            authority.require_over(actor, connection, person_id)
    _drop(actor, person_id, "reset")


def accepts(person_id: str, code: str) -> Shown | None:
    """What kind of code this is for the person, and use it up; None if it is wrong, used or too old."""
    digits = _digits(code)
    with db.transaction() as connection:
        held = connection.execute(_HELD, {"person": person_id}).one_or_none()
        if held is None:
            return None
        if not digits.isdigit():
            return "recovery_code" if _use_code(connection, person_id, digits) else None
        step = _step(
            subjects.unwrap(bytes(held.secret), _place(person_id)).decode(),
            digits,
            held.step,
            after=held.last_step,
        )
        if step is None:
            return None
        connection.execute(
            sa.text("update console.second_factor set last_step = :step where person = :person"),
            {"step": step, "person": person_id},
        )
    return "totp"


_WRONG = "is not the code of this moment: look again, and check that the telephone's clock is right"


def _step(secret: str, code: str, now: int, after: int = -1) -> int | None:
    """The time step of the code: present, previous or next, and later than `after`; None otherwise."""
    totp = pyotp.TOTP(secret)
    return next(
        (
            step
            for step in (now, now - 1, now + 1)
            if step > after and pyotp.utils.strings_equal(code, totp.generate_otp(step))
        ),
        None,
    )


def _digits(code: str) -> str:
    return re.sub(r"[\s-]", "", code[:100]).upper()


def _use_code(connection: Connection, person_id: str, code: str) -> bool:
    used = connection.execute(
        sa.text(
            "update console.recovery_code set used_at = now() where person = :person and hash = :hash and used_at is null"
        ),
        {"person": person_id, "hash": hashlib.sha256(code.encode()).digest()},
    )
    return used.rowcount == 1


def _new_codes(connection: Connection, person_id: str) -> list[str]:
    codes = [b32encode(secrets.token_bytes(CODE_BYTES)).decode().rstrip("=") for _ in range(CODES)]
    connection.execute(
        sa.text("delete from console.recovery_code where person = :person"), {"person": person_id}
    )
    connection.execute(
        sa.text("insert into console.recovery_code (person, hash) values (:person, :hash)"),
        [{"person": person_id, "hash": hashlib.sha256(code.encode()).digest()} for code in codes],
    )
    return ["-".join(re.findall(".{1,7}", code)) for code in codes]


def _drop(by: Actor, person_id: str, how: str) -> None:
    with db.transaction() as connection:
        gone = connection.execute(
            sa.text("delete from console.second_factor where person = :person"), {"person": person_id}
        )
        if not gone.rowcount:
            raise Conflict("There is no second factor.", code="no_factor")
        connection.execute(
            sa.text("delete from console.recovery_code where person = :person"), {"person": person_id}
        )
        if how == "reset":
            connection.execute(persons.END_SESSIONS, {"id": person_id})
        _note(by, person_id, how, connection)


def _note(by: Actor, person_id: str, change: str, connection: Connection) -> None:
    log.note(
        by,
        "factor_changed",
        open={"person": person_id, "factor": "totp", "change": change},
        chain="sys:config",
        connection=connection,
    )


def _slow_down(limits: Sequence[Limit]) -> None:
    if not throttle.take(limits):
        raise TooMany(
            "Too many codes were wrong. Wait half a minute and try again.", retry_after=throttle.LONGEST_S
        )


def _place(person_id: str) -> str:
    return f"second_factor|secret|{person_id}"
