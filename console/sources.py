"""Connecting a user's database: look at what it has, keep that with the documents of its collections, and say who may use them.

Nothing is written into the database that is connected. Its URL is sealed under the master key.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from console import access, log, records, subjects
from console.core import expressions
from console.core.actor import Actor
from console.core.collections import Collection, Stored, assemble
from console.db import tables
from console.db.engine import hot_engine, transaction
from console.errors import Conflict, DefinitionError, Invalid, NotFound
from console.records import catalogue, conditions, connect, reflect

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
ID = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,199}")
GRANTED = ("browse", "read", "create", "update", "export")
DOCUMENT_KEYS = frozenset(
    {"id", "source", "schema", "table", "label", "label_one", "help", "title", "subject", "columns", "sort", "search", "fields", "segments"}
    | {"summary", "relations", "key", "format"}
)
SYSTEM = Actor("system", "sys_engine", "Console", session="sys:config")


@dataclass(frozen=True, slots=True)
class SourceHead:
    """A data source in a list. `place` is its URL without the password."""

    name: str
    dialect: str
    place: str
    collections: int


def add(name: str, url: str, role: str = "admin", documents: Sequence[Mapping[str, Any]] = (), *, by: Actor = SYSTEM) -> list[Collection]:
    """Connect a database under a name: its collections, in order, those with a document as it says.

    `role` gets browse, read, create, update and export on them, nobody else anything. Raises Invalid for a name or URL that cannot be,
    Conflict for a name that is taken, DefinitionError naming what is wrong in a document, SourceDown when the database does not answer.
    """
    if not NAME.fullmatch(name):
        raise _invalid("name", "A name begins with a letter and has letters, digits, - and _ only, at most 63.")
    address = connect.address(url)
    text = address.render_as_string(hide_password=False)
    structures, schema = _look(name, text)
    kept = _stored(name, structures, schema, documents)
    with transaction() as connection:
        if connection.execute(sa.select(tables.data_source.c.id).where(tables.data_source.c.name == name)).first():
            raise Conflict(f"There is a data source {name} already.", details=[{"field": "name", "reason": "taken"}])
        _check(connection, kept)
        sealed = subjects.wrap(text.encode(), catalogue.sealed_at(name))
        connection.execute(
            sa.insert(tables.data_source).values(id=name, name=name, url_sealed=sealed, dialect=_dialect(address.drivername))
        )
        _keep(connection, kept)
        for item in kept:
            access.grant(role, f"collection:{item.id}", GRANTED, connection=connection)
        _moved(connection)
    _forget()
    open_ = {"source": name, "name": name, "dialect": _dialect(address.drivername), "collections": len(kept), "role": role}
    log.note(by, "source_added", open=open_, source=name, chain="sys:config")
    return [records.collection(item.id) for item in kept]


def refresh(name: str, documents: Sequence[Mapping[str, Any]] | None = None, *, by: Actor = SYSTEM) -> list[Collection]:
    """Look at the database again and keep what it has now; documents stay unless new ones are given. Rights are not changed.

    Raises NotFound, and as `add` does.
    """
    source = _source(name)
    structures, schema = _look(name, source.url)
    with transaction() as connection:
        if documents is None:
            rows = connection.execute(sa.select(tables.collection.c.document).where(tables.collection.c.source == name))
            documents = [row.document for row in rows if row.document]
        kept = _stored(name, structures, schema, documents)
        connection.execute(sa.delete(tables.collection).where(tables.collection.c.source == name))
        _check(connection, kept)
        _keep(connection, kept)
        _moved(connection)
    _forget()
    log.note(by, "source_changed", open={"source": name, "name": name, "collections": len(kept)}, source=name, chain="sys:config")
    return [records.collection(item.id) for item in kept]


def list_all() -> list[SourceHead]:
    """Every data source by name."""
    now = catalogue.current()
    return [
        SourceHead(
            source.name,
            source.dialect,
            connect.address(source.url).render_as_string(hide_password=True),
            sum(collection.source == name for collection in now.collections.values()),
        )
        for name, source in sorted(now.sources.items())
    ]


def inspect(name: str) -> dict[str, Any]:
    """What is known of the source and what has changed in it: `{name, dialect, place, collections, new, gone, changed}`.

    `collections` are `{id, label, kind, key, fields, relations}`; `new` and `gone` name tables, `changed` those whose columns or keys differ.
    Raises NotFound, SourceDown.
    """
    _source(name)
    head = next(item for item in list_all() if item.name == name)
    structures, _ = _look(name, _source(name).url)
    with hot_engine().connect() as connection:
        kept = connection.execute(sa.select(tables.collection).where(tables.collection.c.source == name)).all()
    before = {_place(row.structure): row.structure for row in kept}
    now = {_place(structure): structure for structure in structures}
    return {
        "name": name,
        "dialect": head.dialect,
        "place": head.place,
        "collections": [_described(item) for item in records.collections() if item.source == name],
        "new": sorted(set(now) - set(before)),
        "gone": sorted(set(before) - set(now)),
        "changed": sorted(place for place in set(now) & set(before) if now[place] != before[place]),
    }


def _described(item: Collection) -> dict[str, Any]:
    fields = [{"name": field.name, "type": field.type, "label": field.label} for field in item.fields]
    relations = [f"{relation.name} → {relation.collection}" for relation in item.relations]
    return {"id": item.id, "label": item.label, "kind": item.kind, "key": list(item.key), "fields": fields, "relations": relations}


def _place(structure: Mapping[str, Any]) -> str:
    return f"{structure['schema']}.{structure['table']}" if structure["schema"] else str(structure["table"])


def _source(name: str) -> catalogue.Source:
    found = catalogue.current().sources.get(name)
    if found is None:
        raise NotFound(f"There is no data source {name}.")
    return found


def _dialect(driver: str) -> str:
    return driver.partition("+")[0]


def _look(name: str, url: str) -> tuple[list[dict[str, Any]], str | None]:
    """(structures, default schema) as the database has them now."""
    engine = connect.create(connect.address(url))
    try:
        return connect.read(engine, name, lambda connection: (reflect.structures(connection), reflect.default_schema(connection)))
    finally:
        engine.dispose()


def _stored(name: str, structures: Iterable[Mapping[str, Any]], schema: str | None, documents: Sequence[Mapping[str, Any]]) -> list[Stored]:
    """Collections of documents first, in their order, then the tables that no document names."""
    found = {(structure["schema"], structure["table"]): structure for structure in structures}
    kept: list[Stored] = []
    for document in documents:
        _check_document(name, document)
        structure = found.pop((document.get("schema") or schema, document["table"]), None)
        if structure is None:
            raise _definition(
                document["id"], "table", f"The data source {name} has no table {document['table']} that the console may read."
            )
        kept.append(Stored(document["id"], name, structure, dict(document), len(kept)))
    for (of_schema, table), structure in found.items():
        parts = [name, table] if of_schema in {schema, None} else [name, of_schema, table]
        kept.append(Stored(".".join(parts), name, structure, {}, len(kept)))
    return kept


def _check_document(name: str, document: Mapping[str, Any]) -> None:
    """The document has the keys it needs and none that mean nothing."""
    which = str(document.get("id", "?"))
    strange = sorted(set(document) - DOCUMENT_KEYS)
    if strange:
        raise _definition(which, strange[0], f"A collection has no '{strange[0]}'.")
    for key in ("id", "source", "table"):
        if not isinstance(document.get(key), str):
            raise _definition(which, key, f"The document of a collection needs '{key}'.")
    if not ID.fullmatch(which):
        raise _definition(which, "id", "An id begins with a letter and has letters, digits, '.', '-' and '_' only.")
    if document["source"] != name:
        raise _definition(which, "source", f"This document is about the data source {document['source']}, not {name}.")


def _check(connection: sa.Connection, kept: list[Stored]) -> None:
    """Together with what is there, everything can be put together and every segment means something. Raises DefinitionError, Conflict."""
    table = tables.collection
    rows = connection.execute(sa.select(table)).all()
    others = [Stored(row.id, row.source, row.structure, row.document, row.position) for row in rows]
    ids = [item.id for item in (*others, *kept)]
    twice = sorted({item for item in ids if ids.count(item) > 1})
    if twice:
        raise Conflict(
            f"There is a collection {twice[0]} already.", details=[{"field": "id", "reason": f"{item} is taken"} for item in twice]
        )
    made = assemble([*others, *kept])
    for item in kept:
        for segment in made[item.id].segments:
            try:
                conditions.check(expressions.parse(segment.filter), made[item.id])
            except DefinitionError as error:
                raise _definition(item.id, f"segments.{segment.id}", error.message) from None


def _keep(connection: sa.Connection, kept: list[Stored]) -> None:
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


def _moved(connection: sa.Connection) -> None:
    """Other processes read the configuration anew within a second of the commit."""
    version = tables.version
    connection.execute(sa.update(version).where(version.c.name == "config").values(number=version.c.number + 1))


def _forget() -> None:
    records.forget()
    access.refresh()


def _invalid(field: str, reason: str) -> Invalid:
    return Invalid(reason, details=[{"field": field, "reason": reason}])


def _definition(collection_id: str, field: str, reason: str) -> DefinitionError:
    return DefinitionError(f"{collection_id}: {reason}", details=[{"field": field, "reason": reason}])
