"""The canonical bytes of an event, their hash, and the commitments that stand in them for personal values.

Format: docs/reference/events.md. Canonical form is RFC 8785 (JSON Canonicalization Scheme), narrowed: no floats, integers
below 2^53, valid Unicode. Hash of a body: SHA-256(0x00 ‖ body), the leaf hash of RFC 6962. A commitment is SHA-256(salt ‖ canonical value), salt 16 random bytes.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

VERSION = 1
SAFE = 2**53
SALT_BYTES = 16
DEEPEST = 100
TOO_DEEP = "(nested too deep to be kept)"
CLIENT_IP = "client_ip"
"""The name of the sealed address from which a person or a key acted, in any event of theirs."""
OF_PEOPLE = frozenset({CLIENT_IP, "addresses"})
"""Sealed values that belong to people of the console, and go with them."""
FIRST = ""  # `prev` of a chain's first event


class NotCanonical(ValueError):
    """The value has no canonical form: a float, an integer of 2^53 or more, broken Unicode, a key that is no text."""


def canonical_value(value: Any, depth: int = 0) -> Any:
    """`value` as JSON that has a canonical form: decimals, floats and large integers as strings, broken Unicode and NUL
    replaced (no column and no JSON of the database holds a NUL).

    Lists and objects more than 100 levels deep are left out by name: an encoder and every reader after it has its limit.
    """
    kind = type(value)
    if kind is str:
        return value if value.isascii() and "\x00" not in value else _text(value)
    if value is None or kind is bool or (kind is int and -SAFE < value < SAFE):
        return value
    if kind is dict and depth <= DEEPEST:
        return {_key(key): canonical_value(item, depth + 1) for key, item in value.items()}
    if kind is list and depth <= DEEPEST:
        return [canonical_value(item, depth + 1) for item in value]
    return _rare(value, depth)


def _rare(value: Any, depth: int) -> Any:
    """`plain` of what is no everyday JSON."""
    match value:
        case int():
            return value if -SAFE < value < SAFE else str(value)
        case str():
            return _text(value)
        case float() | Decimal():
            return format(Decimal(str(value)), "f") if Decimal(str(value)).is_finite() else str(value)
        case datetime():
            return moment(value)
        case Mapping() | list() | tuple() | set() | frozenset() if depth > DEEPEST:
            return TOO_DEEP
        case Mapping():
            return {_key(key): canonical_value(item, depth + 1) for key, item in value.items()}
        case set() | frozenset():
            return [canonical_value(item, depth + 1) for item in sorted(value, key=str)]
        case list() | tuple():
            return [canonical_value(item, depth + 1) for item in value]
        case _:
            return str(value)


def _text(value: str) -> str:
    whole = value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    return whole.replace("\x00", "\ufffd") if "\x00" in whole else whole


def _key(key: Any) -> str:
    if type(key) is str and key.isascii() and "\x00" not in key:
        return key
    text = (key if isinstance(key, str) else str(key)).replace("\x00", "\ufffd")
    return (
        text
        if text.isascii()
        else "".join("\ufffd" if 0xD800 <= ord(char) < 0xE000 else char for char in text)
    )


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value of the narrowed profile. Raises NotCanonical."""
    _guard(value)
    return encoded(value)


BEYOND = re.compile(rb"[\xf0-\xf4]")
"""The first byte of a character above U+FFFF in UTF-8: only with such keys does the order of the encoder differ from RFC 8785's."""


def encoded(value: Any) -> bytes:
    """Canonical bytes of what `plain` has made, or a literal of ours: it needs no guard."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return orjson.dumps(_sorted_keys(value)) if BEYOND.search(text) else text
    except (TypeError, ValueError) as error:
        raise NotCanonical(str(error)) from error


def _sorted_keys(value: Any) -> Any:
    """The value with the keys of every object in the order of their UTF-16 code units."""
    if isinstance(value, dict):
        return {
            key: _sorted_keys(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))
        }
    return [_sorted_keys(item) for item in value] if isinstance(value, (list, tuple)) else value


def _guard(value: Any) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int:
        if not -SAFE < value < SAFE:
            raise NotCanonical(f"the integer {value} is too large; write it as a string")
    elif kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise NotCanonical(f"the key {key!r} is no string")
            _guard(item)
    elif kind is list:
        for item in value:
            _guard(item)
    else:
        raise NotCanonical(f"a {kind.__name__} has no canonical form")


def moment(at: datetime) -> str:
    """RFC 3339 in UTC with six decimals: `2026-11-20T06:30:00.123456Z`."""
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(timespec="microseconds")[:26] + "Z"


def leaf(body: bytes) -> bytes:
    """SHA-256(0x00 ‖ body): at once the link of the chain and the leaf of the tree."""
    return hashlib.sha256(b"\x00" + body).digest()


def commitment(salt: bytes, value: Any) -> str:
    """SHA-256(salt ‖ canonical value) in hexadecimal."""
    return hashlib.sha256(salt + canonical(value)).hexdigest()


def flatten(sealed: Mapping[str, Any], depth: int = 2) -> dict[str, Any]:
    """Named values, one name per field: `{"values": {"email": "a@b.c"}}` becomes `{"values/email": "a@b.c"}`.

    Objects are opened `depth` levels deep, so that one field can be masked or proved without the others. In a name `~` is
    written `~0` and `/` is `~1` (RFC 6901). An empty object stands for itself.
    """
    flat: dict[str, Any] = {}
    for name, value in sealed.items():
        if depth and name != "screen" and isinstance(value, dict) and value:
            for inner, item in flatten(value, depth - 1).items():
                flat[f"{_escape(name)}/{inner}"] = item
        else:
            flat[_escape(name)] = value
    return flat


def _escape(name: Any) -> str:
    return _key(name).replace("~", "~0").replace("/", "~1")


def unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `flatten`."""
    whole: dict[str, Any] = {}
    for path, value in flat.items():
        parts = (
            path.split("/")
            if "~" not in path
            else [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")]
        )
        *parents, last = parts
        place = whole
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return whole


@dataclass(frozen=True, slots=True)
class Frame:
    """What all events of one transition share: who, under which policy, on what.

    `actor` is `{kind, id, session, team, roles}`, `workflow` `{id, version, hash}` or None, `target` `{source, coll, key}` or None.
    `label` is what a reader has to be cleared for to find the events. `address` is the client's, and sealed as `client_ip`.
    """

    actor: Mapping[str, Any]
    policy: int
    workflow: Mapping[str, Any] | None = None
    target: Mapping[str, Any] | None = None
    request: str | None = None
    label: str | None = None
    address: str = ""


class Fact(NamedTuple):
    """Something that happened, before it has its place: `open` is readable in the body, `sealed` only committed to there.

    `told` says that both are as `plain` leaves them.
    """

    id: str
    type: str
    at: datetime
    open: Mapping[str, Any]
    sealed: Mapping[str, Any] = {}
    step: tuple[str, int] | None = None  # id of the step, number of the attempt
    cause: str | None = None
    told: bool = False


class Link(NamedTuple):
    """A fact in its chain, after the event with the hash `previous`: the bytes, their hash, the salted values kept beside them (name → (salt, value)).

    `owners`: name of a value → the person of the console whose it is, where it is not the subject's: addresses of clients.
    """

    id: str
    previous: bytes
    body: bytes
    leaf: bytes
    values: Mapping[str, tuple[bytes, Any]]
    type: str
    owners: Mapping[str, str] = {}


def link(fact: Fact, chain: str, number: int, previous: bytes, frame: Frame) -> Link:
    """The event `number` of `chain` after the event whose hash is `previous` (empty bytes for the first)."""
    flat = flatten(fact.sealed)
    if frame.address:
        flat[CLIENT_IP] = frame.address
    salts = secrets.token_bytes(SALT_BYTES * len(flat))
    values = {
        name: (
            salts[place * SALT_BYTES : (place + 1) * SALT_BYTES],
            value if fact.told else canonical_value(value),
        )
        for place, (name, value) in enumerate(flat.items())
    }
    content = {
        "v": VERSION,
        "id": fact.id,
        "type": fact.type,
        "at": moment(fact.at),
        "run": chain,
        "run_seq": number,
        "prev": previous.hex(),
        "actor": frame.actor,
        "policy": frame.policy,
        "wf": frame.workflow,
        "step": {"id": fact.step[0], "attempt": fact.step[1]} if fact.step else None,
        "target": frame.target,
        "data": {
            "open": fact.open if fact.told else canonical_value(dict(fact.open)),
            "sealed": {
                name: hashlib.sha256(salt + encoded(value)).hexdigest()
                for name, (salt, value) in values.items()
            },
        },
        "cause": fact.cause,
        "req": frame.request,
    }
    if frame.label is not None:  # events without one are the same bytes as before there were any
        content["label"] = frame.label
    body = encoded(content)
    if b"\\u0000" in body:  # in the key of a record: with it no list of the log could be made
        body = encoded(canonical_value(content))
    return Link(fact.id, previous, body, leaf(body), values, fact.type, _owners(flat, fact, frame))


def _owners(flat: Mapping[str, Any], fact: Fact, frame: Frame) -> dict[str, str]:
    causes = fact.open["caused_by"] if isinstance(fact.sealed.get("addresses"), dict) else ()
    owners = {
        f"addresses/{place}": cause["person"] for place, cause in enumerate(causes) if cause.get("person")
    }
    if CLIENT_IP in flat:
        owners[CLIENT_IP] = frame.actor["id"]
    return {name: person for name, person in owners.items() if name in flat}
