"""Records that values refer to, by the names that a reader may know them by: one statement for each collection of a page."""

from collections.abc import Collection as Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from console import records
from console.auth import access
from console.core import record_links, scopes
from console.core.actor import Actor
from console.core.documents.collections import LONGEST_TITLE, Collection, Field, default_titles, field_guesses
from console.core.errors import ConsoleError, NotFound
from console.core.plain_words import uncapitalised, with_article
from console.core.scopes import Scope
from console.formats import Named
from console.log import Stored
from console.log.masking import DOTS, TITLED
from console.records import Record

MOST = 500
"""Records of one collection that a page names."""

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
            found.update(
                (collection, str(key))
                for key in several
                if key is not None and key != "" and not isinstance(key, Mapping | list)
            )
    return found


def joined(collection: Collection) -> tuple[str, ...]:
    """The references by whose records these are called that have no name of their own; nothing where somebody said how they are called.

    Of a join table and of a table with more about the records of another, the key; of order lines, the references in the key; else the one reference
    that leads to another record for each: of a `broker` with a number and a `person_id` that is unique, the person.
    """
    parts = [collection.by_name[name] for name in collection.key if name in collection.by_name]
    if not parts or len(parts) < len(collection.key):
        return ()
    leading = tuple(item.name for item in parts if item.references)
    if len(parts) > 1 or leading:
        return leading if collection.title == _of_key(collection, parts) else ()
    return _of_one(collection, parts)


def titles_kept(begun: Mapping[str, Stored]) -> dict[str, Stored]:
    """Those of the beginnings of runs whose sealed title is what lists call the record: of one that is called as others are, it is the mere key."""
    every = records.catalogue.current().collections
    return {
        run: event
        for run, event in begun.items()
        if (known := every.get(str(event.open.get("collection")))) is None or not joined(known)
    }


def title_in_log(record: Record) -> dict[str, Any]:
    """What an event about the record seals of its title: the title, and the values that it is made of, for whoever may not read all of them.

    Nothing of a record without such values, or that is called as others are: their names are not its own.
    """
    collection = records.collection(record.collection)
    values = {name: record.values[name] for name in collection.title_fields if name in record.values}
    return {"title": record.title, TITLED: values} if values and not joined(collection) else {}


def titles_in_log(collection: Collection, keys: Container[str]) -> dict[str, dict[str, Any]]:
    """Key → what an event about the record seals of its title; nothing for records that are gone, or of a source that does not answer.

    One statement for every thousand keys, read without a scope: who reads the log later may know more than who acts now.
    """
    if not keys or not collection.title_fields or joined(collection):
        return {}
    try:
        found = records.records_by_key(
            collection.id, keys, scopes.unrestricted(collection.id), collection.title_fields
        )
    except ConsoleError:
        return {}
    return {key: titled for key, record in found.items() if (titled := title_in_log(record))}


def made_of(collection: Collection) -> tuple[str, ...]:
    """The fields that such a name is made of."""
    names = joined(collection)
    return tuple(dict.fromkeys([*names, *collection.key])) if names and len(collection.key) > 1 else names


def _of_key(collection: Collection, parts: Sequence[Field]) -> str:
    """The title that is made of the key alone."""
    one = collection.label_one
    return (
        default_titles.of_parts(parts, one) if len(parts) > 1 else default_titles.of_key(parts[0].name, one)
    )


def _of_one(collection: Collection, key: Sequence[Field]) -> tuple[str, ...]:
    """The reference that leads each record to another one with a name, where its own title is a number or its key."""
    own = collection.title_fields
    unnamed = collection.title == _of_key(collection, key) or (
        len(own) == 1 and field_guesses.numbers(own[0])
    )
    if collection.titled or not unnamed:
        return ()
    single = (
        item
        for item in collection.stored_fields
        if item.single and not (item.nullable or item.hidden) and item.references
    )
    return next(((item.name,) for item in single if _has_name(str(item.references), collection)), ())


def _has_name(collection_id: str, other: Collection) -> bool:
    """Whether records of the collection are called by a text that is no number, or as those that their key leads to."""
    collection = records.collection(collection_id)
    fields = [collection.by_name.get(name) for name in collection.title_fields]
    if collection.id == other.id:
        return False
    if all(
        item
        and item.stored == "text"
        and item.name not in collection.key
        and not field_guesses.numbers(item.name)
        for item in fields
    ):
        return bool(fields)
    return (
        len(collection.key) == 1
        and fields == [collection.by_name[collection.key[0]]]
        and bool(fields[0] and fields[0].references)
    )


def with_joined_titles(
    collection: Collection, rows: list[Record], known: Mapping[Reference, Named]
) -> list[Record]:
    """The records of such a table by the names of what they lead to, where the reader may know all of them."""
    leading = [(name, str(collection.by_name[name].references)) for name in joined(collection)]
    if not leading:
        return rows
    made, parts = [], made_of(collection)
    for row in rows:
        ends = {
            name: end
            for name, led in leading
            if (end := known.get((led, str(row.values.get(name))))) and not end.absent
        }
        whole = len(ends) == len(leading) and all(name in row.values for name in parts)
        made.append(replace(row, title=_joined_title(collection, row, ends)) if whole else row)
    return made


def called(
    actor: Actor,
    collection: Collection,
    rows: Sequence[Record],
    known: Mapping[Reference, Named] | None = None,
) -> list[Record]:
    """Records of one collection by the names that lists have them by; `known` names need not be looked up. Without a source, as they are."""
    fields = [(name, collection.by_name[name].references) for name in joined(collection)]
    found = dict(known or {})
    missing = sorted(references(fields, (row.values for row in rows)) - found.keys())
    for start in range(0, len(missing), MOST):
        found |= names_of(actor, missing[start : start + MOST])
    return with_joined_titles(collection, list(rows), found)


def _joined_title(collection: Collection, row: Record, ends: Mapping[str, Named]) -> str:
    """What a record is called as by the records that it leads to, and what tells it from others that lead there."""
    parts = [collection.by_name[name] for name in (collection.key if len(collection.key) > 1 else ends)]
    labels = default_titles.part_labels([item.label for item in parts])
    words = [
        ends[item.name].title
        if item.name in ends
        else str(collection.spoken_value(item.name, row.values[item.name], row.values, "en"))
        for item in parts
    ]
    plain = [item.name in ends or item.stored == "text" for item in parts]
    said = [
        word if spoken and any(map(str.isalpha, word)) else f"{label} {word}"
        for spoken, label, word in zip(plain, labels, words, strict=True)
    ]
    numbered = len(collection.key) == 1 and collection.title_fields != collection.key
    title = ", ".join([*said, row.title] if numbered else said)
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1].rstrip() + "…"


def names_of(actor: Actor, wanted: Iterable[Reference], act: str = "browse") -> dict[Reference, Named]:
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
    return found | {
        reference: _with_kind(found[there], records.collection(there[0]))
        for reference, there in alone.items()
    }


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
        leading = _leading(collection)
        needed = tuple(made_of(collection)) if leading else ()
        found = records.records_by_key(collection_id, record_keys.values(), scope, needed)
        if missing := set(record_keys.values()) - found.keys():
            found |= records.named_alike(collection_id, missing, scope, needed)
        found = _by_what_they_lead_to(actor, collection, found, act)
    except ConsoleError:  # the source does not answer: the keys are all that is known
        return {}
    return {key: _named(collection, scope, there, found.get(there)) for key, there in record_keys.items()}


def _by_what_they_lead_to(
    actor: Actor, collection: Collection, found: Mapping[str, Record], act: str
) -> dict[str, Record]:
    """The records with the names of those that their key leads to: a salesperson is called as the employee, who is called as the person."""
    leading = [(name, collection.by_name[name].references) for name in _leading(collection)]
    known = (
        names_of(actor, references(leading, [row.values for row in found.values()]), act) if leading else {}
    )
    return (
        dict(zip(found, with_joined_titles(collection, list(found.values()), known), strict=True))
        if known
        else dict(found)
    )


def titles(actor: Actor, collection_id: str, keys: Iterable[str], scope: Scope) -> dict[str, str]:
    """Key → title of the records in the actor's scope, as lists have it: without what is masked for them. Raises SourceDown."""
    collection = records.collection(collection_id)
    if not collection.sensitive.isdisjoint(collection.title_fields):
        masked = access.scope_for(actor, collection_id, "read", sensitive=collection.sensitive).masked
        scope = replace(scope, hidden=scope.hidden | masked)
    leading = [(name, collection.by_name[name].references) for name in joined(collection)]
    if not leading:
        return records.titles(collection_id, keys, scope)
    found = records.records_by_key(collection_id, keys, scope, made_of(collection))
    known = names_of(actor, references(leading, [row.values for row in found.values()]), "read")
    return dict(
        zip(
            found,
            [row.title for row in with_joined_titles(collection, list(found.values()), known)],
            strict=True,
        )
    )


def _leading(collection: Collection) -> tuple[str, ...]:
    """The key that the names of these records are found by; nothing of join tables, and where keys lead round in a circle."""
    passed, key = [collection], joined(collection)
    while len(following := joined(passed[-1])) == 1:
        target = records.collection(str(passed[-1].by_name[following[0]].references))
        if target in passed:
            return ()
        passed.append(target)
    return key if len(key) == 1 else ()


def visible_collection(actor: Actor, collection_id: str | None) -> Collection | None:
    """The collection, if there is one and the actor may browse it."""
    try:
        found = records.collection(collection_id or "")
    except NotFound:
        return None
    return found if access.can(actor, None, f"collection:{found.id}", "browse") else None


def _absent(collection: Collection, scope: Scope) -> str:
    """What stands for a record that is not in the scope."""
    gone = scope.unlimited and not scope.nothing
    return f"{_indefinite(collection)} that is gone" if gone else f"{_indefinite(collection)} you may not see"


def _named(collection: Collection, scope: Scope, key: str, record: Record | None) -> Named:
    if record is None:
        return Named(_absent(collection, scope), absent=True)
    hidden = scope.hidden & set(collection.title_fields)
    shown = (
        f"{collection.label_one} {DOTS}"
        if hidden and record.title == collection.title_without_name(key)
        else record.title
    )
    return Named(shown, key=record.key or key)


def _indefinite(collection: Collection) -> str:
    """The label after "a" or "an"; names in capitals stay as they are."""
    return with_article(uncapitalised(collection.label_one))
