"""Looking at records and changing them by hand: judged first, read within the actor's scope, and noted in the log.

Who may not browse a collection is told that there is none. Lists, counts, searches and single records all go through the same scope.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from console import access, faults, log, records, subjects
from console.browse import evidence
from console.core import expressions, filters
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field, Relation
from console.core.expressions import search_syntax
from console.core.expressions.search_syntax import Several, Sought, Way
from console.core.filters import Filter
from console.core.forms import refusal
from console.core.scopes import Scope
from console.errors import Invalid, Malformed, NotAllowed, NotFound
from console.records import Page, Record, WriteUnknown

CAP = 10_000
MOST_LABELLED = 8


@dataclass(frozen=True, slots=True)
class BrowseQuery:
    """What a list is asked for, as it stands in the URL: `filter` is JSON text or, not beginning with `{`, words as `q` takes them; `sort` a field with `-`
    before it for descending. `extended`: words are looked for in the records too that the list's refer to.

    `count` asks for the number of records that fit: `exact`, `capped` (at most 10 001) or not at all. `fields` limits the columns.
    """

    segment: str | None = None
    filter: str | None = None
    q: str | None = None
    sort: str | None = None
    limit: int = 50
    after: str | None = None
    before: str | None = None
    count: str | None = None
    fields: tuple[str, ...] | None = None
    labels: bool = False
    extended: bool = False


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list. `columns` are the fields shown, `filter` the checked filter, `sort` the order in use (empty: by key).

    `total` is null unless it was asked for; 10 001 means "more than 10 000" where the count was capped. `titles` hold, by column and key,
    how the records that columns refer to are called (only where `labels` were asked for). `words` are the texts that were looked for.
    """

    collection: Collection
    columns: tuple[Field, ...]
    rows: list[Record]
    next: str | None
    previous: str | None
    total: int | None
    sort: str
    filter: Filter | None
    query: BrowseQuery
    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    masked: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """How many records a list has: `total` is exact up to 10 000 and where that was asked for; 10 001 means "more than 10 000".

    `about` is then what the database's planner takes for the number, null where it does not say.
    """

    total: int
    about: int | None = None


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A record with what is needed to show it: its fields in order, what it refers to, and where it leads.

    `fields` are those that may be read (read-only where the actor may not change them), `masked` those that stand there as dots, `relations`
    those whose collection may be browsed, `fixed` the fields that a rule keeps from being changed.
    """

    collection: Collection
    record: Record
    fields: tuple[Field, ...]
    relations: tuple[Relation, ...]
    may_update: bool
    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    masked: tuple[Field, ...] = ()
    fixed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RelatedPage:
    """Records that a relation leads to."""

    relation: Relation
    collection: Collection
    columns: tuple[Field, ...]
    rows: list[Record]
    next: str | None
    previous: str | None


def collections(actor: Actor) -> list[Collection]:
    """Collections that the actor may browse, in their order."""
    return [item for item in records.collections() if _may(actor, item.id, "browse")]


def masked(actor: Actor, collection_id: str) -> tuple[Field, ...]:
    """Fields whose values stand there as dots for the actor, to be uncovered one by one. Raises NotFound."""
    return _masked(*browsed(actor, collection_id))


def describe(actor: Actor, collection_id: str) -> dict[str, Any]:
    """The collection in the shape of the API, as this actor sees it. Raises NotFound."""
    collection, scope = browsed(actor, collection_id)
    described = collection.to_json(scope)
    if not _may(actor, collection_id, "update"):
        described["fields"] = [{**item, "readonly": True} for item in described["fields"]]
    described["relations"] = [relation.to_json() for relation in _relations(actor, collection)]
    return described


def page(actor: Actor, collection_id: str, query: BrowseQuery) -> ListPage:
    """A page of the collection's list. Raises NotFound, Malformed naming the field, op, sort, segment or cursor that is wrong, SourceDown."""
    collection, scope = browsed(actor, collection_id)
    where, segment, sought = _question(actor, collection, scope, query)
    order = records.order_of(collection, scope, query.sort)
    columns = _columns(collection, scope, query.fields)
    found = records.page(
        collection_id,
        scope,
        where=where,
        segment=segment,
        q=sought,
        sort=query.sort,
        limit=query.limit,
        after=query.after,
        before=query.before,
        fields=None if query.fields is None else _read(collection, columns),
    )
    total = None
    if query.count:
        total = records.count(collection_id, scope, where, sought, None if query.count == "exact" else CAP, segment=segment)
    titles = _titles(actor, columns, found.rows) if query.labels else {}
    _note_list(actor, collection, query, order.text, found)
    shown = ListPage(collection, columns, found.rows, found.next, found.previous, total, order.text, where, query, titles)
    dots = tuple(item for item in _masked(collection, scope) if item.name in (query.fields or ()))
    return replace(shown, words=tuple(search_syntax.words(sought)), masked=dots)


def count(actor: Actor, collection_id: str, query: BrowseQuery) -> Counted:
    """How many records the list has, wherever the page stands: exactly where `count` is `exact`. Raises what `page` raises.

    It is part of the look at the list that `page` has noted, and nothing of its own.
    """
    collection, scope = browsed(actor, collection_id)
    where, segment, sought = _question(actor, collection, scope, query)
    if query.count == "exact":
        return Counted(records.count(collection_id, scope, where, sought, None, segment=segment))
    total = records.count(collection_id, scope, where, sought, CAP, segment=segment)
    return Counted(total, records.estimate(collection_id, scope, where, sought, segment=segment) if total > CAP else None)


def looked_at(actor: Actor, collection_id: str) -> tuple[Collection, Scope]:
    """The collection and what the actor may look at of it. Raises NotFound."""
    return browsed(actor, collection_id)


def record(actor: Actor, collection_id: str, key: str, *, labels: bool = False) -> RecordPage:
    """The record with its fields. Raises NotFound, SourceDown."""
    collection, scope = browsed(actor, collection_id)
    found = records.get(collection_id, key, scope)
    may_update = _may_update(actor, collection_id, key)
    fields = tuple(item for item in collection.readable(scope))
    titles = _titles(actor, fields, [found]) if labels else {}
    log.note(
        actor,
        "record_viewed",
        source=collection.source,
        collection=collection_id,
        record=ref(collection, key),
        label=_label(collection),
        later=True,
    )
    fixed = access.scope_for(actor, collection_id, "update").fixed if may_update else frozenset()
    return RecordPage(collection, found, fields, _relations(actor, collection), may_update, titles, _masked(collection, scope), fixed)


def sample(actor: Actor, becoming: Collection) -> RecordPage | None:
    """The first record as a collection that does not count yet would show it; None where there is none. Raises NotFound, SourceDown."""
    _, scope = browsed(actor, becoming.id)
    found = records.sample(becoming, scope)
    log.note(
        actor, "record_listed", open={"count": 1 if found else 0, "sort": "", "more": False}, source=becoming.source, collection=becoming.id
    )
    return None if found is None else RecordPage(becoming, found, becoming.readable(scope), (), False)


def related(
    actor: Actor, collection_id: str, key: str, relation: str, limit: int = 50, after: str | None = None, *, before: str | None = None
) -> RelatedPage:
    """A page of the records that a relation leads to. Raises NotFound where record, relation or the other collection may not be seen."""
    collection, scope = browsed(actor, collection_id)
    link = collection.relation(relation)
    if link is None:
        raise NotFound
    target, target_scope = browsed(actor, link.collection)
    records.get(collection_id, key, scope, fields=())
    found = records.related(collection_id, key, relation, target_scope, limit, after, before=before)
    log.note(
        actor,
        "record_viewed",
        open={"relation": relation},
        source=collection.source,
        collection=collection_id,
        record=ref(collection, key),
        label=_label(target) or _label(collection),
        later=True,
    )
    columns = _columns(target, target_scope, related_columns(collection, relation) or target.columns)
    return RelatedPage(link, target, columns, found.rows, found.next, found.previous)


def related_columns(collection: Collection, relation: str) -> tuple[str, ...] | None:
    """Columns that the collection's summary shows of a related list; None where it says nothing."""
    said = next((item for item in collection.summary.get("related", ()) if item.get("relation") == relation), None)
    return tuple(said["columns"]) if said and said.get("columns") else None


def change(actor: Actor, collection_id: str, key: str, values: Mapping[str, Any], expected: Mapping[str, Any]) -> Record:
    """The record after `values` were set, if all fields of `expected` (name → old value) still are what they were.

    Raises NotFound, NotAllowed, Conflict `record_changed` with `theirs` per field that moved, Invalid with a detail per field that is wrong,
    SourceDown; WriteUnknown when it cannot be said whether it was made, which is noted as well.
    """
    collection, scope = browsed(actor, collection_id)
    before = records.get(collection_id, key, scope)
    obj = f"collection:{collection_id}"
    access.require(actor, None, obj, "update")
    if not _may_update(actor, collection_id, key):
        raise NotAllowed("You may see this record, but not change it. An admin can grant it.", need=(obj, "update"))
    strange = [name for name in expected if name not in before.values]
    if strange:
        raise Invalid(
            f"There is no field {', '.join(strange)}.",
            details=[{"field": name, "reason": f"{collection.label_one} has no field {name}."} for name in strange],
        )
    wanted = {name: {"old": expected.get(name, before.values.get(name)), "new": new} for name, new in values.items()}
    unchanged = {name: {"old": old, "new": before.values[name]} for name, old in expected.items() if name not in values}
    records.compare(collection, unchanged, before.values)
    led = {name: new for name, new in values.items() if before.values.get(name) != new}
    if details := evidence.wrong_columns(actor, collection, led):
        raise refusal(details)
    try:
        after = records.write(collection_id, key, wanted, access.scope_for(actor, collection_id, "update"))
    except WriteUnknown:
        note_change(actor, collection, key, before.values, values, result="unknown")
        raise
    faults.point("browse.note.before")
    moved = {name: new for name, new in after.values.items() if name in values and new != before.values.get(name)}
    if moved:
        note_change(actor, collection, key, before.values, moved, result="succeeded")
    return after


def subject_of(collection: Collection, key: str) -> str | None:
    """The subject (`sub_…`) whose data the record holds; None where the collection names none, or the record leads to nobody."""
    whose = records.subject(collection.id, key)
    return subjects.subject_of(*whose) if whose else None


# ------------------------------------------------------------------------------------------------------------- judging


def _may(actor: Actor, collection_id: str, act: str) -> bool:
    return access.can(actor, None, f"collection:{collection_id}", act)


def _may_update(actor: Actor, collection_id: str, key: str) -> bool:
    """Whether the record is one that the actor may change, as the database sees it: the actor need not see what decides that."""
    scope = access.scope_for(actor, collection_id, "update")
    return not scope.nothing and (scope.unlimited or key in records.visible(collection_id, [key], scope))


def browsed(actor: Actor, collection_id: str) -> tuple[Collection, Scope]:
    """The collection and what the actor may read of it. Raises NotFound, in the same words for what is not there and what is not theirs."""
    collection = records.collection(collection_id)
    if not _may(actor, collection_id, "browse"):
        raise NotFound(hidden=True)
    return collection, looking(actor, collection)


def looking(actor: Actor, collection: Collection) -> Scope:
    """What the actor may look at of the collection, sensitive values masked where they are uncovered one by one."""
    return access.scope_for(actor, collection.id, "read", sensitive=collection.sensitive)


def _masked(collection: Collection, scope: Scope) -> tuple[Field, ...]:
    return tuple(item for item in collection.fields if item.name in scope.masked)


def _relations(actor: Actor, collection: Collection) -> tuple[Relation, ...]:
    return tuple(relation for relation in collection.relations if _may(actor, relation.collection, "browse"))


def _question(
    actor: Actor, collection: Collection, scope: Scope, query: BrowseQuery
) -> tuple[Filter | None, expressions.Expression | None, Sought | None]:
    """The filter, the segment and the words of the question."""
    told = (query.filter or "").strip()
    where = filters.parse(told, collection, scope.hidden) if told.startswith("{") else None
    ways = partial(_way, actor, collection)
    texts = [query.q or "", "" if where is not None else told]
    found = [search_syntax.read(text, collection, scope.hidden, ways, actor.zone, extended=query.extended) for text in texts]
    sought = [item for item in found if item is not None]
    return where, _segment(collection, scope, query.segment), Several("and", tuple(sought)) if len(sought) > 1 else next(iter(sought), None)


def _way(actor: Actor, collection: Collection, name: str) -> Way | None:
    """Where a relation leads, if the actor may browse there and one statement can look at both."""
    relation = collection.relation(name)
    if relation is None or not _may(actor, relation.collection, "browse"):
        return None
    there, scope = records.collection(relation.collection), access.scope_for(actor, relation.collection, "read")
    alike = all(collection.by_name[here].stored == there.by_name[column].stored for here, column in relation.columns)
    return Way(relation, there, scope) if there.source == collection.source and alike else None


def _segment(collection: Collection, scope: Scope, segment_id: str | None) -> expressions.Expression | None:
    if not segment_id:
        return None
    segment = collection.segment(segment_id)
    expression = expressions.parse(segment.filter) if segment else None
    if expression is None or {name for name in scope.hidden if f"record.{name}" in expressions.names(expression)}:
        reason = f"{collection.label} have no segment {segment_id}."
        raise Malformed(reason, details=[{"field": "segment", "reason": reason}])
    return expression


def _columns(collection: Collection, scope: Scope, wanted: tuple[str, ...] | None) -> tuple[Field, ...]:
    """The fields of these names that may be read, in the order asked for; all of them where nothing is asked for."""
    readable = {item.name: item for item in collection.readable(scope)}
    return tuple(readable.values()) if wanted is None else tuple(readable[name] for name in dict.fromkeys(wanted) if name in readable)


def _read(collection: Collection, columns: tuple[Field, ...]) -> list[str]:
    """Names of the columns, and of those that hold the currency of one of them."""
    names = [item.name for item in columns]
    return list(dict.fromkeys([*names, *(collection.currencies[name] for name in names if name in collection.currencies)]))


def _titles(actor: Actor, columns: tuple[Field, ...], rows: list[Record]) -> dict[str, dict[str, str]]:
    """How the records are called that the columns refer to: one statement per referring column, at most eight."""
    found: dict[str, dict[str, str]] = {}
    for item in [column for column in columns if column.references][:MOST_LABELLED]:
        target = str(item.references)
        wanted = {str(row.values[item.name]) for row in rows if row.values.get(item.name) is not None}
        if wanted and _may(actor, target, "browse"):
            found[item.name] = records.titles(target, sorted(wanted), looking(actor, records.collection(target)))
    return found


# -------------------------------------------------------------------------------------------------------------- noting


def ref(collection: Collection, key: str) -> str:
    """How the log names the record: by its key, or by a random reference where the key itself is personal."""
    return subjects.ref(collection.id, key) if collection.personal_key else key


def key_behind(collection: Collection, named: str) -> str | None:
    """The key of the record that the log names so (`ref`); None where nothing leads back to it any more."""
    return subjects.record_behind(collection.id, named) if collection.personal_key else named


def _label(collection: Collection) -> str | None:
    """The label of the whole collection; that of some of its records is minded by who may see the record."""
    return access.label_of(f"collection:{collection.id}")


def _note_list(actor: Actor, collection: Collection, query: BrowseQuery, sort: str, found: Page) -> None:
    open_ = {"count": len(found.rows), "sort": sort, "more": found.next is not None, "has_filter": bool(query.filter or query.q)}
    sealed = {name: value for name, value in (("filter", query.filter), ("q", query.q)) if value}
    if query.segment:
        open_["segment"] = query.segment
    log.note(
        actor,
        "record_listed",
        open=open_,
        sealed=sealed,
        source=collection.source,
        collection=collection.id,
        label=_label(collection),
        later=True,
    )


def note_change(
    actor: Actor,
    collection: Collection,
    key: str | None,
    before: Mapping[str, Any],
    moved: Mapping[str, Any],
    *,
    result: str,
    effect: str | None = None,
    whose: str | None = None,
) -> None:
    """The event of a change by hand. `effect` is added or deleted where it is not some fields that changed; of what was deleted all that was read is kept."""
    gone = effect == "deleted"
    sealed = {"old": dict(before) if gone else {name: before.get(name) for name in moved}, "new": dict(moved)}
    open_ = {"fields": sorted(moved), "result": result} | ({"effect": effect} if effect else {})
    whose = whose if gone or key is None else subject_of(collection, key)
    log.note(
        actor,
        "record_changed",
        open=open_,
        sealed=sealed,
        source=collection.source,
        collection=collection.id,
        record=ref(collection, key) if key is not None else None,
        subject=whose,
        label=_label(collection),
    )
