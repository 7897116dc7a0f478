"""Pages of a list by keyset: a page starts after the (sort value, key) of a record, rows are never counted. One page is one statement."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement, Select

from console.core.documents.collections import Collection, Field
from console.core.errors import Malformed
from console.core.expressions import Expression
from console.core.expressions.search_syntax import Sought, Words
from console.core.filters import Filter, Test, readable_field
from console.core.scopes import Scope
from console.records import (
    catalogue,
    connect,
    cursors,
    filter_conditions,
    list_starts,
    mysql_types,
    several_orders,
    time_limit,
    titled_orders,
)
from console.records.dialects import Condition
from console.records.reader import Reader, Record
from console.records.search import sought_condition
from console.records.sql_tables import Chosen, Table

MOST_TIES = 12
MOST_SORTED = 4
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a list; `next` and `previous` are cursors, null without such a page."""

    rows: list[Record]
    next: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list: by one field (None: by key only), `then` by further ones, then by key in the direction of the first. `implied`: nobody named it."""

    field: Field | None
    descending: bool = False
    then: tuple["Order", ...] = ()
    implied: bool = False

    @property
    def asked(self) -> str:
        """The form in a URL, without what is implied."""
        return ",".join(order.text for order in (replace(self, then=()), *self.then) if not order.implied)

    @property
    def text(self) -> str:
        """The form in a URL: `-opened_at`, `risk,-opened_at`; empty for the key only."""
        return ",".join(
            [
                ("-" if self.descending else "") + (self.field.name if self.field else ""),
                *(order.text for order in self.then),
            ]
        )

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """The sorted columns, each with whether it is descending."""
        return [
            (order.field.name, order.descending) for order in (self, *self.then) if order.field is not None
        ]

    def table(self, collection: Collection, scope: Scope) -> Table:
        """The collection's table, with the titles of other records that are sorted by."""
        return titled_orders.sorting(
            collection, scope, [order.field for order in (self, *self.then) if order.field is not None]
        )


def order_of(collection: Collection, scope: Scope, sort: str | None) -> Order:
    """The order that `sort` names, by at most `MOST_SORTED` fields. Raises Malformed for a field that is unknown, hidden or cannot be sorted.

    Amounts whose currency stands beside them are sorted within each currency: 48,000 yen are less than 300 euros.
    """
    if not sort:
        own = _named_order(collection, collection.sort or "")
        return (
            _joined(_within_currency(collection, scope, own))
            if own.field is None or own.field.name not in scope.hidden
            else Order(None)
        )
    names = sort.split(",")
    if len(names) > MOST_SORTED:
        reason = f"A list is sorted by at most {MOST_SORTED} fields."
        raise Malformed(reason, at="sort")
    found: dict[str, Order] = {}
    for name in names:
        base = titled_orders.base_of(collection, name.removeprefix("-"))
        field = readable_field(collection, base or name.removeprefix("-"), scope.hidden)
        if base is not None and (title := titled_orders.field_of(collection, scope, base)) is not None:
            found.setdefault(title.name, Order(title, name.startswith("-")))
            continue
        if not field.sortable or base is not None:
            raise _unsortable(field)
        for order in _within_currency(collection, scope, _named_order(collection, name)):
            found.setdefault(order.field.name if order.field else "", order)
    return _joined(list(found.values()))


def _joined(orders: Sequence[Order]) -> Order:
    return replace(orders[0], then=tuple(orders[1:]))


def _within_currency(collection: Collection, scope: Scope, order: Order) -> list[Order]:
    """The order, after that by the currency where each amount has its own."""
    beside = (
        collection.by_name.get(collection.currencies.get(order.field.name, ""))
        if order.field is not None
        else None
    )
    return (
        [Order(beside, implied=True), order]
        if beside is not None and beside.sortable and beside.name not in scope.hidden
        else [order]
    )


def _named_order(collection: Collection, sort: str) -> Order:
    field = collection.by_name.get(sort.removeprefix("-"))
    return Order(field, sort.startswith("-")) if field is not None and field.sortable else Order(None)


def _unsortable(field: Field) -> Malformed:
    why = (
        " It is worked out when it is shown, after the database has sorted."
        if field.computed is not None
        else ""
    )
    reason = f"A list cannot be sorted by {field.label}.{why}"
    return Malformed(reason, at="sort")


def list_conditions(
    table: Table,
    scope: Scope,
    where: Filter | None,
    segment: Chosen | None,
    q: str | Sought | None,
    roots: Mapping[str, Any] | None = None,
) -> list[Condition]:
    """All conditions that the records of a list must meet."""
    found = [table.in_scope(scope)]
    if where is not None:
        found.append(filter_conditions.filter_condition(where, table.collection, table.columns))
    if segment is not None:
        found.append(segment_condition(table, scope, segment, roots))
    sought = (Words(q) if q.strip() else None) if isinstance(q, str) else q
    if sought is not None:
        found.append(sought_condition(table, sought, scope.hidden, within=list(found)))
    return found


def segment_condition(
    table: Table, scope: Scope, segment: Chosen, roots: Mapping[str, Any] | None = None
) -> Condition:
    """True for the records that are in the segment, whether they are in the scope or not."""
    return (
        table.holds(segment, scope.attributes, roots)
        if isinstance(segment, Expression)
        else segment.condition(table)
    )


def read(collection: Collection, work: Callable[[Connection], T]) -> T:
    """The result of `work` with a connection to the collection's source. Raises SourceDown."""

    def looked(connection: Connection) -> T:
        mysql_types.require_same_kinds(connection, collection)
        return work(connection)

    return connect.read(
        catalogue.engine_of(collection), collection.source, looked if collection.dialect == "mysql" else work
    )


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
    seconds: float | None = None,
    start: Test | None = None,
) -> Page:
    """One page of the records that meet `wanted()`.

    Without a cursor it begins at the first record, or at the first that meets `start`; before `list_starts.LAST` is the last one. Raises TooSlow after `seconds`.
    """
    if after and before:
        reason = "A page is after a cursor or before one, not both."
        raise Malformed(reason, at="before")
    table = order.table(collection, scope)
    if table.sorted_by and seconds is None:
        seconds = titled_orders.SECONDS
    if not collection.key or any(
        collection.by_name[name].nullable for name in collection.key
    ):  # a nullable key does not define an order
        return _page_by_number(
            table, scope, order, wanted(), limit=limit, after=after, before=before, fields=fields
        )
    places = _places(collection, order)
    reader = Reader(table, scope, fields, places)
    cursor, backwards = (before, True) if before else (after, False)
    cursor, start = (None if cursor == list_starts.LAST else cursor), None if cursor else start
    anchor = (
        table.anchored(places, cursors.read(cursor, collection.id, order.text, len(places)))
        if cursor
        else None
    )
    met = wanted if start is None else lambda: [*wanted(), list_starts.starting_condition(start, table)]
    fetched = fetch(_slice(table, reader, order, places, met, anchor, backwards=backwards, size=limit + 1))
    rows = read(
        collection,
        fetched
        if seconds is None
        else lambda connection: time_limit.run_within(connection, seconds, fetched),
    )
    more, rows = len(rows) > limit, rows[:limit]
    rows = rows[::-1] if backwards else rows
    if start is not None and rows and not more:  # those without a value may follow
        beyond = table.anchored(places, [rows[-1][reader.at(name)] for name in places])
        more = bool(
            read(
                collection,
                fetch(_slice(table, reader, order, places, wanted, beyond, backwards=False, size=1)),
            )
        )

    def cursor_at(row: Sequence[Any]) -> str:
        return cursors.write(collection.id, order.text, [row[reader.at(name)] for name in places])

    ahead = bool(rows) and (anchor is not None if backwards else more)
    behind = bool(rows) and (more if backwards else anchor is not None or start is not None)
    records = reader.records(rows)
    return Page(records, cursor_at(rows[-1]) if ahead else None, cursor_at(rows[0]) if behind else None)


def read_all(
    collection: Collection,
    scope: Scope,
    order: Order,
    wanted: Callable[[], list[Condition]],
    *,
    size: int,
    fields: Iterable[str] | None,
) -> Iterator[list[Record]]:
    """All records that meet `wanted()`, `size` at a time, in the order of the list.

    PostgreSQL answers one statement through a cursor. MySQL limits the time of a whole statement, and a SQLite file cannot be written while it is
    read: of these they are pages, each a statement.
    """
    table = order.table(collection, scope)
    if table.dialect.name == "postgresql":
        places = (
            _places(collection, order)
            or [field.name for field in collection.stored_fields if field.sortable][:MOST_TIES]
        )
        reader = Reader(table, scope, fields, places)
        statement = _slice(table, reader, order, places, wanted, None, backwards=False, size=None)
        for rows in connect.stream(catalogue.engine_of(collection), collection.source, statement, size):
            yield reader.records(rows)
        return
    after: str | None = None
    while True:
        page = read_page(
            collection, scope, order, wanted, limit=size, after=after, before=None, fields=fields
        )
        yield page.rows
        after = page.next
        if after is None:
            return


def _places(collection: Collection, order: Order) -> list[str]:
    """Sort columns: the sorted field, then the key."""
    return list(dict.fromkeys([*(name for name, _ in order.columns), *collection.key]))


def _slice(
    table: Table,
    reader: Reader,
    order: Order,
    places: list[str],
    wanted: Callable[[], list[Condition]],
    anchor: list[Any] | None,
    *,
    backwards: bool,
    size: int | None,
) -> Any:
    """The statement for `size` rows (None: all) from the anchor on. Nulls of the sorted column are where the database's indexes have them."""
    if order.then:
        sorted_by = [*order.columns, *((name, order.descending) for name in places[len(order.columns) :])]
        values = None if anchor is None else list(zip(anchor, _bound(table, places, anchor), strict=True))
        several = several_orders.terms(table, sorted_by, values, backwards=backwards)
        ahead = [] if anchor is None else [several_orders.beyond(several)]
        return (
            reader.select().where(*wanted(), *ahead).order_by(*several_orders.directed(several)).limit(size)
        )
    down = order.descending != backwards
    columns = [table.dialect.sorted(table.columns[name], table.field(name)) for name in places]
    select = reader.select().where(*wanted())
    if anchor is None:
        return select.order_by(*_directed(columns, down)).limit(size)
    bound, compared = _bound(table, places, anchor), [table.place(name) for name in places]
    if order.field is None or not order.field.may_be_empty or order.field.name in table.collection.key:
        return (
            select.where(_beyond(table, compared, bound, down))
            .order_by(*_directed(columns, down))
            .limit(size)
        )
    first, ties = table.columns[places[0]], columns[1:]
    nulls_first = table.dialect.nulls_first(descending=down)
    if anchor[0] is None:
        parts = [
            select.where(first.is_(None), _beyond(table, compared[1:], bound[1:], down)).order_by(
                *_directed(ties, down)
            )
        ]
        parts += [select.where(first.is_not(None)).order_by(*_directed(columns, down))] if nulls_first else []
    else:
        parts = [
            select.where(first.is_not(None), _beyond(table, compared, bound, down)).order_by(
                *_directed(columns, down)
            )
        ]
        parts += [] if nulls_first else [select.where(first.is_(None)).order_by(*_directed(ties, down))]
    return (
        parts[0].limit(size)
        if len(parts) == 1
        else _one_after_the_other(parts, [reader.at(name) for name in places], size, down)
    )


def _bound(table: Table, places: Sequence[str], anchor: Sequence[Any]) -> list[ColumnElement[Any]]:
    """The anchor as parameters. A shortened text is read from its record, or is its beginning if that record is gone."""
    bound: list[ColumnElement[Any]] = [
        sa.bindparam(_at(number), item, sa.types.NullType()) for number, item in enumerate(anchor)
    ]
    if not isinstance(anchor[0], cursors.Beginning):
        return bound
    there = table.aliased("anchor").columns
    is_there = (there[name] == part for name, part in zip(places[1:], bound[1:], strict=True))
    whole = sa.select(there[places[0]]).where(*is_there).scalar_subquery()
    return [sa.func.coalesce(whole, sa.literal(anchor[0].text, sa.types.NullType())), *bound[1:]]


def _one_after_the_other(parts: list[Select[Any]], places: list[int], size: int | None, down: bool) -> Any:
    """The rows of the first part, then those of the second, in one statement; `places` are the sort columns."""
    plain = [
        part.with_only_columns(
            *(column.label(f"c{number}") for number, column in enumerate(part.selected_columns))
        )
        for part in parts
    ]  # SQLite resolves `[x]` or an empty name for columns of tables, but not of subqueries
    numbered = [
        sa.select(
            part.limit(size).subquery(f"part{number}"), sa.literal_column(str(number)).label("console_part")
        )
        for number, part in enumerate(plain)
    ]
    both = sa.union_all(*numbered).subquery("both")
    columns = list(both.c)
    ordered = [columns[place] for place in places]
    return sa.select(*columns[:-1]).order_by(columns[-1], *_directed(ordered, down)).limit(size)


def _directed(columns: Sequence[ColumnElement[Any]], down: bool) -> list[ColumnElement[Any]]:
    return [column.desc() if down else column.asc() for column in columns]


def _at(number: int) -> str:
    """Name of the parameter for this part of the anchor."""
    return f"at_{number}"


def _beyond(
    table: Table, columns: Sequence[ColumnElement[Any]], bound: Sequence[ColumnElement[Any]], down: bool
) -> Condition:
    """Condition for rows after the anchor in this order."""
    if len(columns) == 1:
        return columns[0] < bound[0] if down else columns[0] > bound[0]
    if table.dialect.name != "mysql":
        here, there = sa.tuple_(*columns), sa.tuple_(*bound)
        return here < there if down else here > there
    passed = _beyond(
        table, columns[1:], bound[1:], down
    )  # MySQL uses an index only for a comparison on its own
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
    """A page of a collection without a key. Its rows cannot be identified, so the cursor is a row number."""
    collection = table.collection
    if before == list_starts.LAST:
        raise Malformed(
            "This list has no key to be read backwards by.", at=("before", "There is no last page.")
        )
    cursor = after or before
    start = cursors.read(cursor, collection.id, order.text, 1)[0] if cursor else 0
    start = max(0, start - limit) if before else start
    reader = Reader(table, scope, fields)
    ties = [table.columns[field.name].asc() for field in collection.stored_fields if field.sortable][
        :MOST_TIES
    ]
    first = [column for name, down in order.columns for column in _directed([table.columns[name]], down)]
    statement = reader.select().where(*wanted).order_by(*first, *ties).limit(limit + 1).offset(start)
    rows = read(collection, fetch(statement))

    def cursor_at(number: int) -> str:
        return cursors.write(collection.id, order.text, [number])

    records = reader.records(rows[:limit])
    return Page(
        records, cursor_at(start + limit) if len(rows) > limit else None, cursor_at(start) if start else None
    )


def fetch(statement: Select[Any]) -> Callable[[Connection], list[Any]]:
    """A function that executes the statement and returns its rows."""
    return lambda connection: list(connection.execute(statement).all())
