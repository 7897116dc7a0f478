"""What a table would look like here, shown before its database is connected; and what a source has that is worth saying once it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.engine import Connection

from console import log
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field, assemble, field_guesses
from console.records import Record, connect, preview, reflect
from console.records.connection_terms import Terms
from console.sources import addresses, source_store
from console.sources.source_store import Look
from console.sources.testing import Table, place_of

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Preview:
    """The first records of a table. `titles` are those of the records that they refer to, by collection and key; `hidden` the fields that nobody would see."""

    place: str
    collection: Collection
    columns: Sequence[Field]
    rows: Sequence[Record]
    titles: Mapping[tuple[str, str], str]
    hidden: Sequence[Field]


LIKELY = (
    "customer",
    "client",
    "patient",
    "account",
    "order",
    "person",
    "people",
    "employee",
    "staff",
    "contact",
    "user",
    "ticket",
    "invoice",
    "product",
)
"""Tables that people work with, the likeliest first."""


def first_choice(tables: Sequence[Table]) -> str:
    """The table that is shown first, by its name; empty without any."""
    return (
        min(tables, key=lambda table: (table.kind != "table", likelihood(table.name), table.place)).place
        if tables
        else ""
    )


def likelihood(table: str) -> int:
    """How likely people work with a table of this name; the smaller the likelier. One of a single word comes before `sale_order`."""
    *before, last = field_guesses.parts_of(field_guesses.table_words(table)) or [""]
    one = last if last in LIKELY else last.rstrip("s")
    return LIKELY.index(one) + len(LIKELY) * bool(before) if one in LIKELY else 2 * len(LIKELY)


def previewed(url: str, name: str, place: str, *, by: Actor, zone: str = "") -> Preview | None:
    """The first records of the table as they would look, noted in the log; None if there is no such table. Nothing is kept.

    Raises Invalid for the address, SourceDown, NotAllowed.
    """
    source_store.require_manager(by)
    address = addresses.read(url)
    engine = connect.create(address, Terms(pool=1, overflow=1, statement_s=10, read_only=True, zone=zone))
    try:
        seen = connect.read(engine, name, lambda connection: _with_ends(connection, place))
        structures = [{**structure, "zone": zone} for structure in seen.structures]
        made = assemble(source_store.stored_collections(name, replace(seen, structures=structures), []))
        collection = next(
            (one for one in made.values() if reflect.place(one.schema, one.table) == place), None
        )
        if collection is None:
            return None
        rows, titles = connect.read(
            engine, name, lambda connection: preview.first_records(connection, made, collection.id, SHOWN)
        )
    finally:
        engine.dispose()
    data = {"dialect": collection.dialect, "ok": True, "count": len(rows)}
    log.note(
        by,
        "source_tested",
        open=data,
        sealed={"place": f"{place_of(address)} {place}"},
        chain=source_store.CHAIN,
    )
    fields = [
        collection.field(column) for column in collection.columns if (column,) != collection.title_fields
    ]
    columns = [field for field in fields if field is not None]
    return Preview(place, collection, columns, rows, titles, hidden_fields(collection))


def hidden_fields(collection: Collection) -> list[Field]:
    """The fields that are hidden although nobody has said so."""
    return [field for field in collection.stored_fields if field.hidden_because]


def _with_ends(connection: Connection, place: str) -> Look:
    """The structure of the table and of those that its foreign keys lead to."""
    own = reflect.structures(connection, lambda schema, table: reflect.place(schema, table) == place)
    ends = {(key["schema"], key["table"]) for structure in own for key in structure["foreign_keys"]}
    ends -= {(structure["schema"], structure["table"]) for structure in own}
    others = reflect.structures(connection, lambda schema, table: (schema, table) in ends) if ends else []
    return Look([*own, *others], reflect.default_schema(connection), reflect.server(connection))
