"""Documents that are edited as a shared draft and published as versions: those of collections and workspaces.

Each has at most one draft, which counts for nobody until it is published. Each change of it gets a revision and keeps what was there before, so that it
can be undone, and whoever started from an older revision is told what changed since.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from console import log
from console.core import former_documents
from console.core.actor import Actor
from console.core.documents.collections.document_changes import Change, changes
from console.core.documents.json_shape import Spot
from console.core.errors import Conflict, Invalid, NotFound
from console.core.former_documents import FormerDocument

CHAIN = "sys:config"
MOST_FORMER = 50
MOST_BYTES = 1024 * 1024
MOST_NAMED = 100


class Document(Protocol):
    """A document of either kind."""

    @property
    def hash(self) -> str:
        """The hash of its canonical bytes."""

    def canonical(self) -> bytes:
        """The bytes as they are stored and exported."""

    def to_json(self) -> dict[str, Any]:
        """The document as JSON."""


D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Draft(Generic[D]):
    """The draft of a document; `document` None: there is none. `revision` grows with each change, also across drafts.

    `former` are the previous documents of the draft, oldest first.
    """

    document: D | None
    revision: int
    changed_by: str = ""
    changed_at: datetime | None = None
    former: Sequence[FormerDocument] = ()

    @property
    def changers(self) -> Mapping[str, int]:
        """Who made the changes of the draft, the newest first, and how many."""
        return former_documents.changers(self.former, self.changed_by)


@dataclass(frozen=True, slots=True)
class Version(Generic[D]):
    """A published version. `origin`: found (before the first change on a page), page or file."""

    number: int
    document: D
    hash: str
    origin: str
    made_by: str
    made_at: datetime


class Documents(Generic[D]):
    """The drafts and versions of one kind of documents. Callers check rights, and hold the lock of the document while they change it."""

    def __init__(
        self,
        kind: str,
        drafts: sa.Table,
        versions: sa.Table,
        read: Callable[[Any], D],
        parts: Callable[[D | None], dict[str, Any]],
    ) -> None:
        """`kind` is the column of both tables that names the document; `parts` of a document, or of none, are what differences are told of."""
        self.kind, self._drafts, self._versions, self._read, self._parts = kind, drafts, versions, read, parts

    def lock(self, connection: Connection, ident: str) -> None:
        """Hold the document until the transaction ends, whether it is there or not."""
        lock = sa.text("select pg_advisory_xact_lock(hashtext(:kind), hashtext(:id))")
        connection.execute(lock, {"kind": f"console.{self.kind}", "id": ident})

    def draft(self, connection: Connection, ident: str) -> Draft[D]:
        """Return the draft of the document."""
        row = connection.execute(
            sa.select(self._drafts).where(self._drafts.c[self.kind] == ident)
        ).one_or_none()
        if row is None:
            return Draft(None, 0)
        document = None if row.document is None else self._read(row.document)
        return Draft(
            document, row.revision, row.changed_by, row.changed_at, former_documents.loaded(row.former)
        )

    def versions(self, connection: Connection, ident: str) -> list[Version[D]]:
        """Return the versions of the document, newest first."""
        table = self._versions
        rows = connection.execute(
            sa.select(table).where(table.c[self.kind] == ident).order_by(table.c.number.desc())
        )
        return [
            Version(row.number, self._read(row.document), row.hash, row.origin, row.made_by, row.made_at)
            for row in rows
        ]

    def add_version(
        self, connection: Connection, ident: str, number: int, document: D, origin: str, actor: Actor
    ) -> None:
        """Keep the document as this version."""
        text = document.canonical().decode()
        values = {
            self.kind: ident,
            "number": number,
            "document": text,
            "hash": document.hash,
            "origin": origin,
            "made_by": actor.id,
        }
        connection.execute(sa.insert(self._versions).values(values))

    def store(
        self,
        connection: Connection,
        ident: str,
        document: D | None,
        former: Sequence[FormerDocument],
        revision: int,
        actor: Actor,
    ) -> int:
        """Store the draft; return its revision."""
        values = {
            "document": document.canonical().decode() if document else None,
            "former": former_documents.stored(former),
            "revision": revision,
            "changed_by": actor.id,
            "changed_at": sa.func.now(),
        }
        insert = postgresql.insert(self._drafts).values({self.kind: ident, **values})
        connection.execute(insert.on_conflict_do_update(index_elements=[self.kind], set_=values))
        return revision

    def change(
        self, connection: Connection, ident: str, draft: Draft[D], live: D | None, document: D, actor: Actor
    ) -> int:
        """Make the document the draft and remember what was there; return the draft's revision."""
        present = draft.document or live
        former = [
            *draft.former,
            *([FormerDocument(present.canonical().decode(), actor.id)] if present else []),
        ][-MOST_FORMER:]
        return self.store(connection, ident, document, former, draft.revision + 1, actor)

    def drop(self, connection: Connection, ident: str, actor: Actor) -> None:
        """Delete the draft; its revision goes on."""
        self.store(connection, ident, None, [], self.draft(connection, ident).revision + 1, actor)

    def undone(self, draft: Draft[D], live: D | None, actor: Actor) -> tuple[D | None, list[FormerDocument]]:
        """Return the draft's document without its last change, None where that is what is published, and its former documents then.

        Raises Conflict where nothing can be undone.
        """
        if draft.document is None:
            raise Conflict("There is nothing to undo: no draft is there.", code="not_possible")
        standing = former_documents.undoable(draft.former)
        before = self._read(standing[-1].text) if standing else live
        if before is None or (
            draft.former and not standing
        ):  # of a long draft the oldest documents are not kept
            raise Conflict("There is nothing to undo.", code="not_possible")
        same = live is not None and before.canonical() == live.canonical()
        taken = FormerDocument(draft.document.canonical().decode(), actor.id, undone=True)
        former = [] if same and len(standing) > 1 else [*draft.former, taken][-MOST_FORMER:]
        return None if same else before, former

    def at(self, draft: Draft[D], revision: int) -> Draft[D]:
        """Return the draft as it was at this revision; where that is not kept, as if there were none."""
        back = draft.revision - revision
        if back == 0:
            return draft
        before = self._read(draft.former[-back].text) if 0 < back <= len(draft.former) else None
        return replace(draft, document=before, revision=revision)

    def changes(self, before: D | None, after: D | None) -> list[Change]:
        """Return what differs between two documents."""
        return changes(self._parts(before), self._parts(after))

    def changed_since(self, draft: Draft[D], revision: int, live: D | None) -> list[Change]:
        """Return what was changed since that revision of the draft."""
        return self.changes(self.at(draft, revision).document or live, draft.document or live)

    def require_revision(self, draft: Draft[D], revision: int, live: D | None, actor: Actor) -> None:
        """Raise Conflict `stale_revision` with the changes made since that revision of the draft, if there are any that were not undone."""
        back, changed = draft.revision - revision, self.changed_since(draft, revision, live)
        if back == 0 or (0 < back <= len(draft.former) and not changed):
            return
        by, words = former_documents.overtaken(
            draft.former, draft.changed_by, back, actor.id, gone=draft.document is None
        )
        reason = "Changed by you." if by == actor.id else "Changed by somebody else."
        details = [{"field": change.path, "reason": reason, "theirs": change.after} for change in changed]
        raise Conflict(words, code="stale_revision", details=details, by=by, revision=draft.revision)

    def to_publish(self, draft: Draft[D], live: D | None, compared: str | None) -> D:
        """Return the document of the draft. `compared` is the hash of the published one that its editor saw, "" for none; None does not say.

        Raises Conflict without a draft, `stale_revision` where another version was published since.
        """
        if draft.document is None:
            raise Conflict("There is nothing to publish: no draft is there.", code="not_possible")
        if compared is not None and compared != (live.hash if live else ""):
            raise Conflict(
                "Another version was published in the meantime. Look at the changes again, which now compare with it; nothing was published.",
                code="stale_revision",
            )
        return draft.document

    def note_published(
        self,
        connection: Connection,
        actor: Actor,
        ident: str,
        number: int,
        origin: str,
        live: D | None,
        made: D,
    ) -> None:
        """Write the event of a published version, with what it changed."""
        changed = self.changes(live, made)
        former = {"former": live.hash} if live else {}
        paths = [change.path for change in changed[:MOST_NAMED]]
        log.note(
            actor,
            f"{self.kind}_changed",
            open={
                self.kind: ident,
                "version": number,
                "origin": origin,
                "hash": made.hash,
                **former,
                "changes": paths,
            },
            sealed={
                "old": {change.path: change.before for change in changed},
                "new": {change.path: change.after for change in changed},
            },
            chain=CHAIN,
            connection=connection,
        )


def version_numbered(versions: Iterable[Version[D]], number: int) -> D:
    """Return the document of this version. Raises NotFound."""
    found = next((version.document for version in versions if version.number == number), None)
    if found is None:
        raise NotFound("There is no such version.")
    return found


def read_file(source: Path) -> bytes:
    """Return the content of the file, at most one byte more than allowed. Raises Invalid if it cannot be read."""
    try:
        with source.open("rb") as opened_file:
            return opened_file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = f"{source} cannot be read: {error.strerror}."
        raise Invalid(reason, at=("", str(error.strerror))) from None


def refuse(what: str, found: Iterable[Spot], called: Callable[[str], str] = str) -> None:
    """Raise Invalid if there are problems; the message shows the first one, and where it is as `called` says."""
    details = [{"field": spot.path, "reason": spot.reason} for spot in found]
    if details:
        place = called(details[0]["field"])
        named = f"{place}: {details[0]['reason']}" if place else details[0]["reason"]
        more = f" And {len(details) - 1} more." if len(details) > 1 else ""
        raise Invalid(f"{what} was not saved. {named}{more}", details=details)
