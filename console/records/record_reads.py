"""Reading records: every read takes a scope, and the scope is part of the SQL."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from console.core.documents.collections import Collection, Relation
from console.core.errors import NotFound
from console.core.expressions import Expression
from console.core.expressions.search_syntax import Sought
from console.core.filters import Filter
from console.core.scopes import Scope
from console.records import catalogue, list_starts, record_keys, time_limit, values
from console.records.dialects import Condition
from console.records.reader import Reader, Record
from console.records.record_pages import (
    Page,
    fetch,
    list_conditions,
    order_of,
    read,
    read_all,
    read_page,
    segment_condition,
)
from console.records.related_values import named_by
from console.records.sql_tables import Chosen, table_of

MOST_ROWS = 500
MOST_KEYS = 400
MOST_ASKED = 1_000


def get(collection_id: str, key: str, scope: Scope, fields: Iterable[str] | None = None) -> Record:
    """The record of this key with the readable fields, or those of `fields`. Raises NotFound, SourceDown."""
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    reader, parts = Reader(table, scope, fields), record_keys.decode(collection, key)

    rows = read(collection, fetch(reader.select().where(table.is_key(parts), table.in_scope(scope)).limit(1)))
    record = reader.finished([reader.record(rows[0])])[0] if rows else None
    if record is None or record.key != key:  # 017 finds the record 17, but is not its key
        raise NotFound(record=None if scope.unlimited else (collection_id, key))
    return record


def page(
    collection_id: str,
    scope: Scope,
    *,
    where: Filter | None = None,
    segment: Chosen | None = None,
    q: str | Sought | None = None,
    sort: str | None = None,
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
    fields: Iterable[str] | None = None,
    roots: Mapping[str, Any] | None = None,
    seconds: float | None = None,
    start: Mapping[str, Any] | None = None,
) -> Page:
    """At most `limit` (1 to 500) records after or before a cursor, in the order of `sort` (`name`, `-name`; None: the collection's own).

    `start`: a condition that the records from there on meet (`list_starts`). `segment` is an expression over `record` and `roots`; `q` is a search text, or the result of `core.search_syntax`.
    Raises Malformed for an invalid sort or cursor, SourceDown, TooSlow where it takes longer than `seconds`.
    """
    collection = catalogue.collection(collection_id)
    order = order_of(collection, scope, sort)
    wanted = partial(list_conditions, table_of(collection), scope, where, segment, q, roots)
    limit = max(1, min(limit, MOST_ROWS))
    begin = None if start is None else list_starts.starting_test(start, collection, order, scope)
    return read_page(
        collection,
        scope,
        order,
        wanted,
        limit=limit,
        after=after,
        before=before,
        fields=fields,
        seconds=seconds,
        start=begin,
    )


def every(
    collection_id: str,
    scope: Scope,
    seen: Scope,
    *,
    where: Filter | None = None,
    segment: Chosen | None = None,
    q: Sought | None = None,
    sort: str | None = None,
    fields: Iterable[str] | None = None,
    size: int,
) -> Iterator[list[Record]]:
    """All records of a list that are in both scopes, `size` at a time; their fields are those of the first. Raises what `page` raises."""
    collection = catalogue.collection(collection_id)
    table = table_of(collection)

    def wanted() -> list[Condition]:
        return [
            *list_conditions(table, scope, where, segment, q),
            *([] if seen.unlimited else [table.in_scope(seen)]),
        ]

    return read_all(collection, scope, order_of(collection, scope, sort), wanted, size=size, fields=fields)


def sample(collection: Collection, scope: Scope) -> Record | None:
    """The first record of a collection, which may be a draft outside the catalogue. Raises SourceDown."""
    order = order_of(collection, scope, None)
    wanted = partial(list_conditions, table_of(collection), scope, None, None, None)
    rows = read_page(collection, scope, order, wanted, limit=1, after=None, before=None, fields=None).rows
    return rows[0] if rows else None


def count(
    collection_id: str,
    scope: Scope,
    where: Filter | None = None,
    q: str | Sought | None = None,
    cap: int | None = 10_000,
    *,
    segment: Chosen | None = None,
    roots: Mapping[str, Any] | None = None,
    seconds: float | None = None,
) -> int:
    """Number of records. With a cap at most `cap + 1`, which means more than `cap`. Raises TooSlow where it takes longer than `seconds`."""
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    met = list_conditions(table, scope, where, segment, q, roots)
    inner: Select[Any] = sa.select(sa.literal_column("1")).select_from(table.table).where(*met)
    inner = inner if cap is None else inner.limit(cap + 1)
    statement = sa.select(sa.func.count()).select_from(inner.subquery())

    def counted(connection: Connection) -> int:
        with time_limit.limit(connection, seconds) if seconds else nullcontext():
            return int(connection.execute(statement).scalar_one())

    return read(collection, counted)


def estimate(
    collection_id: str,
    scope: Scope,
    where: Filter | None = None,
    q: str | Sought | None = None,
    *,
    segment: Chosen | None = None,
) -> int | None:
    """Approximate number of records from the database's planner; None if the database does not tell."""
    collection = catalogue.collection(collection_id)
    if collection.dialect != "postgresql":
        return None
    table = table_of(collection)
    statement: Select[Any] = (
        sa.select(sa.literal_column("1"))
        .select_from(table.table)
        .where(*list_conditions(table, scope, where, segment, q))
    )

    def explained(connection: Connection) -> int:
        compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
        plan = connection.exec_driver_sql(f"explain (format json) {compiled}", compiled.params).scalar_one()
        return int(plan[0]["Plan"]["Plan Rows"])

    return read(collection, explained)


def related(
    collection_id: str,
    key: str,
    relation: str,
    scope_of_target: Scope,
    limit: int = 50,
    after: str | None = None,
    *,
    before: str | None = None,
    where: Expression | None = None,
    sort: str | None = None,
    fields: Iterable[str] | None = None,
    roots: Mapping[str, Any] | None = None,
    known: Mapping[str, Any] | None = None,
) -> Page:
    """Records that a relation leads to from this record, which the caller has judged. `where` is an expression over the related `record` and `roots`.

    `known` are values of the record that the caller has just read: where the columns of the relation are among them, they are not read again.
    Raises NotFound for an unknown record or relation.
    """
    target, theirs = _led_to(collection_id, key, relation, known)
    order, there = order_of(target, scope_of_target, sort), table_of(target)
    if theirs is None:
        return Page([], None, None)

    def wanted() -> list[Condition]:
        return [
            *list_conditions(there, scope_of_target, None, where, None, roots),
            *(named_by(there, *each) for each in theirs),
        ]

    limit = max(1, min(limit, MOST_ROWS))
    return read_page(
        target, scope_of_target, order, wanted, limit=limit, after=after, before=before, fields=fields
    )


def related_count(
    collection_id: str, key: str, path: str | Sequence[Relation], scope_of_target: Scope, cap: int
) -> int:
    """Number of records that a relation leads to from this record, which the caller has judged; `cap + 1` means more than `cap`.

    `path` may be several relations of one data source, each from where the one before leads to.
    """
    first, *further = (path,) if isinstance(path, str) else path
    target, linked = relation_target(collection_id, key, first if isinstance(first, str) else first.name)
    if linked is None:
        return 0
    for link in further:
        here, target = table_of(target).table, catalogue.collection(link.collection)
        there = table_of(target)
        held = (
            sa.select(*(here.columns[name] for name, _ in link.columns))
            .select_from(here)
            .where(*linked)
            .correlate(None)
        )
        linked = [sa.tuple_(*(there.table.columns[name] for _, name in link.columns)).in_(held)]
        linked += [named_by(there, column, part) for column, part in link.only]
    there = table_of(target)
    inner: Select[Any] = (
        sa.select(sa.literal_column("1"))
        .select_from(there.table)
        .where(there.in_scope(scope_of_target), *linked)
        .limit(cap + 1)
    )
    statement = sa.select(sa.func.count()).select_from(inner.subquery())
    return read(target, lambda connection: int(connection.execute(statement).scalar_one()))


def relation_target(
    collection_id: str, key: str, relation: str, known: Mapping[str, Any] | None = None
) -> tuple[Collection, list[Condition] | None]:
    """(target collection of the relation, conditions on its records; None if there can be none). Raises NotFound."""
    target, theirs = _led_to(collection_id, key, relation, known)
    there = table_of(target)
    return target, None if theirs is None else [named_by(there, column, part) for column, part in theirs]


def _led_to(
    collection_id: str, key: str, relation: str, known: Mapping[str, Any] | None
) -> tuple[Collection, list[tuple[str, Any]] | None]:
    """(target collection of the relation, columns of its records with what they must hold; None if there can be none). Raises NotFound."""
    collection = catalogue.collection(collection_id)
    link = collection.relation(relation)
    if link is None:
        raise NotFound
    target = catalogue.collection(link.collection)
    names = [column for column, _ in link.columns]
    here = (
        [known[name] for name in names]
        if known and known.keys() >= set(names)
        else linking_values(collection, key, names)
    )
    if any(part is None for part in here):
        return target, None
    return target, [*zip((column for _, column in link.columns), here, strict=True), *link.only]


def visible_keys(
    collection_id: str, wanted: Iterable[str], scope: Scope, segment: Chosen | None = None
) -> set[str]:
    """The keys whose records are in the scope and meet `segment`, an expression over `record`."""
    return {record.key for record in _by_keys(collection_id, wanted, scope, (), segment) if record.key}


def segments_of(
    collection_id: str, wanted: Iterable[str], scope: Scope, segments: Mapping[str, Chosen]
) -> dict[str, set[str]]:
    """Key → those of the `segments` that the record is in, of the records in the scope; one statement."""
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    decoded, found = list(_decoded(collection, wanted).values()), dict[str, set[str]]()
    columns = [sa.case((segment_condition(table, scope, each), 1), else_=0) for each in segments.values()]
    for start in range(0, len(decoded), MOST_ASKED):
        statement = sa.select(*table.key, *columns).where(
            table.is_one_of(decoded[start : start + MOST_ASKED]), table.in_scope(scope)
        )
        for row in read(collection, fetch(statement)):
            key = record_keys.encode(
                [
                    values.read(table.readers[name], item)
                    for name, item in zip(collection.key, row, strict=False)
                ]
            )
            found[str(key)] = {
                name for name, held in zip(segments, row[len(collection.key) :], strict=True) if held
            }
    return found


def titles(collection_id: str, wanted: Iterable[str], scope: Scope) -> dict[str, str]:
    """Key → title of the records in the scope."""
    return {record.key: record.title for record in _by_keys(collection_id, wanted, scope, ()) if record.key}


def records_by_key(
    collection_id: str, wanted: Iterable[str], scope: Scope, fields: Iterable[str] | None
) -> dict[str, Record]:
    """Key → record with these fields (None: all that are readable), of the records in the scope; unknown keys are left out."""
    return {record.key: record for record in _by_keys(collection_id, wanted, scope, fields) if record.key}


def named_alike(
    collection_id: str, wanted: Iterable[str], scope: Scope, fields: Iterable[str] | None
) -> dict[str, Record]:
    """Key → record whose key is another text that the source takes for the same: MySQL leaves capitals, and blanks at the end, out of account."""
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    if (
        table.dialect.name != "mysql"
        or len(collection.key) != 1
        or collection.by_name[collection.key[0]].stored != "text"
    ):
        return {}
    asked = {key: str(record_keys.decode(collection, key)[0]) for key in wanted}
    rows = read(collection, fetch(sa.select(table.key[0]).where(table.key[0].in_(list(asked.values())))))
    there = {str(row[0]).casefold().rstrip(): record_keys.encode([row[0]]) for row in rows}
    spelled = {
        key: held for key, text in asked.items() if (held := there.get(text.casefold().rstrip())) is not None
    }
    found = records_by_key(collection_id, spelled.values(), scope, fields)
    return {key: found[held] for key, held in spelled.items() if held in found}


def subject(collection_id: str, key: str) -> tuple[str, str] | None:
    """(collection, key) of the record whose data this one is, following the collection's subject path; None without one.

    Reads without a scope: it only decides under whose key data is stored.
    """
    collection = catalogue.collection(collection_id)
    if not collection.subject:
        return None
    if collection.subject == "self":
        return collection_id, key
    for name in collection.subject.split("."):
        link = collection.relation(name)
        parts = (
            linking_values(collection, key, [column for column, _ in link.columns])
            if link and link.kind == "to_one"
            else []
        )
        here = record_keys.encode(parts)
        if (
            link is None
            or here is None
            or [column for _, column in link.columns] != list(catalogue.collection(link.collection).key)
        ):
            return None
        collection, key = catalogue.collection(link.collection), here
    return collection.id, key


def _by_keys(
    collection_id: str,
    wanted: Iterable[str],
    scope: Scope,
    fields: Iterable[str] | None,
    segment: Chosen | None = None,
) -> list[Record]:
    """Records of these keys in the scope; unknown keys are left out."""
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    decoded = _decoded(collection, wanted)
    reader = Reader(table, scope, fields)
    found: list[Record] = []
    pending = list(decoded.values())
    for start in range(0, len(pending), MOST_KEYS):
        chunk = pending[start : start + MOST_KEYS]
        statement = reader.select().where(
            table.is_one_of(chunk), *list_conditions(table, scope, None, segment, None)
        )
        rows = read(collection, fetch(statement))
        found += [reader.record(row) for row in rows]
    return reader.finished([record for record in found if record.key in decoded])


def _decoded(collection: Collection, wanted: Iterable[str]) -> dict[str, tuple[Any, ...]]:
    """Key → its parts; what is no key is left out."""
    decoded = {}
    for key in dict.fromkeys(wanted):
        try:
            decoded[key] = record_keys.decode(collection, key)
        except NotFound:
            continue
    return decoded


def linking_values(
    collection: Collection, key: str, names: list[str], scope: Scope | None = None
) -> list[Any]:
    """JSON values of these columns of the record, also of those that nobody is shown; None for the scope: the caller has judged the record.

    Raises NotFound.
    """
    table = table_of(collection)
    statement = (
        sa.select(*(table.columns[name] for name in names))
        .select_from(table.table)
        .where(
            table.is_key(record_keys.decode(collection, key)),
            *([] if scope is None else [table.in_scope(scope)]),
        )
    )
    row = read(collection, lambda connection: connection.execute(statement).first())
    if row is None:
        raise NotFound
    return [values.read(table.readers[name], item) for name, item in zip(names, row, strict=True)]
