"""Files of lists, made in the background: asked for and judged, written by a worker with its progress told, kept for a day for one person.

The bytes lie in the data folder in parts, each encrypted under the key of the person who asked; nobody else may fetch them, and they are
fetched only as long as that person may still take the records away. A file is written from its beginning again where a process died over it.
"""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from console import accounts, log, queue, settings, subjects
from console.access import narrowing
from console.browse import list_export, list_tables, record_lists
from console.browse.list_export import ListExport
from console.browse.record_lists import BrowseQuery
from console.core.actor import Actor
from console.core.moments import READER_ZONE
from console.db import tables
from console.db.engine import alone, fetch, transaction
from console.db.ids import new_id
from console.errors import ConsoleError, NotAllowed, NotFound, SourceDown, TooMany
from console.formats import Look

Form = Literal["csv", "xlsx"]
FORMS: tuple[Form, ...] = ("csv", "xlsx")
KEPT = timedelta(hours=24)
FOLDER = "exports"
AT_ONCE = 3
"""Files of one person that may be waited for at once."""
PART = 1 << 20
LATER_S = 2.0
TOLD_EVERY_S = 0.5
WAITING, RUNNING, DONE, FAILED, STOPPED = "waiting", "running", "done", "failed", "stopped"
UNDER_WAY = (WAITING, RUNNING)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ListFile:
    """A file that somebody asked for: how far it is (`done` of `total` records, None: not known), and until when it is kept.

    `rights`: what stands for the rights with which it was asked for.
    """

    id: str
    person: str
    collection: str
    form: Form
    query: BrowseQuery
    rights: str
    status: str
    why: str
    done: int
    total: int | None
    parts: int
    created_at: datetime
    expires_at: datetime

    @property
    def name(self) -> str:
        """A name for the file."""
        return f"{self.collection}-{self.created_at:%Y-%m-%d}.{self.form}"

    @property
    def ready(self) -> bool:
        """Whether it can be fetched."""
        return self.status == DONE


class _Stopped(Exception):
    """Whoever asked for the file does not want it any more."""


def ask(actor: Actor, collection_id: str, query: BrowseQuery, form: Form) -> str:
    """Have the list made into a file; its id. Raises NotFound, NotAllowed, Malformed as for the list, TooMany while others are under way."""
    export = list_export.judged(actor, collection_id, query)
    kept, export_id, now = tables.list_export, new_id("exp"), log.now()
    subject = subjects.of_person(actor.id)
    kid, nonce, ciphertext = subjects.seal(
        subject, f"list export|{export_id}", asdict(export.query) | {"rights": _rights(actor.id, export)}
    )
    counted = record_lists.count(actor, collection_id, export.query)
    total = counted.total if counted.total <= record_lists.CAP else counted.about
    row = {"id": export_id, "person": actor.id, "collection": collection_id, "format": form, "total": total}
    sealed = {"subject": subject, "kid": kid, "nonce": nonce, "ct": ciphertext}
    with transaction() as connection:
        under_way = sa.select(sa.func.count()).select_from(kept).where(kept.c.person == actor.id, kept.c.status.in_(UNDER_WAY))
        if connection.execute(under_way).scalar_one() >= AT_ONCE:
            raise TooMany(f"{AT_ONCE} files of yours are being made already. Wait for one of them, or stop it.", retry_after=30)
        connection.execute(sa.insert(kept).values(**row, **sealed, created_at=now, expires_at=now + KEPT))
        queue.enqueue(connection, queue.EXPORT, export_id, dedupe_key=export_id)
    list_export.note(export, form)
    return export_id


def get(actor: Actor, export_id: str) -> ListFile:
    """The file that this person asked for. Raises NotFound for anybody else, for a key that may not take these records away, and once it has expired."""
    found = _read(export_id)
    if found is None or found.person != actor.id or not narrowing.within(actor, f"collection:{found.collection}", "export"):
        raise NotFound("There is no such file, or it has expired: files are kept for a day. Ask for it again on its list.")
    return found


def again(actor: Actor, export_id: str) -> str:
    """Have a file that was not made, was stopped or is not handed out any more, made anew; its id. Raises NotFound, and as `ask` does."""
    found = get(actor, export_id)
    kept = found.status in UNDER_WAY or (found.ready and not refusal(actor, found))
    return export_id if kept else ask(actor, found.collection, found.query, found.form)


def stop(actor: Actor, export_id: str) -> None:
    """Make no more of it. Raises NotFound for anybody but who asked for it."""
    get(actor, export_id)
    fetch("update console.list_export set status = 'stopped' where id = %s and status in ('waiting', 'running') returning 1", (export_id,))


def parts(actor: Actor, export_id: str) -> Iterator[bytes]:
    """The bytes of a finished file. Raises NotFound, and NotAllowed where the person may not take just these records and fields away any more."""
    found = get(actor, export_id)
    _judged(actor, found)
    place = _place(export_id)
    if not found.ready or not place.exists():
        raise NotFound("This file is not there: it is not ready, or has expired. Ask for it again on its list.")
    return _unlocked(found, place)


def refusal(actor: Actor, found: ListFile) -> str:
    """Why a finished file is not handed out now; "" where it is."""
    try:
        _judged(actor, found)
    except ConsoleError as error:
        return error.words
    return ""


def _judged(actor: Actor, found: ListFile) -> ListExport:
    """The list of the file, as it may be taken away now. Raises as `list_export.judged` does, and NotAllowed where that is not what was asked for."""
    export = list_export.judged(actor, found.collection, found.query)
    if _rights(found.person, export) != found.rights:
        raise NotAllowed(list_export.CHANGED)
    return export


def _rights(person: str, export: ListExport) -> str:
    """The rights of the person, whom the worker acts for, whatever key asks: that is judged by itself."""
    return list_export.judged(accounts.actor_of_person(person, "sys:engine"), export.collection.id, export.query).rights


def _unlocked(found: ListFile, place: Path) -> Iterator[bytes]:
    subject = subjects.of_person(found.person)
    for number in range(found.parts):
        about = _about(found.id, number, last=number == found.parts - 1)
        yield subjects.unlock(subject, about, (place / str(number)).read_bytes())


def sweep() -> int:
    """Forget files whose day is over, and bytes that a crash left without a row; how many rows went."""
    gone = [row[0] for row in fetch("delete from console.list_export where expires_at < now() returning id")]
    known = {row[0] for row in fetch("select id from console.list_export")}
    folder = _folder()
    for place in folder.iterdir() if folder.exists() else ():
        if place.name not in known:
            shutil.rmtree(place, ignore_errors=True)
    return len(gone)


def forget_all(connection: sa.Connection) -> None:
    """Forget every file, in the transaction that erases somebody: any of them may hold that person. Their bytes go with the next sweep."""
    connection.execute(sa.delete(tables.list_export))


# ------------------------------------------------------------------------------------------------------- in the background


def advance(export_id: str, stopping: Callable[[], bool] = lambda: False) -> None:
    """A worker's way in: writes the file with the rights of who asked for it. Raises PutBack where the process ends before it is whole."""
    found = _read(export_id)
    if found is None or found.status not in UNDER_WAY:
        return
    with alone(export_id) as mine:
        if not mine:
            raise queue.PutBack(LATER_S)
        try:
            actor = accounts.actor_of_person(found.person, "sys:engine")
            export = _judged(actor, found)
            count = _as_read_by(actor, lambda: _write(found, export, stopping))
        except _Stopped:
            shutil.rmtree(_place(export_id), ignore_errors=True)
        except queue.PutBack:
            raise
        except ConsoleError as error:
            _end(export_id, FAILED, _reason(error))
        except Exception:  # noqa: BLE001 (whatever it was, whoever waits for the file is told)
            _log.exception("alarm: the file %s broke off", export_id)
            _end(export_id, FAILED, "It broke off by a fault of ours, which was written down. Ask for it again.")
        else:
            _end(export_id, DONE, "", parts=count)


def _reason(error: ConsoleError) -> str:
    """Why it is not made. Once it has ended nobody asks a source again for it, whatever the error says."""
    if isinstance(error, SourceDown) and "since" in error.extra:
        return f"The data source {error.extra['source']} stopped answering. Nothing of the file is kept: make it again once the source answers."
    return error.words


def _as_read_by(actor: Actor, made: Callable[[], int]) -> int:
    """What is made with the moments in titles on the clock of the person, as on their pages."""
    before = READER_ZONE.set(actor.zone)
    try:
        return made()
    finally:
        READER_ZONE.reset(before)


def _write(found: ListFile, export: ListExport, stopping: Callable[[], bool]) -> int:
    """Write the parts of the file; how many. Raises PutBack, _Stopped."""
    place, look = _place(found.id), Look.of(export.actor)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, mode=0o700)
    told: float | None = None

    def progress(done: int) -> None:
        nonlocal told
        if stopping():
            raise queue.PutBack(LATER_S)
        if told is None or time.monotonic() - told >= TOLD_EVERY_S:
            told = time.monotonic()
            if not fetch(
                "update console.list_export set status = 'running', done = %s where id = %s and status in ('waiting', 'running') returning 1",
                (done, found.id),
            ):
                raise _Stopped

    parts = _Parts(found, place)
    if found.form == "csv":
        list_tables.write_csv(export, look, parts, progress)
        return parts.end()
    with tempfile.TemporaryDirectory(dir=place) as temporary:
        plain = Path(temporary) / "list"
        list_tables.write_spreadsheet(export, look, plain, progress)
        with plain.open("rb") as file:
            while piece := file.read(PART):
                parts.write(piece)
        return parts.end()


class _Parts:
    """A file that is encrypted in parts as it is written. Each part knows its number and whether it is the last one, so that none can be left out."""

    def __init__(self, found: ListFile, place: Path) -> None:
        self._id, self._place, self._subject = found.id, place, subjects.of_person(found.person)
        self._left, self._count = bytearray(), 0

    def write(self, data: bytes) -> None:
        self._left += data
        while len(self._left) > PART:
            self._seal(PART, last=False)

    def end(self) -> int:
        """Write the last part; how many there are."""
        self._seal(len(self._left), last=True)
        return self._count

    def _seal(self, size: int, *, last: bool) -> None:
        sealed = subjects.lock(self._subject, _about(self._id, self._count, last=last), bytes(self._left[:size]))
        (self._place / str(self._count)).write_bytes(sealed)
        del self._left[:size]
        self._count += 1


def _end(export_id: str, status: str, why: str, *, parts: int = 0) -> None:
    """Say that the file has come to its end, and tell the person. All records are done then: progress is told every few seconds, and a short file ends before."""
    from console.work import notices

    rows = fetch(
        "update console.list_export set status = %s, why = %s, parts = %s, done = case when %s then coalesce(total, done) else done end"
        " where id = %s and status in ('waiting', 'running') returning person",
        (status, why, parts, status == DONE, export_id),
    )
    if rows:
        notices.tell([rows[0][0]], "export_ended", export_id, link=f"/exports/{export_id}", mail=False)


def _read(export_id: str) -> ListFile | None:
    """The file with this id, unless it has expired or its question can no longer be read."""
    kept = tables.list_export
    if "\x00" in export_id:
        return None
    with transaction() as connection:
        row = connection.execute(sa.select(kept).where(kept.c.id == export_id, kept.c.expires_at > log.now())).first()
    if row is None:
        return None
    try:
        question = subjects.unseal(row.subject, f"list export|{row.id}", row.nonce, row.ct)
    except subjects.Unreadable:
        return None
    rights = question.pop("rights", "")
    query = BrowseQuery(**question | {"fields": None if question["fields"] is None else tuple(question["fields"])})
    told_by_row = {name: getattr(row, name) for name in ("id", "person", "collection", "status", "why", "done", "total", "parts")}
    return ListFile(form=row.format, query=query, rights=rights, created_at=row.created_at, expires_at=row.expires_at, **told_by_row)


def _about(export_id: str, number: int, *, last: bool) -> str:
    return f"list export|{export_id}|{number}|{'last' if last else 'more follow'}"


def _folder() -> Path:
    return settings.current().data_dir / FOLDER


def _place(export_id: str) -> Path:
    """Where the parts of a file lie."""
    return _folder() / export_id
