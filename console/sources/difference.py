"""Changes in a database since it was last read, and what in the console refers to something that is gone: shown before they are applied.

Documents of collections are repaired by leaving out missing tables and columns. Workflows, actions and conditions of rights are not: they
are checked against the present and the future structure, and what fails only against the future one is listed.
"""

import hashlib
import json
import threading
import time
from collections.abc import Collection as Several, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from console import formats
from console.auth import access
from console.core import expressions
from console.core.actor import SYSTEM, Actor
from console.core.documents.collections import (
    Collection,
    Field,
    Stored,
    assemble,
    field_guesses,
    secret_fields,
)
from console.core.errors import Conflict, ConsoleError
from console.infra.db import request_writes, tables
from console.infra.db.engine import read_rows
from console.records import function_fields, refusals, sampling, sql_conditions
from console.sources import broken_documents, layout_drafts, repairs, set_aside, source_store
from console.sources.breaks import Break
from console.sources.source_store import Look, ids_of, place


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column that is `new`, `gone`, `renamed` or `changed`; `words` says how: of a renamed one its new name."""

    name: str
    change: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class TableChange:
    """A table that is `new`, `gone` or `changed` in these columns (and in its key, if it says so)."""

    place: str
    change: str
    collection: str | None = None
    columns: tuple[ColumnChange, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A column, or without one the records of a collection, and how it is read otherwise than before."""

    collection: str
    column: str
    words: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed and what it breaks. `stamp` identifies the structure that was read, so that exactly that is applied. `readings`: what is read otherwise."""

    source: str
    changes: tuple[TableChange, ...]
    breaks: tuple[Break, ...]
    stamp: str
    readings: tuple[Reading, ...] = ()

    @property
    def harmless(self) -> bool:
        """Whether nothing refers to what is gone."""
        return not self.breaks


def difference(name: str, *, by: Actor = SYSTEM) -> Difference:
    """What `take` would change; every table is sampled anew. Raises NotFound, NotAllowed, SourceDown."""
    source_store.require_manager(by)
    seen, before = source_store.look_at(name), _stored()
    known = {place(item.structure): item.structure for item in before if item.source == name}
    for structure in seen.structures:
        sampling.keep_secrets(structure, known.get(place(structure)))
    return compare(name, seen, by, before)


def take(name: str, stamp: str | None = None, *, by: Actor = SYSTEM) -> list[Collection]:
    """Apply the present structure, and remove from documents what is gone. `stamp`: of the difference that was shown.

    Raises Conflict if the database has changed again, and as `difference` does.
    """
    source_store.require_manager(by)
    seen = source_store.look_at(name)
    if stamp is not None and stamp != _stamp(seen):
        raise Conflict(
            f"The database {name} has changed again since this was shown; nothing was taken over. Look at it again.",
            code="source_moved",
        )
    _, documents, _ = _mended(name, seen, _stored())
    return source_store.take_over(name, seen, documents, by=by)


AGAIN_S = 10.0
_turn = threading.Lock()
_looked: dict[str, tuple[float, "Again"]] = {}


@dataclass(frozen=True, slots=True)
class Again:
    """The result of an automatic refresh: in words for everybody, and the changes for those who manage data sources; `waits` for one of them,
    `taken`: something was taken over just now, told to the first who asks: what failed may work.
    """

    words: str
    details: str = ""
    waits: bool = False
    taken: bool = False


def look_again(name: str) -> Again | None:
    """Refresh a source whose structure turned out to be different; None if that is not possible now.

    Missing columns and changed types are applied at once if no document and no right names them. New columns wait for somebody who manages
    data sources: nobody sees a column before a person has approved it. At most once in ten seconds, one at a time.
    """
    at, last = _looked.get(name, (-AGAIN_S, None))
    if time.monotonic() - at < AGAIN_S:
        return last
    if not _turn.acquire(blocking=False):
        return None
    try:
        made = _again(name)
    except ConsoleError:
        return None
    finally:
        _turn.release()
    if made is not None:
        _looked[name] = (time.monotonic(), replace(made, taken=False))
    return made


def look_at_noticed() -> bool:
    """Look again at each source that turned out to have changed in this process: a worker serves no page that somebody would load again. Whether anything was taken over."""
    made = [look_again(name) for name in sorted(refusals.noticed())]
    return any(each is not None and each.taken for each in made)


def _again(name: str) -> Again | None:
    before = _stored()
    seen = _look(name, before)
    found = _changes(name, before, _mended(name, seen, before)[0])
    if not found:
        return None
    held = {
        change.place
        for change in found
        if change.change in ("gone", "new")
        or not (change.key or {column.change for column in change.columns} - {"new"})
    }
    left = _shrunk(name, seen, before, held)
    named = _named(compare(name, left, before=before)) | _renamed_in_documents(name, left, before, found)
    if named:  # what a document or a right names waits with its table
        held |= {change.place for change in found if change.collection in named}
        left = _shrunk(name, seen, before, held)
    if named and _named(
        compare(name, left, before=before)
    ):  # another collection's right follows a relation to what has changed
        held, named = (
            {change.place for change in found},
            frozenset(change.collection or "" for change in found),
        )
    waits = any(
        change.place in held and (change.change == "gone" or change.collection in named) for change in found
    )
    without, documents, fresh = _set_aside(name, seen, left, before, held)
    taken = fresh or any(change.place not in held for change in found)
    if taken:
        with request_writes.aside():
            source_store.take_over(name, without, documents, by=SYSTEM)
    words = f"The data source {name} has changed" + (
        ", and the console has taken that over: load the page again." if taken and not waits else "."
    )
    words += (
        " Until somebody has looked at it, pages do without what is gone: load the page again."
        if fresh
        else ""
    )
    words += (
        " What nothing else names is taken over: load the page again."
        if taken and waits and not fresh
        else ""
    )
    words += (
        f" Who manages data sources has to look at {'the rest' if taken else 'it'}: Settings, Data sources, {name}."
        if waits
        else ""
    )
    return Again(words, _spoken(found), waits=waits, taken=taken)


def _set_aside(
    name: str, seen: Look, left: Look, before: Sequence[Stored], held: Several[str]
) -> tuple[Look, list[dict[str, Any]] | None, bool]:
    """(what is `left`, with tables that wait as they can be read without what is gone; documents; whether any is read so only from now on).

    Nothing of a table with a right that names what is gone: who may see it is for a person to say.
    """
    now, own = (
        {place(item): item for item in seen.structures},
        [item for item in before if item.source == name],
    )
    lacking = {
        item.id: structure
        for item in own
        if (at := place(item.structure)) in held
        and at in now
        and (structure := set_aside.without_lost(now[at], item.structure))
    }
    made: dict[str, dict[str, Any]] = {}
    while lacking:
        shown = {place(structure): structure for structure in lacking.values()}
        look = replace(
            left, structures=[shown.get(place(structure), structure) for structure in left.structures]
        )
        made = {str(document["id"]): document for document in _mended(name, look, before)[1]}
        closed = {
            broken.collection
            for broken in compare(name, look, before=before).breaks
            if broken.kind == "policy"
        }
        closed |= {
            item.id
            for item in own
            if item.id in lacking and set_aside.decides(item, made.get(item.id, {}), before)
        }
        if not closed:
            break
        lacking = (
            {ident: structure for ident, structure in lacking.items() if ident not in closed}
            if closed & lacking.keys()
            else {}
        )
    if not lacking:
        return left, None, False
    stored = {item.id: item for item in _rows() if item.source == name}
    aside = {
        item.id: set_aside.aside(item, lacking[item.id], made.get(item.id, {}))
        for item in own
        if item.id in lacking
    }
    fresh = any(
        stored[ident].structure.get(set_aside.KEPT, {}).get("lost") != each[set_aside.KEPT]["lost"]
        for ident, each in aside.items()
    )
    documents = [
        made[item.id] if item.id in lacking else dict(stored[item.id].document)
        for item in own
        if stored[item.id].document
    ]
    places = {place(structure): structure for structure in aside.values()}
    return (
        replace(left, structures=[places.get(place(structure), structure) for structure in left.structures]),
        documents,
        fresh,
    )


def _look(name: str, before: Sequence[Stored]) -> Look:
    """The present structure; tables that are as they were are not sampled again."""
    return source_store.look_at(
        name,
        {
            (table.structure["schema"], table.structure["table"]): table.structure
            for table in before
            if table.source == name
        },
    )


def _named(found: Difference) -> frozenset[str]:
    """Collections with changes that their documents, segments or rights would break on."""
    return frozenset(
        broken.collection for broken in found.breaks if broken.kind in {"collection", "segment", "policy"}
    )


def _renamed_in_documents(
    name: str, seen: Look, before: Sequence[Stored], found: Sequence[TableChange]
) -> frozenset[str]:
    """Collections whose documents name a column that is called otherwise now: that it is the same is for a person to say."""
    renamed = {
        change.collection for change in found if any(column.change == "renamed" for column in change.columns)
    }
    documents = {item.id: item.document for item in before}
    mended = _mended(name, seen, before)[1] if renamed else []
    return frozenset(
        str(each["id"]) for each in mended if each["id"] in renamed and each != documents.get(each["id"])
    )


def _shrunk(name: str, seen: Look, before: Sequence[Stored], held: Several[str]) -> Look:
    """The structure that was read, without new columns and tables, and secrets under another name: these need a person's approval. `held`: tables that stay as they were."""
    now = {place(item): item for item in seen.structures}
    known = [item.structure for item in before if item.source == name]
    return replace(
        seen,
        structures=[
            dict(table)
            if place(table) in held or place(table) not in now
            else _only(now[place(table)], table)
            for table in known
        ],
    )


def _only(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    names = {column["name"] for column in before["columns"]}
    secret = {column["name"] for column in before["columns"] if secret_fields.hidden_because(before, column)}
    names |= {new for former, new in repairs.renamed(before, now).items() if former not in secret}
    foreign = [key for key in now["foreign_keys"] if set(key["columns"]) <= names]
    key = now["key"] if set(now["key"]) <= names else []
    return {
        **now,
        "columns": [column for column in now["columns"] if column["name"] in names],
        "foreign_keys": foreign,
        "key": key,
    }


def _spoken(found: Sequence[TableChange]) -> str:
    said = [
        f"{change.place} is {change.change}" if not change.columns and not change.key else ""
        for change in found
    ]
    said += [
        f"{change.place}.{column.name} is called {column.words} now"
        if column.change == "renamed"
        else f"{change.place}.{column.name} {'is ' if not column.words or column.change != 'changed' else ''}{column.change if column.change != 'changed' else column.words}"
        for change in found
        for column in change.columns
    ]
    said += [f"the key of {change.place} is {change.key}" for change in found if change.key]
    said = [text for text in said if text]
    return "; ".join(said[:5]) + (f"; and {len(said) - 5} more" if len(said) > 5 else "")


def compare(name: str, seen: Look, by: Actor = SYSTEM, before: Sequence[Stored] | None = None) -> Difference:
    """The difference between the stored and the read structure; breaks are listed as far as `by` may see them. `before`: all that is stored, if known."""
    before = _stored() if before is None else before
    after, dropped = _mended(name, seen, before)[::2]
    changes = _changes(name, before, after)
    breaks, read_otherwise = list[Break](), list[Reading]()
    if changes or {item.id: item.structure for item in before if item.source == name} != {
        item.id: item.structure for item in after
    }:
        now = assemble(before, function_fields.fields())
        then = assemble([item for item in before if item.source != name] + after, function_fields.fields())
        read_otherwise = list(readings(now, then, name))
        drafts = layout_drafts.broken(before, after, now, access.hidden_from(by))
        breaks = [
            *dropped,
            *drafts,
            *broken_documents.broken(now, then, by),
            *_policy(now, then, by),
        ]
    changed = {change.collection for change in changes}
    returned = [
        item
        for item in _rows()
        if item.source == name and set_aside.KEPT in item.structure and item.id not in changed
    ]
    read_otherwise += [
        Reading(
            item.id, "", f"records are shown with {', '.join(item.structure[set_aside.KEPT]['lost'])} again"
        )
        for item in returned
    ]
    return Difference(name, changes, tuple(dict.fromkeys(breaks)), _stamp(seen), tuple(read_otherwise))


def _changes(name: str, before: Sequence[Stored], after: Sequence[Stored]) -> tuple[TableChange, ...]:
    known = {place(item.structure): item for item in before if item.source == name}
    found = {place(item.structure): item for item in after}
    return (
        *(TableChange(key, "gone", known[key].id) for key in sorted(set(known) - set(found))),
        *(TableChange(key, "new", found[key].id) for key in sorted(set(found) - set(known))),
        *(
            _changed(key, known[key], found[key])
            for key in sorted(set(known) & set(found))
            if sampling.shape(known[key].structure) != sampling.shape(found[key].structure)
        ),
    )


def _stamp(seen: Look) -> str:
    shapes = [sampling.shape(structure) for structure in seen.structures]
    return hashlib.sha256(json.dumps(shapes, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _stored() -> list[Stored]:
    """All collections, those read without something as they were before."""
    return [set_aside.before_that(item) for item in _rows()]


def _rows() -> list[Stored]:
    table = tables.collection
    rows = read_rows(sa.select(table).order_by(table.c.position, table.c.id))
    return [Stored(row.id, row.source, row.structure, row.document, row.position) for row in rows]


# ------------------------------------------------------------------------------------------------------------- tables


def _changed(one: str, before: Stored, after: Stored) -> TableChange:
    old = {column["name"]: column for column in before.structure["columns"]}
    new = {column["name"]: column for column in after.structure["columns"]}
    names = repairs.renamed(before.structure, after.structure)
    columns = [
        *(ColumnChange(name, "renamed", now) for name, now in names.items()),
        *(
            ColumnChange(name, "gone", _kind(old[name]))
            for name in old
            if name not in new and name not in names
        ),
        *(
            ColumnChange(name, "new", _kind(new[name]))
            for name in new
            if name not in old and name not in names.values()
        ),
        *(
            ColumnChange(name, "changed", words)
            for name in old
            if name in new and (words := _words(old[name], new[name]))
        ),
    ]
    keys = before.structure["key"], after.structure["key"]
    key = "" if keys[0] == keys[1] else f"{', '.join(keys[0]) or 'none'} → {', '.join(keys[1]) or 'none'}"
    return TableChange(one, "changed", before.id, tuple(columns), key)


def _kind(column: Mapping[str, Any]) -> str:
    return str(column.get("native") or column["stored"])


def _words(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    said = []
    if (old["stored"], _kind(old)) != (new["stored"], _kind(new)):
        kinds = (_kind(old), _kind(new)) if _kind(old) != _kind(new) else (old["stored"], new["stored"])
        said.append(f"{kinds[0]} → {kinds[1]}")
    if old["nullable"] != new["nullable"]:
        said.append("may be empty now" if new["nullable"] else "may no longer be empty")
    if bool(old.get("generated")) != bool(new.get("generated")):
        said.append(
            "is set by the database now" if new.get("generated") else "is no longer set by the database"
        )
    if old.get("options") != new.get("options"):
        said.append("another list of values")
    if old.get("max_length") != new.get("max_length") and old["stored"] == new["stored"]:
        said.append(
            f"at most {old.get('max_length') or 'any number of'} → {new.get('max_length') or 'any number of'} letters"
        )
    return ", ".join(said)


# ---------------------------------------------------------------------------------------------------------- documents


def _mended(
    name: str, seen: Look, before: Sequence[Stored]
) -> tuple[list[Stored], list[dict[str, Any]], list[Break]]:
    """(collections after the change, their repaired documents, what was left out)."""
    now = {(item["schema"], item["table"]): item for item in seen.structures}
    structures = {item.id: item.structure for item in before}
    said, dropped = [], []
    for item in before:
        if item.source == name and item.document:
            found = now.get((item.document.get("schema") or seen.schema, item.document["table"]))
            if found is None:
                dropped.append(_of_document(item.document, "Its table is gone, and the document with it."))
            else:
                said.append((item, found))
                structures[item.id] = found
    columns = {
        ident: frozenset(column["name"] for column in structure["columns"])
        for ident, structure in structures.items()
    }
    own = {item.id: item.structure for item in before if item.source == name}
    names = {
        ident: repairs.renamed(structure, now[at])
        for ident, structure in own.items()
        if (at := (structure["schema"], structure["table"])) in now
    }
    kept_from = {row.obj.removeprefix("field:") for row in access.all_rows() if row.obj.startswith("field:")}
    mended = []
    for item, found in said:
        called = repairs.rename(item.document, names.get(item.id, {}), names)
        for former, new in names.get(item.id, {}).items():
            if (
                f"{item.id}/{former}" in kept_from
            ):  # the right names the former column: until somebody names the new one, nobody sees it
                called.setdefault("fields", {}).setdefault(new, {})["hidden"] = True
        document = repairs.mended(called, item.structure, found, columns)
        mended.append(document)
        dropped += [
            _of_document(item.document, reason)
            for reason in repairs.describe_omissions(_plain(item), called, document)
        ]
    after = source_store.stored_collections(
        name, seen, mended, ids_of(item for item in before if item.source == name)
    )
    return after, mended, dropped + _segments(after, mended)


def _plain(item: Stored) -> Collection:
    """The collection with the fields and labels that it had, without anything else of its document."""
    known = {column["name"] for column in item.structure["columns"]}
    labels = {
        name: {"label": said["label"]}
        for name, said in (item.document.get("fields") or {}).items()
        if name in known and said.get("label")
    }
    return assemble([replace(item, document={"fields": labels})])[item.id]


def _of_document(document: Mapping[str, Any], reason: str) -> Break:
    return Break(
        "collection",
        str(document.get("label") or document["id"]),
        f"/settings/collections/{document['id']}",
        reason,
        str(document["id"]),
    )


def _segments(after: list[Stored], mended: list[dict[str, Any]]) -> list[Break]:
    """Segments whose columns exist but whose meaning changed (a text is a number now); they are left out too."""
    if not any(document.get("segments") for document in mended):
        return []
    bare = [
        replace(item, document={**item.document, "segments": [], "relations": []}) if item.document else item
        for item in after
    ]
    made, dropped = assemble(bare, function_fields.fields()), []
    for document in mended:
        for segment in list(document.get("segments") or ()):
            if "filter" in segment and (wrong := _wrong(segment["filter"], made[document["id"]])):
                document["segments"] = [one for one in document["segments"] if one["id"] != segment["id"]]
                dropped.append(
                    Break(
                        "segment",
                        segment["label"],
                        f"/settings/collections/{document['id']}",
                        wrong,
                        document["id"],
                    )
                )
    return dropped


# ---------------------------------------------------------------------------------------------------------- conditions


def _policy(now: Mapping[str, Collection], then: Mapping[str, Collection], by: Actor) -> Iterator[Break]:
    """Conditions on records, and hidden fields, that would fail."""
    hidden = access.hidden_from(by)
    for row in access.all_rows():
        kind, _, ident = row.obj.partition(":")
        if f"collection:{ident.partition('/')[0]}" in hidden or row.obj in hidden:
            continue
        if kind == "field":
            collection, _, name = ident.partition("/")
            if name in _names(now, collection) and name not in _names(then, collection):
                yield Break(
                    "policy",
                    row.sub,
                    "/settings/roles",
                    f"It is kept from {collection}.{name}, which is gone.",
                    collection,
                )
        elif kind == "collection" and row.expression and ident in now:
            wrong = _wrong(row.expression, then[ident], then) if ident in then else "The collection is gone."
            if wrong and not _wrong(row.expression, now[ident], now):
                yield Break(
                    "policy",
                    row.sub,
                    "/settings/roles",
                    f"{row.act} on {ident} where {row.expression}: {wrong}",
                    ident,
                )


def _names(where: Mapping[str, Collection], collection: str) -> frozenset[str]:
    return frozenset(where[collection].by_name) if collection in where else frozenset()


def _wrong(expression: str, collection: Collection, where: Mapping[str, Collection] | None = None) -> str:
    """Why the expression is not valid for these records; empty if it is. Relations are followed within `where`."""
    try:
        sql_conditions.check(expressions.parse(expression), collection, None if where is None else where.get)
    except ConsoleError as error:
        return error.message
    return ""


def readings(
    before: Mapping[str, Collection], after: Mapping[str, Collection], source: str
) -> Iterator[Reading]:
    """What is read otherwise, in collections that are there before and after."""
    for now in after.values():
        former = before.get(now.id)
        if former is None or former.source != source:
            continue
        for field in now.stored_fields:
            was = former.by_name.get(field.name)
            if was is not None and (words := _otherwise(was, field)):
                yield Reading(now.label, field.label, words)
        titles = [
            ", ".join(item.by_name[name].label for name in item.title_fields if name in item.by_name)
            for item in (former, now)
        ]
        if former.title != now.title and set(former.title_fields) <= set(now.by_name):
            yield Reading(
                now.label,
                "",
                f"records are called by {titles[1] or 'their number'} (so far: {titles[0] or 'their number'})",
            )


def _otherwise(was: Field, now: Field) -> str:
    said = []
    if now.hidden_because and not was.hidden:
        said.append("is hidden from everybody: it looks like a secret")
    if was.hidden and not now.hidden:
        said.append("is shown")
    same = (was.stored, was.native) == (now.stored, now.native) or field_guesses.MIDNIGHT in (
        was.native,
        now.native,
    )
    if same and (was.type, was.widget, was.minor) != (now.type, now.widget, now.minor):
        why = ": its times are all midnight" if now.native == field_guesses.MIDNIGHT else ""
        said.append(f"is read as {_kind_words(now)}{why} (so far: {_kind_words(was)})")
    elif same and was.options != now.options:
        said.append(
            "is shown in the words that its comment has for its codes"
            if now.options
            else "is shown as it is stored"
        )
    if now.single and not was.single and now.references and not (now.nullable or now.hidden):
        said.append("leads each record to another one: those without a name of their own are called after it")
    return ", and ".join(said)


def _kind_words(field: Field) -> str:
    kind = (
        formats.WIDGET_WORDS.get(field.widget or "")
        or field.type.replace("_", " ").replace("datetime", "date and time").capitalize()
    )
    return f"“{kind}, in its smallest unit”" if field.minor else f"“{kind}”"
