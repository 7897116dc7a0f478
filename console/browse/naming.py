"""Records that values refer to, by the names that a reader may know them by: one statement for each collection of a page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from console import access, records
from console.core import record_links
from console.core.actor import Actor
from console.core.documents.collections import Collection, default_titles
from console.core.plain_words import uncapitalised, with_article
from console.core.scopes import Scope
from console.errors import ConsoleError, NotFound
from console.formats import Named
from console.records import Reach, Record

MOST = 500
"""Records of one collection that a page names."""
DOTS = "••••••"

Reference = tuple[str, str]
"""(collection, key)."""


def references(fields: Iterable[tuple[str, str | None]], rows: Iterable[Mapping[str, Any]]) -> set[Reference]:
    """What fields (name, collection whose keys it holds) refer to in these rows; a list refers to each of its entries."""
    leading = [(name, collection) for name, collection in fields if collection]
    found: set[Reference] = set()
    if not leading:
        return found
    for values in rows:
        for name, collection in leading:
            value = values.get(name)
            several = value if isinstance(value, list) else [value]
            found.update((collection, str(key)) for key in several if key is not None and key != "" and not isinstance(key, Mapping | list))
    return found


def joined(collection: Collection) -> tuple[str, ...]:
    """The key of a join table, or of a table with more about the records of another, whose records have no other name than those that the key leads to;
    nothing where somebody said how they are called.
    """
    parts = [collection.by_name[name] for name in collection.key if name in collection.by_name]
    if not parts or len(parts) < len(collection.key) or not all(item.references for item in parts):
        return ()
    alone = (
        default_titles.of_parts(parts, collection.label_one)
        if len(parts) > 1
        else default_titles.of_key(parts[0].name, collection.label_one)
    )
    return collection.key if collection.title == alone else ()


def with_joined_titles(collection: Collection, rows: list[Record], known: Mapping[Reference, Named]) -> list[Record]:
    """The records of such a table by the names of what its key leads to, where the reader may know all of them."""
    leading = [(name, str(collection.by_name[name].references)) for name in joined(collection)]
    if not leading:
        return rows
    ends = [[known.get((led, str(row.values.get(name)))) for name, led in leading] for row in rows]
    return [
        replace(row, title=", ".join(end.title for end in pair if end)) if all(end and not end.absent for end in pair) else row
        for row, pair in zip(rows, ends, strict=True)
    ]


def named(actor: Actor, wanted: Iterable[Reference], act: str = "browse") -> dict[Reference, Named]:
    """Each of these records by its title and address; else in words why the actor is not told: it is gone, hidden, or its name is masked.

    `act` is what the actor has to be allowed in the collection: who may not browse it may still `read` a record whose key they are told.
    """
    by_collection: dict[str, list[str]] = {}
    asked = {reference: record_links.reference(*reference) for reference in wanted}
    for collection_id, key in sorted(set(asked.values())):
        by_collection.setdefault(collection_id, []).append(key)
    found: dict[Reference, Named] = {}
    for collection_id, keys in by_collection.items():
        titles = _of_collection(actor, collection_id, keys[:MOST], act)
        found |= {(collection_id, key): known for key, known in titles.items()}
    alone = {reference: there for reference, there in asked.items() if reference != there and there in found}
    return found | {reference: _with_kind(found[there], records.collection(there[0])) for reference, there in alone.items()}


def _with_kind(known: Named, collection: Collection) -> Named:
    """The record with what kind of record it is, where its title alone does not say it: "Version 2.0"."""
    said = known.absent or collection.label_one.casefold() in known.title.casefold()
    return known if said else replace(known, title=f"{collection.label_one} {known.title}")


def _of_collection(actor: Actor, collection_id: str, keys: Sequence[str], act: str) -> dict[str, Named]:
    try:
        collection = records.collection(collection_id)
    except NotFound:
        return {}
    if not access.can(actor, None, f"collection:{collection_id}", act):
        return dict.fromkeys(keys, Named(f"{_indefinite(collection)} you may not see", absent=True))
    scope = access.scope_for(actor, collection_id, "read", sensitive=collection.sensitive)
    try:
        record_keys = {key: key if len(collection.key) > 1 else records.key_of_value(key) for key in keys}
        needed = (*collection.closing, *_leading(collection))
        found = records.named(collection_id, record_keys.values(), scope, needed)
        if missing := set(record_keys.values()) - found.keys():
            found |= records.named_alike(collection_id, missing, scope, needed)
        found = _by_what_they_lead_to(actor, collection, found, act)
    except ConsoleError:  # the source does not answer: the keys are all that is known
        return {}
    return {key: _named(collection, scope, there, found.get(there)) for key, there in record_keys.items()}


def _by_what_they_lead_to(actor: Actor, collection: Collection, found: Mapping[str, Record], act: str) -> dict[str, Record]:
    """The records with the names of those that their key leads to: a salesperson is called as the employee, who is called as the person."""
    leading = [(name, collection.by_name[name].references) for name in _leading(collection)]
    known = named(actor, references(leading, [row.values for row in found.values()]), act) if leading else {}
    return dict(zip(found, with_joined_titles(collection, list(found.values()), known), strict=True)) if known else dict(found)


def _leading(collection: Collection) -> tuple[str, ...]:
    """The key that the names of these records are found by; nothing of join tables, and where keys lead round in a circle."""
    passed, key = [collection], joined(collection)
    while len(following := joined(passed[-1])) == 1:
        target = records.collection(str(passed[-1].by_name[following[0]].references))
        if target in passed:
            return ()
        passed.append(target)
    return key if len(key) == 1 else ()


def seen(actor: Actor, collection_id: str | None) -> Collection | None:
    """The collection, if there is one and the actor may browse it."""
    try:
        found = records.collection(collection_id or "")
    except NotFound:
        return None
    return found if access.can(actor, None, f"collection:{found.id}", "browse") else None


def reach(actor: Actor, collection_id: str) -> Reach | None:
    """What the actor may know of records that others refer to, as `named` has it; None where a title has to be looked at."""
    try:
        collection = records.collection(collection_id)
    except NotFound:
        return None
    if not access.can(actor, None, f"collection:{collection_id}", "browse"):
        return Reach(None, f"{_indefinite(collection)} you may not see")
    scope = access.scope_for(actor, collection_id, "read", sensitive=collection.sensitive)
    return None if scope.hidden & set(collection.title_fields) else Reach(scope, _absent(collection, scope))


def _absent(collection: Collection, scope: Scope) -> str:
    """What stands for a record that is not in the scope."""
    gone = scope.unlimited and not scope.nothing
    return f"{_indefinite(collection)} that is gone" if gone else f"{_indefinite(collection)} you may not see"


def _named(collection: Collection, scope: Scope, key: str, record: Record | None) -> Named:
    if record is None:
        return Named(_absent(collection, scope), absent=True)
    hidden = scope.hidden & set(collection.title_fields)
    shown = f"{collection.label_one} {DOTS}" if hidden and record.title == collection.title_without_name(key) else record.title
    return Named(shown, key=record.key or key, ended=any(record.values.get(name) for name in collection.closing))


def _indefinite(collection: Collection) -> str:
    """The label after "a" or "an"; names in capitals stay as they are."""
    return with_article(uncapitalised(collection.label_one))
