"""Files of lists, made in the background: asked for and judged, written by a worker with its progress told, kept for a day for one person.

The bytes lie in the data folder in parts, each encrypted under the key of the person who asked; nobody else may fetch them, and they are
fetched only as long as that person may still take the records away. A file is written from its beginning again where a process died over it.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from console import log
from console.auth import accounts, notify
from console.auth.access import narrowing
from console.browse import list_export, list_tables, record_lists
from console.browse.list_export import ListExport
from console.browse.record_lists import BrowseQuery
from console.core.actor import Actor
from console.core.errors import ConsoleError, NotAllowed, NotFound, SourceDown, TooMany
from console.core.moments import READER_ZONE
from console.formats import Look
from console.infra import jobs, settings, subjects
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.infra.jobs import background
from console.infra.jobs.background import DONE, Stopping, Work

Form = Literal["csv", "xlsx"]
FORMS: tuple[Form, ...] = ("csv", "xlsx")
KEPT = timedelta(hours=24)
FOLDER = "exports"
AT_ONCE = 3
"""Files of one person that may be waited for at once."""
PART = 1 << 20
table = tables.list_export


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFile(Work):
    """A file that somebody asked for, with its records counted, and until when it is kept.

    `rights`: what stands for the rights with which it was asked for.
    """

    collection: str
    form: Form
    query: BrowseQuery
    rights: str
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


class _ListFiles(background.SealedKind[ListFile]):
    job, table, about, tries_again = jobs.EXPORT, table, "list export", False
    missing = (
        "There is no such file, or it has expired: files are kept for a day. Ask for it again on its list."
    )

    def conditions(self) -> Sequence[sa.ColumnElement[bool]]:
        return (table.c.expires_at > log.now(),)

    def open(self, row: sa.Row[Any], asked: Mapping[str, Any]) -> ListFile:
        question = {name: value for name, value in asked.items() if name != "rights"}
        fields = None if question["fields"] is None else tuple(question["fields"])
        return ListFile.from_row(
            row,
            form=row.format,
            query=BrowseQuery(**question | {"fields": fields}),
            rights=asked.get("rights", ""),
        )

    def perform(self, work: ListFile, actor: Actor, stopping: Stopping) -> None:
        export = _judged(actor, work)
        before = READER_ZONE.set(
            actor.zone
        )  # moments in titles stand on the clock of the person, as on their pages
        try:
            parts = _write(work, export, self.progress(work.id, stopping))
        finally:
            READER_ZONE.reset(before)
        self.change(
            work.id, parts=parts, done=sa.func.coalesce(table.c.total, table.c.done)
        )  # a short file ends before it is told of

    def words(self, error: ConsoleError) -> str:
        """Return why it is not made. Once it has ended nobody asks a source again for it, whatever the error says."""
        if isinstance(error, SourceDown) and "since" in error.extra:
            source = error.extra["source"]
            return f"The data source {source} stopped answering. Nothing of the file is kept: make it again once the source answers."
        return super().words(error)

    def ended(self, work: ListFile, status: str) -> None:

        if status == self.stopped:
            shutil.rmtree(_place(work.id), ignore_errors=True)
        else:
            notify.notify([work.person], "export_ended", work.id, link=f"/exports/{work.id}", mail=False)


FILES = _ListFiles()
advance = FILES.advance


def ask(actor: Actor, collection_id: str, query: BrowseQuery, form: Form) -> str:
    """Have the list made into a file; its id. Raises NotFound, NotAllowed, Malformed as for the list, TooMany while others are under way."""
    export = list_export.require_list(actor, collection_id, query)
    export_id, now = new_id("exp"), log.now()
    counted = record_lists.count(actor, collection_id, export.query)
    row = {
        "id": export_id,
        "person": actor.id,
        "collection": collection_id,
        "format": form,
        "total": counted.total if counted.total <= record_lists.CAP else counted.about,
        "created_at": now,
        "expires_at": now + KEPT,
    }
    asked = asdict(export.query) | {"rights": _rights(actor.id, export)}
    with transaction() as connection:
        under_way = (
            sa.select(sa.func.count()).select_from(table).where(table.c.person == actor.id, FILES.open_rows())
        )
        if connection.execute(under_way).scalar_one() >= AT_ONCE:
            raise TooMany(
                f"{AT_ONCE} files of yours are being made already. Wait for one of them, or stop it.",
                retry_after=30,
            )
        FILES.add(connection, **row, **FILES.seal(export_id, actor.id, asked))
    list_export.note(export, form)
    return export_id


def get(actor: Actor, export_id: str) -> ListFile:
    """The file that this person asked for. Raises NotFound for anybody else, for a key that may not take these records away, and once it has expired."""
    found = FILES.get(export_id)
    if found.person != actor.id or not narrowing.within(actor, f"collection:{found.collection}", "export"):
        raise NotFound(FILES.missing)
    return found


def retry_export(actor: Actor, export_id: str) -> str:
    """Have a file that was not made, was stopped or is not handed out any more, made anew; its id. Raises NotFound, and as `ask` does."""
    found = get(actor, export_id)
    kept = found.under_way or (found.ready and not refusal(actor, found))
    return export_id if kept else ask(actor, found.collection, found.query, found.form)


def stop(actor: Actor, export_id: str) -> None:
    """Make no more of it. Raises NotFound for anybody but who asked for it."""
    get(actor, export_id)
    FILES.stop(export_id)


def parts(actor: Actor, export_id: str) -> Iterator[bytes]:
    """The bytes of a finished file. Raises NotFound, and NotAllowed where the person may not take just these records and fields away any more."""
    found = get(actor, export_id)
    _judged(actor, found)
    place = _place(export_id)
    if not found.ready or not place.exists():
        raise NotFound(
            "This file is not there: it is not ready, or has expired. Ask for it again on its list."
        )
    return _unlocked(found, place)


def refusal(actor: Actor, found: ListFile) -> str:
    """Why a finished file is not handed out now; "" where it is."""
    try:
        _judged(actor, found)
    except ConsoleError as error:
        return error.words
    return ""


def _judged(actor: Actor, found: ListFile) -> ListExport:
    """The list of the file, as it may be taken away now. Raises as `list_export.require_list` does, and NotAllowed where that is not what was asked for."""
    export = list_export.require_list(actor, found.collection, found.query)
    if _rights(found.person, export) != found.rights:
        raise NotAllowed(list_export.CHANGED)
    return export


def _rights(person: str, export: ListExport) -> str:
    """The rights of the person, whom the worker acts for, whatever key asks: that is judged by itself."""
    return list_export.require_list(
        accounts.actor_of_person(person, "sys:engine"), export.collection.id, export.query
    ).rights


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


def _write(found: ListFile, export: ListExport, progress: Callable[[int], None]) -> int:
    """Write the parts of the file; how many. Raises PutBack, Stopped."""
    place, look = _place(found.id), Look.of(export.actor)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, mode=0o700)
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
        sealed = subjects.lock(
            self._subject, _about(self._id, self._count, last=last), bytes(self._left[:size])
        )
        (self._place / str(self._count)).write_bytes(sealed)
        del self._left[:size]
        self._count += 1


def _about(export_id: str, number: int, *, last: bool) -> str:
    return f"list export|{export_id}|{number}|{'last' if last else 'more follow'}"


def _folder() -> Path:
    return settings.current().data_dir / FOLDER


def _place(export_id: str) -> Path:
    """Where the parts of a file lie."""
    return _folder() / export_id
