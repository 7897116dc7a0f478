"""A backup of the console as one archive: its database in one snapshot, the files that belong to its state, and a signed account of both.

A zip file that any tool opens. No key is in it: the manifest names those that are needed. The users' own databases are not in it
either, nor the papers and databases of the demo, which `console demo load` makes again.
"""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import re
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from console import __version__, log
from console.activity import sequencing
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid
from console.infra import files, settings, subjects
from console.infra.db import dump, engine, migrate, release, timelines
from console.log import checkpoint, tree_heads
from console.operations import erasure

FORMAT = 1
DUMP, MANIFEST, SIGNATURE, README = "database.dump", "manifest.json", "manifest.sig", "README.txt"
FILES = (sequencing.HEADS, erasure.LIST)
"""Files of the data folder that are state and no key: signed heads, and the list of what was erased."""

BLOB = re.compile(r"files/[0-9a-f]{2}/[0-9a-f]{62}")
"""Members that are files which people handed in, encrypted: each proves itself when it is opened, and none is in the manifest."""

BLOCK = 1 << 20
LONGEST_MANIFEST = 1 << 20
TOLD_S = 0.2
Progress = Callable[[str], None]
_TEXT = """A backup of Handrail.

    console restore FILE

restores it, verifies its log, erases again what was erased, and only then goes live. It needs the master key and the signing key that
manifest.json names; they are not in here. database.dump is of pg_dump's custom format (schema `console`); members are listed with their
SHA-256 in manifest.json, which is signed (Ed25519, base64) in manifest.sig. files/ holds what people handed in, encrypted. How it is meant: docs/how-to/back-up-and-restore.md
"""


class BackupError(ConsoleError):
    """A backup cannot be made, or cannot be used; the message says what is wrong with it and what is needed."""

    default_code = "backup"


@dataclass(frozen=True, slots=True)
class Made:
    """The backup: its bytes, the size of the signed log in it, and the ids of the keys that a restore needs."""

    bytes: int
    size: int
    master: str
    signing: str


def write(actor: Actor, file: Path, say: Progress = lambda _: None) -> Made:
    """Write the backup to `file`, mode 0600, also while the console serves; it appears under its name when it is whole.

    Raises Conflict where `file` is there or another backup writes it, BackupError where there is no room, DumpError where the dump fails.
    """
    settings.current().check_keys()
    part = file.with_name(file.name + ".part")
    with _part(file, part) as out:
        sequencing.catch_up(timeout_s=2.0)
        sequencing.seal()
        manifest = _about()
        with zipfile.ZipFile(out, "w") as archive:
            members = _members(archive, say)
            manifest_bytes = json.dumps(manifest | {"members": members}, indent=1).encode()
            archive.writestr(MANIFEST, manifest_bytes)
            archive.writestr(
                SIGNATURE,
                base64.b64encode(
                    Ed25519PrivateKey.from_private_bytes(settings.current().signing_key).sign(manifest_bytes)
                ),
            )
        out.flush()
        os.fsync(out.fileno())
        size = out.tell()
        log.note(actor, "backup_made", open={"bytes": size, "size": manifest["size"]})
        if file.exists():
            raise _exists_already(file)
        part.rename(file)
    return Made(size, manifest["size"], manifest["keys"]["master"], manifest["keys"]["signing"])


def _exists_already(file: Path) -> Conflict:
    return Conflict(f"{file} is there already: give another name, or move it away.", code="file_exists")


@contextmanager
def _part(file: Path, part: Path) -> Iterator[IO[bytes]]:
    """The unfinished file, ours alone; away again where it was not finished."""
    if file.exists():
        raise _exists_already(file)
    try:
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as out:
            try:
                fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(f"Another backup is being written to {part}.", code="file_exists") from None
            os.fchmod(out.fileno(), 0o600)
            out.truncate()  # what a killed backup left
            try:
                yield out
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise BackupError(
            f"{file} cannot be written: {error.strerror or error}. Make room, or give another place."
        ) from error


def _about() -> dict[str, Any]:
    """The manifest without its members. Raises BackupError where the tables are of another release."""
    given, head = settings.current(), tree_heads.newest()
    with engine.hot_engine().connect() as connection:
        version = connection.execute(sa.text("show server_version")).scalar_one()
        revision = migrate.applied(connection)
        role = sa.text(
            "select pg_get_userbyid(relowner) <> current_user and current_user = 'console' from pg_class where oid = to_regclass('console.event')"
        )
        rights = bool(connection.execute(role).scalar())
    if revision != release.newest():
        raise BackupError(
            f"The tables are at {revision or 'nothing'}, this release needs {release.newest()}: run `console migrate` first."
        )
    return {
        "format": FORMAT,
        "made_at": log.body.moment(log.now()),
        "console": __version__,
        "revision": revision,
        "postgresql": str(version).split()[0],
        "rights": rights,
        "size": head[0] if head else 0,
        "checkpoint": head[1] if head else None,
        "keys": {
            "master": subjects.master_id(),
            "signing": str(checkpoint.verifier_key(sequencing.origin(), given.signing_key)),
        },
    }


def _members(archive: zipfile.ZipFile, say: Progress) -> dict[str, str]:
    """Write them; SHA-256 by name. Signed heads are read before the snapshot, so that none is newer; what was erased after it."""
    folder = settings.current().data_dir
    sums = {README: _put(archive, README, _TEXT.encode())}
    for name in FILES:
        if name == erasure.LIST:
            sums[DUMP] = _dump(archive, say)
        if (folder / name).exists():
            sums[name] = _put(archive, name, (folder / name).read_bytes())
    for place, file in files.stored_files():  # after the snapshot: every row in it has its bytes here
        with contextlib.suppress(FileNotFoundError):  # erased this moment
            archive.write(file, place, zipfile.ZIP_STORED)
    return sums


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> str:
    archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    return hashlib.sha256(content).hexdigest()


def _dump(archive: zipfile.ZipFile, say: Progress) -> str:
    """Stored, not deflated: pg_dump has done that."""
    digest, count, said_at = hashlib.sha256(), 0, 0.0
    with archive.open(zipfile.ZipInfo(DUMP, time.localtime()[:6]), "w", force_zip64=True) as member:

        def write_block(block: bytes) -> None:
            nonlocal count, said_at
            digest.update(block)
            member.write(block)
            count += len(block)
            if time.monotonic() - said_at > TOLD_S:
                said_at = time.monotonic()
                say(f"database: {count / 1e6:,.1f} MB")

        dump.dump(timelines.pinned(engine.migration_url()), write_block)
    return digest.hexdigest()


class Archive:
    """A backup that was found to be whole, ours, and usable here."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> None:
        self.archive, self.manifest = archive, manifest

    def dump(self) -> IO[bytes]:
        """The database, as `db.dump.load` takes it."""
        return self.archive.open(DUMP)

    def text(self, name: str) -> str:
        """A file of the data folder as it was, empty where there was none."""
        return self.archive.read(name).decode(errors="replace") if name in self.manifest["members"] else ""

    def blobs(self) -> Iterator[tuple[str, IO[bytes]]]:
        """(place, bytes) of each file that people had handed in."""
        for name in filter(BLOB.fullmatch, self.archive.namelist()):
            with self.archive.open(name) as member:
                yield name, member


@contextmanager
def open_backup(file: Path, say: Progress = lambda _: None) -> Iterator[Archive]:
    """The backup, after every check that needs no database. Raises BackupError: of a newer release, other keys, changed, or no backup at all."""
    try:
        with zipfile.ZipFile(file) as archive:
            try:
                manifest, signature = _manifest(archive), archive.read(SIGNATURE)
                _check_release(manifest)
                _check_keys(manifest)
                _check_signature(archive.read(MANIFEST), signature)
                _check_members(archive, manifest["members"], say)
            except (
                KeyError,
                TypeError,
                ValueError,
                AttributeError,
                NotImplementedError,
                RuntimeError,
                EOFError,
            ) as error:
                raise BackupError(
                    f"{file} is no backup of this console, or not the whole of it ({error})."
                ) from error
            yield Archive(archive, manifest)
    except zipfile.BadZipFile as error:
        raise BackupError(f"{file} is no backup, or not the whole of it: {error}.") from error
    except OSError as error:
        raise BackupError(f"{file} cannot be read: {error.strerror or error}.") from error


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    if archive.getinfo(MANIFEST).file_size > LONGEST_MANIFEST:
        raise ValueError("its manifest is too long")
    manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
    return manifest


def _check_release(manifest: Mapping[str, Any]) -> None:
    """Older ones are migrated, newer ones cannot be read."""
    made_by, revisions = str(manifest["console"]), release.known_revisions()
    newer = _numbers(made_by) > _numbers(__version__)
    if int(manifest["format"]) > FORMAT or newer or manifest["revision"] not in revisions:
        raise BackupError(
            f"The backup was made by console {made_by} (tables {manifest['revision']}); this is {__version__} "
            f"(tables {release.newest()}). Update this one first."
        )


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:4]]


def _check_keys(manifest: Mapping[str, Any]) -> None:
    """Asked for by name before one is drawn: a data folder that is new has none yet."""
    given, wanted = settings.current(), manifest["keys"]
    for name, words, own, needed in (
        ("master_key", "encrypted under the master key", subjects.master_id, str(wanted["master"])),
        ("signing_key", "signed with the signing key", _signing, _public(str(wanted["signing"]))),
    ):
        place = given.data_dir / settings.KEYS_FOLDER / name
        is_given = getattr(given, f"given_{name}") is not None or place.exists()
        if not is_given or (have := own()) != needed:
            former = place.with_name(f"{name}-{checkpoint.parse_key(str(wanted['signing'])).id.hex()}")
            raise BackupError(
                f"The backup is {words} {needed}, and {f'the present one is {have}' if is_given else 'there is none here yet'}. "
                f"Give it as CONSOLE_{name.upper()}, or put it into {place}{f': it is in {former}' if former.exists() else ''}."
            )


def _public(verifier_key: str) -> str:
    """The part of a verifier key that is the key: the log's name may have changed since."""
    return base64.b64encode(checkpoint.parse_key(verifier_key).public).decode()


def _signing() -> str:
    return _public(str(checkpoint.verifier_key("log", settings.current().signing_key)))


def _check_signature(manifest_bytes: bytes, signature: bytes) -> None:
    public = base64.b64decode(_signing())
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            base64.b64decode(signature, validate=True), manifest_bytes
        )
    except InvalidSignature:
        raise BackupError(
            "The backup was changed after it was made: its manifest is not what was signed."
        ) from None


def _check_members(archive: zipfile.ZipFile, sums: Mapping[str, str], say: Progress) -> None:
    """Each with the hash that is signed, none missing, none more."""
    names = sorted(name for name in archive.namelist() if not BLOB.fullmatch(name))
    if names != sorted([*sums, MANIFEST, SIGNATURE]) or not {DUMP, README} <= set(sums) <= {
        DUMP,
        README,
        *FILES,
    }:
        raise BackupError(
            "The backup was changed after it was made: its files are not those of its manifest."
        )
    for name, wanted in sums.items():
        digest = hashlib.sha256()
        with contextlib.suppress(zipfile.BadZipFile), archive.open(name) as member:
            say(f"checking {name}")
            while block := member.read(BLOCK):
                digest.update(block)
        if digest.hexdigest() != wanted:
            raise BackupError(
                f"The backup was changed after it was made, or damaged on its way: {name} is not what it was."
            )


def require(archive: Archive, *, rights: bool) -> None:
    """Raise Invalid where this server has two roles and the backup was made with one: the second would have no rights in it."""
    if rights and not archive.manifest["rights"]:
        raise Invalid(
            "The backup was made with one database role, and DATABASE_URL names the application's role of two. Restore it with the one "
            "that owns the tables (leave DATABASE_MIGRATION_URL away)."
        )
