"""Looking at records and changing them by hand: rights are checked first, reads use the actor's scope, and everything is logged.

Without the right to browse, a collection is answered as not existing. Lists, counts, searches and single records use the same scope.
"""

import time
from collections.abc import Callable, Collection as Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from console import formats, log, records
from console.auth import access
from console.browse import naming, segment_order
from console.browse.governors import Governor, governors
from console.core import expressions, filters
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field, Relation, Segment
from console.core.errors import Malformed, NotFound, TooSlow
from console.core.expressions import search_syntax
from console.core.expressions.search_syntax import Several, Sought, Way
from console.core.filters import Filter, Today
from console.core.scopes import Scope
from console.formats import Look, Named
from console.infra import subjects
from console.infra.db.engine import fetch
from console.records import (
    Chosen,
    KeySelect,
    Record,
    ValueCounts,
    index_advice,
    search,
    sql_segments,
    titled_orders,
)

CAP = 10_000
MOST_IN_TAB = 1_000
TAB_S, TABS_S = 0.25, 1.5


@dataclass(frozen=True, slots=True)
class BrowseQuery:
    """The query of a list, as in its URL. `filter` is JSON or, without a leading `{`, search words like `q`; `sort` is a field, with `-` for
    descending. `extended`: also search the records that are referred to. `inside`: look for words in every row, however large the table is.

    `count`: `exact`, `capped` (at most 10 001) or not at all. `fields` limits the columns. `start`: see `list_starts`; `before` may be its `LAST`.
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
    inside: bool = False
    start: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list. `columns` are the displayed fields, `filter` the checked filter, `sort` the order in use (empty: by key).

    `total` is null unless requested; a capped 10 001 means "more". `named` are the records referred to (only with `labels`). `words` are the
    search texts; `reach` says how they were looked for (`records.search.reach`), `searched` in which fields; `by_title`: see `titled_orders`.
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
    named: Mapping[naming.Reference, Named] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    masked: tuple[Field, ...] = ()
    reach: str = ""
    searched: tuple[Field, ...] = ()
    by_title: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Counted:
    """Number of records in a list: exact up to 10 000 or if requested; 10 001 means "more", `about` then what the database's planner estimates, if it does."""

    total: int
    about: int | None = None


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A record with everything that its page shows.

    `fields` are the readable ones (read-only if the actor may not change them), `masked` those shown as dots, `relations` those to collections
    that the actor may browse, `fixed` the fields that a rule makes read-only, `governed` those that only workflows change.
    """

    collection: Collection
    record: Record
    fields: tuple[Field, ...]
    relations: tuple[Relation, ...]
    may_update: bool
    named: Mapping[naming.Reference, Named] = field(default_factory=dict)
    masked: tuple[Field, ...] = ()
    fixed: frozenset[str] = frozenset()
    governed: Mapping[str, Governor] = field(default_factory=dict)


def collections(actor: Actor, wanted: Callable[[Collection], object] | None = None) -> list[Collection]:
    """Collections that the actor may browse, in order. Rights are judged only of those that are `wanted`."""
    return [
        item
        for item in records.collections()
        if (wanted is None or wanted(item)) and _may(actor, item.id, "browse")
    ]


def masked(actor: Actor, collection_id: str) -> tuple[Field, ...]:
    """Fields shown as dots to the actor, which can be revealed one by one. Raises NotFound."""
    return _masked(*browsed_collection(actor, collection_id))


def describe(actor: Actor, collection_id: str) -> dict[str, Any]:
    """The collection in the form of the API, as this actor sees it. Raises NotFound."""
    return described(actor, *browsed_collection(actor, collection_id))


def described(actor: Actor, collection: Collection, scope: Scope) -> dict[str, Any]:
    """As `describe`, within a scope that the caller has judged."""
    told = collection.to_json(scope)
    if not _may(actor, collection.id, "update"):
        told["fields"] = [{**item, "readonly": True} for item in told["fields"]]
    if any(item.sql is not None for item in collection.segments):
        unseen = {item.id for item in collection.segments if not _reads_seen(actor, collection, item)}
        told["segments"] = [item for item in told["segments"] if item["id"] not in unseen]
    told["relations"] = [relation.to_json() for relation in _relations(actor, collection)]
    return told


def page(actor: Actor, collection_id: str, query: BrowseQuery) -> ListPage:
    """A page of the collection's list. Raises NotFound, Malformed naming the invalid field, op, sort, segment or cursor, SourceDown."""
    return noted_page(actor, *browsed_collection(actor, collection_id), query)


def noted_page(actor: Actor, collection: Collection, scope: Scope, query: BrowseQuery) -> ListPage:
    """As `page`, within a scope that the caller has judged."""
    found = page_within(actor, collection, scope, query)
    open_ = {
        "count": len(found.rows),
        "sort": found.sort,
        "more": found.next is not None,
        "has_filter": bool(query.filter or query.q),
    }
    sealed = {name: value for name, value in (("filter", query.filter), ("q", query.q)) if value}
    if query.segment:
        open_["segment"] = query.segment
    note_on(actor, "record_listed", collection, open=open_, sealed=sealed)
    return found


def page_within(actor: Actor, collection: Collection, scope: Scope, query: BrowseQuery) -> ListPage:
    """The page of the list within a scope that the caller has judged; the caller notes it in the log."""
    query = segment_order.of_query(collection, scope, query)
    where, segment, sought = question(actor, collection, scope, query)
    order = records.order_of(collection, scope, query.sort)
    columns = shown_columns(collection, scope, query.fields)
    found = records.page(
        collection.id,
        scope,
        where=where,
        segment=segment,
        q=sought,
        sort=query.sort,
        limit=query.limit,
        after=query.after,
        before=query.before,
        fields=None if query.fields is None else read_columns(collection, columns),
        start=query.start,
    )
    total = None
    if query.count:
        exact = query.count == "exact" and not _by_indexes(collection, scope, sought)
        total = records.count(collection.id, scope, where, sought, None if exact else CAP, segment=segment)
    named = named_records(actor, columns, found.rows) if query.labels else {}
    rows = naming.called(actor, collection, found.rows, named)
    shown = ListPage(
        collection, columns, rows, found.next, found.previous, total, order.asked, where, query, named
    )
    dots = tuple(item for item in _masked(collection, scope) if item.name in (query.fields or ()))
    reach = search.reach(collection, scope.hidden, sought) if sought is not None else ""
    searched = (
        search.searched_fields(collection, scope.hidden, search_syntax.shown_fields(sought))
        if search_syntax.worded(sought)
        else ()
    )
    titled = titled_orders.by_title(collection, scope, columns)
    return replace(
        shown,
        words=tuple(search_syntax.words(sought)),
        masked=dots,
        reach=reach,
        searched=tuple(searched),
        by_title=titled,
    )


def every_within(
    actor: Actor,
    collection: Collection,
    scope: Scope,
    seen: Scope,
    query: BrowseQuery,
    columns: tuple[Field, ...],
    size: int,
) -> Iterator[list[Record]]:
    """All records of the list that are in both scopes, which the caller has judged, `size` at a time; `columns` as of `page_within`."""
    query = segment_order.of_query(collection, scope, query)
    where, segment, sought = question(actor, collection, scope, query)
    fields = None if query.fields is None else read_columns(collection, columns)
    return records.every(
        collection.id,
        scope,
        seen,
        where=where,
        segment=segment,
        q=sought,
        sort=query.sort,
        fields=fields,
        size=size,
    )


def nothing_found(actor: Actor, collection_id: str, query: BrowseQuery) -> ListPage:
    """The frame of a list whose statement was stopped: what it would have found is not known."""
    collection, scope = browsed_collection(actor, collection_id)
    where, _, sought = question(actor, collection, scope, query)
    shown = ListPage(
        collection,
        shown_columns(collection, scope, query.fields),
        [],
        None,
        None,
        None,
        query.sort or "",
        where,
        query,
    )
    return replace(shown, words=tuple(search_syntax.words(sought)), reach="stopped")


def count(actor: Actor, collection_id: str, query: BrowseQuery) -> Counted:
    """Number of records in the list, independent of the page: exact if `count` is `exact`. Raises what `page` raises.

    Not logged, because `page` has logged the look at the list.
    """
    collection, scope = browsed_collection(actor, collection_id)
    where, segment, sought = question(actor, collection, scope, query)
    if query.count == "exact" and not _by_indexes(collection, scope, sought):
        return Counted(records.count(collection_id, scope, where, sought, None, segment=segment))
    total = records.count(collection_id, scope, where, sought, CAP, segment=segment)
    if _by_indexes(collection, scope, sought):
        return Counted(total)
    return Counted(
        total, records.estimate(collection_id, scope, where, sought, segment=segment) if total > CAP else None
    )


def segment_counts(
    actor: Actor, collection_id: str, more: Mapping[str, BrowseQuery] | None = None
) -> dict[str | None, int]:
    """Segment → number of records, None for all of them, and so of `more` queries; `CAP + 1` means more than `CAP`.

    Each is one statement of at most `TAB_S` seconds, all of them `TABS_S`; a segment that takes longer is left out. Raises NotFound, SourceDown.
    """
    collection, scope = browsed_collection(actor, collection_id)
    found: dict[str | None, int] = {}
    until = time.monotonic() + TABS_S
    queries = (
        {None: BrowseQuery()}
        | {segment.id: BrowseQuery(segment=segment.id) for segment in collection.segments}
        | dict(more or {})
    )
    for segment_id, query in queries.items():
        if time.monotonic() >= until:
            break
        try:
            where, segment, sought = question(actor, collection, scope, query)
            found[segment_id] = records.count(
                collection_id, scope, where, sought, CAP, segment=segment, seconds=TAB_S
            )
        except (TooSlow, Malformed):
            continue  # of a segment that rests on a hidden field nothing is told
    return found


def value_counts(actor: Actor, collection_id: str, field: str, query: BrowseQuery) -> ValueCounts:
    """How often each value of the field stands in the list that the query names.

    Raises what `page` raises, Malformed for a hidden field.
    """
    collection, scope = browsed_collection(actor, collection_id)
    where, segment, sought = question(actor, collection, scope, query)
    name = filters.readable_field(collection, field, scope.hidden).name
    return records.value_counts(collection_id, scope, name, where, sought, segment=segment)


def _by_indexes(collection: Collection, scope: Scope, sought: Sought | None) -> bool:
    """Whether the search goes through indexes, which name no more than `CAP` records."""
    return sought is not None and search.reach(collection, scope.hidden, sought) not in ("", "rows")


def search_advice(actor: Actor, collection_id: str) -> list[str]:
    """Statements that would make searches of the collection fast, for who manages sources; else none."""
    collection, scope = browsed_collection(actor, collection_id)
    if not access.can(actor, None, "source", "manage"):
        return []
    return index_advice.statements(collection, search.searched_fields(collection, scope.hidden))


def record(actor: Actor, collection_id: str, key: str, *, labels: bool = False) -> RecordPage:
    """The record with its fields. Raises NotFound, SourceDown."""
    collection, scope = browsed_collection(actor, collection_id)
    found = records.get(collection_id, key, scope)
    may_update = may_update_record(actor, collection_id, key)
    fields = tuple(item for item in collection.readable(scope))
    named = named_records(actor, fields, [found]) if labels else {}
    (found,) = naming.called(actor, collection, [found], named)
    note_view(actor, collection, key, seen=found)
    fixed = access.scope_for(actor, collection_id, "update").fixed if may_update else frozenset()
    masks = _masked(collection, scope)
    return RecordPage(
        collection,
        found,
        fields,
        _relations(actor, collection),
        may_update,
        named,
        masks,
        fixed,
        governors(actor, fields),
    )


def sample(actor: Actor, becoming: Collection) -> RecordPage | None:
    """The first record, as a draft of the collection would show it; None without one. Raises NotFound, SourceDown."""
    _, scope = browsed_collection(actor, becoming.id)
    found = records.sample(becoming, scope)
    log.note(
        actor,
        "record_listed",
        open={"count": 1 if found else 0, "sort": "", "more": False},
        source=becoming.source,
        collection=becoming.id,
    )
    if found is None:
        return None
    fields = becoming.readable(scope)
    return RecordPage(becoming, found, fields, (), False, named_records(actor, fields, [found]))


def subject_of(collection: Collection, key: str) -> str | None:
    """The subject (`sub_…`) whose data the record is; None if the collection has no subject, or the path leads nowhere."""
    whose = records.subject(collection.id, key)
    return subjects.subject_of(*whose) if whose else None


def subjects_of(collection: Collection, keys: Iterable[str]) -> dict[str, str]:
    """Key → under whose key data about the record is sealed: the person whom it is about, else the record's own."""
    wanted = list(dict.fromkeys(keys))
    named = (
        {}
        if collection.subject == "self"
        else {key: whose for key in wanted if (whose := subject_of(collection, key)) is not None}
    )
    return named | subjects.subjects_of(collection.id, [key for key in wanted if key not in named])


def about_record(collection: Collection, key: str, seen: Record | None = None) -> dict[str, Any]:
    """The `record`, its title as `sealed`, and the `subject` of an event. `seen` is the record, where it has been read already."""
    whole = seen is not None and all(name in seen.values for name in collection.title_fields)
    titled = (
        naming.title_in_log(seen)
        if seen is not None and whole
        else naming.titles_in_log(collection, [key]).get(key, {})
    )
    subject = subjects_of(collection, [key])[key] if titled else None
    return {"record": records.log_reference(collection, key), "sealed": titled, "subject": subject}


def about_reference(who: tuple[str, str] | None) -> dict[str, Any]:
    """The same with the `collection`, for a (collection, key) that may not be connected any more, or is nobody."""
    if who is None:
        return {}
    collection_id, key = who
    unknown = {"record": records.reference_in_log(collection_id, key)}
    return {"collection": collection_id, **about_records(collection_id, [key]).get(key, unknown)}


def about_records(collection_id: str | None, keys: Container[str]) -> dict[str, dict[str, Any]]:
    """Key → the same of many records, without title and subject where it cannot be read now; empty where their collection is not connected any more."""
    collection = records.catalogue.find(collection_id) if collection_id else None
    if collection is None:
        return {}
    titled = naming.titles_in_log(collection, keys)
    whose = subjects_of(collection, titled)
    return {
        key: {
            "record": records.log_reference(collection, key),
            "sealed": titled.get(key, {}),
            "subject": whose.get(key),
        }
        for key in keys
    }


# ------------------------------------------------------------------------------------------------------------- judging


def _may(actor: Actor, collection_id: str, act: str) -> bool:
    return access.can(actor, None, f"collection:{collection_id}", act)


def may_update_record(actor: Actor, collection_id: str, key: str) -> bool:
    """Whether the actor may change the record. The database decides, because the actor may not see the fields that matter."""
    scope = access.scope_for(actor, collection_id, "update")
    return not scope.nothing and (scope.unlimited or key in records.visible_keys(collection_id, [key], scope))


def may_shape(actor: Actor, collection_id: str) -> bool:
    """Whether the actor may shape the collection: who manages sources any, others with the right to shape those that they may browse."""
    return access.can(actor, None, "source", "manage") or (
        _may(actor, collection_id, "shape") and _may(actor, collection_id, "browse")
    )


def browsed_collection(actor: Actor, collection_id: str) -> tuple[Collection, Scope]:
    """The collection and the actor's read scope. Raises NotFound, in the same words for missing and invisible collections."""
    collection = records.collection(collection_id)
    if not _may(actor, collection_id, "browse"):
        raise NotFound(hidden=True)
    return collection, view_scope(actor, collection)


def view_scope(actor: Actor, collection: Collection) -> Scope:
    """The actor's scope for looking at the collection, with sensitive fields masked if they are revealed one by one."""
    return access.scope_for(actor, collection.id, "read", sensitive=collection.sensitive)


def _masked(collection: Collection, scope: Scope) -> tuple[Field, ...]:
    return tuple(item for item in collection.fields if item.name in scope.masked)


def _relations(actor: Actor, collection: Collection) -> tuple[Relation, ...]:
    return tuple(relation for relation in collection.relations if _may(actor, relation.collection, "browse"))


def question(
    actor: Actor, collection: Collection, scope: Scope, query: BrowseQuery
) -> tuple[Filter | None, Chosen | None, Sought | None]:
    """The filter, segment and search of the query. Raises Malformed for what the actor may not read."""
    condition = (query.filter or "").strip()
    # an expression of a document would be looked for as words, and find nothing without a word: it is refused as no JSON
    structured = condition.startswith("{") or "record." in condition
    where = (
        filters.parse(condition, collection, scope.hidden, Today.of(log.now(), actor.zone))
        if structured
        else None
    )
    ways = partial(_way, actor, collection)
    kept = partial(formats.sought_value, Look.of(actor))
    read = partial(
        search_syntax.read,
        collection=collection,
        hidden=scope.hidden,
        ways=ways,
        zone=actor.zone,
        extended=query.extended,
        kept=kept,
    )
    found = [read(query.q or ""), read("" if where is not None else condition)]
    shown = (
        _shown_names(actor, collection)
        if collection.search and any(map(search_syntax.worded, found))
        else frozenset()
    )
    sought = [
        search_syntax.with_reach(item, everywhere=query.inside, shown=shown)
        for item in found
        if item is not None
    ]
    return (
        where,
        _segment(actor, collection, scope, query.segment),
        Several("and", tuple(sought)) if len(sought) > 1 else next(iter(sought), None),
    )


def _shown_names(actor: Actor, collection: Collection) -> frozenset[str]:
    """The columns that the list shows to the actor, by its document and by their own choice."""
    chosen = fetch(
        "select columns from console.list_view where person = %s and collection = %s",
        (actor.id, collection.id),
    )
    return frozenset(collection.columns).union(*(columns or () for (columns,) in chosen))


def filter_of(actor: Actor, collection_id: str, text: str) -> tuple[Collection, Filter]:
    """The collection, and the filter of a list's address. Raises NotFound, Malformed for what the actor may not read."""
    collection, scope = browsed_collection(actor, collection_id)
    return collection, filters.parse(text, collection, scope.hidden, Today.of(log.now(), actor.zone))


def _way(actor: Actor, collection: Collection, name: str) -> Way | None:
    """The target of a relation, if the actor may browse it and one statement can read both collections."""
    relation = collection.relation(name)
    if relation is None or not _may(actor, relation.collection, "browse"):
        return None
    there, scope = (
        records.collection(relation.collection),
        access.scope_for(actor, relation.collection, "read"),
    )
    alike = all(
        collection.by_name[here].stored == there.by_name[column].stored for here, column in relation.columns
    )
    return Way(relation, there, scope) if there.source == collection.source and alike else None


def _segment(actor: Actor, collection: Collection, scope: Scope, segment_id: str | None) -> Chosen | None:
    if not segment_id:
        return None
    segment = collection.segment(segment_id)
    if segment is None or segment.fields & scope.hidden or not _reads_seen(actor, collection, segment):
        raise Malformed(f"There is no segment {segment_id} in {collection.label}.", at="segment")
    return (
        expressions.parse(segment.filter)
        if segment.sql is None
        else KeySelect(segment.sql, partial(reach, actor))
    )


def reach(actor: Actor, collection: Collection) -> Scope | None:
    """The actor's scope of a collection for a SELECT; None if they may not browse it."""
    return view_scope(actor, collection) if _may(actor, collection.id, "browse") else None


def _reads_seen(actor: Actor, collection: Collection, segment: Segment) -> bool:
    """Whether the actor may browse every collection that a segment's SELECT reads."""
    if segment.sql is None:
        return True
    try:
        return all(_may(actor, read, "browse") for read in sql_segments.reads(segment.sql, collection))
    except Malformed:  # a table that it reads is gone
        return False


def shown_columns(collection: Collection, scope: Scope, wanted: tuple[str, ...] | None) -> tuple[Field, ...]:
    """The readable fields with these names, in this order; all readable ones if none are given."""
    readable = {item.name: item for item in collection.readable(scope)}
    return (
        tuple(readable.values())
        if wanted is None
        else tuple(readable[name] for name in dict.fromkeys(wanted) if name in readable)
    )


def read_columns(collection: Collection, columns: tuple[Field, ...]) -> list[str]:
    """Names of the columns, with the columns of their currencies."""
    names = [*(item.name for item in columns), *naming.made_of(collection)]
    return list(
        dict.fromkeys(
            [*names, *(collection.currencies[name] for name in names if name in collection.currencies)]
        )
    )


def named_records(
    actor: Actor, columns: Iterable[Field], rows: Iterable[Record]
) -> dict[naming.Reference, Named]:
    """The records that the columns refer to: one statement for each collection."""
    listed = list(rows)
    leading = {item.name: item.references for item in columns}
    if listed:
        collection = records.collection(listed[0].collection)
        leading |= {name: collection.by_name[name].references for name in naming.joined(collection)}
    return naming.names_of(actor, naming.references(leading.items(), (row.values for row in listed)))


# -------------------------------------------------------------------------------------------------------------- noting


def key_of_reference(collection: Collection, named: str) -> str | None:
    """The key of the record with this reference in the log (`ref`); None if it can no longer be resolved."""
    return subjects.record_behind(collection.id, named) if collection.personal_key else named


def label_on_collection(collection: Collection) -> str | None:
    """The label of the whole collection. Labels on single records are part of the record scope."""
    return access.label_of(f"collection:{collection.id}")


def note_on(actor: Actor, kind: str, collection: Collection, **more: Any) -> None:
    """Note an event of the collection or of a record of it, as confidential as the whole collection unless `more` has a `label`."""
    log.note(
        actor,
        kind,
        source=collection.source,
        collection=collection.id,
        **{"label": label_on_collection(collection), **more},
    )


def note_view(
    actor: Actor,
    collection: Collection,
    key: str,
    *,
    relation: str = "",
    label: str | None = None,
    seen: Record | None = None,
) -> None:
    """Note that the actor looked at the record (`seen`, where it has been read), or at these relations of it.

    `label`: another than that of the whole collection.
    """
    label, about = label or label_on_collection(collection), about_record(collection, key, seen)
    note_on(
        actor,
        "record_viewed",
        collection,
        open={"relation": relation} if relation else {},
        **about,
        label=label,
    )
