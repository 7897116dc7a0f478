"""Short-lived one-time secrets: between password and code, links for a new password, form data when a session ends.

The bearer has a random token, the row only its hash; the content is sealed by the master key.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from console.infra import subjects
from console.infra.db import engine as db

Kind = Literal["code", "enrol", "reset", "letter", "state", "kept", "identity"]

_MAKE = sa.text(
    "insert into console.one_time (hash, kind, person, content, until) values (:hash, :kind, :person, :content, now() + :lasts)"
    " on conflict (hash) do update set content = excluded.content, until = excluded.until"
)
_TIDY = sa.text("delete from console.one_time where until < now()")
_FIND = "select person, content from console.one_time where hash = %s and kind = %s and until > now()"
_TAKE = (
    "delete from console.one_time where hash = %s and kind = %s and until > now() returning person, content"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """The content of a token, and its person (None: nobody)."""

    person: str | None
    content: Any


def make(
    kind: Kind, person: str | None, lasts: timedelta, content: Any = None, *, token: str | None = None
) -> str:
    """A new token of this kind. With `token`: give that token this content instead of its former one."""
    secret = token or secrets.token_urlsafe(32)
    key = _hash(kind, secret)
    sealed = None if content is None else subjects.wrap(orjson.dumps(content), _place(key))
    with db.hot_engine().connect() as connection:
        connection.execute(_TIDY)
        connection.execute(
            _MAKE, {"hash": key, "kind": kind, "person": person, "content": sealed, "lasts": lasts}
        )
    return secret


def find(kind: Kind, token: str) -> Kept | None:
    """The content of the token, without using it up; None if it is unknown, used or too old."""
    return _kept(_FIND, kind, token)


def take(kind: Kind, token: str) -> Kept | None:
    """The content of the token, using it up. Of two concurrent calls one gets it."""
    return _kept(_TAKE, kind, token)


def is_first_use(kind: Kind, token: str, lasts: timedelta) -> bool:
    """Whether this foreign token is seen for the first time; remembered for as long as it is valid."""
    noted = sa.text(
        "insert into console.one_time (hash, kind, until) values (:hash, :kind, now() + :lasts) on conflict (hash) do nothing returning 1"
    )
    with db.hot_engine().connect() as connection:
        connection.execute(_TIDY)
        return (
            connection.execute(noted, {"hash": _hash(kind, token), "kind": kind, "lasts": lasts}).scalar()
            is not None
        )


def forget(kind: Kind, person: str) -> None:
    """Revoke all tokens of this kind of the person."""
    with db.hot_engine().connect() as connection:
        connection.execute(
            sa.text("delete from console.one_time where person = :person and kind = :kind"),
            {"person": person, "kind": kind},
        )


def _kept(statement: str, kind: Kind, token: str) -> Kept | None:
    key = _hash(kind, token)
    with db.borrowed() as driver:
        row = driver.execute(statement, (key, kind)).fetchone()
    if row is None:
        return None
    return Kept(row[0], None if row[1] is None else open_content(key, row[1]))


def open_content(key: bytes, content: bytes) -> Any:
    """The unsealed content of the row with this hash."""
    return orjson.loads(subjects.unwrap(bytes(content), _place(bytes(key))))


def _hash(kind: Kind, token: str) -> bytes:
    return hashlib.sha256(f"{kind}\n{token}".encode("utf-8", "surrogatepass")).digest()


def _place(key: bytes) -> str:
    return f"one_time|content|{key.hex()}"
