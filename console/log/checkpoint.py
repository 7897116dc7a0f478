"""Checkpoints: size and root of the log's tree as a text signed with Ed25519, which an outsider keeps and checks with the public key alone.

Pure. The text is a signed note as in C2SP tlog-checkpoint: origin, size, root in base64, an empty line, one signature line for
each key. The origin is the name of the log and of its keys. Strict: a note that is written in any other way is refused.
Source: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint; the form is in docs/reference/log-format.md.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"  # the type of a signature of this kind, in key ids and verifier keys
ID_BYTES = 4
ROOT_BYTES = 32
LONGEST = 64 * 1024  # characters of a note: several hundred signatures
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_LINE = re.compile(r"— ([^ ]+) ([A-Za-z0-9+/]+={0,2})")


class Malformed(ValueError):
    """The text is no checkpoint, or no verifier key; the message says what is wrong with it."""


class Unsigned(ValueError):
    """The checkpoint carries no signature by that key, or one that does not fit."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a key: `name` is the origin of the log, `id` four bytes that name the key in a signature line, `public` 32 bytes."""

    name: str
    id: bytes
    public: bytes

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log `origin` has `size` events, and the tree over them this `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed: three lines, each with its line end."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name, its id (4 bytes), the signature (64 bytes where it is Ed25519)."""

    name: str
    id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint as it was read, with its signatures in their order; nothing of it is verified."""

    checkpoint: Checkpoint
    signatures: tuple[Signature, ...]


def check_name(name: str) -> str:
    """The origin of a log, or the name of a key. Raises Malformed where it is empty or holds a space, a `+` or a control character."""
    if not name or "+" in name or any(char.isspace() or not char.isprintable() for char in name):
        raise Malformed(
            f"{name!r} cannot name a log: it must not be empty nor hold spaces, plus signs or control characters"
        )
    return name


def verifier_key(origin: str, seed: bytes) -> VerifierKey:
    """The verifier key of the signing key that these 32 bytes are (`settings.signing_key`). Raises Malformed for a bad origin."""
    return _key(
        check_name(origin), Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    )


def _key(name: str, public: bytes) -> VerifierKey:
    return VerifierKey(
        name, hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:ID_BYTES], public
    )


def parse_key(text: str) -> VerifierKey:
    """The verifier key that `origin+id+base64(0x01 ‖ public key)` spells. Raises Malformed.

    Divided at the first two plus signs: base64 may hold more.
    """
    parts = text.split("+", 2)
    data = _unbase64(parts[2]) if len(parts) == 3 else b""
    if len(data) != 33 or data[:1] != ED25519:
        raise Malformed(
            "a verifier key is written origin+id+base64, of 32 bytes of an Ed25519 key after a byte 1"
        )
    key = _key(check_name(parts[0]), data[1:])
    if parts[1] != key.id.hex():
        raise Malformed(f"the verifier key calls itself {parts[1]}, but its id is {key.id.hex()}")
    return key


def sign(origin: str, size: int, root: bytes, keys: Sequence[bytes]) -> str:
    """The checkpoint as a note signed by each of the keys (32 seed bytes each; several at a change of key, the older first).

    Raises Malformed for an origin, size or root that no checkpoint can hold, or without a key.
    """
    if len(root) != ROOT_BYTES or not 0 <= size < 10**18 or not keys:
        raise Malformed("a checkpoint has a size of 0 or more, a root of 32 bytes and a key that signs it")
    text = Checkpoint(check_name(origin), size, root).text
    lines = []
    for seed in keys:
        signature = Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode())
        lines.append(f"— {origin} {base64.b64encode(verifier_key(origin, seed).id + signature).decode()}\n")
    return f"{text}\n{''.join(lines)}"


def parse(text: str) -> Note:
    """The note, unverified. Raises Malformed for anything but three lines, an empty one, and one or more signature lines, each with its end."""
    if len(text) > LONGEST:
        raise Malformed("longer than any checkpoint")
    lines = text.split("\n")
    if len(lines) < 6 or lines[3] or lines[-1]:
        raise Malformed(
            "a checkpoint is origin, size, root, an empty line and signature lines, each with a line's end"
        )
    origin, size, root = lines[:3]
    if not _SIZE.fullmatch(size):
        raise Malformed(f"{size[:40]!r} is no size: decimal digits without leading zeros")
    head = _unbase64(root)
    if len(head) != ROOT_BYTES:
        raise Malformed("the root is not 32 bytes in base64")
    return Note(
        Checkpoint(check_name(origin), int(size), head), tuple(_signature(line) for line in lines[4:-1])
    )


def _signature(line: str) -> Signature:
    form = _LINE.fullmatch(line)
    raw = _unbase64(form[2]) if form else b""
    if form is None or len(raw) <= ID_BYTES:
        raise Malformed(
            "a signature line is an em dash, a space, the name of the key, a space, and id and signature in base64"
        )
    return Signature(check_name(form[1]), raw[:ID_BYTES], raw[ID_BYTES:])


def _unbase64(text: str) -> bytes:
    """The bytes, where the text is the one way to write them; nothing where it is not."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if base64.b64encode(raw).decode() == text else b""


def verified(text: str, key: VerifierKey | str) -> Checkpoint:
    """The checkpoint that this note is, once the key has been found to have signed it; signatures by other keys are passed over.

    Raises Malformed for what is no checkpoint or no verifier key, Unsigned where the key has not signed it, where one of its
    signatures does not fit, or where the log bears another name than the key.
    """
    trusted = parse_key(key) if isinstance(key, str) else key
    note = parse(text)
    of_key = [
        each.signature for each in note.signatures if (each.name, each.id) == (trusted.name, trusted.id)
    ]
    if note.checkpoint.origin != trusted.name or not of_key:
        raise Unsigned(
            f"the checkpoint of {note.checkpoint.origin} is not signed by {trusted.name}+{trusted.id.hex()}"
        )
    public = Ed25519PublicKey.from_public_bytes(trusted.public)
    for signature in of_key:
        try:
            public.verify(signature, note.checkpoint.text.encode())
        except InvalidSignature:
            raise Unsigned(
                f"a signature by {trusted.name}+{trusted.id.hex()} does not fit the checkpoint"
            ) from None
    return note.checkpoint
