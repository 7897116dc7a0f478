"""Stored data sources: the sealed address, the collections with their documents, and who may use them.

Nothing is written into the connected database.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection as Several, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from console import log, records, workspaces
from console.auth import access
from console.auth.access import PolicyError
from console.browse import renamed_columns
from console.core import expressions
from console.core.actor import SYSTEM, Actor
from console.core.documents.collections import Collection, Stored, assemble
from console.core.documents.collections.collection_document import CollectionDocument
from console.core.errors import Conflict, DefinitionError, Invalid, NotFound
from console.core.plain_words import latinised
from console.infra.db import tables
from console.infra.db.engine import read_rows, transaction
from console.permissions import second_admin
from console.records import (
    catalogue,
    connect,
    function_fields,
    portable_address,
    reflect,
    sampling,
    source_zones,
    sql_conditions,
)
from console.records.connection_terms import USUAL, Terms
from console.sources import addresses, bookkeeping, layout_drafts, repairs, set_aside
from console.sources.testing import place_of

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
ID = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,199}")
GRANTED = ("browse", "read")
"""What a role gets on the collections of a new source when nothing else is named."""
GRANTABLE = ("create", "update", "delete", "export")
"""What it may be given besides."""
DOCUMENT_KEYS = frozenset(field.alias or name for name, field in CollectionDocument.model_fields.items())
CHAIN = "sys:config"


@dataclass(frozen=True, slots=True)
class SourceHead:
    """A data source in a list. `place` is its URL without the password; `down_since` since when it does not answer, as far as known."""

    name: str
    dialect: str
    place: str
    collections: int
    server: str = ""
    read_only: bool = False
    paused_at: datetime | None = None
    looked_at: datetime | None = None
    down_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """The present structure of a database. `schema` is the default schema, which is left out of names."""

    structures: list[dict[str, Any]]
    schema: str | None
    server: str


def require_manager(by: Actor) -> None:
    """Raises NotAllowed unless the person may manage data sources; None (console, command line) always may."""
    if by.kind != "system":
        access.require(by, None, "source", "manage")


def add(
    name: str,
    url: str,
    role: str = "admin",
    documents: Sequence[Mapping[str, Any]] = (),
    *,
    terms: Terms = USUAL,
    schemas: Several[str] | None = None,
    chosen: Several[str] | None = None,
    may: Mapping[str, Sequence[str]] | None = None,
    by: Actor = SYSTEM,
    told: Callable[[int], None] = lambda _: None,
    within: Callable[[sa.Connection], None] = lambda _: None,
) -> list[Collection]:
    """Connect a database under a name; returns its collections in order, those with a document as it describes them.

    `may` says what each role may do with them (acts of a collection); without it `role` may browse and read, nobody else anything. `schemas` and `chosen` (table names, with the schema
    outside the default one) limit which tables become collections, now and at each refresh; None: all but those that tools keep for themselves. `told` hears how many tables are looked at;
    `within` is done in the transaction that connects them.
    Raises Invalid for an invalid name, URL or role, Conflict for a name in use, DefinitionError for what is wrong in a document,
    SourceDown if the database does not answer, NotAllowed.
    """
    require_manager(by)
    require_free_name(name)
    source_zones.require(terms.zone)
    address = addresses.read(url)
    portable_address.require_place(address, typed=by.kind != "system")
    text = address.render_as_string(hide_password=False)
    settings = stored_settings(terms, schemas, chosen)
    described = frozenset(
        reflect.place(document.get("schema"), str(document.get("table"))) for document in documents
    )
    seen = look(name, text, settings, told=told, stays=described)
    require_existing(seen, schemas, chosen)
    kept = stored_collections(name, seen, documents)
    check(name, kept)  # before the transaction: thousands of tables take longer than it may be idle
    dialect = address.get_backend_name()
    with transaction() as connection:
        if connection.execute(
            sa.select(tables.data_source.c.id).where(tables.data_source.c.name == name)
        ).first():
            raise _taken(name)
        require_free_ids(connection, kept)
        sealed = catalogue.seal(name, text)
        row = {
            "id": name,
            "name": name,
            "url_sealed": sealed,
            "dialect": dialect,
            "settings": settings,
            "server": seen.server,
        }
        connection.execute(
            sa.insert(tables.data_source).values(**row, looked_at=sa.func.now(), checked_at=sa.func.now())
        )
        keep(connection, kept)
        rights = {role: GRANTED} if may is None else may
        second_admin.grant(by, rights, [f"collection:{item.id}" for item in kept], name, connection)
        touch_configuration(connection)
        within(connection)
        named = ", ".join(rights)
        open_ = {
            "source": name,
            "name": name,
            "dialect": dialect,
            "collections": len(kept),
            "role": named,
            "read_only": terms.read_only,
        }
        log.note(
            by,
            "source_added",
            open=open_,
            sealed={"after": {"place": place_of(address), **settings}},
            source=name,
            chain=CHAIN,
            connection=connection,
        )
    forget()
    return [records.collection(item.id) for item in kept]


def refresh(
    name: str, documents: Sequence[Mapping[str, Any]] | None = None, *, by: Actor = SYSTEM
) -> list[Collection]:
    """Read the database again and store its structure; documents stay unless new ones are given. Rights do not change.

    Raises NotFound, and as `add` does.
    """
    require_manager(by)
    return take_over(name, look_at(name), documents, by=by)


def take_over(
    name: str, seen: Look, documents: Sequence[Mapping[str, Any]] | None, *, by: Actor
) -> list[Collection]:
    """Store the structure that was read, and log what was added and removed. Raises as `add` does."""
    from console.sources.collections import (
        collection_store,
    )  # which reads documents, and looks at sources itself

    rows = read_rows(sa.select(tables.collection).where(tables.collection.c.source == name))
    if documents is None:
        documents = [row.document for row in sorted(rows, key=lambda row: row.position) if row.document]
    former = {
        place(row.structure): row.structure.get(set_aside.KEPT, {}).get("structure", row.structure)
        for row in rows
    }
    for structure in seen.structures:
        sampling.keep_secrets(structure, former.get(place(structure)))
    kept = stored_collections(name, seen, documents, ids_of(rows))
    called = check(name, kept)  # before the transaction, as in `add`
    called_before = {item.id: item for item in records.collections()}
    with transaction() as connection:
        present = (
            connection.execute(
                sa.select(tables.collection.c.document).where(tables.collection.c.source == name)
            )
            .scalars()
            .all()
        )
        if sorted(map(str, present)) != sorted(str(row.document) for row in rows):
            raise Conflict(
                f"The collections of {name} were changed in between; nothing was taken over. Do it again.",
                code="source_moved",
            )
        connection.execute(sa.delete(tables.collection).where(tables.collection.c.source == name))
        require_free_ids(connection, kept)
        keep(connection, kept)
        described = {row.id: Stored(row.id, row.source, row.structure, row.document) for row in rows}
        for item in (
            each for each in kept if each.id in described and each.document != described[each.id].document
        ):
            collection_store.add_refreshed(connection, described[item.id], item, by)
        columns = {
            item.id: names
            for item in kept
            if (old := former.get(place(item.structure))) and (names := repairs.renamed(old, item.structure))
        }
        for collection_id, names in columns.items():
            renamed_columns.follow(connection, collection_id, names)
        layout_drafts.follow_renamed_columns(connection, columns)
        workspaces.follow_renamed_columns(connection, columns, called_before, called, by)
        known = sa.update(tables.data_source).where(tables.data_source.c.name == name)
        connection.execute(
            known.values(
                looked_at=sa.func.now(), checked_at=sa.func.now(), down_since=None, server=seen.server
            )
        )
        touch_configuration(connection)
        before, after = (
            {place(item.structure): sampling.shape(item.structure) for item in items}
            for items in (rows, kept)
        )
        changed = sorted(ident for ident in set(before) & set(after) if before[ident] != after[ident])
        open_ = {"source": name, "name": name, "collections": len(kept), "fields": ["tables"]}
        sealed = {
            "before": {"gone": sorted(set(before) - set(after))},
            "after": {"new": sorted(set(after) - set(before)), "changed": changed},
        }
        log.note(
            by, "source_changed", open=open_, sealed=sealed, source=name, chain=CHAIN, connection=connection
        )
    forget()
    return [records.collection(item.id) for item in kept]


def list_all(by: Actor = SYSTEM) -> list[SourceHead]:
    """Every data source by name. Raises NotAllowed."""
    require_manager(by)
    now = catalogue.current()
    table = tables.data_source
    rows = read_rows(sa.select(table).order_by(table.c.name))
    return [
        SourceHead(
            row.name,
            row.dialect,
            place_of(connect.address(now.sources[row.name].url)),
            sum(collection.source == row.name for collection in now.collections.values()),
            row.server,
            bool(row.settings.get("read_only")),
            row.paused_at,
            row.looked_at,
            row.down_since,
        )
        for row in rows
        if row.name in now.sources
    ]


def inspect(name: str) -> dict[str, Any]:
    """What is known of the source and what has changed in it: `{name, dialect, place, collections, new, gone, changed}`.

    `collections` are `{id, label, kind, key, fields, relations}`; `new` and `gone` list tables, `changed` tables with other columns or keys.
    Raises NotFound, SourceDown.
    """
    seen = look_at(name)
    head = next(item for item in list_all() if item.name == name)
    before = {at: sampling.shape(structure) for at, structure in stored_structures(name).items()}
    now = {place(structure): sampling.shape(structure) for structure in seen.structures}
    return {
        "name": name,
        "dialect": head.dialect,
        "place": head.place,
        "collections": [_described(item) for item in records.collections() if item.source == name],
        "new": sorted(set(now) - set(before)),
        "gone": sorted(set(before) - set(now)),
        "changed": sorted(ident for ident in set(now) & set(before) if now[ident] != before[ident]),
    }


def stored_structures(name: str) -> dict[str, Mapping[str, Any]]:
    """The stored structures of a source, by table."""
    rows = read_rows(sa.select(tables.collection.c.structure).where(tables.collection.c.source == name))
    return {place(row.structure): row.structure for row in rows}


def _described(item: Collection) -> dict[str, Any]:
    fields = [{"name": field.name, "type": field.type, "label": field.label} for field in item.fields]
    relations = [f"{relation.name} → {relation.collection}" for relation in item.relations]
    return {
        "id": item.id,
        "label": item.label,
        "kind": item.kind,
        "key": list(item.key),
        "fields": fields,
        "relations": relations,
    }


def place(structure: Mapping[str, Any]) -> str:
    """Table name of a structure, with its schema if it has one."""
    return f"{structure['schema']}.{structure['table']}" if structure["schema"] else str(structure["table"])


def source_of(name: str) -> catalogue.Source:
    """The data source of that name. Raises NotFound."""
    found = catalogue.current().sources.get(name)
    if found is None:
        raise NotFound(f"There is no data source {name}.")
    return found


def require_free_name(name: str) -> None:
    """Raises Invalid for what can be no name, Conflict if it is in use."""
    if not NAME.fullmatch(name):
        raise Invalid(
            "A name begins with a letter and has letters, digits, - and _ only, at most 63.", at="name"
        )
    if name in catalogue.current().sources:
        raise _taken(name)


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a data source {name} already.", at=("name", "taken"))


def stored_settings(
    terms: Terms, schemas: Several[str] | None, chosen: Several[str] | None
) -> dict[str, Any]:
    """The settings stored with the address: terms that differ from the defaults, and selected tables."""
    usual = USUAL.to_json()
    kept: dict[str, Any] = {name: value for name, value in terms.to_json().items() if value != usual[name]}
    kept |= {} if schemas is None else {"schemas": sorted(schemas)}
    return kept | ({} if chosen is None else {"tables": sorted(chosen)})


def look_at(name: str, known: reflect.Known = reflect.NO_STRUCTURES) -> Look:
    """The present structure of a source, of its selected tables. Raises NotFound, SourceDown."""
    source = source_of(name)
    own = frozenset(
        reflect.place(collection.schema, collection.table)
        for collection in records.collections()
        if collection.source == name
    )
    return look(
        name, source.url, stored_settings(source.terms, source.schemas, source.chosen), known, stays=own
    )


def look(
    name: str,
    url: str,
    settings: Mapping[str, Any],
    known: reflect.Known = reflect.NO_STRUCTURES,
    told: Callable[[int], None] = lambda _: None,
    stays: Several[str] = frozenset(),
) -> Look:
    """The present structure of the selected tables; those that are as in `known` are not sampled again. `told` as of `add`. Raises SourceDown.

    Where all are selected, what a tool keeps for itself is left out, unless it is among those that `stays` names.
    """
    schemas, chosen = settings.get("schemas"), settings.get("tables")

    def wanted(schema: str | None, table: str) -> bool:
        table_place = reflect.place(schema, table)
        selected = (
            table_place in chosen
            if chosen is not None
            else table_place in stays or not bookkeeping.kept_by(table)
        )
        return selected and (schemas is None or schema is None or schema in schemas)

    engine = connect.create(connect.address(url), Terms(pool=1, overflow=1, statement_s=60, read_only=True))
    try:
        return connect.read(
            engine,
            name,
            lambda connection: Look(
                reflect.structures(connection, wanted, known, told),
                reflect.default_schema(connection),
                reflect.server(connection),
            ),
        )
    finally:
        engine.dispose()


def require_existing(seen: Look, schemas: Several[str] | None, chosen: Several[str] | None) -> None:
    """Raises Invalid naming selected schemas or tables that do not exist."""
    found = {reflect.place(structure["schema"], structure["table"]) for structure in seen.structures}
    missing = [("tables", item) for item in sorted(set(chosen or ()) - found)]
    missing += [
        ("schemas", item)
        for item in sorted(set(schemas or ()) - {structure["schema"] for structure in seen.structures})
    ]
    if missing:
        raise Invalid(
            f"There is no {missing[0][0].removesuffix('s')} {missing[0][1]} that the console may read.",
            details=[(field, f"There is no {item} that the console may read.") for field, item in missing],
        )


def stored_collections(
    name: str,
    seen: Look,
    documents: Sequence[Mapping[str, Any]],
    known: Mapping[tuple[str | None, str], str] = MappingProxyType({}),
) -> list[Stored]:
    """The collections: first those with documents, in the order of the documents, then tables without one.

    `known`: table → id that its collection has already, and keeps: rights, workflows and runs name it.
    """
    found = {(structure["schema"], structure["table"]): structure for structure in seen.structures}
    kept: list[Stored] = []
    for document in documents:
        _check_document(name, document)
        structure = found.pop((document.get("schema") or seen.schema, document["table"]), None)
        if structure is None:
            raise _definition(
                document["id"],
                "table",
                f"The data source {name} has no table {document['table']} that the console may read.",
            )
        kept.append(Stored(document["id"], name, structure, dict(document), len(kept)))
    described = {item.id for item in kept}
    taken = {*described, *known.values()}  # those of tables that are gone too: rights may still name them
    for (of_schema, table), structure in found.items():
        if (own := known.get((of_schema, table))) is not None and own not in described:
            kept.append(Stored(own, name, structure, {}, len(kept)))
            continue
        ident = default_id(name, None if of_schema == seen.schema else of_schema, table)
        numbered = (f"{ident}_{number}" for number in range(2, len(found) + 3))
        chosen = (
            ident
            if ident not in taken or ident in described
            else next(entry for entry in numbered if entry not in taken)
        )
        taken.add(chosen)
        kept.append(Stored(chosen, name, structure, {}, len(kept)))
    return kept


def _check_document(name: str, document: Mapping[str, Any]) -> None:
    """Raises DefinitionError if the document lacks a required key or has an unknown one."""
    which = str(document.get("id", "?"))
    strange = sorted(set(document) - DOCUMENT_KEYS)
    if strange:
        raise _definition(which, strange[0], f"A collection has no '{strange[0]}'.")
    for key in ("id", "source", "table"):
        if not isinstance(document.get(key), str):
            raise _definition(which, key, f"The document of a collection needs '{key}'.")
    if not ID.fullmatch(which):
        raise _definition(
            which, "id", "An id begins with a letter and has letters, digits, '.', '-' and '_' only."
        )
    if document["source"] != name:
        raise _definition(
            which, "source", f"This document is about the data source {document['source']}, not {name}."
        )
    try:
        access.check_clearance(document.get("clearance"))
    except PolicyError as error:
        raise _definition(which, "clearance", error.message) from None


def require_free_ids(connection: sa.Connection, kept: list[Stored]) -> None:
    """Raises Conflict if another collection, or two of these, have the same id."""
    ids = [*connection.execute(sa.select(tables.collection.c.id)).scalars(), *(item.id for item in kept)]
    counted = Counter(ids)
    twice = sorted(item for item, count in counted.items() if count > 1)
    if twice:
        raise Conflict(
            f"There is a collection {twice[0]} already.",
            details=[("id", f"{item} is taken") for item in twice],
        )


def check(name: str, kept: list[Stored]) -> dict[str, Collection]:
    """All collections as they would be. Raises DefinitionError unless they can be assembled and every segment of this source is valid."""
    rows = read_rows(sa.select(tables.collection).where(tables.collection.c.source != name))
    others = [Stored(row.id, row.source, row.structure, row.document, row.position) for row in rows]
    made = assemble([*others, *kept], function_fields.fields())
    for item in kept:
        for segment in (one for one in made[item.id].segments if one.sql is None):
            try:
                sql_conditions.check(expressions.parse(segment.filter), made[item.id])
            except DefinitionError as error:
                raise _definition(item.id, f"segments.{segment.id}", error.message) from None
    return made


def keep(connection: sa.Connection, kept: list[Stored]) -> None:
    """Write the rows of these collections."""
    if kept:
        rows = [
            {
                "id": item.id,
                "source": item.source,
                "document": dict(item.document),
                "structure": dict(item.structure),
                "position": item.position,
            }
            for item in kept
        ]
        connection.execute(sa.insert(tables.collection), rows)


def touch_configuration(connection: sa.Connection) -> None:
    """Make other processes reload the configuration within a second of the commit."""
    version = tables.version
    connection.execute(
        sa.update(version).where(version.c.name == "config").values(number=version.c.number + 1)
    )


def forget() -> None:
    """Reload configuration and rights in this process, because it changed them."""
    records.forget()
    access.refresh()


def _definition(collection_id: str, field: str, reason: str) -> DefinitionError:
    return DefinitionError(f"{collection_id}: {reason}", at=(field, reason))


LONGEST_ID = 200


def ids_of(stored: Iterable[Any]) -> dict[tuple[str | None, str], str]:
    """(schema, table) → id of stored collections of one source: rights and runs name it, and must not lead to another table one day."""
    return {(item.structure["schema"], item.structure["table"]): item.id for item in stored}


def default_id(name: str, schema: str | None, table: str) -> str:
    """Default collection id: source, schema outside the default one, table, joined by points.

    Letters become Latin ones without accents, those of other scripts their codes; blanks, slashes and other signs become `_`, because URLs, documents and
    policy rows cannot contain them.
    """
    text = latinised(".".join(part for part in (name, schema, table) if part is not None))
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "_.-") else "_" for letter in text
    )[:LONGEST_ID]
