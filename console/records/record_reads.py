"""Reading records: every read takes a scope, and the scope is part of the SQL.

Lists are paged by keyset: (sorted column, key) of the last record, never by counting rows. One page is one statement.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement, Select

from console.core.documents.collections import Collection, Field
from console.core.expressions import Expression
from console.core.expressions.search_syntax import Sought, Words, limited
from console.core.filters import Filter, known
from console.core.scopes import Scope
from console.errors import Malformed, NotFound
from console.records import catalogue, connect, cursors, record_keys, sql_conditions, values
from console.records.dialects import Condition
from console.records.reader import Reader, Record
from console.records.related_values import named_by
from console.records.search import sought_condition
from console.records.sql_tables import Table, table_of

MOST_ROWS = 500
MOST_KEYS = 400
MOST_TIES = 12
MOST_WRITTEN = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a list; `next` and `previous` are cursors, null where there is no such page."""

    rows: list[Record]
    next: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted: by one field (None: by the key alone), then by the key in the same direction."""

    field: Field | None
    descending: bool = False

    @property
    def text(self) -> str:
        """As in a URL: `-opened_at`; the key alone is the empty text."""
        return ("-" if self.descending else "") + (self.field.name if self.field else "")


def get(collection_id: str, key: str, scope: Scope, fields: Iterable[str] | None = None) -> Record:
    """The record of this key with the fields that may be read, or those of them that are asked for. Raises NotFound, SourceDown."""
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    reader = Reader(table, scope, fields)
    statement = reader.select().where(table.is_key(record_keys.decode(collection, key)), table.in_scope(scope)).limit(1)
    row = read(collection, lambda connection: connection.execute(statement).first())
    record = reader.finished([reader.record(row)])[0] if row is not None else None
    if record is None or record.key != key:  # 017 finds the record 17, and is not its name
        raise NotFound
    return record


def page(
    collection_id: str,
    scope: Scope,
    *,
    where: Filter | None = None,
    segment: Expression | None = None,
    q: str | Sought | None = None,
    sort: str | None = None,
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
    fields: Iterable[str] | None = None,
    roots: Mapping[str, Any] | None = None,
) -> Page:
    """At most `limit` (1 to 500) records after or before a cursor, in the order of `sort` (`name`, `-name`; None: the collection's own).

    `segment` is an expression over `record`, which may look at `roots` too; `q` is a text to look for, or what `core.search_syntax` read.
    Raises Malformed for a sort or cursor that is none, SourceDown.
    """
    collection = catalogue.collection(collection_id)
    order = order_of(collection, scope, sort)
    wanted = partial(list_conditions, table_of(collection), scope, where, segment, q, roots)
    again = (scope.hidden, repr(q), repr(where)) if scope.unlimited and segment is None and (isinstance(q, str) or not limited(q)) else None
    limit = max(1, min(limit, MOST_ROWS))
    return read_page(collection, scope, order, wanted, limit=limit, after=after, before=before, fields=fields, again=again)


def sample(collection: Collection, scope: Scope) -> Record | None:
    """The first record of a collection, which need not be one that the catalogue holds: a draft's. Raises SourceDown."""
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
    segment: Expression | None = None,
) -> int:
    """How many records there are; with a cap at most `cap + 1`, which means "more than that"."""
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    inner: Select[Any] = sa.select(sa.literal_column("1")).select_from(table.table).where(*list_conditions(table, scope, where, segment, q))
    inner = inner if cap is None else inner.limit(cap + 1)
    statement = sa.select(sa.func.count()).select_from(inner.subquery())
    return read(collection, lambda connection: int(connection.execute(statement).scalar_one()))


def estimate(
    collection_id: str, scope: Scope, where: Filter | None = None, q: str | Sought | None = None, *, segment: Expression | None = None
) -> int | None:
    """About how many records there are, as the database's planner sees it without reading them; None where it does not say."""
    collection = catalogue.collection(collection_id)
    if collection.dialect != "postgresql":
        return None
    table = table_of(collection)
    statement: Select[Any] = (
        sa.select(sa.literal_column("1")).select_from(table.table).where(*list_conditions(table, scope, where, segment, q))
    )

    def explained(connection: Connection) -> int:
        told = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
        plan = connection.exec_driver_sql(f"explain (format json) {told}", told.params).scalar_one()
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
) -> Page:
    """Records that a relation leads to from this one, which the caller has judged. `where` is an expression over the related `record` and `roots`.

    Raises NotFound for a record or relation that is not there.
    """
    target, linked = led_to(collection_id, key, relation)
    order = order_of(target, scope_of_target, sort)
    if linked is None:
        return Page([], None, None)
    wanted = [*list_conditions(table_of(target), scope_of_target, None, where, None, roots), *linked]
    limit = max(1, min(limit, MOST_ROWS))
    return read_page(target, scope_of_target, order, lambda: wanted, limit=limit, after=after, before=before, fields=fields)


def led_to(collection_id: str, key: str, relation: str) -> tuple[Collection, list[Condition] | None]:
    """(the collection that a relation leads to, what its records from here fulfil: None where there can be none). Raises NotFound."""
    collection = catalogue.collection(collection_id)
    link = collection.relation(relation)
    if link is None:
        raise NotFound
    target = catalogue.collection(link.collection)
    here = _values_here(collection, key, [column for column, _ in link.columns])
    if any(part is None for part in here):
        return target, None
    there = table_of(target)
    return target, [named_by(there, column, part) for (_, column), part in zip(link.columns, here, strict=True)]


def visible(collection_id: str, wanted: Iterable[str], scope: Scope, segment: Expression | None = None) -> set[str]:
    """Those of the keys whose records are in the scope, and for which `segment`, an expression over `record`, holds."""
    return {record.key for record in _by_keys(collection_id, wanted, scope, (), segment) if record.key}


def titles(collection_id: str, wanted: Iterable[str], scope: Scope) -> dict[str, str]:
    """Key → title of those records that are in the scope."""
    return {record.key: record.title for record in _by_keys(collection_id, wanted, scope, ()) if record.key}


def subject(collection_id: str, key: str) -> tuple[str, str] | None:
    """(collection, key) of the record whose data this one holds, along the relations that the collection names; None where it names none.

    Read without a scope: it only decides under whose key things are kept.
    """
    collection = catalogue.collection(collection_id)
    if not collection.subject:
        return None
    if collection.subject == "self":
        return collection_id, key
    for name in collection.subject.split("."):
        link = collection.relation(name)
        parts = _values_here(collection, key, [column for column, _ in link.columns]) if link and link.kind == "to_one" else []
        here = record_keys.encode(parts)
        if link is None or here is None or [column for _, column in link.columns] != list(catalogue.collection(link.collection).key):
            return None
        collection, key = catalogue.collection(link.collection), here
    return collection.id, key


def order_of(collection: Collection, scope: Scope, sort: str | None) -> Order:
    """The order that `sort` names. Raises Malformed for a field that is not there, hidden, or has no order."""
    if not sort:
        own = named_order(collection, collection.sort or "")
        return own if own.field is None or own.field.name not in scope.hidden else Order(None)
    field = known(collection, sort.removeprefix("-"), scope.hidden)
    if not field.sortable:
        raise _unsortable(field)
    return named_order(collection, sort)


def named_order(collection: Collection, sort: str) -> Order:
    field = collection.by_name.get(sort.removeprefix("-"))
    return Order(field, sort.startswith("-")) if field is not None and field.sortable else Order(None)


def _unsortable(field: Field) -> Malformed:
    why = " It is worked out when it is shown, after the database has sorted." if field.computed is not None else ""
    reason = f"A list cannot be sorted by {field.name}.{why}"
    return Malformed(reason, details=[{"field": "sort", "reason": reason}])


def list_conditions(
    table: Table,
    scope: Scope,
    where: Filter | None,
    segment: Expression | None,
    q: str | Sought | None,
    roots: Mapping[str, Any] | None = None,
) -> list[Condition]:
    """Everything that the records of a list have to fulfil."""
    found = [table.in_scope(scope)]
    if where is not None:
        found.append(sql_conditions.filter_condition(where, table.collection, table.columns))
    if segment is not None:
        found.append(table.holds(segment, scope.attributes, roots))
    sought = (Words(q) if q.strip() else None) if isinstance(q, str) else q
    if sought is not None:
        found.append(sought_condition(table, sought, scope.hidden))
    return found


def read(collection: Collection, work: Callable[[Connection], T]) -> T:
    """What `work` makes of a connection to the collection's source. Raises SourceDown."""
    return connect.read(catalogue.engine_of(collection), collection.source, work)


# --------------------------------------------------------------------------------------------------------------- paging


def read_page(
    collection: Collection,
    scope: Scope,
    order: Order,
    wanted: Callable[[], list[Condition]],
    *,
    limit: int,
    after: str | None,
    before: str | None,
    fields: Iterable[str] | None,
    again: Hashable = None,
) -> Page:
    if after and before:
        reason = "A page is after a cursor or before one, not both."
        raise Malformed(reason, details=[{"field": "before", "reason": reason}])
    table = table_of(collection)
    if not collection.key or any(collection.by_name[name].nullable for name in collection.key):  # a key may be empty: it orders nothing
        return _page_by_number(table, scope, order, wanted(), limit=limit, after=after, before=before, fields=fields)
    places = _places(collection, order)
    reader = Reader(table, scope, fields, places)
    cursor, backwards = (before, True) if before else (after, False)
    anchor = table.anchored(places, cursors.read(cursor, collection.id, order.text, len(places))) if cursor else None
    statement = partial(_slice, table, reader, order, places, wanted, anchor, backwards=backwards, size=limit + 1)
    if again is None or table.dialect.name != "postgresql" or (anchor and isinstance(anchor[0], cursors.Beginning)):
        rows = read(collection, fetch(statement()))
    else:
        plan = (table, again, tuple(reader.names), order.text, tuple(item is None for item in anchor or ()), backwards, limit)
        rows = read(collection, _rows_again(plan, statement, anchor or ()))
    more, rows = len(rows) > limit, rows[:limit]
    rows = rows[::-1] if backwards else rows

    def cursor_at(row: Sequence[Any]) -> str:
        return cursors.write(collection.id, order.text, [row[reader.at(name)] for name in places])

    ahead = bool(rows) and (more if not backwards else True)
    behind = bool(rows) and (more if backwards else anchor is not None)
    records = reader.records(rows)
    return Page(records, cursor_at(rows[-1]) if ahead else None, cursor_at(rows[0]) if behind else None)


def _places(collection: Collection, order: Order) -> list[str]:
    """Columns that the list is ordered by: the sorted one, then the key."""
    return list(dict.fromkeys([*([order.field.name] if order.field else []), *collection.key]))


def _slice(
    table: Table,
    reader: Reader,
    order: Order,
    places: list[str],
    wanted: Callable[[], list[Condition]],
    anchor: list[Any] | None,
    *,
    backwards: bool,
    size: int,
) -> Any:
    """The statement for `size` rows from the anchor on; nulls of the sorted column stand where the database's own indexes have them."""
    down = order.descending != backwards
    columns = [table.dialect.sorted(table.columns[name], table.collection.by_name[name]) for name in places]
    select = reader.select().where(*wanted())
    if anchor is None:
        return select.order_by(*_directed(columns, down)).limit(size)
    bound, compared = _bound(table, places, anchor), [table.place(name) for name in places]
    if order.field is None or not order.field.nullable or order.field.name in table.collection.key:
        return select.where(_beyond(table, compared, bound, down)).order_by(*_directed(columns, down)).limit(size)
    first, ties = table.columns[places[0]], columns[1:]
    nulls_first = table.dialect.nulls_first(descending=down)
    if anchor[0] is None:
        parts = [select.where(first.is_(None), _beyond(table, compared[1:], bound[1:], down)).order_by(*_directed(ties, down))]
        parts += [select.where(first.is_not(None)).order_by(*_directed(columns, down))] if nulls_first else []
    else:
        parts = [select.where(first.is_not(None), _beyond(table, compared, bound, down)).order_by(*_directed(columns, down))]
        parts += [] if nulls_first else [select.where(first.is_(None)).order_by(*_directed(ties, down))]
    return parts[0].limit(size) if len(parts) == 1 else _one_after_the_other(parts, [reader.at(name) for name in places], size, down)


def _bound(table: Table, places: Sequence[str], anchor: Sequence[Any]) -> list[ColumnElement[Any]]:
    """The anchor as parameters; of a text that is too long for a cursor what its record holds, and its beginning where that is gone."""
    bound: list[ColumnElement[Any]] = [sa.bindparam(_at(number), item, sa.types.NullType()) for number, item in enumerate(anchor)]
    if not isinstance(anchor[0], cursors.Beginning):
        return bound
    there = table.aliased("anchor").columns
    is_there = (there[name] == part for name, part in zip(places[1:], bound[1:], strict=True))
    whole = sa.select(there[places[0]]).where(*is_there).scalar_subquery()
    return [sa.func.coalesce(whole, sa.literal(anchor[0].text, sa.types.NullType())), *bound[1:]]


def _one_after_the_other(parts: list[Select[Any]], places: list[int], size: int, down: bool) -> Any:
    """The rows of the first part, then those of the second, as one statement, sorted by what stands at these places."""
    plain = [
        part.with_only_columns(*(column.label(f"c{number}") for number, column in enumerate(part.selected_columns))) for part in parts
    ]  # SQLite takes `[x]`, and no name at all, for a column of a table and not for one of a subquery
    numbered = [
        sa.select(part.limit(size).subquery(f"part{number}"), sa.literal_column(str(number)).label("console_part"))
        for number, part in enumerate(plain)
    ]
    both = sa.union_all(*numbered).subquery("both")
    columns = list(both.c)
    ordered = [columns[place] for place in places]
    return sa.select(*columns[:-1]).order_by(columns[-1], *_directed(ordered, down)).limit(size)


def _directed(columns: Sequence[ColumnElement[Any]], down: bool) -> list[ColumnElement[Any]]:
    return [column.desc() if down else column.asc() for column in columns]


def _at(number: int) -> str:
    """The name of the parameter that is this part of the anchor."""
    return f"at_{number}"


def _beyond(table: Table, columns: Sequence[ColumnElement[Any]], bound: Sequence[ColumnElement[Any]], down: bool) -> Condition:
    """Rows that stand after the anchor, bound to parameters, in this order."""
    if len(columns) == 1:
        return columns[0] < bound[0] if down else columns[0] > bound[0]
    if table.dialect.name != "mysql":
        here, there = sa.tuple_(*columns), sa.tuple_(*bound)
        return here < there if down else here > there
    passed = _beyond(table, columns[1:], bound[1:], down)  # MySQL uses an index only for the comparison that stands alone
    first = columns[0] <= bound[0] if down else columns[0] >= bound[0]
    return sa.and_(first, sa.or_(columns[0] < bound[0] if down else columns[0] > bound[0], passed))


def _page_by_number(
    table: Table,
    scope: Scope,
    order: Order,
    wanted: list[Condition],
    *,
    limit: int,
    after: str | None,
    before: str | None,
    fields: Iterable[str] | None,
) -> Page:
    """A page of a collection without a key: its rows cannot be told apart, so that only their number is left."""
    collection = table.collection
    cursor = after or before
    start = cursors.read(cursor, collection.id, order.text, 1)[0] if cursor else 0
    start = max(0, start - limit) if before else start
    reader = Reader(table, scope, fields)
    ties = [table.columns[field.name].asc() for field in collection.stored_fields if field.sortable][:MOST_TIES]
    first = _directed([table.columns[order.field.name]], order.descending) if order.field else []
    statement = reader.select().where(*wanted).order_by(*first, *ties).limit(limit + 1).offset(start)
    rows = read(collection, fetch(statement))

    def cursor_at(number: int) -> str:
        return cursors.write(collection.id, order.text, [number])

    records = reader.records(rows[:limit])
    return Page(records, cursor_at(start + limit) if len(rows) > limit else None, cursor_at(start) if start else None)


# -------------------------------------------------------------------------------------------------------------- by keys


def _by_keys(
    collection_id: str, wanted: Iterable[str], scope: Scope, fields: Iterable[str], segment: Expression | None = None
) -> list[Record]:
    """Records of these keys that are in the scope; keys that name nothing are left out."""
    collection = catalogue.collection(collection_id)
    table = table_of(collection)
    decoded = {}
    for key in dict.fromkeys(wanted):
        try:
            decoded[key] = record_keys.decode(collection, key)
        except NotFound:
            continue
    reader = Reader(table, scope, fields)
    found: list[Record] = []
    pending = list(decoded.values())
    matching = list_conditions(table, scope, None, segment, None)
    for start in range(0, len(pending), MOST_KEYS):
        chunk = pending[start : start + MOST_KEYS]
        statement = reader.select().where(_one_of_keys(table, chunk), *matching)
        found += [reader.record(row) for row in read(collection, fetch(statement))]
    return [record for record in found if record.key in decoded]


def fetch(statement: Select[Any]) -> Callable[[Connection], list[Any]]:
    return lambda connection: list(connection.execute(statement).all())


_written: dict[Hashable, tuple[str, dict[str, Any]]] = {}


def _rows_again(plan: Hashable, make: Callable[[], Any], anchor: Sequence[Any]) -> Callable[[Connection], list[Any]]:
    """The rows of a page that people turn to again and again: its SQL is written once per plan, and only the anchor is new.

    A plan holds everything that the statement is made of, its table as an object: another structure of the source is another plan.
    """

    def rows(connection: Connection) -> list[Any]:
        kept = _written.get(plan)
        if kept is None:
            told = make().compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
            if len(_written) >= MOST_WRITTEN:
                _written.clear()
            kept = _written[plan] = (str(told), dict(told.params))
        text, known = kept
        moved = {_at(number): item for number, item in enumerate(anchor) if _at(number) in known}
        return list(connection.exec_driver_sql(text, known | moved).all())

    return rows


def _one_of_keys(table: Table, parts: Sequence[tuple[Any, ...]]) -> Condition:
    if len(table.key) == 1 and not any(isinstance(part[0], values.Raw) for part in parts):
        field = table.collection.by_name[table.collection.key[0]]
        return table.dialect.one_of(table.key[0], field, [part[0] for part in parts])
    return sa.or_(sa.false(), *(table.is_key(part) for part in parts))


def _values_here(collection: Collection, key: str, names: list[str]) -> list[Any]:
    """JSON values of these columns of the record, read without a scope: the caller has judged the record."""
    table = table_of(collection)
    statement = (
        sa.select(*(table.columns[name] for name in names))
        .select_from(table.table)
        .where(table.is_key(record_keys.decode(collection, key)))
    )
    row = read(collection, lambda connection: connection.execute(statement).first())
    if row is None:
        raise NotFound
    return [values.read(table.readers[name], item) for name, item in zip(names, row, strict=True)]
