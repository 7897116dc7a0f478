"""What the indexes of a source's tables can find, and roughly how many rows each table has: one statement for a source and minute.

Read from the source itself, because whoever adds an index wants it used at once. A source that does not tell counts as one without indexes.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from console.core.documents.collections import Collection
from console.core.errors import SourceDown, TooSlow
from console.records import catalogue, connect, time_limit

KEPT_S = 60.0
LOOK_S = 2.0
LARGE = 50_000
"""Rows from which a table is searched through its indexes alone: below, looking at every row takes less than 150 ms."""

Way: TypeAlias = Literal[
    "exact", "beginning", "pattern", "sorted", "lower", "lower_pattern", "nocase", "inside", "words"
]
"""How an index finds a text.

`exact`: the whole value; `beginning`: letter by letter; `pattern`: the same with PostgreSQL's pattern operators; `sorted`: beginnings in the order
of a language; `lower`, `lower_pattern`: beginnings of `lower(column)`; `nocase`: beginnings, capitals or not; `inside`: anywhere (trigrams); `words`: beginnings of words (full text).
"""


@dataclass(frozen=True, slots=True)
class Index:
    """One way of an index. `columns` is its first column, or all of a full text index."""

    way: Way
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Indexes:
    """The indexes of a table; `rows` is an estimate, None for views and where the source does not tell."""

    rows: int | None = None
    found: tuple[Index, ...] = ()

    @property
    def large(self) -> bool:
        """Whether looking at every row takes too long while somebody types."""
        return self.rows is not None and self.rows >= LARGE

    def ways(self, column: str) -> frozenset[str]:
        """The ways in which this column alone is indexed."""
        return frozenset(item.way for item in self.found if item.columns == (column,))


Place: TypeAlias = tuple[str | None, str]
_kept: dict[str, tuple[float, Engine, Mapping[Place, Indexes]]] = {}
_lock = threading.Lock()


def indexes_of(collection: Collection) -> Indexes:
    """The indexes of the collection's table, at most a minute old; none if the source does not tell. Raises SourceDown if it does not answer."""
    engine = catalogue.engine_of(collection)
    kept = _kept.get(collection.source)
    if kept is None or kept[1] is not engine or time.monotonic() - kept[0] >= KEPT_S:
        with _lock:
            kept = _kept.get(collection.source)
            if kept is None or kept[1] is not engine or time.monotonic() - kept[0] >= KEPT_S:
                kept = _kept[collection.source] = (time.monotonic(), engine, _look(engine, collection.source))
    return kept[2].get((collection.schema, collection.table), Indexes())


def forget() -> None:
    """Look again at the next use."""
    _kept.clear()


def _look(engine: Engine, source: str) -> Mapping[Place, Indexes]:
    reader = READERS.get(engine.dialect.name, _mysql)

    def looked(connection: Connection) -> Mapping[Place, Indexes]:
        with time_limit.limit(connection, LOOK_S):
            return reader(connection)

    try:
        return connect.read(engine, source, looked)
    except TooSlow:
        return {}
    except SourceDown:
        if connect.since(source) is not None:
            raise
        return {}  # it answers, and does not let us look: its tables are searched row by row


def _gathered(rows: Mapping[Place, int | None], found: Mapping[Place, list[Index]]) -> dict[Place, Indexes]:
    return {
        place: Indexes(rows.get(place), tuple(dict.fromkeys(found.get(place, ()))))
        for place in {*rows, *found}
    }


# ---------------------------------------------------------------------------------------------------------- PostgreSQL

POSTGRESQL = sa.text("""
    select n.nspname, c.relname, c.relkind,
        case when c.reltuples >= 0 then c.reltuples::bigint when c.relkind in ('r', 'm') then pg_relation_size(c.oid) / 100 end as tuples,
        am.amname, o.opcname, a.attname, a.atttypid::regtype::text as kind,
        case when x.indkey[k.n - 1] = 0 then pg_get_indexdef(x.indexrelid, k.n, true) end as expression,
        case when x.indcollation[k.n - 1] = 0 then null
            when l.collname = 'default' then coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', d.datcollate)
            when l.collname in ('C', 'POSIX') then 'C' else coalesce(l.collname, '') end as collation
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_database d on d.datname = current_database()
    left join pg_index x on x.indrelid = c.oid and x.indisvalid and x.indpred is null
    left join pg_class i on i.oid = x.indexrelid left join pg_am am on am.oid = i.relam
    left join lateral generate_series(1, case when am.amname in ('gin', 'gist') then x.indnkeyatts::int when x.indexrelid is null then 0 else 1 end) k(n) on true
    left join pg_opclass o on o.oid = x.indclass[k.n - 1]
    left join pg_attribute a on a.attrelid = c.oid and a.attnum = x.indkey[k.n - 1] and a.attnum > 0
    left join pg_collation l on l.oid = x.indcollation[k.n - 1]
    where c.relkind in ('r', 'p', 'm') and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema')
""")
PLAIN_TEXT = frozenset({"text", "character varying", "character"})
BY_LETTER = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8", "PG_UNICODE_FAST", "ucs_basic", "pg_c_utf8"})
"""Collations in which texts that begin alike stand beside each other, letter by letter."""


def _postgresql(connection: Connection) -> dict[Place, Indexes]:
    rows: dict[Place, int | None] = {}
    found: dict[Place, list[Index]] = {}
    for row in connection.execute(POSTGRESQL):
        place = (row.nspname, row.relname)
        rows[place] = row.tuples
        way = _postgresql_way(row)
        column = row.attname or _lowered(row.expression)
        if way is not None and column is not None:
            found.setdefault(place, []).append(Index(way, (column,)))
    return _gathered(rows, found)


def _postgresql_way(row: Any) -> Way | None:
    if row.amname in ("gin", "gist"):
        return "inside" if row.opcname and "trgm" in row.opcname and row.attname else None
    if row.amname != "btree":
        return "exact" if row.amname == "hash" and row.attname else None
    patterns, letters = str(row.opcname).endswith("_pattern_ops"), row.collation in BY_LETTER
    if row.attname is None:
        return "lower_pattern" if patterns else "lower" if letters else None
    if row.kind not in PLAIN_TEXT:
        return "exact"
    return (
        "pattern"
        if patterns
        else "beginning"
        if letters
        else "sorted"
        if row.collation is not None
        else "exact"
    )


LOWERED = re.compile(r'lower\(\(?(?P<column>"(?:[^"]|"")+"|\w+)\)?(?:::text)?\)')


def _lowered(expression: str | None) -> str | None:
    """The column of `lower(column)`; None for other expressions."""
    found = LOWERED.fullmatch(expression or "")
    if found is None:
        return None
    name = found["column"]
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


# --------------------------------------------------------------------------------------------------------------- MySQL

MYSQL = sa.text("""
    select t.table_name as place, t.table_rows as estimate, s.index_name as called, s.seq_in_index as number, s.column_name as named, s.index_type as kind,
        c.collation_name as sorted, c.data_type as type
    from information_schema.tables t
    left join information_schema.statistics s on s.table_schema = t.table_schema and s.table_name = t.table_name
        and (s.seq_in_index = 1 or s.index_type = 'FULLTEXT')
    left join information_schema.columns c on c.table_schema = s.table_schema and c.table_name = s.table_name and c.column_name = s.column_name
    where t.table_schema = database() and t.table_type = 'BASE TABLE' order by 1, 3, 4
""")


def _mysql(connection: Connection) -> dict[Place, Indexes]:
    rows: dict[Place, int | None] = {}
    found: dict[Place, list[Index]] = {}
    texts: dict[tuple[Place, str], list[str]] = {}
    for row in connection.execute(MYSQL):
        place = (None, row.place)
        rows[place] = None if row.estimate is None else int(row.estimate)
        if row.kind == "FULLTEXT":
            texts.setdefault((place, row.called), []).append(row.named)
        elif row.named is not None:
            text = (
                row.sorted is not None
                and row.type in {"char", "varchar", "tinytext", "text", "mediumtext", "longtext"}
                and row.kind == "BTREE"
            )
            way: Way = "exact" if not text else "beginning" if row.sorted.endswith("_bin") else "nocase"
            found.setdefault(place, []).append(Index(way, (row.named,)))
    for (where, _), columns in texts.items():
        found.setdefault(where, []).append(Index("words", tuple(columns)))
    return _gathered(rows, found)


# -------------------------------------------------------------------------------------------------------------- SQLite

SQLITE = sa.text("""
    select m.name as place, x.name as named, x.coll as sorted
    from sqlite_schema m left join pragma_index_list(m.name) l on l.partial = 0 left join pragma_index_xinfo(l.name) x on x.seqno = 0 and x.cid >= 0
    where m.type = 'table' and m.name not like 'sqlite\\_%' escape '\\'
""")


def _sqlite(connection: Connection) -> dict[Place, Indexes]:
    rows: dict[Place, int | None] = {}
    found: dict[Place, list[Index]] = {}
    for row in connection.execute(SQLITE).all():
        place = (None, row.place)
        if place not in rows:
            rows[place] = _sqlite_rows(connection, row.place)
        if row.named is not None:
            way: Way | None = {"BINARY": "beginning", "NOCASE": "nocase"}.get(str(row.sorted).upper())  # type: ignore[assignment]
            found.setdefault(place, []).extend([Index(way, (row.named,))] if way else [])
    return _gathered(rows, found)


def _sqlite_rows(connection: Connection, table: str) -> int | None:
    """The largest row number, found at once; a count up to `LARGE` for tables without one, or with a column of that name."""
    quoted = table.replace('"', '""')
    for statement in (
        f'select max(rowid) from "{quoted}"',  # noqa: S608 (quoted)
        f'select count(*) from (select 1 from "{quoted}" limit {LARGE})',  # noqa: S608 (quoted)
    ):
        try:
            found = connection.exec_driver_sql(statement).scalar_one()
        except sa.exc.DBAPIError:
            continue  # no row numbers, or a virtual table whose module is not there
        if found is None or isinstance(found, int):
            return found or 0
    return None


READERS: Mapping[str, Callable[[Connection], Mapping[Place, Indexes]]] = {
    "postgresql": _postgresql,
    "sqlite": _sqlite,
}
