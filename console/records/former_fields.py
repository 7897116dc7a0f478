"""What earlier versions of a collection's document said of its fields: the log and runs keep titles and values that were made by them.

Read in one statement for all collections, and kept until the configuration changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from console.core.documents.collections import Collection, assemble, fields_of
from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.records import function_fields
from console.records.catalogue import Catalogue, current


@dataclass(frozen=True, slots=True)
class Former:
    """A version of a document: since when it was in force, and the fields of its titles and its sensitive ones, also those that are gone."""

    since: datetime
    title_fields: frozenset[str]
    sensitive: frozenset[str]


def fields_of_titles(collection_id: str, since: datetime | None = None) -> frozenset[str]:
    """Fields that the titles of the collection's records are made of, or have been: from this moment on, or (None) ever."""
    catalogue = current()
    present, versions = catalogue.collections.get(collection_id), _versions(catalogue, collection_id)
    later = len(versions) if since is None else sum(1 for version in versions if version.since > since) + 1
    return frozenset(present.title_fields if present else ()).union(
        *(version.title_fields for version in versions[-later:])
    )


def sensitive_in_past(collection: Collection) -> frozenset[str]:
    """The sensitive fields of the collection, and those that were sensitive and are gone or have another name."""
    versions = _versions(current(), collection.id)
    return collection.sensitive.union(*(version.sensitive for version in versions)) - (
        collection.by_name.keys() - collection.sensitive
    )


def _versions(catalogue: Catalogue, collection_id: str) -> list[Former]:
    """The versions of the collection's document, the earliest first."""
    if not catalogue.former_fields:
        catalogue.former_fields.update(_read(catalogue))
    found: list[Former] = catalogue.former_fields.get(collection_id, [])
    return found


def _read(catalogue: Catalogue) -> dict[str, list[Former]]:
    version, proposed = tables.collection_version.c, dict[str, frozenset[str]]()
    document = sa.cast(version.document, JSON)
    find = sa.select(
        version.collection,
        version.made_at,
        document["title"].astext.label("title"),
        document["fields"].label("fields"),
    )
    found: dict[str, list[Former]] = {collection_id: [] for collection_id in catalogue.collections}
    for row in read_rows(find.order_by(version.collection, version.number)):
        if not row.title and not proposed:
            proposed = _proposed_titles(catalogue)
        titled = (
            _in_title(row.title, catalogue.collections.get(row.collection))
            if row.title
            else proposed.get(row.collection, frozenset())
        )
        found.setdefault(row.collection, []).append(Former(row.made_at, titled, _sensitive(row.fields or {})))
    return found


def _proposed_titles(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """The fields of the titles that are proposed today: a version without a title of its own had such a one."""
    held = [
        replace(item, document={name: value for name, value in item.document.items() if name != "title"})
        for item in catalogue.held
    ]
    return {
        name: frozenset(made.title_fields) for name, made in assemble(held, function_fields.fields()).items()
    }


def _in_title(title: str, present: Collection | None) -> frozenset[str]:
    """The fields of a title, also those that are gone, and the currencies of amounts in it."""
    named = frozenset(fields_of(title, template=True))
    return named if present is None else named.union(replace(present, title=title).title_fields)


def _sensitive(fields: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """The sensitive fields of a document, and what was computed from them."""
    own = frozenset(name for name, said in fields.items() if said.get("sensitive"))
    made = {
        name: fields_of(said["computed"])
        for name, said in fields.items()
        if said.get("computed") and said.get("sensitive") is None
    }
    return own.union(name for name, inputs in made.items() if not own.isdisjoint(inputs))
