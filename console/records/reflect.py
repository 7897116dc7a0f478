"""What a data source has: tables, views, columns, keys and comments, as the JSON that is stored and that `core.collections` reads.

Only what the console's user of that database may read is taken. Reflection happens when a source is added or refreshed, never while a
page is drawn.
"""

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import ObjectKind

from console.records import reflect_sqlite

IN_LIST = re.compile(
    r"""\(?["`\[]?(?P<column>\w+)["`\]]?\)?(?:::\w+(?:\(\d+\))?)?\)?\s*(?:=\s*ANY\s*\(+\s*ARRAY\s*\[|\bIN\s*\()(?P<list>(?:\s*'(?:[^']|'')*'(?:::[\w ]+(?:\(\d+\))?)?\s*,?)+)[\])]""",
    re.IGNORECASE,
)
QUOTED = re.compile(r"'((?:[^']|'')*)'")
NOTHING: Mapping[str, Any] = {}
READABLE = sa.text("""
    select n.nspname, c.relname, c.relkind in ('v', 'm') as view
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
      and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_toast%' and n.nspname not like 'pg\\_temp%'
      and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
      and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype = 'e')
    order by 1, 2
""")

DOMAIN_LIMITS = sa.text("""
    select table_schema, table_name, column_name, character_maximum_length, numeric_precision, numeric_scale
    from information_schema.columns
    where domain_name is not null and (character_maximum_length is not null or data_type = 'numeric' and numeric_precision is not null)
""")


def structures(connection: Connection) -> list[dict[str, Any]]:
    """Every readable table and view: schema, table, kind, comment, dialect, key, columns and foreign_keys; by schema and name."""
    match connection.dialect.name:
        case "sqlite":
            return reflect_sqlite.structures(connection)
        case "postgresql":
            return _postgresql(connection)
    return _mysql(connection)


def default_schema(connection: Connection) -> str | None:
    """The schema whose name is left out of collections' ids; None for databases without schemas."""
    return "public" if connection.dialect.name == "postgresql" else None


def _postgresql(connection: Connection) -> list[dict[str, Any]]:
    readable: dict[str, dict[str, bool]] = {}
    for schema, table, view in connection.execute(READABLE):
        readable.setdefault(schema, {})[table] = view
    made = [structure for schema in readable for structure in _schema(connection, schema, readable[schema])]
    limits = {tuple(row[:3]): row for row in connection.execute(DOMAIN_LIMITS)}  # SQLAlchemy forgets what a domain limits
    for structure in made:
        for column in structure["columns"]:
            limit = limits.get((structure["schema"], structure["table"], column["name"]))
            if limit is not None:
                column.update({"max_length": limit[3]} if limit[3] is not None else {"precision": limit[4], "scale": limit[5]})
    return made


def _mysql(connection: Connection) -> list[dict[str, Any]]:
    inspector = sa.inspect(connection)
    tables = dict.fromkeys(inspector.get_table_names(), False) | dict.fromkeys(inspector.get_view_names(), True)
    return list(_schema(connection, None, tables))


def _schema(connection: Connection, schema: str | None, tables: Mapping[str, bool]) -> list[dict[str, Any]]:
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
        lists = listed(" ; ".join(str(check.get("sqltext")) for check in checks.get(place) or ()))
        made.append(
            {
                "schema": schema,
                "table": table,
                "kind": "view" if view else "table",
                "comment": (comments.get(place) or NOTHING).get("text"),
                "dialect": "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name,
                "key": list((keys.get(place) or NOTHING).get("constrained_columns") or ()),
                "columns": [_column(column, lists.get(column["name"])) for column in columns.get(place) or ()],
                "foreign_keys": [_foreign(item, schema, connection) for item in foreign.get(place) or ()],
            }
        )
    return made


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


def listed(text: str) -> dict[str, list[str]]:
    """Columns that a check limits to a list of texts, with the list: `CHECK (status IN ('open', 'closed'))`."""
    return {match["column"]: [item.replace("''", "'") for item in QUOTED.findall(match["list"])] for match in IN_LIST.finditer(text)}


def kind_of(kind: Any) -> dict[str, Any]:
    """How a column of this type is kept: `stored`, `native`, and what is known about its limits."""
    match kind:
        case postgresql.DOMAIN():
            return kind_of(kind.data_type) | ({"required": True} if kind.not_null else {}) | _domain_list(kind)
        case postgresql.ARRAY():
            inner = kind_of(kind.item_type)
            simple = (kind.dimensions or 1) == 1
            return {"stored": "array" if simple else "other", "native": "array", "items": inner["stored"]} | (
                {"options": inner["options"]} if "options" in inner else {}
            )
        case mysql.SET():
            return {"stored": "other", "native": "set"}
        case sa.Enum():
            return {"stored": "text", "native": "enum", "options": list(kind.enums)}
        case mysql.TINYINT(display_width=1) | sa.Boolean():
            return {"stored": "boolean", "native": "boolean"}
        case mysql.BIT() | postgresql.BIT():
            return {"stored": "other", "native": "bit"}
        case sa.Integer():
            return _integer(kind)
        case sa.Float():
            return {"stored": "decimal", "native": "float4" if isinstance(kind, (sa.REAL, mysql.FLOAT)) else "float8"}
        case sa.Numeric():
            return {"stored": "decimal", "native": "numeric", "precision": kind.precision, "scale": kind.scale}
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
    found = listed("" if kind.check is None else str(kind.check)).get("VALUE")
    return {"options": found} if found else {}
