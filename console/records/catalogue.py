"""The data sources and collections from the console's own tables, assembled once per configuration change.

Each process compares the configuration number at most once a second, and reloads everything if it changed.
"""

import json
import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from console.core.documents.collections import Collection, Stored, assemble, former_names
from console.core.errors import DefinitionError, Invalid, NotAllowed, NotFound, SourceChanged, SourceDown
from console.core.moments import spoken_moment
from console.infra import subjects
from console.infra.db import tables
from console.infra.db.engine import hot_engine
from console.records import connect, function_fields, portable_address
from console.records.connection_terms import Terms
from console.records.sqlite_schema import Declared, declared_in

KEPT_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """A data source: name, kind of database, address (sealed until somebody connects), and connection terms.

    `chosen` are the selected tables, None: all. `paused_at`: since when nobody may use it.
    """

    name: str
    dialect: str
    sealed: bytes
    place: str
    terms: Terms = field(default_factory=Terms)
    schemas: tuple[str, ...] | None = None
    chosen: frozenset[str] | None = None
    paused_at: datetime | None = None

    @property
    def url(self) -> str:
        """The address. Raises SourceDown if it was sealed with another master key."""
        try:
            return portable_address.resolve(subjects.unwrap(self.sealed, self.place).decode())
        except subjects.Unreadable:
            raise SourceDown(
                f"The data source {self.name} cannot be opened: its address was sealed under another master key."
            ) from None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All data sources and collections at one configuration number; collections in display order."""

    number: int
    sources: Mapping[str, Source]
    collections: Mapping[str, Collection]
    declared: Mapping[str, Declared] = field(default_factory=dict)
    """Source → the types that its columns had when it was looked at, of SQLite files."""
    held: Sequence[Stored] = ()
    former: dict[tuple[str, str], Collection] = field(default_factory=dict, compare=False)
    """Collection and hash of a version of its document → the collection as it was called by that version; filled as they are asked for."""
    former_fields: dict[str, Any] = field(default_factory=dict, compare=False)
    """Collection → what the versions of its document said of its fields (`former_fields`); filled as it is asked for."""


_kept: tuple[float, Engine, Catalogue] | None = None
_lock = threading.Lock()


def current() -> Catalogue:
    """The catalogue, at most a second old."""
    global _kept  # noqa: PLW0603 - one catalogue per process, swapped whole
    kept, here = _kept, hot_engine()
    if kept and kept[1] is here and time.monotonic() - kept[0] < KEPT_S:
        return kept[2]
    with _lock, here.connect() as connection:
        number = connection.execute(
            sa.select(tables.version.c.number).where(tables.version.c.name == "config")
        ).scalar_one()
        known = kept[2] if kept and kept[1] is here and kept[2].number == number else load(connection, number)
        _kept = (time.monotonic(), here, known)
    return known


def forget() -> None:
    """Reload at the next use, because this process changed the configuration."""
    global _kept  # noqa: PLW0603 - as above
    _kept = None


def touch(connection: Connection) -> None:
    """Make other processes reload within a second of this transaction's commit."""
    version = tables.version
    connection.execute(
        sa.update(version).where(version.c.name == "config").values(number=version.c.number + 1)
    )


def load(connection: Connection, number: int = 0) -> Catalogue:
    """The catalogue as this connection sees it. Raises DefinitionError for a document that no longer fits its table."""
    kept = sources(connection)
    table = tables.collection
    rows = connection.execute(sa.select(table).order_by(table.c.position, table.c.id)).all()
    held = stored(rows, kept)
    declared = {
        name: declared_in(item.structure for item in held if item.source == name)
        for name in kept
        if kept[name].dialect == "sqlite"
    }
    return Catalogue(
        number, kept, function_fields.with_hooks(assemble(held, function_fields.fields())), declared, held
    )


def sources(connection: Connection) -> dict[str, Source]:
    """Every data source by its name."""
    return {
        row.id: _source(row)
        for row in connection.execute(sa.select(tables.data_source).order_by(tables.data_source.c.id))
    }


def stored(rows: Iterable[Any], of: Mapping[str, Source]) -> list[Stored]:
    """The collections in these rows, with what the terms of their sources say of them."""
    terms = {name: source.terms for name, source in of.items()}
    return [
        Stored(
            row.id, row.source, _structure(row.structure, terms.get(row.source)), row.document, row.position
        )
        for row in rows
    ]


def _source(row: Any) -> Source:
    chosen, schemas = row.settings.get("tables"), row.settings.get("schemas")
    return Source(
        row.name,
        row.dialect,
        bytes(row.url_sealed),
        sealed_at(row.id),
        Terms.of(row.settings),
        None if schemas is None else tuple(schemas),
        None if chosen is None else frozenset(chosen),
        row.paused_at,
    )


def _structure(kept: Mapping[str, Any], terms: Terms | None) -> Mapping[str, Any]:
    """The reflected structure with what the source's terms say of it: in a read-only source nothing is writable."""
    said = {} if terms is None else {"read_only": terms.read_only, "zone": terms.zone}
    return {**kept, **{name: value for name, value in said.items() if value}}


def seal(source: str, url: str) -> bytes:
    """The address of a source, sealed for storage."""
    return subjects.wrap(portable_address.stored_address(url).encode(), sealed_at(source))


def sealed_at(source: str) -> str:
    """The context that the sealed URL is bound to, so that it cannot be moved to another row."""
    return f"data_source|url_sealed|{source}"


def collections() -> list[Collection]:
    """Every collection in order, without checking rights."""
    return list(current().collections.values())


def find(collection_id: str) -> Collection | None:
    """The collection of that id, None without one."""
    return current().collections.get(collection_id)


def described(
    wanted: Iterable[str], versions: Mapping[str, Sequence[tuple[datetime, str]]]
) -> dict[str, tuple[Collection, Sequence[tuple[datetime, Collection]]]]:
    """Collection → what it is today, and what it was called since when, by the `versions` of its document: moments and hashes ("": that of today), the earliest first."""
    catalogue = current()
    known = {ident: catalogue.collections[ident] for ident in wanted if ident in catalogue.collections}
    asked = {(ident, version) for ident in known for _, version in versions.get(ident, ()) if version}
    if lacking := sorted(asked - catalogue.former.keys()):
        table = tables.collection_version.c
        with hot_engine().connect() as connection:
            rows = connection.execute(
                sa.select(table.collection, table.hash, table.document).where(
                    sa.tuple_(table.collection, table.hash).in_(lacking)
                )
            )
            catalogue.former.update(
                {
                    (row.collection, row.hash): _as_called(catalogue, row.collection, row.document)
                    for row in rows
                }
            )
    return {
        ident: (
            present,
            [
                (since, catalogue.former.get((ident, version), present))
                for since, version in versions.get(ident, ())
            ],
        )
        for ident, present in known.items()
    }


def _as_called(catalogue: Catalogue, collection_id: str, document: str) -> Collection:
    """The collection with the names that a former document gives; where they no longer fit the table, as it is called today."""
    former = json.loads(document)
    held = [
        replace(item, document=former_names.document_of_time(item, former))
        if item.id == collection_id
        else item
        for item in catalogue.held
    ]
    try:
        made = assemble(held, function_fields.fields())[collection_id]
    except DefinitionError:
        return catalogue.collections[collection_id]
    return replace(made, segments=former_names.segments(former))


def collection(collection_id: str) -> Collection:
    """The collection of that id. Raises NotFound."""
    found = find(collection_id)
    if found is None:
        raise NotFound
    return found


def engine_of(found: Collection) -> Engine:
    """The engine of the collection's source. Raises SourceDown if the source was removed or is paused."""
    return _engine(found.source)


def _engine(name: str) -> Engine:
    source = current().sources.get(name)
    if source is None:
        raise SourceDown(f"The data source {name} is no longer connected.")
    if source.paused_at is not None:
        raise SourceDown(
            f"The data source {source.name} is paused since {spoken_moment(source.paused_at)}. Who runs the console resumes it under Settings, "
            "Data sources.",
            code="source_paused",
            passing=True,
            source=source.name,
        )
    if source.dialect == "sqlite":
        try:
            portable_address.require_place(connect.address(source.url))
        except Invalid as error:
            raise SourceDown(
                f"The data source {source.name} is not read: {error.message}", source=source.name
            ) from error
    return connect.engine(
        source.name, source.url, source.terms, note_state, lambda: current().declared.get(name, {})
    )


def answers(name: str) -> bool:
    """Whether the data source answers now. A server that did not is not asked here: the thread that asks it again knows."""
    try:
        connect.read(_engine(name), name, lambda connection: connection.exec_driver_sql("select 1").scalar())
    except SourceChanged:
        return True
    except SourceDown:
        return False
    return True


def require_writable(found: Collection) -> None:
    """Raises NotAllowed if the collection's source is connected read-only."""
    source = current().sources.get(found.source)
    if source is not None and source.terms.read_only:
        raise NotAllowed(
            f"The data source {source.name} is connected read-only: nothing can be changed in it from here. Who may manage data sources can "
            "change that under Settings, Data sources.",
            code="read_only",
            need=("source", "manage"),
        )


def note_state(name: str, down_since: datetime | None) -> None:
    """Store since when the source does not answer (None: it answers), for its page. Never fails."""
    table = tables.data_source
    try:
        with hot_engine().connect() as connection:
            since = None if down_since is None else sa.func.coalesce(table.c.down_since, down_since)
            connection.execute(
                sa.update(table)
                .where(table.c.name == name)
                .values(down_since=since, checked_at=sa.func.now())
            )
    except (sa.exc.SQLAlchemyError, OSError):
        _log.warning("the state of the data source %s could not be kept", name)
