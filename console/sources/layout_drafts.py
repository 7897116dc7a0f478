"""Unpublished layouts of collections where the structure of a database changes: they follow renamed columns, and what they lose is told beforehand.

They count for nobody, so nothing of them is left out; under *Changes* their editor does that at a click.
"""

import json
from collections.abc import Collection as Several, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core import former_documents
from console.core.documents.collections import Collection, Stored
from console.core.documents.collections.collection_document import read
from console.core.documents.collections.document_check import check
from console.core.documents.collections.document_words import Wording
from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.records import function_fields
from console.sources import repairs
from console.sources.breaks import Break


def follow_renamed_columns(connection: Connection, columns: Mapping[str, Mapping[str, str]]) -> None:
    """Put the new names of `columns` (collection → former → new) into every draft and what it was before.

    Its revision stays: nothing of it was changed by anybody, and whoever has it open goes on in it.
    """
    table = tables.collection_draft
    for row in (
        connection.execute(sa.select(table).where(table.c.document.is_not(None))).all() if columns else ()
    ):
        made = _renamed(row.document, columns)
        if made != row.document:
            former = [
                each._replace(text=_renamed(each.text, columns))
                for each in former_documents.loaded(row.former)
            ]
            values = {"document": made, "former": former_documents.stored(former)}
            connection.execute(sa.update(table).where(table.c.collection == row.collection).values(**values))


def _renamed(text: str, columns: Mapping[str, Mapping[str, str]]) -> str:
    document = json.loads(text)
    return read(repairs.rename(document, columns.get(document["id"], {}), columns)).canonical().decode()


def broken(
    before: Sequence[Stored], after: Sequence[Stored], now: Mapping[str, Collection], hidden: Several[str]
) -> Iterator[Break]:
    """What the drafts name that is gone, in words; not of collections that are `hidden`."""
    table, structures = tables.collection_draft, {item.id: item.structure for item in after}
    rows = read_rows(sa.select(table.c.collection, table.c.document).where(table.c.document.is_not(None)))
    drafts = {row.collection: row.document for row in rows}
    for item in before:
        if item.id not in drafts or item.id not in structures or f"collection:{item.id}" in hidden:
            continue
        document = json.loads(drafts[item.id])
        names = repairs.renamed(item.structure, structures[item.id])
        renamed = repairs.rename(document, names, {item.id: names})
        known = _problems(document, item)
        wording = Wording.of(now[item.id], document, renamed)
        for place, reason in _problems(
            renamed, Stored(item.id, item.source, structures[item.id], {}, 0)
        ).items():
            if place not in known:
                words = f"{wording.place(tuple(map(str, place)))}: {reason}"
                yield Break(
                    "draft", now[item.id].label, f"/settings/collections/{item.id}/changes", words, item.id
                )


def _problems(document: Mapping[str, Any], item: Stored) -> dict[tuple[str | int, ...], str]:
    return {
        spot.place: spot.reason
        for spot in check(document, item.structure, function_fields.names(item.id, item.structure))
    }
