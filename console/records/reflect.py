"""The structure of a data source: tables, views, columns, keys and comments, as the JSON that is stored and that `core.collections` reads.

Only what the console's database user may read is included. Reflection happens when a source is added or refreshed, never while a page is
rendered.
"""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import ObjectKind

from console.records import check_lists, reflect_sqlite, sampling, unique_keys

NOTHING: Mapping[str, Any] = {}
Known: TypeAlias = Mapping[tuple[str | None, str], Mapping[str, Any]]
NO_STRUCTURES: Known = {}
READABLE = sa.text("""
    select n.nspname, c.relname, c.relkind in ('v', 'm') as view
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
      and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_toast%' and n.nspname not like 'pg\\_temp%'
      and has_schema_privilege(n.oid, 'usage') and (has_table_privilege(c.oid, 'select') or has_any_column_privilege(c.oid, 'select'))
      and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype = 'e')
    order by 1, 2
""")
WRITABLE = sa.text("""
    select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'f') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_toast%'
      and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'insert, update'))
""")
"""Query: whether the user may write anything."""

UNREADABLE = sa.text("""
    select n.nspname, c.relname, a.attname
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema')
      and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select')
      and not has_table_privilege(c.oid, 'select') and not has_column_privilege(c.oid, a.attnum, 'select')
""")
"""Query: unreadable columns of tables with readable ones."""

DOMAIN_LIMITS = sa.text("""
    select table_schema, table_name, column_name, character_maximum_length, numeric_precision, numeric_scale
    from information_schema.columns
    where domain_name is not null and (character_maximum_length is not null or data_type = 'numeric' and numeric_precision is not null)
""")


NESTED = sa.text("""
    select n.nspname, c.relname, a.attname
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where a.attndims > 1 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema')
""")
"""Query: columns declared as arrays of arrays, which SQLAlchemy takes for plain ones."""

OF_PARTITIONS = sa.text("""
    select n.nspname, p.relname, nt.nspname, t.relname,
      array(select a.attname::text from unnest(c.conkey) with ordinality k (at, place) join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.at order by place),
      array(select a.attname::text from unnest(c.confkey) with ordinality k (at, place) join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.at order by place)
    from pg_partitioned_table whole join pg_inherits i on i.inhparent = whole.partrelid
      join pg_constraint c on c.conrelid = i.inhrelid and c.contype = 'f' and c.conparentid = 0
      join pg_class p on p.oid = i.inhparent join pg_namespace n on n.oid = p.relnamespace
      join pg_class t on t.oid = c.confrelid join pg_namespace nt on nt.oid = t.relnamespace
""")
"""Query: foreign keys that partitions have of their own, which PostgreSQL does not count as their table's."""

SAMPLED = 100_000
INHERITED = sa.text("""
    select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and exists (select from pg_inherits i where i.inhparent = c.oid)
""")
"""Tables that others inherit from: a key of theirs may be in several of them."""

UNKNOWN_TYPES = {
    "postgresql": sa.text("""
    select n.nspname, c.relname, a.attname, case when 'c' in (t.typtype, e.typtype) then 'composite' else format_type(a.atttypid, null) end
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace join pg_type t on t.oid = a.atttypid
    left join pg_type e on e.oid = t.typelem and t.typcategory = 'A'
    where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema')
"""),
    "mysql": sa.text(
        "select null, table_name, column_name, data_type from information_schema.columns where table_schema = database()"
    ),
}
"""Queries: the name of each column's type, for types that the library does not know."""

Name: TypeAlias = tuple[str | None, str, bool]
"""Schema, name, and whether it is a view."""


def names(connection: Connection) -> list[Name]:
    """Every readable table and view, sorted by schema and name, without its structure."""
    match connection.dialect.name:
        case "sqlite":
            return reflect_sqlite.names(connection)
        case "postgresql":
            return [(row[0], row[1], bool(row[2])) for row in connection.execute(READABLE)]
    inspector = sa.inspect(connection)
    found = dict.fromkeys(inspector.get_table_names(), False) | dict.fromkeys(
        inspector.get_view_names(), True
    )
    return [(None, name, view) for name, view in sorted(found.items())]


def structures(
    connection: Connection,
    wanted: Callable[[str | None, str], bool] = lambda _schema, _table: True,
    known: Known = NO_STRUCTURES,
    told: Callable[[int], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Every readable table and view: schema, table, kind, comment, dialect, key, columns and foreign_keys; sorted by schema and name.

    `wanted` selects tables by schema and name. `known`: structures by schema and table; those that are still so are not sampled again.
    `told` is called with how many tables are looked at, before each one.
    """
    told(0)
    found = [name for name in names(connection) if wanted(*name[:2])]
    if connection.dialect.name == "sqlite":
        return reflect_sqlite.structures(connection, {name for _, name, _ in found}, told)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", sa.exc.SAWarning
        )  # a type unknown to the library can be shown but not changed: `other`
        made = (
            _postgresql(connection, found)
            if connection.dialect.name == "postgresql"
            else _mysql(connection, found)
        )
    _name_types(connection, made)
    for number, structure in enumerate(made):
        told(number)
        made[number] = sampling.observed(
            connection, structure, known.get((structure["schema"], structure["table"]))
        )
    return made


def _name_types(connection: Connection, made: Sequence[dict[str, Any]]) -> None:
    """Give columns whose type the library does not know the name that the database has for it."""
    unknown = {
        (structure["schema"], structure["table"], column["name"]): column
        for structure in made
        for column in structure["columns"]
        if column["native"] == "nulltype"
    }
    query = UNKNOWN_TYPES["postgresql" if connection.dialect.name == "postgresql" else "mysql"]
    for schema, table, name, kind in connection.execute(query) if unknown else ():
        if (column := unknown.get((schema, table, name))) is not None:
            column["native"] = str(kind).rpartition(".")[2].lower()


def default_schema(connection: Connection) -> str | None:
    """The schema left out of collection ids; None for databases without schemas."""
    return "public" if connection.dialect.name == "postgresql" else None


def server(connection: Connection) -> str:
    """Name and version of the database: `PostgreSQL 15.4`."""
    match connection.dialect.name:
        case "sqlite":
            return f"SQLite {connection.exec_driver_sql('select sqlite_version()').scalar_one()}"
        case "postgresql":
            return (
                f"PostgreSQL {str(connection.exec_driver_sql('show server_version').scalar_one()).split()[0]}"
            )
    version = str(connection.exec_driver_sql("select version()").scalar_one())
    return f"{'MariaDB' if 'mariadb' in version.lower() else 'MySQL'} {version.split('-', maxsplit=1)[0]}"


def place(schema: str | None, table: str) -> str:
    """Display name of a table, with its schema if that is not the default one."""
    return table if schema in {None, "public"} else f"{schema}.{table}"


def _postgresql(connection: Connection, found: Sequence[Name]) -> list[dict[str, Any]]:
    readable: dict[str, dict[str, bool]] = {}
    for schema, table, view in found:
        readable.setdefault(str(schema), {})[table] = view
    made = [structure for schema in readable for structure in _schema(connection, schema, readable[schema])]
    closed = {tuple(row) for row in connection.execute(UNREADABLE)}
    if closed:
        made = [
            _open(
                structure, {name for *at, name in closed if at == [structure["schema"], structure["table"]]}
            )
            for structure in made
        ]
    limits = {
        tuple(row[:3]): row for row in connection.execute(DOMAIN_LIMITS)
    }  # SQLAlchemy loses the limits of a domain
    nested = {tuple(row) for row in connection.execute(NESTED)}
    _lead_as_partitions(connection, made)
    inherited = {tuple(row) for row in connection.execute(INHERITED)}
    for structure in made:
        if (structure["schema"], structure["table"]) in inherited and _repeats(connection, structure):
            structure["key"] = []
        for column in structure["columns"]:
            if (structure["schema"], structure["table"], column["name"]) in nested:
                column["stored"] = "other"
            limit = limits.get((structure["schema"], structure["table"], column["name"]))
            if limit is not None:
                column.update(
                    {"max_length": limit[3]}
                    if limit[3] is not None
                    else {"precision": limit[4], "scale": limit[5]}
                )
    return made


def _lead_as_partitions(connection: Connection, made: Sequence[dict[str, Any]]) -> None:
    """Give partitioned tables the foreign keys of their partitions, where these do not lead to different tables."""
    led: dict[tuple[str, str], dict[tuple[str, ...], set[tuple[Any, ...]]]] = {}
    for schema, table, *there, columns, target in connection.execute(OF_PARTITIONS):
        led.setdefault((schema, table), {}).setdefault(tuple(columns), set()).add((*there, tuple(target)))
    for structure in made:
        names = {column["name"] for column in structure["columns"]}
        known = {tuple(key["columns"]) for key in structure["foreign_keys"]}
        for columns, ends in led.get((structure["schema"], structure["table"]), {}).items():
            if len(ends) == 1 and columns not in known and set(columns) <= names:
                schema, table, target = next(iter(ends))
                structure["foreign_keys"].append(
                    {"columns": list(columns), "schema": schema, "table": table, "target": list(target)}
                )


def _repeats(connection: Connection, structure: Mapping[str, Any]) -> bool:
    """Whether several of the first rows of the table have one key."""
    key: list[sa.ColumnClause[Any]] = [sa.column(name) for name in structure["key"]]
    first = (
        sa.select(*key)
        .select_from(sa.table(structure["table"], *key, schema=structure["schema"]))
        .limit(SAMPLED)
        .subquery()
    )
    alike = sa.select(*first.c).group_by(*first.c).having(sa.func.count() > 1)
    return bool(key) and connection.execute(alike.limit(1)).first() is not None


def _open(structure: dict[str, Any], closed: set[str]) -> dict[str, Any]:
    """The structure without unreadable columns."""
    columns = [column for column in structure["columns"] if column["name"] not in closed]
    foreign = [key for key in structure["foreign_keys"] if not set(key["columns"]) & closed]
    return {
        **structure,
        "columns": columns,
        "foreign_keys": foreign,
        "key": [] if set(structure["key"]) & closed else structure["key"],
    }


NARROW = sa.text("""
    select table_name, column_name from information_schema.columns
    where table_schema = database() and character_set_name is not null and character_set_name <> 'utf8mb4'
""")
"""Character sets of MySQL that lack some letters."""

CHECKED_JSON = sa.text("""
    select table_name, constraint_name from information_schema.check_constraints
    where constraint_schema = database() and level = 'Column' and check_clause like 'json_valid(%'
""")
"""Texts that hold JSON: what MariaDB has instead of a type."""


def _mysql(connection: Connection, found: Sequence[Name]) -> list[dict[str, Any]]:
    described = {
        name: columns
        for _, name, view in found
        if view and (columns := _unshown(connection, name)) is not None
    }
    made = _schema(connection, None, {name: view for _, name, view in found if name not in described})
    made += [
        _structure(connection, (None, name), view=True, columns=columns)
        for name, columns in described.items()
    ]
    made = [
        _plainly(structure)
        for structure in sorted(made, key=lambda structure: str(structure["table"]))
        if structure["columns"]
    ]
    narrow = {tuple(row) for row in connection.execute(NARROW)}
    json_texts = (
        {tuple(row) for row in connection.execute(CHECKED_JSON)} if connection.dialect.is_mariadb else set()  # type: ignore[attr-defined]
    )
    for structure in made:
        for column in structure["columns"]:
            at = (structure["table"], column["name"])
            if column["stored"] == "text" and (at in json_texts or at in narrow):
                column["native"] = "json" if at in json_texts else "narrow"
    return made


MAY_NOT_SHOW, BROKEN_VIEW = 1142, 1356


def _unshown(connection: Connection, view: str) -> list[Any] | None:
    """The columns of a view that the user may read without SHOW VIEW, which the library needs; none of a broken view; otherwise None."""
    dialect: Any = connection.dialect
    quoted = dialect.identifier_preparer.quote_identifier(view)
    try:
        connection.exec_driver_sql(f"show create table {quoted}")
    except sa.exc.DBAPIError as error:
        if error.orig is None or error.orig.args[0] not in {MAY_NOT_SHOW, BROKEN_VIEW}:
            raise
    else:
        return None
    try:
        rows = connection.exec_driver_sql(f"describe {quoted}").all()
    except sa.exc.DBAPIError:
        return []
    parser = dialect._tabledef_parser  # the library's own reading of a view
    return list(parser.parse(parser._describe_to_create(view, rows), "utf8").columns)


def _plainly(structure: dict[str, Any]) -> dict[str, Any]:
    """MySQL names with a backtick, unquoted: the library returns them quoted."""
    plain: Any = json.loads(json.dumps(structure).replace("``", "`"))
    return dict(plain)


def _schema(connection: Connection, schema: str | None, tables: Mapping[str, bool]) -> list[dict[str, Any]]:
    if not tables:  # to the library no names are all names
        return []
    inspector = sa.inspect(connection)
    options: dict[str, Any] = {"schema": schema, "filter_names": list(tables), "kind": ObjectKind.ANY}
    columns = inspector.get_multi_columns(**options)
    keys = inspector.get_multi_pk_constraint(**options)
    foreign = inspector.get_multi_foreign_keys(**options)
    checks = inspector.get_multi_check_constraints(**options)
    comments = inspector.get_multi_table_comment(**options)
    made = []
    for table, view in sorted(tables.items()):
        place = (schema, table)
        lists = check_lists.listed_values(*(str(check.get("sqltext")) for check in checks.get(place) or ()))
        structure = _structure(connection, place, view=view, columns=columns.get(place) or (), lists=lists)
        structure["comment"] = (comments.get(place) or NOTHING).get("text")
        structure["key"] = list((keys.get(place) or NOTHING).get("constrained_columns") or ())
        structure["foreign_keys"] = [_foreign(item, schema, connection) for item in foreign.get(place) or ()]
        made.append(structure)
    unique_keys.find_keys(inspector, schema, made)
    unique_keys.note_single(inspector, schema, made)
    return made


def _structure(
    connection: Connection,
    place: tuple[str | None, str],
    *,
    view: bool,
    columns: Sequence[Any],
    lists: Mapping[str, list[str]] = NOTHING,
) -> dict[str, Any]:
    return {
        "schema": place[0],
        "table": place[1],
        "kind": "view" if view else "table",
        "comment": None,
        "dialect": "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name,
        "key": [],
        "columns": [_column(column, lists.get(column["name"])) for column in columns],
        "foreign_keys": [],
    }


def _foreign(item: Mapping[str, Any], schema: str | None, connection: Connection) -> dict[str, Any]:
    target = item["referred_schema"] or (default_schema(connection) if schema is not None else None)
    return {
        "columns": list(item["constrained_columns"]),
        "schema": target,
        "table": item["referred_table"],
        "target": list(item["referred_columns"]),
    }


def _column(column: Mapping[str, Any], listing: list[str] | None) -> dict[str, Any]:
    kind = kind_of(column["type"])
    generated = bool(column.get("computed")) or bool((column.get("identity") or {}).get("always"))
    return {
        "name": column["name"],
        "nullable": bool(column["nullable"]) and not kind.pop("required", False),
        "comment": column.get("comment"),
        "generated": generated,
        **({"options": listing} if listing and kind["stored"] == "text" else {}),
        **kind,
    }


def kind_of(kind: Any) -> dict[str, Any]:
    """How a column of this type is stored: `stored`, `native`, and its limits."""
    match kind:
        case postgresql.DOMAIN():
            return (
                kind_of(kind.data_type) | ({"required": True} if kind.not_null else {}) | _domain_list(kind)
            )
        case postgresql.ARRAY():
            inner = kind_of(kind.item_type)
            simple = (kind.dimensions or 1) == 1
            return {
                "stored": "array" if simple else "other",
                "native": "enum[]" if inner["native"] == "enum" else "array",
                "items": inner["stored"],
                **({"options": inner["options"]} if "options" in inner else {}),
                **({"utc": True} if getattr(kind.item_type, "timezone", False) else {}),
            }
        case mysql.SET():
            return {"stored": "array", "native": "set", "items": "text", "options": list(kind.values)}
        case sa.Enum():
            return {"stored": "text", "native": "enum", "options": list(kind.enums)}
        case mysql.TINYINT(display_width=1) | sa.Boolean():
            return {"stored": "boolean", "native": "boolean"}
        case mysql.BIT(length=1):
            return {"stored": "boolean", "native": "bit1"}
        case mysql.BIT() | postgresql.BIT():
            return {"stored": "other", "native": "bit", "max_length": kind.length}
        case mysql.YEAR():
            return {"stored": "integer", "native": "year", "least": 1901, "most": 2155}
        case sa.Integer():
            return _integer(kind)
        case sa.Float():
            return {
                "stored": "decimal",
                "native": "float4" if isinstance(kind, (sa.REAL, mysql.FLOAT)) else "float8",
            }
        case sa.Numeric():
            return {
                "stored": "decimal",
                "native": "numeric",
                "precision": kind.precision,
                "scale": kind.scale,
            }
        case postgresql.CITEXT():
            return {"stored": "text", "native": "citext"}
        case sa.String():
            return _text(kind)
        case postgresql.TIME(timezone=True) | postgresql.INTERVAL():
            return {"stored": "other", "native": str(kind).lower()}
    return _plain(kind)


def _plain(kind: Any) -> dict[str, Any]:
    kept = (
        (sa.DateTime, "datetime"),
        (sa.Date, "date"),
        (sa.Time, "time"),
        (sa.Uuid, "uuid"),
        (sa.JSON, "json"),
        (sa.LargeBinary, "binary"),
        (sa.types._Binary, "binary"),
    )
    stored = next((name for known, name in kept if isinstance(kind, known)), "other")
    return {"stored": stored, "native": type(kind).__name__.lower()}


def _integer(kind: Any) -> dict[str, Any]:
    if isinstance(kind, mysql.TINYINT):
        bits = 7
    elif isinstance(kind, mysql.MEDIUMINT):
        bits = 23
    else:
        bits = 15 if isinstance(kind, sa.SmallInteger) else 63 if isinstance(kind, sa.BigInteger) else 31
    unsigned = bool(getattr(kind, "unsigned", False))
    least, most = (0, 2 ** (bits + 1) - 1) if unsigned else (-(2**bits), 2**bits - 1)
    return {"stored": "integer", "native": f"int{(bits + 1) // 8}", "least": least, "most": most}


def _text(kind: Any) -> dict[str, Any]:
    native = "bpchar" if isinstance(kind, sa.CHAR) else "text"
    long = isinstance(kind, (mysql.MEDIUMTEXT, mysql.LONGTEXT))
    return {"stored": "text", "native": native, "max_length": kind.length} | ({"long": True} if long else {})


def _domain_list(kind: postgresql.DOMAIN) -> dict[str, Any]:
    found = check_lists.listed_values("" if kind.check is None else str(kind.check)).get("VALUE")
    return {"options": found} if found else {}
