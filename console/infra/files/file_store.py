"""The files that people handed in: a row for each, its bytes encrypted in the data folder under the key of whom they are about.

The same bytes about the same subject are kept once. Who erases a subject takes its key, its rows and its bytes away; a crash in between leaves bytes that
nobody can open, and `sweep` removes those. Several machines share the folder, as they share the database.
"""

import hashlib
import os
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core import media
from console.core.errors import NotFound
from console.infra import faults, settings, subjects
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.infra.db.run_reach import EVERY_RUN
from console.infra.files import file_type, virus_scan

FOLDER = "files"
REST = 62  # of a place, after the two characters that name its shelf
YOUNG_S = 3600  # bytes without a row may be those of somebody who is about to write it


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as it is kept. `run` (or a note's id) and `request` say where it was handed in, `slot` under which name there; `pages` None: it cannot be shown.

    `by` is the person who sent it, None for somebody outside, with `sender` in the words of who entered it for them.
    """

    id: str
    subject: str
    run: str
    request: str | None
    slot: str
    name: str
    media_type: str
    sha256: str
    bytes: int
    pages: int | None
    scanned: bool
    by: str | None
    sender: str | None
    at: datetime

    @property
    def value(self) -> dict[str, Any]:
        """The file as it stands in a run."""
        return {
            "file": self.id,
            "name": self.name,
            "media_type": self.media_type,
            "sha256": self.sha256,
            "bytes": self.bytes,
        }

    @property
    def place(self) -> str:
        """The name of its bytes below the folder."""
        return _place(self.subject, self.sha256)


_COLUMNS = ", ".join(f'"{entry.name}"' for entry in fields(Stored))
_OVER = f"{{0}}.run in (select r.id from {EVERY_RUN.sql()} where r.ended_at < %s) and not exists (select from console.hold h where h.subject = {{0}}.subject)"  # noqa: S608 (a text of ours)
_FIND = f"select {_COLUMNS} from console.file where "  # noqa: S608 (names of ours)


def put(
    subject: str, content: bytes, name: str, allowed: Sequence[str], *, run: str, slot: str, **more: Any
) -> Stored:
    """Keep a file as `check` has it. The same one sent again to the same place is the same file. Raises what `check` raises."""
    made = replace(check(content, name, allowed, slot=slot, **more), subject=subject, run=run)
    with transaction() as connection:
        connection.execute(
            sa.text("select pg_advisory_xact_lock(hashtextextended(:place, 0))"),
            {"place": f"{run}|{made.request}|{slot}"},
        )
        if (same := _same(connection, made)) is not None:
            return same
        add(connection, made, content)
    return made


def check(
    content: bytes,
    name: str,
    allowed: Sequence[str],
    *,
    slot: str,
    now: datetime,
    request: str | None = None,
    by: str | None = None,
    sender: str | None = None,
) -> Stored:
    """The row of a file of one of the `allowed` kinds, with a new id, still without `subject` and `run`. Nothing is kept.

    Raises Refused or Infected with a sentence for who sent it, IntegrationError where the virus scanner is set and does not answer.
    """
    configured = settings.current()
    shown = file_type.name_of(name)
    if len(content) > configured.file_mb * 1_000_000:
        raise file_type.Refused(
            f"“{shown}” has {media.size(len(content))}; at most {configured.file_mb} MB are taken. Send it smaller, or in parts."
        )
    whole, media_type, pages = file_type.examine(content, shown, allowed)
    scanned = virus_scan.scan(content, whole)
    digest = hashlib.sha256(content).hexdigest()
    return Stored(
        new_id("fil"),
        "",
        "",
        request,
        slot,
        whole,
        media_type,
        digest,
        len(content),
        pages,
        scanned,
        by,
        sender,
        now,
    )


def add(connection: Connection, made: Stored, content: bytes) -> None:
    """Write the bytes, and the row in the caller's transaction: where that is taken back, `sweep` removes the bytes."""
    write(_file(made.place), subjects.lock(made.subject, f"file|{made.place}", content))
    connection.execute(
        sa.insert(tables.file).values(
            place=made.place, **{entry.name: getattr(made, entry.name) for entry in fields(made)}
        )
    )
    faults.point("files.added")


def _same(connection: Connection, made: Stored) -> Stored | None:
    """The file that is there with the same bytes at the same place."""
    where = _FIND + "run = %s and request is not distinct from %s and slot = %s and sha256 = %s"
    row = connection.exec_driver_sql(where, (made.run, made.request, made.slot, made.sha256)).first()
    return Stored(*row) if row else None


def write(file: Path, sealed: bytes) -> None:
    """On the disk before anything speaks of it; two at once write the same."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = file.with_name(f"{file.name}.{new_id('part')}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(sealed)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)


def _place(subject: str, digest: str) -> str:
    """Of both, so that the name of the bytes tells neither what they are nor that somebody else has them too."""
    return hashlib.sha256(f"{subject}|{digest}".encode()).hexdigest()


def _file(place: str) -> Path:
    return settings.current().data_dir / FOLDER / place[:2] / place[2:]


def find(file_id: str) -> Stored:
    """The file's row. Raises NotFound."""
    rows = fetch(_FIND + "id = %s", (file_id,)) if "\x00" not in file_id else []
    if not rows:
        raise NotFound
    return Stored(*rows[0])


def of_run(run: str) -> list[Stored]:
    """Everything that was handed in with the run, the oldest first."""
    return [Stored(*row) for row in fetch(_FIND + "run = %s order by at, id", (run,))]


def of_runs(ids: Collection[str]) -> list[Stored]:
    """Everything that was handed in with these runs or notes, the oldest first."""
    return (
        [Stored(*row) for row in fetch(_FIND + "run = any(%s) order by at, id", (list(ids),))] if ids else []
    )


def of_request(request: str) -> list[Stored]:
    """Everything that came for the request, the oldest first."""
    return [Stored(*row) for row in fetch(_FIND + "request = %s order by at, id", (request,))]


def has_bytes(stored: Stored) -> bool:
    """Whether its bytes are where they belong: neither erased nor expired."""
    return _file(stored.place).is_file()


def content(stored: Stored) -> bytes:
    """The bytes as they were sent. Raises NotFound where they were erased, or the folder does not hold them."""
    try:
        return subjects.unlock(stored.subject, f"file|{stored.place}", _file(stored.place).read_bytes())
    except (OSError, subjects.Unreadable):
        raise NotFound(f"“{stored.name}” is no longer there: it was erased, or its time is over.") from None


def remove(file_id: str) -> None:
    """Take a file away that is not handed in yet."""
    _removed("id = %s", (file_id,))


def forget(connection: Connection, subject: str) -> list[str]:
    """Delete the rows of a subject, and requests about it, in the transaction that erases it; places of bytes, for `release` after it."""
    connection.execute(sa.delete(tables.document_request).where(tables.document_request.c.subject == subject))
    rows = connection.execute(
        sa.delete(tables.file).where(tables.file.c.subject == subject).returning(tables.file.c.place)
    )
    return [row.place for row in rows]


def release(places: Collection[str]) -> None:
    """Delete the bytes of rows that are gone."""
    for place in places:
        _file(place).unlink(missing_ok=True)


def stored_files() -> Iterator[tuple[str, Path]]:
    """(name below the data folder, file) of all bytes that are kept, as a backup takes them."""
    folder = settings.current().data_dir / FOLDER
    for shelf in sorted(folder.iterdir()) if folder.is_dir() else ():
        yield from (
            (f"{FOLDER}/{shelf.name}/{file.name}", file)
            for file in sorted(shelf.iterdir())
            if len(file.name) == REST
        )


def restore(name: str, content: IO[bytes]) -> None:
    """Put bytes back that a backup held under this name; those that are here are the same."""
    file = settings.current().data_dir / name
    if not file.exists():
        write(file, content.read())


def expire(before: datetime) -> int:
    """Delete the files of runs that ended before this moment, and requests for them, except those of subjects under a hold; how many files."""
    fetch(f"delete from console.document_request d where {_OVER.format('d')} returning d.id", (before,))  # noqa: S608 (a text of this file)
    return _removed(_OVER.format("file"), (before,))


def sweep() -> int:
    """Delete what nobody handed in, a day after its run ended, and bytes that belong to no row; how many files and bytes went."""
    gone = _removed(
        f"run in (select r.id from {EVERY_RUN.sql()} where r.ended_at < now() - interval '1 day') and request is null and not exists "  # noqa: S608 (a text of ours)
        '(select from console.attempt a where a.run = file.run and strpos(a."values"::text, file.id) > 0)',
        (),
    )
    folder = settings.current().data_dir / FOLDER
    for shelf in sorted(folder.iterdir()) if folder.is_dir() else ():
        old = {
            file.name[:REST]: file for file in shelf.iterdir() if file.stat().st_mtime < time.time() - YOUNG_S
        }
        rows = fetch("select place from console.file where place like %s", (f"{shelf.name}%",)) if old else ()
        kept = {row[0][2:] for row in rows}
        for name in old.keys() - kept:
            old[name].unlink(missing_ok=True)
            gone += 1
    return gone


def _removed(where: str, given: Sequence[Any]) -> int:
    """Delete rows, and the bytes that no other row needs."""
    rows = fetch(f"delete from console.file where {where} returning place", given)  # noqa: S608 (texts of this file)
    for (place,) in set(rows):
        if not fetch("select 1 from console.file where place = %s limit 1", (place,)):
            _file(place).unlink(missing_ok=True)
    return len(rows)
