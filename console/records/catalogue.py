"""Which data sources and collections there are, from the console's own tables: structure and document, put together once per change.

A process looks at the number of the configuration at most once a second, and reads everything anew when it moved.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from console import subjects
from console.core.collections import Collection, Stored, assemble
from console.db import tables
from console.db.engine import hot_engine
from console.errors import NotFound, SourceDown
from console.records import connect

KEPT_S = 1.0


@dataclass(frozen=True, slots=True)
class Source:
    """A data source: its name, the kind of database, and where it is (sealed: only who connects opens it)."""

    name: str
    dialect: str
    sealed: bytes
    place: str

    @property
    def url(self) -> str:
        """Where it is. Raises SourceDown when it was sealed under another master key."""
        try:
            return subjects.unwrap(self.sealed, self.place).decode()
        except subjects.Unreadable:
            raise SourceDown(f"The data source {self.name} cannot be opened: its address was sealed under another master key.") from None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All of it at one number of the configuration, collections in their order."""

    number: int
    sources: Mapping[str, Source]
    collections: Mapping[str, Collection]


_kept: tuple[float, Engine, Catalogue] | None = None
_lock = threading.Lock()


def current() -> Catalogue:
    """The catalogue as it is now, at most a second old."""
    global _kept  # noqa: PLW0603 - one catalogue per process, swapped whole
    kept, here = _kept, hot_engine()
    if kept and kept[1] is here and time.monotonic() - kept[0] < KEPT_S:
        return kept[2]
    with _lock, here.connect() as connection:
        number = connection.execute(sa.select(tables.version.c.number).where(tables.version.c.name == "config")).scalar_one()
        known = kept[2] if kept and kept[1] is here and kept[2].number == number else load(connection, number)
        _kept = (time.monotonic(), here, known)
    return known


def forget() -> None:
    """Read it anew at the next use: this process changed it."""
    global _kept  # noqa: PLW0603 - as above
    _kept = None


def load(connection: Connection, number: int = 0) -> Catalogue:
    """The catalogue as this connection sees it. Raises DefinitionError for a document that fits no more."""
    sources = {}
    for row in connection.execute(sa.select(tables.data_source).order_by(tables.data_source.c.id)):
        sources[row.id] = Source(row.name, row.dialect, bytes(row.url_sealed), sealed_at(row.id))
    table = tables.collection
    rows = connection.execute(sa.select(table).order_by(table.c.position, table.c.id)).all()
    kept = [Stored(row.id, row.source, row.structure, row.document, row.position) for row in rows]
    return Catalogue(number, sources, assemble(kept))


def sealed_at(source: str) -> str:
    """The place that a source's sealed URL belongs to, so that it cannot be moved to another row."""
    return f"data_source|url_sealed|{source}"


def collections() -> list[Collection]:
    """Every collection in order, whatever anybody's rights."""
    return list(current().collections.values())


def collection(collection_id: str) -> Collection:
    """The collection of that id. Raises NotFound."""
    found = current().collections.get(collection_id)
    if found is None:
        raise NotFound
    return found


def engine_of(found: Collection) -> Engine:
    """The engine of the collection's source. Raises SourceDown where the source was taken away."""
    source = current().sources.get(found.source)
    if source is None:
        raise SourceDown(f"The data source {found.source} is no longer connected.")
    return connect.engine(source.name, source.url)
