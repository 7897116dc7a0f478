"""Indexes that would make searches of a source fast: statements for whoever runs the database. The console runs none of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from console import records
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.records import index_advice, indexes, search
from console.sources import source_store

MOST = 40


@dataclass(frozen=True, slots=True)
class Advice:
    """The statements for one table. `large`: searches of it are limited without them; `rows` is an estimate, None where the source does not tell."""

    collection: Collection
    rows: int | None
    large: bool
    statements: Sequence[str]


def advised(name: str, *, by: Actor) -> list[Advice]:
    """The largest tables whose texts lack an index, the largest first. Raises NotAllowed, SourceDown."""
    source_store.require_manager(by)
    indexes.forget()  # who has just made one looks here whether it counts
    tables = [
        collection
        for collection in records.collections()
        if collection.source == name and collection.kind == "table"
    ]
    ranked = sorted(
        ((indexes.indexes_of(collection), collection) for collection in tables),
        key=lambda pair: -(pair[0].rows or 0),
    )[:MOST]
    made = [
        Advice(
            collection,
            seen.rows,
            seen.large,
            index_advice.statements(collection, search.telling_fields(collection, frozenset())),
        )
        for seen, collection in ranked
    ]
    return [advice for advice in made if advice.statements]
