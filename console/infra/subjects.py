"""Keys per subject: what the console keeps about a person is encrypted under that person's key, and ends with it.

AES-256-GCM, 96-bit random nonces; data keys are wrapped by the master key, which is never in the database. A subject is a
record of a collection (or a person of the console itself, collection `person`). Source: docs/adr/0004-the-log.md.
"""

import functools
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from console.infra import settings
from console.infra.db import tables
from console.infra.db.engine import fetch, hot_engine, read_value
from console.infra.db.fitness import Unfit
from console.infra.db.ids import new_id

NONCE_BYTES = 12
KEPT_S = 60  # an erased key is gone from every process after this long
KEPT_MOST = 4096
MOST_AT_ONCE = 1000

_MAKE = """
insert into console.subject (id, collection, record, kid, wrapped)
select w.id, %s, w.record, %s, w.wrapped from unnest(%b::text[], %b::text[], %b::bytea[]) as w (id, record, wrapped) on conflict do nothing returning record, id
"""

_kept: dict[str, tuple[float, AESGCM]] = {}
_persons: dict[str, tuple[object, float, str]] = {}  # through which engine, when, which subject
_lock = threading.Lock()


class Unreadable(Exception):
    """The subject's key is gone (erased), or the bytes are not what was written under it."""


def master_id() -> str:
    """Names the master key that wrapped a data key, so that it can be changed one key at a time."""
    return _name(settings.current().master_key)


def require_master_key() -> None:
    """Nothing where something is sealed with the present master key, or nothing yet. Raises `Unfit` naming the key that is needed."""
    present = master_id()
    found = fetch(
        "select kid, exists (select from console.subject where kid = %s) from console.subject limit 1",
        (present,),
    )
    if found and not found[0][1]:
        place = settings.current().data_dir / settings.KEYS_FOLDER / "master_key"
        raise Unfit(
            f"What is kept about people was encrypted under the master key {found[0][0]}, and the present one is {present}."
            f" Give the former as CONSOLE_MASTER_KEY, or put it into {place}."
        )


@functools.lru_cache(maxsize=4)
def _name(master_key: bytes) -> str:
    return hashlib.sha256(b"handrail master" + master_key).hexdigest()[:8]


_cipher = functools.lru_cache(maxsize=4)(AESGCM)


def _master() -> AESGCM:
    return _cipher(settings.current().master_key)


def wrap(secret: bytes, about: str) -> bytes:
    """`secret` under the master key, for one place only: `about` names table, column and row, and must be given to read it."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _master().encrypt(nonce, secret, about.encode())


def digest(text: bytes, about: str) -> bytes:
    """32 bytes that stand for `told` where it must be known again and never read: without the master key nobody can try out what it was."""
    return hmac.digest(settings.current().master_key, f"handrail {about}|".encode() + text, "sha256")


def unwrap(sealed: bytes, about: str) -> bytes:
    """The inverse of `wrap`. Raises Unreadable under another master key, or for bytes from another place."""
    try:
        return _master().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode())
    except (InvalidTag, ValueError):
        raise Unreadable(f"{about}: this is not the master key it was sealed with") from None


def subject_of(collection: str, record: str) -> str:
    """The subject (`sub_…`) that this record is, with a key; made on first use."""
    known = fetch(
        "select id from console.subject where collection = %s and record = %s", (collection, record)
    )
    if known:
        return str(known[0][0])
    made = _make(collection, {record: new_id("sub")})
    return made[record] if made else subject_of(collection, record)  # another process has made it meanwhile


def subjects_of(collection: str, named: Iterable[str]) -> dict[str, str]:
    """Record → subject, with keys, of many records; those that are new are made, a thousand at once."""
    table, wanted, found = tables.subject, list(dict.fromkeys(named)), dict[str, str]()
    with hot_engine().connect() as connection:
        for start in range(0, len(wanted), MOST_AT_ONCE):
            chunk = wanted[start : start + MOST_AT_ONCE]
            known = sa.select(table.c.record, table.c.id).where(
                table.c.collection == collection, table.c.record.in_(chunk)
            )
            found |= {row.record: row.id for row in connection.execute(known)}
            made = {record: new_id("sub") for record in chunk if record not in found}
            if made:
                found |= _make(collection, made)
            if any(record not in found for record in made):  # others have made them meanwhile
                found |= {row.record: row.id for row in connection.execute(known)}
    load(found.values())
    return found


def _make(collection: str, named: Mapping[str, str]) -> dict[str, str]:
    """Record → subject of those that were made, each with a key; records that have a subject by now are left out."""
    keys = {subject: AESGCM.generate_key(256) for subject in named.values()}
    wrapped = [wrap(key, f"subject|wrapped|{subject}") for subject, key in keys.items()]
    made = dict(fetch(_MAKE, (collection, master_id(), list(keys), list(named), wrapped)))
    now = time.monotonic()
    for subject in made.values():
        _keep(subject, AESGCM(keys[subject]), now)
    return made


def of_person(person: str) -> str:
    """The subject that this person of the console is; asked for with each event of theirs that holds values, so it is kept as long as its key."""
    source, at, subject = _persons.get(person, (None, 0.0, ""))
    now = time.monotonic()
    if source is not hot_engine() or now - at >= KEPT_S:
        subject = subject_of("person", person)
        if len(_persons) >= KEPT_MOST:
            _persons.clear()
        _persons[person] = (hot_engine(), now, subject)
    return subject


def existing_subject(collection: str, record: str) -> str | None:
    """The subject that this record is, None where nothing was ever held about it, or it was erased."""
    table = tables.subject.c
    found: str | None = read_value(
        sa.select(table.id).where(table.collection == collection, table.record == record)
    )
    return found


def ref(collection: str, record: str) -> str:
    """The random name (`rec_…`) of a record whose key is itself personal; it leads back only while the subject's row stands."""
    return "rec_" + subject_of(collection, record).removeprefix("sub_")


def record_behind(collection: str, named: str) -> str | None:
    """The key of the record of this random name (`rec_…`); None where its subject was erased."""
    table = tables.subject.c
    wanted = sa.select(table.record).where(
        table.collection == collection, table.id == "sub_" + named.removeprefix("rec_")
    )
    found: str | None = read_value(wanted)
    return found


def load(wanted: Iterable[str]) -> None:
    """Bring the keys of these subjects into memory with one statement, before many values are opened."""
    now, asked = time.monotonic(), set(wanted)
    lacking = sorted(
        subject for subject in asked if subject not in _kept or now - _kept[subject][0] >= KEPT_S
    )
    if not lacking:
        return
    if (
        len(_kept) + len(lacking) > KEPT_MOST
    ):  # room for all of them at once, or those that are here would go when the others come
        with _lock:
            _kept.clear()
        lacking = sorted(asked)
    stored = dict(fetch("select id, wrapped from console.subject where id = any(%s)", (lacking,)))
    for subject in set(lacking) - set(stored):
        forget(subject)
    for subject, wrapped in stored.items():
        _keep(subject, AESGCM(unwrap(wrapped, f"subject|wrapped|{subject}")), now)


def _keep(subject: str, key: AESGCM, now: float) -> None:
    with _lock:
        if len(_kept) >= KEPT_MOST:
            _kept.clear()
        _kept[subject] = (now, key)


def _key(subject: str) -> AESGCM:
    now = time.monotonic()
    kept = _kept.get(subject)
    if kept and now - kept[0] < KEPT_S:
        return kept[1]
    stored = fetch("select wrapped from console.subject where id = %s", (subject,))
    if not stored:
        forget(subject)
        raise Unreadable(f"{subject} was erased")
    key = AESGCM(unwrap(stored[0][0], f"subject|wrapped|{subject}"))
    _keep(subject, key, now)
    return key


def erased(subject: str) -> bool:
    """Whether nothing can be kept about this subject any more."""
    try:
        _key(subject)
    except Unreadable:
        return True
    return False


def forget(subject: str) -> None:
    """Drop the key from this process's memory; the next use reads it anew."""
    with _lock:
        _kept.pop(subject, None)
        for person in [person for person, (*_, whose) in list(_persons.items()) if whose == subject]:
            _persons.pop(person, None)


def seal(subject: str, about: str, value: Any) -> tuple[str, bytes, bytes]:
    """(key id, nonce, ciphertext) of a JSON value under the subject's key; `about` names the one place where it belongs."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return master_id(), nonce, _key(subject).encrypt(nonce, _packed(value), f"{about}|{subject}".encode())


def seal_columns(subject: str, about: str, value: Any) -> dict[str, Any]:
    """Return the columns of a row that hold a value under the subject's key, by name."""
    kid, nonce, ciphertext = seal(subject, about, value)
    return {"subject": subject, "kid": kid, "nonce": nonce, "ct": ciphertext}


def _packed(value: Any) -> bytes:
    """The value as JSON; a whole number beyond 64 bits, which no column takes, by its digits."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return orjson.dumps(_spelled(value))


def _spelled(value: Any) -> Any:
    match value:
        case dict():
            return {name: _spelled(part) for name, part in value.items()}
        case list() | tuple():
            return [_spelled(part) for part in value]
        case int() if not -(2**63) <= value < 2**64:
            return str(value)
    return value


def unseal(subject: str, about: str, nonce: bytes, ciphertext: bytes) -> Any:
    """The JSON value again. Raises Unreadable where the subject was erased."""
    try:
        return orjson.loads(
            _key(subject).decrypt(bytes(nonce), bytes(ciphertext), f"{about}|{subject}".encode())
        )
    except InvalidTag:
        raise Unreadable(f"{about}: not what was sealed for {subject}") from None


def lock(subject: str, about: str, content: bytes) -> bytes:
    """Bytes under the subject's key, the nonce in front; `about` names the one place where they belong."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _key(subject).encrypt(nonce, content, f"{about}|{subject}".encode())


def unlock(subject: str, about: str, locked: bytes) -> bytes:
    """The bytes again. Raises Unreadable where the subject was erased, or they are not what was written."""
    try:
        return _key(subject).decrypt(
            locked[:NONCE_BYTES], locked[NONCE_BYTES:], f"{about}|{subject}".encode()
        )
    except (InvalidTag, ValueError):
        raise Unreadable(f"{about}: not what was locked for {subject}") from None
